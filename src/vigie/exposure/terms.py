"""The dated declarations as the queries join them: what a screen shows, whose the data are."""

from typing import Any, Final

from vigie.exposure.asking import holds
from vigie.exposure.selection import NOT_EXPOSING

_CLASSES: Final = """
CREATE TEMP TABLE class_of AS
WITH declared AS (
    SELECT source, object, data_class,
        coalesce(epoch_us(valid_from), -4611686018427387904) AS since,
        coalesce(epoch_us(valid_until), 4611686018427387904) AS until,
        attested_by IS NOT NULL AND attested_on IS NOT NULL AS attested
    FROM screens
)
SELECT DISTINCT source, object, since, until, data_class FROM declared
UNION
SELECT DISTINCT source, object, since, until, 'unknown' FROM declared WHERE NOT attested
"""

_BY_ORGANISATION: Final = """
CREATE TEMP TABLE organisation_controller AS
SELECT DISTINCT organisation, controller,
    coalesce(epoch_us(valid_from), -4611686018427387904) AS since,
    coalesce(epoch_us(valid_until), 4611686018427387904) AS until
FROM contracts WHERE role <> 'processor' AND organisation IS NOT NULL AND person IS NULL
"""

_BY_PERSON: Final = """
CREATE TEMP TABLE person_controller AS
SELECT DISTINCT {person} AS person, c.organisation, c.controller,
    coalesce(epoch_us(c.valid_from), -4611686018427387904) AS since,
    coalesce(epoch_us(c.valid_until), 4611686018427387904) AS until
FROM contracts c {join} WHERE c.role <> 'processor' AND c.person IS NOT NULL
"""


_SHOWN_BY: Final = f"""
SELECT data_class FROM class_of WHERE source IN (SELECT unnest($sources))
UNION
SELECT 'unknown' FROM (
    SELECT DISTINCT source, object FROM events
    WHERE source IN (SELECT unnest($sources)) AND action NOT IN {NOT_EXPOSING}
) e ANTI JOIN class_of c ON e.source = c.source AND e.object = c.object
UNION
SELECT 'unknown' FROM (SELECT unnest($sources) AS source) s ANTI JOIN class_of USING (source)
"""


def declare_classes(connection: Any) -> None:
    """Make `class_of`: nobody vouching for a declaration, the screen may show more: `unknown`."""
    connection.execute(_CLASSES)


def shown_by(connection: Any, sources: list[str]) -> frozenset[str]:
    """Return the classes that the screens of these sources can show.

    A screen that the log names and nobody declared, or a source without a declaration: `unknown`.
    """
    rows = connection.execute(_SHOWN_BY, {"sources": sources}).fetchall() if sources else []
    return frozenset(row[0] for row in rows)


def declare_controllers(connection: Any, resolved: bool) -> tuple[bool, bool]:
    """Make the tables of controllers, and say which of them hold anything.

    A contract names a person by one of his identifiers: it follows him to the person he counts as.
    """
    connection.execute(_BY_ORGANISATION)
    join = "LEFT JOIN person_of p ON p.patient = c.person AND p.until = 4611686018427387904"
    person = "coalesce(p.person, c.person)" if resolved else "c.person"
    connection.execute(_BY_PERSON.format(person=person, join=join if resolved else ""))
    return (_holds(connection, "organisation_controller"), _holds(connection, "person_controller"))


def _holds(connection: Any, table: str) -> bool:
    return holds(connection, f"SELECT 1 FROM {table} LIMIT 1")
