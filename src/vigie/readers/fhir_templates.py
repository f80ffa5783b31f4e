"""Entities read once per spelling: two that differ only by an id tell the same, but for that id.

A log of millions of accesses has a few dozen spellings of an entity. The id of a reference, or
the value of an identifier, is cut out; what is left is read once with `ANY_ID` in its place, and
the id is put back where `ANY_ID` went. Where the id's own form matters (a national identifier
with its key) nothing is cut.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from vigie.readers.fhir_entities import ANY_ID, Facet

_MARKS: Final = (b'"reference"', b'"value"')
_PLAIN: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
_REMEMBERED: Final = 1 << 15


class Templates:
    """Remembers the facet of every spelling; `read` raises what the given reader raises."""

    def __init__(self, read: Callable[[bytes], Facet]) -> None:
        self._read = read
        self._templates: dict[bytes, Facet | None] = {}
        self._constants: dict[bytes, Facet] = {}

    def facet(self, raw: msgspec.Raw) -> tuple[Facet, str | None, bool]:
        """Return the facet of an entity, the id to put into its slot, and whether it is shared."""
        text = bytes(raw)
        cut = cut_id(text)
        if cut is not None:
            skeleton, found = cut
            if skeleton not in self._templates:
                self._learn(skeleton)
            template = self._templates[skeleton]
            if template is not None:
                return template, found, True
        known = self._constants.get(text)
        if known is not None:
            return known, None, True
        facet = self._read(text)
        if facet.shape is None and cut is None:
            _keep(self._constants, text, facet)
            return facet, None, True
        return facet, None, False

    def _learn(self, skeleton: bytes) -> None:
        facet = self._read(skeleton.replace(b"\0", ANY_ID.encode()))
        if len(self._templates) >= _REMEMBERED:
            self._templates.clear()
        self._templates[skeleton] = _with_slot(facet)


def _keep(memory: dict[bytes, Facet], key: bytes, facet: Facet) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = facet


def _with_slot(facet: Facet) -> Facet | None:
    """Say where the id goes, or None when it cannot simply be put back."""
    if facet.shape is not None or facet.session is not None or facet.asked:
        return None
    if facet.request == ANY_ID:
        return replace(facet, slot="request")
    values = [each.value for each in facet.patients]
    if ANY_ID not in values:
        return facet
    plain = len(values) == 1 and facet.patients[0].kind is None
    return replace(facet, slot="patient") if plain else None


def cut_id(text: bytes) -> tuple[bytes, str] | None:
    """Cut the first reference's id, or identifier's value, out of a JSON object.

    >>> cut_id(b'{"what":{"reference":"Patient/12"},"role":{"code":"1"}}')
    (b'{"what":{"reference":"Patient/\\x00"},"role":{"code":"1"}}', '12')
    >>> cut_id(b'{"what":{"identifier":{"value":"a^b"}}}') is None
    True
    """
    for mark in _MARKS:
        place = text.find(mark)
        if place >= 0:
            place += len(mark)
            start = text.find(b'"', place) + 1
            end = text.find(b'"', start)
            begin = max(text.rfind(b"/", start, end) + 1, start)
            found = text[begin:end]
            if text[place : start - 1].strip() != b":" or found.translate(None, _PLAIN):
                return None
            return text[:begin] + b"\0" + text[end:], found.decode()
    return None
