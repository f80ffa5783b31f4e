"""PostgreSQL's csvlog: its records, which may span lines, and the moment each was written.

Source: PostgreSQL documentation 12 to 17, "Using CSV-Format Log Output": 23 columns, 24 from
version 13 (backend type), 26 from version 14 (leader, query identifier). A record begins with a
time and holds texts between doubled quotes, so no text inside one can pass for a record: a quote
is never single in there.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_TEXT: Final = rb'(?:"(?:[^"]++|"")*+"|)'
_PLAIN: Final = rb'[^,"\r\n]*+'
RECORD: Final = re.compile(
    rb"(?P<hour>\d{4}-\d\d-\d\d \d\d):(?P<rest>\d\d:\d\d\.\d{3}) (?P<zone>[^,\"\s]++),"
    rb"(?P<user>TEXT),(?P<database>TEXT),\d*,(?P<client>TEXT),"
    rb"(?P<session>[0-9a-f]+\.[0-9a-f]+),(?P<number>\d++),(?P<tag>TEXT),"
    rb"PLAIN,PLAIN,\d*,(?P<severity>[^,\"\r\n]++),(?P<state>[0-9A-Z]{5}),(?P<message>TEXT),"
    rb"TEXT,TEXT,TEXT,\d*,TEXT,(?P<query>TEXT),\d*,TEXT,(?P<application>TEXT)"
    rb"(?:,TEXT(?:,\d*,-?\d*)?)?(?=\r?\n|\Z)".replace(b"TEXT", _TEXT).replace(b"PLAIN", _PLAIN)
)
_OPEN: Final = re.compile(rb'(?:(?:"(?:[^"]++|"")*+"|[^,"\n]*+),)*+"(?:[^"]++|"")*+\Z')
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)?")
_HOURS_EAST: Final = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2,
    "EET": 2, "EEST": 3, "MSK": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """One record or one faulty line: `data[start:end]`, less its line end; `reason` when bad."""

    start: int
    end: int
    found: "re.Match[bytes] | None" = None
    reason: str = ""


def pieces(
    data: bytes, longest: int, final: bool, cut: str = "truncated"
) -> tuple[list[Piece], int]:
    """Return the records of `data`, which holds whole lines, and where to begin again.

    Every decision looks at `longest` bytes and no further, so that it does not matter how the
    file is cut. A faulty line stands alone, and the search goes on with the next line. `cut` is
    the reason of a record that `data` ends in the middle of, when it is `final`.

    >>> pieces(b"junk\\n", 100, True)
    ([Piece(start=0, end=4, found=None, reason='bad_format')], 5)
    """
    at, told = 0, []
    while at < len(data):
        found = RECORD.match(data, at, at + longest + 2)
        if found and (final or found.end() < len(data)) and _ends(data, found.end()):
            told.append(Piece(at, found.end(), found))
            at = _next_line(data, found.end())
            continue
        fault = _fault(data, at, longest, cut if final else "")
        if fault is None:
            break
        line_end = data.find(b"\n", at)
        end = len(data) if line_end < 0 else line_end
        told.append(Piece(at, end - (data[end - 1 : end] == b"\r"), None, fault))
        at = end + 1 if line_end >= 0 else end
    return told, at


def _ends(data: bytes, place: int) -> bool:
    return data[place : place + 1] in (b"", b"\n") or data[place : place + 2] == b"\r\n"


def _next_line(data: bytes, place: int) -> int:
    return place + (data[place : place + 1] == b"\r") + 1


def _fault(data: bytes, at: int, longest: int, cut: str) -> str | None:
    """Say why the line at `at` begins no record; None to wait for more of the file."""
    line_end = data.find(b"\n", at, at + longest + 2)
    if line_end == at or (line_end == at + 1 and data[at : at + 1] == b"\r"):
        return "blank"
    if line_end < 0 and len(data) - at > longest:
        return "line_too_long"
    if len(data) - at <= longest and _OPEN.match(data, at):
        return cut or None
    if line_end < 0:
        return cut or None
    return "nul_byte" if b"\0" in data[at:line_end] else "bad_format"


@lru_cache(maxsize=4096)
def _hour(hour: str, abbreviation: str, zone: str) -> tuple[int, int]:
    """Microseconds (UTC) of the beginning of a written hour, and the doubt about it."""
    local = datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC)
    east, doubt = _east(local, abbreviation, zone)
    return (int(local.timestamp()) - int(east.total_seconds())) * 1_000_000, doubt


def _east(local: datetime, abbreviation: str, zone: str) -> tuple[timedelta, int]:
    offset = _OFFSET.fullmatch(abbreviation)
    if offset:
        east = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return (-east if offset[1] == "-" else east), 0
    for fold in (0, 1):
        aware = local.replace(tzinfo=ZoneInfo(zone), fold=fold)
        if aware.tzname() == abbreviation:
            return aware.utcoffset() or timedelta(), 0
    if abbreviation in _HOURS_EAST:
        return timedelta(hours=_HOURS_EAST[abbreviation]), 0
    return local.replace(tzinfo=ZoneInfo(zone)).utcoffset() or timedelta(), 1


def moment(found: "re.Match[bytes]", zone: str) -> tuple[int, int]:
    """Return the microseconds (UTC) of a record and the doubt about them (see `times.to_utc`).

    The zone is told by its abbreviation, so the repeated hour of an autumn clock change is
    exact; an abbreviation that is not known counts as `zone`, and the moment as ambiguous.
    Raises `ValueError` when there is no such time.
    """
    start, doubt = _hour(found["hour"].decode(), found["zone"].decode("utf-8", "replace"), zone)
    minute, second, milli = (int(part) for part in re.split(rb"[:.]", found["rest"]))
    if minute > 59 or second > 60:
        raise ValueError("no such time")
    return start + ((minute * 60 + second) * 1000 + milli) * 1000, doubt


def text(found: "re.Match[bytes]", name: str, encoding: str) -> str:
    """Return a text column of a record, unquoted; raises `UnicodeDecodeError`."""
    return found[name][1:-1].decode(encoding).replace('""', '"')
