"""What a detection is worth on a simulated world: found, exposed before alert, false alerts.

*Found*: an alert raised after the onset that cites a line of the thief. Where the alert opened
before the thief's first cited line, what it cites of him came with a later alarm, and its last
moment counts. *Exposed*: distinct patients that the thief reached up to and including the alarming
access, or the whole loss when the theft is missed; a request that only says how many records it
returned exposes that many. *False alerts*: alerts opened in the scored part of whose accounts none
was ever attacked; an alert about several accounts is one alert.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.loot import Loot, loots
from benchmarks.naive import attacked
from vigie.alerts.watch import Alert
from vigie.detection import Detection
from vigie.simulate.world import Attack, World

DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Theft:
    """How one theft fared; `alarm_at` (µs UTC) is None when it was missed."""

    family: str
    profession: str
    found: bool
    exposed: int
    loss: int
    hypothesis: str
    alarm_at: int | None = None
    accounts: int = 1
    loot: Loot | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a detection fared on a world; `account_days` and `false` count the scored part."""

    thefts: tuple[Theft, ...]
    false: tuple[Alert, ...]
    account_days: int

    @property
    def found(self) -> float:
        """Return the share of thefts found."""
        return float(np.mean([theft.found for theft in self.thefts]))

    @property
    def false_rate(self) -> float:
        """Return false alerts per 10,000 account-days."""
        return 1e4 * len(self.false) / self.account_days


def judge(world: World, detection: Detection) -> Verdict:
    """Compare the alerts with the ground truth; lines are row numbers (`worlds.as_events`)."""
    until = int(detection.learn_until.timestamp() * 1e6)
    victim = attacked(world)
    login = {name: code for code, name in enumerate(world.accounts.column("login").to_pylist())}
    false = [
        alert
        for alert in detection.alerts
        if alert.opened_at >= detection.learn_until
        and all(victim[login[name]] < 0 for name in {alert.account, *alert.accounts})
    ]
    alarms = _alarms(world, detection.alerts)
    thefts = [
        _theft(world, attack, loot, alarms.get(number))
        for number, (attack, loot) in enumerate(zip(world.attacks, loots(world), strict=True))
    ]
    at, account = (world.accesses.column(c).to_numpy().astype(np.int64) for c in ("at", "account"))
    scored = (at >= until) & (victim[account] < 0)
    days = len(np.unique(account[scored] * 100_000 + at[scored] // DAY))
    return Verdict(tuple(thefts), tuple(false), days)


def _alarms(world: World, alerts: Sequence[Alert]) -> dict[int, tuple[int, str]]:
    """Return, per attack that an alert cites, when the first such alarm came and its hypothesis."""
    theft_of = world.accesses.column("attack").to_numpy()
    at = world.accesses.column("at").to_numpy()
    first: dict[int, tuple[int, str]] = {}
    for alert in alerts:
        rows = np.array([int(line.rsplit(":", 1)[1]) - 1 for line in alert.lines])
        opened, last = (int(m.timestamp() * 1e6) for m in (alert.opened_at, alert.last_at))
        for number in np.unique(theft_of[rows][theft_of[rows] >= 0]).tolist():
            begun = at[rows[theft_of[rows] == number]].min()
            alarm = (opened if opened >= begun else last, alert.hypothesis)
            first[number] = min(first.get(number, alarm), alarm)
    return first


def _theft(world: World, attack: Attack, loot: Loot, alarm: tuple[int, str] | None) -> Theft:
    profession = world.accounts.column("profession")[attack.accounts[0]].as_py()
    at, hypothesis = alarm if alarm and alarm[0] >= loot.at[0] else (None, "")
    return Theft(
        attack.family, profession, at is not None,
        loot.whole if at is None else loot.until(at), loot.whole, hypothesis,
        at, len(attack.accounts), loot,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crossings:
    """By how much each unit passes its threshold, to move all thresholds by one amount.

    `excess` is in slopes of the group's tail (what makes a false alert e times rarer), the best of
    all hypotheses.
    """

    world: World
    excess: NDArray[np.float64]
    account: NDArray[np.int64]
    at: NDArray[np.int64]
    attack: NDArray[np.int64]
    honest: NDArray[np.bool_]

    def false(self, shift: float) -> int:
        """Count false alerts with all thresholds higher by `shift`: one per 7 quiet days."""
        rows = np.flatnonzero(self.honest & (self.excess > shift))
        new = np.ones(len(rows), bool)
        apart = np.diff(self.at[rows]) > 7 * DAY
        new[1:] = (np.diff(self.account[rows]) != 0) | apart
        return int(new.sum())

    def thefts(self, shift: float) -> list[Theft]:
        """Judge the thefts: found at the first of the thief's own units beyond the threshold."""
        beyond = np.flatnonzero((self.attack >= 0) & (self.excess > shift))
        alarms: dict[int, tuple[int, str]] = {}
        for number, at in zip(self.attack[beyond].tolist(), self.at[beyond].tolist(), strict=True):
            alarms[number] = min(alarms.get(number, (at, "")), (at, ""))
        return [
            _theft(self.world, attack, loot, alarms.get(number))
            for number, (attack, loot) in enumerate(
                zip(self.world.attacks, loots(self.world), strict=True)
            )
        ]


def crossings(world: World, detection: Detection) -> Crossings:
    """Return how far each unit lies beyond its threshold; the order of units is by account."""
    units, evidence = detection.partition.units, detection.evidence
    group = detection.partition.usual.group[units.account]
    limits, slopes = detection.thresholds.log(), detection.thresholds.slope
    excess = ((evidence.levels - limits[group]) / slopes[group]).max(axis=1)
    login = {name: code for code, name in enumerate(world.accounts.column("login").to_pylist())}
    victim = attacked(world)[[login[name] for name in units.accounts]]
    until = int(detection.learn_until.timestamp() * 1e6)
    return Crossings(
        world, np.nan_to_num(excess, nan=-np.inf, neginf=-np.inf),
        units.account.astype(np.int64), units.at,
        world.accesses.column("attack").to_numpy()[units.row],
        (victim[units.account] < 0) & (units.at >= until),
    )  # fmt: skip


def true_budget(runs: Sequence[Crossings], allowed: float) -> float:
    """Return the least common shift that leaves at most `allowed` false alerts."""
    low, high = -100.0, 1000.0
    for _ in range(40):
        middle = (low + high) / 2
        if sum(run.false(middle) for run in runs) <= allowed:
            high = middle
        else:
            low = middle
    return high
