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


def main(scales: tuple[float, ...] = SCALES) -> list[Result]:
    found = {scale: measure(scale) for scale in scales}
    results = [
        Result(
            f"peak memory, {scale:g} M events", one["peak"], "limit", LIMIT, "GB resident",
            "at most 1.0", f"{one['seconds']:.0f} s, {one['bytes_per_row']:.0f} bytes a row",
        )
        for scale, one in found.items()
    ]  # fmt: skip
    first, last = scales[0], scales[-1]
    return [
        *results,
        Result(
            f"seconds per million events at {last:g} M", found[last]["seconds"] / last,
            f"the same at {first:g} M", found[first]["seconds"] / first, "s", "about 1.0",
        ),
    ]  # fmt: skip


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
        for result in main(tuple(map(float, sys.argv[1:])) or SCALES):
            print(result, f"{result.ratio:.2f}")
