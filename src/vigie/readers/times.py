"""Local times to UTC, saying where the local clock leaves a doubt.

In the repeated hour of an autumn clock change a local time means two moments: the earlier one is
kept and marked `ambiguous`. A local time in the hour that spring skips never existed: the first
moment after the gap is kept and marked `skewed`.
"""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.errors import MappingError
from vigie.events import TIME
from vigie.language import N_

_CLOCKS = pa.array(["exact", "ambiguous", "skewed"])


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
    early = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest")
    late = pc.assume_timezone(local, zone, ambiguous="latest", nonexistent="latest")
    first = early.cast(pa.int64()).fill_null(0).to_numpy()
    last = late.cast(pa.int64()).fill_null(0).to_numpy()
    # A skipped local time has no moment of its own: one side of the gap is before it, one after,
    # and neither reads back as what was written.
    back = pc.local_timestamp(late).cast(pa.int64()).fill_null(0).to_numpy()
    skipped = back != local.cast(pa.int64()).fill_null(0).to_numpy()
    doubts = np.where(skipped, 2, np.where(first != last, 1, 0)).astype(np.int8)
    chosen = pc.if_else(pa.array(skipped), late.cast(TIME), early.cast(TIME))
    return chosen, doubts


def clock_column(doubts: NDArray[np.int8]) -> pa.Array:
    """Return the waist's `clock_quality` for the doubts of `to_utc`."""
    return pa.DictionaryArray.from_arrays(pa.array(doubts.astype(np.int32)), _CLOCKS)
