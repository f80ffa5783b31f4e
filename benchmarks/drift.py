"""A whole profession meets more strangers from a day on: honest, and never seen in learning.

Strangers are whom the simulator says: new patients, people from elsewhere, referrals. (Who is met
for the first time in a log of sixty days is mostly a patient of long standing.) Some look-ups of
known patients become look-ups of strangers, drawn as the profession's at the same organisation are:
as often somebody whom the organisation had met before, else somebody who lives where one of these
strangers lives. Volume, hours, screens and places stay as they were.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.simulate.world import REASONS, World

Ints = NDArray[np.int64]
DAY = 86_400_000_000
_TRIES = 20
STRANGE = [REASONS.index(name) for name in ("new_patient", "stranger", "referral")]
_KNOWN = [REASONS.index(name) for name in ("own", "team")]


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
    known = late & np.isin(looks.reason, _KNOWN)
    chosen = chance.permutation(np.flatnonzero(known))[:wanted]
    instead = np.full(len(looks.at), -1)
    instead[chosen] = looks.strangers_for(chosen, theirs, chance)
    moved = (looks.of_row >= 0) & (instead[looks.of_row] >= 0)
    accesses = world.accesses
    for name, values in (
        ("patient", instead[looks.of_row]),
        ("reason", np.full(len(moved), REASONS.index("stranger"))),
    ):
        place = accesses.schema.get_field_index(name)
        column = np.where(moved, values, accesses.column(name).to_numpy())
        kind = accesses.schema.field(name).type
        accesses = accesses.set_column(place, name, pa.array(column).cast(kind))
    grown = (instead[chosen] >= 0).sum() / max((late & looks.stranger).sum(), 1)
    return replace(world, accesses=accesses), Drift(profession, day, round(float(grown), 3))


class _Looks:
    """The first look at a patient by an account in a day, and which rows belong to it."""

    def __init__(self, world: World) -> None:
        account, at, patient, site, reason = (
            world.accesses.column(name).to_numpy().astype(np.int64)
            for name in ("account", "at", "patient", "organisation", "reason")
        )
        rows = np.flatnonzero(patient >= 0)
        day = (at - world.start) // DAY
        key = ((account * 1000 + day) << 32 | patient)[rows]
        _, first, of = np.unique(key, return_index=True, return_inverse=True)
        self.of_row: Ints = np.full(len(at), -1)
        self.of_row[rows] = of
        first = rows[first]
        self.account, self.at, self.patient, self.site, self.reason = (
            column[first] for column in (account, at, patient, site, reason)
        )
        self.stranger = np.isin(self.reason, STRANGE)
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

        Each relates as one of its profession's strangers at the same organisation, in the log's
        second half, does; somebody of another town would be no drift but a sweep.
        """
        middle = np.median(self.at)
        patterns = np.flatnonzero(self.stranger & theirs[self.account] & (self.at > middle))
        patterns = patterns[np.argsort(self.site[patterns], kind="stable")]
        sites = self.site[patterns]
        met = np.full(len(looks), -1)
        taken = self.account << 32 | self.patient
        for _ in range(_TRIES):
            missing = np.flatnonzero(met < 0)
            here = self.site[looks[missing]]
            begin, end = np.searchsorted(sites, here), np.searchsorted(sites, here, side="right")
            everywhere = begin == end
            begin, end = np.where(everywhere, 0, begin), np.where(everywhere, len(sites), end)
            pattern = patterns[_between(begin, end, chance)]
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
