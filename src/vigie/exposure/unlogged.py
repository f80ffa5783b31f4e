"""Searches and exports that the log counts without naming whom they showed.

Each gives bounds. Where the operator has a dated index of patients, what the log kept of the query
is asked again of the patients who were in it at that moment: as many as were counted are those who
were shown; more are those who may have been.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from vigie.events import KEY
from vigie.exposure.asking import first, holds

INDEX: Final = pa.schema(
    [
        pa.field("patient", KEY, nullable=False),
        pa.field("surname_key", KEY),
        pa.field("address_key", KEY),
        pa.field("area", pa.string()),
        pa.field("organisation", pa.string()),
        pa.field("valid_from", pa.timestamp("us", "UTC")),
        pa.field("valid_until", pa.timestamp("us", "UTC")),
    ]
)
"""The operator's patients, dated; made by `vigie.exposure.index`."""

PREFIXES: Final = pa.schema(
    [pa.field("prefix_key", KEY, nullable=False), pa.field("surname_key", KEY, nullable=False)]
)
"""The key of every beginning of a surname, and that of the surname: a key alone tells no more."""


@dataclass(frozen=True, slots=True)
class Index:
    """The operator's `patients` (INDEX) and the beginnings of their names (PREFIXES)."""

    patients: pa.Table
    prefixes: pa.Table = field(default_factory=PREFIXES.empty_table)


_FEW: Final = ("open", "rights_check", "break_glass")
"""Requests about one person: without a name, somebody was shown, and no more than one."""
_MANY: Final = ("search", "list", "export", "print")

_HIDDEN: Final = f"""
CREATE TEMP TABLE hidden AS
SELECT access_id, min(account) AS account, min("at") AS "at", min(source) AS source,
    min(action) AS action, min(object) AS object, min(query_shape) AS query_shape,
    max(record_count) AS counted, count(DISTINCT patient) AS named,
    min(file_hash) AS file_hash, max(bytes) AS bytes,
    min(surname_key) AS surname_key, min(address_key) AS address_key, min(area) AS area,
    min(organisation) AS organisation, min(session) AS session, min(network) AS network,
    min(device) AS device, min(user_agent) AS user_agent, min(event_id) AS event_id
FROM counted
WHERE NOT failed AND action IN {(*_FEW, *_MANY)} AND access_id IN
    (SELECT access_id FROM counted WHERE patient IS NULL OR record_count > 1)
GROUP BY access_id
HAVING (counted IS NULL AND named = 0) OR counted > named
"""

_MEANT: Final = """
CREATE TEMP TABLE meant AS
SELECT access_id, surname_key FROM hidden
WHERE surname_key IS NOT NULL AND coalesce(query_shape NOT IN ('prefix', 'wildcard'), true)
UNION
SELECT h.access_id, p.surname_key FROM hidden h JOIN prefixes p ON h.surname_key = p.prefix_key
WHERE coalesce(h.query_shape NOT IN ('exact_name', 'wildcard'), true)
"""
"""The surnames that a request may have meant: the one typed, and those that begin so. A wildcard
may stand anywhere, so that its text tells nothing."""

_FITS: Final = """(i.valid_from IS NULL OR i.valid_from <= h."at")
 AND (i.valid_until IS NULL OR i.valid_until > h."at")
 AND (h.address_key IS NULL OR h.query_shape IN ('prefix', 'wildcard')
      OR i.address_key = h.address_key)
 AND (h.area IS NULL OR i.area IS NULL OR i.area = h.area)
 AND (i.organisation IS NULL OR h.organisation IS NULL OR i.organisation = h.organisation)"""

_CANDIDATES: Final = f"""
CREATE TEMP TABLE candidates AS
SELECT access_id, patient, count(*) OVER (PARTITION BY access_id) AS found FROM (
    SELECT h.access_id, i.patient FROM hidden h JOIN meant m ON h.access_id = m.access_id
    JOIN patient_index i ON i.surname_key = m.surname_key AND {_FITS}
    UNION
    SELECT h.access_id, i.patient FROM hidden h JOIN patient_index i ON {_FITS}
    WHERE h.surname_key IS NULL OR (h.query_shape IN ('prefix', 'wildcard')
        AND h.access_id NOT IN (SELECT access_id FROM meant))
)
"""

_ROWS: Final = """
CREATE TEMP VIEW looked AS
SELECT access_id, event_id, "at", source, patient, organisation, session, network, device,
    user_agent, action, object, account, failed, test, false AS reached FROM counted
"""
_REACHED: Final = """
UNION ALL BY NAME
SELECT h.access_id, h.event_id, h."at", h.source, c.patient, h.organisation, h.session, h.network,
    h.device, h.user_agent, h.action, h.object, h.account, false AS failed, false AS test,
    c.found > h.counted AS reached
FROM hidden h JOIN candidates c USING (access_id) WHERE h.counted IS NOT NULL OR c.found > 0
"""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What was shown without being named. `most` is how many persons more it may be at most, None
    when the log does not say; `reach` how many distinct persons the index says it can be.

    `accesses` has one row each: `at`, `account`, `source`, `action`, `object`, `counted`, `named`,
    `candidates` (null without an index), `file_hash`, `bytes`, `query_shape`.
    """

    accesses: pa.Table
    most: int | None
    reach: int | None


def find(connection: Any, index: Index | None) -> Hidden:
    """Make the view `looked` (what counts, and what replaying adds) and return the bounds."""
    connection.execute(_HIDDEN)
    if index is None:
        connection.execute(_ROWS)
    else:
        patients = index.patients.select(INDEX.names).cast(INDEX)
        connection.register("patient_index", patients)
        connection.register("prefixes", index.prefixes)
        connection.execute(_MEANT)
        connection.execute(_CANDIDATES)
        connection.execute(_ROWS + _REACHED)
    return Hidden(_accesses(connection, index is not None), *_bounds(connection, index))


def _accesses(connection: Any, replayed: bool) -> pa.Table:
    found = "(SELECT count(*) FROM candidates c WHERE c.access_id = h.access_id)"
    return connection.sql(
        'SELECT "at", account, source, action, object, counted, named,'
        f" {found if replayed else 'NULL::BIGINT'} AS candidates,"
        " file_hash, bytes, query_shape FROM hidden h"
        ' ORDER BY "at", account, source, access_id'
    ).to_arrow_table()


def _bounds(connection: Any, index: Index | None) -> tuple[int | None, int | None]:
    uncounted, most = first(
        connection,
        f"SELECT count(*) FILTER (counted IS NULL AND action IN {_MANY}),"
        " coalesce(sum(coalesce(counted, 1) - named), 0)::BIGINT FROM hidden",
    )
    reach = None
    if index is not None and _all_replayed(connection):
        reach = first(
            connection,
            "SELECT count(*) FROM (SELECT patient FROM counted WHERE patient IS NOT NULL"
            " AND NOT failed AND NOT test UNION SELECT patient FROM candidates)",
        )[0]
    return (None if uncounted else int(most)), reach


def _all_replayed(connection: Any) -> bool:
    """Whether the index gives at least as many persons as were counted, for every request."""
    return not holds(
        connection,
        "SELECT 1 FROM hidden h LEFT JOIN (SELECT access_id, any_value(found) AS found"
        " FROM candidates GROUP BY access_id) c USING (access_id)"
        " WHERE coalesce(c.found, 0) < coalesce(h.counted, 1) LIMIT 1",
    )
