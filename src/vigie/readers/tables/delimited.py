"""CSV, TSV and their kin: records of bytes to cells.

The file comes in pieces that end at a line end; a quoted field still open there waits for the
next piece, so that the same records come out however the file is cut.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.errors import ReadingError
from vigie.language import N_
from vigie.readers import moments
from vigie.readers.ahead import ahead, with_next
from vigie.readers.base import Batch, Context
from vigie.readers.intake import Chunk, Intake
from vigie.readers.lines import BLANK, FAULTS, Layout, Spans, scan
from vigie.readers.mapping import Mapping
from vigie.readers.tables.cells import HEADER, Cells
from vigie.readers.tables.encodings import check_encoding, encoding_of, recoded
from vigie.readers.tables.header import TITLES, Header, read_header
from vigie.readers.tables.rows import TableRows
from vigie.readers.words import Words, always, from_spans, tidy

_BOM: Final = b"\xef\xbb\xbf"
_THREADS: Final = 2
_LONG, _TRUNCATED = FAULTS.index("line_too_long"), FAULTS.index("truncated")


def read(context: Context, mapping: Mapping, intake: Intake) -> Iterator[Batch]:
    """Read a delimited file through its mapping."""
    head = intake.head()
    encoding = encoding_of(head, mapping.format.encoding)
    check_encoding(head, encoding, intake.label)
    wide = encoding.startswith("utf-16")
    source = recoded(intake, encoding) if wide else intake
    table = _Delimited(context, mapping, source, "utf-8" if wide else encoding, not wide)
    with ThreadPoolExecutor(_THREADS, "columns") as pool:
        for piece in ahead(table.pieces()):
            yield table.batch(piece, pool)
    if not source.size:
        raise ReadingError(
            N_("the file is empty"), where=intake.label, remedy=N_("check how it was exported")
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some records of the file: their bytes, what was found in them, and what is left open."""

    data: bytes
    first_line: int
    offset: int
    spans: Spans
    hashes: pa.Array
    rest: Chunk


class _Delimited:
    """One file being read: its layout, once its header is known, and its rows."""

    def __init__(
        self, context: Context, mapping: Mapping, source: Intake, encoding: str, placed: bool
    ) -> None:
        self._context, self._mapping, self._source = context, mapping, source
        self._encoding, self._placed = encoding, placed
        self._rows = TableRows(context, mapping, source.label)
        self._program, self._scale = mapping.time_form()
        self._header: Header | None = None
        self._header_due = mapping.format.header is None
        self._layout = Layout()

    def pieces(self) -> Iterator[_Piece]:
        """Find the records of the file, piece by piece."""
        rest = Chunk(b"", 1, 0)
        for chunk, following in with_next(self._source.chunks()):
            if chunk.overlong:
                if rest.data:
                    yield self._piece(rest, final=True)
                yield self._overlong(chunk)
                rest = Chunk(b"", 0, 0)
                continue
            if rest.data:
                chunk = Chunk(rest.data + chunk.data, rest.first_line, rest.offset)
            piece = self._piece(chunk, final=following is None)
            rest = piece.rest
            yield piece

    def batch(self, piece: _Piece, pool: ThreadPoolExecutor) -> Batch:
        """Return the rows of a piece; pieces come in their order."""
        raw = np.frombuffer(piece.data, np.uint8)
        texts = self._texts(raw, piece.spans, pool)
        times, kinds = self._times(raw, piece.spans)
        self._find_headers(piece, kinds)
        spans = piece.spans
        return self._rows.batch(
            Cells(
                texts={name: text.result() for name, text in texts.items()},
                moments=times,
                kinds=kinds,
                lines=spans.lines + piece.first_line,
                offsets=spans.starts + piece.offset if self._placed else None,
                hashes=piece.hashes,
                faults=spans.faults,
            )
        )

    def _piece(self, chunk: Chunk, final: bool) -> _Piece:
        data, offset = chunk.data, chunk.offset
        if offset == 0 and data.startswith(_BOM):
            data, offset = data[len(_BOM) :], len(_BOM)
        if self._header is None:
            self._begin(data)
        spans = scan(data, self._layout, final)
        self._mark(data, spans, final)
        longs = np.flatnonzero(spans.faults == _LONG)
        hashes = self._context.keyring.record_hashes(data, spans.starts, spans.ends, longs)
        rest = Chunk(
            data[spans.resume :], chunk.first_line + spans.line_count, offset + spans.resume
        )
        return _Piece(data, chunk.first_line, offset, spans, hashes, rest)

    def _overlong(self, chunk: Chunk) -> _Piece:
        """Return a line that was too long to be held, of which only the fault is known."""
        if self._header is None:
            raise ReadingError(
                N_("the first line is longer than {limit} bytes"),
                where=self._source.label,
                remedy=N_("check that this is a table, with one record per line"),
                limit=self._source.longest_line,
            )
        wanted = max(self._layout.slots) + 1
        nothing, none = np.zeros(1, np.int64), np.zeros((wanted, 1), np.int32)
        faults = np.array([_LONG], np.uint8)
        spans = Spans(nothing, nothing, nothing, faults, none, none, 0, 1)
        hashes = self._context.keyring.digest_keys([chunk.digest])
        return _Piece(b"", chunk.first_line, chunk.offset, spans, hashes, Chunk(b"", 0, 0))

    def _begin(self, data: bytes) -> None:
        where, form = self._source.label, self._mapping.format
        header = read_header(data, self._mapping, self._encoding, where)
        wanted = self._mapping.wanted
        slots = [wanted.index(name) if name in wanted else -1 for name in header.names]
        witness = header.names.index(self._mapping.columns["at"].column)
        self._layout = Layout(
            delimiter=header.delimiter,
            quote=form.quote,
            encoding=self._encoding,
            fields=len(header.names),
            slots=tuple(slots),
            witness=witness,
            longest=self._source.longest_line,
        )
        self._header = header

    def _mark(self, data: bytes, spans: Spans, final: bool) -> None:
        """Mark the header, and the last line when the file was cut in the middle of it."""
        faults = spans.faults
        if self._header_due:
            first = np.flatnonzero(faults != BLANK)
            if len(first):
                named = np.array(self._above(data, spans, first))
                faults[named] = HEADER
                spans.field_sizes[:, named] = 0
                self._header_due = False
        damaged = final and self._source.damage == "truncated"
        if damaged and len(faults) and not data.endswith(b"\n") and faults[-1] != HEADER:
            faults[-1] = _TRUNCATED
            spans.field_sizes[:, -1] = 0

    def _above(self, data: bytes, spans: Spans, lines: NDArray[np.int64]) -> list[int]:
        """Return the line that names the columns, and the titles above it."""
        line = self._header.line if self._header else b""
        for count, place in enumerate(lines[: TITLES + 1].tolist(), 1):
            if data[spans.starts[place] : spans.ends[place]] == line:
                return list(lines[:count].tolist())
        return [int(lines[0])]

    def _find_headers(self, piece: _Piece, kinds: NDArray[np.uint8]) -> None:
        """Find the header again where exports were joined end to end."""
        line, spans = self._header.line if self._header else b"", piece.spans
        for place in np.flatnonzero((kinds == moments.BAD) & (spans.faults == 0)):
            if line and piece.data[spans.starts[place] : spans.ends[place]] == line:
                spans.faults[place] = HEADER

    def _times(
        self, raw: NDArray[np.uint8], spans: Spans
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        slot = self._mapping.wanted.index(self._mapping.columns["at"].column)
        starts, sizes = spans.field_starts[slot], spans.field_sizes[slot]
        if self._scale >= 0:
            return moments.parse_epochs(raw, starts, sizes, self._scale)
        return moments.parse(raw, starts, sizes, self._program)

    def _texts(
        self, raw: NDArray[np.uint8], spans: Spans, pool: ThreadPoolExecutor
    ) -> dict[str, Future[Words]]:
        """Begin to gather the columns, each by itself."""
        return {name: pool.submit(self._column, name, raw, spans) for name in self._mapping.texts}

    def _column(self, name: str, raw: NDArray[np.uint8], spans: Spans) -> Words:
        form, (column, value) = self._mapping.format, self._mapping.texts[name]
        if value is not None:
            return always(value, len(spans.starts))
        slot = self._mapping.wanted.index(column)
        starts, sizes = spans.field_starts[slot], spans.field_sizes[slot]
        words = from_spans(raw, starts, sizes, form.quote, self._encoding)
        return tidy(words, form.null) if form.null else words
