"""Work on wards and in the emergency departments: handovers, rounds, visits, nights on call."""

import numpy as np

from benchmarks.elsewhere.group import calendar
from benchmarks.elsewhere.group.people import CHRONIC, DAY, DAYS, HOUR, World
from benchmarks.elsewhere.group.rota import Rota, span
from benchmarks.elsewhere.group.rows import (
    CREATE,
    GLASS,
    OPEN,
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


def care(world: World, rows: Rows, rota: Rota, stays: Stays) -> None:
    """Let every ward's staff work, shift after shift."""
    for ward in world.wards:
        for day in range(DAYS):
            for shift in range(3):
                begins, ends = span(day, shift)
                here = stays.inside(ward, begins, ends)
                if len(here):
                    _shift(world, rows, rota, stays, (ward, day, shift), here)
            here = stays.inside(ward, day * DAY + 8.5 * HOUR, day * DAY + 18 * HOUR)
            if len(here):
                _round(world, rows, rota, stays, (ward, day), here)


def _shift(
    world: World, rows: Rows, rota: Rota, stays: Stays, where: tuple[int, int, int], here: Ints
) -> None:
    rng, (ward, day, shift) = world.rng, where
    begins, ends = span(day, shift)
    nurses, assistants = (
        table.get((ward, day, shift), np.empty(0, np.int64))
        for table in (rota.nurses, rota.assistants)
    )
    if merged := _joined(world, ward, day):
        nurses = np.r_[nurses, rota.nurses.get((merged, day, shift), nurses[:0])]
        assistants = np.r_[assistants, rota.assistants.get((merged, day, shift), nurses[:0])]
    patients = stays.columns["patient"][here]
    for n, nurse in enumerate(nurses.tolist()):
        start = begins + rng.uniform(2, 20) * 60
        rows.page(start, nurse, patients, ward)
        # The whole ward at handover, or the sector alone.
        sector = (
            patients[n :: len(nurses)]
            if rng.random() < 0.1
            else patients[n * len(patients) // len(nurses) : (n + 1) * len(patients) // len(nurses)]
        )
        heard = patients if rng.random() < 0.2 else sector
        heard = heard[rng.random(len(heard)) < 0.7]
        rows.add(one_by_one(rng, start + 30, len(heard), 35), nurse, heard, OPEN, ward)
        _visits(world, rows, nurse, sector, (begins, ends), 1.5 if shift < 2 else 0.9, ward)
        # A call bell is anybody's.
        other = patients[rng.random(len(patients)) < 0.07]
        _visits(world, rows, nurse, other, (begins, ends), 0.8, ward)
    for n, assistant in enumerate(assistants.tolist()):
        mine = patients[n :: len(assistants)]
        _visits(world, rows, assistant, mine, (begins, ends), 0.7, ward)
    _students(world, rows, rota, (ward, day, shift), patients)


def _joined(world: World, ward: int, day: int) -> int:
    """Return the ward whose staff came along, or 0."""
    gone, site, old, new = calendar.MERGED
    if day >= gone and ward == world.find(new, site):
        return world.find(old, site)
    return 0


def _visits(
    world: World, rows: Rows, account: int, patients: Ints, when: tuple[float, float],
    mean: float, unit: int,
) -> None:  # fmt: skip
    rng = world.rng
    many = rng.poisson(mean, len(patients))
    whom = np.repeat(patients, many)
    at = rng.uniform(when[0] + 1200, when[1] - 900, len(whom))
    rows.add(at, account, whom, written(rng, len(whom), 0.5), unit)


def _students(
    world: World, rows: Rows, rota: Rota, where: tuple[int, int, int], patients: Ints
) -> None:
    """Let students follow a few patients of their ward, mornings and afternoons of working days."""
    rng, (ward, day, shift) = world.rng, where
    if shift == 2 or not workday(day):
        return
    begins, ends = span(day, shift)
    for kind, hours in (("student", 0), ("extern", 0)):
        for account in rota.days(kind, ward, day).tolist():
            if (account + day // 7) % 2 == shift and hours == 0:
                mine = rng.permutation(patients)[: rng.integers(2, 6)]
                _visits(world, rows, account, mine, (begins, ends), 1.8, ward)


def _round(
    world: World, rows: Rows, rota: Rota, stays: Stays, where: tuple[int, int], here: Ints
) -> None:
    """Let doctors and interns do the round in the order of the beds, then come back to some."""
    rng, (ward, day) = world.rng, where
    patients = stays.columns["patient"][here]
    seniors, interns = (rota.days(kind, ward, day) for kind in ("doctor", "intern"))
    if not workday(day):
        seniors, interns = seniors[:1], interns[: int(rng.random() < 0.3)]
        patients = patients[rng.random(len(patients)) < 0.4]
    for staff, seen, again in ((seniors, 0.7, 0.5), (interns, 0.97, 1.3)):
        for n, doctor in enumerate(staff.tolist()):
            mine = patients[n * len(patients) // len(staff) : (n + 1) * len(patients) // len(staff)]
            start = day * DAY + rng.uniform(8.6, 9.8) * HOUR
            rows.page(start, doctor, patients, ward)
            mine = mine[rng.random(len(mine)) < seen]
            at = one_by_one(rng, start + 60, len(mine), 330)
            rows.add(at, doctor, mine, written(rng, len(mine), 0.6), ward)
            later = (day * DAY + 13.5 * HOUR, day * DAY + 18.7 * HOUR)
            _visits(world, rows, doctor, mine, later, again, ward)
    if workday(day):
        for head in rota.days("head", ward, day).tolist():
            some = patients[rng.random(len(patients)) < 0.25]
            start = day * DAY + rng.uniform(9, 11) * HOUR
            rows.page(start, head, patients, ward)
            rows.add(one_by_one(rng, start + 60, len(some), 60), head, some, OPEN, ward)


def on_call(world: World, rows: Rows, rota: Rota, stays: Stays) -> None:
    """Let the doctors of the night be called to patients of all wards, some behind the glass."""
    rng = world.rng
    for (site, day), on in rota.called.items():
        begins, ends = day * DAY + 18.5 * HOUR, (day + 1) * DAY + 8 * HOUR
        wards = [n for n in world.wards if world.units[n].site == site]
        here = np.concatenate([stays.inside(ward, begins, ends) for ward in wards])
        for doctor in on:
            some = rng.permutation(here)[: rng.poisson(14 if site == 0 else 7)]
            at = np.sort(rng.uniform(begins, ends, len(some)))
            unit = stays.columns["ward"][some]
            way = np.where(rng.random(len(some)) < 0.06, GLASS, written(rng, len(some), 0.5))
            patients = stays.columns["patient"][some]
            rows.add(at, doctor, patients, way, unit)
            again = rng.random(len(some)) < 0.5
            rows.add(at[again] + 1500, doctor, patients[again], UPDATE, unit[again])


def emergency(world: World, rows: Rows, rota: Rota, visits: Visits) -> None:
    """Let the emergency departments register, sort, treat and look into old files."""
    rng = world.rng
    for site in (0, 1):
        unit = world.find("emergency", site)
        mine = np.flatnonzero(visits.site == site)
        day, shift = _when(visits.begins[mine])
        _board(world, rows, rota, visits, unit)
        staff = {
            kind: _on_duty(world, rota, kind, unit, day, shift)
            for kind in ("nurse", "assistant", "clerk", "doctor", "intern")
        }
        patient, begins, ends = (c[mine] for c in (visits.patient, visits.begins, visits.ends))
        new = visits.new[mine]
        rows.add(begins, staff["clerk"], patient, np.where(new, CREATE, SEARCH), unit)
        rows.add(begins + rng.uniform(3, 15, len(mine)) * 60, staff["nurse"], patient, UPDATE, unit)
        wait = np.maximum(ends - begins - 1800, 1800)
        for kind, mean in (("nurse", 2.2), ("assistant", 0.5), ("doctor", 2.4), ("intern", 1.8)):
            who = _on_duty(world, rota, kind, unit, day, shift)
            many = rng.poisson(mean, len(mine)) * (who >= 0)
            at = np.repeat(begins, many) + 1200 + rng.random(many.sum()) * np.repeat(wait, many)
            way = written(rng, len(at), 0.55)
            # The file is another establishment's, or not open yet: the glass is broken.
            afar = world.site[np.repeat(patient, many)] != site
            glass = (rng.random(len(at)) < np.where(afar, 0.12, 0.01)) & (
                kind in {"doctor", "intern"}
            )
            rows.add(
                at,
                np.repeat(who, many),
                np.repeat(patient, many),
                np.where(glass, GLASS, way),
                unit,
            )
        asked = np.flatnonzero(rng.random(len(mine)) < 0.18)
        _advise(world, rows, patient[asked], begins[asked] + wait[asked] * 0.6, site)
    _letters(world, rows, visits)


def _board(world: World, rows: Rows, rota: Rota, visits: Visits, unit: int) -> None:
    """Show the board of those present to each nurse and doctor when a shift begins."""
    site = world.units[unit].site
    for (where, day, shift), nurses in rota.nurses.items():
        if where == unit:
            start = span(day, shift)[0]
            there = (visits.begins < start) & (visits.ends > start) & (visits.site == site)
            doctors = _on_duty(world, rota, "doctor", unit, np.full(3, day), np.full(3, shift))
            for account in np.unique(np.r_[nurses, doctors]).tolist():
                rows.page(start + world.rng.uniform(0, 1200), account, visits.patient[there], unit)


def _when(at: np.ndarray) -> tuple[Ints, Ints]:
    hour = at / HOUR
    day = np.floor((hour - 6.9) / 24).astype(np.int64)
    of_day = (hour - 6.9) % 24
    return day, np.where(of_day < 7.1, 0, np.where(of_day < 14.1, 1, 2))


def _on_duty(world: World, rota: Rota, kind: str, unit: int, day: Ints, shift: Ints) -> Ints:
    """Return one of those on duty for each moment; those without a rota work in teams of days."""
    rng, out = world.rng, np.full(len(day), -1)
    everyone = world.of(kind, unit)
    moments, places = np.unique(day * 3 + shift, return_inverse=True)
    for n, moment in enumerate(moments.tolist()):
        then, part = divmod(moment, 3)
        mine = np.flatnonzero(places == n)
        if kind in {"nurse", "assistant"}:
            on = {"nurse": rota.nurses, "assistant": rota.assistants}[kind].get((unit, then, part))
        else:
            # Three days of duty in seven or so, each of one shift.
            present = world.here(everyone, then)
            if kind == "intern":
                posted = world.of("intern")
                present = posted[rota.ward[posted, min(max(then, 0), DAYS - 1)] == unit]
                present = world.here(present, then)
            turn = (present * 5 + then * 3) % 7
            on = present[(turn // 2) == part][: 5 if part < 2 else 2]
            on = on if len(on) else present[:1]
        if on is not None and len(on):
            out[mine] = rng.choice(on, len(mine))
    return out


def _advise(world: World, rows: Rows, patient: Ints, at: np.ndarray, site: int) -> None:
    """Ask a specialist of the house, who opens the file in his own ward."""
    rng = world.rng
    for n in range(len(patient)):
        day = int(at[n] // DAY)
        doctors = world.here(world.of("doctor", site=site), day)
        doctors = doctors[np.array(world.unit)[doctors] < len(world.wards)]
        if 8 * HOUR < at[n] % DAY < 19 * HOUR and len(doctors):
            way = GLASS if rng.random() < 0.12 else SEARCH if rng.random() < 0.6 else OPEN
            rows.add(at[n : n + 1], int(rng.choice(doctors)), patient[n : n + 1], way)


def _letters(world: World, rows: Rows, visits: Visits) -> None:
    """Let the department's secretaries send yesterday's letters in the morning, in order."""
    rng = world.rng
    for site in (0, 1):
        unit = world.find("emergency", site)
        mine = np.flatnonzero((visits.site == site) & (rng.random(len(visits.site)) < 0.6))
        day = (visits.begins[mine] // DAY).astype(np.int64) + rng.choice([1, 1, 1, 2, 3], len(mine))
        while (late := np.array([not workday(d) for d in day.tolist()])).any():
            day[late] += 1
        for one in np.unique(day).tolist():
            todo = mine[day == one]
            who = pick(rng, world.here(world.of("secretary", unit), one), len(todo))
            start = np.full(len(todo), one * DAY + 8.7 * HOUR)
            rows.add(queued(rng, who, start, 150), who, visits.patient[todo], OPEN, unit)


def advice(world: World, rows: Rows, stays: Stays) -> None:
    """Let specialists be asked about in-patients of other wards."""
    rng = world.rng
    for day in filter(workday, range(DAYS)):
        for ward in world.wards:
            here = stays.inside(ward, day * DAY + 9 * HOUR, day * DAY + 18 * HOUR)
            some = stays.columns["patient"][here[rng.random(len(here)) < 0.04]]
            at = day * DAY + rng.uniform(10, 18, len(some)) * HOUR
            _advise(world, rows, some, at, min(world.units[ward].site, 1))


def specialty(world: World, unit: int) -> int:
    """Return the specialty of a ward as out-patients know it, -1 if none."""
    name = {"day_surgery": "orthopaedics", "day_oncology": "oncology"}.get(
        world.units[unit].name, world.units[unit].name
    )
    return CHRONIC.index(name) if name in CHRONIC else -1
