"""The page: what could not be seen, the alerts by gravity, each alert, how to read them."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Final

import vigie
from vigie.alerts.watch import Alert
from vigie.detection import Detection
from vigie.expectations import extent, nothing_found
from vigie.language import _, current_language, number, plural
from vigie.report import dates
from vigie.report.account import LEVELS, badge, login, tell_alert
from vigie.report.charts import Mark, calendar
from vigie.report.figures import draw, table
from vigie.report.markup import Html, element, join
from vigie.timeline.units import DAY

MARK: Final = "Vigie report"
"""What the head of every report says, by which its own are known from other files."""
TOLD: Final = 200
"""Alerts told whole at most, the gravest; the table lists them all."""
_STYLE: Final = (Path(__file__).parent / "page.css").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at: the accesses in the store, and the lines that could not be read."""

    events: int
    quarantined: int = 0


def render(found: Detection, looked: Looked) -> str:
    """Return the report as one self-contained HTML document, in the current language.

    It needs no network and no script, and says nothing of when it was made: the same detection
    gives the same bytes.
    """
    title = _("Unusual accesses to patients' records")
    main = element(
        "main",
        _unseen(found, looked),
        _overview(found),
        *_by_level(found),
        _reading(found),
        id="main",
        tabindex="-1",
    )
    body = element(
        "body",
        element("a", _("Go to what was found"), class_="skip", href="#main"),
        _header(title, found, looked),
        main,
        element("footer", element("p", _footer())),
    )
    whole = element("html", _head(title), body, lang=current_language())
    return f"<!DOCTYPE html>\n{whole}\n"


def _head(title: str) -> Html:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="generator", content=MARK),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Html(_STYLE)),
    )


def _header(title: str, found: Detection, looked: Looked) -> Html:
    first, last = _span(found)
    said = f"{extent(found, looked.events)}."
    period = None
    if found.days:
        text = _("From {first} to {last} (UTC). Before {learnt}: learning.")
        period = element(
            "p",
            text.format(
                first=dates.day(first), last=dates.day(last), learnt=dates.day(found.learn_until)
            ),
        )
    return element("header", element("h1", title), element("p", said), period)


def _span(found: Detection) -> tuple[datetime, datetime]:
    days = found.stream.active
    ends = (min(days), max(days)) if days else (0, 0)
    first, last = (datetime.fromtimestamp(day * DAY / 1e6, UTC) for day in ends)
    return first, last


def _unseen(found: Detection, looked: Looked) -> Html:
    remarks = [element("li", remark[current_language()]) for remark in found.trust.remarks]
    verdict = _("This answer can be trusted, within what follows.")
    if not found.trust.ok:
        verdict = _("This answer cannot be trusted:")
    elif not remarks:
        verdict = _("Nothing is known to be missing: no gap, no silent source, no abstention.")
    return element(
        "section",
        element("h2", _("What could not be seen")),
        element("p", verdict, class_="verdict" if found.trust.ok else "verdict untrusted"),
        element("ul", *remarks) if remarks else None,
        element("p", _quarantine(looked.quarantined)),
    )


def _quarantine(count: int) -> str:
    if not count:
        return _("No line waits in quarantine.")
    return plural(
        "{count} line could not be read and waits in quarantine.",
        "{count} lines could not be read and wait in quarantine.",
        count,
    ).format(count=number(count))


def _overview(found: Detection) -> Html:
    count = len(found.alerts)
    heading = element("h2", _("Alerts by gravity"))
    if not count:
        return element("section", heading, element("p", nothing_found(found)))
    listed = _list(found)
    lanes = [level for level in LEVELS if any(alert.level == level for alert in found.alerts)]
    marks = [
        Mark(
            lanes.index(alert.level), alert.opened_at, f"{alert.account}: {_(LEVELS[alert.level])}"
        )
        for alert in found.alerts
    ]
    first, last = _span(found)
    end = max(last, max(alert.opened_at for alert in found.alerts))
    names = [_(LEVELS[level]) for level in lanes]
    chart = calendar((first, end), found.learn_until, names, marks, listed)
    return element("section", heading, element("p", _counts(found)), draw(chart, folded=False))


def _counts(found: Detection) -> str:
    total = len(found.alerts)
    said = plural("{count} alert:", "{count} alerts:", total).format(count=number(total))
    numbers = {level: sum(a.level == level for a in found.alerts) for level in LEVELS}
    parts = (f"{_(LEVELS[level])} {number(many)}" for level, many in numbers.items() if many)
    return f"{said} {', '.join(parts)}."


def _list(found: Detection) -> Html:
    header = (_("account"), _("level"), _("raised (UTC)"), _("patients"), _("evidence"))
    rows = [
        (
            _link(alert, place), badge(alert.level), dates.minute(alert.opened_at),
            number(alert.patients), number(alert.evidence, 1),
        )
        for place, alert in enumerate(found.alerts)
    ]  # fmt: skip
    return table(_("All alerts, the gravest first"), header, rows)


def _link(alert: Alert, place: int) -> Html:
    name, more = login(alert.account), len(alert.accounts) - 1
    link = element("a", name, href=f"#alert-{alert.id}") if place < TOLD else name
    return join(link, f" (+{number(more)})") if more else link


def _by_level(found: Detection) -> Iterator[Html]:
    told = found.alerts[:TOLD]
    for level, alerts in groupby(told, key=lambda alert: alert.level):
        heading = element("h2", _("Gravity: {level}").format(level=_(LEVELS[level])))
        yield element("section", heading, *(tell_alert(found, alert) for alert in alerts))
    if len(found.alerts) > len(told):
        text = _("The {count} gravest alerts are told here; vigie explain tells the others.")
        yield element("p", text.format(count=number(len(told))))


def _reading(found: Detection) -> Html:
    expected = number(found.account_days * found.budget / 10_000, 1)
    texts = (
        _("Evidence is counted in powers of ten: 3 means that a theft explains these accesses a "
          "thousand times better than the habits of the account do. It rises with each access "
          "that the habits do not explain, and falls with each that they do."),
        _("Three thresholds give the gravity: watch, step up (ask who is there to authenticate "
          "again) and suspend; each has a budget of its own, smaller than the one before. What "
          "honest batches of work can resemble stays at watch."),
        _("Budget: {budget} false alerts per 10,000 account-days, or {expected} over the {days} "
          "account-days of this log. An alert is a reason to look, not a proof.").format(
            budget=number(found.budget, 1), expected=expected, days=number(found.account_days)
        ),
        _("Patients appear nowhere in this report; the lines lead to them, for those who may "
          "read the log."),
    )  # fmt: skip
    paragraphs = (element("p", text) for text in texts)
    return element("section", element("h2", _("How to read this report")), *paragraphs)


def _footer() -> str:
    text = _("Vigie {version}. This report names accounts: keep it as you keep the log.")
    return text.format(version=vigie.__version__)
