"""Records read in bulk tell what they tell when they are read one by one."""

import base64
import json
import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.pseudonyms import Keyring
from vigie.readers.base import Batch, Context, Source
from vigie.readers.fhir import FhirReader, reader
from vigie.readers.fhir.scan import Scan, scan
from vigie.readers.intake import Intake

CONFORMANCE = Path(
    os.environ.get("VIGIE_CONFORMANCE", Path(__file__).parents[3] / "shared/conformance")
)
needs_vectors = pytest.mark.skipif(
    not CONFORMANCE.is_dir(), reason="the published records are not beside the repository"
)
DCM = "http://dicom.nema.org/resources/ontology/DCM"
MODEST = {"resourceType": "AuditEvent", "recorded": "2025-03-04T10:00:00Z", "id": "e1"}
Bulk = Callable[[bytes], tuple[list[Batch], list[Batch], int]]


def one_by_one(data: np.ndarray, count: int, longest: int) -> Scan:
    """Find the lines, and let none of them pass."""
    found = scan(data, count, longest)
    found.passed[:] = False
    return found


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bulk:
    """Read lines in bulk and one by one; also say how many passed the scan."""
    passed: list[int] = []

    def counted(data: np.ndarray, count: int, longest: int) -> Scan:
        found = scan(data, count, longest)
        passed.append(int(found.passed.sum()))
        return found

    def read(data: bytes) -> list[Batch]:
        path = tmp_path / "traces.ndjson"
        # A sound first line, so that what follows is taken for lines whatever it holds.
        path.write_bytes(b'{"resourceType":"Basic"}\n' + data)
        context = Context(Source("portal"), Keyring(bytes(32)))
        return list(FhirReader(context).read(Intake(path, path.name, chunk_size=60_000)))

    def run(data: bytes) -> tuple[list[Batch], list[Batch], int]:
        passed.clear()
        monkeypatch.setattr(reader, "scan", counted)
        quick = read(data)
        monkeypatch.setattr(reader, "scan", one_by_one)
        return quick, read(data), sum(passed)

    return run


def told(tables: Iterable[pa.Table]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist()
    return rows


def assert_same(quick: list[Batch], slow: list[Batch]) -> None:
    assert told(batch.events for batch in quick) == told(batch.events for batch in slow)
    assert told(batch.quarantine for batch in quick) == told(batch.quarantine for batch in slow)
    assert [batch.tally for batch in quick] == [batch.tally for batch in slow]


def event(chance: random.Random) -> dict[str, Any]:
    login = f"u{chance.randrange(4)}"
    ids = [chance.choice(["7", "12", "A-3", "b_4", "é", ""]) for _ in range(chance.randrange(4))]
    entities: list[dict[str, Any]] = [
        {"what": {"reference": f"Patient/{each}"}, "role": {"code": "1"}} for each in ids
    ]
    asked = chance.choice(
        ["GET /fhir/Patient?family=DUPONT", "GET /fhir/Observation?patient=12&_count=20",
         "GET /fhir/Patient/44/$everything", "GET /fhir/Patient?identifier=urn:x|9&name=a*", "é"]
    )  # fmt: skip
    if chance.random() < 0.5:
        encoded = base64.b64encode(asked.encode()).decode()
        entities.insert(chance.randrange(len(entities) + 1), {"query": encoded})
    if chance.random() < 0.6:
        entities.append(
            {"what": {"identifier": {"value": f"r-{chance.randrange(99)}"}},
             "type": {"code": "XrequestId"}}
        )  # fmt: skip
    found = {
        "resourceType": "AuditEvent",
        "id": f"e{chance.randrange(10**6)}",
        "type": {"system": DCM, "code": chance.choice(["110110", "rest"])},
        "subtype": [{"code": chance.choice(["read", "search-type"])}],
        "action": chance.choice("RE"),
        "recorded": chance.choice(
            ["2025-03-04T10:00:00Z", "2025-03-04T10:00:00.125+01:00", "2025-10-26T02:30:00",
             "2025-03-04T10:00", "2025-03-04", "2025-03-04T10:00:60Z", "2025-03-04T10:00:00.1Z"]
        ),
        "agent": [
            {"who": {"identifier": {"value": chance.choice([login, "12", "7"])}},
             "requestor": True, "policy": [f"S{chance.randrange(50)}"]}
        ],
        "source": {"observer": {"display": "Portail régional"}},
        "entity": entities,
    }  # fmt: skip
    if chance.random() < 0.1:
        found["patient"] = {"reference": "Patient/77"}
    if chance.random() < 0.1:
        del found[chance.choice(sorted(found))]
    return found


def line_of(found: dict[str, Any], chance: random.Random) -> bytes:
    compact = chance.random() < 0.7
    text = json.dumps(
        found, ensure_ascii=chance.random() < 0.3, separators=(",", ":") if compact else None
    )
    return text.encode()


def damaged(line: bytes, chance: random.Random) -> bytes:
    broken = bytearray(line)
    for _ in range(chance.choice([0, 0, 0, 1, 2])):
        place = chance.randrange(len(broken))
        broken[place : place + chance.randrange(2)] = bytes(
            [chance.choice(b'{}[]",:0a\\\x00\xff\r t')]
        )
    return bytes(broken)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=6, deadline=None)
def test_bulk_and_single_reading_agree_on_damaged_lines(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)
    lines = [damaged(line_of(event(chance), chance), chance) for _ in range(60)]
    with pytest.MonkeyPatch.context() as patch:
        read = both.__wrapped__(tmp_path_factory.mktemp("lines"), patch)
        quick, slow, _ = read(b"\n".join(lines))
    assert_same(quick, slow)


def test_plain_records_pass_the_scan(both: Bulk) -> None:
    plain = json.dumps(event(random.Random(3)) | MODEST, ensure_ascii=False)
    quick, slow, passed = both(f"{plain}\n{plain}\r\n{plain}".encode())
    assert passed == 3
    assert_same(quick, slow)


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType":"AuditEvent","recorded":"2025-03-04T10:00:00Z","recorded":"x"}',
        '{"resourceType":"AuditEvent","recorded":"2025-03-04T10:00:00Z","id":"\\u0041"}',
        '{"resourceType":"AuditEvent","recorded":"2025-03-04T10:00:00Z","id":7}',
        '{"resourceType":"AuditEvent","recorded":"2025-03-04T10:00:00Z"} x',
        '{"resourceType":"AuditEvent","recorded":"2025-03-04T10:00:00Z","a":01}',
        '{"resourceType":"AuditEvent","recorded":"2025-03-04T10:00:00Z","a":[1,]}',
        '{"resourceType":"AuditEvent","recorded":"2025-03-04T10:00:00Z","a":{,}}',
        '{"resourceType":"AuditEvent","recorded":"2025-03-04T10:00:00Z","contained":[]}',
        '{"resourceType":"Patient","recorded":"2025-03-04T10:00:00Z"}',
        "[" * 70 + "]" * 70,
        "",
    ],
)
def test_what_is_out_of_the_ordinary_does_not_pass(both: Bulk, text: str) -> None:
    quick, slow, passed = both(text.encode() + b"\n")
    assert passed == 0
    assert_same(quick, slow)


@needs_vectors
def test_published_records_read_in_bulk(both: Bulk) -> None:
    lines = []
    for path in sorted(CONFORMANCE.rglob("*.json")):
        try:
            found = json.loads(path.read_bytes())
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("resourceType") == "AuditEvent":
            lines.append(json.dumps(found, ensure_ascii=False))
    quick, slow, passed = both("\n".join(lines).encode())
    assert passed > len(lines) // 2
    assert_same(quick, slow)
