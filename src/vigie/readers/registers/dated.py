"""The dates and the words of a table of the operator, brought to ours."""

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import TIME
from vigie.readers import moments
from vigie.readers.refusals import refuse_value
from vigie.readers.registers.refused import Refused
from vigie.readers.registers.sources import trimmed
from vigie.readers.times import to_utc
from vigie.readers.words import from_array

PERIOD = ("valid_from", "valid_until")


class Dates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How dates are written: ISO 8601 unless `format` says otherwise, in the time zone `zone`."""

    zone: str = "Europe/Paris"
    format: str = ""


def period(
    table: pa.Table, columns: dict[str, str], dates: Dates, numbers: NDArray[np.int64],
    refused: Refused,
) -> tuple[pa.Array, pa.Array, NDArray[np.bool_]]:  # fmt: skip
    """Return from when and until when each row holds, null for ever, and which rows are sound."""
    sound, found = np.ones(len(numbers), np.bool_), []
    for name in PERIOD:
        column = columns.get(name, "")
        if not column:
            found.append(pa.nulls(len(numbers), TIME))
            continue
        times, bad = _times(table[column], dates)
        refused.add(numbers[bad & sound], "bad_time", column)
        sound &= ~bad
        found.append(times)
    reversed_ = pc.fill_null(pc.less_equal(found[1], found[0]), False)
    backwards = reversed_.to_numpy(zero_copy_only=False) & sound
    refused.add(numbers[backwards], "bad_period", columns.get("valid_until", ""))
    return found[0], found[1], sound & ~backwards


def _times(column: pa.ChunkedArray, dates: Dates) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Return times in UTC, null where there is none, and where they cannot be read."""
    values = trimmed(column)
    if not dates.format:  # a day alone begins at its midnight
        days = pc.fill_null(pc.equal(pc.utf8_length(values), len("2025-01-31")), False)
        values = pc.if_else(days, pc.binary_join_element_wise(values, "00:00:00", " "), values)
    words = from_array(values)
    if not len(words.words):
        return pa.nulls(len(values), TIME), np.zeros(len(values), bool)
    written, kinds = moments.parse_words(words, moments.compile_pattern(dates.format))
    local = kinds == moments.LOCAL
    if local.any():
        naive = pa.array(written[local]).cast(pa.timestamp("us"))
        moved, _doubts = to_utc(naive, dates.zone)
        written = written.copy()
        written[local] = moved.cast(pa.int64()).to_numpy()
    return pa.array(written, mask=kinds < moments.UTC).cast(TIME), kinds == moments.BAD


def translated(column: pa.ChunkedArray, words: dict[str, str], ours: tuple[str, ...]) -> pa.Array:
    """Return our word for each of theirs, null for none; case and outer blanks do not count."""
    known = {one: one for one in ours} | words
    folded = {theirs.strip().casefold(): said for theirs, said in known.items()}
    encoded = column.combine_chunks().dictionary_encode()
    said = [
        None if word is None else folded.get(word.strip().casefold())
        for word in encoded.dictionary.to_pylist()
    ]
    return pa.array(said, pa.string()).take(encoded.indices)


def check_words(words: dict[str, str], ours: tuple[str, ...], where: str, section: str) -> None:
    """Raise `MappingError` for a word that is none of ours."""
    for said in words.values():
        if said not in ours:
            refuse_value(said, ours, where, section)
