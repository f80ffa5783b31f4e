import numpy as np
import pyarrow as pa
import pytest

from vigie.detection import detect
from vigie.detectors.campaigns import KINDS, limit
from vigie.detectors.pooling import Pool
from vigie.events import TIME
from vigie.story import tell
from vigie.stream import Stream
from vigie.testing.detectors import keys, small_log, text
from vigie.timeline.units import DAY

THIEF = "stolen.csv"


def with_campaign(victims, per_day, days=24, accounts=60):
    """A quiet log; from day 18 on each victim's account opens a few strangers a day."""
    events = small_log(days=days, accounts=accounts, size=15, strangers=0.01)
    start = events.column("at").cast(pa.int64()).to_numpy().min() // DAY * DAY
    day = np.arange(18, days)
    who = np.tile(np.repeat(victims, per_day), len(day))
    count = len(who)
    at = np.repeat(day, per_day * len(victims)) * DAY + (np.arange(count) * 97 % 480) * 60_000_000
    rows = np.arange(count)
    theft = pa.table(
        {
            "event_id": keys(rows, 11),
            "access_id": keys(rows, 12),
            "source": text(["log"] * count),
            "source_file": text([THIEF] * count),
            "source_line": pa.array(rows + 1),
            "at": pa.array(start + at).cast(TIME),
            "account": text([f"account-{code}" for code in who]),
            "profession": text(["doctor"] * count),
            "organisation": text([f"site-{code % 2}" for code in who]),
            "network": text([f"10.0.0.{code}" for code in who]),
            "area": text(["13"] * count),
            "action": text(["open"] * count),
            "record_count": pa.nulls(count, pa.int64()),
            "id_gap": pa.array(np.full(count, 1001, np.int32)),
            "name_gap": pa.array(np.full(count, 0.05, np.float32)),
            "patient": keys(rows, 13),
        }
    )
    return pa.concat_tables([events, theft.cast(events.schema)]).unify_dictionaries()


def campaigns(alerts):
    return [alert for alert in alerts if alert.hypothesis in KINDS]


VICTIMS = [2 * n for n in range(10)]


@pytest.fixture(scope="module")
def events():
    return with_campaign(VICTIMS, 6)


@pytest.fixture(scope="module")
def found(events):
    return detect(events)


def test_ten_accounts_of_one_site_a_little_each_are_one_alert(found):
    (alert,) = campaigns(found.alerts)
    assert alert.hypothesis == "joint_organisation"
    victims = {f"account-{code}" for code in VICTIMS}
    assert len(victims & set(alert.accounts)) >= 8
    assert any(line.startswith(THIEF) for line in alert.lines)
    assert alert.account == alert.accounts[0]


def test_it_comes_before_any_one_account_would_raise_its_own(found):
    (alert,) = campaigns(found.alerts)
    single = [a.opened_at for a in found.alerts if a not in campaigns(found.alerts)]
    assert all(alert.opened_at < other for other in single)


def test_a_single_thief_is_no_campaign():
    assert not campaigns(detect(with_campaign([4], 20)).alerts)


def a_course(strange):
    """Levels of one account of 30 units a day, of which on day d `strange[d]` are strangers'."""
    pool, levels = Pool(1, 4.0, 50.0), []
    alone = np.zeros(30, np.int64)
    for day, count in enumerate(strange):
        ratio = np.where(np.arange(30) < count, 2.3, -2.0)
        at = day * DAY + DAY // 3 + np.arange(30) * DAY // 100
        levels.append(pool.follow(alone, alone, at, ratio)[0].max())
    return np.array(levels)


def test_a_little_every_day_tells_more_than_much_on_one():
    slow = a_course([0] * 20 + [4] * 6)
    burst = a_course([0] * 20 + [24] + [0] * 5)
    assert slow.max() > burst.max() + 3


def test_a_quiet_log_has_none():
    assert not campaigns(detect(small_log(days=24, accounts=60, size=15, strangers=0.01)).alerts)


def test_it_is_told_in_both_languages_without_a_field_left_over(found):
    (alert,) = campaigns(found.alerts)
    for said in alert.why.values():
        assert "{" not in said
        assert str(len(alert.accounts)) in said


def test_its_story_passes_the_threshold(found):
    (alert,) = campaigns(found.alerts)
    story = tell(found, alert)
    assert story.steps[-1].level >= story.thresholds[0]
    assert story.steps[-1].at == alert.opened_at
    assert story.steps[0].level < story.thresholds[0]
    assert all(np.isfinite([step.level, step.added]).all() for step in story.steps)


def test_batches_do_not_show(events, found):
    ordered = events.sort_by("at")
    at = ordered.column("at").cast(pa.int64()).to_numpy()
    stream = Stream(learn_until=found.learn_until)
    last = {}
    for start in range(0, len(at), 777):
        part = ordered.slice(start, 777)
        stop = start + len(part)
        watermark = int(at[stop]) if stop < len(at) else int(at[-1]) + 1
        last |= {alert.id: alert for alert in stream.feed(part, watermark)}
    last |= {alert.id: alert for alert in stream.finish()}
    assert campaigns(last.values()) == campaigns(found.alerts)


def test_one_account_day_counts_for_little_however_loud():
    count = 500
    alone = np.zeros(count, np.int64)
    pool = Pool()
    _, added, _ = pool.follow(alone, alone, np.arange(count), np.full(count, 4.0))
    assert added.sum() <= pool.most + 1e-9


def test_a_site_wide_surge_explains_itself_by_its_volume():
    def level(extra):
        pool, top = Pool(), 0.0
        rng = np.random.default_rng(3)
        for day in range(20):
            size = 300 * (extra if day == 19 else 1)
            member = rng.integers(0, 30, size)
            at = np.sort(day * DAY + DAY // 3 + rng.integers(0, DAY // 3, size))
            strange = rng.random(size) < (0.35 if day == 19 else 0.05)
            ratio = np.where(strange, 0.8, -2.0)
            levels, _, _ = pool.follow(np.zeros(size, np.int64), member, at, ratio)
            top = levels.max()
        return top

    assert level(1) > level(3)


def test_the_limit_rises_as_the_target_falls():
    peaks = np.random.default_rng(1).exponential(1.0, 400)
    found = [limit(peaks, target) for target in (1e-2, 1e-3, 1e-4)]
    assert found == sorted(found)
    assert limit(np.full(50, -np.inf), 1e-3) > 0


def test_it_goes_on_where_it_was_saved(events, found, tmp_path):
    ordered = events.sort_by("at")
    at = ordered.column("at").cast(pa.int64()).to_numpy()
    (alert,) = campaigns(found.alerts)
    cut = int(np.searchsorted(at, int(alert.opened_at.timestamp() * 1e6))) + 1
    stream = Stream(learn_until=found.learn_until)
    last = {one.id: one for one in stream.feed(ordered.slice(0, cut), int(at[cut]))}
    stream.save(tmp_path / "state")
    stream = Stream.load(tmp_path / "state")
    last |= {one.id: one for one in stream.feed(ordered.slice(cut), int(at[-1]) + 1)}
    last |= {one.id: one for one in stream.finish()}
    assert campaigns(last.values()) == campaigns(found.alerts)


def shifted(groups, since=20, days=30, peers=8):
    """Return the highest level after day `since`, when the evidence of these groups grows.

    Eight groups of ten accounts, of one peer group; ratios are fair until then (mean one).
    """
    rng = np.random.default_rng(5)
    pool, best = Pool(least=3), np.full(peers, -np.inf)
    for day in range(days):
        member = np.repeat(np.arange(10 * peers), 6)
        group = member // 10
        at = day * DAY + np.sort(rng.integers(0, DAY // 2, len(member)))
        order = rng.permutation(len(member))
        member, group = member[order], group[order]
        loud = rng.random(len(member)) < np.where(
            np.isin(group, groups) & (day >= since), 0.3, 0.05
        )
        ratio = np.log(np.where(loud, 10.0, 0.5 / 0.95))
        level, _, _ = pool.follow(group, member, at, ratio)
        if day >= since:
            np.maximum.at(best, group, level)
    return best


def test_what_all_peers_show_is_no_campaign_and_what_one_group_shows_is_one():
    assert shifted(range(8)).max() < 5
    assert shifted([3])[3] > 20
