"""Who is only `reachable` is told apart in every document, and none contradicts the facts."""

import csv
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.exposure.small import line
from tests.exposure.test_replay import ask, search

from delivery.exposures import AT, Keys, write_exposure
from notices.cases import ORGANISATION
from vigie.cases.book import CaseBook
from vigie.cases.filings import file
from vigie.cases.model import Case, Kind, Matter
from vigie.config import Settings
from vigie.delivery.mailing import Mailing, addressees
from vigie.delivery.packets import Outcome, write_packets
from vigie.delivery.split import split
from vigie.facts.counting import facts_of
from vigie.notices import controllers
from vigie.notices.letters import Exposed, Letters
from vigie.notices.register import load_register
from vigie.notices.routes import Route
from vigie.notices.story import tell
from vigie.pseudonyms import open_keyring

DATE = datetime(2026, 3, 20, tzinfo=UTC)
PATIENTS = [("2020-01-01T00:00:00Z", str(n), f"Bernard{n:02d}") for n in range(20)]
ROWS = [
    line("2026-03-10T08:00:00Z", "open", "record", "3"),
    line("2026-03-10T08:05:00Z", "open", "record", "30", organisation="B"),
    search(10, "ber", "prefix", 5),
]
REGISTER = """
[register]
file = "names.csv"
[[identifiers]]
column = "ipp"
authority = "test"
[columns]
surname = "nom"
postcode = "cp"
city = "ville"
"""


@pytest.fixture
def searched(tmp_path: Path) -> tuple[Case, Path, Path]:
    """Return a case on a search that counted five of twenty who fit it, its home, its set."""
    found = ask(tmp_path, ROWS, PATIENTS)
    home, path = tmp_path / "home", tmp_path / "set.parquet"
    facts = facts_of(found, exposure_sha256=found.write(path))
    assert [facts["persons"].low, facts["persons"].high] == [2, 7]
    (home / "organisation.toml").write_text(ORGANISATION, "utf-8")
    with CaseBook.open(home, Settings()) as book:
        case = book.open_case("Portail", [], "dpo", "alerte", role="processor").id
        book.set_facts(case, facts, "calculés", "dpo")
        book.note(case, Kind.MEASURE, "Le compte utilisé a été coupé.", DATE)
        told = book.decide(case, Matter.AWARENESS, "aware", "confirmé", "dpo", at=DATE)
    return told, home, path


def packets(
    searched: tuple[Case, Path, Path], top: Path
) -> tuple[Outcome, dict[str, zipfile.ZipFile]]:
    """Write the packets of a case; return what was done, and each opened."""
    case, home, path = searched
    keys, story = Keys(["Clinique A", "Clinique B"]), tell(case, home, DATE)
    documents = controllers.enclosed(file(case, "cnil", home, DATE), story, ["txt"], home)
    with split(path, top / "work") as found:
        outcome = write_packets(found, keys.recipients, top / "out", documents)
    return outcome, keys.open_all(outcome, top / "out")


def listed(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    text = archive.read(name).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def test_a_packet_lists_those_who_may_be_concerned_apart(searched, tmp_path: Path) -> None:
    outcome, archives = packets(searched, tmp_path)
    facts, one, other = searched[0].read_facts(), archives["Clinique A"], archives["Clinique B"]
    assert outcome.persons == facts["persons"].numerator
    assert (outcome.possible, facts["persons.how:reachable"].numerator) == (19, 20)
    (shown,), may = listed(one, "persons.csv"), listed(one, "possible.csv")
    assert facts["persons.controller:Clinique A"].numerator == 1
    assert (shown["data"], shown["data that may have been shown"]) == ("identity, medical data", "")
    assert {(row["data"], row["data that may have been shown"]) for row in may} == {
        ("", "identity")
    }
    assert shown["person"] not in {row["person"] for row in may}
    assert "possible.csv" not in other.namelist()


def test_the_notice_and_the_draft_of_a_packet_have_the_bounds_of_the_facts(
    searched, tmp_path: Path
) -> None:
    _outcome, archives = packets(searched, tmp_path)
    notice = archives["Clinique A"].read("notice.txt").decode()
    draft = archives["Clinique A"].read("cnil-draft.txt").decode()
    fact = searched[0].read_facts()["persons.controller:Clinique A"]
    assert (fact.low, fact.high) == (1, 6)
    assert "from 1 to 6" in notice
    assert "possible.csv" in notice
    assert "possible.csv" not in archives["Clinique B"].read("notice.txt").decode()
    lines = [text.strip() for text in draft.splitlines()]
    found = {name: text for text in lines for name in ("at least", "at most") if name in text}
    assert found["at least"].endswith("1")
    assert found["at most"].endswith("6")
    assert "Entre 0 et 5" not in draft


def test_who_is_only_reachable_waits_for_no_controller(tmp_path: Path) -> None:
    """Of those whom no contract gives to a controller, only who was shown has somebody to miss."""
    nowhere = [row.replace(";A;", ";Z;") for row in ROWS]
    facts = facts_of(ask(tmp_path, nowhere, PATIENTS))
    (gap,) = [gap for gap in facts.gaps if gap.kind == "no_controller"]
    assert gap.count == 1 < facts["persons.how:reachable"].numerator


def test_no_letter_goes_to_who_is_only_reachable(searched, tmp_path: Path) -> None:
    case, home, path = searched
    names = [f"{n};Bernard;35000;RENNES" for n in (*range(20), 30)]
    (tmp_path / "names.csv").write_text("\n".join(["ipp;nom;cp;ville", *names]) + "\n")
    (tmp_path / "register.toml").write_text(REGISTER)
    register = load_register(tmp_path / "register.toml", open_keyring(home))
    mailing = Mailing()
    with split(path, tmp_path / "work", by_controller=False) as found:
        people = list(addressees(found, register, None, DATE.date(), mailing))
    assert mailing.ways == {Route.ADULT: 2, Route.POSSIBLE: 19}
    assert mailing.ways[Route.ADULT] == case.read_facts()["persons"].numerator
    for one in people:  # nothing tells the owner from the thief here: nobody is told for sure
        assert one.exposed.possible
        assert not one.exposed.seen


@pytest.mark.parametrize("seen", [(), ("identity",)])
def test_a_letter_claims_an_access_only_where_data_were_seen(searched, seen) -> None:
    case, home, _path = searched
    story = tell(case, home, DATE)
    exposed = Exposed(seen, ("nir",), story.began, story.ended)
    person = {"surname": "Bernard", "postcode": "35000", "city": "RENNES"}
    text = Letters(story).write(exposed, person, Route.ADULT).text()
    assert ("an unauthorised person had access" in text) == bool(seen)
    assert ("an unauthorised person may have had access" in text) != bool(seen)


def test_a_letter_tells_the_days_of_what_was_seen_and_of_nothing_else(tmp_path: Path) -> None:
    person, day = bytes(16), 86_400_000_000
    path = write_exposure(
        tmp_path / "e.parquet",
        [(person, "identity", "opened", None), (person, "nir", "reachable", None)],
    )
    table = pq.read_table(path)
    late = pa.array([AT.timestamp() * 1e6, AT.timestamp() * 1e6 + 9 * day], pa.float64())
    moved = table.set_column(4, table.field(4), late.cast(pa.int64()).cast(table.field(4).type))
    pq.write_table(moved, path)
    with split(path, tmp_path / "work", by_controller=False) as found:
        (row,) = next(found.rows(10)).to_pylist()
    assert row["seen_from"] == row["seen_until"] == AT
    assert row["last_at"] > AT
