"""The records of a piece of text: where each starts and ends, its fields, and what is wrong in it.

One compiled pass over the bytes finds everything, so that a record and its line number can never
part. Quotes follow RFC 4180. A quote that was opened and never closed would swallow the sound
lines after it; so a quoted field is left at once when the line that follows is itself a whole
record, and only the line with the stray quote is at fault.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.hashing.unaligned import load_word, trailing_zeros
from vigie.kernels import Bytes, Int32s, Int64s, inlined, kernel

FAULTS: Final = (
    "", "bad_fields", "bad_encoding", "nul_byte", "line_too_long", "truncated",
    "bad_json", "too_deep", "wrong_resource", "bad_value",
)  # fmt: skip
"""Reasons of quarantine by number; 0 is a sound record. The scan gives the first five, in rising
precedence; the last four are for readers that look inside."""

_SOUND, _FIELDS, _ENCODING, _NUL, _LONG = range(5)
BLANK: Final = 255
"""The fault of a line with nothing on it: ignored, not quarantined."""

_PLAIN, _DELIMITER, _NEWLINE, _QUOTE, _NULBYTE, _MULTIBYTE, _UNDEFINED = range(7)
_CP1252_UNDEFINED: Final = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_FEWEST_FIELDS: Final = 3


@dataclass(frozen=True, slots=True)
class Spans:
    """Records of one piece: `data[starts[i]:ends[i]]`, without the line ending.

    `lines` counts line ends before the record; `faults` indexes FAULTS (or is BLANK).
    `field_starts` and `field_sizes` have the shape (wanted columns, records); a size below zero
    is -1 minus the size of a field that holds doubled quotes. `resume` is where the next piece
    must begin again (an open quoted field), `line_count` the line ends before it.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]
    faults: NDArray[np.uint8]
    field_starts: NDArray[np.int32]
    field_sizes: NDArray[np.int32]
    resume: int
    line_count: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How records are written, and which fields are wanted.

    `fields` is how many fields a record has (0: not checked), `slots[k]` the place of field k
    among the wanted ones or -1, `witness` a field that starts with a digit in every sound record
    (the time), `longest` the limit in bytes, `encoding` utf-8, cp1252 or latin-1.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    fields: int = 0
    slots: tuple[int, ...] = ()
    witness: int = -1
    longest: int = 16 << 20


def byte_classes(layout: Layout) -> NDArray[np.uint8]:
    """Return the class of each of the 256 bytes under `layout`."""
    classes = np.zeros(256, np.uint8)
    if layout.encoding == "utf-8":
        classes[0x80:] = _MULTIBYTE
    elif layout.encoding == "cp1252":
        classes[list(_CP1252_UNDEFINED)] = _UNDEFINED
    classes[0] = _NULBYTE
    classes[ord("\n")] = _NEWLINE
    if layout.delimiter:
        classes[ord(layout.delimiter)] = _DELIMITER
    if layout.quote:
        classes[ord(layout.quote)] = _QUOTE
    return classes


def scan(data: bytes, layout: Layout, final: bool = True) -> Spans:
    """Find the records of `data`, which holds whole lines.

    When not `final`, a quoted field still open at the end is left for the next piece.

    >>> found = scan(b'a,"x\\ny"\\n\\nb,c\\n', Layout(fields=2, slots=(0, 1)))
    >>> found.starts.tolist(), found.lines.tolist(), found.faults.tolist()
    ([0, 8, 9], [0, 2, 3], [0, 255, 0])
    """
    raw = np.frombuffer(data, np.uint8)
    most = int(count_lines(raw)) + 1
    slots = np.array(layout.slots or (-1,), np.int32)
    wanted = max(int(slots.max()) + 1, 0)
    starts, ends, lines = (np.empty(most, np.int64) for _ in range(3))
    faults = np.empty(most, np.uint8)
    # Record by record: a dozen columns a power of two apart would fight for the same cache lines.
    field_starts = np.zeros((most, wanted), np.int32)
    field_sizes = np.zeros((most, wanted), np.int32)
    count, resume, line_count = _scan(
        raw, byte_classes(layout), layout.fields, slots, layout.witness, layout.longest, final,
        starts, ends, lines, faults, field_starts, field_sizes,
    )  # fmt: skip
    return Spans(
        starts[:count], ends[:count], lines[:count], faults[:count],
        field_starts[:count].T, field_sizes[:count].T, int(resume), int(line_count),
    )  # fmt: skip


def split_lines(
    data: bytes, quoted: bool = False, longest: int = 16 << 20, final: bool = True
) -> Spans:
    """Split `data` into lines, or into records that may hold quoted line ends.

    For readers of other line formats: no fields, but the same faults (UTF-8, NUL, length).

    >>> split_lines(b"one\\r\\ntwo").ends.tolist()
    [3, 8]
    """
    layout = Layout(delimiter="," if quoted else "", quote='"' if quoted else "", longest=longest)
    return scan(data, layout, final)


@kernel
def count_lines(data: Bytes) -> int:
    """Return how many line ends `data` holds: four times as fast as `bytes.count`."""
    count = 0
    for i in range(data.size):
        count += data[i] == 10
    return count


@kernel
def utf8_size(data: Bytes, i: int, stop: int) -> int:
    """Return the size of the valid multi-byte sequence at `i`, or 0 (Unicode 15, table 3-7)."""
    lead = data[i]
    if lead < 0xC2 or lead > 0xF4:
        return 0
    size = 2 if lead < 0xE0 else (3 if lead < 0xF0 else 4)
    if i + size > stop:
        return 0
    low, high = np.uint8(0x80), np.uint8(0xBF)
    if lead == 0xE0:
        low = np.uint8(0xA0)
    elif lead == 0xED:
        high = np.uint8(0x9F)
    elif lead == 0xF0:
        low = np.uint8(0x90)
    elif lead == 0xF4:
        high = np.uint8(0x8F)
    if data[i + 1] < low or data[i + 1] > high:
        return 0
    for k in range(2, size):
        if data[i + k] & 0xC0 != 0x80:
            return 0
    return size


_ONES: Final = np.uint64(0x0101010101010101)
_TOPS: Final = np.uint64(0x8080808080808080)


@inlined
def _zeros(word: np.uint64) -> np.uint64:
    """Mark the zero bytes of a word; exact up to the first, which is all that is asked."""
    return (word - _ONES) & ~word & _TOPS


@kernel
def _next_mark(data: Bytes, i: int, wanted: np.uint64) -> int:
    """Return the first place from `i` whose byte may mean something, else the end.

    That is a line end, a zero, a byte above 127, or the byte that `wanted` repeats.
    """
    while i + 8 <= data.size:
        word = load_word(data, i)
        marks = _zeros(word ^ wanted) | _zeros(word)
        marks |= _zeros(word ^ np.uint64(0x0A0A0A0A0A0A0A0A)) | word & _TOPS
        if marks:
            return int(i + (trailing_zeros(marks) >> 3))
        i += 8
    while i < data.size:
        if data[i] in (0, 10) or data[i] > 127 or np.uint64(data[i]) * _ONES == wanted:
            break
        i += 1
    return i


@kernel
def _line_end(data: Bytes, i: int) -> int:
    while i < data.size and data[i] != 10:
        i += 1
    return i


@kernel
def _stands_alone(
    data: Bytes, classes: Bytes, start: int, fields: int, witness: int, longest: int
) -> bool:
    """Say whether the line at `start` is a whole record by itself (or cannot belong to one)."""
    if fields < _FEWEST_FIELDS:
        return bool(_line_end(data, start) - start > longest)
    i, field, first, quoted = start, 0, True, False
    seen = witness < 0
    while i < data.size and data[i] != 10:
        kind = classes[data[i]]
        if kind == _QUOTE and (first or quoted):
            quoted = not quoted
        elif kind == _DELIMITER and not quoted:
            field += 1
            first = True
            i += 1
            continue
        elif first and field == witness:
            seen = 48 <= data[i] <= 57
        if kind != _QUOTE:
            first = False
        i += 1
    return i - start > longest or (seen and not quoted and field + 1 == fields)


@kernel
def _close_quote(
    data: Bytes, classes: Bytes, start: int, record: int, fields: int, witness: int, longest: int,
    final: bool,
) -> tuple[int, bool, int, int]:  # fmt: skip
    """Follow the quoted field whose text begins at `start`.

    Returns (place of the closing quote, doubled quotes?, line ends inside, worst fault). The
    place is -1 when the quote is stray and -2 when the piece ends first.
    """
    i, doubled, ends, fault = start, False, 0, _SOUND
    mark = np.uint64(data[start - 1]) * _ONES
    while True:
        i = _next_mark(data, i, mark)
        if i >= data.size:
            break
        kind = classes[data[i]]
        if kind in (_PLAIN, _DELIMITER):
            i += 1
        elif kind == _QUOTE:
            if i + 1 < data.size and classes[data[i + 1]] == _QUOTE:
                doubled = True
                i += 2
            else:
                return i, doubled, ends, fault
        elif kind == _NEWLINE:
            i += 1
            ends += 1
            if i >= data.size:
                break
            if i - record > longest or _stands_alone(data, classes, i, fields, witness, longest):
                return -1, doubled, ends, fault
        elif kind == _MULTIBYTE:
            size = utf8_size(data, i, data.size)
            fault = fault if size else max(fault, _ENCODING)
            i += max(size, 1)
        else:
            fault = max(fault, _NUL if kind == _NULBYTE else _ENCODING)
            i += 1
    return (-1 if final else -2), doubled, ends, fault


@kernel
def _trimmed(data: Bytes, start: int, end: int) -> tuple[int, int]:
    while end > start and (data[end - 1] == 32 or data[end - 1] == 13):
        end -= 1
    while start < end and data[start] == 32:
        start += 1
    return start, end


@inlined
def _bare_end(data: Bytes, classes: Bytes, i: int, delimiter: np.uint64) -> tuple[int, int]:
    """Return where the unquoted field at `i` ends, and its worst fault."""
    fault = _SOUND
    while True:
        i = _next_mark(data, i, delimiter)
        if i >= data.size:
            break
        kind = classes[data[i]]
        if kind in (_PLAIN, _QUOTE):
            i += 1
        elif kind in (_DELIMITER, _NEWLINE):
            break
        elif kind == _MULTIBYTE:
            step = utf8_size(data, i, data.size)
            fault = fault if step else max(fault, _ENCODING)
            i += max(step, 1)
        else:
            fault = max(fault, _NUL if kind == _NULBYTE else _ENCODING)
            i += 1
    return i, fault


@inlined
def _after_quote(data: Bytes, classes: Bytes, place: int) -> int:
    """Return where a field goes on after its closing quote, -1 where more text follows: a stray."""
    after = place + 1
    if after < data.size and data[after] == 13:
        after += 1
    ends = after >= data.size or classes[data[after]] in (_DELIMITER, _NEWLINE)
    return after if ends else -1


@kernel
def _scan(
    data: Bytes, classes: Bytes, fields: int, slots: Int32s, witness: int, longest: int,
    final: bool, starts: Int64s, ends: Int64s, lines: Int64s, faults: Bytes, field_starts: Int32s,
    field_sizes: Int32s,
) -> tuple[int, int, int]:  # fmt: skip
    i, count, line = 0, 0, 0
    delimiter = np.uint64(10) * _ONES
    for byte in range(256):
        if classes[byte] == _DELIMITER:
            delimiter = np.uint64(byte) * _ONES
    while i < data.size:
        record, field, fault, inner, stray = i, 0, _SOUND, 0, False
        while True:
            if i < data.size and classes[data[i]] == _QUOTE:
                place, doubled, inside, found = _close_quote(
                    data, classes, i + 1, record, fields, witness, longest, final
                )
                if place == -2:
                    return count, record, line
                fault = max(fault, found)
                after = _after_quote(data, classes, place) if place >= 0 else -1
                stray = after < 0
                if stray:
                    break
                inner += inside
                begin, end = _trimmed(data, i + 1, place)
                size = -1 - (end - begin) if doubled else end - begin
                i = after
            else:
                begin = i
                i, found = _bare_end(data, classes, i, delimiter)
                fault = max(fault, found)
                begin, end = _trimmed(data, begin, i)
                size = end - begin
            if field < slots.size and slots[field] >= 0:
                field_starts[count, slots[field]] = begin
                field_sizes[count, slots[field]] = size
            field += 1
            if i >= data.size or classes[data[i]] == _NEWLINE:
                break
            i += 1
        end = i
        if stray or end - record > longest:
            end = _line_end(data, record)
            inner = 0
            fault = _LONG if end - record > longest else max(fault, _FIELDS)
        elif fields and field != fields:
            fault = max(fault, _FIELDS)
        i = end + 1
        if end > record and data[end - 1] == 13:
            end -= 1
        if end == record:
            fault = BLANK
        if fault != _SOUND:
            field_sizes[count, :] = 0
        starts[count], ends[count], lines[count], faults[count] = record, end, line, fault
        line += inner + 1
        count += 1
    return count, data.size, line
