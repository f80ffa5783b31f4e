"""Where a log is blind in time: days and hours on which it should have spoken and did not.

What should have been there is what such days of the week, and such hours, otherwise hold. A
holiday looks like a hole where nobody works: it is said too, for only a person can tell.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
FEW: Final = 0.1
"""A day that holds less than this share of what is usual lost something."""
_FEWEST_ALIKE: Final = 3
"""Days of the same kind without which nothing is usual."""
_FEWEST: Final = 5.0
"""Accesses that are usual on a day, or in an hour, below which silence says nothing."""
_TELLING: Final = 100.0
"""Accesses that were due in hours without any: few people stay away together by chance."""

Times = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch, `start` to `end` (µs, excluded), that holds `count` accesses where `due` were.

    `days` says that it is made of whole days, of which `days` were due to speak.
    """

    start: int
    end: int
    count: int
    due: float
    days: int


@dataclass(frozen=True, slots=True)
class Silence:
    """The longest stretch (µs) in which a source says nothing, of the hours in which others do."""

    start: int
    end: int
    spoken: int


class Spoken:
    """When one source spoke: how many in each hour, the first and last of each, longest gap."""

    def __init__(self) -> None:
        self.start = 0
        self.hours = np.zeros((0, 3), np.int64)
        """Per hour since `start`: count, first and last moment."""
        self.first = self.last = 0
        self.gap = (0, 0)

    def see(self, at: Times) -> None:
        """Take moments in, in order."""
        first, last = int(at[0]) // HOUR, int(at[-1]) // HOUR
        edges = np.searchsorted(at, np.arange(first, last + 2) * HOUR)
        spoken = np.flatnonzero(np.diff(edges))
        begins, ends = edges[spoken], edges[spoken + 1]
        places = spoken + (first - self._make_room(first, last))
        fresh = self.hours[places, 0] == 0
        self.hours[places, 1] = np.where(fresh, at[begins], self.hours[places, 1])
        self.hours[places, 2] = at[ends - 1]
        self.hours[places, 0] += ends - begins
        gaps = np.diff(at)
        if self.last:
            self._note(self.last, int(at[0]))
        if len(gaps):
            longest = int(gaps.argmax())
            self._note(int(at[longest]), int(at[longest + 1]))
        self.first, self.last = self.first or int(at[0]), int(at[-1])

    def _note(self, start: int, end: int) -> None:
        if end - start > self.gap[1] - self.gap[0]:
            self.gap = start, end

    def _make_room(self, first: int, last: int) -> int:
        if not len(self.hours):
            self.start = first
        more = last + 1 - self.start - len(self.hours)
        if more > 0:
            self.hours = np.concatenate([self.hours, np.zeros((more, 3), np.int64)])
        return self.start

    def counts(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the accesses in each hour of the days `first` to `last`."""
        wanted = np.zeros(24 * max(last + 1 - first, 0), np.int64)
        begin = self.start - 24 * first
        low, high = max(begin, 0), min(begin + len(self.hours), len(wanted))
        if high > low:
            wanted[low:high] = self.hours[low - begin : high - begin, 0]
        return wanted

    def spoken(self, start: int, end: int) -> set[int]:
        """Return the hours in which something was said after `start` and before `end`."""
        begin, stop = start // HOUR - self.start, end // HOUR - self.start + 1
        begin, stop = max(begin, 0), max(min(stop, len(self.hours)), 0)
        part = self.hours[begin:stop]
        said = (part[:, 0] > 0) & (part[:, 2] > start) & (part[:, 1] < end)
        return set((np.flatnonzero(said) + begin + self.start).tolist())


def find_holes(at: Times, first: int, last: int) -> Iterator[Hole]:
    """Yield the holes of a source from one whole day (of 1970) to another, whole days first."""
    at = at[(at >= first * DAY) & (at < (last + 1) * DAY)]
    if len(at) and last >= first:
        hour = (at - first * DAY) // HOUR
        yield from holes_of(np.bincount(hour, minlength=24 * (last - first + 1)), first)


def holes_of(counts: NDArray[np.int64], first: int) -> Iterator[Hole]:
    """Yield the holes of a source from its accesses in each hour since the day `first`."""
    hours = counts.reshape(-1, 24)
    last = first + len(hours) - 1
    if not hours.any():
        return
    counts, days = hours.sum(axis=1), np.arange(first, last + 1)
    due = _due(counts, days)
    lost = (due >= _FEWEST) & (counts < FEW * due)
    yield from _stretches(days, counts, due, lost)
    yield from _pauses(days, hours, due, lost)


def _due(counts: NDArray[np.int64], days: Times) -> Values:
    """Return what each day usually holds: the median of its day of the week, or of its kind."""
    due = np.zeros(len(days))
    kind = _kind(days)
    for weekday in np.unique(days % 7).tolist():
        alike = days % 7 == weekday
        others = alike if alike.sum() >= _FEWEST_ALIKE else kind == kind[alike][0]
        if others.sum() >= _FEWEST_ALIKE:
            due[alike] = np.median(counts[others])
    return due


def _kind(days: Times) -> Times:
    """Return 0 for a working day, 1 for Saturday, 2 for Sunday (day 0 was a Thursday)."""
    return np.where(days % 7 == 2, 1, np.where(days % 7 == 3, 2, 0))


def _stretches(
    days: Times, counts: NDArray[np.int64], due: Values, lost: NDArray[np.bool_]
) -> Iterator[Hole]:
    """Join lost days; days on which nothing was due lie between them."""
    open_: list[int] = []
    for place in [*np.flatnonzero(lost | (due >= _FEWEST)).tolist(), -1]:
        if place >= 0 and lost[place]:
            if open_ and (counts[place] > 0) != (counts[open_[0]] > 0):
                yield _stretch(days, counts, due, open_)
                open_ = []
            open_.append(place)
        elif open_:
            yield _stretch(days, counts, due, open_)
            open_ = []


def _stretch(days: Times, counts: NDArray[np.int64], due: Values, places: list[int]) -> Hole:
    start, end = int(days[places[0]]) * DAY, (int(days[places[-1]]) + 1) * DAY
    return Hole(start, end, int(counts[places].sum()), float(due[places].sum()), len(places))


def _pauses(
    days: Times, hours: NDArray[np.int64], whole: Values, lost: NDArray[np.bool_]
) -> Iterator[Hole]:
    """Yield the hours of a day without an access, where many were due on a day as quiet as this."""
    kind = _kind(days)
    for one in range(3):
        alike = np.flatnonzero((kind == one) & ~lost)
        if len(alike) < _FEWEST_ALIKE:
            continue
        due = np.median(hours[alike], axis=0)
        for place in alike.tolist():
            silent = (hours[place] == 0) & (due >= _FEWEST)
            edges = np.flatnonzero(np.diff(silent, prepend=False, append=False))
            for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
                quiet = hours[place].sum() / max(whole[place], 1.0)
                missed = float(due[start:end].sum()) * min(quiet, 1.0)
                if missed >= _TELLING:
                    midnight = int(days[place]) * DAY
                    yield Hole(midnight + start * HOUR, midnight + end * HOUR, 0, missed, 0)
