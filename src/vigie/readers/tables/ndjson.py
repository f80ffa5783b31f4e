"""One JSON object per line to cells.

A mapping names a key, or a path of keys joined by dots. Only the named keys are decoded.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from msgspec.structs import astuple
from numpy.typing import NDArray

from vigie.errors import ReadingError
from vigie.language import N_
from vigie.readers import moments
from vigie.readers.ahead import with_next
from vigie.readers.base import Batch, Context
from vigie.readers.intake import Chunk, Intake
from vigie.readers.lines import BLANK, FAULTS, split_lines
from vigie.readers.mapping import Mapping
from vigie.readers.refusals import missing_column
from vigie.readers.tables.cells import Cells
from vigie.readers.tables.encodings import encoding_of, recoded
from vigie.readers.tables.rows import TableRows
from vigie.readers.words import Words, always, from_array, tidy

_BOM: Final = b"\xef\xbb\xbf"
_SEPARATOR: Final = ";"


def read(context: Context, mapping: Mapping, intake: Intake) -> Iterator[Batch]:
    """Read a file of JSON objects through its mapping."""
    head = intake.head()
    encoding = encoding_of(head, mapping.format.encoding)
    if encoding not in ("utf-8", "utf-16-le", "utf-16-be"):
        raise ReadingError(
            N_("JSON is in UTF-8 or UTF-16, not in {encoding}"),
            where=mapping.where,
            remedy=N_("take encoding out of [source.format]"),
            encoding=encoding,
        )
    wide = encoding != "utf-8"
    source = recoded(intake, encoding) if wide else intake
    records = _Records(mapping)
    if not wide:
        _check_keys(head, mapping, intake.label)
    rows = TableRows(context, mapping, intake.label)
    for chunk, following in with_next(source.chunks()):
        yield rows.batch(records.cells(context, chunk, source, following is None, not wide))
    if not source.size:
        raise ReadingError(
            N_("the file is empty"), where=intake.label, remedy=N_("check how it was exported")
        )


class _Records:
    """Decodes the named keys of each line."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        wanted = mapping.wanted
        keys = list(dict.fromkeys([*wanted, *(name.split(".")[0] for name in wanted)]))
        self._attributes = {key: f"key{place}" for place, key in enumerate(keys)}
        fields = [(attribute, Any, None) for attribute in self._attributes.values()]
        rename = {attribute: key for key, attribute in self._attributes.items()}
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Record", fields, rename=rename))
        self._empty = self._decoder.decode(b"{}")
        self._program, self._scale = mapping.time_form()

    def cells(
        self, context: Context, chunk: Chunk, source: Intake, final: bool, placed: bool
    ) -> Cells:
        """Return the cells of the lines of `chunk`."""
        if chunk.overlong:
            return self._overlong(context, chunk, placed)
        data, skip = chunk.data, 0
        if chunk.offset == 0 and data.startswith(_BOM):
            data, skip = data[len(_BOM) :], len(_BOM)
        spans = split_lines(data, longest=source.longest_line)
        faults = spans.faults
        if final and source.damage == "truncated" and not data.endswith(b"\n"):
            faults[-1] = FAULTS.index("truncated")
        records = self._decoded(data, spans.starts, spans.ends, faults)
        columns = self._columns(records, faults)
        return self._as_cells(
            columns,
            lines=spans.lines + chunk.first_line,
            offsets=spans.starts + (chunk.offset + skip) if placed else None,
            hashes=context.keyring.record_hashes(data, spans.starts, spans.ends, _longs(faults)),
            faults=faults,
        )

    def _overlong(self, context: Context, chunk: Chunk, placed: bool) -> Cells:
        faults = np.array([FAULTS.index("line_too_long")], np.uint8)
        return self._as_cells(
            {name: pa.nulls(1, pa.string()) for name in self._mapping.wanted},
            lines=np.array([chunk.first_line]),
            offsets=np.array([chunk.offset]) if placed else None,
            hashes=context.keyring.digest_keys([chunk.digest]),
            faults=faults,
        )

    def _decoded(
        self,
        data: bytes,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        faults: NDArray[np.uint8],
    ) -> list[Any]:
        view, decode, found = memoryview(data), self._decoder.decode, []
        for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            record = self._empty
            if not faults[place]:
                try:
                    record = decode(view[start:end])
                except msgspec.ValidationError:
                    faults[place] = FAULTS.index("wrong_resource")
                except (msgspec.DecodeError, UnicodeDecodeError):
                    blank = not data[start:end].strip()
                    faults[place] = BLANK if blank else FAULTS.index("bad_json")
                except RecursionError:
                    faults[place] = FAULTS.index("too_deep")
            found.append(record)
        return found

    def _columns(self, records: list[Any], faults: NDArray[np.uint8]) -> dict[str, pa.Array]:
        keys = list(self._attributes)
        cells = dict(zip(keys, zip(*map(astuple, records), strict=True), strict=True))
        single = {c.column for name, c in self._mapping.columns.items() if name == "patient"}
        columns = {}
        for name in self._mapping.wanted:
            values: Sequence[Any] = cells[name]
            if "." in name:
                top, *path = name.split(".")
                values = [
                    _inside(outer, path) if value is None else value
                    for outer, value in zip(cells[top], values, strict=True)
                ]
            if name in single:
                self._refuse_several(values, faults)
            columns[name] = _texts(values)
        return columns

    def _refuse_several(self, values: Sequence[Any], faults: NDArray[np.uint8]) -> None:
        """Quarantine a record whose one patient is several: the mapping must say `patients`."""
        for place, value in enumerate(values):
            if isinstance(value, list | dict) and not faults[place]:
                faults[place] = FAULTS.index("bad_value")

    def _as_cells(
        self,
        columns: dict[str, pa.Array],
        lines: NDArray[np.int64],
        offsets: NDArray[np.int64] | None,
        hashes: pa.Array,
        faults: NDArray[np.uint8],
    ) -> Cells:
        null = self._mapping.format.null
        words = {name: tidy(from_array(values), null) for name, values in columns.items()}
        texts: dict[str, Words] = {
            name: always(value, len(lines)) if value is not None else words[column]
            for name, (column, value) in self._mapping.texts.items()
        }
        at = words[self._mapping.columns["at"].column]
        times, kinds = moments.parse_words(at, self._program, self._scale)
        return Cells(texts, times, kinds, lines, offsets, hashes, faults)


def _longs(faults: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.flatnonzero(faults == FAULTS.index("line_too_long"))


def _texts(values: Sequence[Any]) -> pa.Array:
    """Return JSON values as texts, at once when they are texts already."""
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array([_text(value) for value in values], pa.string())


def _inside(value: Any, path: list[str]) -> Any:
    for key in path:
        if isinstance(value, list) and value:
            value = value[0]
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _text(value: Any) -> str | None:
    """Return a JSON value as text; several are joined, an object says nothing by itself."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        texts = [_text(item) for item in value if not isinstance(item, list)]
        return _SEPARATOR.join(text for text in texts if text)
    return None if isinstance(value, dict) else repr(value)


def _check_keys(head: bytes, mapping: Mapping, label: str) -> None:
    """Refuse a mapping whose time or action is in no object of the beginning of the file."""
    seen: dict[str, None] = {}
    for line in head.split(b"\n")[:200]:
        try:
            record = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        seen.update(dict.fromkeys(record))
    for name in ("at", "action"):
        column = mapping.columns[name].column
        if seen and column and column not in seen and column.split(".")[0] not in seen:
            raise missing_column(column, seen, mapping.where, label)
