"""Compiled loops over the spans of a batch: joining elements, finding ids, comparing rows."""

from typing import TYPE_CHECKING

import numpy as np

from vigie.kernels import Bytes, Flags, Int32s, Int64s, Ints, kernel

if TYPE_CHECKING:
    from vigie.readers.fhir.cuts import Cuts


def joined_elements(
    data: Bytes, froms: Int32s, tos: Int32s, count: int
) -> tuple[Bytes, Int32s, Int32s]:
    """Return the first `count` elements of each record side by side, with NULs between them.

    >>> data = np.frombuffer(b"abcd", np.uint8)
    >>> spans = np.array([[0, 2]], np.int32), np.array([[1, 4]], np.int32)
    >>> bytes(joined_elements(data, *spans, 2)[0])
    b'a\\x00cd'
    """
    froms, tos = froms[:, :count], tos[:, :count]
    sizes = ((tos - froms).sum(axis=1) + count - 1).astype(np.int32)
    starts = (np.cumsum(sizes) - sizes).astype(np.int32)
    out = np.zeros(int(sizes.sum()), np.uint8)
    _join(data, froms, tos, starts, out)
    return out, starts, sizes


@kernel
def _join(data: Bytes, froms: Int32s, tos: Int32s, starts: Int32s, out: Bytes) -> None:
    for record in range(froms.shape[0]):
        at = starts[record]
        for element in range(froms.shape[1]):
            for k in range(froms[record, element], tos[record, element]):
                out[at] = data[k]
                at += 1
            at += 1


def plain_times(data: Bytes, starts: Int32s, sizes: Int32s) -> Flags:
    """Say which times are written `2025-01-31T10:00:00`, with 0, 3 or 6 decimals and any zone.

    Other ways of writing are left to the reader of single records.
    """
    plain = np.zeros(len(starts), np.bool_)
    _plain_times(data, starts, sizes, _PATTERN, plain)
    return plain


_PATTERN = np.frombuffer(b"0000-00-00T00:00:00", np.uint8)


@kernel
def _follows(data: Bytes, start: int, pattern: Bytes, first: int, last: int) -> bool:
    for k in range(first, last):
        byte = data[start + k - first]
        if pattern[k] == 48:
            if not 48 <= byte <= 57:
                return False
        elif byte != pattern[k]:
            return False
    return True


@kernel
def _plain_times(data: Bytes, starts: Int32s, sizes: Int32s, pattern: Bytes, plain: Flags) -> None:
    for i in range(starts.size):
        at, end = starts[i], starts[i] + sizes[i]
        if sizes[i] < 19 or not _follows(data, at, pattern, 0, 19) or data[at + 17] > 53:
            continue
        at += 19
        if at < end and data[at] == 46:
            start = at + 1
            at = start
            while at < end and 48 <= data[at] <= 57:
                at += 1
            if at - start not in (3, 6):
                continue
        if at < end and data[at] == 90:
            at += 1
        elif at + 6 == end and data[at] in (43, 45) and _follows(data, at + 1, pattern, 11, 16):
            hours = (data[at + 1] - 48) * 10 + data[at + 2] - 48
            if hours > 23 or data[at + 4] > 53:
                continue
            at = end
        plain[i] = at == end


def slot_spans(
    cuts: "Cuts",
    begins: Int64s,
    places: Int64s,
    starts: Int64s,
    sizes: Int64s,
) -> tuple[Int32s, Int32s]:
    """Return the span of the id at each of the `places` of its record.

    `begins` are the numbers of the records' first ids; a place below zero is no id, and has the
    start and size given.
    """
    own = places >= 0
    numbers = np.where(own, begins + places, 0)
    if len(cuts.starts):
        starts = np.where(own, cuts.starts[numbers], starts)
        sizes = np.where(own, cuts.sizes[numbers], sizes)
    return starts.astype(np.int32), sizes.astype(np.int32)


def distinct_rows(sizes: Int64s, names: Int32s, values: Int32s) -> Flags:
    """Say which rows are not the same as an earlier one of their record.

    >>> distinct_rows(np.array([3]), np.array([1, 2, 1]), np.array([5, 5, 5])).tolist()
    [True, True, False]
    """
    kept = np.ones(len(names), np.bool_)
    if len(names) > len(sizes):
        _mark_repeats(sizes, names, values, kept)
    return kept


@kernel
def _mark_repeats(sizes: Int64s, names: Ints, values: Ints, kept: Flags) -> None:
    first = 0
    for size in sizes:
        for i in range(first + 1, first + size):
            for j in range(first, i):
                if names[i] == names[j] and values[i] == values[j]:
                    kept[i] = False
        first += size
