"""Honest and odd: openings, a chain taken over, locums, screenings, files moved to new software."""

import numpy as np

from benchmarks.elsewhere.payers.people import DAYS, OPENED, TAKEN, World
from benchmarks.elsewhere.payers.shops import (
    BATCH,
    BILL,
    CHECK,
    QUOTE,
    STAFF,
    VIEW,
    Book,
    ask,
)
from benchmarks.elsewhere.region.people import Pool
from benchmarks.elsewhere.region.rows import DAY, HOUR, Rows, in_a_row, within

FICTITIOUS = 8
"""Insured persons who do not exist: the last of the register, for tests."""


def move(world: World) -> None:
    """Send locums, colleagues who help out elsewhere, and the people of the chain taken over."""
    rng = world.rng
    shops = world.sites("optician")
    for locum in world.of("locum"):
        day = int(rng.integers(0, 8))
        while day < DAYS:
            stay, shop = int(rng.integers(1, 9)), int(rng.choice(shops))
            days = np.arange(day, min(day + stay, DAYS))
            world.unit_on[locum, days] = shop
            world.duty[locum, days] = world.open(np.full(len(days), shop), days)
            day += stay + int(rng.choice([1, 1, 2, 6]))
    movers = world.of("optician", "pharmacist", "lab_desk", "dental_desk", "hearing")
    for number, account in enumerate(rng.choice(movers, 14, replace=False)):
        sector = world.sector[world.home[account]]
        day = int(rng.integers(3, DAYS - 6))
        until = DAYS if number % 3 == 0 else day + int(rng.integers(2, 8))
        world.unit_on[account, day:until] = int(rng.choice(world.sites(sector)))
    office = world.sites("head office")
    world.unit_on[world.home == office[3], TAKEN:] = office[0]


def add(world: World, rows: Rows, book: Book) -> None:
    """Add what happens once."""
    _open_shops(world, rows, book)
    _screen(world, rows)
    _visit_homes(world, rows)
    _move_files(world, rows)
    _try_out(world, rows)


def _open_shops(world: World, rows: Rows, book: Book) -> None:
    """The first three days of a shop with its offers."""
    rng = world.rng
    here = Pool(world.lives, np.ones(len(world.lives)))
    for shop, first in zip(world.sites("optician")[-2:], OPENED, strict=True):
        day = first + rng.integers(0, 4, int(rng.poisson(110)))
        site = np.full(len(day), shop)
        kept = world.open(site, day)
        patient = here.draw(rng, world.town_of[site[kept]])
        ask(world, rows, book, within(rng, day[kept], 9.5, 19), site[kept], patient)


def _screen(world: World, rows: Rows) -> None:
    """School children whose eyes are tested in a day, class by class, and asked for at one shop."""
    rng = world.rng
    for day in (8, 38, 44, 50):
        open_there = world.sites("optician")
        open_there = open_there[world.open(open_there, np.full(len(open_there), day))]
        shop = int(rng.choice(open_there))
        near = np.argsort(world.away[world.town_of[shop]])[:4]
        pupils = np.flatnonzero(np.isin(world.lives, near) & (world.age > 5) & (world.age < 12))
        some = rng.choice(pupils, min(200, len(pupils)), replace=False)
        at = day * DAY + 9.2 * HOUR + np.sort(rng.uniform(0, 7.5, len(some))) * HOUR
        site = np.full(len(some), shop)
        who = world.pick(site, at, *STAFF)
        rows.add(at, who, some, CHECK, site)
        rows.add(*rows.some(0.25, at + 3 * HOUR, who, some), QUOTE)


def _visit_homes(world: World, rows: Rows) -> None:
    """A hearing-aid maker spends an afternoon in a home for the old, of which he knew nobody."""
    rng = world.rng
    for day in (3, 11, 36, 43, 52):
        account = int(rng.choice(world.of("hearing")[world.duty[world.of("hearing"), day]]))
        town = world.town_of[world.home[account]]
        old = np.flatnonzero((world.lives == town) & (world.age > 78))
        some = rng.choice(old, min(len(old), int(rng.integers(35, 70))), replace=False)
        who = np.full(len(some), account)
        at = in_a_row(rng, who, np.full(len(some), day * DAY + 13.5 * HOUR), 150.0)
        rows.add(at, who, some, CHECK)


def _move_files(world: World, rows: Rows) -> None:
    """Whoever changes software asks anew for the rights of all of his file, in one night or two."""
    rng = world.rng
    for sector, kinds, day in (
        ("dental", ("dental_office",), 35), ("hearing", ("hearing",), 47),
        ("optician", ("optician_shop",), 40), ("dental", ("dental_office",), 15),
    ):  # fmt: skip
        account = int(rng.choice(world.of(*kinds)))
        site = world.home[account]
        file = np.flatnonzero((world.usual[sector] == site) & (rng.random(len(world.age)) < 0.4))
        some = file[np.argsort(world.name[file])][:900]
        who = np.full(len(some), account)
        start = np.full(len(some), day * DAY + 19.5 * HOUR)
        rows.add(in_a_row(rng, who, start, 4.0), who, some, BATCH)


def _try_out(world: World, rows: Rows) -> None:
    """New software, training, a call to the hotline: persons who do not exist."""
    rng = world.rng
    nobody = len(world.policy) - 1 - np.arange(FICTITIOUS)
    for account in rng.choice(len(world.kind), 90, replace=False):
        days = np.flatnonzero(world.duty[account])
        if not len(days):
            continue
        many = int(rng.integers(2, 14))
        at = int(rng.choice(days)) * DAY + rng.uniform(9, 17) * HOUR + np.sort(
            rng.exponential(500, many))  # fmt: skip
        way = rng.choice([CHECK, QUOTE, VIEW, BILL], many)
        rows.add(at, np.full(many, account), rng.choice(nobody, many), way)
