"""Small logs in which a thief opens anybody's records, one after the other."""

import numpy as np
import pyarrow as pa

from vigie.events import TIME
from vigie.testing.detectors import keys, small_log, text
from vigie.timeline.units import DAY


def with_theft(
    accounts: int = 60, days: int = 24, thief: str = "account-7", patients: int = 90,
    seconds: int = 60,
) -> pa.Table:  # fmt: skip
    """Return a quiet log in which one account, on day 18, is a thief's."""
    events = small_log(days=days, accounts=accounts, size=15, strangers=0.01)
    theft = theft_in(events, thief, 18, patients=patients, seconds=seconds)
    return pa.concat_tables([events, theft]).unify_dictionaries()


def theft_in(
    events: pa.Table, thief: str, day: int, *, hour: int = 10, patients: int = 90,
    seconds: int = 60, file: str = "stolen.csv", apart: int = 1, seed: int = 0,
) -> pa.Table:  # fmt: skip
    """Return the rows of a theft on a day of a log, `apart` lines from each other in their file."""
    start = events.column("at").cast(pa.int64()).to_numpy().min() // DAY * DAY
    rows = np.arange(patients)
    anybody = np.random.default_rng(seed).choice(len(events), patients, replace=False)
    at = start + day * DAY + hour * DAY // 24 + rows * seconds * 1_000_000
    columns = {
        "event_id": keys(rows + 1000 * seed, 11),
        "access_id": keys(rows + 1000 * seed, 12),
        "source": text(["log"] * patients),
        "source_file": text([file] * patients),
        "source_line": pa.array(rows * apart + 1),
        "at": pa.array(at).cast(TIME),
        "account": text([thief] * patients),
        "profession": text(["doctor"] * patients),
        "organisation": text(["site-1"] * patients),
        "network": text(["10.0.0.7"] * patients),
        "area": text(["13"] * patients),
        "action": text(["open"] * patients),
        "record_count": pa.nulls(patients, pa.int64()),
        "id_gap": pa.array(np.full(patients, 1001, np.int32)),
        "name_gap": pa.array(np.full(patients, 0.05, np.float32)),
        "patient": events["patient"].take(anybody),
    }
    return pa.table(columns).cast(events.schema)
