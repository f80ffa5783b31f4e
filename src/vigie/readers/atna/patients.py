"""Whom an audit message names, and how to keep that name out of every other column.

A patient is a participant object of person type and patient role. Its identifier may be HL7 CX
(`12345^^^&1.2.250.1.213.1.4.8&ISO`, several joined by `~`), a FHIR token (`system|value`), a FHIR
reference (`Patient/12`), an HL7 v3 `extension@root`, or a bare number of the source itself.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from vigie import identifiers
from vigie.readers.atna.queries import read_query
from vigie.readers.atna.xml import Object
from vigie.readers.fhir.identity import Named, read_literal
from vigie.readers.hl7 import UNKNOWN, Query

HIDDEN: Final = "{id}"
_REMEMBERED: Final = 1 << 16
_OID: Final = re.compile(r"[0-2](?:\.\d+){3,}")
_LONG_ENOUGH: Final = 8
_SHORTEST: Final = 3
_REQUEST_TYPES: Final = frozenset({"x-request-id", "xrequestid", "request-id"})
_PATIENT_NUMBERS: Final = frozenset({"1", "2", "5"})
_OTHER: Final = "4"
_NOBODY: Final = frozenset({"", "<none>", "none", "unknown", "null", "n/a", "-", "?", "inconnu"})
"""What senders put where a patient has no number: nobody's, and not that of one patient."""


@dataclass(frozen=True, slots=True)
class Whom:
    """The patients of one message, each once; what its query tells; a surname where one is given.

    `raw` are the values as they were written, which may stand in no column.
    """

    patients: tuple[Named, ...] = ()
    raw: tuple[str, ...] = ()
    surname: str | None = None
    shape: str | None = None
    request: str | None = None


@dataclass
class Register:
    """Reads participant objects, remembering the identifiers that repeat in one file."""

    _known: dict[str, tuple[tuple[Named, str], ...]] = field(default_factory=dict)

    def read(self, objects: tuple[Object, ...]) -> Whom:
        """Return whom `objects` name.

        The patient of a query counts only when the message names no other.

        >>> Register().read((Object("7^^^&1.2.3.4.5&ISO", "1", "1"),)).patients[0].authority
        '1.2.3.4.5'
        """
        found: list[tuple[Named, str]] = []
        query, surname, request = UNKNOWN, None, None
        for one in objects:
            if _is_patient(one):
                found.extend(self._identifiers(one.value))
                surname = surname or _surname(one.name)
            if one.query and query is UNKNOWN:
                query = read_query(one.query)
            request = request or _request(one)
        if not found:
            found = [pair for text in query.patients for pair in self._identifiers(text)]
        return _whom(found, query, surname, request or query.request)

    def _identifiers(self, text: str) -> tuple[tuple[Named, str], ...]:
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[text] = tuple(read_identifiers(text))
        return known


def _whom(
    found: list[tuple[Named, str]], query: Query, surname: str | None, request: str | None
) -> Whom:
    if len(found) == 1:
        return Whom((found[0][0],), (found[0][1],), surname, query.shape, request)
    patients = tuple(dict.fromkeys(named for named, _ in found))
    raw = tuple(dict.fromkeys(value for _, value in found))
    return Whom(patients, raw, surname if len(patients) < 2 else None, query.shape, request)


def read_identifiers(text: str) -> list[tuple[Named, str]]:
    """Return the identifiers in `text` in their normal form, each with its value as written.

    >>> [named.value for named, _ in read_identifiers("A1^^^X&1.2.3.4&ISO^PI~B2^^^Y")]
    ['A1', 'B2']
    """
    found = []
    for part in text.split("~") if "^" in text else [text]:
        value, authority = _split(part.strip())
        if value.lower() not in _NOBODY:
            found.append((_named(authority, value), value))
    return found


def _named(authority: str, value: str) -> Named:
    normal, kind = _authority(authority)
    if kind is None:
        return Named(normal, value)
    return Named(normal, identifiers.normalise(kind, value), kind, identifiers.problem(kind, value))


@lru_cache(1 << 10)
def _authority(text: str) -> tuple[str, str | None]:
    normal = identifiers.normal_authority(text)
    return normal, identifiers.kind_of_authority(normal) if normal else None


def _split(text: str) -> tuple[str, str]:
    """Return value and authority ("" when it goes without saying)."""
    if "^" in text:
        parts = text.split("^")
        authority = (parts[3] if len(parts) > 3 else "").split("&")
        oid = authority[1] if len(authority) > 1 else ""
        return parts[0].strip(), oid.strip() or authority[0].strip()
    if "|" in text:
        system, _, value = text.rpartition("|")
        return value.strip(), system.strip()
    literal = read_literal(text) if "/" in text else None
    if literal:
        return literal.value, literal.authority
    value, mark, root = text.rpartition("@")
    if mark and _OID.fullmatch(root):
        return value, root
    return text, ""


def _is_patient(one: Object) -> bool:
    if one.kind not in ("", "1"):
        return one.kind == _OTHER and one.role == "1" and one.id_type in _PATIENT_NUMBERS
    return one.role == "1" or (one.role == "" and one.id_type in _PATIENT_NUMBERS)


def _surname(said: str) -> str | None:
    """The surname of an HL7 or DICOM name; of plain words nobody knows which it is."""
    for mark in ("^", ","):
        if mark in said:
            return said.split(mark)[0].strip() or None
    return None


def _request(one: Object) -> str | None:
    for kind, value in one.details:
        if kind.strip().lower() in _REQUEST_TYPES:
            try:
                return base64.b64decode(value, validate=True).decode("utf-8") or None
            except (binascii.Error, ValueError):
                return value.strip() or None
    return None


def hide(text: str, values: tuple[str, ...]) -> str:
    """Return `text` without the identifiers in `values`.

    A short number is hidden only where it stands by itself: it may also be part of an address.

    >>> hide("https://srv/Patient/12345", ("12345",)), hide("10.0.12.7", ("12",))
    ('https://srv/Patient/{id}', '10.0.12.7')
    """
    for value in values:
        if value not in text:
            continue
        if len(value) >= _LONG_ENOUGH:
            text = text.replace(value, HIDDEN)
        elif len(value) >= _SHORTEST:
            bounded = rf"(?<![A-Za-z0-9.]){re.escape(value)}(?![A-Za-z0-9]|\.\d)"
            text = re.sub(bounded, HIDDEN, text)
    return text
