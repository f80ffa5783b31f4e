"""Logs that lack something, through the command line: it is said, and the exit code says it too."""

import json
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vigie.cli import main

MAPPING = """[source]
name = "{name}"
files = ["{name}*"]
[columns]
at = "{at}"
account = "USER"
action = "ACTION"
patient = {{ column = "IPP", kind = "local", authority = "chu" }}
device = "PC"
profession = "JOB"
organisation = "SITE"
[values.action]
L = "open"
"""
START = datetime(2026, 1, 5, tzinfo=UTC)
Row = tuple[datetime, str, int, str]
Scan = Callable[..., tuple[int, dict]]


def accesses(days: int, accounts: int = 70, each: int = 8) -> list[Row]:
    """Accesses of working days, mostly to each account's own patients."""
    rng, rows = random.Random(1), []
    for day in range(days):
        for account in range(accounts) if day % 7 < 5 else ():
            at = START + timedelta(days=day, hours=8, minutes=rng.random() * 60)
            for _ in range(each):
                at += timedelta(minutes=rng.expovariate(1 / 40))
                patient = 100 * account + rng.randrange(100)
                rows.append((at, f"user{account}", patient, f"pc{account}"))
    return sorted(rows)


def write(
    folder: Path, name: str, rows: Iterable[Row], at: str = "DATE", job: str = "nurse"
) -> None:
    lines = [
        f"{moment:%Y-%m-%d %H:%M:%S},{who},L,{100_000 + patient},{device},{job},{job and 'site'}\n"
        for moment, who, patient, device in rows
    ]
    header = f"{at},USER,ACTION,IPP,PC,JOB,SITE\n"
    (folder / f"{name}.csv").write_text(header + "".join(lines))
    (folder / f"{name}.toml").write_text(MAPPING.format(name=name, at=at))


@pytest.fixture
def scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scan:
    """Scan the logs of a directory: exit code and answer."""

    def run(*names: str, command: str = "scan", by: str = "") -> tuple[int, dict]:
        paths = [str(tmp_path / f"{name}.csv") for name in names]
        mappings = [x for name in names for x in ("--mapping", str(tmp_path / f"{name}.toml"))]
        given = [*paths, *mappings] if command == "scan" else []
        given += ["--by", by] if by else []
        home = ["--home", str(tmp_path / "home"), "--lang", "en", "--format", "json"]
        code = main([command, *given, *home])
        return code, json.loads(capsys.readouterr().out)

    return run


def said(answer: dict) -> str:
    return " ".join(remark["en"] for remark in answer["trust"]["remarks"])


def test_a_hole_of_days_is_named_and_nothing_is_trusted(tmp_path: Path, scan: Scan) -> None:
    rows = [row for row in accesses(42) if not 15 <= (row[0] - START).days < 24]
    write(tmp_path, "his", rows)
    code, answer = scan("his")
    assert code == 4
    assert "source his says nothing from 2026-01-20 to 2026-01-28" in said(answer)


def test_clocks_that_differ_are_named(tmp_path: Path, scan: Scan) -> None:
    rows = accesses(14, accounts=20)
    write(tmp_path, "portal", rows)
    later = [(row[0] + timedelta(hours=1), *row[1:]) for row in rows]
    write(tmp_path, "server", later, at="WHEN")
    code, answer = scan("portal", "server")
    assert code == 4
    assert "the clocks of sources portal and server differ by 3,600 seconds" in said(answer)


@pytest.mark.parametrize(("days", "accounts"), [(1, 70), (4, 70), (42, 1)])
def test_a_log_too_short_raises_nothing_and_says_what_is_needed(
    days: int, accounts: int, tmp_path: Path, scan: Scan
) -> None:
    write(tmp_path, "his", accesses(days, accounts))
    code, answer = scan("his")
    assert code == 4
    assert "at least a week of 60 accounts is needed" in said(answer)
    assert answer["levels"] == []


def test_each_level_says_what_its_budget_means_here(tmp_path: Path, scan: Scan) -> None:
    write(tmp_path, "his", accesses(42))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "vigie.toml").write_text("step_up_budget = 0.5\nsuspend_budget = 0.2\n")
    _code, answer = scan("his")
    budgets = {level["level"]: level["budget"] for level in answer["levels"]}
    assert budgets == {"watch": 1.0, "step_up": 0.5, "suspend": 0.2}
    yearly = answer["account_days"] / answer["days"] * 365 / 10_000
    assert answer["levels"][0]["yearly"] == pytest.approx(yearly)


def test_columns_that_are_empty_are_named(tmp_path: Path, scan: Scan) -> None:
    rows = [(*row[:3], "") for row in accesses(42)]
    write(tmp_path, "his", rows, job="")
    _code, answer = scan("his")
    for lost in ("its network or device", "an organisation or team", "a profession or role"):
        assert f"no access tells {lost}" in said(answer)


def test_the_queue_of_a_day_names_the_thief_and_states_its_guarantee(
    tmp_path: Path, scan: Scan
) -> None:
    night = START + timedelta(days=37, hours=20)
    stolen = [(night + timedelta(seconds=40 * n), "user7", 50_000 + n, "pc7") for n in range(60)]
    write(tmp_path, "his", sorted(accesses(42) + stolen))
    assert scan("his")[0] == 3
    code, answer = scan(command="triage")
    assert code == 3
    listed = [e["account"] for queue in answer["queues"] for e in queue["entries"]]
    assert "user7" in listed
    assert answer["fdr"] == 0.1
    assert answer["by_theorem"]
    assert answer["measured"]
    assert answer["by"] == "day"


def test_the_queue_of_a_week_says_what_it_needs_and_where_it_ends(
    tmp_path: Path, scan: Scan, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row for row in accesses(66) if row[0] < START + timedelta(days=65)]
    stolen = [
        (START + timedelta(days=day, hours=18, seconds=50 * n), "user7", 50_000 + 40 * day + n, "p")
        for day in range(50, 54) for n in range(12)
    ]  # fmt: skip
    write(tmp_path, "his", sorted(rows + stolen))
    scan("his")
    code, answer = scan(command="triage", by="week")
    assert code == (3 if any(queue["entries"] for queue in answer["queues"]) else 4)
    assert not any(queue["alone"] for queue in answer["queues"])
    assert [queue["day"] for queue in answer["queues"]][-2:] == ["2026-03-02", "2026-03-09"]
    assert answer["queues"][-1]["last"] == "2026-03-10"
    assert [queue["over"] for queue in answer["queues"]][-2:] == [True, False]
    home = ["--home", str(tmp_path / "home"), "--quiet"]
    main(["triage", *home, "--by", "week", "--lang", "fr"])
    shown = capsys.readouterr().out
    assert "La semaine du 2026-03-09 s’arrête avec le journal, au 2026-03-10" in shown
    assert "(10 semaines de chaque compte)" in shown
    assert "listés pour une semaine" in " ".join(shown.split())
    assert main(["triage", *home, "--by", "week", "--since", "2026-04-01", "--lang", "en"]) == 4
    shown = " ".join(capsys.readouterr().out.split())
    assert "No list: the log ends on 2026-03-10" in shown
    assert "Nobody to look at" not in shown


def test_a_mapping_for_other_files_is_named_as_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "his", accesses(1, accounts=2))
    (tmp_path / "his.csv").rename(tmp_path / "other.csv")
    given = [str(tmp_path / "other.csv"), "--mapping", str(tmp_path / "his.toml")]
    assert main(["import", *given, "--home", str(tmp_path / "home"), "--lang", "en"]) == 1
    assert "no mapping given is for a file of this name" in capsys.readouterr().err


def test_a_mended_mapping_says_that_lines_read_before_stay_as_they_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "his", accesses(1, accounts=2))
    mapping, home = tmp_path / "his.toml", ["--home", str(tmp_path / "home"), "--lang", "en"]
    given = ["import", str(tmp_path / "his.csv"), "--mapping", str(mapping), *home]
    whole = mapping.read_text()
    mapping.write_text(whole.replace('profession = "JOB"\n', ""))
    assert main(given) == 0
    mapping.write_text(whole)
    capsys.readouterr()
    assert main(given) == 0
    shown = capsys.readouterr().out
    assert "1 file was read before with another mapping" in shown
    assert main(given) == 0
    assert "another mapping" not in capsys.readouterr().out
