"""Patients as the log meets them: where first, by whom last; how many nobody has met yet.

Beside accesses, patients are drawn at random from those met so far (*probes*): what a sweep of the
register would meet is asked of them (see `relations`).
"""

from typing import Final

import numpy as np

from vigie.context.knowledge import NEVER
from vigie.kernels import Floats, Int32s, Int64s, Records, kernel
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes, mixed
from vigie.timeline.units import Units

UNSEEN: Final = (0.1, 0.4)
"""Share of a register that no access in the log has shown yet, at least and at most: a sweep meets
such persons too. Twice what is estimated by how many were met once and how many twice, which is a
lower bound (A. Chao, Scandinavian Journal of Statistics 11, 1984), and no less than `_OPEN` times
the share of accesses of late that meet somebody new to all: a register that grows is large."""
_OPEN: Final = 4.0
_LATELY: Final = 1 / 2000

_PERSON: Final = np.dtype([
    ("home_since", "i8"), ("last", "i8"), ("before", "i8"), ("home", "i4"), ("area", "i4"),
    ("last_by", "i4"), ("often", "i4"),
])  # fmt: skip
"""Where a patient was first seen, and lives; when last met, by whom, and when by another; how often
met, up to three times."""


class Patients(State):
    """Where each patient was first seen and lives, who met him last, and in which order."""

    def __init__(self) -> None:
        self.persons = np.empty(0, _PERSON)
        self.met = np.empty(0, np.int32)
        self.counts = np.zeros(4, np.int64)
        """Patients met, units met (every fourth is probed), patients met once and met twice."""
        self.fresh = np.ones(1)
        """Share of the units of late that met somebody for the first time."""

    def make_room(self, count: int) -> None:
        """Make room for `count` patients."""
        nowhere = np.array((NEVER, -NEVER, -NEVER, -1, -1, -1, 0), _PERSON)
        self.persons = grown(self.persons, count, nowhere)
        self.met = grown(self.met, count, -1)

    def draw(self, units: Units) -> tuple[Codes, Floats]:
        """Return the patient to probe beside each unit (-1: none), in order of time.

        And the share of the register that nobody had met by then. Patients are learnt meanwhile.
        """
        probed, unseen = np.full(len(units), -1, np.int32), np.empty(len(units))
        _draw(
            units.order, units.patient, units.page, self.persons, self.met, self.counts,
            self.fresh, *UNSEEN, probed, unseen,
        )  # fmt: skip
        return probed, unseen


@kernel
def _draw(
    order: Int64s, patient: Int32s, page: Int32s, persons: Records, met: Int32s, counts: Int64s,
    fresh: Floats, least: float, most: float, probed: Int32s, unseen: Floats,
) -> None:  # fmt: skip
    """Choose the patients to probe, in order of time: every fourth unit draws one met before it.

    The rows of a page have no order among them: only single openings probe and teach.
    """
    for n in range(order.size):
        i = order[n]
        guess = counts[2] * (counts[2] - 1.0) / (2.0 * (counts[3] + 1.0))
        hidden = max(2.0 * guess / max(guess + counts[0], 1.0), _OPEN * fresh[0])
        unseen[n] = min(max(hidden, least), most)
        if patient[i] < 0 or page[i] > 0:
            continue
        counts[1] += 1
        if counts[0] > 0 and counts[1] % 4 == 0:
            probed[n] = met[mixed(np.uint64(counts[1])) % np.uint64(counts[0])]
        often = persons[patient[i]].often
        fresh[0] += ((often == 0) - fresh[0]) * _LATELY
        if often == 0:
            met[counts[0]] = patient[i]
            counts[0] += 1
        if often < 3:
            persons[patient[i]].often = often + 1
            counts[2] += (often == 0) - (often == 1)
            counts[3] += (often == 1) - (often == 2)
