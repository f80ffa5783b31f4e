"""The oracle answers slowly, on the record, and keeps no identifier."""

from pathlib import Path

import pytest

from vigie import journal
from vigie.config import Settings
from vigie.errors import RefusedError
from vigie.oracle import ask
from vigie.pseudonyms import open_keyring

FIVE = Settings(pseudonyms_per_hour=5)
NOON = 1_764_590_400.0


def question(
    home: Path, count: int, now: float = NOON, reason: str = "complaint 12"
) -> list[bytes]:
    values = [f"185011234567{number}" for number in range(count)]
    return ask(home, FIVE, values, "nir", "patient", "dpo", reason, now)


def test_the_answer_is_what_the_readers_store(tmp_path: Path) -> None:
    ring = open_keyring(tmp_path)
    assert question(tmp_path, 1) == [ring.pseudonym("1850112345670", "nir")]


def test_every_answer_is_journalled_without_its_values(tmp_path: Path) -> None:
    question(tmp_path, 3)
    (entry,) = journal.entries(tmp_path)
    assert (entry.what, entry.who, entry.reason) == ("pseudonym", "dpo", "complaint 12")
    assert "3 of patient" in entry.subject
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"1850112345670" not in kept


def test_the_hour_is_counted_and_the_refusal_says_when(tmp_path: Path) -> None:
    question(tmp_path, 3)
    question(tmp_path, 2, NOON + 600)
    with pytest.raises(RefusedError, match="2025-12-01 13:00:00 UTC"):
        question(tmp_path, 1, NOON + 1200)
    with pytest.raises(RefusedError, match="2025-12-01 13:10:00 UTC"):
        question(tmp_path, 4, NOON + 1200)
    assert len(question(tmp_path, 3, NOON + 3601)) == 3
    assert len(journal.entries(tmp_path)) == 3


def test_more_than_an_hour_allows_is_refused_outright(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="ask for fewer"):
        question(tmp_path, 6)


def test_a_reason_is_needed(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="needs a reason"):
        question(tmp_path, 1, reason="")


def test_a_spoilt_count_frees_nothing(tmp_path: Path) -> None:
    question(tmp_path, 1)
    (tmp_path / "oracle.json").write_text("rubbish")
    with pytest.raises(RefusedError):
        question(tmp_path, 1)
