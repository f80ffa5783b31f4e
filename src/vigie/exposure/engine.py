"""From a scope to the exact set: one query over the rows of the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from vigie import journal
from vigie.exposure import blindness, persons, selection, separation, terms, unlogged, words
from vigie.exposure.asking import holds
from vigie.exposure.output import hash_rows, write_parquet
from vigie.exposure.schema import CERTAINTIES, EXPOSURE, IDENTIFIERS
from vigie.exposure.scope import INCLUDED, Scope
from vigie.stores import Store

EVIDENCE: Final = pa.schema(
    [
        pa.field("event_id", pa.binary(16)),
        pa.field("ratio", pa.float64()),
        pa.field("cited", pa.bool_()),
    ]
)
"""What detection said of single events: natural log-ratio, and whether an alert cites it."""

_COUNTED: Final = (
    "FROM looked s {joins} WHERE s.patient IS NOT NULL AND NOT s.failed AND NOT s.test"
)
_EXPOSED: Final = f"""
SELECT ({{person}})::UUID AS patient,
    coalesce(c.data_class, 'unknown')::{words.DATA_CLASS} AS data_class,
    (CASE WHEN s.reached THEN 'reachable' ELSE {selection.HOW} END)::{words.HOW} AS how,
    min(s."at") AS first_at, max(s."at") AS last_at, s.account::{words.ACCOUNT} AS account,
    ({{controller}})::{words.CONTROLLER} AS controller,
    ({{certainty}})::{words.CERTAINTY} AS certainty{{access}}
{_COUNTED} AND {{included}}
GROUP BY ALL
"""
_EACH_ONCE: Final = f"""
SELECT * EXCLUDE (access_id, first_at, last_at), min(first_at) AS first_at,
    max(last_at) AS last_at, count(*) AS accesses
FROM ({_EXPOSED}) GROUP BY ALL
"""
_KEPT: Final = (
    "CREATE TEMP TABLE exposure AS SELECT * REPLACE (patient::BLOB AS patient) FROM ({query})"
)
"""Keys as numbers and words as places in a list: millions of groups take a third of the memory."""
_IDENTIFIERS: Final = f"""
SELECT DISTINCT s.patient AS identifier, {{person}} AS person {_COUNTED} AND {{included}}
ORDER BY ALL
"""
_SUREST: Final = f"""
SELECT surest, count(*) FROM (
    SELECT min(list_position({list(CERTAINTIES)}, {{certainty}})) AS surest
    FROM selected s {{joins}}
    WHERE s.patient IS NOT NULL AND NOT s.failed AND NOT s.test GROUP BY ({{person}})::UUID
) GROUP BY surest
"""
_PERSON: Final = """LEFT JOIN person_of p ON s.patient = p.patient
  AND epoch_us(s."at") >= p.since AND epoch_us(s."at") < p.until"""
_CLASS: Final = """LEFT JOIN class_of c ON s.source = c.source AND s.object = c.object
  AND epoch_us(s."at") >= c.since AND epoch_us(s."at") < c.until"""
_ORGANISATION: Final = """LEFT JOIN organisation_controller o ON s.organisation = o.organisation
  AND epoch_us(s."at") >= o.since AND epoch_us(s."at") < o.until"""
_CONTRACT: Final = """LEFT JOIN person_controller k ON {person} = k.person
  AND (k.organisation IS NULL OR k.organisation = s.organisation)
  AND epoch_us(s."at") >= k.since AND epoch_us(s."at") < k.until"""
_BOTH: Final = """CROSS JOIN LATERAL (SELECT unnest(
    CASE WHEN o.controller IS NULL OR k.controller IS NULL OR o.controller = k.controller
    THEN [coalesce(o.controller, k.controller)] ELSE [o.controller, k.controller] END
) AS controller) w"""
SHOWN: Final = "SELECT count(DISTINCT patient) FROM exposure WHERE how <> 'reachable'"
ORDER: Final = (
    "patient, data_class, how, account, controller NULLS FIRST, certainty, first_at, last_at"
)

_TOTALS: Final = """
SELECT count(*) FILTER (patient IS NOT NULL) AS lines, {duplicates} AS duplicates,
    {accesses} AS accesses, {refused} AS refused,
    count(DISTINCT patient::UUID) FILTER (test) AS tests,
    count(DISTINCT patient::UUID) FILTER (NOT test AND NOT failed) AS identifiers
FROM counted
"""
_OF_SEVERAL_ROWS: Final = {
    "duplicates": """count(*) FILTER (patient IS NOT NULL) - (SELECT count(*) FROM (
        SELECT DISTINCT access_id::UUID, patient::UUID FROM counted WHERE patient IS NOT NULL))""",
    "accesses": "count(DISTINCT access_id::UUID)",
    "refused": "count(DISTINCT access_id::UUID) FILTER (failed)",
}
_OF_ONE_ROW: Final = {
    "duplicates": "0::BIGINT", "accesses": "count(*)", "refused": "count(*) FILTER (failed)"
}  # fmt: skip
_LINKED: Final = "SELECT 1 FROM {rows} WHERE access_id <> event_id LIMIT 1"
"""Whether any access has several rows: of several logs, or of several persons."""


@dataclass(frozen=True, slots=True)
class Count:
    """One number with the query that gave it and the SHA-256 of the query's result."""

    value: int
    query: str
    sha256: str


@dataclass
class Exposure:
    """The answer. It holds a DuckDB connection, in memory, with the table `exposure` and the view
    `whose` (access_id, certainty) of every access of the accounts.

    `totals`: lines, duplicates (lines that other logs or files say again), accesses, refused
    accesses, identifiers of test, identifiers.
    """

    scope: Scope
    connection: Any
    separation: separation.Separation
    hidden: unlogged.Hidden
    blind: blindness.Blindness
    shared: persons.Shared
    _identifiers: str
    _surest: str
    _counts: dict[str, Count] = field(default_factory=dict)

    @cached_property
    def table(self) -> pa.Table:
        """The whole set (EXPOSURE), sorted."""
        return self.sorted_rows().to_arrow_table().cast(EXPOSURE)

    @cached_property
    def identifiers(self) -> pa.Table:
        """Every identifier of the set and the person it counts as (IDENTIFIERS), sorted."""
        return self.connection.sql(self._identifiers).to_arrow_table().cast(IDENTIFIERS)

    @cached_property
    def totals(self) -> Mapping[str, int]:
        """What the persons are counted out of."""
        linked = holds(self.connection, _LINKED.format(rows="counted"))
        counts = _OF_SEVERAL_ROWS if linked else _OF_ONE_ROW
        result = self.connection.sql(_TOTALS.format(**counts))
        return dict(zip(result.columns, result.fetchall()[0], strict=True))

    def sorted_rows(self) -> Any:
        """Return the set as a DuckDB relation in its canonical order, for sets beyond memory."""
        columns = ", ".join(
            f"{one.name}::VARCHAR AS {one.name}" if pa.types.is_string(one.type) else one.name
            for one in EXPOSURE
        )
        return self.connection.sql(f"SELECT {columns} FROM exposure ORDER BY {ORDER}")

    def write(self, path: Path) -> str:
        """Write the set as Parquet, the same bytes whenever asked; return their SHA-256."""
        return write_parquet(self.sorted_rows(), EXPOSURE, path)

    def count(self, query: str) -> Count:
        """Ask for one number over `exposure`; the answer carries its query and hash."""
        if query not in self._counts:
            rows = self.connection.execute(query).fetchall()
            self._counts[query] = Count(int(rows[0][0] or 0), query, hash_rows(rows))
        return self._counts[query]

    def groups(self, query: str) -> list[tuple[Any, ...]]:
        """Ask for several numbers over `exposure`."""
        found: list[tuple[Any, ...]] = self.connection.execute(query).fetchall()
        return found

    @property
    def persons(self) -> int:
        """How many persons the log says were shown, within the boundary: the lower bound."""
        return self.count(SHOWN).value

    @property
    def by_boundary(self) -> dict[str, int]:
        """How many persons the log names within each boundary, the one asked for or not."""
        surest = {CERTAINTIES[place - 1]: count for place, count in self.groups(self._surest)}
        return {
            level: sum(surest.get(name, 0) for name in included)
            for level, included in INCLUDED.items()
        }

    @property
    def bounds(self) -> tuple[int, int | None]:
        """At least and at most so many persons; None when the log allows no upper bound."""
        low, blind, hidden = self.persons, self.blind.most, self.hidden.most
        if self.hidden.reach is not None:
            reach = max(self.hidden.reach - low, 0)
            hidden = reach if hidden is None else min(hidden, reach)
        each = (blind, hidden, self.shared.most)
        return low, None if None in each else low + sum(more for more in each if more is not None)

    @property
    def hidden_classes(self) -> frozenset[str]:
        """The classes of data that some person not named may have been exposed to.

        A line that cannot be read, or was never written, may be of any screen of its source; a
        number that several persons share showed of each what it showed of one.
        """
        blind = sorted({one.source for one in self.blind.reasons if one.most != 0})
        rows = self.groups(
            f"SELECT DISTINCT coalesce(c.data_class, 'unknown') FROM hidden s {_CLASS}"
        )
        if self.shared.most != 0:
            rows += self.groups("SELECT DISTINCT data_class FROM exposure")
        return terms.shown_by(self.connection, blind) | {row[0] for row in rows}


def expose(
    store: Store,
    scope: Scope,
    *,
    evidence: pa.Table | None = None,
    index: unlogged.Index | None = None,
    screens: pa.Table | None = None,
    silent_hours: float = 26.0,
    who: str = "",
    reason: str = "",
) -> Exposure:
    """Return the exposure of `scope` by what the store holds; the look is journalled.

    `evidence` (EVIDENCE) is what detection said of single events; `index` the
    operator's patients, dated; `screens` other declarations than those in force, to compare.
    A boundary that somebody chose needs a reason: raises `RefusedError` without one.
    """
    if scope.boundary.chosen:
        reason = journal.require_reason(scope.boundary.reason or reason)
    connection = store.connect()
    connection.register("evidence", EVIDENCE.empty_table() if evidence is None else evidence)
    if screens is not None:
        connection.unregister("screens")
        connection.register("screens", screens)
    selection.select(connection, scope)
    told = separation.separate(connection, scope)
    whose = _tell_whose(connection, told)
    _leave_out(connection, scope, told, whose)
    hidden = unlogged.find(connection, index)
    resolved = persons.resolve(connection)
    shared = persons.find_shared(connection)
    identifiers, surest = _expose(connection, scope, whose, resolved)
    blind = blindness.find(connection, scope, silent_hours)
    found = Exposure(scope, connection, told, hidden, blind, shared, identifiers, surest)
    subject = f"exposure: {found.persons} persons, {', '.join(scope.accounts)}, {scope.boundary}"
    journal.look_at_persons(store.home, subject, reason, scope.boundary.author or who)
    return found


def _tell_whose(connection: Any, told: separation.Separation) -> tuple[str, list[str]]:
    """Make the view `whose`; return the expression of an access's certainty and its joins."""
    certainty, marks = _certainty(connection, told)
    connection.execute(
        f"CREATE TEMP VIEW whose AS SELECT s.access_id, {certainty} AS certainty"
        f" FROM own s {' '.join(marks)}"
    )
    return certainty, marks


def _leave_out(
    connection: Any, scope: Scope, told: separation.Separation, whose: tuple[str, list[str]]
) -> None:
    """Make `counted`: what was selected, without what the boundary leaves to the owner.

    His searches whose results nobody named must not widen what the thief may have seen.
    """
    included = scope.boundary.included
    if set(told.verdicts.column("certainty").to_pylist()) <= set(included):
        connection.execute("CREATE TEMP VIEW counted AS SELECT * FROM selected")
        return
    certainty, marks = whose
    kept = "TABLE" if selection.is_held(connection) else "VIEW"
    connection.execute(
        f"CREATE TEMP {kept} counted AS SELECT s.* FROM selected s {' '.join(marks)}"
        f" WHERE {certainty} IN ({_words(included)})"
    )


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _expose(
    connection: Any, scope: Scope, told: tuple[str, list[str]], resolved: bool
) -> tuple[str, str]:
    """Make the table `exposure`, with no join that nothing asks for; return the other queries."""
    terms.declare_classes(connection)
    by_organisation, by_person = terms.declare_controllers(connection, resolved)
    words.declare(connection, scope.accounts)
    person = "coalesce(p.person, s.patient)" if resolved else "s.patient"
    certainty, marks = told
    whose = [_PERSON] * resolved + marks
    terms_ = [_CLASS] + [_ORGANISATION] * by_organisation
    terms_ += [_CONTRACT.format(person=person)] * by_person
    terms_ += [_BOTH] * (by_organisation and by_person)
    known = ["o.controller"] * by_organisation + ["k.controller"] * by_person
    fields = {
        "person": person, "certainty": certainty, "controller": _controller(known),
        "included": f"{certainty} IN ({_words(scope.boundary.included)})",
    }  # fmt: skip
    linked = holds(connection, _LINKED.format(rows="looked"))
    query = _KEPT.format(query=_EACH_ONCE if linked else _EXPOSED)
    access = ", s.access_id" if linked else ", count(*) AS accesses"
    connection.execute(query.format(joins="\n".join(whose + terms_), access=access, **fields))
    joins = "\n".join(whose)
    return _IDENTIFIERS.format(joins=joins, **fields), _SUREST.format(joins=joins, **fields)


def _controller(known: list[str]) -> str:
    """One column of whose data they are: those by contract with the person and with the place."""
    if len(known) < 2:
        return known[0] if known else "NULL::VARCHAR"
    return "w.controller"


_OF_PLACE: Final = """LEFT JOIN verdicts v ON s.account = v.account
  AND s.session IS NOT DISTINCT FROM v.session AND s.network IS NOT DISTINCT FROM v.network
  AND s.device IS NOT DISTINCT FROM v.device AND s.user_agent IS NOT DISTINCT FROM v.user_agent
  AND hour(s."at") = v.hour AND s."at"::DATE - DATE '1970-01-01' = v.day"""
_OF_ACCESS: Final = f"""
CREATE TEMP TABLE access_certainty AS
SELECT access_id, {list(CERTAINTIES)}[min(list_position({list(CERTAINTIES)}, v.certainty))]
    AS certainty
FROM own s {_OF_PLACE.removeprefix("LEFT ")}
WHERE access_id IN (SELECT access_id FROM selected WHERE access_id <> event_id)
GROUP BY access_id
"""
_CITED: Final = """
CREATE TEMP TABLE cited AS SELECT DISTINCT access_id FROM own
WHERE event_id IN (SELECT event_id FROM evidence WHERE cited)
"""


def _certainty(connection: Any, told: separation.Separation) -> tuple[str, list[str]]:
    """Return the expression of whose access it was, and the joins that it needs.

    An access is what its own account's rows say of it, in whatever log: that of one row is what
    its place is. What an alert cites is one step surer than that.
    """
    joins = []
    whose = "coalesce(a.certainty, 'not_separable')"
    if told.uniform is not None:
        connection.register("uniform", pa.table({
            "account": pa.array(list(told.uniform), pa.string()),
            "certainty": pa.array(list(told.uniform.values()), pa.string()),
        }))  # fmt: skip
        joins.append("LEFT JOIN uniform a ON s.account = a.account")
    else:
        connection.register("verdicts", told.verdicts)
        connection.execute(_OF_ACCESS)
        joins += ["LEFT JOIN access_certainty a ON s.access_id = a.access_id", _OF_PLACE]
        whose = "coalesce(a.certainty, v.certainty, 'not_separable')"
    connection.execute(_CITED)
    if not holds(connection, "SELECT 1 FROM cited LIMIT 1"):
        return whose, joins
    joins.append("LEFT JOIN cited q ON s.access_id = q.access_id")
    return (
        f"CASE WHEN q.access_id IS NULL THEN {whose} WHEN {whose} = 'not_separable' THEN 'probable'"
        f" WHEN {whose} = 'owner' THEN 'possible' ELSE {whose} END"
    ), joins
