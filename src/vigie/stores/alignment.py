"""Aligning a file with earlier ones of its source: which of two alike lines was seen before.

See docs/decisions/002-event-identity.md for the rule and why. A file is *aligned* with an earlier
one when laying it `shift` lines further makes every line of the overlap equal, from an end of one
file to an end of the other, and the overlap spans more than one moment. Lines of the overlap are
then the events already stored, and alike lines outside it are new ones.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.stores.identity import Words, words_of
from vigie.stores.segments import SIGHTINGS, read_segments
from vigie.stores.staging import Partition, within

_PAIRS: Final = 16
"""A line that occurs so often that it gives more pairs tells nothing about the shift."""
_TRIED: Final = 8
_SHIFTS: Final = 1000
"""Files that agree at more shifts than this are not two cuts of one log."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one partition: number in the file, time, keyed hash; for stored ones file and
    occurrence."""

    number: Numbers
    at: Numbers
    words: Words
    file: Numbers
    occurrence: Numbers

    @property
    def keys(self) -> NDArray[np.uint64]:
        """Return one word per line; that two lines of a log share it by chance is out of reach."""
        return self.words[:, 0] ^ (self.words[:, 1] * np.uint64(0x9E3779B97F4A7C15))

    def __getitem__(self, chosen: NDArray[np.bool_]) -> "Lines":
        """Return some of the lines."""
        return Lines(
            self.number[chosen], self.at[chosen], self.words[chosen], self.file[chosen],
            self.occurrence[chosen],
        )  # fmt: skip


@dataclass
class Overlap:
    """What the new file shares with one earlier file."""

    file: int
    ends: tuple[int, int]
    shifts: Counter[int] = field(default_factory=Counter)
    first_at: int = 1 << 62
    last_at: int = -(1 << 62)
    shift: int | None = None

    def region(self, ends: tuple[int, int], shift: int) -> tuple[int, int]:
        """Return the first and last line of the new file that the earlier one covers."""
        return max(ends[0], self.ends[0] + shift), min(ends[1], self.ends[1] + shift)


@dataclass
class Alignment:
    """How a new file lies over the earlier ones: `ends` are its first and last line."""

    ends: tuple[int, int]
    overlaps: dict[int, Overlap] = field(default_factory=dict)

    def aligned(self) -> Iterator[Overlap]:
        """Yield the overlaps that one shift explains."""
        return (overlap for overlap in self.overlaps.values() if overlap.shift is not None)

    def in_doubt(self, file: int) -> bool:
        """Whether alike lines of an earlier file may or may not be the same, by all one can see.

        Sharing one moment only is what two neighbouring files without overlap look like too.
        """
        overlap = self.overlaps[file]
        return overlap.shift is None and overlap.first_at >= overlap.last_at


def new_lines(table: pa.Table) -> Lines:
    """Return the lines of staged rows that have no record id of their own."""
    chosen = pc.and_(pc.equal(table.column("part"), 0), pc.is_null(table.column("record_key")))
    return _lines(table.select(["source_line", "at", "line_hash"]).filter(chosen))


def stored_lines(
    home: Path, events: list[str], sightings: list[str], partition: Partition
) -> Lines:
    """Return the lines that earlier files brought or repeated within a partition's time."""
    names, inside = SIGHTINGS.names, within(partition)
    first = inside & (pc.field("part") == 0) & (pc.field("occurrence") >= 0)
    brought = read_segments(home, events, "events", names, first)
    repeated = read_segments(home, sightings, "sightings", names, inside)
    return _lines(pa.concat_tables([brought, repeated]).combine_chunks())


def _lines(table: pa.Table) -> Lines:
    none = np.zeros(table.num_rows, np.int64)

    def numbers(name: str) -> Numbers:
        held = name in table.column_names
        return table.column(name).cast(pa.int64()).to_numpy() if held else none

    return Lines(
        numbers("source_line"), numbers("at"), words_of(table.column("line_hash")),
        numbers("file"), numbers("occurrence"),
    )  # fmt: skip


def observe(alignment: Alignment, new: Lines, old: Lines, ends: dict[int, tuple[int, int]]) -> None:
    """Note at which shifts the lines of a partition agree with those of each earlier file."""
    keys, places, counts = np.unique(new.keys, return_inverse=True, return_counts=True)
    by_key, starts = np.argsort(places, kind="stable"), np.cumsum(counts) - counts
    found, shared = _places(keys, old.keys)
    old, found = old[shared], found[shared]
    for file in np.unique(old.file).tolist():
        mine = old.file == file
        overlap = alignment.overlaps.setdefault(file, Overlap(file, ends[file]))
        overlap.first_at = min(overlap.first_at, int(old.at[mine].min()))
        overlap.last_at = max(overlap.last_at, int(old.at[mine].max()))
        place = found[mine]
        pairs = counts[place] * np.bincount(place, minlength=len(keys))[place]
        place, number = place[pairs <= _PAIRS], old.number[mine][pairs <= _PAIRS]
        each = counts[place]
        within_ = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        mates = by_key[np.repeat(starts[place], each) + within_]
        shifts, seen = np.unique(new.number[mates] - np.repeat(number, each), return_counts=True)
        if len(shifts) <= _SHIFTS:
            overlap.shifts.update(dict(zip(shifts.tolist(), seen.tolist(), strict=True)))


def _places(
    keys: NDArray[np.uint64], wanted: NDArray[np.uint64]
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return where each wanted key stands among sorted keys, and whether it does."""
    places = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    return places, (keys[places] == wanted if len(keys) else np.zeros(len(wanted), bool))


def decide(alignment: Alignment, partitions: Iterable[tuple[Lines, Lines]], total: "Total") -> None:
    """Choose for each earlier file the shift that explains the overlap, if one does.

    `partitions` gives new and stored lines again; `total` counts the lines of the new file.
    """
    tried = [
        _Trial(overlap, shift)
        for overlap in alignment.overlaps.values()
        for shift, _ in overlap.shifts.most_common(_TRIED)
        if overlap.shift is None
    ]
    for new, old in partitions if tried else ():
        for trial in tried:
            mine = old[old.file == trial.overlap.file]
            same, _ = mates(new, mine, trial.overlap, alignment.ends, trial.shift)
            trial.note(new.at[same])
    for trial in tried:
        lines = total(*trial.overlap.region(alignment.ends, trial.shift))
        if trial.overlap.shift is None and trial.explains(lines):
            trial.overlap.shift = trial.shift


@dataclass
class _Trial:
    """One shift of one earlier file: how many lines agree, and from when to when."""

    overlap: Overlap
    shift: int
    same: int = 0
    first_at: int = 1 << 62
    last_at: int = -(1 << 62)

    def note(self, at: Numbers) -> None:
        if len(at):
            self.same += len(at)
            self.first_at = min(self.first_at, int(at.min()))
            self.last_at = max(self.last_at, int(at.max()))

    def explains(self, lines: int) -> bool:
        return self.same == lines and self.first_at < self.last_at


class Total:
    """Counts the lines of the new file between two numbers."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = np.sort(numbers)

    def __call__(self, first: int, last: int) -> int:
        """Return how many lines stand from `first` to `last`, both included."""
        return int(np.subtract(*np.searchsorted(self._numbers, (last + 1, first))))


def mates(
    new: Lines, old: Lines, overlap: Overlap, ends: tuple[int, int], shift: int
) -> tuple[NDArray[np.bool_], Numbers]:
    """Return which new lines equal the line of the earlier file below them, and its occurrence."""
    first, last = overlap.region(ends, shift)
    order = np.argsort(old.number)
    numbers = old.number[order]
    if not len(numbers):
        return np.zeros(len(new.number), bool), np.zeros(len(new.number), np.int64)
    place = np.minimum(np.searchsorted(numbers, new.number - shift), len(numbers) - 1)
    below = order[place]
    same = (new.number >= first) & (new.number <= last) & (numbers[place] == new.number - shift)
    same &= np.all(new.words == old.words[below], axis=1)
    return same, old.occurrence[below]


def align(
    own: int,
    ends: tuple[int, int],
    others: dict[int, tuple[int, int]],
    partitions: Callable[[], Iterable[tuple[Lines, Lines]]],
    total: Callable[[], Total],
) -> Alignment:
    """Lay a new file over the earlier files of its source.

    `own` is its number in the catalogue and `ends` its first and last line; `others` are those of
    the files received; `partitions` reads new and stored lines, once or twice.
    """
    alignment = Alignment(ends)
    for new, old in partitions():
        observe(alignment, new, old, others)
    if own in alignment.overlaps:
        # The very file, read again with another mapping: its lines are where they were.
        alignment.overlaps[own].shift = 0
    if any(overlap.shifts for overlap in alignment.overlaps.values()):
        decide(alignment, partitions(), total())
    return alignment
