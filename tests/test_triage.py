import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.config import Settings
from vigie.detection import detect, detect_slices
from vigie.detectors.hindsight import Hindsight
from vigie.testing.detectors import small_log
from vigie.triage import triage
from vigie.triage.conformal import choose, weigh_conformal
from vigie.triage.scores import score

DAY = 86_400_000_000
SCORES = st.lists(st.integers(0, 30), min_size=1, max_size=60)


def benjamini_hochberg(past, today, rate):
    """The list of Benjamini and Hochberg on conformal p-values."""
    p = (1 + (past[None, :] >= today[:, None]).sum(axis=1)) / (1 + len(past))
    fitting = [k for k in range(1, len(p) + 1) if np.sort(p)[k - 1] <= rate * k / len(p)]
    return p <= np.sort(p)[fitting[-1] - 1] if fitting else np.zeros(len(p), bool)


@given(SCORES, SCORES, st.sampled_from([0.05, 0.1, 0.2, 0.5]))
def test_the_list_is_that_of_benjamini_and_hochberg(past, today, rate):
    past, today = np.array(past, float), np.array(today, float)
    listed = choose(weigh_conformal(past, today, rate), rate)
    assert listed.tolist() == benjamini_hochberg(past, today, rate).tolist()


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.floats(0.01, 0.5))
def test_every_account_listed_has_the_evidence_that_the_size_of_the_list_asks_for(values, rate):
    e_values = np.array(values)
    listed = choose(e_values, rate)
    if listed.any():
        assert e_values[listed].min() * listed.sum() * rate >= len(values) * (1 - 1e-12)


def test_the_share_of_false_ones_keeps_to_the_bound_when_days_are_alike():
    rng, rate, shares, caught = np.random.default_rng(7), 0.2, [], 0
    for _ in range(400):
        # Accounts share a shock, which is the same on all days: exchangeable, not independent.
        shock = rng.normal()
        past, today = rng.standard_t(3, 2000) + shock, rng.standard_t(3, 100) + shock
        today[:5] += 20
        listed = choose(weigh_conformal(past, today, rate), rate)
        shares.append(listed[5:].sum() / max(listed.sum(), 1))
        caught += listed[:5].sum()
    error = 3 * np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) <= rate + error
    assert caught > 0.8 * 5 * 400


def test_the_evidence_of_honest_accounts_sums_to_their_number_at_most():
    rng = np.random.default_rng(8)
    sums = [
        weigh_conformal(rng.normal(size=500), rng.normal(size=50), 0.3).sum() for _ in range(2000)
    ]
    assert np.mean(sums) <= 50 + 3 * np.std(sums) / np.sqrt(len(sums))


@pytest.fixture(scope="module")
def log():
    from thieves import with_theft

    return with_theft(accounts=40, days=30)


@pytest.fixture(scope="module")
def found(log):
    return detect(log)


def test_a_thief_is_on_the_list_of_his_day_with_his_lines(found):
    queues = triage(found, fdr=0.2)
    [day] = [queue for queue in queues if any(e.account == "account-7" for e in queue.entries)]
    entry = next(e for e in day.entries if e.account == "account-7")
    assert entry.e_value * len(day.entries) * day.fdr >= day.accounts
    assert entry.patients > 10
    assert entry.lines
    assert all(line.startswith("stolen.csv") for line in entry.lines[:5])
    assert entry.alert in {alert.id for alert in found.alerts}


def test_only_scored_days_have_a_queue(found):
    days = [queue.day for queue in triage(found)]
    assert days == sorted(days)
    assert min(days) >= found.learn_until.date()
    assert [queue.day for queue in triage(found, since=days[-1])] == days[-1:]


def test_a_confirmed_account_is_not_compared_with(found):
    last = triage(found)[-1]
    without = triage(found, confirmed=["account-7"])[-1]
    assert without.past < last.past


def cut(log, days):
    """The log in slices of so many days each."""
    at = log.column("at").cast("int64").to_numpy()
    for begin in range(at.min() // DAY * DAY, at.max() + 1, days * DAY):
        end = begin + days * DAY
        yield log.filter((at >= begin) & (at < end)), end


@pytest.mark.parametrize("days", [1, 4])
@pytest.mark.parametrize("by", ["day", "week"])
def test_the_lists_are_the_same_from_memory_and_from_a_file_read_by_days(
    log, found, days, by, tmp_path
):
    at = log.column("at").cast("int64").to_numpy()
    span = int(at.min()), int(at.max())
    kept = detect_slices(cut(log, days), span, Settings(), keep=Hindsight(tmp_path))
    told, expected = triage(kept, fdr=0.5, by=by), triage(found, fdr=0.5, by=by)
    assert any(queue.entries for queue in expected)
    assert [queue.day for queue in told] == [queue.day for queue in expected]
    for one, other in zip(told, expected, strict=True):
        assert [entry.account for entry in one.entries] == [e.account for e in other.entries]
        assert [entry.lines for entry in one.entries] == [e.lines for e in other.entries]
        assert [entry.rarer for entry in one.entries] == [e.rarer for e in other.entries]


def test_weeks_begin_on_mondays_and_after_the_learning_part(found):
    weeks = triage(found, by="week")
    assert all(week.day.weekday() == 0 for week in weeks)
    assert weeks[0].day >= found.learn_until.date()
    assert [week.over for week in weeks[:-1]] == [True] * (len(weeks) - 1)
    assert weeks[-1].last == triage(found)[-1].day
    assert [week.day for week in triage(found, by="week", since=weeks[-1].last)] == [weeks[-1].day]
    assert [week.day for week in triage(found, by="week", latest=1)] == [weeks[-1].day]


def test_a_thief_is_on_the_list_of_his_week_with_all_his_lines(found):
    days = [e for q in triage(found, fdr=0.2) for e in q.entries if e.account == "account-7"]
    [week] = [e for q in triage(found, fdr=0.5, by="week") for e in q.entries
              if e.account == "account-7"]  # fmt: skip
    assert week.rarer == 0
    assert set(week.lines) >= {line for entry in days for line in entry.lines}
    assert week.alert in {alert.id for alert in found.alerts}


def test_a_week_that_is_not_over_is_compared_with_the_same_days_of_others(log, found):
    weeks = score(found, "week")
    last = weeks.period == weeks.period.max()
    assert (weeks.early[last] == weeks.score[last]).all()
    seen = ~np.isnan(weeks.early)
    assert (weeks.early[seen] <= weeks.score[seen]).all()
    assert (weeks.early[seen & ~last] < weeks.score[seen & ~last]).any()

    # Each earlier week, had the log ended on that day of it.
    shorter = log.filter(
        log.column("at").cast("int64").to_numpy() < found.stream.day * DAY - 6 * DAY
    )
    before = score(detect(shorter, learn_until=found.learn_until), "week")
    there = before.period == before.period.max()
    here = (weeks.period == before.period.max()) & seen
    assert weeks.early[here].tolist() == before.score[there].tolist()


def test_too_few_days_before_it_are_told():
    short = detect(small_log(days=6, accounts=30, size=5))
    assert not any(queue.alone for queue in triage(short, fdr=0.01))
    assert not any(queue.entries for queue in triage(short, fdr=0.01))


def test_an_empty_log_has_no_queue():
    assert triage(detect(small_log().slice(0, 0))) == ()
