"""What a detection is worth on a simulated world: found, exposed before alert, false alerts.

*Found*: an alert raised after the onset that cites a line of the thief. *Exposed*: distinct
patients that the thief reached up to and including the alarming access, or the whole loss when the
theft is missed; a request that only says how many records it returned exposes that many. *False
alerts*: alerts opened in the scored part on accounts never attacked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from benchmarks.naive import attacked
from vigie.alerts import Alert
from vigie.detection import Detection
from vigie.simulate.world import Attack, World

DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Theft:
    """How one theft fared."""

    family: str
    profession: str
    found: bool
    exposed: int
    loss: int
    hypothesis: str


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
        if victim[login[alert.account]] < 0 and alert.opened_at >= detection.learn_until
    ]
    theft_of = world.accesses.column("attack").to_numpy()
    cited: dict[int, list[Alert]] = {}
    for alert in detection.alerts:
        rows = np.array([int(line.rsplit(":", 1)[1]) - 1 for line in alert.lines])
        for number in np.unique(theft_of[rows]):
            if number >= 0:
                cited.setdefault(int(number), []).append(alert)
    thefts = [_theft(world, n, a, cited.get(n, [])) for n, a in enumerate(world.attacks)]
    at, account = (world.accesses.column(c).to_numpy().astype(np.int64) for c in ("at", "account"))
    scored = (at >= until) & (victim[account] < 0)
    days = len(np.unique(account[scored] * 100_000 + at[scored] // DAY))
    return Verdict(tuple(thefts), tuple(false), days)


def _theft(world: World, number: int, attack: Attack, alerts: list[Alert]) -> Theft:
    rows = world.accesses.filter(world.accesses.column("attack").to_numpy() == number)
    at, patient, records, access = (
        rows.column(name).to_numpy() for name in ("at", "patient", "record_count", "access")
    )
    onset = datetime.fromtimestamp(int(at.min()) / 1e6, UTC)
    first = min(
        ((a.opened_at if a.opened_at >= onset else a.last_at, a.hypothesis) for a in alerts),
        default=None,
    )
    if first and first[0] < onset:
        first = None
    stop = int(first[0].timestamp() * 1e6) if first else at.max()

    def exposed(until: int) -> int:
        early = at <= until
        _, once = np.unique(access[early], return_index=True)
        unnamed = records[early][once][patient[early][once] < 0]
        named = patient[early]
        return len(np.unique(named[named >= 0])) + int(unnamed[unnamed > 0].sum())

    profession = world.accounts.column("profession")[attack.accounts[0]].as_py()
    return Theft(
        attack.family, profession, first is not None,
        exposed(stop), exposed(int(at.max())), first[1] if first else "",
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
    patient: NDArray[np.int64]
    records: NDArray[np.int64]
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
        return [
            self._theft(number, attack, shift) for number, attack in enumerate(self.world.attacks)
        ]

    def _theft(self, number: int, attack: Attack, shift: float) -> Theft:
        mine = np.flatnonzero(self.attack == number)
        mine = mine[np.argsort(self.at[mine], kind="stable")]
        hits = np.flatnonzero(self.excess[mine] > shift)
        last = int(hits[0]) + 1 if len(hits) else len(mine)

        def exposed(rows: NDArray[np.int64]) -> int:
            named = self.patient[rows]
            unnamed = self.records[rows][named < 0]
            return len(np.unique(named[named >= 0])) + int(unnamed[unnamed > 0].sum())

        profession = self.world.accounts.column("profession")[attack.accounts[0]].as_py()
        return Theft(
            attack.family, profession, bool(len(hits)), exposed(mine[:last]), exposed(mine), ""
        )


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
        world.accesses.column("patient").to_numpy()[units.row],
        world.accesses.column("record_count").to_numpy()[units.row],
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
