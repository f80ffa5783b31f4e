"""Two logs whose clocks differ, told by the accesses that both saw.

Rows of two sources about the same account and patient lie at all distances; those of one access
seen twice lie at one distance. Where most rows of the smaller log have a partner at the same
distance, beyond what links them, that is by how much the clocks differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.kernels import compiled
from vigie.timeline.numbering import Codes, Numbers, find_all, mix_all, mixed

SECOND: Final = 1_000_000
_REACH: Final = 13 * 3600 * SECOND
"""Time zones differ by less, but for the far side of the world."""
_SAMPLE: Final = 20_000
_FEWEST: Final = 50
_MOST: Final = 0.5
"""Share of the smaller log's rows that must agree on one distance."""
MOST: Final = 1 << 21
"""Rows that are compared at most."""
_PARTNERS: Final = 8
"""Rows of the other log about the same account and patient that are looked at, either way."""

_PERSON: Final = np.uint64(0x9E3779B97F4A7C15)

Times = NDArray[np.int64]
Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Skew:
    """How much later (µs) the clock of `second` tells the same accesses than that of `first`."""

    first: int
    second: int
    by: int
    share: float


class Clocks:
    """Keeps the rows that tell whose clocks differ; of a long log, those of a part of the pairs."""

    def __init__(self) -> None:
        self._parts: list[tuple[Codes, Times, Keys]] = []
        self._rarer = 0

    def see(self, source: Codes, at: Times, account: Codes, person: Keys) -> None:
        """Take rows in; a person of 0 is none."""
        key = np.empty(len(person), np.uint64)
        rows = _of_some_pairs(account, person, self._rarer, key)
        self._parts.append((source[rows], at[rows], key[: len(rows)]))
        while sum(len(part[0]) for part in self._parts) > MOST:
            self._rarer += 1
            self._parts = [self._rarer_of(*part) for part in self._parts]

    def _rarer_of(self, source: Codes, at: Times, key: Keys) -> tuple[Codes, Times, Keys]:
        """Let go of the rows of most pairs of account and patient, the same in every source."""
        left = np.flatnonzero(mix_all(key) >> np.uint64(64 - self._rarer) == 0)
        return source[left], at[left], key[left]

    def skews(self, within: int) -> Iterator[Skew]:
        """Yield the pairs of sources whose clocks differ by more than `within` (µs)."""
        source, at, key = (np.concatenate(one) for one in zip(*self._parts, strict=True))
        return find_skews(source, at, key, within) if len(source) else iter(())


@compiled
def _of_some_pairs(account: Codes, person: Keys, rarer: int, key: Keys) -> Times:
    """Return the rows that name a person, of a part of the pairs of account and person.

    Their keys are written side by side.
    """
    rows, count = np.empty(person.size, np.int64), 0
    for i in range(person.size):
        pair = person[i] ^ (np.uint64(account[i] + 1) * _PERSON)
        if person[i] != 0 and (rarer == 0 or mixed(pair) >> np.uint64(64 - rarer) == 0):
            rows[count], key[count] = i, pair
            count += 1
    return rows[:count]


def find_skews(source: NDArray[np.int32], at: Times, key: Keys, within: int) -> Iterator[Skew]:
    """Yield the pairs of sources whose clocks differ by more than `within` (µs).

    `key` says who looked at whom; 0 says nothing.
    """
    rows = [np.flatnonzero((source == code) & (key != 0)) for code in range(source.max() + 1)]
    for first, second in combinations(range(len(rows)), 2):
        few, many = sorted((first, second), key=lambda code: len(rows[code]))
        if len(rows[few]) < _FEWEST:
            continue
        chosen = rows[few][:: max(len(rows[few]) // _SAMPLE, 1)]
        found = _distance(at[chosen], key[chosen], at[rows[many]], key[rows[many]])
        if found is not None and abs(found[0]) > within:
            by, share = found
            yield Skew(first, second, by if few == first else -by, share)


def _among(keys: Keys, wanted: Keys) -> NDArray[np.bool_]:
    """Say which keys are among those wanted (as `isin`, without sorting them all)."""
    numbers = Numbers()
    numbers.number(wanted)
    found = np.empty(len(keys), np.bool_)
    find_all(keys, numbers.slots, found)
    return found


def _distance(at: Times, key: Keys, others_at: Times, others_key: Keys) -> tuple[int, float] | None:
    """Return the distance on which most rows agree, and their share."""
    apart, row = _partners(at, key, others_at, others_key)
    if not len(apart):
        return None
    bins, counts = np.unique(apart // SECOND, return_counts=True)
    middle = int(bins[counts.argmax()]) * SECOND + SECOND // 2
    agree = np.abs(apart - middle) <= 3 * SECOND // 2
    count = len(np.unique(row[agree]))
    share = count / len(at)
    if count < _FEWEST or share < _MOST:
        return None
    return int(np.median(apart[agree])), share


def _partners(at: Times, key: Keys, others_at: Times, others_key: Keys) -> tuple[Times, Times]:
    """Return how far rows lie from others of the same key that are near, and which rows."""
    near = _among(others_key, key)
    keys, rank = np.unique(others_key[near], return_inverse=True)
    if not len(keys):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    others_at, start = others_at[near], int(min(at.min(), others_at.min())) - _REACH
    # One line for all: each key has a stretch of it, as long as the two logs together.
    span = (int(max(at.max(), others_at.max())) + _REACH - start) // SECOND + 1
    line = rank * span + (others_at - start) // SECOND
    order = np.argsort(line, kind="stable")
    line, others_at, rank = line[order], others_at[order], rank[order]
    mine = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    known = keys[mine] == key
    place = np.searchsorted(line, mine * span + (at - _REACH - start) // SECOND)
    apart, row = [], []
    for step in range(2 * _PARTNERS):
        inside = np.flatnonzero(known & (place + step < len(line)))
        inside = inside[rank[place[inside] + step] == mine[inside]]
        difference = others_at[place[inside] + step] - at[inside]
        close = np.abs(difference) <= _REACH
        apart.append(difference[close])
        row.append(inside[close])
    return np.concatenate(apart), np.concatenate(row)
