"""The files that the store received: their fingerprints, their names, their first receipt."""

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from vigie.errors import ReadingError, reason_of
from vigie.identifiers import without_nir
from vigie.language import N_
from vigie.readers.base import Source, Tally
from vigie.readers.intake import open_file
from vigie.stores.catalogue import Catalogue, now_in_microseconds

_COMPRESSED: Final = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The bytes of a file as they lie on disk: SHA-256, how many, and whether compressed."""

    sha256: str
    size: int
    compressed: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one file.

    `added`, `duplicates` and `expired` count rows: new ones, rows that the store had, and rows of
    days that retention has removed. `ambiguous` counts lines of which the files cannot tell
    whether they were seen before; they are taken as seen. `already_known` says that these very
    bytes were received before, under whatever name; `reread` that they were, but with another
    mapping: rows that the store had stay as that one made them.
    """

    label: str
    tally: Tally
    added: int = 0
    duplicates: int = 0
    ambiguous: int = 0
    expired: int = 0
    already_known: bool = False
    received_at: datetime | None = None
    damage: str | None = None
    reread: bool = False


def fingerprint(path: Path) -> Fingerprint:
    """Hash a file as it lies on disk; raises `ReadingError` when it cannot be read."""
    try:
        with open_file(path) as file:
            head = file.read(4)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
            return Fingerprint(digest, file.tell(), head.startswith(_COMPRESSED))
    except OSError as error:
        raise ReadingError(
            N_("the file cannot be read ({reason})"),
            where=without_nir(str(path)),
            remedy=N_("check the disk and read it again"),
            reason=reason_of(error),
        ) from None


def first_receipt(
    catalogue: Catalogue, source: Source, name: str, print_: Fingerprint, reader: str
) -> sqlite3.Row:
    """Return the catalogue's row of a file, made now if its bytes never came from this source."""
    query = "SELECT * FROM files WHERE source = ? AND sha256 = ?"
    with catalogue.transaction():
        if not catalogue.rows(query, source.name, print_.sha256):
            catalogue.insert(
                "files", source=source.name, label=_unique(catalogue, name), name=name,
                sha256=print_.sha256, size=print_.size, received_at=now_in_microseconds(),
                reader=reader, mapping_version=source.mapping_version,
            )  # fmt: skip
    return catalogue.rows(query, source.name, print_.sha256)[0]


def _unique(catalogue: Catalogue, name: str) -> str:
    """Return a label that no other file has: rotated logs all bear the same name."""
    label, count = name, 1
    while catalogue.rows("SELECT 1 FROM files WHERE label = ?", label):
        count += 1
        label = f"{name}~{count}"
    return label


def known_receipt(row: sqlite3.Row) -> Receipt:
    """Return the receipt of a file that had been received before."""
    return Receipt(
        str(row["label"]), tally_of(row), 0, row["added"] + row["duplicates"], 0, row["expired"],
        True, moment(row["received_at"]), row["damage"],
    )  # fmt: skip


def tally_of(row: sqlite3.Row) -> Tally:
    """Return the lines of a received file as its reader counted them."""
    ignored = json.loads(row["ignored"] or "{}")
    return Tally(row["lines_read"] or 0, row["accepted"] or 0, ignored, row["quarantined"] or 0)


def moment(microseconds: int) -> datetime:
    """Return a time of the catalogue as UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)
