"""Parquet to cells: columns are already columns, and a row's number is its line.

A row has no bytes of its own to hash, so its hash is that of a canonical rendering: its cells in
the order of the columns' names, whatever the row groups, encodings and widths of the file.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vigie.blake2 import hash_texts
from vigie.errors import MappingError, ReadingError
from vigie.language import N_
from vigie.readers import moments
from vigie.readers.base import Batch, Context
from vigie.readers.cells import Cells
from vigie.readers.intake import Intake
from vigie.readers.mapping import Mapping
from vigie.readers.refusals import missing_column
from vigie.readers.table_rows import TableRows
from vigie.readers.words import Words, always, from_array, tidy

_ROWS: Final = 1 << 17
_CELL: Final = 17


def read(context: Context, mapping: Mapping, intake: Intake) -> Iterator[Batch]:
    """Read a Parquet file through its mapping."""
    for _ in intake.blocks():
        pass
    rows = TableRows(context, mapping, intake.label)
    try:
        yield from _batches(context, mapping, intake, rows)
    except (pa.ArrowInvalid, OSError) as error:
        raise ReadingError(
            N_("the Parquet file is damaged"),
            where=intake.label,
            remedy=N_("export it again"),
        ) from error


def _batches(
    context: Context, mapping: Mapping, intake: Intake, rows: TableRows
) -> Iterator[Batch]:
    with pq.ParquetFile(intake.path) as file:
        names = file.schema_arrow.names
    texts = [f.name for f in file.schema_arrow if pa.types.is_string(f.type)]
    for name in mapping.wanted:
        if name not in names:
            raise missing_column(name, names, mapping.where, intake.label)
    with pq.ParquetFile(intake.path, read_dictionary=texts) as file:
        line = 1
        for batch in file.iter_batches(_ROWS):
            yield rows.batch(_cells(context, mapping, batch, line))
            line += batch.num_rows
        if line == 1:
            raise ReadingError(
                N_("the file is empty"), where=intake.label, remedy=N_("check how it was exported")
            )


def _cells(context: Context, mapping: Mapping, batch: Any, line: int) -> Cells:
    count, null = batch.num_rows, mapping.format.null
    words = {
        name: tidy(_texts(batch.column(name)), null)
        for name in {column for column, value in mapping.texts.values() if value is None}
    }
    times, kinds = _times(mapping, batch.column(mapping.columns["at"].column))
    return Cells(
        texts={
            name: always(value, count) if value is not None else words[column]
            for name, (column, value) in mapping.texts.items()
        },
        moments=times,
        kinds=kinds,
        lines=np.arange(line, line + count),
        offsets=None,
        hashes=_hashes(context, batch),
        faults=np.zeros(count, np.uint8),
    )


def _texts(column: pa.Array) -> Words:
    """Return a column as text: a number without the fraction that a null once gave it."""
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        joined = pc.binary_join(column.cast(pa.list_(pa.string())), ";")
        return from_array(joined)
    if pa.types.is_floating(kind):
        whole = pc.equal(pc.floor(column), column)
        if pc.all(whole).as_py() is not False:
            column = column.cast(pa.int64())
    return from_array(column if pa.types.is_dictionary(kind) else column.cast(pa.string()))


def _times(mapping: Mapping, column: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    program, scale = mapping.time_form()
    kind = column.type
    if pa.types.is_timestamp(kind):
        moved = column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
        sort = moments.UTC if kind.tz else moments.LOCAL
        kinds = np.where(column.is_valid().to_numpy(zero_copy_only=False), sort, moments.EMPTY)
        return moved.fill_null(0).to_numpy(), kinds.astype(np.uint8)
    if pa.types.is_integer(kind) and scale < 0:
        raise MappingError(
            N_("the times are whole numbers, and the mapping does not say of what"),
            where=mapping.where,
            remedy=N_('write at = {{ column = "{name}", unit = "s" }} (or ms, us, ns)'),
            name=mapping.columns["at"].column,
        )
    words = tidy(_texts(column), mapping.format.null)
    return moments.parse_words(words, program, scale)


def _hashes(context: Context, batch: Any) -> pa.Array:
    count = batch.num_rows
    names = sorted(batch.schema.names)
    sheet = np.zeros((count, _CELL * len(names)), np.uint8)
    for place, name in enumerate(names):
        at = place * _CELL
        sheet[:, at : at + _CELL] = _rendered(batch.column(name))
    starts = np.arange(count, dtype=np.int64) * sheet.shape[1]
    flat = sheet.reshape(-1)
    return context.keyring.line_hashes(flat, starts, starts + sheet.shape[1])


def _rendered(column: pa.Array) -> NDArray[np.uint8]:
    """Render each cell in 17 bytes: whether it is there, then its number or its text's hash."""
    cells = np.zeros((len(column), _CELL), np.uint8)
    cells[:, 0] = column.is_valid().to_numpy(zero_copy_only=False)
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
    elif pa.types.is_boolean(kind) or pa.types.is_date32(kind):
        column = column.cast(pa.int32()).cast(pa.int64())
    if pa.types.is_integer(column.type) and not pa.types.is_uint64(column.type):
        numbers = column.cast(pa.int64()).fill_null(0).to_numpy()
        cells[:, 1:9] = numbers.astype("<i8").reshape(-1, 1).view(np.uint8)
        return cells
    words = _words_of(column)
    hashes = np.frombuffer(hash_texts(words.words, bytes(32)), np.uint8).reshape(-1, 16)
    cells[:, 1:] = np.concatenate([hashes, np.zeros((1, 16), np.uint8)])[words.codes]
    return cells


def _words_of(column: pa.Array) -> Words:
    if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type):
        return from_array(column)
    try:
        return from_array(column.cast(pa.string()))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return from_array(pa.array([None if v is None else repr(v) for v in column.to_pylist()]))
