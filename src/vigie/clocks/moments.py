"""Moments and durations as people read and write them, in the time zone of a case."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vigie.errors import UsageError
from vigie.language import N_, number, plural

_HOURS_SHOWN: Final = timedelta(hours=100)


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name; raises `UsageError` for one that does not exist."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            N_("there is no time zone {zone!r}"), where="--zone",
            remedy=N_("write its name: Europe/Paris"), zone=name,
        ) from None  # fmt: skip


def read_moment(text: str, zone: str, where: str = "--at") -> datetime:
    """Read a time that a person wrote, in `zone` unless it carries its offset; in UTC.

    Raises `UsageError` for what is no time, and for one that the change of the clocks makes twice
    or not at all.

    >>> read_moment("2025-10-24 18:00", "Europe/Paris").isoformat()
    '2025-10-24T16:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo:
            return moment.astimezone(UTC)
        first = moment.replace(tzinfo=zone_of(zone)).astimezone(UTC)
        again = moment.replace(tzinfo=zone_of(zone), fold=1).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            N_("{text!r} is not a time"), where=where,
            remedy=N_("write 2026-03-01T14:00"), text=text,
        ) from None  # fmt: skip
    if first != again:
        raise UsageError(
            N_("the clocks change then: {text} is twice, or not at all"), where=where,
            remedy=N_("write it with its offset: 2025-10-26T02:30+01:00"), text=text,
        )  # fmt: skip
    return first


def shown(moment: datetime | None, zone: str) -> str:
    """Return a moment as a table shows it, in `zone` and naming it; a dash when there is none.

    >>> shown(datetime(2025, 10, 27, 16, tzinfo=UTC), "Europe/Paris")
    '2025-10-27 17:00 CET'
    """
    return f"{moment.astimezone(zone_of(zone)):%Y-%m-%d %H:%M %Z}" if moment else "–"


def duration(span: timedelta) -> str:
    """Return a length of time: to the minute within four days, in days beyond.

    >>> duration(timedelta(hours=71, minutes=20)), duration(timedelta(days=-12))
    ('71 h 20 min', '12 days')
    """
    span = abs(span)
    if span > _HOURS_SHOWN:
        return plural("{count} day", "{count} days", span.days).format(count=number(span.days))
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
