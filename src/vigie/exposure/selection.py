"""The rows of the log that are asked about: the account's own, and those of other logs for the
same access.

A portal may log that a search was made and its database whom it returned, under the portal's own
account: both are the one access, and both count. What services did on behalf of the account, no
log having seen the account itself, counts when it is asked for; what a secretary does for a doctor
never is the doctor's.
"""

from typing import Any, Final

from vigie.events import ACTIONS
from vigie.exposure.asking import first
from vigie.exposure.scope import Scope
from vigie.stores.quoting import quoted

NOT_EXPOSING: Final = ("login", "logout", "privilege_change", "log_change")
FAILED: Final = ("serious_failure", "major_failure")
"""DICOM PS3.15 A.5.2: the action was broken off. It names whom somebody wanted to see, and shows
nothing; a minor failure may have shown something, and counts."""

_HOWS: Final = {"search": "listed", "list": "listed", "export": "exported", "print": "exported"}

HOW: Final = (
    "CASE action "
    + " ".join(f"WHEN '{action}' THEN '{how}'" for action, how in _HOWS.items())
    + " ELSE 'opened' END"
)
assert set(_HOWS) | set(NOT_EXPOSING) <= set(ACTIONS)


def _texts(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


HELD: Final = 2_000_000
"""Rows up to which the accounts' own are held in memory; beyond, each question reads them anew."""

_COLUMNS: Final = f"""
    e.event_id, e.access_id, e."at", e.source, e.source_file, e.source_line, e.patient,
    e.organisation, e.session, e.network, e.device, e.user_agent, e.action, e.object,
    e.query_shape, e.record_count, e.bytes, e.file_hash, e.area, e.surname_key, e.address_key,
    coalesce(e.outcome IN {_texts(FAILED)}, false) AS failed,
    coalesce(e.flags LIKE '%ins_test%' OR e.flags LIKE '%ins_demo%', false) AS test
"""

_ASKING: Final = f"e.action NOT IN {_texts(NOT_EXPOSING)}"

_OWN: Final = f"""
SELECT {_COLUMNS}, {{who}} AS account FROM events e WHERE {{where}} AND {_ASKING}
"""

_BY_SERVICES: Final = "e.actor_kind = 'service' AND {where}"

_LINKED: Final = f"""
CREATE TEMP TABLE linked AS
WITH known AS (SELECT access_id, any_value(account) AS account FROM own
               WHERE access_id IN (SELECT access_id FROM events
                                   WHERE access_id <> event_id AND {{period}})
               GROUP BY access_id)
SELECT {_COLUMNS}, k.account
FROM events e JOIN known k USING (access_id)
WHERE {{period_of_e}} AND {_ASKING}
  AND e.event_id NOT IN (SELECT event_id FROM own WHERE access_id IN (SELECT access_id FROM known))
"""

_SELECTED: Final = "CREATE TEMP VIEW selected AS SELECT * FROM own"
_WITH_LINKED: Final = """
CREATE TEMP VIEW several AS SELECT * FROM own UNION ALL BY NAME SELECT * FROM linked;
CREATE TEMP TABLE housed AS
SELECT access_id, max(organisation) AS organisation FROM several GROUP BY access_id
HAVING count(organisation) BETWEEN 1 AND count(*) - 1;
CREATE TEMP VIEW selected AS
SELECT t.* REPLACE (coalesce(t.organisation, h.organisation) AS organisation)
FROM several t LEFT JOIN housed h ON t.access_id = h.access_id
"""
"""What one log leaves out of an access, another may say: where it was made, and so whose it is."""


def select(connection: Any, scope: Scope) -> None:
    """Make the view `selected` over the connection of a store."""
    connection.register("stretches", scope.table())
    own = _OWN.format(who="e.account", where=_where(connection, "e.account"))
    if scope.on_behalf:
        own += "UNION ALL" + _OWN.format(who="e.on_behalf_of", where=_by_services(connection))
    connection.execute(f"CREATE TEMP VIEW own AS {own}")
    if is_held(connection):
        connection.execute(f"DROP VIEW own; CREATE TEMP TABLE own AS {own}")
    if _several_logs(connection):
        connection.execute(_linked(scope))
        connection.execute(_WITH_LINKED)
    else:
        connection.execute(_SELECTED)


def count_own(connection: Any, scope: Scope) -> int:
    """Return how many rows of the log are the accounts' own in their periods."""
    connection.register("stretches", scope.table())
    where = _where(connection, "e.account")
    return int(first(connection, f"SELECT count(*) FROM events e WHERE {where} AND {_ASKING}")[0])


def is_held(connection: Any) -> bool:
    """Whether the accounts' own rows are few enough to be held in memory."""
    return bool(first(connection, "SELECT count(*) FROM own")[0] <= HELD)


def _by_services(connection: Any) -> str:
    return _BY_SERVICES.format(where=_where(connection, "e.on_behalf_of"))


def _where(connection: Any, column: str) -> str:
    rows = connection.execute("SELECT account, since, until FROM stretches").fetchall()
    parts = [
        f"({column} = {quoted(account)} AND e.\"at\" >= TIMESTAMP '{since}'"
        f" AND e.\"at\" < TIMESTAMP '{until}')"
        for account, since, until in rows
    ]
    return "(" + " OR ".join(parts) + ")"


def _several_logs(connection: Any) -> bool:
    query = "SELECT count(DISTINCT source) FROM files WHERE state = 'received'"
    return bool(first(connection, query)[0] > 1)


def _linked(scope: Scope) -> str:
    """Look for the same accesses in other logs, five minutes around (a chain is no longer)."""
    table = scope.table()
    first, last = min(table["since"].to_pylist()), max(table["until"].to_pylist())
    period = (
        f"\"at\" >= TIMESTAMP '{first}' - INTERVAL 5 MINUTE"
        f" AND \"at\" < TIMESTAMP '{last}' + INTERVAL 5 MINUTE"
    )
    return _LINKED.format(period=period, period_of_e=period.replace('"at"', 'e."at"'))
