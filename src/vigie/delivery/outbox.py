"""The queue of a notice: who is to be told, and what became of it, by pseudonym alone.

Somebody is *queued*, then *sending* for as long as a message is under way, then has the fate that
the server gave. What a killed process left *sending* is *uncertain*, and only *queued* and
*deferred* are ever tried: nobody is written to twice by the machine's own doing.
"""

from collections.abc import Iterator, Sequence
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
        self._mine = DELIVERIES.c.notice == notice
        with state.transaction() as connection:
            connection.execute(
                update(DELIVERIES)
                .where(self._mine, DELIVERIES.c.status == SENDING)
                .values(status=Fate.UNCERTAIN.value)
            )

    def admit(self, people: Sequence[tuple[str, str]]) -> set[str]:
        """Queue some thousand persons at most (pseudonym, status) and return who is due.

        Who is there already stays as it is.
        """
        keys = [person for person, _status in people]
        known = select(DELIVERIES.c.person, DELIVERIES.c.status).where(
            self._mine, DELIVERIES.c.person.in_(keys)
        )
        with self._state.alone(), self._state.transaction() as connection:
            there = {row.person: row.status for row in connection.execute(known)}
            fresh = {person: status for person, status in people if person not in there}
            rows = [
                {"notice": self.notice, "person": person, "status": status, "at": _now()}
                for person, status in fresh.items()
            ]
            if rows:
                connection.execute(insert(DELIVERIES), rows)
        return {person for person, status in {**there, **fresh}.items() if status in _TRY}

    def counts(self) -> dict[str, int]:
        """Return how many persons have each status."""
        query = (
            select(DELIVERIES.c.status, func.count().label("persons"))
            .where(self._mine)
            .group_by(DELIVERIES.c.status)
            .order_by(DELIVERIES.c.status)
        )
        with self._state.transaction() as connection:
            return {row.status: row.persons for row in connection.execute(query)}

    def begin(self, person: str) -> bool:
        """Say that a message to `person` is about to leave: on disk before it does.

        False when another process was faster: it is that one's to send.
        """
        with self._state.transaction() as connection:
            claimed = connection.execute(
                update(DELIVERIES)
                .where(self._mine, DELIVERIES.c.person == person, DELIVERIES.c.status.in_(_TRY))
                .values(status=SENDING, code=0, at=_now())
            )
            return bool(claimed.rowcount)

    def end(self, person: str, outcome: Outcome) -> None:
        """Say what became of it."""
        with self._state.transaction() as connection:
            connection.execute(
                update(DELIVERIES)
                .where(self._mine, DELIVERIES.c.person == person)
                .values(status=outcome.fate.value, code=outcome.code, at=_now())
            )

    def rows(self) -> Iterator[tuple[str, str, int, str]]:
        """Yield (pseudonym, status, server's code, time) of each person, in order."""
        columns = (DELIVERIES.c.person, DELIVERIES.c.status, DELIVERIES.c.code, DELIVERIES.c.at)
        query = select(*columns).where(self._mine).order_by(columns[0])
        with self._state.transaction() as connection:
            reading = connection.execution_options(yield_per=_ROWS)
            for person, status, code, at in reading.execute(query):
                yield person, status, code or 0, at


def _now() -> str:
    return datetime.now(UTC).isoformat()
