"""Accesses laid over those that are already there, with chances of their own."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from vigie.events import ACTIONS, VOCABULARIES
from vigie.simulate.chance import stream
from vigie.simulate.contexts import AUTH_METHODS
from vigie.simulate.population import DAY, Floats, Ints, Population
from vigie.simulate.world import ACCESSES

LOGIN: Final = ACTIONS.index("login")
FAILED: Final = VOCABULARIES["outcome"].index("minor_failure")
SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Overlay:
    """The accesses to add to, as numpy columns, and the world around them."""

    seed: int
    preset: str
    people: Population
    start: int
    days: int
    session_object: int
    table: pa.Table
    raw: dict[str, Ints]

    def chance(self, *subject: str | int) -> np.random.Generator:
        """Return a random stream of the overlay's own."""
        return stream(self.seed, self.preset, "signs", *subject)

    def copied(self, rows: Ints, first: int, **changed: Ints | int) -> pa.Table:
        """Return copies of rows as accesses numbered from `first`, some columns changed."""
        count = len(rows)
        columns = {name: values[rows] for name, values in self.raw.items()}
        columns["access"] = first + np.arange(count)
        for name, values in changed.items():
            columns[name] = np.broadcast_to(np.asarray(values, np.int64), count)
        arrays = [pa.array(columns[field.name]).cast(field.type) for field in ACCESSES]
        made = pa.table(arrays, schema=ACCESSES)
        at = columns["at"]
        return made.filter(pa.array((at >= self.start) & (at < self.start + self.days * DAY)))


def stand_ins(share: Floats, method: Ints) -> Ints:
    """Return what stands in for a means: a password with a code, or without."""
    password, code = AUTH_METHODS.index("password"), AUTH_METHODS.index("password+otp")
    carded = np.where(share < 0.7, code, password)
    stands: Ints = np.where(method < password, carded, np.where(method == code, password, method))
    return stands


def failed(world: Overlay, rows: Ints, first: int, rng: np.random.Generator) -> pa.Table:
    """Return failed copies of logins (sorted by row), half a minute apart, before each."""
    before = (40 + 27 * _ranks(rows) + rng.uniform(0, 9, len(rows))) * SECOND
    return world.copied(rows, first, at=world.raw["at"][rows] - before.astype(np.int64),
                        outcome=FAILED)  # fmt: skip


def _ranks(rows: Ints) -> Ints:
    """Return the rank of each entry among equal neighbours."""
    place = np.arange(len(rows))
    begins = np.r_[True, np.diff(rows) != 0][: len(rows)]
    rank: Ints = place - np.maximum.accumulate(np.where(begins, place, 0))
    return rank


def bare(world: Overlay, rows: Ints, first: int, at: Ints, action: str) -> pa.Table:
    """Return something done to no patient in the context of these rows."""
    return world.copied(
        rows, first, at=at, action=ACTIONS.index(action), object=world.session_object, patient=-1,
        query_shape=-1, record_count=-1, bytes=-1, purpose=-1, outcome=0,
    )  # fmt: skip
