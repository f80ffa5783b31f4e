"""Compaction: the small segments of a day become one, so that a day is read at one place.

Hourly files leave many small segments. What is read does not change: rows keep their names,
files and times.
"""

import sqlite3
from collections.abc import Iterator
from itertools import groupby

import pyarrow as pa

from vigie.stores.layout import numbered
from vigie.stores.opened import OpenStore
from vigie.stores.segments import Segment, read_segments, sort_order, write_segment
from vigie.stores.staging import PARTITION_ROWS

_KINDS = ("events", "sightings")


def compact(store: OpenStore, limit: int = PARTITION_ROWS) -> int:
    """Merge segments of one source and day up to `limit` rows; return how many went into others."""
    groups = list(_groups(store, limit))
    if not groups:
        return 0
    with store.operation("compact") as operation:
        names = numbered(operation)
        merged = [_merge(store, group, next(names)) for group in groups]
        with store.catalogue.transaction():
            for old, new in zip(groups, merged, strict=True):
                store.replace([row["id"] for row in old], [new])
            store.mark_done(operation)
    store.sweep()
    return sum(len(group) for group in groups)


def _groups(store: OpenStore, limit: int) -> Iterator[list[sqlite3.Row]]:
    """Yield the segments to merge together: neighbours in time, two at least."""
    rows = store.catalogue.rows(
        "SELECT * FROM segments WHERE state = 'live' AND rows < ? AND kind IN (?, ?)"
        " ORDER BY kind, source, day, min_at, id",
        limit // 2, *_KINDS,
    )  # fmt: skip
    for _, day in groupby(rows, key=lambda row: (row["kind"], row["source"], row["day"])):
        group: list[sqlite3.Row] = []
        for row in day:
            if group and sum(other["rows"] for other in group) + row["rows"] > limit:
                if len(group) > 1:
                    yield group
                group = []
            group.append(row)
        if len(group) > 1:
            yield group


def _merge(store: OpenStore, group: list[sqlite3.Row], name: str) -> Segment:
    first = group[0]
    table = read_segments(store.home, [row["path"] for row in group], first["kind"])
    table = table.unify_dictionaries().combine_chunks()
    if first["kind"] == "events":
        table = table.take(pa.array(sort_order(table)))
    return write_segment(store.home, first["kind"], first["source"], first["day"], name, table)
