"""The naive rules of the hardness benchmark: counted as the issue counts."""

import numpy as np
from benchmarks.naive import (
    DAY,
    Scores,
    account_days,
    attacked,
    best_threshold,
    false_alerts,
    found_by,
    rules,
    units,
)

from vigie.simulate.presets import simulate

HONEST = np.array([True, True, False])


def scores(*rows: tuple[int, int, float]) -> Scores:
    account, day, score = (np.array(column) for column in zip(*rows, strict=True))
    return Scores("rule", account, day * DAY, score.astype(float), np.zeros(len(rows), bool))


def test_a_second_alert_within_seven_days_is_the_same() -> None:
    made = scores((0, 1, 5), (0, 7, 5), (0, 8, 5), (1, 2, 5))
    assert false_alerts(made, HONEST, 4) == 3


def test_alerts_on_attacked_accounts_are_not_false() -> None:
    assert false_alerts(scores((2, 1, 9), (0, 1, 1)), HONEST, 4) == 0


def test_the_threshold_is_the_lowest_within_the_budget() -> None:
    made = scores((0, 1, 5), (0, 20, 7), (1, 2, 6), (1, 30, 3))
    assert best_threshold(made, HONEST, 1) == 6
    assert best_threshold(made, HONEST, 0) == 7
    assert best_threshold(made, HONEST, 4) == -np.inf


def test_units_are_distinct_patients_of_an_account_and_day() -> None:
    world = simulate("third-party-payment", 0.01, seed=1, days=10, attacks=1)
    found = units(world)
    day = (found.at - world.start) // DAY
    rows = np.stack([found.account, day, found.patient])
    assert np.unique(rows, axis=1).shape[1] == rows.shape[1]
    assert found.theft.any()
    assert found.stranger.any()


def test_an_obvious_sweep_is_found_on_a_quiet_platform() -> None:
    world = simulate("practice-software", 0.03, seed=4, days=30, attacks={"fast_sweep": 3})
    found = {rule.rule: found_by(world, rule, budget=300).mean() for rule in rules(world)}
    assert max(found.values()) == 1.0
    assert account_days(world) > 500
    assert (attacked(world) >= 0).sum() == 3
