"""Invented people are many, French in their statistics, and valid in their numbers."""

from collections import Counter

import numpy as np
import pyarrow.compute as pc
import pytest
from stdnum import luhn
from stdnum.fr import nir

from vigie.simulate import numbers, persons, reference
from vigie.simulate.world import ORGANISATIONS, PATIENTS


@pytest.fixture(scope="module")
def patients():
    rng = np.random.default_rng(3)
    areas = [*reference.areas_of(["53", "94"]), "971", "974"]
    return persons.patients(rng, 20_000, areas, reference.insurers())


def test_the_contract_holds(patients) -> None:
    assert patients.schema == PATIENTS
    assert patients.num_rows == 20_000
    numbers_given = patients["number"].to_numpy()
    assert (np.diff(numbers_given) > 0).all()
    nullable = {"ins", "phone"}
    for name in PATIENTS.names:
        assert patients[name].null_count == 0 or name in nullable


def test_every_nir_has_its_key_corsica_and_abroad_included(patients) -> None:
    texts = patients["nir"].to_pylist()
    assert all(nir.is_valid(text) for text in texts)
    places = Counter(text[5:7] for text in texts)
    assert {"2A", "2B", "99", "97"} <= places.keys()


def test_an_ins_belongs_to_one_person_and_a_nir_to_a_household(patients) -> None:
    known = patients["ins"].drop_null()
    assert len(pc.unique(known)) == len(known)
    assert 0.7 < len(known) / patients.num_rows < 0.85
    shared = pc.value_counts(patients["nir"])
    assert 0.02 < sum(1 for pair in shared.to_pylist() if pair["counts"] > 1) / len(shared) < 0.3
    own = pc.equal(patients["ins"], patients["nir"])
    others = patients.filter(pc.invert(pc.fill_null(own, True)))
    ages = persons.LAST_YEAR - pc.year(others["birth_date"]).to_numpy()
    assert len(ages)
    assert ages.max() < 16


def test_households_share_surname_and_address(patients) -> None:
    pairs = Counter(zip(*(patients[c].to_pylist() for c in ("surname", "address")), strict=True))
    living_together = sum(count for count in pairs.values() if count > 1)
    assert 0.4 < living_together / patients.num_rows < 0.85


def test_given_names_follow_the_years() -> None:
    rng = np.random.default_rng(1)
    old = persons.given(rng, np.full(2000, 1945), np.full(2000, 2)).to_pylist()
    young = persons.given(rng, np.full(2000, 2015), np.full(2000, 2)).to_pylist()
    assert "Marie" in {name for name, _ in Counter(old).most_common(3)}
    assert "Jade" not in old
    assert "Jade" in young


def test_surnames_follow_their_frequency(patients) -> None:
    assert Counter(patients["surname"].to_pylist())["MARTIN"] > 40


def test_insurers_are_84_and_nobody_has_another(patients) -> None:
    held = patients["insurer"].to_numpy()
    assert held.min() == -1
    assert held.max() < 84
    assert len(reference.insurers()) == len(set(reference.insurers())) == 84


def test_phones_are_of_the_ranges_kept_for_fiction(patients) -> None:
    heads = {phone[:6] for phone in patients["phone"].to_pylist() if phone}
    assert heads <= {"063998", "019900", "026191", "035301", "046571", "053649"}


def test_the_same_seed_gives_the_same_people() -> None:
    first, second = (
        persons.patients(np.random.default_rng(5), 500, ["35"], ["A"]) for _ in range(2)
    )
    assert first.equals(second)


def test_organisations_and_their_numbers() -> None:
    counts = {"hospital": 3, "practice": 200, "pharmacy": 40}
    table = persons.organisations(np.random.default_rng(2), counts, ["28", "53", "94"])
    assert table.schema == ORGANISATIONS
    assert Counter(table["kind"].to_pylist()) == counts
    finess = table["finess"].to_pylist()
    assert len(set(finess)) == len(finess)
    for number, area in zip(finess, table["area"].to_pylist(), strict=True):
        assert len(number) == 9
        assert number.startswith(area[:2])
        assert not number.isdigit() or luhn.is_valid(number)


def test_professionals_have_distinct_valid_numbers() -> None:
    surnames, given_names, rpps = persons.staff(np.random.default_rng(4), 5000)
    assert len(surnames) == len(given_names) == len(set(rpps.to_pylist())) == 5000
    assert all(len(number) == 11 and luhn.is_valid(number) for number in rpps.to_pylist())
    logins = persons.accounts_of(surnames, given_names)
    assert len(set(logins)) == 5000
    assert all(login.isascii() and login.isalnum() for login in logins)


def test_adeli_numbers_begin_with_the_departement() -> None:
    made = numbers.adeli(np.random.default_rng(1), pc.cast([35, 22], "string"))
    assert [text[:2] for text in made.to_pylist()] == ["35", "22"]
    assert all(len(text) == 9 for text in made.to_pylist())


def test_asking_for_one_person_or_none_is_no_special_case() -> None:
    rng = np.random.default_rng(1)
    assert persons.patients(rng, 1, ["75"], []).num_rows == 1
    assert persons.patients(rng, 0, ["75"], []).num_rows == 0
