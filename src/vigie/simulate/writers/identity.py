"""The audit log of a shared patient-identity server: ATNA messages in syslog, one file a day.

RFC 5424 with PRI 110 and the message id of the French profile; DICOM PS3.15 XML; PIX and PDQ
queries in HL7 v2. The answer to a query names every patient that it returned.
"""

import base64
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import ACTIONS, VOCABULARIES
from vigie.simulate.world import World
from vigie.simulate.writers.logfiles import LogFolder, days, local_text
from vigie.simulate.writers.texts import XML, Pages, Texts, line, pages, present

AUTHORITY: Final = "1.2.250.1.999.1.1"
"""An invented assigning authority."""
_HOST: Final = "rie-identites.exemple.fr"
_PATIENT_TYPES: Final = (
    ' ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1">'
    '<ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" '
    'originalText="Patient Number"/></ParticipantObjectIdentification>'
)
EVENTS: Final = {
    "search": ("110112", "Query", "E"), "list": ("110112", "Query", "E"),
    "export": ("110106", "Export", "R"), "create": ("110110", "Patient Record", "C"),
    "update": ("110110", "Patient Record", "U"), "merge": ("110110", "Patient Record", "U"),
    "delete": ("110110", "Patient Record", "D"),
    "login": ("110114", "User Authentication", "E"),
    "logout": ("110114", "User Authentication", "E"),
}  # fmt: skip
"""A merge is an update of the identity that stays, under a code of the server's own."""
_APPLICATION: Final = (
    '<RoleIDCode csd-code="110150" codeSystemName="DCM" originalText="Application"/>'
)
_OPENED: Final = ("110110", "Patient Record", "R")
_TRANSACTION: Final = (
    '<EventTypeCode csd-code="{0}" codeSystemName="IHE Transactions" originalText="{1}"/>'
)
_TYPES: Final = {
    "login": '<EventTypeCode csd-code="110122" codeSystemName="DCM" originalText="Login"/>',
    "logout": '<EventTypeCode csd-code="110123" codeSystemName="DCM" originalText="Logout"/>',
    "merge": '<EventTypeCode csd-code="RIE-FUSION" codeSystemName="RIE" originalText="Fusion"/>',
}
PIX: Final = ("ITI-9", "PIX Query")
PDQ: Final = ("ITI-21", "Patient Demographics Query")
QUERIES: Final = {
    "exact_id": "@PID.3.1^{number}", "exact_name": "@PID.5.1^{surname}",
    "prefix": "@PID.5.1^{prefix}*", "wildcard": "@PID.5.1^*{prefix}*",
    "criteria": "@PID.5.1^{surname}~@PID.7^{born}",
}  # fmt: skip


def write(world: World, log: LogFolder) -> None:
    """Write `atna/atna-YYYY-MM-DD.log.gz`."""
    texts = Texts(world, XML)
    for day in days(world):
        page = pages(day.accesses)
        persons = _persons(texts.of(day.accesses), page)
        name = f"atna/atna-{day.name}.log.gz"
        queries = _queries(texts.of(page.accesses))
        lines = log.append(name, _messages(texts, persons, queries))
        log.place(name, day.first + page.rows, lines[page.line], page.part)


def _persons(texts: Texts, page: Pages) -> pa.Array:
    each = present(
        texts.patient("number"),
        '<ParticipantObjectIdentification ParticipantObjectID="',
        f'^^^RIE&amp;{AUTHORITY}&amp;ISO^PI"{_PATIENT_TYPES}',
    )
    return page.joined(each, "")


def _messages(texts: Texts, persons: pa.Array, queries: pa.Array) -> pa.Array:
    at = texts.codes("at")
    degrees = dict(zip(VOCABULARIES["outcome"], ("0", "4", "8", "12"), strict=True))
    return line(
        "<110>1 ", local_text(at + 3_000, "%FT%T%Ez", "ms"), f" {_HOST} PIXPDQManager ",
        pc.cast(pa.array(2000 + texts.codes("organisation") % 40), pa.string()),
        ' IHE+RFC-3881 - <?xml version="1.0" encoding="UTF-8"?><AuditMessage>'
        '<EventIdentification EventActionCode="', _of_event(texts, 2),
        '" EventDateTime="', local_text(at, "%FT%T%Ez", "ms"),
        '" EventOutcomeIndicator="', texts.said("outcome", degrees),
        '"><EventID csd-code="', _of_event(texts, 0),
        '" codeSystemName="DCM" originalText="', _of_event(texts, 1), '"/>', _transactions(texts),
        present(texts.listed("purpose", "purposes"), '<PurposeOfUse csd-code="',
                '" codeSystemName="v3-ActReason" originalText=""/>'),
        "</EventIdentification>", _user(texts), texts.once(_patron, "on_behalf_of"),
        texts.once(_ends, "organisation"),
        "<AuditSourceIdentification", present(texts.organisation("finess"),
                                              ' AuditEnterpriseSiteID="', '"'),
        f' AuditSourceID="{_HOST}">'
        '<AuditSourceTypeCode csd-code="4" codeSystemName="DCM" '
        'originalText="Application Server"/></AuditSourceIdentification>',
        queries, persons, "</AuditMessage>",
    )  # fmt: skip


def _of_event(texts: Texts, part: int) -> pa.Array:
    return texts.said("action", {action: EVENTS.get(action, _OPENED)[part] for action in ACTIONS})


def _by_identifier(texts: Texts) -> pa.Array:
    exact = VOCABULARIES["query_shape"].index("exact_id")
    return pa.array(texts.codes("query_shape") == exact)


def _transactions(texts: Texts) -> pa.Array:
    """Return the event type: the transaction of a query, a login, its end, or a merge."""
    kind = pc.if_else(_by_identifier(texts), _TRANSACTION.format(*PIX), _TRANSACTION.format(*PDQ))
    other = texts.said("action", {action: _TYPES.get(action, "") for action in ACTIONS})
    return pc.if_else(pa.array(_searches(texts)), kind, other)


def _searches(texts: Texts) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.isin(
        texts.codes("action"), [ACTIONS.index("search"), ACTIONS.index("list")]
    )
    return found


def _user(texts: Texts) -> pa.Array:
    network = texts.once(_network, "network")
    return line(texts.once(_person, "account"), network, ">", texts.once(_part, "account"))


def _network(texts: Texts) -> pa.Array:
    return present(
        texts.listed("network", "networks"),
        ' NetworkAccessPointID="',
        '" NetworkAccessPointTypeCode="2"',
    )


def _person(texts: Texts) -> pa.Array:
    service = pc.equal(texts.account("kind"), "service")
    name = line(' UserName="', texts.account("given_name"), " ", texts.account("surname"), '"')
    return line(
        '<ActiveParticipant UserID="', texts.account("login"), '"',
        present(texts.national(), ' AlternativeUserID="', '"'),
        pc.if_else(service, "", name), ' UserIsRequestor="true"',
    )  # fmt: skip


def _part(texts: Texts) -> pa.Array:
    """Return what the participant is: an application, or a profession."""
    service = pc.equal(texts.account("kind"), "service")
    profession = present(
        texts.account("profession"),
        '<RoleIDCode csd-code="',
        '" codeSystemName="1.2.250.1.71.1.2.7" originalText="profession"/>',
    )
    return line(pc.if_else(service, _APPLICATION, profession), "</ActiveParticipant>")


def _patron(texts: Texts) -> pa.Array:
    return present(
        texts.account("login", "on_behalf_of"),
        '<ActiveParticipant UserID="',
        '" UserIsRequestor="false"><RoleIDCode csd-code="delegator" codeSystemName="RIE" '
        'originalText="delegator"/></ActiveParticipant>',
    )


def _ends(texts: Texts) -> pa.Array:
    """Return the two ends of the exchange: the establishment's system, and the server."""
    source = present(
        texts.organisation("finess"),
        '<ActiveParticipant UserID="SIH|',
        '" UserIsRequestor="false"><RoleIDCode csd-code="110153" codeSystemName="DCM" '
        'originalText="Source Role ID"/></ActiveParticipant>',
    )
    return line(
        source,
        '<ActiveParticipant UserID="RIE|PIXPDQ" AlternativeUserID="2041" UserIsRequestor="false" '
        f'NetworkAccessPointID="{_HOST}" NetworkAccessPointTypeCode="1"><RoleIDCode '
        'csd-code="110152" codeSystemName="DCM" originalText="Destination Role ID"/>'
        "</ActiveParticipant>",
    )


def _queries(texts: Texts) -> pa.Array:
    """Return the query object of each search, with the HL7 v2 message in base64."""
    shape = texts.codes("query_shape")
    shapes = [VOCABULARIES["query_shape"].index(name) for name in QUERIES]
    rows = np.flatnonzero(_searches(texts) & np.isin(shape, shapes))
    columns = (texts.request(), *map(texts.patient, ("surname", "number", "birth_date")))
    said = zip(*(column.take(pa.array(rows)).to_pylist() for column in columns), strict=True)
    written = np.full(len(shape), "", object)
    for row, words in zip(rows, said, strict=True):
        written[row] = _query(VOCABULARIES["query_shape"][shape[row]], *words)
    return pa.array(written, pa.string())


def _query(shape: str, request: str, surname: str, number: str, born: str) -> str:
    code, label = PIX if shape == "exact_id" else PDQ
    asked = QUERIES[shape].format(
        number=number or "0",
        surname=surname or "INCONNU",
        prefix=(surname or "INCONNU")[:3].strip(),
        born=(born or "1970-01-01").replace("-", ""),
    )
    trigger = "Q23" if shape == "exact_id" else "Q22"
    message = (
        f"MSH|^~\\&|SIH|ETAB|PIXPDQ|RIE|||QBP^{trigger}|{request}|P|2.5\r"
        f"QPD|IHE {label}|{request}|{asked}\rRCP|I\r"
    )
    encoded = base64.b64encode(message.encode()).decode()
    return (
        f'<ParticipantObjectIdentification ParticipantObjectID="{request}" '
        'ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="24">'
        f'<ParticipantObjectIDTypeCode csd-code="{code}" codeSystemName="IHE Transactions" '
        f'originalText="{label}"/><ParticipantObjectQuery>{encoded}</ParticipantObjectQuery>'
        "</ParticipantObjectIdentification>"
    )
