"""A report for people who would rather look than read: one page, that opens anywhere."""

import os
import tempfile
from pathlib import Path

from vigie.detection import Detection
from vigie.errors import UsageError
from vigie.language import N_
from vigie.report.page import MARK, Looked, render

__all__ = ["Looked", "check_place", "render", "write"]


def check_place(path: Path) -> None:
    """Refuse a place where a report cannot go; raises `UsageError`.

    An earlier report is replaced, another file never: the option is a letter away from a log.
    """
    if not path.parent.is_dir():
        raise UsageError(
            N_("the directory does not exist"), where=str(path.parent), remedy=N_("make it first")
        )
    if path.is_dir() or (path.exists() and not _is_report(path)):
        raise UsageError(
            N_("there is something here that is not a report of Vigie"),
            where=str(path),
            remedy=N_("give the report another name"),
        )


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(2048)
    return not head or MARK.encode() in head


def write(path: Path, found: Detection, looked: Looked) -> None:
    """Write the report at `path`, whole or not at all, for its owner alone: it names accounts."""
    check_place(path)
    page = render(found, looked).encode()
    # A temporary file of the same directory is 0600 from its first byte on.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".vigie-", suffix=".html")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(page)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
