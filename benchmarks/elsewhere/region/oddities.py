"""Honest and odd: who works elsewhere for a week or for good, and batches that look like thefts."""

import numpy as np

from benchmarks.elsewhere.log import Ints
from benchmarks.elsewhere.region.hospital import Stays
from benchmarks.elsewhere.region.people import DAYS, MERGER, PERSONS, World
from benchmarks.elsewhere.region.rows import (
    DAY,
    HOUR,
    OPEN,
    RIGHTS,
    SEARCH,
    UPDATE,
    Rows,
    in_a_row,
)
from benchmarks.elsewhere.region.town import Pools, nearby


def move(world: World) -> Ints:
    """Move accounts for a week or for good; return whose patients each doctor sees on each day."""
    rng = world.rng
    panel = np.full((len(world.kind), DAYS), -1)
    doctors = world.of("gp")
    panel[doctors] = doctors[:, None]
    _stand_in(world, panel, doctors)
    movers = world.of("gp", "ward_nurse", "er_nurse", "dispenser", "secretary", "er_doctor",
                      "home_nurse", "ward_doctor", "lab_desk")  # fmt: skip
    some = rng.choice(movers, len(world.kind) * 3 // 200, replace=False)
    for number, account in enumerate(some):
        same = np.setdiff1d(np.flatnonzero(world.kind == world.kind[account]), [account])
        host = int(rng.choice(same[world.home[same] != world.home[account]]))
        day = int(rng.integers(4, DAYS - 6))
        until = DAYS if number % 3 == 0 else day + 7  # a third for good
        world.unit_on[account, day:until] = world.home[host]
        if panel[account, 0] >= 0:
            panel[account, day:until] = host
    world.unit_on[world.home == 2, MERGER:] = 1
    _call_up(world)
    return panel


def _call_up(world: World) -> None:
    """Choose who vaccinates on which weekend: nobody works at home on these days."""
    for area, first in ((0, 19), (0, 47), (1, 40), (2, 26)):
        centre = int(world.units_of("centre")[area])
        near = np.flatnonzero(world.area_of_unit[world.home] == area)
        able = np.intersect1d(near, world.of("gp", "practice_nurse", "home_nurse", "secretary"))
        some = world.rng.choice(able, min(9, len(able)), replace=False)
        world.duty[some, first : first + 2] = 0
        world.called += [(int(account), first, area, centre) for account in some]


def _stand_in(world: World, panel: Ints, doctors: Ints) -> None:
    """Locums replace doctors on leave, a week here and a week there."""
    rng = world.rng
    locums = world.of("locum")
    for week in range(DAYS // 7):
        days = np.arange(7 * week, 7 * week + 5)
        absent = doctors[(world.duty[doctors][:, days] == 0).all(axis=1)]
        absent = rng.permutation(absent)
        for locum, doctor in zip(rng.permutation(locums), absent, strict=False):
            panel[locum, days] = doctor
            world.duty[locum, days] = 1
            world.unit_on[locum, days] = world.home[doctor]


def add(world: World, rows: Rows, pools: Pools, stays: Stays) -> None:
    """Add the batches."""
    _vaccinate(world, rows, pools)
    _recall(world, rows, pools)
    _tidy(world, rows, stays)
    _study(world, rows, stays)
    _settle_accounts(world, rows, pools)


def _vaccinate(world: World, rows: Rows, pools: Pools) -> None:
    """Weekends of vaccination, two in one town, one in two others, by people of many practices."""
    rng = world.rng
    for account, first, area, centre in world.called:
        for day in (first, first + 1):
            many = rng.poisson(75)
            at = day * DAY + np.sort(rng.uniform(9, 18, many)) * HOUR
            patient = nearby(world, pools, np.full(many, area), 0.02)
            who = np.full(many, account)
            rows.add(at, who, patient, rows.way(many, scan=0.8), centre)
            rows.add(at + 90, who, patient, UPDATE, centre)


def _recall(world: World, rows: Rows, pools: Pools) -> None:
    """Doctors go through their own patients in an evening; a secretary through the whole file."""
    rng = world.rng
    for doctor in rng.choice(world.of("gp"), 14, replace=False):
        mine = np.flatnonzero(world.doctor[:PERSONS] == doctor)
        some = rng.choice(mine, min(len(mine), int(rng.integers(60, 160))), replace=False)
        day = int(rng.choice(np.flatnonzero(world.duty[doctor])))
        start = np.full(len(some), day * DAY + 18.5 * HOUR)
        who = np.full(len(some), doctor)
        rows.add(in_a_row(rng, who, start, 35.0), who, some, OPEN)
    for desk in rng.choice(world.of("secretary"), 5, replace=False):
        here = np.isin(world.doctor[:PERSONS], np.flatnonzero(world.home == world.home[desk]))
        mine = np.flatnonzero(here)
        mine = mine[np.argsort(world.name[mine])]
        from_place = int(rng.integers(max(len(mine) - 400, 1)))
        some = mine[from_place : from_place + int(rng.integers(150, 400))]
        day = int(rng.choice(np.flatnonzero(world.duty[desk])))
        who = np.full(len(some), desk)
        start = np.full(len(some), day * DAY + 9 * HOUR)
        rows.add(in_a_row(rng, who, start, 60.0), who, some, OPEN)


def _tidy(world: World, rows: Rows, stays: Stays) -> None:
    """Clerks repair a register number by number for some days; coders look at old stays again."""
    rng = world.rng
    clerks = rng.choice(world.of("er_desk", "billing"), 3, replace=False)
    for clerk, first in zip(clerks, (9, 31, 44), strict=True):
        number = int(rng.integers(PERSONS - 3000))
        for day in range(first, first + 4):
            step = rng.geometric(0.6, 220)
            some = number + np.cumsum(step)
            number = int(some[-1])
            who = np.full(len(some), clerk)
            start = np.full(len(some), day * DAY + 9 * HOUR)
            rows.add(in_a_row(rng, who, start, 70.0), who, some, OPEN)
    for coder, first in zip(rng.choice(world.of("coder"), 2, replace=False), (14, 42), strict=True):
        for day in range(first, first + 3):
            some = rng.choice(len(stays.patient), 160, replace=False)
            who = np.full(len(some), coder)
            at = in_a_row(rng, who, np.full(len(some), day * DAY + 9 * HOUR), 110.0)
            rows.add(at, who, stays.patient[some], OPEN)


def _study(world: World, rows: Rows, stays: Stays) -> None:
    """A researcher reads a cohort in an afternoon; an auditor sixty stays drawn each week."""
    rng = world.rng
    for account in world.of("researcher", "auditor"):
        weekly = world.kind[account] == world.kind[world.of("auditor")[0]]
        days = np.flatnonzero(world.duty[account])
        for day in days[::5] if weekly else rng.choice(days, 5, replace=False):
            past = np.flatnonzero(stays.ends < day * DAY)
            many = 60 if weekly else int(rng.integers(40, 150))
            if not len(past):
                continue
            some = stays.patient[rng.choice(past, min(many, len(past)), replace=False)]
            if not weekly:  # most of a cohort was treated before the log begins
                some = np.where(rng.random(len(some)) < 0.7, pools_before(world, len(some)), some)
            who = np.full(len(some), account)
            at = in_a_row(rng, who, np.full(len(some), day * DAY + 13.5 * HOUR), 90.0)
            rows.add(at, who, some, SEARCH)


def pools_before(world: World, count: int) -> Ints:
    """Return patients of whom the log may show nothing."""
    return world.rng.integers(PERSONS, size=count)


def _settle_accounts(world: World, rows: Rows, pools: Pools) -> None:
    """At the end of a month billing and pharmacies ask again for the rights of those unpaid."""
    rng = world.rng
    for account in world.of("billing", "pharmacist"):
        for day in (1, 31, 33):
            if not world.duty[account, day] or rng.random() < 0.5:
                continue
            many = int(rng.integers(40, 180))
            shop = world.home[account]
            own = world.kind[account] == world.kind[world.of("pharmacist")[0]]
            some = (
                pools.pharmacy.draw(rng, np.full(many, shop))
                if own
                else nearby(world, pools, np.full(many, world.area_of_unit[shop]), 0.15)
            )
            who = np.full(many, account)
            rows.add(in_a_row(rng, who, np.full(many, day * DAY + 13 * HOUR), 25.0), who, some,
                     RIGHTS)  # fmt: skip
