"""Marks: what each unit looks like beside what was known before it.

A mark is a small category per kind of observation (a *factor*, see `FACTORS`). *Relation* matters
most: how this patient relates to the account through accesses older than a delay (see `relations`).
Under "usual" marks follow the account's habits (see `usual`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.context import care as care_relations
from vigie.context.acquaintance import ACQUAINTANCES, Acquaintance, Staff
from vigie.context.circumstances import DEEDS, SIGNS, Circumstances
from vigie.context.ranges import Ranges
from vigie.context.relations import EXPECTED, HOST, OWN_IDLE, RELATIONS, Marks, Relations
from vigie.events import ACTIONS
from vigie.kernels import Floats, Int8s, Int32s, Int64s, compiled, kernel
from vigie.timeline.front import BEGINNING, Times
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes, Numbers
from vigie.timeline.units import DAY, Flags, Units

_HOUR: Final = DAY // 24

NEAR_NUMBER: Final = 20
_BY_CHANCE: Final = 0.015
"""Neighbours are closer than that: in a small register, where patients drawn in no order would be
within NEAR_NUMBER of one another more often than this, only nearer ones are."""
NEAR_NAME: Final = 0.002
"""Neighbours: a register of 100,000 has about 200 names within this on either side."""
SEQUENCES: Final = ("none", "next_identifier", "next_name")
MANNERS: Final = ("open", "search", "rights_check", "export", "break_glass", "write", "other")
_MANNER_OF: Final = {
    "open": 0, "search": 1, "list": 1, "rights_check": 2, "export": 3, "print": 3,
    "break_glass": 4, "create": 5, "update": 5, "delete": 5, "merge": 5,
}  # fmt: skip

TRAILS: Final = ("followed", "barren", "barren_again")
"""What an account's page before this one led to: an opening, or nothing, once or oftener."""
_CREATE: Final = ACTIONS.index("create")
ANNOUNCED: Final = 3e-3
"""Share of a register with which a care relation holds at any moment. An assumption."""
PACES: Final = (8, 20, 45, 120, 600)
"""Seconds since the account's last unit that said something, where classes of pace begin."""

FACTORS: Final[dict[str, int]] = {
    "relation": len(RELATIONS),
    "page": len(RELATIONS),
    "sequence": len(SEQUENCES),
    "manner": len(MANNERS),
    "pace": len(PACES) + 1,
    "trail": len(TRAILS),
    "care": 2,
    "place": 2,
    "sign": len(SIGNS),
    "deed": len(DEEDS),
    "acquaintance": len(ACQUAINTANCES),
    "volume": 32,
    "weight": 40,
}
"""Every factor with its number of categories; a mark of -1 says nothing."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The marks of each unit by factor, and the chance of its relation under a sweep.

    `swept` is the log chance in a sweep of the whole register.
    """

    marks: dict[str, Marks]
    swept: NDArray[np.float64]


class Observer(State):
    """Marks units; remembers what pages showed in the last hour, and each account's places."""

    def __init__(self, ranges: Ranges | None = None, staff: Staff | None = None) -> None:
        self.relations = Relations()
        self.circumstances = Circumstances(ranges)
        self.acquaintance = Acquaintance(staff)
        self._day, self._near = BEGINNING, 1.0
        self._closest = np.empty(0, np.int8)
        self._base = 0
        self._ends: list[tuple[int, int]] = []
        self._places = {name: Numbers() for name in ("network", "device")}
        self._visits = np.empty((0, 4), np.int64)
        self._said_at = np.empty(0, np.int64)

    def observe(self, units: Units, care: Marks | None = None) -> Scene:
        """Mark every unit, using only what came before it; `care` are its classes in `care`."""
        if len(units) and units.on != self._day:
            many = int(self.relations.patients.counts[0])
            self._day, self._near = units.on, min(max(_BY_CHANCE / 2 * many, 1.0), NEAR_NUMBER)
        relation, chance, own = self.relations.relate(units)
        # Whoever writes a new record learns nothing of anybody from it.
        relation[units.action == _CREATE] = -1
        if care is not None:
            announced = (care == care_relations.EXPECTED) & (relation > EXPECTED)
            relation = np.where(announced, EXPECTED, relation).astype(np.int8)
            chance = np.where(announced, np.log(ANNOUNCED), chance)
        # A page that shows a patient of the last 24 hours, which is no unit, is one of own ones.
        chance = np.where((units.page > 0) & units.familiar & (relation > OWN_IDLE), own, chance)
        met = self.acquaintance.mark(units, relation, care)
        relation, page, swept = self._pages(units, relation, chance)
        said = np.maximum(relation, page)
        place, network = self._visited(units)
        marks = {
            "relation": relation,
            "page": page,
            "sequence": _sequences(units, self._near),
            "manner": _manners(units),
            "pace": self._paces(units, said),
            "trail": np.where(units.first_of_step, units.trail, -1).astype(np.int8),
            "care": _cared(relation, care),
            "acquaintance": met,
            "place": place,
            "volume": _sizes(units, "record_count", 32),
            "weight": _sizes(units, "bytes", 40),
        }
        marks["manner"][units.act] = -1
        marks |= self.circumstances.mark(units, said, network)
        return Scene(marks, swept)

    def _pages(
        self, units: Units, relation: Marks, swept: NDArray[np.float64]
    ) -> tuple[Marks, Marks, NDArray[np.float64]]:
        """Give a listing one mark, its closest relation, and silence an opening it foretold."""
        step = self._showed(units, relation)
        opened, page = np.full((2, len(units)), -1, np.int8)
        lead = np.arange(len(units))
        _tell_pages(
            step, units.source - self._base, units.page, relation, self._closest, opened, page,
            lead,
        )  # fmt: skip
        known = (page >= 0) & (page < HOST)
        several = np.where(known, np.log(np.maximum(units.page, 1)), 0.0)
        return opened, page, np.minimum(swept.take(lead) + several, 0)

    def _showed(self, units: Units, relation: Marks) -> Times:
        """Note the closest relation of each page, kept for an hour; return where it is kept.

        127 for a request that is no page.
        """
        if not len(units):
            return units.step
        self._forget(int(units.at.min()) - _HOUR)
        last = int(units.step.max()) + 1
        fresh = np.full(last - self._base - len(self._closest), 127, np.int8)
        self._closest = np.concatenate([self._closest, fresh])
        self._ends.append((int(units.at.max()), last))
        step = units.step - self._base
        _show(step, units.page, units.familiar, relation, self._closest)
        return step

    def _forget(self, before: int) -> None:
        """Let go of the pages of batches that ended `before`."""
        old = [last for at, last in self._ends if at < before]
        if old:
            self._ends = self._ends[len(old) :]
            self._closest = self._closest[old[-1] - self._base :]
            self._base = old[-1]

    def _paces(self, units: Units, relation: Marks) -> Marks:
        """Mark how soon each unit follows the account's last one that said something."""
        self._said_at = grown(self._said_at, units.known, -1)
        marks = np.full(len(units), -1, np.int8)
        said = np.flatnonzero(relation >= 0)
        account, at = units.account.take(said), units.at.take(said)
        before = np.empty(len(said), np.int64)
        before[1:] = at[:-1]
        first = np.ones(len(said), bool)
        first[1:] = account[1:] != account[:-1]
        before[first] = self._said_at[account[first]]
        pace = np.searchsorted(np.array(PACES) * 1_000_000, at - before, side="right")
        marks[said] = np.where(before < 0, -1, pace)
        last = np.ones(len(said), bool)
        last[:-1] = first[1:]
        self._said_at[account[last]] = at[last]
        return marks

    def _visited(self, units: Units) -> tuple[Marks, Flags]:
        """Mark once per session whether its network and device are new to the account (1) or not.

        A unit without network or device says nothing of its place. Says also which units come
        from a network that is new.
        """
        seen = np.flatnonzero(~units.act)
        text = {name: units.text[name].take(seen) for name in ("session", "network", "device")}
        said = (text["network"] >= 0) | (text["device"] >= 0)
        self._visits = grown(self._visits, units.known, -(2**40))
        account = units.account.take(seen)
        session, network, device = text.values()
        visit = _begins(account, units.at.take(seen), session, network, device, self._visits, _HOUR)
        new = {name: np.zeros(len(seen), bool) for name in self._places}
        for name, numbers in self._places.items():
            met = len(numbers)
            pair = numbers.number_runs(account, text[name])
            new[name] = _first_of(pair, met)
        marks = np.full(len(units), -1, np.int8)
        marks[seen[visit & said]] = 0
        marks[seen[new["network"] | new["device"]]] = 1
        network_new = np.zeros(len(units), bool)
        network_new[seen[new["network"]]] = True
        return marks, network_new


def _cared(relation: Marks, care: Marks | None) -> Marks:
    """Mark whether a care relation holds (1) or not (0) with a patient of the account or team."""
    marks = np.full(len(relation), -1, np.int8)
    if care is not None:
        known = (care >= 0) & (care != care_relations.UNKNOWN) & (relation >= 0)
        known &= relation < EXPECTED
        marks[known] = care[known] == care_relations.EXPECTED
    return marks


def _sequences(units: Units, near: float) -> Marks:
    """Mark requests that stay close to the one before, by identifier or in the alphabet.

    The first row of a page speaks for it; an opening out of a page says nothing new.
    """
    marks = np.full(len(units), -1, np.int8)
    _neighbours(
        units.number["id_gap"], units.number["name_gap"], units.first_of_step, units.source, near,
        marks,
    )  # fmt: skip
    return marks


@kernel
def _neighbours(
    steps: Floats, names: Floats, first: Flags, source: Int64s, near: float, marks: Int8s
) -> None:
    for i in range(marks.size):
        by_number, by_name = steps[i] == steps[i], names[i] == names[i]
        if not (by_number or by_name) or not first[i] or source[i] >= 0:
            continue
        if by_number and steps[i] != 0 and abs(steps[i]) <= near:
            marks[i] = 1
        else:
            marks[i] = 2 if by_name and abs(names[i]) <= NEAR_NAME else 0


def _manners(units: Units) -> Marks:
    numbers = np.array([_MANNER_OF.get(name, 6) for name in ACTIONS], np.int8)
    return numbers.take(units.action)


def _sizes(units: Units, name: str, classes: int) -> Marks:
    """Mark the size of a request by powers of two, once per step; an act alone has none."""
    values = units.number[name]
    marks = np.full(len(units), -1, np.int8)
    said = np.flatnonzero((values >= 0) & units.first_of_step & ~units.act)
    sizes = np.log2(values.take(said) + 1).astype(np.int8)
    marks[said] = np.minimum(sizes, classes - 1)
    return marks


@kernel
def _show(step: Int64s, page: Int32s, familiar: Flags, relation: Int8s, closest: Int8s) -> None:
    """Write the closest relation of each page, own where it shows a patient of 24 hours."""
    for i in range(step.size):
        if page[i] > 0 and familiar[i]:
            closest[step[i]] = 0
        elif page[i] > 0 and relation[i] >= 0:
            closest[step[i]] = min(closest[step[i]], relation[i])


@kernel
def _tell_pages(
    step: Int64s, source: Int64s, paged: Int32s, relation: Int8s, closest: Int8s, opened: Int8s,
    page: Int8s, lead: Int64s,
) -> None:  # fmt: skip
    """Write the mark of each opening, that of each page at its first unit, and who speaks for it.

    The last of those who are closest lends a page its chance.
    """
    first = last = 0
    for i in range(step.size):
        if i == 0 or step[i] != step[i - 1]:
            first, last = i, -1
        if paged[i] == 0:
            foretold = source[i] >= 0 and closest[source[i]] == relation[i]
            opened[i] = -1 if foretold else relation[i]
            continue
        if relation[i] >= 0 and relation[i] == closest[step[i]]:
            last = i
        if i == first and relation[i] >= 0:
            page[i] = closest[step[i]]
        if page[first] >= 0 and last >= 0:
            lead[first] = last


def _first_of(pair: Codes, met: int) -> Flags:
    """Say which entries are the first of a pair numbered after the first `met`."""
    fresh = np.flatnonzero(pair >= met)
    first = np.zeros(len(pair), bool)
    first[fresh[np.unique(pair[fresh], return_index=True)[1]]] = True
    return first


@compiled
def _begins(
    account: Int32s, at: Int64s, session: Int32s, network: Int32s, device: Int32s, last: Int64s,
    pause: int,
) -> Flags:  # fmt: skip
    """Whether each unit begins a session: a change of session or place, or a long pause."""
    begins = np.zeros(account.size, np.bool_)
    for i in range(account.size):
        before = last[account[i]]
        begins[i] = (
            at[i] - before[0] > pause
            or before[1] != session[i]
            or before[2] != network[i]
            or before[3] != device[i]
        )
        before[0], before[1], before[2], before[3] = at[i], session[i], network[i], device[i]
    return begins
