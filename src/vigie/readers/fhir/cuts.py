"""What each record has of its own cut out of its entities, by one compiled pass.

The ids of references, the values of identifiers and, inside the base64 of a query, the values
that hold a digit. What is left is the same in millions of records: see `templates`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.kernels import Bytes, Flags, Int32s, Int64s, inlined, kernel
from vigie.readers.words import Words, from_spans

MOST: Final = 32
"""Ids cut out of one record; one with more is read by itself."""
_LONGEST_ID: Final = 64


def _classes() -> NDArray[np.uint8]:
    letters = np.zeros(256, np.uint8)
    letters[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-")] = 1
    letters[list(b"0123456789")] = 2
    return letters


def _digits_of_base64() -> NDArray[np.uint8]:
    table = np.full(256, 255, np.uint8)
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    table[list(alphabet)] = np.arange(64)
    return table


_CLASSES: Final = _classes()
_DIGITS: Final = _digits_of_base64()


@dataclass(frozen=True, slots=True)
class Cuts:
    """What is left of the entities (`skeletons`) and of the query in them (`queries`), per record.

    Record i has the ids `offsets[i]:offsets[i + 1]`, those of the query last; id k is
    `ids[starts[k] : starts[k] + sizes[k]]`. `fits` is false where nothing could be cut.
    """

    skeletons: Words
    queries: Words
    ids: NDArray[np.uint8]
    starts: NDArray[np.int32]
    sizes: NDArray[np.int32]
    offsets: NDArray[np.int64]
    fits: NDArray[np.bool_]


def cut(data: NDArray[np.uint8], froms: NDArray[np.int32], tos: NDArray[np.int32]) -> Cuts:
    """Cut the lists of entities `data[froms[i]:tos[i]]`, which are sound JSON without escapes.

    >>> raw = b'[{"what":{"reference":"Patient/12"}},{"query":"R0VUIFBhdGllbnQvNw=="}]'
    >>> found = cut(np.frombuffer(raw, np.uint8), np.array([0], np.int32), np.array([70], np.int32))
    >>> found.skeletons.words.to_pylist(), found.queries.words.to_pylist()
    (['[{"what":{"reference":"Patient/\\x00"}},{"query":"\\x01"}]'], ['GET Patient/\\x00'])
    >>> bytes(found.ids)
    b'127'
    """
    count = len(froms)
    room = int((tos - froms).sum()) + 8
    left, asked, ids = (np.empty(room, np.uint8) for _ in range(3))
    left_offsets, asked_offsets = np.zeros(count + 1, np.int32), np.zeros(count + 1, np.int32)
    offsets, fits = np.zeros(count + 1, np.int64), np.zeros(count, np.bool_)
    places = np.empty(count * MOST + 1, np.int32)
    most = _cut(
        data, froms, tos, _CLASSES, _DIGITS, left, left_offsets, asked, asked_offsets, ids,
        places, offsets, fits,
    )  # fmt: skip
    return Cuts(
        from_spans(left, left_offsets[:-1], np.diff(left_offsets)),
        from_spans(asked, asked_offsets[:-1], np.diff(asked_offsets)),
        ids[: places[most]], places[:most], np.diff(places[: most + 1]), offsets, fits,
    )  # fmt: skip


@inlined
def _closing(data: Bytes, i: int) -> int:
    while data[i] != 34:
        i += 1
    return i


@kernel
def _spells(data: Bytes, start: int, end: int, word: tuple[int, ...]) -> bool:
    same = 0
    while same < len(word) and start + same < end and data[start + same] == word[same]:
        same += 1
    return same == len(word) == end - start


_REFERENCE: Final = tuple(b"reference")
_VALUE: Final = tuple(b"value")
_QUERY: Final = tuple(b"query")


@kernel
def _id_start(data: Bytes, start: int, end: int, classes: Bytes) -> int:
    """Return where the id begins in `data[start:end]`: after the last slash; `end` if none."""
    i = end
    while i > start and classes[data[i - 1]]:
        i -= 1
    plain = i == start or data[i - 1] == 47
    return i if plain and end - i <= _LONGEST_ID else end


@kernel
def _decode(data: Bytes, start: int, end: int, digits: Bytes, out: Bytes, at: int) -> int:
    """Decode base64 into `out` at `at`; return the place after it, -1 if it is not plain text."""
    if (end - start) % 4:
        return -1
    spare = 0
    while spare < 2 and end > start and data[end - 1] == 61:
        end -= 1
        spare += 1
    bits, held = 0, 0
    for i in range(start, end):
        digit = digits[data[i]]
        if digit == 255:
            return -1
        bits, held = (bits << 6 | digit) & 0xFFFF, held + 6
        if held >= 8:
            held -= 8
            byte = bits >> held & 0xFF
            if byte > 126 or (byte < 32 and byte not in (9, 10, 13)):
                return -1
            out[at] = byte
            at += 1
    return at


@inlined
def _copy(data: Bytes, start: int, stop: int, out: Bytes, at: int) -> int:
    """Copy some bytes to a place; return the place after them."""
    for k in range(start, stop):
        out[at] = data[k]
        at += 1
    return at


@kernel
def _cut_query(
    text: Bytes, start: int, end: int, classes: Bytes, ids: Bytes, at: int, places: Int32s,
    count: int, most: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Cut the values out of the query `text[start:end]` in place.

    Returns the place after what is left, that after the ids, and their number (-1: too many).
    """
    put, i = start, start
    while i < end:
        if i > start and text[i - 1] in (61, 47, 124, 32):
            stop, digits = i, False
            while stop < end and classes[text[stop]]:
                digits |= classes[text[stop]] == 2
                stop += 1
            if digits and (stop == end or text[stop] in (38, 47, 63, 32, 9, 10, 13)):
                if count == most:
                    return put, at, -1
                places[count] = at
                count += 1
                at = _copy(text, i, stop, ids, at)
                text[put] = 0
                put += 1
                i = stop
                continue
        text[put] = text[i]
        put += 1
        i += 1
    return put, at, count


@inlined
def _next_value(data: Bytes, i: int, end: int) -> tuple[int, int, bool]:
    """Find the next text that stands under one of the three names: where, and is it a query.

    It begins at -1 where there is none before `end`.
    """
    start, stop, is_query = -1, -1, False
    while start < 0:
        while i < end and data[i] != 34:
            i += 1
        if i >= end:
            break
        name, name_end = i + 1, _closing(data, i + 1)
        i = name_end + 1
        is_query = _spells(data, name, name_end, _QUERY)
        named = is_query or _spells(data, name, name_end, _REFERENCE)
        if not named and not _spells(data, name, name_end, _VALUE):
            continue
        while data[i] in (32, 9):
            i += 1
        if i >= end or data[i] != 58:
            continue
        i += 1
        while data[i] in (32, 9):
            i += 1
        if data[i] == 34:
            start, stop = i + 1, _closing(data, i + 1)
    return start, stop, is_query


@kernel
def _cut(
    data: Bytes, froms: Int32s, tos: Int32s, classes: Bytes, digits: Bytes, left: Bytes,
    left_offsets: Int32s, asked: Bytes, asked_offsets: Int32s, ids: Bytes, places: Int32s,
    offsets: Int64s, fits: Flags,
) -> int:  # fmt: skip
    put, ask, at, count = 0, 0, 0, 0
    for record in range(froms.size):
        i, end, copied = froms[record], tos[record], froms[record]
        most, begun, fit = count + MOST, at, True
        query_start = query_end = 0
        while fit:
            start, stop, is_query = _next_value(data, i, end)
            if start < 0:
                break
            i = stop + 1
            if is_query:
                fit = query_end == 0
                query_start, query_end = start, stop
                begin = start
            else:
                begin = _id_start(data, start, stop, classes)
            if begin == stop:
                continue
            put = _copy(data, copied, begin, left, put)
            left[put] = 1 if is_query else 0
            put += 1
            copied = stop
            if not is_query:
                if count == most:
                    fit = False
                    break
                places[count] = at
                count += 1
                at = _copy(data, begin, stop, ids, at)
        put = _copy(data, copied, end, left, put)
        if fit and query_end > query_start:
            decoded = _decode(data, query_start, query_end, digits, asked, ask)
            fit = decoded > ask
            if fit:
                ask, at, count_now = _cut_query(
                    asked, ask, decoded, classes, ids, at, places, count, most
                )
                fit = count_now >= 0
                count = count_now if fit else count
        if not fit:
            count, at = offsets[record], begun
        fits[record] = fit
        left_offsets[record + 1], asked_offsets[record + 1] = put, ask
        offsets[record + 1] = count
    places[count] = at
    return count
