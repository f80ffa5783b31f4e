"""When most of a peer group meets strangers it is the group that changes, not one account."""

import numpy as np
import pyarrow as pa

from vigie.stream import Stream
from vigie.testing.detectors import small_log
from vigie.timeline.units import DAY
from vigie.usual.drifts import Drifts

LAST = 11


def changed(names: list[str]) -> pa.Table:
    """The small log, in which half of what these accounts open on the last day is new to all."""
    events = small_log(days=LAST + 1, accounts=12, size=20, strangers=0.01)
    at = events["at"].cast(pa.int64()).to_numpy()
    there = np.isin(events["account"].to_numpy(), names) & (at // DAY - at.min() // DAY == LAST)
    keys = [
        bytes([77]) + number.to_bytes(15, "big") if new and number % 2 else key
        for number, (key, new) in enumerate(zip(events["patient"].to_pylist(), there, strict=True))
    ]
    place = events.schema.get_field_index("patient")
    return events.set_column(place, "patient", pa.array(keys, events.schema.field(place).type))


def shares(events: pa.Table) -> dict[str, float]:
    """Return the highest share on the last day, by account."""
    stream, found = Stream(keep=True), {}
    stream.feed(events)
    stream.finish()
    drifts = Drifts()
    for partition in (seen.partition for seen in stream.kept):
        units, marks = partition.units, partition.scene.marks
        relation = np.maximum(marks["relation"], marks["page"])
        share = drifts.follow(units, relation, partition.usual.group)
        for code in np.unique(units.account):
            found[units.accounts[code]] = float(share[units.account == code].max())
    return found


def test_a_group_that_works_as_ever_does_not_drift() -> None:
    assert set(shares(changed([])).values()) == {0.0}


def test_what_two_accounts_do_is_no_drift_of_twelve() -> None:
    assert set(shares(changed(["account-1", "account-2"])).values()) == {0.0}


def test_what_most_of_a_group_does_is_one() -> None:
    share = shares(changed([f"account-{number}" for number in range(8)]))
    assert min(share[f"account-{number}"] for number in range(8)) > 0.1
