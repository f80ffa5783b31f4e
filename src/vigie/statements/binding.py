"""From words to facts: which fact a claim is about, what it says, and what is wrong with it."""

from dataclasses import dataclass

from vigie.facts import Fact, Facts
from vigie.statements.numerals import Number
from vigie.statements.reading import Reading


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a sentence does not pass: `what` is a text to translate, with its fields."""

    code: str
    what: str
    words: str = ""
    refuses: bool = True
    value: int = 0
    more: tuple[str, ...] = ()


def names_of(said: Reading, number: Number, facts: Facts) -> tuple[str, ...]:
    """Return the facts that a number speaks of, all of which it must be; none when it has none."""
    unit = said.unit_of(number)
    if unit == "records":
        unit = _of_records(said, facts)
    if unit not in ("", "persons"):
        return (unit,) if facts.get(unit) else ()
    if not unit and not said.stands_alone(number):
        return ()
    if said.controllers:
        return _of_controller(said, number)
    classes = said.classes if number.percent else said.classes_of(number)
    return tuple(_of_class(said, name, facts) for name in classes) or (_of_all(said, facts),)


def _of_records(said: Reading, facts: Facts) -> str:
    """Return what a number of files counts: a patient has one, unless an export counted rows."""
    exported = facts.get("persons.how:exported")
    rows = "export" in said.text and not (exported and exported.numerator)
    if rows or not said.rules.words["patient_files"].search(said.text):
        return "exports.records" if rows else "records"
    return "persons"


def _of_controller(said: Reading, number: Number) -> tuple[str, ...]:
    """Return the fact of the controller named; facts do not count its persons by class.

    As many numbers as controllers go in the order in which they stand.
    """
    counting = [one for one in said.numbers if not one.percent]
    if said.classes or len(said.controllers) not in (1, len(counting)):
        return ()
    place = counting.index(number) if len(said.controllers) > 1 and number in counting else 0
    return (f"persons.controller:{said.controllers[place]}",)


def _of_class(said: Reading, data_class: str, facts: Facts) -> str:
    whole, way = f"persons.class:{data_class}", said.way
    both = f"{whole}.how:{way}"
    # What nobody was exported with has no fact of its own: the class alone would say too much.
    return both if facts.get(both) or way == "exported" else whole


def _of_all(said: Reading, facts: Facts) -> str:
    name = f"persons.how:{said.way}"
    return name if facts.get(name) else "persons"


def counts(said: Reading, unit: str, facts: Facts) -> bool:
    """Whether the facts count what a word of quantity speaks of."""
    return facts.get(unit) is not None or (unit == "records" and facts.get("persons") is not None)


def about(facts: Facts, name: str) -> Fact | None:
    """Return the fact, or that of the class alone when the way has none and nothing is open."""
    found = facts.get(name)
    if found is not None or ".how:" not in name:
        return found
    whole, way = (
        facts.get(name.partition(".how:")[0]),
        facts.get("persons.how:" + name.rpartition(":")[2]),
    )
    both = [one for one in (whole, way) if one is not None and one.numerator == 0]
    return next(iter(both), None)


def value(facts: Facts, name: str) -> int | None:
    """Return what a fact says at least, or None when there is no such fact."""
    found = about(facts, name)
    return found.numerator if found else None


def exact(facts: Facts, name: str) -> bool:
    """Whether a fact is known exactly."""
    found = about(facts, name)
    return found is not None and found.exact
