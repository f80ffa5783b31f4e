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

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.language import N_
from vigie.pseudonyms import Keyring
from vigie.readers.registers.dated import Dates
from vigie.readers.registers.keys import keys
from vigie.readers.registers.places import (
    Identifier,
    Place,
    check_identifiers,
    check_place,
    load,
    unusable,
)
from vigie.readers.registers.sources import open_source

FIELDS: Final = (
    "reference", "surname", "used_name", "given_name", "sex", "birth_date",
    "address", "address_more", "postcode", "city", "country", "email", "language",
    "deceased", "protected", "guardian", "guardian_address", "guardian_postcode",
    "guardian_city", "guardian_email", "controller",
)  # fmt: skip
"""What a register may say of a person. `deceased` and `protected` are true when they say so
(see `yes`); `guardian` is who answers for a minor or a protected adult; `controller` whose person
it is, where several persons bear one number."""
YES: Final = ("1", "o", "oui", "y", "yes", "true", "vrai", "x", "d", "dcd", "decede", "décédé")


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mapping of a register, as it is written."""

    register: Place
    identifiers: list[Identifier]
    columns: dict[str, str]
    dates: Dates = Dates()
    yes: tuple[str, ...] = YES


@dataclass
class Tally:
    """What became of the rows of a register in one reading; nothing is left out of it."""

    rows: int = 0
    without_identifier: int = 0
    damaged: dict[str, int] = field(default_factory=dict)

    def damage(self, _row: int) -> None:
        """Count a row that has not as many cells as the header."""
        self.damaged["columns"] = self.damaged.get("columns", 0) + 1


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

    @property
    def numbered(self) -> tuple[bool, ...]:
        """Which of its columns of identifiers hold social-security numbers."""
        return tuple(one.giver == "nir" for one in self.mapping.identifiers)

    def bearer(self, number: bytes, identity: str) -> str:
        """Return the pseudonym of one of those who bear a number, itself a pseudonym.

        A rotation of the key carries it on as it does the number's.
        """
        named = f"{self._keyring.receded(number).hex()}|{identity}"
        return self._keyring.pseudonym(named, "", "bearer").hex()

    def batches(self) -> Iterator[Batch]:
        """Read the register from its beginning; `tally` then counts this reading."""
        self.tally = Tally()
        place, wanted = self.mapping.register, [i.column for i in self.mapping.identifiers]
        wanted += self.mapping.columns.values()
        for rows in open_source(place, self.where, wanted, self.tally.damage):
            yield self._batch(rows.table)

    def _batch(self, table: pa.Table) -> Batch:
        found = tuple(keys(table[i.column], i, self._keyring) for i in self.mapping.identifiers)
        named = np.zeros(table.num_rows, np.bool_)
        for one in found:
            named |= one.is_valid().to_numpy(zero_copy_only=False)
        self.tally.rows += table.num_rows
        self.tally.without_identifier += int(table.num_rows - named.sum())
        said = {name: table[self.mapping.columns[name]] for name in self.fields}
        if self.mapping.dates.format and "birth_date" in said:
            said["birth_date"] = _iso(said["birth_date"], self.mapping.dates.format)
        return Batch(found, pa.table(said))


def _iso(written: pa.ChunkedArray, form: str) -> pa.ChunkedArray:
    """Return dates of that form as ISO 8601; what is none stays as it is written."""
    read = pc.strptime(pc.utf8_trim_whitespace(written), form, "s", error_is_null=True)
    return pc.coalesce(pc.strftime(read, "%Y-%m-%d"), written)


def load_register(path: Path, keyring: Keyring) -> Register:
    """Read and check the mapping of a register; raises `MappingError` with what to mend."""
    mapping = load(path, Mapping, {
        "register": (), "identifiers": (), "columns": FIELDS, "dates": ("zone", "format"),
        "yes": (),
    })  # fmt: skip
    check_place(mapping.register, path)
    if not mapping.identifiers:
        raise unusable(path, N_("it names no column of identifiers"))
    check_identifiers(mapping.identifiers, path)
    return Register(mapping, keyring, path)
