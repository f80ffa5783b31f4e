"""What the contested extension over weekends and public holidays would give: for information.

Regulation 1182/71, art. 3(4), moves an end that falls on a holiday, Saturday or Sunday to the last
hour of the next working day, for periods "expressed otherwise than in hours"; art. 3(5) wants two
working days in any period of two days or more. Whether either helps with 72 hours is disputed, so
the strict end is the one that counts.

Sources: French public holidays, Code du travail, art. L.3133-1; article 3(4) as Union acts quote it
(http://wordscope.be/anglais/francais/ended+last+june.html); the wording of 3(5) was not verified.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.easter import easter

_FIXED: Final = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_AFTER_EASTER: Final = (1, 39, 50)
_DAY: Final = timedelta(days=1)


def extended(start: datetime, due: datetime, zone: str) -> datetime | None:
    """Return the later end that the extension would give, or None when it changes nothing.

    >>> friday = datetime(2025, 10, 24, 16, tzinfo=UTC)
    >>> extended(friday, friday + timedelta(hours=72), "Europe/Paris").isoformat()
    '2025-10-28T23:00:00+00:00'
    """
    local = ZoneInfo(zone)
    first, last = start.astimezone(local).date(), due.astimezone(local).date()
    end = last
    while not is_working(end) or _working_days(first, end) < 2:
        end += _DAY
    if end == last:
        return None
    return datetime.combine(end + _DAY, time(), local).astimezone(UTC)


def _working_days(first: date, last: date) -> int:
    """Count the working days after `first`, up to and with `last`."""
    days = (first + n * _DAY for n in range(1, (last - first).days + 1))
    return sum(map(is_working, days))


def is_working(day: date) -> bool:
    """Whether people work in France on `day`: neither weekend nor public holiday.

    >>> is_working(date(2025, 10, 24)), is_working(date(2026, 4, 6))
    (True, False)
    """
    moving = {easter(day.year) + n * _DAY for n in _AFTER_EASTER}
    return day.weekday() < 5 and (day.month, day.day) not in _FIXED and day not in moving
