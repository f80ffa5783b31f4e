"""Local times to UTC, saying where the local clock leaves a doubt.

In the repeated hour of an autumn clock change a local time means two moments: the earlier one is
kept and marked `ambiguous`. A local time in the hour that spring skips never existed: the first
moment after the gap is kept and marked `skewed`.
"""

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.errors import MappingError
from vigie.events import TIME
from vigie.language import N_

_CLOCKS = pa.array(["exact", "ambiguous", "skewed"])
_SKIPPED: Final = 2
_QUARTER: Final = 900_000_000
"""Clocks change at quarters of an hour: within one, every local time has the same offset."""
_MODERN: Final = 94_694_400_000_000
"""From 1973 on; earlier changes fell on odd minutes."""


def check_zone(name: str, where: str = "") -> str:
    """Return `name` if it is a time zone of the IANA database, else raise `MappingError`."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise MappingError(
            N_("{zone!r} is not a time zone"),
            where=where,
            remedy=N_("write it as in the IANA database, for example Europe/Paris"),
            zone=name,
        ) from None
    return name


def to_utc(local: pa.Array, zone: str) -> tuple[pa.Array, NDArray[np.int8]]:
    """Convert naive local timestamps (µs) of `zone` to UTC, with the doubt about each.

    The doubt is 0 exact, 1 ambiguous, 2 skewed.

    >>> from datetime import datetime
    >>> local = pa.array([datetime(2025, 10, 26, 2, 30), datetime(2025, 10, 26, 12)])
    >>> moments, doubts = to_utc(local, "Europe/Paris")
    >>> moments[0].as_py().isoformat(), doubts.tolist()
    ('2025-10-26T00:30:00+00:00', [1, 0])
    """
    written = local.cast(pa.int64()).fill_null(0).to_numpy()
    quarters = written // _QUARTER
    runs = np.flatnonzero(np.append(True, quarters[1:] != quarters[:-1]))
    if len(runs) * 4 > len(written) or written.min(initial=_MODERN) < _MODERN:
        moments, doubts = _each_to_utc(written, zone)
    else:
        starts = quarters[runs] * _QUARTER
        moved, found = _each_to_utc(starts, zone)
        sizes = np.diff(np.append(runs, len(written)))
        doubts = np.repeat(found, sizes)
        within = np.where(doubts == _SKIPPED, 0, written - np.repeat(starts, sizes))
        moments = np.repeat(moved, sizes) + within
    return pa.array(moments, mask=_missing(local)).cast(TIME), doubts


def _missing(local: pa.Array) -> NDArray[np.bool_] | None:
    return local.is_null().to_numpy(zero_copy_only=False) if local.null_count else None


def _each_to_utc(
    written: NDArray[np.int64], zone: str
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Convert local µs one by one."""
    local = pa.array(written).cast(pa.timestamp("us"))
    early = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest")
    late = pc.assume_timezone(local, zone, ambiguous="latest", nonexistent="latest")
    first, last = early.cast(pa.int64()).to_numpy(), late.cast(pa.int64()).to_numpy()
    # A skipped local time has no moment of its own: one side of the gap is before it, one after,
    # and neither reads back as what was written.
    skipped = pc.local_timestamp(late).cast(pa.int64()).to_numpy() != written
    doubts = np.where(skipped, _SKIPPED, np.where(first != last, 1, 0)).astype(np.int8)
    return np.where(skipped, last, first), doubts


def clock_column(doubts: NDArray[np.int8]) -> pa.Array:
    """Return the waist's `clock_quality` for the doubts of `to_utc`."""
    return pa.DictionaryArray.from_arrays(pa.array(doubts.astype(np.int32)), _CLOCKS)
