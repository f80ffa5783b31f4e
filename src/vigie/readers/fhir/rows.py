"""Accesses to waist rows, column by column: what repeats is written once per batch."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import KEY, READ_SCHEMA, TEXT, TIME, constant, empty_column
from vigie.readers.base import Context
from vigie.readers.clock import Clock
from vigie.readers.fhir.events import action_told
from vigie.readers.fhir.identity import Named
from vigie.readers.fhir.sheets import Sheet, Told, equal_to, integers
from vigie.readers.order import Order
from vigie.readers.times import clock_column, to_utc

_WHO: Final = (
    "actor_kind", "professional", "on_behalf_of", "profession", "specialty", "role",
    "organisation", "realm", "auth_method", "client_app", "network", "device",
)  # fmt: skip
Namer = Callable[[str, str], str]


class Rows:
    """Turns the accesses of one file, in order, into tables of waist rows.

    `name_patient` gives the keyed name of the account of a patient.
    """

    def __init__(self, context: Context, label: str, name_patient: Namer) -> None:
        self._context = context
        self._label = label
        self._name_patient = name_patient
        self._order = Order()
        self._clock = Clock()

    def table(self, sheet: Sheet, lines: NDArray[np.int64], hashes: pa.Array) -> pa.Table:
        """Return the rows of `sheet`; `lines` and `hashes` are those of each access."""
        count = len(sheet.numbers)
        if not count:
            return READ_SCHEMA.empty_table()
        parents = np.repeat(np.arange(count), sheet.sizes)
        firsts = np.cumsum(sheet.sizes) - sheet.sizes
        parts = (np.arange(len(parents)) - firsts[parents]).astype(np.int32)
        per_access = {
            **{name: _who_column(sheet.whos, name) for name in _WHO},
            **_told_columns(sheet),
            **self._own_columns(sheet, parents),
            **self._times(sheet),
            "source_line": integers(lines),
            "line_hash": hashes,
        }
        if len(parents) > count:
            index = integers(parents)
            per_access = {name: column.take(index) for name, column in per_access.items()}
        rows = {
            **per_access,
            **self._patients(sheet, per_access["account"], parents),
            **self._constants(len(parents)),
            "part": integers(parts),
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

    def _own_columns(self, sheet: Sheet, parents: NDArray[np.int64]) -> dict[str, pa.Array]:
        ring, name = self._context.keyring, self._context.source.name
        return {
            "account": self._accounts(sheet, parents),
            "session": _sessions(sheet),
            "record_key": ring.pseudonyms(sheet.ids, name, "record"),
            "request_key": ring.pseudonyms(sheet.requests, "", "request"),
        }

    def _accounts(self, sheet: Sheet, parents: NDArray[np.int64]) -> pa.Array:
        """The account, unless it is the very patient: then his or her keyed name."""
        accounts = _who_column(sheet.whos, "account")
        rows = equal_to(accounts.take(integers(parents)), sheet.values)
        if not len(rows):
            return accounts
        texts = accounts.to_pylist()
        for row in rows[::-1].tolist():
            named, value = sheet.names.values[sheet.names.codes[row]], sheet.values[row].as_py()
            texts[parents[row]] = self._name_patient(named.authority, value)
        return pa.array(texts, pa.string()).dictionary_encode()

    def _times(self, sheet: Sheet) -> dict[str, pa.Array]:
        moments, local = sheet.moments.copy(), sheet.local
        doubts = np.zeros(len(moments), np.int8)
        if local.any():
            naive = integers(moments[local]).cast(pa.timestamp("us"))
            moved, doubts[local] = to_utc(naive, self._context.source.time_zone)
            moments[local] = moved.cast(pa.int64()).to_numpy()
        self._clock.mark(moments, doubts)
        return {"at": integers(moments).cast(TIME), "clock_quality": clock_column(doubts)}

    def _patients(
        self, sheet: Sheet, accounts: pa.Array, parents: NDArray[np.int64]
    ) -> dict[str, pa.Array]:
        used: list[Named | None] = [sheet.names.values[code] for code in _used(sheet.names)]
        kinds = {each.kind for each in used if each}
        name = self._context.source.name
        authorities = sheet.names.texts(
            (each.authority or name) if each else None for each in sheet.names.values
        )
        return {
            "patient": self._pseudonyms(sheet.values, authorities),
            "id_gap": self._order.id_gaps(
                accounts, sheet.values, authorities,
                kinds.pop() or "" if len(kinds) == 1 else "",
            ),
            "flags": _flags(sheet, parents),
        }  # fmt: skip

    def _pseudonyms(self, values: pa.Array, authorities: pa.Array) -> pa.Array:
        ring, given = self._context.keyring, authorities.unique().dictionary.to_pylist()
        if len(given) == 1:
            return ring.pseudonyms(values, given[0])
        found = pa.nulls(len(values), KEY)
        for authority in given:
            here = pc.equal(authorities, authority)
            theirs = pc.if_else(here, values.cast(pa.string()), None)
            found = pc.coalesce(found, ring.pseudonyms(theirs, authority))
        return found


def _who_column(whos: Told, name: str) -> pa.Array:
    """Return a column that the agents alone give: one value per distinct `Who`."""
    return whos.texts(getattr(who, name) for who in whos.values)


def _used(told: Told) -> list[int]:
    found: list[int] = np.unique(told.codes).tolist()
    return found


def _pairs(one: Told, other: Told) -> tuple[list[tuple[Any, Any]], pa.Array]:
    """Return the distinct pairs that accesses say, and the place of each access among them."""
    wide = len(other.values)
    told = one.codes.astype(np.int64) * wide + other.codes
    known, places = np.unique(told, return_inverse=True)
    pairs = [(one.values[k // wide], other.values[k % wide]) for k in known.tolist()]
    return pairs, integers(places.reshape(-1))


def _told_columns(sheet: Sheet) -> dict[str, pa.Array]:
    """Return the columns that codes and entities, or codes and agents, give in pairs."""
    told, rows = _pairs(sheet.kinds, sheet.stories)
    columns = {
        "action": _text([action_told(kind, story) for kind, story in told]),
        "object": _text([story.object or kind.event for kind, story in told]),
        "query_shape": _text([story.shape for _, story in told]),
        "outcome": _text([kind.outcome for kind, _ in told]),
        "file_hash": _text([story.hash for _, story in told]),
        "record_count": pa.array([story.count for _, story in told], pa.int64()),
        "bytes": pa.array([story.size for _, story in told], pa.int64()),
    }
    purposes, purposed = _pairs(sheet.kinds, sheet.whos)
    found = _text([who.purpose or kind.purpose for kind, who in purposes])
    return {
        **{name: column.take(rows) for name, column in columns.items()},
        "purpose": found.take(purposed),
    }


def _sessions(sheet: Sheet) -> pa.Array:
    if not any(story.session for story in sheet.stories.values):
        return sheet.sessions
    told = sheet.stories.texts(story.session for story in sheet.stories.values)
    own = sheet.sessions.cast(pa.string())
    return pc.coalesce(own, told.cast(pa.string())).dictionary_encode()


def _flags(sheet: Sheet, parents: NDArray[np.int64]) -> pa.Array:
    """Return what is wrong with the account or the patient of each row."""
    names, whos = sheet.names, sheet.whos
    if not any(each and each.problem for each in names.values) and not any(
        who.flags for who in whos.values
    ):
        return pa.nulls(len(parents), TEXT)
    told, rows = _pairs(Told(whos.codes[parents], whos.values), names)
    return _text([_faults(who.flags, named) for who, named in told]).take(rows)


def _faults(flags: tuple[str, ...], named: Named | None) -> str | None:
    known = {*flags, *([f"patient_{named.problem}"] if named and named.problem else [])}
    return " ".join(sorted(known)) or None


def _text(values: list[Any]) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()
