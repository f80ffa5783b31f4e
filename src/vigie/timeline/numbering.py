"""Numbers for keys and words, given in order of first appearance and never changed.

A stream learns its patients, accounts and places as it meets them, so the number of one may not
depend on what comes later. The tables are open-addressed and grow by doubling: a look-up costs
one miss of the cache, and a key 16 bytes in a table at most six tenths full.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.kernels import (
    Bytes,
    Flags,
    Int32s,
    UInt64s,
    compiled,
    inlined,
    kernel,
    prefetch,
    told,
)
from vigie.timeline.memory import State

Keys = NDArray[np.uint64]
Codes = NDArray[np.int32]

NOBODY: Final = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
"""The key that gets no number (-1)."""

_SMALLEST: Final = 64
_AHEAD: Final = 12
"""Keys between asking the memory for a place and looking there."""


class Numbers(State):
    """Numbers 64-bit keys from 0 in order of first appearance.

    >>> numbers = Numbers()
    >>> numbers.number(np.array([7, 9, 7], np.uint64)).tolist(), len(numbers)
    ([0, 1, 0], 2)
    """

    def __init__(self) -> None:
        self._slots = _empty(_SMALLEST)
        self._count = 0

    def __len__(self) -> int:
        """Return how many keys have a number."""
        return self._count

    @property
    def nbytes(self) -> int:
        """Return the size of the table in bytes."""
        return int(self._slots.nbytes)

    @property
    def slots(self) -> Keys:
        """Return the table, for `found_number`."""
        return self._slots

    def number(self, keys: Keys) -> Codes:
        """Return the number of each key, a new one for a new key, -1 for `NOBODY`."""
        out = np.empty(len(keys), np.int32)
        done = 0
        while True:
            done, self._count = _number(keys, done, self._slots, self._count, out)
            if done == len(keys):
                return out
            self._grow()

    def number_pairs(self, left: Codes, right: Codes) -> Codes:
        """Return the number of each pair of codes, -1 where either is unknown (-1)."""
        out = np.empty(len(left), np.int32)
        done = 0
        while True:
            done, self._count = _number_pairs(left, right, done, self._slots, self._count, out)
            if done == len(left):
                return out
            self._grow()

    def number_runs(self, left: Codes, right: Codes) -> Codes:
        """Number pairs as `number_pairs` does, where most are as the one before."""
        begins = _begin_runs(left, right)
        first = np.flatnonzero(begins)
        numbers = self.number_pairs(left.take(first), right.take(first))
        return np.repeat(numbers, np.diff(first, append=len(left)))

    def _grow(self) -> None:
        larger = _empty(2 * len(self._slots))
        _move(self._slots, larger)
        self._slots = larger


class Words(State):
    """Numbers words from 0 in order of first appearance.

    >>> words = Words()
    >>> words.codes(pa.chunked_array([["b", None, "a", "b"]])).tolist(), words.words
    ([0, -1, 1, 0], ['b', 'a'])
    """

    def __init__(self, words: list[str] | None = None) -> None:
        self.words: list[str] = words or []
        self._code = {word: code for code, word in enumerate(self.words)}
        self._ranks: Codes = np.empty(0, np.int32)

    def __len__(self) -> int:
        """Return how many words have a number."""
        return len(self.words)

    @property
    def ranks(self) -> Codes:
        """Return the alphabetical rank of each word; the last entry, and first, is that of null."""
        if len(self._ranks) != len(self.words) + 1:
            self._ranks = np.empty(len(self.words) + 1, np.int32)
            self._ranks[np.argsort(np.array([*self.words, ""], object))] = np.arange(
                len(self._ranks)
            )
        return self._ranks

    def codes(self, column: pa.ChunkedArray) -> Codes:
        """Return the codes of a text column, dictionary-encoded or not; -1 for null."""
        parts = [self._codes(chunk) for chunk in column.chunks]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    def _codes(self, chunk: pa.Array) -> Codes:
        if not pa.types.is_dictionary(chunk.type):
            chunk = chunk.dictionary_encode()
        indices, dictionary = chunk.indices, chunk.dictionary
        if len(dictionary) > len(indices):
            # A slice shares the words of the whole: only those that it uses are looked at.
            used = pc.unique(indices).drop_null()
            indices, dictionary = pc.index_in(indices, value_set=used), dictionary.take(used)
        words = dictionary.to_pylist()
        code = list(map(self._code.get, words))
        if None in code:
            code = [self._number(w) if c is None else c for w, c in zip(words, code, strict=True)]
        table = np.array([*code, -1], np.int32)
        return _looked_up(table, indices)

    def remembered(self) -> dict[str, Any]:
        """Return the words; their numbers are their places."""
        return {"words": self.words}

    def restore(self, kept: dict[str, Any]) -> None:
        """Number the words again."""
        self.words = kept["words"]
        self._code = {word: code for code, word in enumerate(self.words)}
        self._ranks = np.empty(0, np.int32)

    def _number(self, word: str | None) -> int:
        if word is None:
            return -1
        code = self._code.setdefault(word, len(self.words))
        if code == len(self.words):
            self.words.append(word)
        return code


def stand_for(word: str, codes: Codes, words: Sequence[str]) -> Flags:
    """Say which codes stand for a word: none where it was never met.

    >>> stand_for("service", np.array([0, 1, -1], np.int32), ["human", "service"]).tolist()
    [False, True, False]
    """
    return np.asarray(codes == (words.index(word) if word in words else -2))


def hashed(column: pa.ChunkedArray) -> Codes:
    """Return a number for each word, -1 for null: for words too many to be remembered.

    Two words have the same number once in two thousand million times (31 bits of FNV-1a).
    """
    parts = [_hashed(chunk) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.empty(0, np.int32)


def _hashed(chunk: pa.Array) -> Codes:
    if not pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_encode()
    indices, words = chunk.indices, chunk.dictionary
    if len(words) > len(indices):
        used = pc.unique(indices).drop_null()
        indices, words = pc.index_in(indices, value_set=used), words.take(used)
    words = words.cast(pa.string())
    _, ends, text = words.buffers()
    ends = np.frombuffer(ends or b"", np.int32)[words.offset : words.offset + len(words) + 1]
    table: Codes = _fnv(np.frombuffer(text or b"", np.uint8), ends, len(words))
    return _looked_up(table, indices)


def _looked_up(table: Codes, indices: pa.Array) -> Codes:
    """Return the entry of each index, the last one for null."""
    valid, data = indices.buffers()
    codes = np.frombuffer(data or b"", indices.type.to_pandas_dtype())
    codes = codes[indices.offset : indices.offset + len(indices)]
    if not indices.null_count:
        return _look_up(table, codes)
    return _look_up_said(table, codes, np.frombuffer(valid, np.uint8), indices.offset)


def _empty(size: int) -> Keys:
    """Return free slots: a key and its number plus one, so that memory nobody wrote to is free."""
    return np.zeros((size, 2), np.uint64)


@inlined
def _hash(key: np.uint64, mask: np.uint64) -> np.uint64:
    """Mix a key (the finaliser of MurmurHash3)."""
    mixed = key ^ (key >> np.uint64(33))
    mixed *= np.uint64(0xFF51AFD7ED558CCD)
    mixed ^= mixed >> np.uint64(33)
    mixed *= np.uint64(0xC4CEB9FE1A85EC53)
    return (mixed ^ (mixed >> np.uint64(33))) & mask


@inlined
def mixed(key: np.uint64) -> np.uint64:
    """Mix a number so that its neighbours lie far apart."""
    return _hash(key, np.uint64(0xFFFF_FFFF_FFFF_FFFF))


@inlined
def found_number(key: np.uint64, slots: UInt64s) -> np.int64:
    """Return the number of a key in the table of a `Numbers`, -1 if it has none."""
    slot = _place(key, slots, np.uint64(slots.shape[0] - 1))
    return np.int64(slots[slot, 1]) - 1


@compiled
def _look_up(table: Int32s, places: Int32s) -> Int32s:
    out = np.empty(places.size, table.dtype)
    for i in range(places.size):
        out[i] = table[places[i]]
    return out


@compiled
def _look_up_said(table: Int32s, places: Int32s, valid: Bytes, offset: int) -> Int32s:
    """Look up where the bit of a place says that it holds something, the last entry elsewhere."""
    out = np.empty(places.size, table.dtype)
    for i in range(places.size):
        out[i] = table[places[i] if told(valid, i + offset) else table.size - 1]
    return out


@compiled
def _fnv(text: Bytes, ends: Int32s, count: int) -> Int32s:
    """Hash each word with FNV-1a; the last entry is -1."""
    out = np.full(count + 1, -1, np.int32)
    for i in range(count):
        value = np.uint64(0xCBF29CE484222325)
        for j in range(ends[i], ends[i + 1]):
            value = (value ^ np.uint64(text[j])) * np.uint64(0x100000001B3)
        out[i] = np.int32((value ^ (value >> np.uint64(32))) & np.uint64(0x7FFFFFFF))
    return out


@inlined
def _place(key: np.uint64, slots: UInt64s, mask: np.uint64) -> np.uint64:
    """Return the slot of a key, or the free one where it belongs."""
    free, one = np.uint64(0), np.uint64(1)
    slot = _hash(key, mask)
    while slots[slot, 1] != free and slots[slot, 0] != key:
        slot = (slot + one) & mask
    return slot


@kernel
def _number(keys: UInt64s, start: int, slots: UInt64s, count: int, out: Int32s) -> tuple[int, int]:
    """Number keys from `start` until the table is too full; return where it stopped."""
    nobody = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    mask = np.uint64(slots.shape[0] - 1)
    room = slots.shape[0] * 6 // 10
    for i in range(start, keys.size):
        if i + _AHEAD < keys.size:
            prefetch(slots, np.int64(_hash(keys[i + _AHEAD], mask)))
        if keys[i] == nobody:
            out[i] = -1
            continue
        slot = _place(keys[i], slots, mask)
        if slots[slot, 1] == 0:
            if count >= room:
                return i, count
            count += 1
            slots[slot, 0], slots[slot, 1] = keys[i], np.uint64(count)
        out[i] = np.int32(slots[slot, 1]) - 1
    return keys.size, count


@kernel
def _number_pairs(
    left: Int32s, right: Int32s, start: int, slots: UInt64s, count: int, out: Int32s
) -> tuple[int, int]:
    """Number pairs of codes, as `_number` does keys."""
    mask = np.uint64(slots.shape[0] - 1)
    room = slots.shape[0] * 6 // 10
    for i in range(start, left.size):
        if i + _AHEAD < left.size:
            j = i + _AHEAD
            key = (np.uint64(left[j]) << np.uint64(32)) | np.uint64(right[j])
            prefetch(slots, np.int64(_hash(key, mask)))
        if left[i] < 0 or right[i] < 0:
            out[i] = -1
            continue
        key = (np.uint64(left[i]) << np.uint64(32)) | np.uint64(right[i])
        slot = _place(key, slots, mask)
        if slots[slot, 1] == 0:
            if count >= room:
                return i, count
            count += 1
            slots[slot, 0], slots[slot, 1] = key, np.uint64(count)
        out[i] = np.int32(slots[slot, 1]) - 1
    return left.size, count


@compiled
def _begin_runs(left: Int32s, right: Int32s) -> Flags:
    """Say which pairs are not as the one before."""
    begins = np.ones(left.size, np.bool_)
    for i in range(1, left.size):
        begins[i] = left[i] != left[i - 1] or right[i] != right[i - 1]
    return begins


@compiled
def mix_all(keys: Keys) -> Keys:
    """Mix numbers so that their neighbours lie far apart."""
    out = np.empty_like(keys)
    for i in range(keys.size):
        out[i] = mixed(keys[i])
    return out


@kernel
def find_all(keys: Keys, slots: Keys, found: Flags) -> None:
    """Say which keys have a number in the table of a `Numbers`."""
    mask = np.uint64(slots.shape[0] - 1)
    for i in range(keys.size):
        if i + _AHEAD < keys.size:
            prefetch(slots, np.int64(_hash(keys[i + _AHEAD], mask)))
        found[i] = found_number(keys[i], slots) >= 0


@kernel
def _move(old: UInt64s, new: UInt64s) -> None:
    one, mask = np.uint64(1), np.uint64(new.shape[0] - 1)
    for i in range(old.shape[0]):
        if old[i, 1] != 0:
            slot = _hash(old[i, 0], mask)
            while new[slot, 1] != 0:
                slot = (slot + one) & mask
            new[slot, 0], new[slot, 1] = old[i, 0], old[i, 1]
