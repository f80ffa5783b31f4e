"""Log files that grow line by line, and where in them each access was written."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.events import TIME
from vigie.simulate.world import World

PARIS: Final = "Europe/Paris"
_COMPRESSION: Final = 1
_MOST_ROWS: Final = 250_000

PLACES: Final = pa.schema(
    [
        pa.field("row", pa.int64()),  # index into World.accesses
        pa.field("file", pa.dictionary(pa.int32(), pa.string())),  # path below the log folder
        pa.field("line", pa.int64()),  # from 1, in the decompressed file
        pa.field("part", pa.int32()),  # from 0, for records of several patients
    ]
)
"""Where each access stands in the logs; an access seen by two logs has two places."""


@dataclass
class LogFolder:
    """A folder of growing logs: `append` lines, then `close`.

    Compressed files have no time stamp inside: the same world gives the same bytes.
    """

    folder: Path
    progress: Callable[[int], None] = field(default=lambda rows: None)
    _encoding: dict[str, str] = field(default_factory=dict)
    _open: dict[str, Any] = field(default_factory=dict)
    _count: dict[str, int] = field(default_factory=dict)
    _places: list[pa.Table] = field(default_factory=list)

    def begin(self, name: str, header: str = "", encoding: str = "utf-8") -> None:
        """Open the file `name` if it is new, with its header line."""
        if name not in self._count:
            self._count[name] = 0
            self._encoding[name] = encoding
            self._open[name] = _created(self.folder / name)
            if header:
                self.append(name, pa.array([header]))

    def append(self, name: str, lines: pa.Array) -> NDArray[np.int64]:
        """Write `lines` to the file `name` and return the number of each."""
        self.begin(name)
        first = self._count[name] + 1
        self._count[name] += len(lines)
        self._open[name].write(_encoded(lines, self._encoding[name]))
        return np.arange(first, first + len(lines))

    def place(
        self,
        name: str,
        rows: NDArray[np.int64],
        lines: NDArray[np.int64],
        parts: Any = 0,
    ) -> None:
        """Remember that the accesses `rows` stand at `lines` (and `parts`) of the file `name`."""
        self.progress(len(rows))
        file = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(rows), np.int32)), [name])
        ranks = pa.array(np.broadcast_to(np.asarray(parts, np.int32), len(rows)))
        columns = [pa.array(rows), file, pa.array(lines), ranks]
        self._places.append(pa.table(columns, schema=PLACES))

    def close(self) -> list[Path]:
        """Close what is open and return the files in the order in which they were begun."""
        for stream in self._open.values():
            stream.close()
        self._open.clear()
        return [self.folder / name for name in self._count]

    @property
    def line_count(self) -> int:
        """How many lines were written, headers and blank lines included."""
        return sum(self._count.values())

    def places(self) -> pa.Table:
        """Return where each access was written (PLACES)."""
        return pa.concat_tables([PLACES.empty_table(), *self._places]).unify_dictionaries()


class _Compressed(gzip.GzipFile):
    """A gzip file without name or time stamp, which closes the file below."""

    def __init__(self, path: Path) -> None:
        self._below = path.open("wb")
        super().__init__("", "wb", _COMPRESSION, self._below, mtime=0)

    def close(self) -> None:
        super().close()
        self._below.close()


def _created(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    return _Compressed(path) if path.suffix == ".gz" else path.open("wb")


def _encoded(lines: pa.Array, encoding: str) -> bytes:
    ended = pc.binary_join_element_wise(lines, "\n", "")
    _, offsets, data = ended.buffers()
    bounds = np.frombuffer(offsets, np.int32)[ended.offset : ended.offset + len(ended) + 1]
    text = bytes(memoryview(data)[bounds[0] : bounds[-1]]) if len(ended) else b""
    return text if encoding == "utf-8" else text.decode().encode(encoding, "replace")


@dataclass(frozen=True, slots=True)
class Day:
    """The accesses of one local day, or a part of it: their rows from `first` on."""

    name: str  # 2025-03-02
    week: str  # 2025-W09
    first: int
    accesses: pa.Table


def days(world: World) -> Iterator[Day]:
    """Cut the accesses at local midnight, and long days between two accesses."""
    local = pc.local_timestamp(world.accesses["at"].cast(TIME).cast(pa.timestamp("us", PARIS)))
    number = pc.floor_temporal(local, unit="day").cast(pa.timestamp("s")).to_numpy()
    changed = np.r_[number[:1] == number[:1], number[1:] != number[:-1]]
    starts = np.flatnonzero(changed)
    for start, end in zip(starts, [*starts[1:], len(number)], strict=True):
        date = number[start].astype("datetime64[D]").item()
        year, week, _ = date.isocalendar()
        for cut, until in _pieces(world.accesses["access"], int(start), int(end)):
            accesses = world.accesses.slice(cut, until - cut)
            yield Day(date.isoformat(), f"{year}-W{week:02d}", cut, accesses)


def _pieces(access: pa.ChunkedArray, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > _MOST_ROWS:
        cut = start + _MOST_ROWS
        near = access.slice(cut - 1, min(end - cut + 1, 10_000)).to_numpy()
        cut += int(np.argmax(near[1:] != near[:-1])) if len(near) > 1 else 0
        yield start, cut
        start = cut
    yield start, end


def local_text(at: NDArray[np.int64], pattern: str, unit: str = "s", zone: str = PARIS) -> pa.Array:
    """Write moments (µs UTC) as the local clock of `zone` reads them, truncated to `unit`.

    >>> local_text(np.array([0]), "%d/%m/%Y %H:%M:%S").to_pylist()
    ['01/01/1970 01:00:00']
    """
    ZoneInfo(zone)
    moments = pa.array(at).cast(TIME).cast(pa.timestamp(unit, zone), safe=False)
    return pc.strftime(moments, format=pattern)
