"""How a patient relates to an account, through accesses older than a delay.

The chance of each relation under a sweep is measured, not assumed: beside every access, the same
question is asked about a patient drawn at random from those met so far (a *probe*). Whatever a
relation means, a sweep meets it that often. What is known is kept between batches of units, in
order of time.
"""

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.front import END
from vigie.kernels import kernel, prefetch
from vigie.knowledge import NEVER, Knowledge, knows, slot_of, tell
from vigie.numbering import Codes, Numbers, State, found_number, grown, mixed
from vigie.places import Places
from vigie.units import DAY, Units

Marks = NDArray[np.int8]
Values = NDArray[np.float64]

DELAY: Final = DAY // 24
"""A patient is known to a team, an organisation or a place through accesses older than this."""

UNSEEN: Final = (0.1, 0.4)
"""Share of a register that no access in the log has shown yet, at least and at most: a sweep meets
such persons too. Twice what is estimated by how many were met once and how many twice, which is a
lower bound (A. Chao, Scandinavian Journal of Statistics 11, 1984), and no less than `_OPEN` times
the share of accesses of late that meet somebody new to all: a register that grows is large."""
_OPEN: Final = 4.0
_LATELY: Final = 1 / 2000

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
_STRANGERS: Final = 16
"""How many of the strangers an account met last are remembered."""
_ALL: Final = len(RELATIONS)
"""Beside the counts of probes by relation, where all are counted."""
_AHEAD: Final = 8
"""Units between asking for what is known of one and looking at it."""
_LEAN: Final = 30.0
"""Probes at which an account counts as much as its place, and that as much as everywhere."""


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
            for kind, name in enumerate(_LEVELS[1:]):
                self.known[name].forget(times, self.doubted, len(_LEVELS) - 1, kind)
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
        count, patients, places = len(units), self.patients, self.places
        cell = places.number(place, units.text["area"])
        relation = np.full(count, -1, np.int8)
        chance, own = np.ones(count), np.ones(count)
        probed, unseen = np.full(count, -1, np.int32), np.empty(count)
        _draw(units.order, units.patient, units.page, patients.persons, patients.met,
              patients.counts, patients.fresh, *UNSEEN, probed, unseen)  # fmt: skip
        _meet(
            units.order, probed, *self._owners(units), place, cell, units.patient, units.at,
            units.since, units.page, units.text["area"],
            units.action != ACTIONS.index("search"), self.muted, DELAY, unseen, _LEAN,
            *(each for name in _LEVELS for each in self.known[name].room(count)),
            *self.doubted.room(3 * count if self.muted.any() else 0),
            patients.persons,
            places.cells.slots, places.counts, places.totals,
            places.shared, places.rank, places.ranked, places.guests, places.hosts, places.moved,
            self._strangers, self._met, self._position,
            self._drawn, self._drawn_at, self._drawn_in_all, relation, chance, own,
        )  # fmt: skip
        return relation, chance, own

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
def _ask(p, owner, team, site, network, persons, own, teams, sites, networks):  # type: ignore[no-untyped-def]
    """Ask the memory for what will be looked at of a patient: most of it is not in the cache."""
    prefetch(persons, np.int64(p))
    prefetch(own, slot_of(owner, p, own))
    if team >= 0:
        prefetch(teams, slot_of(team, p, teams))
    if site >= 0:
        prefetch(sites, slot_of(site, p, sites))
    if network >= 0:
        prefetch(networks, slot_of(network, p, networks))


@numba.njit(inline="always")
def _relation(  # type: ignore[no-untyped-def]
    a, p, place, now, team, site, network, own, teams, sites, networks, doubted, persons,
    cell_slots, cell_counts, totals, shared, rank, guests, hosts, moved,
    strangers, met, delay,
):  # fmt: skip
    """Return the closest relation that holds between an account and a patient, -1 in doubt."""
    day, until = 86_400_000_000, now - delay
    person = persons[p]
    seen = person.before if person.last_by == a else person.last
    idle = 0 if now - seen < day else 1
    if knows(a, p, -2, until, own):
        return idle
    if knows(team, p, a, until, teams):
        return 2 + idle
    if knows(site, p, a, until, sites):
        return 4 + idle
    if knows(network, p, a, until, networks):
        return 7
    for owner in (3 * team, 3 * site + 1, 3 * network + 2):
        if knows(owner, p, a, until, doubted) and not knows(owner, p, a, now - 5 * day, doubted):
            return -1
    home = person.home
    known = person.home_since <= until
    if known and place >= 0 and home >= 0 and home != place:
        if hosts[home] < 0.04 * moved[0]:
            matches = 0
            for j in range(strangers.shape[1]):
                if strangers[a, j] == home and now - met[a, j] < 10 * day:
                    matches += 1
            if matches >= 2:
                return 8
        expected = guests[place] * hosts[home] / max(moved[0], 1.0)
        if shared[_share(rank[place], rank[home], shared)] + 3.0 >= 2.0 * (expected + 3.0):
            return 9
    # Of a place that has just opened nobody can say where its patients live: all are from near.
    near = place >= 0 and (person.area >= 0 or home == place)
    if near and home != place and totals[place] >= 10:
        k = found_number((np.uint64(place) << np.uint64(32)) | np.uint64(person.area), cell_slots)
        near = k >= 0 and cell_counts[k] >= 0.05 * totals[place]
    return (10 if known else 11) if near else (12 if known else 13)


@kernel
def _draw(order, patient, page, persons, met, counts, fresh, least, most, probed, unseen):  # type: ignore[no-untyped-def]
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


@kernel
def _meet(  # type: ignore[no-untyped-def]
    order, probed, account, team, site, network, place, cell, patient, at, since, page, areas,
    opened, muted, delay, unseen, lean,
    own, own_count, teams, teams_count, sites, sites_count, networks, networks_count, doubted,
    doubted_count, persons,
    cell_slots, cell_counts, totals,
    shared, rank, ranked, guests, hosts, moved,
    strangers, met, position,
    drawn, drawn_at, drawn_in_all, relation, chance, of_own,
):  # fmt: skip
    """Relate each unit in order of time, probe, then learn from it."""
    for n in range(order.size):
        if n + _AHEAD < order.size:
            j = order[n + _AHEAD]
            if patient[j] >= 0:
                _ask(patient[j], account[j], team[j], site[j], network[j], persons, own, teams,
                     sites, networks)  # fmt: skip
            if probed[n + _AHEAD] >= 0:
                _ask(probed[n + _AHEAD], account[j], team[j], site[j], network[j], persons, own,
                     teams, sites, networks)  # fmt: skip
        i = order[n]
        p = patient[i]
        if p < 0:
            continue
        a, here, now = account[i], place[i], at[i]
        if areas[i] >= 0:
            persons[p].area = areas[i]
        if here >= 0 and rank[here] < 0:
            rank[here] = ranked[0]
            ranked[0] += 1
        single = page[i] == 0
        told = here >= 0 and totals[here] > 0
        if probed[n] >= 0:
            c = _relation(
                a, probed[n], here, now, team[i], site[i], network[i], own, teams, sites,
                networks, doubted, persons, cell_slots, cell_counts, totals, shared, rank, guests,
                hosts, moved, strangers, met, delay,
            )  # fmt: skip
            for k in (c, _ALL):
                if c < 0:
                    break
                drawn[a, k] += 1
                drawn_in_all[0, k] += 1
                drawn_at[here + 1, k] += 1
        c = _relation(
            a, p, here, now, team[i], site[i], network[i], own, teams, sites, networks, doubted,
            persons, cell_slots, cell_counts, totals, shared, rank, guests, hosts, moved, strangers,
            met, delay,
        )  # fmt: skip
        if since[i] >= 0 and (c > 1 or c < 0):
            c = 0
        relation[i] = c
        if c >= 0:
            chance[i] = _swept(c, a, here + 1, told, drawn, drawn_at, drawn_in_all, unseen[n], lean)
        if not single:
            of_own[i] = _swept(0, a, here + 1, told, drawn, drawn_at, drawn_in_all, unseen[n], lean)
            of_own[i] += _swept(
                1, a, here + 1, told, drawn, drawn_at, drawn_in_all, unseen[n], lean
            )
        # From here on the patient is known.
        if single and cell[i] >= 0:
            cell_counts[cell[i]] += 1.0
            totals[here] += 1.0
        person = persons[p]
        person.home_since = min(person.home_since, now)
        if here >= 0:
            h = person.home
            if h < 0:
                person.home = here
            elif single and h != here and person.home_since <= now - delay and c >= 8:
                shared[_share(rank[here], rank[h], shared)] += 1.0
                guests[here] += 1.0
                hosts[h] += 1.0
                moved[0] += 1.0
                j = position[a] % strangers.shape[1]
                strangers[a, j], met[a, j] = h, now
                position[a] += 1
        if person.last_by != a:
            person.before, person.last_by = person.last, a
        person.last = now
        if opened[i]:
            tell(a, p, a, now, own, own_count)
            if muted[a]:
                tell(3 * team[i], p, a, now, doubted, doubted_count)
                tell(3 * site[i] + 1, p, a, now, doubted, doubted_count)
                tell(3 * network[i] + 2, p, a, now, doubted, doubted_count)
            else:
                tell(team[i], p, a, now, teams, teams_count)
                tell(site[i], p, a, now, sites, sites_count)
                tell(network[i], p, a, now, networks, networks_count)


@numba.njit(inline="always")
def _swept(c, a, place, told, mine, here, everywhere, unseen, lean):  # type: ignore[no-untyped-def]
    """Return the chance of a relation in a sweep: met persons as probed, others as unseen."""
    whole = (everywhere[0, c] + 0.5) / (everywhere[0, _ALL] + 0.5 * _ALL)
    there = (here[place, c] + lean * whole) / (here[place, _ALL] + lean)
    seen = (mine[a, c] + lean * there) / (mine[a, _ALL] + lean)
    fresh = 0.0
    if c == 11 or c == 13:
        near = here[place, 9] + here[place, 10] + here[place, 11]
        share = (1.0 + near) / (2.0 + near + here[place, 8] + here[place, 12] + here[place, 13])
        share = share if told else 0.0  # whom nobody has met is from near by its area alone
        fresh = share if c == 11 else 1.0 - share
    return (1.0 - unseen) * seen + unseen * fresh + 1e-6
