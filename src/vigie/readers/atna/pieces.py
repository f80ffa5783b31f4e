"""Messages read piece by piece, remembering the pieces that repeat.

A log writes the same participants, source and codes again and again. The children of a message
are found by their names alone, and a child whose bytes were already parsed is not parsed again.
This is exact: a document is well formed if it is a well-formed root around well-formed elements
with nothing but blanks between. Whatever does not look so plain is parsed as a whole.
"""

import re
from typing import Any, Final

from vigie.readers.atna.xml import (
    Event,
    Message,
    Object,
    Participant,
    RefusedXml,
    parse_document,
    parse_message,
    read_event,
    read_object,
    read_participant,
    read_source,
)

_REMEMBERED: Final = 1 << 14
_LONGEST: Final = 4096
_OPENING: Final = re.compile(
    rb"(?:<\?xml version=[\"']1\.0[\"'](?: encoding=[\"'](?:UTF-8|utf-8)[\"'])?"
    rb"(?: standalone=[\"'](?:yes|no)[\"'])?\s*\?>\s*)?<AuditMessage>\s*"
)
_BLANKS: Final = re.compile(rb"\s*")
_OBJECT: Final = b"<ParticipantObjectIdentification"
_CLOSING: Final = b"</AuditMessage>"
_TIME: Final = b' EventDateTime="'
_PATIENT: Final = b' ParticipantObjectID="'
_PLAIN: Final = re.compile(rb"(?:[ !#-%'-;=-~]|&amp;)*")
"""Characters that mean themselves in an attribute between double quotes, and `&amp;`."""
_ENDS: Final = {
    b"<Ac": (b"<ActiveParticipant", b"</ActiveParticipant>"),
    b"<Pa": (b"<ParticipantObjectIdentification", b"</ParticipantObjectIdentification>"),
    b"<Ev": (b"<EventIdentification", b"</EventIdentification>"),
    b"<Au": (b"<AuditSourceIdentification", b"</AuditSourceIdentification>"),
}


class Pieces:
    """Reads the messages of one file."""

    def __init__(self) -> None:
        self._known: dict[bytes, Any] = {}
        self._groups: dict[bytes, tuple[tuple[Participant, ...], tuple[str, str]]] = {}

    def read(self, body: bytes) -> Message:
        """Read one document, as `atna_xml.parse_message` does.

        >>> Pieces().read(b'<AuditMessage><EventIdentification EventActionCode="R">'
        ...     b'<EventID csd-code="110110"/></EventIdentification></AuditMessage>').event
        '110110'
        """
        return self._plain(body) or parse_message(body)

    def _plain(self, body: bytes) -> Message | None:
        opening = _OPENING.match(body)
        if opening is None:
            return None
        at = _child_end(body, opening.end())
        event = self._read(b"<EventIdentification", body[opening.end() : at]) if at else None
        if not isinstance(event, Event):
            return None
        objects = body.find(_OBJECT, at)
        if objects < 0:
            objects = len(body) - len(_CLOSING)
        actors = self._actors(body[at:objects])
        found = self._children(body[objects:].removesuffix(_CLOSING))
        if actors is None or found is None or not body.endswith(_CLOSING):
            return None
        if not all(isinstance(one, Object) for one in found):
            return None
        participants, source = actors
        return Message(*event, participants, *source, tuple(found))

    def _actors(self, part: bytes) -> tuple[tuple[Participant, ...], tuple[str, str]] | None:
        """Read what stands between the event and the objects: it repeats as a whole."""
        known = self._groups.get(part)
        if known is not None:
            return known
        found = self._children(part)
        if found is None or any(isinstance(one, (Event, Object)) for one in found):
            return None
        participants = tuple(one for one in found if isinstance(one, Participant))
        sources = (one for one in found if not isinstance(one, Participant))
        known = participants, next(filter(any, sources), ("", ""))
        if len(part) <= _LONGEST:
            if len(self._groups) >= _REMEMBERED:
                self._groups.clear()
            self._groups[part] = known
        return known

    def _children(self, part: bytes) -> list[Any] | None:
        """Read a run of children with nothing but blanks between, or None."""
        found, at = [], _blanks_end(part, 0)
        while at < len(part):
            end = _child_end(part, at)
            read = self._read(_ENDS[part[at : at + 3]][0], part[at:end]) if end else None
            if read is None:
                return None
            found.append(read)
            at = _blanks_end(part, end)
        return found

    def _read(self, name: bytes, piece: bytes) -> Any:
        """Read one child, less the value that no two have in common."""
        if name == b"<EventIdentification":
            value, rest = _without(piece, _TIME)
            found = self._remembered(name, rest)
            if value and found:
                return Event(found[0], found[1], found[2], value, found[4], found[5])
            return found
        if name == b"<ParticipantObjectIdentification":
            value, rest = _without(piece, _PATIENT)
            found = self._remembered(name, rest)
            return Object(value, *found[1:]) if value and found else found
        return self._remembered(name, piece)

    def _remembered(self, name: bytes, piece: bytes) -> Any:
        known = self._known.get(piece)
        if known is None:
            try:
                known = _READERS[name](parse_document(piece))
            except RefusedXml:
                return None
            if len(piece) <= _LONGEST:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[piece] = known
        return known


def _child_end(body: bytes, at: int) -> int:
    """Return where the child at `at` ends, or 0; a wrong guess does not parse."""
    names = _ENDS.get(body[at : at + 3])
    if names is None or not body.startswith(names[0], at):
        return 0
    mark = body.find(b">", at)
    if body[mark - 1 : mark] == b"/":
        return mark + 1
    closing = body.find(names[1], mark)
    return closing + len(names[1]) if closing >= 0 else 0


def _blanks_end(body: bytes, at: int) -> int:
    if body[at : at + 1] == b"<":
        return at
    blanks = _BLANKS.match(body, at)
    return blanks.end() if blanks else at


def _without(piece: bytes, attribute: bytes) -> tuple[str, bytes]:
    """Cut the value of `attribute` out of the start tag of `piece`, if it is plain text."""
    start = piece.find(attribute, 0, piece.find(b">") + 1) + len(attribute)
    end = piece.find(b'"', start)
    if start < len(attribute) or end < 0:
        return "", piece
    value = piece[start:end]
    if not _PLAIN.fullmatch(value):
        return "", piece
    said = value.decode("ascii")
    return (said.replace("&amp;", "&") if "&" in said else said).strip(), piece[:start] + piece[
        end:
    ]


_READERS: Final[dict[bytes, Any]] = {
    b"<ActiveParticipant": read_participant,
    b"<ParticipantObjectIdentification": read_object,
    b"<EventIdentification": read_event,
    b"<AuditSourceIdentification": read_source,
}
