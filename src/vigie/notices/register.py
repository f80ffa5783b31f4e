"""The operator's own register, the one place where names come from, read in batches.

A mapping in TOML says where the register is and which of its columns is what; the pseudonym of
each row is computed on the fly, as the readers compute it, and the row is forgotten unless it is
one of those asked for:

    [register]
    file = "patients.csv"            # or sql = "postgresql://…" and query = "SELECT …"
    encoding = "cp1252"

    [[identifiers]]
    column = "ins"
    kind = "ins"

    [columns]
    surname = "nom_naissance"
    given_name = "prenom"
    address = "adresse"
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie import identifiers
from vigie.errors import MappingError, reason_of
from vigie.language import N_
from vigie.notices.sources import Damage, open_source
from vigie.pseudonyms import Keyring
from vigie.readers.mapping import ENCODINGS, PATIENT_KINDS
from vigie.readers.nir import plainly_sound
from vigie.readers.refusals import refuse_unknown

FIELDS: Final = (
    "reference", "surname", "used_name", "given_name", "sex", "birth_date",
    "address", "address_more", "postcode", "city", "country", "email", "language",
    "deceased", "protected", "guardian", "guardian_address", "guardian_postcode",
    "guardian_city", "guardian_email",
)  # fmt: skip
"""What a register may say of a person. `deceased` and `protected` are true when they say so
(see `yes`); `guardian` is who answers for a minor or a protected adult."""
YES: Final = ("1", "o", "oui", "y", "yes", "true", "vrai", "x", "d", "dcd", "decede", "décédé")
_NIR_KINDS: Final = frozenset({"nir", "ins"})


class Identifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column of identifiers, as the mapping of the log declares it: who gave them, or kind."""

    column: str
    kind: str = ""
    authority: str = ""

    @property
    def giver(self) -> str:
        """The authority under which it is pseudonymised."""
        given: str = identifiers.normal_authority(self.authority) or PATIENT_KINDS.get(
            self.kind, ""
        )
        return given

    @property
    def form(self) -> str:
        """The kind by which it is brought to its normal form."""
        return self.kind or identifiers.kind_of_authority(self.giver) or "local"


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the register is: a file beside the mapping, or a query of a database."""

    name: str = "register"
    file: str = ""
    encoding: str = "utf-8"
    delimiter: str = ";"
    sql: str = ""
    query: str = ""


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mapping of a register, as it is written."""

    register: Place
    identifiers: list[Identifier]
    columns: dict[str, str]
    yes: tuple[str, ...] = YES


@dataclass
class Tally:
    """What became of the rows of a register in one reading; nothing is left out of it."""

    rows: int = 0
    without_identifier: int = 0
    damaged: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """Some rows: for each column of identifiers the pseudonyms, and the fields as text."""

    keys: tuple[pa.Array, ...]
    fields: pa.Table


class Register:
    """A register that can be read as often as needed, a batch of rows at a time."""

    def __init__(self, mapping: Mapping, keyring: Keyring, where: Path) -> None:
        self.mapping, self._keyring, self.where = mapping, keyring, where
        self.tally = Tally()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that this register has."""
        return tuple(name for name in FIELDS if name in self.mapping.columns)

    def batches(self) -> Iterator[Batch]:
        """Read the register from its beginning; `tally` then counts this reading."""
        self.tally = Tally()
        damage = Damage(self.tally.damaged)
        wanted = [i.column for i in self.mapping.identifiers]
        wanted += [column for column in self.mapping.columns.values() if column not in wanted]
        place = self.mapping.register
        for table in open_source(place, self.where, wanted, damage):
            yield self._batch(table)

    def _batch(self, table: pa.Table) -> Batch:
        keys = tuple(self._keys(table[i.column], i) for i in self.mapping.identifiers)
        named = np.zeros(table.num_rows, np.bool_)
        for one in keys:
            named |= one.is_valid().to_numpy(zero_copy_only=False)
        self.tally.rows += table.num_rows
        self.tally.without_identifier += int(table.num_rows - named.sum())
        said = {name: table[self.mapping.columns[name]] for name in self.fields}
        return Batch(keys, pa.table(said))

    def _keys(self, column: pa.ChunkedArray, identifier: Identifier) -> pa.Array:
        values = pc.utf8_trim_whitespace(column.combine_chunks())
        values = pc.if_else(pc.equal(values, ""), None, values)
        if identifier.form != "local":
            values = _normal(values, identifier.form)
        return self._keyring.pseudonyms(values, identifier.giver)


def _normal(values: pa.Array, kind: str) -> pa.Array:
    count = len(values)
    sound = plainly_sound(pc.fill_null(values, "")) if kind in _NIR_KINDS else np.zeros(count, bool)
    doubtful = np.flatnonzero(~sound & values.is_valid().to_numpy(zero_copy_only=False))
    if not len(doubtful):
        return values
    fresh = [
        identifiers.normalise(kind, text) or None for text in values.take(doubtful).to_pylist()
    ]
    mask = np.zeros(count, np.bool_)
    mask[doubtful] = True
    return pc.replace_with_mask(values, pa.array(mask), pa.array(fresh, pa.string()))


def load_register(path: Path, keyring: Keyring) -> Register:
    """Read and check the mapping of a register; raises `MappingError` with what to mend."""
    try:
        raw = tomllib.loads(path.read_text("utf-8-sig"))
        refuse_unknown(raw, ("register", "identifiers", "columns", "yes"), str(path), "")
        refuse_unknown(raw.get("columns", {}), FIELDS, str(path), "columns")
        mapping = msgspec.convert(raw, Mapping)
    except OSError as error:
        raise _unusable(path, reason_of(error)) from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise _unusable(path, str(error)) from None
    _check(mapping, path)
    return Register(mapping, keyring, path)


def _check(mapping: Mapping, path: Path) -> None:
    place = mapping.register
    if bool(place.file) == bool(place.sql):
        raise _unusable(path, N_("it names neither a file nor a database, or both"))
    if place.sql and not place.query:
        raise _unusable(path, N_("a database needs a query"))
    if place.encoding.lower() not in ENCODINGS:
        raise _unusable(path, N_("the encoding is not known"))
    if len(place.delimiter.encode()) != 1:
        raise _unusable(path, N_("the delimiter is not one character"))
    if not mapping.identifiers:
        raise _unusable(path, N_("it names no column of identifiers"))
    for one in mapping.identifiers:
        if one.kind not in ("", *PATIENT_KINDS):
            raise _unusable(path, N_("the kind of an identifier is not local, nir or ins"))
        if not one.giver:
            raise _unusable(path, N_("an identifier has neither an authority nor a national kind"))


def _unusable(path: Path, reason: str) -> MappingError:
    return MappingError(
        N_("the mapping of the register cannot be used ({reason})"),
        where=str(path),
        remedy=N_("mend it; docs/notices.md shows one"),
        reason=reason,
    )
