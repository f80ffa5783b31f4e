import numpy as np
import pyarrow as pa

from vigie.detectors import DETECTORS
from vigie.testing.detectors import partition_of, small_log, text

ROWS = partition_of(small_log()).units.row[:300].tolist()
"""Rows of the first accounts that are units, in order of time within an account."""


def ratios(sizes: dict[int, int], alone: str = "doctor") -> dict[int, float]:
    """Return the log ratios of a small log in which these rows returned so many records.

    `alone` is the profession of the first account.
    """
    events = small_log()
    professions = [
        alone if name == "account-0" else "doctor" for name in events["account"].to_pylist()
    ]
    place = events.schema.get_field_index("profession")
    events = events.set_column(place, "profession", text(professions))
    count = events.column("record_count").to_numpy().copy()
    for row, size in sizes.items():
        count[row] = size
    place = events.schema.get_field_index("record_count")
    partition = partition_of(events.set_column(place, "record_count", pa.array(count)))
    said = dict(
        zip(partition.units.row.tolist(), DETECTORS["bulk"].ratios(partition)[:, 0], strict=True)
    )
    return {row: float(said[row]) for row in sizes}


def test_the_larger_the_request_the_stronger_the_evidence():
    huge, large, small = ROWS[-3:]
    said = ratios({huge: 100_000, large: 2000, small: 40})
    assert said[huge] > said[large] > said[small]


def test_who_exports_every_day_is_judged_by_it():
    last = ROWS[200]
    often = dict.fromkeys(ROWS[:200:9], 200)
    assert ratios(often | {last: 3000})[last] < ratios({last: 3000})[last]


def test_a_size_that_is_this_account_s_own_surprises_less_than_one_that_is_not():
    last = ROWS[200]
    large = dict.fromkeys(ROWS[:200:9], 3000) | {last: 3000}
    small = dict.fromkeys(ROWS[:200:9], 40) | {last: 3000}
    assert ratios(large)[last] < ratios(small)[last] - 1


def test_a_small_request_speaks_against_a_harvest():
    said = ratios(dict.fromkeys(ROWS[:2], 20))
    assert (np.array(list(said.values())) < 0).all()


def test_a_long_list_speaks_where_nobody_makes_any_and_not_where_it_is_work():
    """Below the middle of all large requests, it is usual for whoever makes such requests."""
    large = dict.fromkeys(partition_of(small_log()).units.row[400::7].tolist(), 3000)
    last = ROWS[200]
    seldom = ratios(large | {last: 200}, alone="pharmacist")[last]
    often = ratios(large | dict.fromkeys(ROWS[:200:9], 300) | {last: 200}, "pharmacist")[last]
    assert seldom > 2
    assert often < 0
