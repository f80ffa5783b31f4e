"""How odd each account was on each day, or in each week.

What a detection kept is gone through a batch at a time: the statistic of one period and a few
numbers per account-period are all that stays in memory.
"""

from dataclasses import dataclass, fields
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vigie.detection import Detection
from vigie.detectors.hindsight import Seen
from vigie.detectors.kernel import Statistic
from vigie.timeline.memory import grown
from vigie.timeline.numbering import Codes

Values = NDArray[np.float64]
By = Literal["day", "week"]
_LEAST: Final = 1.0
"""A threshold is taken for at least this (nats) where scores are compared with it."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days put into periods of `length`; period 0 began `shift` days before 1970 (a Thursday).

    >>> week = CALENDARS["week"]
    >>> week.period(20_779), week.first(week.period(20_779)), week.weekday(20_779)
    (2968, 20773, 6)
    """

    length: int
    shift: int

    def period(self, day: int) -> int:
        """Return the number of the period that holds a day."""
        return (day + self.shift) // self.length

    def first(self, period: Any) -> Any:
        """Return the first day of a period, or of many."""
        return period * self.length - self.shift

    def weekday(self, day: int) -> int:
        """Return which day of its period a day is, from 0."""
        return (day + self.shift) % self.length


CALENDARS: Final[dict[By, Calendar]] = {"day": Calendar(1, 0), "week": Calendar(7, 3)}
"""Weeks begin on Mondays."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Account-periods in order of time: whose, when, how odd, by which hypothesis.

    `early` is the score on those days of the period that the log's last one has too, NaN for who
    was not seen on them.
    """

    account: Codes
    period: Codes
    score: Values
    early: Values
    hypothesis: NDArray[np.int8]


def score(found: Detection, by: By = "day") -> Scores:
    """Return how odd each account-period is: its largest statistic, in parts of the threshold."""
    scoring = _Scoring(found, CALENDARS[by])
    for seen in found.stream.kept:
        if len(seen.partition.units):
            scoring.see(seen)
    return scoring.finish()


class _Scoring:
    """Scores account-periods as batches go by, numbering the accounts of each period anew."""

    def __init__(self, found: Detection, calendar: Calendar) -> None:
        self._calendar = calendar
        self._limits = np.maximum(found.thresholds.log(), _LEAST)
        self._group = found.stream.habits.peers.group
        self._cut = calendar.weekday(found.stream.day)
        self._done: list[Scores] = []
        self._begin(-1)

    def _begin(self, period: int) -> None:
        self._period = period
        self._early: Values | None = None
        self._statistic = Statistic(self._limits.shape[1])
        self._account, self._number = np.empty(0, np.int32), np.empty(0, np.int32)

    def see(self, seen: Seen) -> None:
        """Follow a batch, which is of one day."""
        units = seen.partition.units
        period = self._calendar.period(units.on)
        if period != self._period:
            self._close()
            self._begin(period)
        if self._early is None and self._calendar.weekday(units.on) > self._cut:
            self._early = self._parts().max(axis=1)
        number, nobody = self._numbered(units.account), np.zeros(len(units), np.int32)
        never = np.full((1, self._limits.shape[1]), np.inf)
        self._statistic.follow(number, units.step, units.day, nobody, seen.ratios, never)

    def _numbered(self, account: Codes) -> Codes:
        """Return the numbers of accounts in this period, by first appearance."""
        self._number = grown(self._number, int(account.max()) + 1, -1)
        new = np.unique(account[self._number[account] < 0])
        self._number[new] = len(self._account) + np.arange(len(new), dtype=np.int32)
        self._account = np.concatenate([self._account, new])
        return self._number[account]

    def _parts(self) -> Values:
        """Return the largest statistic of each account so far, in parts of its thresholds."""
        peaks = np.log(np.maximum(self._statistic.peaks[: len(self._account)], 1.0))
        group = np.minimum(self._group[self._account], len(self._limits) - 1)
        return np.asarray(peaks / self._limits[group])

    def _close(self) -> None:
        if not len(self._account):
            return
        parts = self._parts()
        largest = parts.max(axis=1)
        early = np.full(len(largest), np.nan)
        until = largest if self._early is None else self._early
        early[: len(until)] = until
        period = np.full(len(largest), self._period, np.int32)
        speaks = parts.argmax(axis=1).astype(np.int8)
        self._done.append(Scores(self._account, period, largest, early, speaks))

    def finish(self) -> Scores:
        """Return the scores of all periods."""
        self._close()
        nothing = np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0), np.empty(0)
        parts = [Scores(*nothing, np.empty(0, np.int8)), *self._done]
        names = [one.name for one in fields(Scores)]
        return Scores(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
