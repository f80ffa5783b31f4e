"""Reading the store: tables for the detectors, DuckDB views for questions.

Views: `events` (the waist), `accesses` (the waist with each access of a patient once, whatever
number of logs saw it), `quarantine`, `files`, `segments`, `tombstones`, and the declared tables
`screens`, `identities`, `contracts`. Times in views are UTC without a zone. `at` is a reserved
word of DuckDB: write it `"at"`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from vigie.events import SCHEMA, TIME
from vigie.records import LONG, TABLES
from vigie.stores import spilling
from vigie.stores.catalogue import Catalogue
from vigie.stores.declared import files, latest
from vigie.stores.files import moment
from vigie.stores.quoting import quoted
from vigie.stores.segments import (
    PHYSICAL,
    STORED_QUARANTINE,
    damaged,
    read_segments,
    with_access_ids,
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events: `since <= at < until`, of one account, of one source; None is all."""

    since: datetime | None = None
    until: datetime | None = None
    account: str | None = None
    source: str | None = None

    def filter(self) -> Any:
        """Return the filter of pyarrow, or None."""
        parts = []
        if self.since is not None:
            parts.append(pc.field("at") >= pa.scalar(self.since, TIME))
        if self.until is not None:
            parts.append(pc.field("at") < pa.scalar(self.until, TIME))
        if self.account is not None:
            parts.append(pc.field("account") == self.account)
        whole = None
        for part in parts:
            whole = part if whole is None else whole & part
        return whole

    def segments(self, catalogue: Catalogue) -> list[tuple[str, str]]:
        """Return `(day, path)` of the segments that may hold such events, in order of time."""
        low = -(1 << 62) if self.since is None else _microseconds(self.since)
        high = 1 << 62 if self.until is None else _microseconds(self.until)
        rows = catalogue.rows(
            "SELECT day, path FROM segments WHERE state = 'live' AND kind = 'events'"
            " AND max_at >= ? AND min_at < ? AND (? IS NULL OR source = ?)"
            " ORDER BY day, source, min_at, id",
            low, high, self.source, self.source,
        )  # fmt: skip
        return [(row["day"], row["path"]) for row in rows]


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """What the store holds of one source. `nulls` counts them per column of the waist.

    `lines`, `ignored` and `quarantined` add up the files received; `quarantined_now` are the
    lines still unread. `first_at` and `last_at` bound the events.
    """

    name: str
    time_zone: str
    retention_days: int
    rows: int = 0
    quarantined_now: int = 0
    files: int = 0
    lines: int = 0
    accepted: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    quarantined: int = 0
    ambiguous: int = 0
    damaged: tuple[str, ...] = ()
    nulls: dict[str, int] = field(default_factory=dict)
    first_at: datetime | None = None
    last_at: datetime | None = None
    last_received: datetime | None = None


def events(
    home: Path, catalogue: Catalogue, columns: list[str] | None, wanted: Selection
) -> pa.Table:
    """Return the events of a selection; see `Store.events`."""
    paths = [path for _, path in wanted.segments(catalogue)]
    return _read(home, paths, columns, wanted)


def events_by_day(
    home: Path, catalogue: Catalogue, columns: list[str] | None, wanted: Selection
) -> Iterator[tuple[str, pa.Table]]:
    """Yield the events of a selection day by day; see `Store.events_by_day`."""
    for day, found in groupby(wanted.segments(catalogue), key=lambda segment: segment[0]):
        yield day, _read(home, [path for _, path in found], columns, wanted)


def _read(home: Path, paths: list[str], columns: list[str] | None, wanted: Selection) -> pa.Table:
    names = SCHEMA.names if columns is None else columns
    asked = list(dict.fromkeys([*names, *(["event_id"] if "access_id" in names else [])]))
    table = read_segments(home, paths, "events", asked, wanted.filter())
    if "access_id" in names:
        table = with_access_ids(table)
    return table.select(names).cast(pa.schema([SCHEMA.field(name) for name in names]))


def connect(home: Path, catalogue: Catalogue) -> Any:
    """Return a DuckDB connection, in memory, with the views of this module."""
    connection = spilling.connect(home)
    connection.execute("SET TimeZone = 'UTC'")
    with catalogue.snapshot():
        _view_segments(connection, home, catalogue, "events", PHYSICAL, SCHEMA.names)
        _view_segments(
            connection, home, catalogue, "quarantine", STORED_QUARANTINE, STORED_QUARANTINE.names
        )
        for name in ("files", "segments", "tombstones"):
            connection.register(name, _catalogued(catalogue, name))
        for name in TABLES:
            _register(connection, home, catalogue, name)
    connection.execute(_ACCESSES)
    return connection


_ACCESSES: Final = """
CREATE VIEW accesses AS SELECT * FROM events
QUALIFY row_number() OVER (
    PARTITION BY access_id, patient ORDER BY "at", source, source_file, source_line
) = 1
"""


def _register(connection: Any, home: Path, catalogue: Catalogue, name: str) -> None:
    """Give a declared table its name; one that may be long is read when asked for."""
    present = files(home, catalogue, name) if name in LONG else []
    if present:
        columns = ", ".join(_expression(field) for field in TABLES[name])
        connection.read_parquet(present).project(columns).create_view(name)
    else:
        connection.register(name, latest(home, catalogue, name))


def _view_segments(
    connection: Any, home: Path, catalogue: Catalogue, kind: str, schema: pa.Schema,
    names: list[str],
) -> None:  # fmt: skip
    rows = catalogue.rows(
        "SELECT path FROM segments WHERE state = 'live' AND kind = ? ORDER BY day, id", kind
    )
    present = [str(home / row["path"]) for row in rows]
    columns = ", ".join(_expression(schema.field(name)) for name in names)
    if present:
        paths = ", ".join(map(quoted, present))
        origin = f"read_parquet([{paths}], hive_partitioning = false)"
    else:
        origin = f"no_{kind}"
        connection.register(origin, schema.empty_table())
    try:
        connection.execute(f"CREATE VIEW {kind} AS SELECT {columns} FROM {origin}")
    except duckdb.Error as error:
        raise damaged(present, error) from None


def _expression(column: pa.Field) -> str:
    if column.name == "access_id":
        return "coalesce(access_id, event_id) AS access_id"
    name = f'"{column.name}"'
    return f"{name}::TIMESTAMP AS {name}" if column.type == TIME else name


def _catalogued(catalogue: Catalogue, name: str) -> pa.Table:
    rows = catalogue.rows(f"SELECT * FROM {name}")
    columns = catalogue.rows(f"PRAGMA table_info({name})")
    kinds = {"INTEGER": pa.int64(), "TEXT": pa.string()}
    return pa.table(
        {c["name"]: pa.array([row[c["name"]] for row in rows], kinds[c["type"]]) for c in columns}
    )


def accounts(home: Path, catalogue: Catalogue) -> pa.Table:
    """Return the accounts; see `Store.accounts`."""
    return connect(home, catalogue).sql(_ACCOUNTS).to_arrow_table()


_ACCOUNTS: Final = """
SELECT account, count(*) AS rows, count(DISTINCT access_id) AS accesses,
    count(DISTINCT patient) AS patients, count(DISTINCT "at"::DATE) AS days,
    min("at") AS first_at, max("at") AS last_at
FROM events WHERE account IS NOT NULL GROUP BY account ORDER BY account
"""


def sources(catalogue: Catalogue) -> list[SourceSummary]:
    """Return a summary of each source; see `Store.sources`."""
    with catalogue.snapshot():
        return [
            _summary(catalogue, row)
            for row in catalogue.rows("SELECT * FROM sources ORDER BY name")
        ]


def _summary(catalogue: Catalogue, source: Any) -> SourceSummary:
    name = source["name"]
    segments = catalogue.rows(
        "SELECT kind, rows, min_at, max_at, nulls FROM segments"
        " WHERE state = 'live' AND source = ?",
        name,
    )
    kept = [row for row in segments if row["kind"] == "events"]
    files = catalogue.rows(
        "SELECT * FROM files WHERE state = 'received' AND source = ? ORDER BY received_at", name
    )
    return SourceSummary(
        name=name,
        time_zone=source["time_zone"],
        retention_days=source["retention_days"],
        rows=sum(row["rows"] for row in kept),
        quarantined_now=sum(row["rows"] for row in segments if row["kind"] == "quarantine"),
        files=len(files),
        lines=sum(row["lines_read"] for row in files),
        accepted=sum(row["accepted"] for row in files),
        ignored=_added(row["ignored"] for row in files),
        quarantined=sum(row["quarantined"] for row in files),
        ambiguous=sum(row["ambiguous"] for row in files),
        damaged=tuple(row["label"] for row in files if row["damage"]),
        nulls=_added(row["nulls"] for row in kept),
        first_at=moment(min(row["min_at"] for row in kept)) if kept else None,
        last_at=moment(max(row["max_at"] for row in kept)) if kept else None,
        last_received=moment(files[-1]["received_at"]) if files else None,
    )


def _added(texts: Iterator[str]) -> dict[str, int]:
    total: dict[str, int] = {}
    for text in texts:
        for name, count in json.loads(text or "{}").items():
            total[name] = total.get(name, 0) + count
    return total


def _microseconds(at: datetime) -> int:
    return int(pa.scalar(at, TIME).value)
