"""Bad input and a damaged store, as the command line meets them: one sentence, nothing lost."""

import errno
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from vigie.cli import main
from vigie.simulate.output import write_world
from vigie.simulate.presets import simulate
from vigie.stores.layout import telling

MAPPING = """[source]
name = "his"
[columns]
at = "DATE"
account = "USER"
action = "ACTION"
patient = { column = "IPP", kind = "local" }
object = "ECRAN"
[values.action]
L = "open"
"""
HEADER = "DATE,USER,ACTION,IPP,ECRAN\n"
Vigie = Callable[..., tuple[int, str, str]]


def row(number: int, account: str = "dupont", screen: str = "dossier") -> str:
    return f"2026-01-05 10:{number:02}:00,{account},L,{1000 + number},{screen}\n"


GOOD = HEADER + "".join(map(row, range(20)))


@pytest.fixture
def vigie(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Vigie:
    """Run a command in this process: exit code, results, remarks."""

    def run(
        *arguments: object, home: Path | None = None, language: str = "en"
    ) -> tuple[int, str, str]:
        given = ["--lang", language, "--home", str(home or tmp_path / "home")]
        try:
            code = main([*map(str, arguments), *given])
        except SystemExit as left:
            code = int(left.code or 0)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert "a defect of Vigie" not in said.err
        return code, said.out, said.err

    return run


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return written(tmp_path / "his.toml", MAPPING)


@pytest.fixture
def home(vigie: Vigie, tmp_path: Path, mapping: Path) -> Path:
    """A store of twenty lines."""
    log = written(tmp_path / "good.csv", GOOD)
    assert vigie("import", log, "--mapping", mapping)[0] == 0
    return tmp_path / "home"


def written(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def is_one_sentence(errors: str) -> bool:
    return errors.startswith("vigie: ") and errors.count("\n") == 1 and ";" in errors


# The store


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO '{segments}/x.parquet'",
        "EXPORT DATABASE '{segments}/dump'",
        "ATTACH '{segments}/x.db' AS x",
        "CALL enable_logging(storage = 'file')",
        "CREATE TABLE x AS SELECT 1",
        "SELECT 1; SELECT 2",
        "PRAGMA database_list",
        " ",
        "",
    ],
)
def test_a_query_writes_nothing_and_is_one(query: str, vigie: Vigie, home: Path) -> None:
    before = sorted((home / "segments").rglob("*"))
    code, printed, errors = vigie("events", "--sql", query.format(segments=home / "segments"))
    assert (code, printed) == (2, "")
    assert is_one_sentence(errors)
    assert "write a single SELECT" in errors
    assert sorted((home / "segments").rglob("*")) == before
    assert vigie("verify")[0] == 0


def test_every_value_of_a_query_has_a_form_in_json(vigie: Vigie, home: Path) -> None:
    query = "SELECT 'nan'::DOUBLE AS n, [x'01'] AS l, {'d': DATE '2026-01-01'} AS s, 1 AS a, 2 AS a"
    code, printed, _errors = vigie("events", "--sql", query, "--format", "json")
    assert code == 0
    assert json.loads(printed) == [
        {"n": None, "l": ["01"], "s": {"d": "2026-01-01"}, "a": 1, "a_1": 2}
    ]


def test_a_date_with_a_zone_is_that_moment(vigie: Vigie, home: Path) -> None:
    asked = ("events", "--format", "csv", "--since")
    # 10:10 in Paris is 09:10 UTC: ten lines begin then.
    printed = vigie(*asked, "2026-01-05T11:10:00+02:00")[1]
    assert printed.count("\n") == 1 + 10
    assert vigie(*asked, "0001-01-01T00:00:00+10:00")[0] == 2


@pytest.mark.parametrize("spoil", [b"", b"not Parquet"])
def test_a_spoilt_segment_is_named_by_every_command(spoil: bytes, vigie: Vigie, home: Path) -> None:
    segment = next((home / "segments").rglob("*.parquet"))
    segment.write_bytes(spoil)
    for command in (("events",), ("alerts",), ("verify",)):
        code, printed, errors = vigie(*command)
        assert code == 1
        assert segment.name in printed + errors


def spoil_key(home: Path) -> None:
    (home / "pseudonym.key").write_text(json.dumps({"base": "00" * 32, "steps": []}))


def shorten_key(home: Path) -> None:
    (home / "pseudonym.key").write_text(json.dumps({"base": "", "steps": []}))


def lose_key(home: Path) -> None:
    (home / "pseudonym.key").unlink()


def test_a_key_that_cannot_be_read_is_one_sentence(vigie: Vigie, home: Path) -> None:
    (home / "pseudonym.key").unlink()
    (home / "pseudonym.key").mkdir(mode=0o700)
    code, _printed, errors = vigie("rotate")
    assert code == 1
    assert is_one_sentence(errors)
    assert vigie("doctor")[0] == 1


@pytest.mark.parametrize("spoil", [spoil_key, shorten_key, lose_key])
def test_a_store_is_written_under_its_own_key_alone(
    spoil: Callable[[Path], None], vigie: Vigie, home: Path, tmp_path: Path, mapping: Path
) -> None:
    spoil(home)
    log = written(tmp_path / "more.csv", HEADER + row(40))
    for command in (
        ("import", log, "--mapping", mapping),
        ("pseudonym", "--authority", "his", "--reason", "test", "1001"),
        ("rotate",),
    ):
        code, printed, errors = vigie(*command)
        assert (code, printed) == (1, "")
        assert is_one_sentence(errors)
        assert "restore it from its backup" in errors
    assert vigie("verify")[0] == 1
    assert vigie("doctor")[0] == 1


def test_a_lost_catalogue_is_not_begun_anew(vigie: Vigie, home: Path) -> None:
    segments = {path: path.read_bytes() for path in home.rglob("*.parquet")}
    for path in home.glob("catalogue.sqlite*"):
        path.unlink()
    written(home / "catalogue.sqlite", b"")
    for command in ("alerts", "verify", "rotate", "events"):
        code, _printed, errors = vigie(command)
        assert code == 1
        assert is_one_sentence(errors)
        assert "the catalogue is gone" in errors
    assert {path: path.read_bytes() for path in home.rglob("*.parquet")} == segments


@pytest.mark.parametrize("spoil", [b"", b'{"alarm_bud', b"[1]"])
def test_how_an_answer_was_asked_for_is_forgotten_where_it_is_damaged(
    spoil: bytes, vigie: Vigie, home: Path
) -> None:
    vigie("alerts")
    (home / "last-asked.json").write_bytes(spoil)
    assert vigie("alerts")[0] == 4
    (home / "last-asked.json").write_bytes(spoil)
    code, _printed, errors = vigie("explain", "93d4")
    assert code == 2
    assert "no alert begins with '93d4'" in errors


# What a log says, shown

EVIL = "\x1b[31mroot\x1b]0;x\x07\x9b2J"
BACKWARDS = "\u202eeno"


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_no_code_of_a_log_reaches_the_terminal(
    form: str, vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    lines = [row(1, EVIL), row(2, BACKWARDS), row(3, ":warning:[red]"), row(4, "=1+1"), row(5)]
    log = written(tmp_path / f"a{EVIL}\nb.csv", HEADER + "".join(lines))
    _code, printed, errors = vigie("import", log, "--mapping", mapping)
    for command in (
        ("events", "--format", form),
        ("alerts", "--format", form),
        ("events", "--sql", f"SELECT '{BACKWARDS}' AS \"{EVIL}[red]\"", "--format", form),
        ("mapping", "test", log, "--mapping", mapping),
        ("mapping", "suggest", log),
        ("explain", EVIL),
        ("events", "--since", EVIL),
        ("import", tmp_path / EVIL),
        (EVIL,),
    ):
        _code, more, said = vigie(*command)
        printed, errors = printed + more, errors + said
    assert not set(printed + errors) & set("\x1b\x07\x9b\u202e")
    assert ":warning:[red]" in printed


def test_json_keeps_what_it_escapes(vigie: Vigie, mapping: Path, tmp_path: Path) -> None:
    log = written(tmp_path / "a.csv", HEADER + row(1, EVIL) + row(2, BACKWARDS))
    vigie("import", log, "--mapping", mapping)
    printed = vigie("events", "--format", "json")[1]
    assert [event["account"] for event in json.loads(printed)] == [EVIL, BACKWARDS]


def test_no_cell_is_a_formula(vigie: Vigie, mapping: Path, tmp_path: Path) -> None:
    accounts = ["=1+1", "+1", "-1", "@SUM(1)", '" =1"', "＝1"]
    log = written(tmp_path / "a.csv", HEADER + "".join(map(row, range(6), accounts)))
    vigie("import", log, "--mapping", mapping)
    printed = vigie("events", "--format", "csv")[1]
    assert [line.split(",")[1][0] for line in printed.splitlines()[1:]] == ["'"] * 6


# Files and mappings


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("name", "content", "place", "remedy"),
    [
        ("latin.csv", (HEADER + row(1, "dupônt")).encode("latin-1"), "latin.csv:2", "cp1252"),
        ("nul.csv", GOOD + "2026-01-05 10:00:00,a\0b,L,1,x\n", "nul.csv:22", "FROM quarantine"),
        ("fields.csv", GOOD + "a,b\n", "fields.csv:22", "FROM quarantine"),
        ("time.csv", HEADER + row(1).replace("2026-01-05", "2026-02-31"), "time.csv:2", "format"),
        ("action.csv", HEADER + row(1).replace(",L,", ",Z,"), "action.csv:2", "[values.action]"),
        ("cut.csv.gz", gzip.compress(GOOD.encode(), mtime=0)[:-30], "cut.csv.gz", ""),
        ("cut.csv.gz", gzip.compress(GOOD.encode(), mtime=0)[:12], "cut.csv.gz", "export"),
        ("empty.csv", "", "empty.csv", "export"),
        ("bytes.csv", bytes(range(256)) * 50, "bytes.csv", "encod"),
    ],
)
def test_a_bad_file_says_where_and_what_to_do(
    language: str, name: str, content: str | bytes, place: str, remedy: str,
    vigie: Vigie, mapping: Path, tmp_path: Path,
) -> None:  # fmt: skip
    log = written(tmp_path / name, content)
    code, printed, errors = vigie("import", log, "--mapping", mapping, language=language)
    assert code in (1, 4)
    assert place in printed + errors
    assert remedy in errors
    code, printed, errors = vigie("import", log, "--mapping", mapping, "--format", "json")
    [file] = json.loads(printed)["files"]
    if "read" in file:
        ignored = sum(file["ignored"].values())
        assert file["read"] == file["accepted"] + ignored + file["quarantined"]


def test_lines_of_quarantine_are_counted_by_reason(
    vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    bad = row(1).replace(",L,", ",Z,") + row(2) + row(3).replace(",L,", ",Z,") + "a,b\n"
    log = written(tmp_path / "a.csv", HEADER + bad)
    _code, printed, _errors = vigie("import", log, "--mapping", mapping, "--format", "json")
    assert json.loads(printed)["files"][0]["reasons"] == [
        {"reason": "unknown_action", "column": "ACTION", "first_line": 2, "lines": 2},
        {"reason": "bad_fields", "column": None, "first_line": 5, "lines": 1},
    ]


def test_no_raw_identifier_is_said_of_a_file_without_header(vigie: Vigie, tmp_path: Path) -> None:
    nir = "255081416802538"
    said = MAPPING.replace('at = "DATE"', 'at = { column = "DATE", unit = "s" }')
    mapping = written(tmp_path / "m.toml", said)
    log = written(tmp_path / f"{nir}.csv", f"dupont,L,{nir},x\n")
    code, printed, errors = vigie("import", log, "--mapping", mapping)
    assert code == 1
    assert nir not in printed + errors
    assert "NIR.csv" in errors


def test_a_pipe_or_a_device_is_refused_at_once(vigie: Vigie, mapping: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero")):
        for command in (("import", path, "--mapping", mapping), ("mapping", "suggest", path)):
            code, _printed, errors = vigie(*command)
            assert code == 1
            assert "write what it gives to a file" in errors


def test_links_in_a_circle_and_names_of_any_bytes(
    vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "again").symlink_to(logs)
    (logs / "loop.csv").symlink_to("loop.csv")
    written(Path(os.fsdecode(bytes(logs) + b"/lyon\xe9.csv")), GOOD)
    code, printed, errors = vigie("import", logs, "--mapping", mapping)
    assert (code, errors) == (0, "")
    assert "lyon\\xe9.csv" in printed
    code, _printed, errors = vigie("import", logs / "loop.csv", "--mapping", mapping)
    assert code == 1
    assert "symbolic links" in errors


def test_a_binary_file_gets_no_draft(vigie: Vigie, tmp_path: Path) -> None:
    code, printed, errors = vigie("mapping", "suggest", written(tmp_path / "a", b"\x7fELF\1\2\n\3"))
    assert (code, printed) == (1, "")
    assert is_one_sentence(errors)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("[source]\nname = ", "not TOML"),
        ("x = " + "[" * 5000, "nested too deeply"),
        (MAPPING.replace("his", "a\\u0000b"), "control characters"),
        (MAPPING.replace("his", "é" * 100), "short name"),
        (MAPPING.replace("[columns]", "retention_days = 99999999999999999999\n[columns]"), "36500"),
        (MAPPING.replace('"DATE"', '"DATES"'), "try 'DATE'"),
        (MAPPING.replace('"open"', '"opne"'), "try 'open'"),
    ],
)
def test_a_bad_mapping_is_one_sentence(said: str, what: str, vigie: Vigie, tmp_path: Path) -> None:
    log, mapping = written(tmp_path / "a.csv", GOOD), written(tmp_path / "m.toml", said)
    code, _printed, errors = vigie("import", log, "--mapping", mapping)
    assert code == 1
    assert is_one_sentence(errors)
    assert str(mapping) in errors
    assert what in errors


def test_a_directory_without_mapping_and_settings_that_are_none(
    vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    (tmp_path / "none").mkdir()
    log = written(tmp_path / "a.csv", GOOD)
    code, _printed, errors = vigie("import", log, "--mapping", tmp_path / "none")
    assert code == 1
    assert "holds no mapping" in errors
    for home, spoil in (("1", "x = " + "[" * 5000), ("2", "alarm_budgets = 1"), ("3", None)):
        (tmp_path / home).mkdir()
        settings = tmp_path / home / "vigie.toml"
        written(settings, spoil) if spoil else settings.mkdir()
        assert vigie("doctor", home=tmp_path / home)[0] == 1
        code, _printed, errors = vigie("alerts", home=tmp_path / home)
        assert code == 1
        assert is_one_sentence(errors)
        assert "the settings cannot be read" in errors


def test_a_reason_of_the_system_is_said_in_french_by_threads_too(
    vigie: Vigie, mapping: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes) -> None:
        with telling(tmp_path / "x"):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vigie.stores.receiving.write_whole", full)
    log = written(tmp_path / "a.csv", GOOD)
    code, printed, errors = vigie("import", log, "--mapping", mapping, language="fr")
    assert (code, printed) == (1, "")
    assert "le disque est plein" in errors
    monkeypatch.undo()
    assert vigie("verify")[0] == 0
    assert vigie("import", log, "--mapping", mapping)[0] == 0


# Drafts


def columns_of(draft: str) -> set[str]:
    return {line.split(" = ")[0] for line in draft.split("\n[")[1].split("\n") if " = " in line}


@pytest.mark.parametrize(
    ("log", "columns"),
    [
        (
            "NUM_TRACE;DATE_HEURE;LOGIN;TYPE_COMPTE;CODE_ACTION;NUM_DOSSIER;NB_DOSSIERS;CRITERE;ADR_IP\n"
            "7;05/01/2026 10:00:00;u;PERSONNE;CONSULT;1001;1;NOM;10.0.0.1\n",
            {"record_id", "at", "account", "actor_kind", "action", "patient", "record_count",
             "query_shape", "network"},
        ),
        (
            "timestamp\tuser_id\tevent_type\tpatient_id\tresult_count\tstatus\n"
            "1767600000\tu\tVIEW\t1001\t1\t200\n",
            {"at", "account", "action", "patient", "record_count", "outcome"},
        ),
        (
            "Date et heure|Nom utilisateur|Libellé action|N° patient|Établissement\n"
            "05/01/2026 10:00|u|Impression|1001|H\n",
            {"at", "account", "action", "patient", "organisation"},
        ),
        (
            '{"event": {"time": "2026-01-05T10:00:00Z", "action": "read"}, "user": {"login": "u"},'
            ' "patient": {"id": "1001"}}\n',
            {"at", "account", "action", "patient"},
        ),
    ],
)  # fmt: skip
def test_a_draft_finds_the_columns_and_reads_the_log(
    log: str, columns: set[str], vigie: Vigie, tmp_path: Path
) -> None:
    path = written(tmp_path / "log", log)
    code, draft, _errors = vigie("mapping", "suggest", path)
    assert code == 0
    assert columns_of(draft) == columns
    mapping = written(tmp_path / "draft.toml", draft)
    code, printed, errors = vigie("import", path, "--mapping", mapping, "--format", "json")
    assert (code, errors) == (0, "")
    assert json.loads(printed)["files"][0]["accepted"] == 1


def test_a_draft_says_that_date_and_hour_stand_apart(vigie: Vigie, tmp_path: Path) -> None:
    log = written(tmp_path / "a.csv", "Date|Heure|Agent|Action\n05/01/2026|10:00:00|u|Lecture\n")
    assert 'date "Date" and hour "Heure" stand apart' in vigie("mapping", "suggest", log)[1]


def test_a_draft_holds_no_number_of_a_patient(vigie: Vigie, tmp_path: Path) -> None:
    screens = "".join(row(1, screen=f"/patients/255081416802538/{n}") for n in range(3))
    log = written(tmp_path / "a.csv", HEADER + screens)
    assert "255081416802538" not in vigie("mapping", "suggest", log)[1]


def test_a_trial_prints_no_patient_taken_for_an_action(vigie: Vigie, tmp_path: Path) -> None:
    said = MAPPING.replace('action = "ACTION"', 'action = "IPP"').replace("patient =", "# ")
    mapping = written(tmp_path / "m.toml", said)
    log = written(tmp_path / "a.csv", (HEADER + row(1)).replace("1001", "255081416802538"))
    code, printed, errors = vigie("mapping", "test", log, "--mapping", mapping)
    assert code == 4
    assert "255081416802538" not in printed + errors


def test_a_directory_without_rights_is_not_passed_over(tmp_path: Path) -> None:
    """Root may open everything: as root, the test gives that right up."""
    logs = tmp_path / "logs"
    (logs / "closed").mkdir(parents=True)
    written(logs / "good.csv", GOOD)
    written(tmp_path / "m.toml", MAPPING)
    (logs / "closed").chmod(0)
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if not os.getuid() else []
    if drop and not shutil.which("setpriv"):
        pytest.skip("setpriv is not here, and root may open everything")
    command = [sys.executable, "-m", "vigie.cli", "import", logs, "--mapping", tmp_path / "m.toml"]
    done = subprocess.run(
        [*drop, *command],
        capture_output=True, text=True, check=False,
        env={**os.environ, "VIGIE_HOME": str(tmp_path / "home"), "LC_ALL": "fr_FR.UTF-8"},
    )  # fmt: skip
    (logs / "closed").chmod(0o700)
    assert done.returncode == 4
    assert "closed" in done.stderr
    assert "vous n’en avez pas le droit" in done.stderr
    assert is_one_sentence(done.stderr)
    assert "good.csv" in done.stdout


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs of two simulated platforms: web, FHIR and ATNA among them."""
    out = tmp_path_factory.mktemp("logs")
    for preset in ("regional-portal", "identity-server", "hospital"):
        write_world(simulate(preset, 0.01, seed=3, days=4, attacks=0), out / preset)
    return out


@pytest.mark.parametrize(
    ("log", "reader"),
    [
        ("regional-portal/logs/web/*", "weblog"), ("regional-portal/logs/*/traces-*", "fhir"),
        ("identity-server/logs/atna/*", "atna"), ("hospital/logs/postgresql/*", "pgaudit"),
    ],
)  # fmt: skip
def test_a_draft_is_of_the_format_that_is_recognised_and_names_nobody(
    log: str, reader: str, logs: Path, vigie: Vigie, tmp_path: Path
) -> None:
    path = sorted(logs.glob(log))[0]
    code, draft, _errors = vigie("mapping", "suggest", path)
    assert (code, tomllib.loads(draft)["source"]["reader"]) == (0, reader)
    assert not re.search(r"\d{4}", re.sub("#.*", "", draft))
    mapping = written(tmp_path / "draft.toml", draft)
    code, printed, errors = vigie("mapping", "test", path, "--mapping", mapping)
    assert (code, errors) == (0, "")
    assert "not mapped" not in printed
    code, printed, _errors = vigie("import", path, "--mapping", mapping, "--format", "json")
    (read,) = json.loads(printed)["files"]
    assert read["accepted"] > read["read"] / 2
    if reader == "weblog":
        query = "SELECT count(DISTINCT action) AS n, count(patient) AS p FROM events"
        code, printed, _errors = vigie("events", "--sql", query, "--format", "json")
        assert json.loads(printed)[0]["n"] >= 4
        assert json.loads(printed)[0]["p"] > 0


def test_a_draft_of_a_web_log_takes_the_names_of_a_path_for_values(
    vigie: Vigie, tmp_path: Path
) -> None:
    names = [f"{first}{last}" for first in "abcdef" for last in ("dupont", "durand", "martin")]
    lines = [
        f'10.0.0.1 - anna [06/Oct/2025:07:08:08 +0200] "GET /patients/{name}/file HTTP/1.1" 200 9\n'
        for name in [*names, *(f"{name}-{name}" for name in names)]
    ]
    log = written(tmp_path / "access.log", "".join(lines))
    draft = vigie("mapping", "suggest", log)[1]
    assert 'pattern = "/patients/{patient}/file"  # 36 in the sample' in draft
    assert 'format = "common"' in draft
    assert "dupont" not in draft


def test_a_file_of_blank_lines_has_no_names_of_columns(
    vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    code, _printed, errors = vigie(
        "import", written(tmp_path / "a.csv", "\n\n"), "--mapping", mapping
    )
    assert (code, errors) == (
        1, "vigie: a.csv: the file has no names of columns; check how it was exported.\n",
    )  # fmt: skip


def test_a_store_among_the_logs_is_not_read_as_a_log(
    vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    written(logs / "a.csv", GOOD)
    told = ("import", logs, "--mapping", mapping, "--format", "json")
    for _ in range(2):
        code, printed, errors = vigie(*told, home=logs / "home")
        assert (code, errors) == (0, "")
        assert [file["file"] for file in json.loads(printed)["files"]] == ["a.csv"]
    assert "holds no log file" in vigie("import", logs / "home", home=logs / "home")[2]


def test_a_trial_says_what_no_line_names(vigie: Vigie, tmp_path: Path) -> None:
    said = MAPPING.replace("account =", "# ").replace("patient =", "# ")
    log, mapping = written(tmp_path / "a.csv", GOOD), written(tmp_path / "m.toml", said)
    printed = vigie("mapping", "test", log, "--mapping", mapping)[1]
    assert "! no line shown names an account: nobody can be watched" in printed
    assert "! no line shown names a patient: sweeps cannot be seen" in printed
    whole = vigie("mapping", "test", log, "--mapping", written(tmp_path / "w.toml", MAPPING))[1]
    assert "! no line" not in whole


TITLES = "Export des accès;;;;\n\nPériode;01/01/2026;31/01/2026;;\n;;;;\n"
TABLE = GOOD.replace(",", ";")


def test_titles_above_a_table_are_passed_over_and_counted(
    vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    plain, titled = (written(tmp_path / name, TITLES[:at] + TABLE) for name, at in
                     (("plain.csv", 0), ("titled.csv", len(TITLES))))  # fmt: skip
    code, printed, _errors = vigie("import", titled, "--mapping", mapping, "--format", "json")
    assert code == 0
    (file,) = json.loads(printed)["files"]
    assert file["accepted"] == 20
    assert file["ignored"] == {"header": 4, "blank": 1}
    assert (
        json.loads(vigie("import", plain, "--mapping", mapping, "--format", "json")[1])["files"][0][
            "rows_already_there"
        ]
        == 20
    )
    assert 'account = "USER"' in vigie("mapping", "suggest", titled)[1]


def test_no_line_of_data_is_taken_for_a_title(vigie: Vigie, mapping: Path, tmp_path: Path) -> None:
    log = written(tmp_path / "joined.csv", row(1) + GOOD)
    code, _printed, errors = vigie("import", log, "--mapping", mapping)
    assert code == 1
    assert "the first line holds data" in errors


CARE = """[source]
name = "care"
reader = "care"
format = { delimiter = ";" }
[care]
patient = { column = "IPP", authority = "his" }
organisation = "FINESS"
kind = "TYPE"
valid_from = { column = "DEBUT", format = "%d/%m/%Y %H:%M" }
[care.kinds]
"RDV" = "appointment"
"""


def test_a_mapping_of_care_is_tried_and_refused_in_its_own_words(
    vigie: Vigie, tmp_path: Path
) -> None:
    said = written(tmp_path / "care.toml", CARE)
    lines = ["00000007;750;RDV;01/01/2026 10:00;x", "00000008;750;VISITE;01/01/2026 10:00;x",
             "00000009;750;RDV;32/01/2026 10:00;x"]  # fmt: skip
    log = written(tmp_path / "care.csv", "\n".join(["IPP;FINESS;TYPE;DEBUT;MOTIF", *lines]))
    _code, printed, _errors = vigie("mapping", "test", log, "--mapping", said)
    assert "not mapped: MOTIF: not named in [care]" in printed
    assert printed.count("not mapped") == 1
    assert "nobody can be watched" not in printed
    _code, _printed, errors = vigie("import", log, "--mapping", said)
    assert "add it to [care.kinds] of the mapping" in errors
    assert "write their form as format of that column" in errors


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (("2026-10-25 02:30:00", "2026-10-25 02:40:00", "2026-10-25 05:00:00"),
         "! 2 rows are of the hour that the autumn clock change repeats"),
        (("2026-03-29 02:30:00", "2026-03-29 05:00:00"),
         "! 1 row follows a jump back in time in its file"),
    ],
)  # fmt: skip
def test_times_that_a_clock_change_leaves_in_doubt_are_said(
    hours: tuple[str, ...], said: str, vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    lines = "".join(f"{hour},dupont,L,{n},dossier\n" for n, hour in enumerate(hours))
    log = written(tmp_path / "night.csv", HEADER + lines)
    code, printed, _errors = vigie("import", log, "--mapping", mapping)
    assert code == 0
    assert said in printed
    assert "clock" not in vigie("import", log, "--mapping", mapping)[1]


def test_a_draft_speaks_the_language_of_its_reader(vigie: Vigie, tmp_path: Path) -> None:
    log = written(tmp_path / "log.csv", "ts,login,quoi\n1767261600,dupont,zz\n")
    drafted = vigie("mapping", "suggest", log, language="fr")[1]
    remarks = " ".join(line.partition("# ")[2] for line in drafted.splitlines())
    assert "secondes depuis 1970" in remarks
    assert not re.search(r"\b(the|of|column|sample|lines|it)\b", remarks)


def test_a_question_that_nothing_answers_says_why(vigie: Vigie, home: Path) -> None:
    code, printed, errors = vigie("events", "--account", "durand", "--format", "json")
    assert (code, json.loads(printed)) == (0, [])
    assert (
        errors
        == "No access fits.\nNo access is of the account 'durand': write it as the log does.\n"
    )
    assert vigie("events", "--account", "dupont", "--since", "2027-01-01")[2] == "No access fits.\n"
    assert "of the source 'ris'" in vigie("events", "--source", "ris")[2]
    assert (
        '"at" is written in quotes' in vigie("events", "--sql", "SELECT count(at) FROM events")[2]
    )


def test_a_file_read_before_still_says_what_it_left_aside(
    vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    log = written(tmp_path / "log.csv", GOOD + "yesterday,dupont,L,1,dossier\n")
    assert vigie("import", log, "--mapping", mapping)[0] == 4
    code, printed, errors = vigie("import", log, "--mapping", mapping)
    assert code == 4
    assert "1 file was already known" in printed
    assert is_one_sentence(errors)
    assert "log.csv: 1 line of it is in quarantine since it was first read; mend" in errors


def test_what_is_passed_over_in_a_directory_is_said(
    vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    logs, archive = tmp_path / "logs", tmp_path / "archive"
    for folder in (logs, archive):
        folder.mkdir()
        written(folder / "log.csv", GOOD)
    written(logs / "access.txt", GOOD)
    (logs / "before").symlink_to(archive)
    (logs / "rotated.csv").symlink_to(tmp_path / "gone.csv")
    code, _printed, errors = vigie("import", logs, "--mapping", mapping)
    assert code == 0
    assert "3 texts, links to directories or links to nothing were passed over" in errors
    for name in ("access.txt", "before", "rotated.csv"):
        assert str(logs / name) in errors
    assert vigie("import", logs / "access.txt", "--mapping", mapping)[0] == 0


@pytest.mark.parametrize(
    "head", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-1.7\n"]
)
def test_a_workbook_is_named_as_such(
    head: bytes, vigie: Vigie, mapping: Path, tmp_path: Path
) -> None:
    book = written(tmp_path / "export.csv", head + bytes(range(200, 250)) * 9)
    for command in (("import", book, "--mapping", mapping), ("mapping", "suggest", book)):
        code, _printed, errors = vigie(*command)
        assert code == 1
        assert is_one_sentence(errors)
        assert "save the table as CSV" in errors
