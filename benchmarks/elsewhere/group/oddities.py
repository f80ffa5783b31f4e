"""Honest and odd: audits, studies, reviews, outbreaks, a strike, a breakdown, curious routines."""

import numpy as np

from benchmarks.elsewhere.group import calendar, offices
from benchmarks.elsewhere.group.clinics import Appointments
from benchmarks.elsewhere.group.people import (
    CHRONIC,
    DAY,
    DAYS,
    HOUR,
    STOCK,
    World,
)
from benchmarks.elsewhere.group.rota import Rota
from benchmarks.elsewhere.group.rows import (
    EXPORT,
    LIST,
    OPEN,
    SEARCH,
    UPDATE,
    Rows,
    one_by_one,
    workday,
)
from benchmarks.elsewhere.group.stays import Stays, Visits
from benchmarks.elsewhere.group.wards import specialty
from benchmarks.elsewhere.log import Ints


def add(
    world: World, rows: Rows, visits: Visits, stays: Stays, diary: Appointments, rota: Rota
) -> None:
    """Add what happens now and then."""
    audits(world, rows, stays)
    studies(world, rows)
    reviews(world, rows, stays)
    teaching(world, rows, stays, rota)
    complaints(world, rows, visits, stays)
    infections(world, rows, stays)
    exports(world, rows)
    projects(world, rows, stays, diary)


def _some_day(world: World, first: int = 1, last: int = DAYS) -> int:
    while not workday(day := int(world.rng.integers(first, last))):
        pass
    return day


def audits(world: World, rows: Rows, stays: Stays) -> None:
    """Let quality officers audit eighty stays by random draw, over some days."""
    rng, of = world.rng, stays.columns
    for who in world.of("quality").tolist():
        for first in (_some_day(world, 2, 22), _some_day(world, 24, 44)):
            theirs = of["patient"][(of["ends"] < first * DAY)]
            old = world.anybody(160, int(rng.integers(0, 3)))
            drawn = rng.permutation(np.r_[theirs, old])[: int(rng.integers(60, 90))]
            day = first
            while len(drawn) and day < DAYS:
                if workday(day) and not world.away[who, day]:
                    todo, drawn = drawn[:16], drawn[16:]
                    at = one_by_one(rng, day * DAY + 9.2 * HOUR, len(todo), 1100)
                    rows.add(at, who, todo, OPEN)
                day += 1
        # Adverse events reported on wards are looked at in between.
        for day in filter(workday, range(DAYS)):
            if rng.random() < 0.6 and not world.away[who, day]:
                some = rng.choice(of["patient"], int(rng.integers(1, 5)))
                at = day * DAY + rng.uniform(10, 17, len(some)) * HOUR
                rows.add(at, who, some, SEARCH)


def studies(world: World, rows: Rows) -> None:
    """Let research assistants screen by diagnosis: a list of codes, then thirty files a day."""
    rng = world.rng
    for who in world.of("research").tolist():
        disease = int(rng.integers(len(CHRONIC)))
        ill = np.flatnonzero(world.chronic[:STOCK] == disease)
        follows = rng.choice(ill, 45, replace=False)
        first = _some_day(world, 0, 40)
        screened = rng.choice(ill, int(rng.integers(120, 320)), replace=False)
        for day in filter(workday, range(DAYS)):
            if world.away[who, day]:
                continue
            visit = rng.choice(follows, int(rng.poisson(6)))
            at = np.sort(day * DAY + rng.uniform(9, 17, len(visit)) * HOUR)
            rows.add(at, who, visit, UPDATE)
            if day >= first and len(screened):
                todo, screened = screened[:32], screened[32:]
                rows.add(one_by_one(rng, day * DAY + 9.5 * HOUR, len(todo), 420), who, todo, OPEN)


def reviews(world: World, rows: Rows, stays: Stays) -> None:
    """Let a doctor of a ward prepare its morbidity review: a dozen files of three months."""
    rng, of = world.rng, stays.columns
    for ward in world.wards:
        doctors, gone = world.of("doctor", ward), of["patient"][of["ward"] == ward]
        for day in (_some_day(world, 1, 24), _some_day(world, 25, DAYS)):
            there = world.here(doctors, day)
            if len(there) and rng.random() < 0.6:
                old = world.anybody(8, world.units[ward].site)
                files = rng.permutation(np.r_[rng.choice(gone, 5), old])
                at = one_by_one(
                    rng, day * DAY + rng.choice([14.2, 18.5, 20.0]) * HOUR, len(files), 400
                )
                rows.add(at, int(rng.choice(there)), files, SEARCH)
        # A thesis: an intern or a doctor takes up a hundred old files of the specialty.
        if rng.random() < 0.25 and (what := specialty(world, ward)) >= 0:
            ill = np.flatnonzero(world.chronic[:STOCK] == what)
            who = int(rng.choice(np.r_[doctors, world.of("intern", ward)]))
            files = rng.choice(ill, int(rng.integers(60, 150)), replace=False)
            for day in range(_some_day(world, 2, 40), DAYS):
                if rng.random() < 0.5 and len(files) and len(world.here(np.array([who]), day)):
                    todo, files = files[:18], files[18:]
                    at = one_by_one(rng, day * DAY + rng.uniform(18.5, 20.5) * HOUR, len(todo), 300)
                    rows.add(at, who, todo, OPEN)


def teaching(world: World, rows: Rows, stays: Stays, rota: Rota) -> None:
    """Let students read files of the ward's former patients for their reports."""
    rng, of = world.rng, stays.columns
    for who in np.r_[world.of("student"), world.of("extern")].tolist():
        for _ in range(int(rng.integers(1, 4))):
            day = _some_day(world, 3, DAYS)
            gone = of["patient"][(of["ward"] == rota.ward[who, day]) & (of["ends"] < day * DAY)]
            if len(gone) > 5:
                files = rng.choice(gone, int(rng.integers(4, 11)))
                at = one_by_one(rng, day * DAY + rng.uniform(14, 17) * HOUR, len(files), 500)
                rows.add(at, who, files, OPEN)


def complaints(world: World, rows: Rows, visits: Visits, stays: Stays) -> None:
    """Let the complaints office read what somebody wrote about."""
    rng = world.rng
    everyone = np.r_[visits.patient, stays.columns["patient"]]
    for who in world.of("complaints").tolist():
        for day in filter(workday, range(DAYS)):
            many = int(rng.poisson(3)) * (not world.away[who, day])
            some = np.where(
                rng.random(many) < 0.5, rng.choice(everyone, many), world.anybody(many, 0)
            )
            at = day * DAY + rng.uniform(9, 17, many) * HOUR
            rows.add(at, who, some, SEARCH)


def infections(world: World, rows: Rows, stays: Stays) -> None:
    """Let infection control screen contacts: a carrier twice a week, every case of an outbreak."""
    rng = world.rng
    acute = [n for n in world.wards if not world.units[n].by_day]
    cases = [(day, int(rng.choice(acute)), int(rng.integers(5, 20)))
             for day in filter(workday, range(DAYS)) if rng.random() < 0.35]  # fmt: skip
    first, until = calendar.OUTBREAK
    wards = [n for n in acute if world.units[n].site == 0]
    for day in range(first - 1, until):
        cases += [(day, int(rng.choice(wards)), 4) for _ in range(int(rng.poisson(2.0)))]
    offices.nurses_of_infection(world, rows, stays, cases)
    # The daily list of resistant germs from the laboratory.
    for day in filter(workday, range(DAYS)):
        of = stays.columns
        here = of["patient"][(of["begins"] < day * DAY) & (of["ends"] > day * DAY)]
        for who in world.here(world.of("hygiene"), day).tolist():
            some = rng.choice(here, int(rng.poisson(9)))
            rows.add(one_by_one(rng, day * DAY + 8.8 * HOUR, len(some), 150), who, some, UPDATE)


def exports(world: World, rows: Rows) -> None:
    """Let coders, heads and research export lists: monthly activity, a cohort, a roster of beds."""
    rng = world.rng
    for kind, often, size in (
        ("coder", 6, 900), ("research", 2, 260), ("head", 2, 30), ("quality", 2, 150),
        ("biller", 4, 400), ("secretary", 1, 40),
    ):  # fmt: skip
        for who in world.of(kind).tolist():
            for _ in range(int(rng.poisson(often))):
                at = np.array([_some_day(world) * DAY + rng.uniform(9, 17) * HOUR])
                if len(world.here(np.array([who]), int(at[0] // DAY))):
                    rows.add(at, who, -1, EXPORT, -1, max(int(rng.lognormal(np.log(size), 0.6)), 5))


def projects(world: World, rows: Rows, stays: Stays, diary: Appointments) -> None:
    """Let offices tidy once: a recall of patients, a waiting list, a change of doctor, a drill."""
    rng = world.rng
    desks = world.of("secretary")
    for who in rng.choice(desks, 7, replace=False).tolist():
        # A doctor leaves: his patients are called one after the other, as the diary lists them.
        day, doctor = _some_day(world, 3, DAYS), int(rng.choice(np.unique(diary.doctor)))
        theirs = np.unique(diary.patient[diary.doctor == doctor])
        _batch(world, rows, who, rng.permutation(theirs)[:70], day, 150)
    for who in rng.choice(desks, 4, replace=False).tolist():
        # The waiting list of a specialty, by name.
        pool = np.flatnonzero(world.chronic[:STOCK] == int(rng.integers(len(CHRONIC))))
        some = rng.choice(pool, int(rng.integers(40, 110)), replace=False)
        order = np.argsort(world.places["alphabet"][world.surname[some]])
        _batch(world, rows, who, some[order], _some_day(world, 3, DAYS), 110)
    for who in rng.choice(world.of("clerk"), 3, replace=False).tolist():
        # Insurance cards of the month's newcomers, by number.
        fresh = STOCK + np.arange(sum(map(len, world.registered)))
        start = int(rng.integers(0, len(fresh) - 120))
        at = np.concatenate(world.registered)[np.argsort(np.concatenate(world.registered))]
        when = fresh[np.argsort(np.concatenate(world.registered))]
        day = int(at[start + 100] // DAY) + 1
        if 0 <= day < DAYS:
            while not workday(day):
                day += 1
            _batch(world, rows, who, when[start : start + 100], day, 60)


def _batch(world: World, rows: Rows, who: int, whom: Ints, day: int, pause: float) -> None:
    there = not world.away[who, min(day, DAYS - 1)] and world.until[who] > day
    at = one_by_one(world.rng, day * DAY + world.rng.uniform(9, 13.5) * HOUR, len(whom), pause)
    rows.add(at, who if there else -1, whom, OPEN)


def interrupt(world: World, of: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Take away the six hours down, but for what was caught up, and lists not yet logged."""
    day, first, last = calendar.DOWN
    begins, ends = day * DAY + first * HOUR, day * DAY + last * HOUR
    down = (of["at"] >= begins) & (of["at"] < ends)
    late = down & (of["way"] == UPDATE) & (world.rng.random(len(down)) < 0.7)
    # What was written on paper is entered when the record is back, or at night.
    of["at"] = np.where(late, ends + world.rng.gamma(2.0, 3600, len(down)), of["at"])
    kept = ~(down & ~late) & ~((of["way"] == LIST) & (of["at"] < calendar.LISTS_FROM * DAY))
    return {name: column[kept] for name, column in of.items()}
