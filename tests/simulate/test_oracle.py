"""The oracle is what it claims: its honest chances are those of the simulator."""

from functools import cache

import numpy as np
import pytest
from benchmarks.bench_oracle import Case, _alerts, threshold
from benchmarks.encounters import visits
from benchmarks.logview import LogOracle
from benchmarks.oracle import Oracle, hypothesis_of

from vigie.simulate.presets import simulate, stage
from vigie.simulate.world import REASONS


@cache
def oracle(preset: str) -> Oracle:
    world = simulate(preset, 0.03, 3, days=25, attacks=2)
    return Oracle(world, stage(preset, 0.03, 3, days=25))


def honest(of: Oracle) -> np.ndarray:
    quiet = of.burst == 0
    return (of.visits.attack < 0) & of.named & quiet


@pytest.mark.parametrize("preset", ["hospital", "regional-portal", "third-party-payment"])
def test_a_visit_is_the_patient_who_was_wanted(preset):
    found = visits(oracle(preset).world)
    logged = oracle(preset).world.accesses
    assert 0.2 < len(found.at) / len(set(logged["access"].to_pylist())) < 1
    assert (found.end >= found.at).all()
    assert (np.diff(found.account) >= 0).all()


def test_a_likelihood_ratio_has_mean_one_under_honest_work():
    of = oracle("hospital")
    rows = honest(of)
    anyone = 1 / of.stage.people.register.size
    for chance in (np.full(len(rows), anyone), of.nearby, of.elsewhere):
        assert (chance[rows] / of.honest[rows]).mean() == pytest.approx(1, abs=0.2)


def test_the_honest_chances_know_the_reason():
    """Whoever met a stranger drew from the strangers, and so on."""
    of = oracle("regional-portal")
    weight = of.mix * of.by_source
    weight /= weight.sum(axis=1, keepdims=True)
    of_reason = {
        name: weight[honest(of) & (of.visits.reason == REASONS.index(name))].mean(axis=0)
        for name in ("own", "new_patient", "referral")
    }
    assert of_reason["own"][0] > 0.8
    assert of_reason["new_patient"][3] > 0.5
    assert of_reason["referral"][5:].sum() > 0.6


@pytest.mark.parametrize("kind", ["truth", "log"])
def test_a_theft_looks_unlike_honest_work(kind):
    of = oracle("hospital")
    seen = of if kind == "truth" else LogOracle(of)
    ratio = np.log(np.maximum(seen.stolen("register", 0.2), 1e-9))
    numbers = [n for n, a in enumerate(of.world.attacks) if hypothesis_of(a) == "register"]
    theft = np.isin(of.visits.attack, numbers) & of.named
    theft &= of.visits.at >= getattr(seen, "begin", 0)
    assert np.median(ratio[theft]) > 1.0
    assert np.median(ratio[honest(of)]) < 0.0


def test_whoever_looks_up_colleagues_opens_records_of_colleagues_of_the_place():
    of = oracle("hospital")
    people = of.stage.people
    ratio = of.stolen("colleagues", 0.2)
    site = dict(zip(people.owner.tolist(), people.organisation.tolist(), strict=True))
    rows = np.flatnonzero((ratio > 0) & of.named)
    here = people.organisation[of.visits.account[rows]].tolist()
    assert [site[one] for one in of.visits.patient[rows].tolist()] == here
    assert np.median(ratio[rows]) > 1


def test_what_the_log_shows_of_looks_at_colleagues_is_a_ratio():
    seen = LogOracle(oracle("hospital")).stolen("colleagues", 0.2)
    assert np.isfinite(seen).all()
    assert (seen >= 0).all()


def test_the_threshold_keeps_the_budget():
    of = oracle("hospital")
    rows = np.flatnonzero(of.visits.attack < 0)
    llr = np.log1p(0.2 * (np.minimum(of.stolen("register", 0.2), 1e9) - 1))
    limit = threshold([Case(of.world, of, rows, 20_000)], [llr])
    account, at = of.visits.account[rows], of.visits.at[rows]
    assert _alerts(account, at, llr[rows], limit) <= 2
    assert _alerts(account, at, llr[rows], limit - 1.0) >= 2
