"""A thief who comes at hours at which the account never worked, told from its owner.

What came at such hours, with the stretch of work that it belongs to, is another person's when it is
unlike the account's past. That alone does not make the rest the owner's: a thief may work by day as
well. So it is asked how much of his work the owner's hours can hold at most: by the evidence, by
how strange the persons are, by the volume. Only when that is shown to be little is the rest left to
the owner. A thief who sits among the owner's own work cannot be excluded by any log; he is by the
three standard errors asked for here, if he does more than half of his work there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.exposure.habits import Flags, Floats, Habit, Places
from vigie.exposure.selection import HELD

Strangers = Callable[[], tuple[pa.Table, pa.Table]]
"""How strange those were whom the account met: before, by day, and in each entry of the period."""

_DAYS: Final = 10
"""Days with work that an account's past must have, for its hours to be known."""
_WEEKS: Final = 3
"""Times that a weekday was seen, from which it may be one without work."""
_NEVER: Final = 0.01
"""Share of the past below which the account did not work at an hour, one hour either side, or on a
weekday."""
_SELDOM: Final = 0.04
"""The same, below which nobody can say whose the work is once a thief came at hours beside them."""
_PAUSE: Final = np.timedelta64(60, "m")
"""A rest that ends a stretch of work."""
_UNLIKE: Final = 3.0
"""Standard errors above the past from which the work at such hours is unlike the owner's."""
_ERRORS: Final = 3.0
"""Standard errors that are added to what the owner's hours may hold of the thief's work."""
_QUIET: Final = 3.0
"""Standard errors above the past up to which the owner's hours may be, by any gauge."""
_BEYOND: Final = 3.0
"""Natural log by which one look-up is beyond all of the past: an export of thousands of persons."""
_STILL: Final = 2.0
"""Standard errors up to which the owner's hours must then be: one look-up is all that is known."""
_LITTLE: Final = 1.0
"""How much of the thief's work the owner's hours may hold at most, as a multiple of what came at
other hours. Who works at all hours does four times as much by day as in the evening."""
_DIFFERENT: Final = 0.3
"""Days of one account differ by at least this share of their mean."""
_MET: Final = 30
"""Persons met before, from which it is known how strange they are."""


class Late(NamedTuple):
    """Entries of the period: at hours never worked, in the same stretch, at hours seldom worked."""

    never: Flags
    stretch: Flags
    seldom: Flags


@dataclass(frozen=True, slots=True)
class _Measure:
    """What one look-up is worth in the account's past: mean, spread (days differ), look-ups."""

    mean: float
    spread: float
    count: float

    @classmethod
    def of(cls, count: Floats, total: Floats, squares: Floats) -> "_Measure":
        """Measure the past, given day by day."""
        looks = max(float(count.sum()), 1.0)
        mean = float(total.sum()) / looks
        variance = max(float(squares.sum()) / looks - mean**2, 0.02)
        worked = count > 0
        apart = (total[worked] - mean * count[worked]) ** 2 / (variance * count[worked])
        more = max(float(apart.mean()), 1.0) if worked.any() else 1.0
        return cls(mean, float(np.sqrt(variance * more)), looks)

    def height(self, count: float, total: float) -> float:
        """Return by how many standard errors some look-ups are above the past."""
        if not count:
            return 0.0
        return (total - count * self.mean) / (self.spread * self._root(count))

    def most(self, late: tuple[float, float], rest: tuple[float, float]) -> float:
        """Return at most how much of the work at other hours the rest may hold as well."""
        excess = late[1] - late[0] * self.mean
        if self.height(*late) < _UNLIKE:
            return np.inf
        held = max(rest[1] - rest[0] * self.mean, 0.0)
        return (held + _ERRORS * self.spread * self._root(rest[0])) / excess

    def _root(self, count: float) -> float:
        return float(np.sqrt(count * (1 + count / self.count)))


class Gauges(NamedTuple):
    """What says whose one part of the period is, and whether the rest can hold as much of it.

    `unlike`: the part is unlike the account's past by one gauge at least, or `beyond` all of it by
    one look-up; `evidence`, `strangers`, `volume`: standard errors by which the rest is above the
    past; `most`: how much of the part's work the rest may hold at most, by the best gauge.
    """

    unlike: bool
    beyond: bool
    evidence: float
    strangers: float
    volume: float
    most: float

    @property
    def kept_to(self) -> bool:
        """Whether the thief kept to that part: the rest can hold little of his work."""
        height = max(self.evidence, self.strangers, self.volume)
        return (height < _STILL and self.beyond) or (height < _QUIET and self.most < _LITTLE)

    def quiet(self, before: bool) -> bool:
        """Whether the rest looks like the owner's by whom it met and how many.

        An owner may be busier than ever when whom he meets excludes that it was the thief; of
        how many he met, days after a long theft are no measure, only those `before`.
        """
        busy = before and self.volume >= _QUIET and self.most >= _LITTLE
        return self.strangers < _QUIET and not busy


def tell_by_hour(habit: Habit, places: Places, strangers: Strangers) -> tuple[Late, bool] | None:
    """Return what came at other hours than the owner's, and whether all the rest is the owner's.

    None when the account's hours are not known, when what came then is not unlike the owner, and
    of an account with millions of accesses: that is a machine, or everybody.
    """
    late = find_late(habit, places)
    found = measure(habit, places, late.stretch, strangers) if late.never.any() else None
    if found is None or not (found.unlike or found.beyond):
        return None
    return late, found.kept_to


def measure(habit: Habit, places: Places, part: Flags, strangers: Strangers) -> Gauges | None:
    """Return what the gauges say of `part` and of the rest; None of millions of accesses."""
    looks = _numbers(habit.past, "accesses").sum() + places.numbers("accesses").sum()
    if looks > HELD:
        return None
    met_before, met = strangers()
    most, volume = _volume(habit, places, part)
    unlike, heights, found = np.isfinite(most), [], [most]
    for gauge, count, total in (
        (_evidence(habit), places.numbers("units"), places.numbers("total")),
        (_strangeness(met_before), _numbers(met, "strangers"), _numbers(met, "strange")),
    ):
        parts = [(float(count[one].sum()), float(total[one].sum())) for one in (part, ~part)]
        heights.append(gauge.height(*parts[1]) if gauge else 0.0)
        if gauge:
            unlike |= gauge.height(*parts[0]) >= _UNLIKE
            found.append(gauge.most(*parts))
    beyond = _beyond(habit, places, part)
    return Gauges(bool(unlike), beyond, heights[0], heights[1], volume, min(found))


def find_late(habit: Habit, places: Places) -> Late:
    """Return what came at hours never or seldom worked: nothing, when they are not known."""
    if not habit.before or habit.days < _DAYS:
        return Late(*[np.zeros(places.table.num_rows, bool)] * 3)
    hour, day = (places.numbers(name).astype(np.int64) for name in ("hour", "day"))
    hours, weekdays = _shares(habit)
    never = (hours[hour] < _NEVER) | (weekdays[_weekday(day)] < _NEVER)
    seldom = (hours[hour] < _SELDOM) | (weekdays[_weekday(day)] < _SELDOM)
    return Late(never, _stretches(places, never), seldom)


def _shares(habit: Habit) -> tuple[Floats, Floats]:
    """Return the share of past work about each hour, and on each weekday seen often enough."""
    past = habit.past
    day = past.column("day").to_numpy().astype(np.int64)
    hour = past.column("hour").to_numpy().astype(np.int64)
    accesses = past.column("accesses").to_numpy().astype(np.float64)
    whole = max(float(accesses.sum()), 1.0)
    hours = np.bincount(hour, accesses, 24)
    around = hours + np.roll(hours, 1) + np.roll(hours, -1)
    seen = np.bincount(_weekday(np.arange(day.min(), day.max() + 1)), minlength=7)
    share = np.bincount(_weekday(day), accesses, 7) / whole
    return around / whole, np.where(seen >= _WEEKS, share, 1.0)


def _weekday(day: NDArray[np.int64]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = (day + 3) % 7
    return found


def _stretches(places: Places, never: Flags) -> Flags:
    """Return what is in one stretch of work, or in one session, with what came at such hours."""
    begins, ends = (places.table.column(name).to_numpy() for name in ("first_at", "last_at"))
    order = np.argsort(begins, kind="stable")
    until = np.maximum.accumulate(ends[order])
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(np.r_[True, begins[order][1:] > until[:-1] + _PAUSE])
    found: Flags = np.isin(number, number[never]) | places.in_session_of(never)
    return found


def _beyond(habit: Habit, places: Places, late: Flags) -> bool:
    """Whether one look-up at such hours is beyond all of the past, and none of the owner's is."""
    past, peaks = _peak(_numbers(habit.past, "peak")), places.numbers("peak")
    return _peak(peaks[late]) > past + _BEYOND and _peak(peaks[~late]) <= past


def _peak(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else -np.inf


def _evidence(habit: Habit) -> _Measure:
    past, day = habit.past, habit.past.column("day").to_numpy()
    _days, place = np.unique(day, return_inverse=True)
    columns = [
        np.bincount(place, _numbers(past, name)).astype(np.float64)
        for name in ("units", "total", "squares")
    ]
    return _Measure.of(*columns)


def _strangeness(met_before: pa.Table) -> _Measure | None:
    names = ("strangers", "strange", "strange_squares")
    columns = [_numbers(met_before, name) for name in names]
    return _Measure.of(*columns) if columns[0].sum() >= _MET else None


def _volume(habit: Habit, places: Places, late: Flags) -> tuple[float, float]:
    """Return the same by the number of accesses, and the height of the rest.

    Only those count that are beyond a usual day's each: an owner who works at night instead of by
    day makes no more of them.
    """
    past, accesses, day = habit.past, places.numbers("accesses"), places.numbers("day")
    _days, place = np.unique(past.column("day").to_numpy(), return_inverse=True)
    daily = np.bincount(place, _numbers(past, "accesses"))
    mean = float(daily.mean())
    spread = max(float(daily.std()), _DIFFERENT * mean, 1.0)
    days = [len(np.unique(day[part])) for part in (late, ~late)]
    above, held = (
        float(accesses[part].sum()) - mean * count
        for part, count in zip((late, ~late), days, strict=True)
    )
    error = spread * float(np.sqrt(days[1] * (1 + days[1] / len(daily))))
    height = held / error if error else 0.0
    if above < _UNLIKE * spread * np.sqrt(days[0]):
        return np.inf, height
    return (max(held, 0.0) + _ERRORS * error) / above, height


def _numbers(table: pa.Table, name: str) -> Floats:
    found: Floats = table.column(name).to_numpy().astype(np.float64)
    return found
