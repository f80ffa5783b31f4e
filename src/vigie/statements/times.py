"""Dates of a sentence against the moments of the case, as they are told in France."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from vigie.facts import Facts
from vigie.language import N_
from vigie.statements.binding import Problem
from vigie.statements.numerals import Moment
from vigie.statements.reading import Reading

_PARIS: Final = ZoneInfo("Europe/Paris")


def check_moments(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    """Check every date: a date of the accesses is a fact, another is somebody's word."""
    moments = {
        name: datetime.fromisoformat(text).astimezone(_PARIS)
        for name, text in facts.moments.items()
    }
    if said.says("blind") and said.moments:
        yield from _check_blind(said, facts, bound)
        return
    names = [name for name, words in said.rules.moments.items() if words.search(said.text)]
    if len(said.moments) == 1 and said.says("happened") and not names:
        yield from _check_day(said.moments[0], moments, bound)
        return
    if len(said.moments) == 2:
        names = ["first_access", "last_access"]
    if not names:
        names = [n for n in moments if any(_same(one, moments[n]) for one in said.moments)]
    for place, one in enumerate(said.moments):
        about = names[place : place + 1] if len(names) == len(said.moments) else names
        yield from _check(one, about, moments, bound)


def _check_blind(said: Reading, facts: Facts, bound: list[str]) -> Iterator[Problem]:
    """Check the dates between which the log is said to be blind."""
    ends = [
        datetime.fromisoformat(text).astimezone(_PARIS).date()
        for gap in facts.gaps
        if gap.kind == "blind_period"
        for text in (gap.since, gap.until)
        if text
    ]
    for one in said.moments:
        if one.day in ends:
            bound.append("gaps")
        else:
            text = N_("no blind period of the log begins or ends on « {words} »")
            yield Problem("unbound", text, one.day.isoformat(), refuses=False)


def _check_day(one: Moment, moments: dict[str, datetime], bound: list[str]) -> Iterator[Problem]:
    """Check the one day on which all is said to have happened."""
    ends = [moments[name] for name in ("first_access", "last_access") if name in moments]
    bound += ["first_access", "last_access"] * bool(ends)
    if any(one.day != end.date() for end in ends):
        true = ", ".join(f"{end:%Y-%m-%d %H:%M}" for end in ends)
        text = N_("« {words} » is not the date, which is {more}")
        yield Problem("date", text, one.day.isoformat(), more=(true,))


def _check(
    one: Moment, names: list[str], moments: dict[str, datetime], bound: list[str]
) -> Iterator[Problem]:
    known = [name for name in names if name in moments]
    if not known:
        text = N_("no fact of this case has the date « {words} »")
        yield Problem("unbound", text, one.day.isoformat(), refuses=False)
        return
    fitting = [name for name in known if _same(one, moments[name])]
    bound += fitting
    if not fitting:
        true = ", ".join(f"{moments[name]:%Y-%m-%d %H:%M}" for name in known)
        text = N_("« {words} » is not the date, which is {more}")
        yield Problem("date", text, one.day.isoformat(), more=(true,))


def _same(one: Moment, true: datetime) -> bool:
    hour = one.hour is None or (one.hour.hour, one.hour.minute) == (true.hour, true.minute)
    return one.day == true.date() and hour
