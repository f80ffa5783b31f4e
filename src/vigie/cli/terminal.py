"""How commands talk: results on standard output, progress and remarks on standard error."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from vigie.cli.outputs import write_utf8
from vigie.config import Settings, home_directory, load_settings
from vigie.language import harmless, visible

_WIDEST = 200


def home_of(options: Namespace) -> Path:
    """Return the directory that holds the store and the keys."""
    return options.home or home_directory()


def settings_of(options: Namespace) -> Settings:
    """Return the settings of that directory."""
    return load_settings(home_of(options))


def output() -> Console:
    """Return the console of results; it keeps long lines whole when it is not a terminal."""
    return Console(
        soft_wrap=not sys.stdout.isatty(), highlight=False, width=_width(sys.stdout.isatty())
    )


def remarks() -> Console:
    """Return the console of remarks, on standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def remark(text: str) -> None:
    """Write one line on standard error."""
    sys.stderr.write(visible(text) + "\n")


def _width(terminal: bool) -> int | None:
    return None if terminal else 160


def say(text: str = "") -> None:
    """Write one line of result, whatever a log put into it."""
    sys.stdout.write(visible(text) + "\n")


def write_json(value: Any) -> None:
    """Write a document as JSON, keys in the order given."""
    write_utf8()
    for piece in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(value):
        # What is escaped in a text of JSON is the same text.
        sys.stdout.write(piece if piece.isprintable() else _escaped(piece))
    sys.stdout.write("\n")


def _escaped(piece: str) -> str:
    return "".join(
        mark if mark == "\n" or visible(mark) == mark else json.dumps(mark)[1:-1] for mark in piece
    )


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV, cells that a spreadsheet would run as a formula made harmless."""
    import csv

    write_utf8()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([_harmless(name) for name in header])
    writer.writerows([[_harmless(cell) for cell in row] for row in rows])


def _harmless(cell: object) -> object:
    return harmless(cell) if isinstance(cell, str) else cell


def draw_table(header: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Draw a table; cells are text of a log, so nothing in them is markup."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for name in header:
        table.add_column(_cell(name), overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    output().print(table)


def _cell(value: object) -> Text:
    text = "" if value is None else visible(str(value))
    return Text(text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…")


@contextmanager
def reading_progress(options: Namespace, total: int, what: str) -> Iterator[Any]:
    """Show bytes, rate and time left on a terminal, nothing elsewhere; yields `advance(count)`."""
    if options.quiet or not sys.stderr.isatty():
        yield lambda count: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=remarks(), transient=True) as progress:
        task = progress.add_task(what, total=total or None)
        yield lambda count: progress.advance(task, count)
