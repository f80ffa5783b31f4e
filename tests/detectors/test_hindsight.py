"""What was seen is read back as it was: by batch, by account, from memory or from a file."""

import resource
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from vigie.config import Settings
from vigie.detection import Detection, detect_slices
from vigie.detectors.hindsight import Hindsight, Memory
from vigie.errors import StoreError
from vigie.story import tell
from vigie.testing.detectors import small_log
from vigie.timeline.front import END

KEPT = ("row", "order", "account", "at", "day", "step", "patient")


@cache
def seen() -> Memory:
    found = looked(True)
    assert isinstance(found.stream.kept, Memory)
    return found.stream.kept


def looked(keep: bool | Hindsight) -> Detection:
    return detect_slices([(small_log(days=20), END)], span(), Settings(), keep=keep)


def span() -> tuple[int, int]:
    at = np.sort(small_log(days=20).column("at").cast("int64").to_numpy())
    return int(at[0]), int(at[-1])


@pytest.fixture
def hindsight(tmp_path: Path) -> Hindsight:
    kept = Hindsight(tmp_path)
    for batch in seen():
        kept.append(batch)
    return kept


def test_batches_come_back_as_they_were(hindsight: Hindsight) -> None:
    for before, after in zip(seen(), hindsight, strict=True):
        old, new = before.partition.units, after.partition.units
        assert all(np.array_equal(getattr(old, name), getattr(new, name)) for name in KEPT)
        assert np.array_equal(old.text["network"], new.text["network"])
        assert np.array_equal(old.number["record_count"], new.number["record_count"])
        assert np.array_equal(before.partition.honest.reason, after.partition.honest.reason)
        assert np.array_equal(before.ratios, after.ratios, equal_nan=True)


def test_one_account_comes_back_alone_and_in_order(hindsight: Hindsight) -> None:
    for codes in ({0}, {1, 3}):
        pairs = list(zip(seen().of(codes), hindsight.of(codes), strict=True))
        assert pairs
        for before, after in pairs:
            old, new = before.partition.units, after.partition.units
            assert set(new.account.tolist()) <= codes
            assert np.array_equal(old.row, new.row)
            assert np.array_equal(old.order, new.order)
            assert (np.diff(new.at[new.order]) >= 0).all()
            assert np.array_equal(before.ratios, after.ratios, equal_nan=True)


def test_the_file_has_no_name(hindsight: Hindsight, tmp_path: Path) -> None:
    assert list(hindsight)
    assert not list(tmp_path.iterdir())


def test_an_answer_is_the_same_from_a_file_as_from_memory(tmp_path: Path) -> None:
    whole, filed = looked(True), looked(Hindsight(tmp_path))
    assert filed.alerts == whole.alerts
    assert filed.trust == whole.trust
    assert np.array_equal(filed.evidence.levels, whole.evidence.levels, equal_nan=True)
    assert [tell(filed, one) for one in filed.alerts] == [tell(whole, one) for one in whole.alerts]


def test_a_full_disk_is_one_sentence_that_says_where(tmp_path: Path) -> None:
    """The limit on file size stands in for a disk that fills up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(StoreError) as error:
            looked(Hindsight(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.where == str(tmp_path)
    assert "the store cannot be written there" in str(error.value)
