"""What is wrong with a row but kept: the column `flags`."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from vigie.events import TEXT
from vigie.readers.words import Words, relabelled


class Flags:
    """The flags of some rows, one bit each until they are written out.

    >>> flags = Flags(2)
    >>> flags.add("patient", Words(np.array([0, -1], np.int32), pa.array(["x"])), ["nir_key"])
    >>> flags.array().to_pylist()
    ['patient_nir_key', None]
    """

    def __init__(self, count: int) -> None:
        self._bits = np.zeros(count, np.int64)
        self._names: dict[str, int] = {}

    def add(self, column: str, words: Words, problems: Sequence[str | None]) -> None:
        """Flag the rows whose word has a problem."""
        if not any(problems):
            return
        names = [f"{column}_{problem}" if problem else "" for problem in problems]
        bits = [1 << self._names.setdefault(n, len(self._names)) if n else 0 for n in names]
        self._bits |= words.spread(np.array(bits, np.int64), 0)

    def array(self) -> pa.Array:
        """Return the column `flags`."""
        if not self._names:
            return pa.nulls(len(self._bits), TEXT)
        sets, places = np.unique(self._bits, return_inverse=True)
        texts = [" ".join(sorted(n for n, k in self._names.items() if s >> k & 1)) for s in sets]
        return relabelled(places.astype(np.int32), [text or None for text in texts]).array()
