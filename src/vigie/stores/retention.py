"""Retention: whole days go when their source's time is over, and a tombstone says what went.

The tombstone also keeps the day from coming back when an old file is imported again. Days that are
held, because an open case asks about them, stay with the sealed originals of the files that reach
into them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from vigie import journal
from vigie.stores.catalogue import now_in_microseconds
from vigie.stores.opened import OpenStore

if TYPE_CHECKING:
    import sqlite3


_DAY: Final = 86_400_000_000
"""One day in microseconds."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What retention took from one source: days and rows before `before`, and sealed chunks."""

    source: str
    before: str
    days: int
    rows: int
    chunks: int


def due(store: OpenStore, now: datetime) -> list[str]:
    """Return the days (ISO 8601, UTC) of which some source's time is over, in order."""
    days: set[str] = set()
    for row in _sources(store):
        old = store.catalogue.rows(
            "SELECT DISTINCT day FROM segments WHERE state = 'live' AND source = ? AND day < ?",
            row["name"], _cut(now, row["retention_days"]),
        )  # fmt: skip
        days |= {each["day"] for each in old}
    return sorted(days)


def retain(store: OpenStore, now: datetime, held: Collection[str] = ()) -> list[Removed]:
    """Remove what is older than its source's retention, journal it, and return what went.

    The days of `held` stay.
    """
    removed = []
    for row in _sources(store):
        cut = _cut(now, row["retention_days"])
        gone = _remove(store, row["name"], cut, f"retention of {row['retention_days']} days", held)
        if gone.days or gone.chunks:
            removed.append(gone)
            subject = f"{gone.source}: {gone.rows} rows, {gone.chunks} sealed chunks before {cut}"
            journal.record(store.home, "retention", subject, f"{row['retention_days']} days")
    store.sweep()
    return removed


def _sources(store: OpenStore) -> "list[sqlite3.Row]":
    return store.catalogue.rows("SELECT * FROM sources ORDER BY name")


def _cut(now: datetime, days: int) -> str:
    return (now - timedelta(days=days)).date().isoformat()


def _remove(
    store: OpenStore, source: str, before: str, reason: str, held: Collection[str]
) -> Removed:
    catalogue = store.catalogue
    chunks = _old_chunks(store, source, before, held)
    every = catalogue.rows(
        "SELECT kind, day, sum(rows) AS rows FROM segments"
        " WHERE state = 'live' AND source = ? AND day < ? GROUP BY kind, day",
        source, before,
    )  # fmt: skip
    old = [row for row in every if row["day"] not in held]
    with catalogue.transaction():
        for row in old:
            catalogue.insert(
                "tombstones", source=source, day=row["day"], kind=row["kind"], rows=row["rows"],
                reason=reason, at=now_in_microseconds(),
            )  # fmt: skip
            catalogue.run(
                "UPDATE segments SET state = 'tombstoned'"
                " WHERE state = 'live' AND source = ? AND day = ? AND kind = ?",
                source, row["day"], row["kind"],
            )  # fmt: skip
        for name in chunks:
            catalogue.run("UPDATE chunks SET state = 'tombstoned' WHERE name = ?", name)
    kept = [row for row in old if row["kind"] != "sightings"]
    days = len({row["day"] for row in kept})
    return Removed(source, before, days, sum(row["rows"] for row in kept), len(chunks))


def _old_chunks(store: OpenStore, source: str, before: str, held: Collection[str]) -> list[str]:
    """Return the sealed chunks of files whose last event, or receipt, is before that day."""
    rows = store.catalogue.rows(
        "SELECT chunks.name, files.first_at, files.last_at"
        " FROM chunks JOIN files ON files.id = chunks.file"
        " WHERE chunks.state = 'live' AND files.source = ?"
        " AND coalesce(files.last_at, files.received_at) < ?",
        source, _microseconds(before),
    )  # fmt: skip
    starts = [_microseconds(day) for day in held]
    return [row["name"] for row in rows if not _reaches(row, starts)]


def _reaches(file: "sqlite3.Row", starts: Collection[int]) -> bool:
    """Whether a file has lines in one of the days that begin so; one without times may."""
    if file["first_at"] is None or file["last_at"] is None:
        return bool(starts)
    return any(file["first_at"] < at + _DAY and file["last_at"] >= at for at in starts)


def _microseconds(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() * 1_000_000)
