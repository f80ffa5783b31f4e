"""Places (organisations or, where none is told, networks): whom each sees, and from where."""

from typing import Final, NamedTuple

import numpy as np

from vigie.kernels import Floats, Int32s, Int64s, UInt64s, inlined
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes, Numbers
from vigie.timeline.units import DAY

_SHARES: Final = 1 << 18
"""Counters of strangers by place and where they are known from; two pairs seldom share one."""


class Seen(NamedTuple):
    """What compiled loops look at and count on: cells are pairs of place and area, by `number`.

    Strangers are `shared` by two places, `guests` of one, whose `hosts` are others; `moved` in all.
    """

    cells: UInt64s
    counts: Floats
    totals: Floats
    shared: Floats
    rank: Int64s
    ranked: Int64s
    guests: Floats
    hosts: Floats
    moved: Floats


class Strangers(NamedTuple):
    """From where the last strangers of each account came, when, and where the next is written."""

    home: Int32s
    at: Int64s
    position: Int64s


class Places(State):
    """What each place sees: the areas of its patients, and where its strangers are known from."""

    def __init__(self) -> None:
        self.cells = Numbers()
        self.counts, self.totals = np.zeros(1), np.zeros(1)
        self.shared = np.zeros(_SHARES)
        self.guests, self.hosts = np.zeros(1), np.zeros(1)
        self.rank, self.ranked = np.full(1, -1, np.int64), np.zeros(1, np.int64)
        """Places in the order in which they were met, so that their codes do not matter."""
        self.moved = np.zeros(1)

    def number(self, place: Codes, area: Codes) -> Codes:
        """Number the pairs of place and area, and make room."""
        cell = self.cells.number_pairs(place, area)
        self.counts = grown(self.counts, len(self.cells))
        places = int(place.max(initial=0)) + 1
        for name in ("totals", "guests", "hosts"):
            setattr(self, name, grown(getattr(self, name), places))
        self.rank = grown(self.rank, places, -1)
        return cell

    def seen(self) -> Seen:
        """Return the arrays for a compiled loop, which counts on them."""
        return Seen(
            self.cells.slots, self.counts, self.totals, self.shared, self.rank, self.ranked,
            self.guests, self.hosts, self.moved,
        )  # fmt: skip


@inlined
def met_others(a: int, home: int, now: int, strangers: Strangers) -> bool:
    """Say whether an account met others of one elsewhere lately."""
    matches = 0
    for j in range(strangers.home.shape[1]):
        if strangers.home[a, j] == home and now - strangers.at[a, j] < 10 * DAY:
            matches += 1
    return matches >= 2
