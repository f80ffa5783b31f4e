"""Importing tables against DuckDB, which reads the same file and writes it to Parquet (zstd).

Each format is read alone, then imported whole: read, pseudonymised, sealed, identified, stored.
DuckDB has the two threads that the import may use.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from benchmarks.base import Result
from vigie.pipeline import import_file
from vigie.pseudonyms import Keyring
from vigie.readers.base import Context, Tally
from vigie.readers.intake import Intake
from vigie.readers.mapping import parse_mapping
from vigie.readers.tables import TableReader
from vigie.stores import Store

ROWS = 2_000_000
MAPPING = {
    "source": {"name": "bench", "time_zone": "Europe/Paris"},
    "columns": {
        "at": "date_heure",
        "account": "utilisateur",
        "role": "profil",
        "unit": "unite",
        "device": "poste",
        "network": "ip",
        "session": "session",
        "action": "action",
        "object": "ecran",
        "patient": {"column": "ipp", "kind": "local"},
        "patient_surname": "nom",
        "record_count": "lignes",
        "outcome": "resultat",
    },
    "values": {
        "action": {"LECTURE": "open", "LISTE": "list", "RECHERCHE": "search"},
        "outcome": {"OK": "success", "KO": "serious_failure"},
    },
}


def run(scale: float = 1.0) -> list[Result]:
    """Measure CSV, gzipped CSV, Parquet and NDJSON; `scale` 1 is two million rows."""
    with tempfile.TemporaryDirectory() as folder:
        table = sample(int(ROWS * scale))
        files = _write(table, Path(folder))
        _warm_up(files["csv"], Path(folder))
        return [
            result
            for kind, path in files.items()
            for result in _measure(kind, path, table.num_rows, Path(folder))
        ]


def _warm_up(path: Path, folder: Path) -> None:
    """Compile, or load what is compiled: no import of a long log pays for it twice."""
    short = folder / "short.csv"
    with path.open("rb") as file:
        short.write_bytes(b"".join(file.readline() for _ in range(20_000)))
    _import(short, folder / "warm")


def sample(count: int, seed: int = 7, first: str = "2025-01-01", days: int = 90) -> pa.Table:
    """Return a log such as a hospital system writes: 3,000 accounts, 400,000 patients."""
    chance = np.random.default_rng(seed)

    def words(prefix: str, many: int) -> pa.Array:
        texts = [f"{prefix}{k:05d}" for k in range(many)]
        return pa.array(texts).take(pa.array(chance.zipf(1.2, count) % many))

    start = np.datetime64(first, "us").astype(np.int64)
    moments = np.sort(start + chance.integers(0, days * 86400, count) * 1_000_000)
    patients = chance.integers(0, 400_000, count)
    names = pa.array([f"NOM{k:04X}" for k in range(20_000)])
    columns = {
        "date_heure": pa.array(moments).cast(pa.timestamp("us")).cast(pa.timestamp("s")),
        "utilisateur": words("u", 3000),
        "profil": words("PROFIL ", 30),
        "unite": words("UF", 200),
        "poste": words("PC-", 2500),
        "ip": pa.array([f"10.1.{k // 256}.{k % 256}" for k in range(2500)]).take(
            pa.array(chance.integers(0, 2500, count))
        ),
        "session": pa.array([f"{k:012x}" for k in chance.integers(0, count // 20 + 1, count)]),
        "action": pa.array(["LECTURE", "LISTE", "RECHERCHE"]).take(
            pa.array(chance.choice(3, count, p=[0.7, 0.2, 0.1]))
        ),
        "ecran": words("Ecran ", 60),
        "ipp": pa.array([f"{k:010d}" for k in patients + 7_000_000]),
        "nom": names.take(pa.array(patients % 20_000)),
        "lignes": pa.array(chance.integers(1, 30, count)),
        "resultat": pa.array(["OK", "KO"]).take(pa.array(chance.choice(2, count, p=[0.98, 0.02]))),
    }
    return pa.table(columns)


def _write(table: pa.Table, folder: Path) -> dict[str, Path]:
    files = {kind: folder / f"log.{kind}" for kind in ("csv", "csv.gz", "parquet", "ndjson")}
    pa.csv.write_csv(table, files["csv"])
    pq.write_table(table, files["parquet"], compression="zstd")
    with pa.CompressedOutputStream(str(files["csv.gz"]), "gzip") as out:
        out.write(files["csv"].read_bytes())
    connection = duckdb.connect()
    connection.execute(f"COPY (FROM '{files['parquet']}') TO '{files['ndjson']}' (FORMAT json)")
    return files


def _read(path: Path, limit: int | None = None) -> Tally:
    mapping = parse_mapping(MAPPING)
    context = Context(mapping.source, Keyring(bytes(32)), MAPPING)
    tally = Tally()
    for batch in TableReader(context).read(Intake(path, path.name)):
        tally += batch.tally
        if limit and tally.read > limit:
            break
    return tally


def _duckdb(path: Path) -> None:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET enable_progress_bar = false")
        copy = f"COPY (FROM '{path}') TO '{path}.out' (FORMAT parquet, COMPRESSION zstd)"
        connection.execute(copy)


def _import(path: Path, home: Path) -> Tally:
    mapping = parse_mapping(MAPPING)
    with Store.open(home, write=True) as store:
        done = import_file(store, path, path.name, mapping)
    assert done.receipt is not None, done.error
    return done.receipt.tally


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _measure(kind: str, path: Path, rows: int, folder: Path) -> list[Result]:
    theirs = rows / _timed(lambda: _duckdb(path)) / 1e6
    alone = rows / _timed(lambda: _read(path)) / 1e6
    whole = rows / _timed(lambda: _import(path, folder / f"home-{kind}")) / 1e6
    reference = "DuckDB, file to Parquet"
    target = "at least 0.35" if kind in ("csv", "parquet") else ""
    return [
        Result(f"read {kind}", alone, reference, theirs, "M rows/s", note="reader alone"),
        Result(f"import {kind}", whole, reference, theirs, "M rows/s", target, "into the store"),
    ]
