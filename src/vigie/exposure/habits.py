"""What an account did before, and what it does in the period asked about, by place and hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.exposure.asking import first
from vigie.exposure.selection import FAILED, HELD, NOT_EXPOSING

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LOOK_BACK: Final = timedelta(days=90)
"""The account's past that says what is usual; the CNIL lets logs be kept for longer."""
LOOK_AFTER: Final = timedelta(days=60)
"""What it did afterwards, where the log begins too late to know its past."""
REGULAR: Final = 3
"""Days on which a network was used before it is the owner's: mobile addresses come by chance."""
_COLLEAGUES: Final = 2
"""Others who came regularly from a network before the period: then it is the organisation's."""
AT_ONCE: Final = timedelta(minutes=30)
"""Two accesses no further apart are of one sitting: from two places, they are of two people."""

_ROWS: Final = f"""
SELECT e.event_id, e.access_id, e."at", e.session, e.network, e.device, e.user_agent FROM events e
WHERE e.account = $account AND e."at" >= $first AND e."at" < $last
  AND e.action NOT IN {NOT_EXPOSING} AND (coalesce(e.outcome NOT IN {FAILED}, true)
    OR (e."at" >= $since AND e."at" < $until))
"""
_WORKED: Final = f"""
CREATE OR REPLACE TEMP TABLE worked AS
SELECT *, row_number() OVER () AS place, coalesce(device, CASE WHEN session IS NOT NULL
    THEN max(device) OVER (PARTITION BY session) END) AS named
FROM (SELECT DISTINCT session, network, device, user_agent FROM ({_ROWS}))
"""
_SEEN: Final = f"""
CREATE OR REPLACE TEMP TABLE seen AS
SELECT e.access_id, e."at", w.place, v.ratio, e.access_id <> e.event_id AS several,
    e."at" >= $since AND e."at" < $until AS within
FROM ({_ROWS}) e JOIN worked w ON e.session IS NOT DISTINCT FROM w.session
  AND e.network IS NOT DISTINCT FROM w.network AND e.device IS NOT DISTINCT FROM w.device
  AND e.user_agent IS NOT DISTINCT FROM w.user_agent
LEFT JOIN evidence v USING (event_id)
"""
_NAMED_ELSEWHERE: Final = """
CREATE OR REPLACE TEMP TABLE named_elsewhere AS
SELECT access_id, max(device) AS device FROM seen JOIN worked USING (place)
WHERE device IS NOT NULL AND access_id IN (SELECT access_id FROM seen WHERE several)
GROUP BY access_id
"""
"""A device is known for its whole session, and for the access that another row names it for."""
_TRACED: Final = """
CREATE OR REPLACE TEMP VIEW traced AS
SELECT s.*, w.session, w.network, w.device, w.user_agent, hour(s."at") AS hour,
    s."at"::DATE - DATE '1970-01-01' AS day, coalesce(w.named, n.device) AS known_by
FROM seen s JOIN worked w USING (place) LEFT JOIN named_elsewhere n USING (access_id)
"""

_DAYS: Final = 'SELECT count(DISTINCT "at"::DATE) FILTER ("at" < $since) FROM seen'

_OWN: Final = """
SELECT {column} FROM traced WHERE {column} IS NOT NULL AND NOT within AND ("at" < $since) = $before
GROUP BY ALL HAVING count(DISTINCT day) >= {days}
"""
_OTHERS: Final = """
SELECT {column} FROM (
    SELECT {column}, account FROM events
    WHERE {column} IN (SELECT {known} FROM traced WHERE within) AND "at" >= $first AND "at" < $since
      AND account NOT IN (SELECT account FROM stretches)
    GROUP BY ALL HAVING count(DISTINCT "at"::DATE) >= {days}
) GROUP BY ALL HAVING count(*) >= {others}
"""

_OWN_WORK: Final = """
SELECT session, network, device, user_agent, hour("at") AS hour,
    "at"::DATE - DATE '1970-01-01' AS day
FROM own WHERE account = $account AND "at" >= $since AND "at" < $until GROUP BY ALL ORDER BY ALL
"""

_PLACED: Final = f"""
CREATE OR REPLACE TEMP TABLE placed AS
WITH marked AS (
    SELECT *, CASE WHEN network IS NULL THEN known_by IS NOT NULL
        ELSE network NOT IN (FROM owned) END AS away,
        known_by IS NOT NULL AND known_by IN (FROM familiar) AS familiar
    FROM traced
    WHERE "at" >= $begins - INTERVAL {int(AT_ONCE.total_seconds())} SECOND AND "at" < $ends
)
SELECT * EXCLUDE (away, familiar), away AND NOT familiar AS elsewhere,
    away AND NOT familiar AND known_by IS NOT NULL AS with_device,
    elsewhere <> lag(elsewhere) OVER earlier AND "at" - lag("at") OVER earlier
        < INTERVAL {int(AT_ONCE.total_seconds())} SECOND AND within = lag(within) OVER earlier
        AS switched
FROM marked WINDOW earlier AS (ORDER BY "at", access_id)
"""
_PER_DAY: Final = 'SELECT "at"::DATE::TIMESTAMP, count(*) FROM seen GROUP BY ALL ORDER BY ALL'

_PLACE: Final = "session, network, device, user_agent,"
_GROUPS: Final = """
SELECT {names} hour, day, bool_or(elsewhere) AS elsewhere, bool_and(with_device) AS with_device,
    count(*) FILTER (switched) AS switches, min("at") AS first_at, max("at") AS last_at,
    count(DISTINCT access_id) AS accesses, count(ratio) AS units, max(ratio) AS peak,
    coalesce(sum(ratio::DECIMAL(18, 6)), 0)::DOUBLE AS total,
    coalesce(sum((ratio * ratio)::DECIMAL(18, 6)), 0)::DOUBLE AS squares
FROM placed WHERE "at" >= $begins AND {where} GROUP BY ALL ORDER BY ALL
"""
"""Decimals add up to the same in any order: the same question has the same answer."""


@dataclass(frozen=True, slots=True)
class Habit:
    """What is usual for one account: `mean` and `spread` are of the evidence per look-up, `daily`
    of the accesses on a day with work, `away_days` and `switches` of what came from elsewhere;
    `past` is all of it by hour and day."""

    days: int
    before: bool
    units: int
    mean: float
    spread: float
    daily: float
    away_days: int
    switches: int
    past: pa.Table

    @property
    def known(self) -> bool:
        """Whether there is enough of it to compare with."""
        return self.days >= REGULAR and self.units > 0


@dataclass(frozen=True, slots=True)
class Places:
    """The period, one entry per session, place, hour and day; texts may be None.

    `elsewhere` says that neither the network nor the device is one of the account's or of its
    colleagues', `with_device` that the log names the device.
    """

    table: pa.Table

    def numbers(self, name: str) -> Floats:
        """Return a column as numbers."""
        values: Floats = self.table.column(name).to_numpy().astype(np.float64)
        return values

    def flags(self, name: str) -> Flags:
        """Return a column of yes and no."""
        found: Flags = self.table.column(name).to_numpy(zero_copy_only=False).astype(bool)
        return found

    def texts(self, name: str) -> list[str | None]:
        """Return a column of texts."""
        found: list[str | None] = self.table.column(name).to_pylist()
        return found

    def in_session_of(self, chosen: Flags) -> Flags:
        """Say which entries are in a session of which a part was chosen."""
        sessions = self.texts("session")
        hit = {name for name, yes in zip(sessions, chosen.tolist(), strict=True) if yes and name}
        return np.array([name in hit for name in sessions], bool)


def look(connection: Any, account: str, since: datetime, until: datetime) -> tuple[Habit, Places]:
    """Return what was usual for the account, and what it did in the period (UTC, without a zone).

    Usual is what it did before; where the log begins too late to know, what it did afterwards.
    """
    before = _see(connection, account, since, until)
    asked = {"since": since, "before": before, "first": since - LOOK_BACK}
    networks = _known("network", "network", REGULAR, _COLLEAGUES)
    devices = _known("known_by", "device", 1, 1)
    for name, query in (("owned", networks), ("familiar", devices)):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", asked)
    side = "<" if before else ">="
    compared = f"NOT within AND \"at\" {side} TIMESTAMP '{since}'"
    habit, places = _grouped(connection, ("", compared), (_PLACE, "within"))
    for name in ("seen", "placed"):
        connection.execute(f"DROP TABLE {name} CASCADE")
    return _habit(habit, before), Places(places)


def _see(connection: Any, account: str, since: datetime, until: datetime) -> bool:
    """Make `traced`, what the account did in and around the period; say if its past is known."""
    period = {"account": account, "since": since, "until": until, "first": since - LOOK_BACK}
    for last in (until, until + LOOK_AFTER):
        connection.execute(_WORKED, period | {"last": last})
        connection.execute(_SEEN, period | {"last": last})
        before = int(first(connection, _DAYS, {"since": since})[0]) >= REGULAR
        if before:
            break
    connection.execute(_NAMED_ELSEWHERE)
    connection.execute(_TRACED)
    return before


def _grouped(connection: Any, *asked: tuple[str, str]) -> list[pa.Table]:
    """Return the groups of each question, some days at a time: there may be millions."""
    found: list[list[pa.Table]] = [[] for _question in asked]
    for period in _slices(connection):
        connection.execute(_PLACED, period)
        begins = {"begins": period["begins"]}
        for tables, (names, where) in zip(found, asked, strict=True):
            query = _GROUPS.format(names=names, where=where)
            tables.append(connection.sql(query, params=begins).to_arrow_table())
    return [pa.concat_tables(tables) for tables in found]


def _slices(connection: Any) -> Iterator[dict[str, datetime]]:
    """Yield periods of whole days that hold no more rows than fit in memory, or a day."""
    days = connection.execute(_PER_DAY).fetchall() or [(datetime(1970, 1, 1), 0)]
    begins, held = days[0][0], 0
    for day, count in days:
        if held and held + count > HELD:
            yield {"begins": begins, "ends": day}
            begins, held = day, 0
        held += count
    yield {"begins": begins, "ends": days[-1][0] + timedelta(days=1)}


def look_at_places(connection: Any, account: str, since: datetime, until: datetime) -> Places:
    """Return where the account worked in the period, and nothing of what that means."""
    asked = {"account": account, "since": since, "until": until}
    return Places(connection.sql(_OWN_WORK, params=asked).to_arrow_table())


def _known(known: str, column: str, days: int, others: int) -> str:
    own = _OWN.format(column=known, days=days)
    return own + " UNION " + _OTHERS.format(column=column, known=known, days=REGULAR, others=others)


def _habit(table: pa.Table, before: bool) -> Habit:
    days, accesses = (table.column(name).to_numpy() for name in ("day", "accesses"))
    units, total, squares = (
        float(table.column(n).to_numpy().sum()) for n in ("units", "total", "squares")
    )
    away = table.column("elsewhere").to_numpy(zero_copy_only=False).astype(bool)
    mean = total / max(units, 1)
    worked = len(np.unique(days))
    return Habit(
        days=worked,
        before=before,
        units=int(units),
        mean=mean,
        spread=float(np.sqrt(max(squares / max(units, 1) - mean**2, 0.0))),
        daily=float(accesses.sum() / max(worked, 1)),
        away_days=len(np.unique(days[away])),
        switches=int(table.column("switches").to_numpy().sum()),
        past=table,
    )
