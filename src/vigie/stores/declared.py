"""The declared tables (screens, identities, contracts): every version is kept, the last one rules.

A declaration may turn out wrong and what followed from it is then computed again; what had been
declared before stays readable, with its date. Care relations, of which there may be millions, come
in parts: one for each file that was read, all of which count.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from vigie.errors import StoreError
from vigie.language import N_
from vigie.records import PARTED, TABLES
from vigie.stores.catalogue import Catalogue, now_in_microseconds
from vigie.stores.layout import DECLARED, numbered, telling
from vigie.stores.opened import OpenStore
from vigie.stores.segments import damaged

_ROWS: Final = 500_000
"""Rows that are in memory at once."""
_FILE = "vigie.file"
"""Which file a part came from: in the metadata of its Parquet file."""


def latest(home: Path, catalogue: Catalogue, name: str, as_of: datetime | None = None) -> pa.Table:
    """Return the version of a table in force, or in force at `as_of`; empty when there is none."""
    until = 1 << 62 if as_of is None else int(as_of.timestamp() * 1_000_000)
    if name in PARTED:
        found = [read_version(Path(path)) for path in parts(home, catalogue, name, until)]
        plain = [table.replace_schema_metadata() for table in found]
        return pa.concat_tables([TABLES[name].empty_table(), *plain])
    path = _in_force(catalogue, name, "path", until)
    return read_version(home / path) if path else TABLES[name].empty_table()


def _in_force(catalogue: Catalogue, name: str, column: str, until: int = 1 << 62) -> Any:
    rows = catalogue.rows(
        "SELECT path, rows FROM declared WHERE name = ? AND state = 'live' AND put_at <= ?"
        " ORDER BY version DESC LIMIT 1", name, until,
    )  # fmt: skip
    return rows[0][column] if rows else None


def rows_of(catalogue: Catalogue, name: str) -> int:
    """Return how many rows the version in force of a table has."""
    return _in_force(catalogue, name, "rows") or 0


def in_batches(home: Path, catalogue: Catalogue, name: str) -> Iterator[pa.Table]:
    """Yield the version of a table in force, some rows at a time."""
    path = _in_force(catalogue, name, "path")
    return version_in_batches(home / path) if path else iter(())


def version_in_batches(path: Path) -> Iterator[pa.Table]:
    """Yield the rows of one version, some at a time; raises what `read_version` does."""
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS):
                yield pa.Table.from_batches([batch])
    except (OSError, pa.ArrowException) as error:
        raise damaged([str(path)], error) from None


def schema_of(path: Path) -> pa.Schema:
    """Return the columns of one version, with which file it came from; raises as `read_version`."""
    try:
        return pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise damaged([str(path)], error) from None


def files(home: Path, catalogue: Catalogue, name: str) -> list[str]:
    """Return the files in which a table in force lies."""
    if name in PARTED:
        return parts(home, catalogue, name)
    path = _in_force(catalogue, name, "path")
    return [str(home / path)] if path else []


def parts(home: Path, catalogue: Catalogue, name: str, until: int = 1 << 62) -> list[str]:
    """Return the files of a table of parts, as far as they were there at `until` (µs)."""
    rows = catalogue.rows(
        "SELECT path FROM declared WHERE name = ? AND state = 'live' AND put_at <= ?"
        " ORDER BY version", name, until,
    )  # fmt: skip
    return [str(home / row["path"]) for row in rows]


def read_version(path: Path) -> pa.Table:
    """Read one version; raises `StoreError` when it is missing or damaged."""
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise damaged([str(path)], error) from None


def put(store: OpenStore, name: str, tables: Iterable[pa.Table], said: Any = None) -> int:
    """Add a version of a table, given some rows at a time, and return its number, from 1.

    `said` is the metadata of its file. Raises `StoreError` when the columns are not those of
    `records.TABLES`.
    """
    schema = TABLES.get(name, pa.schema([])).with_metadata(said)
    with store.operation("declare") as number:
        path = f"{DECLARED}/{name}/{next(numbered(number))}.parquet"
        rows, sha256 = write_version(store.home / path, schema, _fitting(name, tables))
        return _catalogue(store, name, number, path, rows, sha256)


def _fitting(name: str, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for table in tables:
        if name not in TABLES or not table.schema.equals(TABLES[name]):
            raise StoreError(
                N_("this is not the table {name} of the declarations"),
                remedy=N_("give the columns of vigie.records"),
                name=name,
            )
        yield table


def write_version(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> tuple[int, str]:
    """Write a version that nothing names yet; return its number of rows and its SHA-256."""
    rows = 0
    with telling(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for table in _gathered(tables):
                writer.write_table(table.cast(schema))
                rows += table.num_rows
        with path.open("rb+") as whole:
            os.fsync(whole.fileno())
            return rows, hashlib.file_digest(whole, "sha256").hexdigest()


def _gathered(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join small tables: each that is written costs a header and its own statistics."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table.replace_schema_metadata())
        if sum(one.num_rows for one in held) >= _ROWS:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def put_part(store: OpenStore, name: str, file: str, table: pa.Table) -> int:
    """Add what one file holds of a parted table, in place of what it gave before."""
    known = parts(store.home, store.catalogue, name)
    before = [path for path in map(Path, known) if _file_of(path) == file]
    version = put(store, name, [table], {_FILE: file})
    for path in before:
        named = path.relative_to(store.home).as_posix()
        store.catalogue.run("DELETE FROM declared WHERE path = ?", named)
        path.unlink(missing_ok=True)
    return version


def _file_of(path: Path) -> str:
    return str((schema_of(path).metadata or {}).get(_FILE.encode(), b"").decode())


def _catalogue(
    store: OpenStore, name: str, operation: int, path: str, rows: int, sha256: str
) -> int:
    catalogue = store.catalogue
    with catalogue.transaction():
        known = catalogue.rows("SELECT max(version) AS last FROM declared WHERE name = ?", name)
        version = (known[0]["last"] or 0) + 1
        catalogue.insert(
            "declared", name=name, version=version, path=path, rows=rows, sha256=sha256,
            put_at=now_in_microseconds(),
        )  # fmt: skip
        store.mark_done(operation)
    return int(version)
