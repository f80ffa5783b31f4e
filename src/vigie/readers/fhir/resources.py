"""The parts of a FHIR AuditEvent (R4, R4B, R5) that an access log needs, as typed structs.

Servers are lenient, and so are these: a coding stands where a concept is due and the other way
round, one object where a list is due, a number where a code is due. What repeats from record to
record (agents, codes) is kept as raw bytes, so that each spelling is decoded once.

Source: HL7 FHIR R4 (4.0.1), R4B (4.3.0) and R5 (5.0.0), resource AuditEvent.
"""

from typing import Final, TypeVar

import msgspec

T = TypeVar("T")
Text = str | int | None
_NOTHING: Final = msgspec.Raw()


class Concept(msgspec.Struct, gc=False):
    """A Coding or a CodeableConcept."""

    code: Text = None
    system: str | None = None
    text: str | None = None
    coding: "list[Concept] | Concept | None" = None


Concepts = Concept | list[Concept] | str | int | None


class Identifier(msgspec.Struct, gc=False):
    """A business identifier and who gave it."""

    value: Text = None
    system: str | None = None
    type: Concepts = None


class Reference(msgspec.Struct, gc=False):
    """A literal or logical reference."""

    reference: str | None = None
    type: str | None = None
    identifier: Identifier | list[Identifier] | None = None
    display: Text = None


class Network(msgspec.Struct, gc=False):
    """Where an agent was, before R5."""

    address: Text = None
    type: Concepts = None


class Extension(msgspec.Struct, gc=False):
    """An extension; the values that IHE BALP gives to agents."""

    url: str | None = None
    valueCodeableConcept: Concepts = None
    valueIdentifier: Identifier | None = None
    valueReference: Reference | None = None


class Agent(msgspec.Struct, gc=False):
    """Who took part; `reference` and `userId` stood for `who` before R4."""

    type: Concepts = None
    role: Concepts = None
    who: Reference | None = None
    reference: Reference | None = None
    userId: Identifier | None = None
    altId: Text = None
    name: Text = None
    requestor: bool | str | int | None = None
    policy: list[str] | str | None = None
    network: Network | None = None
    networkString: str | None = None
    networkUri: str | None = None
    networkReference: Reference | None = None
    purposeOfUse: Concepts = None
    authorization: Concepts = None
    extension: list[Extension] | None = None


class Detail(msgspec.Struct, gc=False):
    """One more thing said of an entity."""

    type: Concepts = None
    valueString: Text = None
    valueInteger: Text = None
    valueBase64Binary: str | None = None


class Entity(msgspec.Struct, gc=False):
    """What was used: a patient, an object, a query, a request id.

    `reference` and `identifier` stood for `what` before R4.
    """

    what: Reference | None = None
    reference: Reference | None = None
    identifier: Identifier | list[Identifier] | None = None
    type: Concepts = None
    role: Concepts = None
    lifecycle: Concepts = None
    query: str | None = None
    detail: list[Detail] | Detail | None = None


class Period(msgspec.Struct, gc=False):
    """When the activity took place."""

    start: str | None = None
    end: str | None = None


class Resource(msgspec.Struct, gc=False):
    """A contained or bundled resource that a reference may point at."""

    resourceType: str | None = None
    id: Text = None
    identifier: Identifier | list[Identifier] | None = None
    practitioner: Reference | None = None
    organization: Reference | None = None


class AuditEvent(msgspec.Struct, gc=False):
    """One resource; whatever repeats is left raw."""

    resourceType: Text = None
    id: Text = None
    recorded: Text = None
    type: msgspec.Raw = _NOTHING
    subtype: msgspec.Raw = _NOTHING
    category: msgspec.Raw = _NOTHING
    code: msgspec.Raw = _NOTHING
    action: msgspec.Raw = _NOTHING
    outcome: msgspec.Raw = _NOTHING
    purposeOfEvent: msgspec.Raw = _NOTHING
    authorization: msgspec.Raw = _NOTHING
    agent: msgspec.Raw = _NOTHING
    source: msgspec.Raw = _NOTHING
    entity: msgspec.Raw = _NOTHING
    patient: msgspec.Raw = _NOTHING
    contained: msgspec.Raw = _NOTHING
    period: msgspec.Raw = _NOTHING
    occurredPeriod: msgspec.Raw = _NOTHING
    occurredDateTime: Text = None
    entry: msgspec.Raw = _NOTHING


class Entry(msgspec.Struct, gc=False):
    """One entry of a Bundle."""

    fullUrl: str | None = None
    resource: msgspec.Raw = _NOTHING


class Outcome(msgspec.Struct, gc=False):
    """R5's outcome (a Coding in `code`), or a Coding or concept in its place."""

    code: Concepts = None
    coding: Concepts = None


EVENT: Final = msgspec.json.Decoder(AuditEvent)
AGENTS: Final = msgspec.json.Decoder(list[Agent] | Agent | None)
ENTITIES: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)
ENTITY: Final = msgspec.json.Decoder(Entity)
ENTRIES: Final = msgspec.json.Decoder(list[Entry])
RESOURCES: Final = msgspec.json.Decoder(list[msgspec.Raw])
CONTAINED: Final = msgspec.json.Decoder(list[msgspec.Raw] | None)
RESOURCE: Final = msgspec.json.Decoder(Resource)
OUTCOME: Final = msgspec.json.Decoder(Outcome | str | int | None)
PERIOD: Final = msgspec.json.Decoder(Period | None)
REFERENCE: Final = msgspec.json.Decoder(Reference)
CONCEPTS: Final = msgspec.json.Decoder(Concepts)


def as_list(value: list[T] | T | None) -> list[T]:
    """Return a list of what may be one, several or nothing."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def codings(concepts: Concepts) -> list[tuple[str, str]]:
    """Return the (system, code) of every coding in `concepts`, in order.

    >>> codings(Concept(coding=[Concept(code="read", system="s"), Concept(code=1)]))
    [('s', 'read'), ('', '1')]
    """
    found: list[tuple[str, str]] = []
    for concept in as_list(concepts):
        if not isinstance(concept, Concept):
            found.append(("", str(concept)))
            continue
        if concept.code is not None:
            found.append((concept.system or "", str(concept.code).strip()))
        if concept.coding is not None:
            found.extend(codings(concept.coding))
    return found


def codes(concepts: Concepts) -> list[str]:
    """Return the codes alone."""
    return [code for _, code in codings(concepts)]
