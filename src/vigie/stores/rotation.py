"""Rotation of the pseudonym key: every key that is stored is encrypted once more, at one stroke.

The new key waits in a folder of its own while the segments are written anew; one transaction of
the catalogue then shows them and says under which version of the key they stand; last, the new
key takes the place of the old. Killed before the transaction, the old store stands; killed after
it, the next opening puts the new key in its place.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator

from vigie import journal
from vigie.pseudonyms import Keyring, save_keyring
from vigie.stores.declared import schema_of, version_in_batches, write_version
from vigie.stores.keys import WAITING, advance, settle_key
from vigie.stores.layout import DECLARED, numbered, turning_key
from vigie.stores.opened import OpenStore
from vigie.stores.segments import Segment, read_segments, write_segment


def rotate(
    store: OpenStore, who: str = "", reason: str = "",
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


def _rotate(store: OpenStore, who: str, reason: str) -> int:
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


def _rewrite(store: OpenStore, ring: Keyring, operation: int) -> None:
    catalogue, names = store.catalogue, numbered(operation)
    old = catalogue.rows("SELECT * FROM segments WHERE state = 'live' ORDER BY id")
    new = [_advance_segment(store, row, ring, next(names)) for row in old]
    tables = catalogue.rows("SELECT * FROM declared WHERE state = 'live'")
    moved = [_advance_declared(store, row, ring, names) for row in tables]
    with catalogue.transaction():
        store.replace([row["id"] for row in old], new)
        for row, (path, sha256) in zip(tables, moved, strict=True):
            catalogue.run(
                "UPDATE declared SET path = ?, sha256 = ? WHERE path = ?", path, sha256, row["path"]
            )
        catalogue.put_meta("key_version", str(ring.version))
        store.mark_done(operation)
    for row in tables:
        (store.home / row["path"]).unlink(missing_ok=True)


def _advance_segment(store: OpenStore, row: sqlite3.Row, ring: Keyring, name: str) -> Segment:
    table = read_segments(store.home, [row["path"]], row["kind"])
    return write_segment(
        store.home, row["kind"], row["source"], row["day"], name, advance(table, ring), row["file"]
    )


def _advance_declared(
    store: OpenStore, row: sqlite3.Row, ring: Keyring, names: Iterator[str]
) -> tuple[str, str]:
    before = store.home / row["path"]
    path = f"{DECLARED}/{row['name']}/{next(names)}.parquet"
    moved = (advance(table, ring) for table in version_in_batches(before))
    _rows, sha256 = write_version(store.home / path, schema_of(before), moved)
    return path, sha256
