"""The sealed originals: raw lines kept so that only the holder of an offline key reads them.

The bytes of a file pass here once, before any reader: cut into chunks, compressed with zstd and
encrypted with age to one or several public keys. The private half belongs offline. Until somebody
moves it there it lies beside the store under a name that says so, because a first run must work
without any set-up and must not lose the evidence either.

Source: the age file format, https://age-encryption.org/v1 (X25519, ChaCha20-Poly1305).
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyrage
from pyrage import x25519

from vigie.errors import SecretError
from vigie.language import N_

PUBLIC_FILE: Final = "sealing.pub"
PRIVATE_FILE: Final = "sealing-private-key.MOVE-OFFLINE"
CHUNK: Final = 8 << 20
"""Raw bytes per sealed chunk: what is decrypted to read one line again."""
_AHEAD: Final = 4
_CODEC: Final = "zstd"
_NEWLINE: Final = 10


@dataclass(frozen=True, slots=True)
class Chunk:
    """One sealed chunk: the bytes from `offset` on, whose first line is number `first_line`.

    A line may begin in one chunk and end in the next; `lines` counts the newlines inside.
    """

    name: str
    offset: int
    size: int
    first_line: int
    lines: int
    sha256: str


def recipients(home: Path) -> list[Any]:
    """Return the age recipients of `home`, making a pair of keys on first use.

    Raises `SecretError` naming the line that is not a recipient.
    """
    path = home / PUBLIC_FILE
    if not path.exists():
        _make_pair(home)
    said = [line.strip() for line in path.read_text("utf-8", errors="replace").splitlines()]
    found = [
        age_key(line, f"{path}:{number}")
        for number, line in enumerate(said, start=1)
        if line and not line.startswith("#")
    ]
    if not found:
        raise SecretError(
            N_("the file names no recipient"),
            where=str(path),
            remedy=N_("write one age1... public key per line, or delete the file for a new pair"),
        )
    return found


def age_key(text: str, where: str) -> Any:
    """Return the age public key written in `text`, or raise `SecretError`."""
    try:
        return x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        raise SecretError(
            N_("this is not an age public key"),
            where=where,
            remedy=N_("write it as age-keygen prints it: age1 and 58 characters"),
        ) from None


def private_key_still_here(home: Path) -> bool:
    """Whether the private half still lies beside what it opens."""
    return (home / PRIVATE_FILE).exists()


def read_identities(path: Path) -> list[Any]:
    """Read the age private keys of a file, as `age-keygen` writes it.

    Raises `SecretError` when there is none; the message never repeats the file's content.
    """
    try:
        lines = path.read_text("ascii").splitlines()
        keys = [line.strip() for line in lines if line.startswith("AGE-SECRET-KEY-")]
        found = [x25519.Identity.from_str(key) for key in keys]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError):
        found = []
    if not found:
        raise SecretError(
            N_("no age private key can be read there"),
            where=str(path),
            remedy=N_("give the file that holds the AGE-SECRET-KEY line"),
        )
    return found


def seal(data: bytes | memoryview, to: list[Any]) -> bytes:
    """Compress and encrypt `data` to the recipients `to`."""
    size = len(data).to_bytes(8, "little")
    return bytes(pyrage.encrypt(size + pa.compress(data, codec=_CODEC, asbytes=True), to))


def unseal(sealed: bytes, identities: list[Any], where: str = "") -> bytes:
    """Return the bytes given to `seal`; raises `SecretError` when no identity opens them."""
    try:
        plain = pyrage.decrypt(sealed, identities)
    except pyrage.DecryptError:
        raise SecretError(
            N_("this private key does not open the sealed originals"),
            where=where,
            remedy=N_("use the private key whose public half is in sealing.pub"),
        ) from None
    size = int.from_bytes(plain[:8], "little")
    return bytes(pa.decompress(plain[8:], decompressed_size=size, codec=_CODEC, asbytes=True))


class Sealer:
    """Seals one file's bytes as they pass, beside the reader and in order.

    `write(name, sealed)` puts a chunk on disk; `names` gives the chunks theirs. Call the object
    with every block, then `finish()` for the index. An error of the disk surfaces at the next call.
    """

    def __init__(
        self,
        to: list[Any],
        write: Callable[[str, bytes], None],
        names: Iterator[str],
        chunk: int = CHUNK,
    ) -> None:
        self._to, self._write, self._names, self._chunk = to, write, names, chunk
        self._pending: deque[memoryview] = deque()
        self._waiting = 0
        self._work: list[Future[Chunk]] = []
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sealing")
        self._offset = 0
        self._line = 1

    def __call__(self, block: bytes) -> None:
        """Take the next bytes of the file."""
        if block:
            self._pending.append(memoryview(block))
            self._waiting += len(block)
        while self._waiting >= self._chunk:
            self._submit(self._chunk)

    def finish(self) -> list[Chunk]:
        """Seal what is left and return the index of all chunks."""
        if self._waiting:
            self._submit(self._waiting)
        self._pool.shutdown(wait=True)
        return [work.result() for work in self._work]

    def abandon(self) -> None:
        """Stop without an index."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, size: int) -> None:
        if len(self._work) >= _AHEAD:
            self._work[-_AHEAD].result()
        work = self._pool.submit(self._seal, next(self._names), self._taken(size), self._offset)
        self._work.append(work)
        self._offset += size

    def _taken(self, size: int) -> list[memoryview]:
        """Take the first `size` bytes that wait, without copying them."""
        self._waiting -= size
        taken = []
        while size:
            piece = self._pending.popleft()
            if len(piece) > size:
                self._pending.appendleft(piece[size:])
            taken.append(piece[:size])
            size -= len(taken[-1])
        return taken

    def _seal(self, name: str, pieces: list[memoryview], offset: int) -> Chunk:
        data = pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))
        pieces.clear()
        sealed = seal(data, self._to)
        self._write(name, sealed)
        first = self._line
        lines = int(np.count_nonzero(np.frombuffer(data, np.uint8) == _NEWLINE))
        self._line += lines
        digest = hashlib.sha256(sealed).hexdigest()
        return Chunk(name, offset, len(data), first, lines, digest)


def _make_pair(home: Path) -> None:
    identity = x25519.Identity.generate()
    _write(home / PRIVATE_FILE, f"# public key: {identity.to_public()}\n{identity}\n", 0o600)
    _write(home / PUBLIC_FILE, f"{identity.to_public()}\n", 0o644)


def _write(path: Path, text: str, mode: int) -> None:
    """Write at one stroke: a public half without its private half would lose the evidence."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
