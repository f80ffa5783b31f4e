"""Small questions to DuckDB, answered whole: a result left half read blocks its connection."""

from typing import Any


def first(connection: Any, query: str, parameters: Any = None) -> tuple[Any, ...]:
    """Return the first row of a query that has one."""
    row: tuple[Any, ...] = connection.execute(query, parameters or []).fetchall()[0]
    return row


def holds(connection: Any, query: str) -> bool:
    """Whether a query has any row."""
    return bool(connection.execute(query).fetchall())
