"""Who is there: areas, households, organisations, staff, and who is on duty when."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import BEGIN, Ints

DAYS: Final = 56
START: Final = BEGIN + 84 * 86_400_000_000
"""Monday, 30 March 2026: Easter, 1 and 8 May and Ascension with its bridge fall into the log."""
HOLIDAYS: Final = (7, 32, 39, 45, 46)
SCHOOL: Final = (12, 28)
AREAS: Final = ("76", "27", "14", "61", "50", "80", "60", "28")
_WEIGHT: Final = (0.29, 0.18, 0.16, 0.11, 0.10, 0.08, 0.05, 0.03)
PERSONS: Final = 130_000
NEW: Final = 6_000
"""Patients registered before the log, and places for those who are registered during it."""
MERGER: Final = 34
"""The day on which the practices 1 and 2 merge."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of account: what the directory says of it and how it works."""

    profession: str
    specialty: str
    role: str
    rhythm: str
    shared_desk: bool = False


KINDS: Final = {
    "gp": Kind("doctor", "general practice", "care", "gp"),
    "locum": Kind("doctor", "general practice", "care", "called"),
    "secretary": Kind("", "", "secretary", "office", True),
    "practice_nurse": Kind("nurse", "", "care", "office"),
    "specialist": Kind("doctor", "specialist", "care", "gp"),
    "specialist_secretary": Kind("", "", "secretary", "office"),
    "pharmacist": Kind("pharmacist", "", "care", "shop", True),
    "dispenser": Kind("dispenser", "", "care", "shop", True),
    "home_nurse": Kind("nurse", "", "care", "rounds"),
    "lab_biologist": Kind("pharmacist", "biology", "care", "shop"),
    "lab_technician": Kind("technician", "laboratory", "care", "shop", True),
    "lab_desk": Kind("", "", "desk", "shop", True),
    "feed": Kind("", "", "service", "always"),
    "home_doctor": Kind("doctor", "geriatrics", "care", "office"),
    "home_care": Kind("nurse", "", "care", "shift", True),
    "regulator": Kind("doctor", "emergency", "care", "shift"),
    "operator": Kind("", "", "operator", "shift", True),
    "identity": Kind("", "", "identity", "office"),
    "telehealth": Kind("doctor", "general practice", "care", "office"),
    "ward_nurse": Kind("nurse", "", "care", "shift", True),
    "ward_doctor": Kind("doctor", "hospital", "care", "office", True),
    "ward_secretary": Kind("", "", "secretary", "office"),
    "er_nurse": Kind("nurse", "", "care", "shift", True),
    "er_doctor": Kind("doctor", "emergency", "care", "shift", True),
    "er_desk": Kind("", "", "desk", "shift", True),
    "radiologist": Kind("doctor", "radiology", "care", "office"),
    "imaging": Kind("technician", "imaging", "care", "shift", True),
    "transverse": Kind("allied", "", "care", "office"),
    "pool_nurse": Kind("nurse", "", "care", "shift", True),
    "hospital_pharmacist": Kind("pharmacist", "", "care", "office"),
    "coder": Kind("", "", "coding", "office"),
    "billing": Kind("", "", "billing", "office"),
    "auditor": Kind("nurse", "", "quality", "office"),
    "researcher": Kind("doctor", "hospital", "research", "office"),
}
KIND: Final = {name: number for number, name in enumerate(KINDS)}


@dataclass
class Pool:
    """Patients in groups, drawn by weight within a group."""

    group: Ints
    weight: np.ndarray

    def __post_init__(self) -> None:
        members = np.flatnonzero(self.group >= 0)
        self._order = members[np.argsort(self.group[members], kind="stable")]
        self._total = np.concatenate([[0.0], np.cumsum(self.weight[self._order])])
        bounds = np.searchsorted(self.group[self._order], np.arange(self.group.max() + 2))
        self._begin, self._end = self._total[bounds[:-1]], self._total[bounds[1:]]

    def draw(self, rng: np.random.Generator, group: Ints) -> Ints:
        """Return a patient of each group."""
        low, high = self._begin[group], self._end[group]
        place = np.searchsorted(self._total, low + rng.random(len(group)) * (high - low), "right")
        return self._order[np.clip(place - 1, 0, len(self._order) - 1)]


@dataclass
class Place:
    """A unit: of which organisation, in which area, of which kind."""

    kind: str
    organisation: int
    area: int


@dataclass
class World:
    """Everything that stays: units, accounts, patients, duties."""

    rng: np.random.Generator
    units: list[Place] = field(default_factory=list)
    organisations: list[str] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    homes: list[int] = field(default_factory=list)
    called: list[tuple[int, int, int, int]] = field(default_factory=list)

    def found(self, name: str, area: int) -> int:
        """Add an organisation."""
        self.organisations.append(f"{name} {len(self.organisations)} {AREAS[area]}")
        return len(self.organisations) - 1

    def place(self, kind: str, organisation: int, area: int) -> int:
        """Add a unit."""
        self.units.append(Place(kind, organisation, area))
        return len(self.units) - 1

    def hire(self, kind: str, unit: int, count: int) -> None:
        """Add accounts."""
        self.kinds += [KIND[kind]] * count
        self.homes += [unit] * count

    def settle(self) -> None:
        """Fix accounts, patients and duties; called once, when all are hired."""
        self.kind = np.array(self.kinds)
        self.home = np.array(self.homes)
        self.unit_on = np.repeat(self.home[:, None], DAYS, 1)
        self.area_of_unit = np.array([unit.area for unit in self.units])
        self.organisation_of_unit = np.array([unit.organisation for unit in self.units])
        _inhabit(self)
        self.duty = _duties(self)

    def of(self, *kinds: str) -> Ints:
        """Return the accounts of some kinds."""
        return np.flatnonzero(np.isin(self.kind, [KIND[kind] for kind in kinds]))

    def units_of(self, *kinds: str) -> Ints:
        """Return the units of some kinds."""
        return np.array([n for n, unit in enumerate(self.units) if unit.kind in kinds])

    def pick(self, kinds: tuple[str, ...], unit: Ints, at: np.ndarray) -> Ints:
        """Return who of some kinds is on duty in each unit at each second (-1: nobody)."""
        codes = [KIND[kind] for kind in kinds]
        account = np.flatnonzero(np.isin(self.kind, codes))
        duty = self.duty[account]
        who, day = np.nonzero(duty)
        places = len(self.units)
        key = (day * 2 + duty[who, day] - 1) * places + self.unit_on[account[who], day]
        order = np.argsort(key, kind="stable")
        who, key = account[who][order], key[order]
        shifted = at - 7 * 3600
        day = np.clip(shifted // 86_400, 0, DAYS - 1).astype(np.int64)
        night = (shifted % 86_400 >= 12 * 3600) & _by_shift(kinds[0])
        asked = (day * 2 + night) * places + unit
        low, high = np.searchsorted(key, asked), np.searchsorted(key, asked, "right")
        some = low + (self.rng.random(len(asked)) * (high - low)).astype(np.int64)
        return np.where(high > low, who[np.clip(some, 0, len(who) - 1)], -1)


def _by_shift(kind: str) -> bool:
    return KINDS[kind].rhythm == "shift"


def _inhabit(world: World) -> None:
    """Draw the patients: households of namesakes at one address with one doctor and pharmacy.

    Numbers follow registration: a family's follow one another when it was registered together.
    """
    rng, total = world.rng, PERSONS + NEW
    size = np.minimum(rng.geometric(0.42, total), 6)
    household = np.repeat(np.arange(total), size)[:total]
    count = household[-1] + 1
    area = rng.choice(len(AREAS), count, p=_WEIGHT)
    surname = np.minimum((rng.pareto(0.9, count) * 60).astype(np.int64), 29_999)
    sorted_names = np.sort(rng.random(30_000))
    rng.shuffle(sorted_names)
    apart = rng.random(count)[household] > 0.4
    number = np.arange(total)
    scattered = np.flatnonzero(apart)
    number[scattered] = rng.permutation(scattered)
    by_number = np.empty(total, np.int64)
    by_number[number] = household
    world.household = by_number
    world.area = area[by_number]
    world.surname = surname[by_number]
    world.name = sorted_names[world.surname] + 2e-5 * rng.random(total)
    world.frailty = rng.gamma(0.45, 1.0, total) + 0.02
    _attach(world, area, by_number)


def _attach(world: World, area: Ints, household: Ints) -> None:
    """Give each household its doctor, pharmacy and laboratory, mostly of its own area."""
    rng = world.rng

    def nearest(candidates: Ints, areas: Ints, faithful: float) -> Ints:
        chosen = candidates[rng.integers(len(candidates), size=len(areas))]
        size = rng.lognormal(0, 0.35, len(candidates))
        for one in range(len(AREAS)):
            near = np.flatnonzero(areas_of[candidates] == one)
            mine = np.flatnonzero((areas == one) & (rng.random(len(areas)) < faithful))
            if len(near) and len(mine):
                share = size[near] / size[near].sum()
                chosen[mine] = candidates[rng.choice(near, len(mine), p=share)]
        return chosen

    areas_of = world.area_of_unit[world.home]
    world.doctor = nearest(world.of("gp"), area, 0.95)[household]
    lacking = rng.random(len(household)) < 0.11
    world.doctor[lacking] = -1
    world.specialist = nearest(world.of("specialist"), area, 0.7)[household]
    world.specialist[rng.random(len(household)) > 0.22] = -1
    areas_of = world.area_of_unit
    world.pharmacy = nearest(world.units_of("pharmacy"), area, 0.93)[household]
    world.laboratory = nearest(world.units_of("laboratory"), area, 0.97)[household]


def _duties(world: World) -> Ints:
    """Return per account and day 0 (off), 1 (day) or 2 (night)."""
    rng, days = world.rng, np.arange(DAYS)
    duty = np.zeros((len(world.kind), DAYS), np.int64)
    names = list(KINDS)
    for account, kind in enumerate(world.kind.tolist()):
        rhythm = KINDS[names[kind]].rhythm
        duty[account] = _RHYTHMS[rhythm](rng, days)
        if rhythm in ("always", "called"):
            continue
        for _ in range(int(rng.random() < 0.38) + int(rng.random() < 0.1)):
            wanted = rng.integers(*SCHOOL) if rng.random() < 0.55 else rng.integers(DAYS)
            duty[account, wanted : wanted + int(rng.choice([3, 5, 7, 10, 14]))] = 0
        if rng.random() < 0.04:
            duty[account, : rng.integers(3, 50)] = 0
        elif rng.random() < 0.03:
            duty[account, rng.integers(10, DAYS) :] = 0
    return duty


def _weekday(days: Ints) -> np.ndarray:
    return (days % 7 < 5) & ~np.isin(days, HOLIDAYS)


def _office(rng: np.random.Generator, days: Ints) -> np.ndarray:
    off = rng.integers(5) if rng.random() < 0.45 else 9
    return _weekday(days) & (days % 7 != off) & (rng.random(len(days)) < 0.97)


def _gp(rng: np.random.Generator, days: Ints) -> np.ndarray:
    saturday = (days % 7 == 5) & (rng.random(len(days)) < rng.choice([0.0, 0.5, 0.9]))
    return _office(rng, days) | saturday


def _shop(rng: np.random.Generator, days: Ints) -> np.ndarray:
    return (days % 7 < 6) & ~np.isin(days, HOLIDAYS) & (days % 7 != rng.integers(6))


def _rounds(rng: np.random.Generator, days: Ints) -> np.ndarray:
    return (days // 7 + rng.integers(3)) % 3 != 0


def _shift(rng: np.random.Generator, days: Ints) -> np.ndarray:
    pattern = np.array([1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0])
    turn = rng.integers(14)
    works = pattern[(days + turn) % 14]
    kind = rng.random()
    if kind < 0.25:
        return works * 2
    return works * np.where((days + turn) // 14 % 3 == 0, 2, 1) if kind < 0.55 else works


_RHYTHMS: Final = {
    "office": _office, "gp": _gp, "shop": _shop, "rounds": _rounds, "shift": _shift,
    "always": lambda rng, days: np.ones(len(days)), "called": lambda rng, days: 0 * days,
}  # fmt: skip


def found(rng: np.random.Generator) -> World:
    """Found the organisations, hire, and let the patients move in."""
    world = World(rng)
    for kind, places in (("practice", 32), ("specialists", 20), ("pharmacy", 36)):
        for number in range(places):
            area = number if number < len(AREAS) else int(rng.choice(len(AREAS), p=_WEIGHT))
            unit = world.place(kind, world.found(kind, area), area)
            _STAFFED[kind](world, unit)
    for kind, areas in (("cabinet", range(8)), ("cabinet", range(8)), ("laboratory", (0, 2, 4)),
                        ("care_home", range(8)), ("samu", (0,)), ("register", (0,)),
                        ("telehealth", (6,)), ("centre", (0, 1, 2))):  # fmt: skip
        for area in areas:
            _STAFFED[kind](world, world.place(kind, world.found(kind, area), area))
    for number, (area, wards) in enumerate(((0, 8), (3, 5))):
        _hospital(world, world.found("hospital", area), area, wards, 1.0 - 0.35 * number)
    world.hire("locum", 0, 11)
    world.settle()
    return world


def _practice(world: World, unit: int) -> None:
    doctors = int(world.rng.integers(2, 6))
    world.hire("gp", unit, doctors)
    world.hire("secretary", unit, 1 + doctors // 3)
    world.hire("practice_nurse", unit, int(world.rng.random() < 0.7))


def _specialists(world: World, unit: int) -> None:
    world.hire("specialist", unit, int(world.rng.integers(1, 4)))
    world.hire("specialist_secretary", unit, int(world.rng.integers(1, 3)))


def _crew(**count: int):
    def hire(world: World, unit: int) -> None:
        for kind, many in count.items():
            world.hire(kind, unit, many)

    return hire


_STAFFED: Final = {
    "practice": _practice, "specialists": _specialists,
    "pharmacy": _crew(pharmacist=1, dispenser=2), "cabinet": _crew(home_nurse=4),
    "laboratory": _crew(lab_biologist=3, lab_technician=5, lab_desk=4, feed=1),
    "care_home": _crew(home_doctor=1, home_care=5), "samu": _crew(regulator=8, operator=14),
    "register": _crew(identity=6), "telehealth": _crew(telehealth=9), "centre": _crew(),
}  # fmt: skip


def _hospital(world: World, one: int, area: int, wards: int, size: float) -> None:
    for _ in range(wards):
        unit = world.place("ward", one, area)
        _crew(ward_nurse=14, ward_doctor=4, ward_secretary=1)(world, unit)
    emergency = world.place("emergency", one, area)
    _crew(er_nurse=int(26 * size), er_doctor=int(16 * size), er_desk=int(11 * size))(
        world, emergency
    )
    imaging = world.place("imaging", one, area)
    _crew(radiologist=int(7 * size), imaging=int(14 * size))(world, imaging)
    offices = world.place("offices", one, area)
    _crew(transverse=int(10 * size), hospital_pharmacist=3, coder=int(6 * size),
          billing=int(8 * size), auditor=1, researcher=2, feed=1,
          pool_nurse=int(10 * size))(world, offices)  # fmt: skip
