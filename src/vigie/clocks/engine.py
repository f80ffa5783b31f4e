"""From the moments of a case to what is due: elapsed time, in UTC.

Hours are counted as they pass, so a night on which the clocks change is as long as it is: aware on
Friday 24 October 2025 at 18:00 in Paris, 72 hours end on Monday at 17:00.

>>> from datetime import UTC, datetime
>>> from zoneinfo import ZoneInfo
>>> from vigie.clocks.rules import load_rules
>>> paris = ZoneInfo("Europe/Paris")
>>> aware = datetime(2025, 10, 24, 18, tzinfo=paris).astimezone(UTC)
>>> state = read_clocks(Moments("controller", {"awareness": aware}), load_rules(), aware)[0]
>>> state.due.astimezone(paris).isoformat()
'2025-10-27T17:00:00+01:00'
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from vigie.clocks.model import ClockState, Moments, Progress
from vigie.clocks.rules import Rule
from vigie.clocks.weekend import extended


def read_clocks(moments: Moments, rules: Iterable[Rule], now: datetime) -> list[ClockState]:
    """Return the clocks of a case at `now`: those that bind first, by their end.

    A rule counts when it holds on the day on which it starts. One that is not in force is told
    as such: it binds nobody.
    """
    zone = ZoneInfo(moments.zone)
    states = []
    for rule in rules:
        start, provisional = _start(rule, moments)
        day = (start or now).astimezone(zone).date()
        if moments.role in rule.roles and rule.holds_on(day):
            states.append(_state(rule, moments, start, provisional, now))
    return sorted(states, key=lambda s: (not s.binding, s.due is None, s.due or now))


def _start(rule: Rule, moments: Moments) -> tuple[datetime | None, bool]:
    """Return what the clock starts from, and whether that is only the earliest it could be."""
    decided = moments.at.get(rule.start)
    if decided:
        return decided, False
    known = [moments.at[kind] for kind in rule.earliest if kind in moments.at]
    return min(known, default=None), True


def _state(
    rule: Rule, moments: Moments, start: datetime | None, provisional: bool, now: datetime
) -> ClockState:
    due, done_at = _due(rule, start), moments.at.get(rule.done)
    waived = rule.waived_by in moments.at
    return ClockState(
        clock=rule.id,
        name=rule.name,
        article=rule.article,
        recipient=rule.recipient,
        # What was repealed since was law on the day from which it ran.
        status="in_force" if rule.status == "repealed" else rule.status,
        progress=_progress(start, due, done_at, waived, now),
        start_kind=rule.start,
        start=start,
        provisional=provisional and start is not None,
        due=due,
        done=rule.done,
        done_at=done_at,
        source=rule.source,
        mark=rule.mark,
        valid_from=rule.valid_from.isoformat() if rule.valid_from else "",
        valid_until=rule.valid_until.isoformat() if rule.valid_until else None,
        note=rule.note,
        weekend_due=extended(start, due, moments.zone) if rule.weekend and start and due else None,
    )


def _due(rule: Rule, start: datetime | None) -> datetime | None:
    if start and rule.hours:
        return start + timedelta(hours=rule.hours)
    if start and rule.months:
        return _months_later(start, rule.months)
    return None


def _months_later(at: datetime, months: int) -> datetime:
    """Return the same day of a later month, or the last of it when it is shorter."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    day = min(at.day, monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)


def _progress(
    start: datetime | None,
    due: datetime | None,
    done_at: datetime | None,
    waived: bool,
    now: datetime,
) -> Progress:
    if done_at:
        return Progress.LATE if due and done_at > due else Progress.MET
    if waived:
        return Progress.WAIVED
    if start is None:
        return Progress.WAITING
    if due is None:
        return Progress.OPEN
    return Progress.OVERDUE if now > due else Progress.RUNNING
