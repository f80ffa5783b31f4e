import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vigie.trust.holes import DAY, HOUR, find_holes

MONDAY = 20_458
"""A Monday, in days of 1970."""


def log(days, per_hour=10, weekend=True):
    """A log of working hours, evenly filled."""
    hours = [
        (MONDAY + day) * DAY + hour * HOUR
        for day in range(days) for hour in range(8, 18)
        if weekend or day % 7 < 5
    ]  # fmt: skip
    return np.sort(np.repeat(hours, per_hour) + np.tile(np.arange(per_hour), len(hours)))


def holes(at, days):
    return list(find_holes(at, MONDAY, MONDAY + days - 1))


@given(st.integers(1, 60), st.integers(1, 30), st.booleans())
def test_an_even_log_has_no_hole(days, per_hour, weekend):
    assert holes(log(days, per_hour, weekend), days) == []


@given(st.integers(7, 30), st.integers(1, 9))
def test_lost_days_are_one_stretch_with_its_dates(start, length):
    at = log(56)
    day = at // DAY - MONDAY
    [hole] = holes(at[(day < start) | (day >= start + length)], 56)
    assert (hole.start // DAY - MONDAY, hole.end // DAY - MONDAY) == (start, start + length)
    assert (hole.count, hole.due, hole.days) == (0, 100.0 * length, length)


def test_a_weekend_on_which_nobody_works_lies_within_the_stretch():
    at = log(42, weekend=False)
    day = at // DAY - MONDAY
    [hole] = holes(at[(day < 17) | (day > 22)], 42)
    assert (hole.end - hole.start) // DAY == 6
    assert hole.days == 4


def test_lost_hours_are_named_where_many_accesses_were_due():
    at = log(28, per_hour=50)
    hour = at // HOUR - MONDAY * 24
    lost = (hour >= 24 * 9 + 10) & (hour < 24 * 9 + 14)
    [hole] = holes(at[~lost], 28)
    assert (hole.start // HOUR - MONDAY * 24, hole.end // HOUR - MONDAY * 24) == (226, 230)
    assert (hole.days, hole.due) == (0, 120.0)


def test_a_day_that_holds_little_is_told_apart_from_one_that_holds_nothing():
    at = log(28)
    day = at // DAY - MONDAY
    kept = (day != 16) | (np.arange(len(at)) % 20 == 0)
    [hole] = holes(at[kept & (day != 17)], 28)[:1]
    assert hole.count == 5
    assert hole.days == 1


def test_a_source_that_stops_before_the_log_ends_has_a_hole_to_its_end():
    [hole] = holes(log(30), 40)
    assert (hole.start // DAY - MONDAY, hole.end // DAY - MONDAY) == (30, 40)
