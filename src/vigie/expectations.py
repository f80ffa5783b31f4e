"""What an alarm budget means at the operator's own size: false alerts a year, and precision.

A budget is a rate. On a region of 10,000 accounts, all active every day, one false alert per
10,000 account-days is one a day, 365 a year: whoever reads the alerts should know that before.
"""

from dataclasses import dataclass
from typing import Final

from vigie.alerts.watch import LEVELS
from vigie.detection import Detection
from vigie.language import _, number, plural

PER: Final = 10_000
YEAR: Final = 365


@dataclass(frozen=True, slots=True)
class Expectation:
    """What to expect of alerts of one level or graver, on a log of this size.

    `budget` is in false alerts per 10,000 account-days and `yearly` in false alerts a year, both
    what the operator accepts, not what happened. `raised` were raised after the learning part, of
    which `false` are to be expected by the budget.
    """

    level: str
    budget: float
    yearly: float
    raised: int
    false: float

    @property
    def precision(self) -> float | None:
        """Return the share of the alerts raised that the budget does not explain; None of none.

        >>> Expectation("watch", 1.0, 365.0, 20, 5.0).precision
        0.75
        """
        return max(1 - self.false / self.raised, 0.0) if self.raised else None


def expect(found: Detection) -> tuple[Expectation, ...]:
    """Return what to expect of each level, watch first: nothing where nothing was calibrated."""
    if not found.thresholds.calibrated:
        return ()
    until = found.learn_until
    scored = sum(
        count for day, count in found.stream.active.items() if day * 86_400 >= until.timestamp()
    )
    daily = found.account_days / found.days if found.days else 0.0
    raised = [LEVELS.index(alert.level) for alert in found.alerts if alert.opened_at >= until]
    return tuple(
        Expectation(
            level, budget, daily * YEAR * budget / PER,
            sum(one >= place for one in raised), scored * budget / PER,
        )
        for place, (level, budget) in enumerate(zip(LEVELS, found.budgets, strict=True))
    )  # fmt: skip


def extent(found: Detection, events: int) -> str:
    """Say in a few words how much was looked at: rows of the log, accounts, days."""
    rows = plural("{count} row", "{count} rows", events)
    accounts = plural("{count} account", "{count} accounts", found.accounts)
    days = plural("{count} day", "{count} days", found.days)
    return _("{rows} of {accounts} over {days}").format(
        rows=rows.format(count=number(events)),
        accounts=accounts.format(count=number(found.accounts)),
        days=days.format(count=number(found.days)),
    )


def nothing_found(found: Detection) -> str:
    """Say that there is no alert, and not as good news where none could be raised."""
    if found.thresholds.calibrated:
        return _("No unusual access within the alarm budget.")
    return _("No alert: the log is too short to measure what is unusual.")
