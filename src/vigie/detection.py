"""From the table of events to alerts: the one walk, in the same order for every log.

The part of the log before `learn_until` teaches the thresholds; profiles are learnt all along, a
day at a time, each day scored with what was known before it. Days before `_WARM_UP` of the
learning part are scored too coarsely to be shown: nothing is known yet of anyone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa

from vigie import units as units_module
from vigie.alerts import Alert, gather_alerts, raise_alarms
from vigie.config import Settings
from vigie.detectors import DETECTORS, Detector, Partition
from vigie.detectors.calibrate import Thresholds, calibrate
from vigie.detectors.combine import Evidence, gather
from vigie.events import TIME
from vigie.marks import observe
from vigie.profiles import learn_usual
from vigie.relations import RELATIONS
from vigie.trust import Assessment, assess
from vigie.units import DAY, Units, find_units

COLUMNS: Final = (*units_module.COLUMNS, "source", "source_file", "source_line")
"""The waist columns to hand over; of the optional ones, those at hand."""

_LONGEST_LEARNING: Final = 30
_WARM_UP: Final = 0.4
"""Share of the learning part during which profiles are learnt and nothing is judged."""


@dataclass(frozen=True, slots=True)
class Detection:
    """The answer: alerts by gravity, what was looked at, and whether it can be trusted.

    `alerts` hold those of the learning part too, after its warm-up: a thief may have been there
    before the log. `learn_until` separates them.
    """

    alerts: tuple[Alert, ...]
    accounts: int
    days: int
    account_days: int
    trust: Assessment
    learn_until: datetime
    budget: float
    thresholds: Thresholds
    partition: Partition
    evidence: Evidence


def detect(
    events: pa.Table,
    settings: Settings | None = None,
    *,
    learn_until: datetime | None = None,
    quarantined: int = 0,
    lines: int = 0,
    detectors: Mapping[str, Detector] = DETECTORS,
) -> Detection:
    """Look at waist rows, of one or several sources, in any order, and return the alerts.

    `learn_until` defaults to the middle of the log, or its thirtieth day if that is earlier.
    `quarantined` of `lines` are what the readers could not read, for the trust.
    """
    settings = settings or Settings()
    units = find_units(events)
    scene = observe(units)
    first, until, last = _stretch(units, learn_until)
    warm = _warm(first, until)
    partition = Partition(units, scene, learn_usual(units, scene))
    evidence = gather(partition, detectors, warm)
    thresholds = calibrate(
        units, evidence.levels, evidence.floors, partition.usual.group,
        (warm, until), settings.alarm_budget,
    )  # fmt: skip
    alarms = raise_alarms(partition, evidence, thresholds)
    trust = assess(
        events, settings.trust, abstaining=evidence.abstaining,
        calibrated=thresholds.calibrated, quarantined=quarantined, lines=lines,
    )  # fmt: skip
    return Detection(
        alerts=tuple(gather_alerts(events, partition, evidence, alarms)),
        accounts=len(np.unique(units.active[0])),
        days=last - first + 1 if len(units.active[0]) else 0,
        account_days=len(units.active[0]),
        trust=trust,
        learn_until=datetime.fromtimestamp(until * DAY / 1e6, UTC),
        budget=settings.alarm_budget,
        thresholds=thresholds,
        partition=partition,
        evidence=evidence,
    )


def _stretch(units: Units, learn_until: datetime | None) -> tuple[int, int, int]:
    """Return the first day, the day from which nothing teaches thresholds, and the last day."""
    days = units.active[1]
    first, last = (int(days.min()), int(days.max())) if len(days) else (0, 0)
    if learn_until is not None:
        return first, int(learn_until.timestamp() * 1e6) // DAY, last
    return first, first + min((last - first + 1) // 2, _LONGEST_LEARNING), last


def _warm(first: int, until: int) -> int:
    return first + int(_WARM_UP * (until - first))


def explain(detection: Detection, alert: Alert) -> pa.Table:
    """Return the evidence of an alert's account over time, from two days before its first line.

    Columns: `at`, `patient` (a number of this run, not an identifier), `mark` (the relation,
    a key of `relations.RELATIONS`), `evidence` (log10 ratio of this unit), `cumulative` (log10
    statistic after it), `cited` (whether the alert cites it).
    """
    units, evidence = detection.partition.units, detection.evidence
    account = units.accounts.index(alert.account)
    column = evidence.hypotheses.index(alert.hypothesis)
    opened, last = (int(when.timestamp() * 1e6) for when in (alert.opened_at, alert.last_at))
    first = opened - int(alert.observed["seconds"] * 1e6) - 2 * DAY
    mine = (units.account == account) & (units.at >= first) & (units.at <= last + DAY)
    rows = np.flatnonzero(mine & ~np.isnan(evidence.ratios[:, column]))
    marks = detection.partition.scene.marks
    relation = np.maximum(marks["relation"][rows], marks["page"][rows])
    names = np.array([*RELATIONS, "none"], object)
    return pa.table(
        {
            "at": pa.array(units.at[rows]).cast(TIME),
            "patient": pa.array(units.patient[rows]),
            "mark": pa.array(names[relation].tolist(), pa.string()),
            "evidence": pa.array(evidence.ratios[rows, column] / np.log(10)),
            "cumulative": pa.array(evidence.levels[rows, column] / np.log(10)),
            "cited": pa.array((evidence.ratios[rows, column] > 0) & (units.at[rows] <= last)),
        }
    )
