"""The route table of a web application: which request is which action on which patient.

A path is compared as the application sees it: decoded once, without empty or `.` segments, `..`
resolved, matrix parameters (`;v=1`) left out. The first route that fits wins. What stands in a
path never leaves this module, but for the identifiers that a route says are there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from vigie.errors import MappingError
from vigie.events import ACTIONS, VOCABULARIES
from vigie.language import N_
from vigie.readers.base import Context
from vigie.readers.mapping import nearest
from vigie.readers.patients import Declared, Patient, declared, patient
from vigie.readers.sections import convert

_REQUEST: Final = re.compile(r"(?P<method>[A-Za-z][A-Za-z_-]*) (?P<target>\S.*?)(?: HTTP/[\d.]+)?")
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PLAIN: Final = re.compile(r"(?:/[\w~-][\w.~,=-]*+)++")
_ESCAPED: Final = re.compile(r"\\x([0-9A-Fa-f]{2})|\\(.)")
_PART: Final = re.compile(r"\{(\w+)\}|(\*)")
_LONGEST_TARGET: Final = 1 << 16
_MOST_FIELDS: Final = 1000


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[routes]]`: `{name}` is one segment (or a part of one), a final `*` all that follows.

    `patient` is `path:name` or `query:name`; `term` is the query parameter that a search fills.
    `ignore` names the rule that ignores the request (true is `static`).
    """

    pattern: str
    method: str | list[str] = []
    action: str = ""
    screen: str = ""
    patient: str = ""
    authority: str = ""
    kind: str = ""
    term: str = ""
    query_shape: str = ""
    ignore: bool | str = False


class Found(NamedTuple):
    """The route that a request takes, by number, with its patients and the shape of its query."""

    route: int
    shape: str | None = None
    patients: tuple[Patient, ...] = ()


@dataclass(frozen=True, slots=True)
class _Compiled:
    number: int
    methods: frozenset[str]
    pattern: "re.Pattern[str]"
    source: str
    name: str
    term: str
    said: Declared


class Routes:
    """The routes of a mapping, in their order."""

    def __init__(self, context: Context) -> None:
        self.table: Sequence[Route] = convert(
            context, "routes", context.mapping.get("routes", []), list[Route]
        )
        if not self.table:
            raise MappingError(
                N_("a web log can only be read with a route table"),
                where=context.mapping_file,
                remedy=N_("add [[routes]] with a pattern, an action and the place of the patient"),
            )
        firsts = [_first(route.pattern) for route in self.table]
        self._by_first: dict[str, list[_Compiled]] = {first: [] for first in ("", *firsts)}
        for number, (route, first) in enumerate(zip(self.table, firsts, strict=True)):
            _check(route, context.mapping_file)
            compiled = _compiled(number, route, context)
            for bucket in [first] if first else self._by_first:
                self._by_first[bucket].append(compiled)

    def find(self, request: str) -> Found | None:
        """Return the route of a request line as the log writes it, or None.

        None too for what is no request: the bytes of TLS on a plain port, an empty line.
        """
        found = _REQUEST.fullmatch(request)
        if not found or len(request) > _LONGEST_TARGET:
            return None
        return self.find_target(found["method"], found["target"])

    def find_target(self, method: str, target: str) -> Found | None:
        """Return the route of a method and a target (path and query)."""
        path, query = split_target(target)
        first = path[1:].split("/", 1)[0]
        for route in self._by_first.get(first, self._by_first[""]):
            if route.methods and method.upper() not in route.methods:
                continue
            parts = route.pattern.fullmatch(path)
            if parts:
                return self._found(route, parts.groupdict(), query)
        return None

    def _found(self, route: _Compiled, parts: Mapping[str, str], query: str) -> Found:
        fields = _fields(query)
        raws = [parts[route.name]] if route.source == "path" else []
        if route.source == "query":
            raws = [value for name, value in fields if _is(name, route.name)]
        named = (patient(route.said, raw) for raw in raws)
        distinct = tuple(dict.fromkeys(one for one in named if one))
        if distinct:
            return Found(route.number, "exact_id", distinct)
        said = self.table[route.number].query_shape or None
        terms = [value for name, value in fields if route.term and _is(name, route.term)]
        return Found(route.number, _shape(terms, said) if route.term else said)


def split_target(target: str) -> tuple[str, str]:
    """Return the path as an application sees it, and the raw query.

    >>> split_target("/static/../patients//%31%32;v=1/?a=1#b")
    ('/patients/12', 'a=1')
    >>> split_target("http://portail.fr/patients/12")
    ('/patients/12', '')
    """
    path, _, query = target.partition("?")
    if _PLAIN.fullmatch(path):
        return path, query.partition("#")[0]
    text = _ESCAPED.sub(_unescaped, target)
    if _ABSOLUTE.match(text):
        path, query = _split_absolute(text)
    else:
        path, _, query = text.partition("#")[0].partition("?")
    segments: list[str] = []
    for segment in unquote(path).split("/"):
        name = segment.partition(";")[0]
        if name == "..":
            del segments[-1:]
        elif name not in ("", "."):
            segments.append(name)
    return "/" + "/".join(segments), query


def _split_absolute(text: str) -> tuple[str, str]:
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/", ""
    return parts.path, parts.query


def _unescaped(found: "re.Match[str]") -> str:
    """Undo the escapes of the log itself; bytes beyond ASCII become percent-encoded."""
    if not found[1]:
        return found[2]
    code = int(found[1], 16)
    return chr(code) if code < 0x80 else f"%{code:02X}"


def _fields(query: str) -> list[tuple[str, str]]:
    if not query:
        return []
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return []


def _is(name: str, wanted: str) -> bool:
    return name.removesuffix("[]").casefold() == wanted.casefold()


def _shape(terms: Sequence[str], said: str | None) -> str | None:
    """The shape of a search by the jokers in its term; without any term the page is bare."""
    texts = [term.strip() for term in terms if term.strip()]
    if not texts:
        return "none"
    if any(text[0] in "*%" for text in texts):
        return "wildcard"
    if any("*" in text or "%" in text for text in texts):
        return "prefix"
    return said or "criteria"


def _first(pattern: str) -> str:
    """The first segment when it is literal, else nothing."""
    first = pattern.strip("/").split("/", 1)[0]
    return "" if not pattern.startswith("/") or _PART.search(first) else first


def _compiled(number: int, route: Route, context: Context) -> _Compiled:
    methods = [route.method] if isinstance(route.method, str) else route.method
    source, _, name = route.patient.partition(":")
    return _Compiled(
        number,
        frozenset(method.upper() for method in methods if method),
        _pattern(route.pattern),
        source,
        name,
        route.term.removeprefix("query:"),
        declared(context, route.authority, route.kind),
    )


def _pattern(pattern: str) -> "re.Pattern[str]":
    """Compile a pattern; one that does not begin with `/` may begin anywhere (`*.css`)."""
    text = pattern.rstrip("/") if len(pattern) > 1 else pattern
    whole = r"(?P<rest>.*)"
    if text.endswith("/*"):
        return re.compile(_expression(text[:-2]) + rf"(?:/{whole})?", re.DOTALL)
    return re.compile(_expression(text), re.DOTALL)


def _expression(text: str) -> str:
    parts, at = [], 0
    for found in _PART.finditer(text):
        parts += [re.escape(text[at : found.start()])]
        parts += [f"(?P<{found[1]}>[^/]+)" if found[1] else ".*"]
        at = found.end()
    return "".join(parts) + re.escape(text[at:])


def _check(route: Route, where: str) -> None:
    names = {name for name, _ in _PART.findall(route.pattern) if name}
    source, _, name = route.patient.partition(":")
    if route.ignore:
        return
    if route.action not in ACTIONS:
        raise _wrong(route, where, "action", route.action, ACTIONS)
    if route.query_shape and route.query_shape not in VOCABULARIES["query_shape"]:
        raise _wrong(route, where, "query_shape", route.query_shape, VOCABULARIES["query_shape"])
    if route.patient and (source not in ("path", "query") or not name):
        raise _wrong(route, where, "patient", route.patient, ["path:…", "query:…"])
    if source == "path" and name not in names:
        raise _wrong(route, where, "patient", route.patient, [f"path:{name}" for name in names])


def _wrong(route: Route, where: str, key: str, value: str, known: Any) -> MappingError:
    like = nearest(value, known)
    return MappingError(
        N_("the route {pattern!r} has {key} = {value!r}, which Vigie does not know"),
        where=where,
        remedy=N_("try {nearest!r}") if like else N_("choose one of: {known}"),
        pattern=route.pattern,
        key=key,
        value=value,
        nearest=like,
        known=", ".join(known),
    )
