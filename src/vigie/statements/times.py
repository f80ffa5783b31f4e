"""Dates and durations of a sentence against the moments of the case, as they are told in France."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from vigie.facts import Facts
from vigie.language import N_
from vigie.statements.binding import Problem
from vigie.statements.dates import Moment
from vigie.statements.reading import Duration, Reading

_PARIS: Final = "Europe/Paris"
_ENDS: Final = ("first_access", "last_access")
_TERM: Final = timedelta(hours=72)
"""GDPR art. 33(1)."""
_AT_ONCE: Final = timedelta(hours=1)
"""Beyond which nobody may write « at once »; a choice of this product."""

_BEGUN: Final = 0.5
_OVER: Final = 0.1
"""How far a duration may be from the true one: so much of a unit less, or more of the whole."""

Moments = dict[str, datetime]


def moments_of(facts: Facts, zone: str = "") -> Moments:
    """Return the moments of the case in the time zone that a sentence names, else in French."""
    return {name: _local(text, zone) for name, text in facts.moments.items()}


def _local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone or _PARIS))


def check_moments(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    """Check every date: a date of the case is a fact, another is somebody's word."""
    known = moments_of(facts, said.zone)
    if said.says("blind") or said.says("unknown_content"):
        yield from _check_blind(said, facts, bound)
        return
    named = said.names_of_moments(known)
    dated = [one for one in said.moments if one.day]
    if len(dated) == 1 and said.says("happened") and not named:
        yield from _check_day(said, dated[0], known, bound)
        return
    if len(said.moments) == len(dated) == 2 and {name for _at, name in named} <= set(_ENDS):
        for one, name in zip(said.moments, _ENDS, strict=True):
            yield from _check(said, one, [name], known, bound)
        return
    for one in said.moments:
        names = _nearest(one, named) or [name for name in known if one.fits(known[name])]
        yield from _check(said, one, names, known, bound)


def _nearest(one: Moment, named: list[tuple[int, str]]) -> list[str]:
    least = min((abs(at - one.start) for at, _name in named), default=0)
    return [name for at, name in named if abs(at - one.start) == least]


def _check_blind(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    """Check the dates between which the log is said to be blind, or that of an unknown export."""
    kinds = (
        ("blind_period", "unknown_export") if said.says("unknown_content") else ("blind_period",)
    )
    ends = [
        _local(text, said.zone)
        for gap in facts.gaps
        if gap.kind in kinds
        for text in (gap.since, gap.until)
        if text
    ]
    for one in said.moments:
        if any(one.fits(end) for end in ends):
            bound.append("gaps")
        else:
            text = N_("no blind period of the log begins or ends on “{words}”")
            yield Problem("unbound", text, _words(said, one), refuses=False)


def _check_day(said: Reading, one: Moment, known: Moments, bound: list[str]) -> Iterator[Problem]:
    """Check the one day on which all is said to have happened."""
    ends = [known[name] for name in _ENDS if name in known]
    bound += [name for name in _ENDS if name in known]
    if any(not one.fits(end) for end in ends):
        yield _wrong(said, one, ends)


def _check(
    said: Reading, one: Moment, names: list[str], known: Moments, bound: list[str]
) -> Iterator[Problem]:
    about = [name for name in names if name in known]
    if _too_early(said, one, known):
        text = N_("the accesses went on after “{words}”, until {more}")
        yield Problem("date", text, _words(said, one), more=(_told([known["last_access"]]),))
        return
    if not about:
        text = N_("no fact of this case has the date “{words}”")
        yield Problem("unbound", text, _words(said, one), refuses=False)
        return
    fitting = [name for name in about if one.fits(known[name])]
    bound += fitting
    if not fitting:
        yield _wrong(said, one, [known[name] for name in about])


def _too_early(said: Reading, one: Moment, known: Moments) -> bool:
    """Whether the only account is said to have been stopped on a day before its last access."""
    last, day = known.get("last_access"), one.date
    stopped = said.rules.words["stopped"].search(said.text[: one.start])
    early = last is not None and day is not None and day < last.date()
    return early and said.one_account and stopped is not None


def _wrong(said: Reading, one: Moment, true: list[datetime]) -> Problem:
    text = N_("“{words}” is not the date, which is {more}")
    return Problem("date", text, _words(said, one), more=(_told(true),))


def _told(moments: list[datetime]) -> str:
    return ", ".join(f"{one:%Y-%m-%d %H:%M}" for one in moments)


def _words(said: Reading, one: Moment) -> str:
    return said.sentence[one.start : one.end].strip()


def check_durations(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    """Check how long something is said to have lasted, or after how long it was done."""
    known = moments_of(facts, said.zone)
    done = [name for _at, name in said.names_of_moments(known) if name in said.rules.done]
    if done and "awareness" in known:
        yield from _check_delay(said, known[done[0]], known["awareness"], bound)
        return
    whole = known["last_access"] - known["first_access"] if set(_ENDS) <= set(known) else None
    if said.says("at_once") and said.says("contained") and whole and whole > _AT_ONCE:
        text = N_("“{words}”: the accesses went on for {value} hours")
        found = said.says("at_once")
        yield Problem("date", text, found.group() if found else "", value=round(_hours(whole)))
    for length in said.durations:
        if whole is None or not said.says("lasted") or (said.outside and not said.way):
            text = N_("no fact of this case has the duration “{words}”")
            yield Problem("unbound", text, length.words, refuses=False)
        elif _lasted(whole, length):
            bound += _ENDS
        else:
            text = N_("“{words}”: the accesses went on for {value} hours")
            yield Problem("date", text, length.words, value=round(_hours(whole)))


def _lasted(true: timedelta, said: Duration) -> bool:
    """Whether a count of units is the true duration, its last unit whole or well begun."""
    exact = true / said.unit
    if said.how:
        return exact >= said.count if said.how == "at_least" else exact <= said.count
    return -_BEGUN <= exact - said.count <= max(_BEGUN, said.count * _OVER)


def _check_delay(
    said: Reading, done: datetime, aware: datetime, bound: list[str]
) -> Iterator[Problem]:
    """Check within what delay after awareness something was done."""
    limits = [length.count * length.unit for length in said.durations]
    limits += [_TERM] * bool(said.says("in_time")) + [_AT_ONCE] * bool(said.says("at_once"))
    another_day = said.says("same_day") is not None and done.date() != aware.date()
    bound += ["awareness"] * bool(limits or said.says("same_day"))
    if another_day or any(done - aware > limit for limit in limits):
        text = N_("that was {value} hours after awareness")
        yield Problem("date", text, said.sentence, value=round(_hours(done - aware)))


def _hours(length: timedelta) -> float:
    return length / timedelta(hours=1)
