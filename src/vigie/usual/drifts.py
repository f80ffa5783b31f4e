"""A drift of a whole peer group: most of an account's peers suddenly meet strangers too.

Two sites merge, a new function opens, a task is given to a profession: what most of one's peers
begin to do within two days is no theft of one account. Accounts are counted, not what they do, and
an account's own acts excuse nothing: a thief who has a few accounts of a group, however loud, moves
none. One who has a third of a profession at once is taken for a drift.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.context.relations import HOST, Marks
from vigie.kernels import Floats, Int8s, Int32s, Int64s, Records, kernel
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes
from vigie.timeline.units import Units

_FEWEST: Final = 3
"""Other accounts that must have changed, and strangers from which one has."""
_SHARE: Final = 0.3
"""Share of a group's other accounts from which it is the group that changes."""
_MORE: Final = 2.0
_SLACK: Final = 0.1
"""An account has changed whose strangers of a day are this many times their usual share, and this
share more."""
_KNOWN: Final = 20.0
"""Units of before, without which nobody can be said to have changed."""
_FORGETTING: Final = 0.97
_FADING: Final = 0.95
_LEAST: Final = 0.1
"""What remains of a drift one day later, and the share below which it is over."""

_ACCOUNT: Final = np.dtype([
    ("units", "f4"), ("strangers", "f4"), ("today", "f4"), ("strangers_today", "f4"),
    ("day", "i4"), ("before", "i4"), ("changed", "i4"), ("changed_before", "i4"),
])  # fmt: skip
"""Faded counts, those of its last day, that day and the one before, the last days it changed on."""
_GROUP: Final = np.dtype([
    ("day", "i4"), ("before", "i4"), ("active", "f4"), ("active_before", "f4"), ("changed", "f4"),
    ("changed_before", "f4"), ("level", "f4"),
])  # fmt: skip
"""The last day and the one before, how many accounts were active and changed on each, and the share
that changed, fading: who was away joins a drift later."""


class Drifts(State):
    """What share of strangers each account usually meets, and how many of a group meet more."""

    def __init__(self) -> None:
        self._accounts, self._groups = np.zeros(0, _ACCOUNT), np.zeros(0, _GROUP)

    def follow(self, units: Units, relation: Marks, group: Codes) -> NDArray[np.float64]:
        """Return the share of its group's other accounts that have changed of late, per unit.

        0 where they are too few to tell; units are of one day.
        """
        nobody = np.array((0, 0, 0, 0, -1, -1, -1, -1), _ACCOUNT)
        self._accounts = grown(self._accounts, units.known, nobody)
        nothing = np.array((-1, -1, 0, 0, 0, 0, 0), _GROUP)
        self._groups = grown(self._groups, int(group.max(initial=-1)) + 1, nothing)
        share = np.zeros(len(units))
        _follow(units.order, units.account, group, relation, units.day, self._accounts,
                self._groups, share)  # fmt: skip
        return share


@kernel
def _follow(
    order: Int64s, account: Int32s, group: Int32s, relation: Int8s, days: Int32s,
    accounts: Records, groups: Records, share: Floats,
) -> None:  # fmt: skip
    for i in order:
        if relation[i] < 0:
            continue
        a, day = account[i], days[i]
        mine, ours = accounts[a], groups[group[a]]
        if ours.day != day:
            ours.before, ours.active_before = ours.day, ours.active
            ours.changed_before = ours.changed
            ours.level *= _FADING ** (day - ours.day)
            ours.day, ours.active, ours.changed = day, 0.0, 0.0
        if mine.day != day:
            mine.units = _FORGETTING * mine.units + mine.today
            mine.strangers = _FORGETTING * mine.strangers + mine.strangers_today
            mine.before, mine.day = mine.day, day
            mine.today, mine.strangers_today = 0.0, 0.0
            ours.active += 1.0
        mine.today += 1.0
        mine.strangers_today += relation[i] >= HOST
        usual = (mine.strangers + 1.0) / (mine.units + 10.0)
        if (
            mine.changed != day
            and mine.units >= _KNOWN
            and mine.strangers_today >= _FEWEST
            and mine.strangers_today >= (_MORE * usual + _SLACK) * mine.today
        ):
            mine.changed_before, mine.changed = mine.changed, day
            ours.changed += 1.0
        active = ours.active + ours.active_before - 1.0 - (mine.before == ours.before)
        changed = ours.changed + ours.changed_before
        changed -= (mine.changed == day) + (mine.changed == ours.before)
        changed -= mine.changed_before == ours.before
        if changed >= _FEWEST and changed >= _SHARE * active:
            ours.level = max(ours.level, min(changed / active, 1.0))
        if ours.level >= _LEAST:
            share[i] = ours.level
