"""Some records of a table as columns of cells, and the verdict on each record.

A record is accepted, ignored by a named rule, or quarantined with its reason: never anything else.
"""

from collections.abc import Mapping as Table
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.readers import moments
from vigie.readers.base import Context, Tally, quarantine_table
from vigie.readers.lines import BLANK, FAULTS
from vigie.readers.mapping import ANYTHING, IGNORE, Mapping
from vigie.readers.words import Words

HEADER: Final = 254
"""The fault of a line that names the columns: ignored."""
ACCEPTED: Final = 0
_REASONS: Final = ("accepted", *FAULTS[1:], "no_time", "bad_time", "no_action", "unknown_action")
_PLACE: Final = {reason: place for place, reason in enumerate(_REASONS)}
_ABOUT: Final = {
    "no_time": "at", "bad_time": "at", "no_action": "action", "unknown_action": "action",
    "bad_value": "patient",
}  # fmt: skip
_ACTION_CODES: Final = {action: code for code, action in enumerate(ACTIONS)}


@dataclass(frozen=True, slots=True)
class Cells:
    """Some records of a file as columns, each of the same length.

    `texts` holds a column per name of the mapping but `at`, and `<name>.authority` where the
    mapping gives an authority column. `moments` (µs) and `kinds` are those of `moments.parse`;
    `faults` those of `lines`, BLANK and HEADER included.
    """

    texts: Table[str, Words]
    moments: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    lines: NDArray[np.int64]
    offsets: NDArray[np.int64] | None
    hashes: pa.Array
    faults: NDArray[np.uint8]


class Judge:
    """Gives each record its verdict: 0, the place of a reason, or beyond them that of a rule."""

    def __init__(self, context: Context, mapping: Mapping, label: str) -> None:
        self._context, self._mapping, self._label = context, mapping, label
        self._rules: dict[str, int] = {}

    def verdicts(self, cells: Cells) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return each record's action (a place in ACTIONS) and its verdict."""
        actions, verdicts = self._actions(cells.texts["action"])
        timed = np.where(cells.kinds == moments.EMPTY, _PLACE["no_time"], _PLACE["bad_time"])
        untimed = (cells.kinds < moments.UTC) & (verdicts < len(_REASONS))
        verdicts = np.where(untimed, timed, verdicts)
        for fault in np.unique(cells.faults).tolist():
            if fault:
                rule = {BLANK: "blank", HEADER: "header"}.get(fault)
                code = self._rule(rule) if rule else _PLACE[FAULTS[fault]]
                verdicts = np.where(cells.faults == fault, code, verdicts)
        return actions, verdicts

    def account(self, cells: Cells, verdicts: NDArray[np.int64]) -> tuple[pa.Table, Tally]:
        """Return the quarantine table and the tally of judged records."""
        counts = np.bincount(verdicts, minlength=len(_REASONS) + len(self._rules)).tolist()
        ignored = {rule: counts[self._rule(rule)] for rule in self._rules}
        bad = np.flatnonzero((verdicts > ACCEPTED) & (verdicts < len(_REASONS)))
        tally = Tally(
            len(verdicts),
            counts[ACCEPTED],
            {rule: count for rule, count in ignored.items() if count},
            len(bad),
        )
        return self._quarantine(cells, verdicts, bad), tally

    def _rule(self, name: str) -> int:
        return len(_REASONS) + self._rules.setdefault(name, len(self._rules))

    def _actions(self, words: Words) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        table = self._mapping.values.get("action", {})
        default = table.get(ANYTHING)
        said = [
            table.get(word, word if word in _ACTION_CODES else default)
            for word in words.words.to_pylist()
        ]
        codes = np.array([_ACTION_CODES.get(action or "", -1) for action in said], np.int32)
        verdicts = np.array([self._verdict(action) for action in said], np.int64)
        silent = table.get("")
        without = _PLACE["no_action"] if silent is None else self._verdict(silent)
        code = _ACTION_CODES.get(silent or "", -1)
        return words.spread(codes, code), words.spread(verdicts, without)

    def _verdict(self, action: str | None) -> int:
        if action is None:
            return _PLACE["unknown_action"]
        return self._rule(action[len(IGNORE) :]) if action.startswith(IGNORE) else ACCEPTED

    def _quarantine(
        self, cells: Cells, verdicts: NDArray[np.int64], bad: NDArray[np.int64]
    ) -> pa.Table:
        reasons = [_REASONS[verdict] for verdict in verdicts[bad].tolist()]
        offsets = [None] * len(bad) if cells.offsets is None else cells.offsets[bad].tolist()
        rows = zip(
            cells.lines[bad].tolist(),
            offsets,
            cells.hashes.take(pa.array(bad)).to_pylist(),
            reasons,
            [self._column(reason) for reason in reasons],
            strict=True,
        )
        return quarantine_table(self._context, self._label, list(rows))

    def _column(self, reason: str) -> str | None:
        """Name the column, theirs if it has one, that a reason is about."""
        name = _ABOUT.get(reason)
        return (self._mapping.columns[name].column or name) if name else None
