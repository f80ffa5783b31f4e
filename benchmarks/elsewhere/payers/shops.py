"""Opticians and hearing-aid makers: a customer comes in, has a quote made, thinks, buys, collects.

Half a shop's sales were asked about elsewhere as well; some 3.7 pairs of glasses are sold per
shop and day (health insurance, 2014), six customers in ten have the insurer pay, and this portal
speaks for a part of the insurers: two or three customers a day.
"""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.elsewhere.log import Ints
from benchmarks.elsewhere.payers.people import DAYS, SCHOOL, World, clients
from benchmarks.elsewhere.region.people import Pool
from benchmarks.elsewhere.region.rows import DAY, HOUR, Rows, in_a_row, within

CHECK, QUOTE, AMEND, VIEW, BILL, FIND, LOOK, BATCH = range(8)
"""Ask for a person's rights; ask for an agreement; change it; look at it; bill; a search by name
and then the person's file; the rights again, of a person who is known."""
BEFORE = 60
"""Days that were lived before the log begins: what was sold then is billed or rejected in it."""
NIGHTLY = (0, 1, 2)
"""Chains whose software bills at night."""


@dataclass
class Book:
    """Files opened, by sector: when, where, for whom, and when billed (infinite: not sold)."""

    parts: list[tuple[np.ndarray, ...]] = field(default_factory=list)

    def add(self, at: np.ndarray, site: Ints, patient: Ints, billed: np.ndarray) -> None:
        """Add files."""
        self.parts.append((at, site, patient, billed))

    def joined(self) -> tuple[np.ndarray, ...]:
        """Return all files as columns."""
        return tuple(np.concatenate(column) for column in zip(*self.parts, strict=True))


def level(day: Ints, rush: float = 1.0, january: float = 1.0) -> np.ndarray:
    """Return how busy days are: a rush before Christmas, holidays, January."""
    level = np.where((day < 24) & (day > 0), rush, 1.0)
    level = np.where((day >= SCHOOL[0] + 4) & (day < SCHOOL[1] - 3), 0.6, level)
    return np.where((day > 31) & (day < 45), january, level)


def comings(world: World, sites: Ints, daily: np.ndarray, saturday: float) -> tuple[Ints, Ints]:
    """Return site and day of each coming, from `BEFORE` days before the log on."""
    days = np.arange(-BEFORE, DAYS)
    site, day = (grid.ravel() for grid in np.meshgrid(sites, days, indexing="ij"))
    opened = world.open(site, day)
    pace = np.repeat(daily, len(days)) * np.where(day % 7 == 5, saturday, 1.0)
    many = np.where(opened, world.rng.poisson(pace), 0)
    return np.repeat(site, many), np.repeat(day, many)


def whom(world: World, pool: Pool, site: Ints, near: float, far: float) -> Ints:
    """Return who comes: mostly the site's own families, some of its town, some from anywhere."""
    rng = world.rng
    patient = pool.draw(rng, site)
    drawn = rng.random(len(site))
    here = Pool(world.lives, np.ones(len(world.lives)))
    some = drawn < near
    patient[some] = here.draw(rng, world.town_of[site[some]])
    away = drawn > 1 - far
    patient[away] = rng.integers(len(world.lives), size=int(away.sum()))
    return patient


def relative(world: World, patient: Ints) -> Ints:
    """Return somebody of the same family, or the same person where there is none."""
    other = np.clip(patient + np.where(world.rng.random(len(patient)) < 0.5, 1, -1), 0,
                    len(world.policy) - 1)  # fmt: skip
    return np.where(world.policy[other] == world.policy[patient], other, patient)


STAFF = ("optician", "optician_shop", "locum")


def trade(world: World, rows: Rows, book: Book) -> None:
    """Add what is done in shops."""
    _opticians(world, rows, book)
    _hearing(world, rows, book)


def _opticians(world: World, rows: Rows, book: Book) -> None:
    rng, sites = world.rng, world.sites("optician")
    daily = np.clip(world.size[sites] * 2.4, 0.6, 9)
    site, day = comings(world, sites, daily, 1.6)
    kept = rng.random(len(site)) < level(day, 1.25) / 1.25
    site, day = site[kept], day[kept]
    pool = clients(world, "optician", 0.3 + world.age / 50)
    patient = whom(world, pool, site, 0.2, 0.04)
    at = within(rng, day, 9.5, 18.9)
    together = rng.random(len(at)) < 0.14
    at = np.r_[at, at[together] + rng.uniform(120, 900, together.sum())]
    site, patient = np.r_[site, site[together]], np.r_[patient, relative(world, patient[together])]
    ask(world, rows, book, at, site, patient)
    at, site, patient = rows.some(0.2, at, site, patient)
    later = at + rng.exponential(3, len(at)) * DAY
    later = later // DAY * DAY + rng.uniform(9.6, 18.8, len(at)) * HOUR
    other = _elsewhere(world, site, patient)
    kept = world.open(other, (later // DAY).astype(np.int64))
    ask(world, rows, book, later[kept], other[kept], patient[kept])


def _elsewhere(world: World, site: Ints, patient: Ints) -> Ints:
    """Return another shop to compare with: the usual one of somebody in the same town."""
    here = Pool(world.lives, np.ones(len(world.lives)))
    return world.usual["optician"][here.draw(world.rng, world.lives[patient])]


def ask(world: World, rows: Rows, book: Book, at: np.ndarray, site: Ints, patient: Ints) -> None:
    """Rights, a quote for two in three, a sale for half of these, the bill when it is collected."""
    rng = world.rng
    seller = world.pick(site, at, *STAFF)
    rows.add(at, seller, patient, np.where(rng.random(len(at)) < 0.08, FIND, CHECK), site)
    at, seller, site, patient = rows.some(0.66, at + rng.uniform(240, 2400, len(at)), seller, site,
                                          patient)  # fmt: skip
    by_software = (world.chain_at(site, at // DAY) == 0) & (seller >= 0)
    rows.add(at, np.where(by_software, software(world, site, at), seller), patient, QUOTE, site)
    rows.add(*rows.some(0.25, at + 400, seller, patient), AMEND)
    looked = at + rng.exponential(1.5, len(at)) * DAY
    looked = looked // DAY * DAY + rng.uniform(9.6, 18.5, len(at)) * HOUR
    seen = rows.some(0.4, looked, site, patient)
    rows.add(seen[0], world.pick(seen[1], seen[0], *STAFF), seen[2], VIEW, seen[1])
    sold = rng.random(len(at)) < 0.56
    gap = np.where(rng.random(len(at)) < 0.6, rng.uniform(300, 1500, len(at)),
                   rng.exponential(4, len(at)) * DAY)  # fmt: skip
    buys = at + gap
    hour = buys % DAY / HOUR
    buys = np.where((hour < 9.5) | (hour > 19), buys // DAY * DAY + 14 * HOUR, buys)
    who = world.pick(site, buys, *STAFF)
    rows.add(buys[sold], who[sold], patient[sold], VIEW, site[sold])
    rows.add(buys[sold] + 200, who[sold], patient[sold], AMEND, site[sold])
    _collect(world, rows, book, at, site, patient, np.where(sold, buys, np.inf))


def _collect(world, rows, book, at, site, patient, buys) -> None:
    rng = world.rng
    sold = np.isfinite(buys)
    day = np.where(sold, buys, 0) // DAY + 4 + rng.poisson(4, len(at))
    day = day + (day % 7 == 6)
    billed = np.where(sold, day * DAY + rng.uniform(9.6, 18.8, len(at)) * HOUR, np.inf)
    book.add(at, site, patient, billed)
    nightly = np.isin(world.chain_at(site, np.where(sold, day, 0)), NIGHTLY)
    for done, some in ((_by_hand, sold & ~nightly), (_by_night, sold & nightly)):
        if some.any():
            done(world, rows, billed[some], site[some], patient[some])


def _by_hand(world: World, rows: Rows, at: np.ndarray, site: Ints, patient: Ints) -> None:
    """Bill as things are collected, in the bigger shops together at the day's end."""
    day = at // DAY
    group = site * 1000 + day.astype(np.int64)
    together = in_a_row(world.rng, group, day * DAY + 18.4 * HOUR, 70.0)
    at = np.where(world.size[site] > 1.1, together, at)
    clerk = world.pick(site, at, *STAFF)
    rows.add(at - 40, clerk, patient, VIEW, site)
    rows.add(at, clerk, patient, BILL, site)


def _by_night(world: World, rows: Rows, at: np.ndarray, site: Ints, patient: Ints) -> None:
    day = at // DAY
    chain = world.chain_at(site, day)
    start = day * DAY + (22.2 + 0.4 * chain) * HOUR
    at = in_a_row(world.rng, chain * 1000 + day.astype(np.int64), start, 3.0)
    rows.add(at, software(world, site, at), patient, BILL, site)


def software(world: World, site: Ints, at: np.ndarray) -> Ints:
    """Return the service account of each site's chain (-1: none)."""
    service = world.of("optician_software")  # one for each chain, in order
    return np.append(service, -1)[world.chain_at(site, at // DAY)]


def _hearing(world: World, rows: Rows, book: Book) -> None:
    """A trial of a month with its visits, then the bill; batteries and upkeep of older clients."""
    rng, sites = world.rng, world.sites("hearing")
    pool = clients(world, "hearing", np.clip(world.age - 50, 0.2, None) ** 2)
    site, day = comings(world, sites, np.clip(world.size[sites] * 0.9, 0.3, 3), 0.4)
    patient, at = whom(world, pool, site, 0.15, 0.02), within(rng, day, 9, 18)
    who = world.pick(site, at, "hearing")
    rows.add(at, who, patient, CHECK)
    at, site, patient = rows.some(0.7, at + rng.uniform(900, 3600, len(at)), site, patient)
    rows.add(at, world.pick(site, at, "hearing"), patient, QUOTE)
    for visit in range(1, 5):
        when = at + visit * 7 * DAY + rng.uniform(-2, 2, len(at)) * HOUR
        rows.add(*rows.some(0.45, when, world.pick(site, when, "hearing"), patient), VIEW)
    billed = np.where(rng.random(len(at)) < 0.7, at + rng.integers(29, 40, len(at)) * DAY, np.inf)
    book.add(at, site, patient, billed)
    kept = np.isfinite(billed)
    rows.add(billed[kept], world.pick(site[kept], billed[kept], "hearing"), patient[kept], BILL)
    regulars = np.clip(world.age - 55, 0, None) ** 3 * (rng.random(len(world.age)) < 0.04)
    site, day = comings(world, sites, np.clip(world.size[sites] * 2.5, 1, 7), 0.3)
    patient = clients(world, "hearing", regulars + 1e-9).draw(rng, site)
    at = within(rng, day, 9, 18)
    who = world.pick(site, at, "hearing")
    rows.add(*rows.some(0.6, at, who, patient), LOOK)
    rows.add(*rows.some(0.5, at + 300, who, patient), BILL)
