"""The form of a web server's access log: a template of variables, and the lines cut along it.

Templates are those of the server's own configuration: nginx's `log_format` (`$remote_addr`) or
Apache's `LogFormat` (`%h`). Sources: nginx, ngx_http_log_module; Apache, mod_log_config.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.errors import MappingError
from vigie.kernels import Bytes, Flags, Int32s, Int64s, kernel
from vigie.language import N_

_COMMON: Final = (
    '$remote_addr $ident $remote_user [$time_local] "$request" $status $body_bytes_sent'
)
_COMBINED: Final = _COMMON + ' "$http_referer" "$http_user_agent"'
NAMED: Final = {
    "common": _COMMON,
    "combined": _COMBINED,
    "vhost_combined": "$host " + _COMBINED,
}
"""Forms known by name; a line may have more fields after them, as servers often add some."""

_VARIABLE: Final = re.compile(r"\$\{?(\w+)\}?|%[<>!\d,]*(?:\{([^}]*)\}(\w)|([%a-zA-Z]))")
_APACHE: Final = {
    "h": "remote_addr", "a": "remote_addr", "l": "ident", "u": "remote_user", "r": "request",
    "s": "status", "b": "body_bytes_sent", "B": "body_bytes_sent", "O": "bytes_sent",
    "m": "request_method", "U": "uri", "q": "query", "v": "host", "V": "host",
}  # fmt: skip
_APACHE_NAMED: Final = {"i": "http_", "o": "sent_http_", "C": "cookie_", "e": "", "n": ""}
TIMES: Final = {"time_local": "%d/%b/%Y:%H:%M:%S %z", "time_iso8601": "", "msec": "epoch"}


@dataclass(frozen=True, slots=True)
class Template:
    """Variables with the literal text around them: `literals[k]` stands before `names[k]`.

    `quoted[k]` says that the variable stands between quotes, where a backslash escapes; `open`
    that more fields may follow the last literal.
    """

    names: tuple[str, ...]
    literals: tuple[bytes, ...]
    quoted: tuple[bool, ...]
    open: bool


def compile_template(said: str, where: str = "") -> Template:
    """Compile a format by name, or as it stands in the server's configuration.

    >>> compile_template('[$time_local] "$request"').literals
    (b'[', b'] "', b'"')
    >>> compile_template('%h %t "%r" "%{X-Request-ID}i"').names
    ('remote_addr', 'time_local', 'request', 'http_x_request_id')
    """
    text = NAMED.get(said, said).replace("%t", "[$time_local]")
    names, literals, at = [], [], 0
    for found in _VARIABLE.finditer(text):
        literals.append(text[at : found.start()])
        names.append(_variable(found))
        at = found.end()
    literals.append(text[at:])
    if any(not literal for literal in literals[1:-1]) or len(names) != len(set(names)):
        raise _unusable(said, where)
    if "request" not in names and not {"request_uri", "uri"} & set(names):
        raise _unusable(said, where)
    if not set(TIMES) & set(names):
        raise _unusable(said, where)
    quoted = [before.endswith('"') for before in literals[:-1]]
    told = tuple(literal.encode() for literal in literals)
    return Template(tuple(names), told, tuple(quoted), said in NAMED)


def _variable(found: "re.Match[str]") -> str:
    nginx, header, place, letter = found.groups()
    if nginx:
        return str(nginx)
    if place:
        return _APACHE_NAMED.get(place, place) + header.lower().replace("-", "_")
    return _APACHE.get(letter, f"percent_{letter}")


def _unusable(said: str, where: str) -> MappingError:
    return MappingError(
        N_("the format {format!r} of the web log cannot be used"),
        where=where,
        remedy=N_(
            "write one of {known}, or the server's own format with a time and a request, "
            "each variable once and apart from the next"
        ),
        format=said,
        known=", ".join(NAMED),
    )


def cut(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    template: Template,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Cut lines into the template's variables.

    Returns starts and sizes of shape (variables, lines), sizes 0 where the line does not have
    this form, and which lines have it.

    >>> raw = np.frombuffer(b'1.2.3.4 "GET /"', np.uint8)
    >>> form = compile_template('$remote_addr "$request" [$time_local]')
    >>> cut(raw, np.array([0]), np.array([15]), form)[2].tolist()
    [False]
    """
    flat = np.frombuffer(b"".join(template.literals), np.uint8)
    offsets = np.cumsum([0, *map(len, template.literals)]).astype(np.int64)
    shape = (len(template.names), len(starts))
    field_starts, field_sizes = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    fits = np.zeros(len(starts), np.bool_)
    _cut(
        data, starts, ends, flat, offsets, np.array(template.quoted), template.open,
        field_starts, field_sizes, fits,
    )  # fmt: skip
    return field_starts, field_sizes, fits


@kernel
def _stands_at(data: Bytes, place: int, end: int, literals: Bytes, first: int, last: int) -> bool:
    if place + last - first > end:
        return False
    same = 0
    while first + same < last and data[place + same] == literals[first + same]:
        same += 1
    return first + same == last


@kernel
def _find(
    data: Bytes, place: int, end: int, literals: Bytes, first: int, last: int, quoted: bool,
    final: bool, more: bool,
) -> int:  # fmt: skip
    """Return where the literal after a variable stands, or -1.

    The last literal must end the line, or be followed by a space when more fields may follow.
    """
    if first == last:
        while more and place < end and data[place] != 32:
            place += 1
        return place if more else end
    while place < end:
        if quoted and data[place] == 92:
            place += 2
            continue
        if data[place] == literals[first] and _stands_at(data, place, end, literals, first, last):
            after = place + last - first
            if not final or after == end or (more and data[after] == 32):
                return place
        place += 1
    return -1


@kernel
def _cut(
    data: Bytes, starts: Int64s, ends: Int64s, literals: Bytes, offsets: Int64s, quoted: Flags,
    more: bool, field_starts: Int32s, field_sizes: Int32s, fits: Flags,
) -> None:  # fmt: skip
    count = quoted.size
    for i in range(starts.size):
        at, end = starts[i], ends[i]
        sound = _stands_at(data, at, end, literals, offsets[0], offsets[1])
        at += offsets[1] - offsets[0]
        for k in range(count):
            if not sound:
                break
            first, last = offsets[k + 1], offsets[k + 2]
            final = k == count - 1
            stop = _find(data, at, end, literals, first, last, quoted[k], final, more)
            sound = stop >= 0
            if sound:
                field_starts[k, i] = at
                field_sizes[k, i] = stop - at
                at = stop + last - first
        fits[i] = sound
        if not sound:
            field_sizes[:, i] = 0
