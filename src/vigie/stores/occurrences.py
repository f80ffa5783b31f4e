"""Which of the alike lines is this? Numbers lines against those that the store has."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vigie.stores.alignment import Alignment, Lines, mates

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Numbered:
    """Per line its occurrence and whether the store has it; how many were taken on doubt.

    `repeated` are the lines that this very file had not brought before: new sightings.
    """

    occurrence: Numbers
    known: NDArray[np.bool_]
    repeated: NDArray[np.bool_]
    ambiguous: int


def number_lines(alignment: Alignment, new: Lines, old: Lines, file: int) -> Numbered:
    """Number the lines of a partition of file `file`, given the stored lines of the same time."""
    occurrence = np.full(len(new.number), -1, np.int64)
    own = np.zeros(len(new.number), bool)
    for overlap in alignment.aligned():
        same, theirs = mates(
            new, old[old.file == overlap.file], overlap, alignment.ends, overlap.shift or 0
        )
        take = same & (occurrence < 0)
        occurrence[take] = theirs[take]
        own |= same & (overlap.file == file)
    ambiguous = _settle_rest(alignment, new, old, occurrence)
    known = _held(new, old, occurrence)
    return Numbered(occurrence, known, known & ~own, ambiguous)


def _settle_rest(alignment: Alignment, new: Lines, old: Lines, occurrence: Numbers) -> int:
    """Number the lines that no alignment explains; return how many were taken as seen on doubt."""
    keys, places, counts = np.unique(new.keys, return_inverse=True, return_counts=True)
    stored = np.isin(keys, old.keys)
    occurrence[(~stored & (counts == 1))[places] & (occurrence < 0)] = 0
    open_ = np.flatnonzero(_undecided(places, counts, occurrence))
    rows = defaultdict(list)
    for row in open_[np.argsort(new.number[open_], kind="stable")].tolist():
        rows[places[row]].append(row)
    held = _by_key(old, keys)
    return sum(_number(alignment, some, held.get(key), occurrence) for key, some in rows.items())


def _undecided(places: Numbers, counts: Numbers, occurrence: Numbers) -> NDArray[np.bool_]:
    """Return the lines of every key of which one line has no number, or two might share one."""
    missing = np.bincount(places, weights=occurrence < 0, minlength=len(counts)) > 0
    undecided: NDArray[np.bool_] = (missing | (counts > 1))[places]
    return undecided


def _by_key(old: Lines, keys: NDArray[np.uint64]) -> dict[int, list[tuple[int, int]]]:
    """Return per place among `keys` the `(file, occurrence)` of each stored sighting."""
    held = defaultdict(list)
    shared = np.isin(old.keys, keys)
    chosen = old[shared]
    places = np.searchsorted(keys, chosen.keys)
    for place, file, number in zip(
        places.tolist(), chosen.file.tolist(), chosen.occurrence.tolist(), strict=True
    ):
        held[place].append((file, number))
    return held


def _number(
    alignment: Alignment, rows: list[int], held: list[tuple[int, int]] | None, occurrence: Numbers
) -> int:
    """Number alike lines, in the order of the file: no two may be the same event."""
    stored = {number for _, number in held or ()}
    taken: set[int] = set()
    for row in rows:
        if occurrence[row] in taken:
            occurrence[row] = -1
        elif occurrence[row] >= 0:
            taken.add(int(occurrence[row]))
    unexplained = {file for file, _ in held or () if alignment.overlaps[file].shift is None}
    seen = {number for file, number in held or () if file in unexplained}
    left = iter(sorted(seen - taken))
    fresh, ambiguous = max(stored, default=-1), 0
    for row in rows:
        if occurrence[row] < 0:
            number = next(left, None)
            ambiguous += number is not None and _doubtful(alignment, unexplained, rows, held or [])
            if number is None:
                fresh = number = fresh + 1
            occurrence[row] = number
    return ambiguous


def _doubtful(
    alignment: Alignment, files: set[int], rows: list[int], held: list[tuple[int, int]]
) -> bool:
    """Whether taking such a line as seen is a guess.

    A file that shares several moments without lying over the other is the same log in another
    order: a line that is alone of its kind is then the same line.
    """
    alone = len(rows) == 1 and len({number for _, number in held}) == 1
    return any(alignment.in_doubt(file) for file in files) or not alone


def _held(new: Lines, old: Lines, occurrence: Numbers) -> NDArray[np.bool_]:
    def names(lines: Lines, numbers: Numbers) -> NDArray[np.uint64]:
        return lines.keys + numbers.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)

    return np.isin(names(new, occurrence), names(old, old.occurrence))
