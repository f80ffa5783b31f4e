"""From the table of events to alerts: a whole log through the stream of `stream`.

The part of the log before `learn_until` teaches the thresholds; profiles are learnt all along, a
day at a time, each day scored with what was known before it. Days before the warm-up of the
learning part are scored too coarsely to be shown: nothing is known yet of anyone.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from vigie.alerts.watch import Alert, gravest_first
from vigie.config import Settings
from vigie.context.acquaintance import Staff
from vigie.context.care import Care
from vigie.context.marks import Observer, Scene
from vigie.detectors import DETECTORS, Detector, Partition
from vigie.detectors.calibrate import Thresholds
from vigie.detectors.combine import Evidence
from vigie.detectors.hindsight import Keeping, Seen
from vigie.detectors.kernel import trace_all
from vigie.events import SCHEMA
from vigie.stream import LONGEST_LEARNING, Stream
from vigie.timeline import units as units_module
from vigie.timeline.front import END, key_numbers
from vigie.timeline.units import DAY, find_units, join_units
from vigie.trust import Assessment, Inspection, Inspector, assess, conclude, inspect
from vigie.usual.honest import Honest, Reasons
from vigie.usual.profiles import Habits, Usual

COLUMNS: Final = (*units_module.COLUMNS, "source", "source_file", "source_line")
"""The waist columns to hand over; of the optional ones, those at hand. With a table of staff,
`acquaintance.KEYED` too."""

_SLICE: Final = 1 << 18
"""Events fed to the stream in one go, at least."""


@dataclass(frozen=True)
class Detection:
    """The answer: alerts by gravity, what was looked at, and whether it can be trusted.

    `alerts` hold those of the learning part too, after its warm-up: a thief may have been there
    before the log. `learn_until` separates them. `partition` and `evidence` are put together from
    the batches that were looked at when they are first asked for.
    """

    alerts: tuple[Alert, ...]
    accounts: int
    days: int
    account_days: int
    trust: Assessment
    learn_until: datetime
    budgets: tuple[float, ...]
    thresholds: Thresholds
    stream: Stream

    @property
    def budget(self) -> float:
        """Return the alarm budget, in false alerts of any level per 10,000 account-days."""
        return self.budgets[0]

    @cached_property
    def partition(self) -> Partition:
        """Return all units, by account and time, with their marks and what was usual."""
        return join_partitions([seen.partition for seen in self.stream.kept])

    @cached_property
    def evidence(self) -> Evidence:
        """Return the evidence of all units, its statistic running on through alarms."""
        return self._evidence(self.stream.kept, self.partition)

    def of(self, accounts: Collection[str]) -> tuple[Partition, Evidence]:
        """Return the units of some accounts, and their evidence."""
        names = self.stream.reader.words["account"].words
        wanted = {code for code, name in enumerate(names) if name in accounts}
        kept = list(self.stream.kept.of(wanted))
        partition = join_partitions([seen.partition for seen in kept])
        return partition, self._evidence(kept, partition)

    def _evidence(self, kept: Iterable[Seen], partition: Partition) -> Evidence:
        units, panel = partition.units, self.stream.panel
        parts = [(seen.partition.units.account, seen.ratios) for seen in kept]
        ratios = np.empty((0, len(panel.hypotheses)))
        if parts:
            order = np.argsort(np.concatenate([account for account, _ in parts]), kind="stable")
            ratios = np.concatenate([ratios for _, ratios in parts])[order]
        levels = trace_all(units.bounds, units.step, units.day, ratios)
        return Evidence(panel.hypotheses, ratios, levels, panel.floors, panel.abstaining)


def detect(
    events: pa.Table,
    settings: Settings | None = None,
    *,
    learn_until: datetime | None = None,
    quarantined: int = 0,
    lines: int = 0,
    detectors: Mapping[str, Detector] = DETECTORS,
    care: pa.Table | None = None,
    staff: pa.Table | None = None,
) -> Detection:
    """Look at waist rows, of one or several sources, in any order, and return the alerts.

    `learn_until` defaults to the middle of the log, or its thirtieth day if that is earlier.
    `quarantined` of `lines` are what the readers could not read, for the trust. `care` is a table
    of `records.CARE`: what it announces is not strange. `staff` is one of `records.STAFF`: whose
    the accounts are.
    """
    settings = settings or Settings()
    at = _times(events)
    pause = int(2e6 * settings.link_within_seconds)
    span = (int(at.min()), int(at.max())) if len(at) else None
    # Inspected whole, for the rows may be in any order.
    with ThreadPoolExecutor(1) as pool:
        shown = pool.submit(inspect, events, settings.trust, pause // 2)
        return detect_slices(
            _slices(events, at, pause), span, settings, learn_until=learn_until, lines=lines,
            quarantined=quarantined, detectors=detectors, care=care, staff=staff,
            shown=shown.result,
        )  # fmt: skip


def detect_slices(
    slices: Iterable[tuple[pa.Table, int]],
    span: tuple[int, int] | None,
    settings: Settings,
    *,
    learn_until: datetime | None = None,
    quarantined: int = 0,
    lines: int = 0,
    detectors: Mapping[str, Detector] = DETECTORS,
    care: pa.Table | None = None,
    staff: pa.Table | None = None,
    keep: bool | Keeping = True,
    shown: Callable[[], Inspection] | None = None,
) -> Detection:
    """Look at waist rows slice by slice, each with the time before which nothing more is to come.

    `span` holds the first and the last moment (µs) of the log, `keep` says where what was seen is
    kept, `shown` gives what an inspection of the events showed; without it slices are inspected as
    they go by, and must then come in order of time. See `detect` for the rest.
    """
    known = None if care is None else Care.of(care, key_numbers(care.column("patient")))
    first, until, last = _stretch(span, learn_until)
    stream = Stream(
        settings, learn_until=_midnight(until), detectors=detectors, keep=keep, care=known,
        staff=None if staff is None else Staff.of(staff),
    )  # fmt: skip
    seen = Inspector(stream.reader.words)
    stream.inspector = None if shown else seen
    alerts = [*stream.feed_all(slices), *stream.finish()]
    thresholds = stream.thresholds
    assert thresholds is not None
    within = stream.front.within
    inspection = shown() if shown else conclude(seen, settings.trust, within)
    trust = assess(
        inspection, settings.trust, abstaining=stream.panel.abstaining,
        calibrated=thresholds.calibrated, judged=not stream.active or last >= stream.warm,
        quarantined=quarantined, lines=lines, late=stream.late,
    )  # fmt: skip
    return Detection(
        alerts=gravest_first(alerts),
        accounts=len(stream.reader.words["account"]),
        days=last - first + 1 if stream.active else 0,
        account_days=sum(stream.active.values()),
        trust=trust,
        learn_until=_midnight(until),
        budgets=settings.budgets,
        thresholds=thresholds,
        stream=stream,
    )


def _times(events: pa.Table) -> np.ndarray:
    return np.asarray(events.column("at").cast(pa.int64()).to_numpy())


def _stretch(span: tuple[int, int] | None, learn_until: datetime | None) -> tuple[int, int, int]:
    """Return the first day, the day from which nothing teaches thresholds, and the last day."""
    first, last = (span[0] // DAY, span[1] // DAY) if span else (0, 0)
    if learn_until is not None:
        return first, int(learn_until.timestamp() * 1e6) // DAY, last
    return first, first + min((last - first + 1) // 2, LONGEST_LEARNING), last


def _midnight(day: int) -> datetime:
    return datetime.fromtimestamp(day * DAY / 1e6, UTC)


def _slices(events: pa.Table, at: np.ndarray, pause: int) -> Iterator[tuple[pa.Table, int]]:
    """Cut a log where everything before is earlier than everything after, with that time.

    Better where nothing happens for a `pause`, so that nothing need be held over.
    """
    latest = np.maximum.accumulate(at)
    earliest = np.minimum.accumulate(at[::-1])[::-1]
    apart = earliest[1:] - latest[:-1]
    cuts = np.flatnonzero(apart > 0) + 1
    pauses = np.flatnonzero(apart > pause) + 1
    start = 0
    while start < len(at):
        near = pauses[np.searchsorted(pauses, start + _SLICE) :][:1]
        if not len(near) or near[0] > start + 2 * _SLICE:
            near = cuts[np.searchsorted(cuts, start + _SLICE) :][:1]
        stop = int(near[0]) if len(near) else len(at)
        yield events.slice(start, stop - start), int(earliest[stop]) if stop < len(at) else END
        start = stop


def join_partitions(parts: Sequence[Partition]) -> Partition:
    """Put batches together, by account and time."""
    if not parts:
        units = find_units(SCHEMA.empty_table())
        scene = Observer().observe(units)
        usual = Habits().learn(units, scene)
        return Partition(units, scene, usual, Reasons().follow(units, scene, usual))
    units = join_units([part.units for part in parts])
    order = np.argsort(np.concatenate([part.units.account for part in parts]), kind="stable")

    def joined(columns: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        return {
            name: np.concatenate([column[name] for column in columns])[order]
            for name in columns[-1]
        }

    marks = joined([part.scene.marks for part in parts])
    swept = np.concatenate([part.scene.swept for part in parts])[order]
    usual = parts[-1].usual
    log = joined([part.usual.log for part in parts])
    honest = Honest(
        np.concatenate([part.honest.log for part in parts])[order],
        np.concatenate([part.honest.reason for part in parts])[order],
        np.concatenate([part.honest.as_peers for part in parts])[order],
    )
    return Partition(units, Scene(marks, swept), Usual(log, usual.group, usual.groups), honest)
