"""The queue of a notice: who is to be told, and what became of it, by pseudonym alone.

A person is *queued*, then *sending* for as long as a message is under way, then has the fate that
the server gave. What a killed process left *sending* is *uncertain*, and only *queued* and
*deferred* are ever tried: nobody is written to twice by the machine's own doing.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import func, insert, select, update

from vigie.delivery.smtp import Fate, Outcome
from vigie.state import State
from vigie.state.tables import DELIVERIES

QUEUED: Final = "queued"
SENDING: Final = "sending"
_ROWS: Final = 5_000
_TRY: Final = (QUEUED, Fate.DEFERRED.value)


class Outbox:
    """The queue of the notice called `notice` in the state database."""

    def __init__(self, state: State, notice: str) -> None:
        self._state, self.notice = state, notice
        with state.transaction() as connection:
            connection.execute(
                update(DELIVERIES)
                .where(DELIVERIES.c.notice == notice, DELIVERIES.c.status == SENDING)
                .values(status=Fate.UNCERTAIN.value)
            )

    def add(self, people: Iterable[tuple[str, str]]) -> int:
        """Queue persons (pseudonym, status); who is there already stays as it is."""
        known, added = self.statuses(), 0
        fresh = [(person, status) for person, status in people if person not in known]
        for start in range(0, len(fresh), _ROWS):
            rows = [
                {"notice": self.notice, "person": person, "status": status, "at": _now()}
                for person, status in fresh[start : start + _ROWS]
            ]
            with self._state.transaction() as connection:
                connection.execute(insert(DELIVERIES), rows)
            added += len(rows)
        return added

    def statuses(self) -> dict[str, str]:
        """Return the status of each person of the notice."""
        query = select(DELIVERIES.c.person, DELIVERIES.c.status).where(
            DELIVERIES.c.notice == self.notice
        )
        with self._state.transaction() as connection:
            return {row.person: row.status for row in connection.execute(query)}

    def due(self) -> set[str]:
        """Return those who may be written to now."""
        return {person for person, status in self.statuses().items() if status in _TRY}

    def counts(self) -> dict[str, int]:
        """Return how many persons have each status."""
        query = (
            select(DELIVERIES.c.status, func.count().label("persons"))
            .where(DELIVERIES.c.notice == self.notice)
            .group_by(DELIVERIES.c.status)
            .order_by(DELIVERIES.c.status)
        )
        with self._state.transaction() as connection:
            return {row.status: row.persons for row in connection.execute(query)}

    def begin(self, person: str) -> None:
        """Say that a message to `person` is about to leave: on disk before it does."""
        self._set(person, SENDING, 0)

    def end(self, person: str, outcome: Outcome) -> None:
        """Say what became of it."""
        self._set(person, outcome.fate.value, outcome.code)

    def rows(self) -> Iterator[tuple[str, str, int, str]]:
        """Yield (pseudonym, status, server's code, time) of each person, in order."""
        columns = (DELIVERIES.c.person, DELIVERIES.c.status, DELIVERIES.c.code, DELIVERIES.c.at)
        query = select(*columns).where(DELIVERIES.c.notice == self.notice).order_by(columns[0])
        with self._state.transaction() as connection:
            for person, status, code, at in connection.execute(query):
                yield person, status, code or 0, at

    def _set(self, person: str, status: str, code: int) -> None:
        with self._state.transaction() as connection:
            connection.execute(
                update(DELIVERIES)
                .where(DELIVERIES.c.notice == self.notice, DELIVERIES.c.person == person)
                .values(status=status, code=code, at=_now())
            )


def _now() -> str:
    return datetime.now(UTC).isoformat()
