"""Who is on duty: three shifts on wards, days of doctors and interns, nights on call."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.elsewhere.group import calendar
from benchmarks.elsewhere.group.people import DAY, DAYS, HOUR, World, needs
from benchmarks.elsewhere.group.rows import workday
from benchmarks.elsewhere.log import Ints

SHIFTS: Final = ((6.7, 14.3), (13.7, 21.3), (20.9, 30.9))
"""Morning, afternoon, night, in hours of the day on which they begin."""
NOBODY: Final = np.empty(0, np.int64)


def span(day: int, shift: int) -> tuple[float, float]:
    """Return from when to when a shift lasts, in seconds of the log."""
    begins, ends = SHIFTS[shift]
    return day * DAY + begins * HOUR, day * DAY + ends * HOUR


@dataclass
class Rota:
    """Accounts by unit, day and shift; interns' wards by day."""

    world: World
    nurses: dict[tuple[int, int, int], Ints] = field(default_factory=dict)
    assistants: dict[tuple[int, int, int], Ints] = field(default_factory=dict)
    ward: np.ndarray = field(default_factory=lambda: np.empty((0, DAYS), np.int64))
    """Where each account is posted, by day."""
    called: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    """Who is on call at a site in the night that begins on a day."""
    rest: set[tuple[int, int]] = field(default_factory=set)
    agency: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Agency nurses' one shift: ward and day."""

    def days(self, kind: str, unit: int, day: int) -> Ints:
        """Return who of a kind works by day in a unit."""
        posted = self.world.of(kind)
        posted = posted[self.ward[posted, day] == unit]
        rested = [a for a in self.world.here(posted, day).tolist() if (a, day) not in self.rest]
        return np.array(rested, np.int64)


def plan(world: World) -> Rota:
    """Draw the whole rota."""
    rota = Rota(world)
    rota.ward = np.repeat(np.array(world.unit)[:, None], DAYS, axis=1)
    _rotate(world, rota)
    _merge(world, rota)
    lines = [(n, needs(world.units[n])) for n in world.wards]
    lines += [(world.find("emergency", 0), (6, 6, 4)), (world.find("emergency", 1), (3, 3, 2))]
    temps = world.of("agency").tolist()
    for unit, wanted in lines:
        _fill(world, rota, unit, wanted, temps)
    _call(world, rota)
    return rota


def _rotate(world: World, rota: Rota) -> None:
    """Move interns: half on one morning, some others each on a day of his own."""
    rng = world.rng
    interns = rng.permutation(world.of("intern"))
    together, alone = interns[: len(interns) // 2], interns[len(interns) // 2 :][::4]
    for account, day in [(a, calendar.ROTATION) for a in together.tolist()] + [
        (a, int(rng.integers(3, DAYS - 5))) for a in alone.tolist()
    ]:
        others = [n for n in world.wards if n != world.unit[account]]
        rota.ward[account, day:] = rng.choice(others)
    students = world.of("student")
    for account in students.tolist():
        for day in range(int(rng.integers(10, 35)), DAYS, 35):
            rota.ward[account, day:] = rng.choice(list(world.wards))


def _merge(world: World, rota: Rota) -> None:
    day, site, old, new = calendar.MERGED
    there, to = world.find(old, site), world.find(new, site)
    rota.ward[:, day:][rota.ward[:, day:] == there] = to


def _fill(
    world: World, rota: Rota, unit: int, wanted: tuple[int, int, int], temps: list[int]
) -> None:
    """Post nurses: a third by night, the others a week of mornings, a week of afternoons."""
    rng = world.rng
    for kind, table in (("nurse", rota.nurses), ("assistant", rota.assistants)):
        team = rng.permutation(world.of(kind, unit))
        if kind == "assistant":
            wanted = tuple(min(1 + w // 4, 2) for w in wanted)  # type: ignore[assignment]
        nights = len(team) * wanted[2] // max(sum(wanted), 1)
        off = rng.integers(0, 7, len(team))
        for day in range(DAYS):
            if world.units[unit].by_day and not workday(day):
                continue
            # Five days of seven, two of them nights of three.
            works = (day + off) % 7 < 5
            late = (day // 7 + np.arange(len(team))) % 2 == 1
            late &= np.arange(len(team)) >= nights
            night = np.arange(len(team)) < nights
            for shift, able in enumerate((works & ~late & ~night, works & late, works & night)):
                need = wanted[shift]
                if day == calendar.STRIKE and unit < len(list(world.wards)):
                    need = max(need // 2, 1)
                able = team[able] if shift < 2 or nights else team[works]
                mine = world.here(able, day)[:need] if need else NOBODY
                short = need - len(mine)
                if short > 0:
                    mine = _replace(world, rota, (unit, day, shift), mine, short, kind, temps)
                table[unit, day, shift] = mine


def _replace(
    world: World, rota: Rota, where: tuple[int, int, int], mine: Ints, short: int, kind: str,
    temps: list[int],
) -> Ints:  # fmt: skip
    """Fill a gap: a colleague comes back, else the pool, else an agency, else nobody."""
    rng, (unit, day, _) = world.rng, where
    found = mine.tolist()
    for _ in range(short):
        chance = rng.random()
        team = world.here(world.of(kind, unit), day)
        free = np.setdiff1d(team, found)
        if chance < 0.5 and len(free):
            found.append(int(rng.choice(free)))
        elif kind == "nurse" and chance < 0.8:
            busy = [a for (_, d, _), who in rota.nurses.items() if d == day for a in who.tolist()]
            pool = np.setdiff1d(world.of("pool"), busy)
            pool = pool[(day + pool) % 7 < 5]
            if len(pool):
                found.append(int(rng.choice(pool)))
        elif kind == "nurse" and chance < 0.9 and temps:
            account = temps.pop(int(rng.integers(len(temps))))
            found.append(account)
            rota.agency[account] = (unit, day)
    return np.array(found, np.int64)


def _call(world: World, rota: Rota) -> None:
    """Post the nights: two seniors and two interns at the main site, one of each elsewhere."""
    for site, many in ((0, 2), (1, 1), (2, 1)):
        for day in range(DAYS):
            on: list[int] = []
            for kind in ("doctor", "intern"):
                all_of = world.of(kind, site=site)
                all_of = world.here(all_of[np.array(world.unit)[all_of] < len(world.wards)], day)
                on += world.rng.choice(all_of, min(many, len(all_of)), replace=False).tolist()
            rota.called[site, day] = on
            rota.rest.update((account, day + 1) for account in on)
