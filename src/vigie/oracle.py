"""Identifiers in, pseudonyms out, slowly and on the record.

Whoever may ask for the pseudonym of any identifier can rebuild the table of all of them: a NIR has
few enough values. The question is therefore counted over all processes, hour by hour, and every
answer is in the journal with who asked, why and how many; never with the values.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from vigie import journal
from vigie.config import Settings
from vigie.errors import RefusedError
from vigie.language import N_
from vigie.pseudonyms import open_keyring

COUNT_FILE: Final = "oracle.json"
_HOUR: Final = 3600.0


def ask(
    home: Path,
    settings: Settings,
    values: list[str],
    authority: str,
    kind: str,
    who: str,
    reason: str,
    now: float | None = None,
) -> list[bytes]:
    """Return the pseudonym of each value (in normal form), `pseudonyms_per_hour` at most.

    All or none: an answer is journalled before it is given. Raises `RefusedError` without a
    reason, or beyond the limit with the time when as many values may be asked again.
    """
    reason = journal.require_reason(reason)
    _count(home, settings.pseudonyms_per_hour, len(values), time.time() if now is None else now)
    journal.record(home, "pseudonym", f"{len(values)} of {kind} given by {authority}", reason, who)
    keyring = open_keyring(home)
    return [keyring.pseudonym(value, authority, kind) for value in values]


def _count(home: Path, limit: int, asked: int, now: float) -> None:
    """Count the question against the hour before `now`, or refuse it."""
    with _counts(home) as file:
        recent = [(at, count) for at, count in _read(file) if at > now - _HOUR]
        if asked > limit:
            raise RefusedError(
                N_("at most {limit} pseudonyms may be asked for in an hour"),
                remedy=N_("ask for fewer, or raise pseudonyms_per_hour in vigie.toml"),
                limit=limit,
            )
        if sum(count for _, count in recent) + asked > limit:
            raise RefusedError(
                N_("at most {limit} pseudonyms may be asked for in an hour"),
                remedy=N_("ask again after {when} UTC"),
                limit=limit,
                when=_free_again(recent, limit - asked),
            )
        _write(file, [*recent, (now, asked)])


def _free_again(recent: list[tuple[float, int]], room: int) -> str:
    """Return when enough of the recent questions are an hour old that at most `room` remain."""
    remaining = sum(count for _, count in recent)
    for at, count in sorted(recent):
        remaining -= count
        if remaining <= room:
            return datetime.fromtimestamp(at + _HOUR, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return ""


@contextmanager
def _counts(home: Path) -> Iterator[IO[str]]:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(home / COUNT_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _read(file: IO[str]) -> list[tuple[float, int]]:
    text = file.read()
    try:
        return [(float(at), int(count)) for at, count in json.loads(text or "[]")]
    except (ValueError, TypeError):
        # Whoever spoils the file must not gain a fresh hour by it.
        return [(time.time(), 1 << 30)]


def _write(file: IO[str], counts: list[tuple[float, int]]) -> None:
    file.seek(0)
    file.truncate()
    json.dump(counts, file)
    file.flush()
    os.fsync(file.fileno())
