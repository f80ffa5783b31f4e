"""Receiving a file: from a reader's batches to segments that appear all at once.

The file's first receipt is written to the catalogue before reading begins, so that a killed import
run again gives the same `received_at` and the same names; nothing else is visible until the one
transaction at the end.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from vigie.readers.base import Batch, Source, Tally
from vigie.sealing import Chunk, Sealer, recipients
from vigie.stores.alignment import Alignment, Lines, Total, align, new_lines, stored_lines
from vigie.stores.crossing import cross
from vigie.stores.files import Receipt, fingerprint, first_receipt, known_receipt, moment
from vigie.stores.layout import STAGING, numbered, sealed_path, write_whole
from vigie.stores.opened import OpenStore
from vigie.stores.settling import Job, Origin, Settled, settle
from vigie.stores.staging import Partition, Staging
from vigie.stores.unread import UnreadLines

_WORKERS: Final = 2
_LINE: Final = ["source_line", "at", "line_hash", "part", "record_key"]


class Receiving:
    """One file on its way into the store; made by `Store.receive`.

    `label` goes into `Intake.label` (the name at first receipt, made unique), `seal` into
    `Intake.seal`. When `already_known` there is nothing to read. `receipt` is there afterwards.
    """

    def __init__(
        self, store: OpenStore, path: Path, name: str, source: Source, reader: str
    ) -> None:
        self._store, self._source, self._reader = store, source, reader
        print_ = fingerprint(path)
        store.declare_source(source)
        self._row = first_receipt(store.catalogue, source, name, print_, reader)
        self._sha256 = print_.sha256
        self._content = hashlib.sha256() if print_.compressed else None
        self.label = str(self._row["label"])
        same = self._row["mapping_version"] == source.mapping_version
        self.already_known = self._row["state"] == "received" and same
        self.receipt = known_receipt(self._row) if self.already_known else Receipt(name, Tally())
        self.damage: str | None = self.receipt.damage
        self.tally = Tally()

    def __enter__(self) -> "Receiving":
        if self.already_known:
            return self
        store = self._store
        self._operation = store.begin_operation("receive")
        self._names = numbered(self._operation)
        folder = store.home / STAGING / f"{self._operation:08d}"
        self._staging, self._unread = Staging(folder), UnreadLines(folder)
        held = store.catalogue.rows("SELECT 1 FROM chunks WHERE file = ?", self._row["id"])
        self._sealer = (
            None if held else Sealer(recipients(store.home), self._write_chunk, self._names)
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self.already_known:
            return
        try:
            if kind is None:
                self._finish()
        finally:
            self._staging.abandon()
            if self._sealer:
                self._sealer.abandon()
            self._store.end_operation(self._operation)
            # The sealer knows this object, and what knows itself is not freed until much later.
            del self._staging, self._unread, self._sealer

    def seal(self, block: bytes) -> None:
        """Take the next bytes of the decompressed file; what `Intake.seal` wants."""
        if self._content:
            self._content.update(block)
        if self._sealer:
            self._sealer(block)

    def add(self, batch: Batch) -> None:
        """Take what the reader gave."""
        self.tally += batch.tally
        self._staging.add(batch.events)
        self._unread.add(batch.quarantine)

    def _write_chunk(self, name: str, sealed: bytes) -> None:
        write_whole(sealed_path(self._store.home, self._source.name, name), sealed)

    def _finish(self) -> None:
        self._staging.finish()
        chunks = self._sealer.finish() if self._sealer else []
        content = self._content.hexdigest() if self._content else self._sha256
        if self._has_twin(content):
            for chunk in chunks:
                sealed_path(self._store.home, self._source.name, chunk.name).unlink()
            self._commit(Settled(duplicates=self._staging.rows), [], content)
        else:
            settled = self._settle_all()
            crossed = cross(self._store, settled.segments, self._names)
            settled.segments = crossed.segments
            self._commit(settled, chunks, content, crossed.replaced)

    def _has_twin(self, content: str) -> bool:
        """Whether the same content came before, compressed in another way."""
        return bool(
            self._store.catalogue.rows(
                "SELECT 1 FROM files WHERE source = ? AND content_sha256 = ? AND state = 'received'"
                " AND mapping_version = ? AND id <> ?",
                self._source.name, content, self._source.mapping_version, self._row["id"],
            )
        )  # fmt: skip

    def _settle_all(self) -> Settled:
        origin = Origin(
            self._store.home, self._store.keyring, self._source.name, self._row["id"], self.label,
            self._row["received_at"],
        )  # fmt: skip
        everything, forgotten = self._jobs(), self._forgotten()
        jobs = [job for job in everything if job.partition.day not in forgotten]
        whole = Settled(expired=self._staging.rows - sum(job.partition.rows for job in jobs))
        alignment = self._align(jobs)

        def work(job: Job) -> Settled:
            return settle(origin, job, self._staging.load(job.partition), alignment)

        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="settling") as pool:
            for settled in pool.map(work, jobs):
                whole += settled
        day = moment(self._row["received_at"]).date().isoformat()
        whole.segments += self._unread.settle(origin, day, self._stored_unread(), self._names)
        return whole

    def _jobs(self) -> list[Job]:
        return [
            Job(
                partition, self._stored(partition, "events"), self._stored(partition, "sightings"),
                (next(self._names), next(self._names)),
            )
            for partition in self._staging.partitions()
        ]  # fmt: skip

    def _align(self, jobs: list[Job]) -> Alignment:
        """Lay the file over the earlier ones that have lines of the same time."""
        shared = [job for job in jobs if job.events]
        first, last = self._staging.lines

        def partitions() -> Iterator[tuple[Lines, Lines]]:
            for job in shared:
                lines = new_lines(self._staging.load(job.partition, _LINE))
                yield (
                    lines,
                    stored_lines(self._store.home, job.events, job.sightings, job.partition),
                )

        def total() -> Total:
            loaded = (self._staging.load(job.partition, _LINE) for job in jobs)
            return Total(np.concatenate([new_lines(table).number for table in loaded]))

        rows = self._store.catalogue.rows(
            "SELECT id, coalesce(first_line, 0) AS first, coalesce(last_line, 0) AS last"
            " FROM files WHERE source = ?", self._source.name,
        )  # fmt: skip
        others = {row["id"]: (row["first"], row["last"]) for row in rows}
        return align(self._row["id"], (first or 0, last or 0), others, partitions, total)

    def _forgotten(self) -> set[str]:
        query = "SELECT DISTINCT day FROM tombstones WHERE source = ? AND kind = 'events'"
        return {row["day"] for row in self._store.catalogue.rows(query, self._source.name)}

    def _stored(self, partition: Partition, kind: str) -> list[str]:
        first, last = partition.bounds
        rows = self._store.catalogue.rows(
            "SELECT path FROM segments WHERE state = 'live' AND kind = ? AND source = ?"
            " AND day = ? AND max_at >= ? AND min_at < ? ORDER BY id",
            kind, self._source.name, partition.day, first, last,
        )  # fmt: skip
        return [row["path"] for row in rows]

    def _stored_unread(self) -> list[str]:
        rows = self._store.catalogue.rows(
            "SELECT path FROM segments WHERE state = 'live' AND kind = 'quarantine'"
            " AND source = ? AND file <> ? ORDER BY id",
            self._source.name, self._row["id"],
        )  # fmt: skip
        return [row["path"] for row in rows]

    def _commit(
        self, settled: Settled, chunks: list[Chunk], content: str, replaced: Iterable[str] = ()
    ) -> None:
        catalogue, tally, file = self._store.catalogue, self.tally, self._row["id"]
        with catalogue.transaction():
            catalogue.run(
                "UPDATE segments SET state = 'superseded'"
                " WHERE kind = 'quarantine' AND file = ? AND state = 'live'", file,
            )  # fmt: skip
            self._store.replace(replaced, settled.segments)
            for chunk in chunks:
                catalogue.insert(
                    "chunks", file=file, name=chunk.name, source=self._source.name,
                    begins=chunk.offset, size=chunk.size, first_line=chunk.first_line,
                    lines=chunk.lines, sha256=chunk.sha256,
                )  # fmt: skip
            catalogue.run(
                "UPDATE files SET state = 'received', content_sha256 = ?, damage = ?, reader = ?,"
                " mapping_version = ?, lines_read = ?, accepted = ?, ignored = ?, quarantined = ?,"
                " added = coalesce(added, 0) + ?, duplicates = ?, ambiguous = ?, expired = ?"
                ", first_at = ?, last_at = ?, first_line = ?, last_line = ? WHERE id = ?",
                content, self.damage, self._reader, self._source.mapping_version, tally.read,
                tally.accepted, json.dumps(dict(tally.ignored)), tally.quarantined, settled.added,
                settled.duplicates - (self._row["added"] or 0), settled.ambiguous,
                settled.expired, *self._staging.span,
                *self._staging.lines, file,
            )  # fmt: skip
            self._store.mark_done(self._operation)
        self.receipt = Receipt(
            self.label, tally, settled.added, settled.duplicates, settled.ambiguous,
            settled.expired, False, moment(self._row["received_at"]), self.damage, self._reread(),
        )  # fmt: skip

    def _reread(self) -> bool:
        """Whether rows are there that another mapping made of these bytes."""
        other = self._row["mapping_version"] != self._source.mapping_version
        return bool(self._row["state"] == "received" and other and self._row["added"])
