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
from vigie.marks import observe
from vigie.profiles import learn_usual
from vigie.trust import Assessment, assess
from vigie.units import DAY, find_units

COLUMNS: Final = (*units_module.COLUMNS, "source", "source_file", "source_line")
"""The waist columns to hand over; of the optional ones, those at hand."""

_LONGEST_LEARNING: Final = 30
_WARM_UP: Final = 0.4
"""Share of the learning part during which thresholds are not learnt nor alerts shown."""


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
    partition = Partition(units, scene, learn_usual(units, scene))
    evidence = gather(partition, detectors)
    first, until, last = _stretch(partition, learn_until)
    thresholds = calibrate(
        units, evidence.levels, evidence.floors, partition.usual.group,
        (_warm(first, until), until), settings.alarm_budget,
    )  # fmt: skip
    alarms = raise_alarms(partition, evidence, thresholds)
    shown = [a for a in alarms if units.day[a.unit] >= _warm(first, until)]
    trust = assess(
        events, settings.trust, abstaining=evidence.abstaining,
        calibrated=thresholds.calibrated, quarantined=quarantined, lines=lines,
    )  # fmt: skip
    return Detection(
        alerts=tuple(gather_alerts(events, partition, evidence, shown)),
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


def _stretch(partition: Partition, learn_until: datetime | None) -> tuple[int, int, int]:
    """Return the first day, the day from which nothing teaches thresholds, and the last day."""
    days = partition.units.active[1]
    first, last = (int(days.min()), int(days.max())) if len(days) else (0, 0)
    if learn_until is not None:
        return first, int(learn_until.timestamp() * 1e6) // DAY, last
    return first, first + min((last - first + 1) // 2, _LONGEST_LEARNING), last


def _warm(first: int, until: int) -> int:
    return first + int(_WARM_UP * (until - first))
