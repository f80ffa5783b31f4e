"""`vigie scan` and `vigie alerts`: from logs, or from the store, to alerts."""

from argparse import Namespace
from pathlib import Path

from vigie.cases.looks import tell_signals
from vigie.cli.alerts_shown import as_json, draw, print_csv
from vigie.cli.codes import ALERTS, ERROR, NOTHING, UNTRUSTED
from vigie.cli.detecting import Answer, detect_stored, remember
from vigie.cli.following import cases_follow, remind_of_cases
from vigie.cli.importing import complain, read_paths, summarise
from vigie.cli.indicators import say_matches
from vigie.cli.terminal import home_of, remark, write_json
from vigie.cli.withdrawing import settle
from vigie.language import _


def scan(options: Namespace) -> int:
    """Read, store, detect and print the alerts."""
    _check_report(options)
    with cases_follow(options):
        imported = read_paths(options)
        if all(file.error for file in imported):
            complain(imported)
            return ERROR
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
    gone = settle(options, answer, *remember(options, answer))
    tell_signals(home_of(options), [alert.id for alert in answer.detection.alerts])
    if options.format == "json":
        write_json(as_json(answer) | {"withdrawn": gone.as_json()})
    else:
        {"table": draw, "csv": print_csv}[options.format](answer)
    gone.say(to_errors=options.format != "table")
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
