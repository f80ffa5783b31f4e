"""Thresholds from the operator's alarm budget: measured, on days before those that are scored.

The run-length guarantee of the statistic dies with the model of "usual", so the budget is met by
measure. The largest statistic of each account and week (block maxima: a second alarm within seven
days is the same alert) is put on one scale, per peer group and hypothesis, by the place and slope
of its upper tail; groups too small to tell lean on everyone. On that scale each hypothesis has one
pooled tail, extended exponentially to its share of the budget.

Medians, not means: a thief already there in the learning weeks must not raise the thresholds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.units import Codes, Units

WEEK: Final = 7
CAUTION: Final = 4.0
"""How far beyond the budget the thresholds are set, an assumption: the learning weeks are few and
never like those that follow, and honest bursts are heavier than an exponential. It does not hold
the budget yet (docs/detection.md)."""
_TAIL: Final = 0.10
_ENOUGH: Final = 150
"""Blocks under which a group is too small to be trusted to be quieter than everyone."""
_FEWEST: Final = 60
"""Blocks without which nothing can be calibrated."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Log thresholds: `place + slope * reach`, per peer group and hypothesis.

    `calibrated` is false when the learning stretch was too short: the thresholds are then those
    that the run length under the model asks for, which nothing has checked.
    """

    place: Values
    slope: Values
    reach: Values
    floor: Values
    calibrated: bool

    def log(self, rarer: float = 1.0) -> Values:
        """Return log thresholds, shape (groups, hypotheses), for a budget `rarer` times smaller."""
        level: Values = self.place + self.slope * (self.reach + np.log(rarer))
        return np.maximum(level, self.floor + np.log(rarer))


def calibrate(
    units: Units,
    levels: Values,
    floors: Values,
    group: Codes,
    days: tuple[int, int],
    budget: float,
) -> Thresholds:
    """Learn thresholds on the days `days[0] <= day < days[1]` for `budget` per 10,000 account-days.

    `levels` are log statistics, shape (units, hypotheses), each scored with its past only.
    """
    groups = int(group.max(initial=0)) + 1
    account, peaks = _weekly_peaks(units, levels, days)
    active = (units.active[1] >= days[0]) & (units.active[1] < days[1])
    account_days = int(active.sum())
    if len(peaks) < _FEWEST or not levels.shape[1]:
        return _by_run_length(units, floors, groups, budget)
    place, slope = _tails(peaks, group[account], groups)
    scaled = (peaks - place[group[account]]) / slope[group[account]]
    allowed = account_days * budget / 10_000 / levels.shape[1] / CAUTION
    reach = np.array([_reach(column, allowed) for column in scaled.T])
    return Thresholds(place, slope, reach, floors, True)


def _weekly_peaks(units: Units, levels: Values, days: tuple[int, int]) -> tuple[Codes, Values]:
    """Return the largest level of each account and week, and whose it is."""
    chosen = np.flatnonzero((units.day >= days[0]) & (units.day < days[1]))
    if not len(chosen):
        return np.empty(0, np.int32), np.empty((0, levels.shape[1]))
    week = (units.day[chosen] - days[0]) // WEEK
    account = units.account[chosen]
    new = np.ones(len(chosen), bool)
    new[1:] = (account[1:] != account[:-1]) | (week[1:] != week[:-1])
    starts = np.flatnonzero(new)
    return account[starts], np.maximum.reduceat(levels[chosen], starts, axis=0)


def _tails(peaks: Values, group: Codes, groups: int) -> tuple[Values, Values]:
    """Return where each upper tail begins and its slope, by group and hypothesis."""
    hypotheses = peaks.shape[1]
    place, slope = np.empty((groups, hypotheses)), np.empty((groups, hypotheses))
    members = [peaks[group == g] for g in range(groups)]
    for h in range(hypotheses):
        everyone = _tail(peaks[:, h])
        for g, mine in enumerate(members):
            place[g, h], slope[g, h] = _leaning(_tail(mine[:, h]), everyone, len(mine))
    return place, slope


def _leaning(
    own: tuple[float, float], everyone: tuple[float, float], size: int
) -> tuple[float, float]:
    """Lean a group's tail on everyone's: the heavier of the two until the group is large enough.

    A group that looks quiet may only be small; one that met honest bursts will meet them again.
    """
    if size < _ENOUGH:
        return max(own[0], everyone[0]), max(own[1], everyone[1])
    share = size / (size + _ENOUGH)
    place, slope = (share * a + (1 - share) * b for a, b in zip(own, everyone, strict=True))
    return max(own[0], place), max(own[1], slope)


def _tail(values: Values) -> tuple[float, float]:
    """Return the level that a tenth exceed, and the slope beyond it, where -inf is silence."""
    spoken = np.sort(values[np.isfinite(values)])
    if len(spoken) < 10:
        return 0.0, 1.0
    begins = float(np.quantile(spoken, 1 - _TAIL))
    slope = float((spoken[spoken >= begins] - begins).mean())
    slope = max(slope, 0.3)
    return begins + slope * float(np.log(len(spoken) / len(values))), slope


def _reach(scaled: Values, allowed: float) -> float:
    """Return the scaled level that `allowed` peaks exceed, beyond the data by exponential tail."""
    ordered = np.sort(scaled)[::-1]
    many = min(len(ordered) // 2, max(40, len(ordered) // 50))
    begins = float(ordered[many - 1])
    slope = max(float((ordered[:many] - begins).mean()), 0.5)
    return float(begins + slope * np.log(many / max(allowed, 1e-9)))


def _by_run_length(units: Units, floors: Values, groups: int, budget: float) -> Thresholds:
    """Return the threshold whose mean run length, if the model is right, meets the budget."""
    account_days = max(len(units.active[0]), 1)
    steps = max(len(units) / account_days, 1.0)
    level = np.log(steps * 10_000 / budget * max(len(floors), 1))
    shape = (groups, len(floors))
    return Thresholds(np.full(shape, level), np.ones(shape), np.zeros(len(floors)), floors, False)
