"""Honest bursts: recalls of one's own patients, clean-ups of namesakes, exported lists.

They are rare for each of us and daily for a platform, and look more like theft than most thefts.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vigie.simulate.assignments import Assignment
from vigie.simulate.choosing import Chooser
from vigie.simulate.parameters import Preset
from vigie.simulate.population import DAY, Flags, Floats, Ints, Population
from vigie.simulate.rhythm import HOUR, Roster
from vigie.simulate.staff import Encounters, workflow_of
from vigie.simulate.world import REASONS

_PACE: Final = {"recall": 0.02, "cleanup": 0.04}
"""Per day worked, of those whose task it is: an assumption, like the rates."""
_MONTHLY, _WEEKLY, _EVERY_WEEK = 0.05, 0.22, 0.35
"""Exports per day worked of those who export, and the share of them who do it every week."""


@dataclass(frozen=True, slots=True)
class _Runs:
    """Episodes laid out: each row's account, day, moment, episode and rank in it."""

    account: Ints
    day: Ints
    local: Ints
    episode: Ints
    rank: Ints
    haste: Floats


def episodes(
    streams: list[np.random.Generator], people: Population, preset: Preset, roster: Roster,
    work: Assignment,
) -> Encounters:  # fmt: skip
    """Return every burst of the log."""
    present = roster.present & work.employed
    parts = []
    for name, rng in zip(("recall", "cleanup"), streams, strict=False):
        begun = _begun(rng, people.of(name), _PACE[name], present)
        size = np.exp(rng.normal(4.0, 0.7, len(begun[0]))).astype(np.int64) + 5
        pace = np.exp(rng.normal(2.8, 0.6, len(size)))
        runs = _runs(rng, roster, begun, size, pace)
        patient = (
            _recalled(rng, people, work, runs) if name == "recall" else _walked(rng, people, runs)
        )
        flow = workflow_of(rng, people, preset, runs.account)
        flow = _repeated(rng, preset, runs, flow)
        parts.append(_encounters(people, work, runs, patient, flow, np.full(len(flow), -1)))
    if "export" in preset.workflows:
        parts.append(_exports(streams[2], people, preset, roster, work))
    return Encounters.joined(parts)


def _begun(
    rng: np.random.Generator, rate: Floats, usual: float | Floats, present: Flags
) -> tuple[Ints, Ints]:
    """Return account and day of each episode.

    Where the mean `rate` is below `usual`, a few do it at that pace and the others never: it is
    somebody's task.
    """
    pace = np.maximum(rate, usual)
    tasked = rng.random(len(rate)) < rate / pace
    account, day = np.nonzero(rng.random(present.shape) < (pace * tasked)[:, None] * present)
    return account.astype(np.int64), day.astype(np.int64)


def _runs(
    rng: np.random.Generator, roster: Roster, begun: tuple[Ints, Ints], size: Ints, pace: Floats
) -> _Runs:
    account, day = begun
    begin = roster.start[begun] + rng.random(len(account)) * roster.length[begun]
    episode = np.repeat(np.arange(len(account)), size)
    rank = np.arange(len(episode)) - np.repeat(np.cumsum(size) - size, size)
    gap = pace[episode] * rng.gamma(2.0, 0.5, len(episode))
    passed = np.cumsum(gap)
    passed -= np.repeat(passed[np.cumsum(size) - size], size) if len(size) else passed
    local = day[episode] * DAY + (begin[episode] * HOUR + passed * 1e6).astype(np.int64)
    haste = np.minimum(pace / 25, 1.0)[episode]
    return _Runs(account[episode], day[episode], local, episode, rank, haste)


def _recalled(rng: np.random.Generator, people: Population, work: Assignment, runs: _Runs) -> Ints:
    """Go through one's own patients for a vaccination, an audit, a change of tariff."""
    sequence = work.sequence[runs.account, runs.day]
    boss = people.boss[runs.account]
    sequence = np.where(boss >= 0, people.sequence[boss], sequence)
    return Chooser(rng, people).own(sequence, runs.local / DAY)


def _walked(rng: np.random.Generator, people: Population, runs: _Runs) -> Ints:
    """Walk along the alphabet (doubles) or the patient numbers (the latest records)."""
    register = people.register
    many = int(runs.episode.max()) + 1 if len(runs.episode) else 0
    first = rng.integers(register.size, size=many)[runs.episode]
    step = runs.rank + (rng.random(len(runs.rank)) < 0.3)
    by_number = (rng.random(many) < 0.35)[runs.episode]
    place = (first + step) % register.size
    found: Ints = np.where(by_number, place, register.by_name[place])
    return found


def _repeated(rng: np.random.Generator, preset: Preset, runs: _Runs, flow: Ints) -> Ints:
    """Somebody in a burst mostly does the same thing again: the one that the burst began with."""
    first = flow[np.maximum.accumulate(np.where(runs.rank == 0, np.arange(len(flow)), 0))]
    again = np.where(rng.random(len(flow)) < 0.8, first, flow)
    names = list(preset.workflows)
    quiet = np.array([name not in ("break_glass", "export") for name in names])
    return np.where(quiet[again], again, 0)


def _exports(
    rng: np.random.Generator, people: Population, preset: Preset, roster: Roster, work: Assignment
) -> Encounters:
    """Return lists drawn for coding, management control, quality, a practice's statistics.

    Who exports has a size that is usual for him: a few dozen records, or some thousands.
    """
    present = roster.present & work.employed
    pace = np.where(rng.random(people.size) < _EVERY_WEEK, _WEEKLY, _MONTHLY)
    begun = _begun(rng, people.of("exports"), pace, present)
    one = np.ones(len(begun[0]), np.int64)
    runs = _runs(rng, roster, begun, one, one.astype(np.float64))
    flow = np.full(len(one), list(preset.workflows).index("export"))
    usual = rng.normal(5.2, 1.2, people.size)[begun[0]]
    records = np.exp(rng.normal(usual, 0.8)).astype(np.int64) + 1
    records = np.minimum(records, people.register.size)
    return _encounters(people, work, runs, np.full(len(one), -1), flow, records)


def _encounters(
    people: Population, work: Assignment, runs: _Runs, patient: Ints, flow: Ints, records: Ints
) -> Encounters:
    where = runs.account, runs.day
    reason = np.full(len(flow), REASONS.index("administrative"))
    return Encounters(
        runs.account, runs.local, work.organisation[where], work.unit[where], patient, reason,
        flow, people.boss[runs.account], np.zeros(len(flow), bool), records,
        runs.haste,
    )  # fmt: skip
