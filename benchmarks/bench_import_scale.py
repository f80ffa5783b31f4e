"""Import at growing scale: memory stays flat and time grows with the rows.

One store takes a log of a file per day, 500,000 rows each, the real way: the table reader on CSV,
pseudonyms, sealed originals, segments. Each day is written by another process and deleted once it
is stored, so that neither the memory nor the time of making it counts.
"""

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.base import Result

MARKS = (1, 5, 10, 25, 50)
LIMIT = 1.5
DAY_ROWS = 500_000


def measure(millions: float) -> list[dict[str, float]]:
    """Import so many million rows in a fresh process; what it had reached at each mark."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_import_scale", "--one", str(millions)],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def run(scale: float = 1.0) -> list[Result]:
    """Measure up to 50 million rows times `scale`."""
    found = measure(MARKS[-1] * scale)
    results = [
        Result(
            f"peak memory, {one['millions']:g} M events", one["peak"], "limit", LIMIT,
            "GB resident", "at most 1.0",
            f"{one['seconds']:.0f} s, {one['processor']:.0f} s of processor,"
            f" {one['bytes']:.0f} bytes a row",
        )
        for one in found
    ]  # fmt: skip
    early, late = _slope(found[0], found[-3]), _slope(found[-3], found[-1])
    span = f"{found[0]['millions']:g} to {found[-3]['millions']:g} M"
    return [
        *results,
        Result(
            f"processor time a row, {found[-3]['millions']:g} to {found[-1]['millions']:g} M",
            late, f"the same, {span}", early, "µs", "about 1.0",
        ),
    ]  # fmt: skip


def _slope(low: dict[str, float], high: dict[str, float]) -> float:
    """Return the microseconds of processor per further row: starting costs the same anywhere."""
    return (high["processor"] - low["processor"]) / (high["millions"] - low["millions"])


def _write_day(path: Path, day: int, rows: int) -> None:
    import pyarrow.csv

    from benchmarks import bench_tables

    first = str(np.datetime64("2025-01-01") + day)
    pyarrow.csv.write_csv(bench_tables.sample(rows, seed=day, first=first, days=1), path)


def _one(millions: float) -> None:
    from benchmarks import bench_tables
    from vigie.pipeline import import_file
    from vigie.readers.mapping import parse_mapping
    from vigie.stores import Store

    total = int(millions * 1_000_000)
    marks = [int(total * mark / MARKS[-1]) for mark in MARKS]
    mapping = parse_mapping(bench_tables.MAPPING)
    work = multiprocessing.get_context("spawn").Pool(1)
    with work, tempfile.TemporaryDirectory(dir=os.environ.get("VIGIE_BENCH_DIR")) as name:
        home, rows, seconds, processor = Path(name) / "store", 0, 0.0, 0.0
        for day in range(-(-total // DAY_ROWS)):
            path = Path(name) / f"audit-{day:04d}.csv"
            work.apply(_write_day, (path, day, min(DAY_ROWS, total - rows)))
            began, used = time.perf_counter(), time.process_time()
            with Store.open(home, write=True) as store:
                receipt = import_file(store, path, path.name, mapping).receipt
            seconds += time.perf_counter() - began
            processor += time.process_time() - used
            assert receipt is not None
            rows += receipt.added
            path.unlink()
            if marks and rows >= marks[0]:
                marks.pop(0)
                _tell(home, rows, seconds, processor)


def _tell(home: Path, rows: int, seconds: float, processor: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    size = sum(path.stat().st_size for path in (home / "segments").rglob("*.parquet"))
    told = {"peak": peak, "seconds": seconds, "processor": processor, "bytes": size / rows}
    sys.stdout.write(json.dumps({"millions": rows / 1e6} | told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(float(sys.argv[2]))
    else:
        for result in run(float(sys.argv[1]) if sys.argv[1:] else 1.0):
            sys.stdout.write(f"{result} {result.ratio:.2f}\n")
