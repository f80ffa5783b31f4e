"""Units of evidence: the first opening of a patient by an account in 24 hours.

Requests are counted by whoever wants to be counted; persons exposed are not. So a unit is one
more person, a search page is one step of evidence about many persons, and the same access seen by
several logs counts once. The order is canonical (account, time, event): the same events give the
same units whatever the order or the batches they came in.
"""

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import ACTIONS

Codes = NDArray[np.int32]
Times = NDArray[np.int64]
Flags = NDArray[np.bool_]

DAY: Final = 86_400_000_000
"""One day in microseconds, the unit of every time here."""

TEXTS: Final = (
    "organisation", "unit", "network", "device", "session", "area",
    "actor_kind", "profession", "specialty", "role",
)  # fmt: skip
NUMBERS: Final = ("record_count", "bytes", "id_gap", "name_gap")
REQUIRED: Final = ("event_id", "access_id", "at", "account", "action", "patient")
COLUMNS: Final = (*REQUIRED, *TEXTS, *NUMBERS)
"""The waist columns that detection looks at; of these only REQUIRED must be there."""

_PAGES: Final = tuple(ACTIONS.index(name) for name in ("search", "list"))


@dataclass(frozen=True, slots=True)
class Units:
    """One entry per unit, ordered by account, then time; codes point into sorted words.

    A listing (search, page of several) and the opening that follows are two units of one patient.
    `row` is the row of the events table; `step` numbers the requests (a page is one step); `page`
    is the number of rows of a listing, 0 for an opening; `familiar` says that the page shows a
    patient of the last 24 hours; `source` is the step that listed an opened patient in the hour
    before, or -1; `since` is the time since the account's last access to this patient, less the
    listing that led here (µs, -1 for none); `active` holds the account and day of every day with
    an access.
    """

    row: Times
    account: Codes
    at: Times
    day: Codes
    step: Codes
    page: Codes
    familiar: Flags
    source: Codes
    patient: Codes
    since: Times
    action: NDArray[np.int8]
    text: dict[str, Codes]
    number: dict[str, NDArray[Any]]
    accounts: tuple[str, ...]
    words: dict[str, tuple[str | None, ...]]
    patients: int
    active: tuple[Codes, Codes]
    first_day: int

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.row)

    @property
    def bounds(self) -> Times:
        """Return where each account's units start; one more entry than there are accounts."""
        return np.searchsorted(self.account, np.arange(len(self.accounts) + 1)).astype(np.int64)


def text_codes(column: pa.ChunkedArray) -> tuple[Codes, tuple[str, ...]]:
    """Return the column as codes into its sorted words (-1 for null), whatever its encoding.

    >>> text_codes(pa.chunked_array([["b", None, "a"]]))
    (array([ 1, -1,  0], dtype=int32), ('a', 'b'))
    """
    encoded = (
        column.unify_dictionaries()
        if pa.types.is_dictionary(column.type)
        else column.dictionary_encode()
    ).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], encoded.type)
    words = encoded.dictionary
    order = pc.sort_indices(words).to_numpy()
    rank = np.empty(len(words) + 1, np.int32)
    rank[order] = np.arange(len(words))
    rank[len(words)] = -1
    indices = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    return rank[indices], tuple(words.take(pa.array(order)).to_pylist())


def key_numbers(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Fold 16-byte keys into 64 bits; null becomes 0. Keys are uniform, so collisions are rare."""
    parts = []
    for chunk in column.chunks:
        data = np.frombuffer(chunk.buffers()[1] or b"", np.uint64)
        pairs = data[2 * chunk.offset : 2 * (chunk.offset + len(chunk))].reshape(-1, 2)
        folded = pairs[:, 0] ^ (pairs[:, 1] * np.uint64(0x9E3779B97F4A7C15))
        folded[chunk.is_null().to_numpy(zero_copy_only=False)] = 0
        parts.append(folded)
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def dense(keys: NDArray[Any]) -> tuple[Codes, int]:
    """Number the distinct keys from 0 in sorted order; return the numbers and how many."""
    distinct, codes = np.unique(keys, return_inverse=True)
    return codes.astype(np.int32), len(distinct)


def find_units(events: pa.Table) -> Units:
    """Turn waist rows into units; rows without an account are left to `trust`."""
    rows = np.flatnonzero(events.column("account").is_valid().to_numpy())
    at = events.column("at").cast(pa.int64()).to_numpy()[rows]
    account, accounts = text_codes(events.column("account"))
    identity = key_numbers(events.column("event_id"))[rows]
    rows = rows[_canonical(at, (identity, *_places(events, rows)))]
    access = key_numbers(events.column("access_id"))[rows]
    person = key_numbers(events.column("patient"))[rows]
    rows = rows[_counted_once(events, rows, access, person)]
    rows = rows[np.argsort(account[rows], kind="stable")]
    return _units_of(events, rows, account[rows], accounts)


def _places(events: pa.Table, rows: Times) -> tuple[NDArray[Any], ...]:
    """Return what orders the rows of one moment and outlives a rotation of the key, last first."""
    gaps = [_numbers(events, name, rows) for name in ("id_gap", "name_gap")]
    if "source_line" not in events.column_names:
        return tuple(gaps)
    file, _ = text_codes(events.column("source_file"))
    return (*gaps, events.column("source_line").to_numpy()[rows], file[rows])


def _canonical(at: Times, keys: tuple[NDArray[Any], ...]) -> Times:
    """Order by time, then by `keys`, the last first: only rows that share a time need them."""
    order = np.argsort(at, kind="stable")
    same = at[order][1:] == at[order][:-1]
    tied = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    among = order[tied]
    order[tied] = among[np.lexsort((*(key[among] for key in keys), at[among]))]
    return order


def _counted_once(
    events: pa.Table, rows: Times, access: NDArray[np.uint64], person: NDArray[np.uint64]
) -> Times:
    """Keep one row per access and patient, a person's in preference to a service's."""
    key = access ^ (person * np.uint64(0xD6E8FEB86659FD93))
    service = np.zeros(len(rows), bool)
    if "actor_kind" in events.column_names:
        kinds, words = text_codes(events.column("actor_kind"))
        if "service" in words:
            service = kinds[rows] == words.index("service")
    preferred = np.argsort(service, kind="stable")
    _, first = np.unique(key[preferred], return_index=True)
    return np.sort(preferred[first])


def _units_of(events: pa.Table, rows: Times, account: Codes, names: tuple[str, ...]) -> Units:
    at = events.column("at").cast(pa.int64()).to_numpy()[rows]
    person = key_numbers(events.column("patient"))[rows]
    known, patients = dense(person[person != 0])
    patient = np.full(len(rows), -1, np.int32)
    patient[person != 0] = known
    action = _actions(events)[rows]
    access = key_numbers(events.column("access_id"))[rows]
    number = {name: _numbers(events, name, rows) for name in NUMBERS}
    pair, pairs = dense(account.astype(np.int64) * (patients + 1) + patient)
    pair[patient < 0] = -1
    counted = (number["record_count"] >= 0) | (number["bytes"] >= 0)
    step, size = _steps(account, at, access, action)
    listing = (action == ACTIONS.index("search")) | (size > 1)
    is_unit, since, source = _mark_units(pair, pairs, at, step, listing, counted)
    day = (at // DAY).astype(np.int32)
    seen = np.zeros(int(step[-1]) + 1 if len(step) else 0, bool)
    seen[step[(since >= 0) & (since < DAY)]] = True
    chosen = np.flatnonzero(is_unit)
    text, words = {}, {}
    for name in TEXTS:
        codes, words[name] = _text(events, name)
        text[name] = codes[rows[chosen]]
    return Units(
        row=rows[chosen], account=account[chosen], at=at[chosen], day=day[chosen],
        step=step[chosen], page=np.where(listing, size, 0)[chosen].astype(np.int32),
        familiar=seen[step[chosen]], source=source[chosen], patient=patient[chosen],
        since=since[chosen], action=action[chosen], text=text,
        number={name: values[chosen] for name, values in number.items()},
        accounts=names, words=words, patients=patients,
        active=_account_days(account, day), first_day=int(day.min()) if len(day) else 0,
    )  # fmt: skip


def _actions(events: pa.Table) -> NDArray[np.int8]:
    codes, words = text_codes(events.column("action"))
    numbers = np.array([ACTIONS.index(word) for word in words] + [-1], np.int8)
    return numbers[codes]


def _text(events: pa.Table, name: str) -> tuple[Codes, tuple[str | None, ...]]:
    if name not in events.column_names:
        return np.full(events.num_rows, -1, np.int32), ()
    return text_codes(events.column(name))


def _numbers(events: pa.Table, name: str, rows: Times) -> NDArray[Any]:
    """Return a numeric column; -1 for a count that is not said, NaN for a gap."""
    if name not in events.column_names:
        return np.full(len(rows), np.nan if name.endswith("gap") else -1.0)
    column = events.column(name).cast(pa.float64())
    filled = column.fill_null(np.nan if name.endswith("gap") else -1.0)
    return np.asarray(filled.to_numpy()[rows])


def _steps(
    account: Codes, at: Times, access: NDArray[np.uint64], action: NDArray[np.int8]
) -> tuple[Codes, Codes]:
    """Number the requests (rows of one access, or list rows of one account at one time).

    Returns each row's number and how many rows its request has.
    """
    pages = np.isin(action, _PAGES)
    same_page = (at[1:] == at[:-1]) & pages[1:] & pages[:-1]
    same = (account[1:] == account[:-1]) & ((access[1:] == access[:-1]) | same_page)
    step = np.cumsum(np.concatenate([[0], ~same])[: len(at)]).astype(np.int32)
    return step, np.bincount(step)[step].astype(np.int32)


def _account_days(account: Codes, day: Codes) -> tuple[Codes, Codes]:
    new = np.ones(len(day), bool)
    new[1:] = (account[1:] != account[:-1]) | (day[1:] != day[:-1])
    return account[new], day[new]


@numba.njit(cache=True, nogil=True)
def _mark_units(pair, pairs, at, step, listing, counted):  # type: ignore[no-untyped-def]
    count = pair.size
    day, hour, never = 86_400_000_000, 3_600_000_000, -(10**18)
    is_unit = np.zeros(count, np.bool_)
    since = np.full(count, -1, np.int64)
    source = np.full(count, -1, np.int32)
    opened = np.full(pairs + 1, never, np.int64)
    listed = np.full(pairs + 1, never, np.int64)
    listed_by = np.full(pairs + 1, -1, np.int32)
    for i in range(count):
        k, now = pair[i], at[i]
        if k < 0:
            is_unit[i] = counted[i]
            continue
        last = max(opened[k], listed[k])
        if listing[i]:
            is_unit[i] = now - last >= day
            since[i] = now - last if last > never else -1
            listed[k], listed_by[k] = now, step[i]
            continue
        before = last if now - listed[k] >= hour else opened[k]
        since[i] = now - before if before > never else -1
        if now - opened[k] >= day:
            is_unit[i] = True
            source[i] = listed_by[k] if now - listed[k] < hour else -1
            opened[k] = now
    return is_unit, since, source
