"""Retention beside open cases: what they ask about stays until it is written out, or said to go."""

from pathlib import Path

import pytest
from tests.exposure.small import HEADER, line, store_of

from vigie import journal
from vigie.stores import Store

OTHERS = [line("2026-03-01 10:00", "open", "record", "Z", account="zoe")]
STOLEN = [
    line(f"2026-03-10 {hour:02}:30", "open", "record", f"Q{hour}", session="s")
    for hour in range(9, 21)
]
PERIOD = ("--account", "eve", "--from", "2026-03-10", "--to", "2026-03-11")


def rows(home: Path) -> int:
    with Store.open(home) as store:
        return sum(one.rows for one in store.sources())


@pytest.fixture
def old(vigie, private_home: Path, tmp_path: Path) -> str:
    """An open case about days whose time is over, beside a day of nobody's case."""
    store_of(tmp_path, [*OTHERS, *STOLEN]).rename(private_home)
    vigie("case", "open", "--title", "Portal", "--reason", "a journalist called")
    vigie("exposure", "--case", "2", *PERIOD, "--reason", "r")
    shorten(private_home)
    return "2"


def shorten(home: Path) -> None:
    with Store.open(home, write=True) as store:
        store.catalogue.run("UPDATE sources SET retention_days = 1")


def entries(home: Path, what: str) -> list[str]:
    return [entry.subject for entry in journal.entries(home) if entry.what == what]


def test_retention_keeps_the_days_of_an_open_case_and_says_which(
    old: str, vigie, private_home: Path
) -> None:
    said = vigie("retain", code=4)
    assert "case 2026-001: it is open and asks about 1 day whose time is over (2026-03-10" in said
    assert "--out FILE.parquet" in said
    assert rows(private_home) == len(STOLEN)
    assert entries(private_home, "held") == ["2026-001: 1 days from 2026-03-10 to 2026-03-10"]
    assert "12 persons exposed" in vigie("case", "refresh")


def test_an_exposure_that_was_written_out_lets_the_days_go(
    old: str, vigie, private_home: Path, tmp_path: Path
) -> None:
    out = ("exposure", "--case", old, "--reason", "for the file", "--out", tmp_path / "set.parquet")
    vigie(*out)
    late = [line("2026-03-10 23:10", "open", "record", "Q99", session="s")]
    (tmp_path / "late.csv").write_text("\n".join([HEADER, *late]) + "\n", "utf-8")
    vigie("import", tmp_path / "late.csv", "--mapping", tmp_path / "mapping.toml")
    shorten(private_home)
    assert "kept for it" in vigie("retain", code=4)
    vigie(*out)
    assert "dropped: its exposure was written out" in vigie("retain")
    assert rows(private_home) == 0
    assert len(entries(private_home, "let go")) == 1
    assert "13 persons exposed" in vigie("case", "refresh")


def test_the_days_of_an_open_case_go_when_somebody_says_so_and_why(
    old: str, vigie, private_home: Path
) -> None:
    assert "needs a reason" in vigie("retain", "--drop-for-cases", code=1)
    assert "dropped all the same" in vigie("retain", "--drop-for-cases", "--reason", "the CNIL's")
    assert rows(private_home) == 0
    (entry,) = [one for one in journal.entries(private_home) if one.what == "let go"]
    assert entry.reason == "the CNIL's"


def test_a_closed_case_holds_no_day(old: str, vigie, private_home: Path) -> None:
    vigie("case", "decide", old, "state", "dismissed", "--reason", "the owner was on call")
    assert "2026-001" not in vigie("retain")
    assert rows(private_home) == 0
