"""What a detection is worth on a simulated world: found, exposed before alert, false alerts.

*Found*: an alert raised after the onset that cites a line of the thief. *Exposed*: distinct
patients that the thief reached up to and including the alarming access, or the whole loss when the
theft is missed; a request that only says how many records it returned exposes that many. *False
alerts*: alerts opened in the scored part on accounts never attacked.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

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
