"""Records and their fields, against Python's own csv module and by law."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.readers.lines import BLANK, FAULTS, Layout, scan, split_lines

TWO = Layout(fields=2, slots=(0, 1))


def fields(data: bytes, layout: Layout) -> list[list[str]]:
    found = scan(data, layout)
    rows = []
    for row in range(len(found.starts)):
        texts = []
        for slot in range(len(found.field_starts)):
            start, size = int(found.field_starts[slot, row]), int(found.field_sizes[slot, row])
            doubled, size = size < 0, size if size >= 0 else -1 - size
            text = data[start : start + size].decode()
            texts.append(text.replace('""', '"') if doubled else text)
        rows.append(texts)
    return rows


def reasons(data: bytes, layout: Layout = TWO) -> list[str]:
    return ["blank" if f == BLANK else FAULTS[f] for f in scan(data, layout).faults.tolist()]


TEXTS = st.text(st.sampled_from('ab,"\n;é€𝄞'), max_size=6)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=8))
def test_reads_what_the_csv_module_writes(rows):
    rows = [tuple(text.strip() for text in row) for row in rows]
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    layout = Layout(fields=0, slots=(0, 1, 2))
    assert fields(out.getvalue().encode(), layout) == [list(row) for row in rows]


def test_faults_are_told_apart():
    data = b'a,b\na\na,b,c\na,\xff\na,\x00\n\n\r\na,"x\n"b"c,d\na,b'
    assert reasons(data) == [
        "", "bad_fields", "bad_fields", "bad_encoding", "nul_byte", "blank", "blank",
        "bad_fields", "bad_fields", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "bad", [b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xe2\x82"]
)
def test_what_is_not_utf8_is_found(bad):
    assert reasons(b"a," + bad + b"\nb,c\n") == ["bad_encoding", ""]
    assert reasons(b'a,"' + bad + b'"\nb,c\n') == ["bad_encoding", ""]


@given(st.binary(max_size=60))
def test_utf8_is_what_python_says(data):
    lines = data.replace(b"\0", b"").split(b"\n")
    found = split_lines(b"\n".join(lines)).faults.tolist()

    def sound(line: bytes) -> bool:
        try:
            line.decode()
        except UnicodeDecodeError:
            return False
        return True

    for line, fault in zip(lines, found, strict=False):
        assert (FAULTS[fault] != "bad_encoding" if fault != BLANK else True) == sound(line)


@given(st.binary(max_size=80), st.booleans())
def test_every_line_is_in_exactly_one_record(data, quoted):
    found = split_lines(data, quoted)
    place = 0
    for start, end in zip(found.starts.tolist(), found.ends.tolist(), strict=True):
        assert start == place
        place = end + (2 if data[end : end + 2] == b"\r\n" else 1)
    assert place >= len(data)


def test_a_stray_quote_costs_its_own_line_only():
    layout = Layout(fields=3, slots=(0,), witness=1)
    sound = b"a,2025-01-01,x\n"
    assert reasons(sound + b'a,2025-01-01,"x\n' + sound * 3, layout) == [
        "", "bad_fields", "", "", "",
    ]  # fmt: skip


def test_a_quoted_text_may_have_lines():
    layout = Layout(fields=3, slots=(0, 1, 2), witness=1)
    data = b'a,2025-01-01,"first\nsecond, with, commas\n"\nb,2025-01-02,y\n'
    assert fields(data, layout)[1] == ["b", "2025-01-02", "y"]
    assert scan(data, layout).lines.tolist() == [0, 3]


def test_an_open_quote_waits_for_the_next_piece():
    layout = Layout(fields=3, slots=(0, 1, 2), witness=1)
    found = scan(b'a,2025-01-01,x\nb,2025-01-01,"y\n', layout, final=False)
    assert (len(found.starts), found.resume, found.line_count) == (1, 15, 1)


def test_a_line_beyond_the_limit():
    layout = Layout(fields=2, slots=(0, 1), longest=10)
    assert reasons(b"a,b\na,bbbbbbbbbbbb\n" + b'c,"d\n"\n', layout) == ["", "line_too_long", ""]


def test_no_quoting_when_the_mapping_says_so():
    assert fields(b'"a;b"c\n', Layout(";", "", fields=2, slots=(0, 1))) == [['"a', 'b"c']]
