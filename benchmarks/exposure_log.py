"""A store with as many accesses of one account as are asked for, and what is declared of them."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from vigie.events import READ_SCHEMA, TIME, constant, empty_column
from vigie.readers.base import QUARANTINE_SCHEMA, Batch, Source, Tally
from vigie.records import CONTRACTS, SCREENS
from vigie.stores import Store

SITES = 84
_START = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp() * 1e6)
_DAY = 86_400_000_000
_BATCH = 1 << 18


def fill(home: Path, rows: int) -> None:
    """Store `rows` openings by the account `thief` over thirty days, three per person."""
    with Store.open(home, write=True) as store:
        for day in range(30):
            path = home.parent / f"day-{day}"
            path.write_text(f"{rows} {day}")
            with store.receive(path, path.name, Source("portal"), "bench") as receiving:
                for batch in _batches(rows, day):
                    receiving.add(batch)
        attested = {"attested_by": "bench", "attested_on": date(2026, 1, 1)}
        store.put_table("screens", pa.Table.from_pylist(
            [{"source": "portal", "object": "record", "data_class": name} | attested
             for name in ("identity", "nir", "coverage")], schema=SCREENS))  # fmt: skip
        store.put_table("contracts", pa.Table.from_pylist(
            [{"organisation": f"site-{n}", "controller": f"insurer {n}", "role": "controller"}
             for n in range(SITES)], schema=CONTRACTS))  # fmt: skip


def _batches(rows: int, day: int):
    rng = np.random.default_rng(day)
    left, line = rows // 30, 1
    while left > 0:
        count = min(left, _BATCH)
        yield _batch(rng, count, day, line, rows // 3)
        left, line = left - count, line + count


def _batch(rng: np.random.Generator, count: int, day: int, line: int, persons: int) -> Batch:
    at = np.sort(_START + day * _DAY + rng.integers(0, _DAY, count))
    who = rng.integers(0, max(persons, 1), count).astype(np.uint64)
    keys = np.stack([who * np.uint64(0x9E3779B97F4A7C15), who], axis=1)
    site = pa.DictionaryArray.from_arrays(
        pa.array(rng.integers(0, SITES, count).astype(np.int32)),
        [f"site-{n}" for n in range(SITES)],
    )
    known = {
        "source": constant("portal", count), "source_file": constant(f"day-{day}", count),
        "source_line": pa.array(np.arange(line, line + count)),
        "line_hash": _keys(rng.integers(0, 1 << 62, (count, 2)).astype(np.uint64)),
        "mapping_version": constant("bench", count), "at": pa.array(at).cast(TIME),
        "clock_quality": constant("exact", count), "account": constant("thief", count),
        "actor_kind": constant("person", count), "organisation": site,
        "session": constant("s", count), "network": constant("192.0.2.1", count),
        "action": constant("open", count), "object": constant("record", count),
        "outcome": constant("success", count), "patient": _keys(keys),
        "part": pa.array(np.zeros(count, np.int32)),
    }  # fmt: skip
    columns = [known.get(f.name, empty_column(f.name, count)) for f in READ_SCHEMA]
    events = pa.table([c.cast(f.type) for c, f in zip(columns, READ_SCHEMA, strict=True)],
                      schema=READ_SCHEMA)  # fmt: skip
    return Batch(events, QUARANTINE_SCHEMA.empty_table(), Tally(count, count))


def _keys(words: np.ndarray) -> pa.Array:
    data = pa.py_buffer(np.ascontiguousarray(words))
    return pa.Array.from_buffers(pa.binary(16), len(words), [None, data])
