"""`vigie triage`: whom to look at, by day or week, with a bound on the share of false ones."""

from argparse import Namespace
from datetime import date
from typing import TYPE_CHECKING, Any

from vigie.cli.declaring import command, formats
from vigie.errors import UsageError
from vigie.language import N_, _, number, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vigie.detection import Detection
    from vigie.triage import By, Queue

SHOWN: "dict[By, int]" = {"day": 7, "week": 4}
"""Lists shown unless asked otherwise."""


def declare(commands: Any, name: str, common: Any) -> None:
    """Declare `vigie triage`."""
    summary = _("list the accounts to look at by day or week, a bounded share of them false")
    parser = command(commands, name, common, summary, "triage:triage")
    parser.add_argument(
        "--by", choices=[*SHOWN], default="day",
        help=_("one list a day, or one a week (Monday to Sunday, UTC), which shows who is slow"),
    )  # fmt: skip
    parser.add_argument(
        "--since", metavar=_("DATE"),
        help=_("from this day on (default: the last seven days, or four weeks)"),
    )  # fmt: skip
    parser.add_argument(
        "--fdr", type=float, metavar="X",
        help=_("share of false ones accepted on a list, in the mean (default: 0.1)"),
    )  # fmt: skip
    parser.add_argument(
        "--confirmed", action="append", default=[], metavar=_("LOGIN"),
        help=_("an account whose theft is established: its days are not compared with; may be "
               "repeated"),
    )  # fmt: skip
    parser.add_argument(
        "--learn-until",
        metavar=_("DATE"),
        help=_("the days before this date teach, those from it on are scored (YYYY-MM-DD)"),
    )
    parser.set_defaults(alarm_budget=None)
    formats(parser, "table", "json", "csv")


def triage(options: Namespace) -> int:
    """Detect on what the store holds and print the queue of each day or week."""
    from vigie.cli.alerts_shown import say_trust
    from vigie.cli.codes import ALERTS, NOTHING, UNTRUSTED
    from vigie.cli.detecting import detect_stored
    from vigie.triage import FDR
    from vigie.triage import triage as queue

    fdr = FDR if options.fdr is None else options.fdr
    if not 0 < fdr < 1:
        raise UsageError(
            N_("the share of false ones must lie between 0 and 1"),
            where="--fdr",
            remedy=N_("write 0.1 for one in ten"),
        )
    since = _since(options)
    answer = detect_stored(options)
    _check_known(options.confirmed, answer.detection.stream.reader.words["account"].words)
    latest = None if since else SHOWN[options.by]
    queues = queue(answer.detection, since, fdr, options.confirmed, options.by, latest)
    say_trust(answer, to_errors=options.format != "table")
    if not answer.detection.accounts and options.format == "table":
        return UNTRUSTED
    {"table": _draw, "json": _print_json, "csv": _print_csv}[options.format](
        queues, fdr, options.by
    )
    if not queues and options.format == "table":
        _say_none(answer.detection, options.by)
    if not answer.detection.trust.ok:
        return UNTRUSTED
    if any(one.entries for one in queues):
        return ALERTS
    return NOTHING if any(one.alone for one in queues) else UNTRUSTED


def _check_known(confirmed: "list[str]", accounts: "Sequence[str]") -> None:
    for name in confirmed:
        if name not in accounts:
            raise UsageError(
                N_("no access is known by the account {name!r}"),
                where="--confirmed",
                remedy=N_("write the login as the log does"),
                name=name,
            )


def _since(options: Namespace) -> date | None:
    from vigie.cli.times import day_of

    moment = day_of(options.since, "--since")
    return moment.date() if moment else None


def guarantee(fdr: float, by: "By") -> tuple[str, str]:
    """Say what holds by theorem, and what is only measured."""
    theorem = {
        "day": _(
            "By theorem: where an honest account's day is like the days before, at most {share} % "
            "of the accounts listed on a day are false in the mean, however accounts depend on "
            "one another."
        ),
        "week": _(
            "By theorem: where an honest account's week is like the weeks before, at most {share} "
            "% of the accounts listed for a week are false in the mean, however accounts depend "
            "on one another."
        ),
    }
    measured = {
        "day": _(
            "Only measured: how far honest days keep to that (docs/detection.md). Nothing is "
            "promised of several days' lists taken together."
        ),
        "week": _(
            "Only measured: how far honest weeks keep to that (docs/detection.md). Nothing is "
            "promised of several weeks' lists taken together, nor of days' and weeks' lists."
        ),
    }
    return theorem[by].format(share=number(100 * fdr, 0 if fdr >= 0.01 else 1)), measured[by]


def _draw(queues: "tuple[Queue, ...]", fdr: float, by: "By") -> None:
    from vigie.cli.terminal import draw_table, say
    from vigie.story import SIGNALS

    for line in guarantee(fdr, by):
        say(line)
    header = (
        _("day") if by == "day" else _("week from"),
        _("account"),
        _("as odd before"),
        _("patients"),
        _("what spoke"),
        _("alert"),
    )
    rows = [
        (
            f"{one.day}", entry.account,
            _("{rarer} of {past}").format(rarer=number(entry.rarer), past=number(one.past)),
            number(entry.patients),
            _(SIGNALS.get(entry.hypothesis, entry.hypothesis)), entry.alert or "–",
        )
        for one in queues for entry in one.entries
    ]  # fmt: skip
    if rows:
        draw_table(header, rows)
        say(
            _("As odd before: how many account-days before scored at least as high.")
            if by == "day"
            else _("As odd before: how many account-weeks before scored at least as high.")
        )
    elif queues:
        say(_("Nobody to look at on these days."))
    for line in _limits(queues, by):
        say(line)


def _say_none(found: "Detection", by: "By") -> None:
    """Say why there is no list: which days could have one."""
    from vigie.cli.terminal import say

    text = {
        "day": _(
            "No list: the log ends on {last}, and what was before {learnt} is its learning part."
        ),
        "week": _(
            "No list: the log ends on {last}, and only weeks that began after its learning part, "
            "on {learnt} or later, have one; --by day looks at its days."
        ),
    }
    last = date.fromordinal(date(1970, 1, 1).toordinal() + found.stream.day)
    say(text[by].format(last=last, learnt=f"{found.learn_until:%Y-%m-%d}"))


def _limits(queues: "tuple[Queue, ...]", by: "By") -> list[str]:
    """Say for which lists the log was too short for a list of one, and which is not whole."""
    said = [_too_early(queues, by)] if not all(one.alone for one in queues) else []
    if queues and not queues[-1].over:
        text = _(
            "The week of {day} ends with the log, on {last}: it is compared with the same days of "
            "earlier weeks."
        )
        said.append(text.format(day=queues[-1].day, last=queues[-1].last))
    return said


def _too_early(queues: "tuple[Queue, ...]", by: "By") -> str:
    short = [one for one in queues if not one.alone]
    last = short[-1]
    if by == "day":
        text = plural(
            "{count} day came too early for a list of a single account: on {day}, {past} "
            "account-days lay before it, {needed} are needed.",
            "{count} days came too early for a list of a single account: on {day}, {past} "
            "account-days lay before it, {needed} are needed.",
            len(short),
        )
    else:
        text = plural(
            "{count} week came too early for a list of a single account: before {day} there were "
            "{past} account-weeks, {needed} are needed ({weeks} weeks of every account).",
            "{count} weeks came too early for a list of a single account: before {day} there were "
            "{past} account-weeks, {needed} are needed ({weeks} weeks of every account).",
            len(short),
        )
    return text.format(
        count=number(len(short)), day=last.day, past=number(last.past),
        needed=number(round(last.accounts / last.fdr)), weeks=number(round(1 / last.fdr)),
    )  # fmt: skip


def _print_json(queues: "tuple[Queue, ...]", fdr: float, by: "By") -> None:
    from dataclasses import asdict

    from vigie.cli.terminal import write_json

    theorem, measured = guarantee(fdr, by)
    write_json(
        {
            "version": 1,
            "by": by,
            "fdr": fdr,
            "by_theorem": theorem,
            "measured": measured,
            "queues": [
                asdict(one) | {"day": f"{one.day}", "last": f"{one.last}"} for one in queues
            ],
        }
    )


def _print_csv(queues: "tuple[Queue, ...]", _fdr: float, _by: "By") -> None:
    from vigie.cli.terminal import write_csv

    header = ("day", "account", "e_value", "rarer", "hypothesis", "patients", "alert", "lines")
    rows = (
        (
            f"{one.day}", entry.account, entry.e_value, entry.rarer, entry.hypothesis,
            entry.patients, entry.alert or "", " ".join(entry.lines),
        )
        for one in queues for entry in one.entries
    )  # fmt: skip
    write_csv(header, rows)
