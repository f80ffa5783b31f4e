"""Dates as a person writes them, in the current language; all times are UTC."""

from datetime import UTC, datetime
from typing import Final

from vigie.language import N_, _, current_language

NO_BREAK: Final = "\u00a0"
_MONTHS: Final = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"),
    N_("July"), N_("August"), N_("September"), N_("October"), N_("November"), N_("December"),
)  # fmt: skip


def day(moment: datetime) -> str:
    """Return the date alone.

    >>> day(datetime(2026, 3, 1, tzinfo=UTC))
    '1 March 2026'
    """
    when = moment.astimezone(UTC)
    return _("{day} {month} {year}").format(**_fields(when))


def minute(moment: datetime) -> str:
    """Return the date and the time, to the minute."""
    return _at(moment, "%H:%M")


def second(moment: datetime) -> str:
    """Return the date and the time, to the second."""
    return _at(moment, "%H:%M:%S")


def short(moment: datetime) -> str:
    """Return the date without its year, and the time, for the axis of a chart."""
    when = moment.astimezone(UTC)
    return _("{day} {month}, {time}").format(**_fields(when), time=f"{when:%H:%M}")


def _at(moment: datetime, form: str) -> str:
    when = moment.astimezone(UTC)
    said = _("{day} {month} {year}, {time}").format(**_fields(when), time=format(when, form))
    date, time = said.rsplit(" ", 1)  # on a telephone a line ends between them, nowhere else
    return f"{date.replace(' ', NO_BREAK)} {time}"


def _fields(when: datetime) -> dict[str, str]:
    return {
        "day": "1er" if when.day == 1 and current_language() == "fr" else str(when.day),
        "month": _(_MONTHS[when.month - 1]),
        "year": str(when.year),
    }
