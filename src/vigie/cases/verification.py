"""Whether the cases are still what was decided: every record against its entry in the journal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from vigie import journal
from vigie.cases.records import ENTRY, digest_of
from vigie.config import Settings
from vigie.journal import JOURNAL_FILE
from vigie.language import N_
from vigie.state import State, open_state
from vigie.state.tables import CASE_RECORDS
from vigie.stores.verification import Finding

CHANGED = N_("the record was changed since it was journalled")
MISSING = N_("the record is gone that this entry of the journal vouches for")
ADDED = N_("the record was added by hand: the journal has no entry for it")


def verify_cases(home: Path, settings: Settings) -> list[Finding]:
    """Return every record that is not as the journal vouches, in the order of the entries.

    What the journal itself has lost is for `vigie.journal.verify` to say.
    """
    with open_state(home, settings) as state:
        rows = _rows(state)
    return [*_vouched(home, rows), *_unvouched(rows)]


def _rows(state: State) -> dict[tuple[str, int], Any]:
    query = select(CASE_RECORDS).where(CASE_RECORDS.c.entry.is_not(None))
    with state.transaction() as connection:
        found = connection.execute(query.order_by(CASE_RECORDS.c.case_id, CASE_RECORDS.c.number))
        return {(row.case_id, row.number): row for row in found}


def _vouched(home: Path, rows: dict[tuple[str, int], Any]) -> Iterator[Finding]:
    """Check each entry, taking its row out of `rows`."""
    for entry in journal.entries(home):
        if entry.what != ENTRY:
            continue
        case, number, _kind, digest = entry.subject.split(" ")
        row = rows.pop((case, int(number)), None)
        if row is None:
            yield Finding("missing", JOURNAL_FILE, MISSING, entry.number)
        elif digest_of(case, int(number), row.body) != digest or not _agrees(row, entry.number):
            yield Finding("changed", _name(row), CHANGED)


def _agrees(row: Any, entry: int) -> bool:
    """Whether the columns beside the body say what the body and the journal say."""
    body = row.body
    return (
        row.entry == entry
        and f'"record":"{row.kind}"' in body
        and row.digest == digest_of(row.case_id, row.number, body)
    )


def _unvouched(rows: dict[tuple[str, int], Any]) -> Iterator[Finding]:
    for row in rows.values():
        yield Finding("extra", _name(row), ADDED)


def _name(row: Any) -> str:
    return f"case {row.case_id}, record {row.number}"
