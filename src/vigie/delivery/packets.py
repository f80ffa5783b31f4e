"""Packets under article 33(2): to each controller its own persons, encrypted, with hashes.

A packet is one archive per controller: the documents made for it, the list of its persons, apart
from it that of those who are only possibly concerned, and a manifest of the SHA-256 of each.
`packets.json` beside them says who was sent what, and adds up to the whole. No name and no
pseudonym stands in clear in any file.
"""

import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from vigie.delivery.archive import canonical
from vigie.delivery.encryption import Written
from vigie.delivery.listing import MORE, listing
from vigie.delivery.parts import PERSONS, POSSIBLE, Lists, Part, write_parts
from vigie.delivery.recipients import OPERATOR, Recipient, require
from vigie.delivery.split import Split
from vigie.errors import UsageError
from vigie.language import N_
from vigie.notices.people import Joined, Names, find_names
from vigie.notices.register import Register
from vigie.notices.share import Share

MANIFEST: Final = "packets.json"
SLICE: Final = 500_000
"""Persons whose names are in memory at once."""
_ROWS: Final = 200_000
_PIECE: Final = 100_000
Documents = Callable[[Share], dict[str, bytes]]
Largest = Callable[[Recipient], int | None]


@dataclass(frozen=True)
class Packet:
    """One packet that was written, in one part or several."""

    share: Share
    parts: list[Part]

    @property
    def controller(self) -> str:
        """To whom it goes."""
        return self.share.controller

    @property
    def file(self) -> Written:
        """The file, or the first of several."""
        return self.parts[0].file

    @property
    def contents(self) -> dict[str, str]:
        """What is in that file, with hashes."""
        return self.parts[0].contents

    @property
    def persons(self) -> int:
        """How many persons its parts list."""
        return sum(part.persons for part in self.parts)

    @property
    def possible(self) -> int:
        """How many more may be concerned, and are listed apart."""
        return sum(part.possible for part in self.parts)

    def said(self) -> dict[str, Any]:
        """Return what `packets.json` says of it."""
        whole = {
            "controller": self.controller, "persons": self.persons, "possible": self.possible,
            "rows": self.share.rows,
        }  # fmt: skip
        parts = [asdict(part) for part in self.parts]
        if len(parts) > 1:
            return whole | {"parts": parts}
        return whole | {"file": asdict(self.file), "contents": self.contents}


@dataclass
class Outcome:
    """All packets of one run, in the order of the controllers, and what the register gave."""

    packets: list[Packet] = field(default_factory=list)
    joined: Joined | None = None

    @property
    def persons(self) -> int:
        """How many persons all packets list; one with two controllers is listed in both."""
        return sum(packet.persons for packet in self.packets)

    @property
    def possible(self) -> int:
        """How many more may be concerned, and are listed apart."""
        return sum(packet.possible for packet in self.packets)

    def manifest(self, facts: str, told: str = "") -> bytes:
        """Return what `packets.json` says; `facts` and `told` are the hashes of what they tell."""
        said: dict[str, Any] = {
            "version": 1,
            "facts": facts,
            "told": told,
            "persons": self.persons,
            "possible": self.possible,
            "rows": sum(packet.share.rows for packet in self.packets),
            "packets": [packet.said() for packet in self.packets],
        }
        if self.joined:
            said["register"] = asdict(self.joined)
        return canonical(said)


def write_packets(
    split: Split,
    recipients: dict[str, Recipient],
    out: Path,
    documents: Documents = lambda share: {},
    register: Register | None = None,
    aliases: pa.Table | None = None,
    facts: str = "",
    told: str = "",
    done: Callable[[int], None] = lambda persons: None,
    where: str = "",
    largest: Largest = lambda to: None,
) -> Outcome:
    """Write a packet for each controller of `split` into the new directory `out`.

    `facts` is the hash of the case's facts, `told` that of what its time line tells.
    `largest` says how many bytes a file for a recipient may have: beyond, a packet is in parts.
    With a `register` the lists bear names. Raises `SecretError` before anything is written when
    a controller has no key, `UsageError` when `out` already holds something.
    """
    require(recipients, split.shares, where)
    _claim(out)
    outcome = Outcome(joined=Joined() if register else None)
    files = _file_names(split.shares)
    with _names(split, register, aliases, outcome.joined) as names:
        rows = _Rows(split, names)
        for controller, share in split.shares.items():
            lists = Lists(share, partial(rows.of, controller), _csv)
            to = recipients[controller]
            said = {"version": 1, "facts": facts, "controller": controller,
                    "persons": share.persons, "possible": share.possible,
                    "rows": share.rows}  # fmt: skip
            place = out / files[controller]
            parts = write_parts(lists, documents(share), to, place, said, largest(to))
            outcome.packets.append(Packet(share, parts))
            done(share.persons + share.possible)
    (out / MANIFEST).write_bytes(outcome.manifest(facts, told))
    return outcome


def _names(
    split: Split, register: Register | None, aliases: pa.Table | None, joined: Joined | None
) -> AbstractContextManager[Names | None]:
    if register is None or joined is None:
        return nullcontext()
    return find_names(register, split.persons(), aliases, split.path.parent, SLICE, joined)


def _csv(tables: Iterator[pa.Table]) -> Iterator[bytes]:
    """Write the list as spreadsheets of this country read it: semicolons, UTF-8 with its mark."""
    yield b"\xef\xbb\xbf"
    first = True
    for table in tables:
        for start in range(0, table.num_rows, _PIECE):
            sink = io.BytesIO()
            options = pacsv.WriteOptions(
                include_header=first, delimiter=";", quoting_style="needed"
            )
            pacsv.write_csv(table.slice(start, _PIECE), sink, options)
            first = False
            yield sink.getvalue()


class _Rows:
    """The rows of a split, in order, handed out controller by controller."""

    def __init__(self, split: Split, names: Names | None) -> None:
        self._lists = listing(split, names, SLICE if names else _ROWS)
        self._left: pa.Table | None = None
        self._owners: Any = None

    def of(self, controller: str, missing: int) -> Iterator[pa.Table]:
        """Yield the list of so many persons, who must be the next ones and all of `controller`."""
        while missing:
            if not self._left:
                self._left = next(self._lists)
            persons, end = _first(self._left, missing)
            table = self._left[:end]
            self._left = self._left[end:]
            missing -= persons
            # Were the order not what it is believed to be, a person would reach a stranger.
            assert set(table["controller"].unique().to_pylist()) == {controller}
            yield table.drop_columns([n for n in ("controller", MORE) if n in table.column_names])


def _first(table: pa.Table, most: int) -> tuple[int, int]:
    """Return how many persons are the first `most` at most, and how many rows these have."""
    if MORE not in table.column_names:
        persons = min(most, table.num_rows)
        return persons, persons
    begins = np.flatnonzero(~table[MORE].to_numpy())
    if len(begins) <= most:
        return len(begins), table.num_rows
    return most, int(begins[most])


def _file_names(controllers: Any) -> dict[str, str]:
    """Return a name for each packet: its number, and what of the controller's name a file bears."""
    width = len(str(len(controllers)))
    return {
        name: f"{number:0{width}d}-{_plain(name or 'sans-responsable')}"
        for number, name in enumerate(controllers, start=1)
    }


def _plain(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub("[^A-Za-z0-9]+", "-", ascii_only).strip("-").lower()[:60] or "x"


def _claim(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        raise UsageError(
            N_("the directory already holds something"),
            where=str(out),
            remedy=N_("choose another one, or empty it"),
        )
    out.mkdir(parents=True, exist_ok=True, mode=0o700)


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what `packets.json` says."""
    said: dict[str, Any] = json.loads(path.read_bytes())
    return said


__all__ = [
    "OPERATOR", "PERSONS", "POSSIBLE", "Outcome", "Packet", "read_manifest", "write_packets"
]  # fmt: skip
