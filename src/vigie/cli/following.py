"""What is declared anew changes what open cases count: their facts follow.

Light on purpose: who keeps no case needs none of its libraries.
"""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Final

from vigie import journal
from vigie.cli.terminal import home_of, remark
from vigie.language import _
from vigie.stores import Store

COUNTED: Final = ("screens", "identities", "contracts", "authorities")
"""The declared tables that say what of whom was exposed, and whose it is."""


@contextmanager
def cases_follow(options: Namespace) -> Iterator[None]:
    """Compute the open cases anew when the block declared something else than was in force.

    Lines and alerts that came change nothing by themselves: what they outran is said.
    """
    before = _versions(options)
    yield
    if _versions(options) == before:
        remind_of_cases(options)
        return
    if not has_cases(home_of(options)):
        return
    from vigie.cli.case_exposure import refresh

    remark(_("The declarations changed: the facts of the open cases are computed anew."))
    asked = Namespace(
        home=options.home, command=options.command, alarm_budget=None, learn_until=None,
        cases=[], reason="", author="",
    )  # fmt: skip
    table = getattr(options, "format", "table") == "table"
    with nullcontext() if table else redirect_stdout(sys.stderr):
        refresh(asked)


def remind_of_cases(options: Namespace) -> None:
    """Say which open cases the log has outrun."""
    if has_cases(home_of(options)):
        from vigie.cli.arriving import remind

        remind(options)


def _versions(options: Namespace) -> dict[str, int]:
    with Store.open(home_of(options)) as store:
        rows = store.catalogue.rows("SELECT name, max(version) AS last FROM declared GROUP BY name")
        return {row["name"]: row["last"] for row in rows if row["name"] in COUNTED}


def has_cases(home: Path) -> bool:
    """Whether there ever was a case: their libraries are an extra."""
    return any(entry.what == "case" for entry in journal.entries(home))
