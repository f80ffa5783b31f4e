"""Walking through the store in order of time, a few days at a time, and back to single rows.

The segments are noted when the walk begins: what is imported afterwards is not part of it, so that
the number of a row means the same row as long as its segment is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vigie.events import SCHEMA, TEXT
from vigie.stores.catalogue import Catalogue
from vigie.stores.segments import damaged

LEAST: Final = 1 << 17
"""Rows of a slice, at least; a day is never cut."""
_DAY: Final = 86_400_000_000
_END: Final = 2**61
_TEXTS: Final = [field.name for field in SCHEMA if field.type == TEXT]


@dataclass(frozen=True, slots=True)
class _Slice:
    """Whole days: their segments, the number of their first row, how many, what comes next (µs)."""

    paths: list[str]
    begin: int
    rows: int
    until: int


class Walk:
    """All events of a store, by day, source, account and time, numbered in this order."""

    def __init__(self, home: Path, catalogue: Catalogue) -> None:
        found = catalogue.rows(
            "SELECT day, path, rows, min_at, max_at FROM segments WHERE state = 'live'"
            " AND kind = 'events' AND rows > 0 ORDER BY day, source, min_at, id"
        )
        self.rows = sum(row["rows"] for row in found)
        self.span = (
            (min(row["min_at"] for row in found), max(row["max_at"] for row in found))
            if found else None
        )  # fmt: skip
        self._slices: list[_Slice] = []
        paths: list[str] = []
        begin = end = 0
        for row, after in zip_longest(found, found[1:]):
            paths.append(str(home / row["path"]))
            end += row["rows"]
            if after is None or (after["day"] != row["day"] and end - begin >= LEAST):
                self._slices.append(_Slice(paths, begin, end - begin, _midnight(after)))
                paths, begin = [], end

    def slices(self, columns: list[str]) -> Iterator[tuple[pa.Table, int]]:
        """Yield whole days, each with the time (µs) before which nothing more is to come."""
        for part in self._slices:
            yield _read(part.paths, columns), part.until

    def take(self, rows: NDArray[np.int64], columns: list[str]) -> pa.Table:
        """Return some columns of rows, in the order of their numbers given."""
        order = np.argsort(rows, kind="stable")
        found, numbers = [], rows[order]
        for part in self._slices:
            low, high = np.searchsorted(numbers, [part.begin, part.begin + part.rows])
            if high > low:
                wanted = pa.array(numbers[low:high] - part.begin)
                found.append(_read(part.paths, columns).take(wanted))
        if not found:
            return pa.schema([SCHEMA.field(name) for name in columns]).empty_table()
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        return pa.concat_tables(found).take(pa.array(place))


def _midnight(after: Any) -> int:
    if after is None:
        return _END
    return int(np.datetime64(after["day"], "D").astype(np.int64)) * _DAY


def _read(paths: list[str], columns: list[str]) -> pa.Table:
    """Read segments whole: a file at a time, for a scan of all of them only costs more."""
    schema = pa.schema([SCHEMA.field(name) for name in columns])
    try:
        parts = [
            pq.ParquetFile(path, read_dictionary=_TEXTS).read(columns, use_threads=False)
            for path in paths
        ]
    except (OSError, pa.ArrowException) as error:
        raise damaged(paths, error) from None
    return pa.concat_tables([_whole(part, schema) for part in parts])


def _whole(part: pa.Table, schema: pa.Schema) -> pa.Table:
    """Fill the access ids in, and columns that an old segment lacks."""
    arrays = []
    for field in schema:
        if field.name not in part.column_names:
            arrays.append(pa.nulls(part.num_rows, field.type))
        elif field.name == "access_id" and (column := part.column("access_id")).null_count:
            alone = part.column("event_id")
            arrays.append(alone if column.null_count == len(column) else pc.coalesce(column, alone))
        else:
            column = part.column(field.name)
            arrays.append(column if column.type == field.type else column.cast(field.type))
    return pa.table(arrays, schema=schema)
