"""How a patient relates to an account, through accesses older than a delay.

The chance of each relation under a sweep is its *coverage*, counted from the past only: a sweep
draws patients from a register without regard to who cares for them. What is known is kept between
batches of units, in order of time.
"""

from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.front import END
from vigie.numbering import Codes, Numbers, State, grown
from vigie.units import DAY, Flags, Units

Marks = NDArray[np.int8]
Values = NDArray[np.float64]

DELAY: Final = DAY // 24
"""A patient is known to a team, an organisation or a place through accesses older than this."""

UNSEEN: Final = 0.4
"""Assumed share of a register that no access in the log has shown yet: a sweep meets such persons
too, and the log cannot tell how many they are."""

RELATIONS: Final = (
    "own", "team", "organisation", "network", "host", "local", "far",
)  # fmt: skip
OWN, TEAM, ORGANISATION, NETWORK, HOST, LOCAL, FAR = range(7)

_NEVER: Final = 2**62
_STRANGERS: Final = 16
"""How many of the strangers an account met last are remembered."""


class Knowledge(State):
    """Which patients the accounts of an owner (a team, a network…) know, and since when."""

    def __init__(self) -> None:
        self._pairs = Numbers()
        self._owner = np.empty(0, np.int32)
        self._first_at, self._first_by = np.empty(0, np.int64), np.empty(0, np.int32)
        self._other_at, self._other_by = np.empty(0, np.int64), np.empty(0, np.int32)
        self._size = np.zeros(1)

    def __len__(self) -> int:
        """Return how many pairs of owner and patient are known."""
        return len(self._pairs)

    def meet(
        self, units: Units, owner: Codes, teaches: Flags, register: Values
    ) -> tuple[Flags, Values]:
        """Return whether another account of the owner knew each patient, and the coverage."""
        pair = self._pairs.number_pairs(owner, units.patient)
        self._make_room(int(owner.max(initial=0)) + 1)
        found: tuple[Flags, Values] = _known_before(
            units.order, pair, owner, units.account, units.at, teaches, register, DELAY,
            self._first_at, self._first_by, self._other_at, self._other_by, self._owner,
            self._size,
        )  # fmt: skip
        return found

    def _make_room(self, owners: int) -> None:
        count = len(self._pairs)
        self._owner = grown(self._owner, count, -1)
        self._first_at, self._first_by = (
            grown(self._first_at, count, _NEVER), grown(self._first_by, count, -1)
        )  # fmt: skip
        self._other_at, self._other_by = (
            grown(self._other_at, count, _NEVER), grown(self._other_by, count, -1)
        )  # fmt: skip
        self._size = grown(self._size, owners)

    def forget(self, account: int, since: int) -> None:
        """Forget what an account taught from `since` on; another who knew as well still does."""
        other = (self._other_by == account) & (self._other_at >= since)
        self._other_at[other], self._other_by[other] = _NEVER, -1
        first = (self._first_by == account) & (self._first_at >= since)
        self._first_at[first], self._first_by[first] = self._other_at[first], self._other_by[first]
        self._other_at[first], self._other_by[first] = _NEVER, -1
        alone = self._owner[first & (self._first_by < 0)]
        self._size -= np.bincount(alone, minlength=len(self._size))


class Relations(State):
    """Everything that is known of patients and places, apart from the accounts' own patients.

    `muted` accounts (those with an open alert) teach nothing to team, organisation and network.
    """

    def __init__(self) -> None:
        self.known = {name: Knowledge() for name in ("team", "organisation", "network")}
        self.muted = np.zeros(0, bool)
        self._forgotten: dict[int, int] = {}
        self.organised_since = END
        self._teams = Numbers()
        self._own, self._own_size = np.zeros(0, bool), np.zeros(1)
        self._homes, self._home_since = np.empty(0, np.int32), np.empty(0, np.int64)
        self._weight, self._likely = np.zeros(1), np.zeros(2)
        self._register = np.zeros(1)
        self._strangers = np.empty((0, _STRANGERS), np.int32)
        self._met = np.empty((0, _STRANGERS), np.int64)
        self._position = np.empty(0, np.int64)
        self._areas = Areas()

    def mute(self, since: dict[int, int]) -> None:
        """Let these accounts teach nothing, until another call, nor what they taught since a time.

        That is, to their team, organisation and network: their own patients stay their own.
        """
        self.muted = grown(self.muted, max(since, default=-1) + 1, False)
        self.muted[:] = False
        self.muted[list(since)] = True
        for account, begun in since.items():
            if self._forgotten.get(account) != begun:
                for knowledge in self.known.values():
                    knowledge.forget(account, begun)
        self._forgotten = since

    def relate(self, units: Units) -> tuple[Marks, Values, Values]:
        """Return each unit's relation, its log chance in a sweep of the register, and that of own.

        What is known of a patient is what came before.
        """
        self._make_room(units)
        opened = units.action != ACTIONS.index("search")
        teaches = opened & ~self.muted[units.account]
        place = self._place(units)
        register, home, chance = self._meet_patients(units, place)
        owned = _own_coverage(
            units.order, units.account, units.pair, opened, register, self._own, self._own_size
        )
        owners = {"team": self._team(units)} | {
            name: units.text[name] for name in ("organisation", "network")
        }
        met = [
            self.known[name].meet(units, owner, teaches, register) for name, owner in owners.items()
        ]
        known, cover = [seen for seen, _ in met], [owned, *(share for _, share in met)]
        explained = known[1] | known[2] | (units.since >= 0)
        host = _hosts(
            units.account, home, explained, units.at, self._strangers, self._met, self._position
        )
        local, near = self._areas.meet(units, place)
        relation, swept = _categories(units, known, cover, host, chance, local, near)
        return relation, swept, np.log(np.clip(owned * (1 - UNSEEN), 1e-4, 1.0))

    def _make_room(self, units: Units) -> None:
        accounts, patients = len(units.accounts), int(units.patient.max(initial=-1)) + 1
        self.muted = grown(self.muted, accounts, False)
        self._own = grown(self._own, int(units.pair.max(initial=-1)) + 1, False)
        self._own_size = grown(self._own_size, accounts)
        self._homes = grown(self._homes, patients, -2)
        self._home_since = grown(self._home_since, patients)
        self._strangers = grown(self._strangers, accounts, -1)
        self._met = grown(self._met, accounts)
        self._position = grown(self._position, accounts)

    def _team(self, units: Units) -> Codes:
        """Number the units of each organisation, -1 where the log names none."""
        ward = units.text["unit"]
        if (ward < 0).all():
            return ward
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

    def _meet_patients(self, units: Units, place: Codes) -> tuple[Values, Codes, Values]:
        self._weight = grown(self._weight, int(place.max(initial=0)) + 1)
        met: tuple[Values, Codes, Values] = _meet_patients(
            units.order, place, units.patient, units.at, DELAY, self._homes, self._home_since,
            self._weight, self._likely, self._register,
        )  # fmt: skip
        return met


class Areas(State):
    """Where the patients of each place live."""

    def __init__(self) -> None:
        self._cells = Numbers()
        self._counts, self._area = np.zeros(0), np.zeros(0, np.int32)
        self._next, self._first = np.zeros(0, np.int64), np.full(1, -1, np.int64)
        self._totals, self._reach = np.zeros(1), np.full(1, 0.5)
        self._whole, self._seen = np.zeros(1), np.zeros(1)

    def meet(self, units: Units, place: Codes) -> tuple[Flags, Values]:
        """Say whether the patient's area is one that this place sees, and how many such are."""
        area, here = units.text["area"], place + np.int32(1)
        if (area < 0).all():
            return np.zeros(len(units), bool), np.full(len(units), 0.5)
        cell = self._cells.number_pairs(here, area)
        count, places = len(self._cells), int(here.max(initial=0)) + 1
        self._counts, self._area = grown(self._counts, count), grown(self._area, count)
        self._next, self._first = grown(self._next, count, -1), grown(self._first, places, -1)
        self._totals = grown(self._totals, places)
        self._reach = grown(self._reach, places, 0.5)
        self._whole = grown(self._whole, int(area.max(initial=0)) + 1)
        found: tuple[Flags, Values] = _locals(
            units.order, here, area, cell, self._counts, self._area, self._next, self._first,
            self._totals, self._reach, self._whole, self._seen,
        )  # fmt: skip
        return found


def _categories(
    units: Units,
    known: list[Flags],
    cover: list[Values],
    host: Flags,
    share: Values,
    local: Flags,
    near: Values,
) -> tuple[Marks, Values]:
    """Choose the closest relation that holds, and the chance that a sweep falls into it.

    The chances of all relations sum to one: what a closer relation explains is no longer there
    for the next.
    """
    chosen: Any = _closest(
        units.patient, units.since >= 0, known[0], known[1], known[2],
        cover[0], cover[1], cover[2], cover[3], host, share, local, near, UNSEEN,
    )  # fmt: skip
    return chosen[0], np.log(chosen[1])


@numba.njit(cache=True, nogil=True)
def _closest(  # type: ignore[no-untyped-def]
    patient, own, team, organisation, network, owned, in_team, in_organisation, in_network,
    host, share, local, near, unseen,
):  # fmt: skip
    relation = np.full(patient.size, -1, np.int8)
    chances = np.ones(patient.size, np.float64)
    for i in range(patient.size):
        rest, found, chance = 1.0, -1, 1.0
        holds = (own[i], team[i], organisation[i], network[i])
        cover = (owned[i], in_team[i], in_organisation[i], in_network[i])
        for code in range(4):
            if holds[code] and found < 0:
                found, chance = code, min(cover[code], rest) * (1 - unseen)
            rest = max(rest - cover[code], 0.05)
        if found < 0:
            strange = unseen + (1 - unseen) * rest
            elsewhere = (1 - unseen) * rest / strange * share[i]
            if host[i]:
                found, chance = 4, strange * elsewhere
            elif local[i]:
                found, chance = 5, strange * (1 - elsewhere) * near[i]
            else:
                found, chance = 6, strange * (1 - elsewhere) * (1 - near[i])
        chances[i] = min(max(chance, 1e-4), 1.0)
        if patient[i] >= 0:
            relation[i] = found
    return relation, chances


@numba.njit(cache=True, nogil=True)
def _own_coverage(order, account, pair, opened, register, known, size):  # type: ignore[no-untyped-def]
    """Return the share of the register that each account has opened before each unit."""
    cover = np.zeros(order.size, np.float64)
    for i in order:
        if pair[i] < 0:
            continue
        cover[i] = size[account[i]] / register[i]
        if opened[i] and not known[pair[i]]:
            known[pair[i]] = True
            size[account[i]] += 1
    return cover


@numba.njit(cache=True, nogil=True)
def _known_before(  # type: ignore[no-untyped-def]
    order, pair, owner, account, at, teaches, register, delay, first_at, first_by, other_at,
    other_by, owner_of, size,
):  # fmt: skip
    """Whether another account of this owner knew the patient, and the owner's coverage."""
    never = np.int64(2**62)
    known = np.zeros(order.size, np.bool_)
    cover = np.zeros(order.size, np.float64)
    for i in order:
        k = pair[i]
        if k < 0:
            continue
        cover[i] = size[owner[i]] / register[i]
        when = other_at[k] if first_by[k] == account[i] else first_at[k]
        known[i] = when <= at[i] - delay
        if teaches[i]:
            if first_by[k] < 0:
                first_at[k], first_by[k], owner_of[k] = at[i], account[i], owner[i]
                size[owner[i]] += 1
            elif first_by[k] != account[i] and other_at[k] == never:
                other_at[k], other_by[k] = at[i], account[i]
    return known, cover


@numba.njit(cache=True, nogil=True)
def _meet_patients(order, place, patient, at, delay, homes, since, weight, likely, register):  # type: ignore[no-untyped-def]
    """Count the patients seen before each unit, and say where each was first seen.

    The latter if long enough ago and elsewhere than here; also the chance that a stranger drawn
    at random shares this with two of sixteen others. A home of -2 is a patient never seen, of -1
    one seen at no place.
    """
    size = np.ones(order.size, np.float64)
    out = np.full(order.size, -1, np.int32)
    chance = np.zeros(order.size, np.float64)
    for i in order:
        chance[i] = likely[1]
        size[i] = register[0] + 1
        p = patient[i]
        if p < 0:
            continue
        if homes[p] == -2:
            homes[p] = -1
            register[0] += 1
        if place[i] < 0:
            continue
        if homes[p] < 0:
            homes[p], since[p] = place[i], at[i]
        elif homes[p] != place[i] and since[p] <= at[i] - delay:
            out[i] = homes[p]
            weight[homes[p]] += 1
            likely[0] += 1
            if likely[0] % 4096 == 64:
                likely[1] = 0.0
                for count in weight:
                    share = count / likely[0]
                    few = (1.0 - share) ** 16 + 16 * share * (1.0 - share) ** 15
                    likely[1] += share * (1.0 - few)
    return size, out, chance


@numba.njit(cache=True, nogil=True)
def _hosts(account, home, explained, at, strangers, met, position):  # type: ignore[no-untyped-def]
    """Whether two of the last sixteen strangers, in ten days, came from the same elsewhere."""
    same = np.zeros(account.size, np.bool_)
    for i in range(account.size):
        if explained[i] or home[i] < 0:
            continue
        a = account[i]
        matches = 0
        for j in range(strangers.shape[1]):
            if strangers[a, j] == home[i] and at[i] - met[a, j] < 10 * 86_400_000_000:
                matches += 1
        same[i] = matches >= 2
        j = position[a] % strangers.shape[1]
        strangers[a, j], met[a, j] = home[i], at[i]
        position[a] += 1
    return same


@numba.njit(cache=True, nogil=True)
def _locals(  # type: ignore[no-untyped-def]
    order, place, area, cell, counts, area_of, following, first, totals, reach, whole, seen
):
    """Whether the patient's area is one that this place sees, and the share of all that are."""
    local = np.zeros(order.size, np.bool_)
    near = np.full(order.size, 0.5, np.float64)
    for i in order:
        here, o, c = area[i], place[i], cell[i]
        if here < 0:
            continue
        local[i] = counts[c] >= 0.05 * totals[o] and totals[o] >= 10
        if totals[o] % 64 == 10:
            share, k = 0.0, first[o]
            while k >= 0:
                if counts[k] >= 0.05 * totals[o]:
                    share += whole[area_of[k]]
                k = following[k]
            reach[o] = min(0.95, max(0.02, share / max(seen[0], 1.0)))
        near[i] = reach[o]
        if counts[c] == 0:
            area_of[c], following[c], first[o] = here, first[o], c
        counts[c] += 1
        totals[o] += 1
        whole[here] += 1
        seen[0] += 1
    return local, near
