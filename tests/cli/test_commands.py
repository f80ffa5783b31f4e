"""The command line as a user meets it: real processes, real files, both languages."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vigie.simulate.output import write_world
from vigie.simulate.presets import simulate

CODES = {0, 3, 4}
PAGE = Path(__file__).parents[2] / "docs/scan.md"
# A small platform says little at the default budget: these tests are of the form of the answer.
ALERTS = ("alerts", "--alarm-budget", "300", "--format", "json")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def vigie(
    *arguments: object, home: Path, language: str = "en", given: str = ""
) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "vigie.cli", *map(str, arguments)],
        capture_output=True, text=True, check=False, input=given,
        env={**os.environ, "VIGIE_HOME": str(home), "LC_ALL": f"{language}.UTF-8"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated practice software whose logs were scanned once."""
    out = tmp_path_factory.mktemp("platform")
    world = simulate(
        "practice-software", 0.03, seed=2, days=30, attacks={"fast_sweep": 2, "export": 2}
    )
    write_world(world, out)
    code, printed, _errors = vigie(
        "scan", out / "logs", "--mapping", out / "mapping.toml", home=out / "home"
    )
    assert code in CODES
    assert "accepted" in printed
    return out


def test_the_json_answer_is_as_documented(platform: Path) -> None:
    code, printed, _errors = vigie(*ALERTS, home=platform / "home")
    answer = json.loads(printed)
    shown = json.loads(PAGE.read_text("utf-8").split("```json\n")[1].partition("```")[0])
    assert answer.keys() == shown.keys()
    assert {frozenset(one) for one in answer["levels"]} <= {frozenset(shown["levels"][0])}
    assert code == (4 if not answer["trust"]["ok"] else 3 if answer["alerts"] else 0)
    assert answer["version"] == 1
    assert answer["events"] > 1000
    assert answer["quarantined"] == 0
    assert answer["accounts"] > 50
    assert answer["days"] >= 30
    assert answer["alerts"]
    for alert in answer["alerts"]:
        assert alert.keys() == shown["alerts"][0].keys()
        assert TIME.fullmatch(alert["opened_at"])
        assert TIME.fullmatch(alert["last_at"])
        assert alert["lines"]
        assert alert["account"] in alert["accounts"]
        assert set(alert["why"]) == {"fr", "en"}
        assert alert["why"]["fr"] != alert["why"]["en"]
        assert alert["level"] in {"watch", "step_up", "suspend"}


def test_a_second_scan_adds_nothing_and_answers_the_same(platform: Path) -> None:
    home = platform / "home"
    before = vigie(*ALERTS, home=home)
    _code, printed, errors = vigie(
        "import",
        platform / "logs",
        "--mapping",
        platform / "mapping.toml",
        "--format",
        "json",
        home=home,
    )
    assert errors == ""
    assert sum(file["rows_added"] for file in json.loads(printed)["files"]) == 0
    assert vigie(*ALERTS, home=home)[:2] == before[:2]


def test_opened_at_is_the_time_of_a_line_of_the_alert(platform: Path) -> None:
    home = platform / "home"
    answer = json.loads(vigie(*ALERTS, home=home)[1])
    alert = answer["alerts"][0]
    _code, printed, _errors = vigie(
        "events", "--account", alert["account"], "--limit", "1000000", "--format", "json", home=home
    )
    rows = json.loads(printed)
    times = {
        r["at"] for r in rows if f"{r['source_file']}:{r['source_line']}" in set(alert["lines"])
    }
    assert alert["opened_at"] in times


def test_an_alert_is_explained_in_both_languages(platform: Path) -> None:
    home = platform / "home"
    alert = json.loads(vigie(*ALERTS, home=home)[1])["alerts"][0]
    code, english, _errors = vigie("explain", alert["id"][:8], home=home)
    assert code == 0
    assert alert["why"]["en"] in english.replace("\n", " ")
    _code, french, _errors = vigie("--help", home=home, language="fr")
    assert "usage : vigie" in french.replace("\u00a0", " ")
    _code, french, _errors = vigie("explain", alert["id"], "--lang", "fr", home=home)
    assert alert["why"]["fr"] in french.replace("\n", " ")


def test_the_list_and_the_curve_give_one_figure_or_say_why_not(platform: Path) -> None:
    home = platform / "home"
    for alert in json.loads(vigie(*ALERTS, home=home)[1])["alerts"][:2]:
        story = json.loads(vigie("explain", alert["id"], "--format", "json", home=home)[1])
        same = f"{alert['evidence']:.1f}" == f"{story['steps'][-1]['level']:.1f}"
        english = vigie("explain", alert["id"], home=home)[1]
        assert ("Listed with" in english) != same
        french = vigie("explain", alert["id"], "--lang", "fr", home=home)[1]
        assert ("Listée à" in french) != same


def test_budget_and_learning_change_the_answer(platform: Path) -> None:
    home = platform / "home"
    strict = json.loads(
        vigie("alerts", "--alarm-budget", "0.001", "--format", "json", home=home)[1]
    )
    loose = json.loads(vigie("alerts", "--alarm-budget", "3000", "--format", "json", home=home)[1])
    assert len(loose["alerts"]) > len(strict["alerts"])
    until = json.loads(
        vigie("alerts", "--learn-until", "2025-10-25", "--format", "json", home=home)[1]
    )
    assert until["learn_until"].startswith("2025-10-25")


def test_csv_has_one_line_per_alert(platform: Path) -> None:
    _code, printed, _errors = vigie("alerts", "--format", "csv", home=platform / "home")
    assert printed.splitlines()[0].startswith("id,level,account,opened_at")


def test_every_look_is_in_the_journal_and_verify_finds_what_was_changed(platform: Path) -> None:
    home = platform / "home"
    assert vigie("verify", home=home)[0] == 0
    journal = home / "journal"
    kept = journal.read_bytes()
    assert b'"detect"' in kept
    journal.write_bytes(kept.replace(b'"what":"detect"', b'"what":"nothing"', 1))
    code, printed, _errors = vigie("verify", home=home)
    assert code == 1
    assert "journal:2" in printed
    journal.write_bytes(kept)
    segment = next((home / "segments").rglob("*.parquet"))
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    code, printed, _errors = vigie("verify", home=home)
    assert code == 1
    assert segment.name in printed
    segment.write_bytes(whole)
    assert vigie("verify", home=home)[0] == 0


def test_queries_cannot_read_or_write_anything_else(platform: Path, tmp_path: Path) -> None:
    home = platform / "home"
    key = home / "pseudonym.key"
    for query in (
        f"SELECT * FROM read_text('{key}')",
        f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
        "SET enable_external_access = true",
        f"ATTACH '{tmp_path / 'x.db'}'",
    ):
        code, printed, errors = vigie("events", "--sql", query, home=home)
        assert code == 2, query
        assert "base" not in printed
        assert errors.startswith("vigie: --sql")
    code, printed, _errors = vigie("events", "--sql", "SELECT count(*) AS n FROM events", home=home)
    assert code == 0
    assert int(printed.split()[-1]) > 1000


def test_the_oracle_answers_as_the_reader_writes_and_keeps_its_limit(tmp_path: Path) -> None:
    (tmp_path / "vigie.toml").write_text("pseudonyms_per_hour = 2\n")
    ask = ("pseudonym", "--authority", "hospital", "--reason", "test")
    code, printed, _errors = vigie(*ask, "12345", home=tmp_path)
    assert code == 0
    assert re.fullmatch(r"[0-9a-f]{32}\n", printed)
    assert vigie(*ask, home=tmp_path, given="12345\n")[1] == printed
    code, printed, errors = vigie(*ask, "67890", home=tmp_path)
    assert (code, printed) == (1, "")
    assert "12345" not in (tmp_path / "journal").read_text()
    assert "67890" not in errors


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("scan",), 2, "PATH"),
        (("scn",), 2, "did you mean scan"),
        (("scan", "/nowhere/at-all"), 2, "no such file"),
        (("explain", "zz"), 2, "there is no store there"),
        (("simulate", "hopital", "--out", "x"), 2, "did you mean hospital"),
        (("alerts", "--alarm-budget", "0"), 2, "above 0"),
        (("alerts", "--alarm-budget", "inf"), 2, "above 0"),
        (("alerts", "--learn-until", "yesterday"), 2, "not a date"),
        (("unseal", "here", "--identity", "x", "--reason", "y"), 2, "not a file and a line"),
    ],
)
def test_a_wrong_call_is_one_sentence(
    arguments: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    found, printed, errors = vigie(*arguments, home=tmp_path)
    assert found == code
    assert said in errors
    assert errors.startswith("vigie: ")
    assert errors.count("\n") == 1
    assert printed == ""


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "empty"),
        ("noise.bin", bytes(range(256)) * 8, "no reader recognises"),
        ("broken.ndjson.gz", b"\x1f\x8b\x08\x00garbage", "empty or cannot be decompressed"),
    ],
)
def test_a_bad_file_is_one_sentence_and_stops_nothing(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / name).write_bytes(content)
    code, _printed, errors = vigie("scan", tmp_path / "logs", home=tmp_path / "home")
    assert code == 1
    assert said in errors
    event = '{"resourceType":"AuditEvent","recorded":"2026-01-05T10:00:00Z","action":"R",'
    event += '"agent":[{"requestor":true,"who":{"identifier":{"value":"a"}}}]}\n'
    (tmp_path / "logs" / "good.ndjson").write_text(event)
    code, printed, errors = vigie("scan", tmp_path / "logs", home=tmp_path / "home")
    assert code == 4
    assert said in errors
    assert "Lines read: 1 (files: 1) = 1 accepted" in printed


def test_a_home_without_rights_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a directory")
    code, _printed, errors = vigie("alerts", home=tmp_path / "home")
    assert code == 1
    assert errors.startswith("vigie: ")
    assert errors.count("\n") == 1


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    """The limit on file size (RLIMIT_FSIZE) stands in for a disk that fills up."""
    import resource

    out = tmp_path / "out"
    write_world(simulate("practice-software", 0.02, seed=3, days=4, attacks=0), out)
    arguments = ("import", out / "logs", "--mapping", out / "mapping.toml")
    done = subprocess.run(
        [sys.executable, "-m", "vigie.cli", *map(str, arguments)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "VIGIE_HOME": str(tmp_path / "home"), "LC_ALL": "C.UTF-8"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000)),
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("vigie: ")
    code, printed, _errors = vigie(*arguments, "--format", "json", home=tmp_path / "home")
    assert code == 0
    files = json.loads(printed)["files"]
    assert all(file["read"] == file["accepted"] for file in files)
    assert vigie("verify", home=tmp_path / "home")[0] == 0


@pytest.mark.parametrize(
    "command",
    [
        ("alerts",), ("explain", "93d4"), ("triage",), ("events",), ("verify",), ("compact",),
        ("retain",), ("rotate",), ("indicators", "match", "--key", "k"),
        ("exposure", "--account", "a", "--from", "2026-01-01", "--to", "2026-01-02"),
    ],
)  # fmt: skip
def test_a_home_that_is_not_there_is_said_and_not_made(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "k").write_text("0" * 64)
    (tmp_path / "k").chmod(0o600)
    given = [str(tmp_path / "k") if word == "k" else word for word in command]
    code, printed, errors = vigie(*given, home=tmp_path / "typo")
    assert (code, printed) == (2, "")
    assert "typo: there is no store there; vigie scan makes one" in errors
    assert not (tmp_path / "typo").exists()


def test_an_empty_store_says_one_thing(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("at,who,what\n")
    (tmp_path / "m.toml").write_text(
        '[source]\nname = "t"\nreader = "table"\n'
        '[columns]\nat = "at"\naccount = "who"\naction = "what"\n'
    )
    home = tmp_path / "home"
    code, _printed, _errors = vigie(
        "import", tmp_path / "log.csv", "--mapping", tmp_path / "m.toml", home=home
    )
    assert code == 0
    for command in ("alerts", "triage"):
        code, printed, _errors = vigie(command, home=home)
        assert code == 4
        assert printed.splitlines() == [
            "This answer cannot be trusted:", "! there is no event to look at",
        ]  # fmt: skip


@pytest.mark.parametrize("wrong", [("--scale", "nan"), ("--scale", "inf"), ("--seed", "-1")])
def test_a_world_that_cannot_be_is_one_sentence(wrong: tuple[str, str], tmp_path: Path) -> None:
    code, _printed, errors = vigie(
        "simulate", "hospital", "--out", tmp_path / "out", *wrong, home=tmp_path
    )
    assert (code, errors.count("\n")) == (2, 1)
    assert wrong[0] in errors
    assert not (tmp_path / "out").exists()


def test_a_command_started_with_its_output_closed_works(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m vigie.cli simulate hospital --scale 0.001 --days 1 --out {tmp_path}/o"
        " >&-",
        shell=True, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "o" / "logs").is_dir()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_knows_few_letters_is_written_to(encoding: str, platform: Path) -> None:
    def run(*arguments: str) -> bytes:
        done = subprocess.run(
            [sys.executable, "-m", "vigie.cli", "--lang", "fr", *arguments],
            capture_output=True, check=False,
            env={**os.environ, "VIGIE_HOME": str(platform / "home"), "PYTHONIOENCODING": encoding},
        )  # fmt: skip
        assert b"Traceback" not in done.stderr
        assert b"UnicodeEncodeError" not in done.stderr
        return done.stdout

    assert "usage" in run("--help").decode(encoding)
    for command in ("doctor", "alerts"):
        assert run(command).decode(encoding)
    answer = json.loads(run("alerts", "--alarm-budget", "300", "--format", "json"))
    assert "’" in "".join(alert["why"]["fr"] for alert in answer["alerts"])
