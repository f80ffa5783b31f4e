"""Cases and clocks as a user types them."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from icalendar import Calendar

from vigie import journal
from vigie.cases.filings import KINDS as FILINGS
from vigie.cases.model import Kind, Matter
from vigie.cases.rules import EXEMPTIONS, ROLES
from vigie.cli import case as declared
from vigie.cli import main
from vigie.facts import Fact, Facts
from vigie.simulate.output import write_world
from vigie.simulate.presets import simulate


@pytest.fixture
def opened(vigie):
    vigie("case", "open", "--title", "Portal", "--reason", "a journalist called")
    vigie("case", "note", "2", "--kind", "first_viewing", "--at", "2025-10-24 10:00", "seen")
    return vigie


def test_the_words_of_the_options_are_those_of_the_model() -> None:
    assert set(declared.KINDS) == set(map(str, Kind))
    assert declared.ROLES == ROLES
    assert declared.EXEMPTIONS == EXEMPTIONS
    assert declared.FILINGS == FILINGS
    assert set(declared.MATTERS) == {str(m) for m in Matter if not m.startswith("notice")}


def test_a_case_without_awareness_says_so_and_shows_provisional_clocks(opened) -> None:
    printed = opened("clocks", "2")
    assert "Nobody has decided yet since when you are aware" in printed
    assert re.search(r"2025-10-24 10:00 CEST\s+.*\(provisional\)", printed, re.DOTALL)
    assert "2025-10-27 09:00 CET" in printed
    assert "OVERDUE by" in printed
    assert "NOT IN" in printed


def test_awareness_written_down_later_and_moved_is_seen(opened) -> None:
    for at in ("2025-10-24 09:00", "2025-10-25 09:00"):
        opened("case", "decide", "2", "awareness", "--at", at, "--reason", f"sure at {at}")
    printed = opened("case", "show", "2")
    assert "written down" in printed
    assert "23 h 00 min after: first viewing (2025-10-24 10:00 CEST)" in printed
    assert "before," in printed
    assert "had decided 2025-10-24 09:00 CEST: sure at 2025-10-24 09:00" in printed


def test_the_json_forms_hold_what_the_tables_say(opened) -> None:
    opened("case", "decide", "2", "awareness", "--at", "2025-10-24 18:00", "--reason", "sure")
    [case] = json.loads(opened("case", "list", "--format", "json"))["cases"]
    assert (case["status"], case["aware_since"]) == ("established", "2025-10-24T16:00:00Z")
    shown = json.loads(opened("case", "show", "2", "--format", "json"))
    assert [record["record"] for record in shown["records"]] == ["opening", "event", "decision"]
    answer = json.loads(opened("clocks", "2", "--format", "json"))
    due = {clock["clock"]: clock for clock in answer["clocks"]}
    assert due["gdpr_33"]["due"] == "2025-10-27T16:00:00Z"
    assert due["gdpr_33"]["seconds_left"] < 0
    assert answer["awareness"]["backdated_by_seconds"] > 0
    assert not due["nis2_warning"]["binding"]


def test_the_calendar_is_one_that_a_library_reads(opened) -> None:
    opened("case", "decide", "2", "awareness", "--at", "2025-10-24 18:00", "--reason", "sure")
    done = subprocess.run(
        [sys.executable, "-m", "vigie.cli", "clocks", "2", "--format", "ics", "--lang", "fr"],
        capture_output=True, check=True, env=dict(os.environ),
    )  # fmt: skip
    events = Calendar.from_ical(done.stdout).walk("VEVENT")
    ends = {str(e["summary"]).partition(" (")[0]: e.decoded("dtend").isoformat() for e in events}
    assert len(ends) == 2
    assert ends["Notification à l’autorité"] == "2025-10-27T16:00:00+00:00"


@pytest.mark.parametrize(("arguments", "said"), [
    (["case", "decide", "2", "awareness", "--at", "2025-10-26 02:30", "--reason", "r"], "twice"),
    (["case", "decide", "2", "awareness", "--at", "2026-03-29 02:30", "--reason", "r"], "at all"),
    (["case", "decide", "2", "awareness", "--at", "yesterday", "--reason", "r"], "is not a time"),
    (["case", "decide", "2", "awareness", "--at", "2199-01-01", "--reason", "r"], "not come yet"),
    (["case", "decide", "2", "state", "gone", "--reason", "r"], "is not one of"),
    (["case", "open", "--zone", "Paris", "--reason", "r"], "there is no time zone"),
    (["case", "show", "1999-001"], "no case begins"),
])  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(opened, arguments: list[str], said: str) -> None:
    assert said in opened(*arguments, code=2)


def test_a_refusal_says_what_to_do_first(opened) -> None:
    assert "nobody has decided" in opened(
        "case", "decide", "2", "state", "established", "--reason", "r", code=1
    )
    assert "it can become" in opened("case", "close", "2", "--reason", "done", code=1)


def test_verify_names_a_decision_that_somebody_changed(opened, private_home: Path) -> None:
    opened("case", "decide", "2", "awareness", "--at", "2025-10-24 18:00", "--reason", "sure")
    assert "Everything is as it was written" in opened("verify")
    with sqlite3.connect(private_home / "state.sqlite") as link:
        link.execute("update case_records set body = replace(body, '16:00:00Z', '20:00:00Z')")
    link.close()
    printed = opened("verify", code=1)
    assert "record 3: the record was changed since it was journalled" in printed


@pytest.mark.slow
def test_a_case_knows_when_its_alert_was_first_told_and_first_looked_at(
    vigie, private_home: Path, tmp_path: Path
) -> None:
    attacks = {"fast_sweep": 2, "export": 2}
    world = simulate("practice-software", 0.03, seed=2, days=30, attacks=attacks)
    write_world(world, tmp_path / "world")
    logs, mapping = str(tmp_path / "world" / "logs"), str(tmp_path / "world" / "mapping.toml")
    main(["scan", logs, "--mapping", mapping, "--alarm-budget", "300", "--format", "csv"])
    vigie("case", "list")  # empties what was printed
    told = [entry for entry in journal.entries(private_home) if entry.what == "signal"]
    assert len(told) == 1
    alert = told[0].subject.split()[0]
    vigie("explain", alert)
    vigie("explain", alert)
    vigie("case", "open", alert, "--reason", "the doctor was abroad")
    assert len([e for e in journal.entries(private_home) if e.what == "signal"]) == 1
    case = json.loads(vigie("case", "show", "2", "--format", "json"))
    at = {r["kind"]: r["at"] for r in case["records"] if r["record"] == "event"}
    seen = next(e.at for e in journal.entries(private_home) if e.what == "view")
    assert datetime.fromisoformat(at["first_signal"]) == datetime.fromisoformat(told[0].at)
    assert datetime.fromisoformat(at["first_viewing"]) == datetime.fromisoformat(seen)
    assert case["alerts"] == [alert]
    assert "no alert begins" in vigie("case", "add", "2", "zz", "--reason", "r", code=2)


def test_a_case_with_facts_is_scored_filed_and_entered(opened, tmp_path: Path) -> None:
    facts = Facts(facts=tuple(
        Fact(name=name, numerator=412, unit="persons", query="q", sha256="0" * 64)
        for name in ("persons", "persons.class:identity", "persons.class:nir")
    ))  # fmt: skip
    (tmp_path / "facts.json").write_bytes(facts.to_json())
    assert "no facts yet" in opened("case", "severity", "2", code=2)
    opened("case", "facts", "2", str(tmp_path / "facts.json"), "--reason", "exposure computed")
    printed = opened("case", "severity", "2")
    assert "SE = DPC × EI + CB = 2.00 × 1.00 + 1.00 = 3.00 (high)" in printed
    assert "Without Vigie's adjustments of the context: 2.00" in printed
    score = json.loads(opened("case", "severity", "2", "--format", "json"))
    assert (score["score"], score["facts"]) == (3.0, facts.sha256)
    opened("case", "decide", "2", "awareness", "--at", "2025-10-24 18:00", "--reason", "sure")
    filing = json.loads(opened("case", "filing", "2", "cnil", "--format", "json"))
    said = {field["name"]: field for field in filing["fields"]}
    assert said["persons_band"]["value"] == "Entre 301 et 5000 personnes"
    assert not said["security_before"]["known"]
    assert "[Not known for the moment]" in opened("case", "filing", "2", "anssi")
    assert "Entre 301" not in opened("case", "filing", "2", "ars")
    assert "412" in opened("case", "register")
    [breach] = json.loads(opened("case", "register", "--format", "json"))["breaches"]
    assert breach["kind"] == "register"
    late = ("case", "note", "2", "--kind", "cnil_notified", "--reference", "N-1", "sent")
    assert "past its term" in opened(*late, code=1)
    opened(*late, "--late-because", "logs restored")
    assert "What changed since the last filing" in opened("case", "filing", "2", "cnil")


def test_cases_that_cannot_be_checked_are_never_green(opened, private_home: Path) -> None:
    (private_home / "vigie.toml").write_text('state = "postgresql://u@127.0.0.1:1/x"')
    assert "the cases cannot be checked" in opened("verify", code=1)


def test_the_state_is_for_its_owner_only_and_a_password_is_never_said(
    vigie, private_home: Path
) -> None:
    vigie("case", "list")
    assert (private_home / "state.sqlite").stat().st_mode & 0o077 == 0
    settings = private_home / "vigie.toml"
    settings.write_text('state = "postgresql://u:hunter2@127.0.0.1:1/x"')
    settings.chmod(0o644)
    assert "others may read" in vigie("case", "list", code=1)
    settings.chmod(0o600)
    said = vigie("case", "list", code=1)
    assert "u:***@127.0.0.1:1/x" in said
    settings.write_text('state = "oracle://u:hunter2@h/x"')
    assert "hunter2" not in said + vigie("case", "list", code=1)


@pytest.mark.parametrize(
    "command",
    [("case", "list"), ("clocks", "1"), ("notice", "list", "1"), ("verify",), ("doctor",)],
)
def test_an_extra_that_is_not_installed_is_named(
    command: tuple[str, ...], opened, private_home: Path, tmp_path: Path
) -> None:
    """`uv tool install .` brings no extra: what needs one says which, and no check is green."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in ('sqlalchemy', 'alembic', 'dateutil', 'icalendar'):\n"
        "            raise ModuleNotFoundError(f'No module named {name}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "vigie.cli", *command], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "LC_ALL": "en_US.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install 'vigie-sante[cases]'" in done.stdout.replace("\n", " ") + done.stderr
    assert "defect" not in done.stdout + done.stderr
