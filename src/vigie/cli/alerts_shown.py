"""The answer of a detection as it is shown: drawn, as JSON, as CSV; what is blind comes first."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec

from vigie.cli.detecting import Answer
from vigie.cli.terminal import draw_table, remark, say, write_csv
from vigie.cli.times import stamp
from vigie.language import N_, _, current_language, number, plural, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vigie.alerts.watch import Alert
    from vigie.detection import Detection

LEVELS = {"watch": N_("watch"), "step_up": N_("step up"), "suspend": N_("suspend")}


def as_json(answer: Answer) -> dict[str, Any]:
    """Return the answer as `docs/scan.md` documents it."""
    from vigie.expectations import expect

    found = answer.detection
    return {
        "version": 1,
        "events": answer.events,
        "quarantined": answer.quarantined,
        "accounts": found.accounts,
        "days": found.days,
        "account_days": found.account_days,
        "learn_until": stamp(found.learn_until),
        "alarm_budget": found.budget,
        "levels": [{**asdict(one), "precision": one.precision} for one in expect(found)],
        "trust": {"ok": found.trust.ok, "remarks": list(found.trust.remarks)},
        "alerts": [msgspec.to_builtins(alert) for alert in found.alerts],
    }


def print_csv(answer: Answer) -> None:
    """Print one line per alert; the trust goes to standard error, where it is not lost."""
    say_trust(answer, to_errors=True)
    header = ("id", "level", "account", "opened_at", "last_at", "patients", "evidence",
              "hypothesis", "why", "lines")  # fmt: skip
    rows = (
        (
            alert.id, alert.level, alert.account, stamp(alert.opened_at), stamp(alert.last_at),
            alert.patients, alert.evidence, alert.hypothesis, alert.why[current_language()],
            " ".join(alert.lines),
        )
        for alert in answer.detection.alerts
    )  # fmt: skip
    write_csv(header, rows)


def draw(answer: Answer) -> None:
    """Draw what could not be seen, then the alerts by gravity."""
    from vigie.expectations import extent, nothing_found

    found = answer.detection
    say_trust(answer)
    if not found.accounts:
        return
    text = _("{extent} (UTC); before {date}: learning.")
    date = f"{found.learn_until:%Y-%m-%d}"
    say(text.format(extent=extent(found, answer.events), date=date))
    if found.days and found.thresholds.calibrated:
        _draw_levels(found)
    count = len(found.alerts)
    if not count:
        say(nothing_found(found))
        return
    say(plural("{count} alert:", "{count} alerts:", count).format(count=number(count)))
    header = (_("level"), _("account"), _("raised (UTC)"), _("patients"), _("evidence"), _("alert"))
    draw_table(header, [_row(alert) for alert in found.alerts])
    _say_early(found)
    worst = gravest(found.alerts)
    say()
    say(sentence(_who(worst), worst.why[current_language()].rstrip(".")))
    say(_("vigie explain {id} tells an alert whole.").format(id=worst.id))


def gravest(alerts: "Sequence[Alert]") -> "Alert":
    """Return the alert to look at first: of the highest level, the one with most evidence."""
    return max(alerts, key=lambda alert: ([*LEVELS].index(alert.level), alert.evidence))


def _say_early(found: "Detection") -> None:
    """Say how many alerts were raised in the learning part."""
    early = sum(alert.opened_at < found.learn_until for alert in found.alerts)
    if early:
        text = plural(
            "{count} of them was raised before {date}, in the learning part: habits are young "
            "there, and more alerts are false.",
            "{count} of them were raised before {date}, in the learning part: habits are young "
            "there, and more alerts are false.",
            early,
        )
        say(text.format(count=number(early), date=f"{found.learn_until:%Y-%m-%d}"))


def _draw_levels(found: "Detection") -> None:
    """Draw what each level's budget means on a log of this size."""
    from vigie.expectations import expect

    header = (_("alerts of level"), _("budget"), _("false a year"), _("raised"), _("precision"))
    rows = [
        (
            _("{level} or graver").format(level=_(LEVELS[one.level])) if place < 2
            else _(LEVELS[one.level]),
            number(one.budget, 2), _few(one.yearly),
            number(one.raised), _precision(one.precision),
        )
        for place, one in enumerate(expect(found))
    ]  # fmt: skip
    draw_table(header, rows)
    say(
        _(
            "Budget: false alerts accepted per 10,000 account-days; a year: on a log of this size; "
            "raised: after the learning part; precision: the share of these that the budget does "
            "not explain, where it is kept; on simulated logs watch exceeds its own."
        )
    )


def _few(count: float) -> str:
    """Write a count in two figures at least: "0.0 a year" would be a promise."""
    decimals = 0 if count >= 10 else 1 if count >= 1 else 2
    return (
        number(count, decimals)
        if count >= 0.01
        else _("under {least}").format(least=number(0.01, 2))
    )


def _precision(share: float | None) -> str:
    return "–" if share is None else _("{share} %").format(share=number(100 * share))


def _row(alert: "Alert") -> tuple[object, ...]:
    return (
        _(LEVELS[alert.level]), _who(alert), f"{alert.opened_at:%Y-%m-%d %H:%M}",
        number(alert.patients), number(alert.evidence, 1), alert.id,
    )  # fmt: skip


def _who(alert: "Alert") -> str:
    """Name the account, and how many more the alert is about."""
    more = len(alert.accounts) - 1
    return f"{alert.account} (+{number(more)})" if more else alert.account


def say_trust(answer: Answer, to_errors: bool = False) -> None:
    """Say what could not be seen."""
    trust = answer.detection.trust
    lines = [f"! {said[current_language()]}" for said in trust.remarks]
    if not trust.ok:
        lines.insert(0, _("This answer cannot be trusted:"))
    for line in lines:
        if to_errors:
            remark(line)
        else:
            say(line)
