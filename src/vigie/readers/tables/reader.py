"""Tables through a mapping: CSV and its kin here, NDJSON and Parquet beside.

The reader knows a file by its first bytes; the mapping says what its columns mean.
"""

import json
from collections.abc import Iterator
from typing import ClassVar, Final

from vigie.errors import MappingError
from vigie.language import N_
from vigie.readers.ahead import ahead
from vigie.readers.base import Batch, Context
from vigie.readers.intake import Intake
from vigie.readers.mapping import parse_mapping
from vigie.readers.tables import delimited, ndjson, parquet

_EXTENSIONS: Final = {".csv": 0.4, ".tsv": 0.4, ".parquet": 0.5, ".ndjson": 0.3, ".jsonl": 0.3}
_READERS: Final = {"csv": delimited.read, "ndjson": ndjson.read, "parquet": parquet.read}


class TableReader:
    """Reads any table that a mapping describes."""

    name: ClassVar[str] = "table"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._mapping = parse_mapping(context.mapping, context.mapping_file)
        if not self._mapping.columns:
            raise MappingError(
                N_("a table can only be read through a mapping with [columns]"),
                where=context.mapping_file,
                remedy=N_("draft one with: vigie mapping suggest FILE"),
            )

    @classmethod
    def recognises(cls, head: bytes, filename: str) -> float:
        """Say how sure one is that this is a table, from its first bytes and its name."""
        if head.startswith(b"PAR1"):
            return 0.9
        name = filename.lower().removesuffix(".gz").removesuffix(".zst")
        return next((sure for end, sure in _EXTENSIONS.items() if name.endswith(end)), 0.05)

    def read(self, intake: Intake) -> Iterator[Batch]:
        """Read the whole file; raises `ReadingError` or `MappingError` when none of it fits."""
        kind = self._mapping.format.kind or table_kind(intake.head())
        yield from ahead(_READERS[kind](self._context, self._mapping, intake))


def table_kind(head: bytes) -> str:
    """Tell from its first bytes how a table is written: csv, ndjson or parquet.

    >>> table_kind(b'{"a": 1}'), table_kind(b"a,b"), table_kind(b"PAR1")
    ('ndjson', 'csv', 'parquet')
    """
    if head.startswith(b"PAR1"):
        return "parquet"
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return "ndjson" if first.startswith(b"{") and _is_object(first) else "csv"


def _is_object(text: bytes) -> bool:
    line = text.split(b"\n", 1)[0].strip()
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return b'":' in line or b'" :' in line
