"""The table of care relations that a platform keeps beside its log: stays, appointments, orders.

It follows from who is admitted and from honest encounters, with the gaps and errors of a real
table (`data/care.toml`): never from a theft, whose look-ups nobody booked.
"""

from typing import Final

import numpy as np
import pyarrow as pa

from vigie.records import CARE_KINDS
from vigie.simulate import parameters
from vigie.simulate.parameters import Booked, Care, Stays
from vigie.simulate.population import DAY, Flags, Floats, Ints, Population
from vigie.simulate.rhythm import HOUR, Calendar
from vigie.simulate.workflows import Visits
from vigie.simulate.world import CARE, REASONS

MINUTE: Final = HOUR // 60
_LASTS: Final = {"appointment": 20 * MINUTE, "stay": DAY, "prescription": 30 * DAY,
                 "referral": 30 * DAY}  # fmt: skip
_SHARE_OF: Final = {
    "own": "own", "team": "own", "new_patient": "new", "stranger": "stranger", "referral": "far",
    "replacement": "own", "transfer": "own", "campaign": "own", "outbreak": "own",
    "on_call": "on_call",
}  # fmt: skip
"""Which share of `care.toml` each reason takes; administrative work has no relation behind it."""

Columns = dict[str, Ints]


def relations(
    chances: list[np.random.Generator], preset: str, people: Population, calendar: Calendar,
    honest: Visits,
) -> pa.Table:  # fmt: skip
    """Return the table (world.CARE) of a preset, empty where there is none, by time of entry."""
    said = parameters.care(preset)
    if said is None:
        return CARE.empty_table()
    told = chances[0].random(people.organisations.num_rows) < said.organisations
    admitted = _admitting(people, said.stays)
    parts = [_appointments(chances[1], people, said, honest, told, admitted)]
    parts.append(_missed(chances[1], said, parts[0]))
    parts.append(_earlier(chances[2], people, said, calendar, told, admitted))
    if said.stays:
        parts.append(_stays(chances[3], people, said.stays, calendar, said.history))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    joined["patient"] = _mistaken(chances[0], people, said.wrong, joined["patient"])
    order = np.lexsort((joined["patient"], joined["recorded_at"]))
    joined = {name: column[order] for name, column in joined.items()}
    joined["record"] = np.arange(len(order)) + 1
    return pa.table([pa.array(joined[f.name]).cast(f.type) for f in CARE], schema=CARE)


def _admitting(people: Population, stays: Stays | None) -> Flags:
    """Say of each sequence whether it is a department that admits."""
    found = np.zeros(len(people.sequences.starts), bool)
    names = stays.professions if stays else ()
    admits = np.array([name in names for name in people.profession_names])
    found[people.sequence[admits[people.profession]]] = True
    return found & (people.sequences.window > 0)


def _stays(
    rng: np.random.Generator, people: Population, said: Stays, calendar: Calendar, history: float
) -> Columns:
    """Return the stays: a patient comes when he becomes known to a department, and leaves in turn.

    A stay lasts as long as he is among the latest `window`.
    """
    sequences = people.sequences
    member = np.full(len(sequences.starts), -1)
    member[people.sequence] = np.arange(people.size)
    admits = np.flatnonzero(_admitting(people, said))
    sequence = np.repeat(admits, sequences.lengths[admits])
    place = np.arange(len(sequence)) - np.repeat(
        np.cumsum(sequences.lengths[admits]) - sequences.lengths[admits], sequences.lengths[admits]
    )
    arrives = (place - sequences.known[sequence]) / sequences.growth[sequence]
    lasts = sequences.window[sequence] / sequences.growth[sequence]
    kept = (arrives > -history) & (arrives < calendar.days)
    kept &= rng.random(len(kept)) >= said.missing
    sequence, place = sequence[kept], place[kept]
    arrives, lasts = arrives[kept], lasts[kept]
    begin = calendar.start + (arrives * DAY).astype(np.int64)
    host = member[sequence]
    unit = np.where(rng.random(len(host)) < said.wrong_unit, rng.permutation(host), host)
    return _columns(
        sequences.patients[sequences.starts[sequence] + place], people.organisation[host],
        people.unit[unit], np.full(len(host), -1), np.full(len(host), CARE_KINDS.index("stay")),
        begin, begin + (lasts * DAY).astype(np.int64), _admitted(rng, people, said, host, begin),
    )  # fmt: skip


def _admitted(
    rng: np.random.Generator, people: Population, said: Stays, host: Ints, begin: Ints
) -> Ints:
    """Return when each stay was entered: days before, minutes after arrival, or hours."""
    sudden = np.array([p.style == "emergency" for p in people.professions])[people.profession[host]]
    planned = ~sudden & (rng.random(len(host)) < said.planned)
    late = rng.random(len(host)) < said.late
    after = rng.exponential(said.delay * MINUTE, len(host))
    after = np.where(late, rng.uniform(1, 10, len(host)) * HOUR, after)
    ahead = rng.exponential(9 * DAY, len(host))
    entered: Ints = begin + np.where(planned, -ahead, after).astype(np.int64)
    return entered


def _appointments(
    rng: np.random.Generator, people: Population, said: Care, honest: Visits, told: Flags,
    admitted: Flags,
) -> Columns:  # fmt: skip
    """Return what stands behind encounters: one relation per patient, organisation and day."""
    account, behalf = honest.account, honest.behalf
    chance = _shares(people, said)[people.profession[account], honest.reason]
    own = admitted[people.sequence[np.where(behalf >= 0, behalf, account)]]
    usual = np.isin(honest.reason, [REASONS.index(n) for n in ("own", "team", "new_patient")])
    chance = np.where(own & usual, 0.0, chance) * told[honest.organisation]
    day = honest.at // DAY
    cell = (honest.organisation * people.register.size + honest.patient) * 100_000 + day
    _, first = np.unique(cell, return_index=True)
    first = first[honest.patient[first] >= 0]
    rows = first[rng.random(len(first)) < chance[first]]
    kind, begin, entered = _booked(rng, people, said, honest.at[rows], account[rows])
    holder = np.where(behalf[rows] >= 0, behalf[rows], account[rows])
    named = kind == CARE_KINDS.index("appointment")
    return _columns(
        honest.patient[rows], honest.organisation[rows],
        np.full(len(rows), -1), np.where(named, holder, -1), kind, begin,
        begin + _durations(kind), entered,
    )  # fmt: skip


def _shares(people: Population, said: Care) -> Floats:
    """Return the share of encounters with a relation: [profession, reason]."""
    table = np.zeros((len(people.professions), len(REASONS)))
    for row, name in enumerate(people.profession_names):
        booked = said.visits.get(name)
        for reason, share in _SHARE_OF.items() if booked else ():
            table[row, REASONS.index(reason)] = getattr(booked, share)
    return table


def _booked(
    rng: np.random.Generator, people: Population, said: Care, at: Ints, account: Ints
) -> tuple[Ints, Ints, Ints]:
    """Return kind, beginning and moment of entry of the relation behind each encounter."""
    kind, begin = np.zeros(len(at), np.int64), at.copy()
    entered = at.copy()
    for number, name in enumerate(people.profession_names):
        rows = np.flatnonzero(people.profession[account] == number)
        habit = said.visits.get(name)
        if habit and len(rows):
            kind[rows] = CARE_KINDS.index(habit.kind)
            begin[rows], entered[rows] = _moments(rng, habit, at[rows])
    return kind, begin, entered


def _moments(rng: np.random.Generator, habit: Booked, at: Ints) -> tuple[Ints, Ints]:
    """Return when each relation begins and when it was entered, from the moment of the access.

    At a desk half of the work is about other days: appointments to come, some booked just then.
    """
    count = len(at)
    begin = at - (rng.normal(5, 20, count) * MINUTE).astype(np.int64)
    entered = begin - rng.exponential(habit.ahead * DAY, count).astype(np.int64)
    if habit.desk:
        lot = rng.random(count)
        ahead, past = lot < 0.35, lot > 0.85
        begin = np.where(ahead, at + rng.exponential(12 * DAY, count).astype(np.int64), begin)
        begin = np.where(past, at - rng.exponential(4 * DAY, count).astype(np.int64), begin)
        now = ahead & (rng.random(count) < 0.5)
        soon = at + (rng.uniform(0.5, 5, count) * MINUTE).astype(np.int64)
        entered = np.where(now, soon, np.minimum(entered, begin))
        entered = np.where(ahead & ~now, np.minimum(entered, at - DAY), entered)
        return begin, entered
    lot = rng.random(count)
    walked = lot < habit.walk_in
    late = lot > 1 - habit.late
    entered = np.where(walked, at - (rng.uniform(1, 20, count) * MINUTE).astype(np.int64), entered)
    after = at + (rng.uniform(0.05, 8, count) * HOUR).astype(np.int64)
    return begin, np.where(late, after, entered)


def _durations(kind: Ints) -> Ints:
    return np.array([_LASTS.get(name, DAY) for name in CARE_KINDS])[kind]


def _missed(rng: np.random.Generator, said: Care, kept: Columns) -> Columns:
    """Return appointments that nobody came to: patients of the same holder, on other days."""
    order = np.lexsort((rng.random(len(kept["account"])), kept["account"]))
    dates = np.argsort(kept["account"], kind="stable")
    rows = np.flatnonzero(rng.random(len(order)) < said.no_show)
    found = {name: column[dates][rows] for name, column in kept.items()}
    found["patient"] = kept["patient"][order][rows]
    chosen = found["account"] >= 0
    return {name: column[chosen] for name, column in found.items()}


def _earlier(
    rng: np.random.Generator, people: Population, said: Care, calendar: Calendar, told: Flags,
    admitted: Flags,
) -> Columns:  # fmt: skip
    """Return the last relation before the log of those who were known already."""
    shares = _shares(people, said)[people.profession, REASONS.index("own")]
    desk = np.array([n in said.visits and said.visits[n].desk for n in people.profession_names])
    kinds = np.array([
        CARE_KINDS.index(said.visits[n].kind) if n in said.visits else 0
        for n in people.profession_names
    ])  # fmt: skip
    owner = np.full(len(people.sequences.starts), -1)
    able = np.flatnonzero((shares > 0) & ~desk[people.profession] & told[people.organisation])
    owner[people.sequence[able]] = able
    whose = np.flatnonzero((owner >= 0) & ~admitted)
    known = people.sequences.known[whose].astype(np.int64)
    sequence = np.repeat(whose, known)
    place = np.arange(len(sequence)) - np.repeat(np.cumsum(known) - known, known)
    kept = rng.random(len(sequence)) < shares[owner[sequence]]
    sequence, place = sequence[kept], place[kept]
    ago = rng.random(len(sequence)) * said.history * DAY
    begin = calendar.start - HOUR - ago.astype(np.int64)
    holder = owner[sequence]
    kind = kinds[people.profession[holder]]
    named = kind == CARE_KINDS.index("appointment")
    return _columns(
        people.sequences.patients[people.sequences.starts[sequence] + place],
        people.organisation[holder], np.full(len(holder), -1), np.where(named, holder, -1), kind,
        begin, begin + _durations(kind), begin - rng.integers(0, 10 * DAY, len(begin)),
    )  # fmt: skip


def _mistaken(rng: np.random.Generator, people: Population, share: float, patient: Ints) -> Ints:
    """Enter some relations for the next one in the alphabet."""
    register = people.register
    beside = register.by_name[(register.name_rank[patient] + 1) % register.size]
    found: Ints = np.where(rng.random(len(patient)) < share, beside, patient)
    return found


def _columns(
    patient: Ints, organisation: Ints, unit: Ints, account: Ints, kind: Ints, begin: Ints,
    end: Ints, entered: Ints,
) -> Columns:  # fmt: skip
    return {
        "patient": patient, "organisation": organisation, "unit": unit, "account": account,
        "kind": kind, "valid_from": begin, "valid_until": end, "recorded_at": entered,
    }  # fmt: skip
