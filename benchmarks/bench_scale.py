"""Detection at growing scale: time and memory from 1 to 100 million accesses, a day at a time.

    python -m benchmarks.bench_scale [MILLION…]

One simulated hospital of 60 days is multiplied: each copy has accounts, patients, places and
sessions of its own. Its days are fed one by one, as a store would give them, and nothing is kept
but what a live watch remembers. Only the detection is timed, by the processor time of the process
and by the clock; the copies are made in between. Each size is a process of its own.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.worlds import as_events
from vigie.detection import COLUMNS
from vigie.events import KEY
from vigie.simulate.presets import simulate
from vigie.stream import Stream
from vigie.timeline.units import DAY

SIZES: Final = (1.0, 3.0, 10.0, 30.0, 100.0)
OWN: Final = ("account", "organisation", "network", "device", "session")
KEYS: Final = ("event_id", "access_id", "patient")
LEARNT: Final = 24
"""Days of the learning part."""


def days(millions: float, scale: float) -> Iterator[pa.Table]:
    """Yield the days of copies of one hospital that hold so many accesses together."""
    events = as_events(simulate("hospital", scale, 201))
    events = events.select([name for name in COLUMNS if name in events.column_names])
    copies = max(round(millions * 1e6 / events.num_rows), 1)
    day = pc.divide(events.column("at").cast(pa.int64()), DAY).to_numpy()
    edges = np.flatnonzero(np.diff(day)) + 1
    for start, stop in zip([0, *edges], [*edges, len(day)], strict=True):
        part = events.slice(start, stop - start)
        yield pa.concat_tables([copy(part, number) for number in range(copies)])


def copy(events: pa.Table, number: int) -> pa.Table:
    """Return events of other accounts, patients and places."""
    for name in OWN:
        place = events.column_names.index(name)
        chunk = events.column(name).combine_chunks()
        used = pc.unique(chunk.indices).drop_null()
        words = pc.binary_join_element_wise(chunk.dictionary.take(used), str(number), "~")
        indices = pc.index_in(chunk.indices, value_set=used)
        events = events.set_column(place, name, pa.DictionaryArray.from_arrays(indices, words))
    for name in KEYS:
        place = events.column_names.index(name)
        events = events.set_column(place, name, other_keys(events.column(name), number))
    return events


def other_keys(column: pa.ChunkedArray, number: int) -> pa.Array:
    """Return keys of another copy, null where they were."""
    chunk = column.combine_chunks()
    raw = np.frombuffer(chunk.buffers()[1], np.uint64)
    raw = raw[2 * chunk.offset : 2 * (chunk.offset + len(chunk))].reshape(-1, 2)
    salt = np.array([number, number << 32], np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    keys = pa.Array.from_buffers(KEY, len(chunk), [None, pa.py_buffer((raw ^ salt).tobytes())])
    missing = chunk.is_null()
    return pc.if_else(missing, pa.scalar(None, KEY), keys) if chunk.null_count else keys


def measure(millions: float, scale: float) -> str:
    """Detect on so many accesses; return the row of the table."""
    stream, alerts = None, 0
    rows, clock, busy = 0, 0.0, 0.0
    for events in days(millions, scale):
        first = int(pc.min(events.column("at")).cast(pa.int64()).as_py())
        if stream is None:
            until = datetime.fromtimestamp((first // DAY + LEARNT) * DAY / 1e6, UTC)
            stream = Stream(learn_until=until)
        begun, spent = time.perf_counter(), time.process_time()
        alerts += len(stream.feed(events, (first // DAY + 1) * DAY))
        clock += time.perf_counter() - begun
        busy += time.process_time() - spent
        rows += events.num_rows
    assert stream is not None
    begun, spent = time.perf_counter(), time.process_time()
    alerts += len(stream.finish())
    clock += time.perf_counter() - begun
    busy += time.process_time() - spent
    accounts = len(stream.reader.words["account"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return (
        f"| {rows / 1e6:.1f} | {accounts:,} | {clock:.1f} | {busy:.1f} | {1e6 * busy / rows:.2f} "
        f"| {peak:.2f} | {alerts} |"
    )


def main() -> None:
    """Print the table; a size given with `--one` is measured in this process."""
    if sys.argv[1:2] == ["--one"]:
        measure(0.05, 0.01)
        print(measure(float(sys.argv[2]), float(sys.argv[3])), flush=True)
        return
    print(
        "| million accesses | accounts | seconds | processor seconds | processor µs an access "
        "| peak memory, GB | alerts |\n|---:|---:|---:|---:|---:|---:|---:|",
        flush=True,
    )
    for millions in [float(text) for text in sys.argv[1:]] or SIZES:
        command = [sys.executable, "-m", "benchmarks.bench_scale", "--one", str(millions), "0.13"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
