"""What each controller is handed: its own name, persons, accounts and times, and nothing else's.

Two accounts were used at two clinics on different days; one person was shown at both.
"""

import json
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.exposure.small import line, store_of

from delivery.exposures import Keys, write_exposure
from notices.cases import ORGANISATION
from vigie.cases.book import CaseBook
from vigie.cases.filings import Filing, file
from vigie.cases.model import Kind, Matter
from vigie.config import Settings
from vigie.delivery.packets import write_packets
from vigie.delivery.split import classes_in, split
from vigie.exposure import Scope, Stretch, expose
from vigie.facts import Facts
from vigie.facts.counting import facts_of
from vigie.language import speaking
from vigie.notices import controllers
from vigie.notices.story import tell
from vigie.stores import Store

NOW = datetime(2026, 3, 25, 8, tzinfo=UTC)
AWARE = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
ROWS = [
    *(line(f"2026-03-10 0{n}:00", "open", "record", f"A{n}", account="eve") for n in range(8, 10)),
    line("2026-03-11 09:00", "open", "record", "BOTH", account="eve"),
    line("2026-03-14 11:00", "open", "record", "BOTH", account="bob", organisation="B"),
    *(line(f"2026-03-1{n} 12:00", "open", "find", f"B{n}", account="bob", organisation="B")
      for n in range(5, 8)),
]  # fmt: skip
ACCOUNTS = {"Clinique A": "eve", "Clinique B": "bob"}
PERSONS = {"Clinique A": 3, "Clinique B": 4}
TIMES = {
    "Clinique A": ("10 March 2026 at 09:00", "11 March 2026 at 10:00"),
    "Clinique B": ("14 March 2026 at 12:00", "17 March 2026 at 13:00"),
}


@pytest.fixture
def made(tmp_path: Path) -> tuple[Facts, Filing, dict[str, zipfile.ZipFile]]:
    home, path = store_of(tmp_path, ROWS), tmp_path / "set.parquet"
    (home / "organisation.toml").write_text(ORGANISATION, "utf-8")
    period = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 18, tzinfo=UTC)
    scope = Scope(tuple(Stretch(name, *period) for name in ACCOUNTS.values()))
    with Store.open(home) as store:
        found = expose(store, scope, silent_hours=400)
        facts = facts_of(found, exposure_sha256=found.write(path))
    with CaseBook.open(home, Settings()) as book:
        case = book.open_case("Portail", [], "dpo", "alerte", role="processor").id
        book.set_facts(case, facts, "calculés", "dpo")
        book.decide(case, Matter.CAUSE, "external_malicious", "phished", "dpo", at=AWARE)
        book.note(case, Kind.MEASURE, "Both accounts were suspended.", AWARE)
        book.note(case, Kind.BREACH_ENDED, "suspended", datetime(2026, 3, 17, 13, tzinfo=UTC))
        book.note(case, Kind.CNIL_NOTIFIED, "for ourselves", AWARE)
        known = book.decide(case, Matter.AWARENESS, "aware", "confirmed", "dpo", at=AWARE)
    keys = Keys(ACCOUNTS)
    with speaking("en"):
        filing, story = file(known, "cnil", home, NOW), tell(known, home, NOW)
        documents = controllers.enclosed(filing, story, ["txt"], home)
        with split(path, tmp_path / "work") as parts:
            outcome = write_packets(parts, keys.recipients, tmp_path / "out", documents)
    archives = keys.open_all(outcome, tmp_path / "out")
    assert pq.read_table(path).num_rows
    return facts, filing, archives


def text(archive: zipfile.ZipFile, name: str) -> str:
    return re.sub(r"\s+", " ", archive.read(name).decode())


def test_each_draft_tells_its_own_numbers_accounts_and_times(made) -> None:
    _facts, _filing, archives = made
    for name, archive in archives.items():
        first, last = TIMES[name]
        days = f"from {first[:13]} to {last[:13]}"
        said = json.loads(archive.read("facts.json"))
        persons = archive.read("persons.csv").decode("utf-8-sig").splitlines()[1:]
        assert said["persons"] == len(persons) == PERSONS[name]
        assert said["accounts"] == [ACCOUNTS[name]]
        notice, cnil, letter = (
            text(archive, f"{one}.txt") for one in ("notice", "cnil-draft", "letter-draft")
        )
        assert f"Persons | {PERSONS[name]}" in notice
        assert f"Persons, exactly | {PERSONS[name]}" in cnil
        assert f"First access | {first}" in notice
        assert f"Last access | {last}" in notice
        assert f"Began | {first}" in cnil
        assert f"Ended | {last}" in cnil
        for document in (notice, cnil, letter):
            assert days in document
            assert "used one professional account of Centre hospitalier" in document
        assert f"Organisation | {name}" in cnil
        assert letter.count(name) >= 1


def test_no_packet_knows_another_controller_or_its_accounts(made) -> None:
    _facts, _filing, archives = made
    for name, archive in archives.items():
        (other,) = set(ACCOUNTS) - {name}
        for member in archive.namelist():
            data = archive.read(member).decode("utf-8")
            assert other not in data
            assert not re.search(rf"\b{ACCOUNTS[other]}\b", data)
            assert all(day not in data for day in (TIMES[other][0], TIMES[other][1]))


def test_the_drafts_together_are_the_case(made) -> None:
    facts, filing, archives = made
    said = [json.loads(archive.read("facts.json")) for archive in archives.values()]
    assert min(one["first_at"] for one in said) == "2026-03-10T08:00:00+00:00"
    assert facts.moments["first_access"] == "2026-03-10T08:00:00Z"
    assert max(one["last_at"] for one in said) == "2026-03-17T12:00:00+00:00"
    assert facts.moments["last_access"] == "2026-03-17T12:00:00Z"
    # One person is with both.
    assert sum(one["persons"] for one in said) == facts["persons"].numerator + 1 == 7
    for one in said:
        assert one["persons"] == facts[f"persons.controller:{one['controller']}"].numerator
        assert set(one["persons_by_class"]) <= {"identity", "medical", "nir"}
    assert filing["began_at"] == "2026-03-10T09:00+01:00"


def test_a_draft_speaks_as_the_controller_and_claims_no_awareness_of_it(made) -> None:
    """The processor's awareness starts no clock of the controller's (EDPB guidelines 9/2022)."""
    _facts, _filing, archives = made
    for archive in archives.values():
        notice = text(archive, "notice.txt")
        assert "We became aware of it on 20 March 2026 at 10:30" in notice
        for name in ("cnil-draft.txt", "letter-draft.txt"):
            draft = text(archive, name)
            assert "We became aware" not in draft
            assert "our processor, became aware of it on 20 March 2026 at 10:30" in draft
            assert "CNIL was notified" not in draft
            assert "Jeanne Morel" not in draft
        cnil = text(archive, "cnil-draft.txt")
        assert "Aware since | [to be completed by the controller]" in cnil
        assert "Told by the processor | [to be completed by the controller]" in cnil
        assert "[your contact" in text(archive, "letter-draft.txt")


def test_data_that_nobody_vouches_for_may_have_been_seen_beside_those_that_were(
    tmp_path: Path,
) -> None:
    """What is not determined may be of the same kinds: only alone is it told as seen."""
    rows = [
        (b"\1" * 16, "identity", "opened", "A"), (b"\1" * 16, "unknown", "opened", "A"),
        (b"\2" * 16, "unknown", "opened", "B"),
    ]  # fmt: skip
    with split(write_exposure(tmp_path / "e.parquet", rows), tmp_path / "work") as found:
        shares = found.shares
        (table,) = found.rows(10)
    assert (shares["A"].by_class, shares["A"].may) == ({"identity": 1}, ("unknown",))
    assert (shares["B"].by_class, shares["B"].may) == ({"unknown": 1}, ())
    assert [classes_in(mask) for mask in table["seen"].to_pylist()] == [("identity",), ("unknown",)]
