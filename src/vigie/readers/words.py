"""Text cells as codes into their distinct words, which is what a log's columns are made of.

A log repeats itself: accounts, screens and patients are written again and again. Each batch keeps
a distinct text once, and all that costs (translation, pseudonyms, checks) is done once per word.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.hashing.unaligned import load_tail, load_word
from vigie.kernels import Bytes, Int32s, UInt64s, kernel


@dataclass(frozen=True, slots=True)
class Words:
    """A column of text: `codes` (-1 is null) into `words`, a pyarrow string array."""

    codes: NDArray[np.int32]
    words: pa.Array

    def array(self) -> pa.Array:
        """Return the column as the waist holds text."""
        return pa.DictionaryArray.from_arrays(
            pa.array(self.codes, mask=self.codes < 0), self.words.cast(pa.string())
        )

    def at(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Words":
        """Return the same words for some of the rows."""
        return Words(self.codes[rows], self.words)

    def given(self, result: Sequence[object], kind: pa.DataType) -> pa.Array:
        """Spread a `result` per word over the rows, null where the cell is null."""
        spread = result if isinstance(result, pa.Array) else pa.array(result, kind)
        return spread.take(pa.array(self.codes, mask=self.codes < 0))

    def spread(self, result: NDArray[Any], missing: Any) -> NDArray[Any]:
        """Spread a numpy `result` per word over the rows, with `missing` where it is null."""
        return np.append(result, result.dtype.type(missing))[self.codes]

    def mapped(self, change: Callable[[str], str | None]) -> "Words":
        """Change each word; two words may become one, and None is a null."""
        fresh = [change(word) for word in self.words.to_pylist()]
        return relabelled(self.codes, fresh)


def relabelled(codes: NDArray[np.int32], labels: Sequence[str | None]) -> Words:
    """Return `codes` into the distinct `labels`, in the order of their first appearance.

    >>> relabelled(np.array([0, 1, 2, -1], np.int32), ["a", None, "a"]).codes.tolist()
    [0, -1, 0, -1]
    """
    places: dict[str, int] = {}
    moved = [-1 if label is None else places.setdefault(label, len(places)) for label in labels]
    table = np.array([*moved, -1], np.int32)
    return Words(table[codes], pa.array(list(places), pa.string()))


def from_array(values: pa.Array) -> Words:
    """Return a column of text (plain or dictionary-encoded, nulls kept) as codes and words.

    >>> from_array(pa.array(["a", None, "a"])).codes.tolist()
    [0, -1, 0]
    """
    encoded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
    codes = encoded.indices.cast(pa.int32()).fill_null(-1).to_numpy().astype(np.int32)
    words = encoded.dictionary.cast(pa.string())
    if words.null_count:
        return relabelled(codes, words.to_pylist())
    return Words(codes, words)


def always(text: str, count: int) -> Words:
    """Return a column that says the same in every row."""
    return Words(np.zeros(count, np.int32), pa.array([text], pa.string()))


def tidy(words: Words, null: Sequence[str] = ()) -> Words:
    """Return words without outer blanks; those that say nothing (`null`, or empty) are null."""
    trimmed = pc.utf8_trim_whitespace(words.words)
    nothing = pc.is_in(trimmed, value_set=pa.array(["", *null], pa.string()))
    if trimmed.equals(words.words) and not pc.any(nothing).as_py():
        return words
    return relabelled(words.codes, pc.if_else(nothing, None, trimmed).to_pylist())


def from_spans(
    data: NDArray[np.uint8],
    starts: NDArray[np.int32],
    sizes: NDArray[np.int32],
    quote: str = '"',
    encoding: str = "utf-8",
) -> Words:
    """Return the fields `data[start:start+size]` as codes and words; an empty field is null.

    A size below zero is -1 minus the size of a field with doubled quotes.
    """
    starts, sizes = np.ascontiguousarray(starts), np.ascontiguousarray(sizes)
    codes, firsts = _encode(data, starts, sizes)
    return Words(codes, _gather(data, starts[firsts], sizes[firsts], quote, encoding))


def _gather(
    data: NDArray[np.uint8],
    starts: NDArray[np.int32],
    sizes: NDArray[np.int32],
    quote: str,
    encoding: str,
) -> pa.Array:
    doubled = sizes < 0
    lengths = np.where(doubled, -1 - sizes, sizes)
    offsets = np.zeros(len(starts) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    joined = np.empty(int(offsets[-1]), np.uint8)
    _copy(data, starts, lengths, offsets, joined)
    if not doubled.any() and (encoding == "utf-8" or not (joined & 0x80).any()):
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(joined)]
        return pa.Array.from_buffers(pa.string(), len(starts), buffers)
    raw = joined.tobytes()
    texts = [raw[a:b].decode(encoding) for a, b in pairwise(offsets)]
    for place in np.flatnonzero(doubled):
        texts[place] = texts[place].replace(quote * 2, quote)
    return pa.array(texts, pa.string())


@kernel
def _copy(data: Bytes, starts: Int32s, lengths: Int32s, offsets: Int32s, joined: Bytes) -> None:
    for i in range(starts.size):
        start, at = starts[i], offsets[i]
        for k in range(lengths[i]):
            joined[at + k] = data[start + k]


@kernel
def _mix(data: Bytes, start: int, size: int) -> np.uint64:
    """Hash a few bytes, eight at a time: only to find a word again, it protects nothing."""
    state = np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(size)
    at = start
    for _ in range(size // 8):
        state = (state ^ load_word(data, at)) * np.uint64(0xBF58476D1CE4E5B9)
        state ^= state >> np.uint64(29)
        at += 8
    tail = load_tail(data, at, start + size - at)
    state = (state ^ tail) * np.uint64(0xBF58476D1CE4E5B9)
    state ^= state >> np.uint64(29)
    state *= np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(32))


@kernel
def _same(data: Bytes, a: int, b: int, size: int) -> bool:
    whole = size - size % 8
    for k in range(0, whole, 8):
        if load_word(data, a + k) != load_word(data, b + k):
            return False
    rest = size - whole
    return bool(load_tail(data, a + whole, rest) == load_tail(data, b + whole, rest))


def _encode(
    data: NDArray[np.uint8], starts: NDArray[np.int32], sizes: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give each field the number of its text, by order of first appearance, and their places."""
    count = len(starts)
    codes, firsts = np.full(count, -1, np.int32), np.empty(count, np.int32)
    hashes, table = np.empty(count, np.uint64), np.zeros(1024, np.uint64)
    done = known = 0
    while done < count:
        done, known = _number(data, starts, sizes, done, known, table, hashes, firsts, codes)
        if done < count:
            table = np.zeros(8 * len(table), np.uint64)
            _refill(table, hashes, known)
    return codes, firsts[:known].copy()


@kernel
def _number(
    data: Bytes, starts: Int32s, sizes: Int32s, begin: int, known: int, table: UInt64s,
    hashes: UInt64s, firsts: Int32s, codes: Int32s,
) -> tuple[int, int]:  # fmt: skip
    """Number the texts from `begin` on until the table is half full; returns where it stopped.

    A slot holds the upper half of a text's hash and its number plus one: most strangers are told
    apart without looking further.
    """
    last, upper = np.uint64(table.size - 1), np.uint64(0xFFFFFFFF00000000)
    for i in range(begin, starts.size):
        size = sizes[i] if sizes[i] >= 0 else -1 - sizes[i]
        if size == 0:
            continue
        mixed = _mix(data, starts[i], size)
        slot = mixed & last
        while table[slot]:
            if (table[slot] ^ mixed) & upper == 0:
                code = np.int32(table[slot] & ~upper) - 1
                first = firsts[code]
                if sizes[first] == sizes[i] and _same(data, starts[first], starts[i], size):
                    codes[i] = code
                    break
            slot = (slot + np.uint64(1)) & last
        if codes[i] < 0:
            codes[i] = known
            firsts[known] = i
            hashes[known] = mixed
            known += 1
            table[slot] = mixed & upper | np.uint64(known)
            if known * 2 > table.size:
                return i + 1, known
    return starts.size, known


@kernel
def _refill(table: UInt64s, hashes: UInt64s, known: int) -> None:
    last, upper = np.uint64(table.size - 1), np.uint64(0xFFFFFFFF00000000)
    for number in range(known):
        slot = hashes[number] & last
        while table[slot]:
            slot = (slot + np.uint64(1)) & last
        table[slot] = hashes[number] & upper | np.uint64(number + 1)
