"""Accesses to waist rows, column by column: what repeats is written once per batch."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import KEY, READ_SCHEMA, TEXT, TIME, constant, empty_column
from vigie.readers.base import Context
from vigie.readers.clock import Clock
from vigie.readers.fhir_agents import Who
from vigie.readers.fhir_events import Access
from vigie.readers.fhir_identity import Named
from vigie.readers.order import Order
from vigie.readers.times import clock_column, to_utc

_WHO: Final = (
    "actor_kind", "professional", "on_behalf_of", "profession", "specialty", "role",
    "organisation", "realm", "auth_method", "client_app", "network", "device",
)  # fmt: skip
_STORY: Final = {
    "object": pa.string(), "query_shape": pa.string(), "session": pa.string(),
    "account": pa.string(), "action": pa.string(), "outcome": pa.string(),
    "purpose": pa.string(), "file_hash": pa.string(),
}  # fmt: skip


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
            **self._who_columns([access.who for access in accesses]),
            **self._story_columns(accesses),
            **self._times(accesses),
            **self._keys(accesses),
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

    def _who_columns(self, whos: list[Who]) -> dict[str, pa.Array]:
        """Columns that the agents alone give: one value per distinct `Who`."""
        places: dict[int, int] = {}
        distinct: list[Who] = []
        codes = np.empty(len(whos), np.int32)
        for k, who in enumerate(whos):
            place = places.setdefault(id(who), len(distinct))
            if place == len(distinct):
                distinct.append(who)
            codes[k] = place
        index = pa.array(codes)
        return {name: _text([getattr(who, name) for who in distinct]).take(index) for name in _WHO}

    def _story_columns(self, accesses: Sequence[Access]) -> dict[str, pa.Array]:
        return {
            "account": _text([a.account for a in accesses]),
            "session": _text([a.who.session or a.story.session for a in accesses]),
            "action": _text([a.action for a in accesses]),
            "object": _text([a.story.object or a.kind.event for a in accesses]),
            "query_shape": _text([a.story.shape for a in accesses]),
            "outcome": _text([a.kind.outcome for a in accesses]),
            "purpose": _text([a.who.purpose or a.kind.purpose for a in accesses]),
            "file_hash": _text([a.story.hash for a in accesses]),
            "record_count": pa.array([a.story.count for a in accesses], pa.int64()),
            "bytes": pa.array([a.story.size for a in accesses], pa.int64()),
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

    def _keys(self, accesses: Sequence[Access]) -> dict[str, pa.Array]:
        ring, name = self._context.keyring, self._context.source.name
        ids = pa.array([a.id for a in accesses], pa.string())
        requests = pa.array([a.story.request for a in accesses], pa.string())
        return {
            "record_key": ring.pseudonyms(ids, name, "record"),
            "request_key": ring.pseudonyms(requests, "", "request"),
        }

    def _patients(
        self, accesses: Sequence[Access], accounts: pa.Array, parents: NDArray[np.int64]
    ) -> dict[str, pa.Array]:
        named = [patient for a in accesses for patient in (a.patients or (None,))]
        places: dict[Named, int] = {}
        codes = np.array(
            [-1 if p is None else places.setdefault(p, len(places)) for p in named], np.int32
        )
        index = pa.array(codes, mask=codes < 0)
        distinct = list(places)
        authorities = [p.authority or self._context.source.name for p in distinct]
        values = pa.DictionaryArray.from_arrays(
            index, pa.array([p.value for p in distinct], pa.string())
        )
        given = pa.DictionaryArray.from_arrays(index, pa.array(authorities, pa.string()))
        return {
            "patient": self._pseudonyms(distinct, authorities).take(index),
            "id_gap": self._order.id_gaps(accounts, values, given, _kind_of_all(distinct)),
            "flags": self._flags(accesses, parents, distinct, codes),
        }

    def _pseudonyms(self, distinct: list[Named], authorities: list[str]) -> pa.Array:
        found: list[bytes | None] = [None] * len(distinct)
        groups: dict[str, list[int]] = {}
        for k, authority in enumerate(authorities):
            groups.setdefault(authority, []).append(k)
        for authority, members in groups.items():
            values = pa.array([distinct[k].value for k in members], pa.string())
            keys = self._context.keyring.pseudonyms(values, authority).to_pylist()
            for k, key in zip(members, keys, strict=True):
                found[k] = key
        return pa.array(found, KEY)

    def _flags(
        self,
        accesses: Sequence[Access],
        parents: NDArray[np.int64],
        distinct: list[Named],
        codes: NDArray[np.int32],
    ) -> pa.Array:
        faulty = [f"patient_{p.problem}" if p.problem else None for p in distinct]
        if not any(faulty) and not any(a.who.flags for a in accesses):
            return pa.nulls(len(parents), TEXT)
        texts = []
        for parent, code in zip(parents.tolist(), codes.tolist(), strict=True):
            fault = faulty[code] if code >= 0 else None
            names = {*accesses[parent].who.flags, *((fault,) if fault else ())}
            texts.append(" ".join(sorted(names)) or None)
        return _text(texts)


def _kind_of_all(distinct: list[Named]) -> str:
    """The kind of identifiers when all are national numbers: their gap leaves out the key."""
    kinds = {p.kind for p in distinct}
    return next(iter(kinds)) or "" if len(kinds) == 1 else ""


def _text(values: list[Any]) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()
