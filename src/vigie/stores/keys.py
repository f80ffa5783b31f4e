"""The key that a store is written under: the one it knows, and the steps that rotations added."""

import shutil
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from vigie.errors import SecretError
from vigie.events import KEY
from vigie.language import N_
from vigie.pseudonyms import KEY_FILE, Keyring, open_keyring
from vigie.stores.catalogue import Catalogue
from vigie.stores.identity import keys_of, words_of

WAITING: Final = "rotation"
"""The folder where a new key waits until everything is written under it."""
_RESTORE: Final = N_("restore it from its backup, without which nothing stored matches")


def key_of(home: Path, catalogue: Catalogue, writable: bool) -> Keyring:
    """Return the keyring that a store is written under, made when the store is new.

    A new or another key in a store that has rows would split every patient in two, unseen.
    Raises `SecretError` when the key is gone, or is not the one that the store knows.
    """
    path, known = home / KEY_FILE, catalogue.meta("key_mark")
    used = known or catalogue.rows("SELECT 1 FROM segments LIMIT 1")
    if used and not path.exists() and not is_unfinished(home):
        raise SecretError(N_("the key of this store is gone"), where=str(path), remedy=_RESTORE)
    find = settle_key if writable else peek_key
    ring = find(home, int(catalogue.meta("key_version")))
    if known and known != ring.mark:
        raise SecretError(
            N_("this key is not the one that the store was written under"),
            where=str(path),
            remedy=_RESTORE,
        )
    if not known and writable:
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
