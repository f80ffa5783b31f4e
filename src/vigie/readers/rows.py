"""Rows of the waist from the columns that a reader filled: what it does not say becomes null."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from vigie.events import READ_SCHEMA, TEXT, TIME, constant, empty_column
from vigie.readers.base import Context

_ZERO: Final = pa.scalar(0, pa.int32())


def waist_table(
    context: Context, label: str, count: int, columns: Mapping[str, Sequence[object] | pa.Array]
) -> pa.Table:
    """Return `count` rows of READ_SCHEMA; `columns` are lists or arrays by name.

    Lists hold texts, numbers, 16-byte keys or None; `at` holds microseconds UTC. What the source
    says of itself, `part` 0 and an exact clock go without saying.
    """
    said = context.source
    given: dict[str, Any] = {
        "source": constant(said.name, count),
        "source_file": constant(label, count),
        "mapping_version": constant(said.mapping_version, count),
        "clock_quality": constant("exact", count),
        "part": pa.repeat(_ZERO, count),
        **({"tenant": constant(said.tenant, count)} if said.tenant else {}),
        **columns,
    }
    return pa.table([_column(field, given, count) for field in READ_SCHEMA], schema=READ_SCHEMA)


def _column(field: pa.Field, given: Mapping[str, Any], count: int) -> pa.Array:
    values = given.get(field.name)
    if values is None:
        return empty_column(field.name, count)
    if isinstance(values, pa.Array):
        return values
    if field.type == TEXT:
        return pa.array(values, pa.string()).dictionary_encode()
    if field.type == TIME:
        return pa.array(values, pa.int64()).cast(TIME)
    return pa.array(values, field.type)
