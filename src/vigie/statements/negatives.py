"""What a negative needs: the fact is zero, and nothing is blind, unknown or unvouched."""

from collections.abc import Iterator

from vigie.facts import GAPS, Facts
from vigie.facts.words import CLASS_NAMES
from vigie.language import N_
from vigie.records import DATA_CLASSES
from vigie.statements.binding import Problem, about
from vigie.statements.reading import Reading
from vigie.statements.rules import forbidding


def check_negative(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    """Check a sentence that denies something about data or exports."""
    way = said.way_denied
    if said.outside and not said.classes:
        return
    if said.classes:
        for name in said.classes:
            yield from _deny(f"persons.class:{name}", way, said, facts, bound)
    elif said.controllers:
        for name in said.controllers:
            yield from _deny(f"persons.controller:{name}", "", said, facts, bound)
    elif way == "exported" or (said.says("data") and said.way):
        yield from _deny("persons", way or "any", said, facts, bound)
    elif said.numbers and said.way:
        text = N_("a number that is denied says nothing: write how many were concerned")
        yield Problem("negative", text)
    elif said.of_others and said.way:
        yield Problem("negative", N_("a negative is proved or not written: no fact counts them"))
    elif said.says("never") and said.way:
        yield from _deny("persons", "any", said, facts, bound)
    if said.hedged and bound:
        yield Problem("hedged", N_("a denial is proved or not written: no mere possibility"))
    if said.says("absence_of_proof") and said.classes:
        yield Problem(
            "no_proof",
            N_("that nothing was found proves nothing was there only if all was looked at"),
        )


def _deny(name: str, way: str, said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    whole = name
    if way and way != "any":
        name = f"{name}.how:{way}"
    fact = about(facts, name) or facts.get(whole)
    if fact is None:
        return
    bound.append(fact.name)
    if fact.numerator > 0:
        yield Problem(
            "false", N_("this is false: {value} persons"), fact.name, value=fact.numerator
        )
        return
    lacking = missing(facts, name.endswith(":exported") and name.startswith("persons.how"))
    if lacking or not fact.exact:
        text = N_("a negative is proved by the log, or not written; what is missing: {more}")
        yield Problem("negative", text, said.sentence, more=lacking)


def missing(facts: Facts, exports: bool = False) -> tuple[str, ...]:
    """Return what forbids a negative: kinds of gaps, and that no screen is attested."""
    kinds = forbidding().exports if exports else forbidding().data
    found = {gap.kind: gap for gap in facts.gaps if gap.kind in kinds}
    lacking = [GAPS[kind] for kind in sorted(found)]
    if not exports and not facts.attested:
        lacking.append(N_("no screen is attested by name and date"))
    return tuple(lacking)


def check_only(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    """Check « seulement »: all that is not named is denied."""
    bound += [
        f"persons.class:{name}" for name in said.classes if facts.get(f"persons.class:{name}")
    ]
    yield from missing_for(said, facts)
    lacking = missing(facts)
    if lacking:
        text = N_("“only” denies all the rest; what is missing: {more}")
        yield Problem("negative", text, said.sentence, more=lacking)


def missing_for(said: Reading, facts: Facts) -> Iterator[Problem]:
    """Find the classes that a complete list leaves out."""
    left = [
        name
        for name in DATA_CLASSES
        if name not in said.classes and (fact := facts.get(f"persons.class:{name}"))
        and fact.numerator > 0
    ]  # fmt: skip
    if left:
        shown = tuple(CLASS_NAMES[name] for name in left)
        yield Problem("incomplete", N_("the list leaves out: {more}"), said.sentence, more=shown)
