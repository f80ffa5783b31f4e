"""One audit message, from its XML to plain values, in both dialects.

DICOM PS3.15 A.5 names a code by `csd-code`, `codeSystemName`, `originalText`; RFC 3881 by `code`,
`codeSystemName`, `displayName`. Elements may stand in a namespace or not. The XML comes from
whoever can send a message, so nothing outside it is ever read: no document type (hence no entity),
no network, no document beyond the parser's limits of depth and size.
"""

import re
from typing import Final, NamedTuple

from lxml import etree

_ENCODINGS: Final = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252"}
)
_DECLARED: Final = re.compile(rb"<\?xml\s[^<>]*?encoding\s*=\s*[\"']([^\"'<>]*)[\"']")
_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)
_TOO_DEEP: Final = "depth"


class RefusedXml(Exception):
    """A message that is not read; `reason` is a key of `base.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Participant(NamedTuple):
    """One `ActiveParticipant`: `roles` are (code, code system) pairs.

    `id_type` says what the user's identifier is, `kind` what the user is (2: no person).
    """

    user: str = ""
    alternative: str = ""
    name: str = ""
    requestor: bool = False
    network: str = ""
    network_kind: str = ""
    roles: tuple[tuple[str, str], ...] = ()
    medium: str = ""
    id_type: str = ""
    kind: str = ""


class Object(NamedTuple):
    """One `ParticipantObjectIdentification`; `details` are (type, base64 value) pairs."""

    value: str = ""
    kind: str = ""
    role: str = ""
    id_type: str = ""
    life_cycle: str = ""
    name: str = ""
    query: str = ""
    details: tuple[tuple[str, str], ...] = ()


class Message(NamedTuple):
    """What an audit message says, as it says it; an empty text is an attribute that is missing."""

    event: str
    types: tuple[str, ...]
    action_code: str
    at: str
    outcome: str
    purpose: str
    participants: tuple[Participant, ...]
    site: str
    source: str
    objects: tuple[Object, ...]

    @property
    def life_cycle(self) -> str:
        """The first life cycle that an object names (RFC 3881 5.5.3)."""
        return next((one.life_cycle for one in self.objects if one.life_cycle), "")

    @property
    def users(self) -> tuple[str, ...]:
        """What objects that are persons give as the identifiers of users (RFC 3881 5.5.4)."""
        return tuple(o.value for o in self.objects if o.kind == "1" and o.id_type == "11")

    @property
    def medium(self) -> str:
        """The medium that a participant names (DICOM CID 405)."""
        return next((one.medium for one in self.participants if one.medium), "")


def parse_message(body: bytes) -> Message:
    """Read one `AuditMessage` document; raise `RefusedXml` with the reason of its quarantine.

    >>> parse_message(b'<AuditMessage><EventIdentification EventActionCode="R">'
    ...     b'<EventID csd-code="110110"/></EventIdentification></AuditMessage>').event
    '110110'
    """
    root = parse_document(body)
    if _local(root) != "AuditMessage":
        raise RefusedXml("wrong_resource")
    event, source = None, ("", "")
    participants, objects = [], []
    for element in root:
        name = _local(element)
        if name == "ActiveParticipant":
            participants.append(read_participant(element))
        elif name == "ParticipantObjectIdentification":
            objects.append(read_object(element))
        elif name == "EventIdentification":
            event = read_event(element)
        elif name == "AuditSourceIdentification" and not any(source):
            source = read_source(element)
    if event is None:
        raise RefusedXml("no_time")
    return Message(*event, tuple(participants), *source, tuple(objects))


def parse_document(body: bytes) -> etree._Element:
    """Parse XML that nobody vouches for; raise `RefusedXml`."""
    declared = _DECLARED.match(body)
    if declared and declared[1].decode("latin-1").lower() not in _ENCODINGS:
        raise RefusedXml("bad_encoding")
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise RefusedXml(_why(body, declared is not None, str(error))) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise RefusedXml("forbidden_xml")
    return root


def _why(body: bytes, declared: bool, said: str) -> str:
    """Find the reason behind a syntax error; its text is not kept, for it may quote a value."""
    if b"\0" in body:
        return "nul_byte"
    if _TOO_DEEP in said.lower():
        return "too_deep"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "bad_xml" if declared and "ncoding" not in said else "bad_encoding"
    return "bad_xml"


def _local(element: etree._Element) -> str:
    name = element.tag
    return name if name[0] != "{" else name.rpartition("}")[2]


def _code(element: etree._Element) -> str:
    get = element.get
    return (get("csd-code") or get("code") or "").strip()


class Event(NamedTuple):
    """The `EventIdentification` of a message."""

    event: str
    types: tuple[str, ...]
    action_code: str
    at: str
    outcome: str
    purpose: str


def read_event(element: etree._Element) -> Event:
    """Read an `EventIdentification`."""
    get = element.get
    identifier, purpose, types = "", "", []
    for child in element:
        name = _local(child)
        if name == "EventTypeCode":
            types.append(_code(child))
        elif name == "EventID":
            identifier = _code(child)
        elif name == "PurposeOfUse" and not purpose:
            purpose = _code(child)
    return Event(
        identifier,
        tuple(filter(None, types)),
        (get("EventActionCode") or "").strip().upper(),
        (get("EventDateTime") or "").strip(),
        (get("EventOutcomeIndicator") or "").strip(),
        purpose,
    )


def read_source(element: etree._Element) -> tuple[str, str]:
    """Read the site and the source of an `AuditSourceIdentification`."""
    site, source = element.get("AuditEnterpriseSiteID"), element.get("AuditSourceID")
    return (site or "").strip(), (source or "").strip()


def read_participant(element: etree._Element) -> Participant:
    """Read an `ActiveParticipant`."""
    get = element.get
    roles, medium, id_type = [], "", ""
    for child in element:
        name = _local(child)
        if name == "RoleIDCode":
            roles.append((_code(child), (child.get("codeSystemName") or "").strip()))
        elif name == "UserIDTypeCode":
            id_type = _code(child)
        elif name == "MediaIdentifier":
            medium = next((_code(one) for one in child), "")
    return Participant(
        (get("UserID") or "").strip(),
        (get("AlternativeUserID") or "").strip(),
        (get("UserName") or "").strip(),
        (get("UserIsRequestor") or "").strip().lower() in ("true", "1"),
        (get("NetworkAccessPointID") or "").strip(),
        (get("NetworkAccessPointTypeCode") or "").strip(),
        tuple(roles),
        medium,
        id_type,
        (get("UserTypeCode") or "").strip(),
    )


def read_object(element: etree._Element) -> Object:
    """Read a `ParticipantObjectIdentification`."""
    get = element.get
    id_type, name, query, details = "", "", "", []
    for child in element:
        tag = _local(child)
        if tag == "ParticipantObjectIDTypeCode":
            id_type = _code(child)
        elif tag == "ParticipantObjectQuery":
            query = child.text or ""
        elif tag == "ParticipantObjectName":
            name = child.text or ""
        elif tag == "ParticipantObjectDetail":
            details.append((child.get("type") or "", child.get("value") or ""))
    return Object(
        (get("ParticipantObjectID") or "").strip(),
        (get("ParticipantObjectTypeCode") or "").strip(),
        (get("ParticipantObjectTypeCodeRole") or "").strip(),
        id_type,
        (get("ParticipantObjectDataLifeCycle") or "").strip(),
        name,
        query,
        tuple(details),
    )
