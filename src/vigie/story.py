"""The story of one alert: its evidence over time against the threshold.

Statistics are told as decimal logarithms: 3 means that the harvest explains the account's accesses
a thousand times better than its habits do.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import log
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vigie.alerts.campaigns import retrace
from vigie.alerts.watch import GRAVEST, LEVELS, Alert
from vigie.detection import Detection
from vigie.detectors.base import Partition
from vigie.detectors.campaigns import KINDS
from vigie.detectors.combine import Evidence
from vigie.language import N_, _, number
from vigie.timeline.units import Units
from vigie.usual.chain import REASONS

BEFORE: Final = 12
"""Units before the first one cited that the story shows, for the calm before."""

SIGNALS: Final = {
    "register_sweep": N_("persons unknown here"),
    "fast_sweep": N_("persons unknown here, in a rush"),
    "lasting_sweep": N_("persons unknown here, more than peers meet"),
    "identifier_walk": N_("in the order of their numbers"),
    "name_walk": N_("in alphabetical order"),
    "rights_check_sweep": N_("rights checks"),
    "own_panel": N_("own patients, without a reason of care"),
    "bulk_export": N_("many records in one request"),
    "override_abuse": N_("emergency override"),
    "password_spraying": N_("logins after failures on other accounts"),
    "dangerous_changes": N_("changes seldom made here"),
    "curiosity": N_("persons whom the owner knows"),
}
"""What each hypothesis looks for, in a few words."""


@dataclass(frozen=True, slots=True)
class Graver:
    """Evidence of another hypothesis, on the same accesses, that reached the alert's level."""

    hypothesis: str
    evidence: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Step:
    """One unit: when, how many distinct patients so far, what it added, and where that led."""

    at: datetime
    patients: int
    added: float
    level: float


@dataclass(frozen=True, slots=True)
class Story:
    """The steps of an alert and the threshold of each level of gravity, from watch up.

    `reasons` counts, for the steps that speak for the alert, which honest reason (`honest.REASONS`)
    explained them best; none is counted for a campaign. `graver` is there where the alert's own
    hypothesis cannot reach its level.
    """

    steps: tuple[Step, ...]
    thresholds: tuple[float, ...]
    reasons: dict[str, int] = field(default_factory=dict)
    graver: Graver | None = None


def tell(found: Detection, alert: Alert) -> Story:
    """Return the story of an alert of this detection."""
    if alert.hypothesis in KINDS:
        return _tell_campaign(found, alert)
    partition, evidence = found.of({alert.account})
    units = partition.units
    hypothesis = evidence.hypotheses.index(alert.hypothesis)
    first, last = _stretch(units, evidence.levels[:, hypothesis], alert)
    chosen = slice(first, last)
    patients = units.patient[chosen]
    seen = np.cumsum(_first_times(patients))
    levels = _decimal(evidence.levels[chosen, hypothesis])
    added = evidence.ratios[chosen, hypothesis] / np.log(10)
    steps = tuple(
        Step(datetime.fromtimestamp(int(at) / 1e6, UTC), int(count), float(more), float(level))
        for at, count, more, level in zip(units.at[chosen], seen, added, levels, strict=True)
    )
    spoke = partition.honest.reason[chosen][added > 0]
    tried = np.bincount(spoke, minlength=len(REASONS)).tolist()
    reasons = dict(zip(REASONS, tried, strict=True))
    graver = _graver(found, alert, partition, evidence, chosen)
    return Story(steps, tuple(alert.thresholds), reasons, graver)


def _graver(
    found: Detection, alert: Alert, partition: Partition, evidence: Evidence, chosen: slice
) -> Graver | None:
    """Return what gave the alert a level that its own hypothesis cannot reach."""
    place = LEVELS.index(alert.level)
    if place < len(alert.thresholds):
        return None
    limits = found.stream.watch.limits[place]
    group = min(partition.usual.group[partition.units.account[chosen][0]], len(limits) - 1)
    peaks = np.max(evidence.levels[chosen], axis=0, initial=-np.inf)
    best = int(np.argmax(peaks - limits[group]))
    peak, limit = float(peaks[best]), float(limits[group, best])
    if peak < limit:
        return None
    return Graver(evidence.hypotheses[best], peak / log(10), limit / log(10))


def explain_level(alert: Alert, story: Story) -> str:
    """Say where the alert's level comes from, or what keeps it down, if not the evidence told."""
    if story.graver is None:
        return _kept_down(alert)
    said = _(
        "Its level comes from other evidence on the same accesses ({signal}): {evidence}, against "
        "a threshold of {threshold} for that level."
    )
    signal = SIGNALS.get(story.graver.hypothesis, story.graver.hypothesis)
    return said.format(
        signal=_(signal), evidence=number(story.graver.evidence, 1),
        threshold=number(story.graver.threshold, 1),
    )  # fmt: skip


def _kept_down(alert: Alert) -> str:
    """Say why evidence beyond every threshold may raise no graver level."""
    if alert.level != GRAVEST.get(alert.hypothesis):
        return ""
    if alert.hypothesis == "rights_check_sweep":
        return _(
            "However strong, evidence of this kind raises no more than step up: a house that "
            "changes its software has the rights of its whole file checked in an evening. Only who "
            "knows the account can tell; look at the lines."
        )
    if alert.hypothesis == "curiosity":
        return _(
            "However strong, evidence of this kind raises no more than watch: who is curious is "
            "the owner of the account, and to ask who is there answers nothing."
        )
    return _(
        "However strong, evidence of this kind raises no more than watch: honest batches of work "
        "(clean-ups, recalls) resemble it. Only who knows the account can tell; look at the lines."
    )


def explain_difference(alert: Alert, story: Story) -> str:
    """Say why the end of the curve is not the evidence of the list; nothing where it is."""
    if not story.steps:
        return ""
    listed, ends = number(alert.evidence, 1), number(story.steps[-1].level, 1)
    if listed == ends:
        return ""
    said = _(
        "Listed with {listed}: that adds up what each alarm reached, for the hypothesis that "
        "speaks loudest, the statistic starting anew after each; this curve never starts anew and "
        "ends at {ends}."
    )
    if alert.hypothesis in KINDS:
        said = _(
            "Listed with {listed}: that adds up what each alarm of the group reached; this curve "
            "ends with the first one, at {ends}."
        )
    return said.format(listed=listed, ends=ends)


def _tell_campaign(found: Detection, alert: Alert) -> Story:
    """Tell the group's evidence up to its first alarm, gone through again: it is not kept."""
    campaigns = found.stream.campaigns
    opened = int(alert.opened_at.timestamp() * 1e6)
    course, limits = retrace(campaigns, found.stream.kept, alert.hypothesis, opened)
    alarm = _end_of_alarm(course["at"], course["level"], opened, limits[0])
    quiet = np.flatnonzero(course["level"][:alarm] <= 0)
    first = max(int(quiet[-1]) + 1 - BEFORE, 0) if len(quiet) else 0
    chosen = slice(first, alarm)
    seen = np.cumsum(_first_times(course["patient"][chosen]))
    levels, added = _decimal(course["level"][chosen]), course["added"][chosen] / np.log(10)
    steps = tuple(
        Step(datetime.fromtimestamp(int(at) / 1e6, UTC), int(count), float(more), float(level))
        for at, count, more, level in zip(course["at"][chosen], seen, added, levels, strict=True)
    )
    return Story(steps, tuple(limit / np.log(10) for limit in limits))


def _end_of_alarm(at: NDArray[Any], level: NDArray[Any], opened: int, limit: float) -> int:
    """Return the place after the alarm: what has its very moment may follow, begun anew."""
    first, end = (int(np.searchsorted(at, opened, side=side)) for side in ("left", "right"))
    crossing = np.flatnonzero(level[first:end] >= limit)
    return first + int(crossing[0]) + 1 if len(crossing) else end


def _stretch(units: Units, level: NDArray[np.float64], alert: Alert) -> tuple[int, int]:
    """Return the account's units from a little before the climb began to the last of the alert."""
    opened = int(np.searchsorted(units.at, int(alert.opened_at.timestamp() * 1e6)))
    last = int(np.searchsorted(units.at, int(alert.last_at.timestamp() * 1e6), side="right"))
    first = opened
    while first > 0 and level[first - 1] > 0:
        first -= 1
    return max(0, first - BEFORE), last


def _decimal(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return decimal logarithms; a statistic that has not spoken yet stands at nothing."""
    return np.asarray(np.where(np.isfinite(levels), levels, 0.0) / np.log(10))


def _first_times(codes: np.ndarray) -> np.ndarray:
    """Say which entries are the first of their code; -1 is nobody."""
    firsts = np.zeros(len(codes), bool)
    firsts[np.unique(codes, return_index=True)[1]] = True
    return firsts & (codes >= 0)
