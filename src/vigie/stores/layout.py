"""Where things lie under VIGIE_HOME, who may write there, and how a file gets there whole."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from vigie.errors import StoreError, reason_of
from vigie.language import N_

STAGING: Final = "staging"
SEGMENTS: Final = "segments"
SEALED: Final = "sealed"
DECLARED: Final = "tables"
WRITER_LOCK: Final = "writer.lock"
READER_LOCK: Final = "reader.lock"
KEY_LOCK: Final = "key.lock"
FOLDERS: Final = {"events": SEGMENTS, "quarantine": "quarantine", "sightings": "sightings"}
"""Kind of segment → folder. Sightings say where a line already stored was seen again."""


def prepare_home(home: Path) -> None:
    """Make the directory, for its owner only; raises `StoreError` when that cannot be."""
    with telling(home):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def take_reader_lock(home: Path) -> list["Lock"]:
    """Return the lock that readers share, so that no writer sweeps under them.

    None where there is nothing to read yet, and none on read-only media without the lock's file.
    """
    path = home / READER_LOCK
    with telling(home):
        if home.exists() and not os.access(home, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if not is_writable(home) and not path.exists():
            return []
    lock = Lock(path, shared=True)
    lock.wait()
    return [lock]


def is_writable(home: Path) -> bool:
    """Say whether files can be made there; not where there is no directory."""
    return os.access(home, os.W_OK | os.X_OK)


def segment_path(kind: str, source: str, day: str, name: str) -> str:
    """Return the path of a segment relative to the home.

    >>> segment_path("events", "portail/est", "2025-09-01", "00000001-00000")
    'segments/portail%2Fest/2025-09-01/00000001-00000.parquet'
    """
    return f"{FOLDERS[kind]}/{folder_of(source)}/{day}/{name}.parquet"


def sealed_path(home: Path, source: str, name: str) -> Path:
    """Return the path of a sealed chunk."""
    return home / SEALED / folder_of(source) / f"{name}.age"


def folder_of(source: str) -> str:
    """Return a source's name as a folder's, which can never leave its parent."""
    return quote(source, safe="").replace(".", "%2E")


def numbered(operation: int) -> Iterator[str]:
    """Yield the names that an operation gives to its files, in order."""
    count = 0
    while True:
        yield f"{operation:08d}-{count:05d}"
        count += 1


def made_by(home: Path, operation: int) -> list[Path]:
    """Return every file that an operation made."""
    folders = (*FOLDERS.values(), SEALED, DECLARED)
    pattern = f"**/{operation:08d}-*"
    return [path for folder in folders for path in (home / folder).glob(pattern)]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file and wait until it is on disk; its name is not yet in the catalogue."""
    with telling(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Turn an error of the disk into one sentence."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise StoreError(
            N_("the store cannot be written there ({reason})"),
            where=str(path),
            remedy=N_("free some space, then run the same command again: nothing is half stored")
            if full
            else N_("check the disk and your rights on it, then run the same command again"),
            reason=reason_of(error),
        ) from None


class Lock:
    """A lock on a file of the home, held by this process until it closes or dies."""

    def __init__(self, path: Path, shared: bool = False) -> None:
        self._path, self._shared = path, shared
        self._descriptor = -1

    def take(self) -> bool:
        """Take the lock if it is free, and say whether it was."""
        try:
            self._flock(fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        return True

    def wait(self) -> None:
        """Take the lock as soon as it is free."""
        self._flock(0)

    def _flock(self, how: int) -> None:
        with telling(self._path):
            write = os.O_RDWR | os.O_CREAT if is_writable(self._path.parent) else os.O_RDONLY
            self._descriptor = os.open(self._path, write, 0o600)
        fcntl.flock(self._descriptor, how | (fcntl.LOCK_SH if self._shared else fcntl.LOCK_EX))

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def take_writer_lock(home: Path) -> Lock:
    """Return the lock that one writer holds; raises `StoreError` when another process has it."""
    lock = Lock(home / WRITER_LOCK)
    if not lock.take():
        raise StoreError(
            N_("another process is writing to this store"),
            where=str(home),
            remedy=N_("wait until it has finished, then run the same command again"),
        )
    return lock


@contextmanager
def using_key(home: Path) -> Iterator[None]:
    """Hold the key as it is while something made under it, outside the store, is at work.

    Many may at once, and a process that dies lets go. Raises `StoreError` during a rotation.
    """
    if not is_writable(home) and not (home / KEY_LOCK).exists():
        yield  # read-only media: nobody rotates there
        return
    with _held(Lock(home / KEY_LOCK, shared=True)) as free:
        if not free:
            raise StoreError(
                N_("the key of the pseudonyms is being rotated"),
                where=str(home),
                remedy=N_("wait until that has finished, then run the same command again"),
            )
        yield


@contextmanager
def turning_key(home: Path) -> Iterator[None]:
    """Hold the key alone, to rotate it; raises `StoreError` while somebody uses it."""
    with _held(Lock(home / KEY_LOCK)) as free:
        if not free:
            raise StoreError(
                N_("another process is sending notices, or computing an exposure, under this key"),
                where=str(home),
                remedy=N_("wait until it has finished or end it, then rotate: nothing was changed"),
            )
        yield


@contextmanager
def _held(lock: Lock) -> Iterator[bool]:
    free = lock.take()
    try:
        yield free
    finally:
        lock.release()
