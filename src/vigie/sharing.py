"""Accounts that several people use at once: what is said of them, not an alarm.

A person moves from one device to another, but not back and forth within minutes all day, nor works
around the clock. An account of which this is usual stands for a group: its habits hide a thief,
and an alert names nobody. Services are passed over: they are many machines by nature.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.kernels import Int32s, Int64s, compiled
from vigie.numbering import Codes, Words
from vigie.sorting import order_of_time

BACK_AND_FORTH: Final = 10 * 60 * 1_000_000
"""Within this (µs) a person does not leave a device, work on another and come back."""
TURNS: Final = 6
"""Returns on one day from which it is no accident: one a working hour or so."""
HOURS: Final = 18
"""Hours with an access on one day, on several devices, that are not one person's day."""
_FEWEST_DAYS: Final = 5


@dataclass(frozen=True, slots=True)
class Shared:
    """An account used by several people: on how many of its active days it showed."""

    account: str
    days: int
    active: int


def find_shared(events: pa.Table) -> Iterator[Shared]:
    """Yield the accounts that several people use at once on most of their days.

    Looks at `account` and `at`, at `device` (else `network`) and `actor_kind` where the log says
    them.
    """
    account, names = _codes(events.column("account"))
    place = _place(events)
    if not events.num_rows or not len(names) or (place < 0).all():
        return
    account = np.where(_services(events), np.int32(-1), account)
    at = events.column("at").cast(pa.int64()).to_numpy()
    active, odd = _count(order_of_time(at), account, at, place, len(names))
    for code in np.flatnonzero((active >= _FEWEST_DAYS) & (2 * odd > active)).tolist():
        yield Shared(names[code], int(odd[code]), int(active[code]))


def _codes(column: pa.ChunkedArray) -> tuple[Codes, list[str]]:
    words = Words()
    return words.codes(column), words.words


def _services(events: pa.Table) -> NDArray[np.bool_]:
    if "actor_kind" not in events.column_names:
        return np.zeros(events.num_rows, np.bool_)
    kind, words = _codes(events.column("actor_kind"))
    return np.asarray(kind == (words.index("service") if "service" in words else -2))


def _place(events: pa.Table) -> Codes:
    for name in ("device", "network"):
        if name in events.column_names and events.column(name).null_count < events.num_rows:
            return _codes(events.column(name))[0]
    return np.full(events.num_rows, -1, np.int32)


@compiled
def _count(
    order: Int64s, account: Int32s, at: Int64s, place: Int32s, accounts: int
) -> tuple[Int64s, Int64s]:
    """Count each account's active days, and those of which one person is not the explanation."""
    active, odd = np.zeros(accounts, np.int64), np.zeros(accounts, np.int64)
    today, hour = np.full(accounts, -1), np.full(accounts, -1)
    turns, hours = np.zeros(accounts, np.int64), np.zeros(accounts, np.int64)
    several = np.zeros(accounts, np.bool_)
    here, before = np.full(accounts, -1), np.full(accounts, -1)
    last, left = np.zeros(accounts, np.int64), np.zeros(accounts, np.int64)
    for i in order:
        a = account[i]
        if a < 0:
            continue
        day = at[i] // 86_400_000_000
        if day != today[a]:
            odd[a] += turns[a] >= TURNS or (hours[a] >= HOURS and several[a])
            today[a], hour[a], turns[a], hours[a], several[a] = day, -1, 0, 0, False
            active[a] += 1
        now = at[i] // 3_600_000_000
        if now != hour[a]:
            hour[a] = now
            hours[a] += 1
        if place[i] < 0:
            continue
        if place[i] != here[a]:
            several[a] |= here[a] >= 0
            turns[a] += place[i] == before[a] and at[i] - left[a] <= BACK_AND_FORTH
            before[a], left[a], here[a] = here[a], last[a], place[i]
        last[a] = at[i]
    for a in range(accounts):
        odd[a] += turns[a] >= TURNS or (hours[a] >= HOURS and several[a])
    return active, odd
