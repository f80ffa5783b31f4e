import numpy as np
import pyarrow as pa
import pytest

from vigie.config import Trust
from vigie.detection import detect
from vigie.events import TIME
from vigie.testing.detectors import small_log, text
from vigie.timeline.units import DAY
from vigie.trust import assess


def said(found):
    return " ".join(remark["en"] for remark in found.remarks)


def times(events):
    return events.column("at").cast(pa.int64()).to_numpy()


def test_a_whole_log_is_trusted():
    assert assess(small_log(), Trust()).ok


def test_quarantine_beyond_the_limit_is_not():
    found = assess(small_log(), Trust(), quarantined=50, lines=1000)
    assert not found.ok
    assert "5.0 %" in said(found)
    assert assess(small_log(), Trust(), quarantined=5, lines=1000).ok


def test_accesses_without_an_account_are_counted():
    events = small_log()
    blank = [None if i % 4 == 0 else "a" for i in range(events.num_rows)]
    place = events.schema.get_field_index("account")
    events = events.set_column(
        place, "account", pa.array(blank).cast(events.schema.field(place).type)
    )
    assert not assess(events, Trust()).ok


@pytest.mark.parametrize(("wrong", "day"), [(0, "1970-01-01"), (4_102_444_800, "2100-01-01")])
def test_days_that_cannot_be_are_named_with_their_source(wrong, day):
    events = small_log()
    place = events.schema.get_field_index("at")

    def with_wrong(count):
        at = times(events).copy()
        at[:count] = wrong * 1_000_000
        return events.set_column(place, "at", pa.array(at).cast(TIME))

    few = assess(with_wrong(2), Trust())
    assert "dates 2 accesses after today or before 2000 (one of them " + day in said(few)
    assert few.ok
    assert not assess(with_wrong(events.num_rows // 10), Trust()).ok


def test_a_source_silent_while_others_speak_is_named():
    events = small_log()
    at = times(events)
    days = (at - at.min()) // DAY
    names = np.where((np.arange(len(at)) % 2 == 0) & ((days < 4) | (days > 7)), "portal", "server")
    events = events.set_column(
        events.schema.get_field_index("source"), "source", text(names.tolist())
    )
    found = assess(events, Trust())
    assert not found.ok
    assert "source portal says nothing for" in said(found)


def test_a_day_missing_from_the_week_is_named():
    events = small_log(days=35, accounts=2, size=5)
    day = times(events) // DAY
    events = events.filter(pa.array(day != day.min() + 16))
    found = assess(events, Trust())
    assert not found.ok
    missing = np.datetime64(int(day.min() + 16), "D")
    assert f"source log says nothing on {missing}" in said(found)


def test_a_hole_of_two_weeks_is_named_with_its_dates():
    events = small_log(days=56, accounts=2, size=5)
    day = times(events) // DAY - times(events).min() // DAY
    events = events.filter(pa.array((day < 20) | (day > 33)))
    first, last = (np.datetime64(int(times(events).min() // DAY + d), "D") for d in (20, 33))
    assert f"says nothing from {first} to {last}" in said(assess(events, Trust()))


def test_two_sources_with_different_clocks_are_named():
    events = small_log(days=10, accounts=20, size=8)
    assert "clocks" not in said(assess(twice(events, 0), Trust()))
    found = assess(twice(events, 600), Trust())
    assert not found.ok
    assert "the clocks of sources log and server differ by 600 seconds" in said(found)


def twice(events, seconds):
    """The same accesses told by a second source whose clock is so many seconds ahead."""
    at = pa.array(times(events) + seconds * 1_000_000)
    late = events.set_column(events.schema.get_field_index("at"), "at", at.cast(TIME))
    place = events.schema.get_field_index("source")
    late = late.set_column(place, "source", text(["server"] * events.num_rows))
    return pa.concat_tables([events, late.cast(events.schema)]).unify_dictionaries()


def test_columns_that_say_nothing_are_named_with_what_is_lost():
    events = small_log()
    assert "network or device" not in said(assess(events, Trust()))
    for name in ("network", "profession", "organisation"):
        place = events.schema.get_field_index(name)
        kind = events.schema.field(place).type
        events = events.set_column(place, name, pa.nulls(events.num_rows, kind))
    found = assess(events, Trust())
    assert found.ok
    assert "no access tells its network or device" in said(found)
    assert "no access tells an organisation or team" in said(found)
    assert "no access tells a profession or role" in said(found)


def test_abstaining_detectors_are_told_and_only_blindness_to_patients_is_fatal():
    assert assess(small_log(), Trust(), abstaining=("emergency",)).ok
    assert not assess(small_log(), Trust(), abstaining=("strangers",)).ok


def test_every_remark_is_in_both_languages():
    found = assess(small_log(), Trust(), abstaining=("bulk",), calibrated=False)
    assert all(set(remark) == {"fr", "en"} for remark in found.remarks)


def test_times_are_the_waists():
    assert small_log().schema.field("at").type == TIME


def test_late_accesses_are_counted():
    found = assess(small_log(), Trust(), late=7)
    assert found.ok
    assert "7 accesses came later" in said(found)


def test_a_log_without_hours_says_what_it_hides():
    events = small_log()
    place = events.schema.get_field_index("at")
    midnight = pa.array(times(events) // DAY * DAY).cast(TIME)
    days = events.set_column(place, "at", midnight)
    assert "no hours" in said(assess(days, Trust()))
    assert "no hours" not in said(assess(events, Trust()))


def test_a_single_day_says_that_nothing_was_judged():
    found = detect(small_log(days=1)).trust
    assert not found.ok
    assert "no access was judged" in said(found)
    assert "no access was judged" not in said(detect(small_log(days=2)).trust)
