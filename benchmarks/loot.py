"""What a thief had reached by any moment: distinct patients, and records of unnamed requests."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vigie.simulate.world import World

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Loot:
    """Moments (µs UTC, rising) and how many were exposed up to and including each.

    >>> Loot(np.array([5, 5, 9]), np.array([1, 2, 12])).until(5)
    2
    """

    at: Ints
    exposed: Ints

    def until(self, moment: int) -> int:
        """Return how many were exposed up to and including `moment`."""
        place = int(np.searchsorted(self.at, moment, side="right"))
        return int(self.exposed[place - 1]) if place else 0

    @property
    def whole(self) -> int:
        """Return the whole loss."""
        return int(self.exposed[-1]) if len(self.exposed) else 0


def loots(world: World) -> list[Loot]:
    """Return the loot of every attack of `world`, in their order."""
    attack = world.accesses.column("attack").to_numpy().astype(np.int64)
    rows = np.flatnonzero(attack >= 0)
    rows = rows[np.argsort(attack[rows], kind="stable")]
    columns = [
        world.accesses.column(name).to_numpy()[rows].astype(np.int64)
        for name in ("at", "patient", "record_count", "access")
    ]
    edges = np.searchsorted(attack[rows], np.arange(len(world.attacks) + 1))
    return [_loot(*(column[a:b] for column in columns)) for a, b in pairwise(edges)]


def _loot(at: Ints, patient: Ints, records: Ints, access: Ints) -> Loot:
    """Count each person once, and the records of a request that names nobody once per access."""
    order = np.argsort(at, kind="stable")
    at, patient, records, access = at[order], patient[order], records[order], access[order]
    more = np.zeros(len(at), np.int64)
    named = np.flatnonzero(patient >= 0)
    more[named[np.unique(patient[named], return_index=True)[1]]] = 1
    once = np.unique(access, return_index=True)[1]
    unnamed = once[patient[once] < 0]
    more[unnamed] = np.maximum(records[unnamed], 0)
    return Loot(at, np.cumsum(more))
