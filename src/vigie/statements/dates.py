"""Dates, hours and durations as drafts write them; what one leaves out is left open.

How a language writes them is data of its words; days in figures are read as Europe writes them,
the day first.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Self

_SPACE: Final = "[ \u00a0\u202f]"
_FIGURES: Final = re.compile(r"\b(?P<d>\d{1,2})[/.](?P<m>\d{1,2})[/.](?P<y>\d{4}|\d{2})\b")
_ISO: Final = re.compile(r"\b(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})\b")
_BESIDE: Final = 12
"""Letters between a day and its hour."""

Pattern = re.Pattern[str]
Hours = list[tuple[re.Match[str], time]]


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is said to have been: a day, a month, a year, an hour, or several of them."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    hour: time | None = None

    def fits(self, true: datetime) -> bool:
        """Whether a moment is as precise as this one says, and the same.

        >>> Moment(0, 0, 2025, 11).fits(datetime(2025, 11, 3, 8, 12))
        True
        """
        same = all(
            said in (None, known)
            for said, known in zip(
                (self.year, self.month, self.day), (true.year, true.month, true.day), strict=True
            )
        )
        hour = self.hour is None or (self.hour.hour, self.hour.minute) == (true.hour, true.minute)
        return same and hour

    @property
    def date(self) -> date | None:
        """The day, when all of it is said."""
        if self.year is None or self.month is None or self.day is None:
            return None
        return date(self.year, self.month, self.day)


@dataclass(frozen=True, slots=True)
class Calendar:
    """How a language writes dates, compiled from `[dates]` of its words."""

    months: tuple[str, ...]
    day: str
    first_day: str
    periods: tuple[Pattern, ...]
    days: tuple[Pattern, ...]
    lone_months: Pattern
    years: Pattern
    hours: tuple[Pattern, ...]
    lasting: Pattern
    seconds: Mapping[str, int]
    zones: Mapping[str, str]
    clocks: Pattern

    @classmethod
    def compile(cls, said: Mapping[str, Any]) -> Self:
        """Build the expressions of one language."""

        def expression(pattern: str) -> Pattern:
            months = "|".join(said["months"]).lower()
            return re.compile(pattern.replace("{month}", months).replace("{space}", _SPACE))

        return cls(
            tuple(said["months"]), said["day"], said["first_day"],
            tuple(map(expression, said["periods"])), tuple(map(expression, said["days"])),
            expression(said["lone_months"]), expression(said["years"]),
            tuple(map(expression, said["hours"])), expression(said["lasting"]), said["seconds"],
            said["zones"], re.compile(rf"\b(?:{'|'.join(map(re.escape, said['zones']))})\b"),
        )  # fmt: skip

    def zone(self, text: str) -> tuple[str, str]:
        """Return the time zone that a lower-case sentence names (none: empty), and the rest."""
        found = self.clocks.search(text)
        if found is None:
            return "", text
        return self.zones[found.group()], _blanked(text, [found.span()])

    def read(self, text: str, near: date | None = None) -> tuple[list[Moment], str]:
        """Return the moments of a lower-case sentence, and the sentence without them.

        A day without its year is that nearest to `near`.
        """
        hours = list(self._hours(text))
        found: list[Moment] = []
        for pattern in (*self.periods, *self.days, _FIGURES, _ISO, self.lone_months, self.years):
            for match in pattern.finditer(text):
                found += self._moments(match, near)
            text = _blanked(text, [(one.start, one.end) for one in found])
        found = list(_with_hours(sorted(found, key=lambda one: one.start), hours))
        taken = {one.hour for one in found}
        found += [Moment(*m.span(), hour=at) for m, at in hours if at not in taken]
        return found, _blanked(text, [m.span() for m, _at in hours])

    def _hours(self, text: str) -> Iterator[tuple[re.Match[str], time]]:
        for pattern in self.hours:
            for match in pattern.finditer(text):
                said = match.groupdict()
                hour, minute = int(said["h"]), int(said.get("min") or 0)
                if said.get("half") and hour <= 12:
                    hour = hour % 12 + 12 * said["half"].startswith("p")
                if hour < 24 and minute < 60:
                    yield match, time(hour, minute)

    def _moments(self, match: re.Match[str], near: date | None) -> Iterator[Moment]:
        said = match.groupdict()
        if "d1" in said:
            yield from self._period(match, near)
        elif said.get("d"):
            year = said["y"] if len(said["y"] or "") != 2 else f"20{said['y']}"
            yield from _dated(match, int(said["d"]), self._month(said["m"]), year, near)
        else:
            month = self._month(said["m"]) if said.get("m") else None
            yield Moment(*match.span(), int(said["y"]) if said["y"] else None, month)

    def _period(self, match: re.Match[str], near: date | None) -> Iterator[Moment]:
        said = match.groupdict()
        first, last = said["m1"] or said["m2"], said["m2"] or said["m1"]
        year = said["y2"] or said["y1"]
        yield from _dated(match, int(said["d1"]), self._month(first), said["y1"] or year, near)
        yield from _dated(match, int(said["d2"]), self._month(last), year, near)

    def _month(self, said: str) -> int:
        return (
            int(said)
            if said.isdecimal()
            else [month.lower() for month in self.months].index(said) + 1
        )

    def say(self, moment: datetime) -> str:
        """Return a day as a draft says it: « 1er décembre 2025 »."""
        form = self.first_day if moment.day == 1 else self.day
        month = self.months[moment.month - 1]
        return form.format(day=moment.day, month=month, year=moment.year)

    def unit_after(self, text: str, end: int) -> timedelta | None:
        """Return the unit of time after a number, when one is: what it counts is a duration."""
        match = self.lasting.match(text, end)
        return timedelta(seconds=self.seconds[match["unit"]]) if match else None


def _dated(
    match: re.Match[str], day: int, month: int, year: str | None, near: date | None
) -> Iterator[Moment]:
    years = [int(year)] if year else [near.year + n for n in (-1, 0, 1)] if near else []
    days = []
    for one in years:
        try:
            days.append(date(one, month, day))
        except ValueError:  # the thirty-first of a short month is nobody's date
            continue
    if days:
        best = min(days, key=lambda one: abs(one - near) if near else timedelta())
        yield Moment(*match.span(), best.year, best.month, best.day)


def _with_hours(found: list[Moment], hours: Hours) -> Iterator[Moment]:
    """Give each day the hour that follows it, else one before it that follows none."""
    after = [_beside((m.start() - one.end, m, at) for m, at in hours) for one in found]
    left = [(m, at) for m, at in hours if m not in [near[0] for near in after if near]]
    for one, near in zip(found, after, strict=True):
        other = near or _beside((one.start - m.end(), m, at) for m, at in left)
        hour = other[1] if other else None
        yield Moment(one.start, one.end, one.year, one.month, one.day, hour)


def _beside(apart: Iterable[tuple[int, re.Match[str], time]]) -> tuple[re.Match[str], time] | None:
    return next(((m, at) for far, m, at in apart if 0 <= far < _BESIDE), None)


def _blanked(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
