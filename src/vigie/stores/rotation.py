"""Rotation of the pseudonym key: every key that is stored is encrypted once more, at one stroke.

The new key waits in a folder of its own while the segments are written anew; one transaction of
the catalogue then shows them and says under which version of the key they stand; last, the new
key takes the place of the old. Killed before the transaction, the old store stands; killed after
it, the next opening puts the new key in its place.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from vigie import journal
from vigie.errors import SecretError
from vigie.events import KEY
from vigie.language import N_
from vigie.pseudonyms import KEY_FILE, Keyring, open_keyring, save_keyring
from vigie.stores.compaction import replace
from vigie.stores.declared import schema_of, version_in_batches, write_version
from vigie.stores.identity import keys_of, words_of
from vigie.stores.layout import DECLARED, numbered, turning_key
from vigie.stores.segments import Segment, read_segments, write_segment

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from vigie.stores.store import Store

WAITING: Final = "rotation"
_RESTORE: Final = N_("restore it from its backup, without which nothing stored matches")


def rotate(
    store: "Store", who: str = "", reason: str = "",
    carry: Callable[[Keyring], None] = lambda ring: None,
) -> int:  # fmt: skip
    """Rotate the key of a store open for writing; return the number of rotations so far.

    `carry` brings over what is kept outside the store, before anybody else may use the new key.
    Raises `StoreError`, nothing being changed, while notices are sent under the old one.
    """
    with turning_key(store.home):
        version = _rotate(store, who, reason)
        carry(store.keyring)
    return version


def _rotate(store: "Store", who: str, reason: str) -> int:
    old = store.keyring
    new = old.rotated()
    waiting = store.home / WAITING
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(mode=0o700)
    save_keyring(waiting, new)
    with store.operation("rotate") as operation:
        _rewrite(store, new, operation)
    settle_key(store.home, new.version)
    store.forget_keyring()
    store.sweep()
    journal.record(store.home, "rotation", f"version {new.version} of the key", reason, who)
    return new.version


def key_of(store: "Store") -> Keyring:
    """Return the keyring that a store is written under, made when the store is new.

    A new or another key in a store that has rows would split every patient in two, unseen.
    Raises `SecretError` when the key is gone, or is not the one that the store knows.
    """
    home, catalogue = store.home, store.catalogue
    path, known = home / KEY_FILE, catalogue.meta("key_mark")
    used = known or catalogue.rows("SELECT 1 FROM segments LIMIT 1")
    if used and not path.exists() and not is_unfinished(home):
        raise SecretError(N_("the key of this store is gone"), where=str(path), remedy=_RESTORE)
    find = settle_key if store.writable else peek_key
    ring = find(home, int(catalogue.meta("key_version")))
    if known and known != ring.mark:
        raise SecretError(
            N_("this key is not the one that the store was written under"),
            where=str(path),
            remedy=_RESTORE,
        )
    if not known and store.writable:
        catalogue.put_meta("key_mark", ring.mark)
    return ring


def is_unfinished(home: Path) -> bool:
    """Say whether a rotation is under way, or was killed."""
    return (home / WAITING / KEY_FILE).exists()


def settle_key(home: Path, version: int) -> Keyring:
    """Return the keyring of a store written under `version`, ending a rotation that was killed.

    Raises `SecretError` when neither key is the one that the store was written under.
    """
    waiting = home / WAITING
    if (waiting / KEY_FILE).exists() and open_keyring(waiting).version == version:
        (waiting / KEY_FILE).replace(home / KEY_FILE)
    ring = open_keyring(home)
    if ring.version != version:
        raise SecretError(
            N_("the key and the store do not go together (rotations: {found}, store: {wanted})"),
            where=str(home / KEY_FILE),
            remedy=N_("restore the key file and the store from the same backup"),
            found=ring.version,
            wanted=version,
        )
    shutil.rmtree(waiting, ignore_errors=True)
    return ring


def peek_key(home: Path, version: int) -> Keyring:
    """Return the keyring of `version` without changing anything: what a reader may do."""
    waiting = home / WAITING
    if is_unfinished(home):
        ring = open_keyring(waiting)
        if ring.version == version:
            return ring
    return open_keyring(home)


def _rewrite(store: "Store", ring: Keyring, operation: int) -> None:
    catalogue, names = store.catalogue, numbered(operation)
    old = catalogue.rows("SELECT * FROM segments WHERE state = 'live' ORDER BY id")
    new = [_advance_segment(store, row, ring, next(names)) for row in old]
    tables = catalogue.rows("SELECT * FROM declared WHERE state = 'live'")
    moved = [_advance_declared(store, row, ring, names) for row in tables]
    with catalogue.transaction():
        replace(store, [row["id"] for row in old], new)
        for row, (path, sha256) in zip(tables, moved, strict=True):
            catalogue.run(
                "UPDATE declared SET path = ?, sha256 = ? WHERE path = ?", path, sha256, row["path"]
            )
        catalogue.put_meta("key_version", str(ring.version))
        store.mark_done(operation)
    for row in tables:
        (store.home / row["path"]).unlink(missing_ok=True)


def _advance_segment(store: "Store", row: "sqlite3.Row", ring: Keyring, name: str) -> Segment:
    table = read_segments(store.home, [row["path"]], row["kind"])
    return write_segment(
        store.home, row["kind"], row["source"], row["day"], name, advance(table, ring), row["file"]
    )


def _advance_declared(
    store: "Store", row: "sqlite3.Row", ring: Keyring, names: "Iterator[str]"
) -> tuple[str, str]:
    before = store.home / row["path"]
    path = f"{DECLARED}/{row['name']}/{next(names)}.parquet"
    moved = (advance(table, ring) for table in version_in_batches(before))
    _rows, sha256 = write_version(store.home / path, schema_of(before), moved)
    return path, sha256


def advance(table: pa.Table, ring: Keyring, since: int = -1) -> pa.Table:
    """Apply the steps of the keyring from `since` on (the last) to every column of keys.

    Nulls stay null.
    """
    first = ring.version - 1 if since < 0 else since
    for place, field in enumerate(table.schema):
        if field.type == KEY and table.column(place).null_count < table.num_rows:
            column = table.column(place)
            words = np.ascontiguousarray(words_of(column)).tobytes()
            moved = np.frombuffer(ring.advanced(words, first), np.uint64).reshape(-1, 2)
            valid = column.is_valid().to_numpy() if column.null_count else None
            table = table.set_column(place, field, keys_of(moved, valid))
    return table
