"""Honest work: whom each account meets, when, why, and in which workflow.

One row here is an *encounter*: one patient for one reason. `workflows` turns it into accesses.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from vigie.simulate import rhythm
from vigie.simulate.parameters import SOURCES, Preset
from vigie.simulate.population import DAY, Floats, Ints, Population, near
from vigie.simulate.rhythm import HOUR, Calendar, Roster
from vigie.simulate.world import REASONS

OWN, TEAM, ORGANISATION, NEW, LOCAL, REGION, ANYWHERE = range(len(SOURCES))
_REASON_OF_SOURCE = np.array(
    [REASONS.index(r) for r in ("own", "team", "team", "new_patient", "stranger", "referral", "stranger")]
)  # fmt: skip
_ON_CALL = np.array([0.08, 0.02, 0.0, 0.05, 0.80, 0.04, 0.01])
_CAMPAIGN = np.array([0.35, 0.05, 0.0, 0.30, 0.28, 0.015, 0.005])


@dataclass(frozen=True, slots=True)
class Encounters:
    """Columns of equal length: `local` µs since the first local midnight, the rest are codes."""

    account: Ints
    local: Ints
    organisation: Ints
    patient: Ints
    reason: Ints
    workflow: Ints
    behalf: Ints

    def take(self, rows: Ints) -> Self:
        """Return these rows."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def joined(cls, parts: list["Encounters"]) -> "Encounters":
        """Return the parts one after another."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where each account works on each day: [account, day]."""

    organisation: Ints
    sequence: Ints
    reason: Ints  # index into REASONS, -1 as usual


def assign(rng: np.random.Generator, people: Population, days: int) -> Assignment:
    """Draw replacements for a week, transfers for good, and new hires.

    One professional in a hundred replaces a colleague elsewhere for a week, one in two hundred
    moves to another organisation for good.
    """
    count = people.size
    shape = (count, days)
    organisation = np.broadcast_to(people.organisation[:, None], shape).copy()
    sequence = np.broadcast_to(people.sequence[:, None], shape).copy()
    reason = np.full(shape, -1)
    host = _colleagues_elsewhere(rng, people)
    lot = rng.random(count)
    person = (people.kind == 0) & (host >= 0)
    for low, high, name in ((0.0, 0.01, "replacement"), (0.01, 0.015, "transfer")):
        for account in np.flatnonzero(person & (lot >= low) & (lot < high)):
            first = int(rng.integers(0, max(days - 5, 1)))
            last = first + 7 if name == "replacement" else days
            where = (account, slice(first, last))
            organisation[where] = people.organisation[host[account]]
            sequence[where] = people.sequence[host[account]]
            reason[where] = REASONS.index(name)
    return Assignment(organisation, sequence, reason)


def _colleagues_elsewhere(rng: np.random.Generator, people: Population) -> Ints:
    """Return for each account another one of its profession in another organisation, else -1."""
    order = np.argsort(people.profession, kind="stable")
    start = np.searchsorted(people.profession[order], people.profession, side="left")
    stop = np.searchsorted(people.profession[order], people.profession, side="right")
    picked = order[start + (rng.random(people.size) * (stop - start)).astype(np.int64)]
    away = people.organisation[picked] != people.organisation
    return np.where(away, picked, -1)


def expected(
    rng: np.random.Generator, people: Population, days: Calendar, roster: Roster
) -> tuple[Floats, Ints]:
    """Return the mean number of encounters of each account and day, and the day's own reason."""
    shape = (people.size, days.days)
    noise = people.of("day_spread")[:, None]
    mean = people.tempo[:, None] * np.exp(noise * rng.standard_normal(shape) - noise**2 / 2)
    reason = np.full(shape, -1)
    for site, first, last, factor, name in _surges(rng, people, days.days):
        here = np.flatnonzero(people.organisation == site)
        mean[here, first:last] *= factor
        reason[here, first:last] = REASONS.index(name)
    duty = rng.random(shape) < people.of("on_call")[:, None]
    reason[duty] = REASONS.index("on_call")
    mean[duty] *= 1.4
    return mean * roster.present, reason


def _surges(
    rng: np.random.Generator, people: Population, days: int
) -> list[tuple[int, int, int, float, str]]:
    """Vaccination days (one in 500 site-days) and outbreaks (one site in 12)."""
    sites = int(people.organisation.max()) + 1
    found = []
    for site in range(sites):
        for day in np.flatnonzero(rng.random(days) < 1 / 500):
            found.append((site, int(day), int(day) + 1, float(rng.uniform(2, 5)), "campaign"))
        if rng.random() < 1 / 12:
            first = int(rng.integers(days))
            last = first + int(rng.integers(4, 12))
            found.append((site, first, last, float(rng.uniform(1.4, 2.2)), "outbreak"))
    return found


class Chooser:
    """Draws patients for encounters, by source."""

    def __init__(self, rng: np.random.Generator, people: Population) -> None:
        self._rng = rng
        self._people = people
        self._by_team = _Groups(people.team)
        self._by_organisation = _Groups(people.organisation)

    def own(self, sequence: Ints, day: Floats) -> Ints:
        """Draw a known patient: of the latest `window`, or chronic and recent ones of a panel."""
        sequences, rng = self._people.sequences, self._rng
        frontier = sequences.frontier(sequence, day)
        window = np.minimum(sequences.window[sequence], frontier)
        share = rng.random(len(sequence))
        recent = frontier - 1 - (np.maximum(window, 1) * share).astype(np.int64)
        chronic = (sequences.known[sequence] * share**2.2).astype(np.int64)
        late = frontier - 1 - (frontier * share**2.5).astype(np.int64)
        panel = np.where(rng.random(len(sequence)) < 0.6, chronic, late)
        place = np.clip(np.where(window > 0, recent, panel), 0, frontier - 1)
        return sequences.patients[sequences.starts[sequence] + place]

    def fresh(self, sequence: Ints, day: Floats) -> Ints:
        """Draw the next patients of a sequence: unknown until now, regular from now on."""
        sequences = self._people.sequences
        place = sequences.frontier(sequence, day) + self._rng.integers(0, 2, len(sequence))
        return sequences.patients[sequences.starts[sequence] + place]

    def colleague(self, account: Ints, day: Floats) -> Ints:
        """Draw a patient of somebody in the same team."""
        return self.own(
            self._people.sequence[self._by_team.member(self._rng, self._people.team[account])], day
        )

    def of_organisation(self, organisation: Ints, day: Floats) -> Ints:
        """Draw a patient of somebody in the same organisation."""
        member = self._by_organisation.member(self._rng, organisation)
        return self.own(self._people.sequence[member], day)

    def nearby(self, organisation: Ints) -> Ints:
        """Draw somebody who lives near."""
        people = self._people
        return near(
            self._rng,
            organisation,
            people.commune_span,
            people.area_span,
            people.register,
            (0.6, 1.0),
        )

    def elsewhere(self, count: int) -> Ints:
        """Draw somebody who lives near another organisation of the platform."""
        sites = len(self._people.commune_span)
        return self.nearby(self._rng.integers(sites, size=count))

    def anyone(self, count: int) -> Ints:
        """Draw somebody."""
        return self._rng.integers(self._people.register.size, size=count)

    def by_source(
        self, source: Ints, account: Ints, organisation: Ints, sequence: Ints, day: Floats
    ) -> Ints:
        """Draw one patient per row from the row's source."""
        patient = np.empty(len(source), np.int64)
        for code in range(len(SOURCES)):
            rows = np.flatnonzero(source == code)
            who, where, whose, when = account[rows], organisation[rows], sequence[rows], day[rows]
            patient[rows] = (
                self.own(whose, when) if code == OWN
                else self.colleague(who, when) if code == TEAM
                else self.of_organisation(where, when) if code == ORGANISATION
                else self.fresh(whose, when) if code == NEW
                else self.nearby(where) if code == LOCAL
                else self.elsewhere(len(rows)) if code == REGION
                else self.anyone(len(rows))
            )  # fmt: skip
        return patient


class _Groups:
    def __init__(self, group: Ints) -> None:
        self._order = np.argsort(group, kind="stable")
        self._starts = np.searchsorted(group[self._order], np.arange(int(group.max()) + 2))

    def member(self, rng: np.random.Generator, group: Ints) -> Ints:
        low, high = self._starts[group], self._starts[group + 1]
        picked = np.minimum(
            low + (rng.random(len(group)) * (high - low)).astype(np.int64), len(self._order) - 1
        )
        found: Ints = self._order[picked]
        return found


def workflow_of(
    rng: np.random.Generator, people: Population, preset: Preset, account: Ints
) -> Ints:
    """Draw the workflow of each encounter by the habits of the account's style."""
    names = list(preset.workflows)
    drawn = np.empty(len(account), np.int64)
    styles = np.array([p.style for p in people.professions])[people.profession]
    for style in set(styles):
        habit = preset.habits.get(str(style), preset.habits[min(preset.habits)])
        weights = np.array([habit.get(name, 0.0) for name in names]).cumsum()
        rows = np.flatnonzero(styles[account] == style)
        share = rng.random(len(rows)) * weights[-1]
        drawn[rows] = np.searchsorted(weights, share, side="right")
    return drawn


def daily_work(
    streams: list[np.random.Generator], people: Population, preset: Preset, days: Calendar,
    roster: Roster, work: Assignment,
) -> Encounters:  # fmt: skip
    """Return every encounter of ordinary days."""
    rng = streams[0]
    mean, why = expected(streams[1], people, days, roster)
    count = rng.poisson(mean)
    cell = np.repeat(np.arange(count.size), count.ravel())
    account, day = np.divmod(cell, days.days)
    local = rhythm.moments(rng, day, roster.start.ravel()[cell], roster.length.ravel()[cell])
    organisation, sequence = work.organisation.ravel()[cell], work.sequence.ravel()[cell]
    moved, special = work.reason.ravel()[cell], why.ravel()[cell]
    source = _sources(streams[2], people, account, special)
    patient = Chooser(streams[3], people).by_source(
        source, account, organisation, sequence, local / DAY
    )
    reason = np.where(moved >= 0, moved, np.where(special >= 0, special, _REASON_OF_SOURCE[source]))
    reason[people.kind[account] == 1] = REASONS.index("service")
    behalf = np.where(rng.random(len(account)) < 0.92, people.boss[account], -1)
    workflow = workflow_of(streams[4], people, preset, account)
    return Encounters(account, local, organisation, patient, reason, workflow, behalf)


def _sources(rng: np.random.Generator, people: Population, account: Ints, special: Ints) -> Ints:
    mixes = np.array([p.mix for p in people.professions])[people.profession]
    mixes = mixes * rng.gamma(
        4.0, 0.25, mixes.shape
    )  # everybody has a share of strangers of his own
    cumulated = (mixes / mixes.sum(1, keepdims=True)).cumsum(1)
    share = rng.random(len(account))
    source = (share[:, None] > cumulated[account][:, :-1]).sum(1)
    for name, mix in (("on_call", _ON_CALL), ("campaign", _CAMPAIGN)):
        rows = np.flatnonzero(special == REASONS.index(name))
        source[rows] = np.searchsorted(mix.cumsum(), share[rows] * mix.sum(), side="right")
    return source


def episodes(
    streams: list[np.random.Generator], people: Population, preset: Preset, days: Calendar,
    roster: Roster, work: Assignment,
) -> Encounters:  # fmt: skip
    """Return honest bursts: recalls of one's own patients and clean-ups of namesakes' records."""
    rng = streams[0]
    chooser = Chooser(streams[1], people)
    parts = []
    for name in ("recall", "cleanup"):
        chance = people.of(name)[:, None] * roster.present
        account, day = np.nonzero(rng.random(chance.shape) < chance)
        size = np.exp(rng.normal(4.0, 0.7, len(account))).astype(np.int64) + 5
        pace = np.exp(rng.normal(2.8, 0.6, len(account)))  # seconds a patient
        begin = roster.start[account, day] + rng.random(len(account)) * roster.length[account, day]
        row = np.repeat(np.arange(len(account)), size)
        step = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
        gap = step * pace[row] * 1e6 * np.exp(0.2 * rng.standard_normal(len(row)))
        local = day[row] * DAY + (begin[row] * HOUR + gap).astype(np.int64)
        who, when = account[row], day[row]
        where = work.organisation[who, when]
        if name == "recall":
            patient = chooser.own(work.sequence[who, when], local / DAY)
        else:
            patient = _namesakes(rng, people, row, step)
        reason = np.full(len(row), REASONS.index("administrative"))
        parts.append(
            Encounters(
                who,
                local,
                where,
                patient,
                reason,
                workflow_of(streams[2], people, preset, who),
                people.boss[who],
            )
        )
    return Encounters.joined(parts)


def _namesakes(rng: np.random.Generator, people: Population, row: Ints, step: Ints) -> Ints:
    """Walk through the alphabet from a random name on, as one who merges doubles does."""
    register = people.register
    first = rng.integers(register.size, size=int(row.max()) + 1 if len(row) else 0)
    found: Ints = register.by_name[(first[row] + step) % register.size]
    return found
