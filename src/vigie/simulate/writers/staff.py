"""The table of staff as a directory exports it: who owns each account, beside the log."""

from typing import Final

import numpy as np
import pyarrow as pa

from vigie.simulate.world import World
from vigie.simulate.writers.logfiles import LogFolder
from vigie.simulate.writers.texts import CSV, line, pick, vocabulary

HEADER: Final = "LOGIN;NOM;PRENOM;ADRESSE;FINESS;SERVICE;IPP"


def write(world: World, log: LogFolder) -> None:
    """Write `staff.csv`; nothing where the operator has no such table."""
    if not world.staff.num_rows:
        return
    codes = {name: world.staff[name].to_numpy().astype(np.int64) for name in ("patient", "home")}
    people = world.accounts.take(world.staff["account"])
    numbers = world.patients["number"].cast(pa.string())
    homes = pa.chunked_array([CSV(world.patients["address"].combine_chunks())])
    fields = [
        people["login"],
        *(CSV(people[name].combine_chunks()) for name in ("surname", "given_name")),
        pick(vocabulary(homes), codes["home"]),
        world.organisations["finess"].take(people["organisation"]),
        CSV(people["unit"].combine_chunks()),
        pick(vocabulary(numbers), codes["patient"]),
    ]
    plain = [f.combine_chunks() if isinstance(f, pa.ChunkedArray) else f for f in fields]
    log.begin("staff.csv", HEADER)
    log.append("staff.csv", line(*[part for field in plain for part in (field, ";")][:-1]))
