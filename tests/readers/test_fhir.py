"""AuditEvents of every published pattern, and of freer servers, become the right rows."""

import base64
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigie import identifiers
from vigie.errors import MappingError
from vigie.pseudonyms import Keyring
from vigie.readers.base import Batch, Context, Source, Tally
from vigie.readers.fhir import FhirReader
from vigie.readers.intake import Intake
from vigie.testing.conformance import rows, table

DCM = "http://dicom.nema.org/resources/ontology/DCM"
THO = "http://terminology.hl7.org/CodeSystem"
REST = {"system": f"{THO}/audit-event-type", "code": "rest"}
INS_OID = "urn:oid:1.2.250.1.213.1.4.8"
RPPS = "https://rpps.esante.gouv.fr"
ANS = "https://interop.esante.gouv.fr"
PROFESSIONS = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
RING = Keyring(bytes(32))
FOLDER = Path(
    os.environ.get("VIGIE_CONFORMANCE")
    or Path(__file__).parents[2].parent / "shared" / "conformance"
)
needs_vectors = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the published audit records are not beside the repository"
)


def read_batches(path: Path, mapping: dict[str, Any] | None = None, **intake: Any) -> list[Batch]:
    context = Context(Source("portal"), RING, mapping or {})
    return list(FhirReader(context).read(Intake(path, "log", **intake)))


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[list[dict[str, Any]], list[dict[str, Any]], Tally]]:
    def reading(data: object, **settings: Any) -> Any:
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        path = tmp_path / "log.json"
        path.write_bytes(raw)
        batches = read_batches(path, **settings)
        events = [row for batch in batches for row in batch.events.to_pylist()]
        bad = [row for batch in batches for row in batch.quarantine.to_pylist()]
        return events, bad, sum((batch.tally for batch in batches), Tally())

    return reading


def coded(code: str, system: str = DCM) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def user(value: str = "jdupont", **more: Any) -> dict[str, Any]:
    kind = coded("IRCP", f"{THO}/v3-ParticipationType")
    return {"type": kind, "who": {"identifier": {"value": value}}, "requestor": True, **more}


def patient(reference: str = "Patient/12") -> dict[str, Any]:
    return entity({"reference": reference}, "1", "1")


def entity(what: dict[str, Any], kind: str = "2", role: str | None = "4") -> dict[str, Any]:
    found = {"what": what, "type": {"system": f"{THO}/audit-entity-type", "code": kind}}
    return found | ({"role": {"code": role}} if role else {})


def query(text: str) -> dict[str, Any]:
    return {"role": {"code": "24"}, "query": base64.b64encode(text.encode()).decode()}


def event(**more: Any) -> dict[str, Any]:
    record = {
        "resourceType": "AuditEvent",
        "type": REST,
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "read"}],
        "action": "R",
        "recorded": "2025-03-04T10:11:12.345+01:00",
        "outcome": "0",
        "agent": [user()],
        "entity": [patient()],
    }
    return {key: value for key, value in (record | more).items() if value is not None}


def pseudonym(authority: str, value: str) -> bytes:
    return RING.pseudonym(value, authority)


# The published records: what each says, in the words of the table in the documentation.
MACHINE = "myMachine.example.org"
CONSENT_PATIENT = "urn:uuid:d7391e5a-5493-11ec-bf63-0242ac130002"
CLIENT = "2001:0db8:85a3:0000:0000:8a2e:0370:7334"
BALP = {
    "AuthZconsent-deny": ("Practitioner/ex-practitioner", "person", True, "other", "Consent"),
    "AuthZconsent": ("Practitioner/ex-practitioner", "person", True, "other", "Consent"),
    "BasicCreate2": ("Charley Miller", "person", True, "create", "List"),
    "BasicCreateClient": ("John Smith", "person", True, "create", "List"),
    "BasicCreateNoUser": (MACHINE, "service", True, "create", "List"),
    "BasicCreateNoUserJob": (MACHINE, "service", True, "create", "DocumentReference"),
    "BasicCreateServer": ("John Smith", "person", True, "create", "List"),
    "BasicDelete2": ("Charley Miller", "person", True, "delete", "List"),
    "BasicDeleteInformant": ("Betty Jones", "person", True, "delete", "List"),
    "BasicDeleteNoPatient": ("John Smith", "person", False, "delete", "MeasureReport"),
    "BasicDeleteNoUserJob": (MACHINE, "service", True, "delete", "DocumentReference"),
    "BasicDeleteNoUserReport": (MACHINE, "service", True, "delete", "DocumentReference"),
    "BasicPatch": ("John Smith", "person", True, "update", "List"),
    "BasicQueryGetClient": ("John Smith", "person", True, "search", "Observation"),
    "BasicQueryGetServer": ("John Smith", "person", True, "search", "Observation"),
    "BasicQueryPost": ("John Smith", "person", True, "search", "Observation"),
    "BasicReadNoPatient": ("John Smith", "person", False, "open", "MeasureReport"),
    "BasicReadNoUser": (MACHINE, "service", True, "open", "List"),
    "BasicReadOServer": ("35fb1058-7f36-415b-b862-677a37c95f35", "person", True, "open", "List"),
    "BasicReadOServerMin": (None, "person", True, "open", "List"),
    "BasicUpdate1": ("Betty Jones", "person", True, "update", "List"),
    "BasicUpdate2": ("Charley Miller", "person", True, "update", "List"),
    "BasicUpdateNoUser": (MACHINE, "service", True, "update", "List"),
    "BasicUpdateNoUserJob": (MACHINE, "service", True, "update", "DocumentReference"),
    "Poke-SAML-Comp": ("05086900124", "person", CONSENT_PATIENT, "open", "Consent"),
    "Poke-SAML-Min": ("05086900124", "person", False, "open", "Application Activity"),
    "Poke-SAML-QDI-Comp": ("UID=kskagerb", "person", "500000000", "open", "Consent"),
    "Poke-SAML-QDI-Min": ("UID=kskagerb", "person", False, "open", "Application Activity"),
    "PrivacyDisclosure-recipient-minCodes": (
        "patient-",
        "person",
        True,
        "create",
        "DocumentReference",
    ),
    "PrivacyDisclosure-recipient": ("patient-", "person", True, "create", "DocumentReference"),
    "PrivacyDisclosure-source2": ("patient-", "person", True, "export", "DocumentReference"),
}
R4 = {
    "error": ("95", "person", False, "create", "OperationOutcome"),
    "login": ("95", "person", False, "login", "Login"),
    "logout": ("95", "person", False, "logout", "Logout"),
    "rest": ("95", "person", "example", "open", "Patient"),
    "search": ("95", "person", False, "search", "Encounter"),
}
PUBLISHED = {
    **{f"fhir_balp/AuditEvent-ex-audit{name}.json": said for name, said in BALP.items()},
    **{f"fhir_r4/AuditEvent-example-{name}.json": said for name, said in R4.items()},
    "fhir_r4/AuditEvent-example.json": ("Grahame", "person", False, "other", "Application Start"),
}
AUTHORITIES = {"500000000": "2.16.840.1.113883.3.333"}


@needs_vectors
@pytest.mark.parametrize("file", PUBLISHED)
def test_a_published_record_says_who_whom_and_what(file: str) -> None:
    account, kind, whom, action, object_ = PUBLISHED[file]
    (batch,) = read_batches(FOLDER / file)
    (row,) = batch.events.to_pylist()
    if account == "patient-":
        assert row["account"].startswith(account)
    else:
        assert row["account"] == account
    assert (row["actor_kind"], row["action"], row["object"]) == (kind, action, object_)
    value = {True: "ex-patient", False: None}.get(whom, whom)
    authority = AUTHORITIES.get(value, "portal")
    assert row["patient"] == (pseudonym(authority, value) if value else None)
    recorded = json.loads((FOLDER / file).read_text("utf-8"))["recorded"]
    assert row["at"].isoformat()[:16] == recorded[:16].replace("2012-10-25T22", "2012-10-25T11")


@needs_vectors
def test_every_published_audit_record_is_expected_above() -> None:
    here = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("fhir_*/AuditEvent*.json")}
    assert here == set(PUBLISHED)


@needs_vectors
def test_other_published_resources_are_ignored_by_name() -> None:
    for path in FOLDER.glob("fhir_*/*.json"):
        if not path.name.startswith("AuditEvent"):
            (batch,) = read_batches(path)
            assert batch.tally == Tally(1, 0, {"other_resource": 1})


@needs_vectors
def test_the_table_of_published_records_has_a_row_for_each() -> None:
    files = sorted(FOLDER.glob("fhir_balp/AuditEvent*.json"))
    found = rows(files, reader="fhir")
    assert [row.file for row in found] == [path.name for path in files]
    assert "ex-patient" not in table(found)


@needs_vectors
def test_what_else_the_published_records_tell() -> None:
    def row(name: str) -> dict[str, Any]:
        return read_batches(FOLDER / f"fhir_balp/AuditEvent-ex-audit{name}.json")[
            0
        ].events.to_pylist()[0]

    oauth, least = row("BasicReadOServer"), row("BasicReadOServerMin")
    assert (oauth["client_app"], oauth["network"], oauth["realm"]) == (
        "SampleApp",
        CLIENT,
        "http://localhost:5100",
    )
    assert oauth["session"] == least["session"] == "C187CC480FAC40A0936902D8BC324F5F"
    assert oauth["request_key"] == least["request_key"] is not None
    assert row("BasicQueryGetClient")["request_key"] == row("BasicQueryGetServer")["request_key"]
    assert row("BasicQueryPost")["query_shape"] == "exact_id"
    saml = row("Poke-SAML-Comp")
    assert (saml["auth_method"], saml["organisation"]) == (
        "LOAAP4",
        "1234567@myOrganizationRegistry.example.org",
    )
    assert row("Poke-SAML-QDI-Comp")["role"] == "307969004"
    assert row("Poke-SAML-QDI-Comp")["purpose"] == "PUBLICHEALTH"
    deny, permit = row("AuthZconsent-deny"), row("AuthZconsent")
    assert (deny["outcome"], permit["outcome"]) == ("serious_failure", "success")
    assert deny["organisation"] == "Organization/ex-organization"
    assert row("BasicDelete2")["network"] == CLIENT


@needs_vectors
def test_client_and_server_say_the_same_patient_and_request() -> None:
    pair = [
        f"fhir_balp/AuditEvent-ex-auditBasicQueryGet{side}.json" for side in ("Client", "Server")
    ]
    client, server = (read_batches(FOLDER / file)[0].events.to_pylist()[0] for file in pair)
    assert client["patient"] == server["patient"]
    assert client["record_key"] != server["record_key"]


def test_a_read_of_one_patient(read: Any) -> None:
    (row,), bad, tally = read(event(id="a1"))
    assert (bad, tally) == ([], Tally(1, 1))
    assert row["at"].isoformat() == "2025-03-04T09:11:12.345000+00:00"
    assert (row["account"], row["action"], row["object"]) == ("jdupont", "open", "Patient")
    assert row["patient"] == pseudonym("portal", "12")
    assert row["record_key"] == RING.pseudonym("a1", "portal", "record")
    assert (row["source_line"], row["part"], row["clock_quality"]) == (1, 0, "exact")


def test_several_patients_of_a_record_are_several_rows(read: Any) -> None:
    entities = [patient("Patient/1"), patient("Patient/2"), patient("Patient/1")]
    found, _, tally = read(event(entity=entities, id="x"))
    assert [row["part"] for row in found] == [0, 1]
    assert [row["patient"] for row in found] == [pseudonym("portal", "1"), pseudonym("portal", "2")]
    assert len({row["line_hash"] for row in found}) == 1
    assert tally.accepted == 1


@pytest.mark.parametrize(
    ("what", "authority", "value"),
    [
        ({"reference": "Patient/7"}, "portal", "7"),
        ({"reference": "Patient/7/_history/2"}, "portal", "7"),
        ({"reference": "https://CHU.fr/fhir/Patient/7"}, "https://chu.fr/fhir", "7"),
        ({"identifier": {"system": "urn:oid:1.2.3", "value": " 7 "}}, "1.2.3", "7"),
        ({"identifier": {"system": "http://ipp.fr/", "value": 7}}, "http://ipp.fr", "7"),
        ({"identifier": {"value": "7^^^&1.2.3&ISO"}}, "1.2.3", "7"),
        ({"identifier": {"value": "7"}, "type": "Patient"}, "portal", "7"),
        (
            {"identifier": {"system": INS_OID, "value": "2 55 08 14 168 025 38"}},
            "1.2.250.1.213.1.4.8",
            "255081416802538",
        ),
        (
            {
                "reference": "Patient/7",
                "identifier": {"type": coded("INS-NIR", "x"), "value": "255081416802538"},
            },
            "1.2.250.1.213.1.4.8",
            "255081416802538",
        ),
    ],
)
def test_a_patient_is_authority_and_value(
    read: Any, what: dict[str, Any], authority: str, value: str
) -> None:
    (row,), _, _ = read(event(entity=[entity(what, "1", "1")]))
    assert row["patient"] == pseudonym(authority, value)


def test_a_patient_without_role_or_type_is_known_by_the_reference(read: Any) -> None:
    for said in (
        {"what": {"reference": "Patient/7"}},
        entity({"reference": "Patient/7"}, "2", None),
    ):
        (row,), _, _ = read(event(entity=[said]))
        assert row["patient"] == pseudonym("portal", "7")


def test_a_person_who_is_no_patient_is_not_taken_for_one(read: Any) -> None:
    (row,), _, _ = read(event(entity=[entity({"reference": "Practitioner/7"}, "1", "15")]))
    assert row["patient"] is None
    assert row["object"] == "Practitioner"


def test_faults_of_national_identifiers_are_flagged_and_kept(read: Any) -> None:
    wrong = {"identifier": {"system": INS_OID, "value": "255081416802539"}}
    nobody = {"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "255081416802538"}}
    doctor = {"who": {"identifier": {"system": RPPS, "value": "10000000000"}}, "requestor": True}
    found, _, _ = read(
        event(entity=[entity(wrong, "1", "1"), entity(nobody, "1", "1")], agent=[doctor])
    )
    fault = identifiers.problem("rpps", "10000000000")
    assert fault == "rpps_luhn"
    assert [row["flags"] for row in found] == [
        "account_rpps_luhn patient_nir_key",
        "account_rpps_luhn patient_ins_test",
    ]
    assert all(row["patient"] is not None for row in found)


def test_the_french_profile_of_event_traces(read: Any) -> None:
    trace = {
        "resourceType": "AuditEvent",
        "meta": {"profile": [f"{ANS}/ig/fhir/tde/StructureDefinition/tde-auditevent"]},
        "type": REST,
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "read"}],
        "period": {"start": "2026-01-07T09:30:00Z", "end": "2026-01-07T09:32:00Z"},
        "recorded": "2026-01-07T09:32:15Z",
        "agent": [
            {"who": {"identifier": {"system": RPPS, "value": "99700366240"}}, "requestor": True},
            {
                "who": {
                    "identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "899700366265"}
                },
                "requestor": False,
            },
        ],
        "source": {"observer": {"reference": "Device/DeviceExample"}},
        "entity": [
            entity({"identifier": {"system": INS_OID, "value": "255081416802538"}}, "1", "1")
        ],
    }
    (row,), bad, _ = read(trace)
    assert not bad
    assert row["at"].isoformat() == "2026-01-07T09:30:00+00:00"
    assert (row["account"], row["professional"]) == ("99700366240", "99700366240")
    assert (row["actor_kind"], row["on_behalf_of"]) == ("person", "99700366265")
    assert row["patient"] == pseudonym("1.2.250.1.213.1.4.8", "255081416802538")


def test_a_trace_of_the_french_profile_without_agents_is_kept(read: Any) -> None:
    (row,), bad, _ = read(event(agent=None, entity=None, action=None, outcome=None))
    assert not bad
    assert (row["account"], row["actor_kind"], row["action"]) == (None, None, "open")


def test_an_event_with_a_period_needs_no_recorded_time(read: Any) -> None:
    (row,), bad, _ = read(event(recorded=None, period={"start": "2026-01-07T09:30:00+01:00"}))
    assert not bad
    assert row["at"].isoformat() == "2026-01-07T08:30:00+00:00"


def test_a_period_that_is_only_a_day_does_not_replace_the_moment(read: Any) -> None:
    (row,), _, _ = read(event(period={"start": "2025-03-04"}))
    assert row["at"].isoformat() == "2025-03-04T09:11:12.345000+00:00"


def test_a_local_time_is_read_in_the_zone_of_the_source(read: Any) -> None:
    found, _, _ = read(
        json.dumps(event(recorded="2025-07-01T12:00:00")).encode()
        + b"\n"
        + json.dumps(event(recorded="2025-10-26T02:30:00")).encode()
    )
    assert [row["clock_quality"] for row in found] == ["exact", "ambiguous"]
    assert found[0]["at"].isoformat() == "2025-07-01T10:00:00+00:00"


R5 = {
    "resourceType": "AuditEvent",
    "id": "r5",
    "category": [coded("rest", f"{THO}/audit-event-type")],
    "code": coded("update", "http://hl7.org/fhir/restful-interaction"),
    "action": "U",
    "severity": "informational",
    "occurredDateTime": "2025-03-04T10:11:10Z",
    "recorded": "2025-03-04T10:11:12Z",
    "outcome": {"code": {"system": "http://hl7.org/fhir/issue-severity", "code": "error"}},
    "authorization": [coded("ETREAT", f"{THO}/v3-ActReason")],
    "patient": {"reference": "Patient/7"},
    "agent": [
        {
            "type": coded("humanuser", f"{THO}/extra-security-role-type"),
            "role": [coded("10", PROFESSIONS)],
            "who": {
                "reference": "Practitioner/3",
                "identifier": {"system": RPPS, "value": "99700366240"},
            },
            "requestor": True,
            "policy": ["urn:token:1", "https://policies.example.org/a"],
            "networkString": "10.1.2.3",
        },
        {
            "type": coded("110150"),
            "who": {"reference": "Device/app"},
            "networkUri": "https://app.example.org/x/Patient/7",
        },
    ],
    "source": {"observer": {"reference": "Device/1"}},
    "entity": [
        {
            "what": {"reference": "Condition/9"},
            "role": coded("4", f"{THO}/object-role"),
            "detail": [{"type": {"text": "Record Count"}, "valueInteger": 3}],
        }
    ],
}


def test_an_r5_event(read: Any) -> None:
    (row,), bad, _ = read(R5)
    assert not bad
    assert row["at"].isoformat() == "2025-03-04T10:11:10+00:00"
    assert (row["account"], row["professional"], row["profession"]) == (
        "99700366240",
        "99700366240",
        "10",
    )
    assert (row["action"], row["object"], row["outcome"]) == (
        "update",
        "Condition",
        "serious_failure",
    )
    assert row["patient"] == pseudonym("portal", "7")
    assert (row["network"], row["session"], row["purpose"]) == (
        "10.1.2.3",
        "urn:token:1",
        "ETREAT",
    )
    assert (row["client_app"], row["record_count"]) == ("Device/app", 3)


def test_r5_occurred_period(read: Any) -> None:
    said = {**R5, "occurredPeriod": {"start": "2025-03-04T08:00:00Z"}}
    del said["occurredDateTime"]
    (row,), _, _ = read(said)
    assert row["at"].isoformat() == "2025-03-04T08:00:00+00:00"


@pytest.mark.parametrize(
    ("type_", "subtypes", "letter", "action"),
    [
        ("110114", ["110122"], "E", "login"),
        ("110114", ["110123"], "E", "logout"),
        ("110114", [], "E", "login"),
        ("110113", ["110127"], "E", "break_glass"),
        ("110113", ["110137"], "U", "privilege_change"),
        ("110113", ["110133"], "E", "log_change"),
        ("110106", ["disclose", "read"], "R", "export"),
        ("110107", ["disclose"], "C", "create"),
        ("110110", [], "U", "update"),
        ("110112", [], "E", "search"),
        ("rest", ["history-system"], "R", "list"),
        ("rest", ["search-system"], "E", "search"),
        ("rest", ["vread"], "R", "open"),
        ("rest", ["patch"], "U", "update"),
        ("rest", ["operation", "$merge"], "E", "merge"),
        ("rest", [], "D", "delete"),
        ("object", ["merge"], "U", "merge"),
        ("110112", ["ITI-47"], "E", "search"),
        ("rest", ["110136"], "R", "privilege_change"),
        ("rest", ["our-own"], "E", "other"),
    ],
)
def test_codes_say_the_action(
    read: Any, type_: str, subtypes: list[str], letter: str, action: str
) -> None:
    said = event(type={"code": type_}, subtype=[{"code": s} for s in subtypes], action=letter)
    (row,), bad, _ = read(said)
    assert not bad
    assert row["action"] == action


def test_an_action_of_our_own_comes_from_the_mapping(read: Any) -> None:
    mapping = {"values": {"action": {"our-own": "print"}}}
    (row,), _, _ = read(event(subtype=[{"code": "our-own"}]), mapping=mapping)
    assert row["action"] == "print"
    with pytest.raises(MappingError, match="read-it"):
        read(event(), mapping={"values": {"action": {"x": "read-it"}}})


POSTED = "POST /r4/Patient/_search HTTP/1.1\r\nHost: s.fr\r\n\r\nfamily=dup&_count=1\r\n"


@pytest.mark.parametrize(
    ("asked", "shape", "object_", "whom"),
    [
        ("GET https://s.fr/fhir/Patient?family=dup", "prefix", "Patient", None),
        (
            "GET https://s.fr/fhir/Patient?family:exact=Dupont&given:exact=A",
            "exact_name",
            "Patient",
            None,
        ),
        ("https://s.fr/fhir/Patient?name:contains=upon", "wildcard", "Patient", None),
        ("Patient?family=dup*&_count=50", "wildcard", "Patient", None),
        ("Patient?family=dupont&birthdate=1970-01-01", "criteria", "Patient", None),
        ("Patient?_count=50&_sort=name", "none", "Patient", None),
        ("/fhir/Patient", "none", "Patient", None),
        ("Patient?_id=7", "exact_id", "Patient", ("portal", "7")),
        ("Patient?identifier=urn%3Aoid%3A1.2.3%7C7", "exact_id", "Patient", ("1.2.3", "7")),
        ("Observation?patient=7&code=x", "exact_id", "Observation", ("portal", "7")),
        ("Observation?subject=Patient/7", "exact_id", "Observation", ("portal", "7")),
        ("https://s.fr/fhir/Patient/7/Observation", "exact_id", "Observation", ("portal", "7")),
        (
            "https://s.fr/fhir/Patient/7/$everything",
            "exact_id",
            "Patient/$everything",
            ("portal", "7"),
        ),
        (POSTED, "prefix", "Patient", None),
        ("Encounter?participant=13", "criteria", "Encounter", None),
    ],
)
def test_a_query_tells_its_shape_and_whom_it_names(
    read: Any, asked: str, shape: str, object_: str, whom: tuple[str, str] | None
) -> None:
    (row,), _, _ = read(event(subtype=[{"code": "search"}], action="E", entity=[query(asked)]))
    assert (row["query_shape"], row["object"]) == (shape, object_)
    assert row["patient"] == (pseudonym(*whom) if whom else None)


def test_the_patient_entity_goes_before_the_patient_in_the_query(read: Any) -> None:
    asked = query("Observation?patient=8")
    (row,), _, _ = read(event(entity=[asked, patient("Patient/7")]))
    assert row["patient"] == pseudonym("portal", "7")


def test_the_request_id_is_shared_by_logs_of_different_sources(read: Any) -> None:
    known = {"type": {"code": "XrequestId"}, "what": {"identifier": {"value": "r-1"}}}
    (by_entity,), _, _ = read(event(entity=[patient(), known]))
    (by_header,), _, _ = read(
        event(entity=[patient(), query("GET Patient/12\nX-Request-Id: r-1\n")])
    )
    assert (
        by_entity["request_key"] == by_header["request_key"] == RING.pseudonym("r-1", "", "request")
    )


def test_an_operation_says_more_than_its_code(read: Any) -> None:
    for asked, action in (
        ("Patient/7/$everything", "open"),
        ("$export", "export"),
        ("Patient/$match", "search"),
    ):
        said = event(subtype=[{"code": "operation"}], action="E", entity=[query(asked)])
        (row,), _, _ = read(said)
        assert row["action"] == action


def test_emergency_is_told_before_any_other_purpose(read: Any) -> None:
    reasons = [coded("TREAT", "x"), coded("ETREAT", "x")]
    (row,), _, _ = read(event(agent=[user(purposeOfUse=reasons)]))
    assert (row["purpose"], row["action"]) == ("ETREAT", "open")


def test_a_secretary_for_a_doctor(read: Any) -> None:
    agents = [
        {"who": {"reference": "Practitioner/doctor"}, "requestor": False},
        {"who": {"reference": "https://x.fr/fhir/Practitioner/secretary"}, "requestor": True},
        {
            "type": coded("PROV", f"{THO}/v3-RoleClass"),
            "who": {"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.2", "value": "1750712184"}},
        },
    ]
    (row,), _, _ = read(event(agent=agents))
    assert (row["account"], row["on_behalf_of"]) == (
        "Practitioner/secretary",
        "Practitioner/doctor",
    )
    assert (row["realm"], row["organisation"]) == ("https://x.fr/fhir", "750712184")


def test_the_login_goes_before_a_national_identifier(read: Any) -> None:
    doctor = {"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "899700366240"}}
    (row,), _, _ = read(event(agent=[{"who": doctor, "altId": "jdupont", "requestor": True}]))
    assert (row["account"], row["professional"]) == ("jdupont", "99700366240")


def test_contained_resources_are_followed(read: Any) -> None:
    contained = [
        {
            "resourceType": "Practitioner",
            "id": "p",
            "identifier": [{"system": RPPS, "value": "99700366240"}],
        },
        {
            "resourceType": "Patient",
            "id": "q",
            "identifier": [{"system": "urn:oid:1.2.3", "value": "7"}],
        },
    ]
    agents = [{"who": {"reference": "#p"}, "requestor": True}]
    (row,), _, _ = read(event(contained=contained, agent=agents, entity=[patient("#q")]))
    assert (row["account"], row["professional"]) == ("99700366240", "99700366240")
    assert row["patient"] == pseudonym("1.2.3", "7")


def test_a_patient_who_acts_has_a_keyed_name(read: Any) -> None:
    for agent in (
        {"who": {"reference": "Patient/12"}, "requestor": True},
        user("12"),
        {
            "type": {"coding": [{"code": "PAT"}]},
            "who": {"identifier": {"value": "12"}},
            "requestor": True,
        },
    ):
        (row,), _, _ = read(event(agent=[agent]))
        assert row["account"].startswith("patient-")
        assert row["account"].removeprefix("patient-") != "12"


def test_the_keyed_name_of_an_account_outlives_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(
        json.dumps(event(agent=[{"who": {"reference": "Patient/12"}, "requestor": True}]))
    )
    rings = (RING, RING.rotated())
    before, after = (
        next(
            FhirReader(Context(Source("portal"), ring)).read(Intake(path, "log"))
        ).events.to_pylist()[0]
        for ring in rings
    )
    assert before["account"] == after["account"]
    assert before["patient"] != after["patient"]


def test_neighbouring_numbers_leave_their_distance(read: Any) -> None:
    lines = [json.dumps(event(entity=[patient(f"Patient/{n}")])) for n in (100, 101, 99)]
    found, _, _ = read("\n".join(lines).encode())
    assert [row["id_gap"] for row in found] == [None, 1, -2]


# Files: one resource, lines, Bundles, arrays; sound and damaged.


def many(count: int = 5) -> list[dict[str, Any]]:
    return [event(id=f"e{n}", entity=[patient(f"Patient/{n}")]) for n in range(count)]


def lines_of(events: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in events)


def bundle_of(events: list[dict[str, Any]], **layout: Any) -> bytes:
    entries = [{"fullUrl": f"https://s.fr/{e.get('id')}", "resource": e} for e in events]
    return json.dumps(
        {"resourceType": "Bundle", "type": "searchset", "entry": entries}, **layout
    ).encode()


@pytest.mark.parametrize(
    "data",
    [
        lines_of(many()),
        b"\xef\xbb\xbf" + lines_of(many()),
        lines_of(many()).replace(b"\n", b"\r\n"),
        bundle_of(many()),
        bundle_of(many(), indent=2),
        json.dumps(many()).encode(),
        json.dumps(many(), indent=1).encode(),
        lines_of(many()).rstrip(b"\n"),
        bundle_of(many(2)) + b"\n" + bundle_of(many(5)[2:]) + b"\n",
    ],
)
def test_the_same_events_in_every_layout(read: Any, data: bytes) -> None:
    found, bad, tally = read(data)
    assert not bad
    assert (tally.read, tally.accepted) == (5, 5)
    assert [row["patient"] for row in found] == [pseudonym("portal", str(n)) for n in range(5)]


def test_compressed_files(tmp_path: Path) -> None:
    for name, data in (
        ("a.gz", gzip.compress(lines_of(many()), mtime=0)),
        ("a.zst", pa.compress(lines_of(many()), codec="zstd", asbytes=True)),
    ):
        (tmp_path / name).write_bytes(data)
        assert sum(b.tally.accepted for b in read_batches(tmp_path / name)) == 5


def test_a_bundle_brings_the_resources_that_others_point_at(read: Any) -> None:
    doctor = {
        "resourceType": "Practitioner",
        "id": "9",
        "identifier": [{"system": RPPS, "value": "99700366240"}],
    }
    person = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": "urn:oid:1.2.3", "value": "7"}],
    }
    told = event(
        agent=[{"who": {"reference": "Practitioner/9"}, "requestor": True}],
        entity=[patient("urn:uuid:p"), patient("Patient/p")],
    )
    entries = [
        {"resource": told},
        {"resource": doctor},
        {"fullUrl": "urn:uuid:p", "resource": person},
    ]
    found, _, tally = read({"resourceType": "Bundle", "type": "searchset", "entry": entries})
    assert [row["account"] for row in found] == ["Practitioner/9"] * 2
    assert [row["professional"] for row in found] == ["99700366240"] * 2
    assert [row["patient"] for row in found] == [pseudonym("1.2.3", "7"), pseudonym("portal", "p")]
    assert tally == Tally(3, 1, {"other_resource": 2})


@pytest.mark.parametrize("layout", [{}, {"indent": 2}])
def test_a_damaged_bundle_gives_its_intact_entries(read: Any, layout: dict[str, Any]) -> None:
    data = bundle_of(many(), **layout)
    marker = b'"recorded": "2025'
    place = data.index(marker, data.index(marker) + 1)
    hurt = data[:place] + b"#" + data[place + 1 :]
    found, bad, tally = read(hurt)
    assert (len(found), [row["reason"] for row in bad]) == (4, ["bad_json"])
    assert bad[0]["source_line"] == 2
    assert tally.balanced


@pytest.mark.parametrize("layout", [{}, {"indent": 2}])
def test_a_truncated_bundle_gives_what_came_before_the_cut(
    read: Any, layout: dict[str, Any]
) -> None:
    data = bundle_of(many(), **layout)
    cut = data.index(b'"e3"') - 40
    found, bad, _ = read(data[:cut])
    assert (len(found), [row["reason"] for row in bad]) == (3, ["truncated"])


def test_a_bundle_cut_between_entries_is_not_taken_for_whole(read: Any) -> None:
    found, bad, _ = read(bundle_of(many())[:-2])
    assert (len(found), [row["reason"] for row in bad]) == (5, ["truncated"])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"resourceType": "AuditEvent", "agent": []}', "no_time"),
        (json.dumps(event(recorded="yesterday")).encode(), "bad_time"),
        (json.dumps(event(recorded="2025-13-45T99:00:00Z")).encode(), "bad_time"),
        (json.dumps(event(recorded="2025-03-04")).encode(), "bad_time"),
        (json.dumps(event(agent="me")).encode(), "bad_value"),
        (json.dumps(event(entity=[{"what": 3}])).encode(), "bad_value"),
        (json.dumps(event(outcome=[[]])).encode(), "bad_value"),
        (b'{"resourceType": "AuditEvent", ', "bad_json"),
        (b"not json at all", "bad_json"),
        (b"[1, 2]", "bad_value"),
        (b'{"a": 1}', "wrong_resource"),
        (b'{"resourceType": 5}', "wrong_resource"),
        (b'{"resourceType": "AuditEvent"\x00}', "nul_byte"),
        (b'{"resourceType": "Audit\xe9Event"}', "bad_encoding"),
        (b'{"resourceType": "AuditEvent", "x": ' + b"[" * 9000 + b"]" * 9000 + b"}", "too_deep"),
        (
            b'{"resourceType": "AuditEvent", "entity": ' + b"[" * 9000 + b"]" * 9000 + b"}",
            "too_deep",
        ),
    ],
)
def test_a_bad_line_is_quarantined_and_its_neighbours_are_not(
    read: Any, line: bytes, reason: str
) -> None:
    found, bad, tally = read(lines_of(many(2)) + line + b"\n\n" + lines_of(many(1)))
    assert [(row["reason"], row["source_line"]) for row in bad] == [(reason, 3)]
    assert bad[0]["offset"] == len(lines_of(many(2)))
    assert (len(found), tally.ignored) == (3, {"blank": 1})


def test_a_line_cut_by_the_end_of_the_file_is_told_as_such(read: Any) -> None:
    found, bad, _ = read(lines_of(many(3))[:-30])
    assert (len(found), [row["reason"] for row in bad]) == (2, ["truncated"])


def test_a_line_beyond_the_limit_has_one_hash_however_the_file_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "log"
    long = json.dumps(event(text={"div": "x" * 9000})).encode() + b"\n"
    path.write_bytes(lines_of(many(1)) + long + lines_of(many(2)))
    seen = []
    for size in (1 << 20, 2000, 700):
        batches = read_batches(path, chunk_size=size, longest_line=4000)
        bad = [row for batch in batches for row in batch.quarantine.to_pylist()]
        assert sum(batch.tally.accepted for batch in batches) == 3
        seen.append([(row["reason"], row["source_line"], row["line_hash"]) for row in bad])
    assert seen[0] == seen[1] == seen[2]
    assert [reason for reason, *_ in seen[0]] == ["line_too_long"]


def test_intact_but_unusual_records_are_accepted(read: Any) -> None:
    unusual = [
        event(subtype=None),
        event(subtype={"code": "read"}),
        event(type={"coding": [{"code": "rest"}]}),
        event(type={"text": "patient record"}),
        event(outcome=0),
        event(outcome=None),
        event(agent=user()),
        event(agent=[user(requestor="true")]),
        event(agent=[{"who": {"display": "Jean"}}]),
        event(agent=[]),
        event(entity=[]),
        event(entity=[{"role": {"code": 1}, "what": {"reference": "Patient/12"}}]),
        event(entity=[query("%%%")]),
        event(entity=[{"query": "Patient?family=d"}]),
        event(recorded="2025-03-04T10:11:60Z"),
        event(recorded="2025-03-04T10:11:12.123456789Z"),
        event(_recorded={"extension": []}),
        event(vendor={"deep": [[[[]]]]}),
        event(id=12),
        event(text={"status": "generated", "div": "<div>é</div>"}),
        event(meta={"security": [{"code": "HTEST"}]}),
    ]
    found, bad, tally = read(lines_of(unusual))
    assert bad == []
    assert tally.accepted == len(unusual) == len(found)


def test_recognition() -> None:
    sure = FhirReader.recognises
    assert sure(lines_of(many(1)), "a.json") > 0.9
    assert sure(bundle_of(many(1), indent=2), "a") > 0.9
    assert sure(b'{"time": "2025", "user": "a", "patient": "12"}\n', "a.ndjson") == 0
    assert sure(b"time;user\n", "a.csv") == 0
    assert sure(b'<?xml version="1.0"?>', "a.xml") == 0


SECRETS = ("S3CR3T", "255081416802538", "DUPONTEL")


def secretive() -> list[dict[str, Any]]:
    ins = {"system": INS_OID, "value": "255081416802538"}
    named = {"reference": "Patient/S3CR3T", "display": "DUPONTEL"}
    return [
        event(entity=[entity(named, "1", "1") | {"name": "DUPONTEL", "description": "DUPONTEL"}]),
        event(entity=[entity({"identifier": ins, "display": "DUPONTEL"}, "1", "1")]),
        event(entity=[query("Patient?family=DUPONTEL&identifier=S3CR3T")]),
        event(entity=[query("https://s.fr/Patient/S3CR3T/$everything")]),
        event(agent=[{"who": named, "requestor": True, "name": "DUPONTEL", "altId": "S3CR3T"}]),
        event(agent=[user("S3CR3T")], entity=[patient("Patient/S3CR3T")]),
        event(
            agent=[
                user(),
                {
                    "type": coded("110150"),
                    "network": {"address": "http://s.fr/Patient/S3CR3T", "type": "5"},
                },
            ]
        ),
        event(agent=[{"who": {"identifier": ins}, "requestor": True}]),
        event(patient={"reference": "Patient/S3CR3T"}, entity=[]),
        event(entity=[{"what": {"reference": "S3CR3T"}, "role": {"code": "1"}}]),
        event(outcomeDesc="DUPONTEL S3CR3T", text={"div": "DUPONTEL"}),
        event(
            contained=[
                {"resourceType": "Patient", "id": "S3CR3T", "name": [{"family": "DUPONTEL"}]}
            ],
            entity=[patient("#S3CR3T")],
        ),
        event(id="S3CR3T"),
        event(purposeOfEvent=[{"text": "DUPONTEL"}]),
    ]


def everything_said(batch: Batch) -> bytes:
    return b"".join(
        repr(row).encode()
        for rows_ in (batch.events.to_pylist(), batch.quarantine.to_pylist())
        for row in rows_
    )


def test_no_identifier_of_a_patient_comes_out(tmp_path: Path) -> None:
    for layout in (lines_of(secretive()), bundle_of(secretive(), indent=1)):
        path = tmp_path / "log"
        path.write_bytes(layout)
        for batch in read_batches(path):
            assert batch.tally.accepted == len(secretive())
            said = everything_said(batch)
            assert not [secret for secret in SECRETS if secret.encode() in said]


def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    hurt = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(hurt) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                hurt[place] = draw(st.integers(0, 255))
            case 1:
                del hurt[place : place + draw(st.integers(1, 60))]
            case 2:
                hurt[place:place] = draw(st.binary(max_size=8))
            case _:
                hurt[place:place] = draw(st.sampled_from([b'"', b"{", b"}", b"\n", b"[", b"\\"]))
    return bytes(hurt)


@st.composite
def damaged_lines(draw: st.DrawFn) -> tuple[list[bytes], set[int]]:
    lines = [json.dumps(one).encode() for one in [*secretive(), R5]]
    hurt = draw(st.sets(st.integers(0, len(lines) - 1), max_size=4))
    for place in hurt:
        lines[place] = mutated(draw, lines[place])
    return lines, hurt


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(damage=damaged_lines(), size=st.integers(500, 40_000))
def test_damage_to_a_line_stays_in_that_line(
    tmp_path: Path, damage: tuple[list[bytes], set[int]], size: int
) -> None:
    lines, hurt = damage
    path = tmp_path / "log"
    path.write_bytes(b"\n".join(lines) + b"\n")
    batches = read_batches(path, chunk_size=size)
    assert all(batch.tally.balanced for batch in batches)
    starts, at = {}, 1
    for number, line in enumerate(lines):
        starts[at] = number
        at += 1 + line.count(b"\n")
    bad = {row["source_line"] for batch in batches for row in batch.quarantine.to_pylist()}
    intact = {line for line, number in starts.items() if number not in hurt}
    assert not bad & intact
    accepted = {line for batch in batches for line in batch.events["source_line"].to_pylist()}
    assert intact <= accepted


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data(), indent=st.sampled_from([None, 1]))
def test_a_mutated_document_never_breaks_the_sum(
    tmp_path: Path, data: st.DataObject, indent: int | None
) -> None:
    hurt = data.draw(st.composite(mutated)(bundle_of(many(4), indent=indent)))
    path = tmp_path / "log"
    path.write_bytes(hurt)
    for batch in read_batches(path):
        assert batch.tally.balanced
        assert batch.tally.read >= 1


@settings(deadline=None, max_examples=30)
@given(size=st.integers(100, 20_000))
def test_rows_do_not_depend_on_how_the_file_is_cut(tmp_path_factory: Any, size: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "log"
    path.write_bytes(lines_of([*secretive(), R5, *many()]))

    def rows_of(**intake: Any) -> list[dict[str, Any]]:
        return [row for batch in read_batches(path, **intake) for row in batch.events.to_pylist()]

    assert rows_of(chunk_size=size) == rows_of()


V2_QUERY = "MSH|^~\\&|A|B\rQPD|Q23|t|p1^^^&1.2.3&ISO^PI|\rRCP|I"
V3_QUERY = (
    '<PRPA_IN201309UV02><queryByParameter><patientIdentifier><value extension="p1" root="1.2.3"/>'
    "</patientIdentifier></queryByParameter></PRPA_IN201309UV02>"
)


def asked_for(**traits: Any) -> str:
    sought = {"resourceType": "Patient", **traits}
    return json.dumps(
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "count", "valueInteger": 3}, {"resource": sought}],
        },
        indent=1,
    )


@pytest.mark.parametrize(
    ("text", "shape", "named"),
    [
        (V2_QUERY, "exact_id", ("1.2.3", "p1")),
        (V3_QUERY, "exact_id", ("1.2.3", "p1")),
        (
            asked_for(identifier=[{"system": "https://chu.fr/ipp", "value": "p1"}]),
            "exact_id",
            ("https://chu.fr/ipp", "p1"),
        ),
        (
            "POST /Patient/$match HTTP/1.1\n\n" + asked_for(identifier={"value": "p1"}),
            "exact_id",
            ("portal", "p1"),
        ),
        (asked_for(name=[{"family": "DUP"}]), "exact_name", None),
        (asked_for(name=[{"family": "DUP"}], gender="female"), "criteria", None),
        ("{not json", None, None),
    ],
)
def test_a_query_may_be_a_document(
    read: Any, text: str, shape: str | None, named: tuple[str, str] | None
) -> None:
    record = event(subtype=[{"code": "search"}], entity=[query(text)])
    lines = "\n".join(json.dumps(record) for _ in range(3)).encode()
    for data in (record, lines):
        rows_, bad, _ = read(data)
        assert not bad
        for row in rows_:
            assert row["query_shape"] == shape
            assert row["patient"] == (pseudonym(*named) if named else None)


def test_who_asked_is_not_the_other_end_of_a_transfer(read: Any) -> None:
    sender = {
        "type": coded("110153"),
        "who": {"identifier": {"value": "sender"}, "display": "The sender"},
        "requestor": True,
        "networkString": "custodian.net",
    }
    receiver = {
        "type": coded("110152"),
        "who": {"reference": "Practitioner/9"},
        "requestor": False,
    }
    for more in ({}, {"name": "The sender"}):
        (row,), _, _ = read(event(agent=[sender | more, receiver]))
        assert (row["account"], row["on_behalf_of"]) == ("sender", None)
        assert row["network"] == "custodian.net"


def test_an_organisation_alone_is_the_account_only_where_it_asked(read: Any) -> None:
    who = {"reference": "Organization/7"}
    (asking,), _, _ = read(event(agent=[{"who": who, "requestor": True}]))
    assert (asking["account"], asking["organisation"]) == ("Organization/7", "Organization/7")
    assert asking["actor_kind"] is None
    (named,), _, _ = read(event(agent=[{"who": who, "requestor": False}]))
    assert (named["account"], named["organisation"]) == (None, "Organization/7")


def test_an_address_may_be_a_urn(read: Any) -> None:
    place = {"networkUri": "urn:ipv6:2001:db8::1"}
    (row,), _, _ = read(event(agent=[user(**place)]))
    assert row["network"] == "2001:db8::1"


def test_a_contained_professional_is_named_as_any_other(read: Any) -> None:
    inside = {
        "resourceType": "Practitioner",
        "id": "p",
        "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "810000000018"}],
    }
    agent = {"who": {"reference": "#p"}, "requestor": True}
    (row,), _, _ = read(event(contained=[inside], agent=[agent]))
    assert row["account"] == row["professional"] == "10000000018"
    (login,), _, _ = read(event(contained=[inside], agent=[agent | {"altId": "jdupont"}]))
    assert login["account"] == "jdupont"


def test_a_version_of_a_bundled_resource_is_that_resource(read: Any) -> None:
    doctor = {
        "resourceType": "Practitioner",
        "id": "5",
        "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "810000000018"}],
    }
    agent = {"who": {"reference": "Practitioner/5/_history/2"}, "requestor": True}
    entries = [{"resource": doctor}, {"resource": event(agent=[agent])}]
    (row,), _, _ = read({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert row["professional"] == "10000000018"


def test_what_is_written_as_null_is_missing(read: Any) -> None:
    record = event() | dict.fromkeys(("contained", "period", "occurredPeriod", "subtype"))
    (row,), bad, _ = read(record)
    assert not bad
    assert row["patient"] == pseudonym("portal", "12")


def test_the_elements_of_stu3_are_read(read: Any) -> None:
    agent = {"userId": {"value": "95"}, "requestor": True, "role": [coded("x", "local")]}
    used = {"reference": {"reference": "Patient/12"}, "type": {"code": "2"}}
    (row,), _, _ = read(event(agent=[agent], entity=[used]))
    assert (row["account"], row["patient"]) == ("95", pseudonym("portal", "12"))


def test_a_machine_that_asked_is_the_account_wherever_it_was(read: Any) -> None:
    place = {"network": {"address": "https://a.fr/fhir", "type": "5"}}
    asking = {"type": coded("110153"), "who": {"reference": "Device/a"}, "requestor": True, **place}
    asked = {"type": coded("110152"), "who": {"reference": "Device/b"}, "requestor": False, **place}
    (row,), _, _ = read(event(agent=[asked, asking]))
    assert (row["account"], row["actor_kind"]) == ("Device/a", "service")


@pytest.mark.parametrize("element", ["period", "occurredPeriod"])
def test_a_period_without_a_start_tells_when_it_ended(read: Any, element: str) -> None:
    (row,), _, _ = read(event(**{element: {"end": "2025-03-04T08:00:00Z"}}))
    assert row["at"].isoformat() == "2025-03-04T08:00:00+00:00"


@pytest.mark.parametrize("said", [True, 1, "1", "TRUE"])
def test_that_an_agent_asked_is_read_however_it_is_written(read: Any, said: object) -> None:
    doctor = {"who": {"reference": "Practitioner/2"}, "requestor": said}
    other = {"who": {"reference": "Practitioner/1"}, "requestor": False}
    (row,), _, _ = read(event(agent=[other, doctor]))
    assert (row["account"], row["on_behalf_of"]) == ("Practitioner/2", "Practitioner/1")


def test_resources_of_several_lines_each_may_follow_one_another(read: Any) -> None:
    inside = {"resourceType": "Practitioner", "id": "p"}
    texts = [json.dumps(event(id=str(k), contained=[inside]), indent=2) for k in range(3)]
    rows_, bad, tally = read("\n".join(texts).encode())
    assert (len(rows_), len(bad), tally.read) == (3, 0, 3)
    texts[1] = texts[1][:200]
    rows_, bad, tally = read("\n".join(texts).encode())
    assert (len(rows_), len(bad), tally.read) == (2, 1, 3)


def test_an_outcome_may_be_a_concept(read: Any) -> None:
    (row,), _, _ = read(event(outcome=coded("8", f"{THO}/audit-event-outcome")))
    assert row["outcome"] == "serious_failure"
