"""Care in town: consultations and what follows from them in pharmacies, laboratories, at home."""

from dataclasses import dataclass

import numpy as np

from benchmarks.elsewhere.log import Ints
from benchmarks.elsewhere.region.people import (
    AREAS,
    DAYS,
    MERGER,
    PERSONS,
    SCHOOL,
    Pool,
    World,
)
from benchmarks.elsewhere.region.rows import (
    DAY,
    GLASS,
    HOUR,
    MERGE,
    OPEN,
    RIGHTS,
    SEARCH,
    UPDATE,
    Rows,
    in_a_row,
    within,
)


@dataclass
class Season:
    """How busy each area is on each day: school holidays, an outbreak in two areas."""

    level: np.ndarray

    @classmethod
    def of(cls, rng: np.random.Generator) -> "Season":
        """Draw the season; the outbreak is a wave of ten days in the second half."""
        level = np.ones((len(AREAS), DAYS))
        level[:, SCHOOL[0] : SCHOOL[1]] *= 0.86
        wave = np.exp(-(((np.arange(DAYS) - rng.integers(36, 46)) / 3.5) ** 2))
        for area in rng.choice(5, 2, replace=False):
            level[area] *= 1 + 0.7 * wave
        return cls(level)


@dataclass
class Pools:
    """Patients by doctor, practice, area, pharmacy and specialist."""

    doctor: Pool
    practice: Pool
    area: Pool
    pharmacy: Pool
    specialist: Pool

    @classmethod
    def of(cls, world: World) -> "Pools":
        """Return the pools of those registered before the log."""
        registered = np.arange(len(world.area)) < PERSONS
        practice = np.where(world.doctor >= 0, world.home[world.doctor], -1)
        chronic = world.frailty**1.5

        def pool(group: Ints, weight: np.ndarray) -> Pool:
            return Pool(np.where(registered, group, -1), weight)

        return cls(
            pool(world.doctor, world.frailty), pool(practice, world.frailty),
            pool(world.area, world.frailty + 0.2), pool(world.pharmacy, chronic),
            pool(world.specialist, world.frailty),
        )  # fmt: skip

    def anywhere(self, world: World, count: int) -> Ints:
        """Return patients of any area."""
        return world.rng.integers(PERSONS, size=count)


def nearby(world: World, pools: Pools, area: Ints, far: float) -> Ints:
    """Return people of each area, a share of them from anywhere."""
    found = pools.area.draw(world.rng, area)
    away = world.rng.random(len(area)) < far
    found[away] = pools.anywhere(world, int(away.sum()))
    return found


def live(world: World, rows: Rows, pools: Pools, season: Season, panel_on: Ints) -> None:
    """Add what is done in town."""
    at, patient = _consultations(world, rows, pools, season, panel_on)
    _pharmacies(world, rows, pools, at, patient)
    _laboratories(world, rows, at, patient)
    _specialists(world, rows, pools, season)
    _homes(world, rows, pools)
    _regulate(world, rows, pools, season)
    _register(world, rows)


def _consultations(
    world: World, rows: Rows, pools: Pools, season: Season, panel_on: Ints
) -> tuple[np.ndarray, Ints]:
    rng = world.rng
    doctors = world.of("gp", "locum")
    pace = np.clip(rng.normal(21, 5, len(world.kind)), 9, 38)
    who, day = np.nonzero((world.duty[doctors] > 0) & (panel_on[doctors] >= 0))
    who = doctors[who]
    unit = world.unit_on[who, day]
    busy = season.level[world.area_of_unit[unit], day] * np.where(day % 7 == 5, 0.5, 1.0)
    many = rng.poisson(pace[who] * busy)
    who, day, unit = (np.repeat(column, many) for column in (who, day, unit))
    at = within(rng, day, 8.3, 18.8)
    at = np.where(day % 7 == 5, day * DAY + rng.uniform(8.5, 12.5, len(day)) * HOUR, at)
    patient = _whom(world, pools, panel_on[who, day], unit, day)
    rows.add(at, who, patient, rows.way(len(at), search=0.38, scan=0.14), unit)
    rows.add(*_with(rows, 0.62, at + rng.uniform(240, 800, len(at)), who, patient), UPDATE)
    lag = rng.exponential(2.5, len(at)) * DAY
    _desk(world, rows, "secretary", at - lag, patient, unit, 0.62, 0.85)
    _desk(world, rows, "secretary", at - rng.uniform(60, 900, len(at)), patient, unit, 0.3, 0.2)
    _desk(world, rows, "practice_nurse", at + 1200, patient, unit, 0.12, 0.1)
    _results(world, rows, at, who, patient)
    return at, patient


def _with(rows: Rows, share: float, *columns: np.ndarray) -> list[np.ndarray]:
    return rows.some(share, *columns)


def _whom(world: World, pools: Pools, panel: Ints, unit: Ints, day: Ints) -> Ints:
    """Return whom a doctor sees: his own, his practice's, the area's, somebody on holiday."""
    rng, count = world.rng, len(panel)
    drawn = rng.random(count)
    patient = pools.doctor.draw(rng, panel)
    merged = (day >= MERGER) & np.isin(unit, [1, 2])
    home = np.where(merged, rng.integers(1, 3, count), unit)
    shared = (drawn < 0.055) | (merged & (drawn < 0.25))
    patient[shared] = pools.practice.draw(rng, home[shared])
    local = (drawn > 0.955) & (drawn <= 0.99)
    patient[local] = pools.area.draw(rng, world.area_of_unit[unit[local]])
    patient[drawn > 0.99] = pools.anywhere(world, int((drawn > 0.99).sum()))
    return patient


def _desk(world, rows, kind: str, at, patient, unit, share: float, searched: float) -> None:
    """A desk of the same unit opens some of them, in office hours."""
    at, patient, unit = rows.some(share, at, patient, unit)
    day = at // DAY
    at = day * DAY + np.clip(at % DAY, 8 * HOUR, 18.5 * HOUR) + world.rng.uniform(0, 900, len(at))
    who = world.pick((kind,), unit, at)
    rows.add(at, who, patient, rows.way(len(at), search=searched))


def _results(world, rows, at, who, patient) -> None:
    """Results and letters of the days before, read one after the other in the evening or early."""
    rng = world.rng
    at, who, patient = rows.some(0.45, at, who, patient)
    day = at // DAY + 1 + rng.poisson(1.6, len(at))
    kept = (day < DAYS) & (world.duty[who, np.minimum(day, DAYS - 1).astype(int)] > 0)
    day, who, patient = day[kept], who[kept], patient[kept]
    begins = np.where(rng.random(len(world.kind)) < 0.3, 7.2, 18.9)[who]
    group = who * 1000 + day.astype(np.int64)
    rows.add(in_a_row(rng, group, day * DAY + begins * HOUR, 50.0), who, patient, OPEN)


def _pharmacies(world: World, rows: Rows, pools: Pools, at: np.ndarray, patient: Ints) -> None:
    rng = world.rng
    units = world.units_of("pharmacy")
    at, patient = rows.some(0.68, at + rng.lognormal(8.6, 1.2, len(at)), patient)
    unit = world.pharmacy[patient].copy()
    drawn = rng.random(len(at))
    unit[drawn < 0.17] = rng.choice(units, int((drawn < 0.17).sum()))
    many = rng.poisson(34, (len(units), DAYS))
    shop, day = np.nonzero(many)
    shop, day = (np.repeat(c, many[shop, day]) for c in (shop, day))
    at = np.concatenate([at, within(rng, day, 9, 19.4)])
    patient = np.concatenate([patient, pools.pharmacy.draw(rng, units[shop])])
    unit = np.concatenate([unit, units[shop]])
    hour = at % DAY / HOUR
    at = np.where((hour < 9) | (hour > 19.5), at // DAY * DAY + rng.uniform(9, 19, len(at)) * HOUR,
                  at)  # fmt: skip
    who = world.pick(("pharmacist", "dispenser"), unit, at)
    rows.add(at, who, patient, RIGHTS)
    rows.add(*rows.some(0.6, at + rng.uniform(20, 90, len(at)), who, patient), OPEN)
    _on_call(world, rows, pools, units)


def _on_call(world: World, rows: Rows, pools: Pools, units: Ints) -> None:
    """One pharmacy of an area stays open on a Sunday, a holiday, a night: everybody comes to it."""
    rng = world.rng
    for day in range(DAYS):
        closed = day % 7 == 6 or day in (7, 32, 39, 45)
        for area in range(len(AREAS)):
            near = units[world.area_of_unit[units] == area]
            shop = near[(day // 7) % len(near)]
            count = rng.poisson(45 if closed else 4)
            begins, ends = (9.0, 21.0) if closed else (19.6, 23.9)
            at = day * DAY + np.sort(rng.uniform(begins, ends, count)) * HOUR
            staff = np.flatnonzero(world.home == shop)
            who = np.full(count, staff[(day // 7) % len(staff)])
            patient = nearby(world, pools, np.full(count, area), 0.04)
            rows.add(at, who, patient, RIGHTS)
            rows.add(*rows.some(0.6, at + 45, who, patient), OPEN)


def _laboratories(world: World, rows: Rows, at: np.ndarray, patient: Ints) -> None:
    rng = world.rng
    at, patient = rows.some(0.25, at, patient)
    day = at // DAY + 1 + rng.poisson(1.5, len(at))
    unit = world.laboratory[patient]
    at = day * DAY + rng.triangular(6.8, 7.5, 11.5, len(at)) * HOUR
    desk = world.pick(("lab_desk",), unit, at)
    rows.add(at, desk, patient, rows.way(len(at), scan=0.5, search=0.4))
    rows.add(at + 40, desk, patient, RIGHTS)
    rows.add(at + rng.uniform(600, 7200, len(at)), world.pick(("lab_technician",), unit, at),
             patient, OPEN)  # fmt: skip
    done = day * DAY + rng.choice([11.5, 14.0, 16.5], len(at)) * HOUR
    rows.add(done - 600, world.pick(("feed",), unit, done), patient, UPDATE)
    some = rows.some(0.5, done, patient, unit)
    who = world.pick(("lab_biologist",), some[2], some[0])
    group = who * 1000 + (some[0] // DAY).astype(np.int64) * 2 + (some[0] % DAY > 13 * HOUR)
    rows.add(in_a_row(rng, group, some[0], 14.0), who, some[1], OPEN)


def _specialists(world: World, rows: Rows, pools: Pools, season: Season) -> None:
    rng = world.rng
    doctors = world.of("specialist", "telehealth")
    who, day = np.nonzero(world.duty[doctors] > 0)
    who = doctors[who]
    many = rng.poisson(np.clip(rng.normal(13, 4, len(world.kind)), 5, 30)[who])
    who, day = np.repeat(who, many), np.repeat(day, many)
    unit = world.unit_on[who, day]
    far = world.kind[who] == world.kind[world.of("telehealth")[0]]
    patient = nearby(world, pools, world.area_of_unit[unit], 0.18)
    followed = (rng.random(len(who)) < rng.beta(6, 4, len(world.kind))[who]) & ~far
    patient[followed] = pools.specialist.draw(rng, who[followed])
    patient[far] = pools.anywhere(world, int(far.sum()))
    at = within(rng, day, 8.7, 18.5)
    rows.add(at, who, patient, rows.way(len(at), search=0.3))
    rows.add(*rows.some(0.7, at + 700, who, patient), UPDATE)
    booked = at - rng.exponential(8, len(at)) * DAY
    _desk(world, rows, "specialist_secretary", booked, patient, unit, 0.75, 0.9)
    letter = at + rng.exponential(1.5, len(at)) * DAY
    _desk(world, rows, "specialist_secretary", letter, patient, unit, 0.5, 0.3)
    _results(world, rows, at[~far], who[~far], patient[~far])


def _homes(world: World, rows: Rows, pools: Pools) -> None:
    """Rounds of home nurses and of care homes: the same people each day, some new each week."""
    rng = world.rng
    for unit in np.concatenate([world.units_of("cabinet"), world.units_of("care_home")]):
        rounds = world.units[unit].kind == "cabinet"
        size, leaves = (85, 0.03) if rounds else (75, 0.003)
        here = np.full(size, world.area_of_unit[unit])
        present = nearby(world, pools, here, 0.0)
        for day in range(DAYS):
            gone = rng.random(size) < leaves
            present[gone] = nearby(world, pools, here[gone], 0.02)
            seen = present[rng.random(size) < (0.75 if rounds else 0.6)]
            hour = np.where(rng.random(len(seen)) < 0.7, rng.uniform(6.5, 12.5, len(seen)),
                            rng.uniform(16.5, 20, len(seen)))  # fmt: skip
            at = day * DAY + hour * HOUR
            kind = "home_nurse" if rounds else "home_care"
            who = world.pick((kind,), np.full(len(at), unit), at)
            rows.add(at, who, seen, OPEN)
            rows.add(*rows.some(0.5, at + 500, who, seen), UPDATE)
            if not rounds and day % 7 in (1, 4):
                at = day * DAY + (9 + 3 * rng.random(18)) * HOUR
                doctor = world.pick(("home_doctor",), np.full(18, unit), at)
                rows.add(at, doctor, rng.choice(present, 18, replace=False), OPEN)


def _regulate(world: World, rows: Rows, pools: Pools, season: Season) -> None:
    """Emergency calls of the whole region, day and night; every record is one never seen."""
    rng, unit = world.rng, int(world.units_of("samu")[0])
    rhythm = np.where((np.arange(24) >= 9) & (np.arange(24) < 23), 8.5, 3.2)
    many = rng.poisson(np.outer(season.level.mean(axis=0), rhythm))
    day, hour = np.nonzero(many)
    at = np.repeat(day * DAY + hour * HOUR, many[day, hour])
    at = at + rng.uniform(0, HOUR, len(at))
    patient = pools.area.draw(rng, rng.integers(len(AREAS), size=len(at)))
    units = np.full(len(at), unit)
    rows.add(at, world.pick(("operator",), units, at), patient, SEARCH)
    doctor = world.pick(("regulator",), units, at)
    way = np.where(rng.random(len(at)) < 0.5, GLASS, OPEN)
    chosen = rng.random(len(at)) < 0.6
    rows.add(at[chosen] + 120, doctor[chosen], patient[chosen], way[chosen])


def _register(world: World, rows: Rows) -> None:
    """The cell of identities: suspected doubles, namesakes next to each other in the alphabet."""
    rng = world.rng
    order = np.argsort(world.name[:PERSONS])
    who, day = np.nonzero(world.duty[world.of("identity")] > 0)
    who = world.of("identity")[who]
    many = rng.poisson(38, len(who))
    who, day = np.repeat(who, many), np.repeat(day, many)
    place = rng.integers(PERSONS - 1, size=len(who))
    at = within(rng, day, 8.5, 17)
    rows.add(at, who, order[place], SEARCH)
    rows.add(at + 60, who, order[place + 1], OPEN)
    merged = rng.random(len(at)) < 0.3
    rows.add(at[merged] + 150, who[merged], order[place[merged]], MERGE)
