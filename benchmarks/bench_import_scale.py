"""Import at growing scale: memory stays flat and time grows with the rows.

Each scale runs in a process of its own, whose peak resident memory is what the system counted.
The rows are generated as they are received, so that the generator holds one batch only; its time
is taken off.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.base import Result

SCALES = (1, 5, 10, 25, 50)
LIMIT = 1.5


def measure(millions: float) -> dict[str, float]:
    """Receive so many million rows in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_import_scale", "--one", str(millions)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def run(scale: float = 1.0) -> list[Result]:
    scales = [millions * scale for millions in SCALES]
    found = {millions: measure(millions) for millions in scales}
    results = [
        Result(
            f"peak memory, {millions:g} M events", one["peak"], "limit", LIMIT, "GB resident",
            "at most 1.0", f"{one['seconds']:.0f} s, {one['bytes_per_row']:.0f} bytes a row",
        )
        for millions, one in found.items()
    ]  # fmt: skip
    first, middle, last = scales[0], scales[2], scales[-1]
    return [
        *results,
        Result(
            f"seconds per million events, {middle:g} to {last:g} M", _slope(found, middle, last),
            f"the same, {first:g} to {middle:g} M", _slope(found, first, middle), "s", "about 1.0",
        ),
    ]  # fmt: skip


def _slope(found: dict[float, dict[str, float]], low: float, high: float) -> float:
    """Return the seconds per further million: starting and compiling cost the same at any scale."""
    return (found[high]["seconds"] - found[low]["seconds"]) / (high - low)


def _one(millions: float) -> None:
    from benchmarks import bench_store
    from vigie.readers.base import Source
    from vigie.stores import Store

    rows = int(millions * 1_000_000)
    with tempfile.TemporaryDirectory(dir=os.environ.get("VIGIE_BENCH_DIR")) as name:
        home = Path(name)
        (home / "log").write_text(str(rows))
        making, began = 0.0, time.perf_counter()
        with (
            Store.open(home / "store", write=True) as store,
            store.receive(home / "log", "log", Source("hospital"), "bench") as receiving,
        ):
            made = time.perf_counter()
            for batch in bench_store.batches(rows):
                making += time.perf_counter() - made
                receiving.add(batch)
                made = time.perf_counter()
        seconds = time.perf_counter() - began - making
        size = sum(path.stat().st_size for path in (home / "store/segments").rglob("*.parquet"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    print(json.dumps({"peak": peak, "seconds": seconds, "bytes_per_row": size / rows}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(float(sys.argv[2]))
    else:
        for result in run(float(sys.argv[1]) if sys.argv[1:] else 1.0):
            print(result, f"{result.ratio:.2f}")
