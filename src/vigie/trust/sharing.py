"""Accounts that several people use at once: what is said of them, not an alarm.

A person moves from one device to another, but not back and forth within minutes all day, nor works
around the clock. An account of which this is usual stands for a group: its habits hide a thief,
and an alert names nobody. Services are passed over: they are many machines by nature.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.kernels import Int32s, Int64s, compiled, kernel
from vigie.timeline.memory import grown
from vigie.timeline.numbering import Codes, Words, stand_for
from vigie.timeline.sorting import order_of_time

BACK_AND_FORTH: Final = 10 * 60 * 1_000_000
"""Within this (µs) a person does not leave a device, work on another and come back."""
TURNS: Final = 6
"""Returns on one day from which it is no accident: one a working hour or so."""
HOURS: Final = 18
"""Hours with an access on one day, on several devices, that are not one person's day."""
_FEWEST_DAYS: Final = 5

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shared:
    """An account used by several people: on how many of its active days it showed."""

    account: str
    days: int
    active: int


class Sharing:
    """Follows accounts through tables of rows in order of time; says at the end which are shared.

    Rows are told apart by device or, in a log that never tells one, by network.
    """

    def __init__(self) -> None:
        self._by = {"device": _Turns(), "network": _Turns()}
        self._told = dict.fromkeys(self._by, False)

    def see(
        self, at: Times, account: Codes, service: NDArray[np.bool_], places: dict[str, Codes]
    ) -> None:
        """Look at rows; a code of -1 is null, and all tables share their codes."""
        account = np.where(service, np.int32(-1), account)
        order = order_of_time(at) if _mixed_up(account, at) else np.arange(len(at))
        for name, place in places.items():
            self._told[name] |= bool((place >= 0).any())
            if name == "device" or not self._told["device"]:
                self._by[name].follow(order, account, at, place)

    def found(self, names: Sequence[str]) -> Iterator[Shared]:
        """Yield the accounts that several people use at once on most of their days."""
        told = next((name for name, is_told in self._told.items() if is_told), None)
        if told is None:
            return
        active, odd = self._by[told].days()
        for code in np.flatnonzero((active >= _FEWEST_DAYS) & (2 * odd > active)).tolist():
            yield Shared(names[code], int(odd[code]), int(active[code]))


class _Turns:
    """What is remembered of each account: its day so far, and how many days were odd."""

    def __init__(self) -> None:
        self._counts = np.zeros((0, 9), np.int64)
        self._places = np.empty((0, 2), np.int32)

    def follow(self, order: Times, account: Codes, at: Times, place: Codes) -> None:
        accounts, before = int(account.max(initial=-1)) + 1, len(self._counts)
        self._counts = grown(self._counts, accounts)
        self._counts[before:, _TODAY : _HOUR + 1] = -1
        self._places = grown(self._places, accounts, -1)
        _count(order, account, at, place, self._counts, self._places)

    def days(self) -> tuple[Times, Times]:
        """Return each account's active days, and those of which one person is not the reason."""
        counts = self._counts
        last = (counts[:, _RETURNS] >= TURNS) | (
            (counts[:, _HOURS] >= HOURS) & (counts[:, _SEVERAL] > 0)
        )
        return counts[:, _ACTIVE], counts[:, _ODD] + last


def find_shared(events: pa.Table) -> Iterator[Shared]:
    """Yield the accounts that several people use at once on most of their days.

    Looks at `account` and `at`, at `device` (else `network`) and `actor_kind` where the log says
    them.
    """
    account, names = _codes(events, "account")
    kind, kinds = _codes(events, "actor_kind")
    service = stand_for("service", kind, kinds)
    places = {name: _codes(events, name)[0] for name in ("device", "network")}
    sharing = Sharing()
    sharing.see(events.column("at").cast(pa.int64()).to_numpy(), account, service, places)
    return sharing.found(names)


def _codes(events: pa.Table, name: str) -> tuple[Codes, list[str]]:
    if name not in events.column_names:
        return np.full(events.num_rows, -1, np.int32), []
    words = Words()
    return words.codes(events.column(name)), words.words


@compiled
def _mixed_up(account: Int32s, at: Int64s) -> bool:
    """Say whether the rows of some account are not in order of time among themselves."""
    latest = np.full(account.max() + 1 if account.size else 0, -(2**62))
    for i in range(account.size):
        a = account[i]
        if a >= 0:
            if at[i] < latest[a]:
                return True
            latest[a] = at[i]
    return False


_ACTIVE, _ODD, _TODAY, _HOUR, _RETURNS, _HOURS, _SEVERAL, _LAST, _LEFT = range(9)


@kernel
def _count(
    order: Int64s, account: Int32s, at: Int64s, place: Int32s, counts: Int64s, places: Int32s
) -> None:
    """Count each account's active days, and those of which one person is not the explanation."""
    for i in order:
        a = account[i]
        if a < 0:
            continue
        mine, day, now = counts[a], at[i] // 86_400_000_000, at[i] // 3_600_000_000
        if day != mine[_TODAY]:
            odd = mine[_RETURNS] >= TURNS or (mine[_HOURS] >= HOURS and mine[_SEVERAL] > 0)
            mine[_ODD] += odd
            mine[_TODAY], mine[_HOUR] = day, -1
            mine[_RETURNS], mine[_HOURS], mine[_SEVERAL] = 0, 0, 0
            mine[_ACTIVE] += 1
        if now != mine[_HOUR]:
            mine[_HOUR] = now
            mine[_HOURS] += 1
        if place[i] < 0:
            continue
        here, before = places[a, 0], places[a, 1]
        if place[i] != here:
            if here >= 0:
                mine[_SEVERAL] = 1
            mine[_RETURNS] += place[i] == before and at[i] - mine[_LEFT] <= BACK_AND_FORTH
            places[a, 1], mine[_LEFT], places[a, 0] = here, mine[_LAST], place[i]
        mine[_LAST] = at[i]
