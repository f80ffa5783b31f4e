"""What the detectors saw, kept for whoever asks later: in memory, or in a file without a name.

An alert is explained by all that its accounts opened, and which accounts these are is known only
at the end. So the columns that an explanation needs are put away as the log goes by, batch by
batch, and only the batches' places are kept in memory; what is asked for is read back, one
account's or everybody's. The file lies in the store's own directory, has no name, and is gone with
the process.
"""

import os
import tempfile
import weakref
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from vigie.context.marks import Scene
from vigie.detectors.base import Partition, Ratios
from vigie.stores.layout import telling
from vigie.timeline.units import Units
from vigie.usual.honest import Honest
from vigie.usual.profiles import Usual

_ARRAYS: Final = ("row", "order", "account", "at", "day", "step", "patient")
_GROUPS: Final = {
    "text": ("organisation", "unit", "device", "network", "actor_kind"),
    "number": ("record_count",),
    "place": ("source_file", "source_line"),
}
"""The columns of units that are put away; the others read as nothing afterwards."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A batch as the detectors saw it, with their answers."""

    partition: Partition
    ratios: Ratios

    def of(self, accounts: Collection[int]) -> "Seen":
        """Return the units of some accounts only."""
        units, part = self.partition.units, self.partition
        mine = np.flatnonzero(np.isin(units.account, list(accounts)))
        honest = Honest(*(getattr(part.honest, one.name)[mine] for one in fields(Honest)))
        scene = Scene({n: v[mine] for n, v in part.scene.marks.items()}, part.scene.swept[mine])
        usual = replace(part.usual, log={n: v[mine] for n, v in part.usual.log.items()})
        return Seen(Partition(_some(units, mine), scene, usual, honest), self.ratios[mine])


def _some(units: Units, chosen: NDArray[np.int64]) -> Units:
    """Return some of the units."""
    place = np.full(len(units), -1, np.int64)
    place[chosen] = np.arange(len(chosen))
    order = place[units.order]
    found: dict[str, Any] = {"order": order[order >= 0]}
    for name in (field.name for field in fields(Units)):
        value = getattr(units, name)
        if isinstance(value, np.ndarray) and name != "order":
            found[name] = value[chosen]
        elif name in ("text", "number", "place"):
            found[name] = {key: column[chosen] for key, column in value.items()}
    return replace(units, **found)


class Keeping(Protocol):
    """Where a stream puts what the detectors saw."""

    def append(self, seen: Seen, /) -> None:
        """Put a batch away."""

    def __iter__(self) -> Iterator[Seen]:
        """Yield the batches in order."""

    def of(self, accounts: Collection[int]) -> Iterator[Seen]:
        """Yield the batches in order, the units of some accounts only."""


class Memory(list[Seen]):
    """The batches in memory, whole."""

    def of(self, accounts: Collection[int]) -> Iterator[Seen]:
        """Yield the batches in order, the units of some accounts only."""
        return (seen.of(accounts) for seen in self)


class Hindsight:
    """The batches in a file, each read back as it is asked for.

    `folder` is where it lies, by default where the system keeps what is large and passes.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.gettempdir())
        with telling(self._folder):
            self._file = tempfile.TemporaryFile(dir=folder, prefix=".hindsight-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._end = 0
        self._batches: list[_Batch] = []
        self._usual = Usual({}, np.empty(0, np.int32), [])

    def append(self, seen: Seen) -> None:
        """Write the columns of a batch that an explanation needs."""
        part, columns = seen.partition, _columns(seen)
        with telling(self._folder):
            placed = {name: self._put(column) for name, column in columns.items()}
        bare = replace(part.units, **_bare(part.units))
        self._batches.append(_Batch(bare, len(part.units), placed, seen.ratios.shape[1]))
        self._usual = replace(part.usual, log={})

    def _flush(self) -> None:
        with telling(self._folder):
            self._file.flush()

    def _put(self, column: NDArray[Any]) -> "_Place":
        """Write a column, or keep its one value."""
        if not len(column) or _one_value(column):
            return _Place(-1, column.dtype, column[:1].copy())
        place = _Place(self._end, column.dtype, column[:0])
        self._end += self._file.write(np.ascontiguousarray(column).data)
        return place

    def __iter__(self) -> Iterator[Seen]:
        """Yield the batches in order; what was not put away reads as nothing."""
        self._flush()
        for batch in self._batches:
            yield self._made(batch, slice(0, batch.count))

    def of(self, accounts: Collection[int]) -> Iterator[Seen]:
        """Yield the batches in order, the units of some accounts only."""
        self._flush()
        for batch in self._batches:
            whose = self._get(batch.placed["account"], slice(0, batch.count))
            mine = np.flatnonzero(np.isin(whose, list(accounts)))
            if len(mine):
                near = slice(int(mine[0]), int(mine[-1]) + 1)
                yield self._made(batch, near).of(accounts)

    def _made(self, batch: "_Batch", rows: slice) -> Seen:
        count = rows.stop - rows.start
        column = {name: self._get(place, rows) for name, place in batch.placed.items()}
        if count < batch.count:
            rank = np.empty(batch.count, np.int64)
            rank[self._get(batch.placed["order"], slice(0, batch.count))] = np.arange(batch.count)
            column["order"] = np.argsort(rank[rows], kind="stable")
        ratios = np.full((count, batch.hypotheses), np.nan)
        for h in range(batch.hypotheses):
            if f"ratio {h}" in column:
                ratios[:, h] = column[f"ratio {h}"]
        nothing = np.broadcast_to(np.float64(0.0), count)
        honest = Honest(nothing, column["reason"], nothing)
        return Seen(
            Partition(_filled(batch.bare, column, count), Scene({}, nothing), self._usual, honest),
            ratios,
        )

    def _get(self, place: "_Place", rows: slice) -> NDArray[Any]:
        count = rows.stop - rows.start
        if place.begin < 0:
            return np.broadcast_to(place.value[0], count) if count else place.value[:0]
        at = place.begin + rows.start * place.kind.itemsize
        data = os.pread(self._file.fileno(), count * place.kind.itemsize, at)
        return np.frombuffer(data, place.kind)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a column begins in the file; -1 for one that says `value` throughout."""

    begin: int
    kind: np.dtype[Any]
    value: NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is kept of a batch in memory: its units without their columns, where these are."""

    bare: Units
    count: int
    placed: dict[str, _Place]
    hypotheses: int


def _one_value(column: NDArray[Any]) -> bool:
    if column.dtype.kind == "f" and np.isnan(column[0]):
        return bool(np.isnan(column).all())
    return bool(column[-1] == column[0] and (column == column[0]).all())


def _columns(seen: Seen) -> dict[str, NDArray[Any]]:
    units, columns = seen.partition.units, {}
    for name in _ARRAYS:
        columns[name] = getattr(units, name)
    for group, names in _GROUPS.items():
        columns |= {name: getattr(units, group)[name] for name in names}
    columns["order"] = columns["order"].astype(np.int32)
    columns["reason"] = seen.partition.honest.reason
    for h in range(seen.ratios.shape[1]):
        if not np.isnan(seen.ratios[:, h]).all():
            columns[f"ratio {h}"] = seen.ratios[:, h]
    return columns


def _bare(units: Units) -> dict[str, Any]:
    """Return empty columns; a type of each is kept, to be filled with nothing again."""
    empty: dict[str, Any] = {
        one.name: getattr(units, one.name)[:0].copy()
        for one in fields(Units)
        if isinstance(getattr(units, one.name), np.ndarray)
    }
    for group in ("text", "number", "place"):
        empty[group] = {name: v[:0].copy() for name, v in getattr(units, group).items()}
    return empty


def _filled(bare: Units, column: dict[str, NDArray[Any]], count: int) -> Units:
    """Return units with the columns that were put away, and nothing in the others."""

    def whole(name: str, empty: NDArray[Any]) -> NDArray[Any]:
        kept = column.get(name)
        return np.broadcast_to(np.zeros(1, empty.dtype), count) if kept is None else kept

    found: dict[str, Any] = {
        one.name: whole(one.name, getattr(bare, one.name))
        for one in fields(Units)
        if isinstance(getattr(bare, one.name), np.ndarray)
    }
    for group in ("text", "number", "place"):
        found[group] = {name: whole(name, v) for name, v in getattr(bare, group).items()}
    return replace(bare, **found)
