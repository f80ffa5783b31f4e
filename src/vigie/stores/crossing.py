"""Crossing a new import with what other sources hold of the same days.

Linking may change access ids on both sides; the segments concerned are written anew and shown in
the same transaction as the import itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from vigie.config import load_settings
from vigie.stores.linking import link_day, relinked
from vigie.stores.opened import OpenStore
from vigie.stores.segments import Segment, read_segments, write_segment


@dataclass
class Crossed:
    """The segments of an import after linking, and the ids of stored ones that they replace."""

    segments: list[Segment]
    replaced: list[str]


def cross(store: OpenStore, fresh: list[Segment], names: Iterator[str]) -> Crossed:
    """Link the new segments of one source with those of the others; `names` names what is new."""
    others = _others(store, fresh)
    events = {segment.id: segment for segment in fresh if segment.kind == "events"}
    rest = [segment for segment in fresh if segment.kind != "events"]
    if not others:
        return Crossed(fresh, [])
    current = others | events
    within = int(load_settings(store.home).link_within_seconds * 1_000_000)
    stored, replaced = set(others), set[str]()
    for day in sorted({day for segment in events.values() for day in _around(segment.day)[:2]}):
        near = [segment for segment in current.values() if segment.day in _around(day)]
        if len({segment.source for segment in near}) < 2:
            continue
        paths = [(segment.path, segment.id in stored) for segment in near]
        changed = link_day(store.home, store.keyring, paths, day, within)
        for segment in near if changed else ():
            anew = _relink(store, segment, changed, names)
            if anew:
                del current[segment.id]
                current[anew.id] = anew
                (stored if segment.id in stored else set()).add(anew.id)
                replaced.add(segment.id)
    kept = [segment for name, segment in current.items() if name not in others]
    return Crossed(kept + rest, sorted(replaced & set(others)))


def _relink(
    store: OpenStore, segment: Segment, changed: dict[bytes, bytes], names: Iterator[str]
) -> Segment | None:
    """Write a segment anew if an id of its rows changes."""
    table = relinked(read_segments(store.home, [segment.path]), changed)
    if table is None:
        return None
    anew = write_segment(
        store.home, "events", segment.source, segment.day, next(names), table, segment.file
    )
    if segment.operation == anew.operation:
        (store.home / segment.path).unlink()
    return anew


def _others(store: OpenStore, fresh: list[Segment]) -> dict[str, Segment]:
    """Return the segments stored on the days of the import, or beside them, when sources meet."""
    days = {day for segment in fresh if segment.kind == "events" for day in _around(segment.day)}
    rows = store.catalogue.rows(
        "SELECT * FROM segments WHERE state = 'live' AND kind = 'events' ORDER BY id"
    )
    found = {
        row["id"]: Segment(**{name: row[name] for name in Segment.__slots__})
        for row in rows
        if row["day"] in days
    }
    mine = {segment.source for segment in fresh}
    return found if {segment.source for segment in found.values()} - mine else {}


def _around(day: str) -> list[str]:
    """Return the day before, the day and the day after."""
    middle = date.fromisoformat(day)
    return [(middle + timedelta(days=step)).isoformat() for step in (-1, 0, 1)]
