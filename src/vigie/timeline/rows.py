"""Rows of a log: columns of one length, each put in order only when somebody looks at it.

A day comes by account, is gone through by time, and is judged by account again. To move every
column each time costs more than what is done with them; here only the places are moved, and in the
end a column is read nearly in the order in which it lies in memory.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]
"""Columns of one length; one that says the same everywhere has no stride."""
Places = NDArray[np.int64]


class Rows:
    """Some rows of columns, in some order: row `i` lies at `places[i]`; None stands for all.

    `own` are columns that are in this order already.

    >>> rows = Rows({"at": np.array([3, 1, 2])}).take(np.array([1, 2, 0]))
    >>> rows["at"].tolist(), rows[1:]["at"].tolist()
    ([1, 2, 3], [2, 3])
    """

    def __init__(
        self, columns: Columns, places: Places | None = None, own: Columns | None = None
    ) -> None:
        self.columns = columns
        self.places = places
        self.own = own or {}
        self._moved: Columns = {}

    def __len__(self) -> int:
        """Return how many rows there are."""
        if self.places is not None:
            return len(self.places)
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, wanted: Any) -> Any:
        """Return a column by name, or the rows of a slice."""
        if isinstance(wanted, slice):
            return self._cut(wanted)
        if wanted in self.own:
            return self.own[wanted]
        if wanted not in self._moved:
            self._moved[wanted] = moved(self.columns[wanted], self.places)
        return self._moved[wanted]

    def _cut(self, part: slice) -> "Rows":
        own = {name: values[part] for name, values in self.own.items()}
        if self.places is None:
            return Rows({name: values[part] for name, values in self.columns.items()}, None, own)
        found = Rows(self.columns, self.places[part], own)
        found._moved = {name: values[part] for name, values in self._moved.items()}
        return found

    def take(self, index: Places) -> "Rows":
        """Return some of the rows, in the order of `index`."""
        places = index if self.places is None else self.places[index]
        return Rows(self.columns, places, {n: moved(v, index) for n, v in self.own.items()})


def moved(values: NDArray[Any], places: Places | None) -> NDArray[Any]:
    """Return the values at some places."""
    if places is None:
        return values
    if _constant(values):
        return np.broadcast_to(values[:1].reshape(()), len(places))
    return values.take(places)


def take(columns: Columns, places: Places) -> Columns:
    """Return some rows of columns, moved."""
    return {name: moved(values, places) for name, values in columns.items()}


def join(first: Columns, second: Columns) -> Columns:
    """Return the rows of both, in this order."""
    if not first or not len(first["at"]):
        return second
    if not len(second["at"]):
        return first
    return {name: _joined(first[name], second[name]) for name in first}


def _joined(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    if _constant(first) and _constant(second) and first[0] == second[0]:
        return np.broadcast_to(first[:1].reshape(()), len(first) + len(second))
    return np.concatenate([first, second])


def _constant(values: NDArray[Any]) -> bool:
    return values.strides == (0,) and len(values) > 0
