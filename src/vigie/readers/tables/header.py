"""The line that names the columns: its delimiter, its names, and what is wrong with it.

It is the first that is not blank, but for the titles that spreadsheets leave above their tables.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.errors import MappingError, ReadingError
from vigie.language import N_, visible
from vigie.readers import moments
from vigie.readers.lines import BLANK, Layout, scan
from vigie.readers.mapping import Mapping
from vigie.readers.refusals import missing_column

DELIMITERS: Final = (",", ";", "\t", "|")
TITLES: Final = 20
"""Lines that may stand above the names of the columns."""
_LONGEST_HEADER: Final = 1 << 20
_NAMES: Final = {",": ",", ";": ";", "\t": "\\t", "|": "|"}


@dataclass(frozen=True, slots=True)
class Header:
    """The delimiter, the columns' names, and the bytes of the line (empty when there is none)."""

    delimiter: str
    names: tuple[str, ...]
    line: bytes


def read_header(data: bytes, mapping: Mapping, encoding: str, where: str) -> Header:
    """Find the header in the first bytes of a file, or take the mapping's when it gives one.

    Raises `MappingError` or `ReadingError` when the columns that the mapping names are not there.
    """
    form = mapping.format
    if form.header is not None:
        delimiter = form.delimiter or _delimiter_of(data, len(form.header), form.quote, encoding)
        header = Header(delimiter, form.header, b"")
        _check(header, mapping, where, _first_record(data, delimiter, form.quote, encoding))
        return header
    tried = [
        _header(data, delimiter, form.quote, encoding, where)
        for delimiter in ((form.delimiter,) if form.delimiter else DELIMITERS)
    ]
    wanted = set(mapping.wanted)
    header = max(tried, key=lambda one: (len(wanted & set(one.names)), len(one.names)))
    if not wanted & set(header.names):
        under = (_under_titles(data, one.delimiter, mapping, encoding) for one in tried)
        header = next(filter(None, under), header)
    _check(header, mapping, where, header.line)
    return header


def split_record(line: bytes, delimiter: str, quote: str, encoding: str) -> list[str]:
    """Split one record into its texts.

    >>> split_record(b'a;"b;c"', ";", '"', "utf-8")
    ['a', 'b;c']
    """
    text = io.StringIO(line.decode(encoding, "replace"), newline="")
    if quote:
        reader = csv.reader(text, delimiter=delimiter, quotechar=quote)
    else:
        reader = csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return [name.strip() for name in next(reader, [])]


def _records(data: bytes, delimiter: str, quote: str, encoding: str) -> Iterator[bytes]:
    head = data[:_LONGEST_HEADER]
    found = scan(head, Layout(delimiter, quote, encoding))
    for start, end, fault in zip(found.starts, found.ends, found.faults, strict=True):
        if fault != BLANK:
            yield head[start:end]


def _first_record(data: bytes, delimiter: str, quote: str, encoding: str) -> bytes:
    return next(_records(data, delimiter, quote, encoding), b"")


def _under_titles(data: bytes, delimiter: str, mapping: Mapping, encoding: str) -> Header | None:
    """Return the header that stands below titles, or None; no line of data is taken for a title."""
    quote, wanted = mapping.format.quote, set(mapping.wanted)
    above: list[Header] = []
    for line in islice(_records(data, delimiter, quote, encoding), TITLES + 1):
        try:
            names = split_record(line, delimiter, quote, encoding)
        except csv.Error:
            return None
        header = Header(delimiter, tuple(names), line)
        if wanted <= set(names):
            return None if any(_is_record(one, header, mapping) for one in above) else header
        above.append(header)
    return None


def _is_record(line: Header, header: Header, mapping: Mapping) -> bool:
    """Say whether a line has a time where the header says that times stand."""
    column = mapping.columns["at"]
    there = line.names[header.names.index(column.column) :][:1]
    return any(_is_time(text, moments.compile_pattern(column.format)) for text in there)


def _delimiter_of(data: bytes, fields: int, quote: str, encoding: str) -> str:
    def fits(delimiter: str) -> bool:
        line = _first_record(data, delimiter, quote, encoding)
        return len(split_record(line, delimiter, quote, encoding)) == fields

    return next(filter(fits, DELIMITERS), ",")


def _header(data: bytes, delimiter: str, quote: str, encoding: str, where: str) -> Header:
    line = _first_record(data, delimiter, quote, encoding)
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        raise ReadingError(
            N_("the names of the columns are not in {encoding}"),
            where=where,
            remedy=N_('write its encoding, for example encoding = "{other}" in [source.format]'),
            encoding=encoding,
            other="utf-8" if encoding == "cp1252" else "cp1252",
        ) from None
    try:
        names = split_record(line, delimiter, quote, encoding)
    except csv.Error:
        names = []
    return Header(delimiter, tuple(names), line)


def _check(header: Header, mapping: Mapping, where: str, line: bytes) -> None:
    missing = [name for name in mapping.wanted if name not in header.names]
    if not missing:
        twice = next((name for name in mapping.wanted if header.names.count(name) > 1), None)
        if twice:
            raise MappingError(
                N_("the column {column!r} stands twice in the header"),
                where=where,
                remedy=N_("rename one of the two"),
                column=twice,
            )
        return
    refuse_binary(header.names, where)
    if len(missing) == len(mapping.wanted) and header.line:
        _explain_stranger(header, mapping, where)
    raise missing_column(missing[0], header.names, mapping.where, where)


def _explain_stranger(header: Header, mapping: Mapping, where: str) -> None:
    """Raise when not one column is there for a reason that can be told."""
    wanted = set(mapping.wanted)
    for delimiter in DELIMITERS:
        names = split_record(header.line, delimiter, mapping.format.quote, "latin-1")
        if delimiter != header.delimiter and wanted & set(names):
            raise MappingError(
                N_("the fields are separated by {found!r}, not by {said!r} as the mapping says"),
                where=where,
                remedy=N_("write delimiter = {found!r} in [source.format]"),
                found=_NAMES[delimiter],
                said=_NAMES.get(header.delimiter, header.delimiter),
            )
    if _looks_like_data(header, mapping):
        raise MappingError(
            N_("the first line holds data where the names of the columns should be"),
            where=where,
            remedy=N_("write the names in order: header = […] in [source.format]"),
        )


def _looks_like_data(header: Header, mapping: Mapping) -> bool:
    program = moments.compile_pattern(mapping.columns["at"].format, mapping.where)
    return any(is_data(name) or _is_time(name, program) for name in header.names)


def refuse_binary(names: Iterable[str], where: str) -> None:
    """Raise `ReadingError` when the names of the columns are no text."""
    if any(visible(name) != name for name in names):
        raise ReadingError(
            N_("the file does not begin with text"),
            where=where,
            remedy=N_("name a log in text, or write its encoding in [source.format]"),
        )


def is_data(text: str) -> bool:
    """Say whether a text is a number or a date rather than the name of a column."""
    digits = sum(mark.isdigit() for mark in text)
    return digits >= 6 and digits >= len(text) / 2


def _is_time(text: str, program: NDArray[np.uint8]) -> bool:
    data = np.frombuffer(text.encode() or b" ", np.uint8)
    spans = np.zeros(1, np.int32), np.array([len(data)], np.int32)
    return bool(moments.parse(data, *spans, program)[1][0] >= moments.UTC) or (
        text.isdigit() and len(text) >= 9
    )
