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

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from vigie import journal
from vigie.errors import VigieError
from vigie.pseudonyms import Keyring
from vigie.readers.base import Source
from vigie.stores import compaction, declared, originals, reading, retention, rotation, verification
from vigie.stores.catalogue import Catalogue, now_in_microseconds
from vigie.stores.layout import (
    DECLARED,
    READER_LOCK,
    STAGING,
    Lock,
    made_by,
    prepare_home,
    sealed_path,
    take_reader_lock,
    take_writer_lock,
)
from vigie.stores.receiving import Receiving
from vigie.stores.walking import Walk


class Store:
    """One store, opened by `Store.open`. See the module's text for its use."""

    def __init__(self, home: Path, write: bool, locks: list[Lock]) -> None:
        self.home, self.writable, self._locks = home, write, locks
        self.catalogue = Catalogue(home, write)

    @classmethod
    def open(cls, home: Path, write: bool = False) -> "Store":
        """Open the store of `home`, making it when it is first written to.

        To read makes nothing: a store that is not there is empty, and one on read-only media can
        be read. Raises `StoreError` when another process writes, when the directory cannot be
        used, or when the catalogue is damaged.
        """
        if write:
            prepare_home(home)
        locks = [take_writer_lock(home)] if write else take_reader_lock(home)
        try:
            store = cls(home, write, locks)
            if write:
                store._recover()
        except BaseException:
            for lock in locks:
                lock.release()
            raise
        return store

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *error: object) -> None:
        if self.writable and error == (None, None, None):
            with suppress(VigieError):  # what was written stands, whether this can be or not
                self._remember()
        self.close()

    def close(self) -> None:
        """Close the catalogue and give the locks back."""
        self.catalogue.close()
        for lock in self._locks:
            lock.release()

    @property
    def remembered(self) -> tuple[int, str]:
        """The number and the hash of an entry that the journal had, by which a later one is held.

        (0, "") in a store that was never written to.
        """
        number, _space, digest = self.catalogue.meta("journal").partition(" ")
        return int(number or 0), digest

    def _remember(self) -> None:
        """Remember the end of the journal, unless it is no longer the one that was known."""
        if not journal.holds(self.home, self.remembered):
            return
        number, digest = journal.head(self.home)
        if not number:
            made = journal.record(self.home, "store", "made")
            number, digest = made.number, made.hash
        self.catalogue.put_meta("journal", f"{number} {digest}")

    @cached_property
    def keyring(self) -> Keyring:
        """The keyring under which this store is written; made on first use.

        Raises `SecretError` when the key is gone, malformed, or not that of this store.
        """
        return rotation.key_of(self)

    def forget_keyring(self) -> None:
        """Read the keyring again at its next use: it was rotated."""
        self.__dict__.pop("keyring", None)

    # Writing

    def receive(self, path: Path, name: str, source: Source, reader: str) -> Receiving:
        """Begin to receive a file: a context manager that commits when it is left without error.

        `name` is what the file is called in messages and in `source_file`; `reader` the name of
        the reader. Raises `ReadingError` when the file cannot be read, `StoreError` when the disk
        refuses.
        """
        return Receiving(self, path, name, source, reader)

    def declare_source(self, source: Source) -> None:
        """Remember what the mapping says of a source; the last word counts."""
        self.catalogue.run(
            "INSERT OR REPLACE INTO sources VALUES (?, ?, ?)",
            source.name, source.time_zone, source.retention_days,
        )  # fmt: skip

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

    @contextmanager
    def operation(self, what: str) -> Iterator[int]:
        """Number one act of writing; what it made is removed unless it is marked as done."""
        number = self.begin_operation(what)
        try:
            yield number
        finally:
            self.end_operation(number)

    def begin_operation(self, what: str) -> int:
        """Return the number of a new operation."""
        return self.catalogue.insert("operations", what=what, started_at=now_in_microseconds())

    def mark_done(self, operation: int) -> None:
        """Say, inside the transaction that shows its files, that an operation is done."""
        self.catalogue.run("UPDATE operations SET state = 'done' WHERE id = ?", operation)

    def end_operation(self, operation: int) -> None:
        """Remove what an operation left: its staging, and its files if it is not done."""
        shutil.rmtree(self.home / STAGING / f"{operation:08d}", ignore_errors=True)
        if self.catalogue.rows(
            "SELECT 1 FROM operations WHERE id = ? AND state = 'open'", operation
        ):
            for path in made_by(self.home, operation):
                path.unlink(missing_ok=True)
            self.catalogue.run("DELETE FROM operations WHERE id = ?", operation)

    def _recover(self) -> None:
        """Remove what killed operations left, and what no reader can still be reading."""
        shutil.rmtree(self.home / STAGING, ignore_errors=True)
        for row in self.catalogue.rows("SELECT id FROM operations WHERE state = 'open'"):
            self.end_operation(row["id"])
        named = {row["path"] for row in self.catalogue.rows("SELECT path FROM declared")}
        for path in (self.home / DECLARED).glob("*/*"):
            if path.relative_to(self.home).as_posix() not in named:
                path.unlink()
        self.sweep()

    def sweep(self) -> None:
        """Delete what no longer counts, unless a reader may still have it open."""
        gone = self.catalogue.rows(
            "SELECT id, path FROM segments WHERE state IN ('superseded', 'tombstoned')"
        )
        readers = Lock(self.home / READER_LOCK)
        chunks = self.catalogue.rows("SELECT * FROM chunks WHERE state = 'tombstoned'")
        if not (gone or chunks) or not readers.take():
            return
        try:
            for row in gone:
                (self.home / row["path"]).unlink(missing_ok=True)
            for row in chunks:
                sealed_path(self.home, row["source"], row["name"]).unlink(missing_ok=True)
            self.catalogue.run("UPDATE chunks SET state = 'erased' WHERE state = 'tombstoned'")
            self.catalogue.run("DELETE FROM segments WHERE state = 'superseded'")
            self.catalogue.run("UPDATE segments SET state = 'erased' WHERE state = 'tombstoned'")
        finally:
            readers.release()

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
