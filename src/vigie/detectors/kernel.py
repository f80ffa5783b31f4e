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

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.kernels import kernel
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes

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
_STAYS: Final = float(np.exp(-0.3))
"""What remains of a statistic from one day of its account to the next: what creeps up by less, for
weeks, is a habit that its group does not share, and no harvest."""
_ROOM: Final = 1024
"""Crossings noted in one go."""
_SLICE: Final = 1 << 13
"""Units looked at in one go: few enough that their chances stay in the cache."""
_LANES: Final = 2
"""An account has a multiple of so many lanes: the processor works on four at once."""
_FIELDS: Final = ("sums", "products", "since", "scale", "total")


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
        self.peaks = np.zeros((0, hypotheses))
        self._lanes = np.zeros((0, len(_FIELDS) * len(_lanes(hypotheses))))
        """Per account the fields, side by side, of a number per intensity and hypothesis each."""
        self._seen = np.zeros((0, hypotheses), np.float32)
        self._day = np.empty(0, np.int64)

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
        hypotheses = ratios.shape[1]
        limits = np.exp(np.where(thresholds < _HIGHEST, thresholds, np.inf))
        told = np.empty((0, 0)) if levels is None else levels
        scratch, chances = _scratch(hypotheses), np.empty((0, hypotheses))
        found: list[tuple[NDArray[Any], ...]] = []
        done = 0
        while not found or done < len(account):
            unit, kind = np.empty(_ROOM, np.int64), np.empty(_ROOM, np.int32)
            level, since = np.empty(_ROOM), np.empty(_ROOM, np.int64)
            stop = _end(done + _SLICE, account, step)
            chances = grown(chances, stop - done)
            here = np.minimum(ratios[done:stop], _LARGEST_RATIO, out=chances[: stop - done])
            np.exp(here, out=here)
            done, count = _follow(
                done, stop, account, step, day, group, here, limits, base,
                (0,) * hypotheses, _lanes(hypotheses), TELLING, _PATIENCE, _FORGETTING,
                _LARGEST_SUM, self._lanes, scratch, self._seen,
                self._day, self.peaks, told, unit, kind, level, since,
            )  # fmt: skip
            found.append((unit[:count], kind[:count], np.log(level[:count]), since[:count]))
        return Crossings(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    def oldest(self) -> Times:
        """Return the unit where the oldest climb of each account and hypothesis began.

        A late one if none goes on.
        """
        accounts, hypotheses = self.peaks.shape
        products, since = (
            self._field(name)[:, : _COUNT * hypotheses].reshape(accounts, _COUNT, hypotheses)
            for name in ("products", "since")
        )
        began = np.where(products > 1.0, since, 2.0**62).min(axis=1, initial=2.0**62)
        return np.asarray(began, np.int64)

    def _make_room(self, accounts: int) -> None:
        before = len(self._lanes)
        for name, fill in (("peaks", 0), ("_lanes", 0), ("_seen", 0), ("_day", -(2**40))):
            setattr(self, name, grown(getattr(self, name), accounts, fill))
        for name in ("products", "scale"):
            self._field(name)[before:] = 1.0

    def _field(self, name: str) -> Values:
        """Return the lanes of one field, shape (accounts, lanes)."""
        count, place = len(_lanes(self.peaks.shape[1])), _FIELDS.index(name)
        return self._lanes[:, place * count : (place + 1) * count]


def _lanes(hypotheses: int) -> tuple[int, ...]:
    """Return as many entries as an account has lanes: a length is known when a loop is compiled.

    The last ones, which make the number even, stay silent.
    """
    return (0,) * (-(-_COUNT * hypotheses // _LANES) * _LANES)


def _scratch(hypotheses: int) -> Values:
    """Return what `_step` works with: three rows of constants, chances, parts of the statistic.

    And the statistic of each hypothesis.
    """
    rows = np.full((5, len(_lanes(hypotheses))), np.nan)
    for row, values in enumerate((INTENSITIES, 1.0 - INTENSITIES, WEIGHTS)):
        rows[row, : _COUNT * hypotheses] = np.repeat(values, hypotheses)
    return np.concatenate([rows.ravel(), np.zeros(hypotheses)])


def _end(stop: int, account: Codes, step: NDArray[Any]) -> int:
    """Return the end of the request that is going on at `stop`."""
    stop = min(stop, len(account))
    while 0 < stop < len(account) and (account[stop], step[stop]) == (
        account[stop - 1], step[stop - 1],
    ):  # fmt: skip
        stop += 1
    return stop


@kernel
def _follow(  # type: ignore[no-untyped-def]
    start, end, account, step, day, group, chances, thresholds, base, hypotheses, lanes, telling,
    patience, forgetting, ceiling, states, scratch, seen, today, peaks,
    levels, units, kinds, tops, changes,
):  # fmt: skip
    """Step once per request from `start` to `end`, a page with the mean of its chances.

    Returns where it stopped, for there was no more room for crossings, and how many there are.
    """
    width, count = len(hypotheses), len(lanes)
    said, parts, last = 3 * count, 4 * count, 5 * count
    first, told, found = start, levels.size > 0, 0
    while start < end and found + width <= units.size:
        a = account[start]
        state, met, limits, peak = states[a], seen[a], thresholds[group[start]], peaks[a]
        stop = start + 1
        while stop < end and account[stop] == a and step[stop] == step[start]:
            stop += 1
        if day[start] != today[a]:
            today[a] = day[start]
            _turn(state, met, count, patience, forgetting)
        if stop > start + 1:
            _average(chances, start - first, stop - first)
        row, heard, passed = chances[start - first], np.int64(0), np.int64(0)
        for h in range(width):
            for k in range(_COUNT):
                scratch[said + k * width + h] = row[h]
            speaks = row[h] == row[h]
            met[h] += 1.0 if speaks else 0.0
            heard += np.int64(1) if speaks else np.int64(0)
        if not (heard or told):
            start = stop
            continue
        _step(state, scratch, lanes, np.float64(base + start), telling, ceiling)
        for h in range(width):
            mixed = 0.0
            for k in range(_COUNT):
                mixed += scratch[parts + k * width + h]
            scratch[last + h] = mixed
            peak[h] = mixed if mixed > peak[h] else peak[h]
            passed += np.int64(1) if mixed >= limits[h] else np.int64(0)
        for i in range(start, stop if told else start):
            for h in range(width):
                levels[i, h] = np.log(scratch[last + h])
        for h in range(width if passed else 0):
            if scratch[last + h] >= limits[h] and row[h] == row[h]:
                units[found], kinds[found], tops[found] = stop - 1, h, scratch[last + h]
                changes[found] = _begin_anew(state, met[h], h, width, count, base + start)
                found += 1
        start = stop
    return start, found


@numba.njit(inline="always")
def _step(state, scratch, lanes, place, telling, ceiling):  # type: ignore[no-untyped-def]
    """Advance an account by one request, all hypotheses and intensities beside each other.

    Nothing here is an array within an array and every distance is known when it is compiled:
    only then does it become vector instructions, three times as fast.
    """
    count = len(lanes)
    products, since, scale, total = count, 2 * count, 3 * count, 4 * count
    rest, weight, said, parts = count, 2 * count, 3 * count, 4 * count
    for i in range(count):
        chance = scratch[said + i]
        speaks = chance == chance
        factor = scratch[rest + i] + scratch[i] * chance
        taught = factor if factor < telling else telling
        state[total + i] = state[total + i] + taught if speaks else state[total + i]
        factor = factor * state[scale + i]
        before, product = state[i], state[products + i]
        after = (1.0 + before) * factor
        after = after if after < ceiling else ceiling
        after = after if speaks else before
        state[i] = after
        scratch[parts + i] = scratch[weight + i] * after
        fresh = product <= 1.0
        state[since + i] = place if speaks and fresh else state[since + i]
        risen = factor if fresh else product * factor
        risen = risen if risen < ceiling else ceiling
        state[products + i] = risen if speaks else product


@kernel
def _average(chances, start, stop):  # type: ignore[no-untyped-def]
    """Write the mean chances of a page into its first row, NaN where all are silent."""
    for h in range(chances.shape[1]):
        mean, spoken = 0.0, 0
        for i in range(start, stop):
            if not np.isnan(chances[i, h]):
                mean += chances[i, h]
                spoken += 1
        chances[start, h] = mean / spoken if spoken else np.nan


@kernel
def _turn(state, seen, count, patience, forgetting):  # type: ignore[no-untyped-def]
    """Begin a day: what ratios were on the days before is what they are divided by."""
    width = seen.size
    for h in range(width):
        for i in range(h, _COUNT * width, width):
            mean = (state[4 * count + i] + patience) / (seen[h] + patience)
            state[3 * count + i] = 1.0 / max(1.0, mean)
            state[4 * count + i] *= forgetting
            state[i] *= _STAYS
        seen[h] *= forgetting


@kernel
def _begin_anew(state, seen, h, width, count, now):  # type: ignore[no-untyped-def]
    """Let a hypothesis begin anew; return the unit where its leading climb began.

    What led to an alarm is no habit: else a theft of thousands would silence its own alert on the
    day after.
    """
    lead = h
    for i in range(h, _COUNT * width, width):
        lead = i if state[i] > state[lead] else lead
    since = np.int64(state[2 * count + lead]) if state[count + lead] > 1.0 else now
    for i in range(h, _COUNT * width, width):
        state[i], state[count + i] = 0.0, 1.0
        state[4 * count + i] = min(state[4 * count + i], seen)
    return since


def trace_all(bounds: Times, step: NDArray[Any], day: Codes, ratios: Values) -> Values:
    """Return the log statistic after each unit, shape (units, hypotheses), without alarms.

    >>> bounds, step, day = np.array([0, 2]), np.array([0, 1]), np.zeros(2, np.int32)
    >>> trace_all(bounds, step, day, np.zeros((2, 1))).round(3).T.tolist()
    [[0.0, 0.693]]
    """
    levels = np.empty(ratios.shape)
    if levels.size:
        account, group = owners(bounds), np.zeros(len(ratios), np.int32)
        never = np.full((1, ratios.shape[1]), np.inf)
        statistic = Statistic(ratios.shape[1])
        statistic.follow(account, step, day, group, ratios, never, levels=levels)
    return levels


def owners(bounds: Times) -> Codes:
    """Return the account of each unit, from where the units of each account start."""
    return np.repeat(np.arange(len(bounds) - 1, dtype=np.int32), np.diff(bounds))
