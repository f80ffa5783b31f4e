"""Entities read once per spelling: two that differ only by ids tell the same, but for those ids.

A log of millions of accesses has a few dozen spellings of an entity. The id of a reference, the
value of an identifier and the values in a query are cut out; what is left is read once with
placeholders in their places, and each record's own ids are put back where the placeholders went.
Where an id's form matters (a national identifier with its key) nothing is cut.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from itertools import chain, count
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from vigie.readers.fhir.entities import PLACEHOLDER, PLACES, Facet, Story, tell
from vigie.readers.fhir.queries import holds_document
from vigie.readers.fhir.resources import ENTITIES

K = TypeVar("K")
V = TypeVar("V")
_QUERY: Final = b'"query"'
_MARKS: Final = (
    (48, b'"reference"'), (48, b'"value"'), (None, _QUERY), (None, b'"reference"'),
    (None, b'"value"'),
)  # fmt: skip
"""What to cut after, and how far to look: first where it usually stands, which is quick."""
_POLICY: Final = b'"policy"'
_PLAIN: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
_TOKEN: Final = _PLAIN + b"_"
_IDS: Final = re.compile(
    rb'("(?:reference|value)"\s*:\s*"(?:[^"\\]*/)?)([A-Za-z0-9.\-]{1,64})(?=")'
)
_ASKED: Final = re.compile(r"(?<=[=/| ])[A-Za-z.\-]*[0-9][A-Za-z0-9.\-]*(?=[&\s?/]|\Z)")
_REMEMBERED: Final = 1 << 15

NO_FACET: Final = Facet()

Cut = tuple[bytes, list[str]]
"""What is left of an entity, with marks where the ids were; and the ids, in order."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """A facet, the ids of this very record, and whether other records share the facet."""

    facet: Facet
    ids: list[str]
    shared: bool


class Stories:
    """Remembers the story of every spelling of a whole list of entities."""

    def __init__(self, read: Callable[[bytes], Facet]) -> None:
        self._read = read
        self._entities = Templates(read)
        self._stories: dict[tuple[Facet, ...], Story] = {}
        self._spellings: dict[bytes, Story | None] = {}
        self._skeletons: dict[tuple[bytes, bytes], Story | None] = {}

    def tell(
        self, raw: msgspec.Raw, searching: bool, subject: Told | None = None
    ) -> tuple[Story, Sequence[Told]]:
        """Return the story of a list of entities, and the record's own ids in it.

        A search holds a query, whose values must be cut out entity by entity; `subject` is what
        the record says of its patient beside the entities.
        """
        if searching or subject or not raw:
            return self._by_entity(raw, subject)
        parts = _IDS.split(raw)
        ids = [each.decode() for each in parts[2::3]]
        del parts[2::3]
        skeleton = b"\0".join(parts)
        if skeleton not in self._spellings:
            _keep(self._spellings, skeleton, self._learn(parts))
        story = self._spellings[skeleton]
        if story is None:
            return self._by_entity(raw, None)
        return story, (Told(NO_FACET, ids, shared=True),)

    def of_skeleton(self, skeleton: bytes, query: bytes) -> Story | None:
        """Return the story of a list of entities as `cuts` leaves it, and the query in it.

        A NUL stands for an id, a 1 for the query. None when the ids cannot simply be put back.
        """
        key = skeleton, _without_names(query)
        if key not in self._skeletons:
            _keep(self._skeletons, key, self._read_skeleton(*key))
        return self._skeletons[key]

    def _read_skeleton(self, skeleton: bytes, query: bytes) -> Story | None:
        if holds_document(query.decode("ascii", "replace")):
            return None
        # The ids of the query come last, wherever it stands among the entities.
        apart = skeleton.count(b"\0")
        marks = [PLACEHOLDER.format(place).encode() for place in range(apart + query.count(b"\0"))]
        if len(marks) > len(PLACES):
            return None
        asked = base64.b64encode(_filled_in(query, marks[apart:]))
        text = _filled_in(skeleton, marks).replace(b"\1", asked)
        facets = [
            self._read(bytes(each)) for each in (ENTITIES.decode(text) if text else None) or ()
        ]
        if not all(map(_is_template, facets)):
            return None
        story = tell(facets, templates=True)
        said = [named.value for named, _, _ in story.patients] + [story.request[0]]
        return None if "" in said else story

    def _by_entity(self, raw: msgspec.Raw, subject: Told | None) -> tuple[Story, list[Told]]:
        told = [self._entities.tell(each) for each in (ENTITIES.decode(raw) if raw else None) or ()]
        if subject:
            told.append(subject)
        key = tuple([each.facet for each in told])
        story = self._stories.get(key)
        if story is None:
            story = tell(key, templates=True)
            if all(each.shared for each in told):
                _keep(self._stories, key, story)
        return story, told

    def _learn(self, parts: list[bytes]) -> Story | None:
        """Read a spelling with placeholders for its ids; None when they cannot be put back."""
        places = len(parts) // 2
        if places > len(PLACES) or any(_QUERY in part for part in parts):
            return None
        marks = [PLACEHOLDER.format(place).encode() for place in range(places)]
        text = b"".join(chain.from_iterable(zip(parts[::2], parts[1::2], marks, strict=False)))
        facets = [self._read(bytes(each)) for each in ENTITIES.decode(text + parts[-1]) or ()]
        if not all(map(_is_template, facets)):
            return None
        story = tell(facets, templates=True)
        patients = tuple((named, 0, place) for named, _, place in story.patients)
        return replace(story, patients=patients, request=(story.request[0], 0, story.request[2]))


class Templates:
    """Remembers the facet of every spelling; `tell` raises what the given reader raises."""

    def __init__(self, read: Callable[[bytes], Facet]) -> None:
        self._read = read
        self._templates: dict[bytes, Facet | None] = {}
        self._constants: dict[bytes, Facet] = {}

    def tell(self, raw: msgspec.Raw) -> Told:
        """Return what an entity tells."""
        text = bytes(raw)
        cut = cut_ids(text)
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


def _keep(memory: dict[K, V], key: K, value: V) -> V:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value
    return value


_NAME: Final = re.compile(rb"(?<=[?&])((?:family|given|name)(?::exact)?=)[A-Za-z]+(?=&|\Z)")


def _without_names(query: bytes) -> bytes:
    """Put one name for all: which letters it has tells nothing of the shape of the query.

    >>> _without_names(b"GET /Patient?family:exact=DURAND&_count=20")
    b'GET /Patient?family:exact=A&_count=20'
    """
    path, mark, asked = query.partition(b"?")
    if b"/" not in path or b"?" in asked or b"\n" in query:
        return query
    return path + _NAME.sub(rb"\1A", mark + asked)


def _filled_in(text: bytes, marks: list[bytes]) -> bytes:
    parts = text.split(b"\0")
    return b"".join(chain.from_iterable(zip(parts, [*marks[: len(parts) - 1], b""], strict=True)))


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


def cut_ids(text: bytes) -> Cut | None:
    """Cut out of an entity what each record has of its own: an id, or the values of a query.

    >>> cut_ids(b'{"what":{"reference":"Patient/12"},"role":{"code":"1"}}')
    (b'{"what":{"reference":"Patient/\\x00"},"role":{"code":"1"}}', ['12'])
    >>> cut_ids(b'{"what":{"identifier":{"value":"a^b"}}}') is None
    True
    """
    for nearby, mark in _MARKS:
        place = text.find(mark, 0, nearby)
        if place >= 0:
            break
    else:
        return None
    if mark is _QUERY:
        return cut_query(text)
    place += len(mark)
    start = text.find(b'"', place) + 1
    end = text.find(b'"', start)
    begin = max(text.rfind(b"/", start, end) + 1, start)
    found = text[begin:end]
    if text[place : start - 1].strip() != b":" or not found or found.translate(None, _PLAIN):
        return None
    return text[:begin] + b"\0" + text[end:], [found.decode()]


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
    if "\0" in asked or "\1" in asked or holds_document(asked):
        return None
    ids = _ASKED.findall(asked)
    if len(ids) > len(PLACES):
        return None
    left = _ASKED.sub("\0", asked).encode()
    return b"%b\1%b\1%b" % (text[:start], left, text[end:]), ids
