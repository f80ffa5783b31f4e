"""From words to facts: which fact a claim is about, what it says, and what is wrong with it."""

from dataclasses import dataclass

from vigie.facts import Fact, Facts
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


def name_of(said: Reading, unit: str, facts: Facts) -> str:
    """Return the fact that a number of `unit` in this sentence speaks of; empty when none does."""
    if unit != "persons":
        return unit if facts.get(unit) else ""
    way = "" if said.way in ("", "any") else said.way
    tries = [f"persons.class:{name}.how:{way}" for name in said.classes if way]
    tries += [f"persons.class:{name}" for name in said.classes]
    tries += [f"persons.how:{way}"] * bool(way and not said.classes) + ["persons"]
    return next((name for name in tries if facts.get(name)), "")


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
