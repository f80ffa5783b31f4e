"""Who works where, for whom: organisations, accounts, patients, and each account's own patients.

An account's patients are a *sequence* in the order in which they became known: those before the
frontier are its own, the next ones are tomorrow's new patients. A ward or a counter shares one
sequence; a doctor has his own. All sequences lie end to end in one array.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.simulate import numbers, persons, reference
from vigie.simulate.parameters import Preset, Profession, Staff
from vigie.simulate.world import ACCOUNTS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DAY: int = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Register:
    """The patients, and the orders in which one may walk through them."""

    table: pa.Table
    by_place: Ints  # patients sorted by area, commune, address
    by_name: Ints  # patients in alphabetical order
    name_rank: Ints
    by_nir: Ints

    @property
    def size(self) -> int:
        """The number of patients."""
        return int(self.table.num_rows)


@dataclass(frozen=True, slots=True)
class Sequences:
    """Patients in the order in which they became known, sequence after sequence."""

    patients: Ints
    starts: Ints
    lengths: Ints
    known: Floats  # how many were known when the log starts
    growth: Floats  # new ones per day
    window: Ints  # 0: the whole sequence

    def by_name(self, name_rank: Ints) -> tuple[Ints, Ints]:
        """Return keys (sequence, rank of the name) in order, and the patients they stand for."""
        owner = np.repeat(np.arange(len(self.starts)), self.lengths)
        key = owner * len(name_rank) + name_rank[self.patients]
        order = np.argsort(key, kind="stable")
        return key[order], self.patients[order]

    def frontier(self, sequence: Ints, day: Floats) -> Ints:
        """Return how many patients of each `sequence` are known at `day` (fractional)."""
        known = self.known[sequence] + self.growth[sequence] * day
        return np.clip(known.astype(np.int64), 1, self.lengths[sequence] - 2)


@dataclass(frozen=True, slots=True)
class Population:
    """Everything that stands before the first access; arrays run along accounts."""

    organisations: pa.Table
    accounts: pa.Table
    register: Register
    sequences: Sequences
    profession: Ints  # index into `professions`
    professions: tuple[Profession, ...]
    profession_names: tuple[str, ...]
    kind: Ints  # 0 person, 1 service, 2 shared
    organisation: Ints
    team: Ints
    unit: Ints
    units: tuple[str, ...]
    sequence: Ints
    tempo: Floats
    boss: Ints  # for a secretary: the doctor she mostly acts for; else -1
    doctors: Ints  # the accounts that somebody may act for
    commune_span: Ints  # per organisation, into Register.by_place: [start, stop)
    area_span: Ints
    owner: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    """Which patient each account's owner is, -1 for none; empty where no operator knows."""

    @property
    def size(self) -> int:
        """The number of accounts."""
        return len(self.profession)

    def of(self, field: str) -> Floats:
        """Return a numeric parameter of each account's profession."""
        values = np.array([float(getattr(p, field)) for p in self.professions])
        picked: Floats = values[self.profession]
        return picked


def register(rng: np.random.Generator, preset: Preset, scale: float) -> Register:
    """Invent the patients of a platform."""
    count = max(int(preset.patients * scale), 3000)
    areas = reference.areas_of(list(preset.regions))
    table = persons.patients(rng, count, areas, reference.insurers())
    by_place = _sorted_by(table, "area", "commune", "address")
    by_name = _sorted_by(table, "surname", "given_name")
    rank = np.empty(count, np.int64)
    rank[by_name] = np.arange(count)
    return Register(table, by_place, by_name, rank, _sorted_by(table, "nir"))


def _sorted_by(table: pa.Table, *columns: str) -> Ints:
    order: Ints = pc.sort_indices(
        table, sort_keys=[(column, "ascending") for column in columns]
    ).to_numpy().astype(np.int64)  # fmt: skip
    return order


def _spans(organisations: pa.Table, register: Register, column: str) -> Ints:
    keys = register.table[column].take(pa.array(register.by_place)).to_pylist()
    ordered = np.array(keys, dtype=object)
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    stops = np.r_[starts[1:], len(ordered)]
    spans = {
        key: (start, stop) for key, start, stop in zip(ordered[starts], starts, stops, strict=True)
    }
    unknown = (0, 0)
    return np.array([spans.get(k, unknown) for k in organisations[column].to_pylist()], np.int64)


def populate(
    streams: list[np.random.Generator],
    preset: Preset,
    professions: dict[str, Profession],
    scale: float,
    days: int,
) -> Population:
    """Invent organisations, patients, accounts and who knows whom."""
    people = register(streams[0], preset, scale)
    counts = {kind: max(1, round(n * scale)) for kind, n in preset.organisations.items()}
    organisations = persons.organisations(streams[1], counts, list(preset.regions))
    posts = _posts(streams[2], preset, organisations, scale)
    accounts = _accounts(streams[3], posts, preset.staff, professions, organisations)
    names = tuple(professions)
    kinds = tuple(professions.values())
    line = posts["line"]
    profession = np.array([names.index(s.profession) for s in preset.staff])[line]
    organisation = posts["organisation"]
    commune_span = _spans(organisations, people, "commune")
    area_span = _spans(organisations, people, "area")
    area_span[area_span[:, 1] == 0] = (0, people.size)
    small = commune_span[:, 1] - commune_span[:, 0] < 300
    commune_span[small] = area_span[small]
    doctor = np.array([p.identifier == "rpps" for p in kinds])[profession]
    desk = np.array([p.mode == "desk" for p in kinds])[profession]
    boss = _bosses(streams[4], posts["team"], doctor & ~desk, desk)
    sequence = _sequence_numbers(profession, posts["team"], kinds, boss)
    sequences = _sequences(
        streams[5], sequence, profession, kinds, organisation, commune_span, area_span, people, days
    )
    spread = np.array([p.spread for p in kinds])[profession]
    tempo = np.array([p.tempo for p in kinds])[profession]
    tempo = tempo * np.array([s.tempo for s in preset.staff])[line]
    tempo = tempo * np.exp(spread * streams[6].standard_normal(len(line)) - spread**2 / 2)
    units = tuple(sorted({str(unit) for unit in accounts["unit"].to_pylist()}))
    return Population(
        organisations, accounts, people, sequences, profession, kinds, names,
        np.array([("person", "service", "shared").index(s.kind) for s in preset.staff])[line],
        organisation, posts["team"],
        np.array([units.index(unit) for unit in accounts["unit"].to_pylist()]), units,
        sequence, tempo, boss, np.flatnonzero(doctor & ~desk), commune_span, area_span,
    )  # fmt: skip


def _posts(
    rng: np.random.Generator, preset: Preset, organisations: pa.Table, scale: float
) -> dict[str, Ints]:
    """Return one row per account: its line of the staff table, organisation, unit, team."""
    kinds = np.array(organisations["kind"].to_pylist())
    lines, places, units = [], [], []
    for number, staff in enumerate(preset.staff):
        here = np.flatnonzero(kinds == staff.organisation)
        wanted = preset.organisations[staff.organisation] * scale
        mean = staff.mean * min(1.0, wanted / len(here))
        count = np.maximum(rng.poisson(mean, len(here)), staff.minimum)
        place = np.repeat(here, count)
        lines.append(np.full(len(place), number))
        places.append(place)
        used = max(1, round(staff.units * min(1.0, wanted / len(here))))
        units.append(rng.integers(used, size=len(place)))
    line, place, unit = (np.concatenate(part) for part in (lines, places, units))
    names = sorted({staff.unit for staff in preset.staff})
    name = np.array([names.index(staff.unit) for staff in preset.staff])[line]
    _, team = np.unique((place * len(names) + name) * 100 + unit, return_inverse=True)
    return {"line": line, "organisation": place, "unit": unit, "team": team}


def _accounts(
    rng: np.random.Generator,
    posts: dict[str, Ints],
    staff: tuple[Staff, ...],
    professions: dict[str, Profession],
    organisations: pa.Table,
) -> pa.Table:
    count = len(posts["line"])
    surnames, given_names, rpps = persons.staff(rng, count)
    lines = [staff[number] for number in posts["line"]]
    areas = organisations["area"].take(pa.array(posts["organisation"])).combine_chunks()
    adeli = numbers.adeli(rng, areas)
    kept = pa.array([professions[line.profession].identifier for line in lines])
    none = pa.nulls(count, pa.string())
    people = pa.array([line.kind == "person" for line in lines])
    licence = pc.if_else(
        pc.equal(kept, "rpps"), rpps, pc.if_else(pc.equal(kept, "adeli"), adeli, none)
    )
    logins = _logins(persons.accounts_of(surnames, given_names), lines, posts)
    unit = [
        f"{line.unit} {number + 1}" if line.units > 1 else line.unit
        for line, number in zip(lines, posts["unit"].tolist(), strict=True)
    ]
    columns = [
        pa.array(logins), pa.array([line.kind for line in lines]),
        pc.if_else(people, licence, none), pc.if_else(people, surnames, none),
        pc.if_else(people, given_names, none), pa.array([line.profession for line in lines]),
        pa.array([line.specialty or None for line in lines], pa.string()),
        pa.array([line.role or line.profession for line in lines]),
        pa.array(posts["organisation"], pa.int32()), pa.array(unit),
        pa.array(-rng.integers(30, 6000, count) * DAY),
    ]  # fmt: skip
    return pa.table(columns, schema=ACCOUNTS)


def _logins(names: list[str], lines: list[Staff], posts: dict[str, Ints]) -> list[str]:
    made = {"service": "svc", "shared": "poste"}
    return [
        name if line.kind == "person" else f"{made[line.kind]}-{line.unit}-{place}-{number}"
        for number, (name, line, place) in enumerate(
            zip(names, lines, posts["organisation"].tolist(), strict=True)
        )
    ]


def _bosses(rng: np.random.Generator, team: Ints, doctor: Flags, desk: Flags) -> Ints:
    """Return for each secretary a doctor of her team (-1 when there is none)."""
    doctors = np.flatnonzero(doctor)
    doctors = doctors[np.argsort(team[doctors], kind="stable")]
    start = np.searchsorted(team[doctors], team, side="left")
    stop = np.searchsorted(team[doctors], team, side="right")
    has = desk & (stop > start)
    picked = start + (rng.random(len(team)) * (stop - start)).astype(np.int64)
    boss = np.full(len(team), -1)
    boss[has] = doctors[picked[has]]
    return boss


def _sequence_numbers(
    profession: Ints, team: Ints, kinds: tuple[Profession, ...], boss: Ints
) -> Ints:
    """Give doctors with a panel their own sequence, the others their team's, by profession mode."""
    panel = np.array([p.mode == "panel" for p in kinds])[profession]
    apart = np.array([p.style in ("office", "identity", "service", "emergency") for p in kinds])
    key = np.where(panel, np.arange(len(team)), len(team) + team * 2 + apart[profession])
    key = np.where(boss >= 0, key[boss], key)
    _, sequence = np.unique(key, return_inverse=True)
    return sequence.astype(np.int64)


def _sequences(
    rng: np.random.Generator, sequence: Ints, profession: Ints, kinds: tuple[Profession, ...],
    organisation: Ints, commune_span: Ints, area_span: Ints, people: Register, days: int,
) -> Sequences:  # fmt: skip
    count = int(sequence.max()) + 1
    order = np.lexsort((-np.array([p.panel for p in kinds])[profession], sequence))
    owner = order[np.searchsorted(sequence[order], np.arange(count))]
    whose = profession[owner]
    luck = np.exp(0.35 * rng.standard_normal(count))
    known = np.maximum(np.array([p.panel for p in kinds])[whose] * luck, 40)
    growth = np.maximum(np.array([p.growth for p in kinds])[whose] * luck, 0.2)
    lengths = (known + growth * days * 1.3 + 20).astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    whom = near(rng, np.repeat(organisation[owner], lengths), commune_span, area_span, people)
    window = np.array([p.window for p in kinds])[whose]
    return Sequences(whom, starts, lengths, known, growth, window)


def near(
    rng: np.random.Generator, organisation: Ints, commune_span: Ints, area_span: Ints,
    people: Register, shares: tuple[float, float] = (0.62, 0.97),
) -> Ints:  # fmt: skip
    """Return a patient who lives near each `organisation`: its commune, its area, or anywhere.

    `shares` are the cumulated chances of the first two.
    """
    tier = rng.random(len(organisation))
    span = np.where(
        (tier < shares[0])[:, None], commune_span[organisation], area_span[organisation]
    )
    span[tier >= shares[1]] = (0, people.size)
    place = span[:, 0] + (rng.random(len(span)) * (span[:, 1] - span[:, 0])).astype(np.int64)
    found: Ints = people.by_place[place]
    return found
