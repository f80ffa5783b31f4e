"""The bytes of a file on their way to a reader."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.errors import ReadingError
from vigie.readers.intake import Intake

lines = st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"")), max_size=40)


def wrapped(data: bytes, how: str) -> bytes:
    if how == "gzip":
        return gzip.compress(data)
    return pa.compress(data, codec="zstd", asbytes=True) if how == "zstd" else data


@pytest.mark.parametrize("how", ["plain", "gzip", "zstd"])
@given(content=lines, size=st.integers(1, 64), ended=st.booleans())
def test_chunks_give_back_every_byte_and_number_every_line(
    tmp_path_factory, how: str, content: list[bytes], size: int, ended: bool
) -> None:
    data = b"\n".join(content) + (b"\n" if ended and content else b"")
    path = tmp_path_factory.mktemp("intake") / "log"
    path.write_bytes(wrapped(data, how))
    sealed: list[bytes] = []
    intake = Intake(path, "log", seal=sealed.append, chunk_size=size, longest_line=1000)
    chunks = list(intake.chunks())
    assert b"".join(chunk.data for chunk in chunks) == data == b"".join(sealed)
    assert intake.damage is None
    for chunk in chunks:
        assert data[: chunk.offset].count(b"\n") == chunk.first_line - 1
        assert data[chunk.offset :].startswith(chunk.data)


def test_a_truncated_gzip_gives_what_it_holds_and_says_so(tmp_path: Path) -> None:
    data = b"".join(b"line %d\n" % i for i in range(10_000))
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(data)[:-4000])
    intake = Intake(path, "log.gz", chunk_size=1024)
    found = b"".join(chunk.data for chunk in intake.chunks())
    assert data.startswith(found)
    assert found
    assert intake.damage == "truncated"


def test_an_overlong_line_is_never_held_whole_and_loses_no_neighbour(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\n" + b"x" * 100_000 + b"\nlast\n")
    intake = Intake(path, "log", chunk_size=1000, longest_line=5000)
    chunks = list(intake.chunks())
    assert [chunk.overlong for chunk in chunks] == [False, True, False]
    assert max(len(chunk.data) for chunk in chunks) < 7000
    assert (chunks[2].data, chunks[2].first_line) == (b"last\n", 3)
    assert chunks[2].offset == 6 + 100_001


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReadingError, match="cannot be opened"):
        list(Intake(tmp_path / "none", "none").chunks())
