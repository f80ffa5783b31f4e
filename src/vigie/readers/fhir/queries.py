"""What a logged FHIR query tells without letting its values out: its shape, and whom it names.

AuditEvent.entity.query holds the request in base64: a URL, or a whole HTTP request whose form is
in the body. In FHIR a string parameter matches the beginning of a name unless `:exact` is said
(R4, section 3.1.1.4.8), so a search by name is a search by prefix.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote

_METHOD: Final = re.compile(r"^(GET|POST|PUT|PATCH|DELETE|HEAD)\s+", re.IGNORECASE)
_TYPE: Final = re.compile(r"[A-Z][A-Za-z]{2,40}")
_REQUEST_ID: Final = re.compile(r"^x-request-id:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_NAMES: Final = frozenset({"name", "family", "given", "phonetic"})
_SUBJECTS: Final = frozenset({"patient", "subject", "beneficiary"})
_IDENTIFIERS: Final = frozenset({"identifier", "sourceIdentifier"})
_PLUMBING_NAMES: Final = (
    "_count _sort _include _revinclude _format _summary _elements _total _offset _page _pretty "
    "_getpages _getpagesoffset _bundletype _contained _containedType _maxresults page offset "
    "targetSystem _type _outputFormat _since"
)
_PLUMBING: Final = frozenset(_PLUMBING_NAMES.split())


@dataclass(frozen=True, slots=True)
class Query:
    """`shape` is one of the waist's query shapes; `patients` are (authority or "", value)."""

    shape: str
    object: str | None = None
    operation: str | None = None
    patients: tuple[tuple[str, str], ...] = ()
    request: str | None = None


def read_query(encoded: str) -> Query:
    """Read the base64 (or, against the standard, plain) text of a query.

    >>> read_query(base64.b64encode(b"GET https://a.fr/fhir/Patient?family=dup&_count=20").decode())
    Query(shape='prefix', object='Patient', operation=None, patients=(), request=None)
    """
    text = _decoded(encoded)
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    line, _, headers = head.partition("\n")
    target = _METHOD.sub("", line.strip()).split(" ")[0]
    path, _, string = target.partition("?")
    if "=" in path and "/" not in path:
        path, string = "", target
    asked = parse_qsl(string, keep_blank_values=True) + parse_qsl(body.strip())
    object_, operation, owner = _read_path(path)
    named = [("", owner)] if owner else []
    for key, value in asked:
        named.extend(_patients_in(key, value, object_))
    request = _REQUEST_ID.search(headers)
    return Query(
        shape=_shape(asked, bool(owner)),
        object=_endpoint(object_, operation),
        operation=operation,
        patients=tuple(dict.fromkeys(named)),
        request=request[1] if request else None,
    )


def _decoded(encoded: str) -> str:
    compact = "".join(encoded.split())
    try:
        return base64.b64decode(compact, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return encoded


def _read_path(path: str) -> tuple[str | None, str | None, str | None]:
    """Return the resource type, the operation and the patient that a path names."""
    parts = [unquote(part) for part in path.split("/") if part]
    operation = next((part[1:] for part in parts if part.startswith("$")), None)
    kinds = [part for part in parts if _TYPE.fullmatch(part)]
    owner = None
    if "Patient" in parts[:-1]:
        follower = parts[parts.index("Patient") + 1]
        owner = None if follower[0] in "$_" else follower
    return (kinds[-1] if kinds else None), operation, owner


def _endpoint(object_: str | None, operation: str | None) -> str | None:
    if operation and re.fullmatch(r"[A-Za-z-]{2,40}", operation):
        return f"{object_}/${operation}" if object_ else f"${operation}"
    return object_


def _patients_in(key: str, value: str, object_: str | None) -> list[tuple[str, str]]:
    parts = re.split(r"[.:]", key)
    values = [part for part in value.split(",") if part]
    if parts[0] in _SUBJECTS:
        if parts[-1] == "identifier":
            return [_token(part) for part in values]
        bare = parts[0] == "patient" or "Patient" in parts
        return [_literal(part) for part in values if bare or "Patient/" in part]
    if object_ == "Patient" and parts[0] == "_id":
        return [("", part) for part in values]
    if object_ == "Patient" and parts[0] in _IDENTIFIERS:
        return [_token(part) for part in values]
    return []


def _token(text: str) -> tuple[str, str]:
    system, bar, value = text.rpartition("|")
    return (system if bar else ""), value


def _literal(text: str) -> tuple[str, str]:
    base, _, value = text.rpartition("/")
    return base.removesuffix("Patient").rstrip("/"), value


def _shape(asked: list[tuple[str, str]], owned: bool) -> str:
    keys = {key: value for key, value in asked if key.split(":")[0] not in _PLUMBING}
    if owned or any(_is_exact(key) for key in keys):
        return "exact_id"
    names = {key: value for key, value in keys.items() if key.split(":")[0] in _NAMES}
    if any("*" in value or "%" in value or ":contains" in key for key, value in names.items()):
        return "wildcard"
    if not keys:
        return "none"
    if not names or len(names) < len(keys):
        return "criteria"
    return "exact_name" if all(":exact" in key for key in names) else "prefix"


def _is_exact(key: str) -> bool:
    parts = re.split(r"[.:]", key)
    return parts[0] in _SUBJECTS or parts[0] == "_id" or parts[-1] in _IDENTIFIERS
