"""A whole profession meets more strangers from a day on: honest, and never seen in learning.

Some of its look-ups of known patients become look-ups of new ones, drawn as its honest strangers
are: as often somebody whom its organisation had met before, else somebody who lives where one of
its strangers lives. Volume, hours, screens and places stay as they were.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.simulate.world import World

Ints = NDArray[np.int64]
DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Drift:
    """From which day on, whose, and by how much strangers really grew."""

    profession: str
    day: int
    grown: float


def largest(world: World, rank: int = 0) -> str:
    """Return the profession with most people on the platform, or the next ones."""
    kinds, professions = (world.accounts.column(n).to_pylist() for n in ("kind", "profession"))
    people = Counter(
        p for kind, p in zip(kinds, professions, strict=True) if kind == "person" and p
    )
    return people.most_common(rank + 1)[-1][0]


def drifted(world: World, profession: str, day: int, more: float = 0.5) -> tuple[World, Drift]:
    """Return `world` where `profession` meets more strangers from `day` on.

    `more` is the share added (0.5: half as many again); fewer where known patients run out.
    """
    chance = np.random.default_rng([world.seed, day])
    looks = _Looks(world)
    theirs = np.array(world.accounts.column("profession").to_pylist()) == profession
    of_them = theirs[looks.account]
    late = of_them & (looks.at >= world.start + day * DAY)
    known = np.flatnonzero(late & ~looks.stranger)
    strangers = int((late & looks.stranger).sum())
    chosen = chance.permutation(known)[: round(more * strangers)]
    patterns = np.flatnonzero(of_them & looks.stranger & (looks.at >= world.start + day * DAY // 2))
    met = looks.strangers_like(chance.choice(patterns, len(chosen)), chosen, chance)
    patient = world.accesses.column("patient").to_numpy().copy()
    instead = np.full(len(looks.at), -1)
    instead[chosen] = met
    moved = (looks.of_row >= 0) & (instead[looks.of_row] >= 0)
    patient[moved] = instead[looks.of_row[moved]]
    place = world.accesses.schema.get_field_index("patient")
    accesses = world.accesses.set_column(place, "patient", pa.array(patient, pa.int32()))
    return replace(world, accesses=accesses), Drift(
        profession, day, len(chosen) / max(strangers, 1)
    )


class _Looks:
    """The first look at a patient by an account in a day, and which rows belong to it."""

    def __init__(self, world: World) -> None:
        account, at, patient, site = (
            world.accesses.column(name).to_numpy().astype(np.int64)
            for name in ("account", "at", "patient", "organisation")
        )
        rows = np.flatnonzero(patient >= 0)
        day = (at - world.start) // DAY
        key = ((account * 1000 + day) << 32 | patient)[rows]
        _, first, of = np.unique(key, return_index=True, return_inverse=True)
        self.of_row: Ints = np.full(len(at), -1)
        self.of_row[rows] = of
        first = rows[first]
        self.account, self.at, self.patient, self.site = (
            column[first] for column in (account, at, patient, site)
        )
        self.stranger = self.at == _earliest(self.account, self.patient, self.at)
        self.introduced = self.stranger & (
            self.at > _earliest(self.site, self.patient, self.at) + DAY // 24
        )
        communes = world.patients.column("commune").combine_chunks().dictionary_encode()
        self.commune = communes.indices.to_numpy().astype(np.int64)
        self.people = np.argsort(self.commune, kind="stable")
        self.homes = np.searchsorted(
            self.commune[self.people], np.arange(len(communes.dictionary) + 1)
        )

    def strangers_like(self, patterns: Ints, looks: Ints, chance: np.random.Generator) -> Ints:
        """Return a patient for each of `looks`, who relates as the stranger of its pattern did."""
        home = self.commune[self.patient[patterns]]
        width = self.homes[home + 1] - self.homes[home]
        anyone = self.people[self.homes[home] + (chance.random(len(looks)) * width).astype(int)]
        order = np.lexsort((self.at, self.site))
        begin = np.searchsorted(self.site[order], self.site[looks])
        end = begin + np.array(
            [
                np.searchsorted(self.at[order[a:b]], at)
                for a, b, at in zip(
                    begin,
                    np.searchsorted(self.site[order], self.site[looks], side="right"),
                    self.at[looks],
                    strict=True,
                )
            ]
        )
        met = self.patient[order[begin + (chance.random(len(looks)) * (end - begin)).astype(int)]]
        return np.where(self.introduced[patterns] & (end > begin), met, anyone)


def _earliest(who: Ints, patient: Ints, at: Ints) -> Ints:
    """Return when each pair met first."""
    _, pair = np.unique(who << 32 | patient, return_inverse=True)
    first = np.full(pair.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, pair, at)
    return np.asarray(first[pair])
