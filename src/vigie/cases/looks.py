"""Who saw what, from the journal: when an alert was first told, when somebody first looked at it.

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


def tell_signals(home: Path, alerts: Iterable[str], why: str = "") -> list[str]:
    """Journal the alerts that were never told before, and return their identifiers."""
    told = {name for entry in _entries(home, SIGNAL) for name in entry.subject.split()}
    fresh = [name for name in dict.fromkeys(alerts) if name not in told]
    if fresh:
        journal.record(home, SIGNAL, " ".join(fresh), why)
    return fresh


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
