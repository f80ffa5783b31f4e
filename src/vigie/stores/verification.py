"""Verification: whether the store is still what was written, file by file."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vigie import journal
from vigie.errors import SecretError
from vigie.journal import JOURNAL_FILE
from vigie.language import N_, _, sentence
from vigie.pseudonyms import KEY_FILE
from vigie.stores.catalogue import CATALOGUE_FILE
from vigie.stores.layout import DECLARED, FOLDERS, SEALED, sealed_path
from vigie.stores.opened import OpenStore


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written.

    `kind` is `changed`, `missing`, `extra`, `journal`, `key` or `catalogue`; `where` the path
    relative to the home; `what` an English message identifier.
    """

    kind: str
    where: str
    what: str
    number: int = 0

    def __str__(self) -> str:
        """Render one sentence in the current language."""
        place = f"{self.where}:{self.number}" if self.number else self.where
        return sentence(place, _(self.what))


def verify(store: OpenStore) -> list[Finding]:
    """Return everything that is not as it was written; an empty list is a store that holds."""
    return [
        *_catalogue(store), *_key(store), *_written(store), *_extra(store), *_journal(store)
    ]  # fmt: skip


def _catalogue(store: OpenStore) -> Iterator[Finding]:
    for row in store.catalogue.rows("PRAGMA integrity_check(1)"):
        if row[0] != "ok":
            yield Finding("catalogue", CATALOGUE_FILE, N_("the catalogue is damaged"))


def _key(store: OpenStore) -> Iterator[Finding]:
    try:
        if store.catalogue.rows("SELECT 1 FROM segments LIMIT 1"):
            store.check_key()
    except SecretError as error:
        yield Finding("key", KEY_FILE, error.what.format_map(error.fields))


def _named(store: OpenStore) -> list[tuple[str, str]]:
    """Return `(path, SHA-256)` of every file that the catalogue names as present."""
    rows, named = store.catalogue.rows, []
    for table in ("segments", "declared"):
        live = rows(f"SELECT path, sha256 FROM {table} WHERE state = 'live'")
        named += [(row["path"], row["sha256"]) for row in live]
    for row in rows("SELECT source, name, sha256 FROM chunks WHERE state = 'live'"):
        path = sealed_path(store.home, row["source"], row["name"])
        named.append((path.relative_to(store.home).as_posix(), row["sha256"]))
    return named


def _written(store: OpenStore) -> Iterator[Finding]:
    for path, sha256 in _named(store):
        try:
            with (store.home / path).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            yield Finding("missing", path, N_("the file is missing"))
            continue
        except OSError:
            yield Finding("missing", path, N_("the file cannot be read"))
            continue
        if found != sha256:
            yield Finding("changed", path, N_("the file was changed"))


def _extra(store: OpenStore) -> Iterator[Finding]:
    """Yield files that nothing names, leaving out those of a writer at work and those to go."""
    known = {path for path, _ in _named(store)}
    known |= {row["path"] for row in store.catalogue.rows("SELECT path FROM segments")}
    for row in store.catalogue.rows("SELECT source, name FROM chunks WHERE state = 'tombstoned'"):
        known.add(sealed_path(Path(), row["source"], row["name"]).as_posix())
    open_ = {
        f"{row['id']:08d}"
        for row in store.catalogue.rows("SELECT id FROM operations WHERE state = 'open'")
    }
    for folder in (*FOLDERS.values(), SEALED, DECLARED):
        for path in sorted((store.home / folder).rglob("*")):
            relative = path.relative_to(store.home).as_posix()
            if path.is_file() and relative not in known and path.name[:8] not in open_:
                yield Finding("extra", relative, N_("the catalogue does not know this file"))


def _journal(store: OpenStore) -> Iterator[Finding]:
    broken = journal.verify(store.home, store.remembered)
    if broken:
        yield Finding("journal", JOURNAL_FILE, broken.what, broken.number)
