"""The bytes of one file on their way to a reader: decompressed, cut at line ends, and sealed.

Every byte passes here once. `seal` sees all of them (lines that will be quarantined included)
before the reader does.
"""

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import numpy as np
import pyarrow as pa

from vigie.errors import ReadingError, reason_of
from vigie.identifiers import without_nir
from vigie.language import N_
from vigie.readers.lines import count_lines

CHUNK: Final = 32 << 20
"""Bytes handed to a reader at a time."""
LONGEST_LINE: Final = 16 << 20
"""A longer line is quarantined without ever being held whole."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_NEWLINE = b"\n"
_STEP: Final = 1 << 12
_WINDOW: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines. `first_line` counts from 1, `offset` from 0 in the decompressed file;
    `lines` is how many line ends there are.

    `overlong` chunks hold the beginning of one line that passes LONGEST_LINE; `digest` is then
    the SHA-256 of the whole line (16 bytes).
    """

    data: bytes
    first_line: int
    offset: int
    overlong: bool = False
    digest: bytes = b""
    lines: int = 0


@dataclass
class Intake:
    """One file to read.

    `progress` is told how many more bytes of the file on disk were read.
    `label` is the name that goes into `source_file`. After reading, `damage` says what ended the
    file too early (a key of REASONS), and `size` how many bytes it held.
    """

    path: Path
    label: str
    seal: Callable[[bytes], None] = field(default=lambda data: None)
    progress: Callable[[int], None] = field(default=lambda count: None)
    chunk_size: int = CHUNK
    longest_line: int = LONGEST_LINE
    size: int = 0
    damage: str | None = None

    def head(self, count: int = 1 << 16) -> bytes:
        """Return the first `count` decompressed bytes, without sealing them."""
        with _opened(self.path) as (stream, _raw):
            return _pulled(stream, count)[0]

    def blocks(self) -> Iterator[bytes]:
        """Yield the decompressed file in blocks of no particular shape."""
        with _opened(self.path) as (stream, raw):
            told = 0
            while not self.damage:
                count = self.chunk_size if raw is not stream else _to_line_end(raw, self.chunk_size)
                block, error = _pulled(stream, count)
                if isinstance(error, OSError) and error.errno is not None:
                    raise ReadingError(
                        N_("the file cannot be read ({reason})"),
                        where=without_nir(str(self.path)),
                        remedy=N_("check the disk and read it again"),
                        reason=reason_of(error),
                    )
                self.damage = "truncated" if error else None
                if not block:
                    return
                self.size += len(block)
                self.seal(block)
                self.progress(raw.tell() - told)
                told = raw.tell()
                yield block

    def whole(self, limit: int = 1 << 30) -> bytes:
        """Return the whole decompressed file, for formats that have no lines."""
        buffer = bytearray()
        for block in self.blocks():
            buffer += block
            if len(buffer) > limit:
                raise ReadingError(
                    N_("the document is larger than {limit} bytes"),
                    where=self.label,
                    remedy=N_("split it, or export it as one record per line"),
                    limit=limit,
                )
        return bytes(buffer)

    def chunks(self) -> Iterator[Chunk]:
        """Yield chunks of whole lines; the last line may lack its newline."""
        line, offset, rest = 1, 0, b""
        blocks = self.blocks()
        for block in blocks:
            if _NEWLINE in rest:  # what came after an overlong line
                block, rest = rest + block, b""
            cut = block.rfind(_NEWLINE) + 1
            if not cut:
                rest += block
                if len(rest) > self.longest_line:
                    chunk, rest = self._overlong(rest, blocks, line, offset)
                    yield chunk
                    line, offset = line + 1, self.size - len(rest)
                continue
            if rest or cut < len(block):
                data, rest = b"".join((rest, memoryview(block)[:cut])), block[cut:]
            else:
                data = block
            del block
            lines = count_lines(np.frombuffer(data, np.uint8))
            yield Chunk(data, line, offset, lines=lines)
            line += lines
            offset += len(data)
        if rest:
            yield Chunk(rest, line, offset, lines=rest.count(_NEWLINE))

    def _overlong(
        self, begun: bytes, blocks: Iterator[bytes], line: int, offset: int
    ) -> tuple[Chunk, bytes]:
        digest, rest = hashlib.sha256(begun), b""
        for block in blocks:
            cut = block.find(_NEWLINE) + 1
            digest.update(block[:cut] if cut else block)
            if cut:
                rest = block[cut:]
                break
        return Chunk(begun[:4096], line, offset, True, digest.digest()[:16]), rest


def open_file(path: Path) -> IO[bytes]:
    """Open a file to read it; raises `ReadingError` when it cannot be, and for a pipe or device.

    A log is read three times (its form, its hash, its lines), and a pipe gives its bytes once.
    """
    where = without_nir(str(path))
    try:
        if path.is_dir():
            os.scandir(path).close()  # the right to it is what may be missing
        elif path.exists() and not path.is_file():
            raise ReadingError(
                N_("this is a pipe or a device, not a file"),
                where=where,
                remedy=N_("write what it gives to a file, and name that"),
            )
        return path.open("rb", buffering=1 << 20)
    except OSError as error:
        raise ReadingError(
            N_("the file cannot be opened ({reason})"),
            where=where,
            remedy=N_("check its name and your rights on it"),
            reason=reason_of(error),
        ) from None


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open a file: its content, and the file itself, whose place says how far one is."""
    with open_file(path) as raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic.startswith(_GZIP):
            with gzip.GzipFile(fileobj=raw) as stream:
                yield stream, raw  # type: ignore[misc]
        elif magic == _ZSTD:
            with pa.CompressedInputStream(pa.PythonFile(raw), "zstd") as stream:
                yield stream, raw
        else:
            yield raw, raw


def _to_line_end(file: IO[bytes], count: int) -> int:
    """Return how many of the next `count` bytes are whole lines, or `count` if that is far less.

    Blocks of whole lines need not be put together again: a copy of the file is saved.
    """
    window = min(count // 8, _WINDOW)
    tail = os.pread(file.fileno(), window, file.tell() + count - window)
    return count - (window - 1 - tail.rfind(_NEWLINE)) if _NEWLINE in tail else count


def _pulled(stream: IO[bytes], count: int) -> tuple[bytes, Exception | None]:
    """Read `count` bytes, or what there is before the end or an error.

    A broken archive fails in the middle of a read: by small steps, what came before is not lost.
    """
    plain = isinstance(stream, io.BufferedReader)
    step: Callable[[int], bytes] = stream.read if plain else getattr(stream, "read1", stream.read)
    pieces, left = [], count
    try:
        while left > 0 and (piece := step(left if plain else min(left, _STEP))):
            pieces.append(piece)
            left -= len(piece)
    except (EOFError, OSError, zlib.error, pa.ArrowException) as error:
        return b"".join(pieces), error
    return b"".join(pieces), None
