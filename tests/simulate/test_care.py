"""The table of care relations: what a real one would be, and nothing of the thefts."""

import fnmatch
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from vigie.pseudonyms import Keyring
from vigie.readers import reader_class
from vigie.readers.base import Context, Tally
from vigie.readers.intake import Intake
from vigie.readers.mapping import load_mapping
from vigie.records import CARE, CARE_KINDS
from vigie.simulate.output import write_world
from vigie.simulate.presets import simulate
from vigie.simulate.world import World

PRESETS = ("hospital", "practice-software", "regional-portal")
DAY = 86_400_000_000


@cache
def world(preset: str, attacks: int = 2) -> World:
    return simulate(preset, 0.03, 5, days=30, attacks=attacks)


@cache
def column(preset: str, name: str) -> np.ndarray:
    return world(preset).care[name].to_numpy()


@pytest.mark.parametrize("preset", PRESETS)
def test_the_table_does_not_know_of_thefts(preset):
    assert world(preset).care.equals(world(preset, attacks=0).care)


@pytest.mark.parametrize("preset", ["third-party-payment", "identity-server"])
def test_a_platform_without_such_a_table_has_none(preset):
    assert simulate(preset, 0.01, 1, days=5, attacks=0).care.num_rows == 0


@pytest.mark.parametrize("preset", PRESETS)
def test_it_is_kept_as_such_tables_are(preset):
    begin, end, entered = (column(preset, n) for n in ("valid_from", "valid_until", "recorded_at"))
    late = (entered > begin + DAY // 24).mean()
    assert (begin < end).all()
    assert (np.diff(entered) >= 0).all()
    assert 0.005 < late < 0.15
    assert len(np.unique(column(preset, "record"))) == world(preset).care.num_rows
    before = world(preset).start
    assert (begin < before).any()
    assert (begin >= before).any()


def test_a_hospital_admits_and_a_practice_books():
    stay, appointment = CARE_KINDS.index("stay"), CARE_KINDS.index("appointment")
    assert {stay, appointment} <= set(column("hospital", "kind").tolist())
    assert set(column("practice-software", "kind").tolist()) == {appointment}
    units = column("hospital", "unit")[column("hospital", "kind") == stay]
    assert (units >= 0).mean() > 0.8


def test_some_organisations_keep_their_diary_elsewhere():
    known = set(column("regional-portal", "organisation").tolist())
    assert 0.1 < len(known) / world("regional-portal").organisations.num_rows < 0.7


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_written_is_read_again_under_the_pseudonyms_of_the_log(preset, tmp_path: Path):
    write_world(world(preset), tmp_path)
    mapping = load_mapping(tmp_path / "mapping-care.toml")
    ring = Keyring(bytes(32))
    context = Context(mapping.source, ring, mapping.raw, mapping.where)
    parts, tally = [], Tally()
    for file in sorted((tmp_path / "care").iterdir()):
        assert fnmatch.fnmatch(file.name, mapping.files[0])
        for batch in reader_class(mapping.reader)(context).read(Intake(file, file.name)):
            parts.append(batch.relations)
            tally += batch.tally
    table = pa.concat_tables(parts)
    care = world(preset).care
    assert table.schema.equals(CARE)
    assert (tally.accepted, tally.quarantined) == (care.num_rows, 0)
    table = table.take(pc.sort_indices(table["recorded_at"]))
    entered = table["recorded_at"].cast(pa.int64()).to_numpy()
    gap = care["recorded_at"].to_numpy() - entered
    assert (gap >= 0).all()
    assert (gap < 1_000_000).mean() > 0.99  # but in the hour that comes twice
    earliest = int(care["patient"][0].as_py())
    first = world(preset).patients["number"][earliest].as_py()
    authority = mapping.raw["care"]["patient"]["authority"]
    assert table["patient"][0].as_py() == ring.pseudonym(str(first), authority)


def test_the_folder_scans_with_its_care_table(tmp_path: Path):
    """One store: the log's patients are those of the table."""
    from vigie.pipeline import find_files, import_files, load_mappings
    from vigie.stores import Store

    write_world(simulate("practice-software", 0.01, 5, days=3, attacks=0), tmp_path)
    files = find_files([tmp_path / "logs", tmp_path / "care"])
    with Store.open(tmp_path / "home", write=True) as store:
        done = import_files(store, files, load_mappings([tmp_path]))
        assert [str(file.error) for file in done if file.error] == []
        care, events = store.table("care"), store.events(["patient", "organisation"])
    known = pc.is_in(care["patient"], value_set=pc.unique(events["patient"]))
    assert pc.mean(known.cast(pa.float64())).as_py() > 0.02
    sites = pc.is_in(
        care["organisation"], value_set=pc.unique(events["organisation"].cast(pa.string()))
    )
    assert pc.mean(sites.cast(pa.float64())).as_py() > 0.9
