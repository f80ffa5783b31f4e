"""Rows that wait on the disk for their turn, encrypted with a key that exists in memory alone.

A process that is killed leaves bytes that nobody can read; what ends well leaves nothing.

Source: NIST SP 800-38D (AES in Galois/counter mode; each nonce is used once).
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_SIZE: Final = struct.Struct("<QI")


class Spill:
    """Some heaps of rows, each read back in the order in which it was filled."""

    def __init__(self, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = TemporaryDirectory(prefix="names-", dir=work)
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._files: dict[int, IO[bytes]] = {}
        self._count = 0

    def __enter__(self) -> "Spill":
        return self

    def __exit__(self, *error: object) -> None:
        for file in self._files.values():
            file.close()
        self._folder.cleanup()

    def put(self, heap: int, rows: pa.RecordBatch) -> None:
        """Add rows to a heap; all have the same columns."""
        if heap not in self._files:
            path = Path(self._folder.name) / str(heap)
            self._files[heap] = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "w+b")
        self._count += 1
        sealed = self._cipher.encrypt(_nonce(self._count), rows.serialize().to_pybytes(), None)
        self._files[heap].write(_SIZE.pack(self._count, len(sealed)) + sealed)

    def take(self, heap: int, schema: pa.Schema) -> pa.Table:
        """Return the rows of a heap, and forget it."""
        file = self._files.pop(heap, None)
        if file is None:
            return schema.empty_table()
        with file:
            batches = [pa.ipc.read_record_batch(piece, schema) for piece in self._pieces(file)]
            os.truncate(file.fileno(), 0)
        return pa.Table.from_batches(batches, schema)

    def _pieces(self, file: IO[bytes]) -> Iterator[pa.Buffer]:
        file.seek(0)
        while head := file.read(_SIZE.size):
            number, size = _SIZE.unpack(head)
            yield pa.py_buffer(self._cipher.decrypt(_nonce(number), file.read(size), None))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
