"""Offices that open files and care for nobody: admissions, coding, beds, archive, support."""

import numpy as np

from benchmarks.elsewhere.group.clinics import Appointments
from benchmarks.elsewhere.group.people import DAY, DAYS, HOUR, STOCK, World
from benchmarks.elsewhere.group.rows import (
    MERGE,
    OPEN,
    PRINT,
    SEARCH,
    UPDATE,
    Rows,
    one_by_one,
    pick,
    queued,
    workday,
    written,
)
from benchmarks.elsewhere.group.stays import Stays, Visits
from benchmarks.elsewhere.log import Ints


def run(world: World, rows: Rows, visits: Visits, stays: Stays, diary: Appointments) -> None:
    """Let all offices work for the whole log."""
    admissions(world, rows, stays, diary)
    billing(world, rows, visits, diary)
    coding(world, rows, stays)
    beds(world, rows, stays)
    archive(world, rows)
    support(world, rows, visits, stays, diary)


def admissions(world: World, rows: Rows, stays: Stays, diary: Appointments) -> None:
    """Let the desks prepare planned stays, admit and let go, and receive some out-patients."""
    rng, of = world.rng, stays.columns
    site = np.array([world.units[w].site for w in of["ward"]])
    planned = of["planned"].astype(bool)
    for one in (0, 1, 2):
        unit = world.find("admissions", one)
        crew = world.of("clerk", unit)
        mine = np.flatnonzero(site == one)
        ahead = mine[planned[mine]]
        before = of["begins"][ahead] - rng.integers(2, 15, len(ahead)) * DAY
        for person, at, way in (
            (of["patient"][ahead], before, SEARCH),
            (of["patient"][mine], of["begins"][mine] + 300, UPDATE),
            (of["patient"][mine], of["ends"][mine] - 900, UPDATE),
        ):
            _desk(world, rows, crew, person, at, way, unit)
        here = np.array([world.units[u].site for u in diary.unit]) == one
        some = np.flatnonzero(here & (rng.random(len(here)) < 0.4))
        _desk(world, rows, crew, diary.patient[some], diary.at[some] - 1500, SEARCH, unit)


def _desk(
    world: World, rows: Rows, crew: Ints, whom: Ints, at: np.ndarray, way: int, unit: int
) -> None:
    day = np.floor(at / DAY).astype(np.int64)
    for one in np.unique(day[(day >= 0) & (day < DAYS)]).tolist():
        mine = np.flatnonzero(day == one)
        there = world.here(crew, one)
        there = there if workday(one) else there[:2]
        rows.add(at[mine], pick(world.rng, there, len(mine)), whom[mine], way, unit)


def billing(world: World, rows: Rows, visits: Visits, diary: Appointments) -> None:
    """Let billing check what insurers refused: visits of weeks ago, in the order of refusals."""
    rng = world.rng
    whom = np.r_[visits.patient, diary.patient]
    since = np.r_[visits.begins, diary.at]
    for day in filter(workday, range(DAYS)):
        old = np.flatnonzero((since < (day - 6) * DAY) & (since > (day - 30) * DAY))
        for account in world.here(world.of("biller"), day).tolist():
            site = world.units[world.unit[account]].site
            many = int(rng.poisson(24))
            some = (
                old[rng.integers(0, len(old), many)]
                if len(old)
                else rng.integers(0, len(whom), many)
            )
            # Before the log's first weeks there were others.
            todo = whom[some] if len(old) > 500 else world.anybody(many, site)
            at = one_by_one(rng, day * DAY + rng.uniform(8.6, 9.5) * HOUR, many, 700)
            rows.add(at, account, todo, SEARCH)


def coding(world: World, rows: Rows, stays: Stays) -> None:
    """Let coders take ended stays weeks later in the order of their end, ward by ward."""
    rng, of = world.rng, stays.columns
    crew = world.of("coder")
    backlog: dict[int, list[int]] = {}
    for ward in world.wards:
        ended = np.flatnonzero(of["ward"] == ward)
        queue = of["patient"][ended[np.argsort(of["ends"][ended])]].tolist()
        # Three weeks of stays that ended before the log wait to be coded.
        waiting = world.anybody(int(len(queue) * 0.45), min(world.units[ward].site, 2)).tolist()
        backlog[ward] = waiting + queue
    for day in filter(workday, range(DAYS)):
        there = world.here(crew, day)
        for ward in world.wards:
            queue = backlog[ward]
            own = int(crew[ward % len(crew)])
            who = own if own in there else int(there[(ward + day // 7) % len(there)])
            if rng.random() < 0.75:
                many = min(int(rng.poisson(len(queue) / max(24, 36 - day))), max(len(queue), 0), 40)
                todo, backlog[ward] = np.array(queue[:many], np.int64), queue[many:]
                start = day * DAY + rng.uniform(8.5, 14) * HOUR
                at = one_by_one(rng, start, len(todo), 420)
                rows.add(at, who, todo, written(rng, len(todo), 0.5))
    # A controller of the department looks at some again, in no order.
    for day in filter(workday, range(DAYS)):
        some = rng.choice(len(of["patient"]), 12)
        some = some[of["ends"][some] < (day - 10) * DAY]
        at = one_by_one(rng, day * DAY + 14.5 * HOUR, len(some), 300)
        rows.add(
            at, int(crew[0]) if len(world.here(crew[:1], day)) else -1, of["patient"][some], OPEN
        )


def beds(world: World, rows: Rows, stays: Stays) -> None:
    """Let bed managers page through all wards three times a day and look at who may move."""
    rng = world.rng
    for day in range(DAYS):
        crew = world.here(world.of("beds"), day)
        crew = np.roll(crew, -day)[: 2 if workday(day) else 1]
        for hour in (8.2, 11.5, 15.5):
            for n, ward in enumerate(world.wards):
                moment = day * DAY + hour * HOUR + n * rng.uniform(40, 80)
                here = stays.columns["patient"][stays.inside(ward, moment, moment + 1)]
                if not len(crew) or not len(here):
                    continue
                who = int(crew[n % len(crew)])
                rows.page(moment, who, here, world.unit[who])
                some = here[rng.random(len(here)) < 0.05]
                rows.add(one_by_one(rng, moment + 5, len(some), 12), who, some, OPEN)


def archive(world: World, rows: Rows) -> None:
    """Let archivists merge doubles from the week's list and copy files that people asked for."""
    rng = world.rng
    crew = world.of("archivist")
    for day in filter(workday, range(DAYS)):
        there = world.here(crew, day)
        for n, who in enumerate(there.tolist()):
            asked = rng.integers(0, STOCK, int(rng.poisson(7)))
            at = one_by_one(rng, day * DAY + 9 * HOUR, len(asked), 1100)
            rows.add(at, who, asked, SEARCH)
            rows.add(at + 300, who, asked, PRINT)
            if n == day % len(there) or (day % 7 == 1 and n < 2):
                # Doubles: the old number and a younger one, listed by name.
                pairs = rng.integers(0, STOCK, int(rng.integers(15, 40)))
                pairs = pairs[np.argsort(world.surname[pairs])]
                start = day * DAY + 13.8 * HOUR
                at = one_by_one(rng, start, len(pairs), 90)
                rows.add(at, who, pairs, OPEN)
                twin = np.minimum(pairs + rng.integers(50, 20_000, len(pairs)), STOCK - 1)
                rows.add(at + 15, who, twin, OPEN)
                rows.add(at + 50, who, pairs, MERGE)


def support(world: World, rows: Rows, visits: Visits, stays: Stays, diary: Appointments) -> None:
    """Let the helpdesk look at the file that a caller has trouble with, and the vendor at some."""
    rng, of = world.rng, stays.columns
    for day in filter(workday, range(DAYS)):
        recent = np.concatenate([
            of["patient"][(of["begins"] < (day + 1) * DAY) & (of["ends"] > (day - 1) * DAY)],
            visits.patient[np.abs(visits.begins - day * DAY) < DAY],
            diary.patient[np.abs(diary.at - day * DAY) < 3 * DAY],
        ])  # fmt: skip
        for who in world.here(world.of("helpdesk"), day).tolist():
            many = int(rng.poisson(5))
            at = np.sort(day * DAY + rng.uniform(8.5, 17.5, many) * HOUR)
            rows.add(at, who, rng.choice(recent, many), SEARCH)
            if rng.random() < 0.3:
                # The double that the caller made, and its neighbour.
                at = at[:2]
                rows.add(at + 200, who, rng.choice(recent, len(at)), UPDATE)
        for who in world.of("vendor").tolist():
            if rng.random() < 0.35:
                many = int(rng.integers(1, 6))
                at = day * DAY + rng.uniform(9, 17, many) * HOUR
                rows.add(at, who, rng.choice(recent, many), SEARCH)


def nurses_of_infection(
    world: World, rows: Rows, stays: Stays, cases: list[tuple[int, int, int]]
) -> None:
    """Let infection control open all contacts of each case (day, ward, days back), some gone."""
    rng, of = world.rng, stays.columns
    for day, ward, back in cases:
        crew = world.here(world.of("hygiene"), day)
        if not len(crew):
            continue
        who = int(rng.choice(crew))
        met = np.flatnonzero((of["ward"] == ward) & (of["ends"] > (day - back) * DAY)
                             & (of["begins"] < (day + 1) * DAY))  # fmt: skip
        whom = np.unique(of["patient"][met])
        rng.shuffle(whom)
        at = one_by_one(rng, day * DAY + rng.uniform(9, 14.5) * HOUR, len(whom), 100)
        rows.add(at, who, whom, written(rng, len(whom), 0.5))
        # Where they are now, they are looked at again after the next swabs.
        again = whom[rng.random(len(whom)) < 0.4]
        later = one_by_one(rng, (day + 2) * DAY + 10 * HOUR, len(again), 90)
        rows.add(later, who, again, UPDATE)


def evening(world: World, rows: Rows, stays: Stays, diary: Appointments) -> None:
    """Let doctors read in the evening what they are waiting for: results of those they saw."""
    rng, of = world.rng, stays.columns
    for day in filter(workday, range(DAYS)):
        some = np.flatnonzero((diary.at < day * DAY) & (diary.at > (day - 9) * DAY))
        some = some[rng.random(len(some)) < 0.07]
        doctor = diary.doctor[some]
        start = np.full(len(some), day * DAY + 18.2 * HOUR)
        kept = ~world.away[doctor, day] & (world.until[doctor] > day)
        at = queued(rng, doctor, start, 120)
        rows.add(at[kept], doctor[kept], diary.patient[some][kept], OPEN)
    # What became of those who went to another ward.
    gone = np.flatnonzero((of["ends"] < (DAYS - 2) * DAY) & (of["ends"] > 0))
    for n in gone[rng.random(len(gone)) < 0.06].tolist():
        day = int(of["ends"][n] // DAY) + int(rng.integers(1, 6))
        doctors = world.here(world.of("doctor", int(of["ward"][n])), day)
        if len(doctors):
            at = day * DAY + rng.uniform(13, 19, 1) * HOUR
            rows.add(at, int(rng.choice(doctors)), int(of["patient"][n]), SEARCH)
