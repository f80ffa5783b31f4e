"""What a corrected declaration changes: who was exposed to which data, before and after."""

from dataclasses import dataclass

from vigie.exposure.engine import Exposure

_PERSONS = "SELECT data_class, count(DISTINCT patient) FROM exposure GROUP BY ALL ORDER BY ALL"
_CELLS = "SELECT DISTINCT patient, data_class FROM exposure"


@dataclass(frozen=True, slots=True)
class Change:
    """One data class: persons before and after, and how many of them are new or no longer there."""

    data_class: str
    before: int
    after: int
    added: int
    removed: int


def compare(before: Exposure, after: Exposure) -> tuple[Change, ...]:
    """Return what differs between two answers about the same accounts and periods."""
    counts = [dict(one.groups(_PERSONS)) for one in (before, after)]
    cells = [set(one.groups(_CELLS)) for one in (before, after)]
    added, removed = (_by_class(one - other) for one, other in (cells[::-1], cells))
    return tuple(
        Change(
            name,
            counts[0].get(name, 0),
            counts[1].get(name, 0),
            added.get(name, 0),
            removed.get(name, 0),
        )
        for name in sorted({*counts[0], *counts[1]})
        if name in added or name in removed
    )


def _by_class(cells: set[tuple[bytes, str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for _patient, data_class in cells:
        found[data_class] = found.get(data_class, 0) + 1
    return found
