"""What a log shows of itself as it goes by: what it leaves out, who speaks when, whose clock.

Nothing is judged here: `findings` holds what was seen against the operator's limits.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.timeline.front import DAY, TEXTS
from vigie.timeline.numbering import Words, stand_for
from vigie.timeline.rows import Columns
from vigie.trust.holes import Hole, Silence, Spoken, holes_of
from vigie.trust.sharing import Shared, Sharing
from vigie.trust.skew import Clocks, Skew

FEW_HOURS: Final = 2
"""Times of day in a log that knows none: midnight, in summer and in winter."""
_OPEN: Final = ACTIONS.index("open")
_EARLIEST: Final = 10_957 * DAY
"""The year 2000: before it no platform wrote such logs."""


class Inspector:
    """Counts what findings tell of a log; `words` are those that the codes of the rows point to."""

    def __init__(self, words: dict[str, Words]) -> None:
        self.words = words
        self.rows = self.unnamed = self.opened = self.opened_nobody = 0
        self.filled: set[str] = set()
        self.hours: set[int] = set()
        """Times of day that were seen, the first few."""
        self.names = Words()
        self.sources: list[Spoken] = []
        self.now = time.time_ns() // 1000
        self.misdated: dict[str, tuple[int, int]] = {}
        """By source, how many accesses cannot be of their day, and one such time (µs)."""
        self._sharing, self._clocks = Sharing(), Clocks()

    def see(self, events: pa.Table, rows: Columns) -> None:
        """Look at a table, and at all its rows as `front.Reader` decodes them."""
        if not events.num_rows:
            return
        account, opened = rows["account"], rows["action"] == _OPEN
        self.rows += events.num_rows
        self.unnamed += int((account < 0).sum())
        self.opened += int(opened.sum())
        self.opened_nobody += int((opened & (rows["person"] == 0)).sum())
        if len(self.hours) <= FEW_HOURS:
            self.hours.update(np.unique(rows["at"] % DAY)[: FEW_HOURS + 1].tolist())
        for name in set(TEXTS).intersection(events.column_names) - self.filled:
            if events.column(name).null_count < events.num_rows:
                self.filled.add(name)
        service = stand_for("service", rows["actor_kind"], self.words["actor_kind"].words)
        places = {name: rows[name] for name in ("device", "network")}
        self._sharing.see(rows["at"], account, service, places)
        if "source" in events.column_names:
            self._see_sources(self.names.codes(events.column("source")), rows)

    def _see_sources(self, source: NDArray[np.int32], rows: Columns) -> None:
        self.sources += [Spoken() for _ in range(len(self.names) - len(self.sources))]
        at, spoken = rows["at"], np.bincount(source + 1, minlength=len(self.names) + 1)[1:]
        for code in np.flatnonzero(spoken).tolist():
            mine = at if spoken[code] == len(at) else at[source == code]
            self.sources[code].see(np.sort(mine))
            self._doubt(self.names.words[code], mine)
        self._clocks.see(source, at, rows["account"], rows["person"])

    def _doubt(self, name: str, at: NDArray[np.int64]) -> None:
        """Count the accesses that would be of before such logs were, or of after tomorrow."""
        wrong = at[(at < _EARLIEST) | (at > self.now + DAY)]
        if len(wrong):
            count, one = self.misdated.get(name, (0, int(wrong[0])))
            self.misdated[name] = count + len(wrong), one

    def silences(self) -> Iterator[tuple[str, Silence]]:
        """Yield the longest silence of each source beside others, by name."""
        for code, name in self._by_name():
            mine, others = self.sources[code], [s for s in self.sources if s.last]
            others = [one for one in others if one is not mine]
            if not others:
                continue
            first, last = min(one.first for one in others), max(one.last for one in others)
            gaps = (first, mine.first), mine.gap, (mine.last, last)
            start, end = max(gaps, key=lambda gap: gap[1] - gap[0])
            spoken = set[int]().union(*(one.spoken(start, end) for one in others))
            yield name, Silence(start, end, len(spoken))

    def holes(self) -> Iterator[tuple[str, list[Hole]]]:
        """Yield the holes of each source, by name: its first day and the log's last are cut."""
        until = max((one.last for one in self.sources), default=0) // DAY - 1
        for code, name in self._by_name():
            since = self.sources[code].first // DAY + 1
            yield name, list(holes_of(self.sources[code].counts(since, until), since))

    def _by_name(self) -> list[tuple[int, str]]:
        return sorted(enumerate(self.names.words), key=lambda pair: pair[1])

    def skews(self, within: int) -> Iterator[tuple[str, str, Skew]]:
        """Yield the sources whose clocks differ by more than `within` (µs)."""
        if len(self.names) > 1:
            for skew in self._clocks.skews(within):
                yield self.names.words[skew.first], self.names.words[skew.second], skew

    def shared(self, names: Sequence[str]) -> Iterator[Shared]:
        """Yield the accounts that several people use at once."""
        return self._sharing.found(names)
