"""Who is there: towns, insurers, families, sites, accounts, and who works when."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import BEGIN, Ints
from benchmarks.elsewhere.region.people import Pool

DAYS: Final = 56
START: Final = BEGIN - 35 * 86_400_000_000
"""Monday, 1 December 2025, midnight UTC: a year's end, its renewals, and three weeks after."""
HOLIDAYS: Final = (24, 31)
SCHOOL: Final = (19, 35)
RENEWED: Final = 31
"""1 January: contracts are renewed; one insurer gives all of its members other numbers."""
TAKEN: Final = 36
"""The day on which the first chain takes over the fourth."""
OPENED: Final = (33, 40)
"""The days on which two new shops open."""
POLICIES: Final = 64_000
INSURERS: Final = 84
RENUMBERED: Final = 5
"""The insurer whose numbers change."""
AREAS: Final = ("35", "44", "49", "53", "56", "72", "85", "22")
TOWNS: Final = 40
SECTORS: Final = {
    "optician": 123, "hearing": 40, "pharmacy": 75, "dental": 28, "laboratory": 15,
    "hospital": 14, "transport": 45,
}  # fmt: skip
CHAINS: Final = (22, 14, 9, 6)
"""Shops of each chain of opticians: the first sites; then come the independents."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of account: what the portal's directory says of it, and when it works."""

    activity: str
    role: str
    rhythm: str
    shared: bool = False


KINDS: Final = {
    "optician": Kind("optician", "shop", "shop"),
    "optician_shop": Kind("optician", "shop", "open", True),
    "optician_office": Kind("optician", "office", "office"),
    "optician_software": Kind("optician", "software", "always"),
    "hearing": Kind("hearing aids", "shop", "office"),
    "pharmacist": Kind("pharmacist", "shop", "shop", True),
    "dental_desk": Kind("dentist", "desk", "shop"),
    "dental_office": Kind("dentist", "office", "office"),
    "lab_desk": Kind("laboratory", "desk", "shop", True),
    "lab_office": Kind("laboratory", "office", "office"),
    "lab_software": Kind("laboratory", "software", "always"),
    "admission": Kind("hospital", "desk", "round", True),
    "hospital_office": Kind("hospital", "office", "office"),
    "transport": Kind("transport", "office", "shop"),
    "hotline": Kind("portal", "hotline", "office"),
    "locum": Kind("optician", "shop", "called"),
}
KIND: Final = {name: number for number, name in enumerate(KINDS)}


@dataclass
class World:
    """Everything that stays: sites, accounts, families, duties."""

    rng: np.random.Generator
    sector: list[str] = field(default_factory=list)
    town: list[int] = field(default_factory=list)
    chain: list[int] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    homes: list[int] = field(default_factory=list)

    def site(self, sector: str, town: int, chain: int = -1) -> int:
        """Add a site: an establishment with a number of its own."""
        self.sector.append(sector)
        self.town.append(town)
        self.chain.append(chain)
        return len(self.sector) - 1

    def hire(self, kind: str, site: int, count: int = 1) -> None:
        """Add accounts."""
        self.kinds += [KIND[kind]] * count
        self.homes += [site] * count

    def settle(self) -> None:
        """Fix sites and accounts, let the families move in, draw who works when."""
        self.kind, self.home = np.array(self.kinds), np.array(self.homes)
        self.town_of, self.chain_of = np.array(self.town), np.array(self.chain)
        self.opens = np.full(len(self.sector), -1_000)
        self.opens[self.sites("optician")[-2:]] = OPENED
        self.unit_on = np.repeat(self.home[:, None], DAYS, 1)
        self.monday_off = self.rng.random(len(self.sector)) < 0.5
        _inhabit(self)
        _attach(self)
        self.duty = _duties(self)

    def of(self, *kinds: str) -> Ints:
        """Return the accounts of some kinds."""
        return np.flatnonzero(np.isin(self.kind, [KIND[kind] for kind in kinds]))

    def sites(self, *sectors: str) -> Ints:
        """Return the sites of some sectors."""
        return np.flatnonzero(np.isin(np.array(self.sector), sectors))

    def chain_at(self, site: Ints, day: np.ndarray) -> Ints:
        """Return the chain of each site on a day (-1: none)."""
        chain = self.chain_of[site]
        return np.where((chain == 3) & (day >= TAKEN), 0, chain)

    def pick(self, site: Ints, at: np.ndarray, *kinds: str) -> Ints:
        """Return who of some kinds works at each site at each second (-1: nobody)."""
        account = self.of(*kinds)
        who, day = np.nonzero(self.duty[account])
        key = day * len(self.sector) + self.unit_on[account[who], day]
        order = np.argsort(key, kind="stable")
        who, key = account[who][order], key[order]
        asked = np.clip(at // 86_400, 0, DAYS - 1).astype(np.int64) * len(self.sector) + site
        low, high = np.searchsorted(key, asked), np.searchsorted(key, asked, "right")
        some = low + (self.rng.random(len(asked)) * (high - low)).astype(np.int64)
        return np.where(high > low, who[np.clip(some, 0, len(who) - 1)], -1)

    def open(self, site: Ints, day: Ints) -> np.ndarray:
        """Return whether shops are open: never on Sundays and holidays, half not on Mondays."""
        shut = (day % 7 == 6) | np.isin(day, HOLIDAYS) | (day < self.opens[site])
        return ~shut & ~((day % 7 == 0) & self.monday_off[site])


def _inhabit(world: World) -> None:
    """Draw families, one policy each; number them as insurers do: by contract, then by entry.

    A person's number is his policy's with his rank in the family behind; a third of the numbers
    of an insurer are no longer, or not yet, anybody's.
    """
    rng = world.rng
    size = 1 + np.minimum(rng.geometric(0.43, POLICIES) - 1, 5)
    rank = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    world.policy = np.repeat(np.arange(POLICIES), size)
    world.rank = rank
    weight = 1 / np.arange(2, INSURERS + 2) ** 0.8
    contract = np.sort((rng.pareto(0.8, POLICIES) * 25).astype(np.int64) % 9_000)
    insurer_of = rng.choice(INSURERS, contract.max() + 1, p=weight / weight.sum())
    contract = rng.permutation(contract)
    order = np.lexsort((rng.random(POLICIES), contract, insurer_of[contract]))
    number = np.empty(POLICIES, np.int64)
    number[order] = 1_000 + np.cumsum(rng.geometric(0.65, POLICIES))
    number += 20_000 * insurer_of[contract]
    world.contract, world.insurer = contract[world.policy], insurer_of[contract][world.policy]
    world.number = number[world.policy] * 10 + rank + 1
    seat = np.where(rng.random(contract.max() + 1) < 0.6, rng.integers(TOWNS), -1)
    town = rng.choice(TOWNS, POLICIES, p=_town_weight())
    near = seat[contract] >= 0
    town = np.where(near & (rng.random(POLICIES) < 0.25), seat[contract], town)
    world.lives = town[world.policy]
    adult = np.where(rng.random(len(rank)) < 0.3, rng.uniform(60, 94, len(rank)),
                     rng.uniform(22, 62, len(rank)))  # fmt: skip
    world.age = np.where(rank >= 2, rng.uniform(0, 22, len(rank)), adult)
    world.frailty = rng.gamma(0.5, 1.0, len(rank)) * (0.4 + world.age / 50) + 0.02
    surname = np.minimum((rng.pareto(0.9, POLICIES) * 60).astype(np.int64), 29_999)
    names = np.sort(rng.random(30_000))
    rng.shuffle(names)
    world.surname = surname[world.policy]
    world.name = names[world.surname] + 2e-5 * rng.random(len(rank))


def _town_weight() -> np.ndarray:
    weight = 1 / np.arange(2, TOWNS + 2) ** 0.9
    return weight / weight.sum()


def _attach(world: World) -> None:
    """Give each family its shop of each sector: near, and a big one rather than a small one."""
    rng = world.rng
    place = rng.random((TOWNS, 2))
    away = np.linalg.norm(place[:, None] - place[None], axis=2)
    world.area = np.argsort(np.argsort(place[:, 0])) * len(AREAS) // TOWNS
    size = rng.lognormal(0, 0.6, len(world.sector))
    first = np.r_[True, np.diff(world.policy) != 0]
    town = world.lives[first]
    world.usual = {}
    for sector in SECTORS:
        site = world.sites(sector)
        pull = size[site] * np.exp(-away[:, world.town_of[site]] / 0.06) + 1e-9
        total = np.cumsum(pull / pull.sum(axis=1, keepdims=True), axis=1)
        drawn = np.minimum((total[town] < rng.random((len(town), 1))).sum(axis=1), len(site) - 1)
        world.usual[sector] = site[drawn][world.policy]
    world.size = size
    world.away = away


def clients(world: World, sector: str, weight: np.ndarray) -> Pool:
    """Return the persons whose usual site of a sector is each site, drawn by weight."""
    return Pool(world.usual[sector], weight)


def _duties(world: World) -> np.ndarray:
    """Return per account and day whether it works."""
    rng, days = world.rng, np.arange(DAYS)
    duty = np.zeros((len(world.kind), DAYS), bool)
    for account, kind in enumerate(world.kind.tolist()):
        rhythm = list(KINDS.values())[kind].rhythm
        opened = world.open(np.full(DAYS, world.home[account]), days)
        duty[account] = _RHYTHMS[rhythm](rng, days, opened)
        if rhythm in ("always", "open", "called"):
            continue
        for _ in range(int(rng.random() < 0.55) + int(rng.random() < 0.1)):
            wanted = rng.integers(17, 33) if rng.random() < 0.7 else rng.integers(DAYS)
            duty[account, wanted : wanted + int(rng.choice([3, 6, 8, 10, 14]))] = False
        if rng.random() < 0.05:
            duty[account, : rng.integers(3, 50)] = False
        elif rng.random() < 0.03:
            duty[account, rng.integers(10, DAYS) :] = False
    return duty


def _office(rng: np.random.Generator, days: Ints, opened: np.ndarray) -> np.ndarray:
    off = rng.integers(5) if rng.random() < 0.4 else 9
    return (days % 7 < 5) & ~np.isin(days, HOLIDAYS) & (days % 7 != off)


def _shop(rng: np.random.Generator, days: Ints, opened: np.ndarray) -> np.ndarray:
    return opened & (days % 7 != rng.integers(6))


def _round(rng: np.random.Generator, days: Ints, opened: np.ndarray) -> np.ndarray:
    """Two of three work on weekdays, one by turns on all days."""
    if rng.random() < 0.65:
        return _office(rng, days, opened)
    return np.array([1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0], bool)[
        (days + rng.integers(14)) % 14
    ]


_RHYTHMS: Final = {
    "shop": _shop, "open": lambda rng, days, opened: opened, "office": _office, "round": _round,
    "always": lambda rng, days, opened: np.ones(len(days), bool),
    "called": lambda rng, days, opened: np.zeros(len(days), bool),
}  # fmt: skip


def found(rng: np.random.Generator) -> World:
    """Found the sites, hire, and let the families move in."""
    world = World(rng)
    chain = np.repeat(np.arange(len(CHAINS)), CHAINS)
    for sector, count in SECTORS.items():
        for number in range(count):
            town = number if number < 8 else int(rng.choice(TOWNS, p=_town_weight()))
            in_chain = sector == "optician" and number < len(chain)
            site = world.site(sector, town, int(chain[number]) if in_chain else -1)
            _STAFFED[sector](world, site)
    for number in range(len(CHAINS)):
        site = world.site("head office", number, number)
        world.hire("optician_office", site, 6 - number)
        world.hire("optician_software", site)
    world.hire("hotline", world.site("portal", 0), 14)
    world.hire("locum", 0, 10)
    world.settle()
    return world


def _optician(world: World, site: int) -> None:
    """Most shops have one sign-in for all, taped to the till; some give each their own."""
    if world.rng.random() < 0.55:
        world.hire("optician_shop", site)
        world.hire("optician", site, int(world.rng.random() < 0.4))
    else:
        world.hire("optician", site, int(world.rng.integers(2, 4)))


def _crew(**share: tuple[int, int]):
    def hire(world: World, site: int) -> None:
        for kind, (low, high) in share.items():
            world.hire(kind, site, int(world.rng.integers(low, high + 1)))

    return hire


_STAFFED: Final = {
    "optician": _optician, "hearing": _crew(hearing=(1, 3)), "pharmacy": _crew(pharmacist=(2, 4)),
    "dental": _crew(dental_desk=(2, 4), dental_office=(1, 2)),
    "laboratory": _crew(lab_desk=(4, 8), lab_office=(1, 2), lab_software=(1, 1)),
    "hospital": _crew(admission=(7, 15), hospital_office=(2, 5)),
    "transport": _crew(transport=(1, 3)),
}  # fmt: skip
