"""The whole walk in one process: what must not change whatever happens around it."""

from pathlib import Path

import pyarrow as pa
import pytest

from vigie.config import Settings
from vigie.detection import COLUMNS, detect
from vigie.events import SCHEMA
from vigie.pipeline import find_files, import_files, load_mappings
from vigie.simulate.output import write_world
from vigie.simulate.presets import simulate
from vigie.stores import Store

WANTED = [name for name in SCHEMA.names if name in {*COLUMNS, "event_id"}]


@pytest.fixture(scope="module", params=["practice-software", "identity-server"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A platform; the identity server's log shows pages of twenty persons in one line."""
    out = tmp_path_factory.mktemp("platform")
    attacks = {"fast_sweep": 2, "export": 1, "enumeration": 1}
    write_world(simulate(request.param, 0.03, seed=4, days=30, attacks=attacks), out)
    return out


def imported(platform: Path, home: Path) -> None:
    with Store.open(home, write=True) as store:
        done = import_files(store, find_files([platform / "logs"]), load_mappings([platform]))
    assert all(file.error is None for file in done)


def alerts(home: Path):
    with Store.open(home) as store:
        return detect(store.events(WANTED), Settings(alarm_budget=300)).alerts


def known_pairs(home: Path) -> list[tuple[str, int]]:
    """How many patients each account knows: what survives a renaming of all patients."""
    with Store.open(home) as store:
        return sorted((row["account"], row["patients"]) for row in store.accounts().to_pylist())


def exposed(home: Path) -> pa.Table:
    """The (account, screen) pairs with the number of distinct patients each showed."""
    with Store.open(home) as store, store.connect() as connection:
        return connection.sql(
            "SELECT account, object, count(DISTINCT patient) AS patients FROM accesses"
            " GROUP BY ALL ORDER BY ALL"
        ).to_arrow_table()


def test_a_rotation_of_the_key_changes_no_answer(platform: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    imported(platform, home)
    before = alerts(home), known_pairs(home), exposed(home)
    assert before[0]
    with Store.open(home) as store:
        patients = set(store.events(["patient"]).column("patient").to_pylist()) - {None}
    with Store.open(home, write=True) as store:
        store.rotate(reason="test")
    with Store.open(home) as store:
        renamed = set(store.events(["patient"]).column("patient").to_pylist()) - {None}
        assert not store.verify()
    assert not patients & renamed
    assert (alerts(home), known_pairs(home)) == before[:2]
    assert exposed(home).equals(before[2])
    imported(platform, home)
    assert (alerts(home), known_pairs(home)) == before[:2]


def test_the_order_of_files_and_compaction_change_no_answer(platform: Path, tmp_path: Path) -> None:
    forward, backward = tmp_path / "forward", tmp_path / "backward"
    imported(platform, forward)
    files = dict(reversed(find_files([platform / "logs"]).items()))
    with Store.open(backward, write=True) as store:
        import_files(store, files, load_mappings([platform]))
        store.compact()
    assert alerts(forward) == alerts(backward)
