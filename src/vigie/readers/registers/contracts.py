"""Whose data a person's are and from when to when, from a table, as `records.CONTRACTS`.

    [register]
    file = "contrats.parquet"

    [[identifiers]]               # one or more columns; left out when organisations have contracts
    column = "NIR"
    kind = "nir"

    [columns]
    controller = "CODE_AMC"       # organisation, role, valid_from, valid_until
    valid_from = "DEBUT"

    [controllers]                 # theirs = the name that notices and recipients use
    A01 = "Mutuelle des Dunes"

A contract names a person by any identifier, the social-security number too: it says of everybody
who is known by that number that this controller is to be told, and follows no link.
"""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import KEY
from vigie.language import N_
from vigie.pseudonyms import Keyring
from vigie.readers.registers.dated import PERIOD, Dates, check_words, period, translated
from vigie.readers.registers.identities import checked
from vigie.readers.registers.keys import Keyed
from vigie.readers.registers.places import (
    Identifier,
    Place,
    check_identifiers,
    check_place,
    load,
    unusable,
)
from vigie.readers.registers.refused import Refused
from vigie.readers.registers.sources import Rows, open_source, trimmed
from vigie.readers.times import check_zone
from vigie.records import CONTRACTS

ROLES: Final = ("controller", "joint_controller", "processor")
_COLUMNS: Final = ("controller", "organisation", "role", *PERIOD)


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mapping of a table of contracts, as it is written."""

    register: Place
    columns: dict[str, str]
    identifiers: list[Identifier] = []
    controllers: dict[str, str] = {}
    roles: dict[str, str] = {}
    dates: Dates = Dates()


def load_contracts(path: Path) -> Mapping:
    """Read and check a mapping of contracts; raises `MappingError` with what to mend."""
    sections = {"register": (), "identifiers": (), "columns": _COLUMNS, "controllers": (),
                "roles": (), "dates": ()}  # fmt: skip
    mapping = load(path, Mapping, sections)
    check_place(mapping.register, path)
    check_identifiers(mapping.identifiers, path)
    if "controller" not in mapping.columns:
        raise unusable(path, N_("it does not say which column is the controller"))
    if not mapping.identifiers and "organisation" not in mapping.columns:
        raise unusable(path, N_("it names neither persons nor organisations"))
    check_words(mapping.roles, ROLES, str(path), "roles")
    check_zone(mapping.dates.zone, str(path))
    return mapping


def read_contracts(
    mapping: Mapping, path: Path, keyring: Keyring, refused: Refused
) -> Iterator[pa.Table]:
    """Yield the contracts of a table, batch by batch, as CONTRACTS; `refused` is told the rest."""
    columns = [name for one in mapping.identifiers for name in one.columns]
    columns += mapping.columns.values()
    refused.label = mapping.register.shown(path)
    for rows in open_source(mapping.register, path, columns, refused.wide):
        yield _contracts(rows, mapping, keyring, refused)


def _contracts(rows: Rows, mapping: Mapping, keyring: Keyring, refused: Refused) -> pa.Table:
    table, numbers = rows
    since, until, sound = period(table, mapping.columns, mapping.dates, numbers, refused)
    controller = _named(_text(table, mapping, "controller"), mapping.controllers)
    nobody = controller.is_null().to_numpy(zero_copy_only=False)
    refused.add(numbers[nobody], "no_controller", mapping.columns["controller"])
    role, known = _roles(table, mapping, numbers, refused)
    organisation = _text(table, mapping, "organisation")
    sound &= ~nobody & known
    columns = [organisation, controller, role, since, until]
    if mapping.identifiers:
        persons = [checked(table, one, keyring, numbers, refused) for one in mapping.identifiers]
        return _of_persons(persons, columns, numbers, sound, refused)
    nowhere = organisation.is_null().to_numpy(zero_copy_only=False)
    refused.add(numbers[sound & nowhere], "no_identifier", mapping.columns["organisation"])
    return _kept(pa.nulls(len(numbers), KEY), columns, sound & ~nowhere)


def _of_persons(
    persons: list[Keyed], columns: list[pa.Array], numbers: NDArray[np.int64],
    sound: NDArray[np.bool_], refused: Refused,
) -> pa.Table:  # fmt: skip
    """Return a contract for each identifier of each row."""
    tests = reduce(np.logical_or, (one.tests for one in persons))
    refused.rules["test"] += int(tests.sum())
    named = reduce(np.logical_or, (one.there | one.faulty for one in persons))
    refused.add(numbers[sound & ~tests & ~named], "no_identifier")
    parts = [_kept(one.keys, columns, sound & ~tests & one.there) for one in persons]
    return pa.concat_tables(parts)


def _kept(keys: pa.Array, columns: list[pa.Array], kept: NDArray[np.bool_]) -> pa.Table:
    return pa.table([keys, *columns], schema=CONTRACTS).filter(pa.array(kept))


def _roles(
    table: pa.Table, mapping: Mapping, numbers: NDArray[np.int64], refused: Refused
) -> tuple[pa.Array, NDArray[np.bool_]]:
    column = mapping.columns.get("role")
    if not column:
        return pa.array([ROLES[0]] * len(numbers), pa.string()), np.ones(len(numbers), np.bool_)
    role = translated(table[column], mapping.roles, ROLES)
    unknown = role.is_null().to_numpy(zero_copy_only=False)
    refused.add(numbers[unknown], "unknown_role", column)
    return role, ~unknown


def _text(table: pa.Table, mapping: Mapping, name: str) -> pa.Array:
    column = mapping.columns.get(name)
    return trimmed(table[column]) if column else pa.nulls(table.num_rows, pa.string())


def _named(values: pa.Array, names: dict[str, str]) -> pa.Array:
    """Return the name of each controller, its own where [controllers] has none for it."""
    encoded = values.dictionary_encode()
    said = [names.get(word, word) for word in encoded.dictionary.to_pylist()]
    return pa.array(said, pa.string()).take(encoded.indices)
