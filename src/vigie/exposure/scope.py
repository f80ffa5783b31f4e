"""What is asked: accounts and periods, and where the decision-maker puts the boundary."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

import pyarrow as pa

from vigie.alerts.watch import Alert
from vigie.errors import UsageError
from vigie.exposure.schema import CERTAINTIES, SURE
from vigie.language import N_

Level = Literal["certain", "told_apart", "probable", "possible", "all"]

INCLUDED: Final[dict[str, tuple[str, ...]]] = {
    "certain": CERTAINTIES[:1],
    "told_apart": SURE,
    "probable": CERTAINTIES[:3],
    "possible": CERTAINTIES[:4],
    "all": CERTAINTIES,
}
"""What each boundary counts as exposed. What cannot be told apart is counted from `probable` on:
leaving a person out who was exposed is worse than telling one who was not."""

STRETCHES: Final = pa.schema(
    [
        pa.field("account", pa.string()),
        pa.field("since", pa.timestamp("us")),
        pa.field("until", pa.timestamp("us")),
    ]
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One account from `since` (included) to `until` (excluded), both with a time zone."""

    account: str
    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        """Refuse a period that holds nothing."""
        if self.since >= self.until:
            raise UsageError(
                N_("the period ends before it begins"),
                where=self.account,
                remedy=N_("give --from a time before --to"),
            )


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where the owner ends and the thief begins, as somebody decided.

    `sessions`, when given, are the thief's and all others the owner's: that is certain because it
    was said, not because the log tells it. `reason` and `author` go into the journal.
    """

    level: Level = "probable"
    since: datetime | None = None
    sessions: tuple[str, ...] = ()
    reason: str = ""
    author: str = ""

    @property
    def chosen(self) -> bool:
        """Whether somebody decided anything: then a reason is owed."""
        return self.level != "probable" or self.since is not None or bool(self.sessions)

    @property
    def included(self) -> tuple[str, ...]:
        """The certainties that count as exposed."""
        return INCLUDED[self.level]

    def __str__(self) -> str:
        """Say the decision as the journal keeps it."""
        parts: list[str] = [self.level]
        parts += [f"since {self.since.isoformat()}"] if self.since else []
        parts += [f"{len(self.sessions)} sessions"] if self.sessions else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Scope:
    """The stretches asked for; `on_behalf` adds what services did on behalf of the accounts."""

    stretches: tuple[Stretch, ...]
    boundary: Boundary = field(default_factory=Boundary)
    on_behalf: bool = False

    def __post_init__(self) -> None:
        """Join what overlaps, so that no access counts twice."""
        object.__setattr__(self, "stretches", _joined(self.stretches))

    def require_some(self) -> None:
        """Refuse a cut that leaves nothing: nobody would be exposed, by a slip of a key."""
        if self.boundary.since and self.boundary.since >= self.until:
            raise UsageError(
                N_("all that is asked about lies before the time from which it is the thief's"),
                where=f"{self.boundary.since:%Y-%m-%d %H:%M}",
                remedy=N_("give --since a time within the period"),
            )

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts, in order, each once."""
        return tuple(sorted({stretch.account for stretch in self.stretches}))

    @property
    def since(self) -> datetime:
        """The beginning of the first stretch."""
        return min(stretch.since for stretch in self.stretches)

    @property
    def until(self) -> datetime:
        """The end of the last stretch."""
        return max(stretch.until for stretch in self.stretches)

    def table(self) -> pa.Table:
        """Return the stretches as the queries take them: UTC without a zone."""
        since = self.boundary.since
        rows = [
            (one.account, max(one.since, since) if since else one.since, one.until)
            for one in self.stretches
        ]
        columns = zip(*rows, strict=True)
        zoned = [
            pa.array(column, kind)
            for column, kind in zip(
                columns, (pa.string(), *[pa.timestamp("us", "UTC")] * 2), strict=True
            )
        ]
        return pa.table(zoned, names=STRETCHES.names).cast(STRETCHES)


def _joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    kept: list[Stretch] = []
    for one in sorted(stretches, key=lambda s: (s.account, s.since, s.until)):
        last = kept[-1] if kept else None
        if last and last.account == one.account and one.since <= last.until:
            kept[-1] = Stretch(one.account, last.since, max(last.until, one.until))
        else:
            kept.append(one)
    if not kept:
        raise UsageError(N_("no account and period were given"))
    return tuple(kept)


def of_alerts(alerts: Iterable[Alert], since: datetime | None = None) -> tuple[Stretch, ...]:
    """Return the stretches of alerts: a day before the first line that they cite to a day after.

    Evidence rises after a theft begins, and an alert does not end it: what came shortly before
    and after belongs to the question. `since` says otherwise.
    """
    return tuple(
        Stretch(account, since or _before(alert), _after(alert))
        for alert in alerts
        for account in alert.accounts
    )


_AROUND: Final = timedelta(days=1)


def _before(alert: Alert) -> datetime:
    return alert.opened_at - timedelta(seconds=alert.observed.get("seconds", 0.0)) - _AROUND


def _after(alert: Alert) -> datetime:
    return alert.last_at + _AROUND
