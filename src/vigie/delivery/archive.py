"""A ZIP archive made as a stream of bytes, the same bytes for the same content.

Nothing of it touches the disk; the dates in it are those of the format's first day.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, Final

_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
_LEVEL: Final = 1
"""Of deflate: the persons' keys do not compress, and level 6 takes four times as long."""
MANIFEST: Final = "manifest.json"


class _Buffer:
    """What the ZIP writer writes to, and what is taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def close(self) -> None:
        """What was not taken away stays."""

    def taken(self) -> Iterator[bytes]:
        pieces, self._pieces = self._pieces, []
        self.size += sum(map(len, pieces))
        yield from pieces


class Archive:
    """Members in the order in which they are given, then a manifest of their SHA-256 hashes.

    >>> archive = Archive()
    >>> whole = b"".join([*archive.add("a.txt", [b"abc"]), *archive.close({"rows": 1})])
    >>> whole[:2], archive.hashes["a.txt"][:8]
    (b'PK', 'ba7816bf')
    """

    def __init__(self) -> None:
        self._buffer = _Buffer()
        self._zip = zipfile.ZipFile(self._buffer, "w")
        self.hashes: dict[str, str] = {}

    @property
    def size(self) -> int:
        """How many bytes of the archive there are so far."""
        return self._buffer.size

    def add(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Add a member and yield what there is of the archive as it grows."""
        info = zipfile.ZipInfo(name, _FIRST_DAY)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
        info._compresslevel = _LEVEL  # type: ignore[attr-defined]  # noqa: SLF001 - no other way in
        digest = hashlib.sha256()
        with self._zip.open(info, "w", force_zip64=True) as member:
            for piece in pieces:
                digest.update(piece)
                member.write(piece)
                yield from self._buffer.taken()
        self.hashes[name] = digest.hexdigest()
        yield from self._buffer.taken()

    def close(self, said: dict[str, Any]) -> Iterator[bytes]:
        """Add the manifest, `said` and the hashes of the members, and yield the rest."""
        yield from self.add(MANIFEST, [canonical({**said, "files": self.hashes})])
        self._zip.close()
        yield from self._buffer.taken()


def canonical(said: dict[str, Any]) -> bytes:
    """Return a document as JSON, the same document the same bytes."""
    return json.dumps(said, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"
