"""The catalogue: what the store holds, in SQLite; what it does not name does not exist.

A segment becomes visible, and the one it replaces invisible, in one transaction. Writing is an
*operation* with a number: every file that it makes carries the number in its name, so that what a
killed process left behind is found by name and removed by the next writer.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from vigie.errors import StoreError, reason_of
from vigie.language import N_
from vigie.stores.layout import SEGMENTS, is_writable

CATALOGUE_FILE: Final = "catalogue.sqlite"
VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS operations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL, started_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open'  -- open, done
) STRICT;
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL, label TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    sha256 TEXT NOT NULL, content_sha256 TEXT, size INTEGER NOT NULL,
    received_at INTEGER NOT NULL,  -- microseconds since 1970, UTC: first receipt, never changed
    state TEXT NOT NULL DEFAULT 'receiving',  -- receiving, received
    reader TEXT NOT NULL, mapping_version TEXT NOT NULL, damage TEXT,
    lines_read INTEGER, accepted INTEGER, ignored TEXT, quarantined INTEGER,
    first_at INTEGER, last_at INTEGER, first_line INTEGER, last_line INTEGER,
    added INTEGER, duplicates INTEGER, ambiguous INTEGER, expired INTEGER,
    UNIQUE (source, sha256)
) STRICT;
CREATE TABLE IF NOT EXISTS segments (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL,  -- events, quarantine, sightings
    source TEXT NOT NULL, day TEXT NOT NULL, path TEXT NOT NULL,
    rows INTEGER NOT NULL, min_at INTEGER, max_at INTEGER,
    size INTEGER NOT NULL, sha256 TEXT NOT NULL, nulls TEXT NOT NULL DEFAULT '{}',
    file INTEGER, operation INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'live'  -- live, superseded, tombstoned, erased
) STRICT;
CREATE INDEX IF NOT EXISTS segments_by_day ON segments (state, kind, source, day);
CREATE TABLE IF NOT EXISTS chunks (
    file INTEGER NOT NULL REFERENCES files, name TEXT PRIMARY KEY, source TEXT NOT NULL,
    begins INTEGER NOT NULL, size INTEGER NOT NULL, first_line INTEGER NOT NULL,
    lines INTEGER NOT NULL, sha256 TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'live'
) STRICT;
CREATE TABLE IF NOT EXISTS tombstones (
    source TEXT NOT NULL, day TEXT NOT NULL, kind TEXT NOT NULL, rows INTEGER NOT NULL,
    reason TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sources (
    name TEXT PRIMARY KEY, time_zone TEXT NOT NULL, retention_days INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS declared (
    name TEXT NOT NULL, version INTEGER NOT NULL, path TEXT NOT NULL, rows INTEGER NOT NULL,
    sha256 TEXT NOT NULL, put_at INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'live'
) STRICT;
"""


def now_in_microseconds() -> int:
    """Return the time of day as the catalogue writes it."""
    return time.time_ns() // 1000


def _address(path: Path, write: bool) -> str:
    """Return what SQLite opens: nothing is made on disk by who only reads.

    On read-only media the log of SQLite cannot be opened beside its file, and cannot change.
    """
    if not write and not path.exists():
        return "file::memory:"
    said = path.absolute().as_uri()
    if write or is_writable(path.parent):
        return said
    log = path.with_name(f"{path.name}-wal")
    settled = not log.exists() or not log.stat().st_size
    return f"{said}?mode=ro" + ("&immutable=1" if settled else "")


class Catalogue:
    """The SQLite file of one store. Raises `StoreError`, never an exception of SQLite."""

    def __init__(self, home: Path, write: bool) -> None:
        self.path = home / CATALOGUE_FILE
        with self._told():
            self._connection = sqlite3.connect(
                _address(self.path, write), uri=True, timeout=30, isolation_level=None,
                check_same_thread=False,
            )  # fmt: skip
            self._connection.row_factory = sqlite3.Row
            self._prepare(write)

    def _prepare(self, write: bool) -> None:
        self._connection.execute("PRAGMA foreign_keys = ON")
        if not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'meta'"):
            self._refuse_orphans()
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA}")
            self.put_meta("version", str(VERSION))
            self.put_meta("key_version", "0")
            self.run("COMMIT")
        if write:
            self._connection.execute("PRAGMA synchronous = FULL")
        if self.meta("version") != str(VERSION):
            raise StoreError(
                N_("the store was written by another version of Vigie"),
                where=str(self.path),
                remedy=N_("read it with that version"),
            )

    def _refuse_orphans(self) -> None:
        """A new catalogue would forget the segments that lie there, and write over them."""
        if any((self.path.parent / SEGMENTS).glob("*/*/*.parquet")):
            raise StoreError(
                N_("the catalogue is gone, and segments lie beside it"),
                where=str(self.path),
                remedy=N_("restore it from a backup, or move the store away and import again"),
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with self._told():
            return self._connection.execute(query, values).fetchall()

    def run(self, query: str, *values: Any) -> int:
        """Run one statement and return the id of the row that it inserted, or 0."""
        with self._told():
            return self._connection.execute(query, values).lastrowid or 0

    def insert(self, table: str, **values: Any) -> int:
        """Insert one row and return its id."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        return self.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", *values.values())

    def meta(self, key: str) -> str:
        """Return one of the facts about the store itself."""
        found = self.rows("SELECT value FROM meta WHERE key = ?", key)
        return str(found[0]["value"]) if found else ""

    def put_meta(self, key: str, value: str) -> None:
        """Set one of the facts about the store itself."""
        self.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self.run("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads inside see one state of the catalogue."""
        self.run("BEGIN")
        try:
            yield
        finally:
            self.run("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreError(
                N_("the catalogue cannot be used ({reason})"),
                where=str(self.path),
                remedy=N_("check the space and the rights of the directory"),
                reason=reason_of(error),
            ) from None
        except sqlite3.DatabaseError as error:
            raise StoreError(
                N_("the catalogue is damaged ({reason})"),
                where=str(self.path),
                remedy=N_("restore it from a backup, or move the store away and import again"),
                reason=reason_of(error),
            ) from None
