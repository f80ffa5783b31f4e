"""The walk from a path to a stored access: find the files, choose mapping and reader, store.

One file that cannot be read never stops the others: it is reported, and the answer that follows
is not trusted.
"""

import fnmatch
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from vigie.errors import MappingError, ReadingError, UsageError, VigieError
from vigie.identifiers import without_nir
from vigie.language import N_
from vigie.readers import UNRECOGNISED, reader_class, recognise, require_content
from vigie.readers.base import Batch, Context, Source
from vigie.readers.intake import Intake
from vigie.readers.mapping import Mapping, load_mapping
from vigie.stores import Receipt, Store

NOT_FOR_IT: Final = N_(
    "no mapping given is for a file of this name: see what stands under `files` in its [source]"
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: its receipt, or the error that kept it out.

    `relations` counts the care relations that it gave, `doubts` its rows by `clock_quality` where
    that is not `exact`.
    """

    label: str
    reader: str
    receipt: Receipt | None = None
    error: VigieError | None = None
    faults: "tuple[Fault, ...]" = ()
    relations: int = 0
    doubts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why lines went into quarantine: the reason, the column, the first of them, how many."""

    reason: str
    column: str | None
    line: int
    count: int


def find_files(paths: Iterable[Path]) -> dict[Path, str]:
    """Return the files named and those under the directories named, in a fixed order.

    Each comes with its label, the name that alerts cite: its path below the directory that was
    named, or its own name. Hidden files and mapping files are passed over in directories. Raises
    `UsageError` for a path that does not exist and for a directory without any file.
    """
    found: dict[Path, str] = {}
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(
                N_("there is no such file or directory"),
                where=without_nir(str(path)),
                remedy=N_("check the name"),
            )
        folder = os.path.isdir(path)  # noqa: PTH112 - Path's raises without rights on its parent
        inside = _inside(path) if folder else [path]
        if not inside:
            raise UsageError(
                N_("the directory holds no log file"),
                where=str(path),
                remedy=N_("name the directory where the logs are"),
            )
        for file in inside:
            found[file] = label_of(file.relative_to(path).as_posix() if folder else file.name)
    return found


def passed_over(paths: Iterable[Path]) -> list[Path]:
    """Return what `find_files` leaves out of directories though it may hold a log.

    That is: texts (notes, most often), links to directories elsewhere, links to what is not there.
    """
    return sorted(left for path in paths if path.is_dir() for left in _passed_over(path))


def _passed_over(folder: Path) -> Iterator[Path]:
    home = folder.resolve()
    for place, folders, names in os.walk(folder):
        for path in (Path(place, name) for name in names if not name.startswith(".")):
            if path.suffix == ".txt" or _leads_nowhere(path):
                yield path
        for path in (Path(place, name) for name in folders):
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                yield path


def _leads_nowhere(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return path.is_symlink()
    except OSError:  # a circle of links holds nothing; what may not be read says so itself
        return False
    return False


def label_of(name: str) -> str:
    """Return what a file is called in the store: text without a NIR, whatever its bytes.

    >>> label_of("255081416802538.csv")
    'NIR.csv'
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return without_nir(text)


def _inside(folder: Path) -> list[Path]:
    """Return the logs below a directory, and the directories that may not be opened.

    The latter fail when they are read, in a sentence: what they hold must not pass for absent.
    """
    closed: list[Path] = []
    walk = os.walk(folder, onerror=lambda error: closed.append(Path(error.filename)))
    files = [Path(place, name) for place, _folders, names in walk for name in names]
    return sorted([*filter(_is_log, files), *closed])


def _is_log(path: Path) -> bool:
    if path.name.startswith(".") or path.suffix in {".toml", ".txt"}:
        return False
    try:
        return path.is_file()
    except PermissionError:  # its reading will say so
        return True


def load_mappings(paths: Iterable[Path]) -> list[Mapping]:
    """Load mapping files, and those of the directories named."""
    files: list[Path] = []
    for path in paths:
        files += _mappings_in(path) if path.is_dir() else [path]
    return [load_mapping(path) for path in files]


def _mappings_in(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.toml"))
    if not found:
        raise MappingError(
            N_("the directory holds no mapping"),
            where=str(folder),
            remedy=N_("name a file, or the directory where the .toml files are"),
        )
    return found


def mapping_for(path: Path, mappings: Sequence[Mapping]) -> Mapping | None:
    """Return the first mapping whose `files` pattern fits; one without a pattern fits all."""
    for mapping in mappings:
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in mapping.files):
            return mapping
    return next((mapping for mapping in mappings if not mapping.files), None)


def import_files(
    store: Store,
    files: dict[Path, str],
    mappings: Sequence[Mapping],
    progress: Callable[[int], None] = lambda count: None,
) -> list[Imported]:
    """Read every file into the store, with the declarations of the mappings used."""
    done = []
    for path, label in files.items():
        mapping = mapping_for(path, mappings)
        imported = import_file(store, path, label, mapping, progress)
        error = imported.error
        if error and mappings and mapping is None and error.what == UNRECOGNISED:
            error.remedy = NOT_FOR_IT
        done.append(imported)
    declare(store, mappings)
    return done


def declare(store: Store, mappings: Sequence[Mapping]) -> None:
    """Keep what the mappings declare of screens and controllers, in place of what was declared."""
    for mapping in mappings:
        _replace(store, "screens", "source", mapping.screens())
        _replace(store, "contracts", "organisation", mapping.contracts())
        _replace(store, "authorities", "source", mapping.authorities())


def _replace(store: Store, name: str, key: str, said: pa.Table) -> None:
    """Put a new version of a table if `said` changes the rows that have its keys."""
    if not said.num_rows:
        return
    keys = said.column(key)
    known = [_with(table, key, keys) for table in store.table_in_batches(name)]
    if not pa.concat_tables([said.slice(0, 0), *known]).equals(said):
        others = (_with(table, key, keys, False) for table in store.table_in_batches(name))
        store.put_tables(name, chain(others, [said]))


def _with(table: pa.Table, key: str, keys: pa.ChunkedArray, kept: bool = True) -> pa.Table:
    """Return the rows of a table that have one of these keys, or that have none of them."""
    found = pc.is_in(table.column(key), value_set=keys)
    return table.filter(found if kept else pc.invert(found))


def import_file(
    store: Store,
    path: Path,
    label: str,
    mapping: Mapping | None,
    progress: Callable[[int], None] = lambda count: None,
) -> Imported:
    """Read one file into the store; an error that only this file has is returned, not raised."""
    name, faults, doubts = "", _Faults(), Counter[str]()
    try:
        require_content(Intake(path, label))
        name = (mapping.reader if mapping else "") or recognise(Intake(path, label))
        context = context_for(store, mapping, name)
        reader = reader_class(name)(context)
        relations: list[pa.Table] = []
        with store.receive(path, label, context.source, name) as receiving:
            if not receiving.already_known:
                intake = Intake(path, receiving.label, receiving.seal, progress)
                for batch in reader.read(intake):
                    receiving.add(batch)
                    faults.add(batch)
                    doubts += _doubts(batch)
                    relations += [] if batch.relations is None else [batch.relations]
                receiving.damage = intake.damage
                if relations:
                    store.put_part("care", receiving.label, pa.concat_tables(relations))
        count = sum(part.num_rows for part in relations)
        return Imported(
            label, name, receipt=receiving.receipt, faults=faults.found(), relations=count,
            doubts=doubts,
        )  # fmt: skip
    except (ReadingError, MappingError) as error:
        error.where = error.where or label
        return Imported(label, name, error=error)


def _doubts(batch: Batch) -> Counter[str]:
    """Count the rows whose moment is not known for sure, by why."""
    counts = pc.value_counts(batch.events.column("clock_quality")).to_pylist()
    return Counter({one["values"]: one["counts"] for one in counts if one["values"] != "exact"})


class _Faults:
    """Counts why lines go into quarantine."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str | None], tuple[int, int]] = {}

    def add(self, batch: Batch) -> None:
        told = batch.quarantine.select(["reason", "detail", "source_line"])
        groups = told.group_by(["reason", "detail"]).aggregate(
            [("source_line", "min"), ("source_line", "count")]
        )
        for row in groups.to_pylist():
            key = row["reason"], row["detail"]
            line, count = self._first.get(key, (row["source_line_min"], 0))
            self._first[key] = line, count + row["source_line_count"]

    def found(self) -> tuple[Fault, ...]:
        faults = [Fault(*key, line, count) for key, (line, count) in self._first.items()]
        return tuple(sorted(faults, key=lambda fault: fault.line))


def context_for(store: Store, mapping: Mapping | None, reader: str) -> Context:
    """Return what the reader may know: the mapping's source, else one named after the format."""
    if mapping is None:
        return Context(Source(reader), store.keyring)
    return Context(mapping.source, store.keyring, mapping.raw, mapping.where)
