"""`vigie scan` and `vigie alerts`: from logs, or from the store, to alerts."""

from argparse import Namespace
from dataclasses import asdict, dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from vigie import journal
from vigie.cases.looks import tell_signals
from vigie.cli.following import cases_follow, remind_of_cases
from vigie.cli.importing import complain, read_paths, summarise
from vigie.cli.indicators import say_matches
from vigie.cli.opening import open_present
from vigie.cli.terminal import draw_table, home_of, remark, say, settings_of, write_csv, write_json
from vigie.cli.times import day_of, stamp
from vigie.errors import UsageError
from vigie.language import N_, _, current_language, number, plural, sentence
from vigie.stores.layout import is_writable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from vigie.alerts import Alert
    from vigie.detection import Detection

NOTHING, ALERTS, UNTRUSTED = 0, 3, 4
LAST_ASKED = "last-asked.json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, on how many events, with how many lines still in quarantine."""

    detection: "Detection"
    events: int
    quarantined: int
    rows: "Callable[[NDArray[np.int64], list[str]], pa.Table]"


LEVELS = {"watch": N_("watch"), "step_up": N_("step up"), "suspend": N_("suspend")}


def scan(options: Namespace) -> int:
    """Read, store, detect and print the alerts."""
    _check_report(options)
    with cases_follow(options):
        imported = read_paths(options)
        if all(file.error for file in imported):
            complain(imported)
            return 1
        if options.format == "table":
            summarise(imported)
        else:
            complain(imported)
        code = alerts(options)
    return UNTRUSTED if any(file.error for file in imported) else code


def alerts(options: Namespace) -> int:
    """Detect on what the store holds and print the alerts."""
    _check_report(options)
    answer = detect_stored(options)
    remember(options, answer)
    tell_signals(home_of(options), [alert.id for alert in answer.detection.alerts])
    {"table": draw, "json": print_json, "csv": print_csv}[options.format](answer)
    if options.format == "table":
        say_matches(options)
    if options.report:
        write_report(options.report, answer)
    if options.command == "alerts":
        remind_of_cases(options)
    if not answer.detection.trust.ok:
        return UNTRUSTED
    return ALERTS if answer.detection.alerts else NOTHING


def _check_report(options: Namespace) -> None:
    """Refuse a place where no report can go before hours of reading, not after."""
    if options.report:
        from vigie.report import check_place

        check_place(options.report)


def write_report(path: Path, answer: Answer) -> None:
    """Write the page to look at, and say on standard error that it is there."""
    from vigie.report import Looked, write

    write(path, answer.detection, Looked(answer.events, answer.quarantined))
    remark(_("the report is at {path}").format(path=path))


def detect_stored(options: Namespace) -> Answer:
    """Run the detection over the whole store; the look is journalled."""
    from vigie.acquaintance import KEYED
    from vigie.detection import COLUMNS, detect_slices
    from vigie.detectors.hindsight import Hindsight
    from vigie.events import SCHEMA

    home, settings = home_of(options), settings_of(options)
    if options.alarm_budget is not None:
        if not 0 < options.alarm_budget < inf:
            raise UsageError(
                N_("the alarm budget must be a number above 0"), where="--alarm-budget"
            )
        settings = msgspec.structs.replace(settings, alarm_budget=options.alarm_budget)
    learn_until = day_of(options.learn_until, "--learn-until")
    with open_present(options) as store:
        sources, walk = store.sources(), store.walk()
        care, staff = store.table("care"), store.table("staff")
        wanted = {*COLUMNS, "event_id", *(KEYED if staff.num_rows else ())}
        columns = [name for name in SCHEMA.names if name in wanted]
        quarantined = sum(source.quarantined_now for source in sources)
        journal.record(home, "detect", f"{walk.rows} events", "vigie " + options.command)
        detection = detect_slices(
            walk.slices(columns),
            walk.span,
            settings,
            learn_until=learn_until,
            quarantined=quarantined,
            lines=sum(source.lines for source in sources),
            care=care if care.num_rows else None,
            staff=staff if staff.num_rows else None,
            keep=Hindsight(home if is_writable(home) else None),
        )
    return Answer(detection, walk.rows, quarantined, walk.take)


def remember(options: Namespace, answer: Answer) -> None:
    """Keep the answer and how it was asked for: what is asked of an alert later starts from it."""
    from vigie.exposure.evidence import evidence_of
    from vigie.exposure.kept import keep

    home = home_of(options)
    asked = {"alarm_budget": options.alarm_budget, "learn_until": options.learn_until}
    path = home / LAST_ASKED
    path.touch(0o600)
    path.write_bytes(msgspec.json.encode(asked))
    found = answer.detection
    with open_present(options) as store:
        key = store.keyring.version
    keep(home, found.alerts, partial(evidence_of, found, answer.rows), answer.events, key)


def recall(options: Namespace) -> None:
    """Fill in what the options leave open with how the last answer was asked for."""
    path = home_of(options) / LAST_ASKED
    said = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    options.alarm_budget = options.alarm_budget or said.get("alarm_budget")
    options.learn_until = options.learn_until or said.get("learn_until")


def print_json(answer: Answer) -> None:
    """Print the documented, versioned answer."""
    write_json(as_json(answer))


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
    found = answer.detection
    say_trust(answer)
    if not answer.events:
        return
    say(
        _(
            "{events} rows of {accounts} accounts over {days} days (UTC); before {date}: learning."
        ).format(
            events=number(answer.events),
            accounts=number(found.accounts),
            days=number(found.days),
            date=f"{found.learn_until:%Y-%m-%d}",
        )
    )
    if found.days and found.thresholds.calibrated:
        _draw_levels(found)
    count = len(found.alerts)
    if not count:
        say(_("No unusual access within the alarm budget."))
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
            number(one.budget, 2), number(one.yearly, 0 if one.yearly >= 10 else 1),
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
