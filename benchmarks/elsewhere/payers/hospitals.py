"""Admission desks and billing offices of hospitals: tomorrow's list, walk-ins, stays, bills."""

from dataclasses import dataclass

import numpy as np

from benchmarks.elsewhere.log import Ints
from benchmarks.elsewhere.payers.people import DAYS, HOLIDAYS, World, clients
from benchmarks.elsewhere.payers.shops import (
    AMEND,
    BEFORE,
    BILL,
    CHECK,
    FIND,
    QUOTE,
    VIEW,
    Book,
    level,
    whom,
)
from benchmarks.elsewhere.region.rows import DAY, HOUR, Rows, in_a_row, within


@dataclass
class Stays:
    """Stays: where, whose, and from when to when."""

    site: Ints
    patient: Ints
    begins: np.ndarray
    ends: np.ndarray


def admit(world: World, rows: Rows, book: Book) -> Stays:
    """Add what hospitals do on the portal; return the stays."""
    _consult(world, rows, book)
    _emergencies(world, rows, book)
    return _stays(world, rows, book)


def _days(world: World, pace: float, weekend: float) -> tuple[Ints, Ints]:
    sites, days = world.sites("hospital"), np.arange(-BEFORE, DAYS)
    site, day = (grid.ravel() for grid in np.meshgrid(sites, days, indexing="ij"))
    free = (day % 7 > 4) | np.isin(day, HOLIDAYS)
    calm = np.where(free, weekend, level(day))
    many = world.rng.poisson(np.clip(world.size[site], 0.4, 2.5) * pace * calm)
    return np.repeat(site, many), np.repeat(day, many)


def _tomorrow(
    world: World, rows: Rows, site: Ints, day: Ints, patient: Ints, begins: float
) -> None:
    """One or two clerks go through the list of the next working day, in the order of the diary."""
    eve = day - 1 - np.where(day % 7 == 0, 2, 0) - np.where(day % 7 == 6, 1, 0)
    eve = np.where(np.isin(eve, HOLIDAYS), eve - 1, eve)
    start = eve * DAY + (begins + site % 3 * 0.5) * HOUR
    half = (world.rng.random(len(site)) < 0.5) & (site % 2 == 0)
    group = site * 2000 + (eve + 100) * 2 + half
    at = in_a_row(world.rng, group, start, 28.0)
    # whoever takes the list keeps it: one clerk for a group
    _, place = np.unique(group, return_inverse=True)
    order = np.argsort(place, kind="stable")
    first = np.searchsorted(place[order], np.arange(place.max() + 1))
    head = order[first]
    clerk = world.pick(site[head], start[head], "admission")[place]
    rows.add(at, clerk, patient, CHECK)


def _consult(world: World, rows: Rows, book: Book) -> None:
    """Out-patients: asked for the day before where that is done, at the counter elsewhere."""
    rng = world.rng
    site, day = _days(world, 30, 0.02)
    patient = whom(world, clients(world, "hospital", world.frailty), site, 0.1, 0.08)
    at = within(rng, day, 8.3, 17.5)
    prepares = site % 3 > 0
    some = prepares & (rng.random(len(at)) < 0.8)
    _tomorrow(world, rows, site[some], day[some], patient[some], 14.0)
    some = ~prepares | (rng.random(len(at)) < 0.12)
    clerk = world.pick(site[some], at[some], "admission")
    rows.add(at[some], clerk, patient[some], np.where(rng.random(some.sum()) < 0.05, FIND, CHECK))
    _bill(world, rows, book, at, site, patient, 0.8)


def _emergencies(world: World, rows: Rows, book: Book) -> None:
    """Day and night; the clerk of the night is one of those who work by turns."""
    rng = world.rng
    site, day = _days(world, 13, 1.1)
    hour = rng.choice(24, len(day), p=_round_the_clock())
    at = day * DAY + (hour + rng.random(len(day))) * HOUR
    patient = whom(world, clients(world, "hospital", world.frailty + 0.3), site, 0.2, 0.1)
    clerk = world.pick(site, at, "admission")
    some = rows.some(0.75, at, clerk, patient)
    rows.add(*some, np.where(rng.random(len(some[0])) < 0.2, FIND, CHECK))
    _bill(world, rows, book, at, site, patient, 0.7)


def _round_the_clock() -> np.ndarray:
    pace = np.where((np.arange(24) >= 9) & (np.arange(24) < 23), 1.4, 0.45)
    return pace / pace.sum()


def _stays(world: World, rows: Rows, book: Book) -> Stays:
    """An agreement is asked for each stay, prolonged if it lasts, billed some weeks later."""
    rng = world.rng
    site, day = _days(world, 7, 0.25)
    patient = whom(world, clients(world, "hospital", world.frailty), site, 0.1, 0.08)
    at = within(rng, day, 7.5, 16)
    planned = rng.random(len(at)) < 0.7
    _tomorrow(world, rows, site[planned], day[planned], patient[planned], 15.5)
    clerk = world.pick(site, at, "admission")
    rows.add(at[~planned], clerk[~planned], patient[~planned], CHECK)
    rows.add(*rows.some(0.85, at + 240, clerk, patient), QUOTE)
    ends = at + rng.lognormal(1.1, 0.9, len(at)) * DAY
    long = ends - at > 6 * DAY
    later = at[long] + rng.uniform(4, 6, long.sum()) * DAY
    later = later // DAY * DAY + rng.uniform(9, 16, len(later)) * HOUR
    clerk = world.pick(site[long], later, "admission", "hospital_office")
    rows.add(later, clerk, patient[long], VIEW)
    rows.add(later + 90, clerk, patient[long], AMEND)
    _bill(world, rows, book, ends, site, patient, 1.0)
    return Stays(site, patient, at, ends)


def _bill(world, rows, book, at, site, patient, share: float) -> None:
    """The office bills one to three weeks later, in a row, in the order of the files' ends."""
    rng = world.rng
    order = np.argsort(at)
    at, site, patient = rows.some(share, at[order], site[order], patient[order])
    day = (at // DAY).astype(np.int64) + rng.integers(6, 22, len(at))
    day = day - np.maximum(day % 7 - 4, 0)
    day = day - np.isin(day, HOLIDAYS)
    group = site * 2000 + (day + 100) * 2 + (patient % 2)
    moment = in_a_row(rng, group, day * DAY + 8.8 * HOUR, 55.0)
    rows.add(moment, world.pick(site, moment, "hospital_office"), patient, BILL)
    book.add(at, site, patient, moment)
