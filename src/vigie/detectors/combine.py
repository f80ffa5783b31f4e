"""All detectors' answers beside each other: one column per hypothesis.

Evidence of different hypotheses is never multiplied: each keeps its own statistic, threshold and
share of the alarm budget.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vigie.detectors.base import Detector, Partition, Ratios
from vigie.timeline.front import END
from vigie.timeline.memory import State


@dataclass(frozen=True, slots=True)
class Evidence:
    """Log ratios and log statistics, shape (units, hypotheses), and the detectors that abstain.

    `floors` are the least levels at which each hypothesis may speak.
    """

    hypotheses: tuple[str, ...]
    ratios: Ratios
    levels: NDArray[np.float64]
    floors: NDArray[np.float64]
    abstaining: tuple[str, ...]


class Panel(State):
    """Asks every detector, and remembers since when the log tells what each hypothesis needs."""

    def __init__(self, detectors: Mapping[str, Detector]) -> None:
        self.detectors = detectors
        every = [(d, name) for d in detectors.values() for name in d.hypotheses]
        self.hypotheses = tuple(name for _, name in every)
        self.floors = np.array([d.floor for d, _ in every], np.float64)
        self._caps = np.array([d.most for d, _ in every], np.float64)
        self.whole = np.isinf(self._caps)
        self.unlike = np.array([name in d.unlike_batches for d, name in every], bool)
        self.shares = np.array([d.share for d, _ in every], np.float64)
        self.since = np.full(len(every), END)

    def remembered(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: detectors are code, not state."""
        return {name: value for name, value in vars(self).items() if name != "detectors"}

    @property
    def heard(self) -> NDArray[np.float64]:
        """Return the share of the budget of each hypothesis, 0 for one that is silent."""
        return np.where(self.since < END, self.shares, 0.0)

    @property
    def abstaining(self) -> tuple[str, ...]:
        """Return the detectors that have heard nothing of what they look at."""
        heard = dict(zip(self.hypotheses, self.since < END, strict=True))
        silent = {n for n, d in self.detectors.items() if not any(heard[h] for h in d.hypotheses)}
        return tuple(sorted(silent))

    def weigh(self, partition: Partition, warm: int) -> Ratios:
        """Return log ratios, shape (units, hypotheses), NaN where a unit says nothing.

        Units before day `warm` say nothing: when a log begins, everybody is a stranger.
        """
        if not self.hypotheses:
            return np.empty((len(partition.units), 0))
        self._hear(partition)
        units = partition.units
        # A hypothesis at a time is written and looked at: each lies in one piece.
        ratios = np.empty((len(self.hypotheses), len(units))).T
        early = units.day < warm
        if early.all():
            ratios[:] = np.nan
            return ratios
        for detector, columns in self._columns():
            if (self.since[columns] < END).any():
                answer = detector.ratios(partition)
                np.minimum(answer, self._caps[columns], out=ratios[:, columns])
            else:
                ratios[:, columns] = np.nan
        for late in np.flatnonzero(self.since > units.at.min()):
            ratios[units.at < self.since[late], late] = np.nan
        if early.any():
            ratios[early] = np.nan
        return ratios

    def _columns(self) -> Iterator[tuple[Detector, slice]]:
        """Yield each detector with the places of its hypotheses."""
        first = 0
        for detector in self.detectors.values():
            yield detector, slice(first, first + len(detector.hypotheses))
            first += len(detector.hypotheses)

    def _hear(self, partition: Partition) -> None:
        """Note since when each hypothesis is told of, asking only of those not told of before."""
        at = partition.units.at
        begin = at.min(initial=END)
        for detector, columns in self._columns():
            if (self.since[columns] > begin).any():
                heard = detector.heard(partition)
                for h in np.flatnonzero(self.since[columns] > begin):
                    told = at[heard[:, h]].min(initial=END)
                    self.since[columns.start + h] = min(self.since[columns.start + h], told)
