"""The audit entries of one server log, read in the order in which they happened.

One statement may give several entries: one per relation, one per function that it called, and one
for the audit role beside one for the session. Each access to a relation counts once. Entries that
leave the statement out (`<previously logged>`) find it in the memory of their session.

Source: pgAudit 1.4 to 17, "Format"; the order and repetition of entries as a real server writes
them (see the tests).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from vigie.readers.pgaudit.asked import (
    Asked,
    Keyed,
    asked,
    is_system,
    parameters_of,
    relation_of,
    resolve,
)
from vigie.readers.pgaudit.sql_statements import Statement, read_statement

_FIELD: Final = r'(?:"(?:[^"]++|"")*+"|[^,"\r\n]*+)'
_ENTRY: Final = re.compile(
    r"AUDIT: (?P<type>SESSION|OBJECT),(?P<statement>\d++),(?P<sub>\d++),(?P<class>[A-Z_]++),"
    rf"(?P<command>[^,\"]*+),[^,\"]*+,(?P<object>{_FIELD}),"
    rf"(?P<text>{_FIELD}),(?P<parameters>{_FIELD})(?:,(?P<rows>\d++))?"
)
_RELATION: Final = re.compile(
    r'(?:[^\W\d][\w$]*+|"[^"\d][^"]*+")(?:\.(?:[^\W\d][\w$]*+|"[^"\d][^"]*+"))*+'
)
_UNTOLD: Final = ("<not logged>", "<previously logged>")
_COUNTED: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"})
_WRITES: Final = {
    "INSERT": "create", "COPY": "create", "COPY FROM": "create", "UPDATE": "update",
    "MERGE": "update", "DELETE": "delete", "TRUNCATE TABLE": "delete", "TRUNCATE": "delete",
}  # fmt: skip
_VERBS: Final = {
    "select": "list", "table": "list", "copy": "export", "insert": "create", "update": "update",
    "delete": "delete", "truncate": "delete",
}  # fmt: skip
_MISCELLANEOUS: Final = {"set session authorization": "privilege_change"}
_UNCLASSED: Final = {"merge": "update"}
"""What pgAudit 1.7 files under MISC although it writes."""
_LOG_SETTINGS: Final = ("log_", "pgaudit.", "logging_collector", "shared_preload_libraries")
_RIGHTS: Final = frozenset(
    {"grant", "revoke", "owner", "policy", "privileges", "security", "role", "user"}
)
_SESSIONS: Final = 20_000


class Malformed(Exception):
    """The message says AUDIT but is no audit entry."""


@dataclass(frozen=True, slots=True)
class Access:
    """What one entry says; `statement` tells the entries of one statement apart from others."""

    action: str
    asked: Asked
    count: int | None
    statement: str
    request: str | None


@dataclass(slots=True)
class _Session:
    logged_in: bool = False
    statement: str = ""
    texts: dict[str, tuple[Statement | None, list[str]]] = field(default_factory=dict)
    seen: set[tuple[str, str | None, str]] = field(default_factory=set)
    exported: bool = False


class Entries:
    """Reads audit entries; made once per file. `audit_tables` are themselves a log."""

    def __init__(self, tables: Mapping[str, Keyed], audit_tables: frozenset[str]) -> None:
        self._tables = tables
        self._audit_tables = audit_tables
        self._sessions: dict[str, _Session] = {}

    def log_in(self, session: str) -> bool:
        """Say whether this is the first that the log tells of the session's identity."""
        memory = self._session(session)
        first, memory.logged_in = not memory.logged_in, True
        return first

    def log_out(self, session: str) -> None:
        """Forget a session that ended."""
        self._sessions.pop(session, None)

    def read(self, session: str, message: str) -> Access | str:
        """Return the access that an entry tells of, or the rule that ignores it.

        Raises `Malformed`.
        """
        entry = _ENTRY.fullmatch(message)
        if not entry:
            raise Malformed
        memory = self._session(session)
        if memory.statement != entry["statement"]:
            memory.statement, memory.exported = entry["statement"], False
            memory.texts, memory.seen = {}, set()
        statement, bound = _told(memory, entry)
        relation = self._relation(entry, statement)
        action = self._action(entry, statement, relation)
        rule = _ignored(entry, statement, relation, action)
        if rule:
            return rule
        said = self._asked(action, statement, relation, bound)
        if action == "list" and said.shape == "exact_id":
            action = "open"
        if _repeats(memory, entry, relation, action):
            return "repeated_statement"
        return Access(
            action,
            said,
            _count(entry, statement),
            f"{session}/{entry['statement']}",
            statement.request if statement else None,
        )

    def refused(self, query: str) -> Access:
        """Return the access that a statement would have been, had the server not refused it."""
        statement = read_statement(query)
        relation = relation_of(statement, self._tables, statement.verb != "select")
        action = _VERBS.get(statement.verb, "other")
        said = self._asked(action, statement, relation, [])
        return Access(action, said, None, "", statement.request)

    def _asked(
        self, action: str, statement: Statement | None, relation: str | None, bound: list[str]
    ) -> Asked:
        if statement is None or relation is None or action not in _VERBS.values():
            return Asked(relation, None)
        said = asked(statement, relation, bound, self._tables)
        return said._replace(shape=None) if action == "create" else said

    def _is_trail(self, relation: str | None, statement: Statement | None) -> bool:
        named = statement.relations if statement else ()
        touched = {resolve(name, self._audit_tables) for name in named}
        return bool((touched | {relation}) & self._audit_tables)

    def _session(self, session: str) -> _Session:
        memory = self._sessions.get(session)
        if memory is None:
            if len(self._sessions) >= _SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            memory = self._sessions[session] = _Session()
        return memory

    def _relation(self, entry: "re.Match[str]", statement: Statement | None) -> str | None:
        name = _unquoted(entry["object"])
        if not name:
            writes = entry["class"] != "READ"
            return relation_of(statement, self._tables, writes) if statement else None
        if entry["class"] not in ("READ", "WRITE"):
            name = name.partition("(")[0]
        if not _RELATION.fullmatch(name):
            if entry["class"] in ("READ", "WRITE"):
                raise Malformed
            return None
        bare = name.replace('"', "")
        return resolve(bare, self._tables)

    def _action(
        self, entry: "re.Match[str]", statement: Statement | None, relation: str | None
    ) -> str:
        """The action of the waist, or "" for what is no access."""
        settings = statement.settings if statement else ()
        if any(name.startswith(_LOG_SETTINGS) for name in settings):
            return "log_change"
        group, command = entry["class"], entry["command"]
        if group == "READ" or (group == "WRITE" and statement and statement.verb == "select"):
            exports = command == "COPY" or (statement and statement.verb == "copy")
            return "export" if exports else "list"
        if group in ("WRITE", "DDL") and self._is_trail(relation, statement):
            return "" if command in ("INSERT", "COPY") else "log_change"
        if group == "WRITE":
            return _WRITES.get(command, "other")
        if group == "ROLE":
            return "privilege_change"
        if group == "DDL":
            return _ddl(command, statement)
        if group.startswith("MISC") and statement:
            return _MISCELLANEOUS.get(
                " ".join(statement.words[:3]), _UNCLASSED.get(statement.verb, "")
            )
        return ""


_IGNORED: Final = {"FUNCTION": "function", "WRITE": "audit_trail", "DDL": "misc"}


def _told(memory: _Session, entry: "re.Match[str]") -> tuple[Statement | None, list[str]]:
    """The statement of an entry and its parameters, from memory when logged before."""
    text = _unquoted(entry["text"])
    if text in _UNTOLD:
        return memory.texts.get(entry["sub"], (None, []))
    told = read_statement(text), parameters_of(_unquoted(entry["parameters"]))
    memory.texts[entry["sub"]] = told
    return told


def _ignored(
    entry: "re.Match[str]", statement: Statement | None, relation: str | None, action: str
) -> str | None:
    """The rule that ignores a statement which touches no record and changes no right."""
    if not action:
        return _IGNORED.get(entry["class"], "misc")
    if entry["class"] not in ("READ", "WRITE") or action == "log_change":
        return None
    if entry["command"] == "PREPARE":
        return "prepared"
    if entry["class"] == "READ" and statement and statement.words[:1] == ("explain",):
        return "explained"
    if relation is None:
        return "no_relation" if statement and statement.plain else None
    return "catalog" if is_system(relation) else None


def _repeats(memory: _Session, entry: "re.Match[str]", relation: str | None, action: str) -> bool:
    """Whether this relation was already told for the same statement.

    COPY of a query gives an entry for the query and one more for the COPY itself.
    """
    if entry["command"] == "COPY" and action == "export" and memory.exported:
        return True
    memory.exported = memory.exported or action == "export"
    key = (entry["sub"], relation, action)
    known = key in memory.seen
    memory.seen.add(key)
    return known


def _count(entry: "re.Match[str]", statement: Statement | None) -> int | None:
    """The rows that were counted: not those of COPY, nor of a cursor that is read later."""
    streams = statement is not None and statement.words[:1] == ("declare",)
    counted = entry["command"] in _COUNTED and entry["rows"] is not None
    return int(entry["rows"]) if counted and not streams else None


def _ddl(command: str, statement: Statement | None) -> str:
    words = statement.words if statement else ()
    if "extension" in words and "pgaudit" in words and command != "CREATE EXTENSION":
        return "log_change"
    return "privilege_change" if _RIGHTS & set(words[:8]) else "other"


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if text[:1] == '"' else text
