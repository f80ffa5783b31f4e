"""`vigie triage`: the accounts to look at, day by day, with a bound on the share of false ones."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from vigie.cli.declaring import command, formats
from vigie.errors import UsageError
from vigie.language import N_, _, number, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from vigie.triage import Queue

DAYS = 7
"""Days shown unless asked otherwise."""

SIGNALS = {
    "register_sweep": N_("persons unknown here"),
    "fast_sweep": N_("persons unknown here, in a rush"),
    "lasting_sweep": N_("persons unknown here, more than peers meet"),
    "identifier_walk": N_("in the order of their numbers"),
    "name_walk": N_("in alphabetical order"),
    "rights_check_sweep": N_("rights checks"),
    "own_panel": N_("own patients, without a reason of care"),
    "bulk_export": N_("many records in one request"),
    "override_abuse": N_("emergency override"),
    "password_spraying": N_("logins after failures on other accounts"),
    "dangerous_changes": N_("changes seldom made here"),
    "curiosity": N_("persons whom the owner knows"),
}


def declare(commands: Any, name: str, common: Any) -> None:
    """Declare `vigie triage`."""
    summary = _("list the accounts to look at, day by day, a bounded share of them false")
    parser = command(commands, name, common, summary, "triage:triage")
    parser.add_argument(
        "--since", metavar=_("DATE"), help=_("from this day on (default: the last seven days)")
    )
    parser.add_argument(
        "--fdr", type=float, metavar="X",
        help=_("share of false ones accepted on a day's list, in the mean (default: 0.1)"),
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
    """Detect on what the store holds and print the queue of each day."""
    from vigie.cli.alerts_shown import say_trust
    from vigie.cli.codes import ALERTS, NOTHING, UNTRUSTED
    from vigie.cli.detecting import detect_stored
    from vigie.triage import FDR
    from vigie.triage import triage as queue

    fdr = FDR if options.fdr is None else options.fdr
    if not 0 < fdr < 1:
        raise UsageError(N_("the share of false ones must lie between 0 and 1"), where="--fdr")
    since = _since(options)
    answer = detect_stored(options)
    _check_known(options.confirmed, answer.detection.partition.units.accounts)
    queues = queue(answer.detection, since, fdr, options.confirmed)
    queues = queues if since else queues[-DAYS:]
    say_trust(answer, to_errors=options.format != "table")
    if not answer.events and options.format == "table":
        return UNTRUSTED
    {"table": _draw, "json": _print_json, "csv": _print_csv}[options.format](queues, fdr)
    if not answer.detection.trust.ok or not any(one.past for one in queues):
        return UNTRUSTED
    return ALERTS if any(one.entries for one in queues) else NOTHING


def _check_known(confirmed: "list[str]", accounts: "Sequence[str]") -> None:
    for name in confirmed:
        if name not in accounts:
            raise UsageError(
                N_("no access is known by the account {name!r}"), where="--confirmed", name=name
            )


def _since(options: Namespace) -> "date | None":
    from vigie.cli.times import day_of

    moment = day_of(options.since, "--since")
    return moment.date() if moment else None


def guarantee(fdr: float) -> tuple[str, str]:
    """Say what holds by theorem, and what is only measured."""
    return (
        _(
            "By theorem: where an honest account's day is like the days before, at most {share} % "
            "of the accounts listed on a day are false in the mean, however accounts depend on "
            "one another."
        ).format(share=number(100 * fdr, 0 if fdr >= 0.01 else 1)),
        _(
            "Only measured: how far honest days keep to that (docs/detection.md). Nothing is "
            "promised of several days' lists taken together."
        ),
    )


def _draw(queues: "tuple[Queue, ...]", fdr: float) -> None:
    from vigie.cli.terminal import draw_table, say

    for line in guarantee(fdr):
        say(line)
    header = (
        _("day"),
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
        say(_("As odd before: how many account-days before scored at least as high."))
    else:
        say(_("Nobody to look at on these days."))
    for line in _limits(queues):
        say(line)


def _limits(queues: "tuple[Queue, ...]") -> list[str]:
    """Say on which days the log was too short for a list of one."""
    short = [one for one in queues if not one.alone]
    if not queues:
        return [
            _("The log holds no scored day from there on: what was before is its learning part.")
        ]
    if not short:
        return []
    last = short[-1]
    text = plural(
        "{count} day came too early for a list of a single account: on {day}, {past} account-days "
        "lay before it, {needed} are needed.",
        "{count} days came too early for a list of a single account: on {day}, {past} "
        "account-days lay before it, {needed} are needed.",
        len(short),
    )
    needed = round(last.accounts / last.fdr)
    return [
        text.format(
            count=number(len(short)), day=last.day, past=number(last.past), needed=number(needed)
        )
    ]


def _print_json(queues: "tuple[Queue, ...]", fdr: float) -> None:
    from dataclasses import asdict

    from vigie.cli.terminal import write_json

    theorem, measured = guarantee(fdr)
    write_json(
        {
            "version": 1,
            "fdr": fdr,
            "by_theorem": theorem,
            "measured": measured,
            "queues": [asdict(one) | {"day": f"{one.day}"} for one in queues],
        }
    )


def _print_csv(queues: "tuple[Queue, ...]", _fdr: float) -> None:
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
