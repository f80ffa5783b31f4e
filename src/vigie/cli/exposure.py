"""`vigie exposure`, declared; `exposure_actions` runs it."""

from pathlib import Path
from typing import Any, Final

from vigie.cli.declaring import boundary, command, formats
from vigie.language import _

LEVELS: Final = ("certain", "told_apart", "probable", "possible", "all")


def declare(commands: Any, name: str, common: Any) -> None:
    """Declare `vigie exposure`."""
    summary = _("say who was exposed to what, how, when, through which account, and whose it is")
    parser = command(commands, name, common, summary, "exposure_actions:exposure")
    _declare_scope(parser)
    _declare_boundary(parser)
    _declare_output(parser)
    parser.set_defaults(alarm_budget=None, learn_until=None)


def _declare_scope(parser: Any) -> None:
    group = parser.add_argument_group(_("what is asked"))
    group.add_argument(
        "--alert", action="append", default=[], metavar=_("ALERT"),
        help=_("an alert's account and time; may be repeated"),
    )  # fmt: skip
    group.add_argument("--case", metavar=_("CASE"), help=_("all the alerts of a case"))
    group.add_argument(
        "--account", action="append", default=[], metavar=_("LOGIN"),
        help=_("an account, with --from and --to; may be repeated"),
    )  # fmt: skip
    group.add_argument("--from", dest="since", metavar=_("TIME"), help=_("from then on (UTC)"))
    group.add_argument("--to", dest="until", metavar=_("TIME"), help=_("until then (UTC)"))
    group.add_argument(
        "--on-behalf", action="store_true",
        help=_("count what services did on behalf of the account as well"),
    )  # fmt: skip
    group.add_argument(
        "--index", type=Path, metavar=_("FILE"),
        help=_("the operator's patients, dated: searches without results are asked again of it"),
    )  # fmt: skip
    group.add_argument(
        "--index-mapping", type=Path, metavar=_("FILE"), help=_("mapping of that file (TOML)")
    )


def _declare_boundary(parser: Any) -> None:
    group = parser.add_argument_group(_("where the owner ends and the thief begins"))
    group.add_argument(
        "--boundary", choices=LEVELS,
        help=_("what counts as exposed; what cannot be told apart counts from probable on"),
    )  # fmt: skip
    boundary(group)
    group.add_argument("--author", default="", metavar=_("NAME"), help=_("who decides that"))
    group.add_argument("--reason", default="", metavar=_("TEXT"), help=_("why (journal)"))
    group.add_argument(
        "--evidence", action="store_true", help=_("show whose each session is, and why")
    )


def _declare_output(parser: Any) -> None:
    group = parser.add_argument_group(_("what is written"))
    group.add_argument(
        "--out", type=Path, metavar=_("FILE"), help=_("write the whole set there (Parquet)")
    )
    group.add_argument(
        "--facts", type=Path, metavar=_("FILE"), help=_("write the facts there (JSON)")
    )
    group.add_argument(
        "--declared", metavar=_("TIME"),
        help=_("compare with what screens were declared to show at that time"),
    )  # fmt: skip
    formats(parser, "table", "json")
