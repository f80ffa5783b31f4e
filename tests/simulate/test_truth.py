"""The truth stands beside the logs, whole, and never among them."""

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from vigie.errors import UsageError
from vigie.readers.mapping import load_mapping
from vigie.simulate.output import simulate_to, write_world
from vigie.simulate.presets import PRESETS, simulate
from vigie.simulate.truth import line_labels
from vigie.simulate.world import FAMILIES, REASONS
from vigie.simulate.writers import WRITERS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("hospital")
    world = simulate("hospital", 0.02, 3, 6)
    return world, write_world(world, out), out


def test_every_preset_has_a_writer_and_mappings_that_are_accepted(tmp_path: Path) -> None:
    assert set(WRITERS) == set(PRESETS)
    for preset in PRESETS:
        out = tmp_path / preset
        summary = simulate_to(preset, 0.02, 1, out, days=2)
        assert summary.lines >= summary.accesses > 0
        assert all(file.is_relative_to(out / "logs") for file in summary.files)
        assert [load_mapping(path).source.name for path in out.glob("*.toml")]


def test_the_events_are_those_of_the_world(folder) -> None:
    world, _, out = folder
    truth = pq.read_table(out / "truth" / "events.parquet")
    assert pc.count_distinct(truth["row"]).as_py() == world.accesses.num_rows
    stolen = truth.filter(pc.greater_equal(truth["attack"], 0))
    assert stolen.num_rows == pc.sum(pc.greater_equal(world.accesses["attack"], 0)).as_py()
    assert stolen["family"].null_count == 0
    honest = truth.filter(pc.less(truth["attack"], 0))
    assert honest["family"].null_count == honest.num_rows
    assert set(pc.unique(truth["reason"].cast(pa.string())).to_pylist()) <= set(REASONS)


def test_the_attacks_say_whom_when_and_how_much(folder) -> None:
    world, _, out = folder
    told = json.loads((out / "truth" / "attacks.json").read_text("utf-8"))
    assert len(told) == len(world.attacks) > 0
    truth = pq.read_table(out / "truth" / "events.parquet")
    rows = Counter(truth["attack"].to_pylist())
    for attack in told:
        assert attack["family"] in FAMILIES
        assert attack["rows"] == rows[attack["attack"]]
        assert attack["onset"] <= attack["end"]
        assert attack["accounts"]


def test_a_line_has_one_label(folder) -> None:
    _, summary, out = folder
    labels = line_labels(out / "truth")
    assert labels.group_by(["name", "line"]).aggregate([]).num_rows == labels.num_rows
    assert set(labels["name"].to_pylist()) == {file.name for file in summary.files}
    truth = pq.read_table(out / "truth" / "events.parquet")
    stolen = truth.filter(pc.greater_equal(truth["attack"], 0)).group_by(["file", "line"])
    marked = pc.sum(pc.greater_equal(labels["attack"], 0)).as_py()
    assert stolen.aggregate([]).num_rows == marked > 0


def test_the_mapping_names_whose_records_they_are(folder) -> None:
    world, _, out = folder
    contracts = load_mapping(out / "mapping.toml").contracts()
    assert set(contracts["organisation"].to_pylist()) == set(
        world.organisations["finess"].to_pylist()
    )


def test_persons_and_where_they_were_seen(folder) -> None:
    world, _, out = folder
    persons = pq.read_table(out / "truth" / "persons.parquet")
    assert persons.num_rows == world.patients.num_rows
    assert persons["person"].null_count == 0
    seen = pq.read_table(out / "truth" / "controllers.parquet")
    assert set(seen["patient"].to_pylist()) <= set(persons["patient"].to_pylist())
    assert seen.num_rows == seen.group_by(["patient", "organisation"]).aggregate([]).num_rows


def test_the_log_folder_holds_logs_only(folder) -> None:
    _, summary, out = folder
    inside = sorted(path for path in (out / "logs").rglob("*") if path.is_file())
    assert inside == sorted(summary.files)
    assert {path.name for path in out.iterdir()} == {
        "logs", "truth", "care", "staff", "mapping.toml", "mapping-database.toml",
        "mapping-care.toml", "LISEZMOI.txt", "ranges.csv",
    }  # fmt: skip


def test_an_old_simulation_is_never_mixed_with_a_new_one(tmp_path: Path) -> None:
    simulate_to("hospital", 0.02, 1, tmp_path, days=2)
    with pytest.raises(UsageError, match="already holds"):
        simulate_to("hospital", 0.02, 1, tmp_path, days=2)


def test_progress_adds_up_to_the_places(tmp_path: Path) -> None:
    told: list[int] = []
    simulate_to("third-party-payment", 0.02, 1, tmp_path, days=2, progress=told.append)
    assert sum(told) == pq.read_metadata(tmp_path / "truth" / "events.parquet").num_rows
