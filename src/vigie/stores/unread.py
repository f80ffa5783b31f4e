"""Quarantined lines on their way to the store: nothing lost, and nothing twice either."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from vigie.events import constant
from vigie.readers.base import QUARANTINE_SCHEMA
from vigie.stores.identity import Words, counts_among, ranks, words_of
from vigie.stores.layout import telling
from vigie.stores.segments import STORED_QUARANTINE, Segment, read_segments, write_segment
from vigie.stores.settling import Origin

_AT_ONCE: Final = 1 << 21
"""Lines told apart at once; beyond, they are taken by shares of their hashes."""


class UnreadLines:
    """The quarantine of one import, spilled to disk as it comes."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "quarantine.arrows"
        self._writer: Any = None
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        """Take quarantined lines as a reader gives them."""
        if not table.num_rows:
            return
        with telling(self._path):
            if self._writer is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._writer = pa.ipc.new_stream(str(self._path), QUARANTINE_SCHEMA)
            self._writer.write_table(table)
        self.rows += table.num_rows

    def settle(
        self, origin: Origin, day: str, stored: list[str], names: Iterator[str]
    ) -> list[Segment]:
        """Write the lines that the segments `stored` do not hold, alike ones by their number."""
        if self._writer is None:
            return []
        self._writer.close()
        shares = -(-self.rows // _AT_ONCE)
        fresh = (self._fresh(origin, stored, share, shares) for share in range(shares))
        return [
            write_segment(
                origin.home, "quarantine", origin.source, day, next(names), table, origin.file
            )
            for table in fresh
            if table.num_rows
        ]

    def _fresh(self, origin: Origin, stored: list[str], share: int, shares: int) -> pa.Table:
        lines = self._share(share, shares)
        words = words_of(lines.column("line_hash"))
        known = words_of(read_segments(origin.home, stored, "quarantine", ["line_hash"]).column(0))
        known = known[_of_share(known, share, shares)]
        none, others = np.zeros(len(words), np.int32), np.zeros(len(known), np.int32)
        fresh = lines.filter(
            pa.array(ranks(words, none) >= counts_among(words, none, known, others))
        )
        file = pa.repeat(pa.scalar(origin.file, pa.int32()), fresh.num_rows)
        label = constant(origin.label, fresh.num_rows)
        place = fresh.column_names.index("source_file")
        named = fresh.set_column(place, fresh.schema.field("source_file"), label)
        return named.append_column(STORED_QUARANTINE.field("file"), file)

    def _share(self, share: int, shares: int) -> pa.Table:
        with pa.OSFile(str(self._path)) as file, pa.ipc.open_stream(file) as stream:
            tables = [
                table.filter(
                    pa.array(_of_share(words_of(table.column("line_hash")), share, shares))
                )
                for table in (pa.table(batch) for batch in stream)
            ]
        return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _of_share(words: Words, share: int, shares: int) -> Any:
    return words[:, 0] % np.uint64(shares) == share
