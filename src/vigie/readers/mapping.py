"""The mapping file: what an operator says of a source, in TOML, checked once for every reader.

`[source]` names it, `[columns]` says which of their columns is which of ours, `[values.<column>]`
translates their values, `[data_classes]` says what a screen shows and `[controllers]` for whom
an organisation keeps its records. A word that we do not know is refused with the nearest one.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.errors import MappingError, reason_of
from vigie.events import READ_SCHEMA, VOCABULARIES
from vigie.language import N_, visible
from vigie.readers import declarations
from vigie.readers.base import Source
from vigie.readers.moments import compile_pattern
from vigie.readers.refusals import (
    are_texts,
    nearest,
    one_of,
    refuse_unknown,
    refuse_value,
    text_of,
    unusable,
)
from vigie.readers.times import check_zone

SECTIONS: Final = {
    "source": "all", "data_classes": "all", "controllers": "all",
    "columns": "table", "values": "table",
    "routes": "weblog", "weblog": "weblog", "fhir": "fhir", "atna": "atna", "pgaudit": "pgaudit",
    "care": "care",
}  # fmt: skip
"""Which reader owns which section; a section of another reader is kept as it was written."""

EXTRA_COLUMNS: Final = (
    "record_id", "request_id", "patients",
    "patient_surname", "patient_given_name", "patient_address",
)  # fmt: skip
"""What a mapping may name beyond the waist."""

_COMPUTED: Final = (
    "source", "source_file", "source_line", "line_hash", "mapping_version", "clock_quality",
    "id_gap", "name_gap", "surname_key", "address_key", "flags", "part", "record_key",
    "request_key",
)  # fmt: skip
MAPPABLE: Final = (*(n for n in READ_SCHEMA.names if n not in _COMPUTED), *EXTRA_COLUMNS)

_SOURCE_KEYS = (
    "name", "files", "time_zone", "retention_days", "tenant", "reader", "format",
)  # fmt: skip
_FORMAT_KEYS = ("kind", "delimiter", "quote", "encoding", "header", "null")
_COLUMN_KEYS = (
    "column", "value", "unit", "format", "authority", "authority_column", "kind", "separator",
)  # fmt: skip
ENCODINGS: Final = {
    "utf-8": "utf-8", "utf8": "utf-8", "utf-8-sig": "utf-8", "ascii": "utf-8",
    "latin-1": "latin-1", "latin1": "latin-1", "iso-8859-1": "latin-1",
    "cp1252": "cp1252", "windows-1252": "cp1252",
    "utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be",
}  # fmt: skip
KINDS: Final = ("csv", "ndjson", "parquet")
TIME_UNITS: Final = {"s": 1_000_000, "ms": 1_000, "us": 1, "µs": 1, "ns": 0}
SIZE_UNITS: Final = {"B": 1, "kB": 1000, "KiB": 1024, "MB": 1_000_000, "MiB": 1 << 20}
PATIENT_KINDS: Final = {"local": "", "nir": "nir", "ins": "1.2.250.1.213.1.4.8"}
"""Kinds of patient identifiers and the authority that goes without saying. A NIR may be that of
a parent: it has an authority of its own and never equals an INS."""
_COLUMN_KINDS: Final[dict[str, Iterable[str]]] = {
    "patient": PATIENT_KINDS,
    "patients": PATIENT_KINDS,
    "professional": ("rpps", "adeli", "idnat_ps"),
    "organisation": ("finess", "siren", "siret", "idnat_struct"),
}
IGNORE: Final = "ignore:"
ANYTHING: Final = "*"
_LONGEST_NAME: Final = 80
_LONGEST_RETENTION: Final = 36_500


@dataclass(frozen=True, slots=True)
class Column:
    """Where one of our columns comes from: their `column`, or a constant `value`."""

    name: str
    column: str = ""
    value: str | None = None
    unit: str = ""
    format: str = ""
    authority: str = ""
    authority_column: str = ""
    kind: str = ""
    separator: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """How the file is written; empty means: find out.

    `header` is None (the first line names the columns) or the names, for files without.
    """

    kind: str = ""
    delimiter: str = ""
    quote: str = '"'
    encoding: str = ""
    header: tuple[str, ...] | None = None
    null: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping file, checked. `raw` is the TOML as it was written, for the other readers.

    `files` are the patterns of the file names it is for (none: all); an empty `reader` means
    that the file's own form decides.
    """

    source: Source
    reader: str = ""
    files: tuple[str, ...] = ()
    format: Format = Format()
    columns: Table[str, Column] = field(default_factory=dict)
    values: Table[str, Table[str, str]] = field(default_factory=dict)
    raw: Table[str, Any] = field(default_factory=dict)
    where: str = ""

    @property
    def path(self) -> Path:
        """The file it was read from."""
        return Path(self.where)

    @property
    def wanted(self) -> list[str]:
        """Their columns that the mapping names, each once."""
        named = [c.column for c in self.columns.values()]
        named += [c.authority_column for c in self.columns.values()]
        return list(dict.fromkeys(name for name in named if name))

    @property
    def texts(self) -> dict[str, tuple[str, str | None]]:
        """For each text that the rows want, their column and the constant instead of it."""
        found: dict[str, tuple[str, str | None]] = {}
        for name, column in self.columns.items():
            if name != "at":
                found[name] = (column.column, column.value)
            if column.authority_column:
                found[f"{name}.authority"] = (column.authority_column, None)
        return found

    def time_form(self) -> tuple[NDArray[np.uint8], int]:
        """Return how times are written: a program of `moments`, and a scale (-1: no epoch)."""
        at = self.columns["at"]
        return compile_pattern(at.format, self.where), TIME_UNITS.get(at.unit, -1)

    def screens(self) -> pa.Table:
        """Return what each screen shows (records.SCREENS)."""
        return declarations.screens(self.raw.get("data_classes", {}), self.source.name)

    def contracts(self) -> pa.Table:
        """Return for whom each organisation keeps its records (records.CONTRACTS)."""
        return declarations.contracts(self.raw.get("controllers", {}))

    def authorities(self) -> pa.Table:
        """Return by what kinds of identifiers the source names patients (records.AUTHORITIES)."""
        named = [c.kind for name, c in self.columns.items() if name in ("patient", "patients")]
        return declarations.authorities(named, self.source.name)


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file; raises `MappingError` with the place and the remedy."""
    try:
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise MappingError(
            N_("the mapping cannot be opened ({reason})"),
            where=str(path),
            remedy=N_("check its name and your rights on it"),
            reason=reason_of(error),
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(
            N_("the mapping is not TOML ({reason})"),
            where=str(path),
            remedy=N_("mend that line"),
            reason=reason_of(error),
        ) from None
    except RecursionError:
        raise MappingError(
            N_("the mapping is nested too deeply"), where=str(path), remedy=N_("write it flat")
        ) from None
    return parse_mapping(raw, str(path))


def parse_mapping(raw: Table[str, Any], where: str = "") -> Mapping:
    """Check a mapping that was already read from TOML.

    >>> parse_mapping({"source": {"name": "ris"}}).source.name
    'ris'
    """
    refuse_unknown(raw, SECTIONS, where, "")
    for section, said in raw.items():
        if SECTIONS[section] in ("all", "table") and not isinstance(said, dict):
            raise unusable(where, section, N_("it must be a table"))
    said = raw.get("source", {})
    refuse_unknown(said, _SOURCE_KEYS, where, "source")
    columns = {name: _column(name, spec, where) for name, spec in raw.get("columns", {}).items()}
    _check_columns(columns, where)
    declarations.check(raw, where)
    files = said.get("files", [])
    if not are_texts(files):
        raise unusable(where, "source.files", N_("write a list of file name patterns"))
    return Mapping(
        source=_source(said, raw, where),
        reader=text_of(said, "reader", where, "source", "table" if columns else ""),
        files=tuple(files),
        format=_format(said.get("format", {}), where),
        columns=columns,
        values=_values(raw.get("values", {}), where),
        raw=raw,
        where=where,
    )


def mapping_version(raw: Table[str, Any]) -> str:
    """Return a short hash of what a mapping says, whatever its layout and comments.

    >>> mapping_version({"a": 1, "b": 2}) == mapping_version({"b": 2, "a": 1})
    True
    """
    canonical = json.dumps(raw, sort_keys=True, default=str, ensure_ascii=False)
    return "m-" + hashlib.blake2b(canonical.encode(), digest_size=6).hexdigest()


def _source(said: Table[str, Any], raw: Table[str, Any], where: str) -> Source:
    name = text_of(said, "name", where, "source")
    if not name:
        raise unusable(where, "source", N_('give the source a name: name = "…"'))
    if visible(name) != name or len(name.encode()) > _LONGEST_NAME:
        raise unusable(where, "source.name", N_("write a short name without control characters"))
    days = said.get("retention_days", 365)
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= _LONGEST_RETENTION:
        raise unusable(where, "source.retention_days", N_("write a number of days from 1 to 36500"))
    zone = text_of(said, "time_zone", where, "source", "Europe/Paris")
    tenant = text_of(said, "tenant", where, "source") or None
    return Source(name, check_zone(zone, where), days, mapping_version(raw), tenant)


def _format(said: Any, where: str) -> Format:
    if not isinstance(said, dict):
        raise unusable(where, "source.format", N_("it must be a table"))
    refuse_unknown(said, _FORMAT_KEYS, where, "source.format")
    encoding = text_of(said, "encoding", where, "source.format").lower()
    delimiter = text_of(said, "delimiter", where, "source.format")
    quote = text_of(said, "quote", where, "source.format", '"')
    for key, mark in (("delimiter", delimiter), ("quote", quote)):
        if len(mark.encode()) > 1 or mark in ("\n", "\r", "\0"):
            raise unusable(where, f"source.format.{key}", N_("write a single ASCII character"))
    header = said.get("header")
    if header is not None and header is not True and not are_texts(header):
        raise unusable(where, "source.format.header", N_("write the list of the columns' names"))
    null = said.get("null", [])
    if not are_texts(null):
        raise unusable(where, "source.format.null", N_("write a list of texts"))
    if encoding:
        encoding = ENCODINGS[one_of(encoding, ENCODINGS, where, "source.format.encoding")]
    kind = one_of(text_of(said, "kind", where, "source.format"), KINDS, where, "source.format.kind")
    names = tuple(header) if isinstance(header, list) else None
    return Format(kind, delimiter, quote, encoding, names, tuple(null))


def _column(name: str, spec: Any, where: str) -> Column:
    place = f"columns.{name}"
    if name in _COMPUTED:
        raise unusable(where, place, N_("Vigie computes this column itself"))
    refuse_unknown([name], MAPPABLE, where, "columns")
    if isinstance(spec, str):
        spec = {"column": spec}
    if not isinstance(spec, dict):
        raise unusable(where, place, N_("write the name of their column, or a table"))
    refuse_unknown(spec, _COLUMN_KEYS, where, place)
    said = {key: text_of(spec, key, where, place) for key in spec}
    if ("value" in said) == bool(said.get("column")):
        raise unusable(where, place, N_("give either a column or a value"))
    return _checked_column(Column(name, **said), where, place)


def _checked_column(column: Column, where: str, place: str) -> Column:
    units: Table[str, int] = TIME_UNITS if column.name == "at" else SIZE_UNITS
    one_of(column.unit, units, where, f"{place}.unit")
    if column.unit and column.name not in ("at", "bytes"):
        raise unusable(where, f"{place}.unit", N_("only at and bytes have a unit"))
    if column.format and column.name != "at":
        raise unusable(where, f"{place}.format", N_("only at has a format"))
    if column.name == "at" and column.value is not None:
        raise unusable(where, place, N_("a time cannot be constant"))
    one_of(column.kind, _COLUMN_KINDS.get(column.name, ("",)), where, f"{place}.kind")
    named = column.authority or column.authority_column
    if named and column.name not in ("patient", "patients"):
        raise unusable(where, place, N_("only patient and patients have an authority"))
    if column.separator and column.name != "patients":
        raise unusable(where, place, N_("only patients has a separator"))
    return column


def _check_columns(columns: Table[str, Column], where: str) -> None:
    if not columns:
        return
    for name in ("at", "action"):
        if name not in columns:
            raise unusable(
                where, "columns", N_("say which of their columns is {name!r}"), name=name
            )
    if "patient" in columns and "patients" in columns:
        raise unusable(where, "columns", N_("give either patient or patients"))


def _values(said: Table[str, Any], where: str) -> dict[str, Table[str, str]]:
    for name, pairs in said.items():
        place = f"values.{name}"
        refuse_unknown([name], MAPPABLE, where, "values")
        if not isinstance(pairs, dict) or not are_texts(list(pairs.values())):
            raise unusable(where, place, N_('write their value = "ours"'))
        known = VOCABULARIES.get(name, ())
        for ours in pairs.values():
            if name == "action" and ours.startswith(IGNORE) and len(ours) > len(IGNORE):
                continue
            if known and ours not in known:
                refuse_value(ours, known, where, place)
    return dict(said)


__all__ = [
    "ANYTHING", "ENCODINGS", "IGNORE", "KINDS", "MAPPABLE", "PATIENT_KINDS", "SECTIONS",
    "SIZE_UNITS", "TIME_UNITS", "Column", "Format", "Mapping", "load_mapping",
    "mapping_version", "nearest", "parse_mapping",
]  # fmt: skip
