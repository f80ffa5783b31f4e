"""Who a FHIR reference or identifier points at: authority and value, national kind and faults.

The authority of `https://chu.fr/fhir/Patient/12` is that server; of `Patient/12`, the source
itself; of a business identifier, its system. A national identifier (INS) goes before the server's
own number, which goes before any other identifier.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from vigie import identifiers
from vigie.readers.fhir.resources import Identifier, Reference, Resource, as_list, codes

_LITERAL: Final = re.compile(
    r"^(?:(?P<base>[A-Za-z][A-Za-z0-9+.\-]*://.*?|.*?)/)?(?P<type>[A-Z][A-Za-z]+)/"
    r"(?P<id>[^/?#]+)(?:/_history(?:/.*)?)?$"
)
_CX: Final = re.compile(r"^(?P<value>[^^]*)\^[^^]*\^[^^]*\^(?P<authority>[^^]*)")
_TYPE_KINDS: Final = {
    "RPPS": "rpps",
    "ADELI": "adeli",
    "IDNPS": "idnat_ps",
    "FINEG": "finess",
    "FINEJ": "finess",
    "FINESS": "finess",
    "IDNST": "idnat_struct",
    "SIREN": "siren",
    "SIRET": "siret",
}
_INS_TYPES: Final = {
    "INS-NIR": "1.2.250.1.213.1.4.8",
    "INS-NIA": "1.2.250.1.213.1.4.9",
    "INS-NIR-TEST": "1.2.250.1.213.1.4.10",
    "INS-NIR-DEMO": "1.2.250.1.213.1.4.11",
    "INS-C": "1.2.250.1.213.1.4.2",
}
PERSON_KINDS: Final = frozenset({"nir", "nia", "ins_test", "ins_demo", "ins_c"})
PROFESSIONAL_KINDS: Final = frozenset({"rpps", "adeli", "idnat_ps"})
STRUCTURE_KINDS: Final = frozenset({"finess", "idnat_struct", "siren", "siret"})

Resolver = Mapping[str, Resource]


class Named(msgspec.Struct, frozen=True, gc=False):
    """An identifier in its normal form; `kind` is a kind of `identifiers` or None."""

    authority: str
    value: str
    kind: str | None = None
    problem: str | None = None
    type: str | None = None


def read_literal(reference: str) -> Named | None:
    """Split a literal reference into base (the authority), type and id.

    >>> read_literal("https://chu.fr/fhir/Patient/12/_history/3")
    Named(authority='https://chu.fr/fhir', value='12', kind=None, problem=None, type='Patient')
    >>> read_literal("urn:uuid:0b1e") is None
    True
    """
    found = _LITERAL.match(reference.strip())
    if not found:
        return None
    base = identifiers.normal_authority(found["base"] or "").removeprefix("/")
    return Named(base, found["id"], type=found["type"])


def read_identifier(identifier: Identifier) -> Named | None:
    """Return an identifier in its normal form, or None when it has no value."""
    if identifier.value is None or not str(identifier.value).strip():
        return None
    value, authority = str(identifier.value), identifiers.normal_authority(identifier.system or "")
    types = codes(identifier.type)
    if not authority:
        value, authority = _split_cx(value)
        authority = authority or next((_INS_TYPES[t] for t in types if t in _INS_TYPES), "")
    return name(authority, value, types)


def name(authority: str, value: str, types: list[str] | None = None) -> Named:
    """Put `value` of `authority` into its normal form and say what is wrong with it."""
    kind = identifiers.kind_of_authority(authority) if authority else None
    kind = kind or next((_TYPE_KINDS[t] for t in types or () if t in _TYPE_KINDS), None)
    if kind is None:
        return Named(authority, value.strip())
    normal = identifiers.normalise(kind, value)
    return Named(authority, normal, kind, identifiers.problem(kind, value))


def _split_cx(value: str) -> tuple[str, str]:
    """Split an HL7 CX (`500^^^&1.2.3&ISO`), which some systems put where a value is due."""
    found = _CX.match(value)
    if not found:
        return value, ""
    parts = found["authority"].split("&")
    authority = parts[1] if len(parts) > 1 and parts[1] else parts[0]
    return found["value"], identifiers.normal_authority(authority)


def resolve(reference: Reference, resolver: Resolver) -> Resource | None:
    """Return the contained or bundled resource that `reference` points at, if it is here."""
    text = reference.reference or ""
    return resolver.get(text) or resolver.get(text.partition("/_history/")[0])


def names_of(reference: Reference, resolver: Resolver) -> list[Named]:
    """Return every identifier of what `reference` points at, its own first."""
    found = [read_identifier(each) for each in as_list(reference.identifier)]
    resource = resolve(reference, resolver)
    if resource is not None:
        found.extend(read_identifier(each) for each in as_list(resource.identifier))
        if resource.practitioner is not None:
            found.extend(names_of(resource.practitioner, resolver))
    return [each for each in found if each is not None]


def type_of(reference: Reference, resolver: Resolver) -> str | None:
    """Return the type of resource that `reference` points at, when it can be told."""
    resource = resolve(reference, resolver)
    if resource is not None and resource.resourceType:
        return resource.resourceType
    literal = read_literal(reference.reference) if reference.reference else None
    return literal.type if literal else reference.type


def patient_of(reference: Reference, resolver: Resolver) -> Named | None:
    """Return the patient that `reference` points at: INS, else literal, else any identifier."""
    literal = read_literal(reference.reference) if reference.reference else None
    # A server's own reference stays itself even where a Bundle brings the patient along: the next
    # export may not, and the patient must not become somebody else.
    known = names_of(reference, {} if literal else resolver)
    national = next((each for each in known if each.kind in PERSON_KINDS), None)
    if national:
        return national
    if literal and literal.type == "Patient":
        return literal
    if known:
        return known[0]
    resource = resolve(reference, resolver)
    if resource is not None and resource.id is not None:
        return Named("", str(resource.id))
    text = (reference.reference or "").strip()
    return Named("", text) if text and not text.startswith("#") else None
