"""Clocks as iCalendar, so that an end that is due stands in the calendars of those who act.

Source: RFC 5545; times in UTC, one event per end, reminders 24 and 2 hours before. Duties without
a fixed end are not events, and what is not in force is not put into anybody's calendar.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from icalendar import Alarm, Calendar, Event

from vigie.clocks.model import ClockState, Progress
from vigie.clocks.words import cited
from vigie.language import _, current_language, plural

PRODUCT: Final = "-//Vigie//clocks//"
REMINDERS: Final = (24, 2)
_QUARTER: Final = timedelta(minutes=15)


def to_calendar(case: str, states: Iterable[ClockState], now: datetime) -> bytes:
    """Return the ends of the binding clocks of `case` as a calendar; it names nobody."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT + current_language().upper())
    calendar.add("version", "2.0")
    for state in states:
        if state.due and state.binding and state.progress != Progress.WAIVED:
            calendar.add_component(_event(case, state, state.due, now))
    return bytes(calendar.to_ical())


def _event(case: str, state: ClockState, due: datetime, now: datetime) -> Event:
    language = current_language()
    name = state.name[language]
    title = _("{name} ({case}, provisional)") if state.provisional else _("{name} ({case})")
    done = state.done_at is not None
    event = Event()
    event.add("uid", f"{re.sub('[^a-z0-9-]', '-', case)}-{state.clock}@vigie")
    event.add("dtstamp", now)
    event.add("summary", title.format(name=name, case=case))
    event.add("description", f"{cited(state.article)}, {state.recipient}. {state.note[language]}")
    event.add("dtstart", due - _QUARTER)
    event.add("dtend", due)
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT" if done else "OPAQUE")
    event.add("url", state.source)
    for hours in () if done else REMINDERS:
        event.add_component(_reminder(name, hours))
    return event


def _reminder(name: str, hours: int) -> Alarm:
    text = plural("{name}: due in {count} hour", "{name}: due in {count} hours", hours)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", text.format(name=name, count=hours))
    alarm.add("trigger", -timedelta(hours=hours), parameters={"RELATED": "END"})
    return alarm
