"""Who is who among events: a keyed name for each, equal whenever the same event comes again.

An event is named by the source's own record id where there is one, else by its line and by which
of the identical lines it is (see docs/decisions/002-event-identity.md). Names are derived from
digests under the base key and then advanced like any pseudonym: after a rotation the same line
still gets the name that the store holds.

Digests are handled as pairs of 64-bit words, shape (n, 2).
"""

import hashlib
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import KEY
from vigie.hashing.siphash import hash_rows
from vigie.kernels import Int32s, Int64s, UInt64s, kernel
from vigie.pseudonyms import Keyring

Words = NDArray[np.uint64]
_BY_RECORD: Final = 0xFFFFFFFF


def words_of(column: pa.ChunkedArray | pa.Array) -> Words:
    """View a column of 16-byte keys as words; the words of a null are arbitrary."""
    flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(flat, pa.ChunkedArray):
        flat = pa.concat_arrays(flat.chunks) if flat.num_chunks else pa.array([], KEY)
    if not len(flat):
        return np.empty((0, 2), np.uint64)
    data = np.frombuffer(flat.buffers()[1], np.uint64)
    return data.reshape(-1, 2)[flat.offset : flat.offset + len(flat)]


def keys_of(words: Words, valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return words as a column of 16-byte keys, null where not `valid`."""
    data = pa.py_buffer(np.ascontiguousarray(words))
    mask = None if valid is None else pa.array(valid).buffers()[1]
    return pa.Array.from_buffers(KEY, len(words), [mask, data])


def receded(keyring: Keyring, words: Words) -> Words:
    """Return what the words were before any rotation."""
    if not keyring.steps:
        return words
    return _words(keyring.receded(np.ascontiguousarray(words).tobytes()))


def advanced(keyring: Keyring, words: Words) -> Words:
    """Apply all rotations."""
    if not keyring.steps:
        return words
    return _words(keyring.advanced(np.ascontiguousarray(words).tobytes()))


def name_events(
    keyring: Keyring,
    source: str,
    identity: Words,
    by_record: NDArray[np.bool_],
    occurrences: NDArray[np.int32],
    parts: NDArray[np.int32],
) -> Words:
    """Return the event ids: `identity` is the record key where `by_record`, else the line hash."""
    which = np.where(by_record, _BY_RECORD, occurrences.astype(np.int64)).astype(np.uint64)
    return _named(keyring, f"event\x1f{source}", identity, which, parts)


def name_accesses(keyring: Keyring, requests: Words) -> Words:
    """Return the access ids of rows that carry a request key, whatever their source."""
    none = np.zeros(len(requests), np.uint64)
    return _named(keyring, "access", requests, none, none.astype(np.int32))


def _named(
    keyring: Keyring, kind: str, keys: Words, which: Words, parts: NDArray[np.int32]
) -> Words:
    rows = np.empty((len(parts), 3), np.uint64)
    rows[:, :2] = receded(keyring, keys)
    rows[:, 2] = which << np.uint64(32) | parts.astype(np.uint32)
    secret = hashlib.blake2b(kind.encode(), key=keyring.base, digest_size=16).digest()
    return advanced(keyring, hash_rows(rows.view(np.uint8).reshape(-1, 24), secret))


def _words(data: bytes) -> Words:
    return np.frombuffer(data, np.uint64).reshape(-1, 2)


def ranks(words: Words, parts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return for each row how many rows before it have the same words and part.

    >>> ranks(np.array([[1, 2], [3, 4], [1, 2]], np.uint64), np.zeros(3, np.int32)).tolist()
    [0, 0, 1]
    """
    seen, out = np.zeros(len(words), np.int32), np.empty(len(words), np.int32)
    _ranks(np.ascontiguousarray(words), parts, _table(len(words)), seen, out)
    return out


def counts_among(
    words: Words, parts: NDArray[np.int32], stored: Words, stored_parts: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return for each row how many of the stored rows have the same words and part."""
    out = np.zeros(len(words), np.int32)
    if len(stored):
        _counts(
            np.ascontiguousarray(words), parts, np.ascontiguousarray(stored), stored_parts,
            _table(len(stored)), np.zeros(len(stored), np.int32), out,
        )  # fmt: skip
    return out


def _table(count: int) -> NDArray[np.int64]:
    """An empty open-addressing table: a power of two at least twice the rows."""
    return np.full(1 << max(4, int(2 * count - 1).bit_length()), -1, np.int64)


@kernel
def _find(
    words: UInt64s, parts: Int32s, row: int, keys: UInt64s, key_parts: Int32s, table: Int64s
) -> np.int64:
    """Return the place in `table` of the key equal to `row`, or of the gap where it belongs."""
    mask = table.size - 1
    mixed = (words[row, 0] ^ np.uint64(parts[row])) * np.uint64(0x9E3779B97F4A7C15)
    place = np.int64(mixed >> np.uint64(20)) & mask
    while table[place] >= 0:
        other = table[place]
        if (
            keys[other, 0] == words[row, 0]
            and keys[other, 1] == words[row, 1]
            and key_parts[other] == parts[row]
        ):
            break
        place = (place + 1) & mask
    return place


@kernel
def _ranks(words: UInt64s, parts: Int32s, table: Int64s, seen: Int32s, out: Int32s) -> None:
    for row in range(words.shape[0]):
        place = _find(words, parts, row, words, parts, table)
        if table[place] < 0:
            table[place] = row
        first = table[place]
        out[row] = seen[first]
        seen[first] += 1


@kernel
def _counts(
    words: UInt64s, parts: Int32s, stored: UInt64s, stored_parts: Int32s, table: Int64s,
    seen: Int32s, out: Int32s,
) -> None:  # fmt: skip
    for row in range(stored.shape[0]):
        place = _find(stored, stored_parts, row, stored, stored_parts, table)
        if table[place] < 0:
            table[place] = row
        seen[table[place]] += 1
    for row in range(words.shape[0]):
        place = _find(words, parts, row, stored, stored_parts, table)
        if table[place] >= 0:
            out[row] = seen[table[place]]


__all__ = [
    "Words", "advanced", "counts_among", "keys_of", "name_accesses", "name_events", "ranks",
    "receded", "words_of",
]  # fmt: skip
