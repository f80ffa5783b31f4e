"""A site's surge: how much more its accounts do today than such a day usually holds by now.

On a vaccination day, or in an outbreak, everybody of a place meets more people, and stranger ones.
What the volume of *the others* shows makes such work likelier for each; what an account does
itself explains nothing of it, and a thief in one account moves the volume of its site little.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.kernels import Floats, Floats32, Int32s, Int64s, kernel
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Numbers
from vigie.timeline.units import Units
from vigie.timeline.watches import WATCH, close_day, kind_of_day

Values = NDArray[np.float64]

_SLACK: Final = 1.3
_FEW: Final = 10.0
"""A volume this many times the usual one, and this many units more, is no surge yet."""
_FORGETTING: Final = 0.9
_DAY: Final = 86_400_000_000


class Surges(State):
    """What every organisation's days usually hold, and how much of it is each account's."""

    def __init__(self) -> None:
        self._pairs = Numbers()
        # Per site and kind of day: faded count of units until each watch; faded days, last.
        self._clock = np.zeros((0, 3, 9), np.float32)
        self._watches, self._day = np.zeros((0, 8), np.float32), np.zeros(0, np.int64)
        # Faded units of before, and those of its last day: of each site, of each account at it.
        self._site, self._mine = np.zeros((0, 2)), np.zeros((0, 2), np.float32)
        self._mine_day = np.zeros(0, np.int32)

    def follow(self, units: Units) -> Values:
        """Return the share of its site's work of the day that is a surge of the others', per unit.

        0 on an ordinary day, and for units without an organisation; units are of one day.
        """
        site = units.text["organisation"]
        pair = self._pairs.number_runs(site, units.account)
        sites = int(site.max(initial=-1)) + 1
        self._clock, self._watches = grown(self._clock, sites), grown(self._watches, sites)
        self._day, self._site = grown(self._day, sites, -1), grown(self._site, sites)
        self._mine = grown(self._mine, len(self._pairs))
        self._mine_day = grown(self._mine_day, len(self._pairs), -1)
        share = np.zeros(len(units))
        _follow(
            units.order, site, pair, units.at, self._clock, self._watches, self._day, self._site,
            self._mine, self._mine_day, share,
        )  # fmt: skip
        return share


@kernel
def _follow(
    order: Int64s, site: Int32s, pair: Int32s, at: Int64s, clock: Floats32, watches: Floats32,
    days: Int64s, total: Floats, mine: Floats32, mine_day: Int32s, share: Floats,
) -> None:  # fmt: skip
    for i in order:
        s, p = site[i], pair[i]
        if s < 0:
            continue
        day, watch = at[i] // _DAY, (at[i] // WATCH) % 8
        if days[s] != day:
            if days[s] >= 0:
                close_day(clock[s, kind_of_day(days[s])], watches[s])
            total[s, 0] = (total[s, 0] + total[s, 1]) * _FORGETTING ** max(day - days[s], 0)
            total[s, 1], days[s] = 0.0, day
        if mine_day[p] != day:
            mine[p, 0] = (mine[p, 0] + mine[p, 1]) * _FORGETTING ** max(day - mine_day[p], 0)
            mine[p, 1], mine_day[p] = 0.0, day
        kind = kind_of_day(day)
        if clock[s, kind, 8] > 0.5:
            others = 1.0 - min(mine[p, 0] / max(total[s, 0], 1.0), 1.0)
            usual = _SLACK * others * clock[s, kind, watch] / clock[s, kind, 8] + _FEW
            now = total[s, 1] - mine[p, 1]
            if now > usual:
                share[i] = 1.0 - usual / now
        watches[s, watch] += 1.0
        total[s, 1] += 1.0
        mine[p, 1] += 1.0
