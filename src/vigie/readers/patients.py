"""Patients named in logs whose mapping says where: normal form, pseudonym, gap and faults.

For readers that find identifiers one by one (in a path, in an SQL condition). What the mapping
declares of a column is an `authority`, a `kind`, or neither: then the authority is the source.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import KEY
from vigie.identifiers import kind_of_authority, normal_authority, normalise, problem
from vigie.readers.base import Context
from vigie.readers.flags import Flags
from vigie.readers.mapping import PATIENT_KINDS
from vigie.readers.order import Order
from vigie.readers.words import Words


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
        self, accounts: pa.Array, patients: Sequence[Patient], codes: NDArray[np.int32]
    ) -> dict[str, pa.Array]:
        """Return `patient`, `id_gap` and `flags` for rows in the order of the file.

        `codes` are the places of the rows' patients among the distinct `patients`, -1 for none.
        """
        named = Words(codes, pa.array([one.value for one in patients], pa.string()))
        keys = [self._keyring.pseudonym(one.value, one.authority) for one in patients]
        flags = Flags(len(codes))
        flags.add("patient", named, [one.fault for one in patients])
        gaps = pa.nulls(len(codes), pa.int32())
        for kind in sorted({one.kind for one in patients}):
            found = self._gaps(accounts, patients, codes, kind)
            gaps = pc.coalesce(gaps, found)
        return {"patient": named.given(keys, KEY), "id_gap": gaps, "flags": flags.array()}

    def _gaps(
        self, accounts: pa.Array, patients: Sequence[Patient], codes: NDArray[np.int32], kind: str
    ) -> pa.Array:
        mine = np.array([one.kind == kind for one in patients] + [False])
        known = pa.array(codes, mask=~mine[codes])
        values = pa.array([one.value for one in patients], pa.string())
        givers = pa.array([one.authority for one in patients], pa.string())
        return self._order.id_gaps(accounts, values.take(known), givers.take(known), kind)
