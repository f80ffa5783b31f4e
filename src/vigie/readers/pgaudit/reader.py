"""PostgreSQL's audit log: pgAudit entries in csvlog files, with logins and refusals.

A database account that reads the patient table in bulk is an access with a record count. Patients
appear only where `[pgaudit] patient_tables` says which column identifies them.

pgAudit counts rows (`pgaudit.log_rows`) for statements that return them, not for COPY of a table
nor for a cursor: those have no `record_count`, and the log cannot say more. Turning the audit off
for one's own session leaves no entry; turning it on again leaves one.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
import pyarrow as pa

from vigie.errors import ReadingError
from vigie.language import N_
from vigie.readers.base import Batch, Context, Tally, quarantine_table
from vigie.readers.clock import Clock
from vigie.readers.intake import Chunk, Intake
from vigie.readers.patients import Declared, Patient, Pseudonymiser, declared, patient
from vigie.readers.pgaudit.asked import Keyed
from vigie.readers.pgaudit.csvlog import RECORD, Piece, moment, pieces, text
from vigie.readers.pgaudit.entries import Access, Entries, Malformed
from vigie.readers.rows import waist_table
from vigie.readers.sections import read_section
from vigie.readers.times import clock_column

_MOST_PATIENTS: Final = 1000
"""A statement that names more patients than this keeps the first ones; its count stays whole."""
_METHOD: Final = re.compile(r"m[eé]thode?=(\S+)")
_GOODBYE: Final = re.compile(r"\d+:\d\d:\d\d\.\d{3}.*=.*=.*=", re.DOTALL)
_REFUSED_LOGIN: Final = (b"28P01", b"28000")
_REFUSED_RIGHT: Final = b"42501"


class PatientTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of patients: the column that identifies them and, if any, that of surnames."""

    column: str
    authority: str = ""
    kind: str = ""
    name: str = ""


class PgAuditSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[pgaudit]`: tables (`schema.table`) of patients, tables of audit trails, services."""

    patient_tables: dict[str, PatientTable] = {}
    audit_tables: list[str] = []
    service_accounts: list[str] = []
    encoding: str = "utf-8"


class PgAuditReader:
    """Reads one csvlog file."""

    name: ClassVar[str] = "pgaudit"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._section = read_section(context, "pgaudit", PgAuditSection)
        tables = self._section.patient_tables
        self._declared = {
            name: declared(context, said.authority, said.kind) for name, said in tables.items()
        }
        keyed = {name: Keyed(said.column, said.name) for name, said in tables.items()}
        self._entries = Entries(keyed, frozenset(self._section.audit_tables))
        self._services = frozenset(self._section.service_accounts)
        self._pseudonymiser = Pseudonymiser(context)
        self._clock = Clock()

    @classmethod
    def recognises(cls, head: bytes, filename: str) -> float:
        """See whether the file begins with csvlog records."""
        found = RECORD.match(head)
        if not found:
            return 0.0
        return 0.95 if b'"AUDIT: ' in head else 0.7

    def read(self, intake: Intake) -> Iterator[Batch]:
        """Read the whole file; a record that spans lines counts as one line."""
        rest, line, offset = b"", 1, 0
        for chunk in intake.chunks():
            if chunk.overlong:
                if rest:
                    yield self._batch(rest, intake, line, offset, cut="bad_format")[0]
                    line += rest.count(b"\n")
                yield self._overlong(chunk, intake.label)
                rest, line = b"", chunk.first_line + 1
                continue
            if not rest:
                line, offset = chunk.first_line, chunk.offset
            data = rest + chunk.data
            batch, resume = self._batch(data, intake, line, offset, final=False)
            yield batch
            line, offset = line + data.count(b"\n", 0, resume), offset + resume
            rest = data[resume:]
        if rest:
            yield self._batch(rest, intake, line, offset)[0]
        if not intake.size:
            raise ReadingError(
                N_("the file is empty"), where=intake.label, remedy=N_("check how it was exported")
            )

    def _batch(
        self,
        data: bytes,
        intake: Intake,
        line: int,
        offset: int,
        final: bool = True,
        cut: str = "truncated",
    ) -> tuple[Batch, int]:
        found, resume = pieces(data, intake.longest_line, final, cut)
        filling = _Filling()
        for place, piece in enumerate(found):
            self._file(filling, place, piece)
        starts = np.array([piece.start for piece in found], np.int64)
        ends = np.array([piece.end for piece in found], np.int64)
        breaks = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
        lines = line + np.searchsorted(breaks, starts)
        longs = np.flatnonzero(ends - starts > intake.longest_line)
        hashes = self._context.keyring.record_hashes(data, starts, ends, longs)
        return self._filled(filling, intake.label, lines, offset + starts, hashes), resume

    def _overlong(self, chunk: Chunk, label: str) -> Batch:
        key = self._context.keyring.digest_keys([chunk.digest])[0].as_py()
        row = (chunk.first_line, chunk.offset, key, "line_too_long", None)
        return Batch(
            waist_table(self._context, label, 0, {}),
            quarantine_table(self._context, label, [row]),
            Tally(1, 0, {}, 1),
        )

    def _file(self, filling: "_Filling", place: int, piece: Piece) -> None:
        """Accept, ignore or quarantine one record."""
        if piece.found is None:
            if piece.reason == "blank":
                filling.ignore("blank")
            else:
                filling.quarantined.append((place, piece.reason, None))
            return
        try:
            told = self._told(piece.found)
        except UnicodeDecodeError:
            filling.quarantined.append((place, "bad_encoding", None))
        except Malformed:
            filling.quarantined.append((place, "bad_format", "message"))
        except ValueError:
            filling.quarantined.append((place, "bad_time", "log_time"))
        else:
            if isinstance(told, str):
                filling.ignore(told)
            else:
                filling.accept(place, told)

    def _told(self, found: "re.Match[bytes]") -> "list[dict[str, Any]] | str":
        """The rows of one record, or the rule that ignores it."""
        at, doubt = moment(found, self._context.source.time_zone)
        message = text(found, "message", self._section.encoding)
        session = found["session"].decode()
        access = self._access(found, session, message)
        if isinstance(access, str):
            return access
        account = text(found, "user", self._section.encoding) or None
        row = {
            "at": at,
            "doubt": doubt,
            "account": account,
            "actor_kind": "service" if account in self._services else None,
            "session": session,
            "client_app": text(found, "application", self._section.encoding) or None,
            "network": _address(text(found, "client", "utf-8")),
            "record_key": f"{session}:{found['number'].decode()}",
            "outcome": "success",
            **access,
        }
        named = row.pop("patients", ()) or (None,)
        return [{**row, "named": one, "part": part} for part, one in enumerate(named)]

    def _access(
        self, found: "re.Match[bytes]", session: str, message: str
    ) -> "dict[str, Any] | str":
        if message.startswith("AUDIT: "):
            told = self._entries.read(session, message)
            return told if isinstance(told, str) else self._described(told)
        state, tag = found["state"], found["tag"]
        if state in _REFUSED_LOGIN:
            return {"action": "login", "outcome": "serious_failure"}
        if state == _REFUSED_RIGHT:
            refused = self._entries.refused(text(found, "query", self._section.encoding))
            return {**self._described(refused), "outcome": "serious_failure"}
        if state == b"00000" and tag == b'"authentication"':
            if not self._entries.log_in(session):
                return "same_login"
            method = _METHOD.search(message)
            return {"action": "login", "auth_method": method[1] if method else None}
        if state == b"00000" and found["user"] not in (b"", b'""') and _GOODBYE.search(message):
            self._entries.log_out(session)
            return {"action": "logout"}
        return "not_audit"

    def _described(self, told: Access) -> dict[str, Any]:
        relation, shape, identifiers = told.asked
        said = self._declared.get(relation or "")
        named = _patients(said, identifiers) if said else ()
        return {
            "action": told.action,
            "object": relation,
            "query_shape": shape,
            "record_count": told.count,
            "request_key": told.request or told.statement or None,
            "patients": named,
        }

    def _filled(
        self, filling: "_Filling", label: str, lines: Any, offsets: Any, hashes: pa.Array
    ) -> Batch:
        rows, places = filling.rows, filling.places
        columns: dict[str, Any] = {name: [row.get(name) for row in rows] for name in _COLUMNS}
        ring, source = self._context.keyring, self._context.source.name
        requests = pa.array([row.get("request_key") for row in rows], pa.string())
        records = pa.array([row["record_key"] for row in rows], pa.string())
        patients = list(dict.fromkeys(row["named"] for row in rows if row["named"]))
        distinct = {one: place for place, one in enumerate(patients)}
        codes = np.array([distinct.get(row["named"], -1) for row in rows], np.int32)
        who = pa.array(columns["account"], pa.string())
        columns |= self._pseudonymiser.columns(who, patients, codes)
        doubts = np.array([row["doubt"] for row in rows], np.int8)
        self._clock.mark(np.array(columns["at"], np.int64), doubts)
        columns |= {
            "source_line": pa.array(lines[places], pa.int64()),
            "line_hash": hashes.take(pa.array(places, pa.int64())),
            "clock_quality": clock_column(doubts),
            "record_key": ring.pseudonyms(records, source, "record"),
            "request_key": ring.pseudonyms(requests, "", "request"),
        }
        refused: list[tuple[int, int | None, bytes, str, str | None]] = [
            (int(lines[place]), int(offsets[place]), hashes[place].as_py(), reason, detail)
            for place, reason, detail in filling.quarantined
        ]
        return Batch(
            waist_table(self._context, label, len(rows), columns),
            quarantine_table(self._context, label, refused),
            Tally(len(lines), filling.accepted, dict(filling.ignored), len(refused)),
        )


_COLUMNS: Final = (
    "at", "account", "actor_kind", "session", "client_app", "network", "auth_method", "action",
    "object", "query_shape", "record_count", "outcome", "part",
)  # fmt: skip


class _Filling:
    """What a batch holds so far."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.places: list[int] = []
        self.accepted = 0
        self.ignored: Counter[str] = Counter()
        self.quarantined: list[tuple[int, str, str | None]] = []

    def ignore(self, rule: str) -> None:
        self.ignored[rule] += 1

    def accept(self, place: int, rows: list[dict[str, Any]]) -> None:
        self.accepted += 1
        self.rows += rows
        self.places += [place] * len(rows)


def _patients(said: Declared, identifiers: tuple[str, ...]) -> tuple[Patient, ...]:
    distinct = dict.fromkeys(patient(said, raw) for raw in identifiers[:_MOST_PATIENTS])
    return tuple(one for one in distinct if one is not None)


def _address(client: str) -> str | None:
    """The client's address without its port; `[local]` is a socket of the machine itself."""
    address, _, port = client.rpartition(":")
    return (address if address and port.isdigit() else client) or None
