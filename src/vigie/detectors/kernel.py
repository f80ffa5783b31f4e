"""The sequential statistic: a Shiryaev-Roberts e-detector per account and hypothesis.

    R <- (1 + R) * (1 - p + p * ratio)

for each intensity p of the thief among the owner's accesses, mixed with fixed weights. A fixed
convex mixture of e-detectors is one: if the ratios were true one-step e-values, the mean run
length to a false alarm at a threshold h would be at least h steps.

Source: J. Shin, A. Ramdas, A. Rinaldo, "E-detectors" (arXiv 2203.03532).
"""

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

INTENSITIES: Final = np.array([0.03, 0.1, 0.3, 0.9])
WEIGHTS: Final = np.array([0.25, 0.25, 0.25, 0.25])

_LARGEST_RATIO: Final = 1e9
_LARGEST_SUM: Final = 1e280


TELLING: Final = 3.0
"""A step teaches the mean at most this: a burst is not a habit."""
_PATIENCE: Final = 100.0
_FORGETTING: Final = 0.97


@numba.njit(inline="always")
def _normalise(mean_of, total_of, seen):  # type: ignore[no-untyped-def]
    """Set the mean factor of the days before, at least one, and fade it; return the steps kept."""
    for k in range(mean_of.size):
        mean_of[k] = max(1.0, (total_of[k] + _PATIENCE) / (seen + _PATIENCE))
        total_of[k] *= _FORGETTING
    return seen * _FORGETTING


@numba.njit(cache=True, nogil=True)
def trace(bounds, step, day, ratios, intensities, weights, largest, ceiling, out):  # type: ignore[no-untyped-def]
    """Write the log statistic after each unit of one hypothesis; a page steps once, at its end."""
    count = intensities.size
    sums, mean_of, total_of = np.zeros(count), np.ones(count), np.zeros(count)
    seen, today = 0.0, -1
    for account in range(bounds.size - 1):
        sums[:], mean_of[:], total_of[:] = 0.0, 1.0, 0.0
        seen, today = 0.0, -1
        start, end = bounds[account], bounds[account + 1]
        level = -np.inf
        while start < end:
            stop, spoken, total = start, 0, 0.0
            if day[start] != today:
                today = day[start]
                seen = _normalise(mean_of, total_of, seen)
            while stop < end and step[stop] == step[start]:
                if not np.isnan(ratios[stop]):
                    total += min(np.exp(ratios[stop]), largest)
                    spoken += 1
                stop += 1
            if spoken:
                mean = total / spoken
                mixed = 0.0
                for k in range(intensities.size):
                    factor = 1.0 - intensities[k] + intensities[k] * mean
                    total_of[k] += min(factor, TELLING)
                    sums[k] = min((1.0 + sums[k]) * factor / mean_of[k], ceiling)
                    mixed += weights[k] * sums[k]
                seen += 1.0
                level = np.log(mixed)
            out[start:stop] = level
            start = stop


@numba.njit(cache=True, nogil=True)
def watch(bounds, step, day, ratios, thresholds, intensities, weights, largest, ceiling):  # type: ignore[no-untyped-def]
    """Run until each crossing, note it, begin anew; return units, log levels and change points.

    `thresholds` holds one log threshold per account. The change point is where the running
    product of the leading intensity last was below one.
    """
    units, levels, changes = [np.int64(0)], [0.0], [np.int64(0)]
    count = intensities.size
    sums, products = np.zeros(count), np.zeros(count)
    mean_of, total_of, seen, today = np.ones(count), np.zeros(count), 0.0, -1
    since = np.zeros(count, np.int64)
    for account in range(bounds.size - 1):
        sums[:], products[:], since[:] = 0.0, 0.0, bounds[account]
        mean_of[:], total_of[:], seen, today = 1.0, 0.0, 0.0, -1
        start, end = bounds[account], bounds[account + 1]
        while start < end:
            stop, spoken, total = start, 0, 0.0
            if day[start] != today:
                today = day[start]
                seen = _normalise(mean_of, total_of, seen)
            while stop < end and step[stop] == step[start]:
                if not np.isnan(ratios[stop]):
                    total += min(np.exp(ratios[stop]), largest)
                    spoken += 1
                stop += 1
            if spoken:
                mean = total / spoken
                mixed, best, lead = 0.0, -1.0, 0
                for k in range(count):
                    factor = 1.0 - intensities[k] + intensities[k] * mean
                    total_of[k] += min(factor, TELLING)
                    factor /= mean_of[k]
                    sums[k] = min((1.0 + sums[k]) * factor, ceiling)
                    mixed += weights[k] * sums[k]
                    if products[k] <= 0.0:
                        products[k], since[k] = 0.0, start
                    products[k] += np.log(factor)
                    if sums[k] > best:
                        best, lead = sums[k], k
                seen += 1.0
                level = np.log(mixed)
                if level >= thresholds[account]:
                    units.append(np.int64(stop - 1))
                    levels.append(level)
                    changes.append(since[lead])
                    sums[:], products[:] = 0.0, 0.0
            start = stop
    return np.array(units[1:]), np.array(levels[1:]), np.array(changes[1:])


def trace_all(
    bounds: NDArray[np.int64],
    step: NDArray[np.int32],
    day: NDArray[np.int32],
    ratios: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the log statistic after each unit, shape (units, hypotheses), without alarms.

    >>> bounds, step, day = np.array([0, 2]), np.array([0, 1]), np.zeros(2, np.int32)
    >>> trace_all(bounds, step, day, np.zeros((2, 1))).round(3).T.tolist()
    [[0.0, 0.693]]
    """
    out = np.empty_like(ratios)
    column = np.empty(len(ratios))
    for number in range(ratios.shape[1]):
        column_ratios = np.ascontiguousarray(ratios[:, number])
        trace(
            bounds, step, day, column_ratios,
            INTENSITIES, WEIGHTS, _LARGEST_RATIO, _LARGEST_SUM, column,
        )  # fmt: skip
        out[:, number] = column
    return out


def watch_one(
    bounds: NDArray[np.int64],
    step: NDArray[np.int32],
    day: NDArray[np.int32],
    ratios: NDArray[np.float64],
    thresholds: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the crossings of one hypothesis: unit, log statistic, first unit of the change."""
    found: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]] = watch(
        bounds, step, day, np.ascontiguousarray(ratios), thresholds,
        INTENSITIES, WEIGHTS, _LARGEST_RATIO, _LARGEST_SUM,
    )  # fmt: skip
    return found
