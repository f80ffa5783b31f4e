"""Accesses as they are drawn: who opened whom, when, in which unit, and by which way in."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.elsewhere.group.people import DAY, DAYS, World
from benchmarks.elsewhere.log import Ints

OPEN, UPDATE, SEARCH, CREATE, PRINT, GLASS, LIST, EXPORT, MERGE = range(9)
"""Ways in: from a list or diary; to write; by a search by name; newly registered; to print; by
breaking the glass; the others are what they say. `LIST` rows of one moment are one page."""
COLUMNS: Final = ("at", "account", "patient", "way", "unit", "records")


@dataclass
class Rows:
    """Accesses in seconds from the first midnight, local time."""

    world: World
    parts: list[tuple[np.ndarray, ...]] = field(default_factory=list)

    def add(
        self, at: np.ndarray, account: int | Ints, patient: int | Ints, way: int | Ints,
        unit: int | Ints = -1, records: int | Ints = -1,
    ) -> None:  # fmt: skip
        """Add rows; where nobody is at work (account -1) nothing happens; unit -1 is his own."""
        count = len(at)
        columns = [np.broadcast_to(c, count) for c in (at, account, patient, way, unit, records)]
        kept = (columns[1] >= 0) & (columns[0] >= 0) & (columns[0] < DAYS * DAY)
        self.parts.append(tuple(column[kept] for column in columns))

    def page(self, at: float, account: int, patients: Ints, unit: int) -> None:
        """Add a page of a list: all of it at one moment."""
        self.add(np.full(len(patients), float(int(at))), account, patients, LIST, unit)

    def joined(self) -> dict[str, np.ndarray]:
        """Return all rows as columns in no order; units filled in."""
        columns = [np.concatenate(column) for column in zip(*self.parts, strict=True)]
        out = dict(zip(COLUMNS, columns, strict=True))
        home = np.array(self.world.unit)[out["account"]]
        out["unit"] = np.where(out["unit"] < 0, home, out["unit"])
        return out


def one_by_one(rng: np.random.Generator, start: float, count: int, pause: float) -> np.ndarray:
    """Return moments of things done one after the other."""
    return start + np.cumsum(3 + rng.exponential(pause, count))


def queued(rng: np.random.Generator, who: Ints, start: np.ndarray, pause: float) -> np.ndarray:
    """Return moments of things that each account does one after the other from its start on."""
    order = np.argsort(who, kind="stable")
    total = np.cumsum(3 + rng.exponential(pause, len(who)))
    first = np.r_[True, np.diff(who[order]) != 0][: len(who)]
    base = np.repeat(total[first], np.diff(np.r_[np.flatnonzero(first), len(who)]))
    at = np.empty(len(who))
    at[order] = np.asarray(start)[order] + total - base
    return at


def written(rng: np.random.Generator, count: int, share: float) -> Ints:
    """Return ways in: a share writes, a few print, the rest read."""
    drawn = rng.random(count)
    return np.where(drawn < share, UPDATE, np.where(drawn > 0.985, PRINT, OPEN))


def pick(rng: np.random.Generator, accounts: Ints, count: int) -> Ints:
    """Return one of the accounts for each of `count` things, -1 if there is none."""
    return rng.choice(accounts, count) if len(accounts) else np.full(count, -1)


def workday(day: int) -> bool:
    """Tell whether a day is neither a weekend's nor one of the spring's holidays.

    Day 0 is Monday, 30 March 2026: Easter Monday, 1 May, 8 May and Ascension fall into the log.
    """
    return day % 7 < 5 and day not in {7, 32, 39, 45}
