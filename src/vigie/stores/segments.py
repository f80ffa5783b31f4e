"""Segments: immutable Parquet files of one source and one UTC day, sorted by account and time.

A segment holds the waist and four columns of its own: `file` (number of the file in the
catalogue), `part` and `occurrence` (which of alike rows this is), and `access_own` (the access id
that the row had before it was linked by time with another log's row; null when it was not).
`access_id` is null where the row is an access by itself and bears its `event_id`, which is nearly
everywhere: random bytes do not compress, and a third of a segment would be these.

Sorted by account, with small row groups and their statistics, one account's history is read by
touching one or two row groups per day.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vigie.errors import StoreError, reason_of
from vigie.events import KEY, SCHEMA, TEXT
from vigie.language import N_, Text
from vigie.readers.base import QUARANTINE_SCHEMA
from vigie.stores.layout import segment_path, telling

OWN_FIELDS: Final = (
    pa.field("file", pa.int32(), nullable=False),
    pa.field("part", pa.int32(), nullable=False),
    pa.field("occurrence", pa.int32(), nullable=False),
    pa.field("access_own", KEY),
)
PHYSICAL: Final = pa.schema(
    [field.with_nullable(True) if field.name == "access_id" else field for field in SCHEMA]
    + list(OWN_FIELDS)
)
STORED_QUARANTINE: Final = pa.schema(
    [*QUARANTINE_SCHEMA, pa.field("file", pa.int32(), nullable=False)]
)
SIGHTINGS: Final = pa.schema(
    [
        pa.field("file", pa.int32(), nullable=False),
        pa.field("source_line", pa.int64(), nullable=False),
        pa.field("at", SCHEMA.field("at").type, nullable=False),
        pa.field("line_hash", KEY, nullable=False),
        pa.field("occurrence", pa.int32(), nullable=False),
    ]
)
"""Lines seen again: a later file is aligned with all the lines of an earlier one, those that it
brought and those that it repeated."""
SCHEMAS: Final = {"events": PHYSICAL, "quarantine": STORED_QUARANTINE, "sightings": SIGHTINGS}

ROW_GROUP: Final = 1 << 16
_FEW_WORDS: Final = 1 << 16
"""Bytes of the words of a column, below which it is not compressed."""
_RANDOM: Final = {"event_id", "access_id", "line_hash", "access_own"}
_COUNTS: Final = {"record_count", "bytes"}
"""Few different numbers on many rows: by their places they are smaller, and sooner read."""
_DELTAS: Final = {"at", "source_line"}


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment, as the catalogue knows it; `path` is relative to the home."""

    id: str
    kind: str
    source: str
    day: str
    path: str
    rows: int
    min_at: int | None
    max_at: int | None
    size: int
    sha256: str
    nulls: str
    file: int | None
    operation: int

    def fields(self) -> dict[str, Any]:
        """Return the row of the catalogue."""
        return asdict(self)


def write_segment(
    home: Path, kind: str, source: str, day: str, name: str, table: pa.Table,
    file: int | None = None,
) -> Segment:  # fmt: skip
    """Write `table` as a segment that the catalogue does not name yet.

    Raises `StoreError` when the disk refuses.
    """
    relative = segment_path(kind, source, day, name)
    path = home / relative
    schema = SCHEMAS[kind]
    with telling(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _Hashing(path) as sink, pq.ParquetWriter(sink, schema, **_encodings(table)) as writer:
            writer.write_table(table, row_group_size=ROW_GROUP)
    times = pc.min_max(table.column("at").cast(pa.int64())) if "at" in table.column_names else None
    return Segment(
        name, kind, source, day, relative, table.num_rows,
        times["min"].as_py() if times else None, times["max"].as_py() if times else None,
        sink.size, sink.digest.hexdigest(), _nulls(table) if kind == "events" else "{}",
        file, int(name[:8]),
    )  # fmt: skip


def _encodings(table: pa.Table) -> dict[str, Any]:
    names = table.column_names
    return {
        "compression": {name: _compression(name, table.column(name)) for name in names},
        "use_dictionary": [
            field.name for field in table.schema if field.type == TEXT or field.name in _COUNTS
        ],
        "column_encoding": {name: "DELTA_BINARY_PACKED" for name in names if name in _DELTAS},
        # Statistics cost as much as all the rest, and only these two are ever pruned by.
        "write_statistics": [name for name in ("account", "at") if name in names],
        "store_schema": True,
    }


def _compression(name: str, column: pa.ChunkedArray) -> str:
    """Return NONE where there is little to win: starting zstd costs more than a small page.

    So for few words: their numbers are packed already, and in runs.
    """
    if name in _RANDOM or column.null_count == len(column):
        return "NONE"
    one = column.type == TEXT and column.num_chunks == 1
    return "NONE" if one and column.chunk(0).dictionary.nbytes < _FEW_WORDS else "ZSTD"


def _nulls(table: pa.Table) -> str:
    counts = {name: table.column(name).null_count for name in SCHEMA.names if name != "access_id"}
    return json.dumps({name: count for name, count in counts.items() if count})


class _Hashing:
    """A file that knows its own SHA-256 when it is closed, without being read again."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=1 << 20)
        self.digest = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def __enter__(self) -> "_Hashing":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def sort_order(table: pa.Table) -> NDArray[np.int64]:
    """Return the order by account, then time, then place in the file."""
    account = table.column("account").combine_chunks()
    if isinstance(account, pa.ChunkedArray):
        account = pa.concat_arrays(account.chunks)
    at = table.column("at").cast(pa.int64()).to_numpy()
    codes = _alphabetical(account)
    lines = table.column("source_line").to_numpy()
    span = int(at.max() - at.min() + 1) if len(at) else 1
    if (int(codes.max(initial=0)) + 1) * span < 1 << 62 and _ascending(lines):
        return np.argsort(codes * span + (at - at.min(initial=at[0])), kind="stable")
    return np.lexsort((lines, at, codes))


def _alphabetical(column: pa.DictionaryArray) -> NDArray[np.int64]:
    """Return the alphabetical rank of each row's word; null comes last."""
    words = column.dictionary
    rank = np.empty(len(words) + 1, np.int64)
    rank[pc.array_sort_indices(words).to_numpy()] = np.arange(len(words))
    rank[len(words)] = len(words)
    codes: NDArray[np.int64] = rank[column.indices.fill_null(len(words)).to_numpy()]
    return codes


def _ascending(values: NDArray[np.int64]) -> bool:
    return bool(np.all(values[1:] >= values[:-1]))


def read_segments(
    home: Path,
    segments: Iterable[str],
    kind: str = "events",
    columns: list[str] | None = None,
    where: Any = None,
) -> pa.Table:
    """Read the segments at these paths into one table; `where` is a filter of pyarrow.

    Raises `StoreError` naming the segment that is missing or damaged.
    """
    schema = SCHEMAS[kind]
    paths = [str(home / path) for path in segments]
    wanted = schema if columns is None else pa.schema([schema.field(name) for name in columns])
    if not paths:
        return wanted.empty_table()
    texts = [field.name for field in schema if field.type == TEXT]
    parquet = ds.ParquetFileFormat(dictionary_columns=texts)
    try:
        found = ds.dataset(paths, schema=schema, format=parquet).to_table(columns, where)
    except (OSError, pa.ArrowException) as error:
        raise damaged(paths, error) from None
    return found.cast(wanted)


def damaged(paths: list[str], error: Exception) -> StoreError:
    """Return the error that names the first of `paths` that cannot be read."""
    for path in paths:
        try:
            pq.ParquetFile(path).read()
        except (OSError, pa.ArrowException):
            break
    return StoreError(
        N_("a segment cannot be read ({reason})"),
        where=path,
        remedy=N_("run vigie verify, then restore the segment from a backup"),
        reason=_damage(error),
    )


def _damage(error: Exception) -> Text:
    """Say it in our words: those of the library quote bytes of the file."""
    missing = isinstance(error, FileNotFoundError)
    return reason_of(error) if missing else N_("its content is not what was written")


def with_access_ids(table: pa.Table) -> pa.Table:
    """Fill the access ids in: null in a segment says that the access is this event alone."""
    filled = pc.coalesce(table.column("access_id"), table.column("event_id"))
    return table.set_column(
        table.column_names.index("access_id"), SCHEMA.field("access_id"), filled
    )
