"""Units of evidence: the first opening of a patient by an account in 24 hours.

Requests are counted by whoever wants to be counted; persons exposed are not. So a unit is one
more person, a search page is one step of evidence about many persons, and the same access seen by
several logs counts once (see `front`). Units are found batch by batch: what is known of an account
and a patient is kept between batches, and the batches do not show in the answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.kernels import (
    Floats,
    Int8s,
    Int32s,
    Int64s,
    Records,
    UInt64s,
    compiled,
    kernel,
    prefetch,
)
from vigie.timeline.front import DAY as DAY
from vigie.timeline.front import END, NUMBERS, PLACES, TEXTS, Front, Reader, Times
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes, Numbers, Words, stand_for
from vigie.timeline.rows import Rows
from vigie.timeline.sorting import order_of_codes

Flags = NDArray[np.bool_]

REQUIRED: Final = ("event_id", "access_id", "at", "account", "action", "patient")
COLUMNS: Final = (*REQUIRED, *TEXTS, *NUMBERS)
"""The waist columns that detection looks at; of these only REQUIRED must be there."""

BATCH: Final = 1 << 16
"""Rows looked at in one go: few enough to stay in the cache of a processor."""

_AHEAD: Final = 12
"""Rows between asking for what is known of one and looking at it."""

ACTS: Final = (
    "login",
    "delete",
    "merge",
    "stock",
    "billing",
    "privilege_change",
    "log_change",
)
"""What counts for what was done, even if it names nobody or somebody met within 24 hours."""

_PAGES: Final = tuple(ACTIONS.index(name) for name in ("search", "list"))
_ACTS: Final = tuple(ACTIONS.index(name) for name in ACTS)
_IS_PAGE: Final = np.isin(np.arange(len(ACTIONS) + 1), _PAGES)
_IS_ACT: Final = np.isin(np.arange(len(ACTIONS) + 1), _ACTS)
"""By number of the action, the last entry for none (-1)."""
_SEARCH: Final = ACTIONS.index("search")
_UNIT, _ACT = 1, 2
_MET: Final = np.dtype([("opened", "i8"), ("listed", "i8"), ("listed_by", "i8")])
"""When an account last opened a patient, when a page last listed him, and which step that was."""
_NEVER: Final = -(10**18)
"""Times are kept as their distance from it, and steps plus one: memory nobody wrote to says never.
"""
_PLAIN: Final = (
    "row", "account", "at", "day", "step", "page", "familiar", "source", "trail", "patient",
    "person", "pair", "since", "action", "act",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Units:
    """One entry per unit, ordered by account, then time; codes point into words.

    A listing (search, page of several) and the opening that follows are two units of one patient.
    `row` numbers the rows fed; `order` lists the units by time; `step` numbers the requests (a
    page is one step); `page` is the number of rows of a listing, 0 for an opening; `familiar`
    says that the page shows a patient of the last 24 hours; `source` is the step that listed an
    opened patient in the hour before, or -1; `trail` says of a listing how many before it, an hour
    apart at most, led to no opening (2 for more), -1 for the first and for no listing; `person` is
    the patient's key in 64 bits; `pair` numbers the accounts with their patients, as `pairs` does;
    `since` is the time since the account's last access to this patient, less the listing that led
    here (µs, -1 for none); `active` holds the account and day of every day with an access; `act`
    says that the row is here only for what was done (one of ACTS): it has no patient; `on` is the
    first day of the rows looked at. `accounts`, `words` and `pairs` are those of the whole stream
    and grow on while units are looked at, for the next slice is read meanwhile; `known` is how many
    accounts there were when these units were found.
    """

    row: Times
    order: Times
    account: Codes
    at: Times
    day: Codes
    step: Times
    page: Codes
    familiar: Flags
    source: Times
    trail: Int8s
    patient: Codes
    person: NDArray[np.uint64]
    pair: Codes
    pairs: Numbers
    since: Times
    action: NDArray[np.int8]
    act: Flags
    text: dict[str, NDArray[Any]]
    number: dict[str, NDArray[Any]]
    place: dict[str, NDArray[Any]]
    accounts: Sequence[str]
    known: int
    words: dict[str, Sequence[str]]
    active: tuple[Codes, Codes]
    on: int

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.row)

    @property
    def bounds(self) -> Times:
        """Return where each account's units start; one more entry than there are accounts."""
        return np.searchsorted(self.account, np.arange(self.known + 1)).astype(np.int64)

    @property
    def by_service(self) -> Flags:
        """Say which units are accesses of services: each does what it was built for."""
        return stand_for("service", self.text["actor_kind"], self.words["actor_kind"])

    @property
    def first_of_step(self) -> Flags:
        """Say which units are the first of their request, and speak for it."""
        first = np.ones(len(self), bool)
        first[1:] = self.step[1:] != self.step[:-1]
        return first


class UnitFinder(State):
    """Finds the units among rows; remembers when each account last met each patient."""

    def __init__(self, words: dict[str, Words]) -> None:
        self.words = words
        self.patients = Numbers()
        self.pairs = Numbers()
        self.steps = 0
        self._met = np.empty(0, _MET)
        self._last_day = np.empty(0, np.int32)
        self._listed_at, self._barren = np.empty(0, np.int64), np.empty(0, np.int8)

    def find(self, rows: Rows) -> Units:
        """Return the units among rows of one day, in order of their moments."""
        by_account = self._by_account(rows["account"])
        rows = rows.take(by_account)
        account, at = rows["account"], rows["moment"]
        on = int(at[0]) // DAY if len(at) else 0
        action, person = rows["action"], rows["person"]
        patient = self._patients(person)
        step, size = _steps(account, at, rows["access"], action)
        pair = self.pairs.number_pairs(account, patient)
        self._met = grown(self._met, len(self.pairs))
        seen = np.zeros(int(step[-1]) + 1 if len(step) else 0, bool)
        kind, page, since, source = _mark_units(
            pair, at, step, size, action, rows["record_count"], rows["bytes"], self.steps,
            _IS_ACT, self._met, seen,
        )  # fmt: skip
        trail = self._trail(account, at, step, page, pair)
        chosen = np.flatnonzero(kind)
        act, requests, kept = kind.take(chosen) == _ACT, step.take(chosen), rows.take(chosen)
        units = Units(
            row=kept["row"], order=_by_time(by_account, chosen), account=account.take(chosen),
            at=at.take(chosen), day=np.full(len(chosen), on, np.int32),
            step=requests + np.int64(self.steps),
            page=page.take(chosen), familiar=seen.take(requests), source=source.take(chosen),
            trail=trail.take(requests), patient=np.where(act, -1, patient.take(chosen)),
            person=np.where(act, 0, person.take(chosen)).astype(np.uint64),
            pair=np.where(act, -1, pair.take(chosen)), pairs=self.pairs,
            since=since.take(chosen), action=action.take(chosen), act=act,
            text={name: kept[name] for name in TEXTS},
            number={name: kept[name] for name in NUMBERS},
            place={name: kept[name] for name in PLACES},
            accounts=self.words["account"].words, known=len(self.words["account"]),
            words={name: words.words for name, words in self.words.items()},
            active=self._newly_active(account, on), on=on,
        )  # fmt: skip
        self.steps += len(seen)
        return units

    def _by_account(self, account: Codes) -> Times:
        accounts = len(self.words["account"])
        if accounts > 8 * len(account):
            return np.argsort(account, kind="stable")
        order: Times = order_of_codes(account, accounts)
        return order

    def _patients(self, person: NDArray[np.uint64]) -> Codes:
        # Nobody is met under the key 0: a null patient gets no number.
        return self.patients.number(np.where(person == 0, ~np.uint64(0), person))

    def _trail(
        self, account: Codes, at: Times, step: Codes, page: Codes, pair: Codes
    ) -> NDArray[np.int8]:
        """Return of each request that lists persons what the account's listings before led to."""
        accounts = len(self.words["account"])
        self._listed_at = grown(self._listed_at, accounts, -(2**62))
        self._barren = grown(self._barren, accounts)
        trail: NDArray[np.int8] = _trails(
            account, at, step, page, pair, self._listed_at, self._barren
        )
        return trail

    def _newly_active(self, account: Codes, day: int) -> tuple[Codes, Codes]:
        """Return the account-days that begin in this batch."""
        self._last_day = grown(self._last_day, len(self.words["account"]), -(2**30))
        first = np.ones(len(account), bool)
        first[1:] = account[1:] != account[:-1]
        met = account[first]
        new = met[self._last_day[met] != day]
        self._last_day[new] = day
        return new, np.full(len(new), day, np.int32)


def find_units(events: pa.Table) -> Units:
    """Return all units of a table, as one batch after the other would."""
    reader = Reader()
    front = Front(reader.words)
    finder = UnitFinder(reader.words)
    rows = front.feed(reader.read(events), END)
    return join_units([finder.find(batch) for batch in batches(rows)] or [finder.find(rows)])


def batches(rows: Rows, size: int = BATCH) -> Iterator[Rows]:
    """Cut rows into batches of one day each, never within a moment."""
    moment, start = rows["moment"], 0
    while start < len(moment):
        stop = min(start + size, len(moment))
        midnight = (moment[start] // DAY + 1) * DAY
        stop = start + int(np.searchsorted(moment[start:stop], midnight))
        if stop < len(moment) and moment[stop] == moment[stop - 1]:
            first = start + int(np.searchsorted(moment[start:stop], moment[stop]))
            last = start + int(np.searchsorted(moment[start:], moment[stop], side="right"))
            stop = first if first > start else last
        yield rows[start:stop]
        start = stop


def join_units(parts: Sequence[Units]) -> Units:
    """Return the units of successive batches as one, by account and time."""
    account = np.concatenate([part.account for part in parts])
    order = np.argsort(account, kind="stable")
    by_time = np.empty(len(order), np.int64)
    by_time[order] = np.arange(len(order))
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    orders = [part.order + start for part, start in zip(parts, starts, strict=True)]

    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])[order] for name in _PLAIN
    }
    for name in ("text", "number", "place"):
        columns[name] = {
            key: np.concatenate([getattr(part, name)[key] for part in parts])[order]
            for key in getattr(parts[-1], name)
        }
    accounts, days = zip(*(part.active for part in parts), strict=True)
    return Units(
        order=by_time[np.concatenate(orders)],
        pairs=parts[-1].pairs,
        accounts=parts[-1].accounts,
        known=parts[-1].known,
        words=parts[-1].words,
        active=(np.concatenate(accounts), np.concatenate(days)),
        on=min(part.on for part in parts),
        **columns,
    )


def _by_time(by_account: Times, chosen: Times) -> Times:
    """Return the chosen rows in order of time, as places among the chosen."""
    place = np.full(len(by_account), -1, np.int64)
    place[by_account[chosen]] = np.arange(len(chosen))
    return place[place >= 0]


def _steps(
    account: Codes, at: Times, access: NDArray[np.uint64], action: NDArray[np.int8]
) -> tuple[Codes, Codes]:
    """Number the requests (rows of one access, or list rows of one account, at one moment).

    Returns each row's number and how many rows its request has.
    """
    step, size = np.empty((2, len(at)), np.int32)
    _number_steps(account, at, access, _IS_PAGE[action], step, size)
    return step, size


@kernel
def _number_steps(
    account: Int32s, at: Int64s, access: UInt64s, pages: NDArray[np.bool_], step: Int32s,
    size: Int32s,
) -> None:  # fmt: skip
    start = number = 0
    for i in range(at.size):
        same = i > 0 and account[i] == account[i - 1] and at[i] == at[i - 1]
        if not (same and (access[i] == access[i - 1] or (pages[i] and pages[i - 1]))):
            size[start:i] = i - start
            start, number = i, number + 1
        step[i] = number - 1
    size[start:] = at.size - start


@compiled
def _mark_units(
    pair: Int32s, at: Int64s, step: Int32s, size: Int32s, action: Int8s, records: Floats,
    octets: Floats, base: int, acts: NDArray[np.bool_], met: Records, seen: NDArray[np.bool_],
) -> tuple[Int8s, Int32s, Int64s, Int64s]:  # fmt: skip
    """Say which rows are units (1) or here for what was done (2), and the rows of their page.

    Also the time since their patient was met, and the step that listed him; `seen` receives which
    requests show a patient of the last 24 hours.
    """
    count = pair.size
    day, hour = 86_400_000_000, 3_600_000_000
    kind, page = np.zeros(count, np.int8), np.zeros(count, np.int32)
    since, source = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    for i in range(count):
        if i + _AHEAD < count and pair[i + _AHEAD] >= 0:
            prefetch(met, np.int64(pair[i + _AHEAD]))
        listing = action[i] == _SEARCH or size[i] > 1
        page[i] = size[i] if listing else 0
        unit = False
        if pair[i] < 0:
            unit = records[i] >= 0 or octets[i] >= 0
        else:
            known, now = met[pair[i]], at[i] - _NEVER
            last = max(known.opened, known.listed)
            if listing:
                unit = now - last >= day
                since[i] = now - last if last > 0 else -1
                known.listed, known.listed_by = now, base + step[i] + 1
            else:
                before = last if now - known.listed >= hour else known.opened
                since[i] = now - before if before > 0 else -1
                if now - known.opened >= day:
                    unit = True
                    source[i] = known.listed_by - 1 if now - known.listed < hour else -1
                    known.opened = now
        if 0 <= since[i] < day:
            seen[step[i]] = True
        if unit:
            kind[i] = _UNIT
        elif acts[action[i]]:
            kind[i] = _ACT
    return kind, page, since, source


@compiled
def _trails(
    account: Int32s, at: Int64s, step: Int32s, page: Int32s, pair: Int32s, listed_at: Int64s,
    barren: Int8s,
) -> Int8s:  # fmt: skip
    """Say of each listing how many before it led to no opening; -1 for other requests."""
    trail = np.full(step[-1] + 1 if step.size else 0, -1, np.int8)
    before = -1
    for i in range(account.size):
        a = account[i]
        if pair[i] < 0:
            continue
        if page[i] == 0:
            barren[a] = 0
        elif step[i] != before:
            before = step[i]
            again = at[i] - listed_at[a] < 3_600_000_000
            if again:
                trail[step[i]] = barren[a]
            barren[a] = min(barren[a] + 1, 2) if again else 1
            listed_at[a] = at[i]
    return trail
