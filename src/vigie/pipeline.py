"""The walk from a path to a stored access: find the files, choose mapping and reader, store.

One file that cannot be read never stops the others: it is reported, and the answer that follows
is not trusted.
"""

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from vigie.errors import MappingError, ReadingError, UsageError, VigieError
from vigie.language import N_
from vigie.readers import reader_class, recognise
from vigie.readers.base import Context, Source
from vigie.readers.intake import Intake
from vigie.readers.mapping import Mapping, load_mapping
from vigie.stores import Receipt, Store


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: its receipt, or the error that kept it out."""

    label: str
    reader: str
    receipt: Receipt | None = None
    error: VigieError | None = None


def find_files(paths: Iterable[Path]) -> dict[Path, str]:
    """Return the files named and those under the directories named, in a fixed order.

    Each comes with its label, the name that alerts cite: its path below the directory that was
    named, or its own name. Hidden files and mapping files are passed over in directories. Raises
    `UsageError` for a path that does not exist and for a directory without any file.
    """
    found: dict[Path, str] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(
                N_("there is no such file or directory"),
                where=str(path),
                remedy=N_("check the name"),
            )
        inside = sorted(p for p in path.rglob("*") if _is_log(p)) if path.is_dir() else [path]
        if not inside:
            raise UsageError(
                N_("the directory holds no log file"),
                where=str(path),
                remedy=N_("name the directory where the logs are"),
            )
        for file in inside:
            found[file] = file.relative_to(path).as_posix() if path.is_dir() else file.name
    return found


def _is_log(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix not in {".toml", ".txt"}


def load_mappings(paths: Iterable[Path]) -> list[Mapping]:
    """Load mapping files, and those of the directories named."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return [load_mapping(path) for path in files]


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
        done.append(import_file(store, path, label, mapping_for(path, mappings), progress))
    declare(store, mappings)
    return done


def declare(store: Store, mappings: Sequence[Mapping]) -> None:
    """Keep what the mappings declare of screens and controllers, in place of what was declared."""
    for mapping in mappings:
        _replace(store, "screens", "source", mapping.screens())
        _replace(store, "contracts", "organisation", mapping.contracts())


def _replace(store: Store, name: str, key: str, said: pa.Table) -> None:
    """Put a new version of a table if `said` changes the rows that have its keys."""
    known = store.table(name)
    others = known.filter(pc.invert(pc.is_in(known.column(key), value_set=said.column(key))))
    fresh = pa.concat_tables([others, said])
    if not fresh.equals(known):
        store.put_table(name, fresh)


def import_file(
    store: Store,
    path: Path,
    label: str,
    mapping: Mapping | None,
    progress: Callable[[int], None] = lambda count: None,
) -> Imported:
    """Read one file into the store; an error that only this file has is returned, not raised."""
    name = ""
    try:
        name = (mapping.reader if mapping else "") or recognise(Intake(path, label))
        context = context_for(store, mapping, name)
        reader = reader_class(name)(context)
        with store.receive(path, label, context.source, name) as receiving:
            if not receiving.already_known:
                intake = Intake(path, receiving.label, receiving.seal, progress)
                for batch in reader.read(intake):
                    receiving.add(batch)
                receiving.damage = intake.damage
        return Imported(label, name, receipt=receiving.receipt)
    except (ReadingError, MappingError) as error:
        error.where = error.where or label
        return Imported(label, name, error=error)


def context_for(store: Store, mapping: Mapping | None, reader: str) -> Context:
    """Return what the reader may know: the mapping's source, else one named after the format."""
    if mapping is None:
        return Context(Source(reader), store.keyring)
    return Context(mapping.source, store.keyring, mapping.raw, mapping.where)
