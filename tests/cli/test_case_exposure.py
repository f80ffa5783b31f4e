"""The facts of a case follow from its accounts, its boundary and what the screens are declared."""

import json
import re
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from tests.exposure.small import MAPPING, line, store_of

from vigie.cases.book import CaseBook
from vigie.cases.rules import BOUNDARIES
from vigie.cases.scope import boundary_of, scope_of
from vigie.config import Settings
from vigie.exposure.scope import INCLUDED
from vigie.stores import Store

OWN = [
    line(f"2026-03-{day:02} {hour:02}:00", "open", "record", f"P{day}{hour}", session="mine",
         device="desk")
    for day in range(1, 9) for hour in (9, 15)
]  # fmt: skip
STOLEN = [
    line(f"2026-03-10 {hour:02}:30", "open", "record", f"Q{hour}", session="s-2", device="new")
    for hour in range(9, 21)
] + [line("2026-03-10 10:00", "open", "record", "P19", session="s-1", device="new")]
PERIOD = ("--account", "eve", "--from", "2026-03-10", "--to", "2026-03-11")


@pytest.fixture
def case(tmp_path: Path, private_home: Path, vigie) -> str:
    store_of(tmp_path, [*OWN, *STOLEN]).rename(private_home)
    vigie("case", "open", "--title", "Portal", "--reason", "a journalist called")
    return "2"


@pytest.fixture
def vigie(vigie):
    return partial(vigie, remarks=False)


def facts(vigie, case: str) -> dict[str, int]:
    found = json.loads(vigie("exposure", "--case", case, "--format", "json"))
    return {one["name"]: one["numerator"] for one in found["facts"]["facts"]}


def test_the_words_of_the_rules_are_those_of_the_exposure() -> None:
    assert tuple(INCLUDED) == BOUNDARIES


def test_a_case_that_names_no_account_asks_for_one(case: str, vigie) -> None:
    assert "no account was named" in vigie("exposure", "--case", case, code=2)
    assert "needs a reason" in vigie("exposure", "--case", case, *PERIOD, code=1)
    assert "needs a period" in vigie("exposure", "--case", case, "--account", "eve", code=2)
    before = ("case", "decide", case, "scope", "eve", "--reason", "r")
    assert "ends before" in vigie(*before, "--from", "2026-03-02", "--to", "2026-03-01", code=2)
    assert "No open case" in vigie("case", "refresh")


def test_a_session_that_the_log_does_not_know_is_refused(case: str, vigie) -> None:
    """All would be the owner's, and nobody told, by a slip of a key."""
    vigie("exposure", "--case", case, *PERIOD, "--reason", "r")
    for asked in (
        ("exposure", "--case", case, "--session", "s-9", "--reason", "r"),
        ("case", "decide", case, "boundary", "probable", "--session", "s-9", "--reason", "r"),
    ):
        assert "no session s-9" in vigie(*asked, code=2)
    assert facts(vigie, case)["persons"] == 13


def test_the_account_the_boundary_and_the_facts_stand_in_the_case(
    case: str, vigie, private_home: Path
) -> None:
    vigie("exposure", "--case", case, *PERIOD, "--reason", "the owner was away")
    with CaseBook.open(private_home, Settings()) as book:
        (known,) = book.cases()
    whole = facts(vigie, case)["persons"]
    assert known.read_facts()["persons"].numerator == whole == 13
    assert known.read_facts().exposure_sha256
    assert (private_home / "exposures" / f"{known.id}.parquet").stat().st_mode & 0o077 == 0
    printed = vigie("case", "decide", case, "boundary", "probable", "--session", "s-2",
                    "--reason", "s-1 is the owner's own")  # fmt: skip
    assert "12 persons exposed" in printed
    assert re.search(r"persons\s+13\s+12", printed)
    assert facts(vigie, case)["persons"] == 12
    with CaseBook.open(private_home, Settings()) as book:
        (known,) = book.cases()
    assert boundary_of(known).sessions == ("s-2",)
    assert scope_of(known).accounts == ("eve",)
    assert known.read_facts()["persons"].numerator == 12


def test_the_same_again_adds_no_record(case: str, vigie, private_home: Path) -> None:
    vigie("exposure", "--case", case, *PERIOD, "--reason", "r")
    with CaseBook.open(private_home, Settings()) as book:
        records = len(book.cases()[0].records)
    vigie("exposure", "--case", case, *PERIOD, "--reason", "r")
    vigie("case", "refresh", case)
    with CaseBook.open(private_home, Settings()) as book:
        assert len(book.cases()[0].records) == records


def test_a_corrected_declaration_reaches_open_cases_and_stales_their_notices(
    case: str, vigie, private_home: Path, tmp_path: Path
) -> None:
    vigie("exposure", "--case", case, *PERIOD, "--reason", "r")
    assert facts(vigie, case)["persons.class:bank"] == 0
    (private_home / "organisation.toml").write_text('name = "GCS"\ncontact = "dpo@gcs.example"')
    vigie("case", "decide", case, "awareness", "--reason", "sure")
    vigie("case", "note", case, "--kind", "measure", "the account was suspended")
    vigie("notice", "prepare", case, "cnil", "--reason", "ask")
    declared = MAPPING.format(kind="local", authority=', authority = "test"').replace(
        'record = ["identity", "medical"]',
        'record = {classes = ["identity", "medical", "bank"], attested_by = "DSI",'
        " attested_on = 2026-04-01}",
    )
    (tmp_path / "mapping.toml").write_text(declared, "utf-8")
    read = ("import", str(tmp_path / "log.csv"), "--mapping", str(tmp_path / "mapping.toml"))
    printed = vigie(*read)
    assert re.search(r"persons: bank details\s+0\s+13", printed)
    assert "cnil is stale" in printed
    assert facts(vigie, case)["persons.class:bank"] == 13
    assert "stale" not in vigie(*read)
    assert json.loads(vigie(*read, "--format", "json"))["version"] == 1


def test_what_retention_drops_does_not_leave_an_open_case_with_nobody(
    case: str, vigie, private_home: Path
) -> None:
    vigie("exposure", "--case", case, *PERIOD, "--reason", "r")
    (kept,) = (private_home / "exposures").iterdir()
    persons = kept.read_bytes()
    with Store.open(private_home, write=True) as store:
        store.retain(datetime(2028, 1, 1, tzinfo=UTC))
    said = vigie("exposure", "--case", case, "--reason", "again", code=4)
    assert "At least 0 persons exposed; the log allows no upper bound" in said
    assert "stay as they were computed before" in said
    assert "13 persons exposed" in vigie("case", "refresh")
    with CaseBook.open(private_home, Settings()) as book:
        assert book.cases()[0].read_facts()["persons"].numerator == 13
    assert kept.read_bytes() == persons


def test_a_table_of_contracts_reaches_open_cases(case: str, vigie, tmp_path: Path) -> None:
    vigie("exposure", "--case", case, *PERIOD, "--reason", "r")
    (tmp_path / "contracts.csv").write_text("place;who\nA;Mutuelle Rhône\n", "utf-8")
    (tmp_path / "contracts.toml").write_text(
        '[register]\nfile = "contracts.csv"\ndelimiter = ";"\n'
        '[columns]\norganisation = "place"\ncontroller = "who"\n'
    )
    printed = vigie("register", "contracts", str(tmp_path / "contracts.toml"), "--reason", "r")
    assert re.search(r"persons: Mutuelle Rhône\s+–\s+13", printed)
    assert facts(vigie, case)["persons.controller:Mutuelle Rhône"] == 13


def test_a_closed_case_keeps_the_facts_that_it_was_closed_with(
    case: str, vigie, private_home: Path
) -> None:
    vigie("exposure", "--case", case, *PERIOD, "--reason", "r")
    vigie("case", "decide", case, "state", "dismissed", "--reason", "the owner was on call")
    assert "No open case" in vigie("case", "refresh")
    assert "13 persons" in vigie("case", "refresh", case)


def test_a_date_of_awareness_is_checked_against_the_case(case: str, vigie, tmp_path: Path) -> None:
    vigie("exposure", "--case", case, *PERIOD, "--reason", "r")
    vigie("case", "decide", case, "awareness", "--at", "2026-03-12 09:00", "--reason", "sure")
    draft = tmp_path / "draft.txt"
    draft.write_text("Nous en avons eu connaissance le 11 mars 2026.", "utf-8")
    printed = vigie("statement", "check", str(draft), "--case", case, code=4)
    assert "is not the date, which is 2026-03-12 09:00" in printed
