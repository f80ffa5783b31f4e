"""An exposure split by controller: one row per controller and person, in that order.

The rows of an exposure (person, data class, how, account…) become what a controller needs to know
of a person: which classes, how, from when to when, how sure. Who is only `reachable` is no person
concerned, by the facts, but may be one: such rows follow all others of their controller. The work
is DuckDB's, which leaves the memory it is given for the disk; only pseudonyms pass there, in a
directory that is removed.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from vigie.errors import ReadingError, reason_of
from vigie.exposure import CERTAINTIES, EXPOSURE, HOWS, SURE
from vigie.language import N_
from vigie.notices.share import Share
from vigie.records import DATA_CLASSES
from vigie.stores.quoting import quoted

MEMORY: Final = "1500MB"
_KEYS: Final = 1 << 18
_PREFIX: Final = "split-"
_LOCK: Final = "in-use"


@dataclass(frozen=True, slots=True)
class Split:
    """A settled split: the file of its rows, in order, and the share of each controller."""

    path: Path
    shares: dict[str, Share]

    def rows(self, at_most: int) -> Iterator[pa.Table]:
        """Yield the rows in order, at most so many at a time."""
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(at_most):
                yield pa.Table.from_batches([batch])

    def persons(self) -> Iterator[pa.Array]:
        """Yield the key of the person of each row, in order."""
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(_KEYS, columns=["patient"]):
                yield batch.column(0)


@contextmanager
def split(
    exposure: Path, work: Path, memory: str = MEMORY, by_controller: bool = True
) -> Iterator[Split]:
    """Split the exposure in `exposure` (Parquet, EXPOSURE) by controller, working under `work`.

    A person without a controller is under the empty name; everybody is, each once, when it is not
    split `by_controller`. Raises `ReadingError` when the file is no exposure.
    """
    check(exposure)
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(work)
    with TemporaryDirectory(prefix=_PREFIX, dir=work) as name, _held(Path(name)):
        path = Path(name) / "rows.parquet"
        settings: dict[str, Any] = {"memory_limit": memory, "temp_directory": name, "threads": 2}
        with duckdb.connect(config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
            connection.execute(
                _ROWS.format(
                    controller="coalesce(controller, '')" if by_controller else "''",
                    classes=_mask("data_class", DATA_CLASSES), hows=_mask("how", HOWS),
                    shown=_settled("how <> 'reachable'"),
                    seen=_settled(f"how <> 'reachable' AND certainty IN {list(SURE)}"),
                    certainties=list(CERTAINTIES), sure=list(SURE), exposure=quoted(str(exposure)),
                    path=quoted(str(path)),
                )
            )  # fmt: skip
            shares = _shares(connection, exposure, path) if by_controller else {}
        yield Split(path, shares)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Say, for as long as this process lives, that the directory is in use."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sweep(work: Path) -> None:
    """Remove what a killed process left: nobody holds it any more."""
    for folder in work.glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:  # just made, or just removed
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # in use
            continue
        finally:
            os.close(descriptor)


def check(exposure: Path) -> None:
    """Raise `ReadingError` when a file is no exposure."""
    try:
        found = pq.read_schema(exposure)
    except OSError as error:
        reason = reason_of(error)
    except pa.ArrowInvalid:
        reason = N_("it is not Parquet")
    else:
        odd = [f.name for f in EXPOSURE if f.name not in found.names or not _fits(found, f)]
        if not odd:
            return
        reason = N_("a column of it is missing or of another type")
    raise ReadingError(
        N_("this is not an exposure ({reason})"),
        where=str(exposure),
        remedy=N_("make it with vigie exposure --out FILE.parquet"),
        reason=reason,
    )


def _fits(found: pa.Schema, field: pa.Field) -> bool:
    kind = found.field(field.name).type
    return bool(kind == field.type or (pa.types.is_binary(kind) and field.name == "patient"))


def _mask(column: str, words: tuple[str, ...]) -> str:
    # The words are ours, and the same in every run.
    return f"bit_or((1 << (list_position({list(words)!r}, {column}) - 1))::INTEGER)"


def _settled(where: str) -> str:
    """Return SQL for the classes of some rows, less what is not determined beside others.

    It may be of the same kinds: that more was shown nobody knows.
    """
    mask = f"coalesce({_mask('data_class', DATA_CLASSES)} FILTER ({where}), 0)"
    unknown = 1 << DATA_CLASSES.index("unknown")
    return f"CASE {mask} WHEN {unknown} THEN {unknown} ELSE {mask} & ~{unknown} END"


_ROWS: Final = """
    COPY (
        SELECT {controller} AS controller, patient, {classes} AS classes, {hows} AS hows,
               {shown} AS shown, {seen} AS seen,
               min(first_at) AS first_at, max(last_at) AS last_at,
               min(first_at) FILTER (how <> 'reachable' AND certainty IN {sure}) AS seen_from,
               max(last_at) FILTER (how <> 'reachable' AND certainty IN {sure}) AS seen_until,
               min(list_position({certainties}, certainty) - 1)::TINYINT AS certainty,
               sum(accesses)::BIGINT AS accesses
        FROM read_parquet({exposure}) GROUP BY ALL ORDER BY controller, shown = 0, patient
    ) TO {path} (COMPRESSION zstd, ROW_GROUP_SIZE 250000)"""
_SHARES: Final = """
    SELECT controller, count(*) FILTER (shown > 0), count(*) FILTER (shown = 0),
           min(first_at), max(last_at), bit_or(classes), bit_or(seen), {classes}, {hows}
    FROM read_parquet({path}) GROUP BY controller ORDER BY controller"""
_TOTALS: Final = """
    SELECT coalesce(controller, '') AS name, count(*), list_sort(list(DISTINCT account))
    FROM read_parquet({exposure}) GROUP BY name"""


def _shares(connection: Any, exposure: Path, path: Path) -> dict[str, Share]:
    totals = {
        name: (rows, tuple(accounts))
        for name, rows, accounts in _answer(
            connection, _TOTALS.format(exposure=quoted(str(exposure)))
        )
    }
    query = _SHARES.format(
        path=quoted(str(path)),
        classes=_counts("shown", DATA_CLASSES),
        hows=_counts("hows", HOWS),
    )
    return {row[0]: _share(row, *totals[row[0]]) for row in _answer(connection, query)}


def _answer(connection: Any, query: str) -> list[tuple[Any, ...]]:
    found = connection.sql(query).to_arrow_table()
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def _counts(column: str, words: tuple[str, ...]) -> str:
    return ", ".join(
        f"count(*) FILTER ({column} & {1 << place} > 0)" for place in range(len(words))
    )


def _share(row: tuple[Any, ...], rows: int, accounts: tuple[str, ...]) -> Share:
    controller, persons, possible, first, last, classes, seen, *counts = row
    cut = len(DATA_CLASSES)
    by_class = _named(DATA_CLASSES, counts[:cut])
    may = tuple(name for name in classes_in(classes) if name not in by_class)
    return Share(
        controller, persons, rows, by_class, _named(HOWS, counts[cut:]), accounts, first, last,
        possible, may, classes_in(seen),
    )  # fmt: skip


def classes_in(mask: int) -> tuple[str, ...]:
    """Return the classes of data that a column of this split's rows holds as bits."""
    return tuple(name for place, name in enumerate(DATA_CLASSES) if mask >> place & 1)


def _named(words: tuple[str, ...], counts: list[int]) -> dict[str, int]:
    return {word: count for word, count in zip(words, counts, strict=True) if count}
