"""Whose each account is, from a table of the operator, as `records.STAFF`: keys and logins only.

    [register]
    file = "annuaire.csv"

    [columns]
    account = "LOGIN"             # as the log writes it
    surname = "NOM"
    address = "ADRESSE"           # with address_more, postcode, city where they stand apart
    organisation = "FINESS"       # tells colleagues from others
    unit = "SERVICE"              # those who work together

    [[identifiers]]               # the number under which the person is a patient, where known
    column = "IPP"
    authority = "hopital-a"

It is the mapping of the register of staff that notices use, with what only detection asks for: one
file serves both. Surnames and addresses are keyed as those of the log are (`tables.rows`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.events import KEY
from vigie.language import N_
from vigie.pseudonyms import Keyring
from vigie.readers.order import fold
from vigie.readers.registers.identities import checked
from vigie.readers.registers.places import (
    Identifier,
    Place,
    check_identifiers,
    check_place,
    load,
    unusable,
)
from vigie.readers.registers.refused import Refused
from vigie.readers.registers.sources import Rows, open_source
from vigie.records import STAFF

_ADDRESS: Final = ("address", "address_more", "postcode", "city")
_LOOKED_AT: Final = ("account", "organisation", "unit", "surname", *_ADDRESS)
_FOR_NOTICES: Final = ("used_name", "given_name", "country", "email")


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mapping of a table of staff, as it is written."""

    register: Place
    columns: dict[str, str]
    identifiers: list[Identifier] = []


def load_staff(path: Path) -> Mapping:
    """Read and check the mapping of a table of staff; raises `MappingError` with what to mend."""
    columns = (*_LOOKED_AT, *_FOR_NOTICES)
    mapping = load(path, Mapping, {"register": (), "columns": columns, "identifiers": ()})
    check_place(mapping.register, path)
    check_identifiers(mapping.identifiers, path)
    if "account" not in mapping.columns:
        raise unusable(path, N_("it does not say which column is the account"))
    return mapping


def read_staff(
    mapping: Mapping, path: Path, keyring: Keyring, refused: Refused
) -> Iterator[pa.Table]:
    """Yield who holds each account, batch by batch, as STAFF; `refused` is told the rest."""
    wanted = [name for one in mapping.identifiers for name in one.columns]
    wanted += [mapping.columns[name] for name in _LOOKED_AT if name in mapping.columns]
    refused.label = mapping.register.shown(path)
    for rows in open_source(mapping.register, path, list(dict.fromkeys(wanted)), refused.wide):
        yield _holders(rows, mapping, keyring, refused)


def _holders(rows: Rows, mapping: Mapping, keyring: Keyring, refused: Refused) -> pa.Table:
    table, numbers = rows
    texts = {name: _text(table, mapping, name) for name in _LOOKED_AT}
    address = pc.binary_join_element_wise(*(pc.fill_null(texts[n], "") for n in _ADDRESS), " ")
    own = [checked(table, one, keyring, numbers, refused).keys for one in mapping.identifiers]
    nameless = texts["account"].is_null().to_numpy(zero_copy_only=False)
    refused.add(numbers[nameless], "no_account", mapping.columns["account"])
    columns = {
        "account": texts["account"],
        "organisation": texts["organisation"],
        "unit": texts["unit"],
        "surname_key": _keyed(texts["surname"], keyring, "surname"),
        "address_key": _keyed(address, keyring, "address"),
        "patient": pc.coalesce(*own) if own else pa.nulls(len(numbers), KEY),
    }
    kept = np.flatnonzero(~nameless)
    columns = {name: column.take(pa.array(kept)) for name, column in columns.items()}
    return pa.table([columns[field.name] for field in STAFF], schema=STAFF)


def _text(table: pa.Table, mapping: Mapping, name: str) -> pa.Array:
    """Return a column of texts without blanks around, null where there is none."""
    if name not in mapping.columns:
        return pa.nulls(table.num_rows, pa.string())
    values = pc.utf8_trim_whitespace(table[mapping.columns[name]].combine_chunks())
    return pc.if_else(pc.equal(values, ""), None, values)


def _keyed(values: pa.Array, keyring: Keyring, kind: str) -> pa.Array:
    folded = fold(values)
    return keyring.pseudonyms(pc.if_else(pc.equal(folded, ""), None, folded), "", kind)
