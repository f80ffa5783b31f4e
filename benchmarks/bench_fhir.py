"""Reading FHIR NDJSON, against msgspec decoding the same lines into whole typed AuditEvents."""

import base64
import gc
import random
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.base import Result
from vigie.pseudonyms import Keyring
from vigie.readers.base import Context, Source
from vigie.readers.fhir import FhirReader
from vigie.readers.intake import Intake
from vigie.stores import Store

FULL_SIZE = 400_000
ROUNDS = 3
DCM = "http://dicom.nema.org/resources/ontology/DCM"
THO = "http://terminology.hl7.org/CodeSystem"
BALP = "https://profiles.ihe.net/ITI/BALP"
RESOURCES = ("DocumentReference", "Observation", "MedicationRequest", "DiagnosticReport", "List")


class Extension(msgspec.Struct):
    url: str
    valueCodeableConcept: "CodeableConcept | None" = None
    valueIdentifier: "Identifier | None" = None
    valueString: str | None = None


class Coding(msgspec.Struct):
    system: str | None = None
    version: str | None = None
    code: str | None = None
    display: str | None = None
    userSelected: bool | None = None


class CodeableConcept(msgspec.Struct):
    coding: list[Coding] = []
    text: str | None = None


class Period(msgspec.Struct):
    start: str | None = None
    end: str | None = None


class Identifier(msgspec.Struct):
    use: str | None = None
    type: CodeableConcept | None = None
    system: str | None = None
    value: str | None = None
    period: Period | None = None


class Reference(msgspec.Struct):
    reference: str | None = None
    type: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Network(msgspec.Struct):
    address: str | None = None
    type: str | None = None


class Agent(msgspec.Struct):
    extension: list[Extension] = []
    type: CodeableConcept | None = None
    role: list[CodeableConcept] = []
    who: Reference | None = None
    altId: str | None = None
    name: str | None = None
    requestor: bool = False
    location: Reference | None = None
    policy: list[str] = []
    media: Coding | None = None
    network: Network | None = None
    purposeOfUse: list[CodeableConcept] = []


class Origin(msgspec.Struct):
    site: str | None = None
    observer: Reference | None = None
    type: list[Coding] = []


class Detail(msgspec.Struct):
    type: str
    valueString: str | None = None
    valueBase64Binary: str | None = None


class Entity(msgspec.Struct):
    what: Reference | None = None
    type: Coding | None = None
    role: Coding | None = None
    lifecycle: Coding | None = None
    securityLabel: list[Coding] = []
    name: str | None = None
    description: str | None = None
    query: str | None = None
    detail: list[Detail] = []


class Meta(msgspec.Struct):
    versionId: str | None = None
    lastUpdated: str | None = None
    source: str | None = None
    profile: list[str] = []
    security: list[Coding] = []
    tag: list[Coding] = []


class Narrative(msgspec.Struct):
    status: str
    div: str


class AuditEvent(msgspec.Struct):
    resourceType: str
    type: Coding
    recorded: datetime
    agent: list[Agent]
    source: Origin
    id: str | None = None
    meta: Meta | None = None
    implicitRules: str | None = None
    language: str | None = None
    text: Narrative | None = None
    subtype: list[Coding] = []
    action: str | None = None
    period: Period | None = None
    outcome: str | None = None
    outcomeDesc: str | None = None
    purposeOfEvent: list[CodeableConcept] = []
    entity: list[Entity] = []


def coding(system: str, code: str, display: str) -> dict[str, str]:
    return {"system": system, "code": code, "display": display}


class Portal:
    """A small portal: 800 professionals with panels of their own, 60,000 patients."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._at = datetime(2025, 3, 3, 7, tzinfo=UTC)
        self._users = [self._user(number) for number in range(800)]

    def _user(self, number: int) -> dict[str, Any]:
        chance = self._chance
        rpps = f"1{chance.randrange(10**10):010d}"
        return {
            "login": f"u{number:05d}", "rpps": rpps, "name": f"Prénom{number} Nom{number}",
            "profession": chance.choice(["10", "21", "60", "70"]),
            "finess": f"{chance.randrange(10**9):09d}", "network": f"10.{number % 200}.7.9",
            "device": f"poste-{number:04d}.chu.example.fr",
            "panel": [chance.randrange(60_000) for _ in range(150)],
            "session": uuid.UUID(int=chance.getrandbits(128)).hex,
        }  # fmt: skip

    def event(self) -> dict[str, Any]:
        chance = self._chance
        user = chance.choice(self._users)
        self._at += timedelta(milliseconds=chance.randrange(4_000))
        if chance.random() < 0.04:
            user["session"] = uuid.UUID(int=chance.getrandbits(128)).hex
        own = chance.random() < 0.8
        patient = chance.choice(user["panel"]) if own else chance.randrange(60_000)
        search = chance.random() < 0.25
        interaction = "search-type" if search else chance.choice(["read", "read", "read", "update"])
        return {
            "resourceType": "AuditEvent",
            "id": str(uuid.UUID(int=chance.getrandbits(128))),
            "meta": {
                "versionId": "1",
                "lastUpdated": self._at.isoformat(timespec="milliseconds"),
                "profile": [f"{BALP}/StructureDefinition/IHE.BasicAudit.PatientRead"],
            },
            "type": coding(f"{THO}/audit-event-type", "rest", "Restful Operation"),
            "subtype": [
                coding("http://hl7.org/fhir/restful-interaction", interaction, interaction)
            ],
            "action": {"search-type": "E", "update": "U"}.get(interaction, "R"),
            "recorded": self._at.isoformat(timespec="milliseconds"),
            "outcome": "0" if chance.random() < 0.99 else "8",
            "agent": self._agents(user),
            "source": {
                "site": "portail.example.fr",
                "observer": {"reference": "Device/portail", "display": "Portail régional"},
                "type": [coding(f"{THO}/security-source-type", "4", "Application Server")],
            },
            "entity": self._entities(patient, search),
        }

    def _agents(self, user: dict[str, Any]) -> list[dict[str, Any]]:
        level = {"coding": [{"system": "urn:oid:1.2.250.1.213.1.5.1.1.1", "code": "APPPRIP3"}]}
        return [
            {
                "extension": [
                    {
                        "url": f"{BALP}/StructureDefinition/ihe-assuranceLevel",
                        "valueCodeableConcept": level,
                    }
                ],
                "type": {
                    "coding": [coding(f"{THO}/v3-ParticipationType", "IRCP", "recipient")]
                },
                "role": [{"coding": [coding("TRE_G15", user["profession"], "profession")]}],
                "who": {
                    "identifier": {"system": "https://rpps.esante.gouv.fr", "value": user["rpps"]},
                    "display": user["name"],
                },
                "altId": user["login"],
                "requestor": True,
                "policy": [user["session"]],
                "purposeOfUse": [{"coding": [coding(f"{THO}/v3-ActReason", "TREAT", "treatment")]}],
            },
            {
                "type": {"coding": [coding(DCM, "110153", "Source Role ID")]},
                "who": {"display": user["device"]},
                "requestor": False,
                "network": {"address": user["network"], "type": "2"},
            },
            {
                "type": {"coding": [coding(DCM, "110152", "Destination Role ID")]},
                "who": {"reference": "Device/portail", "display": "Portail régional"},
                "requestor": False,
                "network": {"address": "https://portail.example.fr/fhir", "type": "5"},
            },
            {
                "type": {"coding": [coding(f"{THO}/v3-RoleClass", "PROV", "healthcare provider")]},
                "who": {
                    "identifier": {
                        "system": "https://finess.esante.gouv.fr", "value": user["finess"],
                    },
                },
                "requestor": False,
            },
        ]  # fmt: skip

    def _entities(self, patient: int, search: bool) -> list[dict[str, Any]]:
        chance = self._chance
        kind = chance.choice(RESOURCES)
        request = str(uuid.UUID(int=chance.getrandbits(128)))
        used: dict[str, Any] = {"type": coding(f"{THO}/audit-entity-type", "2", "System Object")}
        if search:
            asked = f"GET https://portail.example.fr/fhir/{kind}?patient={patient}&_count=20"
            used["role"] = coding(f"{THO}/object-role", "24", "Query")
            used["query"] = base64.b64encode(asked.encode()).decode()
            used["detail"] = [{"type": "count", "valueString": str(chance.randrange(20))}]
        else:
            used["what"] = {"reference": f"{kind}/{chance.randrange(10**8)}"}
            used["role"] = coding(f"{THO}/object-role", "4", "Domain Resource")
        return [
            {
                "what": {"reference": f"Patient/{patient}"},
                "type": coding(f"{THO}/audit-entity-type", "1", "Person"),
                "role": coding(f"{THO}/object-role", "1", "Patient"),
            },
            used,
            {
                "what": {"identifier": {"value": request}},
                "type": {"system": f"{BALP}/CodeSystem/BasicAuditEntityType", "code": "XrequestId"},
            },
        ]


def write(path: Path, count: int, seed: int = 7) -> None:
    portal, encoder = Portal(seed), msgspec.json.Encoder()
    with path.open("wb") as file:
        for _ in range(count):
            file.write(encoder.encode(portal.event()) + b"\n")


def decode_whole(path: Path) -> int:
    """The reference: every line to typed objects, one after the other."""
    decoder = msgspec.json.Decoder(AuditEvent)
    with path.open("rb") as file:
        return sum(decoder.decode(line) is not None for line in file)


def read_rows(path: Path) -> int:
    reader = FhirReader(Context(Source("portal"), Keyring(bytes(32))))
    return sum(batch.tally.accepted for batch in reader.read(Intake(path, path.name)))


def store_rows(path: Path) -> int:
    """Read into a new store, sealed and settled."""
    with tempfile.TemporaryDirectory() as name, Store.open(Path(name), write=True) as store:
        source = Source("portal")
        reader = FhirReader(Context(source, store.keyring))
        with store.receive(path, path.name, source, "fhir") as receiving:
            for batch in reader.read(Intake(path, path.name, receiving.seal)):
                receiving.add(batch)
        return receiving.tally.accepted


def seconds(works: list[Any], path: Path, count: int) -> list[float]:
    """Return the processor time of each, best of several rounds, one after the other in turn.

    Not the time on the wall: the machine may be busy, and one process is compared with one.
    """
    best = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for number, work in enumerate(works):
            gc.collect()
            begun = time.process_time()
            assert work(path) == count
            best[number] = min(best[number], time.process_time() - begun)
    return best


def run(scale: float = 1.0) -> list[Result]:
    count = max(2_000, int(FULL_SIZE * scale))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traces.ndjson"
        write(path, 2_000)
        store_rows(path)  # numba's cache is filled before the clock starts
        write(path, count)
        size = path.stat().st_size / count
        reading, storing, whole = seconds([read_rows, store_rows, decode_whole], path, count)
    note = f"processor time, one process, {count:,} records of {size:,.0f} bytes"
    reference = "msgspec to typed AuditEvents", count / whole, "records/s", "≥ 0.4"
    return [
        Result("FHIR NDJSON to waist rows", count / reading, *reference, f"reading only, {note}"),
        Result("FHIR NDJSON into the store", count / storing, *reference, f"and storing, {note}"),
    ]
