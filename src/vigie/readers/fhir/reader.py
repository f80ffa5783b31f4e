"""FHIR AuditEvents (R4, R4B, R5) from files: one resource, a Bundle, or one resource per line.

A line of NDJSON, an entry of a Bundle and a resource alone are each one record, counted, hashed
and judged by itself. A Bundle that is damaged somewhere still gives its intact entries.

`object` is the type of the resource that was used (`DocumentReference`), for a query the type it
asks for, with its operation (`Patient/$everything`), and for an event without any the DICOM name
of the event (`Login`). `[values.action]` of a mapping file names codes of one's own.
"""

import hashlib
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.readers.base import Batch, Context, Tally, no_events, quarantine_table
from vigie.readers.fhir import bulk
from vigie.readers.fhir.documents import BOM, elements_of, entries_of, is_document, salvage
from vigie.readers.fhir.events import Access, Fault, Interpreter, reason_of
from vigie.readers.fhir.identity import Resolver
from vigie.readers.fhir.resources import EVENT, AuditEvent
from vigie.readers.fhir.rows import Rows
from vigie.readers.fhir.scan import scan
from vigie.readers.fhir.sheets import Sheet, from_accesses, integers, merged
from vigie.readers.intake import Chunk, Intake
from vigie.readers.sections import own_actions

_MARK: Final = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]+)"')
_TYPE: Final = re.compile(r"[A-Z][A-Za-z]{2,63}")
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass
class _Pile:
    """The records of one batch as they are read."""

    read: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    accesses: list[Access] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    bad: list[tuple[int, str, str | None]] = field(default_factory=list)
    spans: "array[int]" = field(default_factory=lambda: array("q"))

    def begin(self, start: int, end: int, line: int) -> int:
        """Count one record at `data[start:end]` on `line`; return its number in the batch."""
        self.read += 1
        self.spans.extend((start, end, line))
        return len(self.spans) // 3 - 1

    def begin_all(self, spans: NDArray[np.int64]) -> None:
        """Count records that were read in bulk, each of `spans` being start, end and line."""
        self.read += len(spans)
        self.spans.frombytes(np.ascontiguousarray(spans).tobytes())
        self.accepted.extend(range(len(spans)))

    def reject(self, start: int, end: int, line: int, reason: str) -> None:
        """Count one record that cannot be read."""
        self.bad.append((self.begin(start, end, line), reason, None))

    def ignore(self, rule: str) -> None:
        """Count a record that a rule leaves out."""
        self.ignored[rule] = self.ignored.get(rule, 0) + 1


class FhirReader:
    """Reader of FHIR AuditEvents; see the module's text."""

    name = "fhir"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._actions = own_actions(context)

    @classmethod
    def recognises(cls, head: bytes, filename: str) -> float:
        """Be sure of a FHIR resource that is, or may hold, an AuditEvent."""
        if head.removeprefix(BOM).lstrip()[:1] not in (b"{", b"["):
            return 0.0
        types = set(_MARK.findall(head))
        if b"AuditEvent" in types:
            return 0.95
        return 0.6 if types else 0.0

    def read(self, intake: Intake) -> Iterator[Batch]:
        """Read the whole file."""
        work = _Work(self._context, self._actions, intake)
        if is_document(intake.head()):
            yield work.document(intake.whole())
            return
        for chunk in intake.chunks():
            yield work.lines(chunk)


class _Work:
    """The reading of one file."""

    def __init__(self, context: Context, actions: dict[str, str], intake: Intake) -> None:
        self._context = context
        self._intake = intake
        self._events = Interpreter(context, actions)
        self._rows = Rows(context, intake.label, self._events.named_patient)

    def lines(self, chunk: Chunk) -> Batch:
        """Return the batch of a chunk of NDJSON."""
        pile = _Pile()
        if chunk.overlong:
            pile.reject(0, 0, chunk.first_line, "line_too_long")
            return self._batch(chunk.data, chunk.offset, pile, {0: chunk.digest})
        ended = chunk.data.endswith(b"\n")
        data = chunk.data if ended else chunk.data + b"\n"
        raw = np.frombuffer(data, np.uint8)
        found = scan(raw, chunk.lines + (not ended), self._intake.longest_line)
        sheet, taken = bulk.read(raw, found, self._events)
        spans = np.stack(
            [found.starts, found.ends, chunk.first_line + np.arange(len(taken))], axis=1
        )
        pile.begin_all(spans[taken])
        digests: dict[int, bytes] = {}
        for start, end, line in spans[~taken].tolist():
            self._odd_line(chunk.data, start, end, line, pile, digests)
        return self._batch(chunk.data, chunk.offset, pile, digests, sheet)

    def _odd_line(
        self, data: bytes, start: int, end: int, line: int, pile: _Pile, digests: dict[int, bytes]
    ) -> None:
        """Read a line by itself."""
        text = data[start:end]
        if line == 1 and text.startswith(BOM):
            text, start = text[len(BOM) :], start + len(BOM)
        if not text or text.isspace():
            pile.read += 1
            pile.ignore("blank")
        elif len(text) > self._intake.longest_line:
            digests[len(pile.spans) // 3] = _digest(data, start)
            pile.reject(start, end, line, "line_too_long")
        elif b"\0" in text:
            pile.reject(start, end, line, "nul_byte")
        else:
            cut_off = len(data) - end <= 1 and not data.endswith(b"\n")
            self._line(text, start, line, pile, cut_off)

    def _line(self, text: bytes, start: int, line: int, pile: _Pile, last: bool) -> None:
        try:
            event = EVENT.decode(text)
        except _BROKEN as error:
            pile.reject(start, start + len(text), line, self._why(error, last))
            return
        if event.resourceType == "Bundle":
            self._bundle(event, text, start, line, pile)
        else:
            self._record(event, pile.begin(start, start + len(text), line), pile, {})

    def _bundle(self, event: AuditEvent, text: bytes, start: int, line: int, pile: _Pile) -> None:
        """Read the entries; `line` is that of the Bundle, 0 to number its entries instead."""
        try:
            resources, pointed = entries_of(event.entry)
        except _BROKEN:
            self._salvage(text, start, line, pile)
            return
        self._elements(resources, pointed, text, start, line, pile)

    def _elements(
        self,
        resources: list[msgspec.Raw],
        pointed: Resolver,
        text: bytes,
        start: int,
        line: int,
        pile: _Pile,
    ) -> None:
        if not resources:
            pile.read += 1
            pile.ignore("empty_bundle")
        place = 0
        for count, raw in enumerate(resources, 1):
            whole = bytes(raw)
            place = text.find(whole, place)
            number = pile.begin(start + place, start + place + len(whole), line or count)
            place += len(whole)
            self._element(whole, number, pile, pointed)

    def _element(
        self, whole: bytes, number: int, pile: _Pile, pointed: Resolver, last: bool = False
    ) -> None:
        if not whole:
            pile.ignore("other_resource")
            return
        try:
            event = EVENT.decode(whole)
        except _BROKEN as error:
            pile.bad.append((number, self._why(error, last), None))
            return
        self._record(event, number, pile, pointed)

    def _record(self, event: AuditEvent, number: int, pile: _Pile, pointed: Resolver) -> None:
        kind = event.resourceType
        if kind != "AuditEvent":
            if isinstance(kind, str) and _TYPE.fullmatch(kind):
                pile.ignore("other_resource")
            else:
                pile.bad.append((number, "wrong_resource", "resourceType"))
            return
        try:
            access = self._events.read(event, pointed)
        except Fault as fault:
            pile.bad.append((number, fault.reason, fault.detail))
            return
        pile.accesses.append(access)
        pile.accepted.append(number)

    def _why(self, error: Exception, last: bool = False) -> str:
        reason = reason_of(error)
        ended = reason == "bad_json" and "truncated" in str(error)
        return "truncated" if ended and (last or self._intake.damage) else reason

    def document(self, data: bytes) -> Batch:
        """Return the batch of a whole document."""
        pile = _Pile()
        text = data.removeprefix(BOM)
        start = len(data) - len(text)
        try:
            if text.lstrip()[:1] == b"[":
                self._elements(elements_of(text), {}, text, start, 0, pile)
                return self._batch(data, 0, pile, {})
            event = EVENT.decode(text)
        except _BROKEN as error:
            self._salvage(text, start, 0, pile, self._why(error, last=True))
            return self._batch(data, 0, pile, {})
        if event.resourceType == "Bundle":
            self._bundle(event, text, start, 0, pile)
        else:
            self._record(event, pile.begin(start, len(data), 1), pile, {})
        return self._batch(data, 0, pile, {})

    def _salvage(
        self, text: bytes, start: int, line: int, pile: _Pile, why: str = "bad_value"
    ) -> None:
        """Read what is intact in a damaged document; without anything in it, quarantine it."""
        places = list(salvage(text))
        for count, (begin, end) in enumerate(places, 1):
            number = pile.begin(start + begin, start + end, line or count)
            self._element(text[begin:end], number, pile, {}, end == len(text))
        rest = places[-1][1] if places else 0
        if not places or (why == "truncated" and rest < len(text)):
            # Nobody knows what stood after the cut: the rest counts as one record that was lost.
            number = pile.begin(start + rest, start + len(text), line or len(places) + 1)
            pile.bad.append((number, why, None))

    def _batch(
        self,
        data: bytes,
        offset: int,
        pile: _Pile,
        digests: dict[int, bytes],
        bulk_read: Sheet | None = None,
    ) -> Batch:
        spans = np.array(pile.spans).reshape(-1, 3)
        raw = np.frombuffer(data, np.uint8)
        hashes = self._context.keyring.line_hashes(raw, spans[:, 0], spans[:, 1])
        rejected: list[tuple[int, int | None, bytes, str, str | None]] = [
            (int(spans[k, 2]), offset + int(spans[k, 0]), self._hash(hashes, k, digests), why, what)
            for k, why, what in pile.bad
        ]
        sheets = [bulk_read] if bulk_read else []
        if pile.accesses:
            odd = pile.accepted[len(pile.accepted) - len(pile.accesses) :]
            sheets.append(from_accesses(pile.accesses, odd))
        return Batch(
            self._table(sheets, spans, hashes),
            quarantine_table(self._context, self._intake.label, rejected),
            Tally(pile.read, len(pile.accepted), pile.ignored, len(pile.bad)),
        )

    def _table(self, sheets: list[Sheet], spans: NDArray[np.int64], hashes: pa.Array) -> pa.Table:
        if not sheets:
            return no_events()
        sheet = merged(sheets, spans[:, 0])
        chosen = sheet.numbers
        return self._rows.table(sheet, spans[chosen, 2], hashes.take(integers(chosen)))

    def _hash(self, hashes: pa.Array, number: int, digests: dict[int, bytes]) -> bytes:
        if number not in digests:
            return bytes(hashes[number].as_py())
        digest = np.frombuffer(digests[number], np.uint8)
        whole = self._context.keyring.line_hashes(digest, np.array([0]), np.array([len(digest)]))
        return bytes(whole[0].as_py())


def _digest(data: bytes, start: int) -> bytes:
    end = data.find(b"\n", start) + 1 or len(data)
    return hashlib.sha256(data[start:end]).digest()[:16]
