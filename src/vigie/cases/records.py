"""How records lie in the database, and how the journal vouches for each.

A record is first pending (`entry` null), then its digest goes into the journal, then it counts. A
process killed in between leaves a pending record, and `settle` says what becomes of it: every
record has its entry and every entry its record, or somebody meddled.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from vigie import journal
from vigie.cases.model import (
    Alerted,
    Case,
    Decision,
    Event,
    FactsVersion,
    Opening,
    Record,
    TextScanned,
)
from vigie.errors import StoreError
from vigie.language import N_
from vigie.state.tables import CASE_RECORDS, CASES

ENTRY: Final = "case"
"""What the journal calls the entry of a record."""
_ANY: Final = Opening | Alerted | Event | Decision | FactsVersion | TextScanned


def vouched_for(home: Path) -> list[tuple[int, str]]:
    """Return `(number of the entry, digest)` of every record that the journal vouches for."""
    return [
        (entry.number, entry.subject.rpartition(" ")[2])
        for entry in journal.entries(home)
        if entry.what == ENTRY
    ]


def settle(connection: Connection, home: Path) -> None:
    """Keep the pending records that the journal has, and drop the others."""
    pending = select(CASE_RECORDS.c.digest).where(CASE_RECORDS.c.entry.is_(None))
    digests = list(connection.scalars(pending))
    if not digests:
        return
    vouched = {digest: number for number, digest in vouched_for(home)}
    for digest in digests:
        if digest in vouched:
            mark(connection, digest, vouched[digest])
        else:
            connection.execute(delete(CASE_RECORDS).where(CASE_RECORDS.c.digest == digest))
    with_records = select(CASE_RECORDS.c.case_id)
    connection.execute(delete(CASES).where(CASES.c.id.not_in(with_records)))


def kind_of(record: Record) -> str:
    """Return what a record is, as the table and the journal call it."""
    return str(type(record).__struct_config__.tag)


def digest_of(case: str, number: int, body: str) -> str:
    """Return the SHA-256 of a record as it is stored."""
    return hashlib.sha256(f"{case}\n{number}\n{body}".encode()).hexdigest()


def make_case(connection: Connection, year: int) -> str:
    """Make the next case of `year` and return its identifier."""
    last = connection.scalar(select(func.max(CASES.c.number)).where(CASES.c.year == year))
    number = (last or 0) + 1
    name = f"{year}-{number:03d}"
    connection.execute(insert(CASES).values(id=name, year=year, number=number))
    return name


def insert_record(connection: Connection, case: str, record: Record) -> str:
    """Write a record as pending and return its digest."""
    body = msgspec.json.encode(record, order="sorted").decode()
    digest = digest_of(case, record.number, body)
    connection.execute(insert(CASE_RECORDS).values(
        case_id=case, number=record.number, kind=kind_of(record), author=record.author,
        recorded_at=record.recorded_at.astimezone(UTC).isoformat(), body=body, digest=digest,
    ))  # fmt: skip
    return digest


def mark(connection: Connection, digest: str, entry: int) -> None:
    """Make a pending record count: the entry `entry` of the journal holds its digest."""
    row = CASE_RECORDS.c.digest == digest
    connection.execute(update(CASE_RECORDS).where(row).values(entry=entry))


def read_cases(connection: Connection, beginning: str = "") -> Iterator[Case]:
    """Yield cases, whole, in the order of their numbers."""
    table = CASE_RECORDS.join(CASES)
    chosen = select(CASE_RECORDS, CASES.c.year, CASES.c.number.label("of_year"))
    query = (
        chosen.select_from(table)
        .where(CASE_RECORDS.c.entry.is_not(None))
        .where(CASES.c.id.startswith(beginning, autoescape=True))
        .order_by(CASES.c.year, CASES.c.number, CASE_RECORDS.c.number)
    )
    by_case: dict[str, list[Record]] = {}
    for row in connection.execute(query):
        by_case.setdefault(row.case_id, []).append(_record(row))
    for name, records in by_case.items():
        yield Case(name, tuple(records))


def _record(row: Row[Any]) -> Record:
    try:
        record = msgspec.json.decode(row.body, type=_ANY)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise StoreError(
            N_("a record of the case cannot be read: it was changed"),
            where=f"{row.case_id}/{row.number}",
            remedy=N_("vigie verify names what was changed; restore the database from a backup"),
        ) from None
    return msgspec.structs.replace(record, entry=row.entry)
