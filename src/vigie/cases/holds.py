"""Days that retention would drop and open cases ask about: a case holds them until it is exported.

Facts and persons of a case outlive the log (`vigie.cli.case_exposure`), but its lines do not: the
evidence behind each access, and whatever a wider question or a corrected declaration would show.
An exposure that was written out, counting all that the log now holds, lets the days go.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from vigie import journal
from vigie.cases.arrivals import find_arrivals
from vigie.cases.model import OVER, Case
from vigie.cases.scope import has_scope, scope_of, scope_of_facts
from vigie.exposure import Scope
from vigie.stores import Store

EXPORTED: Final = "exported"
_DAY: Final = timedelta(days=1)


class Hold(msgspec.Struct, frozen=True):
    """The days about which a case asks, in order; `exported` when its exposure was written out."""

    case: str
    title: str
    days: tuple[str, ...]
    exported: bool


def note_exported(home: Path, case: Case, sha256: str) -> None:
    """Write into the journal that the persons of a case were written to a file of that hash."""
    if case.facts:
        journal.record(home, EXPORTED, f"{case.id} {case.facts.sha256} {sha256}")


def find_holds(
    store: Store, cases: Iterable[Case], days: Collection[str], silent_hours: float
) -> Iterator[Hold]:
    """Yield what each open case asks of these days (ISO 8601, UTC), where it asks anything."""
    written = _exported(store.home)
    for case in cases:
        scope = _asked(case) if case.status not in OVER else None
        held = tuple(day for day in days if scope and _touches(scope, day))
        if held:
            came = find_arrivals(store, [case], (), {}, silent_hours)[case.id]
            counted = case.facts is not None and f"{case.id} {case.facts.sha256}" in written
            yield Hold(case.id, case.title, held, counted and not came)


def _asked(case: Case) -> Scope | None:
    if case.facts:
        return scope_of_facts(case)
    return scope_of(case) if has_scope(case) else None


def _touches(scope: Scope, day: str) -> bool:
    begins = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return any(one.since < begins + _DAY and one.until > begins for one in scope.stretches)


def _exported(home: Path) -> set[str]:
    return {
        entry.subject.rpartition(" ")[0]
        for entry in journal.entries(home)
        if entry.what == EXPORTED
    }
