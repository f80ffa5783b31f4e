"""The verdict on each sentence of a draft: passed, refused, unverified, or no claim at all.

`refused` comes before all: the facts contradict it or cannot carry it. `unverified` is a claim
about which the facts are silent: somebody must vouch for it. Only what was bound to facts, every
part of it, is `passed`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vigie.facts import Facts
from vigie.language import N_
from vigie.statements.advice import is_advice
from vigie.statements.amounts import check_numbers
from vigie.statements.assurances import check_assurance
from vigie.statements.binding import Problem, about, counts, exact, value
from vigie.statements.drafts import clauses, language_of, sentences
from vigie.statements.instead import suggest
from vigie.statements.negatives import check_negative, check_only, missing, missing_for
from vigie.statements.reading import Reading, read
from vigie.statements.rules import rules
from vigie.statements.times import check_durations, check_moments

REFUSED, UNVERIFIED, PASSED, NO_CLAIM = "refused", "unverified", "passed", "no_claim"
VERDICTS: Final = {
    REFUSED: N_("refused"), UNVERIFIED: N_("unverified"), PASSED: N_("passed"),
    NO_CLAIM: N_("no claim"),
}  # fmt: skip
_WORDS_NEAR: Final = 4
_CLASS: Final = "persons.class:"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence: the verdict, why, the facts it rests on, and what may be written instead.

    `language` is that by whose rules it was read, `fr` or `en`; empty when it was not read.
    """

    sentence: str
    verdict: str
    problems: tuple[Problem, ...] = ()
    facts: tuple[str, ...] = ()
    instead: str = ""
    language: str = ""


def check(draft: str, facts: Facts, home: Path | None = None) -> list[Finding]:
    """Check every sentence of a draft, in French or English, against the facts.

    The advice to patients that `home` has, or Vigie, claims nothing where it is of data that may
    have been exposed.
    """
    whole = language_of(draft)
    return [
        Finding(one, NO_CLAIM, language=language_of(one, whole or "fr"))
        if is_advice(one, facts, home)
        else _judge(one, facts, whole and language_of(one, whole))
        for one in sentences(draft)
    ]


def _judge(sentence: str, facts: Facts, language: str) -> Finding:
    if not language:
        text = N_("this is neither French nor English, and was not read")
        return Finding(sentence, UNVERIFIED, (Problem("language", text, refuses=False),))
    said = read(sentence, facts, rules(language))
    if _is_courtesy(said):
        return Finding(sentence, NO_CLAIM, language=language)
    bound: list[str] = []
    problems = tuple(
        problem for part in _parts(said, facts) for problem in _of_part(part, facts, bound)
    )
    refusing = tuple(problem for problem in problems if problem.refuses)
    rests_on = tuple(dict.fromkeys(bound))
    if refusing:
        return Finding(sentence, REFUSED, refusing, rests_on, suggest(said, facts), language)
    verdict = UNVERIFIED if problems else PASSED
    return Finding(sentence, verdict, problems, rests_on, language=language)


def _parts(said: Reading, facts: Facts) -> list[Reading]:
    """Return the clauses of a sentence when each makes a claim of its own, else it whole."""
    parts = [read(part, facts, said.rules) for part in clauses(said.sentence, said.rules)]
    return parts if all(part.claims for part in parts) else [said]


def _of_part(said: Reading, facts: Facts, bound: list[str]) -> list[Problem]:
    """Return what is wrong with one claim; one that is bound to nothing is not verified."""
    mine: list[str] = []
    problems = list(_problems(said, facts, mine))
    bound += mine
    if not problems and not mine:
        problems.append(Problem("unbound", N_("no fact of this case speaks of it"), refuses=False))
    return problems


def _is_courtesy(said: Reading) -> bool:
    """Whether a sentence advises or greets; one that also speaks of the incident is a claim."""
    if not said.says("courtesy") and "@" not in said.text:
        return False
    if said.says("assertion") or any(check_assurance(said)):
        return False
    if said.says("reassuring") and (said.numbers or (said.classes and (said.way or said.negative))):
        return False
    if said.classes and said.way and said.says("told"):
        return False
    if said.numbers and "persons" in said.units:
        return False
    denies = said.negative and said.says("data") is not None
    return not (said.way and (said.classes or said.says("data")) and (denies or said.numbers))


def _problems(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    yield from _open_list(said)
    yield from check_moments(said, facts, bound)
    yield from check_durations(said, facts, bound)
    yield from check_numbers(said, facts, bound)
    yield from check_assurance(said)
    yield from _vague(said, facts)
    yield from _filed(said, bound)
    yield from _whole_log(said, facts, bound)
    yield from _manner(said, facts, bound)
    strange = said.outside or said.not_understood or ("ne" if said.odd_negation else "")
    if strange:
        text = N_("no fact of this case speaks of “{words}”")
        yield Problem("unbound", text, strange, refuses=False)


def _filed(said: Reading, bound: list[str]) -> Iterator[Problem]:
    """Check that what was filed is said as done, since it is."""
    bound += said.filed
    if said.filed and (said.negative or said.hedged):
        yield Problem("false", N_("it was filed: its moment is a fact of the case"))
    by_whom = said.says("by_whom")
    order = said.says("order") if len(said.filed) > 1 and not said.moments else None
    for found in filter(None, (by_whom if said.filed else None, order)):
        text = N_("no fact of this case speaks of “{words}”")
        yield Problem("unbound", text, found.group().strip(), refuses=False)


def _open_list(said: Reading) -> Iterator[Problem]:
    found = said.says("open_lists")
    if found and (said.classes or said.says("data")):
        text = N_("a list of data that ends in “{words}” says nothing: name every class")
        yield Problem("open_list", text, found.group().strip())
    soft = said.says("soft_labels")
    if soft and (said.says("data") or said.classes):
        text = N_("“{words}” is no class of data: name the classes")
        yield Problem("soft_label", text, soft.group())


def _vague(said: Reading, facts: Facts) -> Iterator[Problem]:
    found = said.says("vague")
    if not found:
        return
    near = " ".join([found.group(), *said.text[found.end() :].split()[:_WORDS_NEAR]])
    units = [unit for unit, pattern in said.rules.units.items() if pattern.search(near)]
    exposed = said.way or said.classes or said.says("data") or "persons" not in units
    if exposed and any(counts(said, unit, facts) for unit in units):
        yield Problem("vague", N_("“{words}” where a number is known"), found.group())


def _manner(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    """Check how surely something is said: denied, perhaps, or without doubt."""
    if said.says("no_proof"):
        return
    if said.says("unknown_content"):
        yield from _unknown_content(facts, bound)
    elif said.says("unknown_number") or said.says("known_number"):
        yield from _about_knowing(said, facts, bound)
    elif said.says("not_excluded"):
        yield from _not_excluded(said, facts, bound)
    elif said.says("exclusive") and (said.classes or said.says("soft_labels")):
        yield from check_only(said, facts, bound)
    elif said.hedged and said.outside and not said.classes:
        return
    elif said.negative:
        yield from check_negative(said, facts, bound)
    elif said.only_what:
        text = N_("no fact of this case speaks of “{words}”")
        yield Problem("unbound", text, said.only_what, refuses=False)
    elif said.hedged:
        yield from _conditional(said, facts, bound)
    elif not said.numbers and _speaks_of_data(said):
        yield from _certain(said, facts, bound)
    foreign = said.outside and not said.classes
    if said.says("attribution") and not foreign and not _separated(facts) and not said.hedged:
        text = N_("the log does not tell the thief's accesses from the owner's")
        yield Problem("attribution", text, said.sentence)


def _speaks_of_data(said: Reading) -> bool:
    # A stolen password is no export, a stolen file is one.
    taken = said.way == "exported" and not (said.outside and "records" not in said.units)
    return bool(said.classes) or said.says("data") is not None or taken


def _about_knowing(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    persons = facts.get("persons")
    if persons is None:
        return
    bound.append("persons")
    claimed = said.says("known_number") is not None and not said.says("unknown_number")
    if claimed != persons.exact:
        known = N_("the number of persons is known exactly")
        unknown = N_("the number of persons is not known exactly")
        yield Problem("knowing", known if persons.exact else unknown)


def _unknown_content(facts: Facts, bound: list[str]) -> Iterator[Problem]:
    """That one does not know what was seen is true where the log leaves it open."""
    if missing(facts):
        bound.append("gaps")
    else:
        yield Problem("knowing", N_("what was exposed is known: nothing is blind or undeclared"))


def _whole_log(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    if not said.says("whole_log"):
        return
    lacking = missing(facts, exports=True)
    if lacking:
        text = N_("the log is not whole: {more}")
        yield Problem("negative", text, said.sentence, more=lacking)
    else:
        bound.append("gaps")


def _not_excluded(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    for name in _claimed(said):
        known = value(facts, name)
        if known is None:
            continue
        bound.append(name)
        if _known(facts, name, known):
            yield Problem("hedged", N_("this is known: {value}"), name, value=known)


def _known(facts: Facts, name: str, count: int) -> bool:
    """Whether a number is settled: nobody is, only where a negative may be written."""
    if count > 0:
        return not _shared(facts, name)
    return exact(facts, name) and not missing(facts, name.endswith(":exported"))


def _shared(facts: Facts, name: str) -> bool:
    """Whether all who saw such data may be the owner: seen by somebody, by whom nobody knows."""
    kind = name.removeprefix(_CLASS).partition(".")[0]
    apart = facts.get(f"persons.told_apart:{kind}") if name.startswith(_CLASS) else None
    return apart is not None and apart.numerator == 0


def _conditional(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    for name in _claimed(said) or ["persons"] * bool(said.way):
        if about(facts, name) is None:
            name = name.partition(".how:")[0]
        known = value(facts, name)
        if known is None:
            continue
        bound.append(name)
        if _known(facts, name, known) and not _at_most(said, facts, name):
            text = N_("as a mere possibility, where the log tells: {value}")
            yield Problem("hedged", text, name, value=known)


def _at_most(said: Reading, facts: Facts, name: str) -> bool:
    """Whether only the upper bound of what is not known exactly is given: it may be less."""
    bounds = {said.qualifier(one) for one in said.numbers}
    return bounds == {"at_most"} and not exact(facts, name)


def _certain(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    for name in _claimed(said) or (["persons"] if said.way == "any" else []):
        known = value(facts, name)
        if known is None:
            continue
        bound.append(name)
        if known == 0 and exact(facts, name):
            yield Problem("false", N_("the log tells that nobody's were"), name)
        elif known == 0:
            yield Problem("too_sure", N_("the log does not tell whether they were"), name)
        elif _shared(facts, name):
            yield Problem("too_sure", N_("nothing tells these accesses from the owner’s"), name)
    if said.says("whole_list") and said.classes:
        yield from missing_for(said, facts)


def _claimed(said: Reading) -> list[str]:
    """Return the facts that a sentence without a number speaks of."""
    way = "" if said.way in ("", "any") else said.way
    if said.classes:
        return [
            f"persons.class:{name}.how:{way}" if way else f"persons.class:{name}"
            for name in said.classes
        ]
    return [f"persons.how:{way}"] if way else []


def _separated(facts: Facts) -> bool:
    return all(
        fact.numerator == 0 or fact.name.endswith(":certain")
        for fact in facts.facts
        if fact.name.startswith("persons.certainty:")
    )
