"""A store of as many accesses as are asked for, a share of them by one account, and what is
declared of them.

Its segments are written by the store's own writer, a day each, without reading lines first: what
is measured is the question, not the import.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from vigie.events import TIME, constant, empty_column
from vigie.records import CONTRACTS, SCREENS
from vigie.stores import Store
from vigie.stores.layout import numbered
from vigie.stores.segments import PHYSICAL, write_segment

SITES = 84
ACCOUNTS = 2_000
DAYS = 30
SINCE = datetime(2026, 1, 5, tzinfo=UTC)
THIEF = "thief"
STOLEN_FROM = 10
"""From that day on a quarter of the account's accesses are from elsewhere."""
_DAY = 86_400_000_000


def fill(home: Path, rows: int, share: float = 1.0) -> None:
    """Store `rows` openings over thirty days, three per person, `share` of them by THIEF."""
    with Store.open(home, write=True) as store, store.operation("bench") as operation:
        names = numbered(operation)
        for number, table in enumerate(_days(rows, share)):
            day = f"{SINCE + timedelta(number):%Y-%m-%d}"
            one = write_segment(home, "events", "portal", day, next(names), table, 1)
            store.catalogue.insert("segments", **one.fields())
        store.catalogue.insert(
            "files", source="portal", label="bench", name="bench", sha256="", size=0,
            received_at=0, state="received", reader="bench", mapping_version="bench",
        )  # fmt: skip
        store.mark_done(operation)
    _declare(home)


def _declare(home: Path) -> None:
    attested = {"attested_by": "bench", "attested_on": date(2026, 1, 1)}
    with Store.open(home, write=True) as store:
        store.put_table("screens", pa.Table.from_pylist(
            [{"source": "portal", "object": "record", "data_class": name} | attested
             for name in ("identity", "nir", "coverage")], schema=SCREENS))  # fmt: skip
        store.put_table("contracts", pa.Table.from_pylist(
            [{"organisation": f"site-{n}", "controller": f"insurer {n}", "role": "controller"}
             for n in range(SITES)], schema=CONTRACTS))  # fmt: skip


def _days(rows: int, share: float) -> Iterator[pa.Table]:
    for day in range(DAYS):
        yield _day(np.random.default_rng(day), rows // DAYS, day, max(rows // 3, 1), share)


def _day(rng: np.random.Generator, count: int, day: int, persons: int, share: float) -> pa.Table:
    who = np.sort(np.where(rng.random(count) < share, ACCOUNTS, rng.integers(0, ACCOUNTS, count)))
    at = int(SINCE.timestamp() * 1e6) + day * _DAY + rng.integers(0, _DAY, count)
    at = at[np.lexsort((at, who))]
    patient = rng.integers(0, persons, count)
    keys = np.stack([patient.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15), patient], axis=1)
    logins = [*(f"account-{n:04d}" for n in range(ACCOUNTS)), THIEF]
    zero = pa.array(np.zeros(count, np.int32))
    away = (who == ACCOUNTS) & (patient % 4 == 0) & (day >= STOLEN_FROM)
    place = np.where(away, 1, 0)
    known = {
        "event_id": _random(rng, count), "line_hash": _random(rng, count),
        "source": constant("portal", count), "source_file": constant("bench", count),
        "source_line": pa.array(np.arange(count)), "mapping_version": constant("bench", count),
        "at": pa.array(at).cast(TIME), "received_at": pa.array(at).cast(TIME),
        "clock_quality": constant("exact", count), "account": _named(who, logins),
        "actor_kind": constant("person", count),
        "session": _named(place, [f"own-{day}", f"x-{day}"]),
        "organisation": _named(patient % SITES, [f"site-{n}" for n in range(SITES)]),
        "network": _named(place, ["192.0.2.1", "198.51.100.9"]),
        "device": _named(place, ["desk", "laptop"]),
        "action": constant("open", count),
        "object": constant("record", count), "outcome": constant("success", count),
        "patient": _keys(keys.astype(np.uint64)), "file": pa.array(np.ones(count, np.int32)),
        "part": zero, "occurrence": zero,
    }  # fmt: skip
    columns = [
        known[f.name].cast(f.type) if f.name in known else _nothing(f, count) for f in PHYSICAL
    ]
    return pa.table(columns, schema=PHYSICAL)


def _nothing(field: pa.Field, count: int) -> pa.Array:
    if field.name in ("access_id", "access_own"):
        return pa.nulls(count, field.type)
    return empty_column(field.name, count).cast(field.type)


def _named(codes: np.ndarray, words: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), words)


def _random(rng: np.random.Generator, count: int) -> pa.Array:
    return _keys(rng.integers(0, 1 << 63, (count, 2)).astype(np.uint64))


def _keys(words: np.ndarray) -> pa.Array:
    data = pa.py_buffer(np.ascontiguousarray(words))
    return pa.Array.from_buffers(pa.binary(16), len(words), [None, data])
