"""Entities read once per spelling: two that differ only by ids tell the same, but for those ids.

A log of millions of accesses has a few dozen spellings of an entity. The id of a reference, the
value of an identifier and the values in a query are cut out; what is left is read once with
placeholders in their places, and each record's own ids are put back where the placeholders went.
Where an id's form matters (a national identifier with its key) nothing is cut.
"""

import base64
import binascii
import re
from collections.abc import Callable
from itertools import count
from typing import Final, TypeVar

import msgspec

from vigie.readers.fhir_entities import PLACEHOLDER, PLACES, Facet

V = TypeVar("V")
_MARKS: Final = (b'"reference"', b'"value"')
_QUERY: Final = b'"query"'
_POLICY: Final = b'"policy"'
_PLAIN: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
_TOKEN: Final = _PLAIN + b"_"
_ASKED: Final = re.compile(r"(?<=[=/| ])[A-Za-z.\-]*[0-9][A-Za-z0-9.\-]*(?=[&\s?/]|\Z)")
_REMEMBERED: Final = 1 << 15

Cut = tuple[bytes, list[str]]
"""What is left of an entity, with marks where the ids were; and the ids, in order."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """A facet, the ids of this very record, and whether other records share the facet."""

    facet: Facet
    ids: list[str]
    shared: bool


class Templates:
    """Remembers the facet of every spelling; `tell` raises what the given reader raises."""

    def __init__(self, read: Callable[[bytes], Facet]) -> None:
        self._read = read
        self._templates: dict[bytes, Facet | None] = {}
        self._constants: dict[bytes, Facet] = {}

    def tell(self, raw: msgspec.Raw) -> Told:
        """Return what an entity tells."""
        text = bytes(raw)
        cut = cut_query(text) if _QUERY in text else cut_id(text)
        if cut is None:
            return self._constant(text)
        skeleton, ids = cut
        if skeleton not in self._templates:
            self._learn(skeleton)
        template = self._templates[skeleton]
        if template is None:
            return Told(self._read(text), [], shared=False)
        return Told(template, ids, shared=True)

    def _constant(self, text: bytes) -> Told:
        facet = self._constants.get(text)
        if facet is None:
            facet = _keep(self._constants, text, self._read(text))
        return Told(facet, [], shared=True)

    def _learn(self, skeleton: bytes) -> None:
        facet = self._read(_with_placeholders(skeleton))
        _keep(self._templates, skeleton, facet if _is_template(facet) else None)


def _keep(memory: dict[bytes, V], key: bytes, value: V) -> V:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value
    return value


def _with_placeholders(skeleton: bytes) -> bytes:
    """Put the placeholders into a skeleton; a query's text goes back into base64."""
    head, mark, rest = skeleton.partition(b"\1")
    if not mark:
        return skeleton.replace(b"\0", PLACEHOLDER.format(0).encode())
    text, _, tail = rest.partition(b"\1")
    numbers = count()
    asked = re.sub(b"\0", lambda _: PLACEHOLDER.format(next(numbers)).encode(), text)
    return head + base64.b64encode(asked) + tail


def _is_template(facet: Facet) -> bool:
    """Whether the placeholders stand only where ids can simply be put back."""
    named = [*facet.patients, *facet.asked]
    slots = sum(each.value in PLACES and each.kind is None for each in named)
    slots += facet.request in PLACES
    return repr(facet).count(PLACEHOLDER.format("")) == slots


def cut_id(text: bytes) -> Cut | None:
    """Cut the first reference's id, or identifier's value, out of a JSON object.

    >>> cut_id(b'{"what":{"reference":"Patient/12"},"role":{"code":"1"}}')
    (b'{"what":{"reference":"Patient/\\x00"},"role":{"code":"1"}}', ['12'])
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
            return b"%b\0%b" % (text[:begin], text[end:]), [found.decode()]
    return None


ANY_POLICY: Final = "any-policy"


def cut_token(text: bytes) -> tuple[bytes, str | None]:
    """Cut the first policy out of the agents: a token's id, when it is no address.

    >>> cut_token(b'[{"requestor":true,"policy":["C187"]}]')
    (b'[{"requestor":true,"policy":["\\x00"]}]', 'C187')
    """
    place = text.find(_POLICY)
    if place < 0:
        return text, None
    place += len(_POLICY)
    start = text.find(b'"', place) + 1
    end = text.find(b'"', start)
    found = text[start:end]
    between = text[place : start - 1].replace(b" ", b"")
    if not start or between != b":[" or not found or found.translate(None, _TOKEN):
        return text, None
    return b"%b\0%b" % (text[:start], text[end:]), found.decode()


def cut_query(text: bytes) -> Cut | None:
    """Cut the values out of the query of a JSON object, and the query out of its base64.

    >>> cut_query(b'{"query":"UGF0aWVudD9faWQ9MTI="}')
    (b'{"query":"\\x01Patient?_id=\\x00\\x01"}', ['12'])
    """
    place = text.find(_QUERY) + len(_QUERY)
    start = text.find(b'"', place) + 1
    end = text.find(b'"', start)
    if text[place : start - 1].strip() != b":":
        return None
    try:
        asked = base64.b64decode(text[start:end], validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    if "\0" in asked or "\1" in asked:
        return None
    ids = _ASKED.findall(asked)
    if len(ids) > len(PLACES):
        return None
    left = _ASKED.sub("\0", asked).encode()
    return b"%b\1%b\1%b" % (text[:start], left, text[end:]), ids
