"""A first mapping of a web log: the form of its lines, and the routes that its requests show.

A segment of a path that holds a digit, or that is one of many in its place, is taken for a value
and becomes `{value}`: no number and no name of a patient stands in the draft.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from vigie.language import _
from vigie.readers.tables.names import NAMES, fold
from vigie.readers.tables.suggest import guess_action, in_sample
from vigie.readers.weblog.format import NAMED
from vigie.readers.weblog.routes import split_target

_QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
_LINE: Final = re.compile(
    r'(\S+ )?\S+ \S+ [^\[" ][^\["]* \[[^\]]+\] '
    rf"{_QUOTED} \d{{3}} \S+( {_QUOTED} {_QUOTED})?(?: {_QUOTED})?.*"
)
_REQUEST: Final = re.compile(r"([A-Z]{3,10}) (\S+)(?: HTTP/[\d.]+)?")
_REQUEST_ID: Final = re.compile(r"[0-9A-Za-z-]{16,}")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,23}")
_STATIC: Final = re.compile(r"\.(css|js|mjs|map|png|jpe?g|gif|svg|ico|woff2?|ttf|webp)$", re.I)
_PATIENT: Final = re.compile(r"patient|dossier|usager|beneficiaire|assure|member|person", re.I)
_TERM: Final = re.compile(r"nom|name|q|query|search|recherche|terme?", re.I)
_MOST_WORDS: Final = 20
"""Words in one place of a path: where there are more, they are values."""
_RARE: Final = 0.02
"""The share of the requests of its place under which a word is taken for a value."""
_METHODS: Final = {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


@dataclass(slots=True)
class _Place:
    """A place in the paths: how often, what follows it, and the requests that end there."""

    count: int = 0
    after: "dict[str, _Place]" = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)


def draft_weblog(name: str, lines: Sequence[str]) -> str:
    """Draft `[weblog]` and `[[routes]]` of a source from the first lines of its log.

    >>> line = '10.0.0.1 - anna [06/Oct/2025:07:08:08 +0200] "GET {} HTTP/1.1" 200 9 "-" "-"'
    >>> said = [line.format(path) for path in ("/patients/12", "/patients/13", "/a.css")]
    >>> print(draft_weblog("web", said).partition("[[routes]]")[2])
    <BLANKLINE>
    pattern = "/patients/{patient}"  # 2 in the sample
    method = "GET"
    action = "open"
    patient = "path:patient"
    authority = "web"  # who gave the numbers
    <BLANKLINE>
    [[routes]]
    pattern = "*.css"
    ignore = true
    <BLANKLINE>
    """
    cut = [found for line in lines if (found := _LINE.fullmatch(line))]
    asked = [found for line in cut if (found := _REQUEST.fullmatch(line[2]))]
    requests = [(found[1], found[2]) for found in asked]
    parts = [f"[weblog]\nformat = {_quoted(_format(cut))}\n"]
    parts += [_route(name, *one) for one in _paths(_tree(requests))]
    ends = {found[1].lower() for _, target in requests if (found := _static(target))}
    parts += [f'[[routes]]\npattern = "*.{end}"\nignore = true\n' for end in sorted(ends)]
    return "\n".join(parts)


def _format(cut: "Sequence[re.Match[str]]") -> str:
    if not cut or not sum(found[3] is not None for found in cut) > len(cut) / 2:
        return "common"
    name = "vhost_combined" if all(found[1] for found in cut) else "combined"
    last = [found[6] or "" for found in cut]
    told = sum(bool(_REQUEST_ID.fullmatch(text)) for text in last)
    if told < 0.9 * len(cut):
        return name
    return NAMED[name].replace("$ident", "-") + ' "$http_x_request_id"'


def _static(target: str) -> "re.Match[str] | None":
    return _STATIC.search(split_target(target)[0])


def _tree(requests: Sequence[tuple[str, str]]) -> _Place:
    root = _Place()
    for method, target in requests:
        if _static(target):
            continue
        path, query = split_target(target)
        place = root
        place.count += 1
        for segment in filter(None, path.split("/")):
            place = place.after.setdefault(segment if _WORD.fullmatch(segment) else "{}", _Place())
            place.count += 1
        place.ends[method] += 1
        place.fields.update({key for key, _ in parse_qsl(query, keep_blank_values=True)})
    _merge(root)
    return root


def _merge(place: _Place) -> None:
    """Put the words that are values into one place, all the way down."""
    many = len(place.after) > _MOST_WORDS
    for word in [*place.after]:
        if word != "{}" and (many or place.after[word].count < _RARE * place.count):
            _join(place.after.setdefault("{}", _Place()), place.after.pop(word))
    for after in place.after.values():
        _merge(after)


def _join(place: _Place, other: _Place) -> None:
    place.count += other.count
    place.ends += other.ends
    place.fields += other.fields
    for word, after in other.after.items():
        _join(place.after.setdefault(word, _Place()), after)


def _paths(
    place: _Place, segments: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str, int, list[str]]]:
    """Yield (segments, method, count, fields) of each route, words before values."""
    for word in sorted(place.after, key=lambda word: (word == "{}", word)):
        value = "{patient}" if segments and _PATIENT.search(segments[-1]) else "{value}"
        if value in segments:
            value = f"{{value{len(segments)}}}"
        yield from _paths(place.after[word], (*segments, value if word == "{}" else word))
    for method, count in sorted(place.ends.items()):
        yield segments, method, count, sorted(place.fields)


def _route(name: str, segments: tuple[str, ...], method: str, count: int, fields: list[str]) -> str:
    known = {theirs for theirs in fields if fold(theirs) in NAMES["patient"]}
    query = sorted(field for field in known if _WORD.fullmatch(field))
    term = next((field for field in fields if _TERM.fullmatch(field)), "")
    patient = "path:patient" if "{patient}" in segments else f"query:{query[0]}" if query else ""
    who = _("who gave the numbers")
    lines = [
        "[[routes]]",
        f"pattern = {_quoted('/' + '/'.join(segments))}  # {in_sample(count)}",
        f"method = {_quoted(method)}",
        f"action = {_quoted(_action(segments, method, bool(fields)))}",
        f"patient = {_quoted(patient)}" if patient else "",
        f"authority = {_quoted(name)}  # {who}" if patient else "",
        f"term = {_quoted(term)}" if term else "",
    ]
    return "\n".join(filter(None, lines)) + "\n"


def _action(segments: tuple[str, ...], method: str, asked: bool) -> str:
    words = [word for word in segments if not word.startswith("{")]
    said = [action for word in reversed(words) if (action := guess_action(word)) != "other"]
    if said:
        return said[0]
    if method in _METHODS:
        return _METHODS[method]
    if asked:
        return "search"
    several = not words or (segments[-1] == words[-1] and words[-1].endswith("s"))
    return "list" if several or len(words) == len(segments) else "open"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
