"""The store: everything that Vigie keeps, under one directory.

    with Store.open(home, write=True) as store:
        with store.receive(path, path.name, source, "table") as receiving:
            if not receiving.already_known:
                intake = Intake(path, receiving.label, seal=receiving.seal)
                for batch in reader.read(intake):
                    receiving.add(batch)
                receiving.damage = intake.damage
        receiving.receipt

Readers of the store see whole imports only, and may be many while one process writes.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from vigie.pseudonyms import Keyring
from vigie.readers.base import Source
from vigie.stores import compaction, declared, originals, reading, retention, rotation, verification
from vigie.stores.opened import OpenStore
from vigie.stores.receiving import Receiving
from vigie.stores.walking import Walk


class Store(OpenStore):
    """One store, opened by `Store.open`. See the module's text for its use."""

    # Writing

    def receive(self, path: Path, name: str, source: Source, reader: str) -> Receiving:
        """Begin to receive a file: a context manager that commits when it is left without error.

        `name` is what the file is called in messages and in `source_file`; `reader` the name of
        the reader. Raises `ReadingError` when the file cannot be read, `StoreError` when the disk
        refuses.
        """
        return Receiving(self, path, name, source, reader)

    def compact(self) -> int:
        """Merge the small segments of a day; return how many went into others."""
        return compaction.compact(self)

    def retain(self, now: datetime, held: Collection[str] = ()) -> list[retention.Removed]:
        """Remove what is older than its source's retention, but the days held; return what went."""
        return retention.retain(self, now, held)

    def rotate(
        self, who: str = "", reason: str = "", carry: Callable[[Keyring], None] = lambda ring: None
    ) -> int:
        """Rotate the pseudonym key; return the number of rotations so far.

        `carry` brings over what is kept outside the store.
        """
        return rotation.rotate(self, who, reason, carry)

    def put_table(self, name: str, table: pa.Table) -> int:
        """Declare a new version of one of `records.TABLES`, and return its number."""
        return declared.put(self, name, [table])

    def put_tables(self, name: str, tables: Iterable[pa.Table]) -> int:
        """Declare a new version of a table that may be long, some rows at a time."""
        return declared.put(self, name, tables)

    def put_part(self, name: str, file: str, table: pa.Table) -> int:
        """Keep what one file holds of one of `records.PARTED`, in place of what it gave before."""
        return declared.put_part(self, name, file, table)

    # Reading

    def verify(self) -> list[verification.Finding]:
        """Return everything that is not as it was written."""
        return verification.verify(self)

    def unseal(
        self, source_file: str, lines: Iterable[int], identity: Path, reason: str,
        who: str = "",
    ) -> list[bytes]:  # fmt: skip
        """Return raw lines of an original, for who holds the private key; see `originals`."""
        return originals.unseal(self, source_file, lines, identity, reason, who)

    def table(self, name: str, as_of: datetime | None = None) -> pa.Table:
        """Return the version in force (or in force at `as_of`) of one of `records.TABLES`."""
        return declared.latest(self.home, self.catalogue, name, as_of)

    def table_in_batches(self, name: str) -> Iterator[pa.Table]:
        """Yield the version in force of a table that may be long, some rows at a time."""
        return declared.in_batches(self.home, self.catalogue, name)

    def rows_of(self, name: str) -> int:
        """Return how many rows the version in force of a table has."""
        return declared.rows_of(self.catalogue, name)

    def connect(self) -> Any:
        """Return a DuckDB connection with the views described in `reading`."""
        return reading.connect(self.home, self.catalogue)

    def events(
        self,
        columns: list[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        account: str | None = None,
        source: str | None = None,
    ) -> pa.Table:
        """Return events (`events.SCHEMA`, or some of its columns), `since <= at < until`.

        They come by day, source, account and time.
        """
        wanted = reading.Selection(since, until, account, source)
        return reading.events(self.home, self.catalogue, columns, wanted)

    def events_by_day(
        self,
        columns: list[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        account: str | None = None,
        source: str | None = None,
    ) -> Iterator[tuple[str, pa.Table]]:
        """Yield `(day, events)` in order of time, so that a long period needs little memory."""
        wanted = reading.Selection(since, until, account, source)
        return reading.events_by_day(self.home, self.catalogue, columns, wanted)

    def walk(self) -> Walk:
        """Return a walk through all events, whole days at a time."""
        return Walk(self.home, self.catalogue)

    def accounts(self) -> pa.Table:
        """Return per account: rows, accesses, patients, days, first and last time."""
        return reading.accounts(self.home, self.catalogue)

    def sources(self) -> list[reading.SourceSummary]:
        """Return what is held of each source: what `trust` needs, without reading a segment."""
        return reading.sources(self.catalogue)
