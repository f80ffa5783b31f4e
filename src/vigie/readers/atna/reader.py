"""IHE ATNA audit messages from files: bare XML or in syslog, in the dialects of DICOM and RFC 3881.

One message is one unit, whatever lines it takes: `source_line` is the line on which it begins.
Messages of a syslog file that are not audit messages are ignored as `other_message`, blank lines
as `blank`, comments between documents as `comment`, a root that wraps messages as `wrapper`.

`object` is the IHE transaction (`ITI-45`), else the DICOM name of the event (`Login`).
`[values.action]` of a mapping file names codes of one's own. ATNA gives a message no identifier,
so `record_key` is null.

Sources: DICOM PS3.15 A.5, RFC 3881, IHE ITI TF-2 3.20, RFC 5424, 5425, 6587, 3164.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from vigie.readers import moments
from vigie.readers.atna import frames
from vigie.readers.atna.frames import Frame
from vigie.readers.atna.pieces import Pieces
from vigie.readers.atna.rows import NO_HEADER, Accepted, Rows, Times, action_said
from vigie.readers.atna.xml import RefusedXml
from vigie.readers.base import Batch, Context, Tally, no_events, quarantine_table
from vigie.readers.intake import Intake
from vigie.readers.sections import own_actions
from vigie.readers.syslog import OPENING, Header, moment, read_header

_IGNORED: Final = {
    frames.BLANK: "blank", frames.COMMENT: "comment", frames.WRAPPER: "wrapper",
    frames.OTHER: "other_message",
}  # fmt: skip
_AUDIT: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?AuditMessage[\s/>]")
_SYSLOG: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?" + OPENING)
_AUDIT_SYSLOG: Final = re.compile(rb"<\d{1,3}>\d (?:\S+ ){4}(?:IHE|DICOM)\+\S+ ")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_BATCH: Final = 4096
"""Messages held at a time: more only keep the garbage collector busy."""
_EDGE: Final = 2 * frames.EDGE


class AtnaReader:
    """Reader of ATNA audit messages; see the module's text."""

    name = "atna"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._actions = own_actions(context)

    @classmethod
    def recognises(cls, head: bytes, filename: str) -> float:
        """Be sure of an audit message that begins a document or stands behind a syslog header."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        found = _AUDIT.search(head)
        if found and (start == b"<" or start.isdigit() or _in_syslog(head, found.start())):
            return 0.95
        if _AUDIT_SYSLOG.search(head):
            return 0.9
        return 0.3 if _SYSLOG.match(head) else 0.0

    def read(self, intake: Intake) -> Iterator[Batch]:
        """Read the whole file."""
        work = _Work(self._context, self._actions, intake)
        for block in intake.blocks():
            yield from work.feed(block, final=False)
        yield from work.feed(b"", final=True)


@dataclass
class _Pile:
    """The units of one batch. `bad` holds (unit, reason); `digests` those of overlong units."""

    spans: list[tuple[int, int, int]] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    accepted: list[Accepted] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    digests: dict[int, bytes] = field(default_factory=dict)
    read: int = 0


@dataclass
class _Overlong:
    """A unit beyond the limit, hashed as it passes and never held whole."""

    line: int
    offset: int
    of_xml: bool
    digest: Any = field(default_factory=hashlib.sha256)


class _Work:
    """The reading of one file."""

    def __init__(self, context: Context, actions: dict[str, str], intake: Intake) -> None:
        self._context = context
        self._actions = actions
        self._label = intake.label
        self._longest = intake.longest_line
        self._rows = Rows(context, intake.label)
        self._pieces = Pieces()
        self._data = b""
        self._offset = 0
        self._line = 1
        self._overlong: _Overlong | None = None

    def feed(self, block: bytes, final: bool) -> Iterator[Batch]:
        """Take the next bytes; yield the batch of the units that they complete, if any."""
        self._data += block
        pile, start = _Pile(), 0
        while start < len(self._data):
            end = (
                self._skip(pile, start, final) if self._overlong else self._next(pile, start, final)
            )
            if end is None:
                start = self._swallow(start)
                break
            self._line += self._data.count(b"\n", start, end)
            start = end
            if len(pile.accepted) >= _BATCH:
                yield self._batch(pile)
                pile = _Pile()
        if pile.read:
            yield self._batch(pile)
        self._data = self._data[start:]
        self._offset += start

    def _next(self, pile: _Pile, start: int, final: bool) -> int | None:
        """Take the unit at `start`; return where the next begins, or None to read on."""
        frame = frames.next_frame(self._data, start, final, self._longest)
        if frame is None:
            return None
        if frame.kind == frames.OVERLONG:
            self._overlong = _Overlong(self._line, self._offset + start, frame.reason == "xml")
            self._overlong.digest.update(self._data[start : frame.end])
            return frame.end
        pile.read += 1
        rule = _IGNORED.get(frame.kind)
        if rule:
            pile.ignored[rule] = pile.ignored.get(rule, 0) + 1
            return frame.end
        if frame.kind == frames.MESSAGE:
            return self._message(pile, frame)
        self._refuse(pile, frame.start, frame.end, frame.reason)
        return frame.end

    def _message(self, pile: _Pile, frame: Frame) -> int:
        try:
            message = self._pieces.read(self._data[frame.body : frame.stop])
        except RefusedXml as refused:
            end = frames.inner_end(self._data, frame)
            self._refuse(pile, frame.start, end, refused.reason)
            return end
        action = action_said(message, self._actions)
        if action is None:
            self._refuse(pile, frame.start, frame.stop, "no_action")
            return frame.end
        pile.spans.append((frame.start, frame.stop, self._line))
        number = len(pile.spans) - 1
        pile.accepted.append(Accepted(number, self._line, message, action, _sent(frame.header)))
        return frame.end

    def _refuse(self, pile: _Pile, start: int, end: int, reason: str) -> None:
        end -= len(self._data[start:end]) - len(self._data[start:end].rstrip(b" \t\r\n\0"))
        pile.spans.append((start, max(start, end), self._line))
        pile.bad.append((len(pile.spans) - 1, reason))

    def _skip(self, pile: _Pile, start: int, final: bool) -> int | None:
        """Look for the end of an overlong unit; return where the next begins, or None."""
        overlong = self._overlong
        assert overlong is not None
        end = frames.skip_overlong(self._data, start, final, overlong.of_xml)
        if end is None:
            return None
        overlong.digest.update(self._data[start:end])
        pile.read += 1
        pile.spans.append(
            (overlong.offset - self._offset, overlong.offset - self._offset, overlong.line)
        )
        number = len(pile.spans) - 1
        pile.bad.append((number, "line_too_long"))
        pile.digests[number] = overlong.digest.digest()
        self._overlong = None
        return end

    def _swallow(self, start: int) -> int:
        """Let go of an overlong unit's bytes, but for those in which its end may have begun."""
        kept = max(start, len(self._data) - _EDGE)
        if self._overlong is None or kept == start:
            return start
        self._overlong.digest.update(self._data[start:kept])
        self._line += self._data.count(b"\n", start, kept)
        return kept

    def _batch(self, pile: _Pile) -> Batch:
        hashes = self._hashes(pile)
        times = self._rows.times(pile.accepted)
        bad = list(pile.bad)
        for one, kind in zip(pile.accepted, times.kinds.tolist(), strict=True):
            if kind < moments.UTC:
                bad.append((one.unit, "no_time" if kind == moments.EMPTY else "bad_time"))
        timed = times.kinds >= moments.UTC
        accepted = [one for one, good in zip(pile.accepted, timed.tolist(), strict=True) if good]
        kept = Times(times.at[timed], times.doubts[timed], times.kinds[timed])
        rejected: list[tuple[int, int | None, bytes, str, str | None]] = [
            (line, self._offset + start, digest, reason, _DETAILS.get(reason))
            for unit, reason in sorted(bad)
            for start, _, line in (pile.spans[unit],)
            for digest in (hashes[unit].as_py(),)
        ]
        return Batch(
            self._rows.table(accepted, kept, hashes) if accepted else no_events(),
            quarantine_table(self._context, self._label, rejected),
            Tally(pile.read, len(accepted), pile.ignored, len(bad)),
        )

    def _hashes(self, pile: _Pile) -> pa.Array:
        """Return the keyed hash of every unit; of an overlong one, that of its digest."""
        data, spans = self._data, np.array(pile.spans, np.int64).reshape(-1, 3)
        if pile.digests:
            joined = data + b"".join(pile.digests.values())
            for k, unit in enumerate(pile.digests):
                spans[unit, :2] = len(data) + 32 * k, len(data) + 32 * (k + 1)
            data = joined
        return self._context.keyring.line_hashes(
            np.frombuffer(data, np.uint8), spans[:, 0], spans[:, 1]
        )


_DETAILS: Final = {"no_time": "EventDateTime", "bad_time": "EventDateTime", "no_action": "EventID"}


def _sent(header: Header | None) -> int:
    """Return the time of a syslog header in µs, NO_HEADER when it says none."""
    said = moment(header.at) if header and header.at else None
    return NO_HEADER if said is None else (said - _EPOCH) // _MICROSECOND


def _in_syslog(head: bytes, place: int) -> bool:
    """Whether what stands on the line before `place` is a header that daemons write."""
    line = head.rfind(b"\n", 0, place) + 1
    return read_header(head, line) is not None
