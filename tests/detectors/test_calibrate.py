import numpy as np
import pytest

from vigie.detectors.calibrate import Learnt, calibrate
from vigie.testing.detectors import partition_of, small_log


@pytest.fixture(scope="module")
def units():
    return partition_of(small_log(days=14, accounts=60, size=6)).units


def weeks(units, levels):
    """The largest level of each account and week."""
    week = (units.day - units.day.min()) // 7
    key, place = np.unique(units.account * 100 + week, return_inverse=True)
    peaks = np.full((len(key), levels.shape[1]), -np.inf)
    np.maximum.at(peaks, place, levels)
    return Learnt(key // 100, peaks, len(units.active[0]), len(units), np.ones(levels.shape[1]))


def thresholds(units, levels, budget=1.0, group=None, groups=1):
    group = np.zeros(len(units.accounts), np.int32) if group is None else group
    return calibrate(weeks(units, levels), np.zeros(levels.shape[1]), group, groups, budget)


def test_a_smaller_budget_asks_for_more(units):
    levels = np.random.default_rng(1).exponential(size=(len(units), 2))
    assert (thresholds(units, levels, 1.0).log() > thresholds(units, levels, 10.0).log()).all()


def test_the_threshold_lies_beyond_the_quiet_weeks(units):
    levels = np.random.default_rng(1).exponential(size=(len(units), 1))
    found = thresholds(units, levels)
    assert found.calibrated
    assert found.log().min() > np.quantile(levels, 0.999)


def test_rarer_levels_lie_higher(units):
    found = thresholds(units, np.random.default_rng(1).exponential(size=(len(units), 1)))
    assert (found.log(100) > found.log(10)).all()


def test_too_short_a_log_says_that_nothing_was_calibrated():
    units = partition_of(small_log(days=2, accounts=2)).units
    found = thresholds(units, np.zeros((len(units), 1)))
    assert not found.calibrated
    assert (found.log() > 5).all()


def test_a_loud_group_gets_a_higher_threshold_than_a_quiet_one(units):
    group = (np.arange(len(units.accounts)) % 2).astype(np.int32)
    quiet = np.random.default_rng(1).exponential(size=(len(units), 1))
    loud = np.where(group[units.account, None] == 1, 30 * quiet, quiet)
    before, after = (thresholds(units, x, group=group, groups=2).log()[:, 0] for x in (quiet, loud))
    assert after[1] > 5 * before[1]
    assert after[0] < after[1]


def test_silent_hypotheses_are_calibrated_without_a_word(units):
    found = thresholds(units, np.full((len(units), 1), -np.inf))
    assert np.isfinite(found.log()).all()


def test_a_group_never_met_gets_the_threshold_of_nobody(units):
    found = thresholds(units, np.random.default_rng(1).exponential(size=(len(units), 1)))
    assert found.log().shape == (2, 1)
    assert np.isfinite(found.log()).all()


def test_one_account_far_out_lifts_its_own_group_and_hardly_another(units):
    """A thief of before the log, or the one clean-up of a year, says nothing of anybody else."""
    group = (np.arange(len(units.accounts)) % 2).astype(np.int32)
    quiet = np.random.default_rng(1).exponential(size=(len(units), 1))
    quiet[np.flatnonzero(group[units.account] == 0)[0]] = 17.0
    loud = quiet.copy()
    loud[np.flatnonzero(group[units.account] == 1)[0]] = 250.0
    before, after = (thresholds(units, x, group=group, groups=2).log()[:, 0] for x in (quiet, loud))
    assert after[1] > 100
    assert after[0] < before[0] + 10


def test_one_of_a_few_colleagues_is_how_they_work(units):
    """Two accounts of a large group may be suspects, who teach no limit; one of nine is not."""
    few = np.flatnonzero(np.arange(len(units.accounts)) < 9)
    group = np.where(np.isin(np.arange(len(units.accounts)), few), 0, 1).astype(np.int32)
    levels = np.random.default_rng(1).exponential(size=(len(units), 1))
    rare = np.ones(1, bool)

    def limits(account: int) -> np.ndarray:
        loud = levels.copy()
        loud[np.flatnonzero(units.account == account)[0]] = 60.0
        learnt = weeks(units, loud)
        return calibrate(learnt, np.zeros(1), group, 2, 1.0, unlike=rare).log()[:, 0]

    assert limits(3)[0] > 60
    assert limits(30)[1] < 30
