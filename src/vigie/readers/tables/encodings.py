"""The encoding of a text file: found where it can be proved, never guessed into nonsense.

UTF-16 shows itself. A single-byte encoding does not: it must be said, and it is refused when the
file is evidently UTF-8, because every accented name would silently become two wrong letters.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Final

from vigie.errors import ReadingError
from vigie.language import N_
from vigie.readers.intake import Intake

_ACCENTED: Final = re.compile(rb"[\x80-\xff]+")
_ENOUGH: Final = 3
_UNREADABLE: Final = b"\xff"
"""What stands in the recoded text for code units that are no character: it is not UTF-8 either."""


def encoding_of(head: bytes, said: str = "") -> str:
    """Return the encoding of a file: what its first bytes prove, else what is said, else UTF-8.

    >>> encoding_of("a;é".encode("utf-16")), encoding_of(b"a;\\xe9", "cp1252")
    ('utf-16-le', 'cp1252')
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if said == "utf-16":
        return "utf-16-le"
    return said or _without_mark(head[:4096])


def _without_mark(head: bytes) -> str:
    """Tell UTF-16 without its mark: nearly every other byte of a Latin text is zero."""
    even, odd = head[::2], head[1::2]
    for name, zeros, letters in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        enough = len(zeros) >= 8 and zeros.count(0) > 0.8 * len(zeros)
        if enough and letters.count(0) < 0.05 * len(letters):
            return name
    return "utf-8"


def check_encoding(head: bytes, encoding: str, where: str) -> None:
    """Refuse a single-byte encoding that is announced for what is evidently UTF-8."""
    if encoding not in ("cp1252", "latin-1"):
        return
    runs = _ACCENTED.findall(head[:-4])
    if len(runs) >= _ENOUGH and all(_is_utf8(run) for run in runs):
        raise ReadingError(
            N_("the file is in UTF-8, not in {encoding} as the mapping says"),
            where=where,
            remedy=N_("take encoding out of [source.format]"),
            encoding=encoding,
        )


def _is_utf8(run: bytes) -> bool:
    try:
        run.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class _Recoded(Intake):
    """The same file in UTF-8."""

    def __init__(self, intake: Intake, encoding: str) -> None:
        super().__init__(
            intake.path,
            intake.label,
            chunk_size=intake.chunk_size,
            longest_line=intake.longest_line,
        )
        self._inner, self._encoding = intake, encoding

    def blocks(self) -> Iterator[bytes]:
        """Yield the file in blocks of UTF-8; what is no character becomes a byte that is not."""
        decoder = codecs.getincrementaldecoder(self._encoding)("surrogateescape_units")
        first = True
        for block in self._inner.blocks():
            text = decoder.decode(block)
            if first and text:
                text, first = text.removeprefix("\ufeff"), False
            yield self._counted(text)
        self.damage = self._inner.damage
        if decoder.getstate()[0]:
            self.damage = "truncated"

    def _counted(self, text: str) -> bytes:
        data = text.encode("utf-8", "unreadable")
        self.size += len(data)
        return data


def recoded(intake: Intake, encoding: str) -> Intake:
    """Return `intake` in UTF-8; it is still sealed and counted as it stands on the disk."""
    return _Recoded(intake, encoding)


def _keep_unit(error: UnicodeError) -> tuple[str, int]:
    """Decode a code unit that is no character as a lone surrogate."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


def _mark_unit(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return _UNREADABLE * (error.end - error.start), error.end


codecs.register_error("surrogateescape_units", _keep_unit)
codecs.register_error("unreadable", _mark_unit)
