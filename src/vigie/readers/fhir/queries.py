"""What a logged FHIR query tells without letting its values out: its shape, and whom it names.

AuditEvent.entity.query holds the request in base64: a URL, a whole HTTP request whose form is in
the body, the Parameters of an operation, or the query of the HL7 message that was audited. In FHIR
a string parameter matches the beginning of a name unless `:exact` is said (R4, section 3.1.1.4.8),
so a search by name is a search by prefix.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec

from vigie.readers.hl7 import read_hl7

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
_DOCUMENT: Final = re.compile(r"\s*(?:[{<]|MSH\|)")
_HELD: Final = re.compile(r"(?:\A|\n\r?\n)\s*(?:[{<]|MSH\|)")
_CX: Final = re.compile(r"(?P<value>[^^]*)\^[^^]*\^[^^]*\^(?P<space>[^&^]*)(?:&(?P<oid>[^&^]*))?")
_TRAITS: Final = frozenset({"birthDate", "gender", "address", "telecom"})


@dataclass(frozen=True, slots=True)
class Query:
    """`shape` is one of the waist's query shapes; `patients` are (authority or "", value)."""

    shape: str | None
    object: str | None = None
    operation: str | None = None
    patients: tuple[tuple[str, str], ...] = ()
    request: str | None = None


def read_query(encoded: str) -> Query:
    """Read the base64 (or, against the standard, plain) text of a query.

    >>> read_query(base64.b64encode(b"GET https://a.fr/fhir/Patient?family=dup&_count=20").decode())
    Query(shape='prefix', object='Patient', operation=None, patients=(), request=None)
    """
    text = decoded(encoded)
    if is_document(text):
        return _read_document(text)
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    line, _, headers = head.partition("\n")
    target = _METHOD.sub("", line.strip()).split(" ")[0]
    path, _, string = target.partition("?")
    if "=" in path and "/" not in path:
        path, string = "", target
    said = _read_document(body) if is_document(body) else Query(None)
    form = "" if is_document(body) else body.strip()
    asked = parse_qsl(string, keep_blank_values=True) + parse_qsl(form)
    object_, operation, owner = _read_path(path)
    named = [("", owner)] if owner else []
    for key, value in asked:
        named.extend(_patients_in(key, value, object_))
    request = _REQUEST_ID.search(headers)
    return Query(
        shape=said.shape or _shape(asked, bool(owner)),
        object=_endpoint(object_, operation),
        operation=operation,
        patients=tuple(dict.fromkeys([*named, *said.patients])),
        request=request[1] if request else None,
    )


def is_document(text: str) -> bool:
    """Say whether a query is no request but a document: JSON, XML or an HL7 v2 message.

    >>> is_document('{"resourceType":"Parameters"}'), is_document("GET /Patient?name=a")
    (True, False)
    """
    return _DOCUMENT.match(text) is not None


def holds_document(text: str) -> bool:
    """Say whether a query is a document or a request with one in its body.

    Such a query is read as it is: its values cannot be cut out one by one.
    """
    return _HELD.search(text) is not None


def _read_document(text: str) -> Query:
    found = read_hl7(text)
    if found:
        named = (pair for cx in found.patients for pair in map(_cx, cx.split("~")))
        return Query(found.shape, patients=tuple(pair for pair in named if pair[1]))
    try:
        sought = list(_patients_among(msgspec.json.decode(text)))
    except (msgspec.DecodeError, RecursionError):
        return Query(None)
    if not sought:
        return Query(None)
    given = [each for patient in sought for each in _objects(patient.get("identifier"))]
    values = ((str(each.get("system") or ""), str(each.get("value") or "")) for each in given)
    patients = tuple(pair for pair in values if pair[1])
    return Query(_shape_of(sought, bool(patients)), "Patient", patients=patients)


def _shape_of(sought: list[dict[str, Any]], by_id: bool) -> str:
    if by_id:
        return "exact_id"
    if any(_TRAITS & patient.keys() for patient in sought):
        return "criteria"
    return "exact_name" if any(patient.get("name") for patient in sought) else "none"


def _patients_among(said: Any) -> list[dict[str, Any]]:
    """Return the Patient that is asked for, alone or among the Parameters of an operation."""
    parts = [each for one in _objects(said) for each in _objects(one.get("parameter"))]
    inside = [part.get("resource") for part in parts]
    return [each for each in _objects([said, *inside]) if each.get("resourceType") == "Patient"]


def _objects(said: Any) -> list[dict[str, Any]]:
    return [each for each in (said if isinstance(said, list) else [said]) if isinstance(each, dict)]


def _cx(text: str) -> tuple[str, str]:
    """Return authority and value of an HL7 CX."""
    found = _CX.match(text)
    return (found["oid"] or found["space"], found["value"]) if found else ("", text)


def decoded(encoded: str) -> str:
    """Return a query that travelled in base64; one that did not, as it is."""
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
