"""Why the system or a library refused, in our own words, so that they can be translated.

What a library says is English, made for programmers, and may quote a value. The commonest of its
reasons are said here; of another, that it is one, with its place. Only what a database answers to
an operator's own query or settings is quoted, and marked as its words.
"""

import errno
import re
from collections.abc import Callable
from typing import Final

from vigie.language import N_, Clause, Text

_SYSTEM: Final = {
    errno.ENOENT: N_("there is no such file"),
    errno.EACCES: N_("permission is denied"),
    errno.EPERM: N_("permission is denied"),
    errno.EISDIR: N_("it is a directory"),
    errno.ENOTDIR: N_("a part of its path is not a directory"),
    errno.ENOSPC: N_("the disk is full"),
    errno.EDQUOT: N_("your quota is used up"),
    errno.EFBIG: N_("the file would be larger than is allowed"),
    errno.EROFS: N_("the disk is read-only"),
    errno.ELOOP: N_("its symbolic links go round in circles"),
    errno.ENAMETOOLONG: N_("the name is too long"),
    errno.EMFILE: N_("too many files are open"),
    errno.EIO: N_("the disk fails"),
    errno.ECONNREFUSED: N_("nothing answers at this address"),
    errno.ETIMEDOUT: N_("no answer came in time"),
    errno.EHOSTUNREACH: N_("the host cannot be reached"),
    errno.ENETUNREACH: N_("the network cannot be reached"),
}
"""What the system answers, in words that the catalogues translate."""

_TOML: Final = (
    ("overwrite|twice|mutate|Duplicate", N_("a key or a table is given twice")),
    ("Expected '='", N_("a key has no = after it")),
    ("Unterminated|Illegal character", N_("a text has no closing quote")),
    ("Unclosed|Expected '\\]|Expected \"\\]", N_("a bracket is not closed")),
    ("backslash|Unescaped|escape", N_("a \\ stands in double quotes: use single quotes")),
    ("after a statement", N_("something stands after the value")),
    ("Invalid value", N_("a value is missing, or a text without quotes")),
)
_SQLITE: Final = (
    ("locked", N_("another process is writing to it")),
    ("unable to open", N_("its file cannot be opened")),
    ("not a database", N_("it is no database")),
    ("malformed", N_("its content is damaged")),
    ("disk I/O", _SYSTEM[errno.EIO]),
    ("readonly", N_("it is read-only")),
    ("is full", _SYSTEM[errno.ENOSPC]),
    ("no such (?:table|column)", N_("a table or column of it is missing")),
)
_KINDS: Final = {
    "int": N_("a whole number"), "float": N_("a number"), "str": N_("a text"),
    "bool": N_("true or false"), "array": N_("a list"), "object": N_("a table"),
    "null": N_("nothing"), "date": N_("a date"), "datetime": N_("a date and time"),
    "time": N_("a time"),
}  # fmt: skip


def reason_of(error: Exception) -> Text:
    """Say why the system or a library refused, as a text to translate: for the field `reason`.

    >>> reason_of(FileNotFoundError(2, "No such file or directory"))
    'there is no such file'
    >>> str(reason_of(UnicodeDecodeError("utf-8", b"\\xe9", 0, 1, "invalid")))
    'it is not text in UTF-8 (byte 1)'
    """
    if isinstance(error, OSError):
        known = _SYSTEM.get(error.errno or 0)
        if type(error).__name__ == "gaierror":
            return N_("this name of a host is not known")
        return known or quoted(error.strerror or str(error))
    if isinstance(error, UnicodeDecodeError):
        return Clause(N_("it is not text in UTF-8 (byte {byte})"), byte=error.start + 1)
    if isinstance(error, RecursionError):
        return N_("it is nested too deeply")
    library = type(error).__module__.partition(".")[0]
    return _LIBRARIES.get(library, _unknown)(str(error))


def quoted(words: str) -> Clause:
    """Return what somebody else's program said, marked as its own words."""
    return Clause(N_("it answers “{words}”"), words=words.strip().split("\n")[0])


def _unknown(_said: str) -> str:
    return N_("it has not the form that is needed")


def _toml(said: str) -> Clause:
    what = _first(_TOML, said, N_("this is not TOML"))
    place = re.search(r"at line (\d+), column (\d+)", said)
    if place is None:
        return Clause(N_("at its end: {what}"), what=Clause(what))
    text = N_("line {line}, column {column}: {what}")
    return Clause(text, line=place[1], column=place[2], what=Clause(what))


def _sqlite(said: str) -> Text:
    return _first(_SQLITE, said, "") or quoted(said)


def _msgspec(said: str) -> Clause:
    said, _at, place = said.partition(" - at `$")
    what = _of_a_value(said)
    place = place.rstrip("`").lstrip(".")
    return Clause(N_("{place}: {what}"), place=place, what=what) if place else what


def _of_a_value(said: str) -> Clause:
    for pattern, tell in _VALUES:
        found = re.search(pattern, said)
        if found:
            return tell(found)
    return Clause(N_("it has not the form that is needed"))


def _kinds(said: str) -> Clause:
    """Return types as `msgspec` joins them, in words."""
    first, *others = [Clause(_KINDS.get(one, one)) for one in said.split(" | ")]
    for one in others:
        first = Clause(N_("{one} or {other}"), one=first, other=one)
    return first


_VALUES: "Final[tuple[tuple[str, Callable[[re.Match[str]], Clause]], ...]]" = (
    (r"missing required field `(.*)`",
     lambda m: Clause(N_("{name} is missing"), name=m[1])),
    (r"unknown field `(.*)`",
     lambda m: Clause(N_("{name} is not known"), name=m[1])),
    (r"Expected `(.*)`, got `(.*)`",
     lambda m: Clause(N_("{expected} is needed, not {given}"), expected=_kinds(m[1]),
                      given=_kinds(m[2]))),
    (r"Expected `(?:int|float)` (>=|<=|>|<) (\S+)",
     lambda m: Clause(N_("a number {than} {limit} is needed"), than=m[1], limit=m[2])),
    (r"of length (>=|<=) (\d+)",
     lambda m: Clause(N_("a length {than} {limit} is needed"), than=m[1], limit=m[2])),
    (r"matching regex",
     lambda _m: Clause(N_("it has not the form that is needed"))),
    (r"Invalid (?:enum )?value",
     lambda _m: Clause(N_("it is none of the words that are known"))),
    (r"Invalid RFC3339",
     lambda _m: Clause(N_("it is no date"))),
    (r"truncated",
     lambda _m: Clause(N_("it is cut short"))),
    (r"JSON is malformed.*byte (\d+)",
     lambda m: Clause(N_("it is not JSON (byte {byte})"), byte=m[1])),
)  # fmt: skip


def _first(table: tuple[tuple[str, str], ...], said: str, otherwise: str) -> str:
    return next((text for pattern, text in table if re.search(pattern, said)), otherwise)


_LIBRARIES: "Final[dict[str, Callable[[str], Text]]]" = {
    "tomllib": _toml, "msgspec": _msgspec, "sqlite3": _sqlite, "duckdb": quoted, "_duckdb": quoted,
    "psycopg": quoted,
}  # fmt: skip
