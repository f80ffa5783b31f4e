"""Times as options give them, and as results say them."""

from datetime import UTC, datetime

from vigie.errors import UsageError
from vigie.language import N_


def day_of(text: str | None, option: str) -> datetime | None:
    """Read a date given on the command line, as midnight UTC unless it says otherwise."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            N_("{text!r} is not a date"), where=option, remedy=N_("write 2026-03-01"), text=text
        ) from None


def stamp(moment: datetime) -> str:
    """Write a time as UTC ISO 8601."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
