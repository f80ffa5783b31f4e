"""Local times by runs of quarters of an hour, against zoneinfo one by one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.readers.times import to_utc

ZONES = ["Europe/Paris", "America/Martinique", "Indian/Reunion", "Australia/Lord_Howe",
         "America/Miquelon"]  # fmt: skip
CHANGES = [datetime(2025, 3, 30, 1), datetime(2025, 10, 26, 1), datetime(2025, 4, 6), None]


def expected(local, zone):
    early, late = (local.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    if early.utcoffset() == late.utcoffset():
        return early.astimezone(UTC), 0
    back = early.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return (early.astimezone(UTC), 1) if back == local else (None, 2)


@given(
    st.datetimes(datetime(1960, 1, 1), datetime(2035, 1, 1)),
    st.lists(st.integers(0, 120), min_size=1, max_size=60),
    st.sampled_from(ZONES),
    st.sampled_from(CHANGES),
)
def test_runs_give_what_zoneinfo_gives(start, steps, zone, change):
    moment, times = change or start, []
    for step in steps:
        moment += timedelta(seconds=step)
        times += [moment] * 5
    moments, doubts = to_utc(pa.array(times, pa.timestamp("us")), zone)
    for local, found, doubt in zip(times, moments.to_pylist(), doubts.tolist(), strict=True):
        meant, wanted = expected(local, zone)
        assert doubt == wanted
        assert meant is None or found == meant


@pytest.mark.parametrize("repeat", [1, 100])
def test_the_skipped_hour_begins_after_the_gap(repeat):
    local = pa.array([datetime(2025, 3, 30, 2, 10)] * repeat)
    moments, doubts = to_utc(local, "Europe/Paris")
    assert set(moments.to_pylist()) == {datetime(2025, 3, 30, 1, tzinfo=UTC)}
    assert set(doubts.tolist()) == {2}


def test_nothing_and_nulls():
    assert len(to_utc(pa.array([], pa.timestamp("us")), "Europe/Paris")[0]) == 0
    local = pa.array([None, datetime(2025, 1, 1)], pa.timestamp("us"))
    assert to_utc(local, "Europe/Paris")[0].to_pylist()[0] is None
