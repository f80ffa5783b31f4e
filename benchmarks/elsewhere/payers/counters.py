"""Pharmacies, dental centres, laboratories, transport firms, and the portal's own hotline."""

import numpy as np

from benchmarks.elsewhere.payers.people import DAYS, HOLIDAYS, RENEWED, World, clients
from benchmarks.elsewhere.payers.shops import (
    AMEND,
    BEFORE,
    BILL,
    CHECK,
    FIND,
    LOOK,
    QUOTE,
    VIEW,
    Book,
    comings,
    level,
    relative,
    whom,
)
from benchmarks.elsewhere.region.people import Pool
from benchmarks.elsewhere.region.rows import DAY, HOUR, Rows, in_a_row, within


def serve(world: World, rows: Rows, book: Book) -> None:
    """Add what is done at these counters."""
    _pharmacies(world, rows, book)
    _on_call(world, rows)
    _dentists(world, rows, book)
    _laboratories(world, rows, book)
    _transports(world, rows, book)


def _pharmacies(world: World, rows: Rows, book: Book) -> None:
    """The card mostly answers; the portal is for new people, lost cards and what was refused."""
    rng, sites = world.rng, world.sites("pharmacy")
    site, day = comings(world, sites, np.clip(world.size[sites] * 15, 4, 48), 0.9)
    kept = rng.random(len(site)) < level(day, 1.0, 2.0) / 2.0
    site, day = site[kept], day[kept]
    patient = whom(world, clients(world, "pharmacy", world.frailty), site, 0.25, 0.05)
    at = within(rng, day, 8.6, 19.4)
    who = world.pick(site, at, "pharmacist")
    rows.add(at, who, patient, np.where(rng.random(len(at)) < 0.06, FIND, CHECK))
    rows.add(*rows.some(0.1, at + 30, who, relative(world, patient)), CHECK)
    at, who, site, patient = rows.some(0.5, at + rng.uniform(40, 200, len(at)), who, site, patient)
    rows.add(at, who, patient, BILL)
    book.add(at, site, patient, at)


def _on_call(world: World, rows: Rows) -> None:
    """On Sundays and holidays one pharmacy in seven is open, for everybody around."""
    rng, sites = world.rng, world.sites("pharmacy")
    here = Pool(world.lives, np.ones(len(world.lives)))
    for day in range(DAYS):
        if day % 7 != 6 and day not in HOLIDAYS:
            continue
        for site in sites[(np.arange(len(sites)) + day // 7) % 7 == 0]:
            many = rng.poisson(22)
            at = day * DAY + np.sort(rng.uniform(9, 20, many)) * HOUR
            staff = np.flatnonzero(world.home == site)
            near = np.argsort(world.away[world.town_of[site]])[:3]
            patient = here.draw(rng, rng.choice(near, many))
            who = np.full(many, staff[(day // 7) % len(staff)])
            rows.add(at, who, patient, CHECK, int(site))
            rows.add(*rows.some(0.5, at + 80, who, patient), BILL, int(site))


def _dentists(world: World, rows: Rows, book: Book) -> None:
    """A course of some visits; half of the centres ask for tomorrow's list in the evening."""
    rng, sites = world.rng, world.sites("dental")
    site, day = comings(world, sites, np.clip(world.size[sites] * 4.5, 1.5, 12), 0.7)
    kept = rng.random(len(site)) < level(day, 1.2) / 1.2
    site, day = site[kept], day[kept]
    patient = whom(world, clients(world, "dental", 0.4 + world.age / 60), site, 0.25, 0.05)
    at = within(rng, day, 9, 18.8)
    _visit(world, rows, at, site, patient, CHECK)
    made, where, whose = rows.some(0.55, at + rng.uniform(1200, 2700, len(at)), site, patient)
    rows.add(made, world.pick(where, made, "dental_desk"), whose, QUOTE)
    rows.add(*_by(world, rows, 0.3, made + rng.uniform(1, 5, len(made)) * DAY, where, whose), VIEW)
    course = 1 + rng.geometric(0.4, len(at))
    for number in range(6):
        going = course > number
        when = at[going] + number * rng.integers(7, 15, going.sum()) * DAY
        if number:
            _visit(world, rows, when, site[going], patient[going], LOOK)
        _bill(world, rows, book, when, site[going], patient[going])


def _by(world, rows, share: float, at, site, patient):
    at, site, patient = rows.some(share, at, site, patient)
    return at, world.pick(site, at, "dental_desk"), patient


def _visit(world, rows, at, site, patient, way: int) -> None:
    """Ask for rights when they come, or in centres that prepare the evening before, in a row."""
    prepares = (site % 2 == 0) & (world.rng.random(len(at)) < 0.85)
    day = (at // DAY).astype(np.int64) - 1
    day = day - (day % 7 == 6)
    evening = in_a_row(world.rng, site * 1000 + day + 100, day * DAY + 17.6 * HOUR, 35.0)
    at = np.where(prepares, evening, at)
    some = rows.some(0.9 if way == CHECK else 0.5, at, site, patient)
    rows.add(some[0], world.pick(some[1], some[0], "dental_desk"), some[2], way)


def _bill(world, rows, book, at, site, patient) -> None:
    day = (at // DAY).astype(np.int64)
    moment = in_a_row(world.rng, site * 1000 + day + 100, day * DAY + 18.2 * HOUR, 45.0)
    by_office = site % 3 == 0
    clerk = np.where(by_office, world.pick(site, moment, "dental_office"),
                     world.pick(site, moment, "dental_desk"))  # fmt: skip
    rows.add(moment, clerk, patient, BILL)
    book.add(at, site, patient, moment)


def _laboratories(world: World, rows: Rows, book: Book) -> None:
    """The software asks at dawn for those who registered and bills at night; desks do the rest."""
    rng, sites = world.rng, world.sites("laboratory")
    site, day = comings(world, sites, np.clip(world.size[sites] * 34, 12, 90), 0.7)
    kept = rng.random(len(site)) < level(day, 1.0, 1.15) / 1.15
    site, day = site[kept], day[kept]
    patient = whom(world, clients(world, "laboratory", world.frailty), site, 0.1, 0.03)
    at = day * DAY + rng.triangular(7, 8, 12.5, len(day)) * HOUR
    service = _software_of(world)[site]
    known = rng.random(len(at)) < 0.35
    dawn = in_a_row(rng, site * 1000 + day + 100, day * DAY + 6.1 * HOUR, 4.0)
    rows.add(dawn[known], service[known], patient[known], CHECK, site[known])
    desk = world.pick(site, at, "lab_desk")
    rows.add(at[~known], desk[~known], patient[~known], CHECK)
    rows.add(*rows.some(0.06, at + 120, desk, patient), FIND)
    night = in_a_row(rng, site * 1000 + day + 100, day * DAY + 21.5 * HOUR, 2.5)
    rows.add(night, service, patient, BILL, site)
    book.add(at, site, patient, night)


def _software_of(world: World) -> np.ndarray:
    table = np.full(len(world.sector), -1)
    service = world.of("lab_software")
    table[world.home[service]] = service
    return table


def _transports(world: World, rows: Rows, book: Book) -> None:
    """Dialysis three times a week, treatments each week, and who must be fetched once; a week's
    journeys are billed in a row on its Friday or the Monday after."""
    rng, sites = world.rng, world.sites("transport")
    ill = clients(world, "transport", world.frailty**2 * np.clip(world.age - 30, 0, None))
    weeks = np.arange(-BEFORE // 7, DAYS // 7)
    parts = []
    for site in sites:
        regulars = ill.draw(rng, np.full(rng.poisson(14), site))
        often = rng.choice([1, 2, 3], len(regulars), p=[0.45, 0.15, 0.4])
        for week in weeks:
            leaves = rng.random(len(regulars)) < 0.04
            regulars[leaves] = ill.draw(rng, np.full(leaves.sum(), site))
            for turn in range(3):
                goes = (often > turn) & (rng.random(len(often)) < 0.93)
                day = week * 7 + (np.arange(len(often))[goes] % 2 + 2 * turn)
                parts.append((day, np.full(goes.sum(), site), regulars[goes], ~leaves[goes]))
    once, day = comings(world, sites, np.clip(world.size[sites] * 4, 1, 12), 0.4)
    parts.append((day, once, whom(world, ill, once, 0.3, 0.05), np.zeros(len(once), bool)))
    day, site, patient, known = (np.concatenate(column) for column in zip(*parts, strict=True))
    at = within(rng, day, 7, 18.5)
    begins = (day >= RENEWED + 1) & (day < RENEWED + 7)  # new cards; each is asked for once
    asked = ~known | ((begins | (day % 28 < 2)) & (rng.random(len(day)) < 0.5))
    before = at[asked] - rng.uniform(0.5, 20, asked.sum()) * HOUR
    hour = before % DAY / HOUR
    before = np.where((hour < 7) | (hour > 19), before // DAY * DAY + 17 * HOUR, before)
    who = world.pick(site[asked], before, "transport")
    rows.add(before, who, patient[asked], np.where(known[asked], LOOK, CHECK))
    late = site % 2 == 1
    pay = day // 7 * 7 + np.where(late, 7, 4)
    order = np.lexsort((day, site))
    start = pay * DAY + (13.5 + site % 4) * HOUR
    moment = in_a_row(rng, (site * 1000 + pay + 100)[order], start[order], 32.0)
    rows.add(moment, world.pick(site[order], moment, "transport"), patient[order], BILL)
    book.add(at[order], site[order], patient[order], moment)


def answer(world: World, rows: Rows) -> None:
    """Add what the hotline opens: professionals ring up about somebody whom they just asked for."""
    rng = world.rng
    at, _, patient, way, _site = rows.joined()
    told = np.flatnonzero(np.isin(way, [CHECK, QUOTE, BILL]))
    for account in world.of("hotline"):
        for day in np.flatnonzero(world.duty[account]):
            recent = told[(at[told] > (day - 2) * DAY) & (at[told] < (day + 0.7) * DAY)]
            if not len(recent):
                continue
            calls = rng.choice(recent, rng.poisson(42))
            when = within(rng, np.full(len(calls), day), 8.5, 18)
            who = np.full(len(calls), account)
            rows.add(when, who, patient[calls], np.where(rng.random(len(calls)) < 0.3, FIND, LOOK))
            rows.add(*rows.some(0.6, when + 60, who, patient[calls]), VIEW)
            rows.add(*rows.some(0.06, when + 200, who, patient[calls]), AMEND)
