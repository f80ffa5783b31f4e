"""Where each audit message begins and ends in a stream that mixes XML, syslog and damage.

Documents may follow one another with or without line ends, bare or in syslog, with or without a
length before them, on one line or on many. So the end of a message is the end of its XML; the
announced length only ends what is not XML. A damaged message never swallows the next one: it ends
where another begins. What is decided at a place depends on the bytes after it, never on how they
were cut into chunks: where more bytes could change the answer, the answer is `None`.
"""

import re
from dataclasses import dataclass
from typing import Final

from vigie.readers.syslog import (
    FILE_TIME,
    LONGEST_HEADER,
    OLD_TIME,
    OPENING,
    Header,
    read_count,
    read_header,
)  # fmt: skip

MESSAGE, BLANK, COMMENT, WRAPPER, OTHER, FAULT, OVERLONG = range(7)
"""Kinds of frames: an audit message, what is ignored, what is quarantined, what has no end yet."""

_NAME: Final = rb"(?:[A-Za-z_][\w.-]*:)?AuditMessage"
_ROOT: Final = rb"<" + _NAME + rb"(?=[\s/>])"
_MARK: Final = rb"\xef\xbb\xbf"
_ASIDE: Final = rb"<!--(?>(?:[^-]|-(?!-))*)-->"

_EMPTY_LINE: Final = re.compile(rb"[ \t\r\0]{0,4096}\n")
_START: Final = re.compile(rb"[ \t\r]*(?:" + _MARK + rb")?[ \t\r]*")
_TAG: Final = re.compile(rb"[^<\n]{0,1024}(?=<\?xml\s|<!--|<!DOCTYPE|" + _ROOT + rb")")
_PROLOG: Final = re.compile(
    rb"\s*(?:" + _MARK + rb")?\s*(?P<notes>(?>" + _ASIDE + rb"\s*){0,64})"
    rb"(?P<said>(?><\?[^<>]*\?>\s*|" + _ASIDE + rb"\s*){0,64})"
    rb"(?:(?P<root>" + _ROOT + rb")|(?P<doctype><!DOCTYPE))?"
)
_LATER_ROOT: Final = re.compile(_ROOT)
_ROOT_TAG: Final = re.compile(rb"<(" + _NAME + rb")[^<>]*>")
_CLOSING: Final = re.compile(rb"</" + _NAME + rb"\s*>")
_TOKEN: Final = re.compile(
    _ASIDE
    + rb"|<!\[CDATA\[(?>(?:[^\]<]|\](?!\]>)|<(?!!\[))*)\]\]>|"
    + _ROOT
    + rb"|</"
    + _NAME
    + rb"\s*>"
)
_BEGINNING: Final = (
    rb"(?P<opening>" + OPENING + rb"(?=[\dA-Z]))|(?P<document><\?xml\s|" + _ROOT
    + rb")|(?P<dated>(?<=\n)(?:" + OLD_TIME + rb"|" + FILE_TIME + rb") )"
)  # fmt: skip
_BOUNDARY: Final = re.compile(_BEGINNING)
_LINE: Final = re.compile(rb"\n")
_LINE_OR_BOUNDARY: Final = re.compile(rb"\n|" + _BEGINNING)
_WRAPPER: Final = re.compile(rb"</?(?:[\w.-]+:)?Audit(?:Messages|MessageList|Log|Trail)\b[^<>]*>")
_TAIL: Final = re.compile(rb"[ \t\r\0]{0,4096}\n?")
EDGE: Final = 8192
"""Bytes beyond a place that can change what is decided there."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`data[start:end]` is one unit; its XML is `data[body:stop]`, its root element at `root`.

    `reason` is that of a quarantine; of what has no end yet, whether it is XML (`xml`, `line`).
    """

    kind: int
    reason: str
    start: int
    end: int
    body: int = 0
    stop: int = 0
    root: int = 0
    header: Header | None = None


def next_frame(data: bytes, start: int, final: bool, longest: int) -> Frame | None:
    """Return the frame at `start`, or None when it takes more bytes to tell.

    >>> one = next_frame(b"<AuditMessage/> <AuditMessage/>", 0, True, 1 << 20)
    >>> one.kind == MESSAGE, one.end
    (True, 16)
    """
    if not final and len(data) - start < LONGEST_HEADER + EDGE:
        return None
    empty = _EMPTY_LINE.match(data, start)
    if empty:
        return Frame(BLANK, "", start, empty.end())
    opening = _found(_START.match(data, start)).end()
    count = read_count(data, opening)
    header = read_header(data, count[1] if count else opening)
    body = header.body if header else opening
    if header:
        tag = _TAG.match(data, body)
        body = tag.end() if tag else body
    prolog = _found(_PROLOG.match(data, body, body + LONGEST_HEADER))
    if prolog["root"] or prolog["doctype"]:
        return _document(data, start, prolog, header, final, longest)
    if prolog["notes"] and not header:
        return Frame(COMMENT, "", start, _after(data, prolog.end("notes")))
    return _line(data, start, opening, header, count, final, longest)


def inner_end(data: bytes, frame: Frame) -> int:
    """Return where a message that could not be read gives way to another, else its own end."""
    found = _BOUNDARY.search(data, frame.root + 1, frame.end)
    return found.start() if found else frame.end


def skip_overlong(data: bytes, start: int, final: bool, of_xml: bool) -> int | None:
    """Return where the frame that passes the limit ends at last, or None: read on."""
    closing = _CLOSING.search(data, start) if of_xml else None
    if not of_xml:
        line = data.find(b"\n", start) + 1
        return line or (len(data) if final else None)
    boundary = _line_boundary(data, start)
    ends = [_after(data, closing.end())] if closing else []
    end = min([*ends, *([boundary] if boundary else [])], default=None)
    if end is None:
        return len(data) if final else None
    return end if final or len(data) - end >= EDGE else None


def _document(
    data: bytes,
    start: int,
    prolog: re.Match[bytes],
    header: Header | None,
    final: bool,
    longest: int,
) -> Frame | None:
    """Frame a document whose root, or document type, has been seen."""
    limit = start + longest
    body = (
        prolog.start("said")
        if prolog["said"]
        else prolog.start("root" if prolog["root"] else "doctype")
    )
    root = prolog.start("root")
    if prolog["doctype"]:
        later = _LATER_ROOT.search(data, prolog.end(), limit)
        root = later.start() if later else prolog.end()
    stop = _stop(data, root, limit)
    if stop is None:
        return _unended(data, start, root, prolog["doctype"] is not None, final, longest)
    if not final and len(data) - stop < EDGE:
        return None
    if prolog["doctype"]:
        return Frame(FAULT, "forbidden_xml", start, _after(data, stop))
    if stop < 0:
        return Frame(FAULT, "bad_xml", start, -stop)
    return Frame(MESSAGE, "", start, _after(data, stop), body, stop, root, header)


def _stop(data: bytes, root: int, limit: int) -> int | None:
    """Return where the document ends; minus the place where another begins before it ends."""
    tag = _ROOT_TAG.match(data, root, limit)
    if tag is None:
        return None
    if data[tag.end() - 2] == ord("/"):
        return tag.end()
    place = data.find(b"AuditMessage", tag.end(), limit)
    if place < 0:
        return None
    closing = _CLOSING.match(data, place - len(tag[1]) + len(b"AuditMessage") - 2, limit)
    if closing and data.find(b"<!", tag.end(), place) < 0:
        return closing.end()
    return _stop_by_tokens(data, root, tag.end(), limit)


def _stop_by_tokens(data: bytes, root: int, start: int, limit: int) -> int | None:
    """Find the end past comments and CDATA, which may quote a whole message."""
    for token in _TOKEN.finditer(data, start, limit):
        said = token[0]
        if said.startswith(b"</"):
            return token.end()
        if not said.startswith(b"<!"):
            return -_boundary(data, root, token.start())
        if said.startswith(b"<![") and _LATER_ROOT.search(said):
            return -_boundary(data, root, token.end())
    return None


def _boundary(data: bytes, root: int, at_most: int) -> int:
    found = _BOUNDARY.search(data, root + 1, at_most)
    return found.start() if found else at_most


def _line_boundary(data: bytes, start: int) -> int | None:
    for found in _BOUNDARY.finditer(data, start):
        if data[found.start() - 1 : found.start()] == b"\n":
            return found.start()
    return None


def _unended(
    data: bytes, start: int, root: int, forbidden: bool, final: bool, longest: int
) -> Frame | None:
    """Frame a document whose end is not in sight."""
    limit = start + longest
    if not final and len(data) < limit + EDGE:
        return None
    reason = "forbidden_xml" if forbidden else "bad_xml"
    found = _BOUNDARY.search(data, root + 1, limit)
    if found:
        return Frame(FAULT, reason, start, found.start())
    if len(data) > limit:
        return Frame(OVERLONG, "xml", start, limit)
    return Frame(FAULT, reason if forbidden else "truncated", start, len(data))


def _line(
    data: bytes, start: int, opening: int, header: Header | None, count: tuple[int, int] | None,
    final: bool, longest: int,
) -> Frame | None:  # fmt: skip
    """Frame what is not an audit document: a line, or as many bytes as were announced."""
    limit = start + longest
    if count and header and header.modern and sum(count) <= limit:
        if not final and len(data) < sum(count) + EDGE:
            return None
        counted = _counted_end(data, sum(count))
        if counted:
            return Frame(*_judge(data[start:counted], header), start, counted)
    met = _LINE_OR_BOUNDARY.search(data, header.body if header else opening + 1, limit)
    if met and met[0] != b"\n":
        kind, reason = _judge(data[start : met.start()], header)
        if kind == FAULT and met["document"]:
            return _embedded(data, start, met.start(), reason, final, longest)
        if kind in (FAULT, WRAPPER) or _opens_syslog(data, met):
            return Frame(kind, reason, start, met.start())
        met = _LINE.search(data, met.end(), limit)
    if met:
        return Frame(*_judge(data[start : met.end()], header), start, met.end())
    if len(data) > limit:
        return Frame(OVERLONG, "line", start, limit)
    if not final:
        return None
    kind, reason = _judge(data[start:], header)
    return Frame(kind, reason and "truncated", start, len(data))


def _opens_syslog(data: bytes, met: re.Match[bytes]) -> bool:
    """Whether a complete header begins there: the line end before it was lost."""
    header = read_header(data, data.index(b"<", met.start())) if met["opening"] else None
    return header is not None and header.modern


def _embedded(
    data: bytes, start: int, place: int, reason: str, final: bool, longest: int
) -> Frame | None:
    """Frame a document behind a header that cannot be read: both go together."""
    limit = start + longest
    prolog = _found(_PROLOG.match(data, place, place + LONGEST_HEADER))
    root = prolog.start("root") if prolog["root"] else place
    stop = _stop(data, root, limit) if prolog["root"] else None
    if stop is None:
        return _unended(data, start, root, False, final, longest)
    if not final and len(data) - abs(stop) < EDGE:
        return None
    return Frame(FAULT, reason, start, _after(data, stop) if stop > 0 else -stop)


def _judge(text: bytes, header: Header | None) -> tuple[int, str]:
    """Say what a line is that holds no audit message, and what is wrong with it."""
    if header and header.names_audit:
        return FAULT, "bad_xml"
    if header and (header.modern or header.at):
        return OTHER, ""
    if _WRAPPER.fullmatch(text.strip()):
        return WRAPPER, ""
    if b"\0" in text:
        return FAULT, "bad_encoding" if text.count(b"\0") * 3 > len(text) else "nul_byte"
    element = re.match(rb"\s*<\D", text)
    return FAULT, "bad_xml" if element else "bad_syslog"


def _counted_end(data: bytes, end: int) -> int | None:
    """Return the end that the announced length gives, if something can begin there."""
    after = _after(data, end)
    fits = after == len(data) or b"\n" in data[end:after] or _BOUNDARY.match(data, after)
    return after if fits and end <= len(data) else None


def _after(data: bytes, end: int) -> int:
    return _found(_TAIL.match(data, end)).end()


def _found(match: re.Match[bytes] | None) -> re.Match[bytes]:
    """Every pattern that comes here also matches nothing at all."""
    assert match is not None
    return match
