"""Written times to microseconds, millions at a time.

ISO 8601 with or without zone, a `strptime`-like pattern, or an epoch. A time without a zone is
local: `times.to_utc` says what it means and where the clock change leaves a doubt.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.errors import MappingError
from vigie.kernels import Bytes, Int64s, Ints, kernel
from vigie.language import N_
from vigie.readers.words import Words

EMPTY, BAD, UTC, LOCAL = range(4)
"""What became of a written time: nothing there, unreadable, a UTC moment, a local time."""

(
    _YEAR, _MONTH, _DAY, _HOUR, _MINUTE, _SECOND, _DECIMALS, _ZONE, _SHORT_YEAR, _NAMED_MONTH,
) = range(128, 138)  # fmt: skip
"""Codes of a program; one below 128 is the ASCII character that must stand there."""
_DIRECTIVES: Final = {
    "Y": _YEAR, "m": _MONTH, "d": _DAY, "H": _HOUR, "M": _MINUTE, "S": _SECOND, "f": _DECIMALS,
    "z": _ZONE, "y": _SHORT_YEAR, "b": _NAMED_MONTH,
}  # fmt: skip
_LONGHAND: Final = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M"}
_MONTHS: Final = np.frombuffer(b"janfebmaraprmayjunjulaugsepoctnovdec", np.uint8)


def compile_pattern(pattern: str, where: str = "") -> NDArray[np.uint8]:
    """Turn a `strptime`-like pattern into the program that `parse` follows; "" is ISO 8601.

    Known: %Y %m %d %H %M %S %f (1 to 9 digits) %z %y %b (English) %F %T %R %%.

    >>> compile_pattern("%d/%m").tolist()
    [130, 47, 129]
    """
    program: list[int] = []
    marks = iter(pattern)
    for mark in marks:
        if mark != "%":
            program += mark.encode()
            continue
        name = next(marks, "")
        if name in _LONGHAND:
            program += compile_pattern(_LONGHAND[name]).tolist()
        elif name == "%":
            program.append(ord("%"))
        elif name in _DIRECTIVES:
            program.append(_DIRECTIVES[name])
        else:
            raise MappingError(
                N_("the time format {pattern!r} has a directive that is not known: %{name}"),
                where=where,
                remedy=N_("use %Y %m %d %H %M %S %f %z %y %b"),
                pattern=pattern,
                name=name,
            )
    if any(code > _NAMED_MONTH or (code >= _YEAR and not pattern.isascii()) for code in program):
        raise MappingError(
            N_("the time format {pattern!r} may hold ASCII characters only"),
            where=where,
            remedy=N_("write it as the file writes its times"),
            pattern=pattern,
        )
    return np.array(program, np.uint8)


def parse(
    data: NDArray[np.uint8],
    starts: NDArray[np.int32],
    sizes: NDArray[np.int32],
    program: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Read the times `data[start:start+size]`; returns microseconds and what each is.

    >>> text = np.frombuffer(b"2025-01-31T10:00:00.5Z", np.uint8)
    >>> parse(text, np.array([0]), np.array([22]), compile_pattern(""))
    (array([1738317600500000]), array([2], dtype=uint8))
    """
    moments = np.zeros(len(starts), np.int64)
    kinds = np.zeros(len(starts), np.uint8)
    starts, sizes = np.ascontiguousarray(starts), np.ascontiguousarray(sizes)
    _parse(data, starts, sizes, program, _MONTHS, moments, kinds)
    return moments, kinds


def parse_epochs(
    data: NDArray[np.uint8], starts: NDArray[np.int32], sizes: NDArray[np.int32], scale: int
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Read epochs; `scale` is microseconds per unit, 0 for nanoseconds.

    >>> text = np.frombuffer(b"1738317600.5", np.uint8)
    >>> parse_epochs(text, np.array([0]), np.array([12]), 1_000_000)[0].tolist()
    [1738317600500000]
    """
    moments = np.zeros(len(starts), np.int64)
    kinds = np.zeros(len(starts), np.uint8)
    starts, sizes = np.ascontiguousarray(starts), np.ascontiguousarray(sizes)
    _parse_epochs(data, starts, sizes, scale, moments, kinds)
    return moments, kinds


def parse_words(
    words: Words, program: NDArray[np.uint8], scale: int = -1
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Read a column of times; a `scale` of 0 or more says that they are epochs."""
    texts = words.words
    buffers = texts.buffers()
    offsets = np.frombuffer(buffers[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(buffers[2] or b"", np.uint8)
    spans = offsets[:-1], np.diff(offsets)
    found, kinds = parse_epochs(data, *spans, scale) if scale >= 0 else parse(data, *spans, program)
    return words.spread(found, 0), words.spread(kinds, EMPTY)


@kernel
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a Gregorian date (Hinnant, "chrono-compatible algorithms")."""
    year -= month <= 2
    era = year // 400
    yoe = year - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


@kernel
def _month_length(year: int, month: int) -> int:
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


@kernel
def _digits(data: Bytes, i: int, end: int, least: int, most: int) -> tuple[int, int]:
    """Read `least` to `most` digits; returns (value, next place) or (-1, i)."""
    value, k = 0, 0
    while k < most and i + k < end and 48 <= data[i + k] <= 57:
        value = value * 10 + (data[i + k] - 48)
        k += 1
    return (value, i + k) if k >= least else (-1, i)


@kernel
def _fraction(data: Bytes, i: int, end: int) -> tuple[int, int]:
    """Read 1 to 9 decimals as microseconds, cutting what is finer."""
    value, place = _digits(data, i, end, 1, 9)
    if value < 0:
        return -1, i
    for k in range(9):
        if k < place - i:
            if k >= 6:
                value //= 10
        elif k < 6:
            value *= 10
    return value, place


@kernel
def _zone(data: Bytes, i: int, end: int) -> tuple[int, int]:
    """Read Z, +hh, +hhmm or +hh:mm; returns (seconds east, next place), the place -1 if none."""
    if i < end and data[i] in (90, 122):
        return 0, i + 1
    if i >= end or data[i] not in (43, 45):
        return 0, -1
    sign = 1 if data[i] == 43 else -1
    hours, at = _digits(data, i + 1, end, 2, 2)
    if hours < 0:
        return 0, -1
    minutes = 0
    if at < end and data[at] == 58:
        minutes, at = _digits(data, at + 1, end, 2, 2)
    elif at < end and 48 <= data[at] <= 57:
        minutes, at = _digits(data, at, end, 2, 2)
    if minutes < 0 or minutes > 59 or hours > 18:
        return 0, -1
    return sign * (hours * 3600 + minutes * 60), at


@kernel
def _moment(
    year: int, month: int, day: int, hour: int, minute: int, second: int, micro: int
) -> np.int64:
    """Return microseconds since 1970, or -(2**63) when there is no such time."""
    if (
        not 1800 <= year <= 2261
        or not 1 <= month <= 12
        or not 1 <= day <= _month_length(year, month)
        or not 0 <= hour <= 23
        or not 0 <= minute <= 59
        or not 0 <= second <= 60
        or micro < 0
    ):
        return np.int64(-(2**63))
    seconds = np.int64(_days(year, month, day)) * 86400 + hour * 3600 + minute * 60 + second
    return seconds * 1_000_000 + micro


@kernel
def _iso(data: Bytes, i: int, end: int) -> tuple[np.int64, np.uint8]:
    bad = (np.int64(0), np.uint8(BAD))
    year, i = _digits(data, i, end, 4, 4)
    dashed = i < end and data[i] == 45
    month, i = _digits(data, i + dashed, end, 2, 2)
    if year < 0 or month < 0 or (dashed and (i >= end or data[i] != 45)):
        return bad
    day, i = _digits(data, i + dashed, end, 2, 2)
    if day < 0 or i >= end or data[i] not in (84, 116, 32):
        return bad
    hour, i = _digits(data, i + 1, end, 2, 2)
    colon = i < end and data[i] == 58
    minute, i = _digits(data, i + colon, end, 2, 2)
    if hour < 0 or minute < 0:
        return bad
    second, micro = 0, 0
    if i < end and (data[i] == 58 if colon else 48 <= data[i] <= 57):
        second, i = _digits(data, i + colon, end, 2, 2)
        if second < 0:
            return bad
        if i < end and data[i] in (44, 46):
            micro, i = _fraction(data, i + 1, end)
            if micro < 0:
                return bad
    moment = _moment(year, month, day, hour, minute, second, micro)
    if moment == -(2**63):
        return bad
    if i == end:
        return moment, np.uint8(LOCAL)
    if data[i] == 32:
        i += 1
    east, i = _zone(data, i, end)
    return (moment - east * 1_000_000, np.uint8(UTC)) if i == end else bad


@kernel
def _month_name(data: Bytes, i: int, end: int, names: Bytes) -> tuple[int, int]:
    if i + 3 > end:
        return -1, i
    for month in range(12):
        same = True
        for k in range(3):
            if data[i + k] | 0x20 != names[3 * month + k]:
                same = False
        if same:
            return month + 1, i + 3
    return -1, i


@kernel
def _by_program(
    data: Bytes, i: int, end: int, program: Bytes, names: Bytes
) -> tuple[np.int64, np.uint8]:
    bad = (np.int64(0), np.uint8(BAD))
    year, month, day, hour, minute, second, micro = 1970, 1, 1, 0, 0, 0, 0
    east, zoned = 0, False
    for code in program:
        value = 0
        if code < _YEAR:
            if i >= end or data[i] != code:
                return bad
            i += 1
        elif code == _YEAR:
            year, i = _digits(data, i, end, 4, 4)
            value = year
        elif code == _MONTH:
            month, i = _digits(data, i, end, 1, 2)
            value = month
        elif code == _DAY:
            day, i = _digits(data, i, end, 1, 2)
            value = day
        elif code == _HOUR:
            hour, i = _digits(data, i, end, 1, 2)
            value = hour
        elif code == _MINUTE:
            minute, i = _digits(data, i, end, 2, 2)
            value = minute
        elif code == _SECOND:
            second, i = _digits(data, i, end, 2, 2)
            value = second
        elif code == _DECIMALS:
            micro, i = _fraction(data, i, end)
            value = micro
        elif code == _ZONE:
            east, i = _zone(data, i, end)
            value, zoned = i, True
        elif code == _SHORT_YEAR:
            value, i = _digits(data, i, end, 2, 2)
            year = value + (2000 if value < 70 else 1900)
        else:
            month, i = _month_name(data, i, end, names)
            value = month
        if value < 0:
            return bad
    moment = _moment(year, month, day, hour, minute, second, micro)
    if i != end or moment == -(2**63):
        return bad
    return moment - east * 1_000_000, np.uint8(UTC if zoned else LOCAL)


@kernel
def _parse(
    data: Bytes, starts: Ints, sizes: Ints, program: Bytes, names: Bytes, moments: Int64s,
    kinds: Bytes,
) -> None:  # fmt: skip
    for i in range(starts.size):
        size = sizes[i]
        if size < 0:
            kinds[i] = BAD
        elif size > 0:
            start = starts[i]
            if program.size:
                moments[i], kinds[i] = _by_program(data, start, start + size, program, names)
            else:
                moments[i], kinds[i] = _iso(data, start, start + size)


@kernel
def _parse_epochs(
    data: Bytes, starts: Ints, sizes: Ints, scale: int, moments: Int64s, kinds: Bytes
) -> None:
    for i in range(starts.size):
        size = sizes[i]
        if size == 0:
            continue
        kinds[i] = BAD
        at, end = starts[i], starts[i] + size
        negative = size > 0 and data[at] == 45
        whole, at = _digits(data, at + negative, end, 1, 19)
        if whole < 0:
            continue
        micro = 0
        if at < end and data[at] in (46, 44):
            decimals, at = _fraction(data, at + 1, end)
            if decimals < 0:
                continue
            micro = decimals * scale // 1_000_000
        if at != end:
            continue
        if scale == 0:
            moment = whole // 1000
        elif whole > 9_000_000_000_000_000_000 // scale:
            continue
        else:
            moment = whole * scale + micro
        # Beyond the year 2261 the unit is wrong, not the clock.
        if moment < 9_183_110_400_000_000:
            moments[i] = -moment if negative else moment
            kinds[i] = UTC
