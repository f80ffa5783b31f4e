"""Who the owners of accounts are privately, and how they honestly meet their own in the log.

A nurse is somebody's patient, has a husband with a record, and a colleague on the next ward who is
treated where both work. Everything here is drawn with chances of its own and laid beside accesses
that are already there, so that the people, encounters and thefts of a seed stay as they are. The
shares are in `data/kinship.toml`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.records import CARE_KINDS
from vigie.simulate.contexts import IDLE
from vigie.simulate.parameters import Kin, Preset
from vigie.simulate.population import DAY, Flags, Ints, Population
from vigie.simulate.rhythm import HOUR, Calendar, Roster
from vigie.simulate.workflows import Visits
from vigie.simulate.world import CARE, REASONS, STAFF

FIRST: Final = (1 << 39) + (7 << 36)
"""Accesses and sessions added here are numbered from this."""
_ADULTS: Final = (1960, 2004)
_READING: Final = ("search", "open", "list")
_STRANGER, _NEW = REASONS.index("stranger"), REASONS.index("new_patient")


@dataclass(frozen=True, slots=True)
class House:
    """The world around: who works when, and what the log already holds."""

    people: Population
    preset: Preset
    said: Kin
    calendar: Calendar
    roster: Roster
    present: Flags
    honest: Visits


@dataclass(frozen=True, slots=True)
class Met:
    """Openings to be placed: `booked` says which have a care relation, entered beforehand."""

    account: Ints
    local: Ints
    patient: Ints
    reason: Ints
    booked: Flags

    @classmethod
    def joined(cls, parts: list["Met"]) -> "Met":
        """Return the parts one after another, by account and time."""
        columns = [np.concatenate([getattr(p, n) for p in parts]) for n in cls.__slots__]
        order = np.lexsort((columns[1], columns[0]))
        return cls(*(column[order] for column in columns))


def belong(rng: np.random.Generator, people: Population, said: Kin) -> Ints:
    """Return which patient each account's owner is, -1 for one who is none: a grown-up of the same
    surname who lives in the same département."""
    table = people.register.table
    surname = table["surname"].combine_chunks().dictionary_encode()
    area = table["area"].combine_chunks().dictionary_encode()
    years = pc.year(table["birth_date"]).to_numpy()
    grown = np.flatnonzero((years >= _ADULTS[0]) & (years < _ADULTS[1]))
    key = _code(surname) * (len(area.dictionary) + 1) + _code(area)
    grown = grown[np.argsort(key[grown], kind="stable")]
    theirs = pc.index_in(people.accounts["surname"], surname.dictionary).fill_null(-1).to_numpy()
    sites = pc.index_in(people.organisations["area"], area.dictionary).fill_null(-1).to_numpy()
    wanted = theirs.astype(np.int64) * (len(area.dictionary) + 1) + sites[people.organisation]
    first, last = (np.searchsorted(key[grown], wanted, side=side) for side in ("left", "right"))
    place = first + (rng.random(people.size) * (last - first)).astype(np.int64)
    there = (last > first) & (theirs >= 0) & (rng.random(people.size) < said.registered)
    return np.where(there, grown[np.minimum(place, len(grown) - 1)], -1)


def _code(encoded: pa.DictionaryArray) -> Ints:
    codes: Ints = encoded.indices.to_numpy().astype(np.int64)
    return codes


def staff_table(rng: np.random.Generator, people: Population, said: Kin) -> pa.Table:
    """Return the table of staff (world.STAFF), with its gaps."""
    account = np.flatnonzero(people.kind == 0)
    patient = people.owner[account]
    known = rng.random(len(account)) < said.known
    home = rng.random(len(account)) >= said.moved
    columns = account, np.where(known, patient, -1), np.where(home, patient, -1)
    return pa.table([pa.array(column, pa.int32()) for column in columns], schema=STAFF)


def meetings(chances: list[np.random.Generator], house: House) -> tuple[Visits, pa.Table]:
    """Return the visits to be added, and the care relations behind some of them (world.CARE)."""
    parts = [_own(chances[0], house), _relatives(chances[1], house), _treated(chances[2], house)]
    parts.append(_favours(chances[5], house))
    met = Met.joined(parts)
    at = house.calendar.utc(met.local, chances[3])
    return _placed(chances[3], house, met, at), _relations(chances[4], house, met, at)


def _own(rng: np.random.Generator, house: House) -> Met:
    """Some look at their own record."""
    who = np.flatnonzero(house.people.owner >= 0)
    who = who[rng.random(len(who)) < house.said.own_record]
    who = np.repeat(who, 1 + rng.poisson(0.5, len(who)))
    return _when(rng, house, who, house.people.owner[who], _STRANGER, np.zeros(len(who)))


def _relatives(rng: np.random.Generator, house: House) -> Met:
    """Some treat, or look something up for, people at home or of the name nearby."""
    people, said = house.people, house.said
    who = np.flatnonzero(people.owner >= 0)
    who = who[rng.random(len(who)) < said.relatives]
    who = np.repeat(who, 1 + rng.poisson(said.relatives_more, len(who)))
    table = people.register.table
    home = _mates(rng, _code(table["address"].combine_chunks().dictionary_encode()), people, who)
    place = pc.binary_join_element_wise(table["surname"], table["area"], "/").combine_chunks()
    named = _mates(rng, _code(place.dictionary_encode()), people, who)
    whom = np.where(rng.random(len(who)) < said.at_home, home, named)
    kept = np.flatnonzero(whom >= 0)
    return _when(rng, house, who[kept], whom[kept], _STRANGER, np.full(len(kept), said.booked))


def _mates(rng: np.random.Generator, group: Ints, people: Population, who: Ints) -> Ints:
    """Return another patient of each owner's group, -1 where there is none."""
    order = np.argsort(group, kind="stable")
    owner = people.owner[who]
    first, last = (np.searchsorted(group[order], group[owner], side=s) for s in ("left", "right"))
    chosen = order[first + (rng.random(len(who)) * (last - first)).astype(np.int64)]
    return np.where(chosen == owner, -1, chosen)


def _favours(rng: np.random.Generator, house: House) -> Met:
    """Some look something up for a colleague of their unit, at the colleague's wish."""
    people = house.people
    who = np.flatnonzero((rng.random(people.size) < house.said.favours) & (people.kind == 0))
    patients = np.flatnonzero(people.owner >= 0)
    patients = patients[np.argsort(people.team[patients], kind="stable")]
    team = people.team[patients]
    first, last = (np.searchsorted(team, people.team[who], side=s) for s in ("left", "right"))
    kept = np.flatnonzero(last > first)
    mate = patients[(first + rng.random(len(who)) * (last - first)).astype(np.int64)[kept]]
    other = mate != who[kept]
    who, whom = who[kept][other], people.owner[mate[other]]
    more = 1 + rng.poisson(0.5, len(who))
    who, whom = np.repeat(who, more), np.repeat(whom, more)
    return _when(rng, house, who, whom, _STRANGER, np.full(len(who), house.said.asked))


def _treated(rng: np.random.Generator, house: House) -> Met:
    """Some colleagues are treated where they work: a team of the house opens their records."""
    people, said = house.people, house.said
    who = np.flatnonzero(people.owner >= 0)
    who = who[rng.random(len(who)) < said.treated]
    care = np.array([p.style in ("care", "emergency") for p in people.professions])
    carers = np.flatnonzero(care[people.profession] & (people.kind == 0))
    parts = []
    for one in who.tolist():
        here = carers[people.organisation[carers] == people.organisation[one]]
        if not len(here):
            continue
        team = here[people.team[here] == people.team[rng.choice(here)]]
        team = team[team != one]
        if len(team):
            readers = rng.choice(team, 1 + rng.poisson(said.readers))
            entered = np.full(len(readers), float(rng.random() < said.announced))
            whom = np.full(len(readers), people.owner[one])
            first = int(rng.integers(house.calendar.days))
            parts.append(_when(rng, house, readers, whom, _NEW, entered, (first, first + 3)))
    none = np.empty(0, np.int64)
    return Met.joined([Met(none, none, none, none, np.empty(0, bool)), *parts])


def _when(
    rng: np.random.Generator, house: House, who: Ints, whom: Ints, reason: int, booked: np.ndarray,
    days: tuple[int, int] | None = None,
) -> Met:  # fmt: skip
    """Put openings in the owners' working hours, leaving out whoever does not work then."""
    first, last = days or (0, house.calendar.days)
    day = np.minimum(rng.integers(first, last, len(who)), house.calendar.days - 1)
    hour = house.roster.start[who, day] + house.roster.length[who, day] * rng.random(len(who))
    local = day * DAY + (hour * HOUR).astype(np.int64)
    entered = rng.random(len(who)) < booked
    here = np.flatnonzero(house.present[who, day])
    return Met(who[here], local[here], whom[here], np.full(len(here), reason), entered[here])


def _placed(rng: np.random.Generator, house: House, met: Met, at: Ints) -> Visits:
    """Open them in the session that goes on, or in one of their own at the same place."""
    honest, count = house.honest, len(at)
    latest = np.searchsorted(_key(honest.account, honest.at), _key(met.account, at), side="right")
    first = np.searchsorted(honest.account, met.account)
    near = np.clip(latest - 1, np.minimum(first, len(honest.at) - 1), None)
    joins = np.abs(at - honest.at[near]) < IDLE
    flow = rng.choice(_plain(house.preset), count)
    none = np.full(count, -1)
    return Visits(
        met.account, at, honest.organisation[near], honest.unit[near], met.patient, met.reason,
        flow, none, np.where(joins, honest.session[near], FIRST + np.arange(count)),
        honest.network[near], honest.device[near], honest.user_agent[near],
        honest.auth_method[near], none, none, ~joins, np.ones(count), np.zeros(count),
    )  # fmt: skip


def _plain(preset: Preset) -> Ints:
    """Return the workflows that open a record and change nothing."""
    acts = [{step.action for step in flow} for flow in preset.workflows.values()]
    return np.flatnonzero([did <= {*_READING} and "open" in did for did in acts])


def _key(account: Ints, at: Ints) -> Ints:
    """Return one number to order by account and time."""
    return account * (1 << 43) + (at - 1_500_000_000_000_000) % (1 << 43)


def _relations(rng: np.random.Generator, house: House, met: Met, at: Ints) -> pa.Table:
    """Return what was entered: an appointment, the day before, with the house itself."""
    rows = np.flatnonzero(met.booked)
    entered = at[rows] - (rng.uniform(1, 72, len(rows)) * HOUR).astype(np.int64)
    none = np.full(len(rows), -1)
    columns = {
        "record": none, "patient": met.patient[rows],
        "organisation": house.people.organisation[met.account[rows]], "unit": none,
        "account": none, "kind": np.full(len(rows), CARE_KINDS.index("appointment")),
        "valid_from": at[rows] - HOUR // 2, "valid_until": at[rows] + HOUR,
        "recorded_at": entered,
    }  # fmt: skip
    return pa.table([pa.array(columns[f.name]).cast(f.type) for f in CARE], schema=CARE)


def appended(care: pa.Table, more: pa.Table) -> pa.Table:
    """Return the care relations with more, numbered on, by time of entry."""
    numbers = pa.array(np.arange(more.num_rows) + care.num_rows + 1)
    both = pa.concat_tables([care, more.set_column(0, CARE.field("record"), numbers)])
    order = np.argsort(both["recorded_at"].to_numpy(), kind="stable")
    return both.take(pa.array(order)).combine_chunks()
