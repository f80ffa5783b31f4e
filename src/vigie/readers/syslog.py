"""The envelope of a syslog message: RFC 5424, the older RFC 3164, and what daemons write to files.

RFC 5425 and RFC 6587 put the length of each message before it (`123 <110>1 …`); files and plain
streams end a message with a line end. A daemon that writes files often drops the priority and
keeps the time and the host. Here a header is read where it stands in a larger piece of bytes, so
that nothing is copied before one knows what it is.

Sources: RFC 5424 section 6, RFC 3164 section 4, RFC 6587 section 3.4, IHE ITI TF-2 3.20.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

LONGEST_HEADER: Final = 1 << 16
"""A header with its structured data is looked for in so many bytes, and no further."""

_MONTHS: Final = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
OLD_TIME: Final = rf"(?:{_MONTHS}) [ \d]\d (?:\d{{4}} )?\d\d:\d\d:\d\d".encode()
FILE_TIME: Final = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*"
OPENING: Final = rb"(?:\d{1,9} )?<\d{1,3}>"
"""How a message opens: a priority, with the length of the message before it or not."""

_COUNT: Final = re.compile(rb"(\d{1,9}) (?=<\d{1,3}>)")
_MODERN: Final = re.compile(
    rb"<\d{1,3}>\d{1,2} ([^\s<]+) ([^\s<]+) ([^\s<]+) ([^\s<]+) ([^\s<]+)(?: |(?=\r?\n)|\Z)"
)
_STRUCTURED: Final = re.compile(
    rb"(?>-|(?:\[[^\s=\]\"]+(?> +[^\s=\]\"]+=\"(?>[^\"\\\n]|\\.)*+\")*+ ?\])+)(?: |(?=\r?\n)|\Z)"
)
_OLD: Final = re.compile(rb"<\d{1,3}>(?:(" + OLD_TIME + rb") (\S+) )?")
_FILED: Final = re.compile(rb"(" + OLD_TIME + rb"|" + FILE_TIME + rb") (\S+) ")
_AUDIT_NAMES: Final = (b"IHE", b"DICOM", b"RFC3881", b"RFC-3881")


@dataclass(frozen=True, slots=True)
class Header:
    """What comes before the message: `body` is where the message starts in the same bytes.

    `at` is the time as it was written, None where there is none (`-`). `modern` says that it is
    complete under RFC 5424; of an older header nothing tells that it is whole.
    """

    body: int
    at: bytes | None = None
    message_id: bytes = b""
    modern: bool = False

    @property
    def names_audit(self) -> bool:
        """Whether the message says that it is an audit message (`IHE+RFC-3881`, `IHE+DICOM`…).

        >>> read_header(b"<110>1 - srv app - IHE+RFC-3881 - x").names_audit
        True
        """
        name = self.message_id.upper()
        return any(word in name for word in _AUDIT_NAMES)


def read_count(data: bytes, start: int) -> tuple[int, int] | None:
    """Return the announced length of the message at `start`, and where the message starts.

    >>> read_count(b"12 <110>1 - - -", 0)
    (12, 3)
    """
    found = _COUNT.match(data, start)
    return (int(found[1]), found.end()) if found else None


def read_header(data: bytes, start: int = 0) -> Header | None:
    """Read the header at `start`; None when there is none.

    Structured data may be missing altogether: some senders forget its dash.

    >>> header = read_header(b'<85>1 2025-01-02T03:04:05Z srv app 7 IHE+DICOM [a b="c]"] hello')
    >>> header.at, header.body
    (b'2025-01-02T03:04:05Z', 58)
    >>> read_header(b"Mar 19 14:25:02 srv app: hello").body
    20
    """
    end = start + LONGEST_HEADER
    found = _MODERN.match(data, start, end)
    if found:
        rest = _STRUCTURED.match(data, found.end(), end)
        at = None if found[1] == b"-" else found[1]
        return Header(rest.end() if rest else found.end(), at, found[5], modern=True)
    found = _OLD.match(data, start, end) or _FILED.match(data, start, end)
    return Header(found.end(), found[1]) if found else None


def moment(at: bytes) -> datetime | None:
    """Return the time of an RFC 5424 header in UTC, or None when it does not say when exactly.

    >>> moment(b"2025-01-02T03:04:05+01:00").isoformat()
    '2025-01-02T02:04:05+00:00'
    >>> moment(b"Mar 19 14:25:02")
    """
    try:
        said = datetime.fromisoformat(at.decode("ascii"))
        return None if said.tzinfo is None else said.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
