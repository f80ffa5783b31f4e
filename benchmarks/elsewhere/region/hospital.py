"""Two hospitals: emergencies, stays on wards by shifts, consultations, offices."""

from dataclasses import dataclass

import numpy as np

from benchmarks.elsewhere.log import Ints
from benchmarks.elsewhere.region.people import DAYS, NEW, PERSONS, World
from benchmarks.elsewhere.region.rows import (
    CREATE,
    DAY,
    HOUR,
    LIST,
    OPEN,
    RIGHTS,
    SEARCH,
    UPDATE,
    Rows,
    in_a_row,
    within,
)
from benchmarks.elsewhere.region.town import Pools, Season, nearby

CLOSED = 38
"""The day on which the second ward of the first hospital closes; its patients go next door."""
MOVED = 36
"""The day on which the second hospital changes all of its workstations and its network."""


@dataclass
class Stays:
    """Stays on wards: patient, unit, first and last second."""

    patient: Ints
    unit: Ints
    begins: np.ndarray
    ends: np.ndarray


def run(world: World, rows: Rows, pools: Pools, season: Season) -> Stays:
    """Add what is done in hospitals; return the stays."""
    at, patient, unit = _emergencies(world, rows, pools, season)
    stays = _stays(world, pools, at, patient, unit)
    _wards(world, rows, stays)
    _transverse(world, rows, stays)
    _consultations(world, rows, pools)
    _offices(world, rows, stays, at, patient, unit)
    return stays


def _other(world: World, unit: Ints, kind: str) -> Ints:
    """Return the unit of a kind of the same organisation."""
    units = world.units_of(kind)
    table = np.full(len(world.organisations), -1)
    table[world.organisation_of_unit[units]] = units
    return table[world.organisation_of_unit[unit]]


def _emergencies(
    world: World, rows: Rows, pools: Pools, season: Season
) -> tuple[np.ndarray, Ints, Ints]:
    rng = world.rng
    parts = []
    for unit, daily in zip(world.units_of("emergency"), (105, 62), strict=True):
        area = world.area_of_unit[unit]
        rhythm = np.where((np.arange(24) >= 9) & (np.arange(24) < 23), 1.4, 0.44) * daily / 24
        many = rng.poisson(np.outer(season.level[area], rhythm))
        day, hour = np.nonzero(many)
        at = np.repeat(day * DAY + hour * HOUR, many[day, hour])
        away = (area + rng.integers(1, 3, len(at))) % 8
        around = np.where(rng.random(len(at)) < 0.72, area, away)
        parts.append((at + rng.uniform(0, HOUR, len(at)), nearby(world, pools, around, 0.05),
                      np.full(len(at), unit)))  # fmt: skip
    at, patient, unit = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(at)
    at, patient, unit = at[order], patient[order], unit[order]
    fresh = np.flatnonzero(rng.random(len(at)) < 0.07)[: NEW - 1000]
    patient[fresh] = PERSONS + np.arange(len(fresh))  # registered one after the other
    desk = world.pick(("er_desk",), unit, at)
    way = np.full(len(at), SEARCH)
    way[fresh] = CREATE
    rows.add(at, desk, patient, way)
    rows.add(*rows.some(0.7, at + 60, desk, patient), RIGHTS)
    _cared_for(world, rows, at, patient, unit)
    return at, patient, unit


def _cared_for(world: World, rows: Rows, at: np.ndarray, patient: Ints, unit: Ints) -> None:
    rng = world.rng
    for kind, looks, until in (("er_nurse", 2.2, 5), ("er_doctor", 1.8, 6)):
        many = 1 + rng.poisson(looks, len(at))
        when = np.repeat(at, many) + rng.uniform(0.1, until, many.sum()) * HOUR
        whom, where = np.repeat(patient, many), np.repeat(unit, many)
        rows.add(when, world.pick((kind,), where, when), whom,
                 np.where(rng.random(len(when)) < 0.3, UPDATE, OPEN))  # fmt: skip
    taken, whom, where = rows.some(0.4, at + HOUR, patient, unit)
    _imaged(world, rows, taken, whom, where)
    doctor, seen = world.doctor[patient], at + rng.exponential(2, len(at)) * DAY
    seen = seen // DAY * DAY + rng.uniform(8, 19, len(at)) * HOUR
    kept = (doctor >= 0) & (rng.random(len(at)) < 0.3)
    rows.add(seen[kept], doctor[kept], patient[kept], OPEN)


def _imaged(world: World, rows: Rows, at: np.ndarray, patient: Ints, unit: Ints) -> None:
    where = _other(world, unit, "imaging")
    rows.add(at, world.pick(("imaging",), where, at), patient, OPEN)
    read = at + world.rng.exponential(1.5, len(at)) * HOUR
    hour, early = read % DAY / HOUR, (8.2 + world.rng.random(len(at))) * HOUR
    read = np.where((hour < 8) | (hour > 19), read // DAY * DAY + early, read)
    rows.add(read, world.pick(("radiologist",), where, read), patient, OPEN)


def _stays(world: World, pools: Pools, at: np.ndarray, patient: Ints, unit: Ints) -> Stays:
    """One in five of the emergencies and a list of planned ones; the first weeks are under way."""
    rng = world.rng
    kept = np.flatnonzero(rng.random(len(at)) < 0.2)
    parts = [(patient[kept], unit[kept], at[kept] + 5 * HOUR)]
    for emergency, daily in zip(world.units_of("emergency"), (17, 10), strict=True):
        days = np.repeat(np.arange(-12, DAYS), rng.poisson(daily, DAYS + 12))
        begins = days * DAY + rng.uniform(7, 17, len(days)) * HOUR
        area = np.full(len(days), world.area_of_unit[emergency])
        parts.append((nearby(world, pools, area, 0.12), np.full(len(days), emergency), begins))
    patient, where, begins = (np.concatenate(column) for column in zip(*parts, strict=True))
    ward = np.empty(len(patient), np.int64)
    for emergency in world.units_of("emergency"):
        mine = np.flatnonzero(where == emergency)
        same = world.organisation_of_unit == world.organisation_of_unit[emergency]
        wards = np.intersect1d(world.units_of("ward"), np.flatnonzero(same))
        ward[mine] = rng.choice(wards, len(mine))
    first = world.units_of("ward")
    ward[(ward == first[1]) & (begins > CLOSED * DAY)] = first[2]
    days = rng.lognormal(1.2, 0.8, len(patient))
    return Stays(patient, ward, begins, begins + days * DAY)


def _wards(world: World, rows: Rows, stays: Stays) -> None:
    rng = world.rng
    length = np.maximum(np.ceil((stays.ends - stays.begins) / (DAY / 2)), 1).astype(np.int64)
    stay = np.repeat(np.arange(len(length)), length)
    half = np.arange(len(stay)) - np.repeat(np.cumsum(length) - length, length)
    begin = (stays.begins[stay] - 7 * HOUR) // (DAY / 2) + half
    at = begin * (DAY / 2) + 7 * HOUR
    kept = (at >= 0) & (at < (DAYS - 1) * DAY) & (at + 12 * HOUR > stays.begins[stay])
    stay, at = stay[kept], at[kept]
    ward, patient = stays.unit[stay], stays.patient[stay]
    ward = np.where((ward == world.units_of("ward")[1]) & (at > CLOSED * DAY),
                    world.units_of("ward")[2], ward)  # fmt: skip
    nurse = world.pick(("ward_nurse",), ward, at)
    group = np.maximum(nurse, 0) * 1000 + (at // (DAY / 2)).astype(np.int64)
    begun = at - 60 < stays.begins[stay]
    handed = in_a_row(rng, group, at + rng.uniform(0, 600, len(at)), 40.0)
    rows.add(handed[~begun], nurse[~begun], patient[~begun], OPEN)
    for _ in range(2):
        when = at + rng.uniform(0.8, 11.8, len(at)) * HOUR
        who = np.where(rng.random(len(at)) < 0.8, nurse, world.pick(("ward_nurse",), ward, at))
        later = when > stays.begins[stay]
        rows.add(*rows.some(0.7, when[later], who[later], patient[later],
                            np.where(rng.random(later.sum()) < 0.4, UPDATE, OPEN)))  # fmt: skip
    _doctors(world, rows, at, ward, patient)
    _pool(world, rows, at, ward, patient)


def _doctors(world: World, rows: Rows, at: np.ndarray, ward: Ints, patient: Ints) -> None:
    """The round of the morning, and looks of the afternoon; at night one for all wards."""
    rng = world.rng
    day = at % DAY < 12 * HOUR
    when = at[day] + rng.uniform(1.5, 5, day.sum()) * HOUR
    doctor = world.pick(("ward_doctor",), ward[day], when)
    rows.add(when, doctor, patient[day], OPEN)
    rows.add(*rows.some(0.5, when + rng.uniform(1, 5, len(when)) * HOUR, doctor, patient[day]),
             UPDATE)  # fmt: skip
    when = at + rng.uniform(0, 11, len(at)) * HOUR
    weekday = (when // DAY % 7 < 5) & day
    every = world.of("ward_doctor")
    site = world.organisation_of_unit[world.home[every]]
    for one in np.unique(site):
        mine = every[site == one]
        duty = mine[(when // (DAY / 2)).astype(np.int64) * 7 % len(mine)]
        asked = ~weekday & (world.organisation_of_unit[ward] == one) & (rng.random(len(at)) < 0.16)
        rows.add(when[asked], duty[asked], patient[asked], OPEN, ward[asked])


def _pool(world: World, rows: Rows, at: np.ndarray, ward: Ints, patient: Ints) -> None:
    """Nurses of no ward, each sent to another one every shift."""
    half = (at // (DAY / 2)).astype(np.int64)
    every = world.of("pool_nurse")
    site = world.organisation_of_unit[world.home[every]]
    wards = world.units_of("ward")
    for number, nurse in enumerate(every):
        mine = wards[world.organisation_of_unit[wards] == site[number]]
        shift = np.arange(2 * DAYS)
        works = world.duty[nurse, shift // 2] == 1 + shift % 2
        sent = np.where(works, mine[(shift * 7 + number * 3) % len(mine)], -1)
        there = np.flatnonzero((sent[half] == ward) & (world.rng.random(len(at)) < 0.5))
        when = at[there] + world.rng.uniform(0, 11, len(there)) * HOUR
        rows.add(when, np.full(len(there), nurse), patient[there], OPEN, ward[there])


def _transverse(world: World, rows: Rows, stays: Stays) -> None:
    """Dieticians, social workers, mobile teams, pharmacists: anybody who lies in the house."""
    rng = world.rng
    for kind, daily in (("transverse", 12), ("hospital_pharmacist", 45)):
        for account in world.of(kind):
            days = np.flatnonzero(world.duty[account])
            site = world.organisation_of_unit[world.home[account]]
            here = np.flatnonzero(world.organisation_of_unit[stays.unit] == site)
            for day in days:
                noon = day * DAY + 12 * HOUR
                lies = here[(stays.begins[here] < noon) & (stays.ends[here] > noon)]
                if not len(lies):
                    continue
                many = min(rng.poisson(daily), len(lies))
                some = rng.choice(lies, many, replace=False)
                at = within(rng, np.full(many, day), 9, 17)
                rows.add(at, np.full(many, account), stays.patient[some], OPEN)


def _consultations(world: World, rows: Rows, pools: Pools) -> None:
    """Out-patients of the wards' doctors; the secretary prepares tomorrow's list in a row."""
    rng = world.rng
    doctors = world.of("ward_doctor")
    who, day = np.nonzero((world.duty[doctors] > 0) & (rng.random((len(doctors), DAYS)) < 0.4))
    who = doctors[who]
    many = rng.poisson(9, len(who))
    who, day = np.repeat(who, many), np.repeat(day, many)
    unit = world.unit_on[who, day]
    regulars = np.where(rng.random(len(who)) < 0.5, who % 997, rng.integers(10_000, size=len(who)))
    patient = nearby(world, pools, world.area_of_unit[unit], 0.15)
    again = regulars < 997
    patient[again] = (who[again] * 6_007 + rng.integers(260, size=again.sum()) * 463) % PERSONS
    at = within(rng, day, 13, 18)
    rows.add(at, who, patient, OPEN)
    rows.add(*rows.some(0.6, at + 800, who, patient), UPDATE)
    eve = day - 1 - 2 * (day % 7 == 0)
    start = eve * DAY + 16 * HOUR
    desk = world.pick(("ward_secretary",), unit, start)
    group = np.maximum(desk, 0) * 1000 + eve + 5
    rows.add(in_a_row(rng, group, start, 60.0), desk, patient, SEARCH)


def _offices(
    world: World, rows: Rows, stays: Stays, at: np.ndarray, patient: Ints, unit: Ints
) -> None:
    """Coders take stays in the order in which they ended, billing asks for rights again."""
    rng = world.rng
    ended = stays.ends + rng.uniform(5, 25, len(stays.ends)) * DAY
    day = ended // DAY
    day = day + np.array([0, 0, 0, 0, 0, 2, 1])[(day % 7).astype(np.int64)]
    where = _other(world, stays.unit, "offices")
    start = day * DAY + 8.6 * HOUR
    coder = world.pick(("coder",), where, start)
    group = np.maximum(coder, 0) * 1000 + day.astype(np.int64)
    order = np.argsort(stays.ends)
    rows.add(in_a_row(rng, group[order], start[order], 420.0), coder[order],
             stays.patient[order], OPEN)  # fmt: skip
    billed = (at // DAY + 1 + rng.poisson(2, len(at))) * DAY + rng.uniform(8.5, 17, len(at)) * HOUR
    clerk = world.pick(("billing",), _other(world, unit, "offices"), billed)
    rows.add(billed, clerk, patient, np.where(rng.random(len(at)) < 0.6, RIGHTS, OPEN))
    feeds = world.of("feed")
    site = world.organisation_of_unit[world.home[feeds]]
    whose = np.full(len(world.organisations), -1)
    whose[site] = feeds
    rows.add(at + 30, whose[world.organisation_of_unit[unit]], patient, UPDATE)
    _lists(world, rows, stays)


def _lists(world: World, rows: Rows, stays: Stays) -> None:
    """The screen of a ward, everybody on it, looked at by its secretary each morning."""
    for account in world.of("ward_secretary"):
        for day in np.flatnonzero(world.duty[account]):
            at = day * DAY + 8.2 * HOUR + float(account)
            here = stays.unit == world.unit_on[account, day]
            lies = stays.patient[here & (stays.begins < at) & (stays.ends > at)][:30]
            rows.add(np.full(len(lies), at), np.full(len(lies), account), lies, LIST)
