"""Settling one partition: its rows told apart, named, sorted and written as a segment."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import SCHEMA, constant
from vigie.pseudonyms import Keyring
from vigie.stores.alignment import Alignment, Lines, new_lines, stored_lines
from vigie.stores.identity import (
    Words,
    counts_among,
    keys_of,
    name_accesses,
    name_events,
    ranks,
    words_of,
)
from vigie.stores.occurrences import Numbered, number_lines
from vigie.stores.segments import (
    PHYSICAL,
    SIGHTINGS,
    Segment,
    read_segments,
    sort_order,
    write_segment,
)
from vigie.stores.staging import Partition, within

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


@dataclass(frozen=True, slots=True)
class Job:
    """One partition, the segments that may hold its rows already, and names for new ones."""

    partition: Partition
    events: list[str]
    sightings: list[str]
    names: tuple[str, str]


def settle(origin: Origin, job: Job, table: pa.Table, alignment: Alignment) -> Settled:
    """Write the rows of a partition that the store does not hold, and where it saw others again."""
    rows = _tell_apart(origin, job, table, alignment)
    settled = Settled(ambiguous=rows.ambiguous)
    kept = np.flatnonzero(rows.fresh)
    settled.added, settled.duplicates = len(kept), len(rows.fresh) - len(kept)
    if rows.sightings.num_rows:
        settled.segments.append(
            write_segment(
                origin.home, "sightings", origin.source, job.partition.day, job.names[1],
                rows.sightings, origin.file,
            )
        )  # fmt: skip
    if len(kept):
        whole = len(kept) == table.num_rows
        some = table if whole else table.take(pa.array(kept))
        physical = _physical(origin, some, rows, kept)
        settled.segments.append(
            write_segment(
                origin.home, "events", origin.source, job.partition.day, job.names[0],
                physical, origin.file,
            )
        )  # fmt: skip
    return settled


@dataclass(frozen=True, slots=True)
class _Told:
    """The rows of a partition told apart from each other and from those stored."""

    occurrences: NDArray[np.int32]
    names: Words
    accesses: Words
    said: NDArray[np.bool_]
    fresh: NDArray[np.bool_]
    sightings: pa.Table
    ambiguous: int


def _tell_apart(origin: Origin, job: Job, table: pa.Table, alignment: Alignment) -> _Told:
    parts = table.column("part").to_numpy()
    by_record = table.column("record_key").is_valid().to_numpy()
    lines, records = words_of(table.column("line_hash")), words_of(table.column("record_key"))
    identity = np.where(by_record[:, None], records, lines) if by_record.any() else lines
    rank = ranks(identity, parts)
    fresh = ~(by_record & (rank > 0))
    sightings, ambiguous = SIGHTINGS.empty_table(), 0
    if job.events and not by_record.all():
        new = new_lines(table)
        old = stored_lines(origin.home, job.events, job.sightings, job.partition)
        numbered = number_lines(alignment, new, old, origin.file)
        rank = np.where(by_record, rank, _per_row(table, new, numbered.occurrence, rank))
        sightings, ambiguous = _sightings(origin, new, numbered), numbered.ambiguous
    rank = rank.astype(np.int32)
    names = name_events(origin.keyring, origin.source, identity, by_record, rank, parts)
    if job.events:
        fresh &= ~_among(names, _stored_names(origin.home, job))
    occurrences = np.where(by_record, -1, rank).astype(np.int32)
    accesses = _accesses(origin, table, identity, by_record, rank, names)
    return _Told(occurrences, names, *accesses, fresh, sightings, ambiguous)


def _per_row(
    table: pa.Table, new: Lines, occurrence: NDArray[np.int64], rank: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Spread the occurrence of each line over its rows; a line without a part 0 keeps its rank."""
    order = np.argsort(new.number)
    numbers, rows = new.number[order], table.column("source_line").to_numpy()
    if not len(numbers):
        return rank.astype(np.int64)
    place = np.minimum(np.searchsorted(numbers, rows), len(numbers) - 1)
    return np.where(numbers[place] == rows, occurrence[order[place]], rank)


def _sightings(origin: Origin, new: Lines, numbered: Numbered) -> pa.Table:
    seen = new[numbered.repeated]
    count = len(seen.number)
    columns = [
        pa.repeat(pa.scalar(origin.file, pa.int32()), count),
        pa.array(seen.number),
        pa.array(seen.at).cast(SIGHTINGS.field("at").type),
        keys_of(seen.words),
        pa.array(numbered.occurrence[numbered.repeated].astype(np.int32)),
    ]
    return pa.table(columns, schema=SIGHTINGS)


def _stored_names(home: Path, job: Job) -> Words:
    inside = within(job.partition)
    return words_of(read_segments(home, job.events, "events", ["event_id"], inside).column(0))


def _among(names: Words, stored: Words) -> NDArray[np.bool_]:
    none, others = np.zeros(len(names), np.int32), np.zeros(len(stored), np.int32)
    return counts_among(names, none, stored, others) > 0


def _physical(origin: Origin, table: pa.Table, told: "_Told", kept: NDArray[np.int64]) -> pa.Table:
    """Return the rows as a segment holds them, sorted; `kept` are their places in `told`."""
    order = sort_order(table)
    rows = kept[order]
    count = len(order)
    places = pa.array(order)
    columns = {name: _taken(table.column(name), places) for name in _GIVEN}
    parts = table.column("part").to_numpy()
    columns |= {
        "event_id": keys_of(told.names).take(pa.array(rows)),
        "access_id": _said(told, pa.array(rows)),
        "source_file": constant(origin.label, count),
        "received_at": pa.repeat(
            pa.scalar(origin.received_at, SCHEMA.field("received_at").type), count
        ),
        "file": pa.repeat(pa.scalar(origin.file, pa.int32()), count),
        "part": pa.array(parts[order]),
        "occurrence": pa.array(told.occurrences[rows]),
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


def _said(told: "_Told", rows: pa.Array) -> pa.Array:
    """Return the access ids that a segment must say, null for lone rows."""
    if not told.said.any():
        return pa.nulls(len(rows), PHYSICAL.field("access_id").type)
    return keys_of(told.accesses, told.said).take(rows)


def _accesses(
    origin: Origin, table: pa.Table, identity: Words, by_record: NDArray[np.bool_],
    rank: NDArray[np.int32], names: Words,
) -> tuple[Words, NDArray[np.bool_]]:  # fmt: skip
    """Return the access ids, and which of them a segment must say: not those of lone rows.

    An access is named by its request id, else by the first row of its line.
    """
    parts, requests = table.column("part").to_numpy(), table.column("request_key")
    access, said = names, np.zeros(len(parts), bool)
    later = np.flatnonzero(parts)
    if len(later):
        lines = table.column("source_line").to_numpy()
        none = np.zeros(len(later), np.int32)
        access, said = names.copy(), np.isin(lines, lines[later])
        access[later] = name_events(
            origin.keyring, origin.source, identity[later], by_record[later], rank[later], none
        )
    if requests.null_count < len(requests):
        asked = requests.is_valid().to_numpy()
        named = name_accesses(origin.keyring, words_of(requests))
        access, said = np.where(asked[:, None], named, access), said | asked
    return access, said
