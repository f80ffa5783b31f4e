"""The store's own part of an import: rows in the waist to sealed and settled segments."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.base import Result
from vigie.events import KEY, READ_SCHEMA, constant, empty_column
from vigie.readers.base import QUARANTINE_SCHEMA, Batch, Source, Tally
from vigie.stores import Store

BATCH = 200_000
START = 1_756_684_800_000_000  # 2025-09-01, microseconds
ROWS_PER_DAY = 400_000


def batches(rows: int, seed: int = 1) -> Iterator[Batch]:
    """Yield a hospital-like log in order of time, `BATCH` rows at a time."""
    chance = np.random.default_rng(seed)
    for begin in range(0, rows, BATCH):
        count = min(BATCH, rows - begin)
        yield Batch(
            _rows(chance, begin, count), QUARANTINE_SCHEMA.empty_table(), Tally(count, count)
        )


def _rows(chance: np.random.Generator, begin: int, count: int) -> pa.Table:
    def words(prefix: str, distinct: int) -> pa.Array:
        indices = chance.integers(0, distinct, count, dtype=np.int32)
        return pa.DictionaryArray.from_arrays(
            pa.array(indices), pa.array([f"{prefix}{n:06d}" for n in range(distinct)])
        )

    def keys(values: np.ndarray) -> pa.Array:
        data = np.random.PCG64(3).state["state"]["state"] & 0xFFFF
        words = np.stack([values * 0x9E3779B97F4A7C15 + data, values ^ 0x5DEECE66D], axis=1)
        return pa.Array.from_buffers(KEY, count, [None, pa.py_buffer(words.astype(np.uint64))])

    step = 86_400_000_000 // ROWS_PER_DAY
    lines = np.arange(begin, begin + count)
    columns = {name: empty_column(name, count) for name in READ_SCHEMA.names} | {
        "source": constant("hospital", count),
        "source_file": constant("audit.csv", count),
        "source_line": pa.array(lines + 2),
        "line_hash": pa.Array.from_buffers(
            KEY, count, [None, pa.py_buffer(chance.integers(0, 1 << 62, (count, 2)))]
        ),
        "mapping_version": constant("m1", count),
        "at": pa.array(START + lines * step, READ_SCHEMA.field("at").type),
        "clock_quality": constant("exact", count),
        "account": words("acc", 4000),
        "actor_kind": constant("person", count),
        "professional": words("8100", 4000),
        "profession": words("p", 30),
        "role": words("role", 20),
        "organisation": words("75000", 12),
        "unit": words("unit", 200),
        "session": words("session-abcdef-", 20000),
        "network": words("10.1.2.", 4000),
        "device": words("pc", 4000),
        "action": pa.DictionaryArray.from_arrays(
            pa.array(chance.integers(0, 6, count, dtype=np.int32)),
            pa.array(["open", "search", "list", "create", "update", "print"]),
        ),
        "object": words("screen", 60),
        "outcome": constant("success", count),
        "patient": keys(chance.integers(0, 900_000, count).astype(np.uint64)),
        "id_gap": pa.array(chance.integers(-1001, 1002, count, dtype=np.int32)),
        "part": pa.array(np.zeros(count, np.int32)),
    }
    return pa.table([columns[name] for name in READ_SCHEMA.names], schema=READ_SCHEMA)


def raw_bytes(rows: int) -> Iterator[bytes]:
    """Yield about as many bytes of text as such a log has, to be sealed."""
    chance = np.random.default_rng(2)
    line = (
        b"2025-09-01T08:00:00.000000;acc000001;81000001;p000003;unit000012;open;screen000031;%09d\n"
    )
    block = b"".join(line % number for number in chance.integers(0, 10**9, 20_000))
    for _ in range(0, rows, 20_000):
        yield block


def store_rows(home: Path, rows: int, chance: int = 1) -> float:
    """Receive `rows` rows into a new store and return the seconds that the store took."""
    path = home / f"log-{chance}"
    path.write_text(f"{rows} {chance}")
    prepared = list(batches(rows, chance)) if rows <= 2_000_000 else batches(rows, chance)
    began = time.perf_counter()
    with (
        Store.open(home / "store", write=True) as store,
        store.receive(path, path.name, Source("hospital"), "bench") as receiving,
    ):
        for block in raw_bytes(rows):
            receiving.seal(block)
        for batch in prepared:
            receiving.add(batch)
    return time.perf_counter() - began


def run(scale: float = 1.0) -> list[Result]:
    rows = max(200_000, int(2_000_000 * scale))
    with tempfile.TemporaryDirectory() as name:
        home, warm = Path(name), Path(name) / "warm"
        warm.mkdir()
        store_rows(warm, 10_000)
        seconds, reference = store_rows(home, rows), _duckdb(home, rows)
    return [
        Result(
            "store's part of an import", rows / seconds, "DuckDB, the same rows CSV to Parquet",
            rows / reference, "rows/s", "with the reader: 0.35", "2 threads each",
        )
    ]  # fmt: skip


def _duckdb(home: Path, rows: int) -> float:
    """Return the seconds that DuckDB takes from the same rows as CSV to Parquet, with 2 threads."""
    connection = duckdb.connect(config={"threads": 2})
    table = pa.concat_tables(batch.events for batch in batches(rows))
    held = [n for n in table.column_names if table.column(n).null_count == 0]
    connection.register("rows", table.select([n for n in held if n != "part"]))
    connection.execute(f"COPY (SELECT * FROM rows) TO '{home}/rows.csv'")
    began = time.perf_counter()
    connection.execute(
        f"COPY (FROM read_csv('{home}/rows.csv')) TO '{home}/rows.parquet' (COMPRESSION zstd)"
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    for result in run():
        print(result, f"{result.ratio:.2f}")
