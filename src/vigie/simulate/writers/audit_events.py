"""FHIR R4 AuditEvents of accesses, in the forms of IHE BALP and of the French profile.

Sources: IHE ITI Basic Audit Log Patterns 1.1.4; HL7 FHIR R4, AuditEvent; "Traçabilité
d'événements" of the Agence du numérique en santé (a period, at most two agents, national
identifiers).
"""

import base64
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.events import ACTIONS, VOCABULARIES
from vigie.simulate.writers.logfiles import local_text
from vigie.simulate.writers.texts import Pages, Texts, constant, line, pick, present
from vigie.simulate.writers.texts import vocabulary as words_of

_BALP: Final = "https://profiles.ihe.net/ITI/BALP/"
_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_REST: Final = "http://hl7.org/fhir/restful-interaction"
_LIFECYCLE: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_NATIONAL: Final = "urn:oid:1.2.250.1.71.4.2.1"
_FINESS: Final = "urn:oid:1.2.250.1.71.4.2.2"
_PROFESSION: Final = (
    "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
)

SUBTYPES: Final = {
    "search": (_REST, "search"), "list": (_LIFECYCLE, "docref"), "open": (_REST, "read"),
    "create": (_REST, "create"), "update": (_REST, "update"), "delete": (_REST, "delete"),
    "merge": (_LIFECYCLE, "merge"), "export": (_LIFECYCLE, "extract"),
    "print": (_LIFECYCLE, "report"), "login": (_DCM, "110122"), "logout": (_DCM, "110123"),
    "break_glass": (_DCM, "110127"), "privilege_change": (_DCM, "110136"),
    "log_change": (_DCM, "110133"),
}  # fmt: skip
LETTERS: Final = {
    "search": "E", "create": "C", "update": "U", "delete": "D", "merge": "U", "export": "R",
}  # fmt: skip
RESOURCES: Final = {
    "patients": "Patient", "patient/record": "Composition", "patient/documents": "List",
    "document": "DocumentReference", "patients/export": "Bundle",
}  # fmt: skip
"""The screens of the preset, as the resources that the portal's server names."""

CLIENT_EARLIER: Final = 35_000
"""Microseconds between the client's record of an access and the server's."""


def persons_of(texts: Texts, page: Pages) -> pa.Array:
    """Return the entities of each page's patients; `texts` speaks of the rows, not the pages."""
    each = present(
        texts.patient("number"),
        '{"what":{"reference":"Patient/',
        '"},"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type",'
        '"code":"1","display":"Person"},"role":{"system":'
        '"http://terminology.hl7.org/CodeSystem/object-role","code":"1","display":"Patient"}},',
    )
    return page.joined(each, "")


def balp(texts: Texts, region: str, persons: pa.Array, client: bool = False) -> pa.Array:
    """Return BALP's records, by the server or by the client's software."""
    side = "c" if client else "s"
    observer = f"LGC-{region}" if client else f"portail-{region}"
    at = texts.codes("at") - (CLIENT_EARLIER if client else 0)
    return line(
        f'{{"resourceType":"AuditEvent","id":"{region}-', texts.request(),
        f'-{side}","meta":{{"profile":["{_BALP}StructureDefinition/'
        'IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive"]},', texts.once(_event, "action"),
        '"recorded":"', local_text(at, "%FT%T%Ez", "ms"), '",', texts.once(_outcome, "outcome"),
        '"agent":[', _user(texts), texts.once(_patron, "on_behalf_of"),
        texts.once(_structure, "organisation"), texts.once(_device, "device"), _server(region),
        f'],"source":{{"site":"{region}","observer":{{"display":"{observer}"}},"type":[{{"system":'
        '"http://terminology.hl7.org/CodeSystem/security-source-type","code":"4"}]},"entity":[',
        persons, _object(texts),
        '{"what":{"identifier":{"value":"',
        texts.request(),
        f'"}}}},"type":{{"system":"{_BALP}CodeSystem/BasicAuditEntityType","code":"XrequestId"}}}}]}}',
    )  # fmt: skip


def french_form(texts: Texts, region: str, persons: pa.Array) -> pa.Array:
    """Return the records of the French profile."""
    moment = local_text(texts.codes("at"), "%FT%T%Ez", "ms")
    return line(
        f'{{"resourceType":"AuditEvent","id":"{region}-', texts.request(),
        '-s","meta":{"profile":["https://interop.esante.gouv.fr/ig/fhir/tde/StructureDefinition/'
        'tde-audit-event"]},', texts.once(_event, "action"),
        '"period":{"start":"', moment, '"},"recorded":"', moment, '",',
        texts.once(_outcome, "outcome"), '"agent":[', _professional(texts),
        _second(texts),
        '],"source":{"observer":{"display":"portail-', region, '"}},"entity":[', persons,
        _object(texts),
        '{"what":{"identifier":{"value":"', texts.request(),
        f'"}}}},"type":{{"system":"{_BALP}CodeSystem/BasicAuditEntityType","code":"XrequestId"}}}}]}}',
    )  # fmt: skip


def _event(texts: Texts) -> pa.Array:
    coded = {
        action: f'"subtype":[{{"system":"{system}","code":"{code}"}}],'
        for action, (system, code) in SUBTYPES.items()
    }
    rest = (
        '"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest"},'
    )
    login = f'"type":{{"system":"{_DCM}","code":"110114"}},'
    kinds = {a: login if a in ("login", "logout") else rest for a in ACTIONS}
    letters = {
        a: f'"action":"{LETTERS.get(a, "E" if a in ("login", "logout") else "R")}",'
        for a in ACTIONS
    }
    subtypes = {a: coded.get(a, "") for a in ACTIONS}
    return line(
        texts.said("action", kinds), texts.said("action", subtypes), texts.said("action", letters)
    )


def _outcome(texts: Texts) -> pa.Array:
    degree = dict(zip(VOCABULARIES["outcome"], ("0", "4", "8", "12"), strict=True))
    return present(texts.said("outcome", degree), '"outcome":"', '",')


_PORTAL: Final = "urn:simulated:portail"


def _named(texts: Texts, by: str = "account") -> pa.Array:
    """Return an identifier: the national one where there is one, else the login."""
    login = line(f'{{"system":"{_PORTAL}","value":"', texts.account("login", by), '"}')
    national = present(texts.national(by), f'{{"system":"{_NATIONAL}","value":"', '"}')
    return pc.if_else(pc.equal(national, ""), login, national)


def _user(texts: Texts) -> pa.Array:
    return line(
        texts.once(_person, "account", "auth_method"),
        present(texts.session(), ',"policy":["', '"]'), texts.once(_network, "network"),
        texts.once(_purpose, "purpose"), "}",
    )  # fmt: skip


def _person(texts: Texts) -> pa.Array:
    """Return the beginning of the agent who acted: all that its account tells."""
    other = present(
        texts.national(),
        f'{{"url":"{_BALP}StructureDefinition/ihe-otherId","valueIdentifier":{{"system":'
        f'"{_NATIONAL}","value":"',
        '"}},',
    )
    level = present(
        texts.listed("auth_method", "auth_methods"),
        f'{{"url":"{_BALP}StructureDefinition/ihe-assuranceLevel","valueCodeableConcept":'
        '{"coding":[{"code":"',
        '"}]}},',
    )
    extensions = pc.replace_substring_regex(line(other, level), ",$", "")
    return line(
        "{", present(extensions, '"extension":[', "],"), _kind(texts), _roles(texts),
        f'"who":{{"identifier":{{"system":"{_PORTAL}","value":"', texts.account("login"),
        '"},"display":"', texts.account("given_name"), " ", texts.account("surname"),
        '"},"requestor":true',
    )  # fmt: skip


def _network(texts: Texts) -> pa.Array:
    address = texts.listed("network", "networks")
    return present(address, ',"network":{"address":"', '","type":"2"}')


def _second(texts: Texts) -> pa.Array:
    """Return the second and last agent: whom the account acted for, else where it worked."""
    patron = texts.once(_delegator, "on_behalf_of")
    return pc.if_else(pc.equal(patron, ""), texts.once(_structure, "organisation"), patron)


def _delegator(texts: Texts) -> pa.Array:
    patron = line(',{"who":{"identifier":', _named(texts, "on_behalf_of"), '},"requestor":false}')
    alone = pc.equal(texts.account("login", "on_behalf_of"), "")
    return pc.if_else(alone, constant(""), patron)


def _kind(texts: Texts) -> pa.Array:
    """Return the part that was played: a reader, or an application by itself."""
    service = pc.equal(texts.account("kind"), "service")
    application = f'"type":{{"coding":[{{"system":"{_DCM}","code":"110150"}}]}},'
    reader = (
        '"type":{"coding":[{"system":'
        '"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},'
    )
    return pc.if_else(service, application, reader)


def _professional(texts: Texts) -> pa.Array:
    return line(
        texts.once(_national_person, "account"), texts.once(_network, "network"),
        texts.once(_purpose, "purpose"), "}",
    )  # fmt: skip


def _national_person(texts: Texts) -> pa.Array:
    return line(
        "{", _kind(texts), _roles(texts), '"who":{"identifier":', _named(texts),
        '},"altId":"', texts.account("login"), '","requestor":true',
    )  # fmt: skip


def _roles(texts: Texts) -> pa.Array:
    """Return the profession of a person; an application has none."""
    profession = present(
        texts.account("profession"),
        f'"role":[{{"coding":[{{"system":"{_PROFESSION}","code":"',
        '"}]}],',
    )
    return pc.if_else(pc.equal(texts.account("kind"), "service"), "", profession)


def _purpose(texts: Texts) -> pa.Array:
    return present(
        texts.listed("purpose", "purposes"),
        ',"purposeOfUse":[{"coding":[{"system":'
        '"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"',
        '"}]}]',
    )


def _patron(texts: Texts) -> pa.Array:
    return present(
        texts.account("login", "on_behalf_of"),
        f',{{"type":{{"coding":[{{"system":"{_BALP}CodeSystem/UserAgentTypes","code":"delegator"}}]}},'
        '"who":{"identifier":{"system":"urn:simulated:portail","value":"',
        '"}},"requestor":false}',
    )


def _structure(texts: Texts) -> pa.Array:
    return present(
        texts.organisation("finess"),
        ',{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-RoleClass",'
        f'"code":"PROV"}}]}},"who":{{"type":"Organization","identifier":{{"system":"{_FINESS}",'
        '"value":"1',
        '"}},"requestor":false}',
    )


def _device(texts: Texts) -> pa.Array:
    return present(
        texts.listed("device", "devices"),
        f',{{"type":{{"coding":[{{"system":"{_DCM}","code":"110153"}}]}},"who":{{"display":"',
        '"},"requestor":false}',
    )


def _server(region: str) -> str:
    return (
        f',{{"type":{{"coding":[{{"system":"{_DCM}","code":"110152"}}]}},"who":{{"display":'
        f'"portail-{region}"}},"requestor":false,"network":{{"address":'
        f'"https://portail-{region}.exemple.fr/fhir","type":"5"}}}}'
    )


def _object(texts: Texts) -> pa.Array:
    """Return the entity of what was touched, with the request and how much it returned."""
    named = [RESOURCES.get(name, name) for name in texts.world.objects]
    kinds = pick(words_of(named), texts.codes("object"))
    query = _queries(texts, kinds)
    role = pc.if_else(pc.equal(query, ""), "4", "24")
    entity = line(
        '{"type":{"system":"http://hl7.org/fhir/resource-types","code":"', kinds,
        '"},"role":{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"', role,
        '"}', present(query, ',"query":"', '"'),
        present(texts.numbers("record_count"), ',"detail":[{"type":"count","valueString":"', '"}]'),
        "},",
    )  # fmt: skip
    return pc.if_else(pc.equal(kinds, ""), "", entity)


_QUERIES: Final = {
    "exact_id": "{key}={number}", "exact_name": "family:exact={surname}",
    "prefix": "family={prefix}", "wildcard": "name:contains={prefix}",
    "criteria": "family={prefix}&birthdate={born}",
}  # fmt: skip


def _queries(texts: Texts, kinds: pa.Array) -> pa.Array:
    """Return the request of each search in base64, and "" for the other accesses."""
    shape = texts.codes("query_shape")
    shapes = [VOCABULARIES["query_shape"].index(name) for name in _QUERIES]
    rows = np.flatnonzero(np.isin(shape, shapes))
    columns = (kinds, *map(texts.patient, ("surname", "number", "birth_date")))
    said = zip(*(column.take(pa.array(rows)).to_pylist() for column in columns), strict=True)
    asked = np.full(len(shape), "", object)
    for row, words in zip(rows, said, strict=True):
        asked[row] = _query(VOCABULARIES["query_shape"][shape[row]], *words)
    return pa.array(asked, pa.string())


def _query(shape: str, kind: str, surname: str, number: str, born: str) -> str:
    """Return a request in base64; a search that found nobody asked for somebody unknown."""
    asked = _QUERIES[shape].format(
        key="_id" if kind == "Patient" else "patient",
        surname=(surname or "INCONNU").replace(" ", "+"),
        prefix=(surname or "INCONNU")[:3].strip(),
        number=number or "0",
        born=born or "1970-01-01",
    )
    return base64.b64encode(f"GET /fhir/{kind}?{asked}&_count=20".encode()).decode()
