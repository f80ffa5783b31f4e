import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vigie.detectors.kernel import INTENSITIES, WEIGHTS, Statistic, trace_all


def plain(ratios):
    """The definition, in a loop, for one account on one day."""
    sums, out = np.zeros(len(INTENSITIES)), []
    for ratio in ratios:
        sums = (1 + sums) * (1 - INTENSITIES + INTENSITIES * np.exp(ratio))
        out.append(np.log(WEIGHTS @ sums))
    return np.array(out)


def run(ratios, step=None):
    count = len(ratios)
    steps = np.arange(count) if step is None else step
    bounds, day = np.array([0, count]), np.zeros(count, np.int32)
    return trace_all(bounds, steps, day, ratios[:, None])[:, 0]


@settings(deadline=None)
@given(arrays(float, st.integers(1, 40), elements=st.floats(-8, 8)))
def test_the_statistic_is_its_definition(ratios):
    np.testing.assert_allclose(run(ratios), plain(ratios))


def test_a_page_steps_once_with_the_mean_of_its_ratios():
    page = np.array([3.0, 1.0])
    alone = np.array([np.log(np.exp(page).mean())])
    assert run(page, np.zeros(2, int))[-1] == pytest.approx(run(alone)[-1])


def test_a_silent_unit_changes_nothing():
    ratios = np.array([2.0, np.nan, 1.0])
    assert run(ratios)[-1] == pytest.approx(run(ratios[[0, 2]])[-1])


def test_the_sum_saturates_and_never_overflows():
    assert np.isfinite(run(np.full(5000, 20.0))).all()


def test_the_watch_begins_anew_after_each_crossing_and_dates_the_change():
    ratios = np.array([-3.0] * 10 + [3.0] * 20)
    found = watched(Statistic(1), ratios)
    assert len(found.unit) >= 2
    assert (found.level >= 8).all()
    assert found.since[0] == 10
    assert (np.diff(found.unit) > 1).all()


def watched(statistic, ratios, base=0):
    nobody = np.zeros(len(ratios), np.int32)
    step = np.arange(len(ratios))
    return statistic.follow(
        nobody, step, nobody, nobody, ratios[:, None], np.full((1, 1), 8.0), base
    )


@settings(deadline=None)
@given(arrays(float, st.integers(2, 40), elements=st.floats(-8, 8)), st.data())
def test_the_watch_may_be_cut_anywhere(ratios, data):
    cut = data.draw(st.integers(1, len(ratios) - 1))
    whole = watched(Statistic(1), ratios)
    statistic = Statistic(1)
    first, second = watched(statistic, ratios[:cut]), watched(statistic, ratios[cut:], cut)
    assert [*first.unit, *(second.unit + cut)] == whole.unit.tolist()
    assert [*first.since, *second.since] == whole.since.tolist()
    np.testing.assert_array_equal([*first.level, *second.level], whole.level)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_the_run_length_under_a_true_null_is_at_least_the_threshold(seed):
    # Marks of two kinds, rare under usual; ratios are true e-values, so the mean of the statistic
    # after n steps is at most n.
    rng = np.random.default_rng(seed)
    rare = rng.random((200, 50)) < 0.06
    ratios = np.where(rare, np.log(0.6 / 0.06), np.log(0.4 / 0.94)).ravel()
    bounds = np.arange(0, 10_001, 50)
    out = trace_all(bounds, np.arange(10_000), np.zeros(10_000, np.int32), ratios[:, None])
    ends = np.exp(out[bounds[1:] - 1, 0])
    assert (ends >= 50 * 100).mean() <= 0.05


def test_what_creeps_up_for_weeks_fades_from_day_to_day():
    count = 400
    days, step = np.arange(count, dtype=np.int32), np.arange(count)
    levels = trace_all(np.array([0, count]), step, days, np.full((count, 1), 0.2))
    assert levels.max() < 2
    at_once = trace_all(np.array([0, count]), step, np.zeros(count, np.int32), levels * 0 + 0.2)
    assert at_once.max() > 40


def test_a_theft_of_thousands_does_not_silence_its_own_alert_on_the_next_day():
    count = 10_000
    day = np.repeat(np.arange(2, dtype=np.int32), count // 2)
    nobody = np.zeros(count, np.int32)
    found = Statistic(1).follow(
        nobody, np.arange(count), day, nobody, np.full((count, 1), 0.5), np.array([[10.0]])
    )
    first, second = np.bincount(day[found.unit], minlength=2)
    assert second > 0.9 * first
