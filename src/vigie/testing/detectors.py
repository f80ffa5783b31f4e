"""What every detector must pass; ship yours through it.

import pytest
from vigie.testing.detectors import CHECKS

@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_my_detector(check):
    check(MyDetector())
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa

from vigie.detection import join_partitions
from vigie.detectors.base import Detector, Partition
from vigie.events import KEY, TEXT, TIME
from vigie.stream import Stream
from vigie.timeline.units import DAY

_START: Final = 20_370 * DAY


def small_log(
    days: int = 12, accounts: int = 6, seed: int = 0, size: int = 30, strangers: float = 0.05
) -> pa.Table:
    """Return a made-up log of waist rows: people with their own patients, who meet few others."""
    rng = np.random.default_rng(seed)
    count = days * accounts * size
    account = np.repeat(np.arange(accounts), days * size)
    day = np.tile(np.repeat(np.arange(days), size), accounts)
    at = _START + day * DAY + rng.integers(0, DAY // 2, count)
    own = account * 100 + rng.integers(0, 30, count)
    patient = np.where(rng.random(count) < strangers, 10_000 + rng.integers(0, 5000, count), own)
    number = np.arange(count)
    actions = np.where(rng.random(count) < 0.01, "export", "open")
    actions = np.where(rng.random(count) < 0.01, "break_glass", actions)
    actions = np.where(rng.random(count) < 0.02, "rights_check", actions)
    return pa.table(
        {
            "event_id": keys(number, 1),
            "access_id": keys(number, 2),
            "source": text(["log"] * count),
            "source_file": text(["log.csv"] * count),
            "source_line": pa.array(number + 1),
            "at": pa.array(at).cast(TIME),
            "account": text([f"account-{code}" for code in account]),
            "profession": text(["doctor"] * count),
            "organisation": text([f"site-{code % 2}" for code in account]),
            "network": text([f"10.0.0.{code}" for code in account]),
            "area": text(["75" if code < 10_000 else "13" for code in patient]),
            "action": text(actions.tolist()),
            "record_count": pa.array(rng.integers(1, 20, count)),
            "id_gap": pa.array(rng.integers(-1001, 1001, count).astype(np.int32)),
            "name_gap": pa.array(rng.uniform(-0.05, 0.05, count).astype(np.float32)),
            "patient": keys(patient, 3),
        }
    )


def keys(numbers: np.ndarray, kind: int) -> pa.Array:
    """Return a 16-byte key for each number, different for each kind."""
    return pa.array([bytes([kind]) + int(n).to_bytes(15, "big") for n in numbers], KEY)


def text(words: list[str]) -> pa.Array:
    """Return words as the waist holds them."""
    return pa.array(words).cast(TEXT)


def partition_of(events: pa.Table) -> Partition:
    """Return what a detector is given for these events."""
    stream = Stream(keep=True)
    stream.feed(events)
    stream.finish()
    return join_partitions([seen.partition for seen in stream.kept])


def check_shape(detector: Detector) -> None:
    """One row per unit, one column per hypothesis, no infinities."""
    partition = partition_of(small_log())
    ratios = detector.ratios(partition)
    assert ratios.shape == (len(partition.units), len(detector.hypotheses))
    assert not np.isinf(ratios).any()
    assert detector.heard(partition).shape == ratios.shape


def check_names(detector: Detector) -> None:
    """It has a name, and hypotheses that are named once."""
    assert detector.name
    assert detector.hypotheses
    assert len(set(detector.hypotheses)) == len(detector.hypotheses)


def check_same_again(detector: Detector) -> None:
    """The same units give the same answer."""
    partition = partition_of(small_log())
    np.testing.assert_array_equal(detector.ratios(partition), detector.ratios(partition))


def check_future_unseen(detector: Detector) -> None:
    """What comes later does not change what was said of a day."""
    events = small_log()
    cut = _START + 8 * DAY
    at = events.column("at").cast(pa.int64()).to_numpy()
    whole, early = partition_of(events), partition_of(events.filter(pa.array(at < cut)))
    kept = whole.units.at < cut
    np.testing.assert_allclose(detector.ratios(whole)[kept], detector.ratios(early))


def check_abstains(detector: Detector) -> None:
    """A log that says nothing of patients, order or sizes makes it abstain."""
    events = small_log()
    for name in ("patient", "record_count", "id_gap", "name_gap"):
        place = events.schema.get_field_index(name)
        blank = pa.nulls(events.num_rows, events.schema.field(name).type)
        events = events.set_column(place, name, blank)
    events = events.set_column(
        events.schema.get_field_index("action"), "action", text(["open"] * events.num_rows)
    )
    assert not detector.heard(partition_of(events)).any()


CHECKS: Final[tuple[Callable[[Detector], None], ...]] = (
    check_shape,
    check_names,
    check_same_again,
    check_future_unseen,
    check_abstains,
)
