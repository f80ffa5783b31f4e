"""Who is one person among the identifiers that a log names: the written rule.

1. An identifier of test or demonstration is nobody's.
2. Links that rest on the INS come before all others; a link that rests on the social-security
   number alone is never followed, because children share a parent's.
3. A merge joins two records from its date on. Who looked at one of them, at any time, saw the data
   of the person whom they are known to be today.
4. A merge that was undone was an error: who looked while it stood saw the data of everyone whom it
   had joined, and each of them counts.
5. An identifier that links say to be several persons', and one without a link, counts as itself.

Source: ANS, "Référentiel Identifiant national de santé" (INS, its OIDs of test); CI-SIS.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from vigie.events import KEY
from vigie.exposure.asking import first, holds

ALWAYS: Final = (-(1 << 62), 1 << 62)
INTERVALS: Final = pa.schema(
    [
        pa.field("patient", KEY),
        pa.field("since", pa.int64()),
        pa.field("until", pa.int64()),
        pa.field("person", KEY),
    ]
)
"""From `since` to `until` (µs) an access to `patient` exposed `person`; a row for each."""

_SAME: Final = """
CREATE TEMP TABLE same AS
WITH held AS (
    SELECT patient, person, CASE WHEN source = 'ins' THEN 0 ELSE 1 END AS rank
    FROM identities
    WHERE change = 'same' AND source IS DISTINCT FROM 'nir' AND valid_until IS NULL
      AND (patient IN (SELECT patient FROM selected WHERE patient IS NOT NULL)
           OR patient IN (SELECT person FROM contracts WHERE person IS NOT NULL))
)
SELECT patient, list(DISTINCT person ORDER BY person) AS persons FROM (
    SELECT * FROM held QUALIFY rank = min(rank) OVER (PARTITION BY patient)
) GROUP BY patient
"""

_PLAIN: Final = """
CREATE TEMP TABLE person_of AS
SELECT patient, -4611686018427387904 AS since, 4611686018427387904 AS until,
    persons[1] AS person
FROM same WHERE len(persons) = 1 AND patient NOT IN (SELECT patient FROM moved)
  AND persons[1] NOT IN (SELECT patient FROM moved)
UNION ALL BY NAME SELECT patient, since, until, person FROM moved
UNION ALL BY NAME
SELECT same.patient, moved.since, moved.until, moved.person
FROM same JOIN moved ON persons[1] = moved.patient
WHERE len(persons) = 1 AND same.patient NOT IN (SELECT patient FROM moved)
"""


_SHARED: Final = """
WITH numbers AS (
    SELECT DISTINCT patient FROM counted WHERE patient IS NOT NULL AND NOT failed AND NOT test
      AND source IN (SELECT source FROM authorities WHERE kind = 'nir')
), bearers AS (
    SELECT patient, count(DISTINCT person) AS many FROM identities
    WHERE change = 'same' AND valid_until IS NULL GROUP BY patient
)
SELECT count(*) FILTER (many IS NULL OR many > 1),
    count(*) FILTER (many IS NULL), coalesce(sum(many - 1), 0)::BIGINT
FROM numbers LEFT JOIN bearers USING (patient)
"""
"""A link that rests on the number alone joins nobody, yet it says who bears the number."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Social-security numbers that may be several persons': how many, and how many persons more
    they may be at most, None where nobody says whose they are."""

    numbers: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """One merge or unmerge in force from `since` to `until` (µs): `patient` stands for `person`."""

    patient: bytes
    person: bytes
    since: int
    until: int


def resolve(connection: Any) -> bool:
    """Make `person_of` from the declared identities; say whether there is anything to resolve."""
    if not holds(connection, "SELECT 1 FROM identities LIMIT 1"):
        return False
    connection.execute(_SAME)
    connection.register("moved", _moved(connection))
    connection.execute(_PLAIN)
    return True


def find_shared(connection: Any) -> Shared:
    """Return what counting by social-security number leaves open."""
    if not holds(connection, "SELECT 1 FROM authorities WHERE kind = 'nir' LIMIT 1"):
        return Shared(0, 0)
    numbers, unknown, more = first(connection, _SHARED)
    return Shared(int(numbers), None if unknown else int(more))


def _moved(connection: Any) -> pa.Table:
    rows = connection.execute(
        "SELECT patient, person, coalesce(epoch_us(valid_from), ?),"
        " coalesce(epoch_us(valid_until), ?) FROM identities"
        " WHERE change <> 'same' AND source IS DISTINCT FROM 'nir' ORDER BY ALL",
        ALWAYS,
    ).fetchall()
    moves = [Move(*row) for row in rows]
    nodes = sorted({node for move in moves for node in (move.patient, move.person)})
    links = _linked_to(connection, nodes)
    found = exposed_by(moves, links)
    columns = list(zip(*found, strict=True)) if found else [()] * len(INTERVALS)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, INTERVALS, strict=True)],
                    schema=INTERVALS)  # fmt: skip


def _linked_to(connection: Any, nodes: list[bytes]) -> dict[bytes, bytes]:
    """Return the one person of each record that was merged, by its links of kind `same`."""
    if not nodes:
        return {}
    connection.register("moved_nodes", pa.table({"patient": pa.array(nodes, KEY)}))
    rows = connection.execute(
        "SELECT patient, any_value(person) FROM identities"
        " WHERE change = 'same' AND source IS DISTINCT FROM 'nir' AND valid_until IS NULL"
        " AND patient IN (SELECT patient FROM moved_nodes)"
        " GROUP BY patient HAVING count(DISTINCT person) = 1"
    ).fetchall()
    return {patient: person for patient, person in rows if patient != person}


def exposed_by(
    moves: Iterable[Move], links: dict[bytes, bytes]
) -> list[tuple[bytes, int, int, bytes]]:
    """Return the rows of INTERVALS that merges and unmerges give.

    >>> merged, undone = Move(b"b", b"a", 10, 1 << 62), Move(b"b", b"b", 20, 1 << 62)
    >>> [row for row in exposed_by([merged, undone], {}) if row[0] == b"b" and row[1] == 10]
    [(b'b', 10, 20, b'a'), (b'b', 10, 20, b'b')]
    """
    rows: list[tuple[bytes, int, int, bytes]] = []
    for some in _components(list(moves), links):
        rows += _of_component(some, links)
    return sorted(rows)


def _components(moves: list[Move], links: dict[bytes, bytes]) -> list[list[Move]]:
    """Part the moves into sets that share no record: each is small."""
    root: dict[bytes, bytes] = {}

    def find(node: bytes) -> bytes:
        while root.setdefault(node, node) != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for move in moves:
        root[find(move.patient)] = find(move.person)
    for patient, person in links.items():
        root[find(patient)] = find(person)
    parts = defaultdict(list)
    for move in moves:
        parts[find(move.patient)].append(move)
    return list(parts.values())


def _of_component(
    moves: list[Move], links: dict[bytes, bytes]
) -> list[tuple[bytes, int, int, bytes]]:
    nodes = {node for move in moves for node in (move.patient, move.person)}
    nodes |= {links[node] for node in nodes if node in links}
    cuts = sorted({ALWAYS[0], *(at for move in moves for at in (move.since, move.until))})
    today = {node: _root(node, ALWAYS[1] - 1, moves, links) for node in nodes}
    rows = []
    for since, until in zip(cuts, [*cuts[1:], ALWAYS[1]], strict=True):
        if since >= until:
            continue
        then = {node: _root(node, since, moves, links) for node in nodes}
        for node in nodes:
            joined = {today[other] for other in nodes if then[other] == then[node]}
            rows += [(node, since, until, person) for person in sorted(joined)]
    return rows


def _root(node: bytes, at: int, moves: list[Move], links: dict[bytes, bytes]) -> bytes:
    """Follow the links in force at a time; a circle ends where it began."""
    seen: set[bytes] = set()
    while node not in seen:
        seen.add(node)
        held = [m for m in moves if m.patient == node and m.since <= at < m.until]
        if held:
            target = max(held, key=lambda m: (m.since, m.person)).person
            if target == node:
                return links.get(node, node)
            node = target
        else:
            node = links.get(node, node)
    return node
