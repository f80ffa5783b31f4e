"""Names for some persons: the register read once, its rows kept only where they are asked for.

Persons are asked for by their keys, some millions at a time: what is in memory is the rows of
those, and nothing is written anywhere. What the register lacks or says twice is told per person.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.notices.register import Batch, Register, Tally

FOUND, MISSING, AGREEING, DIFFERING = 0, 1, 2, 3
REMARKS: Final = ("", "missing", "twice", "differing")
"""What the register is to a person: one row, none, several that agree, several that differ."""


@dataclass(frozen=True)
class People:
    """What the register says of the persons asked for, in their order.

    `fields` has a row per person, null where the register says nothing; `remarks` holds for each
    a place in REMARKS. Of rows that differ, the first is kept and the doubt told: a letter to
    a wrong address would be one more breach.
    """

    fields: pa.Table
    remarks: NDArray[np.uint8]
    tally: Tally

    def count(self, remark: int) -> int:
        """Return of how many persons the register is so."""
        return int((self.remarks == remark).sum())


@dataclass
class Joined:
    """What all the look-ups of one run found, added up."""

    persons: int = 0
    missing: int = 0
    agreeing: int = 0
    differing: int = 0
    rows: int = 0
    without_identifier: int = 0
    damaged: dict[str, int] = field(default_factory=dict)

    def add(self, people: People) -> None:
        """Count the persons of one look-up; the rows are those of the whole register each time."""
        self.persons += len(people.remarks)
        self.missing += people.count(MISSING)
        self.agreeing += people.count(AGREEING)
        self.differing += people.count(DIFFERING)
        self.rows = people.tally.rows
        self.without_identifier = people.tally.without_identifier
        self.damaged = dict(people.tally.damaged)


def look_up(register: Register, persons: pa.Array, aliases: pa.Table | None = None) -> People:
    """Return what `register` says of `persons` (keys, each once).

    `aliases` (exposure.IDENTIFIERS) gives every pseudonym by which a person is known; without it
    a person is known by the key alone.
    """
    index = _Index(persons, aliases)
    places, pieces = [], []
    for batch in register.batches():
        found = index.places(batch)
        rows = np.flatnonzero(found >= 0)
        if len(rows):
            places.append(found[rows])
            pieces.append(batch.fields.take(pa.array(rows)))
    kept = pa.concat_tables(pieces).combine_chunks() if pieces else None
    return _gathered(register, kept, np.concatenate(places) if places else None, len(persons))


def _gathered(
    register: Register, kept: pa.Table | None, places: NDArray[np.int64] | None, count: int
) -> People:
    """Put the rows that were kept in the order of the persons; compare those of one person."""
    remarks = np.full(count, MISSING, np.uint8)
    if kept is None or places is None:
        empty = {name: pa.nulls(count, pa.string()) for name in register.fields}
        return People(pa.table(empty), remarks, register.tally)
    order = np.argsort(places, kind="stable")
    sorted_places = places[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = sorted_places[1:] != sorted_places[:-1]
    remarks[sorted_places[first]] = FOUND
    again = np.flatnonzero(~first)
    if len(again):
        heads = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        same = _same(kept, order[again], order[heads[again]])
        remarks[sorted_places[again]] = AGREEING
        remarks[sorted_places[again[~same]]] = DIFFERING
    rows = np.full(count, -1, np.int64)
    rows[sorted_places[first]] = order[first]
    fields = kept.take(pa.array(rows, mask=rows < 0))
    return People(fields, remarks, register.tally)


def _same(table: pa.Table, ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which pairs of rows say the same in every field."""
    same = np.ones(len(ones), np.bool_)
    for column in table.columns:
        left = pc.fill_null(column.take(pa.array(ones)), "")
        right = pc.fill_null(column.take(pa.array(others)), "")
        same &= pc.equal(left, right).to_numpy(zero_copy_only=False)
    return same


class _Index:
    """Finds the place of a person by any of the person's pseudonyms."""

    def __init__(self, persons: pa.Array, aliases: pa.Table | None) -> None:
        keys, places = _halves(persons), np.arange(len(persons))
        if aliases is not None and aliases.num_rows:
            owner = _search(*_sorted(keys, places), _halves(aliases["person"]))
            known = np.flatnonzero(owner >= 0)
            more = _halves(aliases["identifier"])[known]
            keys = np.concatenate([keys, more])
            places = np.concatenate([places, owner[known]])
        self._keys, self._places = _sorted(keys, places)

    def places(self, batch: Batch) -> NDArray[np.int64]:
        """Return the place of the person of each row, -1 for none; the first identifier wins."""
        found = np.full(batch.fields.num_rows, -1, np.int64)
        for column in reversed(batch.keys):
            there = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
            hits = _search(self._keys, self._places, _halves(column.drop_null()))
            found[there[hits >= 0]] = hits[hits >= 0]
        return found


def _halves(keys: pa.Array | pa.ChunkedArray) -> NDArray[np.uint64]:
    """Return keys as two whole numbers each, in the order of their bytes."""
    flat = pa.concat_arrays(keys.chunks) if isinstance(keys, pa.ChunkedArray) else keys
    flat = flat.cast(pa.binary(16))
    data = np.frombuffer(flat.buffers()[1] or b"", ">u8").reshape(-1, 2)
    return data[flat.offset : flat.offset + len(flat)].astype(np.uint64)


def _sorted(
    keys: NDArray[np.uint64], places: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    return keys[order], places[order]


def _search(
    keys: NDArray[np.uint64], places: NDArray[np.int64], wanted: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Return the place of each wanted key among sorted `keys`, -1 where it is not.

    Found by its first half; the keys that share one are a handful at most, and tried in turn.
    """
    found = np.full(len(wanted), -1, np.int64)
    if not len(keys):
        return found
    first = np.searchsorted(keys[:, 0], wanted[:, 0], "left")
    for step in _steps(keys):
        at = np.minimum(first + step, len(keys) - 1)
        hit = (found < 0) & (keys[at] == wanted).all(axis=1)
        found[hit] = places[at[hit]]
    return found


def _steps(keys: NDArray[np.uint64]) -> Iterator[int]:
    """Yield as many steps as the longest run of keys with the same first half."""
    same = np.flatnonzero(keys[1:, 0] != keys[:-1, 0])
    edges = np.concatenate([[-1], same, [len(keys) - 1]])
    yield from range(int(np.diff(edges).max()))


__all__ = [
    "AGREEING", "DIFFERING", "FOUND", "MISSING", "REMARKS", "Joined", "People", "look_up",
]  # fmt: skip
