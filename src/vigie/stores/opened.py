"""An open store: its home, its catalogue, its key, and acts of writing that count whole or not.

What is done with it (receiving, compacting, forgetting, rotating...) has a module each, which takes
an `OpenStore`; `store.Store` is all of them under one name. An act of writing is a numbered
operation: what it made is removed again unless the transaction that shows it says that it is done.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Self

from vigie import journal
from vigie.errors import VigieError
from vigie.pseudonyms import Keyring
from vigie.readers.base import Source
from vigie.stores.catalogue import Catalogue, now_in_microseconds
from vigie.stores.keys import key_of
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
from vigie.stores.segments import Segment


class OpenStore:
    """What every act on a store needs; opened by `OpenStore.open`, closed by leaving it."""

    def __init__(self, home: Path, write: bool, locks: list[Lock]) -> None:
        self.home, self.writable, self._locks = home, write, locks
        self.catalogue = Catalogue(home, write)

    @classmethod
    def open(cls, home: Path, write: bool = False) -> Self:
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

    def __enter__(self) -> Self:
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
        return key_of(self.home, self.catalogue, self.writable)

    def check_key(self) -> None:
        """Refuse a store whose key is not there, with the `SecretError` of `keyring`."""
        _ = self.keyring

    def forget_keyring(self) -> None:
        """Read the keyring again at its next use: it was rotated."""
        self.__dict__.pop("keyring", None)

    def declare_source(self, source: Source) -> None:
        """Remember what the mapping says of a source; the last word counts."""
        self.catalogue.run(
            "INSERT OR REPLACE INTO sources VALUES (?, ?, ?)",
            source.name, source.time_zone, source.retention_days,
        )  # fmt: skip

    def replace(self, old: Iterable[str], new: list[Segment]) -> None:
        """Show `new` in place of `old`, inside a transaction of the caller."""
        for segment in new:
            self.catalogue.insert("segments", **segment.fields())
        for name in old:
            self.catalogue.run("UPDATE segments SET state = 'superseded' WHERE id = ?", name)

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
