"""Where a table of the operator is, and which of its columns identify persons."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from vigie import identifiers
from vigie.errors import MappingError, reason_of
from vigie.language import N_, Text
from vigie.readers.mapping import ENCODINGS, PATIENT_KINDS
from vigie.readers.refusals import refuse_unknown

Said = TypeVar("Said")


class Identifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column of identifiers, as the mapping of the log declares it: who gave them, or kind.

    `oid` names the column that says who gave each, where the table has one; it comes first.
    """

    column: str
    kind: str = ""
    authority: str = ""
    oid: str = ""

    @property
    def giver(self) -> str:
        """The authority under which it is pseudonymised."""
        given: str = identifiers.normal_authority(self.authority) or PATIENT_KINDS.get(
            self.kind, ""
        )
        return given

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is read from."""
        return (self.column, self.oid) if self.oid else (self.column,)


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the table is: a file beside the mapping, or a query of a database."""

    file: str = ""
    encoding: str = "utf-8"
    delimiter: str = ";"
    sql: str = ""
    query: str = ""

    def shown(self, mapping: Path) -> str:
        """What messages call it: a database's address may hold a password, so the mapping."""
        return str(mapping.parent / self.file) if self.file else str(mapping)


def load(path: Path, form: type[Said], sections: dict[str, tuple[str, ...]]) -> Said:
    """Read a mapping; `sections` says which keys each of its tables may have, () for any.

    Raises `MappingError` with what to mend.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text("utf-8-sig"))
        refuse_unknown(raw, sections, str(path), "")
        for name, keys in sections.items():
            if keys and isinstance(raw.get(name), dict):
                refuse_unknown(raw[name], keys, str(path), name)
        return msgspec.convert(raw, form)
    except (
        OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError
    ) as error:  # fmt: skip
        raise unusable(path, reason_of(error)) from None


def check_place(place: Place, path: Path) -> None:
    """Raise `MappingError` unless the place can be read from."""
    if bool(place.file) == bool(place.sql):
        raise unusable(path, N_("it names neither a file nor a database, or both"))
    if place.sql and not place.query:
        raise unusable(path, N_("a database needs a query"))
    if place.encoding.lower() not in ENCODINGS:
        raise unusable(path, N_("the encoding is not known"))
    if len(place.delimiter.encode()) != 1:
        raise unusable(path, N_("the delimiter is not one character"))


def check_identifiers(found: list[Identifier], path: Path) -> None:
    """Raise `MappingError` for a column of identifiers of which nobody knows who gave them."""
    for one in found:
        if one.kind not in ("", *PATIENT_KINDS):
            raise unusable(path, N_("the kind of an identifier is not local, nir or ins"))
        if not (one.giver or one.oid):
            raise unusable(path, N_("an identifier has neither an authority nor a national kind"))


def unusable(path: Path, reason: Text) -> MappingError:
    """Return the error of a mapping that cannot be used."""
    return MappingError(
        N_("the mapping of the register cannot be used ({reason})"),
        where=str(path),
        remedy=N_("mend it; docs/registers.md shows one"),
        reason=reason,
    )
