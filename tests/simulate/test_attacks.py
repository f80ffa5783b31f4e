"""Attacks: labelled exactly, apart from honest traffic, each with the traits of its family."""

import dataclasses
import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from vigie.events import ACTIONS
from vigie.simulate import parameters
from vigie.simulate.contexts import ELSEWHERE, device, public_address
from vigie.simulate.presets import PRESETS, simulate
from vigie.simulate.thefts import LAST
from vigie.simulate.world import FAMILIES, REASONS, World
from vigie.simulate.writers.texts import CSV, Texts

DAY = 86_400_000_000
LOGIN = ACTIONS.index("login")


@cache
def world(preset: str) -> World:
    return simulate(preset, 0.07, seed=8, days=35, attacks=2)


def stolen(made: World, number: int) -> pa.Table:
    return made.accesses.filter(pc.equal(made.accesses["attack"], number))


def of_family(made: World, family: str) -> list[int]:
    return [number for number, attack in enumerate(made.attacks) if attack.family == family]


@pytest.mark.parametrize("preset", PRESETS)
def test_attacks_do_not_change_honest_traffic(preset: str) -> None:
    quiet = simulate(preset, 0.03, seed=2, days=20, attacks=0)
    robbed = simulate(preset, 0.03, seed=2, days=20, attacks=2)
    honest = robbed.accesses.filter(pc.equal(robbed.accesses["attack"], -1))
    order = [("at", "ascending"), ("access", "ascending"), ("patient", "ascending")]
    assert len(robbed.attacks) > 5
    assert honest.sort_by(order).equals(quiet.accesses.sort_by(order))
    assert robbed.accounts.equals(quiet.accounts)
    assert robbed.patients.equals(quiet.patients)
    assert robbed.networks[: len(quiet.networks)] == quiet.networks


def test_more_attacks_leave_the_first_ones_as_they_were() -> None:
    few = simulate("hospital", 0.05, seed=2, days=20, attacks=1)
    more = simulate("hospital", 0.05, seed=2, days=20, attacks=2)
    before, after = (
        [attack for attack in made.attacks if attack.family not in LAST] for made in (few, more)
    )
    assert after[: len(before)] == before


@pytest.mark.parametrize("preset", ["practice-software", "third-party-payment"])
def test_an_attack_does_not_depend_on_the_others(preset: str) -> None:
    alone = simulate(preset, 0.05, seed=2, days=20, attacks={"name_sweep": 1})
    among = simulate(preset, 0.05, seed=2, days=20, attacks=2)
    number = of_family(among, "name_sweep")[0]
    rows = [stolen(alone, 0), stolen(among, number)]
    assert alone.attacks[0] == among.attacks[number]
    for name in ("at", "account", "patient", "action", "query_shape", "record_count", "outcome"):
        assert rows[0][name].equals(rows[1][name]), name


def test_one_family_can_be_asked_for_alone() -> None:
    made = simulate("hospital", 0.05, seed=2, days=20, attacks={"enumeration": 2})
    assert [attack.family for attack in made.attacks] == ["enumeration", "enumeration"]


@pytest.mark.parametrize("preset", PRESETS)
def test_families_of_the_preset_are_present(preset: str) -> None:
    wanted = {family for family, share in parameters.preset(preset).families.items() if share}
    assert {attack.family for attack in world(preset).attacks} == wanted


def test_every_family_occurs_somewhere() -> None:
    assert {a.family for preset in PRESETS for a in world(preset).attacks} == set(FAMILIES)


@pytest.mark.parametrize("preset", PRESETS)
def test_labels_are_exact(preset: str) -> None:
    made = world(preset)
    attack = made.accesses["attack"].to_numpy()
    theft = made.accesses["reason"].to_numpy() == REASONS.index("theft")
    assert ((attack >= 0) == theft).all()
    victims: set[int] = set()
    for number, described in enumerate(made.attacks):
        rows = stolen(made, number)
        looked = rows.filter(pc.not_equal(rows["action"], LOGIN))
        at = looked["at"].to_numpy()
        entered = pc.or_(pc.not_equal(rows["action"], LOGIN), pc.equal(rows["outcome"], 0))
        got_in = rows.filter(entered)
        assert described.accounts == tuple(np.unique(got_in["account"].to_numpy()).tolist())
        assert not victims & set(described.accounts)
        victims |= set(described.accounts)
        if described.family == "begun_before":
            assert described.onset < made.start
        else:
            assert described.onset == at.min()
        assert described.onset <= described.end
        assert described.end <= at.max()


@pytest.mark.parametrize("preset", PRESETS)
def test_most_people_are_never_robbed(preset: str) -> None:
    made = simulate(preset, 0.02, seed=1, days=20, attacks=5)
    victims = {account for attack in made.attacks for account in attack.accounts}
    assert len(victims) <= 0.45 * made.accounts.num_rows


def test_the_owner_goes_on_working() -> None:
    made = world("regional-portal")
    account = made.accesses["account"].to_numpy()
    honest = made.accesses["attack"].to_numpy() < 0
    for attack in made.attacks:
        assert honest[account == attack.accounts[0]].any()


def test_enumeration_walks_along_the_numbers() -> None:
    made = world("regional-portal")
    for number in of_family(made, "enumeration"):
        rows = stolen(made, number)
        rows = rows.filter(pc.greater_equal(rows["patient"], 0))
        steps = np.diff(rows["patient"].to_numpy().astype(np.int64))
        assert (np.abs(steps[steps != 0]) <= 6).mean() > 0.8


def test_made_up_numbers_are_often_nobodys() -> None:
    made = simulate("third-party-payment", 0.07, 8, 35, attacks={"rights_check_sweep": 8})
    shares = {"series": [], "": []}
    for number, attack in enumerate(made.attacks):
        rows = stolen(made, number)
        checks = rows.filter(pc.equal(rows["action"], ACTIONS.index("rights_check")))
        failed = (checks["patient"].to_numpy() < 0).mean()
        shares[str(attack.parameters.get("order", ""))].append(failed)
    assert np.mean(shares["series"]) > 0.05 > np.mean(shares[""])


def test_names_are_swept_in_alphabetical_order() -> None:
    made = world("regional-portal")
    names = made.patients["surname"].to_numpy(zero_copy_only=False)
    for number in of_family(made, "name_sweep"):
        rows = stolen(made, number)
        opened = rows.filter(pc.equal(rows["action"], ACTIONS.index("open")))
        seen = names[opened["patient"].to_numpy()]
        assert np.mean(seen[:-1] <= seen[1:]) > 0.8


def test_one_site_is_several_people_of_one_organisation() -> None:
    made = world("hospital")
    place = made.accounts["organisation"].to_numpy()
    for number in of_family(made, "one_site"):
        accounts = list(made.attacks[number].accounts)
        assert len(accounts) >= 3
        assert len(set(place[accounts].tolist())) == 1


def test_the_town_sweep_stays_at_home() -> None:
    made = world("practice-software")
    areas = np.array(made.patients["area"].to_pylist())
    home = np.array(made.organisations["area"].to_pylist())
    for number in of_family(made, "town_sweep"):
        rows = stolen(made, number)
        opened = rows.filter(pc.equal(rows["action"], ACTIONS.index("open")))
        site = made.accounts["organisation"][made.attacks[number].accounts[0]].as_py()
        assert (areas[opened["patient"].to_numpy()] == home[site]).mean() > 0.9


def test_an_own_panel_is_the_victims_own_region() -> None:
    made = world("practice-software")
    areas = np.array(made.patients["area"].to_pylist())
    home = np.array(made.organisations["area"].to_pylist())
    for number in of_family(made, "own_panel"):
        rows = stolen(made, number)
        opened = rows.filter(pc.equal(rows["action"], ACTIONS.index("open")))
        site = made.accounts["organisation"][made.attacks[number].accounts[0]].as_py()
        assert (areas[opened["patient"].to_numpy()] == home[site]).mean() > 0.7


def test_a_database_dump_is_one_event_of_most_of_the_register() -> None:
    made = world("hospital")
    for number in of_family(made, "database_dump"):
        rows = stolen(made, number)
        rows = rows.filter(pc.not_equal(rows["action"], ACTIONS.index("login")))
        assert rows.num_rows == 1
        assert rows["record_count"][0].as_py() >= 0.25 * made.patients.num_rows
        assert rows["patient"][0].as_py() == -1


def test_broken_glass_is_what_its_abuse_leaves() -> None:
    made = world("hospital")
    for number in of_family(made, "break_glass_abuse"):
        actions = set(stolen(made, number)["action"].to_pylist())
        assert ACTIONS.index("break_glass") in actions


def test_some_thieves_come_in_from_elsewhere_and_log_in() -> None:
    made = world("regional-portal")
    ways = {str(attack.parameters["from"]) for attack in made.attacks}
    assert "inside" in ways
    assert len(ways) > 1
    for number, attack in enumerate(made.attacks):
        if attack.parameters["from"] == "one address":
            rows = stolen(made, number)
            assert ACTIONS.index("login") in rows["action"].to_pylist()
            assert len(set(rows["network"].to_pylist())) == 1
        if attack.family == "own_workstation":
            assert attack.parameters["from"] == "inside"


def test_thefts_begin_after_the_part_that_teaches() -> None:
    made = world("hospital")
    for attack in made.attacks:
        if attack.family != "begun_before":
            assert attack.onset > made.start + 0.35 * made.days * DAY


def shapes(words: tuple[str, ...], codes: np.ndarray) -> set[str]:
    """Return the forms of words: digits, lower-case letters, and what stands between."""
    used = {words[code] for code in np.unique(codes)}
    return {re.sub("[0-9a-f]", "x", word[3:]) if "-" in word else word for word in used}


def head(address: str) -> str:
    return address.split(".")[0]


@pytest.mark.parametrize("preset", PRESETS)
def test_no_form_tells_a_thief(preset: str) -> None:
    made = world(preset)
    stolen = made.accesses["attack"].to_numpy() >= 0
    device, network = made.accesses["device"].to_numpy(), made.accesses["network"].to_numpy()
    assert shapes(made.devices, device[stolen]) <= shapes(made.devices, device[~stolen])
    assert all(re.fullmatch("(PC|WS)-[0-9a-f]{6}", name) for name in made.devices)
    honest = {head(made.networks[code]) for code in np.unique(network[~stolen])}
    assert {head(made.networks[code]) for code in np.unique(network[stolen])} <= honest
    for name in ("user_agent", "auth_method", "object", "query_shape", "purpose", "outcome"):
        codes = made.accesses[name].to_numpy()
        assert set(codes[stolen].tolist()) <= set(codes[~stolen].tolist()), name


@pytest.mark.parametrize("preset", PRESETS)
def test_numbers_of_requests_and_sessions_have_one_form(preset: str) -> None:
    made = world(preset)
    stolen = pc.greater_equal(made.accesses["attack"], 0)
    forms = []
    for rows in (made.accesses.filter(stolen), made.accesses.filter(pc.invert(stolen))[:50_000]):
        texts = Texts(dataclasses.replace(made, accesses=rows), CSV).of(rows)
        columns = (texts.request(), texts.session())
        forms.append([set(pc.utf8_length(column).to_pylist()) for column in columns])
        assert len(forms[-1][0]) == 1
    assert forms[0] == forms[1]


def test_what_thieves_bring_looks_like_what_honest_staff_bring() -> None:
    """Over many thieves the first byte of addresses says as much as a throw of a die."""
    thieves = [public_address(ELSEWHERE + 7919 * n, 3) for n in range(4000)]
    homes = [public_address(n, 3) for n in range(4000)]
    for part in range(4):
        found, usual = (
            np.sort([int(address.split(".")[part]) for address in group])
            for group in (thieves, homes)
        )
        assert np.abs(found - usual).mean() < 0.03 * 250
    assert not set(thieves) & set(homes)
    assert not {device(ELSEWHERE + n, False, 3) for n in range(999)} & {
        device(n, False, 3) for n in range(9999)
    }


def test_staff_on_site_come_in_from_private_addresses_where_the_system_is_internal() -> None:
    made = simulate("hospital", 0.03, seed=2, days=5, attacks=0)
    private = np.array([address.startswith("10.") for address in made.networks])
    assert 0.7 < private[made.accesses["network"].to_numpy()].mean() < 0.99
    assert not any(n.startswith("10.") for n in simulate("regional-portal", 0.02, 2, 3).networks)
