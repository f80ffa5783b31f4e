"""Care relations: does the table beside the log say why this account meets this patient?

Stays, appointments, prescriptions and care teams explain an access as far as they were known when
it happened: what was entered afterwards counts from its entry. The relation of anybody in an
organisation explains the look-ups of its staff, for secretaries, nurses and laboratories work for
one another; where a row names no organisation it is the unit, the professional or the account.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.kernels import Flags, Int64s, UInt64s, kernel
from vigie.records import OWNERS

CLASSES: Final = ("expected", "near", "past", "none", "unknown")
EXPECTED, NEAR, PAST, NONE, UNKNOWN = range(5)
"""A relation holds now; held or will hold within 30 days; held within 18 months; none; the
source gives no relations for this owner."""

_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
NEARBY: Final = 30 * _DAY
REMEMBERED: Final = 548 * _DAY
_FOREVER: Final = 1 << 61

MARGINS: Final[dict[str, tuple[int, int]]] = {
    "appointment": (_DAY, 2 * _DAY),
    "stay": (_DAY, 3 * _DAY),
    "prescription": (0, _DAY),
    "referral": (0, _DAY),
    "care_team": (0, 0),
}
"""How long before and after its validity a relation still explains an access (µs): the day before
a consultation is prepared, the days after are for results, letters and coding. An assumption."""

_LASTS: Final = {"appointment": _DAY, "prescription": 30 * _DAY, "referral": 30 * _DAY}
"""How long a relation without an end holds; a stay and a care team hold until further notice."""

Times = NDArray[np.int64]
Keys = NDArray[np.uint64]
Marks = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class _Spans:
    """When a pair of owner and patient is in one class: disjoint spans by pair and time."""

    pair: Keys
    start: Times
    end: Times
    first: Times
    """Where the pairs of each leading digits begin: they are uniform, so few share them."""

    @classmethod
    def of(cls, pair: Keys, start: Times, end: Times) -> "_Spans":
        """Sort and join spans, empty ones left out."""
        kept = np.flatnonzero(start < end)
        kept = kept[np.lexsort((start[kept], pair[kept]))]
        pair, start, end = pair[kept], start[kept], end[kept]
        count = _join(pair, start, end)
        bits = max(count - 1, 1).bit_length()
        leading = pair[:count] >> np.uint64(64 - bits)
        first = np.searchsorted(leading, np.arange((1 << bits) + 1, dtype=np.uint64))
        return cls(pair[:count], start[:count], end[:count], first.astype(np.int64))

    def hold(self, pair: Keys, at: Times) -> NDArray[np.bool_]:
        """Say which moments lie in a span of their pair."""
        found = np.zeros(len(pair), np.bool_)
        shift = np.uint64(64 - (len(self.first) - 1).bit_length() + 1)
        _hold(self.pair, self.start, self.end, self.first, shift, pair, at, found)
        return found


@dataclass(frozen=True, slots=True)
class Care:
    """What is known of care relations, ready to be asked by patient, owner and moment.

    `since` holds per owner when its first relation was recorded: before it, nothing was known.
    """

    owners: dict[str, dict[str, int]]
    since: Times
    spans: tuple[_Spans, _Spans, _Spans]

    @classmethod
    def of(cls, table: pa.Table, patient: Keys) -> "Care":
        """Prepare a table of `records.CARE`; `patient` are its patients as 64-bit numbers.

        The numbers only have to be those of the events that will be marked.
        """
        owner, owners = _owners_of(table)
        begin, end, known = _moments(table)
        until = _superseded(table, known)
        before, after = _margins(table)
        pair = _pairs(owner, patient)
        since = np.full(max(sum(map(len, owners.values())), 1), _FOREVER, np.int64)
        np.minimum.at(since, owner[owner >= 0], known[owner >= 0])
        limits = (
            (begin - before, end + after),
            (begin - NEARBY, end + NEARBY),
            (end, end + REMEMBERED),
        )
        spans = [
            _Spans.of(pair, np.maximum(known, first), np.minimum(last, until))
            for first, last in limits
        ]
        return cls(owners, since, (spans[0], spans[1], spans[2]))

    def mark(
        self, patient: Keys, at: Times, **texts: tuple[NDArray[Any], tuple[Any, ...]]
    ) -> Marks:
        """Return the class of each access: a place in CLASSES, -1 where no patient is named (0).

        `texts` are codes and their words for some of OWNERS: where the account worked, and who
        it is. Only what was recorded by `at` counts, so that live and replay agree.
        """
        found = np.full(len(at), UNKNOWN, np.int8)
        for name, (codes, words) in texts.items():
            known = self.owners[name]
            translated = np.array([known.get(word, -1) for word in words] + [-1], np.int64)
            owner = translated[codes]
            rows = np.flatnonzero((owner >= 0) & (patient != 0))
            rows = rows[self.since[owner[rows]] <= at[rows]]
            classes = self._classes(_pairs(owner[rows], patient[rows]), at[rows])
            found[rows] = np.minimum(found[rows], classes)
        found[patient == 0] = -1
        return found

    def _classes(self, pair: Keys, at: Times) -> Marks:
        found = np.full(len(at), NONE, np.int8)
        for code in (PAST, NEAR, EXPECTED):
            found[self.spans[code].hold(pair, at)] = code
        return found


def _owners_of(table: pa.Table) -> tuple[Times, dict[str, dict[str, int]]]:
    """Number each row's owner, -1 for none; return the numbers of the owners' names."""
    owner = np.full(table.num_rows, -1, np.int64)
    numbers: dict[str, dict[str, int]] = {}
    first = 0
    for name in OWNERS:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        encoded = column.combine_chunks().dictionary_encode()
        words = encoded.dictionary.to_pylist()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        owner = np.where((owner < 0) & (codes >= 0), codes + first, owner)
        numbers[name] = {word: first + place for place, word in enumerate(words)}
        first += len(words)
    return owner, numbers


def _moments(table: pa.Table) -> tuple[Times, Times, Times]:
    """Return when each relation begins, ends, and became known (µs)."""
    begin = _micros(table, "valid_from", 0)
    kinds = table.column("kind").to_pylist()
    lasts = np.array([_LASTS.get(kind, _FOREVER) for kind in kinds], np.int64)
    said = table.column("valid_until").is_valid().to_numpy()
    end = np.where(said, _micros(table, "valid_until", 0), np.minimum(begin + lasts, _FOREVER))
    known = _micros(table, "recorded_at", -1)
    return begin, end, np.where(table.column("recorded_at").is_valid().to_numpy(), known, begin)


def _micros(table: pa.Table, name: str, missing: int) -> Times:
    values: Times = table.column(name).cast(pa.int64()).fill_null(missing).to_numpy()
    return values


def _superseded(table: pa.Table, known: Times) -> Times:
    """Return when a later version of the same record replaced each row."""
    until = np.full(table.num_rows, _FOREVER, np.int64)
    record = table.column("record")
    if record.null_count == table.num_rows:
        return until
    encoded = record.combine_chunks().cast(pa.binary(16)).dictionary_encode()
    code = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    order = np.lexsort((known, code))
    same = (code[order][1:] == code[order][:-1]) & (code[order][1:] >= 0)
    until[order[:-1][same]] = known[order[1:][same]]
    return until


def _margins(table: pa.Table) -> tuple[Times, Times]:
    pairs = [MARGINS.get(kind, (0, 0)) for kind in table.column("kind").to_pylist()]
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _pairs(owner: Times, patient: Keys) -> Keys:
    """Mix owner and patient: patients' keys are uniform, so that collisions are rare."""
    mixed: Keys = patient ^ ((owner + 2).astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9))
    return mixed


@kernel
def _join(pair: UInt64s, start: Int64s, end: Int64s) -> int:
    """Join, in place, the spans of a pair that touch; they come by pair and start."""
    count = 0
    for i in range(pair.size):
        if count > 0 and pair[count - 1] == pair[i] and start[i] <= end[count - 1]:
            end[count - 1] = max(end[count - 1], end[i])
        else:
            pair[count], start[count], end[count] = pair[i], start[i], end[i]
            count += 1
    return count


@kernel
def _hold(
    pairs: UInt64s, starts: Int64s, ends: Int64s, first: Int64s, shift: np.uint64, pair: UInt64s,
    at: Int64s, found: Flags,
) -> None:  # fmt: skip
    """Find the last span that begins by each moment; whether it is the pair's and still lasts."""
    for i in range(pair.size):
        leading = pair[i] >> shift
        low, high = first[leading], first[leading + np.uint64(1)]
        while low < high:
            middle = (low + high) // 2
            if pairs[middle] < pair[i] or (pairs[middle] == pair[i] and starts[middle] <= at[i]):
                low = middle + 1
            else:
                high = middle
        found[i] = low > 0 and pairs[low - 1] == pair[i] and at[i] < ends[low - 1]
