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
_TRIES = 20


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
    since = world.start + day * DAY
    late = theirs[looks.account] & (looks.at >= since)
    wanted = round(more * (late & looks.stranger).sum())
    chosen = chance.permutation(np.flatnonzero(late & ~looks.stranger))[:wanted]
    instead = np.full(len(looks.at), -1)
    instead[chosen] = looks.strangers_for(chosen, theirs, chance)
    patient = world.accesses.column("patient").to_numpy().copy()
    moved = (looks.of_row >= 0) & (instead[looks.of_row] >= 0)
    patient[moved] = instead[looks.of_row[moved]]
    place = world.accesses.schema.get_field_index("patient")
    accesses = world.accesses.set_column(place, "patient", pa.array(patient, pa.int32()))
    other = replace(world, accesses=accesses)
    grown = _met(other, theirs, since) / max(_met(world, theirs, since), 1) - 1
    return other, Drift(profession, day, round(grown, 3))


def _met(world: World, theirs: NDArray[np.bool_], since: int) -> int:
    looks = _Looks(world)
    return int((looks.stranger & theirs[looks.account] & (looks.at >= since)).sum())


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
        moment = self.site << 50 | self.at >> 1
        self.by_site: Ints = np.argsort(moment, kind="stable")
        self.when: Ints = moment[self.by_site]
        communes = world.patients.column("commune").combine_chunks().dictionary_encode()
        self.commune = communes.indices.to_numpy().astype(np.int64)
        self.people = np.argsort(self.commune, kind="stable")
        self.homes = np.searchsorted(
            self.commune[self.people], np.arange(len(communes.dictionary) + 1)
        )

    def strangers_for(
        self, looks: Ints, theirs: NDArray[np.bool_], chance: np.random.Generator
    ) -> Ints:
        """Return somebody whom the account never meets, for each of `looks`.

        Each relates as one of its profession's strangers of the log's second half does.
        """
        middle = np.median(self.at)
        patterns = np.flatnonzero(self.stranger & theirs[self.account] & (self.at > middle))
        met = np.full(len(looks), -1)
        taken = self.account << 32 | self.patient
        for _ in range(_TRIES):
            missing = np.flatnonzero(met < 0)
            pattern = chance.choice(patterns, len(missing))
            drawn = self._like(pattern, looks[missing], chance)
            pair = self.account[looks[missing]] << 32 | drawn
            new = np.zeros(len(pair), bool)
            new[np.unique(pair, return_index=True)[1]] = True
            new &= ~np.isin(pair, taken)
            met[missing[new]] = drawn[new]
            taken = np.r_[taken, pair[new]]
        return met

    def _like(self, patterns: Ints, looks: Ints, chance: np.random.Generator) -> Ints:
        """Draw from whom the organisation had met by then, or from the commune of the pattern."""
        home = self.commune[self.patient[patterns]]
        anyone = self.people[_between(self.homes[home], self.homes[home + 1], chance)]
        moment = self.site[looks] << 50 | self.at[looks] >> 1
        begin = np.searchsorted(self.when, self.site[looks] << 50)
        end = np.searchsorted(self.when, moment)
        known = self.patient[self.by_site[_between(begin, np.maximum(end, begin + 1), chance)]]
        return np.where(self.introduced[patterns] & (end > begin), known, anyone)


def _between(begin: Ints, end: Ints, chance: np.random.Generator) -> Ints:
    return begin + (chance.random(len(begin)) * (end - begin)).astype(np.int64)


def _earliest(who: Ints, patient: Ints, at: Ints) -> Ints:
    """Return when each pair met first."""
    _, pair = np.unique(who << 32 | patient, return_inverse=True)
    first = np.full(pair.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, pair, at)
    return np.asarray(first[pair])
