"""Who the owners of accounts are: patients among others, met honestly, told with gaps."""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from vigie.cli import main
from vigie.simulate import kinship, parameters, presets
from vigie.simulate.presets import simulate, stage
from vigie.simulate.world import World

ADDED = kinship.FIRST


@cache
def world(attacks: int = 2) -> World:
    return simulate("hospital", 0.05, 5, days=30, attacks=attacks)


def added(made: World) -> pa.Table:
    number = made.accesses["access"].to_numpy()
    return made.accesses.filter(pa.array((number >= ADDED) & (number < 1 << 40)))


def test_owners_are_grown_up_namesakes_from_nearby() -> None:
    people = stage("hospital", 0.05, 5, days=30).people
    who = np.flatnonzero(people.owner >= 0)
    mine = people.register.table.take(pa.array(people.owner[who]))
    assert 0.15 < len(who) / people.size < 0.6
    assert mine["surname"].equals(people.accounts["surname"].take(pa.array(who)))
    sites = people.organisations["area"].take(pa.array(people.organisation[who]))
    assert mine["area"].to_pylist() == sites.to_pylist()
    assert (pc.year(mine["birth_date"]).to_numpy() < 2004).all()


def test_what_is_added_leaves_all_else_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world()
    monkeypatch.setattr(parameters, "kinship", lambda name: None)
    before = presets.simulate("hospital", 0.05, 5, days=30, attacks={"enumeration": 2})
    monkeypatch.undo()
    after = presets.simulate("hospital", 0.05, 5, days=30, attacks={"enumeration": 2})
    number = after.accesses["access"].to_numpy()
    rest = after.accesses.filter(pa.array((number < ADDED) | (number >= 1 << 40)))
    order = [("at", "ascending"), ("access", "ascending"), ("patient", "ascending")]
    assert rest.sort_by(order).equals(before.accesses.sort_by(order))
    known = pc.less_equal(after.care["record"], before.care.num_rows)
    assert after.care.filter(known).equals(before.care)
    assert before.staff.num_rows == 0
    assert made.staff.equals(after.staff)


def test_owners_meet_their_own_honestly() -> None:
    rows, staff = added(world()), world().staff
    assert rows.num_rows > 20
    assert (rows["attack"].to_numpy() == -1).all()
    account, patient = rows["account"].to_numpy(), rows["patient"].to_numpy()
    owner = stage("hospital", 0.05, 5, days=30).people.owner
    opened = patient >= 0
    assert (owner[account[opened]] == patient[opened]).any()
    assert np.isin(patient[opened], owner[owner >= 0]).any()
    assert staff.num_rows == (np.array(world().accounts["kind"].to_pylist()) == "person").sum()


def test_the_table_has_gaps_and_knows_nothing_of_thefts() -> None:
    staff, owner = world().staff, stage("hospital", 0.05, 5, days=30).people.owner
    told = staff["patient"].to_numpy()
    known = told >= 0
    assert (told[known] == owner[staff["account"].to_numpy()][known]).all()
    assert known.sum() < (owner >= 0).sum()
    assert staff.equals(world(0).staff)


def test_some_curious_owners_look_up_colleagues() -> None:
    made = simulate("hospital", 0.1, 5, days=30, attacks={"curiosity": 12})
    kinds = {attack.parameters["whom"] for attack in made.attacks}
    assert "colleagues" in kinds
    owner = stage("hospital", 0.1, 5, days=30).people.owner
    for number, attack in enumerate(made.attacks):
        if attack.parameters["whom"] == "colleagues":
            mine = made.accesses.filter(pc.equal(made.accesses["attack"], number))
            met = mine["patient"].to_numpy()
            assert np.isin(met, owner[owner >= 0]).any()


def test_other_platforms_have_no_such_table() -> None:
    assert simulate("regional-portal", 0.01, 1, days=5, attacks=0).staff.num_rows == 0


def test_the_folder_holds_the_table_and_its_mapping(tmp_path) -> None:
    out, home = tmp_path / "out", ["--home", str(tmp_path / "home")]
    called = ["simulate", "hospital", "--scale", "0.02", "--days", "3", "--out", str(out)]
    assert main(called) == 0
    assert main([*home, "register", "staff", str(out / "staff" / "staff.toml")]) == 0
