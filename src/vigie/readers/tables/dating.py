"""Which column of a sample holds the time of an access, and how it is written there.

A column of numbers is taken for one of times only if nearly all of them would be dates that a log
of today can hold, and its name or its order says so too: many a patient's number would be a date.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from vigie.language import N_, _
from vigie.readers import moments
from vigie.readers.tables.names import NAMES, fold
from vigie.readers.tables.samples import Sample

_PATTERNS: Final = (
    "", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S.%f", "%d-%m-%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d/%m/%y %H:%M:%S", "%Y%m%d%H%M%S",
    "%Y%m%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S %z", "%m/%d/%Y %H:%M:%S",
)  # fmt: skip
_UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_SPELT: Final = {
    "s": N_("seconds since 1970: the first lines would be of {days} (UTC)"),
    "ms": N_("milliseconds since 1970: the first lines would be of {days} (UTC)"),
    "us": N_("microseconds since 1970: the first lines would be of {days} (UTC)"),
    "ns": N_("nanoseconds since 1970: the first lines would be of {days} (UTC)"),
}
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_AHEAD: Final = timedelta(days=366)
"""No log of a clock that can be believed begins before, or ends so long after today."""
_NUMBER: Final = re.compile(r"\d{9,19}([.,]\d+)?")
_TIMELY: Final = re.compile(
    r"\b(date|heure|time|horo|quand|stamp|epoch|unix)|\b(at|ts|when|moment|instant|dt|jour)\b"
)
_BIRTH: Final = re.compile("naiss|birth")
_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How times are written: a pattern, or the unit of numbers since 1970.

    `first` and `last` are the days (UTC) that these numbers would be.
    """

    pattern: str = ""
    unit: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def proof(self) -> str:
        """Say which days the numbers would be: days, for a number may turn out a patient's."""
        if not (self.first and self.last):
            return ""
        days = str(self.first)
        if self.first != self.last:
            days = _("{first} to {last}").format(first=self.first, last=self.last)
        return _(_SPELT[self.unit]).format(days=days)


def time_form(texts: list[str]) -> TimeForm | None:
    """Return the form under which nearly all texts are times, or None.

    >>> time_form(["31/01/2025 10:00:00"]).pattern, time_form(["x"])
    ('%d/%m/%Y %H:%M:%S', None)
    >>> time_form(["1738317600", "1738404000,5"]).proof
    'seconds since 1970: the first lines would be of 2025-01-31 to 2025-02-01 (UTC)'
    """
    if not texts:
        return None
    for pattern in _PATTERNS:
        if _share_read(texts, pattern) >= _SHARE:
            return TimeForm(pattern)
    numbers = sorted(float(text.replace(",", ".")) for text in texts if _NUMBER.fullmatch(text))
    latest = (datetime.now(UTC) + _AHEAD).timestamp()
    for unit, scale in _UNITS.items():
        dated = [one / scale for one in numbers if _EARLIEST <= one / scale <= latest]
        if len(dated) >= _SHARE * len(texts):
            return TimeForm("", unit, _day(dated[0]), _day(dated[-1]))
    return None


def time_column(sample: Sample) -> str | None:
    """Return the column that holds the time: one named so, if any; not that of a birth."""
    found = {}
    for name in sample.columns:
        form = time_form(texts := first_texts(sample, name))
        if form and (not form.unit or _is_timely(name) or _is_sequence(name, texts)):
            found[name] = form

    def doubt(name: str) -> tuple[bool, bool, bool]:
        return bool(_BIRTH.search(fold(name))), not _is_timely(name), bool(found[name].unit)

    return min(found, key=doubt, default=None)


def first_texts(sample: Sample, name: str) -> list[str]:
    """Return what the first lines hold in a column, without those where it is empty."""
    return [text for text in sample.columns[name][:200] if text is not None]


def _is_timely(name: str) -> bool:
    return bool(_TIMELY.search(fold(name)))


def _is_sequence(name: str, texts: Iterable[str]) -> bool:
    """Say whether numbers rise or fall as a log's times do, under a name that says nothing else."""
    if any(fold(name) in names for names in NAMES.values()):
        return False
    numbers = [float(text.replace(",", ".")) for text in texts if _NUMBER.fullmatch(text)]
    rises = sum(one <= other for one, other in pairwise(numbers))
    return max(rises, len(numbers) - 1 - rises) >= _SHARE * (len(numbers) - 1)


def _day(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _share_read(texts: list[str], pattern: str) -> float:
    raw = [text.encode() for text in texts]
    sizes = np.array([len(text) for text in raw], np.int32)
    starts = (np.cumsum(sizes) - sizes).astype(np.int32)
    data = np.frombuffer(b"".join(raw) or b" ", np.uint8)
    kinds = moments.parse(data, starts, sizes, moments.compile_pattern(pattern))[1]
    return float((kinds >= moments.UTC).mean())
