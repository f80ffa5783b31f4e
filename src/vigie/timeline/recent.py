"""What was met lately, and when: keys within a span of time, in a table that forgets the rest."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.kernels import Flags, Int64s, UInt64s, compiled, inlined, kernel
from vigie.timeline.memory import State
from vigie.timeline.numbering import Keys, mixed

_NEVER: Final = -(2**62)
_SMALLEST: Final = 64
_GENERATION: Final = 3_600_000_000


class Recent(State):
    """What was met within a span of time, and when first: two generations, each at least a span."""

    def __init__(self, span: int) -> None:
        self.span = span
        self._now, self._before = _generation(_SMALLEST), _generation(_SMALLEST)
        self._count = 0
        self._start = _NEVER

    def first_met(
        self, keys: Keys, at: NDArray[np.int64], wanted: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return when each key was first met, at most one span before, and whether it is new.

        `at` ascends, also from call to call. Keys not `wanted` are neither met nor new.
        """
        first, new = at.copy(), np.zeros(len(keys), bool)
        done = 0
        while True:
            done, self._count, full = _meet(
                keys, at, wanted, done, self.span, max(self.span, _GENERATION), self._start,
                self._count,
                *self._now, *self._before, first, new,
            )  # fmt: skip
            if done == len(keys):
                return first, new
            if full:
                self._grow()
            else:
                self._before, self._now = self._now, self._emptied(len(self._now[0]))
                self._start, self._count = int(at[done]), 0

    def _emptied(self, size: int) -> tuple[Keys, NDArray[np.int64]]:
        """Return room for a generation: that of the one which is forgotten, where it is enough."""
        keys, times = self._before
        if len(keys) != size:
            return _generation(size)
        times.fill(_NEVER)
        return keys, times

    def _grow(self) -> None:
        larger = _generation(2 * len(self._now[0]))
        _move_times(*self._now, *larger)
        self._now = larger


def _generation(size: int) -> tuple[Keys, NDArray[np.int64]]:
    return np.zeros(size, np.uint64), np.full(size, _NEVER, np.int64)


@inlined
def _find(key: np.uint64, keys: UInt64s, times: Int64s) -> np.uint64:
    never, one = np.int64(-(2**62)), np.uint64(1)
    mask = np.uint64(keys.size - 1)
    slot = mixed(key) & mask
    while times[slot] != never and keys[slot] != key:
        slot = (slot + one) & mask
    return slot


@kernel
def _meet(
    keys: UInt64s, at: Int64s, wanted: Flags, begin: int, span: int, generation: int, start: int,
    count: int, now_keys: UInt64s, now_times: Int64s, old_keys: UInt64s, old_times: Int64s,
    first: Int64s, new: Flags,
) -> tuple[int, int, bool]:  # fmt: skip
    """Meet keys until the generation is over or full; return where, the count, whether full."""
    never = np.int64(-(2**62))
    for i in range(begin, keys.size):
        if not wanted[i]:
            continue
        if at[i] - start > generation:
            return i, count, False
        slot = _find(keys[i], now_keys, now_times)
        when = now_times[slot]
        if when == never:
            when = old_times[_find(keys[i], old_keys, old_times)]
        if when != never and at[i] - when <= span:
            first[i] = when
            continue
        if now_times[slot] == never:
            if 2 * count >= now_keys.size:
                return i, count, True
            count += 1
        now_keys[slot], now_times[slot] = keys[i], at[i]
        new[i] = True
    return keys.size, count, False


@compiled
def _move_times(keys: UInt64s, times: Int64s, new_keys: UInt64s, new_times: Int64s) -> None:
    never = np.int64(-(2**62))
    for i in range(keys.size):
        if times[i] != never:
            slot = _find(keys[i], new_keys, new_times)
            new_keys[slot], new_times[slot] = keys[i], times[i]
