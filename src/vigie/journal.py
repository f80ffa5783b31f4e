"""The journal: who asked for what, when and why, in a file that can only grow.

Each entry carries the hash of the one before it: an entry that is changed, removed or moved breaks
the chain at that place. The head file beside it remembers how many entries there were and the last
hash, so that cutting the end off shows too. The store remembers an entry as well, each time that
it is written to: a journal that was deleted whole, or begun anew, shows by that.

The chain is plain SHA-256, not keyed: anybody who holds a copy can check it without a secret, and
a key kept in the same directory would stop no one who can write the journal. What it does not
withstand is someone who rewrites it, its head and the catalogue; against that, a copy of the head
kept elsewhere.

Nothing here may hold a patient identifier: the subject is an account, a file or a count.

Source: S. Haber and W. S. Stornetta, "How to time-stamp a digital document" (1991).
"""

import errno
import fcntl
import getpass
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from vigie.errors import RefusedError, StoreError, reason_of
from vigie.language import N_

JOURNAL_FILE: Final = "journal"
HEAD_FILE: Final = "journal.head"
LOOK: Final = "look"
_ORIGIN: Final = "0" * 64
_COPY: Final = N_(
    "copy the directory to a disk that can be written: what is not journalled is not done"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal; `at` is UTC ISO 8601, `previous` and `hash` are hexadecimal."""

    number: int
    at: str
    who: str
    what: str
    subject: str
    reason: str
    previous: str
    hash: str = ""

    def digest(self) -> str:
        """Return the SHA-256 of everything in the entry but its own hash."""
        said = {name: value for name, value in asdict(self).items() if name != "hash"}
        return hashlib.sha256(_canonical(said)).hexdigest()


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain breaks first: the number of the entry, from 1, and what is wrong with it."""

    number: int
    what: str


def record(home: Path, what: str, subject: str = "", reason: str = "", who: str = "") -> Entry:
    """Append one entry and return it once it is safely on disk.

    `who` is the user of the operating system unless said otherwise. Raises `StoreError` when the
    journal cannot be written: what cannot be journalled must not be done.
    """
    try:
        with _locked(home):
            number, previous = _resume(home)
            entry = Entry(
                number + 1, datetime.now(UTC).isoformat(), who or current_user(), what, subject,
                reason, previous,
            )  # fmt: skip
            entry = Entry(**{**asdict(entry), "hash": entry.digest()})
            _append(home / JOURNAL_FILE, _canonical(asdict(entry)) + b"\n")
            try:
                _write_head(home, entry.number, entry.hash)
            except OSError:  # what is not done must not look as if it had been
                _drop_last(home)
                raise
            return entry
    except OSError as error:
        raise StoreError(
            N_("the journal cannot be written ({reason})"),
            where=str(home / JOURNAL_FILE),
            remedy=_COPY
            if error.errno == errno.EROFS
            else N_("free some space or mend the rights; what is not journalled is not done"),
            reason=reason_of(error),
        ) from None


def look_at_persons(home: Path, subject: str, reason: str, who: str = "") -> Entry:
    """Append the entry of a look at exposed persons, before they are shown; every look has one.

    The subject says of which case or accounts, what is looked at and how many: never which.
    """
    return record(home, LOOK, subject, reason, who)


def require_reason(reason: str) -> str:
    """Return `reason` stripped, or raise `RefusedError` when there is none."""
    if not reason.strip():
        raise RefusedError(
            N_("this is journalled, and needs a reason"), remedy=N_("say why you ask")
        )
    return reason.strip()


def entries(home: Path) -> list[Entry]:
    """Return the entries as they stand, unchecked; a line that is none stops the list."""
    found = []
    for line in _lines(home):
        entry = _parse(line)
        if entry is None:
            break
        found.append(entry)
    return found


def head(home: Path) -> tuple[int, str]:
    """Return the number and the hash of the last entry; 0 where there is none."""
    return _read_head(home)


def holds(home: Path, known: tuple[int, str]) -> bool:
    """Say whether an entry remembered elsewhere still stands where it stood."""
    number, digest = known
    if not number:
        return True
    entry = next((_parse(line) for line in islice(_lines(home), number - 1, number)), None)
    return entry is not None and entry.hash == digest


def verify(home: Path, known: tuple[int, str] = (0, "")) -> Break | None:
    """Return the first place where the journal is not as it was written, or None.

    `known` is the number and the hash of an entry that something else remembers: a journal that
    was deleted, or written anew together with its head, has it no more.
    """
    previous, count = _ORIGIN, 0
    for count, line in enumerate(_lines(home), start=1):
        entry = _parse(line)
        if entry is None:
            return Break(count, N_("the entry cannot be read"))
        if entry.hash != entry.digest():
            return Break(count, N_("the entry was changed"))
        if entry.previous != previous or entry.number != count:
            return Break(count, N_("an entry before this one was removed, added or moved"))
        previous = entry.hash
        if count == known[0] and entry.hash != known[1]:
            return Break(count, N_("this is not the entry that the store remembers"))
    if not count and known[0]:
        return Break(1, N_("the journal is gone"))
    if count < known[0]:
        return Break(count + 1, N_("the end of the journal was cut off"))
    return _verify_head(home, count, previous)


def _verify_head(home: Path, count: int, last: str) -> Break | None:
    number, digest = _read_head(home)
    if number > count:
        return Break(count + 1, N_("the end of the journal was cut off"))
    if number == count and digest != last:
        return Break(count, N_("the journal was written anew"))
    # One entry more than the head says is a process killed between the two writes; the next
    # record mends it. More than one is an entry that did not come through `record`.
    return Break(number + 1, N_("entries were added by hand")) if count > number + 1 else None


def _resume(home: Path) -> tuple[int, str]:
    """Return number and hash of the last entry, dropping a line that a killed process cut short."""
    path = home / JOURNAL_FILE
    if not path.exists():
        return _read_head(home)
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        tail_at = max(0, size - (1 << 16))
        file.seek(tail_at)
        tail = file.read()
        whole = tail.rfind(b"\n") + 1
        if whole < len(tail):
            file.truncate(tail_at + whole)
    last = _parse(tail[:whole].rstrip(b"\n").rsplit(b"\n", 1)[-1])
    number, digest = _read_head(home)
    return (last.number, last.hash) if last and last.number > number else (number, digest)


def _drop_last(home: Path) -> None:
    path = home / JOURNAL_FILE
    whole = path.read_bytes()[:-1]
    os.truncate(path, whole.rfind(b"\n") + 1)


def _parse(line: bytes) -> Entry | None:
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None


def _canonical(said: dict[str, object]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _lines(home: Path) -> Iterator[bytes]:
    path = home / JOURNAL_FILE
    if path.exists():
        with path.open("rb") as file:
            yield from (line.rstrip(b"\n") for line in file if line.endswith(b"\n"))


def _append(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _read_head(home: Path) -> tuple[int, str]:
    try:
        number, digest = (home / HEAD_FILE).read_text().split()
        return int(number), digest
    except (FileNotFoundError, ValueError):
        return 0, _ORIGIN


def _write_head(home: Path, number: int, digest: str) -> None:
    fresh = home / f"{HEAD_FILE}.new"
    fresh.unlink(missing_ok=True)
    _append(fresh, f"{number} {digest}\n".encode())
    fresh.replace(home / HEAD_FILE)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(home / f"{JOURNAL_FILE}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def current_user() -> str:
    """Return the user of the operating system, by name where it has one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
