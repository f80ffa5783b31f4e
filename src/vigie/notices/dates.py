"""Days and times as a letter writes them out, in the time zone of who writes."""

from datetime import datetime
from zoneinfo import ZoneInfo

from vigie.language import _
from vigie.report import dates


def day_of(moment: datetime, zone: str) -> str:
    """Write the day of a moment out."""
    return dates.day(_as_utc(moment, zone))


def moment_of(moment: datetime, zone: str) -> str:
    """Write a moment out, to the minute, and name the zone.

    >>> from datetime import UTC
    >>> moment_of(datetime(2026, 3, 2, 8, 5, tzinfo=UTC), "Europe/Paris")
    '2 March 2026, 09:05 (Europe/Paris)'
    """
    said = dates.minute(_as_utc(moment, zone))
    return _("{moment} ({zone})").format(moment=said, zone=zone)


def _as_utc(moment: datetime, zone: str) -> datetime:
    """Return the wall clock of `zone` as if it were UTC's, which `report.dates` writes."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=ZoneInfo("UTC"))
