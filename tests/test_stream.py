"""Replay is live: however the events come, the same alerts and the same evidence."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigie.config import Settings
from vigie.detection import detect, join_partitions
from vigie.events import TIME
from vigie.simulate.presets import simulate
from vigie.stream import Stream
from vigie.testing.detectors import keys, small_log, text
from vigie.timeline.checkpoints import CheckpointError
from vigie.timeline.rows import Rows
from vigie.timeline.units import DAY, UnitFinder, Units

BOLD = Settings(alarm_budget=600)
HOUR = DAY // 24


def stolen(seed: int, days: int = 12, accounts: int = 12) -> pa.Table:
    """A small log with three thefts, by time: in the learning part, after it, and an export."""
    events = small_log(days=days, accounts=accounts, seed=seed, size=8, strangers=0.02)
    begin = int(times(events).min()) // DAY * DAY
    thefts = [
        theft(events, seed, begin + 4 * DAY, "account-1", 30, 1),
        theft(events, seed, begin + 8 * DAY, "account-2", 40, 1),
        theft(events, seed, begin + 9 * DAY, "account-3", 2, 5000),
    ]
    whole = pa.concat_tables([events, *thefts]).unify_dictionaries()
    return whole.take(pa.array(np.argsort(times(whole), kind="stable")))


def theft(events: pa.Table, seed: int, day: int, account: str, count: int, records: int):
    rows = np.arange(count)
    names = {"account": account, "source": "log", "source_file": f"{account}.csv",
             "profession": "doctor", "organisation": "site-1", "network": "10.0.0.7",
             "area": "13", "action": "open"}  # fmt: skip
    at = day + 11 * HOUR + seed * 1_000_003 + rows * 60_000_000
    made = {
        "event_id": keys(rows + day // DAY * 1000, 11),
        "access_id": keys(rows + day // DAY * 1000, 12),
        "source_line": pa.array(rows + 1),
        "at": pa.array(at).cast(TIME),
        "record_count": pa.array(np.full(count, records)),
        "id_gap": pa.array(np.full(count, 1, np.int32)),
        "name_gap": pa.array(np.full(count, 0.05, np.float32)),
        "patient": keys(rows + day // DAY * 1000, 13),
        **{name: text([word] * count) for name, word in names.items()},
    }
    return pa.table({name: made[name] for name in events.column_names}).cast(events.schema)


def times(events: pa.Table) -> np.ndarray:
    return events.column("at").cast(pa.int64()).to_numpy()


def kept_evidence(stream: Stream) -> tuple[np.ndarray, np.ndarray]:
    """The rows looked at, by row, and their ratios."""
    rows = np.concatenate([seen.partition.units.row for seen in stream.kept])
    ratios = np.concatenate([seen.ratios for seen in stream.kept])
    order = np.argsort(rows)
    return rows[order], ratios[order]


def fed(events: pa.Table, cuts: list[int], settings: Settings, **how) -> tuple[Stream, dict]:
    """Feed a log in slices; return the stream, and the state of each alert at each watermark."""
    stream = Stream(settings, keep=True, **how)
    said, told = {}, {}
    bounds = [0, *sorted(cuts), events.num_rows]
    for start, stop in itertools.pairwise(bounds):
        said |= {alert.id: alert for alert in stream.feed(events.slice(start, stop - start))}
        told[stop] = dict(said)
    said |= {alert.id: alert for alert in stream.finish()}
    told["end"] = said
    return stream, told


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_whole_log_and_single_days_find_the_thefts(seed: int) -> None:
    found = detect(stolen(seed), BOLD)
    assert {"account-1", "account-2", "account-3"} <= {a.account for a in found.alerts}


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 4), st.data())
def test_any_batches_give_the_same_alerts_and_evidence(seed: int, data) -> None:
    events = stolen(seed, days=8, accounts=6)
    places = st.integers(1, events.num_rows - 1)
    cuts = data.draw(st.lists(places, min_size=1, max_size=12, unique=True))
    learn = detect(events, BOLD).learn_until
    whole, at_once = fed(events, [], BOLD, learn_until=learn)
    parts, told = fed(events, cuts, BOLD, learn_until=learn)
    assert told["end"] == at_once["end"]
    assert at_once["end"]
    rows, ratios = kept_evidence(whole)
    np.testing.assert_array_equal(kept_evidence(parts)[0], rows)
    np.testing.assert_allclose(kept_evidence(parts)[1], ratios, rtol=0, atol=1e-9)
    _, early = fed(events.slice(0, cuts[0]), [], BOLD, learn_until=learn)
    assert told[cuts[0]] == early[cuts[0]]


def test_event_after_event_is_the_whole_log() -> None:
    events = stolen(5, days=6, accounts=3)
    learn = detect(events, BOLD).learn_until
    whole, at_once = fed(events, [], BOLD, learn_until=learn)
    single, told = fed(events, list(range(1, events.num_rows)), BOLD, learn_until=learn)
    assert told["end"] == at_once["end"]
    np.testing.assert_allclose(kept_evidence(single)[1], kept_evidence(whole)[1], atol=1e-9)


@settings(deadline=None, max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(1, 4), share=st.floats(0.05, 0.95))
def test_a_state_saved_and_restored_goes_on_as_if_nothing_was(seed, share, tmp_path_factory):
    events = stolen(seed, days=8, accounts=6)
    learn = detect(events, BOLD).learn_until
    _, told = fed(events, [], BOLD, learn_until=learn)
    cut = int(share * events.num_rows)
    path = tmp_path_factory.mktemp("state") / "stream"
    first = Stream(BOLD, learn_until=learn)
    said = {alert.id: alert for alert in first.feed(events.slice(0, cut))}
    first.save(path)
    second = Stream.load(path, BOLD)
    said |= {alert.id: alert for alert in second.feed(events.slice(cut))}
    said |= {alert.id: alert for alert in second.finish()}
    assert said == told["end"]


def test_a_saved_state_is_for_its_owner_alone_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    Stream().save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CheckpointError):
        Stream.load(path)


def test_a_state_of_other_detectors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    Stream(detectors={}).save(path)
    with pytest.raises(CheckpointError, match="other detectors"):
        Stream.load(path)


def test_events_out_of_order_within_the_window_change_nothing() -> None:
    events = stolen(2)
    learn = detect(events, BOLD).learn_until
    _, told = fed(events, [], BOLD, learn_until=learn)
    shaken = times(events) + np.random.default_rng(0).integers(0, 500_000_000, events.num_rows)
    mixed = events.take(pa.array(np.argsort(shaken, kind="stable")))
    stream, again = fed(mixed, list(range(50, events.num_rows, 50)), BOLD, learn_until=learn)
    assert stream.late == 0
    assert again["end"] == told["end"]


def test_later_ones_are_counted_and_not_lost() -> None:
    events = stolen(2)
    first, rest = events.slice(0, 10), events.slice(10)
    stream = Stream(BOLD, keep=True)
    stream.feed(rest)
    stream.feed(first)
    stream.finish()
    assert stream.late == 10
    looked_at = sum(len(seen.partition.units) for seen in stream.kept)
    assert looked_at >= len(detect(events).partition.units) - 10


class Growing(list):
    """The accounts of a stream whose next slice is being read: one more at every look."""

    looks = 0

    def __len__(self) -> int:
        self.looks += 1
        return super().__len__() + self.looks


def test_accounts_that_come_while_a_day_is_judged_change_nothing(monkeypatch) -> None:
    events = stolen(3)
    learn = detect(events, BOLD).learn_until
    _, alone = fed(events, [], BOLD, learn_until=learn)
    find = UnitFinder.find

    def found(self: UnitFinder, rows: Rows) -> Units:
        units = find(self, rows)
        return replace(units, accounts=Growing(units.accounts))

    monkeypatch.setattr(UnitFinder, "find", found)
    _, meanwhile = fed(events, [], BOLD, learn_until=learn)
    assert alone["end"]
    assert meanwhile["end"] == alone["end"]


def test_detection_is_a_use_of_the_stream() -> None:
    events = stolen(3)
    found = detect(events, BOLD)
    _, told = fed(events, [], BOLD, learn_until=found.learn_until)
    assert {alert.id: alert for alert in found.alerts} == told["end"]
    whole = join_partitions([seen.partition for seen in found.stream.kept])
    assert found.evidence.ratios.shape[0] == len(whole.units)


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["hospital", "regional-portal"])
def test_a_platform_is_seen_alike_in_any_batches(preset: str, tmp_path: Path) -> None:
    worlds = pytest.importorskip("benchmarks.worlds", reason="benchmarks are not installed")
    events = worlds.as_events(simulate(preset, 0.03, seed=11, days=16, attacks=1))
    events = events.take(pa.array(np.argsort(times(events), kind="stable")))
    learn = detect(events, BOLD).learn_until
    whole, at_once = fed(events, [], BOLD, learn_until=learn)
    for size in (997, 20_000):
        cuts = list(range(size, events.num_rows, size))
        parts, told = fed(events, cuts, BOLD, learn_until=learn)
        assert told["end"] == at_once["end"]
        np.testing.assert_allclose(kept_evidence(parts)[1], kept_evidence(whole)[1], atol=1e-9)
    first = Stream(BOLD, learn_until=learn)
    said = {alert.id: alert for alert in first.feed(events.slice(0, events.num_rows // 2))}
    first.save(tmp_path / "stream")
    second = Stream.load(tmp_path / "stream", BOLD)
    said |= {alert.id: alert for alert in second.feed(events.slice(events.num_rows // 2))}
    said |= {alert.id: alert for alert in second.finish()}
    assert at_once["end"]
    assert said == at_once["end"]
