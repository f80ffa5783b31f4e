"""How a detection fared on a log drawn elsewhere: thefts found, persons exposed, false alerts."""

from dataclasses import dataclass

import numpy as np

from benchmarks.elsewhere.log import DAY, Ints, Log
from vigie.alerts.watch import Alert
from vigie.detection import Detection


@dataclass(frozen=True, slots=True)
class Fate:
    """How one theft fared: what it had exposed when found, or all of it."""

    family: str
    found: bool
    exposed: int
    loss: int
    hypothesis: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How all fared; false alerts and account-days are those of accounts never robbed."""

    fates: tuple[Fate, ...]
    false: tuple[Alert, ...]
    account_days: int


def judge(log: Log, found: Detection) -> Verdict:
    """Compare the alerts of the scored part with the truth; lines are row numbers from 1.

    A theft is found by an alert that cites a row of it, as in `benchmarks.judge`.
    """
    until = int(found.learn_until.timestamp() * 1e6)
    victims = {f"u{account}" for account in log.victims}
    scored = [alert for alert in found.alerts if alert.opened_at >= found.learn_until]
    false = [one for one in scored if victims.isdisjoint({one.account, *one.accounts})]
    alarms = _alarms(log, found.alerts)
    fates = [
        _fate(log, number, name, alarms.get(number)) for number, name in enumerate(log.families)
    ]
    quiet = (log.at >= until) & ~np.isin(log.account, log.victims)
    days = len(np.unique(log.account[quiet] * 100_000 + log.at[quiet] // DAY))
    return Verdict(tuple(fates), tuple(false), days)


def _alarms(log: Log, alerts: tuple[Alert, ...]) -> dict[int, tuple[int, str]]:
    first: dict[int, tuple[int, str]] = {}
    for alert in alerts:
        rows = np.array([int(line.rsplit(":", 1)[1]) - 1 for line in alert.lines], np.int64)
        opened, last = (int(m.timestamp() * 1e6) for m in (alert.opened_at, alert.last_at))
        for number in np.unique(log.theft[rows][log.theft[rows] >= 0]).tolist():
            begun = log.at[rows[log.theft[rows] == number]].min()
            alarm = (opened if opened >= begun else last, alert.hypothesis)
            first[number] = min(first.get(number, alarm), alarm)
    return first


def _fate(log: Log, number: int, name: str, alarm: tuple[int, str] | None) -> Fate:
    rows = np.flatnonzero(log.theft == number)
    loss = _exposed(log, rows)
    if alarm is None:
        return Fate(name, False, loss, loss)
    until = rows[log.at[rows] <= alarm[0]]
    return Fate(name, True, _exposed(log, until), loss, alarm[1])


def _exposed(log: Log, rows: Ints) -> int:
    """Return how many persons rows reached: those named, and those of requests that name none."""
    unnamed = rows[log.patient[rows] < 0]
    named = np.setdiff1d(rows, unnamed, assume_unique=True)
    return len(np.unique(log.patient[named])) + int(np.maximum(log.records[unnamed], 0).sum())


def rule_of_thumb(log: Log, until: int) -> tuple[float, float]:
    """Return the share of thefts that "most new persons in a day" finds, and its false rate.

    A rule of hindsight: its limit is just above the loudest honest account-day of the scored part.
    """
    first = np.zeros(len(log.at), bool)
    _, places = np.unique(log.account << 32 | log.patient, return_index=True)
    first[places] = True
    day = log.account * 100_000 + log.at // DAY
    scored = first & (log.at >= until)
    keys, many = np.unique(day[scored], return_counts=True)
    robbed = np.isin(keys // 100_000, log.victims)
    limit = many[~robbed].max(initial=0)
    loud = set(keys[(many > limit) & robbed].tolist())
    hit = [bool(loud.intersection(day[log.theft == n].tolist())) for n in range(len(log.families))]
    return float(np.mean(hit)) if hit else 0.0, float(limit)
