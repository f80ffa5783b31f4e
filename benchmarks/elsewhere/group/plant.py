"""Those who meet everybody: theatres, imaging, laboratory, pharmacy, therapists, interfaces."""

import numpy as np

from benchmarks.elsewhere.group import calendar
from benchmarks.elsewhere.group.clinics import Appointments
from benchmarks.elsewhere.group.people import DAY, DAYS, HOUR, SURGERY, World
from benchmarks.elsewhere.group.rows import (
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


def theatre(world: World, rows: Rows, stays: Stays) -> None:
    """Let anaesthetists see people before, and teams operate on the programme of the day."""
    rng, of = world.rng, stays.columns
    surgical = [n for n in world.wards if world.units[n].name in SURGERY]
    mine = np.flatnonzero(np.isin(of["ward"], surgical) & of["planned"].astype(bool))
    site = np.array([world.units[w].site for w in of["ward"][mine]])
    whom = of["patient"][mine]
    day = (of["begins"][mine] // DAY).astype(np.int64)
    nights = np.array([not world.units[w].by_day for w in of["ward"][mine]])
    day += nights & (of["begins"][mine] % DAY > 11 * HOUR)
    for one in (0, 1):
        unit = world.find("theatre", one)
        for when in np.unique(day).tolist():
            some = np.flatnonzero((site == one) & (day == when))
            sleepers = _team(world, "anaesthetist", unit, when, 6 - 3 * one)
            team = _team(world, "theatre", unit, when, 12 - 6 * one)
            if len(some) and len(sleepers) and len(team) > 1:
                _operate(
                    world, rows, whom[some], of["ward"][mine][some], (when, unit), (sleepers, team)
                )
    clinics = np.array([world.find("clinic", s) for s in site])
    for n, ahead in enumerate(rng.integers(3, 21, len(mine)).tolist()):
        before = int(day[n]) - ahead
        if workday(before) and before >= 0:
            asks = world.here(
                world.of("anaesthetist", world.find("theatre", min(int(site[n]), 1))), before
            )
            at = before * DAY + rng.uniform(9, 17) * HOUR
            if len(asks):
                rows.add(
                    np.array([at]),
                    int(asks[before % len(asks)]),
                    int(whom[n]),
                    UPDATE,
                    int(clinics[n]),
                )


def _team(world: World, kind: str, unit: int, day: int, most: int) -> Ints:
    there = world.here(world.of(kind, unit), day)
    return np.roll(there, -day * 3)[:most]


def _operate(
    world: World,
    rows: Rows,
    whom: Ints,
    ward: Ints,
    where: tuple[int, int],
    staff: tuple[Ints, Ints],
) -> None:
    """Run some rooms side by side: the same team does the patients of a room in a row."""
    rng, (day, unit), (sleepers, team) = world.rng, where, staff
    room = np.arange(len(whom)) % len(sleepers)
    start = queued(rng, room, np.full(len(whom), day * DAY + 7.9 * HOUR), 3600)
    for people, mean, write in ((sleepers, 1.9, 0.7), (team[: len(team) // 2], 1.5, 0.8),
                                (team[len(team) // 2 :], 1.2, 0.8)):  # fmt: skip
        who = people[room % len(people)]
        many = rng.poisson(mean, len(whom))
        at = np.repeat(start, many) + rng.uniform(-600, 5400, many.sum())
        rows.add(
            at, np.repeat(who, many), np.repeat(whom, many), written(rng, len(at), write), unit
        )
    surgeon = np.array(
        [pick(rng, world.here(world.of("doctor", w), day), 1)[0] for w in ward.tolist()]
    )
    rows.add(start + 4000, surgeon, whom, UPDATE, unit)
    eve = pick(rng, sleepers, len(whom))
    rows.add(
        queued(rng, eve, np.full(len(whom), (day - 1) * DAY + 17 * HOUR), 200), eve, whom, OPEN
    )


def examine(
    world: World, rows: Rows, visits: Visits, stays: Stays, diary: Appointments
) -> tuple[Ints, np.ndarray]:
    """Draw images and analyses; return the persons and moments of all results."""
    rng = world.rng
    days = [(ward, day) for ward in world.wards for day in range(DAYS)]
    lying, at = [], []
    for ward, day in days:
        here = stays.columns["patient"][
            stays.inside(ward, day * DAY + 6 * HOUR, day * DAY + 9 * HOUR)
        ]
        lying.append(here)
        at.append(day * DAY + rng.uniform(6.2, 16, len(here)) * HOUR)
    person, moment = np.concatenate(lying), np.concatenate(at)
    site = np.repeat([min(world.units[w].site, 1) for w, _ in days], [len(x) for x in lying])
    out = np.repeat(np.array([0, 1]), [38 * DAYS, 16 * DAYS])
    walk = np.concatenate([world.anybody(38 * DAYS, 0), world.anybody(16 * DAYS, 1)])
    walked = rng.integers(0, DAYS, len(walk)) * DAY + rng.uniform(8, 18, len(walk)) * HOUR
    walked[~np.array([workday(int(d)) for d in walked // DAY])] = -1
    clinic = np.minimum(np.array([world.units[u].site for u in diary.unit]), 1)

    def some(share: float, *columns: np.ndarray) -> list[np.ndarray]:
        kept = rng.random(len(columns[0])) < share
        return [column[kept] for column in columns]

    images = [
        some(0.09, person, moment, site), [walk, walked, out],
        some(0.45, visits.patient, visits.begins + 5000, visits.site),
        some(0.16, diary.patient, diary.at + 2400, clinic),
    ]  # fmt: skip
    tests = [
        some(0.4, person, moment, site),
        some(0.55, visits.patient, visits.begins + 4000, visits.site),
        some(0.12, diary.patient, diary.at + 1800, clinic),
    ]
    shot = [np.concatenate(c) for c in zip(*images, strict=True)]
    drawn = [np.concatenate(c) for c in zip(*tests, strict=True)]
    _images(world, rows, *shot)
    _analyses(world, rows, *drawn)
    return np.r_[shot[0], drawn[0]].astype(np.int64), np.r_[shot[1], drawn[1]]


def _images(world: World, rows: Rows, whom: Ints, at: np.ndarray, site: Ints) -> None:
    """Let who is at the machine open the request, who is on reporting read, secretaries send."""
    rng = world.rng
    feed = world.of("interface")[1]
    rows.add(at + 2500, feed, whom, UPDATE)
    for one in (0, 1):
        unit = world.find("imaging", one)
        mine = np.flatnonzero((site == one) & (at >= 0))
        day = (at[mine] // DAY).astype(np.int64)
        for when in np.unique(day).tolist():
            todo = mine[day == when]
            crew = _team(world, "radiographer", unit, when, 8 - 4 * one)
            readers = _team(world, "radiologist", unit, when, 4 - 2 * one)
            who = (
                crew[(at[todo] // HOUR).astype(np.int64) % len(crew)]
                if len(crew)
                else np.full(len(todo), -1)
            )
            swap = rng.random(len(todo)) < 0.4
            who = np.where(swap, pick(rng, crew, len(todo)), who)
            rows.add(at[todo], who, whom[todo], UPDATE, unit)
            reader = pick(rng, readers, len(todo))
            block = np.maximum(np.floor(at[todo] / (2 * HOUR)) + 1, when * 12 + 4.5) * 2 * HOUR
            key = reader * 600 + (block // HOUR).astype(np.int64) % 600
            rows.add(
                queued(rng, key, block, 240), reader, whom[todo], written(rng, len(todo), 0.6), unit
            )
            if workday(when):
                desk = pick(rng, world.here(world.of("secretary", unit), when), len(todo))
                start = np.full(len(todo), when * DAY + 13.5 * HOUR)
                kept = rng.random(len(todo)) < 0.4
                rows.add(
                    queued(rng, desk, start, 90)[kept], desk[kept], whom[todo][kept], PRINT, unit
                )


def _analyses(world: World, rows: Rows, whom: Ints, at: np.ndarray, site: Ints) -> None:
    """Let the interface write every result; a few are looked up, biologists validate some."""
    rng, unit = world.rng, world.find("laboratory", 0)
    feed = world.of("interface")[0]
    rows.add(at + rng.uniform(2400, 7200, len(at)), feed, whom, UPDATE)
    order = np.argsort(at)
    for kind, share, pause, most in (("laboratory", 0.22, 40, 6), ("biologist", 0.13, 60, 2)):
        some = order[rng.random(len(order)) < share]
        day = (at[some] // DAY).astype(np.int64)
        for when in np.unique(day).tolist():
            todo = some[day == when]
            crew = _team(world, kind, unit, when, most)
            who = pick(rng, crew, len(todo))
            moment = at[todo] + 3000 if kind == "laboratory" else np.maximum(
                np.ceil(at[todo] / (3 * HOUR)) * 3 * HOUR, when * DAY + 9 * HOUR)  # fmt: skip
            if kind == "biologist":
                moment = queued(
                    rng, who * 90 + (moment // (3 * HOUR)).astype(np.int64) % 90, moment, pause
                )
            rows.add(moment, who, whom[todo], SEARCH if kind == "laboratory" else OPEN, unit)


def pharmacy(world: World, rows: Rows, stays: Stays) -> None:
    """Let pharmacists validate the prescriptions of all wards: new ones, then twice a week."""
    rng = world.rng
    for day in filter(workday, range(DAYS)):
        for site in (0, 1):
            unit = world.find("pharmacy", site)
            crew = world.here(world.of("pharmacist", unit), day)
            wards = [
                n
                for n in world.wards
                if min(world.units[n].site, 1) == site and not world.units[n].by_day
            ]
            if not len(crew):
                continue
            for n, ward in enumerate(wards):
                here = stays.inside(ward, day * DAY + 8 * HOUR, day * DAY + 10 * HOUR)
                since = day - stays.columns["begins"][here] // DAY
                due = (since <= 1) | ((stays.columns["stay"][here] + day) % 4 == 0)
                todo = stays.columns["patient"][here[due & (rng.random(len(here)) < 0.85)]]
                # Wards are shared out for a week.
                who = int(crew[(n + day // 7) % len(crew)])
                start = day * DAY + rng.uniform(9, 15.5) * HOUR
                rows.add(one_by_one(rng, start, len(todo), 130), who, todo, UPDATE, unit)
            crew = world.here(world.of("preparer", unit), day)
            some = np.concatenate(
                [
                    stays.columns["patient"][stays.inside(w, day * DAY, (day + 1) * DAY)]
                    for w in wards
                ]
            )
            some = some[rng.random(len(some)) < 0.09]
            at = day * DAY + rng.uniform(8.5, 16.5, len(some)) * HOUR
            rows.add(at, pick(rng, crew, len(some)), some, OPEN, unit)


def therapy(world: World, rows: Rows, stays: Stays) -> None:
    """Let therapists, dietitians, social workers and mobile teams see who was referred to them."""
    rng, of = world.rng, stays.columns
    plans = (("therapist", "therapy", 0.3, 0.75), ("dietitian", "therapy", 0.14, 0.25),
             ("social", "social", 0.16, 0.3), ("mobile", "mobile", 0.07, 0.35))  # fmt: skip
    for kind, name, share, often in plans:
        follows = {}
        for day in filter(workday, range(DAYS)):
            for ward in world.wards:
                site = world.units[ward].site
                unit = world.find(name, site) if name != "mobile" else world.find(name, 0)
                crew = world.of(kind, unit)
                here = stays.inside(ward, day * DAY + 8 * HOUR, day * DAY + 17 * HOUR)
                for n in here[of["ends"][here] - of["begins"][here] > DAY].tolist():
                    stay = int(of["stay"][n])
                    if stay not in follows:
                        # A ward has its therapist; others are referred to whoever has time.
                        own = crew[ward % len(crew)] if kind == "therapist" else rng.choice(crew)
                        follows[stay] = int(own) if rng.random() < share else -1
                    who = follows[stay]
                    if who >= 0 and rng.random() < often and len(world.here(np.array([who]), day)):
                        at = day * DAY + rng.uniform(9, 16.8, 2) * HOUR
                        many = 1 + int(rng.random() < 0.4)
                        rows.add(
                            at[:many], who, int(of["patient"][n]), written(rng, many, 0.6), unit
                        )


def interfaces(world: World, rows: Rows, stays: Stays) -> None:
    """Let the programs of movements, letters and appointments write; one weekend reads again."""
    rng, of, feeds = world.rng, stays.columns, world.of("interface")
    for moment in (of["begins"], of["ends"]):
        rows.add(moment + 40, feeds[2], of["patient"], UPDATE)
    rows.add(of["ends"] + rng.gamma(2, 3, len(of["ends"])) * DAY, feeds[3], of["patient"], OPEN)
    first, until = calendar.MIGRATION
    for n, feed in enumerate(feeds[:2].tolist()):
        start = int(rng.integers(0, 60_000))
        whom = start + np.sort(rng.choice(20_000, 10_000, replace=False))
        at = (
            first * DAY
            + (7 + n) * HOUR
            + np.cumsum(rng.exponential((until - first - 0.5) * DAY / 10_000, 10_000))
        )
        rows.add(at, feed, whom, OPEN)
