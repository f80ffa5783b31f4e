"""The ATNA reader: every dialect and envelope, hostile XML, damage, and the law of the sums."""

import base64
import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.errors import MappingError
from vigie.events import READ_SCHEMA, VOCABULARIES
from vigie.pseudonyms import Keyring
from vigie.readers.atna import AtnaReader
from vigie.readers.atna.pieces import Pieces
from vigie.readers.atna.xml import RefusedXml, parse_message
from vigie.readers.base import QUARANTINE_SCHEMA, Context, Source, Tally
from vigie.readers.intake import Intake

RING = Keyring(bytes(range(32)))
CONFORMANCE = Path(
    os.environ.get("VIGIE_CONFORMANCE", Path(__file__).parents[3] / "shared" / "conformance")
)
SYSLOG = b"<110>1 2025-03-04T09:00:00.5+01:00 srv app 12 IHE+RFC-3881 - "


@dataclass
class Outcome:
    rows: list[dict[str, Any]]
    quarantine: list[dict[str, Any]]
    tally: Tally
    text: str = field(repr=False, default="")

    @property
    def reasons(self) -> list[str]:
        return [row["reason"] for row in self.quarantine]


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(data: bytes, mapping: dict[str, Any] | None = None, **options: Any) -> Outcome:
        return read_at(tmp_path / "a.log", data, mapping, **options)

    return read


def read_at(
    path: Path,
    data: bytes,
    mapping: dict[str, Any] | None = None,
    zone: str = "Europe/Paris",
    **options: Any,
) -> Outcome:
    path.write_bytes(data)
    context = Context(Source("hospital", zone), RING, mapping or {}, "m.toml")
    batches = list(AtnaReader(context).read(Intake(path, path.name, **options)))
    events = pa.concat_tables([READ_SCHEMA.empty_table(), *(b.events for b in batches)])
    quarantine = pa.concat_tables(
        [QUARANTINE_SCHEMA.empty_table(), *(b.quarantine for b in batches)]
    )
    tally = sum((b.tally for b in batches), Tally())
    rows, bad = events.to_pylist(), quarantine.to_pylist()
    return Outcome(rows, bad, tally, f"{rows}{bad}")


def pseudonym(value: str, authority: str = "hospital") -> bytes:
    return RING.pseudonym(value, authority)


def coded(tag: str, code: str, dicom: bool = True, system: str = "DCM") -> str:
    name, text = ("csd-code", "originalText") if dicom else ("code", "displayName")
    return f'<{tag} {name}="{code}" codeSystemName="{system}" {text}="t"/>'


def participant(user: str, requestor: bool = True, roles: str = "", **attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    asks = "true" if requestor else "false"
    start = f'<ActiveParticipant UserID="{user}" UserIsRequestor="{asks}"{more}>'
    return f"{start}{roles}</ActiveParticipant>"


def patient(value: str, name: str = "", dicom: bool = True) -> str:
    return (
        f'<ParticipantObjectIdentification ParticipantObjectID="{value}" '
        'ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1">'
        + coded("ParticipantObjectIDTypeCode", "2", dicom, "RFC-3881")
        + (f"<ParticipantObjectName>{name}</ParticipantObjectName>" if name else "")
        + "</ParticipantObjectIdentification>"
    )


def query(text: str) -> str:
    encoded = base64.b64encode(text.encode()).decode()
    return (
        '<ParticipantObjectIdentification ParticipantObjectID="q" ParticipantObjectTypeCode="2" '
        f'ParticipantObjectTypeCodeRole="24"><ParticipantObjectQuery>{encoded}'
        "</ParticipantObjectQuery></ParticipantObjectIdentification>"
    )


def message(
    *parts: str,
    event: str = "110110",
    types: tuple[str, ...] = (),
    action: str = "R",
    at: str = "2025-03-04T08:00:00Z",
    outcome: str = "0",
    dicom: bool = True,
    purpose: str = "",
) -> bytes:
    inner = coded("EventID", event, dicom) if event else ""
    inner += "".join(coded("EventTypeCode", one, dicom) for one in types)
    inner += coded("PurposeOfUse", purpose, dicom) if purpose else ""
    said = f' EventActionCode="{action}"' if action else ""
    when = f' EventDateTime="{at}"' if at else ""
    who = "" if any("ActiveParticipant" in part for part in parts) else participant("jdupont")
    return (
        f'<AuditMessage><EventIdentification{said}{when} EventOutcomeIndicator="{outcome}">'
        f"{inner}</EventIdentification>{who}{''.join(parts)}"
        '<AuditSourceIdentification AuditEnterpriseSiteID="site" AuditSourceID="dpi"/>'
        "</AuditMessage>"
    ).encode()


# -- What a message says --------------------------------------------------------------------


@pytest.mark.parametrize("dicom", [True, False])
def test_both_dialects_say_the_same(read: Any, dicom: bool) -> None:
    data = message(
        participant(
            "jdupont",
            roles=coded("RoleIDCode", "IDE", dicom, "hr"),
            NetworkAccessPointID="10.1.2.3",
            NetworkAccessPointTypeCode="2",
        ),
        patient("12345^^^&amp;1.2.250.1.213.1.4.8&amp;ISO", dicom=dicom),
        event="110112",
        types=("ITI-45",),
        action="E",
        purpose="ETREAT",
        outcome="4",
        dicom=dicom,
    )
    (row,) = read(data).rows
    expected = {
        "account": "jdupont",
        "actor_kind": "person",
        "role": "IDE",
        "network": "10.1.2.3",
        "organisation": "site",
        "client_app": "dpi",
        "action": "search",
        "object": "ITI-45",
        "purpose": "ETREAT",
        "outcome": "minor_failure",
        "clock_quality": "exact",
        "at": datetime(2025, 3, 4, 8, tzinfo=UTC),
        "source_line": 1,
        "part": 0,
        "patient": pseudonym("12345", "1.2.250.1.213.1.4.8"),
        "record_key": None,
        "flags": "patient_nir_length",
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("event", "types", "action", "expected", "object_"),
    [
        ("110110", (), "C", "create", "Patient Record"),
        ("110110", (), "U", "update", "Patient Record"),
        ("110110", (), "D", "delete", "Patient Record"),
        ("110109", (), "R", "open", "Order Record"),
        ("110111", (), "E", "other", "Procedure Record"),
        ("110112", (), "E", "search", "Query"),
        ("110106", (), "R", "export", "Export"),
        ("110107", (), "C", "create", "Import"),
        ("110106", ("ITI-43",), "R", "open", "ITI-43"),
        ("110107", ("ITI-43",), "C", "open", "ITI-43"),
        ("110106", ("ITI-41",), "R", "create", "ITI-41"),
        ("110103", (), "R", "open", "DICOM Instances Accessed"),
        ("110104", (), "C", "open", "DICOM Instances Transferred"),
        ("110105", (), "D", "delete", "DICOM Study Deleted"),
        ("110114", ("110122",), "E", "login", "Login"),
        ("110114", ("110123",), "E", "logout", "Logout"),
        ("110114", (), "E", "login", "User Authentication"),
        ("110113", ("110127",), "E", "break_glass", "Emergency Override Started"),
        ("110113", ("110136",), "E", "privilege_change", "Security Roles Changed"),
        ("110113", ("110133",), "E", "log_change", "Audit Recording Stopped"),
        ("110100", ("110120",), "E", "other", "Application Start"),
        ("110101", (), "R", "other", "Audit Log Used"),
        ("110112", ("ITI-9",), "E", "search", "ITI-9"),
        ("110110", ("ITI-8",), "C", "create", "ITI-8"),
        ("110110", ("ITI-10",), "R", "open", "ITI-10"),
        ("110110", ("ITI-104",), "U", "update", "ITI-104"),
        ("110110", ("ITI-93",), "C", "create", "ITI-93"),
        ("110112", ("ITI-78",), "E", "search", "ITI-78"),
        ("unknown", ("own",), "", "other", "own"),
    ],
)
def test_the_action_and_object_of_an_event(
    read: Any, event: str, types: tuple[str, ...], action: str, expected: str, object_: str
) -> None:
    (row,) = read(message(event=event, types=types, action=action)).rows
    assert (row["action"], row["object"]) == (expected, object_)


def test_an_export_on_paper_is_a_print_and_a_life_cycle_speaks_when_nothing_else_does(
    read: Any,
) -> None:
    medium = f"<MediaIdentifier>{coded('MediaType', '110038')}</MediaIdentifier>"
    (printed,) = read(message(participant("a", roles=medium), event="110106", action="R")).rows
    assert printed["action"] == "print"
    disclosed = patient("p1").replace(
        "ParticipantObjectTypeCodeRole",
        'ParticipantObjectDataLifeCycle="11" ParticipantObjectTypeCodeRole',
    )
    (row,) = read(message(disclosed, action="E")).rows
    assert row["action"] == "export"


def test_a_mapping_names_the_codes_of_ones_own(read: Any) -> None:
    mapping = {"values": {"action": {"X-EXTRACT": "export"}}}
    (row,) = read(message(types=("X-EXTRACT",)), mapping).rows
    assert row["action"] == "export"
    with pytest.raises(MappingError, match="X-EXTRACT"):
        read(b"", {"values": {"action": {"X-EXTRACT": "extract"}}})


@pytest.mark.parametrize(
    ("parts", "account", "kind"),
    [
        ([participant("jdupont")], "jdupont", "person"),
        ([participant("saml&lt;jdupont@https://idp.fr&gt;")], "jdupont", "person"),
        (
            [
                participant("https://a.fr/ws", roles=coded("RoleIDCode", "110153")),
                participant("m.c@chu.fr"),
            ],
            "m.c@chu.fr",
            "person",
        ),
        (
            [
                participant("https://a.fr/ws", roles=coded("RoleIDCode", "110153")),
                participant("jdupont", False),
            ],
            "jdupont",
            "person",
        ),
        (
            [
                participant(
                    "http://www.w3.org/2005/08/addressing/anonymous",
                    roles=coded("RoleIDCode", "110153"),
                )
            ],
            None,
            "service",
        ),
        (
            [
                participant("unknown", roles=coded("RoleIDCode", "110153")),
                participant("https://b", False, roles=coded("RoleIDCode", "110152")),
            ],
            None,
            "service",
        ),
        ([participant("HOSP|RIS", roles=coded("RoleIDCode", "110153"))], "HOSP|RIS", "service"),
        ([participant("SRV01$")], "SRV01$", "service"),
        ([participant("123", AlternativeUserID="AETITLES=CT1")], "123", "service"),
        ([participant("fe80::1%11"), participant("farley@wb.com")], "farley@wb.com", "person"),
        (
            [participant("smith", roles=coded("RoleIDCode", "110153"), UserName="Dr Smith")],
            "smith",
            "person",
        ),
    ],
)
def test_the_account_is_the_person_who_asked_else_the_machine(
    read: Any, parts: list[str], account: str | None, kind: str
) -> None:
    (row,) = read(message(*parts)).rows
    assert (row["account"], row["actor_kind"]) == (account, kind)


def coded_id(code: str) -> str:
    return coded("UserIDTypeCode", code)


@pytest.mark.parametrize(
    ("parts", "account", "kind", "network"),
    [
        (
            [
                participant("CT1", roles=coded_id("110119"), UserTypeCode="2"),
                participant("PACS", False, roles=coded_id("110119"), UserTypeCode="2"),
            ],
            "CT1",
            "service",
            None,
        ),
        ([participant("RIS|NORTH", roles=coded_id("HL7APP"))], "RIS|NORTH", "service", None),
        ([participant("archive", UserTypeCode="2")], "archive", "service", None),
        ([participant("10.1.2.3", UserTypeCode="1")], "10.1.2.3", "service", None),
        (
            [participant("jdoe", roles=coded("RoleIDCode", "110153") + coded_id("113871"))],
            "jdoe",
            "person",
            None,
        ),
        (
            [
                participant("/10.1.2.3:54404", NetworkAccessPointID="/10.1.2.3:54404"),
                participant("archive", False),
            ],
            "10.1.2.3",
            "service",
            "10.1.2.3",
        ),
    ],
)
def test_the_type_of_an_identifier_tells_machines_from_people(
    read: Any, parts: list[str], account: str, kind: str, network: str | None
) -> None:
    (row,) = read(message(*parts)).rows
    assert (row["account"], row["actor_kind"], row["network"]) == (account, kind, network)
    assert row["on_behalf_of"] is None


def test_a_login_of_which_nothing_more_is_said_is_nobody_acted_for(read: Any) -> None:
    (row,) = read(message(participant("jdoe"), participant("IDENTITY-SERVER", False))).rows
    assert (row["account"], row["on_behalf_of"]) == ("jdoe", None)


def test_another_name_stands_for_a_missing_one_unless_it_is_a_process(read: Any) -> None:
    source = coded("RoleIDCode", "110153")
    (named,) = read(message(participant("", roles=source, AlternativeUserID="PORTAL"))).rows
    (numbered,) = read(message(participant("", roles=source, AlternativeUserID="12@srv"))).rows
    assert (named["account"], numbered["account"]) == ("PORTAL", None)


@pytest.mark.parametrize("said", ["&lt;none&gt;", "unknown", "N/A", "-"])
def test_a_placeholder_is_no_patient(read: Any, said: str) -> None:
    (row,) = read(message(patient(said, "DOE^JOHN"))).rows
    assert row["patient"] is None


def test_a_patient_number_in_the_role_of_patient_names_a_patient_of_another_type(read: Any) -> None:
    other = patient("p1").replace('ParticipantObjectTypeCode="1"', 'ParticipantObjectTypeCode="4"')
    (row,) = read(message(other)).rows
    assert row["patient"] == pseudonym("p1")


@pytest.mark.parametrize(("event", "action"), [("110122", "login"), ("110123", "logout")])
def test_an_event_may_be_what_is_usually_an_event_type(read: Any, event: str, action: str) -> None:
    (row,) = read(message(participant("jdoe"), event=event, action="E")).rows
    assert row["action"] == action


def test_an_action_code_may_be_in_small_letters(read: Any) -> None:
    (row,) = read(message(participant("jdoe"), action="d")).rows
    assert row["action"] == "delete"


def test_a_root_around_messages_on_one_line_loses_none(read: Any) -> None:
    one = message(participant("jdoe"), patient("p1")).strip()
    found = read(b"<AuditMessages>" + one + one + b"</AuditMessages>\n")
    assert (len(found.rows), found.tally.ignored, found.reasons) == (2, {"wrapper": 2}, [])


def test_a_word_in_the_role_of_a_source_may_be_a_login(read: Any) -> None:
    source = coded("RoleIDCode", "110153")
    (word,) = read(message(participant("admin", roles=source))).rows
    assert (word["account"], word["actor_kind"]) == ("admin", None)
    (process,) = read(message(participant("app", roles=source, AlternativeUserID="88"))).rows
    assert process["actor_kind"] == "service"
    user = patient("admin").replace('Role="1"', 'Role="6"').replace('csd-code="2"', 'csd-code="11"')
    (named,) = read(message(participant("admin", roles=source), user)).rows
    assert (named["account"], named["actor_kind"], named["patient"]) == ("admin", "person", None)


def test_the_parameters_of_a_query_may_stand_alone(read: Any) -> None:
    text = "status=current&patient.identifier=urn:oid:1.2.3|p1"
    (row,) = read(message(query(text), event="110112", types=("ITI-67",), action="E")).rows
    assert (row["query_shape"], row["patient"]) == ("exact_id", pseudonym("p1", "1.2.3"))


@pytest.mark.parametrize(
    ("attributes", "professional", "flags"),
    [
        ({"user": "899700366240"}, "99700366240", None),
        ({"user": "jdupont", "AlternativeUserID": "899700366240"}, "99700366240", None),
        ({"user": "saml&lt;899700366240@https://idp.fr&gt;"}, "99700366240", None),
        (
            {"user": "899700366240^DOC^A^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D"},
            "99700366240",
            None,
        ),
        ({"user": "899700366241"}, "99700366241", "account_rpps_luhn"),
        ({"user": "3456780581/11242343"}, "456780581/11242343", "account_finess_luhn"),
        ({"user": "0612345678"}, None, None),
        ({"user": "7601002860123"}, None, None),
    ],
)
def test_a_professional_is_recognised_by_the_national_identifier(
    read: Any, attributes: dict[str, str], professional: str | None, flags: str | None
) -> None:
    (row,) = read(message(participant(**attributes))).rows
    assert row["professional"] == professional
    assert flags is None or flags in row["flags"].split() or flags == "account_finess_luhn"


def test_who_acted_for_whom_and_from_where(read: Any) -> None:
    parts = [
        participant("assistant&lt;sec1@https://idp.fr&gt;"),
        participant("doc1", False, UserName="Dr One"),
        participant(
            "https://client.fr/ws",
            roles=coded("RoleIDCode", "110153"),
            NetworkAccessPointID="pc-12.chu.fr",
            NetworkAccessPointTypeCode="1",
        ),
    ]
    (row,) = read(message(*parts)).rows
    assert (row["account"], row["on_behalf_of"], row["realm"]) == ("sec1", "doc1", "https://idp.fr")
    assert (row["network"], row["device"]) == ("pc-12.chu.fr", "pc-12.chu.fr")


@pytest.mark.parametrize(
    ("written", "value", "authority"),
    [
        ("12345^^^&amp;1.2.3.4.5&amp;ISO", "12345", "1.2.3.4.5"),
        ("12345^^^CHU&amp;1.2.3.4.5&amp;ISO^PI", "12345", "1.2.3.4.5"),
        ("12345^^^CHU", "12345", "CHU"),
        ("12345", "12345", "hospital"),
        ("urn:oid:1.2.3.4.5|12345", "12345", "1.2.3.4.5"),
        ("Patient/12345", "12345", "hospital"),
        ("https://chu.fr/fhir/Patient/12345", "12345", "https://chu.fr/fhir"),
        ("12345@1.2.3.4.5", "12345", "1.2.3.4.5"),
        (
            "2 53 07 2B 073 004^^^&amp;1.2.250.1.213.1.4.8&amp;ISO",
            "253072B07300470",
            "1.2.250.1.213.1.4.8",
        ),
    ],
)
def test_a_patient_is_authority_and_value(
    read: Any, written: str, value: str, authority: str
) -> None:
    outcome = read(message(patient(written)))
    assert [row["patient"] for row in outcome.rows] == [pseudonym(value, authority)]
    assert value not in outcome.text


def test_several_patients_are_several_rows_of_one_message(read: Any) -> None:
    data = message(
        patient("A1^^^&amp;1.2.3.4&amp;ISO~B22^^^&amp;1.2.3.4&amp;ISO"),
        patient("C3"),
        patient("C3"),
    )
    outcome = read(data + message(patient("C5")))
    assert [row["part"] for row in outcome.rows] == [0, 1, 2, 0]
    assert len({row["line_hash"] for row in outcome.rows}) == 2
    assert [row["id_gap"] for row in outcome.rows] == [None, 21, None, 2]
    assert outcome.tally == Tally(2, 2)


def test_other_objects_are_no_patients(read: Any) -> None:
    user = patient("u1").replace('Role="1"', 'Role="6"')
    document = patient("2.16^e90a").replace('TypeCode="1"', 'TypeCode="2"')
    (row,) = read(message(user, document)).rows
    assert row["patient"] is None


def test_a_surname_becomes_a_key(read: Any) -> None:
    outcome = read(
        message(patient("1", "Légaré^Zoé"))
        + message(patient("2", "LEGARE^A"))
        + message(patient("3", "Zoé Légaré"))
    )
    first, second, plain = outcome.rows
    assert first["surname_key"] is not None
    assert first["surname_key"] == second["surname_key"]
    assert second["name_gap"] == pytest.approx(0)
    assert plain["surname_key"] is None
    assert not re.search("l.gar.", outcome.text, re.IGNORECASE)


V3 = "<queryByParameter><parameterList>{}</parameterList></queryByParameter>"
ADHOC = '<AdhocQuery><Slot name="${}"><ValueList><Value>{}</Value></ValueList></Slot></AdhocQuery>'
QPD = "MSH|^~\\&|A|B\rQPD|Q22^Find^HL7|t|{}\rRCP|I"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (QPD.format("@PID.5.1^DUPONT"), "exact_name"),
        (QPD.format("@PID.5.1^DUP*"), "prefix"),
        (QPD.format("@PID.5.1^*PON*"), "wildcard"),
        (QPD.format("@PID.5.1^DUPONT~@PID.7^19700101"), "criteria"),
        (QPD.format("@PID.3.1^777888999~@PID.5.1^X"), "exact_id"),
        (QPD.format("777888999^^^&1.2.3.4&ISO"), "exact_id"),
        (QPD.format(""), "none"),
        (
            V3.format(
                "<livingSubjectName><value><family>DUPONT</family></value></livingSubjectName>"
            ),
            "exact_name",
        ),
        (
            V3.format(
                '<livingSubjectId><value root="1.2.3.4" extension="777888999"/></livingSubjectId>'
            ),
            "exact_id",
        ),
        (
            V3.format('<livingSubjectBirthTime><value value="1970"/></livingSubjectBirthTime>'),
            "criteria",
        ),
        (V3.format(""), "none"),
        (
            ADHOC.format("XDSDocumentEntryPatientId", "'777888999^^^&amp;1.2.3.4&amp;ISO'"),
            "exact_id",
        ),
        (ADHOC.format("XDSDocumentEntryClassCode", "('x')"), "criteria"),
        ("http://a.fr/fhir/Patient?family=DUP", "prefix"),
        ("http://a.fr/fhir/Patient?family:exact=DUPONT", "exact_name"),
        ("http://a.fr/fhir/Patient/777888999", "exact_id"),
        (
            "http://a.fr/fhir/Patient/$ihe-pix?sourceIdentifier=urn:oid:1.2.3.4|777888999",
            "exact_id",
        ),
        ("\x08\x00\x05\x00binary", None),
    ],
)
def test_a_query_tells_its_shape_and_keeps_its_values(
    read: Any, text: str, shape: str | None
) -> None:
    outcome = read(message(query(text), event="110112", action="E"))
    (row,) = outcome.rows
    assert row["query_shape"] == shape
    assert (row["patient"] is not None) == ("777888999" in text)
    assert not re.search("777888999|DUP|PON", outcome.text)


def test_the_patient_of_a_query_counts_only_when_no_other_is_named(read: Any) -> None:
    asked = query(QPD.format("777888999^^^&1.2.3.4&ISO"))
    (row,) = read(message(asked, patient("9"), event="110112")).rows
    assert row["patient"] == pseudonym("9")


def test_a_request_id_is_keyed_as_other_logs_key_it(read: Any) -> None:
    value = base64.b64encode(b"req-1").decode()
    detail = f'<ParticipantObjectDetail type="x-request-id" value="{value}"/>'
    data = message(patient("1").replace("</ParticipantObjectI", f"{detail}</ParticipantObjectI"))
    (row,) = read(data).rows
    assert row["request_key"] == RING.pseudonym("req-1", "", "request")


# -- No identifier of a patient stands in a column -------------------------------------------


def test_a_path_that_names_the_patient_does_not_come_out(read: Any) -> None:
    path = "/gw/fhir/Patient/IHERED-2340"
    parts = [
        participant(
            path,
            roles=coded("RoleIDCode", "110153"),
            NetworkAccessPointID=f"http://srv{path}",
            NetworkAccessPointTypeCode="5",
        ),
        patient("Patient/IHERED-2340"),
    ]
    outcome = read(message(*parts))
    assert outcome.rows[0]["account"] == "/gw/fhir/Patient/{id}"
    assert "IHERED-2340" not in outcome.text


def test_a_patient_who_acts_has_a_keyed_name_that_a_rotation_keeps(
    read: Any, tmp_path: Path
) -> None:
    data = message(participant("777888999"), patient("777888999"))
    outcome = read(data)
    account = outcome.rows[0]["account"]
    assert account.startswith("patient-")
    assert "777888999" not in outcome.text
    later = Context(Source("hospital"), RING.rotated())
    (batch,) = AtnaReader(later).read(Intake(tmp_path / "a.log", "a.log"))
    assert batch.events["account"][0].as_py() == account


# -- Times ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected", "quality"),
    [
        (
            "2025-01-21T11:05:39.3842263+01:00",
            datetime(2025, 1, 21, 10, 5, 39, 384226, UTC),
            "exact",
        ),
        (
            "2025-01-21T11:05:39.123456789012Z",
            datetime(2025, 1, 21, 11, 5, 39, 123456, UTC),
            "exact",
        ),
        ("2025-01-21T11:05:39", datetime(2025, 1, 21, 10, 5, 39, 0, UTC), "exact"),
        ("2025-10-26T02:30:00", datetime(2025, 10, 26, 0, 30, 0, 0, UTC), "ambiguous"),
        ("2025-10-26T02:30:00Z", datetime(2025, 10, 26, 2, 30, 0, 0, UTC), "exact"),
        ("2025-03-30T02:30:00", datetime(2025, 3, 30, 1, 0, 0, 0, UTC), "skewed"),
    ],
)
def test_the_time_of_the_event(read: Any, written: str, expected: datetime, quality: str) -> None:
    (row,) = read(message(at=written)).rows
    assert (row["at"], row["clock_quality"]) == (expected, quality)


@pytest.mark.parametrize(
    ("sent", "quality"),
    [("2025-03-04T09:05:00+01:00", "exact"), ("2025-03-04T09:00:00Z", "skewed"), ("-", "exact")],
)
def test_a_syslog_clock_that_disagrees_marks_the_event(read: Any, sent: str, quality: str) -> None:
    (row,) = read(f"<85>1 {sent} h a - IHE+DICOM - ".encode() + message()).rows
    assert (row["at"], row["clock_quality"]) == (datetime(2025, 3, 4, 8, tzinfo=UTC), quality)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (message(at=""), "no_time"),
        (message(at="yesterday"), "bad_time"),
        (message(event="", action=""), "no_action"),
        (b"<AuditMessage/>", "no_time"),
    ],
)
def test_a_message_without_time_or_action_is_quarantined(
    read: Any, data: bytes, reason: str
) -> None:
    outcome = read(message() + b"\n" + data + b"\n" + message())
    assert outcome.reasons == [reason]
    assert (outcome.quarantine[0]["source_line"], len(outcome.rows)) == (2, 2)
    assert outcome.quarantine[0]["offset"] == len(message()) + 1


# -- Envelopes ------------------------------------------------------------------------------

ONE, TWO = message(patient("p-one")), message(patient("p-two"))
PRETTY = ONE.replace(b"><", b">\n  <")
DECLARED = b'<?xml version="1.0" encoding="UTF-8"?>\n'


@pytest.mark.parametrize(
    "data",
    [
        ONE + TWO,
        ONE + b"\n" + TWO + b"\n",
        b"\xef\xbb\xbf" + DECLARED + PRETTY + b"\r\n" + DECLARED + TWO,
        b"<!-- from the DPI, <AuditMessage> -->\n" + ONE + b"<!-- next -->" + DECLARED + TWO,
        ONE.replace(b"<EventID ", b"<!-- </AuditMessage> --><EventID ") + TWO,
        ONE.replace(b"<AuditMessage>", b'<a:AuditMessage xmlns:a="urn:x">').replace(
            b"</Audit", b"</a:Audit"
        )
        + TWO,
        ONE.replace(b"<AuditMessage>", b'<AuditMessage xmlns="urn:x">') + TWO,
        b"<AuditMessages>\n" + ONE + b"\n" + TWO + b"\n</AuditMessages>\n",
        SYSLOG + ONE + b"\n" + SYSLOG + TWO + b"\n",
        SYSLOG + b"\xef\xbb\xbf" + DECLARED + PRETTY + b"\n" + SYSLOG + TWO,
        SYSLOG + b"\n" + DECLARED + PRETTY + b"\n\n" + SYSLOG + TWO,
        b"".join(b"%d %s" % (len(SYSLOG + one), SYSLOG + one) for one in (PRETTY, TWO)),
        b"".join(b"%d %s\n" % (len(SYSLOG + one) - 3, SYSLOG + one) for one in (PRETTY, TWO)),
        b"<85>Mar  4 09:00:00 host app[1]: " + ONE + b"\n<85>Mar  4 09:00:00 host " + TWO,
        b"Mar  4 09:00:00 host app: " + ONE + b"\n2025-03-04T09:00:00+01:00 host app " + TWO,
        SYSLOG.replace(b"- ", b'[a@1 k="v"] ') + ONE + SYSLOG + TWO,
        ONE + b"\0\n" + TWO + b"\0",
    ],
)
def test_every_envelope_gives_the_same_messages(read: Any, data: bytes) -> None:
    outcome = read(data)
    assert [row["patient"] for row in outcome.rows] == [pseudonym("p-one"), pseudonym("p-two")]
    assert outcome.quarantine == []
    assert outcome.tally.accepted == 2
    assert AtnaReader.recognises(data, "a.log") > 0.9


def test_the_place_of_a_message_is_where_it_begins(read: Any) -> None:
    outcome = read(b"\n" + SYSLOG + PRETTY + b"\n\n" + SYSLOG + TWO)
    lines = [row["source_line"] for row in outcome.rows]
    assert lines == [2, 2 + PRETTY.count(b"\n") + 2]
    assert outcome.tally.ignored == {"blank": 2}


def test_other_messages_of_a_syslog_are_ignored_by_name(read: Any) -> None:
    other = b"<34>1 2025-03-04T09:00:00Z h su - ID47 - 'su root' failed\n"
    old = b"<34>Oct 11 22:14:15 mymachine su: failed\n"
    counted = b"<34>1 - h su - - - two\nlines"
    framed = b"%d %s" % (len(counted), counted)
    data = (
        other + old + SYSLOG + ONE + b"\n" + framed + b"%d %s" % (len(SYSLOG + TWO), SYSLOG + TWO)
    )
    outcome = read(data)
    assert outcome.tally == Tally(5, 2, {"other_message": 3}, 0)


def test_a_message_of_the_french_profile(read: Any) -> None:
    data = b"<110>1 2025-03-04T08:00:01Z portail.ror.fr ROR 7 IHE+RFC-3881 - " + message(
        participant("899700366240", UserName="DOC0036624"),
        participant("https://ror.fr/fhir", False, roles=coded("RoleIDCode", "110152", False)),
        patient("253072B07300470^^^&amp;1.2.250.1.213.1.4.8&amp;ISO^NH", dicom=False),
        dicom=False,
    )
    (row,) = read(data).rows
    assert row["professional"] == "99700366240"
    assert row["patient"] == pseudonym("253072B07300470", "1.2.250.1.213.1.4.8")
    assert row["flags"] is None


# -- Damage ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (ONE[:200] + b"\n", "bad_xml"),
        (SYSLOG + ONE[:200] + b"\n", "bad_xml"),
        (SYSLOG + b"this is not XML\n", "bad_xml"),
        (SYSLOG + b'<?xml version="1.0"\n', "bad_xml"),
        (SYSLOG + b"<Other/>\n", "bad_xml"),
        (ONE.replace(b"</AuditMessage>", b"</AuditMessbge>") + b"\n", "bad_xml"),
        (ONE.replace(b"UserID=", b"UserID") + b"\n", "bad_xml"),
        (ONE.replace(b"dpi", b"\xff\xfe") + b"\n", "bad_encoding"),
        (ONE.replace(b"dpi", b"a\0b") + b"\n", "nul_byte"),
        (ONE.replace(b"dpi", b"&unknown;") + b"\n", "bad_xml"),
        (b"garbage\n", "bad_syslog"),
        (b"<110>1 2025\n", "bad_syslog"),
        (b"x10>1 - h a - IHE+DICOM - " + ONE + b"\n", "bad_syslog"),
        (b"<html>\n", "bad_xml"),
    ],
)
def test_damage_is_quarantined_alone(read: Any, damaged: bytes, reason: str) -> None:
    for envelope in (b"", SYSLOG):
        outcome = read(envelope + TWO + b"\n" + damaged + envelope + TWO + b"\n")
        assert outcome.reasons == [reason]
        assert outcome.quarantine[0]["source_line"] == 2
        assert outcome.quarantine[0]["offset"] == len(envelope + TWO) + 1
        assert [row["patient"] for row in outcome.rows] == [pseudonym("p-two")] * 2
        assert "p-one" not in outcome.text


def test_damage_on_one_endless_line_does_not_take_the_next_message(read: Any) -> None:
    counted = b"%d %s" % (len(SYSLOG + TWO), SYSLOG + TWO)
    for whole in (TWO, SYSLOG + TWO, counted):
        outcome = read(whole + ONE[:200] + whole)
        assert outcome.tally == Tally(3, 2, {}, 1)
        assert outcome.reasons == ["bad_xml"]


@pytest.mark.parametrize("whole", [ONE, SYSLOG + ONE, SYSLOG + DECLARED + PRETTY])
def test_a_file_that_ends_in_a_message_is_truncated(read: Any, whole: bytes) -> None:
    for cut in (len(whole) - 1, len(whole) - 40, len(whole) // 2):
        outcome = read(TWO + b"\n" + whole[:cut])
        assert outcome.reasons == ["truncated"]
        assert len(outcome.rows) == 1


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"<!-- nothing -->\n"])
def test_a_file_without_messages_gives_none(read: Any, data: bytes) -> None:
    outcome = read(data)
    assert outcome.rows == []
    assert outcome.tally.balanced


def test_a_wrong_length_before_a_message_loses_nothing(read: Any) -> None:
    for count in (1, 50, 999_999):
        outcome = read(b"%d %s%d %s" % (count, SYSLOG + ONE, count, SYSLOG + TWO))
        assert outcome.tally == Tally(2, 2)


# -- Hostile XML ----------------------------------------------------------------------------

LAUGHS = b'<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
XXE = b'<!DOCTYPE AuditMessage [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
BLOWUP = b'<!DOCTYPE AuditMessage [<!ENTITY q "' + b"q" * 50_000 + b'">]>'
REMOTE = b'<!DOCTYPE AuditMessage SYSTEM "http://203.0.113.9/audit.dtd">'


@pytest.mark.parametrize("bomb", [LAUGHS, XXE, BLOWUP, REMOTE])
@pytest.mark.parametrize("envelope", [b"", DECLARED, SYSLOG, b"<!-- x -->"])
def test_a_document_type_is_refused_and_nothing_of_it_is_read(
    read: Any, bomb: bytes, envelope: bytes
) -> None:
    evil = envelope + bomb + ONE.replace(b"dpi", b"&x;&b;&q;")
    outcome = read(TWO + b"\n" + evil + b"\n" + TWO)
    assert outcome.reasons == ["forbidden_xml"]
    assert len(outcome.rows) == 2
    assert "root:" not in outcome.text


def test_deep_nesting_is_refused(read: Any) -> None:
    deep = ONE.replace(b"</AuditMessage>", b"<a>" * 5000 + b"</a>" * 5000 + b"</AuditMessage>")
    outcome = read(deep + b"\n" + TWO)
    assert (outcome.reasons, len(outcome.rows)) == (["too_deep"], 1)


def test_an_encoding_of_ones_own_choosing_is_refused(read: Any) -> None:
    data = b'<?xml version="1.0" encoding="utf-7"?>' + ONE
    assert read(data).reasons == ["bad_encoding"]
    latin = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + ONE.replace(b"dpi", b"r\xe9a")
    assert read(latin).rows[0]["client_app"] == "réa"


@pytest.mark.parametrize(
    "piece", [b"<AuditMessage>", b"<!--", b"<![CDATA[", b"<?xml ", b'5 <85>1 - - - - IHE - [a b="']
)
def test_many_openings_without_end_are_read_in_no_time_worth_naming(
    read: Any, piece: bytes
) -> None:
    outcome = read(b"<AuditMessage>" + piece * 20_000)
    assert outcome.rows == []
    assert outcome.tally.balanced


# -- Limits and the law ---------------------------------------------------------------------


def test_a_message_beyond_the_limit_is_never_held_whole(read: Any) -> None:
    limit = 100_000
    giant = ONE.replace(b"dpi", b"x" * 3 * limit)
    for whole, large in (
        (TWO, giant),
        (SYSLOG + TWO, SYSLOG + giant),
        (SYSLOG + TWO, b"x" * 3 * limit),
    ):
        data = whole + b"\n" + large + b"\n" + whole + b"\n"
        for chunk in (1000, 77_777, 1 << 20):
            outcome = read(data, longest_line=limit, chunk_size=chunk)
            assert outcome.reasons == ["line_too_long"]
            assert outcome.quarantine[0]["source_line"] == 2
            assert outcome.quarantine[0]["offset"] == len(whole) + 1
            assert [row["source_line"] for row in outcome.rows] == [1, 3]


def test_how_a_file_is_cut_never_shows(tmp_path: Path) -> None:
    parts = [
        SYSLOG + PRETTY,
        b"\n\n",
        SYSLOG + ONE[:300],
        b"\n",
        b"garbage\n",
        DECLARED + PRETTY,
        b"  \n",
        b"%d %s" % (len(SYSLOG + TWO), SYSLOG + TWO),
        b"<34>1 - h su - - - no\n",
        b"<!-- c -->\n",
        TWO,
    ]
    data = b"".join(parts) * 40
    path = tmp_path / "a.log"
    whole = read_at(path, data)
    assert whole.tally.accepted == 160
    for chunk in (997, 8192, 65_536, 100_000):
        cut = read_at(path, data, chunk_size=chunk)
        assert (cut.rows, cut.quarantine, cut.tally) == (whole.rows, whole.quarantine, whole.tally)


PIECES = st.sampled_from(
    [
        ONE,
        TWO,
        PRETTY,
        DECLARED,
        SYSLOG,
        SYSLOG + ONE,
        SYSLOG + PRETTY + b"\n",
        b"\n",
        b" \n",
        b"%d %s" % (len(SYSLOG + TWO), SYSLOG + TWO),
        b"garbage",
        b"<34>1 - h - - - - x\n",
        b"\xef\xbb\xbf",
        b"<!-- c -->",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<AuditMessage>",
        b"</AuditMessage>",
        b"<AuditMessage/>",
        b"<!DOCTYPE x>",
        b"\0",
        b"\xff",
        b"12 <",
        b"Mar  4 09:00:00 h ",
        b"<Audit",
    ]
)


@settings(max_examples=100, deadline=None)
@given(pieces=st.lists(PIECES, max_size=30), chunk=st.sampled_from([1 << 20, 50_000]))
def test_every_unit_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], chunk: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "pieces.log"
    outcome = read_at(path, b"".join(pieces), chunk_size=chunk)
    assert outcome.tally.balanced
    assert len(outcome.quarantine) == outcome.tally.quarantined
    assert "p-one" not in outcome.text
    assert "p-two" not in outcome.text


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_message_read_by_pieces_is_the_message_read_whole(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([ONE, TWO, PRETTY, DECLARED + PRETTY, QUERIED])))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(whole)))
        whole[at : at + data.draw(st.integers(0, 9))] = data.draw(SCRAPS)
    assert said(PIECES_READER.read, bytes(whole)) == said(parse_message, bytes(whole))


PIECES_READER = Pieces()
QUERIED = message(query("x"), patient("a&gt;b"), participant("c>d", UserName="e/>f"))
SCRAPS = st.sampled_from(
    [
        b"",
        b"<",
        b">",
        b"/>",
        b'"',
        b"'",
        b"&",
        b"&amp;",
        b"&#65;",
        b"<!-- x -->",
        b"<![CDATA[y]]>",
        b"<?z?>",
        b"x:",
        b"\xff",
        b"\xc3\xa9",
        b"\t",
        b"\n",
        b"\0",
        b"</ActiveParticipant>",
        b"<a>",
        b'x="1"',
        b"=",
        b" ",
    ]
)


def said(reading: Any, body: bytes) -> Any:
    try:
        return reading(body)
    except RefusedXml as refused:
        return refused.reason


@pytest.mark.parametrize("framing", ["bare", "syslog", "counted", "pretty"])
def test_mutated_messages_never_harm_their_neighbours(tmp_path: Path, framing: str) -> None:
    import random

    chance = random.Random(framing)
    pieces, intact = [], []
    for number in range(1500):
        value = f"IPP{number:07d}"
        body = message(
            patient(f"{value}^^^&amp;1.2.3.4&amp;ISO"), participant(f"user{number % 50}")
        )
        if framing == "pretty":
            body = DECLARED + body.replace(b"><", b">\n<")
        whole = body if framing == "bare" else SYSLOG + body
        if framing == "counted":
            whole = b"%d %s" % (len(whole), whole)
        if number % 3 == 1:
            whole = _mutate(chance, whole)
        else:
            intact.append(pseudonym(value, "1.2.3.4"))
        pieces.append(whole if framing == "counted" else whole + b"\n")
    outcome = read_at(tmp_path / "a.log", b"".join(pieces))
    assert outcome.tally.balanced
    found = {row["patient"] for row in outcome.rows}
    assert [key for key in intact if key not in found] == []
    assert "IPP0" not in outcome.text


def _mutate(chance: Any, whole: bytes) -> bytes:
    at = chance.randrange(len(whole))
    kind = chance.randrange(4)
    if kind == 0:
        return whole[:at] + bytes([chance.randrange(256)]) + whole[at + 1 :]
    if kind == 1:
        return whole[:at] + whole[at + chance.randrange(1, 40) :]
    if kind == 2:
        return whole[:at]
    return (
        whole[:at]
        + chance.choice([b"<", b'"', b"<!--", b"<![CDATA[", b"\0", b"\n", b"]]>"])
        + whole[at:]
    )


def test_rows_keep_to_the_closed_words(read: Any) -> None:
    outcome = read(ONE + message(event="110114", outcome="99"))
    for name, words in VOCABULARIES.items():
        assert {row[name] for row in outcome.rows} <= {*words, None}
    assert outcome.rows[1]["outcome"] is None


# -- Recognition and conformance --------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "least", "most"),
    [
        (b'{"resourceType": "AuditEvent"}', 0, 0),
        (b"date;user\n2025-01-01;a", 0, 0),
        (b"", 0, 0),
        (b"<34>1 - h su - ID - failed\n", 0.2, 0.4),
        (b"<85>1 - h a - IHE+RFC-3881 - <?xml", 0.85, 1),
    ],
)
def test_recognition(head: bytes, least: float, most: float) -> None:
    assert least <= AtnaReader.recognises(head, "a") <= most


X = "1.3.6.1.4.1.21367.13.20"
FACILITY = "1.3.6.1.4.1.21367.3000.1.6"
GOLDEN: dict[str, tuple[str | None, str, list[tuple[str, str]], str]] = {
    "atna-record-2.xml": (
        "7601002860123",
        "open",
        [("PATIENT1", "2.16.756.5.30.1.191.1.0.2.1")],
        "2025-01-21 10:05:39.384226",
    ),
    "pdqm.xml": ("/app-gateway/fhir/Patient", "search", [], "2020-03-19 14:25:02.926000"),
    "pdqmread.xml": (
        "/app-gateway/fhir/Patient/{id}",
        "search",
        [("IHERED-2340", "hospital")],
        "2020-03-19 14:26:55.601000",
    ),
    "pdqv3.xml": (
        None,
        "search",
        [
            ("IHERED-2340", f"{X}.1000"),
            ("IHEGREEN-2340", f"{X}.2000"),
            ("IHEBLUE-2340", f"{X}.3000"),
            ("IHEBLUE-2342", f"{X}.3000"),
            ("IHEFACILITY-2340", FACILITY),
            ("IHEFACILITY-2342", FACILITY),
        ],
        "2020-03-19 14:17:28.705000",
    ),
    "pixfeed.xml": (
        "PKL|SAP-ISH",
        "create",
        [("7627199", "2.16.840.1.113883.3.37.4.1.1.2.411.1")],
        "2020-03-19 12:24:34.434000",
    ),
    "pixfeedmergesource.xml": (
        "BLA|IHE_SYS_IHERED",
        "update",
        [
            ("IHERED-2340", f"{X}.1000"),
            ("IHEBLUE-2342", f"{X}.3000"),
            ("IHEFACILITY-2342", FACILITY),
            ("IHEFACILITY-2340", FACILITY),
            ("IHEGREEN-2340", f"{X}.2000"),
            ("IHEBLUE-2340", f"{X}.3000"),
        ],
        "2020-03-19 14:12:24.933000",
    ),
    "pixfeedsource.xml": (
        "BLA|IHE_SYS_IHERED",
        "update",
        [
            ("IHERED-2342", f"{X}.1000"),
            ("IHEBLUE-2342", f"{X}.3000"),
            ("IHEFACILITY-2342", FACILITY),
        ],
        "2020-03-19 13:59:32.253000",
    ),
    "pixm.xml": (
        "/app-gateway/fhir/Patient/$ihe-pix",
        "search",
        [("IHEBLUE-2340", f"{X}.3000")],
        "2020-03-19 14:33:48.493000",
    ),
    "pixquery.xml": (
        "MESA_DEPARTMENT|MESA_PIX_CLIENT",
        "search",
        [
            ("27", "2.16.840.1.113883.3.37.4.1.1.2.1.1"),
            ("78106", "2.16.840.1.113883.3.37.4.1.1.2.511.1"),
        ],
        "2020-03-19 12:34:06.367000",
    ),
    "pixupdatesource.xml": (
        "BLA|IHE_SYS_IHERED",
        "open",
        [
            ("IHERED-2342", f"{X}.1000"),
            ("IHEBLUE-2342", f"{X}.3000"),
            ("IHEFACILITY-2342", FACILITY),
        ],
        "2020-03-19 13:59:32.521000",
    ),
    "pixv3feed.xml": (
        None,
        "create",
        [("JW-824-v3", "2.16.840.1.113883.3.72.5.9.1")],
        "2020-03-19 13:40:14.259000",
    ),
    "pixv3sourcefeed.xml": (
        None,
        "create",
        [("PIX", "1.3.6.1.4.1.21367.2011.2.5.5488")],
        "2020-04-08 15:44:24.580000",
    ),
    "stop.xml": ("WDF-LAP-1237$", "other", [], "2020-03-09 10:35:15.937000"),
}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_records_written_by_others(name: str, tmp_path: Path) -> None:
    folder = CONFORMANCE / "atna_xml"
    if not folder.is_dir():
        pytest.skip("the conformance vectors are not here (VIGIE_CONFORMANCE)")
    account, action, patients, at = GOLDEN[name]
    data = (folder / name).read_bytes()
    assert AtnaReader.recognises(data, name) > 0.9
    outcome = read_at(tmp_path / name, data)
    assert outcome.tally == Tally(1, 1)
    assert [row["patient"] for row in outcome.rows] == [pseudonym(*p) for p in patients] or [None]
    for row in outcome.rows:
        assert (row["account"], row["action"]) == (account, action)
        assert row["at"] == datetime.fromisoformat(f"{at}+00:00")
        assert row["outcome"] == "success"
    for value, _ in patients:
        assert value not in outcome.text or value in ("PIX", "27")


def test_every_conformance_record_is_expected() -> None:
    folder = CONFORMANCE / "atna_xml"
    if not folder.is_dir():
        pytest.skip("the conformance vectors are not here (VIGIE_CONFORMANCE)")
    assert {path.name for path in folder.glob("*.xml")} <= set(GOLDEN)
