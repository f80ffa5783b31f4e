"""Late, twice told, spread over moments: what the front makes of rows."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.events import KEY, TIME
from vigie.testing.detectors import keys, text
from vigie.timeline.front import END, Front, Reader
from vigie.timeline.sorting import order_of_time
from vigie.timeline.units import find_units

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


@pytest.mark.parametrize("order", ["in order", "backwards", "shuffled"])
def test_a_crowd_of_one_moment_comes_in_the_order_of_its_accounts(order) -> None:
    numbers = np.arange(400)
    if order != "in order":
        numbers = (
            numbers[::-1] if order == "backwards" else np.random.default_rng(1).permutation(400)
        )
    rows = [(f"account {n:03d}", 10 + n % 2, n, n, "person") for n in numbers.tolist()]
    found = [rows[row] for row in counted(rows)]
    assert found == sorted(found, key=lambda row: (row[1], row[0]))


def test_what_is_held_over_comes_out_as_if_it_had_come_at_once() -> None:
    rows = [(f"account {n % 5}", 10 + n / 3, n % 7, n, "person") for n in range(60)]
    whole = counted(rows)
    reader = Reader()
    front = Front(reader.words)
    parts = [log(rows).slice(start, 12) for start in range(0, 60, 12)]
    given = [
        front.feed(reader.read(one), int((10 + 4 * n) * SECOND)) for n, one in enumerate(parts)
    ]
    moments = np.concatenate([one["moment"] for one in (*given, front.flush())])
    assert (np.diff(moments) >= 0).all()
    assert len(moments) == len(whole)


@pytest.mark.parametrize("years", [1, 9, 14, 200])
def test_times_that_are_decades_apart_are_put_in_order(years) -> None:
    at = np.random.default_rng(0).integers(0, years * 31_556_952 * SECOND, 20_000)
    assert (order_of_time(at) == np.argsort(at, kind="stable")).all()
