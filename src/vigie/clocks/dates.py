"""Days and times as a letter writes them out, in the time zone of who writes."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from vigie.language import N_, _, current_language
from vigie.report import dates

_CLOCKS: Final = {
    "UTC": N_("UTC"),
    "Europe/Paris": N_("Paris time"),
    "America/Cayenne": N_("French Guiana time"),
    "America/Guadeloupe": N_("Guadeloupe time"),
    "America/Martinique": N_("Martinique time"),
    "America/Miquelon": N_("Saint-Pierre-et-Miquelon time"),
    "Indian/Mayotte": N_("Mayotte time"),
    "Indian/Reunion": N_("Réunion time"),
    "Pacific/Noumea": N_("New Caledonia time"),
    "Pacific/Tahiti": N_("Tahiti time"),
    "Pacific/Wallis": N_("Wallis and Futuna time"),
}
"""The time zones of France, as one says whose time it is; others are named as they are."""


def day_of(moment: datetime, zone: str) -> str:
    """Write the day of a moment out."""
    return dates.day(_as_utc(moment, zone))


def moment_of(moment: datetime, zone: str) -> str:
    """Write a moment out, to the minute, and whose time it is.

    >>> from datetime import UTC
    >>> moment_of(datetime(2026, 3, 2, 8, 5, tzinfo=UTC), "Europe/Paris")
    '2 March 2026 at 09:05 (Paris time)'
    """
    when = _as_utc(moment, zone)
    time = f"{when.hour}\u00a0h\u00a0{when:%M}" if current_language() == "fr" else f"{when:%H:%M}"
    return _("{day} at {time} ({clock})").format(
        day=dates.day(when), time=time, clock=_(_CLOCKS.get(zone, zone))
    )


def _as_utc(moment: datetime, zone: str) -> datetime:
    """Return the wall clock of `zone` as if it were UTC's, which `report.dates` writes."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=ZoneInfo("UTC"))
