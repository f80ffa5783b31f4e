"""Thresholds from the operator's alarm budget: measured, on days before those that are scored.

The run-length guarantee of the statistic dies with the model of "usual", so the budget is met by
measure, on the largest statistic of each account and week (block maxima: a second alarm within
seven days is the same alert). Per hypothesis and peer group: how often a week passes a place,
times how far beyond. Both lean on everyone's, so no group is trusted to be quieter than its weeks
can show; a group whose honest work looks like a harvest gets a threshold of its own, and raises
nobody else's.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.units import Codes, Units

WEEK: Final = 7
_TAIL: Final = 0.10
_PRIOR: Final = 0.3
"""Passages of the place that a group is believed to have had besides its own: below one, for
groups differ much in this."""
_ENOUGH: Final = 60
"""Weeks under which a group is too small to show what everyone else shows."""
_PLACES: Final = 7
_LEAN: Final = 10.0
"""Passages at which a group's own severity counts as much as everyone's."""
_FEWEST: Final = 60
"""Blocks without which nothing can be calibrated."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Log thresholds and what ten times rarer adds, per peer group and hypothesis.

    `calibrated` is false when the learning stretch was too short: the thresholds are then those
    that the run length under the model asks for, which nothing has checked.
    """

    level: Values
    slope: Values
    floor: Values
    calibrated: bool

    def log(self, rarer: float = 1.0) -> Values:
        """Return log thresholds, shape (groups, hypotheses), for a budget `rarer` times smaller."""
        level: Values = self.level + self.slope * np.log(rarer)
        return np.asarray(np.maximum(level, self.floor + np.log(rarer)), np.float64)


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
    target = account_days / len(peaks) * budget / 10_000 / levels.shape[1]
    shape = groups, levels.shape[1]
    level, slope = np.empty(shape), np.empty(shape)
    for h in range(levels.shape[1]):
        level[:, h], slope[:, h] = _thresholds(
            peaks[:, h], account, group, float(floors[h]), target
        )
    return Thresholds(level, slope, floors, True)


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


def _thresholds(
    peaks: Values, account: Codes, group: Codes, floor: float, target: float
) -> tuple[Values, Values]:
    """Return level and slope of each group, for a share `target` of weeks beyond.

    How often a group passes a place, times how far: both lean on everyone's. A group's weeks are a
    mixture (quiet ones, and somebody's clean-up), so the tail is looked at from several places and
    the most careful answer holds.
    """
    groups = int(group.max(initial=0)) + 1
    spoken = peaks[np.isfinite(peaks)]
    place = max(floor, 1.0, float(np.quantile(spoken, 1 - _TAIL)) if len(spoken) else 0.0)
    level, slope = np.full(groups, place), np.ones(groups)
    small = np.bincount(group[account], minlength=groups) < _ENOUGH
    for number in range(_PLACES):
        if number and not (peaks > place).any():
            break
        passed = np.bincount(group[account], peaks > place, groups) > 0
        further, steeper = _tail(peaks, group[account], groups, place, target, number > 0)
        higher = (further > level) & (passed | small | (number == 0))
        level, slope = np.where(higher, further, level), np.where(higher, steeper, slope)
        place *= 2
    return level, slope


def _tail(
    peaks: Values, group: Codes, groups: int, place: float, target: float, heavy: bool
) -> tuple[Values, Values]:
    """Return the level of each group and its slope, by an exponential tail or a Pareto's.

    Batches of honest work (clean-ups) have sizes that spread like a lognormal's: beyond the first
    place, the logarithms of the peaks are taken.
    """
    passed = np.bincount(group, peaks > place, groups)
    weeks = np.bincount(group, minlength=groups)
    common = (passed.sum() + 1) / (weeks.sum() + 1)
    rate = (passed + _PRIOR) / (weeks + _PRIOR / common)
    beyond = np.maximum(peaks, place)
    far = np.bincount(group, np.log(beyond / place) if heavy else beyond - place, groups)
    usual = max(float(far.sum() / max(passed.sum(), 1)), 0.1 if heavy else 1.0)
    slope = (far + _LEAN * usual) / (passed + _LEAN)
    rarer = np.maximum(np.log(rate / target), 0.0)
    if heavy:
        level = place * np.exp(np.minimum(slope * rarer, 20.0)) * (rate > target)
        return level, slope * level
    return place + slope * rarer, slope


def _by_run_length(units: Units, floors: Values, groups: int, budget: float) -> Thresholds:
    """Return the threshold whose mean run length, if the model is right, meets the budget."""
    account_days = max(len(units.active[0]), 1)
    steps = max(len(units) / account_days, 1.0)
    level = np.log(steps * 10_000 / budget * max(len(floors), 1))
    shape = (groups, len(floors))
    return Thresholds(np.full(shape, level), np.ones(shape), floors, False)
