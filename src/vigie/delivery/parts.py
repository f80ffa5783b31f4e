"""A packet in parts, where a mailbox takes no larger mail: each opens alone, with its own persons.

The documents are in the first part; the last names all others with their SHA-256, and so does each
mail. Nobody has to put files together again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from vigie.delivery.archive import Archive
from vigie.delivery.encryption import Written, write_encrypted
from vigie.delivery.recipients import Recipient
from vigie.notices.share import Share

PERSONS: Final = "persons.csv"
POSSIBLE: Final = "possible.csv"
_STEP: Final = 2_000
"""Persons after which a part is asked whether it is full."""
_ROOM: Final = 60_000
"""Bytes of a part that come after its last persons: manifest, directory, what is not yet packed."""
_GROWTH: Final = 0.99
"""Encryption adds less than the hundredth part that is left here."""

Csv = Callable[[Iterator[pa.Table]], Iterator[bytes]]
Take = Callable[[int], Iterator[pa.Table]]


@dataclass(frozen=True)
class Part:
    """One file of a packet: what it lists, and the SHA-256 of what is in it."""

    file: Written
    persons: int
    possible: int
    contents: dict[str, str]


@dataclass
class Lists:
    """The persons of one controller that are still to be written, list by list."""

    share: Share
    take: Take
    csv: Csv
    left: dict[str, int] = field(init=False)
    listed: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with everybody."""
        self.left = {PERSONS: self.share.persons, POSSIBLE: self.share.possible}
        self.listed = dict.fromkeys(self.left, 0)

    def fill(self, archive: Archive, room: int | None) -> Iterator[bytes]:
        """Add lists to an archive until all are written, or it holds `room` bytes."""
        self.listed = dict.fromkeys(self.left, 0)
        for name in self.left:
            if self.left[name] and not _full(archive, room):
                yield from archive.add(name, self.csv(self._some(name, archive, room)))

    def _some(self, name: str, archive: Archive, room: int | None) -> Iterator[pa.Table]:
        while self.left[name]:
            count = self.left[name] if room is None else min(self.left[name], _STEP)
            yield from self.take(count)
            self.left[name] -= count
            self.listed[name] += count
            if _full(archive, room):
                return

    @property
    def done(self) -> bool:
        """Whether everybody was written."""
        return not any(self.left.values())


def _full(archive: Archive, room: int | None) -> bool:
    return room is not None and archive.size >= room


def write_parts(
    lists: Lists, documents: dict[str, bytes], to: Recipient, place: Path, said: dict[str, Any],
    largest: int | None,
) -> list[Part]:  # fmt: skip
    """Write the packet at `place` (a name without its ending), in parts of `largest` bytes at most.

    What no mailbox bounds, and what fits, is one file. `said` stands in every manifest.
    """
    room = None if largest is None else max(int(largest * _GROWTH) - _ROOM, 1)
    parts: list[Part] = []
    while not parts or not lists.done:
        archive = Archive()
        inside = {} if parts else documents
        pieces = _pieces(archive, lists, inside, said, parts, room)
        name = _name(place, len(parts) + 1 if parts else 0, to)
        file = write_encrypted(pieces, to, place.with_name(name))
        listed = lists.listed
        parts.append(Part(file, listed[PERSONS], listed[POSSIBLE], archive.hashes))
        if len(parts) == 1 and not lists.done:
            parts = [_first(parts[0], place, to)]
    return parts


def _pieces(
    archive: Archive, lists: Lists, documents: dict[str, bytes], said: dict[str, Any],
    before: list[Part], room: int | None,
) -> Iterator[bytes]:  # fmt: skip
    for name, content in sorted(documents.items()):
        yield from archive.add(name, [content])
    yield from lists.fill(archive, room)
    about = dict(said)
    if before or not lists.done:
        about |= {
            "part": len(before) + 1, "persons_here": lists.listed[PERSONS],
            "possible_here": lists.listed[POSSIBLE],
        }  # fmt: skip
    if before and lists.done:
        others = [{"part": n, "sha256": part.file.sha256} for n, part in enumerate(before, start=1)]
        about |= {"parts": len(before) + 1, "other_parts": others}
    yield from archive.close(about)


def _name(place: Path, part: int, to: Recipient) -> str:
    return f"{place.name}{f'.part-{part:03d}' if part else ''}.zip{to.suffix}"


def _first(part: Part, place: Path, to: Recipient) -> Part:
    """Name the first of several parts as such."""
    name = _name(place, 1, to)
    place.with_name(part.file.name).replace(place.with_name(name))
    file = Written(name, part.file.size, part.file.sha256)
    return Part(file, part.persons, part.possible, part.contents)
