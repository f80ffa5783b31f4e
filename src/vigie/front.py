"""The front: rows from several logs, late and out of order, become one stream in order of time.

Rows are held until the *watermark*, the time before which nothing more is expected. The same
access seen by several logs counts once, a person's row in preference to a service's that comes
at most `within` before it; the rows of one request, at most `within` after its first, share its
moment. The order is canonical (time, account, place in the log): the same rows give the same
stream whatever the batches they came in.
"""

from typing import Any, Final

import numba
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.kernels import Floats, Int32s, Int64s, UInt64s, inlined, kernel
from vigie.numbering import NOBODY, Codes, State, Words, hashed
from vigie.recent import Recent
from vigie.sorting import order_of_time

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
_CROWD: Final = 64
"""Rows of one time that are sorted one by one, at most."""
_TIES: Final = ("account", "source_file", "source_line")
_ACCESS: Final = np.uint64(0xD6E8FEB86659FD93)
_REQUEST: Final = np.uint64(0xA0761D6478BD642F)

Times = NDArray[np.int64]
Rows = dict[str, NDArray[Any]]
"""Columns of rows, all of one length; a column that says the same everywhere has no stride."""


class Reader(State):
    """Turns waist tables into rows, with codes for words that stay the same from table to table.

    Rows without an account are left to `trust`. `row` counts the rows of the tables, in the order
    in which they were fed.
    """

    def __init__(self) -> None:
        named = ("account", "source_file", *(name for name in TEXTS if name != "session"))
        self.words = {name: Words() for name in named}
        self.fed = 0

    def read(self, events: pa.Table) -> Rows:
        """Return the rows of a table that name an account."""
        return named(self.decode(events))

    def decode(self, events: pa.Table) -> Rows:
        """Return all rows of a table."""
        codes = {name: self._text(events, name) for name in self.words}
        rows: Rows = {
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


def named(rows: Rows) -> Rows:
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
        self._waiting: Rows = {}
        self._decided: Rows = {}
        self._seen = Recent(REMEMBERED)
        self._requests = Recent(within)

    def feed(self, rows: Rows, watermark: int) -> Rows:
        """Take rows in, and return those that are complete, by `moment` (never split)."""
        if not rows:
            return {}
        late = rows["at"] < self.watermark
        self.late += int(late.sum())
        if late.any():
            rows = rows | {"at": np.maximum(rows["at"], self.watermark)}
        self._waiting = join(self._waiting, rows)
        self.watermark = max(self.watermark, watermark)
        self._decide(self.watermark - self.within)
        return self._ready(self.watermark - 2 * self.within)

    def flush(self) -> Rows:
        """Return what is still held: nothing more is to come."""
        return self.feed({name: v[:0] for name, v in self._waiting.items()}, END)

    def _decide(self, until: int) -> None:
        """Choose which rows count, before `until`; those after it are looked at, no more."""
        waiting = self._waiting
        known = np.flatnonzero(waiting["at"] < self.watermark)
        order = self._canonical(waiting, known)
        at = waiting["at"][order]
        count = int(np.searchsorted(at, until))
        access = waiting["access"][order]
        access = np.where(access == 0, waiting["identity"][order], access)
        key = access ^ (waiting["person"][order] * _ACCESS)
        foreseen = self._foreseen(waiting, order, key, at)[:count]
        _, new = self._seen.first_met(key[:count], at[:count], ~foreseen)
        request = access ^ ((waiting["account"][order].astype(np.uint64) + np.uint64(1)) * _REQUEST)
        moment, _ = self._requests.first_met(request[:count], at[:count], new)
        chosen = take(waiting, order[:count][new])
        chosen["moment"] = moment[new]
        self._decided = join(self._decided, chosen)
        left = np.ones(len(waiting["at"]), bool)
        left[order[:count]] = False
        self._waiting = take(waiting, np.flatnonzero(left))

    def _foreseen(
        self, waiting: Rows, order: Times, key: NDArray[np.uint64], at: Times
    ) -> NDArray[np.bool_]:
        """Say which rows are a service's, of an access that a person's row tells soon after."""
        kinds = self.words["actor_kind"].words
        if "service" not in kinds:
            return np.zeros(len(order), bool)
        service = waiting["actor_kind"][order] == kinds.index("service")
        found: NDArray[np.bool_] = _look_ahead(key, at, service, self.within)
        return found

    def _ready(self, until: int) -> Rows:
        moment = self._decided["moment"]
        ready = moment < until
        count = int(ready.sum())
        if ready[:count].all():
            rows = {name: values[:count] for name, values in self._decided.items()}
            self._decided = {name: values[count:] for name, values in self._decided.items()}
        else:
            rows = take(self._decided, np.flatnonzero(ready))
            self._decided = take(self._decided, np.flatnonzero(~ready))
        if (np.diff(rows["moment"]) < 0).any():
            rows = take(rows, np.argsort(rows["moment"], kind="stable"))
        return rows

    def _canonical(self, rows: Rows, chosen: Times) -> Times:
        """Order chosen rows by time, then account, then place in the log.

        Only rows that share a time need more than the time.
        """
        at = rows["at"][chosen]
        if not (at[1:] > at[:-1]).all():
            order = np.argsort(at, kind="stable") if len(at) < _FEW else order_of_time(at)
            chosen, at = chosen[order], at[order]
        tied = np.flatnonzero(_unsettled(at, *(rows[name][chosen] for name in _TIES)))
        if len(tied):
            among = chosen[tied]
            ranks = [self._rank(name, rows[name][among]) for name in ("source_file", "account")]
            keys = [rows[name][among] for name in (*NUMBERS[2:], "source_line")]
            keys = [_within_line(rows, among), *keys, *ranks, at[tied]]
            order = np.arange(len(among))
            if not _sort_ties(*(np.ascontiguousarray(key) for key in keys), order):
                order = np.lexsort(keys)
            chosen[tied] = among[order]
        return chosen

    def _rank(self, name: str, codes: Codes) -> Codes:
        """Rank codes by their words: the numbers of words tell in which order they came."""
        words = np.array([*self.words[name].words, ""], object)
        rank = np.empty(len(words), np.int32)
        rank[np.argsort(words)] = np.arange(len(words))
        return rank[codes]


def take(rows: Rows, index: Times) -> Rows:
    """Return some of the rows."""
    if len(index) == len(rows["at"]) and (index == np.arange(len(index))).all():
        return dict(rows)
    return {
        name: np.broadcast_to(values[:1].reshape(()), len(index))
        if _constant(values)
        else values[index]
        for name, values in rows.items()
    }


def join(first: Rows, second: Rows) -> Rows:
    """Return the rows of both, in this order."""
    if not first or not len(first["at"]):
        return second
    if not len(second["at"]):
        return first
    return {name: _joined(first[name], second[name]) for name in first}


def _joined(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    if _constant(first) and _constant(second) and first[0] == second[0]:
        return np.broadcast_to(first[:1].reshape(()), len(first) + len(second))
    return np.concatenate([first, second])


def _constant(values: NDArray[Any]) -> bool:
    return values.strides == (0,) and len(values) > 0


def key_numbers(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Fold 16-byte keys into 64 bits; null becomes 0. Keys are uniform, so collisions are rare."""
    parts = []
    for chunk in column.chunks:
        data = np.frombuffer(chunk.buffers()[1] or b"", np.uint64)
        pairs = data[2 * chunk.offset : 2 * (chunk.offset + len(chunk))].reshape(-1, 2)
        folded = pairs[:, 0] ^ (pairs[:, 1] * np.uint64(0x9E3779B97F4A7C15))
        folded[folded == NOBODY] = 1
        if chunk.null_count:
            folded[chunk.is_null().to_numpy(zero_copy_only=False)] = 0
        parts.append(folded)
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


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
    column = events.column(name).cast(pa.float64())
    return np.asarray(column.fill_null(unsaid).to_numpy())


def _within_line(rows: Rows, chosen: Times) -> NDArray[np.uint64]:
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


@kernel
def _sort_ties(
    given: UInt64s, id_gap: Floats, name_gap: Floats, line: Int64s, file: Int32s, account: Int32s,
    at: Int64s, order: Int64s,
) -> bool:  # fmt: skip
    """Sort rows that share their times, as `lexsort` does; give up where many share one."""
    start, count = 0, at.size
    while start < count:
        stop = start + 1
        while stop < count and at[stop] == at[start]:
            stop += 1
        if stop - start > _CROWD:
            return False
        for i in range(start + 1, stop):
            row, j = order[i], i
            while j > start and _before(
                row, order[j - 1], given, id_gap, name_gap, line, file, account
            ):
                order[j] = order[j - 1]
                j -= 1
            order[j] = row
        start = stop
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


@numba.njit(cache=True, nogil=True)
def _unsettled(at, account, file, line):  # type: ignore[no-untyped-def]
    """Whether each row shares its time with one that is not a later line of its account."""
    found = np.zeros(at.size, np.bool_)
    start = 0
    while start < at.size:
        stop, settled = start + 1, True
        while stop < at.size and at[stop] == at[start]:
            settled &= account[stop] == account[start] and file[stop] == file[start]
            settled &= line[stop] > line[stop - 1]
            stop += 1
        if not settled:
            found[start:stop] = True
        start = stop
    return found
