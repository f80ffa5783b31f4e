"""Linking: one access that several logs saw gets one access id.

Rows that share a request id have the same access id by construction. What is left is linked by
account, patient and time: rows of different sources, at most so many seconds apart, one to one.
The groups are a function of the rows alone, so that the order of imports does not show: pairs are
joined from the closest to the farthest, and a group never holds two accesses of one source nor
spans more than the limit. Which id a group bears is the one that was stored first.

Only days on which a source was added beside another are looked at; segments of which an id changes
are written anew.
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import TIME
from vigie.pseudonyms import Keyring
from vigie.stores.identity import keys_of, words_of
from vigie.stores.segments import read_segments

MARGIN: Final = 300_000_000
"""Microseconds read on each side of a day: a chain of accesses longer than that is cut."""
_DAY: Final = 86_400_000_000
_COLUMNS: Final = [
    "event_id", "access_id", "access_own", "source", "account", "patient", "at"
]  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unit:
    """Rows that are one access already: one row, or those of one request."""

    own: bytes
    rows: list[Row]
    order: bytes

    @property
    def sources(self) -> set[str]:
        """Return the logs that saw it."""
        return {row["source"] for row in self.rows}

    @property
    def at(self) -> int:
        """Return its first moment."""
        return min(int(row["at"]) for row in self.rows)

    @property
    def shared(self) -> bool:
        """Whether rows elsewhere may bear the id too: other patients of the line or request."""
        return any(row["event_id"] != self.own or row["access_id"] == self.own for row in self.rows)


def link_day(
    home: Path, keyring: Keyring, segments: list[tuple[str, bool]], day: str, within: int
) -> dict[bytes, bytes]:
    """Return `event id -> access id` of the rows whose access id must change.

    `segments` are `(path, stored before)`, those of the day and of both its neighbours; `within`
    is in microseconds. A chain that crosses midnight belongs to the day on which it begins.
    """
    begin = int(np.datetime64(day, "us").astype(np.int64))
    tables = [_near(home, path, stored, begin) for path, stored in segments]
    changed: dict[bytes, bytes] = {}
    for rows in _chains(_candidates(pa.concat_tables(tables), within)):
        if begin <= rows[0]["at"] < begin + _DAY:
            changed |= _link(rows, keyring, within)
    return changed


def _link(rows: list[Row], keyring: Keyring, within: int) -> dict[bytes, bytes]:
    """Group the rows of a chain, and return the access ids that this changes."""
    changed: dict[bytes, bytes] = {}
    for group in _groups(_units(rows, keyring), within):
        members = [row for unit in group for row in unit.rows]
        borne = {_effective(row) for row in members if row["stored"]}
        chosen = min(group, key=lambda u: (not u.shared, u.own not in borne, u.at, u.order)).own
        changed |= {row["event_id"]: chosen for row in members if _effective(row) != chosen}
    return changed


def _units(rows: list[Row], keyring: Keyring) -> list[Unit]:
    by_own = defaultdict(list)
    for row in rows:
        by_own[row["access_own"] or _effective(row)].append(row)
    return [
        Unit(own, some, min(keyring.receded(row["event_id"]) for row in some))
        for own, some in by_own.items()
    ]


def _groups(units: list[Unit], within: int) -> list[list[Unit]]:
    """Join the closest pairs first; no source twice in a group, none longer than the limit."""
    group = {unit.own: [unit] for unit in units}
    for one, two in _pairs(units, within):
        if group[one.own] is not group[two.own]:
            joined = group[one.own] + group[two.own]
            seen = [source for unit in joined for source in unit.sources]
            span = max(unit.at for unit in joined) - min(unit.at for unit in joined)
            if len(seen) == len(set(seen)) and span <= within:
                group |= dict.fromkeys([unit.own for unit in joined], joined)
    return list({id(some): some for some in group.values()}.values())


def _pairs(units: list[Unit], within: int) -> list[tuple[Unit, Unit]]:
    """Return the pairs that may be one access, the closest first."""
    pairs = [
        (one, two)
        for one, two in combinations(sorted(units, key=lambda unit: unit.order), 2)
        if abs(one.at - two.at) <= within and not one.sources & two.sources
    ]
    return sorted(pairs, key=_closeness)


def _closeness(pair: tuple[Unit, Unit]) -> tuple[object, ...]:
    """Order pairs by what the logs say; ids decide only between rows that say the same."""
    one, two = sorted(pair, key=lambda unit: (unit.at, sorted(unit.sources), unit.order))
    told = [(unit.at, sorted(unit.sources)) for unit in (one, two)]
    return two.at - one.at, told, one.order, two.order


def _effective(row: Row) -> bytes:
    return bytes(row["access_id"] or row["event_id"])


def relinked(table: pa.Table, changed: dict[bytes, bytes]) -> pa.Table | None:
    """Return a segment's rows with their new access ids, or None when none is among them."""
    events = words_of(table.column("event_id"))
    keys = np.frombuffer(b"".join(changed), np.uint64).reshape(-1, 2)
    values = np.frombuffer(b"".join(changed.values()), np.uint64).reshape(-1, 2)
    order = np.argsort(keys[:, 0], kind="stable")
    place = np.minimum(np.searchsorted(keys[order, 0], events[:, 0]), len(order) - 1)
    place = order[place]
    found = np.all(keys[place] == events, axis=1)
    if not found.any():
        return None
    own = pc.coalesce(
        table.column("access_own"), table.column("access_id"), table.column("event_id")
    )
    before = words_of(own)
    chosen = values[place]
    access = pc.if_else(
        pa.array(found),
        keys_of(chosen, ~np.all(chosen == events, axis=1)),
        table.column("access_id"),
    )
    own = pc.if_else(
        pa.array(found),
        keys_of(before, ~np.all(chosen == before, axis=1)),
        table.column("access_own"),
    )
    for name, column in (("access_id", access), ("access_own", own)):
        place_ = table.column_names.index(name)
        table = table.set_column(place_, table.schema.field(name), column)
    return table


def _near(home: Path, path: str, stored: bool, begin: int) -> pa.Table:
    low, high = (pa.scalar(at, TIME) for at in (begin - MARGIN, begin + _DAY + MARGIN))
    where = (pc.field("at") >= low) & (pc.field("at") < high)
    where &= pc.field("account").is_valid() & pc.field("patient").is_valid()
    table = read_segments(home, [path], "events", _COLUMNS, where)
    return table.append_column("stored", pa.repeat(pa.scalar(stored), table.num_rows))


def _candidates(table: pa.Table, within: int) -> pa.Table:
    """Sort by account, patient and time, and keep the rows that have a neighbour near enough."""
    table = table.unify_dictionaries().combine_chunks()
    account = table.column("account").combine_chunks().indices.to_numpy().astype(np.int64)
    words, at = words_of(table.column("patient")), table.column("at").cast(pa.int64()).to_numpy()
    if not len(at):
        return table.append_column("chain", pa.array([], pa.int64()))
    order = np.lexsort((at, words[:, 1], words[:, 0], account))
    account, words, at = account[order], words[order], at[order]
    near = (account[1:] == account[:-1]) & np.all(words[1:] == words[:-1], axis=1)
    near &= at[1:] - at[:-1] <= within
    kept = _either(near)
    chain = np.cumsum(np.concatenate([[0], ~near]))[: len(order)]
    some = table.take(pa.array(order[kept]))
    return some.append_column("chain", pa.array(chain[kept]))


def _either(near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    either: NDArray[np.bool_] = np.append(near, False) | np.append(False, near)
    return either


def _chains(table: pa.Table) -> list[list[Row]]:
    """Return the rows of each chain of neighbours that more than one source saw."""
    chains = defaultdict(list)
    plain = table.set_column(
        table.column_names.index("at"), "at", table.column("at").cast(pa.int64())
    )
    for row in plain.to_pylist():
        chains[row["chain"]].append(row)
    return [rows for rows in chains.values() if len({row["source"] for row in rows}) > 1]
