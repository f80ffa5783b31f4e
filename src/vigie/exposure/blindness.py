"""Where the log is blind within the periods asked about, and what that may hide at most."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from vigie.exposure.asking import first, holds
from vigie.exposure.scope import Scope
from vigie.exposure.selection import FAILED, NOT_EXPOSING

_UNREADABLE: Final = """
WITH unread AS (
    SELECT f.id, f.source, f.label, count(*) AS lines, f.first_at, f.last_at
    FROM quarantine q JOIN files f ON q.file = f.id GROUP BY ALL
)
SELECT source, label, lines, make_timestamp(first_at), make_timestamp(last_at) FROM unread
WHERE first_at IS NULL OR EXISTS (SELECT 1 FROM stretches
    WHERE since <= make_timestamp(last_at) + INTERVAL 1 HOUR
      AND until > make_timestamp(first_at) - INTERVAL 1 HOUR)
ORDER BY ALL
"""

_DAMAGED: Final = """
SELECT source, label, make_timestamp(first_at), make_timestamp(last_at) FROM files
WHERE state = 'received' AND damage IS NOT NULL
  AND EXISTS (SELECT 1 FROM stretches WHERE until > make_timestamp(first_at))
ORDER BY ALL
"""

_WIDEST: Final = """
SELECT coalesce(max(width), 1) FROM (
    SELECT count(DISTINCT patient) AS width FROM events WHERE source = $source
    AND "at" >= $since AND "at" < $until GROUP BY source_file, source_line)
"""

_NAMELESS: Final = f"""
SELECT source, count(*) AS lines, count(DISTINCT patient) AS persons, min("at"), max("at")
FROM events e
WHERE account IS NULL AND patient IS NOT NULL AND action NOT IN {NOT_EXPOSING}
  AND coalesce(outcome NOT IN {FAILED}, true)
  AND EXISTS (SELECT 1 FROM stretches WHERE e."at" >= since AND e."at" < until)
  AND access_id NOT IN (SELECT access_id FROM events
      WHERE account IS NOT NULL AND access_id <> event_id)
  AND NOT EXISTS (SELECT 1 FROM events k WHERE k.event_id = e.access_id AND k.account IS NOT NULL)
GROUP BY source ORDER BY source
"""

_ANY_NAMELESS: Final = """
SELECT 1 FROM segments WHERE kind = 'events' AND state = 'live' AND nulls LIKE '%"account"%' LIMIT 1
"""

_SPEAKING: Final = """
SELECT source, date_trunc('hour', "at") AS hour FROM events
WHERE "at" >= $since AND "at" < $until GROUP BY ALL ORDER BY ALL
"""

_DROPPED: Final = """
WITH gone AS (
    SELECT source, day::DATE::TIMESTAMP AS day, rows FROM tombstones WHERE kind = 'events'
)
SELECT source, min(day), max(day) + INTERVAL 1 DAY, sum(rows)::BIGINT FROM gone
WHERE EXISTS (SELECT 1 FROM stretches WHERE since < day + INTERVAL 1 DAY AND until > day)
GROUP BY source ORDER BY source
"""

RETENTION: Final = "retention"
"""The name of what is blind because the days asked about were dropped when their time was over."""

_ENDS: Final = """
SELECT source, min(min_at), max(max_at) FROM segments
WHERE kind = 'events' AND state = 'live' GROUP BY source ORDER BY source
"""


@dataclass(frozen=True, slots=True)
class Blind:
    """One reason: a kind of `facts.GAPS`, where, when, how many lines, and the most it hides."""

    kind: str
    source: str
    name: str = ""
    since: datetime | None = None
    until: datetime | None = None
    count: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Blindness:
    """All reasons; `most` is how many persons more there may be, None when nothing bounds it."""

    reasons: tuple[Blind, ...]

    @property
    def most(self) -> int | None:
        """Add up what may be hidden."""
        each = [reason.most for reason in self.reasons]
        return None if None in each else sum(more for more in each if more is not None)

    @property
    def dropped(self) -> bool:
        """Whether retention dropped days that were asked about: an earlier answer knew more."""
        return any(reason.name == RETENTION for reason in self.reasons)


def find(connection: Any, scope: Scope, silent_hours: float) -> Blindness:
    """Return why the log does not tell all about these accounts and periods."""
    return Blindness(
        (
            *_unreadable(connection, scope),
            *_damaged(connection),
            *_nameless(connection),
            *_dropped(connection),
            *_silences(connection, scope, silent_hours),
        )
    )


def _unreadable(connection: Any, scope: Scope) -> Iterator[Blind]:
    """Each line that could not be read may be an access of the account to a whole page."""
    rows = connection.execute(_UNREADABLE).fetchall()
    asked = _asked(scope)
    widths: dict[str, int] = {}
    for source, label, lines, begun, ended in rows:
        if source not in widths:
            widths[source] = first(connection, _WIDEST, {"source": source, **asked})[0]
        most = lines * max(widths[source], 1)
        yield Blind("unreadable_lines", source, label, begun, ended, lines, most)


def _damaged(connection: Any) -> Iterator[Blind]:
    for source, label, begun, ended in connection.execute(_DAMAGED).fetchall():
        yield Blind("blind_period", source, label, begun, ended)


def _nameless(connection: Any) -> Iterator[Blind]:
    if not holds(connection, _ANY_NAMELESS):
        return
    for source, lines, persons, begun, ended in connection.execute(_NAMELESS).fetchall():
        yield Blind("blind_period", source, "account", begun, ended, lines, persons)


def _dropped(connection: Any) -> Iterator[Blind]:
    """What is no longer there is not what never was: a tombstone has no upper bound."""
    for source, since, until, rows in connection.execute(_DROPPED).fetchall():
        yield Blind("blind_period", source, RETENTION, since, until, rows)


def _asked(scope: Scope) -> dict[str, datetime]:
    table = scope.table()
    return {"since": min(table["since"].to_pylist()), "until": max(table["until"].to_pylist())}


def _silences(connection: Any, scope: Scope, silent_hours: float) -> Iterator[Blind]:
    """Find sources that say nothing for long while others speak, or before and after their log."""
    longest = timedelta(hours=silent_hours)
    asked = _asked(scope)
    around = {"since": asked["since"] - 2 * longest, "until": asked["until"] + 2 * longest}
    spoke: dict[str, list[datetime]] = {}
    for source, hour in connection.execute(_SPEAKING, around).fetchall():
        spoke.setdefault(source, []).append(hour)
    ends = {
        row[0]: (_moment(row[1]), _moment(row[2])) for row in connection.execute(_ENDS).fetchall()
    }
    for source, (begun, ended) in ends.items():
        others = sorted(hour for name, hours in spoke.items() if name != source for hour in hours)
        edges = [max(begun, around["since"]), *spoke.get(source, []), min(ended, around["until"])]
        for one, two in pairwise(edges):
            if two - one > longest and any(one < hour < two for hour in others):
                yield from _within(source, one, two, asked)
        if asked["since"] < begun - longest:
            yield from _within(source, asked["since"], begun, asked)
        if asked["until"] > ended + longest:
            yield from _within(source, ended, asked["until"], asked)


def _within(
    source: str, since: datetime, until: datetime, asked: dict[str, datetime]
) -> Iterator[Blind]:
    since, until = max(since, asked["since"]), min(until, asked["until"])
    if since < until:
        yield Blind("blind_period", source, "", since, until)


def _moment(at: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(microseconds=at)
