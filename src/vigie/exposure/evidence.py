"""What detection said of an account's single events, as the separation takes it."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.detection import Detection
from vigie.detectors.hindsight import Seen
from vigie.exposure.engine import EVIDENCE

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


def evidence_of(
    found: Detection, events: pa.Table | Callable[[Times, list[str]], pa.Table],
    accounts: tuple[str, ...],
) -> pa.Table:  # fmt: skip
    """Return EVIDENCE for some accounts; `events` is the table that was detected on.

    Or what returns columns of some of its rows. The ratio is that of the harvest that explains the
    look-up best, whichever it is: a thief does not say what he is after.
    """
    names = found.stream.reader.words["account"].words
    wanted = {code for code, name in enumerate(names) if name in accounts}
    kept = [_best(seen) for seen in found.stream.kept.of(wanted)]
    row = np.concatenate([np.empty(0, np.int64), *(one for one, _ in kept)])
    best = np.concatenate([np.empty(0), *(ratios for _, ratios in kept)])
    columns = ["event_id", "account", "source_file", "source_line"]
    if isinstance(events, pa.Table):
        rows = events.select(columns).take(pa.array(row))
    else:
        rows = events(row, columns)
    return pa.table(
        [
            rows.column("event_id"),
            pa.array(best, mask=~np.isfinite(best)),
            pa.array(_cited(found, rows, accounts)),
        ],
        schema=EVIDENCE,
    )


def _best(seen: Seen) -> tuple[Times, Floats]:
    """Return the rows of a batch's units, and the best ratio of each."""
    ratios = np.where(np.isnan(seen.ratios), -np.inf, seen.ratios)
    return seen.partition.units.row, ratios.max(axis=1, initial=-np.inf)


def _cited(found: Detection, rows: pa.Table, accounts: tuple[str, ...]) -> list[bool]:
    cited = {
        (account, line)
        for alert in found.alerts
        for account in alert.accounts
        if account in accounts
        for line in alert.lines
    }
    lines = pc.binary_join_element_wise(
        rows.column("source_file").cast(pa.string()),
        rows.column("source_line").cast(pa.string()),
        ":",
    )
    pairs = zip(rows.column("account").to_pylist(), lines.to_pylist(), strict=True)
    return [pair in cited for pair in pairs]
