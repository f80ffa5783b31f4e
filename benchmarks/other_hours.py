"""Thefts moved to hours at which the owner does not work, or to the owner's own place.

The simulator's thieves mostly come while the owner works. Here the same thefts, access by access,
are put into the owner's nights or days off, in sessions of their own, from the network and the
device that the owner uses most. And its thieves from elsewhere never come from the owner's place:
`at_home` puts a share of their visits there, at the times they had. Nobody else's accesses change.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.simulate.chance import stream
from vigie.simulate.world import ACCESSES, Attack, World

Ints = NDArray[np.int64]

FAMILIES: Final = (
    "fast_sweep", "working_hours_sweep", "low_and_slow", "own_workstation", "enumeration",
    "rights_check_sweep", "name_sweep", "town_sweep", "own_panel", "export", "database_dump",
    "break_glass_abuse",
)  # fmt: skip
RARE: Final = 0.01
"""Share of the owner's accesses below which the owner does not work then."""
_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
_VISIT, _PAUSE, _IDLE = 90_000_000, 300_000_000, 40 * 60_000_000
"""µs: accesses no further apart belong together; the longest rest in a sitting; a session's end."""
_FIRST: Final = 1 << 50
_LOGIN: Final = ACTIONS.index("login")
_PLACE: Final = ("organisation", "unit", "network", "device", "user_agent", "auth_method")


@dataclass(frozen=True, slots=True)
class Hours:
    """When an owner works, by the truth: accesses by hour (one either side) and by weekday."""

    around: NDArray[np.float64]
    weekdays: NDArray[np.float64]

    @classmethod
    def of(cls, at: Ints) -> "Hours":
        """Count accesses (µs UTC)."""
        hours = np.bincount(at // _HOUR % 24, minlength=24).astype(np.float64)
        around = hours + np.roll(hours, 1) + np.roll(hours, -1)
        return cls(around, np.bincount(weekday(at), minlength=7).astype(np.float64))

    def rare(self, at: Ints) -> NDArray[np.bool_]:
        """Say at which moments the owner (almost) never works."""
        least = RARE * max(self.weekdays.sum(), 1.0)
        off = (self.around[at // _HOUR % 24] < least) | (self.weekdays[weekday(at)] < least)
        found: NDArray[np.bool_] = off
        return found

    def night(self) -> tuple[int, int]:
        """Return first hour and number of hours of the longest stretch without work."""
        least = RARE * max(self.weekdays.sum(), 1.0)
        length, first = 0, 0
        for start in range(24):
            run = next((n for n in range(24) if self.around[(start + n) % 24] >= least), 24)
            length, first = max((length, first), (run, start))
        return first, length

    def days_off(self) -> Ints:
        """Return the weekdays without work, Monday first."""
        return np.flatnonzero(self.weekdays < RARE * max(self.weekdays.sum(), 1.0))


def weekday(at: Ints) -> Ints:
    """Return the weekday of moments in µs UTC, Monday first."""
    found: Ints = (at // _DAY + 3) % 7
    return found


def moved(world: World, share: float = 1.0) -> World:
    """Return the world with its thefts of FAMILIES put into their owners' nights and days off.

    Who works at all hours keeps his theft as it was. `parameters["hours"]` says what was done. Of
    a `share` below 1, so much of each theft is moved, and the rest stays where it was.
    """
    raw = {name: world.accesses.column(name).to_numpy().copy() for name in ACCESSES.names}
    attacks, parts, kept = list(world.attacks), [], np.ones(len(raw["at"]), bool)
    for number, theft in enumerate(world.attacks):
        if theft.family not in FAMILIES:
            continue
        found = list(_moved(world, raw, (number, theft), (kept, share)))
        if not found:
            continue
        if share == 1.0:
            kept &= raw["attack"] != number
        parts += [columns for columns, _ in found]
        at = np.concatenate([
            raw["at"][kept & (raw["attack"] == number)],
            *(c["at"][c["action"] != _LOGIN] for c, _ in found),
        ])  # fmt: skip
        said = theft.parameters | {"from": "inside", "hours": found[0][1]}
        who = tuple(a for a in theft.accounts if a in {int(c["account"][0]) for c, _ in found})
        attacks[number] = replace(
            theft, accounts=who, onset=int(at.min()), end=int(at.max()), parameters=said
        )
    if not parts:
        return world
    return replace(_together(world, raw, kept, parts), attacks=tuple(attacks))


def at_home(world: World, share: float = 0.5) -> World:
    """Return the world with a share of the visits of thieves from elsewhere at the owner's place.

    They keep their times, in sessions of their own.
    """
    raw = {name: world.accesses.column(name).to_numpy().copy() for name in ACCESSES.names}
    kept, parts = np.ones(len(raw["at"]), bool), []
    for number, theft in enumerate(world.attacks):
        if theft.parameters["from"] == "inside":
            continue
        rng = stream(world.seed, world.preset, "at home", number)
        for account in theft.accounts:
            honest, rows = _rows(raw, number, account)
            if not len(rows) or not len(honest):
                continue
            rows = rows[_visits(raw["at"][rows], rng, share)]
            if len(rows):
                kept[rows] = False
                first = _FIRST + (number << 24) + (account << 8)
                columns = {name: values[rows] for name, values in raw.items()}
                parts.append(_in_sessions(raw, honest, columns, first))
    return _together(world, raw, kept, parts)


def _rows(raw: dict[str, Ints], number: int, account: int) -> tuple[Ints, Ints]:
    """Return the rows of the owner of an account, and those of a theft through it, logins apart."""
    mine = raw["account"] == account
    stolen = mine & (raw["attack"] == number) & (raw["action"] != _LOGIN)
    return np.flatnonzero(mine & (raw["attack"] < 0)), np.flatnonzero(stolen)


def _together(
    world: World, raw: dict[str, Ints], kept: NDArray[np.bool_], parts: list[dict[str, Ints]]
) -> World:
    """Return the world with the rows that were kept and those that were made."""
    columns = {
        name: np.concatenate([values[kept], *(part[name] for part in parts)])
        for name, values in raw.items()
    }
    order = np.argsort(columns["at"], kind="stable")
    arrays = [pa.array(columns[one.name][order]).cast(one.type) for one in ACCESSES]
    return replace(world, accesses=pa.table(arrays, schema=ACCESSES))


def _moved(
    world: World, raw: dict[str, Ints], numbered: tuple[int, Attack],
    chosen: tuple[NDArray[np.bool_], float],
) -> Iterator[tuple[dict[str, Ints], str]]:  # fmt: skip
    """Yield the columns of one theft's accesses through each of its accounts, and how moved.

    What is moved is taken out of `chosen[0]`.
    """
    (number, theft), (kept, share) = numbered, chosen
    rng = stream(world.seed, world.preset, "other hours", number)
    for account in theft.accounts:
        honest, rows = _rows(raw, number, account)
        if not len(rows) or len(honest) < 50:
            continue
        hours = Hours.of(raw["at"][honest])
        night, off = hours.night(), hours.days_off()
        ways = ["night"] * (night[1] >= 5) * 2 + ["day off"] * bool(len(off))
        if not ways:
            continue
        way = str(rng.choice(ways))
        rows = rows[_visits(raw["at"][rows], rng, share)]
        if not len(rows):
            continue
        at = raw["at"][rows]
        kept[rows] = False
        shifted = (
            _at_night(rng, at, night)
            if way == "night"
            else _on_days_off(at, off, raw["at"][honest], world)
        )
        inside = (shifted >= world.start) & (shifted < world.start + world.days * _DAY)
        if inside.any():
            columns = {name: values[rows][inside] for name, values in raw.items()}
            columns["at"] = shifted[inside]
            number_from = _FIRST + (number << 24) + (account << 8)
            yield _in_sessions(raw, honest, columns, number_from), way


def _visits(at: Ints, rng: np.random.Generator, share: float) -> NDArray[np.bool_]:
    """Choose a share of visits, each whole."""
    visit = np.cumsum(np.diff(at, prepend=at[0]) > _VISIT)
    drawn = rng.random(int(visit[-1]) + 1) if share < 1 else np.zeros(int(visit[-1]) + 1)
    chosen: NDArray[np.bool_] = drawn[visit] < share
    return chosen


def _at_night(rng: np.random.Generator, at: Ints, night: tuple[int, int]) -> Ints:
    """Put each day's accesses into the night after: in one sitting, or here and there."""
    first, length = night[0] + 0.3, night[1] - 0.6
    sits = rng.random() < 0.6
    found = at.copy()
    for day in np.unique(at // _DAY):
        rows = np.flatnonzero(at // _DAY == day)
        gaps = np.diff(at[rows], prepend=at[rows[0]])
        visit = np.cumsum(gaps > _VISIT)
        room = int(length * _HOUR)
        if sits:
            offset = np.cumsum(np.minimum(gaps, _PAUSE))
            offset = (offset * min(1.0, room / max(int(offset[-1]), 1))).astype(np.int64)
            start = int(rng.random() * (room - int(offset[-1])))
        else:
            begin = np.flatnonzero(np.r_[True, np.diff(visit) > 0])
            within = at[rows] - at[rows][begin][visit]
            offset = np.sort((rng.random(len(begin)) * room).astype(np.int64))[visit] + within
            start = 0
        found[rows] = day * _DAY + int(first * _HOUR) + start + offset
    return found


def _on_days_off(at: Ints, off: Ints, honest: Ints, world: World) -> Ints:
    """Put each day's accesses on the next day without work; its hours stay."""
    days = world.start // _DAY + np.arange(world.days)
    worked = np.isin(days, honest // _DAY)
    free = days[np.isin((days + 3) % 7, off) & ~worked]
    if not len(free):
        return np.full(len(at), -1)
    day = at // _DAY
    chosen = free[np.minimum(np.searchsorted(free, day), len(free) - 1)]
    found: Ints = at + (chosen - day) * _DAY
    return found


def _in_sessions(
    raw: dict[str, Ints], honest: Ints, columns: dict[str, Ints], first: int
) -> dict[str, Ints]:
    """Give the accesses the owner's usual place, sessions of their own, and a login for each."""
    order = np.argsort(columns["at"], kind="stable")
    columns = {name: values[order] for name, values in columns.items()}
    opens = np.r_[True, np.diff(columns["at"]) > _IDLE]
    columns["session"] = first + np.cumsum(opens)
    places = np.stack([raw[name][honest] for name in _PLACE])
    different, counts = np.unique(places, axis=1, return_counts=True)
    for name, value in zip(_PLACE, different[:, counts.argmax()], strict=True):
        columns[name] = np.full(len(order), value)
    logins = honest[raw["action"][honest] == _LOGIN]
    if not len(logins):
        return columns
    begins = np.flatnonzero(opens)
    added = {name: np.full(len(begins), values[logins[0]]) for name, values in raw.items()}
    for name in ("session", "attack", "account", *_PLACE):
        added[name] = columns[name][begins]
    added["at"] = columns["at"][begins] - 17_000_000
    added["access"] = first + np.arange(len(begins))
    added["outcome"] = np.zeros(len(begins), np.int64)
    return {name: np.concatenate([columns[name], added[name]]) for name in columns}
