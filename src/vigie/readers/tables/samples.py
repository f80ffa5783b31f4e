"""The beginning of a table as texts, without a mapping: what a draft and a trial start from."""

import csv
import io
from collections import Counter
from collections.abc import Mapping as Table
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from vigie.errors import ReadingError
from vigie.language import N_
from vigie.readers.intake import Intake
from vigie.readers.tables.encodings import encoding_of
from vigie.readers.tables.header import DELIMITERS, TITLES, is_data, refuse_binary
from vigie.readers.tables.reader import table_kind

_BYTES: Final = 1 << 20
_RECORDS: Final = 2000
_NUMBERS: Final = 2
"""Numbers in a first line from which it holds data: hardly a header has two."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The first records of a file: its form, and each column's texts (None where empty).

    `named` is False when the file has no header; the columns are then `column1`, `column2`…
    """

    kind: str
    encoding: str
    delimiter: str
    named: bool
    columns: Table[str, list[str | None]]

    def counts(self, name: str) -> Counter[str]:
        """Count the texts of one column."""
        return Counter(text for text in self.columns[name] if text is not None)


def take_sample(path: Path) -> Sample:
    """Read the first records of the file at `path`; raises `ReadingError` when there are none."""
    intake = Intake(path, path.name)
    head = intake.head(_BYTES)
    kind = table_kind(head)
    if kind == "parquet":
        sample = Sample(kind, "", "", True, _parquet_columns(path))
    else:
        encoding = _encoding(head)
        text = head.decode(encoding, "replace").removeprefix("\ufeff")
        if len(head) == _BYTES:
            text = text[: text.rfind("\n") + 1]
        sample = _objects(text, encoding) if kind == "ndjson" else _delimited(text, encoding)
    refuse_binary(sample.columns, intake.label)
    if not sample.columns or not any(sample.columns.values()):
        raise ReadingError(
            N_("the file holds no record"), where=str(path), remedy=N_("check how it was exported")
        )
    return sample


def _encoding(head: bytes) -> str:
    encoding = encoding_of(head)
    if encoding != "utf-8":
        return encoding
    try:
        head[: head.rfind(b"\n") + 1 or len(head)].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _parquet_columns(path: Path) -> dict[str, list[str | None]]:
    try:
        with pq.ParquetFile(path) as file:
            batch: Any = next(file.iter_batches(_RECORDS), None)
    except (pa.ArrowInvalid, OSError):
        return {}
    if batch is None:
        return {}
    columns = zip(batch.schema.names, batch.columns, strict=True)
    return {name: [_said(value) for value in column.to_pylist()] for name, column in columns}


def _objects(text: str, encoding: str) -> Sample:
    records: list[dict[str, Any]] = []
    for line in text.splitlines()[:_RECORDS]:
        try:
            records.append(_flat(msgspec.json.decode(line, type=dict[str, Any])))
        except (msgspec.MsgspecError, RecursionError):
            continue
    names = dict.fromkeys(name for record in records for name in record)
    columns = {name: [_said(record.get(name)) for record in records] for name in names}
    return Sample("ndjson", encoding, "", True, columns)


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Name what objects inside hold as mappings do: `user.login`."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": said for inner, said in value.items()}
        else:
            flat[name] = value
    return flat


def _delimited(text: str, encoding: str) -> Sample:
    lines = text.splitlines(keepends=True)[:_RECORDS]
    delimiter = max(DELIMITERS, key=lambda mark: _regularity(lines[:100], mark))
    rows = [row for row in _rows(lines, delimiter) if any(row)]
    if not rows:
        return Sample("csv", encoding, delimiter, True, {})
    rows = rows[_titles(rows) :]
    named = _names_columns(rows[0])
    names = rows[0] if named else [f"column{k}" for k in range(1, len(rows[0]) + 1)]
    body = [row for row in rows[named:] if len(row) == len(names)]
    columns = {
        name: [row[place] or None for row in body] for place, name in enumerate(names) if name
    }
    return Sample("csv", encoding, delimiter, named, columns)


def _names_columns(row: list[str]) -> bool:
    numbers = sum(text.isdigit() for text in row)
    return numbers < _NUMBERS and not any(is_data(text) for text in row)


def _titles(rows: list[list[str]]) -> int:
    """Return how many rows stand above the names of the columns: they fill fewer cells."""
    filled = [sum(map(bool, row)) for row in rows]
    usual = Counter(filled).most_common(1)[0][0]
    first = next((place for place, cells in enumerate(filled) if cells >= usual), 0)
    return first if first <= TITLES and _names_columns(rows[first]) else 0


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    rows = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)
    try:
        return [[text.strip() for text in row] for row in rows]
    except csv.Error:
        return [[text.strip() for text in line.split(delimiter)] for line in lines]


def _regularity(lines: list[str], delimiter: str) -> float:
    """Say how well a delimiter cuts: many fields, as many in nearly every line."""
    sizes = Counter(len(row) for row in _rows(lines, delimiter) if any(row))
    if not sizes:
        return 0.0
    fields, count = sizes.most_common(1)[0]
    return (fields - 1) * count / sizes.total()


def _said(value: Any) -> str | None:
    if value is None or isinstance(value, dict):
        return None
    if isinstance(value, list):
        return ";".join(filter(None, map(_said, value))) or None
    return str(value).strip() or None
