"""The mapping file: what an operator says of a source, in TOML, checked once for every reader.

`[source]` names it, `[columns]` says which of their columns is which of ours, `[values.<column>]`
translates their values, `[data_classes]` says what a screen shows and `[controllers]` for whom
an organisation keeps its records. A word that we do not know is refused with the nearest one.
"""

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.errors import MappingError
from vigie.events import READ_SCHEMA, VOCABULARIES
from vigie.language import N_
from vigie.readers.base import Source
from vigie.readers.moments import compile_pattern
from vigie.readers.times import check_zone
from vigie.records import CONTRACTS, DATA_CLASSES, SCREENS

SECTIONS: Final = {
    "source": "all", "data_classes": "all", "controllers": "all",
    "columns": "table", "values": "table",
    "routes": "weblog", "weblog": "weblog", "fhir": "fhir", "atna": "atna", "pgaudit": "pgaudit",
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
IGNORE: Final = "ignore:"
ANYTHING: Final = "*"
_ROLES = ("controller", "joint_controller", "processor")


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
        rows = []
        for name, said in self.raw.get("data_classes", {}).items():
            for one in _declarations(said, "classes"):
                rows += [
                    {
                        "source": self.source.name,
                        "object": name,
                        "data_class": data_class,
                        "valid_from": _moment(one.get("valid_from")),
                        "valid_until": _moment(one.get("valid_until")),
                        "attested_by": one.get("attested_by"),
                        "attested_on": one.get("attested_on"),
                    }
                    for data_class in one["classes"]
                ]
        return pa.Table.from_pylist(rows, schema=SCREENS)

    def contracts(self) -> pa.Table:
        """Return for whom each organisation keeps its records (records.CONTRACTS)."""
        rows = [
            {
                "organisation": name,
                "controller": one["controller"],
                "role": one.get("role", "controller"),
                "valid_from": _moment(one.get("valid_from")),
                "valid_until": _moment(one.get("valid_until")),
            }
            for name, said in self.raw.get("controllers", {}).items()
            for one in _declarations(said, "controller")
        ]
        return pa.Table.from_pylist(rows, schema=CONTRACTS)


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file; raises `MappingError` with the place and the remedy."""
    try:
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise MappingError(
            N_("the mapping cannot be opened ({reason})"),
            where=str(path),
            remedy=N_("check its name and your rights on it"),
            reason=error.strerror,
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(
            N_("the mapping is not TOML ({reason})"),
            where=str(path),
            remedy=N_("mend that line"),
            reason=str(error),
        ) from None
    return parse_mapping(raw, str(path))


def parse_mapping(raw: Table[str, Any], where: str = "") -> Mapping:
    """Check a mapping that was already read from TOML.

    >>> parse_mapping({"source": {"name": "ris"}}).source.name
    'ris'
    """
    _refuse_unknown(raw, SECTIONS, where, "")
    for section, said in raw.items():
        if SECTIONS[section] in ("all", "table") and not isinstance(said, dict):
            raise _wrong(where, section, N_("it must be a table"))
    said = raw.get("source", {})
    _refuse_unknown(said, _SOURCE_KEYS, where, "source")
    columns = {name: _column(name, spec, where) for name, spec in raw.get("columns", {}).items()}
    _check_columns(columns, where)
    _check_declarations(raw, where)
    files = said.get("files", [])
    if not _are_texts(files):
        raise _wrong(where, "source.files", N_("write a list of file name patterns"))
    return Mapping(
        source=_source(said, raw, where),
        reader=_text(said, "reader", where, "source", "table" if columns else ""),
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


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `word`, if any is.

    >>> nearest("Utilisateurs", ["utilisateur", "poste"])
    'utilisateur'
    """
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), folded, 1, 0.6)
    return folded[found[0]] if found else None


def missing_column(wanted: str, present: Iterable[str], where: str, file: str) -> MappingError:
    """Return the error of a mapping that names a column which the file does not have."""
    names = list(present)
    like = nearest(wanted, names)
    remedy = N_("did you mean {nearest!r}?") if like else N_("the file has: {present}")
    return MappingError(
        N_("the mapping names the column {column!r}, which {file} does not have"),
        where=where,
        remedy=remedy,
        column=wanted,
        file=file,
        nearest=like,
        present=", ".join(names[:30]),
    )


def _refuse_unknown(said: Iterable[str], known: Iterable[str], where: str, section: str) -> None:
    names = list(known)
    for word in said:
        if word not in names:
            like = nearest(word, names)
            raise MappingError(
                N_("{word!r} is not known in {section}"),
                where=where,
                remedy=N_("did you mean {nearest!r}?") if like else N_("known are: {known}"),
                word=word,
                section=f"[{section}]" if section else N_("a mapping"),
                nearest=like,
                known=", ".join(names),
            )


def _wrong(where: str, place: str, why: str, **fields: object) -> MappingError:
    return MappingError(
        N_("{place} cannot be used"), where=where, remedy=why, place=f"[{place}]", **fields
    )


def _text(said: Table[str, Any], key: str, where: str, place: str, default: str = "") -> str:
    value = said.get(key, default)
    if not isinstance(value, str):
        raise _wrong(where, f"{place}.{key}", N_("write a text between quotes"))
    return value


def _choice(value: str, known: Iterable[str], where: str, place: str) -> str:
    names = list(known)
    if value and value not in names:
        raise _wrong(where, place, N_("write one of: {known}"), known=", ".join(names))
    return value


def _source(said: Table[str, Any], raw: Table[str, Any], where: str) -> Source:
    name = _text(said, "name", where, "source")
    if not name:
        raise _wrong(where, "source", N_('give the source a name: name = "…"'))
    days = said.get("retention_days", 365)
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        raise _wrong(where, "source.retention_days", N_("write a number of days from 1"))
    zone = _text(said, "time_zone", where, "source", "Europe/Paris")
    tenant = _text(said, "tenant", where, "source") or None
    return Source(name, check_zone(zone, where), days, mapping_version(raw), tenant)


def _format(said: Any, where: str) -> Format:
    if not isinstance(said, dict):
        raise _wrong(where, "source.format", N_("it must be a table"))
    _refuse_unknown(said, _FORMAT_KEYS, where, "source.format")
    encoding = _text(said, "encoding", where, "source.format").lower()
    delimiter = _text(said, "delimiter", where, "source.format")
    quote = _text(said, "quote", where, "source.format", '"')
    for key, mark in (("delimiter", delimiter), ("quote", quote)):
        if len(mark.encode()) > 1 or mark in ("\n", "\r", "\0"):
            raise _wrong(where, f"source.format.{key}", N_("write a single ASCII character"))
    header = said.get("header")
    if header is not None and header is not True and not _are_texts(header):
        raise _wrong(where, "source.format.header", N_("write the list of the columns' names"))
    null = said.get("null", [])
    if not _are_texts(null):
        raise _wrong(where, "source.format.null", N_("write a list of texts"))
    if encoding:
        encoding = ENCODINGS[_choice(encoding, ENCODINGS, where, "source.format.encoding")]
    kind = _choice(_text(said, "kind", where, "source.format"), KINDS, where, "source.format.kind")
    names = tuple(header) if isinstance(header, list) else None
    return Format(kind, delimiter, quote, encoding, names, tuple(null))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _column(name: str, spec: Any, where: str) -> Column:
    place = f"columns.{name}"
    if name in _COMPUTED:
        raise _wrong(where, place, N_("Vigie computes this column itself"))
    _refuse_unknown([name], MAPPABLE, where, "columns")
    if isinstance(spec, str):
        spec = {"column": spec}
    if not isinstance(spec, dict):
        raise _wrong(where, place, N_("write the name of their column, or a table"))
    _refuse_unknown(spec, _COLUMN_KEYS, where, place)
    said = {key: _text(spec, key, where, place) for key in spec}
    if ("value" in said) == bool(said.get("column")):
        raise _wrong(where, place, N_("give either a column or a value"))
    return _checked_column(Column(name, **said), where, place)


def _checked_column(column: Column, where: str, place: str) -> Column:
    units: Table[str, int] = TIME_UNITS if column.name == "at" else SIZE_UNITS
    _choice(column.unit, units, where, f"{place}.unit")
    if column.unit and column.name not in ("at", "bytes"):
        raise _wrong(where, f"{place}.unit", N_("only at and bytes have a unit"))
    if column.format and column.name != "at":
        raise _wrong(where, f"{place}.format", N_("only at has a format"))
    if column.name == "at" and column.value is not None:
        raise _wrong(where, place, N_("a time cannot be constant"))
    if column.name in ("patient", "patients"):
        _choice(column.kind, PATIENT_KINDS, where, f"{place}.kind")
    elif column.authority or column.authority_column or column.kind:
        raise _wrong(where, place, N_("only patient and patients have an authority and a kind"))
    if column.separator and column.name != "patients":
        raise _wrong(where, place, N_("only patients has a separator"))
    return column


def _check_columns(columns: Table[str, Column], where: str) -> None:
    if not columns:
        return
    for name in ("at", "action"):
        if name not in columns:
            raise _wrong(where, "columns", N_("say which of their columns is {name!r}"), name=name)
    if "patient" in columns and "patients" in columns:
        raise _wrong(where, "columns", N_("give either patient or patients"))


def _values(said: Table[str, Any], where: str) -> dict[str, Table[str, str]]:
    for name, pairs in said.items():
        place = f"values.{name}"
        _refuse_unknown([name], MAPPABLE, where, "values")
        if not isinstance(pairs, dict) or not _are_texts(list(pairs.values())):
            raise _wrong(where, place, N_('write their value = "ours"'))
        known = VOCABULARIES.get(name, ())
        for ours in pairs.values():
            if name == "action" and ours.startswith(IGNORE) and len(ours) > len(IGNORE):
                continue
            if known and ours not in known:
                _refuse_value(ours, known, where, place)
    return dict(said)


def _refuse_value(ours: str, known: Iterable[str], where: str, place: str) -> None:
    like = nearest(ours, known)
    raise MappingError(
        N_("{place} gives {value!r}, which Vigie does not know"),
        where=where,
        remedy=N_("did you mean {nearest!r}?") if like else N_("known are: {known}"),
        place=f"[{place}]",
        value=ours,
        nearest=like,
        known=", ".join(known),
    )


_DATED = ("valid_from", "valid_until")
_DECLARED: Final = {
    "data_classes": ("classes", "attested_by", "attested_on", *_DATED),
    "controllers": ("controller", "role", *_DATED),
}


def _declarations(said: Any, key: str) -> list[Table[str, Any]]:
    """Return the dated declarations about one name, whichever of the three forms they have."""
    several = isinstance(said, list) and bool(said) and all(isinstance(x, dict) for x in said)
    return [one if isinstance(one, dict) else {key: one} for one in (said if several else [said])]


def _check_declarations(raw: Table[str, Any], where: str) -> None:
    for section, keys in _DECLARED.items():
        for name, said in raw.get(section, {}).items():
            place = f"{section}.{name}"
            for one in _declarations(said, keys[0]):
                _refuse_unknown(one, keys, where, place)
                _check_dates(one, where, place)
                _check_declared(section, one, where, place)


def _check_declared(section: str, one: Table[str, Any], where: str, place: str) -> None:
    if section == "controllers":
        _text(one, "controller", where, place)
        if not one.get("controller"):
            raise _wrong(where, place, N_("name the controller"))
        _choice(_text(one, "role", where, place), _ROLES, where, place)
        return
    classes = one.get("classes")
    if not _are_texts(classes) or not classes:
        raise _wrong(where, place, N_("write the list of data classes"))
    for data_class in classes:
        if data_class not in DATA_CLASSES:
            _refuse_value(data_class, DATA_CLASSES, where, place)


def _check_dates(one: Table[str, Any], where: str, place: str) -> None:
    for key in ("attested_on", *_DATED):
        if key in one and not isinstance(one[key], date):
            raise _wrong(where, f"{place}.{key}", N_("write a date, as 2025-01-31"))


def _moment(said: date | None) -> datetime | None:
    """Return the UTC moment of a TOML date or time; a date alone begins at midnight UTC."""
    if said is None:
        return None
    moment = said if isinstance(said, datetime) else datetime.combine(said, time())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
