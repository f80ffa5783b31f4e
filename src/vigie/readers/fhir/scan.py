"""One compiled pass over the lines of NDJSON: sound JSON or not, and where each element stands.

A line passes only if it is one JSON object of plain make: no escape in what is used, no element
twice, no element that makes a record out of the ordinary (`contained`, R5's `patient`, a period).
Every other line is left to the decoder, which says what is wrong with it, if anything is. So a
line that passes is one that the decoder would have accepted, with these very elements.

Source: RFC 8259 (JSON), of which this accepts a part.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.hashing.unaligned import load_byte, text_marks, trailing_zeros
from vigie.kernels import Bytes, Flags, Int32s, Int64s, inlined, kernel
from vigie.readers.lines import utf8_size

CODES: Final = (
    "type", "subtype", "category", "code", "action", "outcome", "purposeOfEvent", "authorization",
)  # fmt: skip
"""The elements that say what kind of event it was."""
AGENT, ENTITY, ID, RECORDED, _RESOURCE = range(len(CODES), len(CODES) + 5)
_USED: Final = (*CODES, "agent", "entity", "id", "recorded", "resourceType")
_UNUSUAL: Final = (
    "contained", "patient", "period", "occurredPeriod", "occurredDateTime", "entry",
)  # fmt: skip
_NAMES: Final = np.frombuffer("".join(_USED + _UNUSUAL).encode(), np.uint8)
_PLACES: Final = np.cumsum([0, *map(len, _USED + _UNUSUAL)]).astype(np.int64)
_KNOWN: Final = len(_USED)
_RESOURCE_TYPE: Final = np.frombuffer(b'"AuditEvent"', np.uint8)
_DEEPEST: Final = 60


@dataclass(frozen=True, slots=True)
class Scan:
    """The lines `data[starts[i]:ends[i]]` (without line end), and which passed.

    The element k of a line that passed is `data[froms[i, k]:tos[i, k]]`, empty when absent.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    passed: NDArray[np.bool_]
    froms: NDArray[np.int32]
    tos: NDArray[np.int32]


def scan(data: NDArray[np.uint8], count: int, longest: int) -> Scan:
    """Scan the `count` lines of `data`, which must end with a line end.

    >>> line = b'{"resourceType":"AuditEvent","id":"7","recorded":"2025-01-31T10:00:00Z"}\\n'
    >>> found = scan(np.frombuffer(line + b"{}\\n", np.uint8), 2, 1 << 20)
    >>> found.passed.tolist(), line[found.froms[0, ID] : found.tos[0, ID]]
    ([True, False], b'"7"')
    """
    if not len(data) or data[-1] != ord("\n"):
        raise ValueError("lines must end")
    starts, ends = np.empty(count, np.int64), np.empty(count, np.int64)
    passed = np.zeros(count, np.bool_)
    froms, tos = np.zeros((count, _KNOWN), np.int32), np.zeros((count, _KNOWN), np.int32)
    _scan(data, longest, _NAMES, _PLACES, _KNOWN, _RESOURCE_TYPE, starts, ends, passed, froms, tos)
    return Scan(starts, ends, passed, froms, tos)


@inlined
def _string_end(data: Bytes, i: int, escapes: bool) -> int:
    """Return the place after the string that opens at `i`, or -1.

    That is when it is not sound, or when it holds escapes though they are not allowed.
    """
    i += 1
    while True:
        if i + 32 <= data.size:
            marks = text_marks(data, i)
            if not marks:
                i += 32
                continue
            i += trailing_zeros(marks)
        byte = load_byte(data, i)
        if byte == 34:
            return i + 1
        if byte < 32 or (byte == 92 and not escapes):
            return -1
        if byte == 92:
            if load_byte(data, i + 1) not in (34, 47, 92, 98, 102, 110, 114, 116):
                return -1
            i += 2
        elif byte > 127:
            size = utf8_size(data, i, data.size)
            if size == 0:
                return -1
            i += size
        else:
            i += 1


@inlined
def _blanks_end(data: Bytes, i: int) -> int:
    while load_byte(data, i) == 32 or load_byte(data, i) == 9:
        i += 1
    return i


@inlined
def _digits_end(data: Bytes, i: int) -> int:
    while 48 <= load_byte(data, i) <= 57:
        i += 1
    return i


@inlined
def _scalar_end(data: Bytes, i: int) -> int:
    """Return the place after a number without exponent, `true`, `false` or `null`, or -1."""
    byte = load_byte(data, i)
    if byte == 45 or 48 <= byte <= 57:
        start = i + (byte == 45)
        i = _digits_end(data, start)
        if i == start or (load_byte(data, start) == 48 and i > start + 1):
            return -1
        if load_byte(data, i) == 46:
            start = i + 1
            i = _digits_end(data, start)
            if i == start:
                return -1
        return -1 if load_byte(data, i) in (69, 101) else i
    if i + 5 > data.size:
        return -1
    first = load_byte(data, i + 1), load_byte(data, i + 2), load_byte(data, i + 3)
    if byte == 116 and first == (114, 117, 101):
        return i + 4
    if byte == 110 and first == (117, 108, 108):
        return i + 4
    return (
        i + 5 if byte == 102 and first == (97, 108, 115) and load_byte(data, i + 4) == 101 else -1
    )


@inlined
def _key_end(data: Bytes, i: int, escapes: bool) -> int:
    """Return the place after a key and its colon, or -1."""
    i = _blanks_end(data, i)
    if load_byte(data, i) != 34:
        return -1
    i = _string_end(data, i, escapes)
    if i < 0:
        return -1
    i = _blanks_end(data, i)
    return i + 1 if load_byte(data, i) == 58 else -1


@kernel
def _value_end(data: Bytes, i: int, escapes: bool) -> int:
    """Return the place after the JSON value that begins at `i`, or -1.

    `kinds` has a bit per level, set for an object.
    """
    depth, kinds = 0, np.uint64(0)
    while True:
        i = _blanks_end(data, i)
        byte = load_byte(data, i)
        if byte == 34:
            i = _string_end(data, i, escapes)
        elif byte == 123 or byte == 91:
            opened = byte == 123
            depth += 1
            kinds = kinds << np.uint64(1) | np.uint64(opened)
            i = _blanks_end(data, i + 1)
            if depth > _DEEPEST:
                return -1
            if load_byte(data, i) != byte + 2:
                if opened:
                    i = _key_end(data, i, escapes)
                    if i < 0:
                        return -1
                continue
        else:
            i = _scalar_end(data, i)
        if i < 0:
            return -1
        while depth:
            i = _blanks_end(data, i)
            inside = kinds & np.uint64(1)
            if load_byte(data, i) == 44:
                i = _key_end(data, i + 1, escapes) if inside else i + 1
                if i < 0:
                    return -1
                break
            if load_byte(data, i) != (125 if inside else 93):
                return -1
            i += 1
            depth -= 1
            kinds >>= np.uint64(1)
        if depth == 0:
            return i


@inlined
def _element(data: Bytes, start: int, end: int, names: Bytes, places: Int64s) -> int:
    """Return the number of the element named `data[start:end]`, or -1."""
    for k in range(places.size - 1):
        if places[k + 1] - places[k] != end - start:
            continue
        same = start
        while same < end and load_byte(data, same) == names[places[k] + same - start]:
            same += 1
        if same == end:
            return k
    return -1


@kernel
def _object_end(
    data: Bytes, i: int, names: Bytes, places: Int64s, known: int, froms: Int32s, tos: Int32s
) -> int:
    """Return the place after the record that begins at `i`, or -1 when it does not pass."""
    if load_byte(data, i) != 123:
        return -1
    while True:
        start = _blanks_end(data, i + 1)
        i = _key_end(data, start, False)
        if i < 0:
            return -1
        name_end = i - 1
        while load_byte(data, name_end) != 34:
            name_end -= 1
        k = _element(data, start + 1, name_end, names, places)
        i = _blanks_end(data, i)
        end = _value_end(data, i, k < 0)
        if end < 0 or k >= known or (k >= 0 and tos[k]):
            return -1
        if k >= 0:
            froms[k], tos[k] = i, end
        i = _blanks_end(data, end)
        if load_byte(data, i) == 125:
            return i + 1
        if load_byte(data, i) != 44:
            return -1


@kernel
def _is_plain_text(data: Bytes, start: int, end: int) -> bool:
    return end - start > 2 and load_byte(data, start) == 34


@kernel
def _is_event(data: Bytes, froms: Int32s, tos: Int32s, resource_type: Bytes) -> bool:
    """Say whether the object is an AuditEvent with a time, its id a text if it has one."""
    place = froms[_RESOURCE]
    if tos[_RESOURCE] - place != resource_type.size:
        return False
    for k in range(resource_type.size):
        if load_byte(data, place + k) != resource_type[k]:
            return False
    if tos[ID] and not _is_plain_text(data, froms[ID], tos[ID]):
        return False
    return bool(_is_plain_text(data, froms[RECORDED], tos[RECORDED]))


@kernel
def _scan(
    data: Bytes, longest: int, names: Bytes, places: Int64s, known: int, resource_type: Bytes,
    starts: Int64s, ends: Int64s, passed: Flags, froms: Int32s, tos: Int32s,
) -> None:  # fmt: skip
    i = 0
    for line in range(starts.size):
        starts[line] = i
        end = _object_end(data, i, names, places, known, froms[line], tos[line])
        if end >= 0 and load_byte(data, end) in (10, 13):
            passed[line] = _is_event(data, froms[line], tos[line], resource_type)
            i = end
        while load_byte(data, i) != 10:
            i += 1
        ends[line] = i
        if i > starts[line] and load_byte(data, i - 1) == 13:
            ends[line] = i - 1
        if passed[line] and (ends[line] != end or end - starts[line] > longest):
            passed[line] = False
        i += 1
