"""Reading sealed originals again: for people with a reason, and the private key in their hands."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vigie import journal
from vigie.errors import StoreError
from vigie.language import N_
from vigie.sealing import read_identities
from vigie.sealing import unseal as unseal_chunk
from vigie.stores.layout import sealed_path
from vigie.stores.opened import OpenStore


def unseal(
    store: OpenStore,
    source_file: str,
    lines: Iterable[int],
    identity: Path,
    reason: str,
    who: str = "",
) -> list[bytes]:
    """Return lines of an original as they were, without their newline, in the order asked.

    `source_file` is the name that events carry, `lines` count from 1, `identity` is the file of
    the age private key. Journalled before anything is opened. Raises `RefusedError` without a
    reason, `SecretError` with another key, `StoreError` when the original is not there any more.
    """
    reason = journal.require_reason(reason)
    identities = read_identities(identity)
    chunks = _chunks(store, source_file)
    wanted = list(lines)
    journal.record(store.home, "unseal", f"{source_file}: {len(wanted)} lines", reason, who)
    return [_line(store, chunks, source_file, number, identities) for number in wanted]


def unseal_file(
    store: OpenStore, source_file: str, identity: Path, reason: str, who: str = ""
) -> bytes:
    """Return a whole original, decompressed, byte for byte; see `unseal`."""
    reason = journal.require_reason(reason)
    identities = read_identities(identity)
    chunks = _chunks(store, source_file)
    journal.record(store.home, "unseal", f"{source_file}: whole", reason, who)
    return b"".join(_open(store, chunk, identities) for chunk in chunks)


def _chunks(store: OpenStore, label: str) -> list[sqlite3.Row]:
    """Return the chunks of a file, or of the same content received earlier in another packing."""
    found = store.catalogue.rows(
        "SELECT chunks.* FROM chunks WHERE state = 'live' AND file = ("
        " SELECT twin.id FROM files AS asked JOIN files AS twin"
        " ON twin.source = asked.source AND twin.content_sha256 = asked.content_sha256"
        " WHERE asked.label = ? ORDER BY twin.id LIMIT 1) ORDER BY begins",
        label,
    )
    if not found:
        raise StoreError(
            N_("no sealed original is kept under that name"),
            where=label,
            remedy=N_("look at source_file of the event; retention may have removed it"),
        )
    return found


def _line(
    store: OpenStore,
    chunks: list[sqlite3.Row],
    source_file: str,
    number: int,
    identities: list[Any],
) -> bytes:
    """Return one line: from the chunk that holds the newline before it to the one with its own."""
    begin = max(
        (place for place, chunk in enumerate(chunks) if chunk["first_line"] < number), default=0
    )
    end = next(
        (p for p, c in enumerate(chunks) if c["first_line"] + c["lines"] > number), len(chunks) - 1
    )
    data = b"".join(_open(store, chunk, identities) for chunk in chunks[begin : end + 1])
    lines = data.removesuffix(b"\n").split(b"\n")
    place = number - chunks[begin]["first_line"]
    if not 0 <= place < len(lines):
        raise StoreError(N_("the original has no such line"), where=f"{source_file}:{number}")
    return bytes(lines[place])


def _open(store: OpenStore, chunk: sqlite3.Row, identities: list[Any]) -> bytes:
    path = sealed_path(store.home, chunk["source"], chunk["name"])
    relative = str(path.relative_to(store.home))
    if not path.exists():
        raise StoreError(
            N_("a sealed original is missing"),
            where=relative,
            remedy=N_("run vigie verify, then restore it from a backup"),
        )
    return unseal_chunk(path.read_bytes(), identities, relative)
