"""What the benchmarks of detection count: loot, false alerts, waiting, limits, leaky buckets."""

from datetime import UTC, datetime

import numpy as np
import pytest
from benchmarks.bench_delivery import DELIVERIES, known
from benchmarks.crowdsec import Bucket, Lines, Replay, as_scores, overflows
from benchmarks.drift import STRANGE, drifted, largest
from benchmarks.judge import judge
from benchmarks.loot import loots
from benchmarks.naive import DAY, attacked
from benchmarks.trials import upper_limit

from vigie.alerts.watch import Alert
from vigie.simulate.presets import simulate
from vigie.simulate.world import World

SECOND = 1_000_000


@pytest.fixture(scope="module")
def world() -> World:
    return simulate("hospital", 0.02, seed=3, days=30, attacks=1)


@pytest.fixture(scope="module")
def honest() -> World:
    return simulate("third-party-payment", 0.02, seed=3, days=40, attacks=0)


class Answer:
    """As much of a detection as `judge` looks at."""

    def __init__(self, world: World, *alerts: Alert) -> None:
        self.alerts = alerts
        self.learn_until = datetime.fromtimestamp((world.start + 12 * DAY) / 1e6, UTC)


def alert(world: World, accounts: list[int], rows: list[int], opened: int, last: int) -> Alert:
    login = world.accounts.column("login").to_pylist()
    names = [login[account] for account in accounts]
    moments = [datetime.fromtimestamp(at / 1e6, UTC) for at in (opened, last)]
    return Alert(
        "0", names[0], names, "watch", *moments, 1, 1.0, "register_sweep", {}, {}, {},
        [f"log:{row + 1}" for row in rows],
    )  # fmt: skip


def stolen(world: World, number: int) -> np.ndarray:
    return np.flatnonzero(world.accesses.column("attack").to_numpy() == number)


def test_the_loot_is_the_distinct_patients_of_the_theft(world: World) -> None:
    of = world.accesses.column("patient").to_numpy()
    records = world.accesses.column("record_count").to_numpy()
    counted = 0
    for number, loot in enumerate(loots(world)):
        mine = stolen(world, number)
        if (of[mine] >= 0).all() or (records[mine[of[mine] < 0]] <= 0).all():
            counted += 1
            assert loot.whole == len(np.unique(of[mine][of[mine] >= 0]))
            assert loot.until(loot.at[0] - 1) == 0
    assert counted > 5


def test_an_alert_that_names_a_victim_is_not_false_whatever_else_it_names(world: World) -> None:
    victim = int(np.flatnonzero(attacked(world) >= 0)[0])
    others = np.flatnonzero(attacked(world) < 0)[:2].tolist()
    at = world.start + 20 * DAY
    both = alert(world, [others[0], victim], [0], at, at)
    neither = alert(world, others, [0], at, at)
    early = alert(world, others, [0], world.start + DAY, at)
    assert judge(world, Answer(world, both, neither, early)).false == (neither,)


def test_a_theft_is_found_at_the_alarm_that_cites_it(world: World) -> None:
    times = world.accesses.column("at").to_numpy()
    number = next(n for n, loot in enumerate(loots(world)) if len(stolen(world, n)) > 20)
    rows = stolen(world, number)
    mid, end = int(times[rows[10]]), int(times[rows[15]])
    account = world.attacks[number].accounts[0]
    honest_row = int(np.flatnonzero(world.accesses.column("attack").to_numpy() < 0)[0])

    def judged(*alerts: Alert):
        return judge(world, Answer(world, *alerts)).thefts[number]

    timely = judged(alert(world, [account], rows[:10].tolist(), mid, end))
    assert (timely.found, timely.alarm_at) == (True, mid)
    assert timely.exposed == loots(world)[number].until(mid)
    joined = judged(alert(world, [account], rows[12:15].tolist(), mid, end))
    assert (joined.found, joined.alarm_at) == (True, end)
    assert not judged(alert(world, [account], [honest_row], mid, end)).found
    missed = judged()
    assert (missed.found, missed.exposed) == (False, missed.loss)


def test_an_alarm_is_known_when_its_batch_arrives() -> None:
    alarm = 10 * DAY + 5 * 3600 * SECOND + 1
    waits = [known(alarm, *DELIVERIES[name]) - alarm for name in DELIVERIES]
    assert waits == sorted(waits)
    assert waits[0] == 0
    assert waits[1] == 60 * SECOND - 1
    assert known(alarm, *DELIVERIES["at night"]) == 11 * DAY + 4 * 3600 * SECOND


def test_alerts_that_come_together_widen_the_limit() -> None:
    spread = np.array([[1000.0, 1.0]] * 12 + [[1000.0, 0.0]] * 12)
    heaped = np.array([[1000.0, 0.0]] * 23 + [[1000.0, 12.0]])
    assert 5.0 < upper_limit(spread) < upper_limit(heaped)


def test_a_bucket_overflows_on_one_distinct_patient_too_many() -> None:
    def raised(patients: list[int], seconds: list[int], bucket: Bucket) -> list[int]:
        who = np.zeros(len(patients), np.int64)
        at, patient = np.array(seconds) * SECOND, np.array(patients)
        log = Lines(who, at, patient, patient, np.zeros(len(at), bool))
        return (overflows(log, [bucket]).at // SECOND).tolist()

    assert raised([1, 2, 3, 4], [0, 1, 2, 3], Bucket(3, 3600)) == [3]
    assert raised([1, 1, 1, 1, 1], [0, 1, 2, 3, 4], Bucket(3, 3600)) == []
    assert raised([1, 2, 3, 4], [0, 10, 20, 30], Bucket(3, 10)) == []
    assert raised([1, 2, 3, 1, 2, 3], [0, 1, 2, 500, 501, 502], Bucket(2, 100)) == [2, 502]


def test_a_drift_adds_strangers_to_one_profession_and_leaves_the_rest(honest: World) -> None:
    profession = largest(honest)
    moved, drift = drifted(honest, profession, day=20)
    assert drift.grown == pytest.approx(0.5, abs=0.1)
    theirs = np.array(honest.accounts.column("profession").to_pylist()) == profession

    account = honest.accesses["account"].to_numpy()
    late = theirs[account] & (honest.accesses["at"].to_numpy() >= honest.start + 20 * DAY)

    def strange(of: World) -> np.ndarray:
        return np.isin(of.accesses["reason"].to_numpy(), STRANGE)

    became = strange(moved) & ~strange(honest)
    changed = moved.accesses["patient"].to_numpy() != honest.accesses["patient"].to_numpy()
    assert became.any()
    assert not (became & ~changed).any()
    assert not (changed & ~late).any()
    told = ["patient", "reason"]
    assert moved.accesses.drop_columns(told).equals(honest.accesses.drop_columns(told))


def test_the_largest_profession_is_one_of_people(honest: World) -> None:
    assert largest(honest, 0) != largest(honest, 1)


def test_an_alarm_before_the_thief_came_is_not_his() -> None:
    hour = 3600 * SECOND
    at = np.array([9, 21, 22]) * hour
    log = Lines(np.zeros(3, np.int64), at, at, at, np.array([False, True, True]))
    raised = Replay(np.zeros(3, np.int64), np.array([9, 22, 60]) * hour, 1.0)
    assert as_scores(raised, log).theft.tolist() == [False, True, False]
