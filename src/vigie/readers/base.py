"""What every reader promises.

A reader turns the bytes of one file into batches of waist rows and quarantined lines. Its law:

    lines read = accepted + ignored by a named rule + quarantined with reason and position

and it holds for every batch by construction (`Batch` refuses to be built otherwise). A reader

- never raises for a line: a bad line is quarantined, an intact line never is;
- never lets a raw patient identifier out: not in a column, a quarantine detail or an error;
- quarantines as `line_too_long` any line beyond `intake.longest_line`, wherever chunks are cut;
- may keep memory of the file it reads (the account's previous identifier), never of another file;
- gives the same rows whatever the size of the chunks that it is handed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import pyarrow as pa

from vigie.events import KEY, READ_SCHEMA, TEXT, TIME, check
from vigie.language import N_
from vigie.pseudonyms import Keyring

if TYPE_CHECKING:
    from vigie.readers.intake import Intake

QUARANTINE_SCHEMA: Final = pa.schema(
    [
        pa.field("source", TEXT, nullable=False),
        pa.field("source_file", TEXT, nullable=False),
        pa.field("source_line", pa.int64(), nullable=False),
        pa.field("offset", pa.int64()),
        pa.field("line_hash", KEY, nullable=False),
        pa.field("reason", TEXT, nullable=False),
        pa.field("detail", TEXT),
    ]
)
"""A line that could not be read: where it stands (line from 1, byte offset from 0 in the
decompressed file), why (a key of REASONS), and the column at fault in `detail`, never a value."""

REASONS: Final = {
    "no_time": N_("the line has no time"),
    "bad_time": N_("the time cannot be read"),
    "bad_period": N_("it ends before it begins"),
    "bad_fields": N_("the number of fields is not that of the header"),
    "bad_encoding": N_("the bytes are not in the announced encoding"),
    "bad_json": N_("this is not valid JSON"),
    "bad_xml": N_("this is not well-formed XML"),
    "forbidden_xml": N_("the XML declares a document type or entities"),
    "bad_syslog": N_("this is not a syslog message"),
    "bad_format": N_("the line does not have the form of this log"),
    "bad_value": N_("a value that the row needs cannot be read"),
    "unknown_action": N_("the action is not in the mapping"),
    "no_action": N_("the line names no action"),
    "line_too_long": N_("the line is longer than the limit"),
    "too_deep": N_("the record is nested too deeply"),
    "nul_byte": N_("the line holds NUL bytes"),
    "truncated": N_("the file ends in the middle of a line or of its compression"),
    "unknown_kind": N_("the kind of relation is not in the mapping"),
    "wrong_resource": N_("this is a record of another kind"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """The lines of a batch or file: `read == accepted + sum(ignored) + quarantined`."""

    read: int = 0
    accepted: int = 0
    ignored: Mapping[str, int] = field(default_factory=dict)
    quarantined: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every line read is accounted for."""
        return self.read == self.accepted + sum(self.ignored.values()) + self.quarantined

    def __add__(self, other: "Tally") -> "Tally":
        """Add two tallies.

        >>> (Tally(2, 1, {"blank": 1}) + Tally(1, 0, {}, 1)).balanced
        True
        """
        rules = {**self.ignored}
        for rule, count in other.ignored.items():
            rules[rule] = rules.get(rule, 0) + count
        return Tally(
            self.read + other.read,
            self.accepted + other.accepted,
            rules,
            self.quarantined + other.quarantined,
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Waist rows (READ_SCHEMA), quarantined lines (QUARANTINE_SCHEMA) and their tally.

    `accepted` counts lines, not rows: a FHIR record of three patients is one line, three rows.
    `relations` are care relations (records.CARE), for a source that gives those instead of rows.
    """

    events: pa.Table
    quarantine: pa.Table
    tally: Tally
    relations: pa.Table | None = None

    def __post_init__(self) -> None:
        """Hold the reader to its law."""
        if not self.tally.balanced or self.quarantine.num_rows != self.tally.quarantined:
            raise AssertionError(f"a reader lost or invented lines: {self.tally}")
        check(self.events, READ_SCHEMA)


@dataclass(frozen=True, slots=True)
class Source:
    """What a mapping or a default says of a source."""

    name: str
    time_zone: str = "Europe/Paris"
    retention_days: int = 365
    mapping_version: str = "builtin-1"
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """All that a reader may know besides the bytes.

    `mapping` is the parsed TOML of the source's mapping file ({} when there is none); each reader
    checks its own part of it when it is made.
    """

    source: Source
    keyring: Keyring
    mapping: Mapping[str, Any] = field(default_factory=dict)
    mapping_file: str = ""
    now: datetime | None = None


class Reader(Protocol):
    """One format. Made once per file: `reader = READERS[name](context)`."""

    name: ClassVar[str]

    def __init__(self, context: Context) -> None:
        """Check the mapping; raise `MappingError` with the place and the remedy."""

    @classmethod
    def recognises(cls, head: bytes, filename: str) -> float:
        """Say from the first 64 KiB (decompressed) how sure one is to read this file: 0 to 1."""

    def read(self, intake: "Intake") -> Iterator[Batch]:
        """Read the whole file; see the module's text for the law."""


def no_events() -> pa.Table:
    """Return an empty table of waist rows."""
    return READ_SCHEMA.empty_table()


def quarantine_table(
    context: Context, label: str, rows: list[tuple[int, int | None, bytes, str, str | None]]
) -> pa.Table:
    """Return the quarantine table of `(line, offset, line hash, reason, detail)` rows."""
    lines, offsets, hashes, reasons, details = zip(*rows, strict=True) if rows else ((),) * 5
    return pa.table(
        [
            pa.array([context.source.name] * len(rows), pa.string()).dictionary_encode(),
            pa.array([label] * len(rows), pa.string()).dictionary_encode(),
            pa.array(lines, pa.int64()),
            pa.array(offsets, pa.int64()),
            pa.array(hashes, KEY),
            pa.array(reasons, pa.string()).dictionary_encode(),
            pa.array(details, pa.string()).dictionary_encode(),
        ],
        schema=QUARANTINE_SCHEMA,
    )


__all__ = [
    "QUARANTINE_SCHEMA",
    "READ_SCHEMA",
    "REASONS",
    "TIME",
    "Batch",
    "Context",
    "Reader",
    "Source",
    "Tally",
    "no_events",
    "quarantine_table",
]
