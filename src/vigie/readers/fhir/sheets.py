"""The accesses of one batch as columns, whichever way they were read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.readers.fhir.events import Access
from vigie.readers.fhir.identity import Named
from vigie.readers.words import from_array

V = TypeVar("V")
Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Told:
    """Objects that many accesses share: access i says `values[codes[i]]`."""

    codes: Codes
    values: Sequence[Any]

    def texts(self, texts: Iterable[str | None]) -> pa.Array:
        """Return a text per access, given one per value."""
        return pa.array(texts, pa.string()).dictionary_encode().take(integers(self.codes))


@dataclass(frozen=True, slots=True)
class Sheet:
    """The accesses of a batch in order, and the patients of each.

    `numbers` are the places of the records in the batch; `moments` are µs, of the local clock
    where `local`. The `names` are per row (access i has `sizes[i]` of them, at least one): what
    is known of the patient but for the id, or None; `values` are the ids, null for nobody.
    """

    numbers: NDArray[np.int64]
    kinds: Told
    whos: Told
    stories: Told
    sessions: pa.Array
    ids: pa.Array
    requests: pa.Array
    moments: NDArray[np.int64]
    local: NDArray[np.bool_]
    sizes: NDArray[np.int64]
    names: Told
    values: pa.Array


def integers(values: NDArray[Any]) -> pa.Array:
    """Return numpy integers as an array, without copying or asking what pandas thinks of it."""
    flat = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(flat.dtype)
    return pa.Array.from_buffers(kind, len(flat), [None, pa.py_buffer(flat)])


def from_accesses(accesses: Sequence[Access], numbers: Sequence[int]) -> Sheet:
    """Return accesses that were read one by one as a sheet."""
    named = [patient for access in accesses for patient in (access.patients or (None,))]
    bare = [msgspec.structs.replace(each, value="") if each else None for each in named]
    return Sheet(
        numbers=np.array(numbers, np.int64),
        kinds=_interned([access.kind for access in accesses]),
        whos=_interned([access.who for access in accesses]),
        stories=_interned([access.story for access in accesses]),
        sessions=_words([access.session for access in accesses]),
        ids=_words([access.id for access in accesses]),
        requests=_words([access.request for access in accesses]),
        moments=np.fromiter((access.at for access in accesses), np.int64, len(accesses)),
        local=np.fromiter((access.local for access in accesses), np.bool_, len(accesses)),
        sizes=np.array([len(access.patients) or 1 for access in accesses], np.int64),
        names=_equal(bare),
        values=_words([each.value if each else None for each in named]),
    )


def _words(texts: list[str | None]) -> pa.Array:
    return pa.array(texts, pa.string()).dictionary_encode()


def _interned(values: list[V]) -> Told:
    """Tell apart by identity."""
    places: dict[int, int] = {}
    distinct: list[V] = []
    codes = np.empty(len(values), np.int32)
    for number, value in enumerate(values):
        place = places.setdefault(id(value), len(distinct))
        if place == len(distinct):
            distinct.append(value)
        codes[number] = place
    return Told(codes, distinct)


def _equal(values: list[Named | None]) -> Told:
    places: dict[Named | None, int] = {}
    codes = [places.setdefault(value, len(places)) for value in values]
    return Told(np.array(codes, np.int32), list(places))


def merged(sheets: Sequence[Sheet], starts: NDArray[np.int64]) -> Sheet:
    """Return the accesses of several sheets in the order in which their records stand."""
    if len(sheets) == 1:
        return sheets[0]
    numbers = np.concatenate([sheet.numbers for sheet in sheets])
    order = np.argsort(starts[numbers], kind="stable")
    sizes = np.concatenate([sheet.sizes for sheet in sheets])
    begins = np.cumsum(sizes) - sizes
    moved = sizes[order]
    rows = np.arange(moved.sum()) + np.repeat(begins[order] - np.cumsum(moved) + moved, moved)
    return Sheet(
        numbers=numbers[order],
        kinds=_joined([sheet.kinds for sheet in sheets], order),
        whos=_joined([sheet.whos for sheet in sheets], order),
        stories=_joined([sheet.stories for sheet in sheets], order),
        sessions=_concatenated([sheet.sessions for sheet in sheets], order),
        ids=_concatenated([sheet.ids for sheet in sheets], order),
        requests=_concatenated([sheet.requests for sheet in sheets], order),
        moments=np.concatenate([sheet.moments for sheet in sheets])[order],
        local=np.concatenate([sheet.local for sheet in sheets])[order],
        sizes=moved,
        names=_joined([sheet.names for sheet in sheets], rows),
        values=_concatenated([sheet.values for sheet in sheets], rows),
    )


def _joined(several: list[Told], order: NDArray[np.int64]) -> Told:
    shifts = np.cumsum([0, *(len(told.values) for told in several)])
    codes = [told.codes + shift for told, shift in zip(several, shifts, strict=False)]
    values = list(chain.from_iterable(told.values for told in several))
    return Told(np.concatenate(codes)[order].astype(np.int32), values)


def _concatenated(several: list[pa.Array], order: NDArray[np.int64]) -> pa.Array:
    texts = pa.concat_arrays([each.cast(pa.string()) for each in several])
    return texts.take(integers(order)).dictionary_encode()


def equal_to(texts: pa.Array, others: pa.Array) -> NDArray[np.int64]:
    """Return the rows where two columns of text say the same; nulls never do.

    Accounts are hardly ever among patients, and then no row is looked at.
    """
    mine, theirs = from_array(texts), from_array(others)
    if not pc.any(pc.is_in(mine.words, value_set=theirs.words)).as_py():
        return np.zeros(0, np.int64)
    same = pc.equal(texts.cast(pa.string()), others.cast(pa.string())).fill_null(False)
    return np.flatnonzero(same.to_numpy(zero_copy_only=False))
