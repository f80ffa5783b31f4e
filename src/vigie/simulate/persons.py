"""Invented patients, organisations and professionals, drawn from French reference data.

Nobody here exists. Households share a surname, an address and, for their young children, the
social-security number of a parent, because those are what makes real registers hard.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.simulate import numbers, reference
from vigie.simulate.reference import draw
from vigie.simulate.world import ORGANISATIONS, PATIENTS

LAST_YEAR: Final = 2024
"""Nobody is born later: worlds begin in 2025 at the earliest."""

_INTEGERS = NDArray[np.int64]


def patients(
    rng: np.random.Generator, count: int, areas: Sequence[str], insurers: Sequence[str]
) -> pa.Table:
    """Return `count` invented patients (world.PATIENTS) who live in the départements `areas`.

    `number` grows with the moment of registration; a third of a household's members are
    registered right after its first. Shares and ages: data/population.toml.

    >>> table = patients(np.random.default_rng(1), 50, ["35"], ["A", "B"])
    >>> table.num_rows, set(table["area"].to_pylist())
    (50, {'35'})
    """
    if not count:
        return PATIENTS.empty_table()
    home, member, years = _households(rng, count)
    homes = int(home.max()) + 1
    towns = _towns(rng, homes, areas)
    sexes = 1 + rng.integers(2, size=count)
    months, days = rng.integers(1, 13, count), rng.integers(1, 29, count)
    places = _birthplaces(rng, towns["area"].take(pa.array(home)))
    own = numbers.nir(sexes, years, months, places, rng)
    shares = reference.population()["shares"]
    return pa.table(
        [
            _register_numbers(rng, count),
            _covered_by(own, home, member, years),
            pc.if_else(pa.array(rng.random(count) < shares["qualified_identity"]), own, None),
            _surnames(rng, home, member),
            given(rng, years, sexes),
            pa.array(np.array(["", "M", "F"])[sexes]),
            _dates(years, months, days),
            towns["code"].take(pa.array(home)),
            towns["area"].take(pa.array(home)),
            _addresses(rng, towns).take(pa.array(home)),
            _phones(rng, count),
            _insurers(rng, home, member, len(insurers)),
        ],
        schema=PATIENTS,
    )


def _households(rng: np.random.Generator, count: int) -> tuple[_INTEGERS, _INTEGERS, _INTEGERS]:
    """Return for each person, in order of registration: household, rank in it, year of birth."""
    kinds, ages = (reference.population()[name] for name in ("households", "ages"))
    kind = draw(rng, kinds["weight"], count)
    adults, children = np.array(kinds["adults"])[kind], np.array(kinds["children"])[kind]
    size = adults + children
    home = np.repeat(np.arange(count), size)
    member = np.arange(len(home)) - np.repeat(np.cumsum(size) - size, size)
    band = draw(rng, ages["weight"], count)
    old = rng.integers(np.array(ages["from"])[band], np.array(ages["until"])[band])
    old = np.where(children > 0, np.clip(old, 22, 58), old)
    age = old[home] + rng.integers(-4, 5, len(home)) * (member > 0)
    child = member >= adults[home]
    grown = old[home] - rng.integers(22, 38, len(home))
    infant, any_age = rng.integers(0, 4, len(home)), rng.integers(0, 22, len(home))
    grown = np.where(grown > 21, any_age, np.maximum(grown, infant))
    years = LAST_YEAR - np.where(child, grown, np.clip(age, 18, 102))
    order = _registration(rng, home, member, kinds["registered_together"])[:count]
    _, home = np.unique(home[order], return_inverse=True)
    return home.astype(np.int64), member[order], years[order].astype(np.int64)


def _registration(
    rng: np.random.Generator, home: _INTEGERS, member: _INTEGERS, together: float
) -> _INTEGERS:
    moment = rng.random(len(home))
    first = np.flatnonzero(member == 0)
    joined = (member > 0) & (rng.random(len(home)) < together)
    moment[joined] = moment[first][home[joined]]
    return np.lexsort((member, moment))


def _register_numbers(rng: np.random.Generator, count: int) -> pa.Array:
    settings = reference.population()["numbers"]
    steps = 1 + (rng.random(count) < settings["skipped"])
    return pa.array(settings["first_patient"] - 1 + np.cumsum(steps))


def _towns(rng: np.random.Generator, count: int, areas: Sequence[str]) -> pa.Table:
    known = reference.communes()
    inside = known.filter(pc.is_in(known["area"], value_set=pa.array(areas, pa.string())))
    return inside.take(pa.array(draw(rng, inside["population"], count))).combine_chunks()


def _birthplaces(rng: np.random.Generator, areas: pa.ChunkedArray) -> pa.Array:
    births = reference.population()["births"]
    known = reference.communes()
    large = known.filter(pc.greater_equal(known["population"], births["birthplace_from"]))
    chosen = draw(rng, large["population"], len(areas))
    of_area = large["area"].to_numpy()
    encoded = pc.dictionary_encode(areas.combine_chunks())
    for index, area in enumerate(encoded.dictionary.to_pylist()):
        near = np.flatnonzero(of_area == area)
        here = np.flatnonzero(encoded.indices.to_numpy() == index)
        here = here[rng.random(len(here)) < births["same_area"] / (1 - births["abroad"])]
        if len(near):
            weights = large["population"].to_numpy()[near]
            chosen[here] = near[draw(rng, weights, len(here))]
    codes = pa.array([f"99{code:03d}" for code in births["countries"]])
    shares = 1 / np.arange(1, len(codes) + 1)
    country = codes.take(pa.array(draw(rng, shares, len(areas))))
    abroad = pa.array(rng.random(len(areas)) < births["abroad"])
    return pc.if_else(abroad, country, large["code"].take(pa.array(chosen)).combine_chunks())


def _covered_by(own: pa.Array, home: _INTEGERS, member: _INTEGERS, years: _INTEGERS) -> pa.Array:
    """Give young children the number of their household's first adult, when registered."""
    first = np.full(int(home.max()) + 1, -1)
    first[home[member == 0]] = np.flatnonzero(member == 0)
    young = LAST_YEAR - years < reference.population()["households"]["own_number_at"]
    parent = first[home]
    return own.take(pa.array(np.where(young & (parent >= 0), parent, np.arange(len(home)))))


def _surnames(rng: np.random.Generator, home: _INTEGERS, member: _INTEGERS) -> pa.Array:
    known = reference.surnames()
    other = rng.random(len(home)) >= reference.population()["households"]["same_surname"]
    shared = draw(rng, known["weight"], int(home.max()) + 1)[home]
    alone = draw(rng, known["weight"], len(home))
    picked = np.where((member == 1) & other, alone, shared)
    return known["name"].take(pa.array(picked)).combine_chunks()


def given(rng: np.random.Generator, years: _INTEGERS, sexes: _INTEGERS) -> pa.Array:
    """Return a given name for each year of birth and sex (1 man, 2 woman)."""
    known = reference.given_names()
    decade, sex = known["decade"].to_numpy(), known["sex"].to_numpy()
    weight = known["weight"].to_numpy()
    wanted = np.clip((years - 1) // 10 * 10 + 1, 1901, 2011)
    picked = np.zeros(len(years), np.int64)
    for start in np.unique(wanted):
        for code, letter in ((1, "M"), (2, "F")):
            names = np.flatnonzero((decade == start) & (sex == letter))
            here = np.flatnonzero((wanted == start) & (sexes == code))
            picked[here] = names[draw(rng, weight[names], len(here))]
    return known["name"].take(pa.array(picked)).combine_chunks()


def _dates(years: _INTEGERS, months: _INTEGERS, days: _INTEGERS) -> pa.Array:
    month = (years - 1970) * 12 + months - 1
    day = month.astype("datetime64[M]").astype("datetime64[D]") + (days - 1)
    return pa.array(day, pa.date32())


def _addresses(rng: np.random.Generator, towns: pa.Table) -> pa.Array:
    streets = pa.array(reference.streets())
    door = pa.array(1 + (rng.pareto(1.2, len(towns)) * 12).astype(np.int64) % 180)
    street = streets.take(pa.array(rng.integers(len(streets), size=len(towns))))
    return pc.binary_join_element_wise(
        door.cast(pa.string()), street, towns["postcode"].combine_chunks(),
        towns["name"].combine_chunks(), " ",
    )  # fmt: skip


def _phones(rng: np.random.Generator, count: int) -> pa.Array:
    population = reference.population()
    shares, ranges = population["shares"], population["numbers"]
    heads = pa.array([ranges["fictional_mobile"], *ranges["fictional_landline"]])
    lines = len(heads) - 1
    kind = np.where(rng.random(count) < shares["mobile"], 0, rng.integers(1, lines + 1, count))
    tail = pc.utf8_lpad(pa.array(rng.integers(10_000, size=count)).cast(pa.string()), 4, "0")
    known = pa.array(rng.random(count) >= shares["no_phone"])
    return pc.if_else(known, numbers.join(heads.take(pa.array(kind)), tail), None)


def _insurers(rng: np.random.Generator, home: _INTEGERS, member: _INTEGERS, count: int) -> pa.Array:
    population = reference.population()
    shares = population["shares"]
    if not count:
        return pa.array(np.full(len(home), -1, np.int16))
    weights = np.arange(1, count + 1) ** -shares["insurer_slope"]
    shared = draw(rng, weights, int(home.max()) + 1)[home]
    alone = draw(rng, weights, len(home))
    follows = (member == 0) | (rng.random(len(home)) < population["households"]["same_insurer"])
    covered = rng.random(len(home)) >= shares["no_insurer"]
    return pa.array(np.where(covered, np.where(follows, shared, alone), -1).astype(np.int16))


_TITLES: Final = {
    "hospital": "Centre hospitalier de {town}",
    "clinic": "Clinique {name}",
    "practice": "Cabinet médical {name}",
    "health_centre": "Centre de santé {name}",
    "laboratory": "Laboratoire {name}",
    "pharmacy": "Pharmacie {name}",
    "nursing_home": "EHPAD {name}",
    "nurse_office": "Cabinet infirmier {name}",
    "physio_office": "Cabinet de kinésithérapie {name}",
    "optician_shop": "Optique {name}",
    "transport": "Ambulances {name}",
    "telehealth": "Téléexpertise {name}",
    "health_authority": "Agence de santé de {town}",
    "billing_office": "Facturation {name}",
}


_IN_LARGE_TOWNS: Final = ("hospital", "clinic", "health_authority")


def organisations(
    rng: np.random.Generator, kind_counts: dict[str, int], regions: list[str]
) -> pa.Table:
    """Return invented organisations (world.ORGANISATIONS) of each kind, in regions by INSEE code.

    Hospitals stand in large towns, the others where people live.
    """
    tables = [_of_kind(rng, kind, count, regions) for kind, count in kind_counts.items() if count]
    together = pa.concat_tables(tables).combine_chunks()
    finess = numbers.finess(rng, together["area"].combine_chunks())
    return together.set_column(0, ORGANISATIONS.field("finess"), finess)


def _of_kind(rng: np.random.Generator, kind: str, count: int, regions: list[str]) -> pa.Table:
    known = reference.communes()
    inside = known.filter(pc.is_in(known["region"], value_set=pa.array(regions, pa.string())))
    population = inside["population"].to_numpy().astype(np.float64)
    if kind in _IN_LARGE_TOWNS:
        population = np.where(population > np.sort(population)[-max(count, 20) :][0], population, 0)
    towns = inside.take(pa.array(draw(rng, population, count))).combine_chunks()
    title = _TITLES.get(kind, "Structure {name}")
    known_names = reference.surnames()["name"].to_pylist()
    words = draw(rng, reference.surnames()["weight"], count)
    names = [
        title.format(town=town, name=known_names[word].title())
        for town, word in zip(towns["name"].to_pylist(), words, strict=True)
    ]
    blank = pa.nulls(count, pa.string())
    return pa.table(
        [blank, pa.array(names), pa.array([kind] * count), towns["code"], towns["area"],
         towns["region"]],
        schema=ORGANISATIONS,
    )  # fmt: skip


def staff(rng: np.random.Generator, count: int) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return surnames, given names and distinct RPPS numbers of invented professionals."""
    years = rng.integers(1955, 2002, count)
    sexes = 1 + (rng.random(count) < 0.6).astype(np.int64)
    known = reference.surnames()
    names = known["name"].take(pa.array(draw(rng, known["weight"], count))).combine_chunks()
    return names, given(rng, years, sexes), numbers.rpps(rng, count)


def accounts_of(surnames: pa.Array, given_names: pa.Array) -> list[str]:
    """Return distinct logins as such systems form them: first letter, surname, rank if taken.

    >>> accounts_of(pa.array(["LE GALL", "LE GALL"]), pa.array(["Éva", "Eric"]))
    ['elegall', 'elegall2']
    """
    taken: dict[str, int] = {}
    logins = []
    for surname, given_name in zip(surnames.to_pylist(), given_names.to_pylist(), strict=True):
        login = _plain(given_name[:1] + surname)
        taken[login] = taken.get(login, 0) + 1
        logins.append(login if taken[login] == 1 else f"{login}{taken[login]}")
    return logins


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFD", text.lower()).encode("ascii", "ignore").decode()
    return "".join(letter for letter in bare if letter.isalnum())
