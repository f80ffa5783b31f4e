"""The declared tables (screens, identities, contracts): every version is kept, the last one rules.

A declaration may turn out wrong and what followed from it is then computed again; what had been
declared before stays readable, with its date. Care relations, of which there may be millions, come
in parts: one for each file that was read, all of which count.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from vigie.errors import StoreError
from vigie.language import N_
from vigie.records import PARTED, TABLES
from vigie.stores.catalogue import Catalogue, now_in_microseconds
from vigie.stores.layout import DECLARED, numbered, write_whole
from vigie.stores.segments import damaged

if TYPE_CHECKING:
    from vigie.stores.store import Store

_FILE = "vigie.file"
"""Which file a part came from: in the metadata of its Parquet file."""


def latest(home: Path, catalogue: Catalogue, name: str, as_of: datetime | None = None) -> pa.Table:
    """Return the version of a table in force, or in force at `as_of`; empty when there is none."""
    until = 1 << 62 if as_of is None else int(as_of.timestamp() * 1_000_000)
    if name in PARTED:
        found = [read_version(Path(path)) for path in parts(home, catalogue, name, until)]
        plain = [table.replace_schema_metadata() for table in found]
        return pa.concat_tables([TABLES[name].empty_table(), *plain])
    rows = catalogue.rows(
        "SELECT path FROM declared WHERE name = ? AND state = 'live' AND put_at <= ?"
        " ORDER BY version DESC LIMIT 1", name, until,
    )  # fmt: skip
    return read_version(home / rows[0]["path"]) if rows else TABLES[name].empty_table()


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


def put(store: "Store", name: str, table: pa.Table) -> int:
    """Add a version of a table and return its number, from 1.

    Raises `StoreError` when the columns are not those of `records.TABLES`.
    """
    if name not in TABLES or not table.schema.equals(TABLES[name]):
        raise StoreError(
            N_("this is not the table {name} of the declarations"),
            remedy=N_("give the columns of vigie.records"),
            name=name,
        )
    with store.operation("declare") as number:
        file = next(numbered(number))
        path = f"{DECLARED}/{name}/{file}.parquet"
        data = serialised(table)
        write_whole(store.home / path, data)
        return _catalogue(store, name, number, path, table, data)


def put_part(store: "Store", name: str, file: str, table: pa.Table) -> int:
    """Add what one file holds of a parted table, in place of what it gave before."""
    known = parts(store.home, store.catalogue, name)
    before = [path for path in map(Path, known) if _file_of(path) == file]
    version = put(store, name, table.replace_schema_metadata({_FILE: file}))
    for path in before:
        named = path.relative_to(store.home).as_posix()
        store.catalogue.run("DELETE FROM declared WHERE path = ?", named)
        path.unlink(missing_ok=True)
    return version


def _file_of(path: Path) -> str:
    try:
        said = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise damaged([str(path)], error) from None
    return str(said.get(_FILE.encode(), b"").decode())


def _catalogue(
    store: "Store", name: str, operation: int, path: str, table: pa.Table, data: bytes
) -> int:
    catalogue = store.catalogue
    with catalogue.transaction():
        known = catalogue.rows("SELECT max(version) AS last FROM declared WHERE name = ?", name)
        version = (known[0]["last"] or 0) + 1
        catalogue.insert(
            "declared", name=name, version=version, path=path, rows=table.num_rows,
            sha256=hashlib.sha256(data).hexdigest(), put_at=now_in_microseconds(),
        )  # fmt: skip
        store.mark_done(operation)
    return int(version)


def serialised(table: pa.Table) -> bytes:
    """Return a table as the bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    data: Any = sink.getvalue()
    return bytes(data)
