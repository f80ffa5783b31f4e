"""Accesses to waist rows, column by column: what repeats is written once per batch."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import KEY, READ_SCHEMA, TEXT, TIME, constant, empty_column
from vigie.readers.base import Context
from vigie.readers.clock import Clock
from vigie.readers.fhir.events import Access, action_told
from vigie.readers.fhir.identity import Named
from vigie.readers.order import Order
from vigie.readers.times import clock_column, to_utc

_WHO: Final = (
    "actor_kind", "professional", "on_behalf_of", "profession", "specialty", "role",
    "organisation", "realm", "auth_method", "client_app", "network", "device",
)  # fmt: skip
V = TypeVar("V")


class Rows:
    """Turns the accesses of one file, in order, into tables of waist rows."""

    def __init__(self, context: Context, label: str) -> None:
        self._context = context
        self._label = label
        self._order = Order()
        self._clock = Clock()

    def table(
        self, accesses: Sequence[Access], lines: NDArray[np.int64], hashes: pa.Array
    ) -> pa.Table:
        """Return the rows of `accesses`; `lines` and `hashes` are those of each access."""
        if not accesses:
            return READ_SCHEMA.empty_table()
        sizes = np.array([len(access.patients) or 1 for access in accesses])
        parents = np.repeat(np.arange(len(accesses)), sizes)
        parts = np.arange(len(parents)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        per_access = {
            **self._who_columns(accesses),
            **self._told_columns(accesses),
            **self._own_columns(accesses),
            **self._times(accesses),
            "source_line": pa.array(lines),
            "line_hash": hashes,
        }
        if len(parents) > len(accesses):
            index = pa.array(parents)
            per_access = {name: column.take(index) for name, column in per_access.items()}
        rows = {
            **per_access,
            **self._patients(accesses, per_access["account"], parents),
            **self._constants(len(parents)),
            "part": pa.array(parts.astype(np.int32)),
        }
        columns = [rows.get(name) for name in READ_SCHEMA.names]
        return pa.Table.from_arrays(
            [
                empty_column(name, len(parents)) if column is None else column
                for name, column in zip(READ_SCHEMA.names, columns, strict=True)
            ],
            schema=READ_SCHEMA,
        )

    def _constants(self, count: int) -> dict[str, pa.Array]:
        source = self._context.source
        said = {"source": source.name, "source_file": self._label}
        said["mapping_version"] = source.mapping_version
        if source.tenant:
            said["tenant"] = source.tenant
        return {name: constant(text, count) for name, text in said.items()}

    def _who_columns(self, accesses: Sequence[Access]) -> dict[str, pa.Array]:
        """Columns that the agents alone give: one value per distinct `Who`."""
        index, distinct = _interned([access.who for access in accesses])
        return {name: _text([getattr(who, name) for who in distinct]).take(index) for name in _WHO}

    def _told_columns(self, accesses: Sequence[Access]) -> dict[str, pa.Array]:
        """Columns that codes and entities give: one value per distinct pair of them."""
        kinds, distinct = _interned([access.kind for access in accesses])
        index, stories = _interned([access.story for access in accesses])
        pairs = index.to_numpy().astype(np.int64) * len(distinct) + kinds.to_numpy()
        known, places = np.unique(pairs, return_inverse=True)
        told = [
            (distinct[pair % len(distinct)], stories[pair // len(distinct)])
            for pair in known.tolist()
        ]
        columns = {
            "action": _text([action_told(kind, story) for kind, story in told]),
            "object": _text([story.object or kind.event for kind, story in told]),
            "query_shape": _text([story.shape for _, story in told]),
            "outcome": _text([kind.outcome for kind, _ in told]),
            "file_hash": _text([story.hash for _, story in told]),
            "record_count": pa.array([story.count for _, story in told], pa.int64()),
            "bytes": pa.array([story.size for _, story in told], pa.int64()),
        }
        rows = pa.array(places)
        return {name: column.take(rows) for name, column in columns.items()}

    def _own_columns(self, accesses: Sequence[Access]) -> dict[str, pa.Array]:
        ring, name = self._context.keyring, self._context.source.name
        ids = pa.array([a.id for a in accesses], pa.string())
        requests = pa.array([a.request for a in accesses], pa.string())
        return {
            "account": _text([a.account for a in accesses]),
            "session": _text([a.session or a.story.session for a in accesses]),
            "purpose": _text([a.who.purpose or a.kind.purpose for a in accesses]),
            "record_key": ring.pseudonyms(ids, name, "record"),
            "request_key": ring.pseudonyms(requests, "", "request"),
        }

    def _times(self, accesses: Sequence[Access]) -> dict[str, pa.Array]:
        moments = np.fromiter((a.at for a in accesses), np.int64, len(accesses))
        local = np.fromiter((a.local for a in accesses), np.bool_, len(accesses))
        doubts = np.zeros(len(accesses), np.int8)
        if local.any():
            naive = pa.array(moments[local]).cast(pa.timestamp("us"))
            moved, doubts[local] = to_utc(naive, self._context.source.time_zone)
            moments[local] = moved.cast(pa.int64()).to_numpy()
        self._clock.mark(moments, doubts)
        return {"at": pa.array(moments).cast(TIME), "clock_quality": clock_column(doubts)}

    def _patients(
        self, accesses: Sequence[Access], accounts: pa.Array, parents: NDArray[np.int64]
    ) -> dict[str, pa.Array]:
        named = [patient for a in accesses for patient in (a.patients or (None,))]
        name = self._context.source.name
        values = _text([p.value if p else None for p in named])
        authorities = _text([(p.authority or name) if p else None for p in named])
        kinds = {p.kind for p in named if p}
        return {
            "patient": self._pseudonyms(values, authorities),
            "id_gap": self._order.id_gaps(
                accounts, values, authorities, kinds.pop() or "" if len(kinds) == 1 else ""
            ),
            "flags": self._flags(accesses, parents, named),
        }

    def _pseudonyms(self, values: pa.Array, authorities: pa.Array) -> pa.Array:
        ring, given = self._context.keyring, authorities.dictionary.to_pylist()
        if len(given) == 1:
            return ring.pseudonyms(values, given[0])
        found = pa.nulls(len(values), KEY)
        for authority in given:
            here = pc.equal(authorities, authority)
            theirs = pc.if_else(here, values.cast(pa.string()), None)
            found = pc.coalesce(found, ring.pseudonyms(theirs, authority))
        return found

    def _flags(
        self,
        accesses: Sequence[Access],
        parents: NDArray[np.int64],
        named: list[Named | None],
    ) -> pa.Array:
        faulty = any(p.problem for p in named if p) or any(a.who.flags for a in accesses)
        if not faulty:
            return pa.nulls(len(parents), TEXT)
        texts = []
        for parent, patient in zip(parents.tolist(), named, strict=True):
            flags = set(accesses[parent].who.flags)
            if patient and patient.problem:
                flags.add(f"patient_{patient.problem}")
            texts.append(" ".join(sorted(flags)) or None)
        return _text(texts)


def _interned(values: list[V]) -> tuple[pa.Array, list[V]]:
    """Return the distinct objects, and the place of each value among them."""
    places: dict[int, int] = {}
    distinct: list[V] = []
    index = []
    for value in values:
        place = places.setdefault(id(value), len(distinct))
        if place == len(distinct):
            distinct.append(value)
        index.append(place)
    return pa.array(index, pa.int32()), distinct


def _text(values: list[Any]) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()
