import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.events import KEY, TIME
from vigie.testing.detectors import keys, small_log, text
from vigie.timeline.units import DAY, find_units

HOUR = DAY // 24


def log(rows):
    """Rows of (account, hours, patient, action, access)."""
    accounts, hours, patients, actions, accesses = zip(*rows, strict=True)
    people = [None if p is None else bytes([9]) + int(p).to_bytes(15, "big") for p in patients]
    return pa.table(
        {
            "event_id": keys(np.arange(len(rows)), 1),
            "access_id": keys(np.array(accesses), 2),
            "at": pa.array((np.array(hours) * HOUR).astype(np.int64)).cast(TIME),
            "account": text(list(accounts)),
            "action": text(list(actions)),
            "patient": pa.array(people, KEY),
        }
    )


def test_a_second_opening_within_a_day_is_no_unit():
    units = find_units(
        log([("a", 1, 5, "open", 1), ("a", 2, 5, "open", 2), ("a", 26, 5, "open", 3)])
    )
    assert units.row.tolist() == [0, 2]


def test_one_access_seen_by_two_logs_counts_once():
    units = find_units(log([("a", 1, 5, "open", 1), ("a", 1.001, 5, "open", 1)]))
    assert len(units) == 1


def test_a_search_page_is_one_step_of_several_persons():
    units = find_units(log([("a", 1, p, "search", 7) for p in range(4)]))
    assert len(units) == 4
    assert len(set(units.step.tolist())) == 1


def test_an_opening_out_of_a_page_knows_its_page():
    units = find_units(log([("a", 1, 5, "search", 1), ("a", 1.1, 5, "open", 2)]))
    assert units.source.tolist() == [-1, units.step[0]]


def test_a_page_tells_what_the_pages_before_it_led_to():
    pages = [("a", hour, p, "search", n) for n, hour in enumerate((1, 1.1, 1.2, 1.4, 3))
             for p in (10 * n, 10 * n + 1)]  # fmt: skip
    units = find_units(log([*pages, ("a", 1.3, 20, "open", 9), ("b", 1.3, 20, "search", 10)]))
    trails = dict(zip(units.step.tolist(), units.trail.tolist(), strict=True))
    # The first; after one and then two that led to nothing; the opening; after it; too late; b's.
    assert list(trails.values()) == [-1, 1, 2, -1, 0, -1, -1]


def test_rows_without_an_account_are_left_out():
    table = log([("a", 1, 5, "open", 1), ("b", 1, 6, "open", 2)])
    table = table.set_column(3, "account", pa.array(["a", None]).cast(table.schema.field(3).type))
    assert len(find_units(table)) == 1


@settings(deadline=None, max_examples=15)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(random):
    events = small_log(days=3, accounts=3)
    order = list(range(events.num_rows))
    random.shuffle(order)
    shuffled = events.take(pa.array(order))
    one, two = find_units(events), find_units(shuffled)
    assert one.row.tolist() == [order[row] for row in two.row]
    assert one.step.tolist() == two.step.tolist()


def test_no_event_is_no_unit():
    assert len(find_units(small_log().slice(0, 0))) == 0
