"""Parquet to cells: columns are already columns, and a row's number is its line.

A row has no bytes of its own to hash, so its hash is that of a canonical rendering: its cells in
the order of the columns' names, whatever the row groups, encodings and widths of the file.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Table
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vigie.errors import MappingError, ReadingError
from vigie.language import N_
from vigie.readers import moments
from vigie.readers.ahead import ahead
from vigie.readers.base import Batch, Context
from vigie.readers.intake import Intake
from vigie.readers.mapping import Mapping
from vigie.readers.refusals import missing_column
from vigie.readers.tables.cells import Cells
from vigie.readers.tables.rows import TableRows
from vigie.readers.words import Words, always, from_array, tidy

_ROWS: Final = 1 << 17


def read(context: Context, mapping: Mapping, intake: Intake) -> Iterator[Batch]:
    """Read a Parquet file through its mapping."""
    rows = TableRows(context, mapping, intake.label)
    try:
        # The file as it lies is sealed beside its reading: both let go of the interpreter's lock.
        with ThreadPoolExecutor(1, "sealing") as pool:
            sealing = pool.submit(_go_through, intake)
            yield from _batches(context, mapping, intake, rows)
            sealing.result()
    except (pa.ArrowInvalid, OSError) as error:
        raise ReadingError(
            N_("the Parquet file is damaged"),
            where=intake.label,
            remedy=N_("export it again"),
        ) from error


def _go_through(intake: Intake) -> None:
    for _ in intake.blocks():
        pass


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
        for cells in ahead(_pieces(context, mapping, file)):
            yield rows.batch(cells)
            line += len(cells.lines)
        if line == 1:
            raise ReadingError(
                N_("the file is empty"), where=intake.label, remedy=N_("check how it was exported")
            )


def _pieces(context: Context, mapping: Mapping, file: Any) -> Iterator[Cells]:
    line = 1
    for batch in file.iter_batches(_ROWS):
        yield _cells(context, mapping, batch, line)
        line += batch.num_rows


def _cells(context: Context, mapping: Mapping, batch: Any, line: int) -> Cells:
    count, null = batch.num_rows, mapping.format.null
    named = [column for column, value in mapping.texts.values() if value is None]
    raw = {name: _words_of(batch.column(name)) for name in named if _is_text(batch, name)}
    words = {
        name: tidy(raw[name] if name in raw else _texts(batch.column(name)), null)
        for name in dict.fromkeys(named)
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
        hashes=_hashes(context, batch, raw),
        faults=np.zeros(count, np.uint8),
    )


def _is_text(batch: Any, name: str) -> bool:
    kind = batch.schema.field(name).type
    return bool(pa.types.is_dictionary(kind) or pa.types.is_string(kind))


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


def _hashes(context: Context, batch: Any, words: Table[str, Words]) -> pa.Array:
    """Hash each row: a bit per cell that is there, then two words per cell."""
    count, names = batch.num_rows, sorted(batch.schema.names)
    masks = len(names) // 64 + 1
    sheet = np.zeros((count, masks + 2 * len(names)), np.uint64)
    for place, name in enumerate(names):
        column, at = batch.column(name), masks + 2 * place
        there = column.is_valid().to_numpy(zero_copy_only=False)
        sheet[:, place // 64] |= there.astype(np.uint64) << np.uint64(place % 64)
        number = _number(column)
        if number is None:
            texts = words.get(name) or _words_of(column)
            hashes = np.append(context.keyring.cell_hashes(texts.words), [[0, 0]], axis=0)
            sheet[:, at : at + 2] = hashes.astype(np.uint64)[texts.codes]
        else:
            sheet[:, at] = number
    width = sheet.shape[1] * 8
    starts = np.arange(count, dtype=np.int64) * width
    flat = sheet.astype("<u8", copy=False).reshape(-1).view(np.uint8)
    return context.keyring.line_hashes(flat, starts, starts + width)


def _number(column: pa.Array) -> NDArray[np.uint64] | None:
    """Return the cells as 64 bits when they are whole numbers, times or truths; null is 0."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    elif pa.types.is_boolean(kind) or pa.types.is_date32(kind):
        column = column.cast(pa.int32())
    elif not pa.types.is_integer(kind) or pa.types.is_uint64(kind):
        return None
    numbers: NDArray[np.int64] = column.cast(pa.int64()).fill_null(0).to_numpy()
    return numbers.view(np.uint64)


def _words_of(column: pa.Array) -> Words:
    """Return the texts of cells as they stand, whatever their type."""
    if pa.types.is_dictionary(column.type):
        return from_array(column)
    try:
        return from_array(column.cast(pa.string()))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return from_array(pa.array([None if v is None else repr(v) for v in column.to_pylist()]))
