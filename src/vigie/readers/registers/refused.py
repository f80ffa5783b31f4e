"""What a table of the operator holds that cannot be used: row, column and reason, never the value.

Rows left out by a written rule are counted apart: nothing is wrong with them.
"""

import csv
from collections import Counter
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from vigie.language import N_

REASONS: Final = {
    "columns": N_("the row has not as many cells as the header"),
    "no_identifier": N_("the row names nobody"),
    "no_person": N_("the person whose identifiers these are is missing"),
    "no_account": N_("the account is missing"),
    "bad_identifier": N_("the identifier is not one of its kind"),
    "no_authority": N_("nobody knows who gave this identifier"),
    "unknown_change": N_("the kind of change is not among [changes]"),
    "unknown_role": N_("the role is not among [roles]"),
    "no_controller": N_("the controller is missing"),
    "bad_time": N_("the date cannot be read"),
    "no_time": N_("a merge or its undoing needs its date"),
    "bad_period": N_("the end comes before the beginning"),
}
RULES: Final = {
    "test": N_("an identifier of test or demonstration is nobody's"),
    "alone": N_("one identifier alone links nobody"),
    "nir_alone": N_("a social-security number alone links nobody"),
}


class Refused:
    """Counts rows that are refused, with the first of each kind; writes them to `path` if any."""

    def __init__(self, path: Path | None = None) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.first: dict[tuple[str, str], int] = {}
        self.rules: Counter[str] = Counter()
        self._path = path
        self._file: IO[str] | None = None
        self._writer: Any = None
        self.label = ""

    def __enter__(self) -> "Refused":
        if self._path:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(("file", "row", "column", "reason"))
        return self

    def __exit__(self, *error: object) -> None:
        if self._file:
            self._file.close()

    def add(self, rows: NDArray[np.int64], reason: str, column: str = "") -> None:
        """Refuse some rows."""
        if not len(rows):
            return
        self.counts[reason, column] += len(rows)
        self.first.setdefault((reason, column), int(rows[0]))
        if self._writer:
            self._writer.writerows((self.label, int(row), column, reason) for row in rows)

    def wide(self, row: int) -> None:
        """Refuse a row that has not as many cells as the header."""
        self.add(np.array([row]), "columns")

    @property
    def total(self) -> int:
        """How many were refused; a row with two bad identifiers counts twice."""
        return sum(self.counts.values())
