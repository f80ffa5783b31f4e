"""The rows of a table as text: from CSV, Parquet or a database, a batch at a time.

A row that cannot be read is told with its number and passed over: of a register of names, the
person in it then takes the way of those who cannot be reached, never that of the forgotten.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vigie.errors import ReadingError, reason_of
from vigie.language import N_, Text
from vigie.readers.mapping import ENCODINGS
from vigie.readers.refusals import missing_column
from vigie.readers.registers.places import Place
from vigie.readers.tables.encodings import check_encoding, encoding_of

ROWS: Final = 1 << 16
_BLOCK: Final = 8 << 20
_GZIP: Final = b"\x1f\x8b"


Refuse = Callable[[int], None]
"""Told the number of each row that has not as many cells as the header."""


class Rows(NamedTuple):
    """Some rows: the wanted columns as text, and the number of each; the header of a file is 1."""

    table: pa.Table
    numbers: NDArray[np.int64]


def open_source(
    place: Place, mapping: Path, columns: Iterable[str], refuse: Refuse
) -> Iterator[Rows]:
    """Yield these columns of a table as text, each once, a batch of rows at a time.

    Raises `ReadingError` when it cannot be read at all, `MappingError` when it lacks a column.
    """
    wanted = list(dict.fromkeys(columns))
    if place.sql:
        yield from _numbered(_database(place, mapping, wanted), 1)
        return
    path = mapping.parent / place.file
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
        if head.startswith(_GZIP):
            raise _unreadable(str(path), N_("it is compressed, and must be unpacked first"))
        if head.startswith(b"PAR1"):
            yield from _numbered(_parquet(path, wanted, mapping), 1)
        else:
            yield from _csv(path, head, place, wanted, mapping, refuse)
    except OSError as error:
        raise _unreadable(str(path), reason_of(error)) from None
    except UnicodeDecodeError:
        raise _other_encoding(path, place) from None
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error) or "utf-8" in str(error):
            raise _other_encoding(path, place) from None
        raise _unreadable(str(path), N_("its lines are not those of a table")) from None


def trimmed(column: pa.ChunkedArray) -> pa.Array:
    """Return texts without outer blanks, null for those that are blank."""
    values = pc.utf8_trim_whitespace(column.combine_chunks())
    return pc.if_else(pc.equal(values, ""), None, values)


def _numbered(tables: Iterator[pa.Table], first: int) -> Iterator[Rows]:
    for table in tables:
        yield Rows(table, np.arange(first, first + table.num_rows))
        first += table.num_rows


def _csv(
    path: Path, head: bytes, place: Place, wanted: list[str], mapping: Path, refuse: Refuse
) -> Iterator[Rows]:
    encoding = encoding_of(head, ENCODINGS[place.encoding.lower()])
    check_encoding(head, encoding, str(path))
    names = _header(path, place, encoding)
    _require(wanted, names, mapping, path)
    skipped: list[int] = []

    def pass_over(row: Any) -> str:
        skipped.append(row.number)
        refuse(row.number)
        return "skip"

    # Only one thread tells which row it is that has too many cells.
    reading = pacsv.ReadOptions(
        block_size=_BLOCK, use_threads=False, encoding="utf8" if encoding == "utf-8" else encoding
    )
    parsing = pacsv.ParseOptions(
        delimiter=place.delimiter, invalid_row_handler=pass_over, newlines_in_values=True
    )
    converting = pacsv.ConvertOptions(
        column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted,
        strings_can_be_null=False,
    )  # fmt: skip
    next_row = 2
    with pacsv.open_csv(path, reading, parsing, converting) as reader:
        for batch in reader:
            numbers = _numbers(next_row, batch.num_rows, skipped)
            next_row = int(numbers[-1]) + 1 if len(numbers) else next_row
            skipped[:] = [number for number in skipped if number >= next_row]
            yield Rows(pa.Table.from_batches([batch]), numbers)


def _numbers(first: int, count: int, skipped: list[int]) -> NDArray[np.int64]:
    """Return the numbers of `count` rows from `first` on, less those that were skipped."""
    numbers = np.arange(first, first + count + len(skipped))
    return numbers[~np.isin(numbers, skipped)][:count]


def _header(path: Path, place: Place, encoding: str) -> list[str]:
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
        names = next(csv.reader(file, delimiter=place.delimiter), [])
    return [name.removeprefix("\ufeff") for name in names]


def _parquet(path: Path, wanted: list[str], mapping: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        _require(wanted, file.schema_arrow.names, mapping, path)
        for batch in file.iter_batches(ROWS, columns=wanted):
            yield pa.table({name: _text(batch.column(name)) for name in wanted})


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())


def _database(place: Place, mapping: Path, wanted: list[str]) -> Iterator[pa.Table]:
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


def _other_encoding(path: Path, place: Place) -> ReadingError:
    return ReadingError(
        N_("the register is not written in {encoding}"),
        where=str(path),
        remedy=N_('write its encoding in [register], such as encoding = "cp1252"'),
        encoding=place.encoding,
    )


def _unreadable(where: str, reason: Text) -> ReadingError:
    return ReadingError(
        N_("the register cannot be read ({reason})"),
        where=where,
        remedy=N_("check its name, your rights on it and how it was exported"),
        reason=reason,
    )
