"""The front: rows from several logs, late and out of order, become one stream in order of time.

Rows are held until the *watermark*, the time before which nothing more is expected. The same
access seen by several logs counts once, a person's row in preference to a service's that comes
at most `within` before it; the rows of one request, at most `within` after its first, share its
moment. The order is canonical (time, account, place in the log): the same rows give the same
stream whatever the batches they came in.
"""

from typing import Final

import numba
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.kernels import (
    Bytes,
    Flags,
    Floats,
    Int32s,
    Int64s,
    Ints,
    UInt64s,
    compiled,
    inlined,
    kernel,
    told,
)
from vigie.timeline.memory import State
from vigie.timeline.numbering import NOBODY, Codes, Words, hashed, stand_for
from vigie.timeline.recent import Recent
from vigie.timeline.rows import Columns, Rows, join, take
from vigie.timeline.sorting import order_of_time

DAY: Final = 86_400_000_000
"""One day in microseconds, the unit of every time here."""

TEXTS: Final = (
    "organisation", "unit", "network", "device", "session", "area",
    "actor_kind", "profession", "specialty", "role", "auth_method", "outcome", "acquaintance",
)  # fmt: skip
NUMBERS: Final = ("record_count", "bytes", "id_gap", "name_gap")
PLACES: Final = ("source_file", "source_line")
WITHIN: Final = 2_000_000
BEGINNING: Final = -(2**61)
END: Final = 2**61
"""Times before and after every event."""
REMEMBERED: Final = DAY // 24
"""How long an access is remembered, to count once what another log says of it."""

_FEW: Final = 4096
_MOVES: Final = 64
"""Places by which a row among those of one time is moved one by one, at most and in the mean."""
_TIES: Final = ("account", "source_file")
_KEYED: Final = ("access", "identity", "person", "account")
_ACCESS: Final = np.uint64(0xD6E8FEB86659FD93)
_REQUEST: Final = np.uint64(0xA0761D6478BD642F)

Times = NDArray[np.int64]


class Reader(State):
    """Turns waist tables into rows, with codes for words that stay the same from table to table.

    Rows without an account are left to `trust`. `row` counts the rows of the tables, in the order
    in which they were fed.
    """

    def __init__(self) -> None:
        named = ("account", "source_file", *(name for name in TEXTS if name != "session"))
        self.words = {name: Words() for name in named}
        self.fed = 0

    def read(self, events: pa.Table) -> Columns:
        """Return the rows of a table that name an account."""
        return named(self.decode(events))

    def decode(self, events: pa.Table) -> Columns:
        """Return all rows of a table."""
        codes = {name: self._text(events, name) for name in self.words}
        rows: Columns = {
            "row": np.arange(self.fed, self.fed + events.num_rows),
            "at": events.column("at").cast(pa.int64()).to_numpy(),
            "action": _actions(events),
            "identity": key_numbers(events.column("event_id")),
            "access": key_numbers(events.column("access_id")),
            "person": key_numbers(events.column("patient")),
            "source_line": _lines(events),
            **codes,
            "session": _sessions(events),
            **{name: _numbers(events, name) for name in NUMBERS},
        }
        self.fed += events.num_rows
        return rows

    def _text(self, events: pa.Table, name: str) -> Codes:
        if name not in events.column_names:
            return np.broadcast_to(np.int32(-1), events.num_rows)
        column = events.column(name)
        if column.null_count == len(column):
            return np.broadcast_to(np.int32(-1), events.num_rows)
        return self.words[name].codes(column)


def named(rows: Columns) -> Columns:
    """Return the rows that name an account."""
    told = rows["account"] >= 0
    return rows if told.all() else take(rows, np.flatnonzero(told))


class Front(State):
    """Holds rows until they are complete, and gives them out once, in order.

    `late` counts the rows that came after the watermark had passed them: they are taken in at
    the watermark, so nothing is lost, but what was said of their time is not taken back.
    """

    def __init__(self, words: dict[str, Words], within: int = WITHIN) -> None:
        self.words = words
        self.within = within
        self.watermark = BEGINNING
        self.late = 0
        self._held: Columns = {}
        """Rows that were chosen and are not complete, in order, then those that still wait."""
        self._moments = np.empty(0, np.int64)
        self._seen = Recent(REMEMBERED)
        self._requests = Recent(within)

    def feed(self, rows: Columns, watermark: int) -> Rows:
        """Take rows in, and return those that are complete, by `moment` (never split)."""
        if not rows:
            return Rows({}, own={"moment": np.empty(0, np.int64)})
        late = rows["at"] < self.watermark
        if late.any():
            self.late += int(late.sum())
            rows = rows | {"at": np.maximum(rows["at"], self.watermark)}
        self.watermark = max(self.watermark, watermark)
        held = join(self._held, rows)
        chosen, moments, waiting = self._decide(held, self.watermark - self.within)
        ready = moments < self.watermark - 2 * self.within
        out, keep = np.flatnonzero(ready), np.flatnonzero(~ready)
        self._held = take(held, np.concatenate([chosen[keep], waiting]))
        self._moments = moments[keep]
        moment = moments.take(out)
        if (moment[1:] < moment[:-1]).any():
            out = out[np.argsort(moment, kind="stable")]
            moment = moments.take(out)
        return Rows(held, chosen.take(out), {"moment": moment})

    def flush(self) -> Rows:
        """Return what is still held: nothing more is to come."""
        return self.feed({name: v[:0] for name, v in self._held.items()}, END)

    def _decide(self, held: Columns, until: int) -> tuple[Times, Times, Times]:
        """Choose which rows count, before `until`; those after it are looked at, no more.

        Returns the places of all that were chosen and are not out yet, their moments, and the
        places of those that wait.
        """
        before = len(self._moments)
        waiting = np.arange(before, len(held["at"]))
        order = self._canonical(held, waiting[held["at"][before:] < self.watermark])
        at = held["at"].take(order)
        key, request = _keys(order, *(held[name] for name in _KEYED))
        count = int(np.searchsorted(at, until))
        service = self._foreseen(held, order, key, at)[:count]
        _, new = self._seen.first_met(key[:count], at[:count], ~service)
        moment, _ = self._requests.first_met(request[:count], at[:count], new)
        counted = np.flatnonzero(new)
        chosen = np.concatenate([np.arange(before), order.take(counted)])
        left = np.ones(len(waiting), bool)
        left[order[:count] - before] = False
        return chosen, np.concatenate([self._moments, moment.take(counted)]), waiting[left]

    def _foreseen(self, held: Columns, order: Times, key: NDArray[np.uint64], at: Times) -> Flags:
        """Say which rows are a service's, of an access that a person's row tells soon after."""
        kinds = self.words["actor_kind"].words
        if "service" not in kinds:
            return np.zeros(len(order), bool)
        service = stand_for("service", held["actor_kind"][order], kinds)
        found: Flags = _look_ahead(key, at, service, self.within)
        return found

    def _canonical(self, held: Columns, chosen: Times) -> Times:
        """Order chosen rows by time, then account, then place in the log.

        Only rows that share a time need more than the time.
        """
        at = held["at"].take(chosen)
        if not (at[1:] >= at[:-1]).all():
            order = np.argsort(at, kind="stable") if len(at) < _FEW else order_of_time(at)
            chosen, at = chosen.take(order), at.take(order)
        ranks = [self.words[name].ranks for name in _TIES]
        places = [held[name] for name in (*_TIES, "source_line")]
        tied = np.flatnonzero(_unsettled(chosen, at, *places, *ranks))
        if len(tied):
            chosen[tied] = self._settled(held, chosen[tied])
        return chosen

    def _settled(self, held: Columns, among: Times) -> Times:
        """Order rows, in order of time, that share their times with others."""
        account, file = (self.words[name].ranks[held[name][among]] for name in _TIES)
        gaps = [held[name][among] for name in NUMBERS[2:]]
        places = [held["source_line"][among], file, account, held["at"][among]]
        keys = [_within_line(held, among), *gaps, *places]
        order = np.arange(len(among))
        if not _sort_ties(*keys, order):
            order = np.lexsort(keys)
        return among[order]


def key_numbers(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Fold 16-byte keys into 64 bits; null becomes 0. Keys are uniform, so collisions are rare."""
    parts = []
    for chunk in column.chunks:
        data = np.frombuffer(chunk.buffers()[1] or b"", np.uint64)
        folded = _folded(data[2 * chunk.offset : 2 * (chunk.offset + len(chunk))])
        if chunk.null_count:
            folded[chunk.is_null().to_numpy(zero_copy_only=False)] = 0
        parts.append(folded)
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


@compiled
def _folded(halves: UInt64s) -> UInt64s:
    """Fold pairs of 64-bit halves into one each, none of them `NOBODY`."""
    out = np.empty(halves.size // 2, np.uint64)
    for i in range(out.size):
        out[i] = halves[2 * i] ^ (halves[2 * i + 1] * np.uint64(0x9E3779B97F4A7C15))
        if out[i] == NOBODY:
            out[i] = 1
    return out


@compiled
def _filled(values: Ints | Floats, valid: Bytes, offset: int, unsaid: float) -> Floats:
    """Return the values whose bit says that they are there, `unsaid` for the others."""
    out = np.empty(values.size, np.float64)
    for i in range(values.size):
        out[i] = values[i] if told(valid, i + offset) else unsaid
    return out


def _actions(events: pa.Table) -> NDArray[np.int8]:
    words = Words()
    codes = words.codes(events.column("action"))
    return np.array([*(ACTIONS.index(word) for word in words.words), -1], np.int8)[codes]


def _sessions(events: pa.Table) -> Codes:
    """Return numbers of sessions: they are compared only, and no end of them comes."""
    if "session" not in events.column_names or not events.num_rows:
        return np.broadcast_to(np.int32(-1), events.num_rows)
    return hashed(events.column("session"))


def _lines(events: pa.Table) -> Times:
    if "source_line" not in events.column_names:
        return np.broadcast_to(np.int64(0), events.num_rows)
    return np.asarray(events.column("source_line").to_numpy(), np.int64)


def _numbers(events: pa.Table, name: str) -> NDArray[np.float64]:
    """Return a numeric column; -1 for a count that is not said, NaN for a gap."""
    unsaid = np.nan if name.endswith("gap") else -1.0
    if name not in events.column_names or (
        events.column(name).null_count == events.num_rows and events.num_rows
    ):
        return np.broadcast_to(np.float64(unsaid), events.num_rows)
    parts = [_said(chunk, unsaid) for chunk in events.column(name).chunks]
    return np.concatenate(parts) if parts else np.empty(0)


def _said(chunk: pa.Array, unsaid: float) -> NDArray[np.float64]:
    """Return the numbers of a column, `unsaid` for null."""
    valid, data = chunk.buffers()
    values = np.frombuffer(data or b"", chunk.type.to_pandas_dtype())
    values = values[chunk.offset : chunk.offset + len(chunk)]
    if not chunk.null_count:
        return values.astype(np.float64)
    bits = np.frombuffer(valid, np.uint8)
    found: NDArray[np.float64] = _filled(values, bits, chunk.offset, unsaid)
    return found


def _within_line(rows: Columns, chosen: Times) -> NDArray[np.uint64]:
    """Order the rows of one line: as the reader gave them, so that no key of a pseudonym decides.

    Rows that no line tells apart have their identity only.
    """
    given = rows["row"][chosen].astype(np.uint64)
    return np.where(rows["source_line"][chosen] > 0, given, rows["identity"][chosen])


@numba.njit(cache=True, nogil=True)
def _look_ahead(key, at, service, within):  # type: ignore[no-untyped-def]
    """Whether a person's row of the same access comes within a while after a service's."""
    found = np.zeros(key.size, np.bool_)
    for i in range(key.size):
        if not service[i]:
            continue
        j = i + 1
        while j < key.size and at[j] - at[i] <= within and not found[i]:
            found[i] = key[j] == key[i] and not service[j]
            j += 1
    return found


@compiled
def _keys(
    order: Int64s, access: UInt64s, identity: UInt64s, person: UInt64s, account: Int32s
) -> tuple[UInt64s, UInt64s]:
    """Return the key of each access to a person, and of each request of an account.

    A row that tells no access is one by itself.
    """
    key, request = np.empty((2, order.size), np.uint64)
    for i in range(order.size):
        row = order[i]
        one = access[row] if access[row] != 0 else identity[row]
        key[i] = one ^ (person[row] * _ACCESS)
        request[i] = one ^ ((np.uint64(account[row]) + np.uint64(1)) * _REQUEST)
    return key, request


@kernel
def _sort_ties(
    given: UInt64s, id_gap: Floats, name_gap: Floats, line: Int64s, file: Int32s, account: Int32s,
    at: Int64s, order: Int64s,
) -> bool:  # fmt: skip
    """Sort rows that share their times, as `lexsort` does; give up where they lie far apart."""
    start, moves = 0, _MOVES * at.size
    for i in range(1, at.size):
        if at[i] != at[i - 1]:
            start = i
        row, j = order[i], i
        while j > start and _before(
            row, order[j - 1], given, id_gap, name_gap, line, file, account
        ):
            order[j] = order[j - 1]
            j -= 1
        order[j] = row
        moves -= i - j
        if moves < 0:
            return False
    return True


@inlined
def _before(
    a: int, b: int, given: UInt64s, id_gap: Floats, name_gap: Floats, line: Int64s, file: Int32s,
    account: Int32s,
) -> bool:  # fmt: skip
    """Say whether row `a` comes before row `b`."""
    if account[a] != account[b]:
        return bool(account[a] < account[b])
    if file[a] != file[b]:
        return bool(file[a] < file[b])
    if line[a] != line[b]:
        return bool(line[a] < line[b])
    for gap in (name_gap, id_gap):
        if gap[a] != gap[b] and not (np.isnan(gap[a]) and np.isnan(gap[b])):
            return bool(np.isnan(gap[b]) or gap[a] < gap[b])
    return bool(given[a] < given[b])


@compiled
def _unsettled(
    rows: Int64s, at: Int64s, account: Int32s, file: Int32s, line: Int64s, account_ranks: Int32s,
    file_ranks: Int32s,
) -> Flags:  # fmt: skip
    """Whether each row shares its time with some that are not in order of their places."""
    found = np.zeros(rows.size, np.bool_)
    start = 0
    while start < rows.size:
        stop, settled = start + 1, True
        while stop < rows.size and at[stop] == at[start]:
            a, b = rows[stop - 1], rows[stop]
            if account[a] != account[b]:
                settled &= account_ranks[account[a]] < account_ranks[account[b]]
            elif file[a] != file[b]:
                settled &= file_ranks[file[a]] < file_ranks[file[b]]
            else:
                settled &= line[a] < line[b]
            stop += 1
        if not settled:
            found[start:stop] = True
        start = stop
    return found
