"""The rows of a register as text: from CSV, Parquet or a database, a batch at a time.

A row that cannot be read is counted with its reason and passed over: the person in it then has no
name here and takes the way of those who cannot be reached, never that of the forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from vigie.errors import ReadingError, reason_of
from vigie.language import N_
from vigie.readers.mapping import ENCODINGS
from vigie.readers.refusals import missing_column
from vigie.readers.tables.encodings import check_encoding

if TYPE_CHECKING:
    from vigie.notices.register import Place

ROWS: Final = 1 << 16
_BLOCK: Final = 8 << 20


@dataclass(frozen=True)
class Damage:
    """Counts rows that could not be read, by reason."""

    counts: dict[str, int]

    def add(self, reason: str) -> None:
        """Count one more."""
        self.counts[reason] = self.counts.get(reason, 0) + 1


def open_source(
    place: "Place", mapping: Path, wanted: list[str], damage: Damage
) -> Iterator[pa.Table]:
    """Yield the `wanted` columns of a register as text, a batch of rows at a time.

    Raises `ReadingError` when it cannot be read at all, `MappingError` when it lacks a column.
    """
    if place.sql:
        yield from _database(place, mapping, wanted)
        return
    path = mapping.parent / place.file
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
        batches = (
            _parquet(path, wanted, mapping)
            if head.startswith(b"PAR1")
            else _csv(path, head, place, wanted, mapping, damage)
        )
        yield from batches
    except OSError as error:
        raise _unreadable(str(path), reason_of(error)) from None
    except UnicodeDecodeError:
        raise _other_encoding(path, place) from None
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error) or "utf-8" in str(error):
            raise _other_encoding(path, place) from None
        raise _unreadable(str(path), N_("its lines are not those of a table")) from None


def _csv(
    path: Path, head: bytes, place: "Place", wanted: list[str], mapping: Path, damage: Damage
) -> Iterator[pa.Table]:
    encoding = ENCODINGS[place.encoding.lower()]
    check_encoding(head, encoding, str(path))

    def pass_over(row: Any) -> str:
        damage.add("columns")
        return "skip"

    reading = pacsv.ReadOptions(
        block_size=_BLOCK, encoding="utf8" if encoding == "utf-8" else encoding
    )
    parsing = pacsv.ParseOptions(
        delimiter=place.delimiter, invalid_row_handler=pass_over, newlines_in_values=True
    )
    names = _header(path, place, encoding)
    _require(wanted, names, mapping, path)
    converting = pacsv.ConvertOptions(
        column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted,
        strings_can_be_null=False,
    )  # fmt: skip
    with pacsv.open_csv(path, reading, parsing, converting) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _header(path: Path, place: "Place", encoding: str) -> list[str]:
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
        line = file.readline().rstrip("\r\n")
    return [name.strip('"') for name in line.split(place.delimiter)]


def _parquet(path: Path, wanted: list[str], mapping: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        _require(wanted, file.schema_arrow.names, mapping, path)
        for batch in file.iter_batches(ROWS, columns=wanted):
            yield pa.table({name: _text(batch.column(name)) for name in wanted})


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())


def _database(place: "Place", mapping: Path, wanted: list[str]) -> Iterator[pa.Table]:
    # Only a register in a database needs the library, which belongs to the extra `cases`.
    from sqlalchemy import create_engine, text  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        engine = create_engine(place.sql)
        with engine.connect().execution_options(yield_per=ROWS) as connection:
            found = connection.execute(text(place.query))
            names = list(found.keys())
            _require(wanted, names, mapping, mapping)
            places = [names.index(name) for name in wanted]
            for rows in found.partitions():
                yield pa.table(
                    {
                        name: pa.array([_said(row[at]) for row in rows], pa.string())
                        for name, at in zip(wanted, places, strict=True)
                    }
                )
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        # What the database says may quote the query or its rows: its kind is enough.
        raise _unreadable(str(mapping), type(error).__name__) from None


def _said(value: object) -> str | None:
    return None if value is None else str(value)


def _require(wanted: list[str], names: list[str], mapping: Path, path: Path) -> None:
    for name in wanted:
        if name not in names:
            raise missing_column(name, names, str(mapping), path.name)


def _other_encoding(path: Path, place: "Place") -> ReadingError:
    return ReadingError(
        N_("the register is not written in {encoding}"),
        where=str(path),
        remedy=N_('write its encoding in [register], such as encoding = "cp1252"'),
        encoding=place.encoding,
    )


def _unreadable(where: str, reason: str) -> ReadingError:
    return ReadingError(
        N_("the register cannot be read ({reason})"),
        where=where,
        remedy=N_("check its name, your rights on it and how it was exported"),
        reason=reason,
    )
