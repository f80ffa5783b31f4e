"""Which identifiers are one person's, from a table of the operator, as `records.IDENTITIES`.

A row gives some identifiers of one person, and what happened to them when:

    [register]
    file = "identites.csv"

    [[identifiers]]
    column = "INS"
    kind = "ins"
    oid = "OID_INS"               # says who gave it: those of test are nobody's

    [[identifiers]]
    column = "IPP"
    authority = "hopital-a"

    [person]                      # to whom they lead; without it the INS, else the first
    column = "ID_REGIONAL"        # identifier of the row that is no social-security number
    authority = "region"

    [columns]                     # only for merges and what undid them
    change = "TYPE"
    valid_from = "DATE"

    [changes]                     # theirs = ours: same, merge, unmerge
    F = "merge"

What a link rests on (`ins`, `nir`, who gave the number) is kept with it: one that rests on the
social-security number alone is kept, and never followed (`vigie.exposure.persons`).
"""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import KEY
from vigie.language import N_
from vigie.pseudonyms import Keyring
from vigie.readers.registers.dated import PERIOD, Dates, check_words, period, translated
from vigie.readers.registers.keys import INS, NIR, Keyed, keyed
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
from vigie.readers.times import check_zone
from vigie.records import IDENTITIES

CHANGES: Final = ("same", "merge", "unmerge")
_COLUMNS: Final = ("change", *PERIOD)


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mapping of a table of identities, as it is written."""

    register: Place
    identifiers: list[Identifier]
    person: Identifier | None = None
    columns: dict[str, str] = {}
    changes: dict[str, str] = {}
    dates: Dates = Dates()


def load_identities(path: Path) -> Mapping:
    """Read and check a mapping of identities; raises `MappingError` with what to mend."""
    sections = {"register": (), "identifiers": (), "person": (), "columns": _COLUMNS,
                "changes": (), "dates": ()}  # fmt: skip
    mapping = load(path, Mapping, sections)
    check_place(mapping.register, path)
    wanted = [*mapping.identifiers, *([mapping.person] if mapping.person else [])]
    if len(wanted) < 2:
        raise unusable(path, N_("two columns are needed to link one identifier to another"))
    check_identifiers(wanted, path)
    check_words(mapping.changes, CHANGES, str(path), "changes")
    check_zone(mapping.dates.zone, str(path))
    return mapping


def read_identities(
    mapping: Mapping, path: Path, keyring: Keyring, refused: Refused
) -> Iterator[pa.Table]:
    """Yield the links of a table, batch by batch, as IDENTITIES; `refused` is told the rest."""
    given = [*mapping.identifiers, *([mapping.person] if mapping.person else [])]
    columns = [name for one in given for name in one.columns]
    columns += mapping.columns.values()
    refused.label = mapping.register.shown(path)
    for rows in open_source(mapping.register, path, columns, refused.wide):
        yield _links(rows, mapping, keyring, refused)


def _links(rows: Rows, mapping: Mapping, keyring: Keyring, refused: Refused) -> pa.Table:
    table, numbers = rows
    known = [checked(table, one, keyring, numbers, refused) for one in mapping.identifiers]
    tests = reduce(np.logical_or, (one.tests for one in known))
    if mapping.person:
        person = checked(table, mapping.person, keyring, numbers, refused)
        tests = tests | person.tests
    else:
        person = _leading(known)
    change, since, until, sound = _happened(table, mapping, numbers, refused)
    refused.rules["test"] += int(tests.sum())
    named = reduce(np.logical_or, (one.there for one in known))
    usable = sound & ~tests
    _refuse_lonely(named, person, known, numbers, usable, mapping, refused)
    usable &= named & person.there
    parts = [_linked(one, person, change, since, until, usable) for one in known]
    return pa.concat_tables(parts)


def checked(
    table: pa.Table, one: Identifier, keyring: Keyring, numbers: NDArray[np.int64], refused: Refused
) -> Keyed:
    """Return a column of identifiers; those that are none are told."""
    found = keyed(table, one, keyring)
    nobody = pc.fill_null(pc.equal(found.faults, "no_authority"), False)
    unknown = nobody.to_numpy(zero_copy_only=False)
    refused.add(numbers[unknown], "no_authority", one.oid)
    refused.add(numbers[found.faulty & ~unknown], "bad_identifier", one.column)
    return found


def _leading(known: list[Keyed]) -> Keyed:
    """Return for each row the identifier to which the others lead: the INS, else the first."""
    order = [*(_only(one, INS, True) for one in known), *(_only(one, NIR, False) for one in known)]
    keys = pc.coalesce(*(one.keys for one in order))
    rests = pc.coalesce(*(pc.if_else(one.keys.is_valid(), one.rests, None) for one in order))
    count = len(keys)
    return Keyed(keys, np.zeros(count, np.bool_), pa.nulls(count, pa.string()), rests)


def _only(one: Keyed, rest: str, wanted: bool) -> Keyed:
    """Keep the keys that rest on this, or those that do not."""
    fits = pc.fill_null(pc.equal(one.rests, rest), False)
    keep = fits if wanted else pc.invert(fits)
    return Keyed(pc.if_else(keep, one.keys, pa.scalar(None, KEY)), one.tests, one.faults, one.rests)


def _happened(
    table: pa.Table, mapping: Mapping, numbers: NDArray[np.int64], refused: Refused
) -> tuple[pa.Array, pa.Array, pa.Array, NDArray[np.bool_]]:
    """Return what happened and when, and which rows say so soundly."""
    since, until, sound = period(table, mapping.columns, mapping.dates, numbers, refused)
    column = mapping.columns.get("change")
    if not column:
        return pa.array(["same"] * len(numbers), pa.string()), since, until, sound
    change = translated(table[column], mapping.changes, CHANGES)
    unknown = change.is_null().to_numpy(zero_copy_only=False)
    refused.add(numbers[unknown], "unknown_change", column)
    moved = pc.fill_null(pc.not_equal(change, "same"), False).to_numpy(zero_copy_only=False)
    undated = sound & moved & since.is_null().to_numpy(zero_copy_only=False)
    refused.add(numbers[undated], "no_time", mapping.columns.get("valid_from", column))
    return change, since, until, sound & ~unknown & ~undated


def _refuse_lonely(
    named: NDArray[np.bool_], person: Keyed, known: list[Keyed], numbers: NDArray[np.int64],
    usable: NDArray[np.bool_], mapping: Mapping, refused: Refused,
) -> None:  # fmt: skip
    """Tell the rows that link nothing: nobody is named, or one identifier alone."""
    faulty = reduce(np.logical_or, (one.faulty for one in known))
    refused.add(numbers[usable & ~named & ~faulty], "no_identifier")
    if mapping.person:
        nobody = ~person.there & ~person.faulty
        refused.add(numbers[usable & named & nobody], "no_person", mapping.person.column)
        return
    refused.rules["nir_alone"] += int((usable & named & ~person.there).sum())
    several = sum(one.there.astype(np.int8) for one in known) > 1
    refused.rules["alone"] += int((usable & person.there & ~several).sum())


def _linked(
    one: Keyed, person: Keyed, change: pa.Array, since: pa.Array, until: pa.Array,
    usable: NDArray[np.bool_],
) -> pa.Table:  # fmt: skip
    """Return the links of one column of identifiers to their persons."""
    undone = pc.equal(change, "unmerge")
    to = pc.if_else(undone, one.keys, person.keys)
    other = pc.or_(pc.not_equal(one.keys, person.keys), undone)
    keep = pc.and_(pa.array(usable & one.there), pc.fill_null(other, False))
    either = [
        pc.or_(pc.equal(one.rests, rest), pc.equal(person.rests, rest)) for rest in (NIR, INS)
    ]
    rests = pc.if_else(either[0], NIR, pc.if_else(either[1], INS, one.rests))
    columns = [one.keys, to, change, since, until, rests]
    return pa.table(columns, schema=IDENTITIES).filter(keep)
