"""Retention: whole days go when their source's time is over, and a tombstone says what went.

The tombstone also keeps the day from coming back when an old file is imported again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from vigie import journal
from vigie.stores.catalogue import now_in_microseconds

if TYPE_CHECKING:
    from vigie.stores.store import Store


@dataclass(frozen=True, slots=True)
class Removed:
    """What retention took from one source: days and rows before `before`, and sealed chunks."""

    source: str
    before: str
    days: int
    rows: int
    chunks: int


def retain(store: "Store", now: datetime) -> list[Removed]:
    """Remove what is older than its source's retention, journal it, and return what went."""
    removed = []
    for row in store.catalogue.rows("SELECT * FROM sources ORDER BY name"):
        cut = (now - timedelta(days=row["retention_days"])).date().isoformat()
        gone = _remove(store, row["name"], cut, f"retention of {row['retention_days']} days")
        if gone.days or gone.chunks:
            removed.append(gone)
            subject = f"{gone.source}: {gone.rows} rows, {gone.chunks} sealed chunks before {cut}"
            journal.record(store.home, "retention", subject, f"{row['retention_days']} days")
    store.sweep()
    return removed


def _remove(store: "Store", source: str, before: str, reason: str) -> Removed:
    catalogue = store.catalogue
    chunks = _old_chunks(store, source, before)
    with catalogue.transaction():
        old = catalogue.rows(
            "SELECT kind, day, sum(rows) AS rows FROM segments"
            " WHERE state = 'live' AND source = ? AND day < ? GROUP BY kind, day",
            source, before,
        )  # fmt: skip
        for row in old:
            catalogue.insert(
                "tombstones", source=source, day=row["day"], kind=row["kind"], rows=row["rows"],
                reason=reason, at=now_in_microseconds(),
            )  # fmt: skip
        catalogue.run(
            "UPDATE segments SET state = 'tombstoned'"
            " WHERE state = 'live' AND source = ? AND day < ?", source, before,
        )  # fmt: skip
        for name in chunks:
            catalogue.run("UPDATE chunks SET state = 'tombstoned' WHERE name = ?", name)
    kept = [row for row in old if row["kind"] != "sightings"]
    days = len({row["day"] for row in kept})
    return Removed(source, before, days, sum(row["rows"] for row in kept), len(chunks))


def _old_chunks(store: "Store", source: str, before: str) -> list[str]:
    """Return the sealed chunks of files whose last event, or receipt, is before that day."""
    limit = int(datetime.fromisoformat(f"{before}T00:00:00+00:00").timestamp() * 1_000_000)
    rows = store.catalogue.rows(
        "SELECT chunks.name FROM chunks JOIN files ON files.id = chunks.file"
        " WHERE chunks.state = 'live' AND files.source = ?"
        " AND coalesce(files.last_at, files.received_at) < ?",
        source, limit,
    )  # fmt: skip
    return [row["name"] for row in rows]
