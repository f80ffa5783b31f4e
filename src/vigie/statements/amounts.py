"""Numbers of a sentence against the facts: each is one, with its bounds said as they are."""

from collections.abc import Iterator
from itertools import pairwise

from vigie.facts import Fact, Facts
from vigie.language import N_, number
from vigie.statements.binding import Problem, names_of
from vigie.statements.numerals import Number
from vigie.statements.reading import OTHER, Reading


def check_numbers(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    """Check every number; `between` two bounds is one claim."""
    numbers = list(said.numbers)
    pair = _between(said, numbers)
    if pair:
        yield from _check_range(said, facts, bound, pair)
        numbers = [one for one in numbers if one not in pair]
    for one in numbers:
        check = _check_percent if one.percent else _check_one
        yield from check(said, facts, bound, one)


def _between(said: Reading, numbers: list[Number]) -> tuple[Number, Number] | None:
    for one, two in pairwise(numbers):
        middle = said.rest[one.end : two.start].strip()
        before = said.rest[: one.start].rstrip()
        words = said.rules.words
        goes_on = words["range_begins"].search(before) and words["range_goes_on"].match(middle)
        if goes_on and not one.percent:
            return one, two
    return None


def _check_range(
    said: Reading, facts: Facts, bound: list[str], pair: tuple[Number, Number]
) -> Iterator[Problem]:
    names = names_of(said, pair[1], facts)
    if not names:
        yield _unknown(said, pair[0])
    for name in names:
        fact = facts.get(name)
        if fact is None:
            yield _unknown(said, pair[0])
            continue
        bound.append(name)
        if fact.exact or (fact.low, fact.high) != (pair[0].value, pair[1].value):
            yield _wrong(said, pair[0], fact, pair[1].end)


def _check_one(said: Reading, facts: Facts, bound: list[str], one: Number) -> Iterator[Problem]:
    names, whole = names_of(said, one, facts), facts.get("persons")
    if whole and _is_whole(said, one) and whole.exact and one.value == whole.numerator:
        bound.append("persons")
        return
    if not names:
        yield _unknown(said, one)
    for name in names:
        fact = facts.get(name)
        if fact is None:
            yield _unknown(said, one)
            continue
        bound.append(name)
        if _fits(fact, one.value, said.qualifier(one)):
            continue
        part = said.of_others and one.value < fact.numerator
        yield _unbound(said, one) if part else _wrong(said, one, fact)


def _fits(fact: Fact, value: float, qualifier: str) -> bool:
    if fact.exact:
        return qualifier == "" and value == fact.numerator
    if qualifier == "at_least":
        return value == fact.low
    return qualifier == "at_most" and fact.high is not None and value == fact.high


def _is_whole(said: Reading, one: Number) -> bool:
    """Whether a number is what another is counted out of: « 37 des 1 198 personnes »."""
    return said.rules.words["out_of"].search(said.rest[: one.start].rstrip()) is not None


def _check_percent(said: Reading, facts: Facts, bound: list[str], one: Number) -> Iterator[Problem]:
    """A percentage is a fact's two numbers, and says out of how many."""
    names = names_of(said, one, facts)
    if not names:
        yield _unknown(said, one)
    for name in names:
        fact = facts.get(name)
        if fact is None or not fact.denominator or not fact.exact:
            yield Problem("number", N_("“{words}” is not a fact"), _words(said, one))
            continue
        bound.append(name)
        true = round(100 * fact.numerator / fact.denominator, one.decimals)
        if said.qualifier(one) or abs(true - one.value) > 1e-9:
            yield _wrong(said, one, fact)
        elif not _says_of_whom(said, one, fact):
            text = N_("a percentage says out of how many: {value}")
            yield Problem("no_denominator", text, _words(said, one), value=fact.denominator)


def _says_of_whom(said: Reading, one: Number, fact: Fact) -> bool:
    """Whether a percentage stands beside its denominator, or names it: « 25 % des personnes »."""
    if any(other.value == fact.denominator for other in said.numbers):
        return True
    named = said.rest[one.end :].lstrip()
    of_whom = said.rules.words["of_whom"].match(named)
    beside = any(other.value == fact.numerator for other in said.numbers)
    if not (beside and of_whom):
        return False
    return said.rules.units["persons"].match(named[of_whom.end() :]) is not None


def _unknown(said: Reading, one: Number) -> Problem:
    unit = said.unit_of(one)
    if unit == OTHER or (said.outside and not unit and not said.classes):
        return _unbound(said, one)
    return Problem("number", N_("“{words}” is not a fact"), _words(said, one))


def _unbound(said: Reading, one: Number) -> Problem:
    text = N_("no fact of this case speaks of “{words}”")
    return Problem("unbound", text, _words(said, one), refuses=False)


def _wrong(said: Reading, one: Number, fact: Fact, end: int | None = None) -> Problem:
    text = N_("“{words}” is not the fact, which is {more}")
    return Problem("number", text, _words(said, one, end), more=(told(fact),))


def _words(said: Reading, one: Number, end: int | None = None) -> str:
    return said.sentence[one.start : end or one.end].strip()


def told(fact: Fact) -> str:
    """Say a fact's number as it may be written, in the current language's figures."""
    if fact.exact:
        return number(fact.numerator)
    low = number(fact.low or 0)
    return f"≥ {low}" if fact.high is None else f"{low} – {number(fact.high)}"
