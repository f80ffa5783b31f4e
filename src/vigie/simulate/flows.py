"""Patients who walk through a hospital: emergency room, ward, laboratory, coding.

Without them every department would have patients of its own, and nothing would explain why a
laboratory meets somebody whom the ward admitted yesterday.
"""

from typing import Final

import numpy as np

from vigie.simulate.population import Floats, Ints, Population, Sequences

_RANK: Final = {"emergency": 0, "care": 1, "desk": 2, "counter": 2, "office": 2, "identity": 2,
                "service": 2}  # fmt: skip
_FED: Final = {1: 0.45, 2: 0.7}
"""Share of a department's patients who come from those before it, by rank: an assumption."""


def walk(rng: np.random.Generator, people: Population) -> None:
    """Replace, in place, a share of each department's patients by those of the ones before it.

    A panel (window 0) feeds, but is not fed: people choose their doctor.
    """
    sequences = people.sequences
    styles = np.array([_RANK[p.style] for p in people.professions])[people.profession]
    rank = np.full(len(sequences.starts), max(_RANK.values()))
    np.minimum.at(rank, people.sequence, styles)
    organisation = np.zeros(len(rank), np.int64)
    organisation[people.sequence] = people.organisation
    for level, share in _FED.items():
        for number in np.flatnonzero((rank == level) & (sequences.window > 0)).tolist():
            before = np.flatnonzero((organisation == organisation[number]) & (rank < level))
            if len(before):
                _feed(rng, sequences, number, before, share)


def _feed(
    rng: np.random.Generator, sequences: Sequences, number: int, before: Ints, share: float
) -> None:
    place = np.flatnonzero(rng.random(int(sequences.lengths[number])) < share)
    day = (place - sequences.known[number]) / sequences.growth[number]
    growth = sequences.growth[before]
    feeder = rng.choice(before, len(place), p=growth / growth.sum())
    there = _known_at(rng, sequences, feeder, day - rng.exponential(1.0, len(place)))
    patients = sequences.patients[sequences.starts[feeder] + there]
    sequences.patients[sequences.starts[number] + place] = patients


def _known_at(rng: np.random.Generator, sequences: Sequences, feeder: Ints, day: Floats) -> Ints:
    """Return the rank of whom each feeder met on `day`, or at some time if that is too long ago."""
    rank = sequences.known[feeder] + sequences.growth[feeder] * day
    somewhen = rng.random(len(feeder)) * sequences.known[feeder]
    found: Ints = np.where(rank < 0, somewhen, rank).astype(np.int64)
    return np.minimum(found, sequences.lengths[feeder] - 1)
