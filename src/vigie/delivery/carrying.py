"""Queues through rotations of the key: the same persons, under other pseudonyms.

The name of a queue in the database bears the number of rotations, so that what a process left
halfway is brought over the next time, and nobody who was written to is written to again.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import bindparam, select, update

from vigie.delivery.outbox import Outbox
from vigie.pseudonyms import Keyring
from vigie.state import State
from vigie.state.tables import DELIVERIES

_MARK: Final = "#"
_ROWS: Final = 5_000


def open_queue(state: State, notice: str, keyring: Keyring) -> Outbox:
    """Return the queue of a notice, brought to the key in force."""
    for version in range(keyring.version):
        for people in _people(state, _name(notice, version)):
            _carry(state, notice, people, version, keyring)
    return Outbox(state, _name(notice, keyring.version))


def carry_queues(state: State, keyring: Keyring) -> None:
    """Bring every queue to the key in force."""
    with state.transaction() as connection:
        names = list(connection.scalars(select(DELIVERIES.c.notice).distinct()))
    for notice in sorted({name.partition(_MARK)[0] for name in names}):
        open_queue(state, notice, keyring)


def _name(notice: str, version: int) -> str:
    """Return the name of a queue after so many rotations.

    >>> _name("2026-001/letters@ab", 0), _name("2026-001/letters@ab", 2)
    ('2026-001/letters@ab', '2026-001/letters@ab#2')
    """
    return f"{notice}{_MARK}{version}" if version else notice


def _people(state: State, name: str) -> Iterator[list[str]]:
    """Yield the pseudonyms of a queue, some thousands at a time, until all have left it."""
    query = select(DELIVERIES.c.person).where(DELIVERIES.c.notice == name).limit(_ROWS)
    while True:
        with state.transaction() as connection:
            people = list(connection.scalars(query))
        if not people:
            return
        yield people


def _carry(state: State, notice: str, people: list[str], version: int, keyring: Keyring) -> None:
    moved = keyring.advanced(bytes.fromhex("".join(people)), version).hex()
    rows = [
        {"was": person, "is_now": moved[32 * place : 32 * place + 32]}
        for place, person in enumerate(people)
    ]
    statement = (
        update(DELIVERIES)
        .where(DELIVERIES.c.notice == _name(notice, version))
        .where(DELIVERIES.c.person == bindparam("was"))
        .values(notice=_name(notice, keyring.version), person=bindparam("is_now"))
    )
    with state.alone(), state.transaction() as connection:
        connection.execute(statement, rows)
