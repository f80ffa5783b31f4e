"""Encounters of a simulated world, put together again from its accesses."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.simulate.world import REASONS, World

WRITING: Final = tuple(ACTIONS.index(a) for a in ("create", "update", "billing", "stock", "merge"))
EXPORT: Final = ACTIONS.index("export")

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Visits:
    """Encounters by account and time: `end` is the last access, `size` of an export else -1."""

    account: Ints
    at: Ints
    end: Ints
    organisation: Ints
    behalf: Ints
    patient: Ints
    key: Ints  # how it was asked for, see `key_of`
    size: Ints
    attack: Ints
    reason: Ints


def key_of(action: Ints, screen: Ints, shape: Ints, writes: Ints) -> Ints:
    return ((action * 64 + screen) * 16 + shape + 1) * 2 + writes


def visits(world: World) -> Visits:
    """Return the encounters of a world, from its accesses and their numbers."""
    table = world.accesses
    wanted = (table["patient"].to_numpy() >= 0) | (table["action"].to_numpy() == EXPORT)
    rows = np.flatnonzero(wanted)
    access = table["access"].to_numpy()[rows]
    _, first = np.unique(access, return_index=True)  # the first row of a page is the wanted one
    rows = rows[first]
    of = {name: table[name].to_numpy()[rows].astype(np.int64) for name in table.column_names}
    new = np.ones(len(rows), bool)
    new[1:] = np.diff(of["access"]) > 30
    for name in ("account", "patient", "attack"):
        new[1:] |= np.diff(of[name]) != 0
    begin = np.flatnonzero(new)
    writes = np.maximum.reduceat(np.isin(of["action"], WRITING).astype(np.int64), begin)
    end = np.maximum.reduceat(of["at"], begin)
    one = {name: values[begin] for name, values in of.items()}
    order = np.lexsort((one["at"], one["account"]))
    key = key_of(one["action"], one["object"], one["query_shape"], writes)
    size = np.where(one["action"] == EXPORT, one["record_count"], -1)
    return Visits(*(column[order] for column in (
        one["account"], one["at"], end, one["organisation"], one["on_behalf_of"], one["patient"],
        key, size, one["attack"], one["reason"],
    )))  # fmt: skip


def strangers(world: World) -> Floats:
    """Return by account the share of honest visits that meet somebody new or a stranger."""
    v = visits(world)
    strange = [REASONS.index(name) for name in ("new_patient", "stranger", "referral")]
    kept = (v.attack < 0) & (v.patient >= 0)
    many = np.bincount(v.account[kept], minlength=world.accounts.num_rows)
    new = np.bincount(v.account[kept & np.isin(v.reason, strange)], minlength=len(many))
    return new / np.maximum(many, 1)
