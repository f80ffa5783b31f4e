"""All detectors' answers beside each other: one column per hypothesis.

Evidence of different hypotheses is never multiplied: each keeps its own statistic, threshold and
share of the alarm budget.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vigie.detectors.base import Detector, Partition, Ratios
from vigie.detectors.kernel import trace_all


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


def gather(partition: Partition, detectors: Mapping[str, Detector], since: int = 0) -> Evidence:
    """Ask every detector, and run the sequential statistic of each hypothesis.

    Units before day `since` say nothing: when a log begins, everybody is a stranger.
    """
    speaking = {name: d for name, d in detectors.items() if not d.silent(partition)}
    hypotheses = tuple(h for detector in speaking.values() for h in detector.hypotheses)
    columns = [detector.ratios(partition) for detector in speaking.values()]
    ratios = np.concatenate(columns, axis=1) if columns else np.empty((len(partition.units), 0))
    units = partition.units
    ratios[units.day < since] = np.nan
    caps = np.array([d.most for d in speaking.values() for _ in d.hypotheses], np.float64)
    ratios = np.minimum(ratios, caps)
    levels = trace_all(units.bounds, units.step, units.day, ratios)
    silent = tuple(sorted(set(detectors) - set(speaking)))
    floors = np.array([d.floor for d in speaking.values() for _ in d.hypotheses], np.float64)
    return Evidence(hypotheses, ratios, levels, floors, silent)
