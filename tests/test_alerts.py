import json
import re
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from thieves import with_theft
from vigie.alerts.watch import GRAVEST, LEVELS, QUIET, REASONS, Watch
from vigie.config import Settings
from vigie.detection import COLUMNS, detect
from vigie.detectors.calibrate import Thresholds
from vigie.expectations import expect
from vigie.story import tell
from vigie.testing.detectors import small_log
from vigie.timeline.units import DAY


@pytest.fixture(scope="module")
def events():
    return with_theft()


@pytest.fixture(scope="module")
def found(events):
    return detect(events)


@pytest.fixture(scope="module")
def alert(found):
    mine = [alert for alert in found.alerts if alert.account == "account-7"]
    assert mine
    return mine[0]


def test_the_theft_is_found_within_its_first_patients(alert):
    assert alert.hypothesis in ("register_sweep", "fast_sweep")
    first = [line for line in alert.lines if line.startswith("stolen.csv")]
    ten = alert.opened_at.replace(hour=10, minute=0, second=0, microsecond=0)
    assert 0 < (alert.opened_at - ten).total_seconds() / 60 < 80
    assert first


def test_no_alert_without_lines_and_at_most_one_a_week(found):
    assert all(alert.lines for alert in found.alerts)
    seen = {}
    for alert in sorted(found.alerts, key=lambda a: a.opened_at):
        if alert.account in seen:
            assert (alert.opened_at - seen[alert.account]).total_seconds() * 1e6 > QUIET
        seen[alert.account] = alert.last_at


def test_the_sentence_is_filled_in_and_says_the_figures(alert):
    for language in ("fr", "en"):
        assert not re.search(r"[{}]", alert.why[language])
    assert str(alert.patients) in alert.why["en"]
    assert "anomaly" not in alert.why["en"]
    assert alert.level in LEVELS


def test_every_reason_says_how_many_against_what_is_usual():
    seen = {"patients", "records", "acts"}
    for text_ in REASONS.values():
        fields = set(re.findall(r"{(\w+)}", text_))
        assert len(fields & seen) == 1
        assert fields - seen <= {"span", "own", "peers"}
        assert fields >= {"own", "peers"}


def test_an_alert_is_json(alert):
    said = json.loads(msgspec.json.encode(alert))
    assert said["opened_at"].endswith("Z")
    assert set(said) >= {"id", "account", "accounts", "level", "why", "usual", "observed", "lines"}


def test_the_same_events_in_any_order_give_the_same_alerts(events, found):
    order = np.random.default_rng(5).permutation(events.num_rows)
    assert detect(events.take(pa.array(order))).alerts == found.alerts


def test_only_the_columns_named_are_needed(events, found):
    slim = events.select([name for name in COLUMNS if name in events.column_names])
    assert detect(slim).alerts == found.alerts


def test_the_later_part_does_not_change_what_was_raised_before(events, found, alert):
    at = events.column("at").cast(pa.int64()).to_numpy()
    day = int(alert.opened_at.timestamp() * 1e6) // DAY + 1
    early = detect(events.filter(pa.array(at < day * DAY)), learn_until=found.learn_until)
    same = next(a for a in early.alerts if a.account == "account-7")
    assert (same.id, same.opened_at) == (alert.id, alert.opened_at)


def test_the_story_tells_the_evidence_over_time(found, alert):
    told = tell(found, alert)
    assert len(told.steps) > 5
    assert [step.at for step in told.steps] == sorted(step.at for step in told.steps)
    assert max(step.level for step in told.steps) >= told.thresholds[0]


def test_a_single_day_says_that_it_is_too_short():
    found = detect(small_log(days=1, accounts=3))
    assert not found.trust.ok
    assert any("too short" in remark["en"] for remark in found.trust.remarks)


def test_each_level_has_a_budget_of_its_own(found):
    assert found.budgets == (1.0, 0.1, 0.01)
    # No honest batch resembles strangers at the owner's pace, so they may reach every level.
    events = with_theft(patients=50, seconds=900)
    grave = detect(events, Settings(100.0, step_up_budget=100.0, suspend_budget=100.0))
    assert {alert.level for alert in grave.alerts} == {"suspend"}
    mild = detect(events, Settings(100.0, step_up_budget=1e-30, suspend_budget=1e-30))
    assert {alert.level for alert in mild.alerts} == {"watch"}
    assert [a.id for a in sorted(grave.alerts, key=lambda a: a.id)] == [
        a.id for a in sorted(mild.alerts, key=lambda a: a.id)
    ]


@pytest.fixture
def limits():
    """The limits of each level, two groups and two hypotheses, of which batches resemble one."""
    level = np.array([[3.0, 3.0], [9.0, 9.0]])
    watch = Watch(("register_sweep", "name_walk"), ())
    watch.arm([Thresholds(level, np.ones((2, 2)), np.zeros(2), True)], [1.0, 10.0, 100.0])
    return watch.limits


def test_what_honest_batches_resemble_raises_the_first_level_alone(limits):
    assert GRAVEST["name_walk"] == "watch"
    assert np.isfinite(limits[0]).all()
    assert np.isinf(limits[1:, :, 1]).all()


def test_rights_checks_in_a_row_may_ask_who_is_there_and_suspend_nobody():
    level = np.full((1, 1), 3.0)
    watch = Watch(("rights_check_sweep",), ())
    watch.arm([Thresholds(level, np.ones((1, 1)), np.zeros(1), True)], [1.0, 10.0, 100.0])
    assert np.isfinite(watch.limits[:, 0, 0]).tolist() == [True, True, False]


def test_the_gravest_level_asks_of_every_group_what_the_loudest_did(limits):
    _, step_up, suspend = limits[:, :, 0]
    assert step_up[0] < step_up[1]
    assert suspend[0] == suspend[1] > step_up[1]


def test_what_to_expect_at_this_size_is_said_by_level(found):
    watch, step_up, suspend = expect(found)
    assert watch.yearly == pytest.approx(found.account_days / found.days * 365 / 10_000)
    assert step_up.yearly == pytest.approx(watch.yearly / 10)
    assert watch.raised >= step_up.raised >= suspend.raised
    assert watch.precision is None or 0 <= watch.precision <= 1


def test_a_thief_of_the_learning_part_does_not_set_his_own_threshold(events, alert):
    late = datetime.fromtimestamp(alert.opened_at.timestamp(), UTC) + timedelta(days=4)
    learning = detect(events, learn_until=late)
    mine = [a for a in learning.alerts if a.account == "account-7"]
    assert mine
    assert mine[0].opened_at < learning.learn_until
    # He is held against what the others showed, and his story says so.
    story = tell(learning, mine[0])
    raised = next(step for step in story.steps if step.at >= mine[0].opened_at)
    assert raised.level >= story.thresholds[0]
    assert story.thresholds[0] < learning_threshold(learning, mine[0])


def learning_threshold(found, alert):
    """Return what the later part is held against: his own theft has raised it."""
    account = found.partition.units.accounts.index(alert.account)
    column = found.evidence.hypotheses.index(alert.hypothesis)
    return found.thresholds.log()[found.partition.usual.group[account], column] / np.log(10)


def test_a_log_of_several_files_one_after_the_other_has_no_late_event(events, monkeypatch):
    monkeypatch.setattr("vigie.detection._SLICE", 100)
    at = events.column("at").cast(pa.int64()).to_numpy()
    # Each day's file holds its latest event first.
    order = np.lexsort((-at, at // DAY))
    found = detect(events.take(pa.array(order)))
    assert not any("later than" in remark["en"] for remark in found.trust.remarks)


def test_no_event_at_all_is_not_trusted():
    found = detect(small_log().slice(0, 0))
    assert not found.trust.ok
    assert found.alerts == ()
