"""Accesses as they are drawn: who opened whom when, where, and by which way in."""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.elsewhere.log import Ints
from benchmarks.elsewhere.region.people import DAYS, World

OPEN, SEARCH, SCAN, RIGHTS, CREATE, UPDATE, MERGE, GLASS, LIST = range(9)
"""Ways in: from a diary or list; a search by name and then its record; the card's number and then
the record; the others are what they say. `LIST` rows of one moment are one page."""
HOUR, DAY = 3_600, 86_400


@dataclass
class Rows:
    """Accesses in seconds from the first midnight, local time; unit -1 is where the account is."""

    world: World
    parts: list[tuple[np.ndarray, Ints, Ints, Ints, Ints]] = field(default_factory=list)

    def add(
        self, at: np.ndarray, account: Ints, patient: Ints, way: int | Ints, unit: int | Ints = -1
    ) -> None:
        """Add rows; where nobody is on duty (account -1) nothing happens."""
        count = len(at)
        columns = [np.broadcast_to(c, count) for c in (at, account, patient, way, unit)]
        kept = (columns[1] >= 0) & (columns[0] >= 0) & (columns[0] < DAYS * DAY)
        self.parts.append(tuple(column[kept] for column in columns))

    def some(self, share: float, *columns: np.ndarray) -> list[np.ndarray]:
        """Return a share of the rows of some columns."""
        kept = self.world.rng.random(len(columns[0])) < share
        return [column[kept] for column in columns]

    def way(self, count: int, **share: float) -> Ints:
        """Return ways in, each with its share; the rest are `OPEN`."""
        codes = {"search": SEARCH, "scan": SCAN, "rights": RIGHTS, "glass": GLASS}
        drawn, low, way = self.world.rng.random(count), 0.0, np.zeros(count, np.int64)
        for name, part in share.items():
            way[(drawn >= low) & (drawn < low + part)] = codes[name]
            low += part
        return way

    def joined(self) -> tuple[np.ndarray, ...]:
        """Return all rows as columns in no order."""
        return tuple(np.concatenate(column) for column in zip(*self.parts, strict=True))


def spread(rng: np.random.Generator, many: Ints, *columns: Ints) -> list[Ints]:
    """Repeat columns as often as `many` says."""
    return [np.repeat(column, many) for column in columns]


def within(rng: np.random.Generator, day: Ints, begins: float, ends: float) -> np.ndarray:
    """Return moments of each day between two hours, lunch half empty."""
    hour = rng.uniform(begins, ends, len(day))
    again = (hour > 12.3) & (hour < 14) & (rng.random(len(day)) < 0.7)
    hour[again] = rng.uniform(begins, ends, again.sum())
    return day * DAY + hour * HOUR


def in_a_row(
    rng: np.random.Generator, group: Ints, start: np.ndarray, pause: np.ndarray | float
) -> np.ndarray:
    """Return moments of rows done one after the other within each group, from its start on."""
    order = np.argsort(group, kind="stable")
    steps = rng.exponential(1.0, len(group)) * np.broadcast_to(pause, len(group)) + 2
    total = np.cumsum(steps[order])
    first = np.r_[True, np.diff(group[order]) != 0]
    base = np.repeat(total[first], np.diff(np.r_[np.flatnonzero(first), len(group)]))
    at = np.empty(len(group))
    at[order] = start[order] + total - base
    return at
