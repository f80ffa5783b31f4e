"""Emergency visits and stays: who lies in which bed of which ward, from when to when."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.elsewhere.group import calendar
from benchmarks.elsewhere.group.people import (
    CHRONIC,
    DAY,
    DAYS,
    HOUR,
    STOCK,
    SURGERY,
    Unit,
    World,
)
from benchmarks.elsewhere.group.rows import workday
from benchmarks.elsewhere.log import Ints

VISITS: Final = (82, 38)
"""Visits a day to the emergency departments of the first two sites."""
NEWCOMERS: Final = 0.24
"""Share of visits of persons whom the index did not hold."""
ADMITTED: Final = 0.23
_HOURS: Final = np.array(
    [3, 2, 2, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 7, 7, 7, 6, 6, 7, 7, 7, 6, 5, 4], float
)
"""When people come, by hour of the day."""
_AFTER: Final = {"orthopaedics": 0.2, "neurology": 0.15, "geriatrics": 0.25, "internal": 0.1}
"""Share of stays that go on in rehabilitation."""


@dataclass
class Visits:
    """Emergency visits: person, arrival, end, site, whether new to the index, admitted."""

    patient: Ints
    begins: np.ndarray
    ends: np.ndarray
    site: Ints
    new: np.ndarray
    admitted: np.ndarray


@dataclass
class Stays:
    """Stretches in one ward; `stay` numbers the whole, `bed` orders a ward's patients."""

    parts: list[tuple[int, int, float, float, int, int, bool]] = field(default_factory=list)
    columns: dict[str, np.ndarray] = field(default_factory=dict)

    def close(self) -> None:
        """Turn the parts into columns."""
        names = ("patient", "ward", "begins", "ends", "stay", "bed", "planned")
        self.columns = {
            n: np.array(c) for n, c in zip(names, zip(*self.parts, strict=True), strict=True)
        }

    def inside(self, ward: int, begins: float, ends: float) -> Ints:
        """Return the stretches that are in a ward at some time between two moments, by bed."""
        of = self.columns
        here = np.flatnonzero((of["ward"] == ward) & (of["begins"] < ends) & (of["ends"] > begins))
        return here[np.argsort(of["bed"][here], kind="stable")]


def visit(world: World) -> Visits:
    """Draw the emergency departments' visits."""
    rng = world.rng
    day = np.repeat(np.arange(-1, DAYS), sum(VISITS) + 8)
    day = day[rng.random(len(day)) < np.where(day % 7 == 0, 1.0, 0.93)]
    hour = rng.choice(24, len(day), p=_HOURS / _HOURS.sum()) + rng.random(len(day))
    begins = np.sort(day * DAY + hour * HOUR)
    site = (rng.random(len(day)) < VISITS[1] / sum(VISITS)).astype(np.int64)
    new = rng.random(len(day)) < NEWCOMERS
    patient = np.empty(len(day), np.int64)
    for n in (0, 1):
        known = np.flatnonzero((site == n) & ~new)
        patient[known] = world.anybody(len(known), n)
    patient[new] = world.register(begins[new])
    length = rng.gamma(4.0, 1.1, len(day)) * HOUR
    return Visits(patient, begins, begins + length, site, new, rng.random(len(day)) < ADMITTED)


@dataclass
class _Beds:
    """What is free, while the days go by."""

    world: World
    stays: Stays
    taken: dict[int, dict[int, tuple[int, float, float, int, bool]]] = field(default_factory=dict)
    """Ward → bed → person, from, until, number of the stay, planned."""
    numbered: int = 0

    def closed(self, ward: int, day: int) -> bool:
        gone, site, old, _ = calendar.MERGED
        unit = self.world.units[ward]
        return day >= gone and (unit.site, unit.name) == (site, old)

    def free(self, ward: int, day: int) -> list[int]:
        if self.closed(ward, day):
            return []
        beds = self.world.units[ward].beds
        if day >= calendar.MERGED[0] and self.world.units[ward].name == calendar.MERGED[3]:
            beds += 12
        return [bed for bed in range(beds) if bed not in self.taken[ward]]

    def admit(
        self, ward: int, person: int, at: float, stay: int = -1, planned: bool = False
    ) -> bool:
        """Put a person into a free bed, for as long as stays there last."""
        free = self.free(ward, int(at // DAY))
        if not free:
            return False
        unit, rng = self.world.units[ward], self.world.rng
        bed = free[int(rng.integers(len(free)))]
        length = _length(unit, rng)
        ends = (at // DAY) * DAY + 17.5 * HOUR if unit.by_day else at + length * DAY
        if not unit.by_day:
            ends = ends // DAY * DAY + rng.uniform(10, 16) * HOUR
        if stay < 0:
            stay, self.numbered = self.numbered, self.numbered + 1
        self.taken[ward][bed] = (person, at, max(ends, at + HOUR), stay, planned)
        return True

    def leave(self, ward: int, bed: int, at: float) -> tuple[int, int]:
        person, begins, _, stay, planned = self.taken[ward].pop(bed)
        self.stays.parts.append((person, ward, begins, at, stay, bed, planned))
        return person, stay


def _length(unit: Unit, rng: np.random.Generator) -> float:
    return float(rng.gamma(1.6, max(unit.stay, 0.3) / 1.6)) + 0.3


def lie(world: World, visits: Visits) -> Stays:
    """Draw all stays: the wards are full on the first day, then people come and go."""
    beds = _Beds(world, Stays(), {ward: {} for ward in world.wards})
    _before(world, beds)
    for day in range(DAYS):
        _discharge(world, beds, day)
        _isolate(world, beds, day)
        if day == calendar.MERGED[0]:
            _move_over(world, beds, day)
        _emergencies(world, beds, visits, day)
        _programme(world, beds, day)
    for ward in world.wards:
        for bed in list(beds.taken[ward]):
            beds.leave(ward, bed, beds.taken[ward][bed][2])
    beds.stays.close()
    return beds.stays


def _before(world: World, beds: _Beds) -> None:
    for ward in world.wards:
        unit = world.units[ward]
        if unit.by_day:
            continue
        for person in _patients(world, unit, int(unit.beds * 0.86)).tolist():
            at = -world.rng.uniform(0, 1.3) * unit.stay * DAY
            if beds.admit(ward, person, at):
                bed = list(beds.taken[ward])[-1]
                who, begins, ends, stay, planned = beds.taken[ward][bed]
                late = max(ends, float(world.rng.uniform(10, 16) * HOUR))
                beds.taken[ward][bed] = (who, begins, late, stay, planned)


def _patients(world: World, unit: Unit, count: int) -> Ints:
    """Return persons for a planned stay: followed for that specialty, or not yet."""
    name = {"day_surgery": "orthopaedics", "day_oncology": "oncology"}.get(unit.name, unit.name)
    if name not in CHRONIC:
        return world.anybody(count, unit.site)
    key = f"ill {name} {unit.site}"
    if key not in world.places:
        ill = (world.chronic[:STOCK] == CHRONIC.index(name)) & (world.site[:STOCK] == unit.site)
        world.places[key] = np.flatnonzero(ill)
    pool = world.places[key]
    weight = world.frailty[pool]
    some = world.rng.choice(pool, count, p=weight / weight.sum())
    other = world.rng.random(count) < 0.2
    return np.where(other, world.anybody(count, unit.site), some)


def _discharge(world: World, beds: _Beds, day: int) -> None:
    for ward in world.wards:
        for bed in [b for b, one in beds.taken[ward].items() if one[2] < day * DAY]:
            ends = beds.taken[ward][bed][2]
            person, stay = beds.leave(ward, bed, ends)
            _go_on(world, beds, ward, person, stay, ends)


def _go_on(world: World, beds: _Beds, ward: int, person: int, stay: int, at: float) -> None:
    """Let intensive care and the short-stay unit hand on, and some go to rehabilitation."""
    unit, rng = world.units[ward], world.rng
    if unit.name in {"intensive", "short_stay"}:
        if rng.random() < (0.85 if unit.name == "intensive" else 0.35):
            options = [n for n in world.wards if _acute(world.units[n], unit.site)]
            for n in rng.permutation(options)[:6].tolist():
                if beds.admit(n, person, at, stay):
                    return
    elif rng.random() < _AFTER.get(unit.name, 0.0):
        for n in rng.permutation(
            [w for w in world.wards if world.units[w].name == "rehabilitation"]
        ).tolist():
            if beds.admit(n, person, at + 2 * HOUR):
                return


def _acute(unit: Unit, site: int) -> bool:
    other = {"intensive", "short_stay", "obstetrics", "paediatrics", "psychiatry",
             "rehabilitation", "long_term", "ent"}  # fmt: skip
    return unit.site == site and not unit.by_day and unit.name not in other


def _isolate(world: World, beds: _Beds, day: int) -> None:
    """Empty a ward for the contagious, fill it from the others, and give it back."""
    begins, ends = calendar.OUTBREAK
    if not begins <= day < ends:
        return
    rng, ward = world.rng, world.find(calendar.ISOLATION[1], calendar.ISOLATION[0])
    options = [n for n in world.wards if _acute(world.units[n], 0) and n != ward]
    if day == begins:
        for bed in list(beds.taken[ward]):
            person, stay = beds.leave(ward, bed, day * DAY + rng.uniform(9, 15) * HOUR)
            for n in rng.permutation(options).tolist():
                if beds.admit(n, person, day * DAY + 15 * HOUR, stay):
                    break
    for _ in range(int(rng.poisson(2.5))):
        source = int(rng.choice(options))
        if beds.taken[source] and beds.free(ward, day):
            bed = int(rng.choice(list(beds.taken[source])))
            at = day * DAY + rng.uniform(9, 18) * HOUR
            if beds.taken[source][bed][1] < at - DAY:
                beds.admit(ward, *beds.leave(source, bed, at)[:1], at)


def _move_over(world: World, beds: _Beds, day: int) -> None:
    _, site, old, new = calendar.MERGED
    there, to = world.find(old, site), world.find(new, site)
    for bed in list(beds.taken[there]):
        at = day * DAY + world.rng.uniform(8, 12) * HOUR
        person, stay = beds.leave(there, bed, at)
        beds.admit(to, person, at, stay)


def _emergencies(world: World, beds: _Beds, visits: Visits, day: int) -> None:
    rng = world.rng
    today = np.flatnonzero(visits.admitted & (visits.ends // DAY == day))
    isolation = world.find(calendar.ISOLATION[1], calendar.ISOLATION[0])
    outbreak = calendar.OUTBREAK[0] <= day < calendar.OUTBREAK[1]
    for n in today.tolist():
        site, person, at = int(visits.site[n]), int(visits.patient[n]), float(visits.ends[n])
        options = [w for w in world.wards if _acute(world.units[w], site)]
        small = [
            w
            for w in world.wards
            if world.units[w].name in {"paediatrics", "intensive", "short_stay", "obstetrics"}
        ]
        order = rng.permutation(options).tolist()
        if rng.random() < 0.4 and site == 0:
            order = rng.permutation(small).tolist() + order
        if outbreak:
            order = (
                [isolation, *order] if rng.random() < 0.2 else [w for w in order if w != isolation]
            )
        # Where the site is full, the other one takes over.
        order += [w for w in world.wards if _acute(world.units[w], 1 - site)]
        visits.admitted[n] = any(beds.admit(w, person, at) for w in order)


def _programme(world: World, beds: _Beds, day: int) -> None:
    """Admit those who were booked: theatres and day units on working days."""
    rng = world.rng
    for ward in world.wards:
        unit = world.units[ward]
        if not workday(day) or _shut(unit, ward, world, day):
            continue
        if unit.by_day:
            many = int(unit.beds * rng.uniform(0.75, 1.0))
        else:
            # Surgery by its programme, medicine by those who wait for a bed, to nine tenths.
            room = len(beds.free(ward, day)) - 0.1 * unit.beds
            programme = unit.beds / (unit.stay + 0.5) * (0.75 if unit.name in SURGERY else 0.1)
            many = int(rng.poisson(max(programme, 0.6 * room, 0)))
            many = min(many, max(len(beds.free(ward, day)) - 1, 0))
        if day == calendar.STRIKE and unit.name in SURGERY:
            many //= 3
        at = day * DAY + rng.uniform(7.0, 8.0 if unit.by_day else 15.0, many) * HOUR
        for person, moment in zip(_patients(world, unit, many).tolist(), at.tolist(), strict=True):
            beds.admit(ward, person, moment, planned=True)


def _shut(unit: Unit, ward: int, world: World, day: int) -> bool:
    isolated = ward == world.find(calendar.ISOLATION[1], calendar.ISOLATION[0])
    return unit.name in {"intensive", "short_stay"} or (
        isolated and calendar.OUTBREAK[0] <= day < calendar.OUTBREAK[1]
    )
