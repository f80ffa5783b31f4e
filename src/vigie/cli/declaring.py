"""How a command is declared: what the modules of each family of commands share."""

from typing import Any

from vigie.language import _


def command(commands: Any, name: str, common: Any, summary: str, run: str) -> Any:
    """Declare the command `name`, run by `run` (`module:function` of `vigie.cli`)."""
    parser = commands.add_parser(name, help=summary, description=summary, parents=[common])
    parser.set_defaults(run=f"vigie.cli.{run}", called=parser.prog)
    return parser


def family(commands: Any, name: str, summary: str) -> Any:
    """Declare a command that has commands of its own, and return where they are declared."""
    parser = commands.add_parser(name, help=summary, description=summary)
    return parser.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)


def boundary(group: Any) -> None:
    """Declare where the owner of an account ends and the thief begins."""
    group.add_argument(
        "--since", dest="cut", metavar=_("TIME"), help=_("all before is the owner's")
    )
    group.add_argument(
        "--session", action="append", default=[], metavar=_("SESSION"),
        help=_("this session is the thief's, all others the owner's; may be repeated"),
    )  # fmt: skip


def formats(parser: Any, *names: str) -> None:
    """Declare `--format`; the first name is the default."""
    parser.add_argument("--format", choices=names, default=names[0], help=_("form of the output"))
