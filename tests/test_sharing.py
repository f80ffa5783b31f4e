"""Accounts used by several people at once are said, honest people who move are not."""

import numpy as np
import pyarrow as pa
import pytest

from vigie.config import Trust
from vigie.events import TIME
from vigie.testing.detectors import small_log, text
from vigie.timeline.units import DAY
from vigie.trust import assess
from vigie.trust.sharing import find_shared

MINUTE = 60_000_000


def a_log(days, moments, devices, kind="person"):
    """Every day the same account, at these minutes, on these devices."""
    at = [20_000 * DAY + day * DAY + m * MINUTE for day in range(days) for m in moments]
    return pa.table(
        {
            "at": pa.array(at).cast(TIME),
            "account": text(["ward"] * len(at)),
            "device": text(list(devices) * days),
            "actor_kind": text([kind] * len(at)),
        }
    )


def together(kind="person"):
    moments = np.arange(480, 960, 4)
    return a_log(8, moments, [f"PC-{n % 3 % 2}" for n in range(len(moments))], kind)


def test_two_devices_in_turn_all_day_are_several_people():
    (found,) = find_shared(together())
    assert (found.account, found.days, found.active) == ("ward", 8, 8)


def test_a_person_who_moves_to_another_ward_is_one():
    moments = np.arange(480, 960, 4)
    devices = [f"PC-{n // 40}" for n in range(len(moments))]
    assert not list(find_shared(a_log(8, moments, devices)))


def test_day_and_night_on_several_devices_are_several_people():
    moments = np.arange(0, 1440, 30)
    devices = [f"PC-{n // 16}" for n in range(len(moments))]
    assert list(find_shared(a_log(8, moments, devices)))


def test_a_service_and_a_few_days_are_passed_over():
    assert not list(find_shared(together("service")))
    assert not list(find_shared(together().slice(0, 240)))


@pytest.mark.parametrize("missing", ["device", "actor_kind"])
def test_a_silent_column_is_no_fault(missing):
    list(find_shared(together().drop_columns([missing])))
    assert not list(find_shared(together().slice(0, 0)))


def test_it_is_said_and_takes_no_trust_away():
    events = small_log(days=8, accounts=1, size=120)
    count = events.num_rows
    order = np.argsort(events.column("at").cast(pa.int64()).to_numpy())
    device = np.empty(count, object)
    device[order] = [f"PC-{n % 2}" for n in range(count)]
    events = events.append_column("device", text(device.tolist()))
    found = assess(events, Trust())
    (said,) = [r for r in found.remarks if "account-0" in r["en"]]
    assert "account-0" in said["fr"]
    assert found.ok
