"""The persons of a case, kept as pseudonyms for its notices, through rotations of the key.

A rotation is a permutation: the same persons bear other pseudonyms. A set is then written anew
under the new key, and the journal says which file came of which. Facts go on naming the set by the
hash that it had first, so that what was approved stays approved: no person came or went.

The name of the file bears the number of rotations, so that a process killed in between, or
a rotation made elsewhere, is caught up with the next time the set is asked for.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from vigie import journal
from vigie.exposure.engine import ORDER
from vigie.exposure.output import hash_file, write_parquet
from vigie.exposure.schema import EXPOSURE
from vigie.pseudonyms import Keyring
from vigie.stores import spilling
from vigie.stores.keys import advance
from vigie.stores.layout import telling

SETS: Final = "exposures"
ENTRY: Final = "set"


def set_of(home: Path, case: str, keyring: Keyring) -> Path:
    """Return where the persons of a case are kept, brought to the key in force."""
    path = _place(home, case, keyring.version)
    for version in range(keyring.version):
        before = _place(home, case, version)
        if before.exists():
            _carry(home, case, before, version, keyring)
    return path


def carry_sets(home: Path, keyring: Keyring) -> int:
    """Bring the sets of all cases to the key in force; return how many there are."""
    cases = {path.name.split(".")[0] for path in (home / SETS).glob("*.parquet")}
    for case in sorted(cases):
        set_of(home, case, keyring)
    return len(cases)


def first_name(home: Path, sha256: str) -> str:
    """Return the hash that a set had before any rotation: the name that facts know it by."""
    came_of = {new: old for old, new in _carried(home)}
    while sha256 in came_of:
        sha256 = came_of[sha256]
    return sha256


def is_superseded(home: Path, sha256: str) -> bool:
    """Whether a set bears pseudonyms of a key that was rotated since."""
    return sha256 in {old for old, _new in _carried(home)}


def _carried(home: Path) -> list[tuple[str, str]]:
    said = [entry.subject.split() for entry in journal.entries(home) if entry.what == ENTRY]
    return [(words[-2], words[-1]) for words in said if words[-2] != words[-1]]


def _place(home: Path, case: str, version: int) -> Path:
    return home / SETS / f"{case}{f'.{version}' if version else ''}.parquet"


def _carry(home: Path, case: str, before: Path, version: int, keyring: Keyring) -> None:
    """Write a set under the key in force; the journal is told before the old file goes."""
    after = _place(home, case, keyring.version)
    with telling(before), spilling.connect(home) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        old = hash_file(before)
        connection.register("carried", _advanced(before, version, keyring))
        columns = ", ".join(EXPOSURE.names)
        rows = connection.sql(f"SELECT {columns} FROM carried ORDER BY {ORDER}")
        new = write_parquet(rows, EXPOSURE, after)
        journal.record(home, ENTRY, f"{case} under key {keyring.version}: {old} {new}")
        before.unlink()


def _advanced(path: Path, version: int, keyring: Keyring) -> pa.RecordBatchReader:
    def batches() -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                table = pa.Table.from_batches([batch]).cast(EXPOSURE)
                yield from advance(table, keyring, version).to_batches()

    return pa.RecordBatchReader.from_batches(EXPOSURE, batches())
