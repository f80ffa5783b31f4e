"""The sequential statistic: a Shiryaev-Roberts e-detector per account and hypothesis.

    R <- (1 + R) * (1 - p + p * ratio)

for each intensity p of the thief among the owner's accesses, mixed with fixed weights. A fixed
convex mixture of e-detectors is one: if the ratios were true one-step e-values, the mean run
length to a false alarm at a threshold h would be at least h steps. Each factor is divided by its
own mean over the account's past days where that exceeds one.

Source: J. Shin, A. Ramdas, A. Rinaldo, "E-detectors" (arXiv 2203.03532).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vigie.kernels import kernel
from vigie.numbering import Codes, State, grown

Times = NDArray[np.int64]
Values = NDArray[np.float64]

INTENSITIES: Final = np.array([0.034, 0.09, 0.2, 0.4, 0.88])
WEIGHTS: Final = np.array([0.297, 0.197, 0.175, 0.188, 0.143])
"""Chosen by `benchmarks.bench_runlength`: at most 1.22 of the optimum with the guaranteed threshold
and 1.15 calibrated, over six intensities of attack."""
_COUNT: Final = len(INTENSITIES)
TELLING: Final = 3.0
"""A step teaches the mean at most this: a burst is not a habit."""

_LARGEST_RATIO: Final = float(np.log(1e9))
_LARGEST_SUM: Final = 1e280
_HIGHEST: Final = 640.0
_PATIENCE: Final = 100.0
_FORGETTING: Final = 0.97
_ROOM: Final = 256
"""Crossings noted in one go."""


@dataclass(frozen=True, slots=True)
class Crossings:
    """Where the statistic passed its threshold: unit, hypothesis, log level, start of the change.

    `unit` is a place among the units looked at; `since` is the number of a unit, from `base`.
    """

    unit: Times
    hypothesis: Codes
    level: Values
    since: Times


class Statistic(State):
    """The statistic of every account and hypothesis, unit after unit.

    >>> statistic = Statistic(1)
    >>> account = day = group = np.zeros(3, np.int32)
    >>> ratios, threshold = np.full((3, 1), 2.0), np.full((1, 1), 3.0)
    >>> statistic.follow(account, np.arange(3), day, group, ratios, threshold).unit.tolist()
    [2]
    """

    def __init__(self, hypotheses: int) -> None:
        shape = (0, hypotheses, len(INTENSITIES))
        self.peaks = np.zeros((0, hypotheses))
        self.since = np.zeros(shape, np.int64)
        self._sums, self._products = np.zeros(shape), np.ones(shape)
        self._scale, self._total = np.ones(shape), np.zeros(shape)
        self._seen = np.zeros((0, hypotheses))
        self._day = np.empty(0, np.int64)

    @property
    def account_bytes(self) -> int:
        """Return the bytes kept per account."""
        kept = (v for v in vars(self).values() if isinstance(v, np.ndarray) and len(v))
        return sum(values[0].nbytes for values in kept)

    def follow(
        self,
        account: Codes,
        step: NDArray[Any],
        day: Codes,
        group: Codes,
        ratios: Values,
        thresholds: Values,
        base: int = 0,
        levels: Values | None = None,
    ) -> Crossings:
        """Follow units, by account and time; begin anew after each crossing.

        `ratios` has the shape (units, hypotheses); `thresholds`, logarithms, has a row per peer
        group, and `group` one per unit. `levels` receives the log statistic after each unit.
        """
        self._make_room(int(account.max(initial=-1)) + 1)
        chances = np.minimum(ratios, _LARGEST_RATIO)
        np.exp(chances, out=chances)
        limits = np.exp(np.where(thresholds < _HIGHEST, thresholds, np.inf))
        found: list[tuple[NDArray[Any], ...]] = []
        done, count = 0, 0
        while not found or done < len(account):
            unit, kind = np.empty(_ROOM, np.int64), np.empty(_ROOM, np.int32)
            level, since = np.empty(_ROOM), np.empty(_ROOM, np.int64)
            done, count = _follow(
                done, account, step, day, group, chances, limits, base,
                INTENSITIES, WEIGHTS, TELLING, _PATIENCE, _FORGETTING, _LARGEST_SUM,
                self._sums, self._products, self.since, self._scale, self._total, self._seen,
                self._day, self.peaks, np.empty((0, 0)) if levels is None else levels,
                unit, kind, level, since,
            )  # fmt: skip
            found.append((unit[:count], kind[:count], np.log(level[:count]), since[:count]))
        return Crossings(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    def oldest(self) -> Times:
        """Return the unit where each account's oldest climb began, a late one if none goes on."""
        going = self._products > 1.0
        began: Times = np.where(going, self.since, np.int64(2**62)).min(axis=2, initial=2**62)
        return began

    def _make_room(self, accounts: int) -> None:
        for name, fill in (
            ("peaks", 0), ("since", 0), ("_sums", 0), ("_products", 1), ("_scale", 1),
            ("_total", 0), ("_seen", 0), ("_day", -(2**40)),
        ):  # fmt: skip
            setattr(self, name, grown(getattr(self, name), accounts, fill))


@kernel
def _follow(  # type: ignore[no-untyped-def]
    start, account, step, day, group, chances, thresholds, base, intensities, weights, telling,
    patience, forgetting, ceiling, sums, products, since, scale, total, seen, today, peaks,
    levels, units, kinds, tops, changes,
):  # fmt: skip
    """Step once per request, a page with the mean of its chances.

    Returns where it stopped, for there was no more room for crossings, and how many there are.
    """
    hypotheses, told = chances.shape[1], levels.size > 0
    found = 0
    while start < account.size and found + hypotheses <= units.size:
        a = account[start]
        stop = start + 1
        while stop < account.size and account[stop] == a and step[stop] == step[start]:
            stop += 1
        if day[start] != today[a]:
            today[a] = day[start]
            for h in range(hypotheses):
                for k in range(_COUNT):
                    mean = (total[a, h, k] + patience) / (seen[a, h] + patience)
                    scale[a, h, k] = 1.0 / max(1.0, mean)
                    total[a, h, k] *= forgetting
                seen[a, h] *= forgetting
        for h in range(hypotheses):
            mean, spoken = 0.0, 0
            for i in range(start, stop):
                if not np.isnan(chances[i, h]):
                    mean += chances[i, h]
                    spoken += 1
            mixed = 0.0
            if not spoken and (told or peaks[a, h] == 0.0):
                for k in range(_COUNT):
                    mixed += weights[k] * sums[a, h, k]
            if spoken:
                mean /= spoken
                seen[a, h] += 1.0
                for k in range(_COUNT):
                    factor = 1.0 - intensities[k] + intensities[k] * mean
                    total[a, h, k] += min(factor, telling)
                    factor *= scale[a, h, k]
                    sums[a, h, k] = min((1.0 + sums[a, h, k]) * factor, ceiling)
                    fresh = products[a, h, k] <= 1.0
                    since[a, h, k] = base + start if fresh else since[a, h, k]
                    product = factor if fresh else products[a, h, k] * factor
                    products[a, h, k] = min(product, ceiling)
                    mixed += weights[k] * sums[a, h, k]
            peaks[a, h] = max(peaks[a, h], mixed)
            if told:
                for i in range(start, stop):
                    levels[i, h] = np.log(mixed)
            if spoken and mixed >= thresholds[group[start], h]:
                lead = 0
                for k in range(1, _COUNT):
                    lead = k if sums[a, h, k] > sums[a, h, lead] else lead
                going = products[a, h, lead] > 1.0
                units[found], kinds[found], tops[found] = stop - 1, h, mixed
                changes[found] = since[a, h, lead] if going else base + start
                found += 1
                for k in range(_COUNT):
                    sums[a, h, k], products[a, h, k] = 0.0, 1.0
        start = stop
    return start, found


def trace_all(bounds: Times, step: NDArray[Any], day: Codes, ratios: Values) -> Values:
    """Return the log statistic after each unit, shape (units, hypotheses), without alarms.

    >>> bounds, step, day = np.array([0, 2]), np.array([0, 1]), np.zeros(2, np.int32)
    >>> trace_all(bounds, step, day, np.zeros((2, 1))).round(3).T.tolist()
    [[0.0, 0.693]]
    """
    levels = np.empty_like(ratios)
    if levels.size:
        account, group = owners(bounds), np.zeros(len(ratios), np.int32)
        never = np.full((1, ratios.shape[1]), np.inf)
        statistic = Statistic(ratios.shape[1])
        statistic.follow(account, step, day, group, ratios, never, levels=levels)
    return levels


def owners(bounds: Times) -> Codes:
    """Return the account of each unit, from where the units of each account start."""
    return np.repeat(np.arange(len(bounds) - 1, dtype=np.int32), np.diff(bounds))
