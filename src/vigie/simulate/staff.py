"""Honest work on ordinary days: how many encounters, when, with whom, in which workflow.

One row here is an *encounter*: one patient for one reason. `workflows` turns it into accesses.
"""

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.simulate import rhythm
from vigie.simulate.assignments import Assignment
from vigie.simulate.choosing import LOCAL, NEW, OWN, Chooser, Groups
from vigie.simulate.parameters import Oddities, Preset
from vigie.simulate.population import DAY, Flags, Floats, Ints, Population
from vigie.simulate.rhythm import HOUR, Roster
from vigie.simulate.world import REASONS

_REASON_OF_SOURCE: Final = np.array([REASONS.index(name) for name in (
    "own", "team", "team", "new_patient", "stranger", "referral", "stranger")])  # fmt: skip
MIXES: Final = {
    "on_call": np.array([0.08, 0.02, 0.0, 0.05, 0.80, 0.04, 0.01]),
    "campaign": np.array([0.35, 0.05, 0.0, 0.30, 0.28, 0.015, 0.005]),
    "outbreak": np.array([0.62, 0.06, 0.02, 0.17, 0.12, 0.007, 0.003]),
}
"""Chances of the sources on days of their own."""


@dataclass(frozen=True, slots=True)
class Encounters:
    """Columns of equal length: `local` µs since the first local midnight, the rest are codes."""

    account: Ints
    local: Ints
    organisation: Ints
    unit: Ints
    patient: Ints
    reason: Ints
    workflow: Ints
    behalf: Ints
    home: Flags
    records: Ints  # of an export, else -1
    haste: Floats  # factor on the delays between the requests of a workflow

    def take(self, rows: Ints) -> Self:
        """Return these rows."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def joined(cls, parts: list["Encounters"]) -> "Encounters":
        """Return the parts one after another."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


def expected(
    rng: np.random.Generator, people: Population, odd: Oddities, roster: Roster, work: Assignment
) -> tuple[Floats, Ints]:
    """Return the mean number of encounters of each account and day, and the day's own reason."""
    shape = roster.present.shape
    noise = people.of("day_spread")[:, None]
    mean = people.tempo[:, None] * np.exp(noise * rng.standard_normal(shape) - noise**2 / 2)
    reason = np.full(shape, -1)
    care = np.array(
        [p.style in ("care", "counter", "emergency", "desk") for p in people.professions]
    )
    for site, first, last, factor, name in _surges(rng, people, odd, shape[1]):
        here = np.flatnonzero((people.organisation == site) & care[people.profession])
        mean[here, first:last] *= factor
        reason[here, first:last] = REASONS.index(name)
    duty = rng.random(shape) < people.of("on_call")[:, None]
    reason[duty] = REASONS.index("on_call")
    mean[duty] *= 1.4
    return mean * (roster.present & work.employed), reason


def _surges(
    rng: np.random.Generator, people: Population, odd: Oddities, days: int
) -> list[tuple[int, int, int, float, str]]:
    """Return site, first and last day, factor and reason of campaigns and outbreaks."""
    found = []
    for site in range(int(people.organisation.max()) + 1):
        for day in np.flatnonzero(rng.random(days) < odd.campaign).tolist():
            found.append((site, day, day + 1, float(rng.uniform(2, 5)), "campaign"))
        if rng.random() < odd.outbreak:
            first = int(rng.integers(days))
            last = first + int(rng.integers(4, 12))
            found.append((site, first, last, float(rng.uniform(1.4, 2.2)), "outbreak"))
    return found


def workflow_of(
    rng: np.random.Generator, people: Population, preset: Preset, account: Ints
) -> Ints:
    """Draw the workflow of each encounter by the habits of the account's style."""
    names = list(preset.workflows)
    drawn = np.empty(len(account), np.int64)
    styles = np.array([p.style for p in people.professions])[people.profession]
    for style in sorted(set(styles.tolist())):
        habit = preset.habits.get(style, preset.habits[min(preset.habits)])
        weights = np.array([habit.get(name, 0.0) for name in names]).cumsum()
        rows = np.flatnonzero(styles[account] == style)
        share = rng.random(len(rows)) * weights[-1]
        drawn[rows] = np.searchsorted(weights, share, side="right")
    return drawn


def daily_work(
    streams: list[np.random.Generator], people: Population, preset: Preset, odd: Oddities,
    roster: Roster, work: Assignment,
) -> Encounters:  # fmt: skip
    """Return every encounter of ordinary days."""
    days = roster.present.shape[1]
    mean, why = expected(streams[1], people, odd, roster, work)
    cell = np.repeat(np.arange(mean.size), streams[0].poisson(mean).ravel())
    account, day = np.divmod(cell, days)
    start, length = roster.start.ravel()[cell], roster.length.ravel()[cell]
    local, home = _evenings(
        streams[0], people, account, day, rhythm.moments(streams[0], day, start, length)
    )
    local, home = _nights(streams[6], people, account, day, local, home)
    organisation, moved = work.organisation.ravel()[cell], work.reason.ravel()[cell]
    source = _sources(streams[2], people, account, why.ravel()[cell])
    workflow = workflow_of(streams[4], people, preset, account)
    source = _emergencies(preset, workflow, source, streams[2])
    boss = _bosses(streams[5], people, account)
    at_home = organisation == people.organisation[account]
    behalf = np.where((boss >= 0) & at_home, boss, -1)
    sequence = np.where(behalf >= 0, people.sequence[behalf], work.sequence.ravel()[cell])
    patient = Chooser(streams[3], people).by_source(
        source, account, organisation, sequence, local / DAY
    )
    reason = _reasons(people, account, source, moved, why.ravel()[cell])
    behalf = np.where(streams[5].random(len(account)) < 0.92, behalf, -1)
    none = np.full(len(account), -1)
    return Encounters(
        account, local, organisation, work.unit.ravel()[cell], patient, reason, workflow, behalf,
        home, none, np.ones(len(account)),
    )  # fmt: skip


def _evenings(
    rng: np.random.Generator, people: Population, account: Ints, day: Ints, local: Ints
) -> tuple[Ints, Flags]:
    """Move some of the work to the evening, at home; it comes on some evenings, not on all."""
    share = people.of("evening")[account]
    busy = rng.random((people.size, int(day.max()) + 1 if len(day) else 1)) < 0.4
    home = (rng.random(len(account)) < share * 2.5) & busy[account, day]
    late = 19.0 + 4.2 * rng.beta(1.6, 2.2, len(account))
    return np.where(home, day * DAY + (late * HOUR).astype(np.int64), local), home


def _nights(
    rng: np.random.Generator, people: Population, account: Ints, day: Ints, local: Ints, home: Flags
) -> tuple[Ints, Flags]:
    """Move half of some days' work into the night after, in hospitals only: a doctor on call."""
    wards = pc.is_in(people.organisations["kind"], pa.array(["hospital", "clinic"])).to_numpy()
    share = people.of("nights") * wards[people.organisation]
    duty = rng.random((people.size, int(day.max()) + 1 if len(day) else 1)) < share[:, None]
    moved = duty[account, day] & (rng.random(len(account)) < 0.5)
    hour = 18.5 + 13.5 * rng.beta(1.0, 1.4, len(account))
    return np.where(moved, day * DAY + (hour * HOUR).astype(np.int64), local), home & ~moved


def _reasons(people: Population, account: Ints, source: Ints, moved: Ints, special: Ints) -> Ints:
    reason = np.where(moved >= 0, moved, np.where(special >= 0, special, _REASON_OF_SOURCE[source]))
    return np.where(people.kind[account] == 1, REASONS.index("service"), reason)


def _bosses(rng: np.random.Generator, people: Population, account: Ints) -> Ints:
    """Return whom each secretary's encounter is for: mostly her usual doctor."""
    colleague = Groups(people.team, people.doctors).member(rng, people.team[account])
    usual = people.boss[account]
    other = (rng.random(len(account)) < 0.4) & (colleague >= 0)
    return np.where(usual < 0, -1, np.where(other, colleague, usual))


def _emergencies(preset: Preset, workflow: Ints, source: Ints, rng: np.random.Generator) -> Ints:
    """Nobody breaks the glass for a patient of his own."""
    names = list(preset.workflows)
    if "break_glass" not in names:
        return source
    broken = (workflow == names.index("break_glass")) & ((source == OWN) | (source == NEW))
    return np.where(broken, np.where(rng.random(len(source)) < 0.6, LOCAL, 2), source)


def mixes(rng: np.random.Generator, people: Population) -> Floats:
    """Return each account's chances of the sources: everybody's share of strangers is his own."""
    shares = np.array([p.mix for p in people.professions])[people.profession]
    shares = shares * rng.gamma(4.0, 0.25, shares.shape)
    drawn: Floats = shares / shares.sum(1, keepdims=True)
    return drawn


def _sources(rng: np.random.Generator, people: Population, account: Ints, special: Ints) -> Ints:
    cumulated = mixes(rng, people).cumsum(1)
    share = rng.random(len(account))
    source: Ints = (share[:, None] > cumulated[account][:, :-1]).sum(1)
    for name, mix in MIXES.items():
        rows = np.flatnonzero(special == REASONS.index(name))
        source[rows] = np.searchsorted(mix.cumsum(), share[rows] * mix.sum(), side="right")
    return source
