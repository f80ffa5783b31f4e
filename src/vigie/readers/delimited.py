"""CSV, TSV and their kin: records of bytes to cells.

The file comes in pieces that end at a line end; a quoted field still open there waits for the
next piece, so that the same records come out however the file is cut.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.errors import ReadingError
from vigie.language import N_
from vigie.readers import moments
from vigie.readers.base import Batch, Context
from vigie.readers.cells import HEADER, Cells
from vigie.readers.encodings import check_encoding, encoding_of, recoded
from vigie.readers.header import Header, read_header
from vigie.readers.intake import Chunk, Intake
from vigie.readers.lines import BLANK, FAULTS, Layout, Spans, scan
from vigie.readers.mapping import Mapping
from vigie.readers.table_rows import TableRows
from vigie.readers.words import Words, always, from_spans, tidy

_BOM: Final = b"\xef\xbb\xbf"
_LONG, _TRUNCATED = FAULTS.index("line_too_long"), FAULTS.index("truncated")


def read(context: Context, mapping: Mapping, intake: Intake) -> Iterator[Batch]:
    """Read a delimited file through its mapping."""
    head = intake.head()
    encoding = encoding_of(head, mapping.format.encoding)
    check_encoding(head, encoding, intake.label)
    wide = encoding.startswith("utf-16")
    source = recoded(intake, encoding) if wide else intake
    table = _Delimited(context, mapping, source, "utf-8" if wide else encoding, not wide)
    rest = Chunk(b"", 1, 0)
    for chunk, following in _with_next(source.chunks()):
        if chunk.overlong:
            if rest.data:
                yield table.batch(rest, final=True)[0]
            yield table.overlong(chunk)
            rest = Chunk(b"", 0, 0)
            continue
        if rest.data:
            chunk = Chunk(rest.data + chunk.data, rest.first_line, rest.offset)
        batch, rest = table.batch(chunk, final=following is None)
        yield batch
    if not source.size:
        raise ReadingError(
            N_("the file is empty"), where=intake.label, remedy=N_("check how it was exported")
        )


def _with_next(chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Chunk | None]]:
    """Pair each chunk with the one after it: what ends the file is known with its last chunk."""
    held = next(chunks, None)
    while held is not None:
        following = next(chunks, None)
        yield held, following
        held = following


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

    def batch(self, chunk: Chunk, final: bool) -> tuple[Batch, Chunk]:
        """Read the records of `chunk`; what is left open comes back for the next."""
        data, skip = chunk.data, 0
        if chunk.offset == 0 and data.startswith(_BOM):
            data, skip = data[len(_BOM) :], len(_BOM)
        if self._header is None:
            self._begin(data)
        spans = scan(data, self._layout, final)
        faults = self._faults(data, spans, final)
        raw = np.frombuffer(data, np.uint8)
        times, kinds = self._times(raw, spans)
        self._find_headers(data, spans, kinds, faults)
        ring, longs = self._context.keyring, np.flatnonzero(faults == _LONG)
        cells = Cells(
            texts=self._texts(raw, spans),
            moments=times,
            kinds=kinds,
            lines=spans.lines + chunk.first_line,
            offsets=spans.starts + (chunk.offset + skip) if self._placed else None,
            hashes=ring.record_hashes(data, spans.starts, spans.ends, longs),
            faults=faults,
        )
        left = Chunk(
            data[spans.resume :],
            chunk.first_line + spans.line_count,
            chunk.offset + skip + spans.resume,
        )
        return self._rows.batch(cells), left

    def overlong(self, chunk: Chunk) -> Batch:
        """Quarantine a line that was too long to be held."""
        if self._header is None:
            raise ReadingError(
                N_("the first line is longer than {limit} bytes"),
                where=self._source.label,
                remedy=N_("check that this is a table, with one record per line"),
                limit=self._source.longest_line,
            )
        blank = Words(np.full(1, -1, np.int32), pa.array([], pa.string()))
        return self._rows.batch(
            Cells(
                texts=dict.fromkeys(self._mapping.texts, blank),
                moments=np.zeros(1, np.int64),
                kinds=np.zeros(1, np.uint8),
                lines=np.array([chunk.first_line]),
                offsets=np.array([chunk.offset]) if self._placed else None,
                hashes=self._context.keyring.digest_keys([chunk.digest]),
                faults=np.array([_LONG], np.uint8),
            )
        )

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

    def _faults(self, data: bytes, spans: Spans, final: bool) -> NDArray[np.uint8]:
        faults = spans.faults
        if self._header_due:
            first = np.flatnonzero(faults != BLANK)
            if len(first):
                faults[first[0]] = HEADER
                spans.field_sizes[:, first[0]] = 0
                self._header_due = False
        damaged = final and self._source.damage == "truncated"
        if damaged and len(faults) and not data.endswith(b"\n") and faults[-1] != HEADER:
            faults[-1] = _TRUNCATED
            spans.field_sizes[:, -1] = 0
        return faults

    def _find_headers(
        self,
        data: bytes,
        spans: Spans,
        kinds: NDArray[np.uint8],
        faults: NDArray[np.uint8],
    ) -> None:
        """Find the header again where exports were joined end to end."""
        line = self._header.line if self._header else b""
        for place in np.flatnonzero((kinds == moments.BAD) & (faults == 0)):
            if line and data[spans.starts[place] : spans.ends[place]] == line:
                faults[place] = HEADER

    def _times(
        self, raw: NDArray[np.uint8], spans: Spans
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        slot = self._mapping.wanted.index(self._mapping.columns["at"].column)
        starts, sizes = spans.field_starts[slot], spans.field_sizes[slot]
        if self._scale >= 0:
            return moments.parse_epochs(raw, starts, sizes, self._scale)
        return moments.parse(raw, starts, sizes, self._program)

    def _texts(self, raw: NDArray[np.uint8], spans: Spans) -> dict[str, Words]:
        form, wanted = self._mapping.format, self._mapping.wanted
        texts = {}
        for name, (column, value) in self._mapping.texts.items():
            if value is not None:
                texts[name] = always(value, len(spans.starts))
                continue
            slot = wanted.index(column)
            starts, sizes = spans.field_starts[slot], spans.field_sizes[slot]
            words = from_spans(raw, starts, sizes, form.quote, self._encoding)
            texts[name] = tidy(words, form.null) if form.null else words
        return texts
