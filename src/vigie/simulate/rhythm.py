"""When people work: weekdays, French holidays, shifts, leave, and the hours of a day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from vigie.simulate.parameters import Oddities
from vigie.simulate.population import DAY, Flags, Floats, Ints, Population

PARIS = ZoneInfo("Europe/Paris")
HOUR = 3_600_000_000
_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))


def easter(year: int) -> date:
    """Return Easter Sunday (Meeus, Jones and Butcher's rule).

    >>> easter(2026).isoformat()
    '2026-04-05'
    """
    century, rest = divmod(year, 100)
    quarter, left = divmod(century, 4)
    golden = year % 19
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - quarter - correction + 15) % 30
    shift = (32 + 2 * left + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * shift) // 451
    month, day = divmod(epact + shift - 7 * late + 114, 31)
    return date(year, month, day + 1)


def holidays(year: int) -> frozenset[date]:
    """Return the eleven public holidays of metropolitan France (Code du travail, L.3133-1).

    >>> len(holidays(2025)), date(2025, 11, 11) in holidays(2025)
    (11, True)
    """
    sunday = easter(year)
    moving = (sunday + timedelta(days=gap) for gap in (1, 39, 50))
    return frozenset({*moving, *(date(year, month, day) for month, day in _FIXED)})


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a log and how local time becomes UTC on each of its hours."""

    start: int  # µs UTC of the first local midnight
    days: int
    weekday: Ints
    holiday: Flags
    offsets: npt.NDArray[np.int64]  # [2, hours]: µs to subtract, first and second pass

    def utc(self, local: Ints, rng: np.random.Generator) -> Ints:
        """Turn µs since the first local midnight into µs UTC; a repeated hour is drawn."""
        hour = np.clip(local // HOUR, 0, self.offsets.shape[1] - 1)
        fold = (rng.random(len(local)) < 0.5).astype(np.int64)
        turned: Ints = self.start + self.offsets[0, 0] + local - self.offsets[fold, hour]
        return turned


def calendar(first: str, days: int) -> Calendar:
    """Return the calendar of `days` days from `first` (ISO date), Paris time."""
    day = date.fromisoformat(first)
    dates = [day + timedelta(days=number) for number in range(days)]
    midnight = datetime(day.year, day.month, day.day, tzinfo=PARIS)
    naive = datetime(day.year, day.month, day.day)
    hours = [naive + timedelta(hours=number) for number in range(24 * (days + 2))]
    offsets = [
        [_offset(moment.replace(tzinfo=PARIS, fold=fold)) for moment in hours] for fold in (0, 1)
    ]
    return Calendar(
        int(midnight.astimezone(UTC).timestamp()) * 1_000_000,
        days,
        np.array([moment.weekday() for moment in dates]),
        np.array([moment in holidays(moment.year) for moment in dates]),
        np.array(offsets, np.int64),
    )


def _offset(moment: datetime) -> int:
    shift = moment.utcoffset()
    return 0 if shift is None else int(shift.total_seconds()) * 1_000_000


@dataclass(frozen=True, slots=True)
class Roster:
    """Who works when: [account, day]."""

    present: Flags
    start: Floats  # hour of the day
    length: Floats  # hours; a night shift runs past midnight


def roster(rng: np.random.Generator, people: Population, odd: Oddities, days: Calendar) -> Roster:
    """Draw everybody's working days and hours."""
    count = people.size
    shares = np.array([p.days for p in people.professions])[people.profession]
    habit = rng.random((count, 7)) < shares  # the same weekdays off every week
    usual = habit[:, days.weekday]
    lot = rng.random((count, days.days))
    shifts = np.array([p.rota == "shifts" for p in people.professions])[people.profession]
    always = np.array([p.rota == "always" for p in people.professions])[people.profession]
    drawn = lot < shares[:, days.weekday]
    present = np.where(shifts[:, None], drawn, usual & (lot > 0.03) | (lot < 0.004))
    present &= ~(days.holiday & ~shifts[:, None] & (rng.random((count, days.days)) < 0.93))
    present &= ~_leave(rng, count, days.days, odd.leave)
    present |= always[:, None]
    start = people.of("start")[:, None] + 0.7 * rng.standard_normal((count, 1))
    start = start + 0.25 * rng.standard_normal((count, days.days))
    length = people.of("length")[:, None] * np.exp(0.1 * rng.standard_normal((count, days.days)))
    start, length = _shifts(rng, shifts, start, length, days)
    start = np.where(always[:, None], 0.0, np.clip(start, 0.2, 22.5))
    return Roster(present, start, np.where(always[:, None], 24.0, length))


def _leave(rng: np.random.Generator, count: int, days: int, share: float) -> Flags:
    """Some are away for one to two weeks."""
    first = rng.integers(0, days, count)
    weeks = rng.choice([7, 7, 9, 14, 16], count)
    away = rng.random(count) < share
    day = np.arange(days)[None, :]
    gone: Flags = away[:, None] & (day >= first[:, None]) & (day < (first + weeks)[:, None])
    return gone


def _shifts(
    rng: np.random.Generator, shifts: Flags, start: Floats, length: Floats, days: Calendar
) -> tuple[Floats, Floats]:
    """Morning, afternoon and night shifts change by the week; some only work nights."""
    count = len(start)
    weeks = np.arange(days.days) // 7
    drawn = rng.choice(3, (count, int(weeks[-1]) + 1), p=[0.46, 0.36, 0.18])
    drawn[rng.random(count) < 0.08] = 2
    turn = drawn[:, weeks]
    begins = np.choose(turn, [6.6, 13.6, 20.8]) + 0.15 * rng.standard_normal(turn.shape)
    lasts = np.choose(turn, [7.8, 7.8, 10.0])
    on = shifts[:, None]
    return np.where(on, begins, start), np.where(on, lasts, length)


def moments(rng: np.random.Generator, day: Ints, start: Floats, length: Floats) -> Ints:
    """Draw a moment of each working day, in µs since the first local midnight, fewer at noon."""
    share = rng.random(len(day))
    noon = (share > 0.40) & (share < 0.53) & (rng.random(len(day)) < 0.7) & (length < 23)
    share = np.where(noon, rng.random(len(day)), share)
    drawn: Ints = day * DAY + ((start + length * share) * HOUR).astype(np.int64)
    return drawn
