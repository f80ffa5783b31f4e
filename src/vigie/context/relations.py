"""How a patient relates to an account, through accesses older than a delay.

The chance of each relation under a sweep is measured, not assumed: beside every access, the same
question is asked about a patient drawn at random from those met so far (a *probe*). Whatever a
relation means, a sweep meets it that often. What is known is kept between batches of units, in
order of time.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vigie.context.knowledge import (
    Knowledge,
    Own,
    has_opened,
    knows,
    open_first,
    pair_of,
    slot_of,
    tell,
)
from vigie.context.patients import Patients
from vigie.context.places import Places, Seen, Strangers, met_others
from vigie.events import ACTIONS
from vigie.kernels import (
    Flags,
    Floats,
    Int8s,
    Int32s,
    Int64s,
    Records,
    inlined,
    kernel,
    prefetch,
)
from vigie.timeline.front import END
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes, Numbers, found_number, mixed
from vigie.timeline.units import DAY, Units

Marks = NDArray[np.int8]
Values = NDArray[np.float64]

DELAY: Final = DAY // 24
"""A patient is known to a team, an organisation or a place through accesses older than this."""

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

_LEVELS: Final = ("team", "organisation", "network")
_STRANGERS: Final = 16
"""How many of the strangers an account met last are remembered."""
_ALL: Final = len(RELATIONS)
"""Beside the counts of probes by relation, where all are counted."""
_AHEAD: Final = 8
"""Units between asking for what is known of one and looking at it."""
_LEAN: Final = 30.0
"""Probes at which an account counts as much as its place, and that as much as everywhere."""


class Relations(State):
    """Everything that is known of patients and places.

    `muted` accounts (those with an open alert) teach nothing to team, organisation and network.
    What these would know through them alone is `doubted`: for five days such a patient is neither
    known nor strange. Else whoever comes after an account through which all patients pass (a
    reception, a laboratory) would meet strangers alone, and one alert would raise the next.
    """

    def __init__(self) -> None:
        self.known = {name: Knowledge() for name in _LEVELS}
        self.doubted = Knowledge()
        self._opened = np.empty(0, np.int64)
        self.places, self.patients = Places(), Patients()
        self.muted = np.zeros(0, bool)
        self._forgotten: dict[int, int] = {}
        self.organised_since = END
        self._teams = Numbers()
        self._strangers = np.empty((0, _STRANGERS), np.int32)
        self._met = np.empty((0, _STRANGERS), np.int64)
        self._position = np.empty(0, np.int64)
        self._drawn = np.zeros((0, _ALL + 1), np.int32)
        self._drawn_at = np.zeros((1, _ALL + 1), np.int64)
        self._drawn_in_all = np.zeros((1, _ALL + 1), np.int64)

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
            for kind, name in enumerate(_LEVELS):
                self.known[name].forget(times, self.doubted, len(_LEVELS), kind)
        self._forgotten = since

    def relate(self, units: Units) -> tuple[Marks, Values, Values]:
        """Return each unit's relation, its log chance in a sweep of the register, and that of own.

        What is known of a patient is what came before.
        """
        place = self._place(units)
        self._make_room(units, place)
        relation, chance, own = self._meet(units, place)
        return relation, np.log(chance), np.log(own)

    def _meet(self, units: Units, place: Codes) -> tuple[Marks, Values, Values]:
        count = len(units)
        cell = self.places.number(place, units.text["area"])
        relation = np.full(count, -1, np.int8)
        chance, own = np.ones(count), np.ones(count)
        probed, unseen = self.patients.draw(units)
        rows = _Rows(
            *self._owners(units), place, cell, units.patient, units.pair, units.at, units.since,
            units.page, units.text["area"], units.action != ACTIONS.index("search"),
        )  # fmt: skip
        rooms = [self.known[name].room(count) for name in _LEVELS]
        rooms.append(self.doubted.room(3 * count if self.muted.any() else 0))
        tables, counts = zip(*rooms, strict=True)
        _meet(
            units.order, probed, unseen, self.muted, rows, _Levels(*tables), _Levels(*counts),
            Own(units.pairs.slots, self._opened), self.patients.persons,
            self.places.seen(), Strangers(self._strangers, self._met, self._position),
            _Drawn(self._drawn, self._drawn_at, self._drawn_in_all),
            relation, chance, own,
        )  # fmt: skip
        return relation, chance, own

    def _make_room(self, units: Units, place: Codes) -> None:
        accounts = units.known
        self.patients.make_room(int(units.patient.max(initial=-1)) + 1)
        self._opened = grown(self._opened, int(units.pair.max(initial=-1)) + 1)
        self.muted = grown(self.muted, accounts, False)
        self._strangers = grown(self._strangers, accounts, -1)
        self._met = grown(self._met, accounts)
        self._position = grown(self._position, accounts)
        self._drawn = grown(self._drawn, accounts)
        self._drawn_at = grown(self._drawn_at, int(place.max(initial=0)) + 2)

    def _owners(self, units: Units) -> tuple[Codes, Codes, Codes, Codes]:
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
        return self._teams.number_runs(units.text["organisation"] + np.int32(1), ward)

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


class _Rows(NamedTuple):
    """Who met whom, where and when; whether it was more than a search."""

    account: Int32s
    team: Int32s
    site: Int32s
    network: Int32s
    place: Int32s
    cell: Int32s
    patient: Int32s
    pair: Int32s
    at: Int64s
    since: Int64s
    page: Int32s
    area: Int32s
    opened: Flags


class _Levels(NamedTuple):
    """Of each level and of what was learnt under suspicion: whom owners know, or how many pairs."""

    teams: NDArray[Any]
    sites: NDArray[Any]
    networks: NDArray[Any]
    doubted: NDArray[Any]


class _Drawn(NamedTuple):
    """Probes by relation: of each account, at each place, everywhere."""

    mine: Int32s
    here: Int64s
    everywhere: Int64s


@inlined
def _share(place: int, home: int, shared: Floats) -> np.uint64:
    """Return the counter of the strangers at a place who are known from another."""
    key = (np.uint64(place) << np.uint64(32)) | np.uint64(home)
    return mixed(key) & np.uint64(shared.size - 1)


@inlined
def _ask(p: int, j: int, rows: _Rows, persons: Records, known: _Levels) -> None:
    """Ask the memory for what will be looked at of a patient: most of it is not in the cache."""
    team, site, network = rows.team[j], rows.site[j], rows.network[j]
    prefetch(persons, np.int64(p))
    if team >= 0:
        prefetch(known.teams, slot_of(team, p, known.teams))
    if site >= 0:
        prefetch(known.sites, slot_of(site, p, known.sites))
    if network >= 0:
        prefetch(known.networks, slot_of(network, p, known.networks))


@inlined
def _relation(
    i: int, p: int, number: int, rows: _Rows, known: _Levels, own: Own, persons: Records,
    places: Seen, strangers: Strangers,
) -> int:  # fmt: skip
    """Return the closest relation between the account of a row and a patient, -1 in doubt."""
    a, now, team, site = rows.account[i], rows.at[i], rows.team[i], rows.site[i]
    place, network, until = rows.place[i], rows.network[i], now - DELAY
    person = persons[p]
    seen = person.before if person.last_by == a else person.last
    idle = 0 if now - seen < DAY else 1
    if has_opened(number, until, own):
        return OWN + idle
    if knows(team, p, a, until, known.teams):
        return TEAM + idle
    if knows(site, p, a, until, known.sites):
        return ORGANISATION + idle
    if knows(network, p, a, until, known.networks):
        return NETWORK
    for owner in (3 * team, 3 * site + 1, 3 * network + 2):
        if knows(owner, p, a, until, known.doubted) and not knows(
            owner, p, a, now - 5 * DAY, known.doubted
        ):
            return -1
    home = person.home
    met = person.home_since <= until
    if met and place >= 0 and home >= 0 and home != place:
        if places.hosts[home] < 0.04 * places.moved[0] and met_others(a, home, now, strangers):
            return HOST
        expected = places.guests[place] * places.hosts[home] / max(places.moved[0], 1.0)
        pair = _share(places.rank[place], places.rank[home], places.shared)
        if places.shared[pair] + 3.0 >= 2.0 * (expected + 3.0):
            return LINKED
    # Of a place that has just opened nobody can say where its patients live: all are from near.
    near = place >= 0 and (person.area >= 0 or home == place)
    if near and home != place and places.totals[place] >= 10:
        key = (np.uint64(place) << np.uint64(32)) | np.uint64(person.area)
        k = found_number(key, places.cells)
        near = k >= 0 and places.counts[k] >= 0.05 * places.totals[place]
    return (LOCAL if met else LOCAL_UNSEEN) if near else (FAR if met else FAR_UNSEEN)


@kernel
def _meet(
    order: Int64s, probed: Int32s, unseen: Floats, muted: Flags, rows: _Rows, known: _Levels,
    counts: _Levels, own: Own, persons: Records, places: Seen, strangers: Strangers,
    drawn: _Drawn, relation: Int8s, chance: Floats, of_own: Floats,
) -> None:  # fmt: skip
    """Relate each unit in order of time, probe, then learn from it."""
    for n in range(order.size):
        if n + _AHEAD < order.size:
            j = order[n + _AHEAD]
            if rows.patient[j] >= 0:
                prefetch(own.opened, np.int64(rows.pair[j]))
                _ask(rows.patient[j], j, rows, persons, known)
            if probed[n + _AHEAD] >= 0:
                _ask(probed[n + _AHEAD], j, rows, persons, known)
        i = order[n]
        p = rows.patient[i]
        if p < 0:
            continue
        a, here = rows.account[i], rows.place[i]
        if rows.area[i] >= 0:
            persons[p].area = rows.area[i]
        if here >= 0 and places.rank[here] < 0:
            places.rank[here] = places.ranked[0]
            places.ranked[0] += 1
        told = here >= 0 and places.totals[here] > 0
        if probed[n] >= 0:
            number = int(pair_of(a, probed[n], own))
            c = _relation(i, probed[n], number, rows, known, own, persons, places, strangers)
            for k in (c, _ALL):
                if c < 0:
                    break
                drawn.mine[a, k] += 1
                drawn.everywhere[0, k] += 1
                drawn.here[here + 1, k] += 1
        c = _relation(i, p, rows.pair[i], rows, known, own, persons, places, strangers)
        if rows.since[i] >= 0 and (c > OWN_IDLE or c < 0):
            c = OWN
        relation[i] = c
        if c >= 0:
            chance[i] = _swept(c, a, here + 1, told, drawn, unseen[n])
        if rows.page[i] != 0:
            of_own[i] = _swept(OWN, a, here + 1, told, drawn, unseen[n])
            of_own[i] += _swept(OWN_IDLE, a, here + 1, told, drawn, unseen[n])
        _place(i, c, rows, persons, places, strangers)
        if rows.opened[i]:
            _tell(i, muted[a], rows, known, counts)
            open_first(rows.pair[i], rows.at[i], own)


@inlined
def _place(
    i: int, c: int, rows: _Rows, persons: Records, places: Seen, strangers: Strangers
) -> None:
    """Learn from a row where its patient is met, and by whom."""
    a, p, here, now = rows.account[i], rows.patient[i], rows.place[i], rows.at[i]
    single = rows.page[i] == 0
    if single and rows.cell[i] >= 0:
        places.counts[rows.cell[i]] += 1.0
        places.totals[here] += 1.0
    person = persons[p]
    person.home_since = min(person.home_since, now)
    if here >= 0:
        h = person.home
        if h < 0:
            person.home = here
        elif single and h != here and person.home_since <= now - DELAY and c >= HOST:
            places.shared[_share(places.rank[here], places.rank[h], places.shared)] += 1.0
            places.guests[here] += 1.0
            places.hosts[h] += 1.0
            places.moved[0] += 1.0
            j = strangers.position[a] % strangers.home.shape[1]
            strangers.home[a, j], strangers.at[a, j] = h, now
            strangers.position[a] += 1
    if person.last_by != a:
        person.before, person.last_by = person.last, a
    person.last = now


@inlined
def _tell(i: int, muted: bool, rows: _Rows, known: _Levels, counts: _Levels) -> None:
    """Let all that an account belongs to know the patient of a row, unless it is muted."""
    a, p, now = rows.account[i], rows.patient[i], rows.at[i]
    team, site, network = rows.team[i], rows.site[i], rows.network[i]
    if muted:
        tell(3 * team, p, a, now, known.doubted, counts.doubted)
        tell(3 * site + 1, p, a, now, known.doubted, counts.doubted)
        tell(3 * network + 2, p, a, now, known.doubted, counts.doubted)
    else:
        tell(team, p, a, now, known.teams, counts.teams)
        tell(site, p, a, now, known.sites, counts.sites)
        tell(network, p, a, now, known.networks, counts.networks)


@inlined
def _swept(c: int, a: int, place: int, told: bool, drawn: _Drawn, unseen: float) -> float:
    """Return the chance of a relation in a sweep: met persons as probed, others as unseen."""
    mine, here, everywhere = drawn.mine[a], drawn.here[place], drawn.everywhere[0]
    whole = (everywhere[c] + 0.5) / (everywhere[_ALL] + 0.5 * _ALL)
    there = (here[c] + _LEAN * whole) / (here[_ALL] + _LEAN)
    seen = (mine[c] + _LEAN * there) / (mine[_ALL] + _LEAN)
    fresh = 0.0
    if c in (LOCAL_UNSEEN, FAR_UNSEEN):
        near = here[LINKED] + here[LOCAL] + here[LOCAL_UNSEEN]
        share = (1.0 + near) / (2.0 + near + here[HOST] + here[FAR] + here[FAR_UNSEEN])
        share = share if told else 0.0  # whom nobody has met is from near by its area alone
        fresh = share if c == LOCAL_UNSEEN else 1.0 - share
    chance: float = (1.0 - unseen) * seen + unseen * fresh + 1e-6
    return chance
