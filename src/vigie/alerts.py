"""Alerts: what a person reads, with the sentence that says why and the lines behind it.

An alarm is one crossing of a threshold; an alert is all crossings of one account until seven days
pass without one. No alert without lines.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from vigie.detectors.base import Partition
from vigie.detectors.calibrate import Thresholds
from vigie.detectors.combine import Evidence
from vigie.detectors.kernel import watch_one
from vigie.language import LANGUAGES, N_, _, number, plural, speaking
from vigie.units import DAY

QUIET: Final = 7 * DAY
LEVELS: Final = ("watch", "step_up", "suspend")
_RARER: Final = (1.0, 10.0, 100.0)
"""By how much rarer than the alarm budget a false alert of each level must be."""
_MOST_LINES: Final = 1000

REASONS: Final = {
    "register_sweep": N_(
        "Unusual access: records of persons whom neither this account, its team nor its "
        "organisation knew, {patients} in {span}; on a usual day this account opens {own} such "
        "records, its peers {peers}."
    ),
    "identifier_walk": N_(
        "Unusual access: records opened in the order of their numbers, {patients} in {span}; on "
        "a usual day this account opens {own} in such order, its peers {peers}."
    ),
    "name_walk": N_(
        "Unusual access: records opened in alphabetical order, {patients} in {span}; on a usual "
        "day this account opens {own} in such order, its peers {peers}."
    ),
    "rights_check_sweep": N_(
        "Unusual access: rights checked one person after the other, {patients} in {span}, most "
        "of them unknown here; on a usual day this account makes {own} such checks, its peers "
        "{peers}."
    ),
    "bulk_export": N_(
        "Unusual access: {records} records in one request; this account's largest request so far "
        "returned {own}, its peers' {peers}."
    ),
    "override_abuse": N_(
        "Unusual access: emergency override on persons unknown here, {patients} in {span}; on a "
        "usual day this account uses it {own} times, its peers {peers}."
    ),
}
"""Why, one sentence per hypothesis."""


class Alert(msgspec.Struct, frozen=True):
    """One alert, as `vigie scan --format json` prints it (times UTC).

    `evidence` is the decimal log of the statistic at the alarm: how many powers of ten the
    harvest explains the lines better than the account's habits do, summed over its alarms.
    """

    id: str
    account: str
    accounts: list[str]
    level: str
    opened_at: datetime
    last_at: datetime
    patients: int
    evidence: float
    hypothesis: str
    why: dict[str, str]
    usual: dict[str, float]
    observed: dict[str, float]
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One crossing: the unit that raised it, the first of the change, and by how much."""

    account: int
    unit: int
    since: int
    hypothesis: int
    level: float
    gravity: int


def raise_alarms(partition: Partition, evidence: Evidence, thresholds: Thresholds) -> list[Alarm]:
    """Return every crossing, by account and time."""
    units, group = partition.units, partition.usual.group
    limits = [thresholds.log(rarer) for rarer in _RARER]
    alarms = []
    for number_of, _name in enumerate(evidence.hypotheses):
        own = limits[0][group, number_of]
        found = watch_one(
            units.bounds, units.step, units.day,
            evidence.ratios[:, number_of], own,
        )  # fmt: skip
        for unit, level, since in zip(*found, strict=True):
            account = int(units.account[unit])
            gravity = sum(level >= limit[group[account], number_of] for limit in limits) - 1
            alarms.append(Alarm(account, int(unit), int(since), number_of, float(level), gravity))
    return sorted(alarms, key=lambda a: (a.account, units.at[a.unit], a.unit, a.hypothesis))


def gather_alerts(
    events: pa.Table, partition: Partition, evidence: Evidence, alarms: Sequence[Alarm]
) -> list[Alert]:
    """Join the alarms of each account into alerts, by gravity and then by time."""
    at = partition.units.at
    alerts = [_alert(events, partition, evidence, episode) for episode in _episodes(alarms, at)]
    return sorted(alerts, key=lambda a: (-LEVELS.index(a.level), a.opened_at, a.id))


def _episodes(alarms: Sequence[Alarm], at: Any) -> Iterator[list[Alarm]]:
    episode: list[Alarm] = []
    for alarm in alarms:
        last = episode[-1] if episode else None
        if last and (last.account != alarm.account or at[alarm.unit] - at[last.unit] > QUIET):
            yield episode
            episode = []
        episode.append(alarm)
    if episode:
        yield episode


def _alert(
    events: pa.Table, partition: Partition, evidence: Evidence, episode: list[Alarm]
) -> Alert:
    units, first = partition.units, episode[0]
    name = evidence.hypotheses[first.hypothesis]
    cited = _cited(partition, evidence, episode)
    account = units.accounts[first.account]
    rows = units.row[cited]
    usual, observed = _habits(partition, evidence, first, cited)
    by_hypothesis = {a.hypothesis: a.level for a in episode}
    # One more alarm of the same hypothesis began from nothing: its evidence is new. That of
    # another hypothesis is not, so the strongest hypothesis speaks for the alert.
    strength = max(sum(a.level for a in episode if a.hypothesis == h) for h in by_hypothesis)
    gravity = max(a.gravity for a in episode)
    gravity = min(
        len(LEVELS) - 1, max(gravity, sum(a.hypothesis == first.hypothesis for a in episode) - 1)
    )
    return Alert(
        id=_identity(account, name, int(units.at[first.unit])),
        account=account,
        accounts=[account],
        level=LEVELS[gravity],
        opened_at=_moment(units.at[first.unit]),
        last_at=_moment(max(units.at[a.unit] for a in episode)),
        patients=int(observed["patients"]),
        evidence=round(float(strength / np.log(10)), 2),
        hypothesis=name,
        why=_sentences(name, usual, observed),
        usual=usual,
        observed=observed,
        lines=_references(events, rows),
    )


def _cited(partition: Partition, evidence: Evidence, episode: list[Alarm]) -> Any:
    """Return the units that spoke for the alarms since their change points, in order of time."""
    chosen: set[int] = set()
    for alarm in episode:
        stretch = np.arange(alarm.since, alarm.unit + 1)
        spoke = evidence.ratios[stretch, alarm.hypothesis] > 0
        chosen.update(stretch[spoke].tolist())
        chosen.add(alarm.unit)
    return np.array(sorted(chosen))


def _habits(
    partition: Partition, evidence: Evidence, first: Alarm, cited: Any
) -> tuple[dict[str, float], dict[str, float]]:
    """Return own and peers' habit, and what was seen, in the terms of the sentence."""
    units = partition.units
    speaking_for = cited[cited <= first.unit]
    seconds = float(units.at[first.unit] - units.at[speaking_for[0]]) / 1e6
    persons = np.unique(units.patient[cited])
    observed = {"patients": float((persons >= 0).sum()), "seconds": seconds}
    if evidence.hypotheses[first.hypothesis] == "bulk_export":
        return _largest(partition, first, cited, observed)
    ratios = evidence.ratios[:, first.hypothesis]
    start = units.bounds[first.account]
    before = slice(start, speaking_for[0])
    own = (ratios[before] > 0).sum() / _days_before(partition, first)
    return {"own": round(float(own), 2), "peers": _peers(partition, ratios, first)}, observed


def _days_before(partition: Partition, first: Alarm) -> int:
    account, day = partition.units.active
    mine = (account == first.account) & (day < partition.units.day[first.since])
    return max(int(mine.sum()), 1)


def _peers(partition: Partition, ratios: Any, first: Alarm) -> float:
    units, group = partition.units, partition.usual.group
    peer = group == group[first.account]
    earlier = units.day < units.day[first.since]
    days = (peer[units.active[0]] & (units.active[1] < units.day[first.since])).sum()
    spoke = (peer[units.account] & earlier & (ratios > 0)).sum()
    return round(float(spoke / max(days, 1)), 2)


def _largest(
    partition: Partition, first: Alarm, cited: Any, observed: dict[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    units, group = partition.units, partition.usual.group
    records = units.number["record_count"]
    size = records if (records[cited] > 0).any() else units.number["bytes"]
    earlier = units.at < units.at[first.since]
    peer = group[units.account] == group[first.account]
    own = size[earlier & (units.account == first.account)].max(initial=0)
    peers = size[earlier & peer].max(initial=0)
    seen = float(size[cited].max())
    usual = {"own": float(own), "peers": float(peers)}
    return usual, observed | {"records": seen, "patients": max(observed["patients"], seen)}


def _sentences(name: str, usual: dict[str, float], observed: dict[str, float]) -> dict[str, str]:
    said = {}
    for language in LANGUAGES:
        with speaking(language):
            fields = {
                "patients": number(observed["patients"]),
                "records": number(observed.get("records", 0)),
                "span": _span(observed["seconds"]),
                "own": _few(usual["own"]),
                "peers": _few(usual["peers"]),
            }
            said[language] = _(REASONS[name]).format_map(fields)
    return said


def _few(value: float) -> str:
    return number(value, 0 if value >= 10 or value == int(value) else 1)


def _span(seconds: float) -> str:
    """Say a duration in its largest round unit."""
    if seconds < 120:
        count = max(round(seconds), 1)
        return plural("{count} second", "{count} seconds", count).format(count=number(count))
    if seconds < 7200:
        count = round(seconds / 60)
        return plural("{count} minute", "{count} minutes", count).format(count=number(count))
    if seconds < 172_800:
        count = round(seconds / 3600)
        return plural("{count} hour", "{count} hours", count).format(count=number(count))
    count = round(seconds / 86_400)
    return plural("{count} day", "{count} days", count).format(count=number(count))


def _identity(account: str, hypothesis: str, opened: int) -> str:
    """Name an alert by what a rotation of the key leaves as it was (`opened` in µs)."""
    text = "\x1f".join([account, hypothesis, str(opened)]).encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(int(at) / 1e6, UTC)


def _references(events: pa.Table, rows: Any) -> list[str]:
    """Name the lines as `file:line`; rows of one page share theirs."""
    if "source_file" not in events.column_names:
        return [str(row) for row in rows.tolist()]
    chosen = events.select(["source_file", "source_line"]).take(pa.array(rows))
    files, lines = (column.to_pylist() for column in chosen.columns)
    return list(dict.fromkeys(f"{file}:{line}" for file, line in zip(files, lines, strict=True)))
