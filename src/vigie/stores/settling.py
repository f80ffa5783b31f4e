"""Settling one partition: its rows told apart, named, sorted and written as a segment."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import SCHEMA, constant
from vigie.pseudonyms import Keyring
from vigie.stores.identity import (
    Words,
    counts_among,
    keys_of,
    name_accesses,
    name_events,
    ranks,
    words_of,
)
from vigie.stores.segments import PHYSICAL, Segment, read_segments, sort_order, write_segment
from vigie.stores.staging import Partition

_GIVEN = [name for name in SCHEMA.names if name not in ("event_id", "access_id", "received_at")]


@dataclass(frozen=True, slots=True)
class Origin:
    """What all rows of one import share."""

    home: Path
    keyring: Keyring
    source: str
    file: int
    label: str
    received_at: int


@dataclass
class Settled:
    """What partitions gave: segments to be committed together, and the counts of their rows."""

    segments: list[Segment] = field(default_factory=list)
    added: int = 0
    duplicates: int = 0
    ambiguous: int = 0
    expired: int = 0

    def __iadd__(self, other: "Settled") -> "Settled":
        """Add the outcome of another partition."""
        self.segments += other.segments
        self.added += other.added
        self.duplicates += other.duplicates
        self.ambiguous += other.ambiguous
        self.expired += other.expired
        return self


def settle(
    origin: Origin, partition: Partition, table: pa.Table, stored: list[str], name: str
) -> Settled:
    """Write the rows of a partition that the segments `stored` do not hold, as segment `name`."""
    occurrences, names, fresh = _tell_apart(origin, table, partition, stored)
    kept = np.flatnonzero(fresh)
    if not len(kept):
        return Settled(duplicates=table.num_rows)
    if len(kept) < table.num_rows:
        table = table.take(pa.array(kept))
        occurrences, names = occurrences[kept], names[kept]
    rows = _physical(origin, table, occurrences, names)
    segment = write_segment(
        origin.home, "events", origin.source, partition.day, name, rows, origin.file
    )
    return Settled([segment], len(kept), len(fresh) - len(kept))


def _tell_apart(
    origin: Origin, table: pa.Table, partition: Partition, stored: list[str]
) -> tuple[NDArray[np.int32], Words, NDArray[np.bool_]]:
    """Return for each row its occurrence, its event id, and whether it is new."""
    parts = table.column("part").to_numpy()
    by_record = table.column("record_key").is_valid().to_numpy()
    lines, records = words_of(table.column("line_hash")), words_of(table.column("record_key"))
    identity = np.where(by_record[:, None], records, lines) if by_record.any() else lines
    rank = ranks(identity, parts)
    names = name_events(origin.keyring, origin.source, identity, by_record, rank, parts)
    fresh = ~(by_record & (rank > 0))
    if stored:
        fresh &= ~_among(names, _stored_names(origin.home, partition, stored))
    return np.where(by_record, -1, rank).astype(np.int32), names, fresh


def _stored_names(home: Path, partition: Partition, stored: list[str]) -> Words:
    return words_of(
        read_segments(home, stored, "events", ["event_id"], within(partition)).column(0)
    )


def within(partition: Partition) -> Any:
    """Return the filter that keeps the rows of a partition's time."""
    first, last = (pa.scalar(bound, SCHEMA.field("at").type) for bound in partition.bounds)
    return (pc.field("at") >= first) & (pc.field("at") < last)


def _among(names: Words, stored: Words) -> NDArray[np.bool_]:
    none, others = np.zeros(len(names), np.int32), np.zeros(len(stored), np.int32)
    return counts_among(names, none, stored, others) > 0


def _physical(
    origin: Origin, table: pa.Table, occurrences: NDArray[np.int32], names: Words
) -> pa.Table:
    """Return the rows as a segment holds them, sorted."""
    order = sort_order(table)
    count = len(order)
    places = pa.array(order)
    columns = {name: _taken(table.column(name), places) for name in _GIVEN}
    parts = table.column("part").to_numpy()
    columns |= {
        "event_id": keys_of(names[order]),
        "access_id": _access_ids(origin, table, parts, order),
        "source_file": constant(origin.label, count),
        "received_at": pa.repeat(
            pa.scalar(origin.received_at, SCHEMA.field("received_at").type), count
        ),
        "file": pa.repeat(pa.scalar(origin.file, pa.int32()), count),
        "part": pa.array(parts[order]),
        "occurrence": pa.array(occurrences[order]),
        "access_own": pa.nulls(count, PHYSICAL.field("access_own").type),
    }
    return pa.table([columns[name] for name in PHYSICAL.names], schema=PHYSICAL)


def _taken(column: pa.ChunkedArray, places: pa.Array) -> pa.ChunkedArray:
    """Take rows of a column; one that says a single thing is cut to length instead."""
    if column.null_count == len(column):
        return column.slice(0, len(places))
    constant_ = pa.types.is_dictionary(column.type) and not column.null_count
    if constant_ and all(len(chunk.dictionary) == 1 for chunk in column.chunks):
        return column.slice(0, len(places))
    return column.take(places)


def _access_ids(
    origin: Origin, table: pa.Table, parts: NDArray[np.int32], order: NDArray[np.int64]
) -> pa.Array:
    requests = table.column("request_key")
    if requests.null_count == len(requests):
        return pa.nulls(len(requests), PHYSICAL.field("access_id").type)
    names = name_accesses(origin.keyring, words_of(requests), parts)
    return keys_of(names[order], requests.is_valid().to_numpy()[order])
