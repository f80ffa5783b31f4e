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

    `excuses` is what the peers' unusual days explain of each statistic; `levels` are less it.
    `floors` are the least levels at which each hypothesis may speak.
    """

    hypotheses: tuple[str, ...]
    ratios: Ratios
    excuses: NDArray[np.float64]
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
    excusable = np.array([d.excusable for d in speaking.values() for _ in d.hypotheses], bool)
    excuses = _explained(partition, since)[:, None] * excusable
    levels = trace_all(units.bounds, units.step, units.day, ratios) - excuses
    silent = tuple(sorted(set(detectors) - set(speaking)))
    floors = np.array([d.floor for d in speaking.values() for _ in d.hypotheses], np.float64)
    return Evidence(hypotheses, ratios, excuses, levels, floors, silent)


def _explained(partition: Partition, since: int) -> NDArray[np.float64]:
    """Return, in nats, how well the peers' kinds of unusual days explain each account so far.

    The harvest is weighed against "usual or such a day", each as likely as the other beforehand.
    """
    units = partition.units
    ratios = partition.busy_days
    ratios[units.day < since] = np.nan
    benign = trace_all(units.bounds, units.step, units.day, ratios)
    explained: NDArray[np.float64] = np.logaddexp(0, np.logaddexp.reduce(benign, axis=1))
    return explained
