"""Out-patients: appointments, secretaries, letters typed days later, and the town's doctors."""

from dataclasses import dataclass

import numpy as np

from benchmarks.elsewhere.group import calendar
from benchmarks.elsewhere.group.people import DAY, DAYS, HOUR, STOCK, World
from benchmarks.elsewhere.group.rows import (
    CREATE,
    OPEN,
    PRINT,
    SEARCH,
    UPDATE,
    Rows,
    pick,
    queued,
    workday,
)
from benchmarks.elsewhere.group.stays import Stays, Visits
from benchmarks.elsewhere.group.wards import specialty
from benchmarks.elsewhere.log import Ints


@dataclass
class Appointments:
    """Appointments that were held: whom, by which doctor, when, booked when, in which clinic."""

    patient: Ints
    doctor: Ints
    at: np.ndarray
    booked: np.ndarray
    unit: Ints
    new: np.ndarray


def book(world: World) -> Appointments:
    """Draw the diaries of the hospital doctors: two half-days a week each."""
    rng = world.rng
    parts: list[tuple[np.ndarray, ...]] = []
    doctors = world.of("doctor")
    panels = _panels(world, doctors)
    for doctor in doctors.tolist():
        ward = world.unit[doctor]
        if ward >= len(world.wards) or specialty(world, ward) < 0:
            continue
        clinic = world.find("clinic", world.units[ward].site)
        for day in filter(workday, range(DAYS)):
            half = {doctor % 5: 0, (doctor + 2) % 5: 1}.get(day % 7)
            if half is None or world.away[doctor, day] or world.until[doctor] <= day:
                continue
            slots = int(rng.integers(8, 13))
            if day == calendar.STRIKE:
                slots //= 2
            at = (
                day * DAY
                + (9 + 5 * half) * HOUR
                + np.arange(slots) * 1200
                + rng.normal(0, 240, slots)
            )
            patient, new = _who(world, panels[doctor], slots, world.units[ward].site)
            booked = at - rng.gamma(2.0, 11.0, slots) * DAY
            whose, where = np.full(slots, doctor), np.full(slots, clinic)
            parts.append((patient, whose, at, booked, where, new))
    patient, doctor, at, booked, unit, new = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    booked = np.floor(booked / DAY) * DAY + rng.uniform(8.7, 17, len(at)) * HOUR
    patient[new] = world.register(booked[new])
    return Appointments(patient, doctor, at, booked, unit, new)


def _panels(world: World, doctors: Ints) -> dict[int, Ints]:
    out: dict[int, Ints] = {}
    kinds = {d: (specialty(world, world.unit[d]), world.units[world.unit[d]].site)
             for d in doctors.tolist() if world.unit[d] < len(world.wards)}  # fmt: skip
    for kind in set(kinds.values()):
        colleagues = [d for d, k in kinds.items() if k == kind]
        ill = np.flatnonzero((world.chronic[:STOCK] == kind[0]) & (world.site[:STOCK] == kind[1]))
        for n, part in enumerate(np.array_split(world.rng.permutation(ill), len(colleagues))):
            out[colleagues[n]] = part
    return out


def _who(world: World, panel: Ints, count: int, site: int) -> tuple[Ints, np.ndarray]:
    """Return who comes: two of three are followed, of the others some are not in the index yet."""
    rng, drawn = world.rng, world.rng.random(count)
    patient = world.anybody(count, site)
    if len(panel):
        weight = world.frailty[panel]
        followed = rng.choice(panel, count, p=weight / weight.sum())
        patient = np.where(drawn < 0.66, followed, patient)
    return patient, drawn > 0.92


def consult(world: World, rows: Rows, diary: Appointments) -> None:
    """Let secretaries book and prepare, the desk receive, the doctor see, letters be typed."""
    rng, count = world.rng, len(diary.at)
    day = (diary.at // DAY).astype(np.int64)
    for unit in np.unique(diary.unit).tolist():
        desks, clerks = world.of("secretary", unit), world.of("clerk", unit)
        mine = np.flatnonzero(diary.unit == unit)
        # A secretary works for some doctors; who replaces her is whoever is there.
        own = desks[diary.doctor % len(desks)]
        whom, doctor = diary.patient, diary.doctor
        for moment, way, share in (
            (diary.booked, np.where(diary.new, CREATE, SEARCH), 1.0),
            (_before(rng, day), np.full(count, OPEN), 0.5),
        ):
            some = mine[rng.random(len(mine)) < share]
            rows.add(
                moment[some],
                _present(world, own[some], desks, moment[some]),
                whom[some],
                way[some],
                unit,
            )
        reception = pick(rng, clerks, len(mine))
        arrived = diary.at[mine] - rng.gamma(2, 400, len(mine))
        rows.add(arrived, reception, whom[mine], OPEN, unit)
        for one in np.unique(doctor[mine]).tolist():
            for when in np.unique(day[mine][doctor[mine] == one]).tolist():
                list_of = mine[(doctor[mine] == one) & (day[mine] == when)]
                rows.page(diary.at[list_of].min() - 400, one, whom[list_of], unit)
        rows.add(diary.at[mine], doctor[mine], whom[mine], UPDATE, unit)
        some = mine[rng.random(len(mine)) < 0.5]
        rows.add(
            diary.at[some] + rng.uniform(300, 900, len(some)), doctor[some], whom[some], OPEN, unit
        )
        letters(world, rows, whom[mine], doctor[mine], diary.at[mine], own[mine], desks)


def _before(rng: np.random.Generator, day: Ints) -> np.ndarray:
    """Return a moment of the working day before."""
    before = day - 1
    while (idle := np.array([not workday(d) for d in before.tolist()])).any():
        before[idle] -= 1
    return before * DAY + 15.5 * HOUR + rng.uniform(0, 1.5, len(day)) * HOUR


def _present(world: World, own: Ints, desk: Ints, at: np.ndarray) -> Ints:
    """Return the own secretary, or whoever of the desk replaces her on her days off."""
    day = np.clip(at // DAY, 0, DAYS - 1).astype(np.int64)
    off = world.away[own, day] | (world.until[own] <= day)
    out = own.copy()
    for n in np.flatnonzero(off).tolist():
        there = world.here(desk, int(day[n]))
        out[n] = there[(own[n] + day[n]) % len(there)] if len(there) else -1
    return out


def letters(
    world: World, rows: Rows, patient: Ints, doctor: Ints, seen: np.ndarray, own: Ints, desk: Ints
) -> None:
    """Type letters days later in batches, let doctors sign, print some, and the town read them."""
    rng = world.rng
    some = np.flatnonzero(rng.random(len(patient)) < 0.85)
    day = (
        np.floor(seen[some] / DAY).astype(np.int64)
        + 1
        + rng.gamma(2.0, 2.2, len(some)).astype(np.int64)
    )
    while (idle := np.array([not workday(d) for d in day.tolist()])).any():
        day[idle] += 1
    start = day * DAY + (9 + rng.integers(0, 2, len(some)) * 4.5) * HOUR
    who = _present(world, own[some], desk, start)
    at = queued(rng, who * 1000 + day * 4 + (start % DAY > 11 * HOUR), start, 330)
    rows.add(at, who, patient[some], np.where(rng.random(len(some)) < 0.25, PRINT, UPDATE))
    signed = np.flatnonzero(rng.random(len(some)) < 0.7)
    evening = (day[signed] + rng.integers(0, 3, len(signed))) * DAY + 18 * HOUR
    doctors = doctor[some][signed]
    at = queued(rng, doctors * 1000 + (evening // DAY).astype(np.int64), evening, 60)
    rows.add(at, doctors, patient[some][signed], UPDATE)


def discharge(world: World, rows: Rows, stays: Stays) -> None:
    """Let a ward's secretary type the letter of every stay that ended."""
    rng, of = world.rng, stays.columns
    for ward in world.wards:
        desk, doctors = world.of("secretary", ward), world.of("doctor", ward)
        mine = np.flatnonzero((of["ward"] == ward) & (of["ends"] < DAYS * DAY))
        if len(desk) and len(doctors) and len(mine):
            own = desk[of["stay"][mine] % len(desk)]
            whom, seen = of["patient"][mine], of["ends"][mine]
            letters(world, rows, whom, pick(rng, doctors, len(mine)), seen, own, desk)


def town(world: World, rows: Rows, visits: Visits, stays: Stays, diary: Appointments) -> None:
    """Let the town's doctors read through the vendor's portal what became of their patients."""
    rng, of = world.rng, stays.columns
    heard = [
        (visits.patient, visits.ends, 0.3), (of["patient"], of["ends"], 0.55),
        (of["patient"], of["begins"], 0.12), (diary.patient, diary.at + 4 * DAY, 0.3),
    ]  # fmt: skip
    for patient, since, share in heard:
        some = np.flatnonzero((world.practice[patient] >= 0) & (rng.random(len(patient)) < share))
        day = np.floor(since[some] / DAY).astype(np.int64) + rng.geometric(0.4, len(some)) - 1
        while (idle := np.array([not workday(d) for d in day.tolist()])).any():
            day[idle] += 1
        at = day * DAY + rng.uniform(8.5, 19.5, len(some)) * HOUR
        rows.add(at, _reader(world, world.practice[patient[some]], day), patient[some],
                 rng.choice([OPEN, SEARCH, PRINT], len(some), p=[0.6, 0.32, 0.08]))  # fmt: skip
    # Somebody sits before them and was in hospital years ago.
    for day in filter(workday, range(DAYS)):
        practices = np.flatnonzero([u.name == "practice" for u in world.units])
        for practice in practices.tolist():
            key = f"panel {practice}"
            if key not in world.places:
                panel = np.flatnonzero(world.practice[:STOCK] == practice)
                world.places[key] = panel
            panel, many = world.places[key], int(rng.poisson(2.2))
            weight = world.frailty[panel]
            whom = rng.choice(panel, many, p=weight / weight.sum())
            at = day * DAY + rng.uniform(8.5, 19, many) * HOUR
            who = _reader(world, np.full(many, practice), np.full(many, day))
            rows.add(at, who, whom, SEARCH)


def _reader(world: World, practice: Ints, day: Ints) -> Ints:
    """Return who of a practice looks: its doctors, and its secretary if it has one."""
    out = np.full(len(practice), -1)
    for n, (one, when) in enumerate(zip(practice.tolist(), day.tolist(), strict=True)):
        key = f"staff {one}"
        if key not in world.places:
            world.places[key] = np.r_[world.of("practitioner", one), world.of("practice_desk", one)]
        there = world.here(world.places[key], when)
        if len(there):
            out[n] = there[int(world.rng.random() ** 1.5 * len(there))]
    return out
