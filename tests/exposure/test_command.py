"""`vigie exposure`, as somebody types it."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.exposure.small import line, store_of

from vigie import journal
from vigie.cli import main
from vigie.exposure import EXPOSURE

ASKED = ["--account", "eve", "--from", "2026-03-10", "--to", "2026-03-11"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    lines = [
        line(
            f"2026-03-{day:02d}T{hour:02d}:00:00Z",
            "open",
            "record",
            f"{day}{hour}",
            session=f"s{day}",
        )
        for day in range(1, 11)
        for hour in (9, 10, 11)
    ]
    return store_of(tmp_path / "log", lines)


def test_a_summary_in_french_and_the_files(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, facts = tmp_path / "exposure.parquet", tmp_path / "facts.json"
    asked = ["--lang", "fr", "--home", str(home), "exposure", *ASKED]
    code = main([*asked, "--out", str(out), "--facts", str(facts), "--evidence"])
    shown = capsys.readouterr().out
    assert code == 0
    assert "3 personnes exposées." in shown
    assert "non séparable" in shown
    table = pq.read_table(out)
    assert table.schema.equals(EXPOSURE)
    assert len(set(table["patient"].to_pylist())) == 3
    assert out.stat().st_mode & 0o077 == 0
    said = json.loads(facts.read_text())
    assert {f["name"]: f["numerator"] for f in said["facts"]}["persons"] == 3
    looks = [entry for entry in journal.entries(home) if entry.what == journal.LOOK]
    assert [entry.subject for entry in looks] == ["exposure: 3 persons, eve, probable"]


def test_json_names_no_patient(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--home", str(home), "exposure", *ASKED, "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["told_apart"] == {"eve": "none"}
    assert sum(row["accesses"] for row in answer["sessions"]) == 3
    assert "patient" not in {key for row in answer["exposed"] for key in row}


def test_a_decision_needs_a_reason_and_is_in_the_journal(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--home", str(home), "exposure", *ASKED, "--session", "s10"]
    assert main(asked) == 1
    assert main([*asked, "--reason", "stolen laptop", "--author", "dpo"]) == 0
    entry = journal.entries(home)[-1]
    assert (entry.who, entry.reason) == ("dpo", "stolen laptop")
    capsys.readouterr()


@pytest.mark.parametrize(
    "asked",
    [[], ["--account", "eve"], ["--account", "eve", "--alert", "1"], ["--alert", "zz"],
     ["--account", "eve", "--from", "2026-03-11", "--to", "2026-03-10"],
     ["--account", "eve", "--from", "soon", "--to", "2026-03-10"],
     [*ASKED, "--index", "patients.csv"], ["--case", "none"]],
)  # fmt: skip
def test_what_is_asked_wrongly_is_told(
    home: Path, capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    assert main(["--home", str(home), "exposure", *asked]) in (1, 2)
    said = capsys.readouterr().err
    assert said.startswith("vigie: ")
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--account", "evee", *ASKED[2:]], "the log knows no account evee"),
        ([*ASKED, "--since", "2026-03-12", "--reason", "r"], "lies before the time"),
    ],
)
def test_a_slip_of_a_key_is_no_exposure_of_nobody(
    home: Path, capsys: pytest.CaptureFixture[str], asked: list[str], said: str
) -> None:
    assert main(["--home", str(home), "exposure", *asked]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert "persons exposed" not in shown.out


def test_who_put_the_boundary_elsewhere_and_why_is_shown(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--home", str(home), "exposure", *ASKED, "--since", "2026-03-10T10:00"]
    asked += ["--boundary", "possible", "--author", "A. Martin", "--reason", "lost badge"]
    main(asked)
    shown = capsys.readouterr().out
    assert "Boundary chosen by A. Martin" in shown
    assert "all before 2026-03-10 10:00 (UTC) is the owner's" in shown
    assert "lost badge" in shown
    main([*asked, "--format", "json"])
    decision = json.loads(capsys.readouterr().out)["decision"]
    assert (decision["level"], decision["author"]) == ("possible", "A. Martin")
    assert decision["since"].startswith("2026-03-10T10:00")


def test_a_search_that_was_not_counted_has_no_upper_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = store_of(tmp_path / "log", [
        line("2026-03-10T09:00:00Z", "search", "find"),
        line("2026-03-10T09:01:00Z", "search", "find", record_count="7"),
    ])  # fmt: skip
    assert main(["--home", str(home), "exposure", *ASKED]) == 4
    shown = capsys.readouterr().out
    assert "the results of a search were not even counted (no upper bound)" in shown
    assert "counted but not named (results: 7)" in shown


def test_a_declaration_that_changed_nothing_is_said(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--home", str(home), "exposure", *ASKED, "--declared", "2126-01-01"])
    shown = capsys.readouterr()
    assert "The declarations of the screens changed nothing since then." in shown.out
    assert shown.err.count("looked at anew") <= 1


def test_an_index_read_through_a_mapping_narrows_the_bounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = store_of(tmp_path / "log", [
        line("2026-03-10T09:00:00Z", "search", "find", name="MARTIN", record_count="1"),
    ])  # fmt: skip
    index, mapping = tmp_path / "patients.csv", tmp_path / "index.toml"
    index.write_text(
        "since;ipp;name\n2020-01-01T00:00:00Z;7;MARTIN\n2020-01-01T00:00:00Z;8;DURAND\n"
    )
    mapping.write_text(
        '[source]\nname = "index"\ntime_zone = "UTC"\n'
        '[source.format]\nkind = "csv"\ndelimiter = ";"\n'
        '[columns]\nat = "since"\naction = { value = "other" }\n'
        'patient = { column = "ipp", authority = "test" }\npatient_surname = "name"\n'
    )
    asked = ["--home", str(home), "exposure", *ASKED, "--format", "json"]
    main(asked)
    before = json.loads(capsys.readouterr().out)
    main([*asked, "--index", str(index), "--index-mapping", str(mapping)])
    after = json.loads(capsys.readouterr().out)
    persons = [
        next(f for f in answer["facts"]["facts"] if f["name"] == "persons")
        for answer in (before, after)
    ]
    assert (persons[0]["numerator"], persons[0]["high"]) == (0, 1)
    assert persons[1]["numerator"] == 1


@pytest.mark.parametrize(
    ("matter", "said"),
    [
        (["scope", "evee", "--from", "2026-03-10", "--to", "2026-03-11"], "no account evee"),
        (["boundary", "all", "--since", "2026-04-01"], "lies before the time"),
        (["boundary", "all", "--session", "s99"], "no session s99"),
    ],
)
def test_a_slip_is_no_decision_of_a_case(
    home: Path, capsys: pytest.CaptureFixture[str], matter: list[str], said: str
) -> None:
    """It is refused before it is recorded: what was decided stays as it was."""
    told = ["--reason", "r", "--author", "dpo"]
    main(["--home", str(home), "case", "open", "--title", "one", *told])
    decide = ["--home", str(home), "case", "decide"]
    number = capsys.readouterr().out.split()[1].rstrip(":")
    scope = ["scope", "eve", "--from", "2026-03-10", "--to", "2026-03-11"]
    assert main([*decide, number, *scope, *told]) == 0
    before = len(journal.entries(home))
    assert main([*decide, number, *matter, *told]) == 2
    assert said in capsys.readouterr().err
    assert len(journal.entries(home)) == before
