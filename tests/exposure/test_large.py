"""An account with more rows than are held at once: the same answers, a slice after the other."""

from pathlib import Path

import pyarrow as pa
import pytest
from tests.exposure.small import attest, line, moment, store_of
from tests.exposure.test_separation import ask, past, theft

from vigie.exposure import Boundary, Exposure, Scope, Stretch, habits, selection
from vigie.facts.counting import facts_of
from vigie.stores import Store

UNUSUAL = "session IN ('x', 'y')"
LEVELS = ("certain", "probable", "possible", "all")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The owner's three weeks; a thief past midnight; searches without names."""
    late = [
        line(f"2026-03-{day}T{hour}:{minute:02d}:30Z", "open", "record", f"n{day}{minute}",
             device="D9", session="x")
        for day, hour in ((21, "23"), (22, "00")) for minute in range(0, 60, 2)
    ]  # fmt: skip
    searches = [
        line(
            "2026-03-22T09:10:00Z", "search", "find", record_count="4", device="D1", session="s22"
        ),
        line("2026-03-22T00:20:00Z", "search", "find", record_count="7", device="D9", session="x"),
    ]
    return store_of(
        tmp_path_factory.mktemp("large"), [*past(), *theft("D9"), *late, *searches, *late[:3]]
    )


def answer(found: Exposure) -> tuple[pa.Table, object, bytes]:
    return found.table, found.separation.ways, facts_of(found).to_json()


@pytest.mark.parametrize("level", LEVELS)
def test_slices_and_views_give_what_tables_give(
    home: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    period = Stretch("eve", moment("2026-03-20"), moment("2026-03-23"))
    scope = Scope((period,), Boundary(level, reason="decided", author="dpo"))
    whole = answer(ask(home, UNUSUAL, scope))
    assert whole[1] == {"eve": "place"}
    for held in (1, 40, 200):
        monkeypatch.setattr(selection, "HELD", held)
        monkeypatch.setattr(habits, "HELD", held)
        assert answer(ask(home, UNUSUAL, scope)) == whole


def test_what_a_question_may_take_is_in_the_settings(tmp_path: Path) -> None:
    home = store_of(tmp_path, past())
    with Store.open(home, write=True) as store:
        attest(store)
    for said, limit in (("0.5", "476.8 MiB"), ("0.1", "95.3 MiB")):
        (home / "vigie.toml").write_text(f"memory_gb = {said}\n")
        with Store.open(home) as store, store.connect() as connection:
            asked = "SELECT current_setting('memory_limit')"
            assert connection.execute(asked).fetchall() == [(limit,)]
