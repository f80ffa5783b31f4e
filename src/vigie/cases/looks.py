"""Who saw what, from the journal: when an alert was first told, when somebody first looked at it,
and since when it is told no more.

The journal is a chain, so a moment in it cannot be moved afterwards; what a person decides about
awareness stands beside it.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from vigie import journal
from vigie.journal import Entry

SIGNAL: Final = "signal"
VIEW: Final = "view"
WITHDRAWN: Final = "withdrawn"


def tell_signals(home: Path, alerts: Iterable[str], why: str = "") -> list[str]:
    """Journal the alerts that were never told before, and return their identifiers."""
    told = {name for entry in _entries(home, SIGNAL) for name in entry.subject.split()}
    fresh = [name for name in dict.fromkeys(alerts) if name not in told]
    if fresh:
        journal.record(home, SIGNAL, " ".join(fresh), why)
    return fresh


def withdraw(home: Path, alerts: Iterable[str], why: str = "") -> list[str]:
    """Journal the alerts that are told no more and were until now, and return which."""
    gone = withdrawn(home)
    fresh = [name for name in dict.fromkeys(alerts) if name not in gone]
    if fresh:
        journal.record(home, WITHDRAWN, " ".join(fresh), why)
    return fresh


def tell_again(home: Path, alerts: Iterable[str]) -> list[str]:
    """Journal the alerts that were withdrawn and are told once more, and return which."""
    gone = withdrawn(home)
    back = [name for name in dict.fromkeys(alerts) if name in gone]
    if back:
        journal.record(home, SIGNAL, " ".join(back), "told again")
    return back


def withdrawn(home: Path) -> dict[str, datetime]:
    """Return the alerts that an answer told and a later one did not, each with when it did not.

    One that was told again since is none of them.
    """
    found: dict[str, datetime] = {}
    for entry in journal.entries(home):
        if entry.what == WITHDRAWN:
            found |= dict.fromkeys(entry.subject.split(), datetime.fromisoformat(entry.at))
        elif entry.what == SIGNAL:
            for name in entry.subject.split():
                found.pop(name, None)
    return found


def record_view(home: Path, alert: str, why: str = "", who: str = "") -> Entry:
    """Journal that somebody looks at one alert."""
    return journal.record(home, VIEW, alert, why, who)


def first_signal(home: Path, alerts: Iterable[str]) -> datetime | None:
    """Return when the first of these alerts was first told."""
    return _first(home, SIGNAL, alerts)


def first_viewing(home: Path, alerts: Iterable[str]) -> datetime | None:
    """Return when somebody first looked at one of these alerts."""
    return _first(home, VIEW, alerts)


def _first(home: Path, what: str, alerts: Iterable[str]) -> datetime | None:
    wanted = set(alerts)
    found = (e.at for e in _entries(home, what) if wanted & set(e.subject.split()))
    return min(map(datetime.fromisoformat, found), default=None)


def _entries(home: Path, what: str) -> list[Entry]:
    return [entry for entry in journal.entries(home) if entry.what == what]
