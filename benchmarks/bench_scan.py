"""A scan of a store beside DuckDB's count of distinct patients per account and day: time, memory.

    python -m benchmarks.bench_scan [MILLION…]

The store holds copies of one simulated hospital (see `bench_scale`), a segment a day as after a
compaction. What is timed is what `vigie scan` does once the logs are in: reading, detection, what
the answer is blind to, and the columns put away for `explain`. Processor time of the process,
DuckDB's beside it in the same run; each size is a process of its own.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.base import Result
from benchmarks.bench_scale import days
from vigie.config import Settings
from vigie.detection import COLUMNS, detect_slices
from vigie.detectors.hindsight import Hindsight
from vigie.events import SCHEMA
from vigie.readers.base import Source
from vigie.stores import Store
from vigie.stores.segments import OWN_FIELDS, PHYSICAL, sort_order, write_segment

SIZES: Final = (1.0, 3.0, 10.0, 30.0)
SCALE: Final = 0.13
_ASKED: Final = [name for name in SCHEMA.names if name in {*COLUMNS, "event_id"}]
_UNREAD: Final = {
    "line_hash": "event_id", "mapping_version": "source", "clock_quality": "source",
    "received_at": "at",
}  # fmt: skip
"""Columns that must be there and that no scan reads, and what they are filled with."""
_DAY: Final = 86_400_000_000


def run(scale: float) -> list[Result]:
    """Return the row of the bench table, of 10 million accesses times `scale`."""
    found = measure(10 * scale)
    name = "DuckDB, distinct patients by account and day"
    note = f"{found['rows'] / 1e6:.1f} M accesses, peak {found['peak']:.2f} GB"
    return [Result("scan of a store", found["ours"], name, found["theirs"], "s", "at most 4", note)]


def fill(home: Path, millions: float) -> None:
    """Write the days of the copies into a new store."""
    with Store.open(home, write=True) as store:
        store.declare_source(Source("hospital"))
        with store.operation("bench") as operation:
            for number, events in enumerate(days(millions, SCALE)):
                _write(store, events, f"{operation:08d}-{number:08d}", operation)
            store.mark_done(operation)


def _write(store: Store, events: pa.Table, name: str, operation: int) -> None:
    table = _physical(events)
    day = str(np.datetime64(int(table.column("at").cast(pa.int64())[0].as_py()) // _DAY, "D"))
    fields: dict[str, Any] = write_segment(
        store.home, "events", "hospital", day, name, table
    ).fields() | {"operation": operation}
    store.catalogue.insert("segments", **fields)


def _physical(events: pa.Table) -> pa.Table:
    """Return events as a segment holds them, in its order."""
    given = {name: events.column(name) for name in events.column_names}
    for name, like in _UNREAD.items():
        given[name] = events.column(like)
    given["access_id"] = pa.nulls(events.num_rows, SCHEMA.field("access_id").type)
    given |= {field.name: _zeros(field, events.num_rows) for field in OWN_FIELDS}
    columns = [
        given[field.name] if field.name in given else pa.nulls(events.num_rows, field.type)
        for field in PHYSICAL
    ]
    table = pa.table(columns, schema=PHYSICAL).unify_dictionaries()
    return table.take(pa.array(sort_order(table))).combine_chunks()


def _zeros(field: pa.Field, count: int) -> pa.Array:
    if field.nullable:
        return pa.nulls(count, field.type)
    return pa.array(np.zeros(count, np.int32))


def scan(home: Path) -> int:
    """Detect on the store as `vigie scan` does; return how many alerts there are."""
    with Store.open(home) as store:
        walk = store.walk()
        found = detect_slices(walk.slices(_ASKED), walk.span, Settings(), keep=Hindsight(home))
    return len(found.alerts)


def count(home: Path) -> int:
    """Return how many rows DuckDB's answer has."""
    found = duckdb.sql(
        'SELECT account, "at"::DATE AS day, count(DISTINCT patient)'
        f" FROM read_parquet('{home}/segments/hospital/*/*.parquet') GROUP BY ALL"
    ).to_arrow_table()
    return int(found.num_rows)


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Return processor seconds and seconds by the clock."""
    busy, begun = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - busy, time.perf_counter() - begun


def measure(millions: float) -> dict[str, float]:
    """Measure one size in a fresh process, its store in another."""
    with tempfile.TemporaryDirectory() as folder:
        for what in ("--fill", "--one"):
            command = [sys.executable, "-m", "benchmarks.bench_scan", what, folder, str(millions)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def one(home: Path) -> dict[str, float]:
    """Return what a scan of this store costs, and what DuckDB's count does."""
    with Store.open(home) as store:
        rows = store.walk().rows
    ours = min(spent(lambda: scan(home)) for _ in range(2 if rows > 5e6 else 3))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    theirs = min(spent(lambda: count(home)) for _ in range(3))
    return {
        "rows": rows, "ours": ours[0], "clock": ours[1], "theirs": theirs[0],
        "their_clock": theirs[1], "peak": peak,
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--fill"]:
        fill(Path(sys.argv[2]), float(sys.argv[3]))
        return
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(Path(sys.argv[2]))))
        return
    print(
        "| million accesses | scan, processor s | clock s | µs an access | DuckDB, processor s "
        "| clock s | ratio | peak memory, GB |\n|---:|---:|---:|---:|---:|---:|---:|---:|",
        flush=True,
    )
    for millions in [float(text) for text in sys.argv[1:]] or SIZES:
        f = measure(millions)
        print(
            f"| {f['rows'] / 1e6:.1f} | {f['ours']:.1f} | {f['clock']:.1f} "
            f"| {1e6 * f['ours'] / f['rows']:.2f} | {f['theirs']:.2f} | {f['their_clock']:.2f} "
            f"| {f['ours'] / f['theirs']:.1f} | {f['peak']:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
