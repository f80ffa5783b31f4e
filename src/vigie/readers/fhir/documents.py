"""JSON documents that hold several resources: Bundles, arrays, and what is left of damaged ones."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from vigie.readers.fhir.identity import Resolver
from vigie.readers.fhir.resources import ENTRIES, RESOURCE, RESOURCES, Entry, Resource

BOM: Final = b"\xef\xbb\xbf"
_ENTRY: Final = re.compile(rb'"resource"\s*:\s*(?=\{)')
_ELEMENT: Final = re.compile(rb'(?=\{\s*"resourceType")')
_DOCUMENT: Final = re.compile(rb'^(?=\{\s*"resourceType"\s*:\s*"(?!Bundle"))', re.MULTILINE)
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}]', re.DOTALL)
_POINTED_AT: Final = frozenset(
    {"Patient", "Practitioner", "PractitionerRole", "Organization", "Device", "RelatedPerson"}
)
_HEAD_LINES: Final = 200


class _Typed(msgspec.Struct):
    resourceType: str


_TYPED: Final = msgspec.json.Decoder(_Typed)
_ANY: Final = msgspec.json.Decoder(msgspec.Raw)


def is_document(head: bytes) -> bool:
    """Say from its head whether a file is one JSON document, not one resource per line.

    One sound line is enough to know lines; a first line longer than the head is a document when
    it is a Bundle or an array.

    >>> is_document(b'{"resourceType": "AuditEvent"}\\n{"resourceType": "AuditEvent"'), (
    ...     is_document(b'{\\n "resourceType": "AuditEvent"\\n}\\n'))
    (False, True)
    """
    text = head.removeprefix(BOM).lstrip()
    lines = text.split(b"\n", _HEAD_LINES)
    first = lines[0].strip()
    if first not in (b"{", b"[") and any(_is_resource(line) for line in lines):
        return False
    if len(lines) > 1:
        return first[:1] in (b"{", b"[")
    return first[:1] == b"[" or b'"Bundle"' in first[:4096]


def _is_resource(line: bytes) -> bool:
    if not line.lstrip().startswith(b"{"):
        return False
    try:
        _TYPED.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def entries_of(raw: msgspec.Raw) -> tuple[list[msgspec.Raw], Resolver]:
    """Return the resources of a Bundle's entries, and those among them that others point at."""
    entries = ENTRIES.decode(raw) if raw else []
    pointed: dict[str, Resource] = {}
    for entry in entries:
        resource = _pointed_at(entry)
        if resource is not None:
            pointed[f"{resource.resourceType}/{resource.id}"] = resource
            if entry.fullUrl:
                pointed[entry.fullUrl] = resource
    return [entry.resource for entry in entries], pointed


def _pointed_at(entry: Entry) -> Resource | None:
    if not entry.resource:
        return None
    try:
        resource = RESOURCE.decode(entry.resource)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return resource if resource.resourceType in _POINTED_AT else None


def elements_of(data: bytes) -> list[msgspec.Raw]:
    """Return the resources of a JSON array."""
    return RESOURCES.decode(data)


def salvage(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the places of the resources in a document that cannot be read as a whole.

    An object whose braces do not close runs to the next resource, or to the end. Resources of
    several lines each may also follow one another without a Bundle around them.

    >>> broken = b'{"entry": [{"resource": {"a": 1}}, {"resource": {"a": }}, {"resource": {"b'
    >>> [broken[start:end] for start, end in salvage(broken)]
    [b'{"a": 1}', b'{"a": }', b'{"b']
    """
    mark = _ELEMENT if data.removeprefix(BOM).lstrip()[:1] == b"[" else _ENTRY
    if len(_DOCUMENT.findall(data)) > 1:
        mark = _DOCUMENT
    place = mark.search(data)
    while place:
        start = place.end()
        following = mark.search(data, start + 1)
        end = _closing(data, start)
        if end is None or (
            following and following.start() < end and not _is_sound(data[start:end])
        ):
            end = following.start() if following else len(data)
        yield start, end
        place = mark.search(data, end)


def _is_sound(text: bytes) -> bool:
    try:
        _ANY.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _closing(data: bytes, start: int) -> int | None:
    depth = 0
    for token in _TOKENS.finditer(data, start):
        if token[0] == b"{":
            depth += 1
        elif token[0] == b"}":
            depth -= 1
            if depth == 0:
                return token.end()
    return None
