"""Where people work: replacements, transfers, changes of unit, pools, hires and leavers."""

from dataclasses import dataclass

import numpy as np

from vigie.simulate.choosing import Groups
from vigie.simulate.parameters import Oddities
from vigie.simulate.population import DAY, Flags, Ints, Population
from vigie.simulate.world import REASONS


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where each account works on each day: arrays [account, day]."""

    organisation: Ints
    unit: Ints
    sequence: Ints
    reason: Ints  # index into REASONS, -1 as usual
    employed: Flags
    hired: Ints  # day of the log, -1 before it


def assign(rng: np.random.Generator, people: Population, odd: Oddities, days: int) -> Assignment:
    """Draw who works elsewhere, from when to when."""
    count = people.size
    place = np.broadcast_to(np.arange(count)[:, None], (count, days)).copy()  # whose place
    reason = np.full((count, days), -1)
    lot = rng.random(count)
    person = people.kind == 0
    away = _other(rng, people, people.profession, np.zeros(count, bool))
    inside = _other(rng, people, people.profession * 100_000 + people.organisation, ~person)
    low = 0.0
    for share, name, host in (
        (odd.replacement, "replacement", away),
        (odd.transfer, "transfer", away),
        (odd.change_of_unit, "transfer", inside),
    ):
        chosen = np.flatnonzero(person & (host >= 0) & (lot >= low) & (lot < low + share))
        low += share
        for account in chosen.tolist():
            first = int(rng.integers(0, max(days - 3, 1)))
            last = first + 7 if name == "replacement" else days
            place[account, first:last] = host[account]
            reason[account, first:last] = REASONS.index(name)
    _pool(rng, people, odd, place, reason)
    later = rng.integers(min(1, days - 1), days, (2, count))
    hired = np.where((lot >= 0.9) & (lot < 0.9 + odd.hire), later[0], -1)
    gone = np.where((lot >= 0.95) & (lot < 0.95 + odd.leaver), np.maximum(later[1], 1), days)
    hired, gone = np.where(person, hired, -1), np.where(person, gone, days)
    day = np.arange(days)[None, :]
    employed = (day >= hired[:, None]) & (day < gone[:, None])
    return Assignment(
        people.organisation[place], people.unit[place], people.sequence[place], reason, employed,
        hired,
    )  # fmt: skip


def _other(rng: np.random.Generator, people: Population, group: Ints, refused: Flags) -> Ints:
    """Return for each account another one of its group, in another team, else -1."""
    _, dense = np.unique(group, return_inverse=True)
    drawn = Groups(dense).member(rng, dense)
    elsewhere = people.sequence[drawn] != people.sequence
    return np.where(elsewhere & ~refused & ~refused[drawn], drawn, -1)


def _pool(
    rng: np.random.Generator, people: Population, odd: Oddities, place: Ints, reason: Ints
) -> None:
    """Send the hospital's reserve to another ward at every shift."""
    shifts = np.array([p.rota == "shifts" for p in people.professions])[people.profession]
    reserve = np.flatnonzero(shifts & (people.kind == 0) & (rng.random(people.size) < odd.pool))
    group = people.profession * 100_000 + people.organisation
    _, dense = np.unique(group, return_inverse=True)
    days = place.shape[1]
    host = Groups(dense).member(rng, np.repeat(dense[reserve], days)).reshape(-1, days)
    place[reserve] = host
    moved = people.sequence[host] != people.sequence[reserve][:, None]
    reason[reserve] = np.where(moved, REASONS.index("replacement"), -1)


def hired_at(rng: np.random.Generator, work: Assignment, start: int) -> Ints:
    """Return when each account was opened, µs UTC: before the log for most."""
    before = start - rng.integers(30, 6000, len(work.hired)) * DAY
    return np.where(work.hired >= 0, start + work.hired * DAY, before)
