"""Rows of one import on their way to segments: spilled to disk, found again by time.

A reader gives rows in the order of the file; a segment wants those of one day. Rows are gathered
into runs, each sorted by quarter of an hour and written as an Arrow file with one record batch per
day; a partition (a day, or part of one when it is large) is then read back from every run that
holds some. Memory holds one run while reading, and the partitions in work afterwards, whatever
the size of the file.

Identical lines carry the same time, so they always meet in the same partition: what must be told
apart by rank can be told partition by partition.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import READ_SCHEMA, TIME, constant
from vigie.stores.layout import telling

SLOT: Final = 900_000_000
"""Microseconds in a quarter of an hour, the finest partition."""
SLOTS_PER_DAY: Final = 96
RUN_ROWS: Final = 1 << 17
"""Rows of a run, at least; the batches of a fast reader are larger and need not be joined."""
_RUNS: Final = 128
"""After so many runs they are twice as large, and so on: each is an open file."""
HELD_ROWS: Final = 1 << 20
"""Rows that stay in memory: the daily import of a hospital never touches the disk."""
PARTITION_ROWS: Final = 1 << 19


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows of one source with `first <= slot < last`, all of one UTC day."""

    first: int
    last: int
    rows: int

    @property
    def day(self) -> str:
        """Return the UTC day as ISO 8601."""
        return str(np.datetime64(self.first // SLOTS_PER_DAY, "D"))

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the first microsecond inside and the first one after."""
        return self.first * SLOT, self.last * SLOT


def within(partition: Partition) -> Any:
    """Return the filter of pyarrow that keeps what lies in a partition's time."""
    first, last = (pa.scalar(bound, TIME) for bound in partition.bounds)
    return (pc.field("at") >= first) & (pc.field("at") < last)


@dataclass(frozen=True, slots=True)
class _Run:
    """One sorted file: `slots[i]` begins at row `starts[i]` of record batch `batches[i]`."""

    reader: Any
    constants: dict[str, pa.Array]
    slots: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    batches: NDArray[np.int64]
    span: tuple[int, int]
    lines: tuple[int, int]


class Staging:
    """The rows of one import. `add` them all, then `load` each of the `partitions`."""

    def __init__(self, folder: Path, run_rows: int = RUN_ROWS) -> None:
        self._folder, self._run_rows = folder, run_rows
        self._left = HELD_ROWS
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self.rows = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="staging")
        self._work: list[Future[_Run]] = []
        self._lock = Lock()

    def add(self, table: pa.Table) -> None:
        """Take rows as a reader gives them."""
        if table.num_rows:
            self._waiting.append(table)
            self._waiting_rows += table.num_rows
            self.rows += table.num_rows
        if self._waiting_rows >= self._run_rows << len(self._work) // _RUNS:
            self._spill()

    def finish(self) -> None:
        """Write what waits; no row may come after."""
        self._spill()
        self._pool.shutdown(wait=True)
        self._runs = [work.result() for work in self._work]

    def abandon(self) -> None:
        """Stop the background work."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def span(self) -> tuple[int | None, int | None]:
        """Return the first and the last time of all rows, in microseconds."""
        return _ends(run.span for run in self._runs)

    @property
    def lines(self) -> tuple[int | None, int | None]:
        """Return the first and the last number of a line that gave a row."""
        return _ends(run.lines for run in self._runs)

    def partitions(self, limit: int = PARTITION_ROWS) -> Iterator[Partition]:
        """Yield the partitions in order of time, each of about `limit` rows at most."""
        if not self._runs:
            return
        slots = np.concatenate([run.slots for run in self._runs])
        counts = np.concatenate([run.counts for run in self._runs])
        slots, places = np.unique(slots, return_inverse=True)
        sizes = np.bincount(places, weights=counts).astype(np.int64)
        first, rows = int(slots[0]), 0
        for slot, size in zip(slots.tolist(), sizes.tolist(), strict=True):
            other_day = slot // SLOTS_PER_DAY != first // SLOTS_PER_DAY
            if rows and (other_day or rows + size > limit):
                yield Partition(first, slot if not other_day else _next_day(first), rows)
                first, rows = slot, 0
            rows += size
        yield Partition(first, _next_day(first), rows)

    def load(self, partition: Partition, names: list[str] = READ_SCHEMA.names) -> pa.Table:
        """Return the rows of a partition, those of one slot in the order of the file."""
        pieces = [piece for run in self._runs for piece in self._pieces(run, partition)]
        schema = pa.schema([READ_SCHEMA.field(name) for name in names])
        return pa.table([_column(name, pieces) for name in names], schema=schema)

    def _spill(self) -> None:
        if not self._waiting:
            return
        if len(self._work) > 1:
            self._work[-2].result()
        path = self._folder / f"{len(self._work):05d}.arrow"
        self._left -= self._waiting_rows
        self._work.append(self._pool.submit(_write_run, path, self._waiting, self._left >= 0))
        self._waiting, self._waiting_rows = [], 0

    def _pieces(self, run: _Run, partition: Partition) -> Iterator["_Piece"]:
        low, high = np.searchsorted(run.slots, (partition.first, partition.last))
        for number in np.unique(run.batches[low:high]).tolist():
            inside = np.flatnonzero(run.batches[low:high] == number) + low
            start, count = int(run.starts[inside[0]]), int(run.counts[inside].sum())
            with self._lock:
                batch = run.reader.get_batch(number)
            yield _Piece(batch.slice(start, count), run.constants)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Consecutive rows of a run, and what all rows of that run share."""

    rows: pa.RecordBatch
    constants: dict[str, pa.Array]

    def column(self, name: str) -> pa.Array:
        if name in self.constants:
            return _repeated(self.constants[name], self.rows.num_rows)
        return _compact(self.rows.column(name))


def _column(name: str, pieces: list[_Piece]) -> pa.Array:
    """Return a whole column, without touching its rows when it says one thing."""
    shared = [piece.constants.get(name) for piece in pieces]
    if shared[0] is not None and all(one is not None and one.equals(shared[0]) for one in shared):
        return _repeated(shared[0], sum(piece.rows.num_rows for piece in pieces))
    arrays = [piece.column(name) for piece in pieces]
    kind = READ_SCHEMA.field(name).type
    if any(array.type != kind for array in arrays):
        text = pa.concat_arrays([array.cast(pa.string()) for array in arrays])
        return pc.dictionary_encode(text)
    if len(arrays) == 1:
        return arrays[0]
    return pa.concat_arrays(pa.chunked_array(arrays).unify_dictionaries().chunks)


def _next_day(slot: int) -> int:
    return (slot // SLOTS_PER_DAY + 1) * SLOTS_PER_DAY


def _write_run(path: Path, tables: list[pa.Table], hold: bool) -> _Run:
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    tables.clear()
    at = table.column("at").cast(pa.int64()).to_numpy()
    span, lines = _extremes(at), _extremes(table.column("source_line").to_numpy())
    slots = at // SLOT
    if np.any(slots[1:] < slots[:-1]):
        order = np.argsort(slots, kind="stable")
        table, slots = table.take(pa.array(order)), slots[order]
    constants, table = _without_constants(table)
    starts = _begins(slots)
    found, counts = slots[starts], np.diff(starts, append=len(slots))
    day_slots = _begins(found // SLOTS_PER_DAY)
    days, day_starts = found[day_slots] // SLOTS_PER_DAY, starts[day_slots]
    sizes = np.diff(day_starts, append=len(slots))
    by_day = [table.slice(*one) for one in zip(day_starts, sizes, strict=True)]
    reader = _Held(by_day) if hold else _spilled(path, by_day)
    batches = np.searchsorted(days, found // SLOTS_PER_DAY)
    starts -= day_starts[batches]
    return _Run(reader, constants, found, starts, counts, batches, span, lines)


class _Held:
    """The record batches of a run that stays in memory, read as from a file."""

    def __init__(self, tables: list[pa.Table]) -> None:
        self._batches = [table.to_batches()[0] for table in tables]

    def get_batch(self, number: int) -> pa.RecordBatch:
        """Return one batch."""
        return self._batches[number]


def _spilled(path: Path, tables: list[pa.Table]) -> Any:
    """Write tables as the batches of an Arrow file and return its reader."""
    with telling(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with pa.ipc.new_file(str(path), tables[0].schema) as writer:
            for table in tables:
                writer.write_table(table)
        return pa.ipc.open_file(pa.OSFile(str(path)))


def _ends(spans: Iterable[tuple[int, int]]) -> tuple[int | None, int | None]:
    firsts, lasts = zip(*spans, strict=True) if (spans := list(spans)) else ((None,), (None,))
    return min(firsts), max(lasts)


def _extremes(values: NDArray[np.int64]) -> tuple[int, int]:
    return int(values.min()), int(values.max())


def _begins(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each stretch of equal values begins."""
    return np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])


def _without_constants(table: pa.Table) -> tuple[dict[str, pa.Array], pa.Table]:
    """Split off the columns that say one thing; decode those where hardly anything repeats."""
    constants: dict[str, pa.Array] = {}
    for name in table.column_names:
        column = table.column(name)
        if column.null_count == len(column):
            constants[name] = pa.nulls(1, column.type)
        elif pa.types.is_dictionary(column.type):
            words = len(column.chunk(0).dictionary)
            if words == 1 and not column.null_count:
                # Made anew: a slice would hold the whole column in memory until the end.
                constants[name] = constant(column[0].as_py(), 1)
            elif words > len(column) // 4 + 1000:
                table = table.set_column(
                    table.column_names.index(name), name, column.cast(pa.string())
                )
    return constants, table.drop_columns(list(constants))


def _repeated(one: pa.Array, count: int) -> pa.Array:
    if one.null_count:
        return pa.nulls(count, one.type)
    indices = pa.repeat(pa.scalar(0, pa.int32()), count)
    return pa.DictionaryArray.from_arrays(indices, one.dictionary_decode())


def _compact(column: pa.Array) -> pa.Array:
    """Keep only the words that a slice uses, when its dictionary is much larger than it."""
    if not pa.types.is_dictionary(column.type) or len(column.dictionary) <= len(column):
        return column
    indices = column.indices.dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        indices.indices, column.dictionary.take(indices.dictionary)
    )
