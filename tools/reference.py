"""Write the reference pages of the documentation from the program itself.

`python -m tools.reference`; a test refuses pages that are not what this would write.
"""

import argparse
import os
import sys
from pathlib import Path

import msgspec

from vigie.cli.parser import build_parser
from vigie.config import Settings, Trust
from vigie.events import ACTIONS, COLUMNS, VOCABULARIES
from vigie.language import speaking
from vigie.readers.base import REASONS
from vigie.records import DATA_CLASSES, TABLES

PAGES = Path(__file__).parent.parent / "docs" / "reference"


def commands() -> str:
    """Return the help of every command."""
    os.environ["COLUMNS"] = "100"
    with speaking("en"):
        parser = build_parser()
        parts = ["# Commands\n", _block(parser.format_help())]
        for path, inner in _commands_below(parser, ("vigie",)):
            parts += [f"\n## {' '.join(path)}\n", _block(inner.format_help())]
    return "\n".join(parts)


def _commands_below(
    parser: argparse.ArgumentParser, path: tuple[str, ...]
) -> list[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    found = []
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of its commands
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for name, inner in action.choices.items():
                found += [((*path, name), inner), *_commands_below(inner, (*path, name))]
    return found


def _block(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def waist() -> str:
    """Return the columns of the waist and of the tables beside it."""
    lines = ["# The waist\n", "One row per (access, patient).\n"]
    for group in dict.fromkeys(column.group for column in COLUMNS):
        lines += [
            f"\n## {group.capitalize()}\n",
            "| column | type | null | meaning |",
            "|---|---|---|---|",
        ]
        for column in COLUMNS:
            if column.group == group:
                null = "no" if column.required else "yes"
                lines.append(
                    f"| `{column.name}` | {_type(column.type)} | {null} | {column.meaning} |"
                )
    lines += ["\n## Vocabularies\n", f"- `action`: {', '.join(ACTIONS)}"]
    lines += [f"- `{n}`: {', '.join(w)}" for n, w in VOCABULARIES.items() if n != "action"]
    lines.append(f"- data classes: {', '.join(DATA_CLASSES)}")
    for name, schema in TABLES.items():
        lines += [f"\n## Table `{name}`\n", "| column | type |", "|---|---|"]
        lines += [f"| `{field.name}` | {_type(field.type)} |" for field in schema]
    lines += ["\n## Why a line is quarantined\n", "| reason | meaning |", "|---|---|"]
    lines += [f"| `{reason}` | {meaning} |" for reason, meaning in REASONS.items()]
    return "\n".join(lines)


def _type(kind: object) -> str:
    text = str(kind)
    return "text" if "string" in text else text.replace("fixed_size_binary[16]", "16 bytes")


def settings() -> str:
    """Return the settings of `vigie.toml` with their defaults."""
    lines = ["# Settings\n", "`vigie.toml` in `VIGIE_HOME`; every one is optional.\n"]
    for title, kind in (("At the top", Settings), ("`[trust]`", Trust)):
        lines += [
            f"\n## {title}\n",
            f"{(kind.__doc__ or '').strip()}\n",
            "| setting | default |",
            "|---|---|",
        ]
        for field in msgspec.structs.fields(kind):
            if field.default is not msgspec.NODEFAULT:
                lines.append(f"| `{field.name}` | {field.default} |")
    return "\n".join(lines)


PAGE_OF = {"commands.md": commands, "waist.md": waist, "settings.md": settings}


def main() -> int:
    """Write every page."""
    for name, page in PAGE_OF.items():
        (PAGES / name).write_text(page() + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
