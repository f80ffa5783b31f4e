"""What an account did before, and what it does in the period asked about, by place and hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.exposure.asking import first
from vigie.exposure.selection import FAILED, NOT_EXPOSING

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

_SEEN: Final = f"""
CREATE OR REPLACE TEMP TABLE seen AS
SELECT e.access_id, e."at", e.session, e.network, e.device, e.user_agent, hour(e."at") AS hour,
    e."at"::DATE - DATE '1970-01-01' AS day, v.ratio,
    coalesce(e.device, max(e.device) OVER (PARTITION BY coalesce(e.session, e.access_id::VARCHAR)),
        max(e.device) OVER (PARTITION BY e.access_id)) AS known_by,
    e."at" >= $since AND e."at" < $until AS within
FROM events e LEFT JOIN evidence v USING (event_id)
WHERE e.account = $account AND e."at" >= $first AND e."at" < $last
  AND e.action NOT IN {NOT_EXPOSING} AND (coalesce(e.outcome NOT IN {FAILED}, true)
    OR (e."at" >= $since AND e."at" < $until))
"""

_DAYS: Final = 'SELECT count(DISTINCT day) FILTER ("at" < $since) FROM seen'

_OWN: Final = """
SELECT {column} FROM seen WHERE {column} IS NOT NULL AND NOT within AND ("at" < $since) = $before
GROUP BY ALL HAVING count(DISTINCT day) >= {days}
"""
_OTHERS: Final = """
SELECT {column} FROM (
    SELECT {column}, account FROM events
    WHERE {column} IN (SELECT {known} FROM seen WHERE within) AND "at" >= $first AND "at" < $since
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
WITH owned AS ({{networks}}), familiar AS ({{devices}}), told AS (
    SELECT *, CASE WHEN network IS NULL THEN known_by IS NOT NULL
        ELSE network NOT IN (FROM owned) END AS away,
        known_by IS NOT NULL AND known_by IN (FROM familiar) AS familiar FROM seen
)
SELECT *, away AND NOT familiar AS elsewhere,
    away AND NOT familiar AND known_by IS NOT NULL AS with_device,
    elsewhere <> lag(elsewhere) OVER earlier AND "at" - lag("at") OVER earlier
        < INTERVAL {int(AT_ONCE.total_seconds())} SECOND AND within = lag(within) OVER earlier
        AS switched
FROM told WINDOW earlier AS (ORDER BY "at", access_id)
"""

_PLACE: Final = "session, network, device, user_agent,"
_GROUPS: Final = """
SELECT {names} hour, day, bool_or(elsewhere) AS elsewhere, bool_and(with_device) AS with_device,
    count(*) FILTER (switched) AS switches, count(DISTINCT access_id) AS accesses,
    count(ratio) AS units, coalesce(sum(ratio), 0) AS total,
    coalesce(sum(ratio * ratio), 0) AS squares
FROM placed WHERE {where} GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Habit:
    """What is usual for one account: `mean` and `spread` are of the evidence per look-up, `daily`
    of the accesses on a day with work, `away_days` and `switches` of what came from elsewhere."""

    days: int
    before: bool
    hours: Floats
    units: int
    mean: float
    spread: float
    daily: float
    away_days: int
    switches: int

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


def look(connection: Any, account: str, since: datetime, until: datetime) -> tuple[Habit, Places]:
    """Return what was usual for the account, and what it did in the period (UTC, without a zone).

    Usual is what it did before; where the log begins too late to know, what it did afterwards.
    """
    period = {"account": account, "since": since, "until": until, "first": since - LOOK_BACK}
    connection.execute(_SEEN, period | {"last": until})
    before = int(first(connection, _DAYS, {"since": since})[0]) >= REGULAR
    if not before:
        connection.execute(_SEEN, period | {"last": until + LOOK_AFTER})
    networks = _known("network", "network", REGULAR, _COLLEAGUES)
    devices = _known("known_by", "device", 1, 1)
    connection.execute(
        _PLACED.format(networks=networks, devices=devices),
        {"since": since, "before": before, "first": since - LOOK_BACK},
    )
    side = "<" if before else ">="
    compared = f"NOT within AND \"at\" {side} TIMESTAMP '{since}'"
    return _habit(_groups(connection, "", compared), before), Places(
        _groups(connection, _PLACE, "within")
    )


def look_at_places(connection: Any, account: str, since: datetime, until: datetime) -> Places:
    """Return where the account worked in the period, and nothing of what that means."""
    asked = {"account": account, "since": since, "until": until}
    return Places(connection.sql(_OWN_WORK, params=asked).to_arrow_table())


def _known(known: str, column: str, days: int, others: int) -> str:
    own = _OWN.format(column=known, days=days)
    return own + " UNION " + _OTHERS.format(column=column, known=known, days=REGULAR, others=others)


def _groups(connection: Any, names: str, where: str) -> pa.Table:
    return connection.sql(_GROUPS.format(names=names, where=where)).to_arrow_table()


def _habit(table: pa.Table, before: bool) -> Habit:
    days, accesses, hours = (table.column(n).to_numpy() for n in ("day", "accesses", "hour"))
    units, total, squares = (
        float(table.column(n).to_numpy().sum()) for n in ("units", "total", "squares")
    )
    away = table.column("elsewhere").to_numpy(zero_copy_only=False).astype(bool)
    mean = total / max(units, 1)
    worked = len(np.unique(days))
    return Habit(
        days=worked,
        before=before,
        hours=np.bincount(hours.astype(np.int64), accesses, 24).astype(np.float64),
        units=int(units),
        mean=mean,
        spread=float(np.sqrt(max(squares / max(units, 1) - mean**2, 0.0))),
        daily=float(accesses.sum() / max(worked, 1)),
        away_days=len(np.unique(days[away])),
        switches=int(table.column("switches").to_numpy().sum()),
    )
