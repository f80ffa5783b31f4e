"""How much an index narrows searches whose results the log counted without naming them.

Every patient of a simulated platform stands in the index; searches by whole surname, by its first
letters and by a wildcard are logged with their count alone. Printed for each kind: the bounds of
persons by the log alone and with the index, and the truth.

    python -m benchmarks.bench_replay 0.05 351
"""

import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from vigie.exposure import INDEX, Index, Scope, Stretch, expose
from vigie.exposure.index import key_beginnings
from vigie.pipeline import find_files, import_files
from vigie.readers.mapping import load_mapping
from vigie.readers.order import fold
from vigie.simulate.presets import simulate
from vigie.stores import Store

AT = datetime(2026, 3, 10, 9, tzinfo=UTC)
SEARCHES = 40
KINDS = {"exact_name": 99, "prefix, 5 letters": 5, "prefix, 3 letters": 3, "wildcard": 3}
MAPPING = """
[source]
name = "portal"
time_zone = "UTC"
[source.format]
kind = "csv"
delimiter = ";"
[columns]
at = "at"
account = "account"
action = { value = "search" }
object = { value = "find" }
record_count = "count"
query_shape = "shape"
patient_surname = "typed"
patient = { column = "patient", authority = "bench" }
"""


def narrowed(names: list[str], kind: str, seed: int, folder: Path) -> tuple[str, str, str]:
    """Return the bounds of persons by the log alone and with the index, and the truth."""
    rng = np.random.default_rng(seed)
    whole = [name for name in names if name]
    typed = [whole[n][: KINDS[kind]].strip() for n in rng.integers(0, len(whole), SEARCHES)]
    fits = [_fits(names, text, kind == "exact_name") for text in typed]
    folder.mkdir()
    (folder / "map.toml").write_text(MAPPING)
    lines = [
        f"{(AT + timedelta(minutes=n)).isoformat()};eve;{len(fit)};{kind.partition(',')[0]};{text};"
        for n, (text, fit) in enumerate(zip(typed, fits, strict=True))
    ]
    (folder / "log.csv").write_text("\n".join(["at;account;count;shape;typed;patient", *lines]))
    scope = Scope((Stretch("eve", AT, AT + timedelta(hours=1)),))
    with Store.open(folder / "home", write=True) as store:
        import_files(store, find_files([folder / "log.csv"]), [load_mapping(folder / "map.toml")])
        keys = store.keyring.pseudonyms(pa.array(names), "", "surname")
        patients = store.keyring.pseudonyms(pa.array([str(n) for n in range(len(names))]), "bench")
        nothing = {f.name: pa.nulls(len(names), f.type) for f in INDEX}
        table = pa.table(nothing | {"patient": patients, "surname_key": keys}, schema=INDEX)
        index = Index(table, key_beginnings(set(names), store.keyring))
        alone, asked = expose(store, scope).bounds, expose(store, scope, index=index).bounds
    truth = len(set().union(*fits))
    assert asked[1] is not None
    assert asked[0] <= truth <= asked[1]
    return f"{alone[0]} to {alone[1]}", f"{asked[0]} to {asked[1]}", str(truth)


def _fits(names: Iterable[str], text: str, whole: bool) -> set[int]:
    return {n for n, name in enumerate(names) if (name == text if whole else name.startswith(text))}


def main() -> None:
    world = simulate("third-party-payment", float(sys.argv[1]), int(sys.argv[2]), 14, 0)
    names = fold(world.patients["surname"].combine_chunks()).to_pylist()
    print(f"{len(names):,} patients, {SEARCHES} searches of each kind")
    print("| searched by | persons by the log alone | with the index | in truth |")
    print("|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as place:
        for number, kind in enumerate(KINDS):
            found = narrowed(names, kind, int(sys.argv[2]), Path(place) / str(number))
            print(f"| {kind} | " + " | ".join(found) + " |")


if __name__ == "__main__":
    main()
