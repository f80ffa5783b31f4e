"""Late, twice told, spread over moments: what the front makes of rows."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.events import KEY, TIME
from vigie.front import END, Front, Reader
from vigie.testing.detectors import keys, text
from vigie.units import find_units

SECOND = 1_000_000


def log(rows):
    """Rows of (account, seconds, patient, access, kind)."""
    accounts, seconds, patients, accesses, kinds = zip(*rows, strict=True)
    return pa.table(
        {
            "event_id": keys(np.arange(len(rows)), 1),
            "access_id": keys(np.array(accesses), 2),
            "at": pa.array([int(s * SECOND) for s in seconds]).cast(TIME),
            "account": text(list(accounts)),
            "actor_kind": text(list(kinds)),
            "action": text(["open"] * len(rows)),
            "patient": pa.array(keys(np.array(patients), 3), KEY),
        }
    )


def counted(rows, watermark=END):
    """The rows that a front gives out, in its order."""
    reader = Reader()
    front = Front(reader.words)
    return front.feed(reader.read(log(rows)), watermark)["row"].tolist()


def test_of_an_access_told_twice_the_persons_row_counts() -> None:
    rows = [("machine", 10, 1, 7, "service"), ("anna", 11, 1, 7, "person")]
    assert counted(rows) == [1]


def test_a_persons_row_that_comes_much_later_does_not_take_the_place() -> None:
    rows = [("machine", 10, 1, 7, "service"), ("anna", 15, 1, 7, "person")]
    assert counted(rows) == [0]


def test_two_accesses_to_one_patient_are_two() -> None:
    assert counted([("anna", 10, 1, 7, "person"), ("anna", 11, 1, 8, "person")]) == [0, 1]


def test_the_rows_of_one_request_share_its_moment() -> None:
    rows = [("anna", 10 + n / 10, n, 7, "person") for n in range(3)]
    rows.insert(1, ("anna", 10.05, 9, 8, "person"))
    units = find_units(log(rows))
    assert units.row.tolist() == [0, 2, 3, 1]
    assert units.page.tolist() == [3, 3, 3, 0]


def test_nothing_comes_out_before_it_is_complete() -> None:
    rows = [("anna", 10, 1, 7, "person"), ("anna", 20, 2, 8, "person")]
    assert counted(rows, 13 * SECOND) == []
    assert counted(rows, 15 * SECOND) == [0]


@pytest.mark.parametrize("names", [("zoe", "anna"), ("anna", "zoe")])
def test_of_one_moment_the_order_is_that_of_the_accounts(names) -> None:
    rows = [(name, 10, n, n, "person") for n, name in enumerate(names)]
    assert [names[row] for row in counted(rows)] == ["anna", "zoe"]


def test_a_late_row_is_counted_and_taken_in_where_the_watermark_stands() -> None:
    reader = Reader()
    front = Front(reader.words)
    front.feed(reader.read(log([("anna", 100, 1, 7, "person")])), 100 * SECOND)
    late = front.feed(reader.read(log([("anna", 50, 2, 8, "person")])), 200 * SECOND)
    assert front.late == 1
    assert late["moment"].tolist() == [100 * SECOND, 100 * SECOND]
