"""A log drawn elsewhere: who met whom when, what else is told, and which rows are a thief's."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.worlds import _keys, _words
from vigie.events import ACTIONS, SCHEMA
from vigie.readers.order import NAME_GAP_LIMIT, Order

Ints = NDArray[np.int64]
DAY = 86_400_000_000
HOUR = DAY // 24
SECOND = 1_000_000
BEGIN = 1_767_571_200 * SECOND
"""Monday, 5 January 2026, midnight UTC."""
_ABSENT: Final = {
    "theft": -1, "action": ACTIONS.index("open"), "records": -1, "access": -1, "surname": -1,
    "name_place": np.nan,
}  # fmt: skip
"""Columns that a log may leave out, and what then stands in them."""


@dataclass(frozen=True, slots=True)
class Log:
    """Rows in any order: moment (µs UTC), account and patient by number, theft (-1: honest).

    `told` holds what else the log says, as codes (-1 for null) into words; `families` names the
    thefts; `action` is one of `ACTIONS`, `records` what a request returned (-1: not said);
    `groups` are the accounts' own groups, for thieves, told or not. Rows of one `access` (-1: each
    its own) are one page; `surname` (-1: not said) and `name_place`, from 0 for A to 1 for Z (NaN:
    not said), are the patient's. `care` is what other sources say of care, as `vigie.records.CARE`.
    """

    name: str
    at: Ints
    account: Ints
    patient: Ints
    groups: Ints
    told: dict[str, tuple[Ints, Sequence[str]]] = field(default_factory=dict)
    theft: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    families: tuple[str, ...] = ()
    action: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    records: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    access: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    surname: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    name_place: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    numeric: bool = True
    care: pa.Table | None = None

    def __post_init__(self) -> None:
        count = len(self.at)
        for name, value in _ABSENT.items():
            if len(getattr(self, name)) != count:
                object.__setattr__(self, name, np.full(count, value))

    @property
    def first(self) -> int:
        """Return the first day, counted from the epoch."""
        return int(self.at.min() // DAY)

    @property
    def last(self) -> int:
        """Return the last day."""
        return int(self.at.max() // DAY)

    @property
    def victims(self) -> Ints:
        """Return the accounts that were robbed."""
        return np.unique(self.account[self.theft >= 0])

    def with_rows(self, more: "Log") -> "Log":
        """Return this log with the rows of another, which says the same things."""
        columns = {
            name: np.concatenate([getattr(self, name), getattr(more, name)])
            for name in ("at", "account", "patient", *_ABSENT)
        }
        told = {
            name: (np.concatenate([codes, more.told[name][0]]), words)
            for name, (codes, words) in self.told.items()
        }
        return replace(self, told=told, families=self.families + more.families, **columns)

    def in_order(self) -> "Log":
        """Return the log in order of time."""
        order = np.argsort(self.at, kind="stable")
        columns = {
            name: getattr(self, name)[order] for name in ("at", "account", "patient", *_ABSENT)
        }
        told = {name: (codes[order], words) for name, (codes, words) in self.told.items()}
        return replace(self, told=told, **columns)


def as_events(log: Log) -> pa.Table:
    """Return the rows as `vigie.events.SCHEMA`; line numbers are row numbers from 1."""
    count = len(log.at)
    rows = np.arange(count)
    logins = [f"u{number}" for number in range(int(log.account.max()) + 1)]
    columns = {
        "event_id": _keys(rows, 1), "access_id": _keys(_accesses(log), 2),
        "line_hash": _keys(rows, 3),
        "source": _words(np.zeros(count), [log.name]),
        "source_file": _words(np.zeros(count), ["log"]),
        "source_line": pa.array(rows + 1),
        "mapping_version": _words(np.zeros(count), ["1"]),
        "clock_quality": _words(np.zeros(count), ["exact"]),
        "at": pa.array(log.at), "received_at": pa.array(log.at),
        "account": _words(log.account, logins),
        "action": _words(log.action, ACTIONS),
        "patient": patient_keys(log.patient), "surname_key": _keys(log.surname, 5),
        "name_gap": _name_gaps(log),
        "record_count": pa.array(log.records, mask=log.records < 0),
        **{name: _words(codes, words) for name, (codes, words) in log.told.items()},
    }  # fmt: skip
    if log.numeric:
        columns["id_gap"] = _gaps(log, columns["account"])
    blank = {f.name: pa.nulls(count, f.type) for f in SCHEMA if f.name not in columns}
    return pa.table([(columns | blank)[f.name].cast(f.type) for f in SCHEMA], schema=SCHEMA)


def patient_keys(numbers: Ints) -> pa.Array:
    """Return the keys of patients, as the events hold them."""
    return _keys(numbers, 4)


def _accesses(log: Log) -> Ints:
    own = len(log.at) + np.arange(len(log.at))
    return np.where(log.access >= 0, log.access, own)


def _name_gaps(log: Log) -> pa.Array:
    """Return how far each name stands from the account's last, rounded as the readers round."""
    told = np.flatnonzero(~np.isnan(log.name_place))
    told = told[np.argsort(log.account[told], kind="stable")]
    gap = np.diff(log.name_place[told], prepend=np.nan)
    gap[np.diff(log.account[told], prepend=-1) != 0] = np.nan
    out = np.full(len(log.at), np.nan, np.float32)
    out[told] = np.clip(np.rint(gap * 1e5) / 1e5 + 0.0, -NAME_GAP_LIMIT, NAME_GAP_LIMIT)
    return pa.array(out, mask=np.isnan(out))


def _gaps(log: Log, account: pa.Array) -> pa.Array:
    """Return the gaps of patient numbers as the readers give them."""
    number = pa.array(log.patient, mask=log.patient < 0).cast(pa.string())
    return Order().id_gaps(account.cast(pa.string()), number, "elsewhere", "")
