"""Every command and option of `vigie`, declared without importing what runs them."""

import argparse
import gettext
import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import vigie
from vigie.cli import case, clocks, exposure, indicators, notice, registers, statement, triage
from vigie.cli.declaring import command, family, formats
from vigie.language import LANGUAGES, _, current_language, sentence, visible

PRESETS = (
    "regional-portal",
    "hospital",
    "practice-software",
    "third-party-payment",
    "identity-server",
)


class _Parser(argparse.ArgumentParser):
    """Says a usage error in one sentence, with the command whose help has the rest."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse all arguments; what is left over is told with the command that does not know it."""
        options, left = self.parse_known_args(args, namespace)
        if left:
            self.prog = getattr(options, "called", self.prog)
            self.error(_("unrecognized arguments: %s") % " ".join(left))
        return options

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        remedy = _("{command} --help says how it is called").format(command=self.prog)
        said = sentence("", message + _nearest(message), remedy)
        self.exit(2, f"vigie: {visible(said)}\n")


def _nearest(message: str) -> str:
    """Suggest which of the choices a misspelt word was perhaps meant to be."""
    given, *choices = re.findall("'([^']*)'", message) or [""]
    near = get_close_matches(given, choices, 1)
    return _(" (did you mean {near}?)").format(near=near[0]) if near else ""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser, speaking the current language."""
    _let_argparse_speak()
    parser = _Parser(
        prog="vigie",
        parents=[_common_options()],
        description=_(
            "Reads who opened which patient's record, and notices a stolen professional account."
        ),
        epilog=_(
            "Exit codes: 0 nothing found, 3 alerts found, 1 error, 2 usage, "
            "4 the answer cannot be trusted."
        ),
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"vigie {vigie.__version__}",
        help=_("say which version this is"),
    )
    # Parents share their options: the defaults are those of the top alone.
    common = _common_options()
    parser.set_defaults(lang=None, home=None, quiet=False)
    commands = parser.add_subparsers(
        title=_("commands"), metavar=_("COMMAND"), dest="command", required=True
    )
    for name, declare in COMMANDS.items():
        declare(commands, name, common)
    return parser


def _let_argparse_speak() -> None:
    """Point gettext, through which argparse says everything, at our catalogue."""
    gettext.bindtextdomain("vigie", str(Path(vigie.__file__).parent / "locale"))
    gettext.textdomain("vigie")
    os.environ["LANGUAGE"] = current_language()


def _common_options() -> argparse.ArgumentParser:
    # Without a default here, an option given before the command is not undone by the command's own.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group(_("for every command"))
    group.add_argument(
        "--lang", choices=LANGUAGES, help=_("language (default: that of the locale)")
    )
    group.add_argument(
        "--home",
        type=Path,
        metavar=_("DIRECTORY"),
        help=_("where the store and the keys live (default: VIGIE_HOME)"),
    )
    group.add_argument("--quiet", action="store_const", const=True, help=_("show no progress"))
    return common


def _detection(parser: Any) -> None:
    parser.add_argument(
        "--learn-until",
        metavar=_("DATE"),
        help=_("the days before this date teach, those from it on are scored (YYYY-MM-DD)"),
    )
    parser.add_argument(
        "--alarm-budget",
        type=float,
        metavar="N",
        help=_("false alerts accepted per 10,000 account-days (default: 1)"),
    )


def _report(parser: Any) -> None:
    parser.add_argument(
        "--report",
        type=Path,
        metavar=_("FILE"),
        help=_("also write the alerts as one page to look at, on its own (HTML)"),
    )


def _paths(parser: Any) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar=_("PATH"),
        help=_("log files or directories"),
    )
    parser.add_argument(
        "--mapping",
        type=Path,
        action="append",
        default=[],
        metavar=_("FILE"),
        help=_("mapping of a source (TOML), or a directory of them; may be repeated"),
    )


def _scan(commands: Any, name: str, common: Any) -> None:
    summary = _("read logs, store them, and print the alerts")
    parser = command(commands, name, common, summary, "scan:scan")
    _paths(parser)
    _detection(parser)
    _report(parser)
    formats(parser, "table", "json", "csv")


def _import(commands: Any, name: str, common: Any) -> None:
    summary = _("read logs into the store and say what became of every line")
    parser = command(commands, name, common, summary, "importing:import_logs")
    _paths(parser)
    formats(parser, "table", "json")


def _alerts(commands: Any, name: str, common: Any) -> None:
    summary = _("print the alerts on what the store holds")
    parser = command(commands, name, common, summary, "scan:alerts")
    _detection(parser)
    _report(parser)
    formats(parser, "table", "json", "csv")


def _explain(commands: Any, name: str, common: Any) -> None:
    summary = _("say why an alert was raised, with its evidence over time and its lines")
    parser = command(commands, name, common, summary, "explain:explain")
    parser.add_argument("alert", metavar=_("ALERT"), help=_("its identifier, or its beginning"))
    _detection(parser)
    formats(parser, "table", "json")


def _events(commands: Any, name: str, common: Any) -> None:
    summary = _("query the stored accesses")
    parser = command(commands, name, common, summary, "events:events")
    parser.add_argument("--account", metavar=_("LOGIN"), help=_("only this account"))
    parser.add_argument("--source", metavar=_("NAME"), help=_("only this source"))
    parser.add_argument("--since", metavar=_("DATE"), help=_("from this day on (UTC)"))
    parser.add_argument("--until", metavar=_("DATE"), help=_("before this day (UTC)"))
    parser.add_argument("--limit", type=int, default=100, metavar="N", help=_("rows at most"))
    parser.add_argument(
        "--sql", metavar=_("QUERY"), help=_("a DuckDB query over the views of the store instead")
    )
    parser.add_argument("--reason", default="", metavar=_("TEXT"), help=_("why (journal)"))
    formats(parser, "table", "json", "csv")


def _pseudonym(commands: Any, name: str, common: Any) -> None:
    summary = _("turn identifiers into pseudonyms (rate-limited and journalled)")
    parser = command(commands, name, common, summary, "pseudonym:pseudonym")
    parser.add_argument(
        "values",
        nargs="*",
        metavar=_("IDENTIFIER"),
        help=_("default: one per line of standard input"),
    )
    parser.add_argument(
        "--authority", required=True, metavar=_("OID|NAME"), help=_("who gave the identifiers")
    )
    parser.add_argument(
        "--kind", default="local", choices=("local", "nir", "ins"), help=_("kind of identifier")
    )
    parser.add_argument("--reason", required=True, metavar=_("TEXT"), help=_("why (journal)"))


def _mapping(commands: Any, name: str, common: Any) -> None:
    summary = _("draft or try a mapping file")
    inner = family(commands, name, summary)
    summary = _("draft a mapping from a sample")
    suggest = command(inner, "suggest", common, summary, "mapping:suggest")
    suggest.add_argument("file", type=Path, metavar=_("FILE"), help=_("a log file"))
    summary = _("show 20 lines through a mapping, what it leaves unmapped, and why")
    test = command(inner, "test", common, summary, "mapping:test")
    test.add_argument("file", type=Path, metavar=_("FILE"), help=_("a log file"))
    test.add_argument(
        "--mapping", type=Path, required=True, metavar=_("FILE"), help=_("mapping file (TOML)")
    )


def _simulate(commands: Any, name: str, common: Any) -> None:
    summary = _("write the logs of a simulated platform, with the truth beside them")
    parser = command(commands, name, common, summary, "simulate:simulate")
    parser.add_argument("preset", choices=PRESETS, metavar=_("PRESET"), help=", ".join(PRESETS))
    parser.add_argument(
        "--scale", type=float, default=0.1, metavar="X", help=_("1 is about 3,000 accounts")
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help=_("chance of the world"))
    parser.add_argument("--days", type=int, metavar="N", help=_("days of log"))
    parser.add_argument(
        "--out", type=Path, required=True, metavar=_("DIRECTORY"), help=_("an empty directory")
    )


def _verify(commands: Any, name: str, common: Any) -> None:
    summary = _("check every segment, the catalogue, the journal and the cases")
    formats(command(commands, name, common, summary, "keeping:verify"), "table", "json")


def _compact(commands: Any, name: str, common: Any) -> None:
    summary = _("merge small segments of the same day")
    command(commands, name, common, summary, "keeping:compact")


def _retain(commands: Any, name: str, common: Any) -> None:
    summary = _("drop what the retention of each source no longer allows, leaving tombstones")
    parser = command(commands, name, common, summary, "keeping:retain")
    parser.add_argument(
        "--drop-for-cases",
        action="store_true",
        help=_("drop as well the days that open cases ask about (default: they stay)"),
    )
    parser.add_argument("--reason", default="", metavar=_("TEXT"), help=_("why (journal)"))


def _rotate(commands: Any, name: str, common: Any) -> None:
    summary = _("change the pseudonym key and bring the store to the new one")
    command(commands, name, common, summary, "keeping:rotate")


def _unseal(commands: Any, name: str, common: Any) -> None:
    summary = _("read sealed original lines again, with the private key that is kept offline")
    parser = command(commands, name, common, summary, "keeping:unseal")
    parser.add_argument("lines", nargs="+", metavar=_("FILE:LINE"), help=_("as alerts cite them"))
    parser.add_argument(
        "--identity", type=Path, required=True, metavar=_("FILE"), help=_("the age private key")
    )
    parser.add_argument("--reason", required=True, metavar=_("TEXT"), help=_("why (journal)"))


def _doctor(commands: Any, name: str, common: Any) -> None:
    summary = _("say what is well and what is not, without personal data")
    formats(command(commands, name, common, summary, "doctor:doctor"), "table", "json")


def _demo(commands: Any, name: str, common: Any) -> None:
    summary = _("simulate a portal under attack, scan its logs, say what to look at")
    parser = command(commands, name, common, summary, "demo:demo")
    parser.add_argument(
        "--out", type=Path, metavar=_("DIRECTORY"), help=_("where to work (default: ./demo)")
    )
    parser.add_argument("--seed", type=int, default=7, metavar="N", help=_("chance of the world"))


COMMANDS = {
    "scan": _scan,
    "import": _import,
    "alerts": _alerts,
    "explain": _explain,
    "triage": triage.declare,
    "events": _events,
    "case": case.declare,
    "clocks": clocks.declare,
    "exposure": exposure.declare,
    "statement": statement.declare,
    "notice": notice.declare,
    "indicators": indicators.declare,
    "mapping": _mapping,
    "register": registers.declare,
    "pseudonym": _pseudonym,
    "simulate": _simulate,
    "verify": _verify,
    "compact": _compact,
    "retain": _retain,
    "rotate": _rotate,
    "unseal": _unseal,
    "doctor": _doctor,
    "demo": _demo,
}
