"""What detection said of an account's single events, as the separation takes it."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.detection import Detection
from vigie.exposure.engine import EVIDENCE
from vigie.stream import Seen

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


def evidence_of(found: Detection, events: pa.Table, accounts: tuple[str, ...]) -> pa.Table:
    """Return EVIDENCE for some accounts; `events` is the table that was detected on.

    The ratio is that of the harvest that explains the look-up best, whichever it is: a thief does
    not say what he is after.
    """
    kept = [_of_accounts(seen, accounts) for seen in found.stream.kept]
    row = np.concatenate([np.empty(0, np.int64), *(one for one, _ in kept)])
    best = np.concatenate([np.empty(0), *(ratios for _, ratios in kept)])
    rows = events.take(pa.array(row)).select(["event_id", "account", "source_file", "source_line"])
    return pa.table(
        [
            rows.column("event_id"),
            pa.array(best, mask=~np.isfinite(best)),
            pa.array(_cited(found, rows, accounts)),
        ],
        schema=EVIDENCE,
    )


def _of_accounts(seen: Seen, accounts: tuple[str, ...]) -> tuple[Times, Floats]:
    """Return the rows of the units of some accounts in one batch, and the best ratio of each."""
    units = seen.partition.units
    wanted = [n for n, name in enumerate(units.accounts) if name in accounts]
    mine = np.flatnonzero(np.isin(units.account, wanted))
    ratios = np.where(np.isnan(seen.ratios[mine]), -np.inf, seen.ratios[mine])
    return units.row[mine], ratios.max(axis=1, initial=-np.inf)


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
