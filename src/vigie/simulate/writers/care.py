"""The table of care relations as a system exports it: a CSV a month of entry, beside the log.

The same form for all: semicolons, local times, what was entered and when.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.records import CARE_KINDS
from vigie.simulate.world import World
from vigie.simulate.writers.logfiles import LogFolder, local_text
from vigie.simulate.writers.practice import practice_codes
from vigie.simulate.writers.texts import line, number, pick, vocabulary

HEADER: Final = "NUM;PATIENT;STRUCTURE;UF;RPPS;TYPE;DEBUT;FIN;SAISI_LE"
TYPES: Final = {"appointment": "RDV", "stay": "SEJOUR", "prescription": "PRESCRIPTION",
                "care_team": "EQUIPE", "referral": "ADRESSAGE"}  # fmt: skip
_FORMAT: Final = "%d/%m/%Y %H:%M"


def write(world: World, log: LogFolder) -> None:
    """Write `relations-YYYY-MM.csv`; nothing where the platform has no such table."""
    if not world.care.num_rows:
        return
    month = local_text(world.care["recorded_at"].to_numpy(), "%Y-%m").dictionary_encode()
    names, codes = month.dictionary.to_pylist(), month.indices.to_numpy()
    written = _lines(world)
    for place in sorted(range(len(names)), key=lambda place: names[place]):
        name = f"relations-{names[place]}.csv"
        log.begin(name, HEADER)
        log.append(name, written.filter(pa.array(codes == place)))


def _lines(world: World) -> pa.Array:
    def codes(column: str) -> NDArray[np.int64]:
        found: NDArray[np.int64] = world.care[column].to_numpy().astype(np.int64)
        return found

    sites = vocabulary(world.organisations["finess"])
    where = pick(sites, codes("organisation"))
    if world.preset == "practice-software":
        where = practice_codes(codes("organisation"))
    until = codes("valid_until")
    ends = pc.if_else(pa.array(until < 0), "", local_text(np.maximum(until, 0), _FORMAT))
    fields = [
        number(codes("record")),
        world.patients["number"].cast(pa.string()).take(pa.array(codes("patient"))),
        where,
        pick(vocabulary(world.units), codes("unit")),
        pick(vocabulary(world.accounts["professional"]), codes("account")),
        pick(vocabulary([TYPES[kind] for kind in CARE_KINDS]), codes("kind")),
        local_text(codes("valid_from"), _FORMAT),
        ends,
        local_text(codes("recorded_at"), "%d/%m/%Y %H:%M:%S"),
    ]
    plain = [f.combine_chunks() if isinstance(f, pa.ChunkedArray) else f for f in fields]
    return line(*[part for field in plain for part in (field, ";")][:-1])
