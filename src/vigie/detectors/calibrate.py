"""Thresholds from the operator's alarm budget: measured, on days before those that are scored.

The run-length guarantee of the statistic dies with the model of "usual", so the budget is met by
measure, on the largest statistic of each account and week (block maxima: a second alarm within
seven days is the same alert). Per hypothesis and peer group: how often a week passes a place,
times how far beyond. How often leans on everyone's weeks; how far, on the law of evidence, until a
group's own weeks say otherwise: one whose honest work looks like a harvest gets a threshold of its
own, and hardly raises anybody else's.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vigie.detectors.kernel import Statistic
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes
from vigie.timeline.units import Units

WEEK: Final = 7
_TAIL: Final = 0.10
_PRIOR: Final = 0.3
"""Passages of the place that a group is believed to have had besides its own: below one, for
groups differ much in this."""
_ENOUGH: Final = 60
"""Weeks under which a group is too small to show what everyone else shows."""
_LAWFUL: Final = 2.0
"""Nats by which a peak beyond a place exceeds it in the mean. Evidence that follows its law passes
one nat more e times more rarely (Ville's inequality): 1; honest work is a little heavier."""
_FURTHER: Final = 3.0
"""The same at most of a small group, or further out: the few who were seen there may be a thief of
before the log, or the one clean-up of a year, and say nothing of anybody else."""
_SUSPECTS: Final = 2
_SUSPECT_SHARE: Final = 0.01
_SUSPECT_PART: Final = 0.05
"""Conspicuous accounts of a group that may have been robbed before the log; the share of a large
group that they may be instead; and of a small one at most: one of nine is how nine work."""
_PLACES: Final = 7
_LEAN: Final = 10.0
"""Passages at which a group's own severity counts as much as what is believed beforehand."""
_FEWEST: Final = 60
"""Blocks without which nothing can be calibrated."""
_FEWEST_DAYS: Final = 5 * _FEWEST
"""Account-days of these: a week is one of five working days at least."""
MARGIN: Final = 0.1
"""Share of the budget that is aimed at: a few thousand weeks show a tail only roughly."""
_STEPS: Final = 20.0
"""Requests a day that an account is believed to make at least, where nothing was calibrated."""

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


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
        self._met = grown(self._met, units.known, False)
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
    whole: Flags | None = None, unlike: Flags | None = None,
) -> Thresholds:  # fmt: skip
    """Return thresholds for `budget` false alerts per 10,000 account-days.

    `whole` says which hypotheses aim at their whole share: those of single requests, whose sizes
    have a law of their own; `unlike` which no honest batch of work resembles. These have no
    threshold below the run length that meets what is aimed at, in requests on which they speak,
    however quiet the weeks that were seen: a surge may come that no week has shown. Honest batches
    limit the others: what explains a batch explains a theft that looks like one. `group` is the
    peer group of each account, -1 for one of which nothing is known. The thresholds have one more
    row than there are `groups`: its own.
    """
    peaks, everyone = learnt.peaks, groups + 1
    few = len(peaks) < _FEWEST or learnt.account_days < _FEWEST_DAYS
    if few or not learnt.heard.any():
        return _by_run_length(learnt, floors, everyone, budget)
    heard = learnt.heard / learnt.heard.sum()
    targets = learnt.account_days / len(peaks) * budget / 10_000 * np.where(heard > 0, heard, 1.0)
    shape = everyone, peaks.shape[1]
    level, slope = np.empty(shape), np.empty(shape)
    group = np.where(group < 0, groups, group)
    whole = np.zeros(shape[1], bool) if whole is None else whole
    unlike = np.zeros(shape[1], bool) if unlike is None else unlike
    spoke = np.isfinite(peaks).mean(axis=0)
    lawful = _run_length(learnt, budget * MARGIN) + np.log(np.maximum(spoke, 1e-9))
    for h in range(shape[1]):
        taught = np.ones(len(peaks), bool)
        if unlike[h]:
            taught = _taught(learnt, peaks[:, h], group, everyone, lawful[h])
        level[:, h], slope[:, h] = _thresholds(
            peaks[taught, h], group[learnt.account[taught]], everyone, float(floors[h]),
            float(targets[h]) * (1.0 if whole[h] else MARGIN),
        )  # fmt: skip
    return Thresholds(np.where(unlike, np.maximum(level, lawful), level), slope, floors, True)


def _taught(learnt: Learnt, peaks: Values, group: Codes, groups: int, loud: float) -> Flags:
    """Say which weeks teach a hypothesis that no honest batch of work resembles.

    A thief who was there before the log would teach his own limit. The few accounts of a group
    that passed what the run length alone asks for do not teach; where they are many, that is how
    the group works.
    """
    suspects = np.unique(learnt.account[peaks > loud])
    number = np.bincount(group[suspects], minlength=groups)
    size = np.bincount(group, minlength=groups)
    few = number <= np.maximum(np.minimum(_SUSPECTS, _SUSPECT_PART * size), _SUSPECT_SHARE * size)
    return ~np.isin(learnt.account, suspects[few[group[suspects]]])


def _thresholds(
    peaks: Values, group: Codes, groups: int, floor: float, target: float
) -> tuple[Values, Values]:
    """Return level and slope of each group, for a share `target` of weeks beyond.

    How often a group passes a place, times how far. A group's weeks are a mixture (quiet ones, and
    somebody's clean-up), so the tail is looked at from several places, further ones only for who
    was seen there, and the most careful answer holds.
    """
    spoken = peaks[np.isfinite(peaks)]
    place = max(floor, 1.0, float(np.quantile(spoken, 1 - _TAIL)) if len(spoken) else 0.0)
    level, slope = np.full(groups, place), np.ones(groups)
    for number in range(_PLACES):
        passed = np.bincount(group, peaks > place, groups)
        if number and not passed.any():
            break
        further, steeper = _tail(peaks, group, passed, place, target, number == 0)
        higher = (further > level) & ((passed > 0) | (number == 0))
        level, slope = np.where(higher, further, level), np.where(higher, steeper, slope)
        place *= 2
    return level, slope


def _tail(
    peaks: Values, group: Codes, passed: NDArray[Any], place: float, target: float, first: bool
) -> tuple[Values, Values]:
    """Return the level of each group and its slope, by an exponential tail beyond a place.

    At the first place, a group that was seen for long enough is believed to follow the law of
    evidence until its own weeks say otherwise; a small one, or one further out, to be like all.
    """
    weeks = np.bincount(group, minlength=len(passed))
    common = (passed.sum() + 1) / (weeks.sum() + 1)
    rate = (passed + _PRIOR) / (weeks + _PRIOR / common)
    far = np.bincount(group, np.maximum(peaks, place) - place, len(passed))
    everyone = max(float(far.sum() / max(passed.sum(), 1)), 1.0)
    lawful = first & (weeks >= _ENOUGH)
    believed = np.minimum(everyone, np.where(lawful, _LAWFUL, _FURTHER))
    slope = (far + _LEAN * believed) / (passed + _LEAN)
    return place + slope * np.maximum(np.log(rate / target), 0.0), slope


def _by_run_length(learnt: Learnt, floors: Values, groups: int, budget: float) -> Thresholds:
    """Return the threshold whose mean run length, if the model is right, meets the budget."""
    shape = (groups, len(floors))
    return Thresholds(np.full(shape, _run_length(learnt, budget)), np.ones(shape), floors, False)


def _run_length(learnt: Learnt, budget: float) -> float:
    """Return the log run length, in requests, at which each hypothesis meets its share."""
    steps = max(learnt.units / max(learnt.account_days, 1), _STEPS)
    heard = max(int((learnt.heard > 0).sum()), 1)
    return float(np.log(steps * 10_000 / budget * heard))
