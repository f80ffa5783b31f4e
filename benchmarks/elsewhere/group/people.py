"""The group: three establishments, their units and staff, the town's practices, the index."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import Ints

DAYS: Final = 49
HOUR: Final = 3_600
DAY: Final = 86_400
STOCK: Final = 90_000
"""Persons in the index on the first day."""
SITES: Final = ("CH A", "CH B", "CH C")
SITE_SHARE: Final = np.array([0.62, 0.25, 0.13])

WARDS: Final = (
    (0, "cardiology", 28, 6.0), (0, "gastro", 26, 6.5), (0, "neurology", 24, 8.0),
    (0, "pneumology", 26, 8.0), (0, "oncology", 22, 7.0), (0, "internal", 28, 8.0),
    (0, "geriatrics", 30, 12.0), (0, "orthopaedics", 28, 5.0), (0, "visceral", 26, 4.5),
    (0, "urology", 20, 3.5), (0, "obstetrics", 24, 3.8), (0, "ent", 14, 2.5),
    (0, "paediatrics", 18, 2.6), (0, "intensive", 14, 5.0), (0, "short_stay", 12, 1.0),
    (0, "day_surgery", 18, 0.0), (0, "day_oncology", 16, 0.0), (1, "internal", 28, 8.0),
    (1, "cardiology", 20, 6.0), (1, "geriatrics", 26, 12.0), (1, "orthopaedics", 22, 5.0),
    (1, "visceral", 18, 4.0), (1, "rehabilitation", 24, 24.0), (2, "rehabilitation", 30, 26.0),
    (2, "geriatrics", 26, 14.0), (2, "psychiatry", 26, 19.0), (2, "long_term", 30, 180.0),
)  # fmt: skip
"""Site, specialty, beds and mean stay in days (0: out in the evening)."""
SURGERY: Final = frozenset(
    {"orthopaedics", "visceral", "urology", "obstetrics", "ent", "day_surgery"}
)
CHRONIC: Final = (
    "cardiology", "gastro", "neurology", "pneumology", "oncology", "internal", "geriatrics",
    "orthopaedics", "visceral", "urology", "obstetrics", "ent", "paediatrics", "psychiatry",
    "rehabilitation",
)  # fmt: skip
"""Specialties that follow people as out-patients."""
SERVING: Final = (
    ("emergency", (0, 1)), ("theatre", (0, 1)), ("clinic", (0, 1, 2)), ("imaging", (0, 1)),
    ("laboratory", (0,)), ("pharmacy", (0, 1)), ("admissions", (0, 1, 2)), ("coding", (0,)),
    ("mobile", (0,)), ("social", (0, 1, 2)), ("therapy", (0, 1, 2)), ("quality", (0,)),
    ("hygiene", (0,)), ("beds", (0,)), ("archive", (0,)), ("research", (0,)), ("it", (0,)),
    ("management", (0,)), ("pool", (0,)), ("interfaces", (0,)),
)  # fmt: skip
PRACTICES: Final = 62
KINDS: Final = {
    "nurse": ("nurse", "IDE"), "assistant": ("care assistant", "AS"),
    "doctor": ("doctor", "MED"), "intern": ("doctor", "INT"), "head": ("nurse", "CADRE"),
    "secretary": ("secretary", "SEC"), "clerk": ("clerk", "ADM"),
    "pool": ("nurse", "IDE"), "agency": ("nurse", "IDE"), "student": ("student", "ETU"),
    "extern": ("student", "EXT"), "anaesthetist": ("doctor", "MED"),
    "theatre": ("nurse", "BLOC"), "radiographer": ("technician", "MANIP"),
    "radiologist": ("doctor", "MED"), "laboratory": ("technician", "TECH_LABO"),
    "biologist": ("doctor", "BIO"), "pharmacist": ("pharmacist", "PHARMA"),
    "preparer": ("technician", "PREP"), "therapist": ("therapist", "REEDUC"),
    "dietitian": ("therapist", "DIET"), "social": ("social worker", "SOC"),
    "mobile": ("doctor", "MED"), "coder": ("coder", "DIM"), "biller": ("clerk", "FACT"),
    "quality": ("quality officer", "QUAL"), "hygiene": ("nurse", "HYG"),
    "beds": ("nurse", "LITS"), "archivist": ("clerk", "ARCH"), "research": ("research", "ARC"),
    "complaints": ("clerk", "USAGERS"), "helpdesk": ("informatics", "SUPPORT"),
    "vendor": ("informatics", "EDITEUR"), "practitioner": ("doctor", "VILLE"),
    "practice_desk": ("secretary", "VILLE_SEC"), "interface": ("", "SERVICE"),
}  # fmt: skip
"""Kinds of account: profession and habilitation."""
AREAS: Final = ("59", "62", "80", "02", "75")


@dataclass(frozen=True, slots=True)
class Unit:
    """A ward, a service or a practice of the town (`site` 3 and on)."""

    site: int
    name: str
    beds: int = 0
    stay: float = 0.0

    @property
    def by_day(self) -> bool:
        """Tell whether nobody sleeps there."""
        return self.beds > 0 and self.stay == 0.0


@dataclass
class World:
    """Everybody; `kind` and `unit` are the accounts', `away` their days off work."""

    rng: np.random.Generator
    units: list[Unit] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    unit: list[int] = field(default_factory=list)
    site: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    frailty: np.ndarray = field(default_factory=lambda: np.empty(0))
    chronic: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    practice: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    surname: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    registered: list[np.ndarray] = field(default_factory=list)
    away: np.ndarray = field(default_factory=lambda: np.empty((0, DAYS), bool))
    until: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    places: dict[str, np.ndarray] = field(default_factory=dict)

    def of(self, kind: str, unit: int = -1, site: int = -1) -> Ints:
        """Return the accounts of a kind, of a unit or of a site."""
        mine = np.array(self.kind) == list(KINDS).index(kind)
        units = np.array(self.unit)
        if unit >= 0:
            mine &= units == unit
        if site >= 0:
            mine &= np.array([u.site for u in self.units])[units] == site
        return np.flatnonzero(mine)

    def find(self, name: str, site: int) -> int:
        """Return a unit by its name and site."""
        return next(n for n, u in enumerate(self.units) if (u.name, u.site) == (name, site))

    @property
    def wards(self) -> range:
        """Return the units that have beds."""
        return range(len(WARDS))

    def here(self, accounts: Ints, day: int) -> Ints:
        """Return those of the accounts who work on a day."""
        if not 0 <= day < DAYS:
            return accounts
        return accounts[~self.away[accounts, day] & (self.until[accounts] > day)]

    def anybody(self, count: int, site: int) -> Ints:
        """Return persons who fall ill near a site, the frail more often."""
        key = f"site {site}"
        if key not in self.places:
            weight = self.frailty[:STOCK] * np.where(self.site[:STOCK] == site, 1.0, 0.04)
            self.places[key] = np.cumsum(weight)
        mass = self.places[key]
        return np.searchsorted(mass, self.rng.random(count) * mass[-1])

    def register(self, at: np.ndarray) -> Ints:
        """Return new persons; their numbers will follow the moments at which they came."""
        first = STOCK + sum(map(len, self.registered))
        self.registered.append(np.asarray(at, float))
        return first + np.arange(len(at))


def found(rng: np.random.Generator) -> World:
    """Return the group, its staff and the persons of its index."""
    world = World(rng)
    world.units = [Unit(*ward) for ward in WARDS]
    world.units += [Unit(site, name) for name, sites in SERVING for site in sites]
    world.units += [Unit(3 + n, "practice") for n in range(PRACTICES)]
    _hire_wards(world)
    _hire_services(world)
    _leave(world)
    _settle(world)
    return world


def _hire(world: World, kind: str, unit: int, count: int) -> None:
    world.kind += [list(KINDS).index(kind)] * count
    world.unit += [unit] * count


def needs(unit: Unit) -> tuple[int, int, int]:
    """Return the nurses that a ward wants in the morning, in the afternoon and at night."""
    if unit.name == "intensive":
        return 6, 6, 5
    if unit.by_day:
        return max(unit.beds // 6, 2), 2, 0
    per = 15 if unit.name in {"long_term", "rehabilitation", "psychiatry"} else 11
    morning = max(round(unit.beds / per), 1)
    return morning, max(morning - (unit.beds < 20), 1), max(round(unit.beds / 20), 1)


def _hire_wards(world: World) -> None:
    for n in world.wards:
        unit = world.units[n]
        _hire(world, "nurse", n, round(sum(needs(unit)) * 7 / 4.67 * 1.12))
        _hire(world, "assistant", n, 2 if unit.by_day else 6)
        _hire(world, "doctor", n, 6 if unit.name == "intensive" else 3 + (unit.beds > 20))
        _hire(world, "intern", n, 0 if unit.name == "long_term" else 1 + (unit.site == 0))
        _hire(world, "head", n, 1)
        _hire(world, "secretary", n, 1 + (unit.beds > 24))
        _hire(world, "student", n, 1 + n % 2)
        _hire(world, "extern", n, int(unit.site == 0))


def _hire_services(world: World) -> None:
    staff = {
        "emergency": (("nurse", 26), ("doctor", 16), ("intern", 6), ("assistant", 8), ("clerk", 8),
                      ("secretary", 2), ("head", 1)),
        "theatre": (("anaesthetist", 9), ("theatre", 20)),
        "clinic": (("secretary", 12), ("clerk", 3)),
        "imaging": (("radiographer", 18), ("radiologist", 7), ("secretary", 3)),
        "laboratory": (("laboratory", 16), ("biologist", 5)),
        "pharmacy": (("pharmacist", 4), ("preparer", 5)),
        "admissions": (("clerk", 8), ("biller", 3)),
        "coding": (("coder", 10),), "mobile": (("mobile", 8),), "social": (("social", 4),),
        "therapy": (("therapist", 6), ("dietitian", 3)),
        "quality": (("quality", 4), ("complaints", 2)), "hygiene": (("hygiene", 4),),
        "beds": (("beds", 5),), "archive": (("archivist", 5),), "research": (("research", 6),),
        "it": (("helpdesk", 8), ("vendor", 3)), "pool": (("pool", 20), ("agency", 54)),
        "management": (), "interfaces": (("interface", 6),),
    }  # fmt: skip
    for n, unit in enumerate(world.units[len(WARDS) :], len(WARDS)):
        if unit.name == "practice":
            _hire(world, "practitioner", n, 1 + n % 3)
            _hire(world, "practice_desk", n, n % 2)
            continue
        for kind, count in staff[unit.name]:
            _hire(world, kind, n, count if unit.site == 0 else max(count // 2, 1))


def _leave(world: World) -> None:
    """Give holidays (Easter's fortnight above all), illness, and a last day to those who leave."""
    rng, count = world.rng, len(world.kind)
    world.away = np.zeros((count, DAYS), bool)
    world.until = np.full(count, DAYS)
    for account in range(count):
        if rng.random() < 0.45:
            easter = rng.random() < 0.6
            first = int(rng.integers(5, 14) if easter else rng.integers(0, DAYS))
            world.away[account, first : first + int(rng.choice([4, 7, 9, 14]))] = True
        for _ in range(rng.poisson(0.35)):
            first = int(rng.integers(0, DAYS))
            world.away[account, first : first + int(rng.geometric(0.3))] = True
    steady = [list(KINDS).index(k) for k in ("interface", "vendor", "agency", "pool")]
    may = np.flatnonzero(~np.isin(world.kind, steady))
    gone = rng.choice(may, 26, replace=False)
    world.until[gone] = rng.integers(7, 40, len(gone))
    world.away[np.isin(world.kind, steady)] = False


def _settle(world: World) -> None:
    """Draw the index; room is left for those who will be registered."""
    rng, room = world.rng, STOCK + 12_000
    world.site = rng.choice(3, room, p=SITE_SHARE)
    world.frailty = rng.gamma(0.45, 1.0, room) + 0.02
    ill = rng.random(room) < 0.5
    share = np.array([14, 8, 8, 7, 9, 6, 6, 12, 7, 7, 9, 7, 6, 4, 4.0])
    world.chronic = np.where(ill, rng.choice(len(CHRONIC), room, p=share / share.sum()), -1)
    practices = np.flatnonzero([u.name == "practice" for u in world.units])
    world.practice = np.where(rng.random(room) < 0.55, rng.choice(practices, room), -1)
    many = 14_000
    frequency = 1 / (np.arange(many) + 30.0)
    world.surname = rng.choice(many, room, p=frequency / frequency.sum())
    world.places["alphabet"] = rng.random(many)
    world.places["first_name"] = rng.random(room) * 2e-5
    world.places["area"] = rng.choice(len(AREAS), room, p=[0.6, 0.2, 0.1, 0.07, 0.03])
