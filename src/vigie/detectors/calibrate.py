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

from vigie.detectors.kernel import Statistic
from vigie.numbering import Codes, State, grown
from vigie.units import Units

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
_FEWEST_DAYS: Final = 5 * _FEWEST
"""Account-days of these: a week is one of five working days at least."""
MARGIN: Final = 0.35
"""Share of the budget that is aimed at: a few thousand weeks show a tail only roughly."""
_STEPS: Final = 20.0
"""Requests a day that an account is believed to make at least, where nothing was calibrated."""

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


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the learning part showed: the peaks of account-weeks, log statistics, and its size.

    `account_days` and `units` are those of the part; `heard` is the share of the budget
    of each hypothesis, 0 for one that never spoke.
    """

    account: Codes
    peaks: Values
    account_days: int
    units: int
    heard: Values

    def without(self, fold: int, folds: int) -> "Learnt":
        """Return what the accounts of all folds but one showed.

        Account-days are counted in proportion to the weeks.
        """
        kept = self.account % folds != fold
        share = kept.mean() if len(kept) else 1.0
        days, units = round(self.account_days * share), round(self.units * share)
        return Learnt(self.account[kept], self.peaks[kept], days, units, self.heard)


class Weeks(State):
    """Gathers the largest statistic of each account and week, each scored with its past only."""

    def __init__(self, hypotheses: int) -> None:
        self.statistic = Statistic(hypotheses)
        self.account_days = 0
        self.units = 0
        self._week = 0
        self._met = np.zeros(0, bool)
        self._accounts: list[Codes] = []
        self._peaks: list[Values] = []

    def follow(self, units: Units, ratios: Values, first_day: int) -> None:
        """Follow units of one day; weeks are counted from `first_day`."""
        week = (int(units.day[0]) - first_day) // WEEK if len(units) else self._week
        if week != self._week:
            self._close()
            self._week = week
        self._met = grown(self._met, len(units.accounts), False)
        self._met[units.account] = True
        self.account_days += len(units.active[0])
        self.units += len(units)
        nobody = np.zeros(len(units), np.int32)
        never = np.full((1, ratios.shape[1]), np.inf)
        self.statistic.follow(units.account, units.step, units.day, nobody, ratios, never)

    def _close(self) -> None:
        met = np.flatnonzero(self._met)
        peaks = self.statistic.peaks
        with np.errstate(divide="ignore"):
            self._peaks.append(np.log(peaks[met]))
        self._accounts.append(met.astype(np.int32))
        peaks[:], self._met[:] = 0.0, False

    def learnt(self, heard: Values) -> Learnt:
        """Return what was gathered."""
        self._close()
        account, peaks = np.concatenate(self._accounts), np.concatenate(self._peaks)
        return Learnt(account, peaks, self.account_days, self.units, heard)


def calibrate(
    learnt: Learnt, floors: Values, group: Codes, groups: int, budget: float,
    whole: NDArray[np.bool_] | None = None,
) -> Thresholds:  # fmt: skip
    """Return thresholds for `budget` false alerts per 10,000 account-days.

    `whole` says which hypotheses aim at their whole share: those of single requests, whose sizes
    have a law of their own. `group` is the peer group of each account. The thresholds have one
    more row than there are `groups`: that of a group of which nothing is known.
    """
    peaks, everyone = learnt.peaks, groups + 1
    few = len(peaks) < _FEWEST or learnt.account_days < _FEWEST_DAYS
    if few or not learnt.heard.any():
        return _by_run_length(learnt, floors, everyone, budget)
    heard = learnt.heard / learnt.heard.sum()
    targets = learnt.account_days / len(peaks) * budget / 10_000 * np.where(heard > 0, heard, 1.0)
    shape = everyone, peaks.shape[1]
    level, slope = np.empty(shape), np.empty(shape)
    for h in range(peaks.shape[1]):
        level[:, h], slope[:, h] = _thresholds(
            peaks[:, h], group[learnt.account], everyone, float(floors[h]),
            float(targets[h]) * (1.0 if whole is not None and whole[h] else MARGIN),
        )  # fmt: skip
    return Thresholds(level, slope, floors, True)


def _thresholds(
    peaks: Values, group: Codes, groups: int, floor: float, target: float
) -> tuple[Values, Values]:
    """Return level and slope of each group, for a share `target` of weeks beyond.

    How often a group passes a place, times how far: both lean on everyone's. A group's weeks are a
    mixture (quiet ones, and somebody's clean-up), so the tail is looked at from several places and
    the most careful answer holds.
    """
    spoken = peaks[np.isfinite(peaks)]
    place = max(floor, 1.0, float(np.quantile(spoken, 1 - _TAIL)) if len(spoken) else 0.0)
    level, slope = np.full(groups, place), np.ones(groups)
    small = np.bincount(group, minlength=groups) < _ENOUGH
    for number in range(_PLACES):
        if number and not (peaks > place).any():
            break
        passed = np.bincount(group, peaks > place, groups) > 0
        further, steeper = _tail(peaks, group, groups, place, target, number > 0)
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


def _by_run_length(learnt: Learnt, floors: Values, groups: int, budget: float) -> Thresholds:
    """Return the threshold whose mean run length, if the model is right, meets the budget."""
    steps = max(learnt.units / max(learnt.account_days, 1), _STEPS)
    level = np.log(steps * 10_000 / budget * max(len(floors), 1))
    shape = (groups, len(floors))
    return Thresholds(np.full(shape, level), np.ones(shape), floors, False)
