"""What a corrected declaration changes: who was exposed to which data, before and after."""

from dataclasses import dataclass

from vigie.exposure.engine import Exposure

_PERSONS = "SELECT data_class, count(DISTINCT patient) FROM exposure GROUP BY ALL ORDER BY ALL"
_CELLS = "SELECT DISTINCT patient, data_class FROM exposure"
_MOVED = f"""
SELECT data_class::VARCHAR AS data_class, count(*) FILTER (is_new), count(*) FILTER (NOT is_new)
FROM (
    SELECT true AS is_new, patient, data_class::VARCHAR AS data_class
    FROM ({_CELLS}) a ANTI JOIN cells_before b USING (patient, data_class)
    UNION ALL
    SELECT false, patient, data_class::VARCHAR
    FROM cells_before b ANTI JOIN ({_CELLS}) a USING (patient, data_class)
) GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One data class: persons before and after, and how many of them are new or no longer there."""

    data_class: str
    before: int
    after: int
    added: int
    removed: int


Changes = tuple[Change, ...] | None
"""What changed; None when nobody asked."""


def compare(before: Exposure, after: Exposure) -> tuple[Change, ...]:
    """Return what differs between two answers about the same accounts and periods."""
    counts = [dict(one.groups(_PERSONS)) for one in (before, after)]
    after.connection.register("cells_before", before.connection.sql(_CELLS).to_arrow_table())
    moved = {name: (added, removed) for name, added, removed in after.groups(_MOVED)}
    after.connection.unregister("cells_before")
    return tuple(
        Change(name, counts[0].get(name, 0), counts[1].get(name, 0), *moved[name])
        for name in sorted(moved)
    )
