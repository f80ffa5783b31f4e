"""`vigie notice`, declared; `notice_actions`, `notice_rendering`, `notice_sending` run it."""

from pathlib import Path
from typing import Any, Final

from vigie.cli.declaring import command, family, formats
from vigie.language import _

NAMES: Final = (
    "cnil", "cert_sante", "ars", "anssi", "complaint", "register", "press", "advice",
    "professionals", "controllers", "letters",
)  # fmt: skip
FORMS: Final = ("pdf", "docx", "json", "html", "txt")
SENT: Final = ("letters", "controllers", "professionals")
"""The words of the options stand here again, so that the help needs no library; a test compares."""


def declare(commands: Any, name: str, common: Any) -> None:
    """Declare `vigie notice`."""
    inner = family(commands, name, _("ask for, approve, make and send what is told to whom"))
    for verb, summary, run in (
        ("prepare", _("ask for a notice; another person approves it"), "prepare"),
        ("approve", _("approve a notice that another person asked for"), "approve"),
        ("refuse", _("refuse a notice, with the reason"), "refuse"),
    ):
        parser = command(inner, verb, common, summary, f"notice_actions:{run}")
        _notice(parser, NAMES)
        parser.add_argument(
            "--author", default="", metavar=_("NAME"), help=_("who says so (default: you)")
        )
        parser.add_argument("--reason", required=True, metavar=_("TEXT"), help=_("why (journal)"))
    summary = _("say where each notice of a case stands, and what changed since")
    parser = command(inner, "list", common, summary, "notice_actions:show")
    parser.add_argument("case", metavar=_("CASE"), help=_("its number, or its beginning"))
    formats(parser, "table", "json")
    _declare_render(inner, common)
    _declare_send(inner, common)


def _declare_render(inner: Any, common: Any) -> None:
    summary = _("make a notice: documents, packets by controller, or letters")
    parser = command(inner, "render", common, summary, "notice_rendering:render")
    _notice(parser, NAMES)
    parser.add_argument(
        "--out", type=Path, required=True, metavar=_("DIRECTORY"), help=_("an empty directory")
    )
    parser.add_argument(
        "--form", action="append", choices=FORMS, default=[],
        help=_("form of the documents; may be repeated (default: pdf)"),
    )  # fmt: skip
    _persons(parser)
    _recipients(parser)
    parser.add_argument(
        "--by-post", action="store_true",
        help=_("of letters: only to those without a mailbox, or whose mail was refused"),
    )  # fmt: skip


def _declare_send(inner: Any, common: Any) -> None:
    summary = _("send letters or packets by mail; a dry run unless --really is given")
    parser = command(inner, "send", common, summary, "notice_sending:send")
    _notice(parser, SENT)
    _persons(parser)
    _recipients(parser)
    parser.add_argument(
        "--packets", type=Path, metavar=_("DIRECTORY"),
        help=_("the packets that were made (vigie notice render CASE controllers)"),
    )  # fmt: skip
    parser.add_argument(
        "--really", action="store_true", help=_("send; without it nothing leaves the house")
    )
    parser.add_argument("--limit", type=int, metavar="N", help=_("messages at most, this time"))
    summary = _("say what became of what was sent, one by one or in numbers")
    parser = command(inner, "outcomes", common, summary, "notice_sending:outcomes")
    _notice(parser, SENT)
    formats(parser, "table", "json", "csv")


def _notice(parser: Any, names: tuple[str, ...]) -> None:
    parser.add_argument("case", metavar=_("CASE"), help=_("its number, or its beginning"))
    parser.add_argument("notice", choices=names, metavar=_("NOTICE"), help=", ".join(names))


def _recipients(parser: Any) -> None:
    parser.add_argument(
        "--recipients", type=Path, metavar=_("FILE"),
        help=_("keys, certificates and mailboxes of the controllers and of the operator (TOML)"),
    )  # fmt: skip
    parser.add_argument(
        "--staff", type=Path, metavar=_("FILE"),
        help=_("mapping of your register of staff: who holds an account (TOML)"),
    )  # fmt: skip


def _persons(parser: Any) -> None:
    parser.add_argument(
        "--exposure", type=Path, metavar=_("FILE"),
        help=_("the exposure that the facts count (vigie exposure --out)"),
    )  # fmt: skip
    parser.add_argument(
        "--identifiers", type=Path, metavar=_("FILE"),
        help=_("all the pseudonyms of each person (Parquet), where one has several"),
    )  # fmt: skip
    parser.add_argument(
        "--register", type=Path, metavar=_("FILE"),
        help=_("mapping of your own register, where the names are (TOML)"),
    )  # fmt: skip
    parser.add_argument(
        "--date", metavar=_("DATE"), help=_("the date that the notices bear (default: today)")
    )
