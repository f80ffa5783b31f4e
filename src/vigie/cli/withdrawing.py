"""Alerts that were told and that a later answer tells no more: journalled, and said.

A case that rests on one keeps it, and says so (`arriving`). No answer that cannot be trusted
withdraws anything, nor one that was asked otherwise than the one before it; nor is an alert
withdrawn when retention dropped the days that it was told from.
"""

from argparse import Namespace
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigie.cases import looks
from vigie.cases.arrivals import told_now
from vigie.cases.looks import withdrawn
from vigie.cli.detecting import Answer
from vigie.cli.opening import open_present
from vigie.cli.terminal import home_of, remark, say
from vigie.cli.times import stamp
from vigie.exposure.kept import Kept
from vigie.language import _, number, plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vigie.alerts.watch import Alert
    from vigie.detection import Detection


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Beside an answer: what was `kept` of earlier ones, and which of it was withdrawn `now`."""

    home: Path
    kept: Kept
    now: "list[Alert]"

    def say(self, to_errors: bool) -> None:
        """Name the alerts withdrawn just now, with what is told of their accounts instead."""
        if not self.now:
            return
        text = plural(
            "! {count} alert that was told before is told no more: {alerts}.",
            "! {count} alerts that were told before are told no more: {alerts}.", len(self.now),
        )  # fmt: skip
        lines = [
            text.format(
                count=number(len(self.now)),
                alerts=", ".join(f"{one.id} ({one.account})" for one in self.now),
            ),
            _("What came since explains their accesses otherwise. Each stays as it was told, with "
              "the date in the journal; a case that rests on one says so."),
        ]  # fmt: skip
        for line in lines:
            (remark if to_errors else say)(line)

    def as_json(self) -> list[dict[str, Any]]:
        """Return all alerts that are withdrawn, each with when."""
        gone = withdrawn(self.home)
        return [
            {
                "id": one.id, "accounts": one.accounts, "opened_at": stamp(one.opened_at),
                "withdrawn_at": stamp(gone[one.id]),
            }
            for one in self.kept.answer.alerts if one.id in gone
        ]  # fmt: skip


def settle(options: Namespace, answer: Answer, kept: Kept, asked_alike: bool) -> Withdrawn:
    """Journal and return the alerts of earlier answers that this one tells no more.

    One that is told under another identifier is none of them.
    """
    home, found = home_of(options), answer.detection
    told = {alert.id for alert in found.alerts}
    looks.tell_again(home, told)
    if not (asked_alike and found.trust.ok):
        return Withdrawn(home, kept, [])
    reaches = _reaches(options, found)
    missing = [
        alert for alert in kept.answer.alerts
        if alert.id not in told and (reaches is None or alert.opened_at >= reaches)
        and not told_now(alert, found.alerts)
    ]  # fmt: skip
    names = looks.withdraw(home, [alert.id for alert in missing], f"vigie {options.command}")
    return Withdrawn(home, kept, [alert for alert in missing if alert.id in names])


def _reaches(options: Namespace, found: "Detection") -> datetime | None:
    """Return since when the log holds all that alerts were told from; None: all along.

    Days that retention dropped taught what was usual then.
    """
    with open_present(options) as store:
        dropped = store.catalogue.rows("SELECT 1 FROM tombstones WHERE kind = 'events' LIMIT 1")
    return found.learn_until if dropped else None


def remind_of_withdrawn(home: Path, alerts: "Iterable[Alert]") -> None:
    """Say on standard error which of these alerts somebody asks about were withdrawn."""
    gone = withdrawn(home)
    for alert in alerts:
        if alert.id in gone:
            text = _("! alert {id} is told no more since {when} (UTC): what came later explains "
                     "its accesses otherwise.")  # fmt: skip
            remark(text.format(id=alert.id, when=f"{gone[alert.id]:%Y-%m-%d %H:%M}"))
