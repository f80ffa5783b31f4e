"""Work at a place that is not the account's own: whom the others there meet, it meets as well.

A vaccination centre on one weekend, a ward that lacks a nurse, a practice that has just opened: who
comes there meets strangers because the place does. What others meet at a place is counted as they
meet it, an account's own acts excuse nothing, and at a place where it has long worked an account
has habits of its own: then nothing is said here.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.context.marks import MANNERS, Scene
from vigie.context.relations import RELATIONS
from vigie.kernels import Floats, Floats32, Int8s, Int32s, Int64s, UInt16s, inlined, kernel
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes, Numbers
from vigie.timeline.units import DAY, Units

_OWN_PLACE: Final = 5.0
"""Days of work, fading, from which a place is an account's own."""
_FORGETTING: Final = 0.97
"""What remains of these days, and of what is met at a place, one day later."""
_LEAN: Final = 10.0
"""Units of others at which a place counts as much as what is foretold of the account."""
_FEWEST: Final = 2
"""Other accounts without which nothing is known of a place."""
_WAYS: Final = {"relation": len(RELATIONS), "manner": len(MANNERS)}
_STARTS: Final = np.cumsum([0, *_WAYS.values()])
"""Where what is counted of each factor begins among the counts of a place, and the end."""


class Guests(State):
    """What is met at every place, and how much of it by each account."""

    def __init__(self) -> None:
        self._places, self._pairs = Numbers(), Numbers()
        # Per place: marks met there, fading; the day they stand for; how many accounts came.
        self._met = np.zeros((0, int(_STARTS[-1])), np.float32)
        self._day = np.zeros(0, np.int64)
        self._accounts = np.zeros(0, np.int32)
        # Per account at a place: the same, never fading, for its own acts excuse nothing; on how
        # many days it came, fading, and the last of them.
        self._mine = np.zeros((0, int(_STARTS[-1])), np.uint16)
        self._days = np.zeros(0, np.float32)
        self._mine_day = np.zeros(0, np.int32)

    def follow(
        self, units: Units, scene: Scene, usual: dict[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the log chance of each unit's marks among the others of its place, by factor.

        NaN where an account is no guest; a page has the relation of its closest patient. `usual`
        holds the log chances as usual. Units are of one day.
        """
        place = self._place(units)
        pair = self._pairs.number_runs(place, units.account)
        for name in ("_met", "_day", "_accounts"):
            setattr(self, name, grown(getattr(self, name), len(self._places)))
        for name in ("_mine", "_days", "_mine_day"):
            setattr(self, name, grown(getattr(self, name), len(self._pairs)))
        met = np.maximum(scene.marks["relation"], scene.marks["page"])
        marks = np.stack([met, scene.marks["manner"]])
        known = np.stack([usual["relation"] + usual["page"], usual["manner"]])
        here = np.full(known.shape, np.nan)
        _follow(
            units.order, place, pair, units.at, marks, known, _STARTS, self._met, self._day,
            self._accounts, self._mine, self._days, self._mine_day, here,
        )  # fmt: skip
        return dict(zip(_WAYS, here, strict=True))

    def _place(self, units: Units) -> Codes:
        """Number the units of each organisation, or it where the log names none; -1 for neither."""
        site, ward = units.text["organisation"], units.text["unit"]
        place = self._places.number_runs(site + np.int32(1), ward + np.int32(1))
        return np.where((site < 0) & (ward < 0), -1, place).astype(np.int32)


@kernel
def _follow(
    order: Int64s, place: Int32s, pair: Int32s, at: Int64s, marks: Int8s, usual: Floats,
    starts: Int64s, met: Floats32, days: Int64s, accounts: Int32s, mine: UInt16s,
    came: Floats32, mine_days: Int32s, here: Floats,
) -> None:  # fmt: skip
    for i in order:
        s, p = place[i], pair[i]
        if s < 0:
            continue
        day = at[i] // DAY
        if days[s] != day:
            _fade(met[s], _FORGETTING ** max(day - days[s], 0))
            days[s] = day
        if mine_days[p] != day:
            accounts[s] += 1 if mine_days[p] == 0 else 0
            fading = _FORGETTING ** max(day - mine_days[p], 0)
            came[p] = fading * came[p] + 1.0
            mine_days[p] = day
        guest = came[p] <= _OWN_PLACE and accounts[s] > _FEWEST
        for f in range(marks.shape[0]):
            if marks[f, i] < 0:
                continue
            k = starts[f] + marks[f, i]
            if guest:
                others = 0.0
                for j in range(starts[f], starts[f + 1]):
                    others += max(met[s, j] - mine[p, j], 0.0)
                like = max(met[s, k] - mine[p, k], 0.0)
                here[f, i] = np.log((like + _LEAN * np.exp(usual[f, i])) / (others + _LEAN))
            met[s, k] += 1.0
            mine[p, k] += np.uint16(mine[p, k] < 65_535)


@inlined
def _fade(counts: Floats32, remaining: float) -> None:
    for j in range(counts.size):
        counts[j] *= remaining
