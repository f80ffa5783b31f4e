"""`vigie register` and its commands, declared; `registers_actions` runs them."""

from pathlib import Path
from typing import Any

from vigie.cli.declaring import command, family, formats
from vigie.language import _


def declare(commands: Any, name: str, common: Any) -> None:
    """Declare `vigie register`."""
    inner = family(commands, name, _("read your own tables: who is one person, whose they are"))
    for verb, summary in (
        ("identities", _("read which identifiers are one person's, merges and what undid them")),
        ("contracts", _("read who answers for whose data, and from when to when")),
        ("staff", _("read whose the accounts are: surname, address, own number, all keyed")),
    ):
        parser = command(inner, verb, common, summary, f"registers_actions:{verb}")
        parser.add_argument(
            "mappings", nargs="+", type=Path, metavar=_("MAPPING"),
            help=_("where the table is and what its columns are (TOML); all of them together"),
        )  # fmt: skip
        parser.add_argument(
            "--check", action="store_true", help=_("say what would be kept, and keep nothing")
        )
        parser.add_argument(
            "--refused", type=Path, metavar=_("FILE"),
            help=_("write each refused row here: file, row, column, reason, no value (CSV)"),
        )  # fmt: skip
        parser.add_argument("--reason", default="", metavar=_("TEXT"), help=_("why (journal)"))
        formats(parser, "table", "json")
