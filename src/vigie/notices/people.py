"""Names for the persons of an exposure: the register read once, only the rows of those kept.

Persons are asked for by their keys, in the order in which their names are wanted. What the register
says of them waits on the disk, encrypted, until their turn comes, some at a time; what it lacks or
says twice is told per person.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.notices.bearers import CONTROLLER, Bearer, find_bearers
from vigie.notices.register import Batch, Register, Tally
from vigie.notices.spill import Spill

FOUND, MISSING, AGREEING, DIFFERING, SHARED = 0, 1, 2, 3, 4
REMARKS: Final = ("", "missing", "twice", "differing", "shared")
"""What the register is to a person: one row, none, several that agree, several that differ; rows of
several persons who bear the social-security number that the log names."""
_PLACE, _NUMBERED = ":place", ":numbered"
Found = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Pairs of a row of the register and the place of somebody whom it is about."""


@dataclass(frozen=True)
class People:
    """What the register says of some of the persons asked for, in their order.

    `fields` has a row per person, null where the register says nothing; `remarks` holds for each
    a place in REMARKS. Of rows that differ, the first is kept and the doubt told: a letter to
    a wrong address would be one more breach. `fresh` are those not asked for before, `numbered`
    those whom the register knows by a social-security number, `bearers` who bears a shared one,
    and `repeated` those asked for more than once: they are several controllers'.
    """

    fields: pa.Table
    remarks: NDArray[np.uint8]
    fresh: NDArray[np.bool_]
    repeated: NDArray[np.bool_]
    numbered: NDArray[np.bool_]
    bearers: dict[int, tuple[Bearer, ...]]


@dataclass
class Joined:
    """What the register gave in all; a person asked for twice counts once."""

    persons: int = 0
    missing: int = 0
    agreeing: int = 0
    differing: int = 0
    shared: int = 0
    bearers: int = 0
    rows: int = 0
    without_identifier: int = 0
    damaged: dict[str, int] = field(default_factory=dict)

    def read(self, tally: Tally) -> None:
        """Say what became of the rows of the register."""
        self.rows, self.without_identifier = tally.rows, tally.without_identifier
        self.damaged = dict(tally.damaged)

    def add(self, people: People) -> None:
        """Count some persons."""
        counts = np.bincount(people.remarks[people.fresh], minlength=len(REMARKS)).tolist()
        self.persons += sum(counts)
        self.missing += counts[MISSING]
        self.agreeing += counts[AGREEING]
        self.differing += counts[DIFFERING]
        self.shared += counts[SHARED]
        fresh = people.fresh
        self.bearers += sum(len(some) for place, some in people.bearers.items() if fresh[place])


class Names:
    """Names of persons in the order in which they were asked for, so many at a time."""

    def __init__(
        self, register: Register, index: "_Index", spill: Spill, size: int, joined: Joined
    ) -> None:
        self._register, self._index, self._spill, self._size = register, index, spill, size
        self._joined = joined
        self._schema = pa.schema(
            [(_PLACE, pa.int64()), (_NUMBERED, pa.bool_()),
             *((name, pa.string()) for name in register.fields)]
        )  # fmt: skip

    def read(self) -> None:
        """Read the register, once."""
        for batch in self._register.batches():
            rows, places, numbered = self._index.find(batch, self._register.numbered)
            order = np.argsort(places, kind="stable")
            rows, places, numbered = rows[order], places[order], numbered[order]
            columns = batch.fields.take(pa.array(rows)).combine_chunks().columns
            about = pa.array(places), pa.array(numbered)
            found = pa.table([*about, *columns], schema=self._schema)
            edges = np.flatnonzero(np.diff(places // self._size)) + 1
            for part in np.split(np.arange(len(places)), edges):
                if len(part):
                    some = found.slice(part[0], len(part)).combine_chunks().to_batches()[0]
                    self._spill.put(int(places[part[0]]) // self._size, some)
        self._joined.read(self._register.tally)

    def slices(self) -> Iterator[People]:
        """Yield what the register says of all, `size` persons at a time."""
        for start in range(0, self._index.count, self._size):
            count = min(self._size, self._index.count - start)
            kept = self._spill.take(start // self._size, self._schema).combine_chunks()
            asked = self._index.fresh, self._index.repeated
            people = _gathered(kept, start, *(one[start : start + count] for one in asked))
            self._joined.add(people)
            yield people


@contextmanager
def find_names(
    register: Register, persons: Iterable[pa.Array], aliases: pa.Table | None, work: Path,
    size: int, joined: Joined,
) -> Iterator[Names]:  # fmt: skip
    """Read what `register` says of `persons` (keys), which waits encrypted under `work`.

    `aliases` (exposure.IDENTIFIERS) gives every pseudonym by which a person is known; without it
    a person is known by the key alone. `joined` counts what was found.
    """
    index = _Index(persons, aliases)
    with Spill(work) as spill:
        names = Names(register, index, spill, size, joined)
        names.read()
        yield names


def _gathered(
    kept: pa.Table, start: int, fresh: NDArray[np.bool_], repeated: NDArray[np.bool_]
) -> People:
    """Put the rows that were kept in the order of the persons; compare those of one person."""
    count = len(fresh)
    remarks = np.full(count, MISSING, np.uint8)
    places = kept[_PLACE].to_numpy() - start
    order = np.argsort(places, kind="stable")
    places = places[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = places[1:] != places[:-1]
    remarks[places[first]] = FOUND
    by_number = kept[_NUMBERED].to_numpy(zero_copy_only=False).astype(bool)[order]
    numbered = np.zeros(count, np.bool_)
    numbered[places[by_number]] = True
    fields = kept.drop_columns([_PLACE, _NUMBERED])
    again = np.flatnonzero(~first)
    if len(again):
        heads = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
        same = _same(fields, order[again], order[heads[again]])
        remarks[places[again]] = AGREEING
        remarks[places[again[~same]]] = DIFFERING
    bearers = {}
    for place in np.flatnonzero((remarks == DIFFERING) & numbered).tolist():
        rows = order[slice(*np.searchsorted(places, [place, place + 1]))]
        if found := find_bearers(fields.take(pa.array(rows)).to_pylist()):
            bearers[place], remarks[place] = found, SHARED
    rows = np.full(count, -1, np.int64)
    rows[places[first]] = order[first]
    known = fields.take(pa.array(rows, mask=rows < 0))
    return People(known, remarks, fresh, repeated, numbered, bearers)


def _same(table: pa.Table, ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which pairs of rows say the same in every field."""
    same = np.ones(len(ones), np.bool_)
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name == CONTROLLER:
            continue
        left = pc.fill_null(column.take(pa.array(ones)), "")
        right = pc.fill_null(column.take(pa.array(others)), "")
        same &= pc.equal(left, right).to_numpy(zero_copy_only=False)
    return same


class _Index:
    """Finds the places of a person by any of the person's pseudonyms.

    Keys are two whole numbers each, in two columns: sorted, they are searched by the first.
    """

    def __init__(self, persons: Iterable[pa.Array], aliases: pa.Table | None) -> None:
        self._high, self._low = _halves(persons)
        self.count = len(self._high)
        self._places = np.arange(self.count, dtype=np.uint32)
        self._sort()
        same = (self._high[1:] == self._high[:-1]) & (self._low[1:] == self._low[:-1])
        self.fresh = np.ones(self.count, np.bool_)
        """Which of those asked for were not asked for before, in their order."""
        self.fresh[self._places[1:][same]] = False
        self.repeated = ~self.fresh
        self.repeated[self._places[:-1][same]] = True
        if aliases is not None and aliases.num_rows:
            self._add(aliases)

    def _add(self, aliases: pa.Table) -> None:
        owners, others = _halves(aliases["person"].chunks), _halves(aliases["identifier"].chunks)
        rows, places = self._search(*owners)
        # A person's own key is there already, and one row of the register must not become two.
        fresh = (owners[0] != others[0])[rows] | (owners[1] != others[1])[rows]
        self._high = np.concatenate([self._high, others[0][rows[fresh]]])
        self._low = np.concatenate([self._low, others[1][rows[fresh]]])
        self._places = np.concatenate([self._places, places[fresh].astype(np.uint32)])
        self._sort()

    def _sort(self) -> None:
        order = np.lexsort((self._low, self._high))
        self._high, self._low = self._high[order], self._low[order]
        self._places = self._places[order]

    def find(
        self, batch: Batch, numbered: tuple[bool, ...]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Return which rows are about whom, and which of these were found by a number that may be
        several persons'; of several identifiers the first that is known wins."""
        left = np.ones(batch.fields.num_rows, np.bool_)
        found = []
        for column, number in zip(batch.keys, numbered, strict=True):
            there = left & column.is_valid().to_numpy(zero_copy_only=False)
            where = np.flatnonzero(there)
            hits, places = self._search(*_halves([column.filter(pa.array(there))]))
            found.append((where[hits], places, np.full(len(places), number)))
            left[where[hits]] = False
        rows, places, numbers = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return rows, places, numbers

    def _search(self, high: NDArray[np.uint64], low: NDArray[np.uint64]) -> Found:
        """Return which of some keys are known, with each of their places.

        Keys that share their first half are a handful, and tried in turn.
        """
        order = np.argsort(high)  # what is searched in order stays in the cache
        high, low = high[order], low[order]
        at, left = np.searchsorted(self._high, high, "left"), np.arange(len(high))
        rows, places = [order[:0]], [np.empty(0, np.int64)]
        while len(left):
            left, at = left[at < len(self._high)], at[at < len(self._high)]
            near = self._high[at] == high[left]
            left, at = left[near], at[near]
            hit = self._low[at] == low[left]
            rows.append(order[left[hit]])
            places.append(self._places[at[hit]].astype(np.int64))
            at = at + 1
        return np.concatenate(rows), np.concatenate(places)


def _halves(keys: Iterable[pa.Array]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return keys as two whole numbers each, in the order of their bytes."""
    nothing = np.empty(0, np.uint64)
    halves = [_half(part) for part in keys]
    return (
        np.concatenate([nothing, *(half[:, 0] for half in halves)]).astype(np.uint64),
        np.concatenate([nothing, *(half[:, 1] for half in halves)]).astype(np.uint64),
    )


def _half(keys: pa.Array) -> NDArray[np.uint64]:
    flat = keys.cast(pa.binary(16))
    data = np.frombuffer(flat.buffers()[1] or b"", ">u8").reshape(-1, 2)
    return data[flat.offset : flat.offset + len(flat)].astype(np.uint64)
