"""Syslog envelopes: what is read as a header, and where the message behind it starts."""

import pytest

from vigie.readers.syslog import moment, read_count, read_header


def body(data: bytes) -> bytes:
    header = read_header(data)
    assert header is not None
    return data[header.body :]


@pytest.mark.parametrize(
    ("data", "at", "message_id", "rest"),
    [
        (
            b"<110>1 2025-01-02T03:04:05.678+01:00 h a 1 IHE+RFC-3881 - X",
            b"2025-01-02T03:04:05.678+01:00",
            b"IHE+RFC-3881",
            b"X",
        ),
        (b"<85>1 - - - - IHE+DICOM - X", None, b"IHE+DICOM", b"X"),
        (b'<85>1 - h a - ID [x@1 k="a \\] b" l="c"][y] X', None, b"ID", b"X"),
        (b"<85>1 - h a - ID X without its dash", None, b"ID", b"X without its dash"),
        (b"<85>1 - h a - ID -\nX", None, b"ID", b"\nX"),
        (b"<34>Oct 11 22:14:15 host app[3]: X", b"Oct 11 22:14:15", b"", b"app[3]: X"),
        (b"<34>no time at all", None, b"", b"no time at all"),
        (b"Oct  1 22:14:15 host app: X", b"Oct  1 22:14:15", b"", b"app: X"),
        (b"2025-01-02T03:04:05+00:00 host app: X", b"2025-01-02T03:04:05+00:00", b"", b"app: X"),
    ],
)
def test_a_header_is_read_in_every_dialect(
    data: bytes, at: bytes | None, message_id: bytes, rest: bytes
) -> None:
    header = read_header(data)
    assert header is not None
    assert (header.at, header.message_id, data[header.body :]) == (at, message_id, rest)


@pytest.mark.parametrize("data", [b"", b"hello", b"<1234>1 - - - - - -", b"<a>1", b"12:00 host"])
def test_what_is_no_header_is_none(data: bytes) -> None:
    assert read_header(data) is None


def test_structured_data_that_never_closes_takes_nothing_of_the_next_line() -> None:
    data = b'<85>1 - h a - ID [x k="open\n<85>1 - h a - ID - "] tail'
    assert body(data).startswith(b"[x k=")


def test_a_length_is_read_only_before_a_priority() -> None:
    assert read_count(b"17 <85>1 - - -", 0) == (17, 3)
    assert read_count(b"17 apples", 0) is None


@pytest.mark.parametrize("said", [b"IHE+RFC-3881", b"ihe+dicom", b"DICOM+RFC3881"])
def test_an_audit_message_says_so(said: bytes) -> None:
    header = read_header(b"<85>1 - - - - " + said + b" - X")
    assert header is not None
    assert header.names_audit


@pytest.mark.parametrize(
    "at", [b"2025-13-01T00:00:00Z", b"\xff", b"20140210005309", b"0001-01-01T00:00:00+23:00"]
)
def test_a_time_that_says_no_moment_is_none(at: bytes) -> None:
    assert moment(at) is None
