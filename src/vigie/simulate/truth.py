"""The ground truth of a simulated platform, beside its logs and never among them.

`events.parquet` has one row for each place where an access was written, by the name of the file
(below the log folder; base names are unique) and line and part, as the waist's `source_file`,
`source_line` and `part` have them. `attacks.json` says each theft, `persons.parquet` who the
patients are, `controllers.parquet` in which organisations each of them was seen.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vigie.events import ACTIONS
from vigie.simulate.world import REASONS, Attack, World

_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)


def write_truth(world: World, places: pa.Table, out: Path) -> None:
    """Write the four files into the directory `out`."""
    out.mkdir(parents=True, exist_ok=True)
    _write(event_table(world, places), out / "events.parquet")
    _write(person_table(world), out / "persons.parquet")
    _write(controller_table(world), out / "controllers.parquet")
    attacks = [_attack(world, number) for number in range(len(world.attacks))]
    text = json.dumps(attacks, ensure_ascii=False, indent=1)
    (out / "attacks.json").write_text(text + "\n", "utf-8")


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd")


def event_table(world: World, places: pa.Table) -> pa.Table:
    """Return what is true of each written place: file, line, part, and what the log cannot say.

    `access` numbers the access (an access in two logs has two places), `patient` is the
    platform's number or null, `attack` an index into attacks.json or -1, `family` null if honest.
    """
    rows = places["row"]
    accesses = world.accesses.select(
        ["at", "access", "account", "organisation", "action", "patient", "attack", "reason"]
    ).take(rows)
    attack = accesses["attack"].to_numpy()
    families = pa.array([theft.family for theft in world.attacks], pa.string())
    family = pa.array(np.where(attack < 0, 0, attack), mask=attack < 0)
    return pa.table(
        {
            "file": places["file"], "line": places["line"], "part": places["part"],
            "row": rows, "at": accesses["at"].cast(pa.timestamp("us", "UTC")),
            "access": accesses["access"],
            "account": _named(world.accounts["login"], accesses["account"]),
            "organisation": _named(world.organisations["finess"], accesses["organisation"]),
            "action": _named(pa.array(ACTIONS), accesses["action"]),
            "patient": _taken(world.patients["number"], accesses["patient"]),
            "attack": accesses["attack"],
            "family": families.take(family).dictionary_encode(),
            "reason": _named(pa.array(REASONS), accesses["reason"]),
        }
    )  # fmt: skip


def _taken(words: Any, codes: pa.ChunkedArray) -> pa.Array:
    numbers = codes.to_numpy()
    known = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    if not len(known):
        return pa.nulls(len(numbers), known.type)
    return known.take(pa.array(np.where(numbers < 0, 0, numbers), mask=numbers < 0))


def _named(words: Any, codes: pa.ChunkedArray) -> pa.Array:
    numbers = codes.to_numpy().astype(np.int32)
    known = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    return pa.DictionaryArray.from_arrays(
        pa.array(np.where(numbers < 0, 0, numbers), mask=numbers < 0), known
    )


def person_table(world: World) -> pa.Table:
    """Return who each patient is: `person` is the INS, else the strict traits that are known."""
    patients = world.patients
    traits = pc.binary_join_element_wise(
        patients["surname"], patients["given_name"], patients["sex"],
        patients["birth_date"].cast(pa.string()), "|",
    )  # fmt: skip
    insurers = _named(pa.array(list(world.insurers), pa.string()), patients["insurer"])
    return pa.table(
        {
            "patient": patients["number"],
            "person": pc.coalesce(patients["ins"], traits),
            "nir": patients["nir"],
            "area": patients["area"],
            "insurer": insurers,
        }
    )


def controller_table(world: World) -> pa.Table:
    """Return in which organisations each patient was seen: `patient`, `organisation` (FINESS)."""
    pairs = world.accesses.select(["patient", "organisation"])
    seen = pairs.filter(pc.greater_equal(pairs["patient"], 0))
    unique = seen.group_by(["patient", "organisation"]).aggregate([])
    unique = unique.sort_by([("patient", "ascending"), ("organisation", "ascending")])
    return pa.table(
        {
            "patient": _taken(world.patients["number"], unique["patient"]),
            "organisation": _named(world.organisations["finess"], unique["organisation"]),
        }
    )


def _attack(world: World, number: int) -> dict[str, Any]:
    theft: Attack = world.attacks[number]
    stolen = world.accesses.filter(pc.equal(world.accesses["attack"], number))
    patients = pc.unique(stolen["patient"].filter(pc.greater_equal(stolen["patient"], 0)))
    logins = world.accounts["login"]
    return {
        "attack": number,
        "family": theft.family,
        "accounts": [logins[account].as_py() for account in theft.accounts],
        "onset": _iso(theft.onset),
        "end": _iso(theft.end),
        "accesses": pc.count_distinct(stolen["access"]).as_py(),
        "rows": stolen.num_rows,
        "patients": len(patients),
        "records": int(np.maximum(stolen["record_count"].to_numpy(), 0).sum()),
        "parameters": theft.parameters,
    }


def _iso(moment: int) -> str:
    return (_ORIGIN + timedelta(microseconds=moment)).isoformat()


def line_labels(folder: Path) -> pa.Table:
    """Return one row per written line: `name` (base name), `line`, `attack`, `family`, `reason`.

    All rows of one line are of one access, so a line has one label; base names are unique, so
    they join whatever directory was given to be read.
    """
    columns = ["file", "line", "account", "attack", "family", "reason"]
    truth = pq.read_table(folder / "events.parquet", columns=columns)
    name = pc.replace_substring_regex(truth["file"].cast(pa.string()), "^.*/", "")
    keyed = truth.drop_columns(["file"]).add_column(0, "name", name)
    plain = keyed.cast(pa.schema([(f.name, _plain(f.type)) for f in keyed.schema]))
    return plain.group_by(["name", *columns[1:]]).aggregate([])


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
