"""How strange the persons are whom an account looks up: to itself, and to its colleagues.

A person is known to an account that met him in the days before, and to an organisation of which
somebody else meets him at about the same time. Whoever looks up persons that neither knows is not
at the account's work.
"""

from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from vigie.exposure.habits import LOOK_BACK
from vigie.exposure.selection import FAILED, NOT_EXPOSING

REMEMBERED: Final = 10
"""Days for which an account knows whom it met."""
_SHARED: Final = 3
"""Days before and after within which a colleague meets the same person."""
_NOT_ONE: Final = (*NOT_EXPOSING, "search", "list")
"""What names nobody, or more persons than were looked for."""

_MET: Final = f"""
CREATE OR REPLACE TEMP TABLE met AS
SELECT session, network, device, user_agent, hour("at") AS hour,
    "at"::DATE - DATE '1970-01-01' AS day, patient, any_value(organisation) AS organisation
FROM events
WHERE account = $account AND "at" >= $first AND "at" < $until AND patient IS NOT NULL
  AND action NOT IN {_NOT_ONE} AND coalesce(outcome NOT IN {FAILED}, true)
GROUP BY ALL
"""
_SHARED_WITH: Final = f"""
CREATE OR REPLACE TEMP TABLE shared AS
WITH theirs AS (
    SELECT DISTINCT patient, "at"::DATE - DATE '1970-01-01' AS day FROM events
    WHERE "at" >= $first - INTERVAL {_SHARED} DAY AND "at" < $until + INTERVAL {_SHARED} DAY
      AND account <> $account AND action NOT IN {_NOT_ONE}
      AND organisation IN (SELECT DISTINCT organisation FROM met)
      AND patient IN (SELECT patient FROM met)
)
SELECT DISTINCT m.patient, m.day FROM (SELECT DISTINCT patient, day FROM met) m
JOIN theirs t ON m.patient = t.patient AND t.day BETWEEN m.day - {_SHARED} AND m.day + {_SHARED}
"""
_STRANGE: Final = f"""
CREATE OR REPLACE TEMP TABLE strange AS
WITH days AS (
    SELECT patient, day, coalesce(day - lag(day) OVER (PARTITION BY patient ORDER BY day)
        > {REMEMBERED}, true) AS new
    FROM (SELECT DISTINCT patient, day FROM met)
)
SELECT m.* EXCLUDE (patient, organisation), d.new::INT + (s.patient IS NULL)::INT AS score
FROM met m JOIN days d USING (patient, day) LEFT JOIN shared s USING (patient, day)
"""
_BY_DAY: Final = f"""
SELECT day, count(*) AS strangers, sum(score)::DOUBLE AS strange,
    sum(score * score)::DOUBLE AS strange_squares
FROM strange WHERE day < $since AND day >= (SELECT min(day) + {REMEMBERED} FROM strange)
GROUP BY day ORDER BY day
"""
_BY_PLACE: Final = """
SELECT count(s.score) AS strangers, coalesce(sum(s.score), 0)::DOUBLE AS strange
FROM (SELECT row_number() OVER () AS place, * FROM entries) e LEFT JOIN strange s
  ON e.session IS NOT DISTINCT FROM s.session AND e.network IS NOT DISTINCT FROM s.network
  AND e.device IS NOT DISTINCT FROM s.device AND e.user_agent IS NOT DISTINCT FROM s.user_agent
  AND e.hour = s.hour AND e.day = s.day
GROUP BY e.place ORDER BY e.place
"""


def find_strangers(
    connection: Any, account: str, period: tuple[datetime, datetime], entries: pa.Table
) -> tuple[pa.Table, pa.Table]:  # fmt: skip
    """Return how strange those were whom the account met before, by day, and in each entry.

    Columns `strangers` (persons met), `strange` (sum of 0 to 2: new to the account, to its
    colleagues); of the days before also `day` and `strange_squares`.
    """
    since, until = period
    asked = {"account": account, "first": since - LOOK_BACK, "until": until}
    connection.execute(_MET, asked)
    connection.execute(_SHARED_WITH, asked)
    connection.execute(_STRANGE)
    day = (since - datetime(1970, 1, 1)).days
    past = connection.sql(_BY_DAY, params={"since": day}).to_arrow_table()
    connection.register("entries", entries)
    found = connection.sql(_BY_PLACE).to_arrow_table()
    connection.unregister("entries")
    for name in ("met", "shared", "strange"):
        connection.execute(f"DROP TABLE {name}")
    return past, found
