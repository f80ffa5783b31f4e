"""Pseudonyms of a column of identifiers, as the readers of logs compute them.

Most numbers are written as they should be and are told so in a compiled loop; the others are
looked at one by one.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie import identifiers
from vigie.events import KEY
from vigie.pseudonyms import Keyring
from vigie.readers.mapping import PATIENT_KINDS
from vigie.readers.nir import plainly_sound
from vigie.readers.registers.places import Identifier
from vigie.readers.registers.sources import trimmed

_NUMBERS = frozenset({"nir", "nia", "ins", "ins_test", "ins_demo"})
_TESTS = frozenset({"ins_test", "ins_demo"})
NIR, INS = "nir", "ins"
_NATIONAL = {PATIENT_KINDS["nir"]: NIR, PATIENT_KINDS["ins"]: INS, "1.2.250.1.213.1.4.9": INS}


@dataclass(frozen=True)
class Keyed:
    """A column of identifiers: its pseudonyms, which are nobody's, what is wrong with each.

    `rests` says on what a link through one of them rests: `nir`, `ins` or who gave it. A key is
    null where there is no identifier, where it is one of test, or where `faults` says a fault.
    """

    keys: pa.Array
    tests: NDArray[np.bool_]
    faults: pa.Array
    rests: pa.Array

    @property
    def there(self) -> NDArray[np.bool_]:
        """Where there is a key."""
        found: NDArray[np.bool_] = self.keys.is_valid().to_numpy(zero_copy_only=False)
        return found

    @property
    def faulty(self) -> NDArray[np.bool_]:
        """Where there is one that cannot be used."""
        found: NDArray[np.bool_] = self.faults.is_valid().to_numpy(zero_copy_only=False)
        return found


def keys(column: pa.ChunkedArray, identifier: Identifier, keyring: Keyring) -> pa.Array:
    """Return the pseudonyms of a column, null for blanks; what is faulty keeps its own."""
    values, _faults = _normal(trimmed(column), _form(identifier.giver, identifier.kind))
    return keyring.pseudonyms(values, identifier.giver)


def keyed(table: pa.Table, identifier: Identifier, keyring: Keyring) -> Keyed:
    """Return the pseudonyms of a column with what is to be known of each, giver by giver."""
    values = trimmed(table[identifier.column])
    if not identifier.oid:
        return _of_giver(values, identifier.giver, identifier.kind, keyring)
    givers = pc.fill_null(trimmed(table[identifier.oid]), "").dictionary_encode()
    parts, places = [], []
    for number, said in enumerate(givers.dictionary.to_pylist()):
        rows = np.flatnonzero(givers.indices.to_numpy() == number)
        giver = identifiers.normal_authority(said) or identifier.giver
        some = values.take(pa.array(rows))
        parts.append(_of_giver(some, giver, "" if said else identifier.kind, keyring))
        places.append(rows)
    return _together(parts, places) if parts else _of_giver(values, "-", "", keyring)


def _together(parts: list[Keyed], places: list[NDArray[np.int64]]) -> Keyed:
    order = np.argsort(np.concatenate(places))

    def joined(columns: list[pa.Array]) -> pa.Array:
        return pa.concat_arrays(columns).take(pa.array(order))

    return Keyed(
        joined([part.keys for part in parts]),
        np.concatenate([part.tests for part in parts])[order],
        joined([part.faults for part in parts]),
        joined([part.rests for part in parts]),
    )


def _of_giver(values: pa.Array, giver: str, kind: str, keyring: Keyring) -> Keyed:
    count, form = len(values), _form(giver, kind)
    if not giver:
        nobody = pc.if_else(values.is_valid(), "no_authority", None)
        return Keyed(pa.nulls(count, KEY), np.zeros(count, bool), nobody, pa.nulls(count, "string"))
    values, faults = _normal(values, form)
    tests = pc.fill_null(pc.is_in(faults, pa.array(sorted(_TESTS))), False)
    if form in _TESTS:
        tests = values.is_valid()
    faults = pc.if_else(tests, None, faults)
    sound = pc.if_else(pc.or_(tests, faults.is_valid()), None, values)
    rests = pa.array([_NATIONAL.get(giver, giver)]).take(pa.array(np.zeros(count, np.int32)))
    return Keyed(
        keyring.pseudonyms(sound, giver), tests.to_numpy(zero_copy_only=False), faults, rests
    )


def _form(giver: str, kind: str) -> str:
    """The kind by which an identifier is brought to its normal form."""
    return kind or identifiers.kind_of_authority(giver) or "local"


def _normal(values: pa.Array, form: str) -> tuple[pa.Array, pa.Array]:
    """Return values in their normal form, and the fault of each, null for none."""
    count = len(values)
    if form == "local":
        return values, pa.nulls(count, pa.string())
    sound = plainly_sound(pc.fill_null(values, "")) if form in _NUMBERS else np.zeros(count, bool)
    doubtful = ~sound & values.is_valid().to_numpy(zero_copy_only=False)
    if not doubtful.any():
        return values, pa.nulls(count, pa.string())
    texts = values.filter(pa.array(doubtful)).to_pylist()
    fresh = [identifiers.normalise(form, text) or None for text in texts]
    found = [identifiers.problem(form, text) for text in texts]
    faults = [None if fault == "nir_provisional" else fault for fault in found]
    mask = pa.array(doubtful)
    nothing = pa.nulls(count, pa.string())
    return (
        pc.replace_with_mask(values, mask, pa.array(fresh, pa.string())),
        pc.replace_with_mask(nothing, mask, pa.array(faults, pa.string())),
    )
