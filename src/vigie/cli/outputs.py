"""Standard output and error as they are found: closed, or of a terminal that knows few letters."""

import codecs
import os
import sys
import unicodedata
from io import TextIOWrapper
from typing import Final

_NEAREST: Final = {
    "\u00a0": " ", "\u202f": " ", "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"',
    "–": "-", "—": "-", "−": "-", "…": "...", "·": ".", "█": "#", "│": "|", "┃": "|", "œ": "oe",
    "Œ": "OE", "æ": "ae", "€": "EUR",
}  # fmt: skip


def make_outputs() -> None:
    """Let every text be written: nowhere if the output is closed, else by the nearest letters."""
    codecs.register_error("nearest", _nearest)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # `vigie … >&-`
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif isinstance(stream, TextIOWrapper) and not _knows_all(stream.encoding):
            stream.reconfigure(errors="nearest")


def write_utf8() -> None:
    """Write what programs read as UTF-8, whatever the terminal (RFC 8259 for JSON)."""
    stream = sys.stdout
    if isinstance(stream, TextIOWrapper) and not _knows_all(stream.encoding):
        stream.reconfigure(encoding="utf-8", errors="strict")


def _knows_all(encoding: str | None) -> bool:
    return encoding is None or codecs.lookup(encoding).name.startswith("utf")


def _nearest(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(map(_plain, letters)), error.end


def _plain(letter: str) -> str:
    """Return what is nearest to a letter in ASCII.

    >>> "".join(map(_plain, "é’█Ω"))
    "e'#?"
    """
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return _NEAREST.get(letter) or plain or "?"
