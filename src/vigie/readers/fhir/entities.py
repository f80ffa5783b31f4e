"""What was used in an access: patients, object, query, request id, counts.

An entity says one of these things; the facets of all entities together make the record's story.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from vigie.identifiers import normal_authority
from vigie.readers.fhir.codes import REQUEST_ID
from vigie.readers.fhir.identity import (
    PERSON_KINDS,
    Named,
    Resolver,
    name,
    names_of,
    patient_of,
    read_identifier,
    type_of,
)
from vigie.readers.fhir.queries import Query, read_query
from vigie.readers.fhir.resources import (
    Detail,
    Entity,
    Identifier,
    Reference,
    Text,
    as_list,
    codes,
)

V = TypeVar("V")
_RESOURCE_ID: Final = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
_COUNT_WORDS: Final = (
    "count total recordcount resultcount resultscount numberofresults numberofrecords "
    "numberofpatients nbresults nbresultats nombreresultats nombrederesultats matches "
    "resulttotal bundletotal totalresults recordsreturned"
)
_COUNTS: Final = frozenset(_COUNT_WORDS.split())
_SIZES: Final = frozenset({"bytes", "size", "contentlength", "responsesize", "bytecount"})
_HASHES: Final = frozenset({"hash", "sha256", "filehash", "sha1", "sha512"})
_ROLES: Final = {"2": "Location", "3": "Report", "5": "Master", "19": "Schedule", "20": "Job"}
_SIDE_OBJECTS: Final = frozenset({"Consent", "OperationOutcome", "Provenance"})
_LIFECYCLES: Final = {"8": "export", "10": "export", "11": "export", "9": "print"}


class Facet(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What one entity tells. `weight` says how well it names the object of the access."""

    patients: tuple[Named, ...] = ()
    asked: tuple[Named, ...] = ()
    object: str | None = None
    weight: int = 0
    shape: str | None = None
    operation: str | None = None
    request: str | None = None
    session: str | None = None
    action: str | None = None
    count: int | None = None
    size: int | None = None
    hash: str | None = None


class Story(msgspec.Struct, frozen=True, eq=False, gc=False):
    """All facets of one record, the first word of each kind kept.

    `patients` are those used, else those asked for. Where a placeholder stands, the record's own
    id goes: that of the entity and of the place in it which are given (-1: as it is).
    """

    patients: tuple[tuple[Named, int, int], ...] = ()
    request: tuple[str | None, int, int] = (None, 0, -1)
    object: str | None = None
    shape: str | None = None
    operation: str | None = None
    session: str | None = None
    action: str | None = None
    count: int | None = None
    size: int | None = None
    hash: str | None = None


PLACEHOLDER: Final = "any-id-{}"
PLACES: Final = {PLACEHOLDER.format(place): place for place in range(32)}


def tell(facets: Sequence[Facet], templates: bool) -> Story:
    """Put the facets of one record together; `templates` says whether placeholders may stand."""
    places = PLACES if templates else {}
    used = _patients([facet.patients for facet in facets], places)
    asked = _patients([facet.asked for facet in facets], places)
    main = max(facets, key=lambda facet: facet.weight, default=Facet())
    asking = next((k for k, facet in enumerate(facets) if facet.request), None)
    request = facets[asking].request if asking is not None else None
    return Story(
        patients=tuple(used or asked),
        request=(request, asking or 0, places.get(request or "", -1)),
        object=main.object,
        shape=_first(facet.shape for facet in facets),
        operation=_first(facet.operation for facet in facets),
        session=_first(facet.session for facet in facets),
        action=_first(facet.action for facet in facets),
        count=_first(facet.count for facet in facets),
        size=_first(facet.size for facet in facets),
        hash=_first(facet.hash for facet in facets),
    )


def _patients(
    named: list[tuple[Named, ...]], places: Mapping[str, int]
) -> list[tuple[Named, int, int]]:
    return [
        (each, entity, places.get(each.value, -1))
        for entity, several in enumerate(named)
        for each in several
    ]


def _first(values: Iterable[V | None]) -> V | None:
    return next((value for value in values if value is not None), None)


def read_entity(entity: Entity, resolver: Resolver) -> Facet:
    """Return what `entity` tells."""
    what = entity.what or entity.reference or Reference(identifier=entity.identifier)
    types, roles = codes(entity.type), codes(entity.role)
    if any(code.lower() in REQUEST_ID for code in types):
        return Facet(request=_value(what))
    if "UserOauthAgent" in types:
        return Facet(session=_value(what))
    query = read_query(entity.query) if entity.query else None
    details = {_key(detail): detail for detail in as_list(entity.detail)}
    patient = _patient(what, types, roles, resolver)
    object_, weight = _object(what, types, roles, query, patient, resolver)
    return Facet(
        patients=(patient,) if patient else (),
        asked=_asked(query, details),
        object=object_,
        weight=weight,
        shape=query.shape if query else None,
        operation=query.operation if query else None,
        request=query.request if query else None,
        action=next((_LIFECYCLES[c] for c in codes(entity.lifecycle) if c in _LIFECYCLES), None),
        count=_number(details, _COUNTS),
        size=_number(details, _SIZES),
        hash=next((str(details[k].valueString) for k in details if k in _HASHES), None),
    )


def read_patient(reference: Reference, resolver: Resolver) -> Facet:
    """Return what R5's `AuditEvent.patient` tells."""
    patient = patient_of(reference, resolver)
    return Facet(asked=(patient,) if patient else (), object="Patient", weight=1)


def _patient(
    what: Reference, types: list[str], roles: list[str], resolver: Resolver
) -> Named | None:
    if _is_patient(what, types, roles, resolver):
        return patient_of(what, resolver)
    known = names_of(what, resolver)
    return next((each for each in known if each.kind in PERSON_KINDS), None)


def _is_patient(what: Reference, types: list[str], roles: list[str], resolver: Resolver) -> bool:
    kind = type_of(what, resolver)
    if kind is not None:
        return kind == "Patient"
    if "1" in roles or "Patient" in roles or "Patient" in types:
        return True
    return "1" in types and not roles


def _object(
    what: Reference,
    types: list[str],
    roles: list[str],
    query: Query | None,
    patient: Named | None,
    resolver: Resolver,
) -> tuple[str | None, int]:
    if query is not None and query.object:
        return query.object, 5
    if patient is not None:
        return "Patient", 1
    kind = type_of(what, resolver) or next((t for t in types if t[:1].isupper()), None)
    if kind is not None and kind.isalpha():
        return kind, 2 if kind in _SIDE_OBJECTS else 4
    role = next((_ROLES[r] for r in roles if r in _ROLES), None)
    return (role, 3) if role else (None, 0)


def _asked(query: Query | None, details: dict[str, Detail]) -> tuple[Named, ...]:
    given = query.patients if query else ()
    named = [name(normal_authority(authority), value) for authority, value in given]
    if _RESOURCE_ID in details:
        resource = read_identifier(Identifier(value=details[_RESOURCE_ID].valueString))
        named.extend([resource] if resource else [])
    return tuple(named)


def _value(what: Reference) -> str | None:
    for identifier in as_list(what.identifier):
        if identifier.value is not None:
            return str(identifier.value).strip() or None
    return what.reference or (str(what.display) if what.display is not None else None)


def _key(detail: Detail) -> str:
    said = codes(detail.type) or [
        text for c in as_list(detail.type) if (text := getattr(c, "text", None))
    ]
    first = said[0] if said else ""
    if first == _RESOURCE_ID:
        return first
    return "".join(letter for letter in first.lower() if letter.isalnum())


def _number(details: dict[str, Detail], keys: frozenset[str]) -> int | None:
    for key in keys & details.keys():
        text: Text = details[key].valueInteger
        text = details[key].valueString if text is None else text
        if text is not None and str(text).strip().isascii() and str(text).strip().isdigit():
            return int(text) if len(str(text)) < 16 else None
    return None
