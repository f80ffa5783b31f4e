"""Lines and alerts that come after the facts of a case were computed: said, and mended."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.exposure.small import HEADER, line, store_of

from vigie.alerts.watch import Alert
from vigie.exposure import EVIDENCE
from vigie.exposure.kept import keep

FIRST = [
    line(f"2026-03-10 {hour:02}:30", "open", "record", f"Q{hour}", session="s")
    for hour in range(9, 21)
]
LATER = [line("2026-03-10 21:30", "open", "record", f"R{n}", session="s") for n in range(3)]
PERIOD = ("--account", "eve", "--from", "2026-03-10", "--to", "2026-03-11")
AT = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
def case(tmp_path: Path, private_home: Path, vigie) -> str:
    store_of(tmp_path, FIRST, attested=False).rename(private_home)
    (private_home / "organisation.toml").write_text('name = "GCS"\ncontact = "dpo@gcs.example"')
    vigie("case", "open", "--title", "Portal", "--reason", "a journalist called")
    vigie("exposure", "--case", "2", *PERIOD, "--reason", "r")
    vigie("case", "decide", "2", "awareness", "--reason", "sure")
    vigie("case", "note", "2", "--kind", "measure", "the account was suspended")
    return "2"


def read(vigie, folder: Path, lines: list[str], name: str = "later.csv") -> str:
    (folder / name).write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    return vigie("import", folder / name, "--mapping", folder / "mapping.toml")


def told(home: Path, name: str, last: datetime, accounts: tuple[str, ...] = ("eve",)) -> None:
    alert = Alert(
        id=name * 8, account=accounts[0], accounts=list(accounts), level="watch", opened_at=AT,
        last_at=last, patients=9, evidence=4.2, hypothesis="fast_sweep",
        why={"fr": "…", "en": "…"}, usual={}, observed={"seconds": 60.0}, lines=["log.csv:7"],
    )  # fmt: skip
    keep(home, [alert], lambda _accounts: pa.table(EVIDENCE.empty_table()), -1)


def test_nothing_came_and_nothing_is_said(case: str, vigie) -> None:
    for asked in (("case", "list"), ("case", "show", case), ("notice", "list", case)):
        assert "!" not in vigie(*asked)
    (brief,) = json.loads(vigie("case", "list", "--format", "json"))["cases"]
    assert brief["came_since"] is None


def test_lines_of_its_accounts_outrun_a_case_until_it_is_refreshed(
    case: str, vigie, tmp_path: Path
) -> None:
    said = "case 2026-001: 3 lines of its accounts came since its facts were computed"
    printed = read(vigie, tmp_path, LATER)
    assert said in printed
    assert "vigie case refresh 2026-001 computes them anew" in printed
    for asked in (("case", "list"), ("case", "show", case), ("notice", "list", case)):
        assert said in vigie(*asked)
    (brief,) = json.loads(vigie("case", "list", "--format", "json"))["cases"]
    assert (brief["came_since"]["lines"], brief["came_since"]["files"]) == (3, 1)
    assert "persons" in vigie("case", "refresh", case)
    assert said not in vigie("case", "show", case)


def test_a_file_of_its_time_may_say_what_was_not_known(case: str, vigie, tmp_path: Path) -> None:
    other = [line("2026-03-10 22:00", "open", "record", "Z", account="zoe")]
    assert "1 file of its time came since" in read(vigie, tmp_path, other)
    vigie("case", "refresh", case)
    assert "came since" not in vigie("case", "show", case)
    far = [line("2026-05-10 22:00", "open", "record", "Z", account="eve")]
    assert "came since" not in read(vigie, tmp_path, far, "may.csv")


def test_persons_are_not_told_less_than_the_log_says(case: str, vigie, tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("ipp;nom;rue;cp;ville;mel\n")
    (tmp_path / "register.toml").write_text(
        '[register]\nfile = "patients.csv"\n[[identifiers]]\ncolumn = "ipp"\nauthority = "test"\n'
        '[columns]\nsurname = "nom"\naddress = "rue"\npostcode = "cp"\ncity = "ville"\n'
    )
    vigie("notice", "prepare", case, "letters", "--reason", "art. 34")
    vigie("notice", "approve", case, "letters", "--reason", "read", who="bruno")
    send = ("notice", "send", case, "letters", "--register", tmp_path / "register.toml")
    vigie(*send)
    read(vigie, tmp_path, LATER)
    refused = vigie(*send, code=1)
    assert "do not count all that the log now holds" in refused
    assert "3 lines of its accounts" in vigie(
        "notice", "render", case, "cnil", "--out", tmp_path / "out", "--form", "txt"
    )
    assert "letters is stale" in vigie("case", "refresh", case)
    assert "stale: what it says changed" in vigie(*send, code=1)
    listed = vigie("notice", "list", case)
    assert "persons" in listed
    assert "15" in listed


def test_facts_that_stay_the_same_leave_the_approval(case: str, vigie, tmp_path: Path) -> None:
    """Somebody who only looked at whom he had looked at before is one line more, and no person."""
    vigie("notice", "prepare", case, "press", "--reason", "r")
    vigie("notice", "approve", case, "press", "--reason", "r", who="bruno")
    login = [line("2026-03-10 21:00", "login", "home")]
    read(vigie, tmp_path, login)
    vigie("case", "refresh", case)
    assert "approved by bruno" in vigie("notice", "list", case)


def test_alerts_about_its_accounts_and_those_that_went_on(
    case: str, vigie, private_home: Path
) -> None:
    told(private_home, "cd", AT, ("zoe",))
    told(private_home, "ab", AT + timedelta(hours=2))
    said = vigie("case", "show", case)
    assert "1 alert about its accounts is not in it; vigie case add 2026-001 abababab" in said
    assert "cdcd" not in said
    vigie("case", "add", case, "abab", "--reason", "the same theft")
    assert "is not in it" not in vigie("case", "show", case)
    told(private_home, "ef", AT + timedelta(hours=3))
    assert "!" not in vigie("case", "show", case), "the same, which opens at another moment"
    told(private_home, "ab", AT + timedelta(hours=9))
    assert "1 of its alerts went on since it joined" in vigie("case", "show", case)
    vigie("case", "add", case, "abab", "--reason", "it went on")
    shown = vigie("case", "show", case)
    assert "went on" not in shown
    assert shown.count("Alert abab") == 1
    assert vigie("verify").startswith("Everything")


@pytest.fixture
def given(tmp_path: Path, private_home: Path, vigie) -> str:
    """A case that names no account, whose facts came from a file."""
    store_of(tmp_path, FIRST, attested=False).rename(private_home)
    vigie("case", "open", "--title", "Portal", "--reason", "a journalist called")
    vigie("exposure", *PERIOD, "--facts", tmp_path / "facts.json")
    vigie("case", "facts", "2", tmp_path / "facts.json", "--reason", "computed elsewhere")
    return "2"


def test_lines_outrun_facts_that_came_from_a_file(given: str, vigie, tmp_path: Path) -> None:
    assert "!" not in vigie("case", "show", given)
    said = "3 lines of its accounts came since its facts were computed; they came from a file"
    assert said in read(vigie, tmp_path, LATER)
    assert said in vigie("case", "show", given)
    vigie("exposure", *PERIOD, "--facts", tmp_path / "facts.json")
    vigie("case", "facts", given, tmp_path / "facts.json", "--reason", "anew")
    assert "came since" not in vigie("case", "show", given)
    (brief,) = json.loads(vigie("case", "list", "--format", "json"))["cases"]
    assert brief["came_since"] is None
    assert vigie("verify").startswith("Everything")


def test_alerts_about_the_accounts_of_given_facts_are_said(
    given: str, vigie, private_home: Path
) -> None:
    told(private_home, "ab", AT)
    assert "1 alert about its accounts is not in it" in vigie("case", "show", given)


def test_given_facts_count_what_the_case_asks_as_well(case: str, vigie, tmp_path: Path) -> None:
    """Their file is of another account: lines of either concern the case."""
    other = ("--account", "zoe", *PERIOD[2:])
    before = [line("2026-03-10 20:00", "open", "record", "Z", account="zoe")]
    read(vigie, tmp_path, before, "before.csv")
    vigie("case", "refresh", case)
    vigie("exposure", *other, "--facts", tmp_path / "facts.json")
    vigie("case", "facts", case, tmp_path / "facts.json", "--reason", "r")
    assert "came since" not in vigie("case", "show", case)
    zoe = [line("2026-03-10 22:00", "open", "record", "Z", account="zoe")]
    assert "4 lines of its accounts came" in read(vigie, tmp_path, LATER + zoe)
    vigie("case", "refresh", case)
    assert "came since" not in vigie("case", "show", case)


def test_what_is_computed_by_itself_never_replaces_facts_that_somebody_gave(
    case: str, vigie, tmp_path: Path
) -> None:
    """They are signed for: the difference is said, and who names the case decides."""
    vigie("exposure", *PERIOD, "--facts", tmp_path / "facts.json")
    facts = json.loads((tmp_path / "facts.json").read_text())
    persons = next(one for one in facts["facts"] if one["name"] == "persons")
    persons.update(numerator=14, low=None, high=None)
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    given = ("case", "facts", case, tmp_path / "facts.json", "--reason", "counted by the expert")
    vigie(*given)
    before = json.loads(vigie("case", "show", case, "--format", "json"))
    assert before["facts_given"]
    stays = "anne gave the facts of case 2026-001 as a file"
    mapping = tmp_path / "mapping.toml"
    declared = mapping.read_text("utf-8").replace('"medical"]', '"medical", "appointments"]', 1)
    assert declared != mapping.read_text("utf-8")
    mapping.write_text(declared, "utf-8")
    printed = read(vigie, tmp_path, LATER)
    assert "The declarations changed" in printed
    assert stays in printed
    assert re.search(r"persons +14 +15", printed)
    for asked in (("case", "refresh"), ("exposure", "--case", case)):
        assert stays in vigie(*asked)
    vigie("case", "decide", case, "boundary", "all", "--reason", "r")
    after = json.loads(vigie("case", "show", case, "--format", "json"))
    assert after["facts"] == before["facts"]
    assert "Facts given as a file on" in vigie("case", "show", case)
    assert stays not in vigie("case", "refresh", case)
    replaced = json.loads(vigie("case", "show", case, "--format", "json"))
    assert not replaced["facts_given"]
    assert replaced["facts"] != before["facts"]
    vigie(*given)
    assert json.loads(vigie("case", "show", case, "--format", "json"))["facts_given"]
    assert vigie("verify").startswith("Everything")


def test_facts_that_name_nobody_are_said_to_have_no_mark(given: str, vigie, tmp_path: Path) -> None:
    facts = json.loads((tmp_path / "facts.json").read_text())
    (tmp_path / "bare.json").write_text(json.dumps(facts | {"accounts": []}))
    said = vigie("case", "facts", given, tmp_path / "bare.json", "--reason", "r")
    assert "name no account and period" in said
    assert "came since" not in read(vigie, tmp_path, LATER)


@pytest.mark.parametrize("moment", ["yesterday", "2026-03-10", ""])
def test_facts_whose_moments_are_no_times_are_refused(
    given: str, vigie, tmp_path: Path, moment: str
) -> None:
    facts = json.loads((tmp_path / "facts.json").read_text())
    facts["moments"]["period_from"] = moment
    (tmp_path / "odd.json").write_text(json.dumps(facts))
    said = vigie("case", "facts", given, tmp_path / "odd.json", "--reason", "r", code=1)
    assert "one of its moments is no time" in said


def test_two_open_cases_about_one_account_are_said(case: str, vigie) -> None:
    vigie("case", "open", "--title", "Again", "--reason", "another team")
    said = vigie("exposure", "--case", "2026-002", *PERIOD, "--reason", "r")
    assert "case 2026-001, open too, asks about an account of this case" in said
    later = (*PERIOD[:2], "--from", "2026-04-10", "--to", "2026-04-11")
    alone = vigie("exposure", "--case", "2026-002", *later, "--reason", "r", code=4)
    assert "open too" not in alone
    vigie("case", "decide", "2026-001", "state", "contained", "--reason", "r")
    vigie("case", "decide", "2026-001", "authority", "not_notified", "--reason", "no risk")
    vigie("case", "decide", "2026-001", "persons", "not_informed", "--exemption", "no_high_risk",
          "--reason", "no risk")  # fmt: skip
    vigie("case", "close", "2026-001", "--reason", "done")
    assert "open too" not in vigie("exposure", "--case", "2026-002", *PERIOD, "--reason", "r")


def test_nobody_is_told_of_an_exposure_of_nobody(case: str, vigie, tmp_path: Path) -> None:
    """A session that only logged in: the log is complete and counts no person."""
    (private := tmp_path / "facts.json").write_text("")
    vigie("exposure", *PERIOD, "--facts", private)
    facts = json.loads(private.read_text())
    persons = next(one for one in facts["facts"] if one["name"] == "persons")
    persons.update(numerator=0, low=None, high=None)
    private.write_text(json.dumps(facts))
    vigie("case", "facts", case, private, "--reason", "r")
    for notice in ("press", "letters", "advice"):
        assert "count nobody" in vigie("notice", "prepare", case, notice, "--reason", "r", code=1)
    out = ("--out", tmp_path / "out", "--form", "txt")
    assert "count nobody" in vigie("notice", "render", case, "press", *out, code=1)
    assert "written" in vigie("notice", "render", case, "cnil", *out)


def test_no_moment_of_a_case_contradicts_the_accesses_that_its_facts_count(
    case: str, vigie
) -> None:
    note, aware = ("case", "note", case, "x", "--kind"), ("case", "decide", case, "awareness")
    assert "ended later" in vigie(*note, "breach_ended", "--at", "2026-03-10T12:00", code=1)
    assert "began earlier" in vigie(*note, "breach_began", "--at", "2026-03-10T12:00", code=1)
    early = (*aware, "--reason", "r", "--at", "2026-03-01T12:00")
    assert "before it began" in vigie(*early, code=1)
    vigie(*note, "breach_began", "--at", "2026-02-28")
    vigie(*early)
    vigie(*note, "breach_ended", "--at", "2026-03-12")


def test_a_stale_notice_names_the_first_changes(case: str, vigie, tmp_path: Path) -> None:
    vigie("notice", "prepare", case, "letters", "--reason", "r")
    vigie("notice", "approve", case, "letters", "--reason", "r", who="bruno")
    read(vigie, tmp_path, LATER)
    vigie("case", "refresh", case)
    said = vigie("notice", "send", case, "letters", "--register", tmp_path / "none.toml", code=1)
    assert " more); ask for it again" in said
    assert said.count("→") == 3
