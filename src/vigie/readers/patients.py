"""Patients named in logs whose mapping says where: normal form, pseudonym, gap and faults.

For readers that find identifiers one by one (in a path, in an SQL condition). What the mapping
declares of a column is an `authority`, a `kind`, or neither: then the authority is the source.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from vigie.events import KEY
from vigie.identifiers import kind_of_authority, normal_authority, normalise, problem
from vigie.readers.base import Context
from vigie.readers.mapping import PATIENT_KINDS
from vigie.readers.order import Order


class Declared(msgspec.Struct, frozen=True):
    """What a mapping declares of a place where identifiers stand."""

    authority: str
    kind: str


class Patient(NamedTuple):
    """One identifier in its normal form; `fault` as `identifiers.problem` names it."""

    authority: str
    kind: str
    value: str
    fault: str | None


def declared(context: Context, authority: str, kind: str) -> Declared:
    """Complete what the mapping says: the kind's own authority, or that of the source.

    An authority that is national (`urn:oid:…`, a FHIR system) tells the kind.
    """
    given = normal_authority(authority) or PATIENT_KINDS.get(kind, "") or context.source.name
    return Declared(given, kind_of_authority(given) or kind)


def patient(said: Declared, raw: str) -> Patient | None:
    """Return the patient whom `raw` names, or None when it is blank.

    >>> patient(Declared("nir", "nir"), "255081416802539").fault
    'nir_key'
    """
    value = normalise(said.kind, raw)
    return Patient(said.authority, said.kind, value, problem(said.kind, raw)) if value else None


class Pseudonymiser:
    """Turns named patients into columns of the waist; made once per file."""

    def __init__(self, context: Context) -> None:
        self._keyring = context.keyring
        self._order = Order()

    def columns(
        self, accounts: Sequence[str | None], patients: Sequence[Patient | None]
    ) -> dict[str, pa.Array]:
        """Return `patient`, `id_gap` and `flags` for rows in the order of the file."""
        keys: dict[Patient | None, bytes | None] = {None: None}
        for one in patients:
            if one is not None and one not in keys:
                keys[one] = self._keyring.pseudonym(one.value, one.authority)
        faults = [f"patient_{one.fault}" if one and one.fault else None for one in patients]
        return {
            "patient": pa.array([keys[one] for one in patients], KEY),
            "id_gap": self._gaps(accounts, patients),
            "flags": pa.array(faults, pa.string()).dictionary_encode(),
        }

    def _gaps(self, accounts: Sequence[str | None], patients: Sequence[Patient | None]) -> pa.Array:
        who = pa.array(accounts, pa.string())
        gaps = pa.nulls(len(who), pa.int32())
        for kind in sorted({one.kind for one in patients if one}):
            chosen = [one if one and one.kind == kind else None for one in patients]
            values = pa.array([one and one.value for one in chosen], pa.string())
            givers = pa.array([one and one.authority for one in chosen], pa.string())
            gaps = pc.coalesce(gaps, self._order.id_gaps(who, values, givers, kind))
        return gaps
