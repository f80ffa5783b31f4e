"""How a patient relates to an account, through accesses older than a delay.

The chance of each relation under a sweep is measured, not assumed: beside every access, the same
question is asked about a patient drawn at random from those met so far (a *probe*). Whatever a
relation means, a sweep meets it that often. What is known is kept between batches of units, in
order of time.
"""

from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.front import END
from vigie.numbering import Codes, Numbers, State, found_number, grown, mixed
from vigie.units import DAY, Flags, Units

Marks = NDArray[np.int8]
Values = NDArray[np.float64]

DELAY: Final = DAY // 24
"""A patient is known to a team, an organisation or a place through accesses older than this."""

UNSEEN: Final = 0.4
"""Assumed share of a register that no access in the log has shown yet: a sweep meets such persons
too, and the log cannot tell how many they are."""

RELATIONS: Final = (
    "own_active", "own_idle", "team_active", "team_idle", "organisation_active",
    "organisation_idle", "expected", "network", "host", "linked", "local", "local_unseen", "far",
    "far_unseen",
)  # fmt: skip
"""From the closest: a patient of the account, of a colleague in the unit, in the organisation
(*active*: somebody else met him within a day); somebody whom a care relation announces (see
`marks`), known on the same network; a stranger from the same elsewhere
as other strangers met lately, from a place that shares patients with this one, from an area that
this place sees, from afar (*unseen*: met nowhere before)."""
(
    OWN, OWN_IDLE, TEAM, TEAM_IDLE, ORGANISATION, ORGANISATION_IDLE, EXPECTED, NETWORK, HOST,
    LINKED, LOCAL, LOCAL_UNSEEN, FAR, FAR_UNSEEN,
) = range(14)  # fmt: skip

_LEVELS: Final = ("own", "team", "organisation", "network")
_NEVER: Final = 2**62
_STRANGERS: Final = 16
"""How many of the strangers an account met last are remembered."""
_SHARES: Final = 1 << 18
"""Counters of strangers by place and where they are known from; two pairs seldom share one."""
_LEAN: Final = 30.0
"""Probes at which an account counts as much as its place, and that as much as everywhere."""


class Knowledge(State):
    """Which patients the accounts of an owner (an account, a team…) know, and since when."""

    def __init__(self) -> None:
        self.pairs = Numbers()
        self.first_at, self.first_by = np.empty(0, np.int64), np.empty(0, np.int32)
        self.other_at, self.other_by = np.empty(0, np.int64), np.empty(0, np.int32)

    def __len__(self) -> int:
        """Return how many pairs of owner and patient are known."""
        return len(self.pairs)

    def number(self, owner: Codes, patient: Codes) -> Codes:
        """Number the pairs, and make room for what is to be known of them."""
        pair = self.pairs.number_pairs(owner, patient)
        count = len(self.pairs)
        for name, fill in (("first", _NEVER), ("other", _NEVER)):
            setattr(self, f"{name}_at", grown(getattr(self, f"{name}_at"), count, fill))
            setattr(self, f"{name}_by", grown(getattr(self, f"{name}_by"), count, -1))
        return pair

    def forget(self, since: NDArray[np.int64]) -> None:
        """Forget what each account taught from a time on; who knew as well still does."""
        _forget(since, self.first_at, self.first_by, self.other_at, self.other_by)


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


class Patients(State):
    """Where each patient was first seen and lives, who met him last, and in which order."""

    def __init__(self) -> None:
        self.home, self.home_since = np.empty(0, np.int32), np.empty(0, np.int64)
        self.area = np.empty(0, np.int32)
        self.last, self.before = np.empty(0, np.int64), np.empty(0, np.int64)
        self.last_by = np.empty(0, np.int32)
        self.listed = np.empty(0, bool)
        self.met = np.empty(0, np.int32)
        self.counts = np.zeros(2, np.int64)
        """Patients met, and units met: every fourth is probed."""

    def make_room(self, count: int) -> None:
        """Make room for `count` patients."""
        for name, fill in (
            ("home", -1), ("home_since", 0), ("area", -1), ("last", -_NEVER), ("before", -_NEVER),
            ("last_by", -1), ("listed", False), ("met", -1),
        ):  # fmt: skip
            setattr(self, name, grown(getattr(self, name), count, fill))


class Relations(State):
    """Everything that is known of patients and places.

    `muted` accounts (those with an open alert) teach nothing to team, organisation and network.
    """

    def __init__(self) -> None:
        self.known = {name: Knowledge() for name in _LEVELS}
        self.places, self.patients = Places(), Patients()
        self.muted = np.zeros(0, bool)
        self._forgotten: dict[int, int] = {}
        self.organised_since = END
        self._teams = Numbers()
        self._strangers = np.empty((0, _STRANGERS), np.int32)
        self._met = np.empty((0, _STRANGERS), np.int64)
        self._position = np.empty(0, np.int64)
        self._drawn = np.zeros((0, len(RELATIONS)))
        self._drawn_at = np.zeros((1, len(RELATIONS)))
        self._drawn_in_all = np.zeros((1, len(RELATIONS)))

    def mute(self, since: dict[int, int]) -> None:
        """Let these accounts teach nothing, until another call, nor what they taught since a time.

        That is, to their team, organisation and network: their own patients stay their own.
        """
        self.muted = grown(self.muted, max(since, default=-1) + 1, False)
        self.muted[:] = False
        self.muted[list(since)] = True
        fresh = {a: begun for a, begun in since.items() if self._forgotten.get(a) != begun}
        if fresh:
            times = np.full(len(self.muted), END)
            times[list(fresh)] = list(fresh.values())
            for name in _LEVELS[1:]:
                self.known[name].forget(times)
        self._forgotten = since

    def relate(self, units: Units) -> tuple[Marks, Values, Values]:
        """Return each unit's relation, its log chance in a sweep of the register, and that of own.

        What is known of a patient is what came before.
        """
        place = self._place(units)
        self._make_room(units, place)
        owner = self._owners(units)
        pair = tuple(
            self.known[name].number(codes, units.patient)
            for name, codes in zip(_LEVELS, owner, strict=True)
        )
        cell = self.places.number(place, units.text["area"])
        opened = units.action != ACTIONS.index("search")
        relation, chance, own = self._meet(units, owner, pair, place, cell, opened)
        return relation, np.log(chance), np.log(own)

    def _meet(
        self, units: Units, owner: tuple[Codes, ...], pair: tuple[Codes, ...], place: Codes,
        cell: Codes, opened: Flags,
    ) -> Any:  # fmt: skip
        known = [self.known[name] for name in _LEVELS]
        patients, places = self.patients, self.places
        return _meet(
            units.order, owner, pair, place, cell, units.account, units.patient, units.at,
            units.since, units.page, units.text["area"], opened, self.muted, DELAY, UNSEEN, _LEAN,
            tuple(k.pairs.slots for k in known), tuple(k.first_at for k in known),
            tuple(k.first_by for k in known), tuple(k.other_at for k in known),
            tuple(k.other_by for k in known),
            patients.home, patients.home_since, patients.area, patients.last, patients.before,
            patients.last_by, patients.listed, patients.met, patients.counts,
            places.cells.slots, places.counts, places.totals,
            places.shared, places.rank, places.ranked, places.guests, places.hosts, places.moved,
            self._strangers, self._met, self._position,
            self._drawn, self._drawn_at, self._drawn_in_all,
        )  # fmt: skip

    def _make_room(self, units: Units, place: Codes) -> None:
        accounts = len(units.accounts)
        self.patients.make_room(int(units.patient.max(initial=-1)) + 1)
        self.muted = grown(self.muted, accounts, False)
        self._strangers = grown(self._strangers, accounts, -1)
        self._met = grown(self._met, accounts)
        self._position = grown(self._position, accounts)
        self._drawn = grown(self._drawn, accounts)
        self._drawn_at = grown(self._drawn_at, int(place.max(initial=0)) + 2)

    def _owners(self, units: Units) -> tuple[Codes, ...]:
        text = units.text
        return (
            units.account.astype(np.int32), self._team(units),
            text["organisation"].astype(np.int32), text["network"].astype(np.int32),
        )  # fmt: skip

    def _team(self, units: Units) -> Codes:
        """Number the units of each organisation, -1 where the log names none."""
        ward = units.text["unit"]
        if (ward < 0).all():
            return np.full(len(units), -1, np.int32)
        return self._teams.number_pairs(units.text["organisation"] + np.int32(1), ward)

    def _place(self, units: Units) -> Codes:
        """Return the organisation or, until the log names a first one, the network (-1: none).

        Organisations have even numbers and networks odd ones.
        """
        organisation, network = units.text["organisation"], units.text["network"]
        named = units.at[organisation >= 0].min(initial=END)
        self.organised_since = min(self.organised_since, int(named))
        by_network = np.where(network < 0, -1, 2 * network + 1)
        by_name = np.where(organisation < 0, -1, 2 * organisation)
        place = np.where(units.at >= self.organised_since, by_name, by_network)
        return place.astype(np.int32)


@numba.njit(inline="always")
def _share(place, home, shared):  # type: ignore[no-untyped-def]
    """Return the counter of the strangers at a place who are known from another."""
    key = (np.uint64(place) << np.uint64(32)) | np.uint64(home)
    return mixed(key) & np.uint64(shared.size - 1)


@numba.njit(inline="always")
def _relation(  # type: ignore[no-untyped-def]
    a, p, place, now, owners, slots, first_at, first_by, other_at, home, home_since, area, last,
    before, last_by, cell_slots, cell_counts, totals, shared, rank, guests, hosts, moved,
    strangers, met, delay,
):  # fmt: skip
    """Return the closest relation that holds between an account and a patient."""
    day = 86_400_000_000
    seen = before[p] if last_by[p] == a else last[p]
    idle = 0 if now - seen < day else 1
    for level in range(4):
        if owners[level] < 0:
            continue
        key = (np.uint64(owners[level]) << np.uint64(32)) | np.uint64(p)
        k = found_number(key, slots[level])
        if k < 0:
            continue
        when = first_at[level][k]
        if level > 0 and first_by[level][k] == a:
            when = other_at[level][k]
        if when <= now - delay:
            return 7 if level == 3 else 2 * level + idle
    known = home[p] >= 0 and home_since[p] <= now - delay
    if known and place >= 0 and home[p] != place:
        if hosts[home[p]] < 0.04 * moved[0]:
            matches = 0
            for j in range(strangers.shape[1]):
                if strangers[a, j] == home[p] and now - met[a, j] < 10 * day:
                    matches += 1
            if matches >= 2:
                return 8
        expected = guests[place] * hosts[home[p]] / max(moved[0], 1.0)
        if shared[_share(rank[place], rank[home[p]], shared)] + 3.0 >= 2.0 * (expected + 3.0):
            return 9
    near = False
    if place >= 0 and area[p] >= 0 and totals[place] >= 10:
        k = found_number((np.uint64(place) << np.uint64(32)) | np.uint64(area[p]), cell_slots)
        near = k >= 0 and cell_counts[k] >= 0.05 * totals[place]
    return (10 if known else 11) if near else (12 if known else 13)


@numba.njit(cache=True, nogil=True)
def _meet(  # type: ignore[no-untyped-def]
    order, owner, pair, place, cell, account, patient, at, since, page, areas, opened, muted,
    delay, unseen, lean,
    slots, first_at, first_by, other_at, other_by,
    home, home_since, area, last, before, last_by, listed, met_patients, counts,
    cell_slots, cell_counts, totals,
    shared, rank, ranked, guests, hosts, moved,
    strangers, met, position,
    drawn, drawn_at, drawn_in_all,
):  # fmt: skip
    """Relate each unit in order of time, probe, then learn from it."""
    relation = np.full(order.size, -1, np.int8)
    chance, own = np.ones(order.size), np.ones(order.size)
    never = np.int64(2**62)
    for i in order:
        p = patient[i]
        if p < 0:
            continue
        a, here, now = account[i], place[i], at[i]
        owners = (owner[0][i], owner[1][i], owner[2][i], owner[3][i])
        if areas[i] >= 0:
            area[p] = areas[i]
        if here >= 0 and rank[here] < 0:
            rank[here] = ranked[0]
            ranked[0] += 1
        # The rows of a page have no order among them: only single openings probe and teach.
        single = page[i] == 0
        counts[1] += single
        if single and counts[0] > 0 and counts[1] % 4 == 0:
            v = met_patients[mixed(np.uint64(counts[1])) % np.uint64(counts[0])]
            c = _relation(
                a, v, here, now, owners, slots, first_at, first_by, other_at, home, home_since,
                area, last, before, last_by, cell_slots, cell_counts, totals, shared, rank,
                guests, hosts, moved, strangers, met, delay,
            )  # fmt: skip
            drawn[a, c] += 1.0
            drawn_in_all[0, c] += 1.0
            drawn_at[here + 1, c] += 1.0
        c = _relation(
            a, p, here, now, owners, slots, first_at, first_by, other_at, home, home_since, area,
            last, before, last_by, cell_slots, cell_counts, totals, shared, rank, guests,
            hosts, moved, strangers, met, delay,
        )  # fmt: skip
        if since[i] >= 0 and c > 1:
            c = 0
        relation[i] = c
        chance[i] = _swept(c, drawn[a], drawn_at[here + 1], drawn_in_all[0], unseen, lean)
        own[i] = _swept(0, drawn[a], drawn_at[here + 1], drawn_in_all[0], unseen, lean)
        own[i] += _swept(1, drawn[a], drawn_at[here + 1], drawn_in_all[0], unseen, lean)
        # From here on the patient is known.
        if single and not listed[p]:
            listed[p] = True
            met_patients[counts[0]] = p
            counts[0] += 1
        if single and cell[i] >= 0:
            cell_counts[cell[i]] += 1.0
            totals[here] += 1.0
        if here >= 0:
            if home[p] < 0:
                home[p], home_since[p] = here, now
            elif single and home[p] != here and home_since[p] <= now - delay and c >= 8:
                h = home[p]
                shared[_share(rank[here], rank[h], shared)] += 1.0
                guests[here] += 1.0
                hosts[h] += 1.0
                moved[0] += 1.0
                j = position[a] % strangers.shape[1]
                strangers[a, j], met[a, j] = h, now
                position[a] += 1
        if last_by[p] != a:
            before[p], last_by[p] = last[p], a
        last[p] = now
        if not opened[i]:
            continue
        for level in range(4):
            k = pair[level][i]
            if k < 0 or (level > 0 and muted[a]):
                continue
            if first_by[level][k] < 0:
                first_at[level][k], first_by[level][k] = now, a
            elif first_by[level][k] != a and other_at[level][k] == never:
                other_at[level][k], other_by[level][k] = now, a
    return relation, chance, own


@numba.njit(inline="always")
def _swept(c, mine, here, everywhere, unseen, lean):  # type: ignore[no-untyped-def]
    """Return the chance of a relation in a sweep: met persons as probed, others as unseen."""
    classes = mine.size
    near, total = 1.0, 2.0
    for k in range(8, classes):
        total += here[k]
        if k == 9 or k == 10 or k == 11:
            near += here[k]
    whole = (everywhere[c] + 0.5) / (everywhere.sum() + 0.5 * classes)
    there = (here[c] + lean * whole) / (here.sum() + lean)
    seen = (mine[c] + lean * there) / (mine.sum() + lean)
    fresh = 0.0
    if c == 11:
        fresh = near / total
    elif c == 13:
        fresh = 1.0 - near / total
    return (1.0 - unseen) * seen + unseen * fresh + 1e-6


@numba.njit(cache=True, nogil=True)
def _forget(since, first_at, first_by, other_at, other_by):  # type: ignore[no-untyped-def]
    never = np.int64(2**62)
    for k in range(first_by.size):
        if other_by[k] >= 0 and other_at[k] >= since[other_by[k]]:
            other_at[k], other_by[k] = never, -1
        if first_by[k] >= 0 and first_at[k] >= since[first_by[k]]:
            first_at[k], first_by[k] = other_at[k], other_by[k]
            other_at[k], other_by[k] = never, -1
