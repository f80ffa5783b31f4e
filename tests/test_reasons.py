"""What a library refuses is said in our words, in the language of whoever reads it."""

import sqlite3
import tomllib
from pathlib import Path

import msgspec
import pytest

from vigie.cli import main
from vigie.errors import SettingsError, reason_of
from vigie.language import N_, Clause, speaking


class Form(msgspec.Struct, forbid_unknown_fields=True):
    count: int
    names: list[str] = []
    rate: float | None = None


def told(error: Exception, language: str = "en") -> str:
    with speaking(language):
        return str(Clause(reason)) if isinstance(reason := reason_of(error), str) else str(reason)


@pytest.mark.parametrize(("text", "said"), [
    ("a 1", "line 1, column 3: a key has no = after it"),
    ("a = 1\na = 2", "at its end: a key or a table is given twice"),
    ('a = "b', "at its end: a text has no closing quote"),
    ("a = b", "line 1, column 5: a value is missing, or a text without quotes"),
    ("a = [1", "at its end: a bracket is not closed"),
    ("a = 1 b", "line 1, column 7: something stands after the value"),
    ('a = "C:\\d"', r"line 1, column 10: a \ stands in double quotes: use single quotes"),
])  # fmt: skip
def test_toml_that_is_none_says_where_and_what(text: str, said: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    assert told(caught.value) == said
    assert told(caught.value, "fr").startswith(("ligne ", "à la fin"))


@pytest.mark.parametrize(("said", "reason"), [
    ({}, "count is missing"),
    ({"count": "x"}, "count: a whole number is needed, not a text"),
    ({"count": 1, "names": [1]}, "names[0]: a text is needed, not a whole number"),
    ({"count": 1, "rate": "x"}, "rate: a number or nothing is needed, not a text"),
    ({"count": 1, "other": 1}, "other is not known"),
])  # fmt: skip
def test_a_value_of_another_type_is_named_by_its_place(said: object, reason: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(said, Form)
    assert told(caught.value) == reason
    assert "Expected" not in told(caught.value, "fr")
    assert told(caught.value, "fr") != reason


@pytest.mark.parametrize("data", [b"{", b"{]", b"\xff", b'{"count": 1e400}'])
def test_json_that_is_none_is_told_without_its_content(data: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as caught:
        msgspec.json.decode(data, type=Form)
    for language in ("fr", "en"):
        assert "malformed" not in told(caught.value, language)
        assert "{" not in told(caught.value, language)


def test_a_database_that_is_none_is_told_in_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"not a database, and long enough to be taken for one" * 200)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        sqlite3.connect(path).execute("SELECT 1 FROM sqlite_master")
    assert told(caught.value) == "it is no database"
    assert told(caught.value, "fr") == "ce n’est pas une base de données"


def test_a_reason_is_in_the_language_of_whoever_reads_it() -> None:
    error = SettingsError(N_("the settings cannot be read ({reason})"), where="vigie.toml",
                          reason=Clause(N_("{name} is missing"), name="budget"))  # fmt: skip
    with speaking("fr"):
        assert str(error) == "vigie.toml\u00a0: les réglages sont illisibles (budget manque)."
    with speaking("en"):
        assert str(error) == "vigie.toml: the settings cannot be read (budget is missing)."


def test_a_settings_file_that_is_none_is_told_in_french(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "vigie.toml").write_text("budget = maybe\n")
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    assert main(["--lang", "fr", "alerts"]) == 1
    said = capsys.readouterr().err
    assert "ligne 1" in said
    assert "Invalid" not in said
