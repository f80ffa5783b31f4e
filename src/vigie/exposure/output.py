"""The set as a file: Parquet with fixed writing, so that the same set is the same bytes."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from vigie.stores.layout import telling

ROW_GROUP: Final = 1 << 18


def write_parquet(result: Any, schema: pa.Schema, path: Path) -> str:
    """Write a DuckDB result under `schema`; return the SHA-256 of the file.

    The file comes into being whole: nobody reads half a list of persons.
    """
    fresh = path.with_name(f".{path.name}.new")
    with telling(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.touch(0o600)
        with pq.ParquetWriter(fresh, schema, compression="zstd", version="2.6") as writer:
            for table in _row_groups(result.to_arrow_reader(ROW_GROUP), schema):
                writer.write_table(table, row_group_size=ROW_GROUP)
        fresh.replace(path)
    return hash_file(path)


def _row_groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield tables of exactly ROW_GROUP rows, however the engine cut them."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        while rows >= ROW_GROUP:
            whole = pa.Table.from_batches(held)
            yield whole.slice(0, ROW_GROUP).combine_chunks().cast(schema)
            rest = whole.slice(ROW_GROUP)
            held, rows = rest.to_batches(), rest.num_rows
    if rows:
        yield pa.Table.from_batches(held).combine_chunks().cast(schema)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_rows(rows: Sequence[Sequence[object]]) -> str:
    """Return the SHA-256 of a query's result: its rows as JSON, keys as hexadecimal.

    >>> hash_rows([(1, "a")]) == hash_rows([[1, "a"]])
    True
    """
    text = json.dumps([[_plain(cell) for cell in row] for row in rows], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(cell: object) -> object:
    if isinstance(cell, bytes):
        return cell.hex()
    return cell.isoformat() if isinstance(cell, datetime) else cell
