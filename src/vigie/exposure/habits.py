"""What an account did before, and what it does in the period asked about, by place and hour."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.exposure.selection import FAILED, NOT_EXPOSING

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LOOK_BACK: Final = 90
"""Days of the account's past that say what is usual; the CNIL lets logs be kept for longer."""
_REGULAR: Final = 3
"""Days on which a network was used before it is the owner's: mobile addresses come by chance."""

_ASKED: Final = f"e.action NOT IN {NOT_EXPOSING} AND coalesce(e.outcome NOT IN {FAILED}, true)"

_BEFORE: Final = f"""
SELECT e.network, e.device, e.user_agent, hour(e."at") AS hour,
    (e."at"::DATE - DATE '1970-01-01') AS day,
    count(DISTINCT e.access_id) AS accesses, count(DISTINCT e.patient) AS patients,
    count(v.ratio) AS units, coalesce(sum(v.ratio), 0) AS total,
    coalesce(sum(v.ratio * v.ratio), 0) AS squares
FROM events e LEFT JOIN evidence v USING (event_id)
WHERE e.account = $account AND e."at" < $since AND e."at" >= $first AND {_ASKED}
GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 - ours

_WITHIN: Final = f"""
SELECT e.session, e.network, e.device, e.user_agent, hour(e."at") AS hour,
    (e."at"::DATE - DATE '1970-01-01') AS day,
    count(DISTINCT e.access_id) AS accesses, count(DISTINCT e.patient) AS patients,
    count(v.ratio) AS units, coalesce(sum(v.ratio), 0) AS total
FROM events e LEFT JOIN evidence v USING (event_id)
WHERE e.account = $account AND e."at" >= $since AND e."at" < $until
  AND e.action NOT IN {NOT_EXPOSING}
GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 - ours


@dataclass(frozen=True, slots=True)
class Habit:
    """The past of one account; `mean` and `spread` are of the evidence per look-up, `daily` and
    `daily_spread` of the persons on a day with work."""

    days: int
    networks: frozenset[str]
    devices: frozenset[str]
    agents: frozenset[str]
    hours: Floats
    units: int
    mean: float
    spread: float
    daily: float
    daily_spread: float

    @property
    def known(self) -> bool:
        """Whether there is enough of a past to compare with."""
        return self.days >= _REGULAR


@dataclass(frozen=True, slots=True)
class Places:
    """The period, one entry per session, place, hour and day; texts may be None."""

    table: pa.Table

    def numbers(self, name: str) -> Floats:
        """Return a column as numbers."""
        values: Floats = self.table.column(name).to_numpy().astype(np.float64)
        return values

    def texts(self, name: str) -> list[str | None]:
        """Return a column of texts."""
        found: list[str | None] = self.table.column(name).to_pylist()
        return found


def look_back(connection: Any, account: str, since: datetime) -> Habit:
    """Return what was usual for the account before `since` (UTC, without a zone)."""
    first = since - np.timedelta64(LOOK_BACK, "D").item()
    asked = {"account": account, "since": since, "first": first}
    table = connection.sql(_BEFORE, params=asked).to_arrow_table()
    day = table.column("day").to_numpy().astype(np.int64)
    accesses = table.column("accesses").to_numpy().astype(np.float64)
    units = int(table.column("units").to_numpy().sum())
    mean = float(table.column("total").to_numpy().sum()) / max(units, 1)
    squares = float(table.column("squares").to_numpy().sum()) / max(units, 1)
    per_day = np.bincount(np.unique(day, return_inverse=True)[1], accesses) if len(day) else day
    hour = table.column("hour").to_numpy().astype(np.int64)
    return Habit(
        days=len(np.unique(day)),
        networks=_used_on(table, "network", day, _REGULAR),
        devices=_used_on(table, "device", day, 1),
        agents=_used_on(table, "user_agent", day, 1),
        hours=np.bincount(hour, accesses, 24).astype(np.float64),
        units=units,
        mean=mean,
        spread=float(np.sqrt(max(squares - mean**2, 0.0))),
        daily=float(per_day.mean()) if len(per_day) else 0.0,
        daily_spread=float(per_day.std()) if len(per_day) else 0.0,
    )


def _used_on(table: pa.Table, name: str, day: Any, least: int) -> frozenset[str]:
    days: dict[str, set[int]] = {}
    for word, when in zip(table.column(name).to_pylist(), day.tolist(), strict=True):
        if word is not None:
            days.setdefault(word, set()).add(when)
    return frozenset(word for word, seen in days.items() if len(seen) >= least)


def look_within(connection: Any, account: str, since: datetime, until: datetime) -> Places:
    """Return what the account did in the period."""
    asked = {"account": account, "since": since, "until": until}
    return Places(connection.sql(_WITHIN, params=asked).to_arrow_table())
