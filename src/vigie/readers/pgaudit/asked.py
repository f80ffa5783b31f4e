"""What a statement asked of which relation: the shape of its query and the patients it names.

Literals are read only where the mapping says that a column of a table identifies patients.
"""

import csv
import io
import re
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from vigie.readers.pgaudit.sql_conditions import Condition, Value
from vigie.readers.pgaudit.sql_statements import Statement

_SUPPRESSED: Final = re.compile(r"<long (?:field|param) suppressed>")
_ARRAY_ITEM: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)')
_TARGETING: Final = frozenset({"insert", "update", "delete", "merge"})
_SYSTEM: Final = ("pg_", "information_schema.")


class Asked(NamedTuple):
    """The relation read or written, the shape of the query, and raw patient identifiers."""

    relation: str | None
    shape: str | None
    identifiers: tuple[str, ...] = ()


class Keyed(NamedTuple):
    """The columns of a table that hold patient identifiers and, if known, surnames."""

    column: str
    name: str


def parameters_of(field: str) -> list[str]:
    """Return the bound parameters of an audit entry; those that were not logged are missing.

    >>> parameters_of('P18,"a ""b"" c",')
    ['P18', 'a "b" c', '']
    >>> parameters_of("<not logged>")
    []
    """
    if field in ("<none>", "<not logged>", "<previously logged>"):
        return []
    rows = csv.reader(io.StringIO(field, newline=""))
    return ["" if _SUPPRESSED.fullmatch(item) else item for item in next(rows, [])]


def resolve(name: str, tables: Collection[str]) -> str:
    """Return the declared table that `name` means: itself, or the only one of that bare name."""
    if name in tables or "." in name:
        return name
    bare = [table for table in tables if table.rpartition(".")[2] == name]
    return bare[0] if len(bare) == 1 else name


def is_system(relation: str) -> bool:
    """Say whether a relation belongs to PostgreSQL's own catalogues."""
    return relation.startswith(_SYSTEM)


def relation_of(statement: Statement, tables: Mapping[str, Keyed], writes: bool) -> str | None:
    """Return the relation that matters when the audit entry names none.

    For a write its target; for a reading a patient table first, never the target.
    """
    names = [resolve(name, tables) for name in statement.relations]
    if statement.verb in _TARGETING:
        names = names[:1] if writes else names[1:]
    own = [name for name in names if not is_system(name)]
    declared = [name for name in names if name in tables]
    return next(iter(declared or own or names), None)


def asked(
    statement: Statement, relation: str, bound: list[str], tables: Mapping[str, Keyed]
) -> Asked:
    """Say what `statement` asked of `relation`; `bound` are its parameters, if logged."""
    keyed = tables.get(relation)
    if statement.inserted:
        values = statement.inserted.get(keyed.column, ()) if keyed else ()
        return Asked(relation, None, _texts(values, bound))
    if statement.conditions is None:
        return Asked(relation, "none" if statement.plain else "criteria")
    means = {alias: resolve(name, tables) == relation for alias, name in statement.aliases.items()}
    for condition in statement.conditions if keyed and statement.plain else ():
        mine = means.get(condition.qualifier.rpartition(".")[2], not condition.qualifier)
        if keyed and mine and condition.column == keyed.column and condition.operator != "like":
            return Asked(relation, "exact_id", _identifiers(condition, bound))
    shapes = {_shape(condition, bound, keyed) for condition in statement.conditions}
    order = ("wildcard", "prefix", "exact_name")
    return Asked(relation, next((shape for shape in order if shape in shapes), "criteria"))


def _identifiers(condition: Condition, bound: list[str]) -> tuple[str, ...]:
    texts = _texts(condition.values, bound)
    if condition.operator == "any":
        return tuple(_unescaped(*found) for text in texts for found in _ARRAY_ITEM.findall(text))
    return texts


def _unescaped(quoted: str, plain: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted) if quoted else plain


def _texts(values: tuple[Value, ...], bound: list[str]) -> tuple[str, ...]:
    said = (_text(value, bound) for value in values)
    return tuple(text for text in said if text)


def _text(value: Value, bound: list[str]) -> str:
    if not value.parameter:
        return value.text
    return bound[value.parameter - 1] if value.parameter <= len(bound) else ""


def _shape(condition: Condition, bound: list[str], keyed: Keyed | None) -> str:
    named = bool(keyed and keyed.name and condition.column == keyed.name)
    if condition.operator == "like":
        pattern = _text(condition.values[0], bound)
        if not pattern:
            return "criteria"
        if pattern[0] in "%_":
            return "wildcard"
        if "%" in pattern or "_" in pattern:
            return "prefix"
    return "exact_name" if named and condition.operator in ("=", "like") else "criteria"
