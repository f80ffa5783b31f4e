"""Against ground truth: the exposure of an account and period is the truth, or holds it."""

import json
from collections import defaultdict

import pytest
from tests.exposure.worlds import HOW, Platform, build, declared, key, scope_of, true_rows

from vigie.exposure import Exposure, expose
from vigie.simulate.presets import PRESETS
from vigie.stores import Store

QUICK = "identity-server"


@pytest.fixture(
    scope="module",
    params=[
        name if name == QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PRESETS
    ],
)
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    return build(request.param, tmp_path_factory.mktemp(request.param))


def attacks(platform: Platform) -> list[dict]:
    return json.loads((platform.folder / "truth" / "attacks.json").read_text("utf-8"))


def cells(found: Exposure) -> dict[tuple[bytes, str, str], int]:
    """Return the accesses of each person, class and way."""
    rows: dict[tuple[bytes, str, str], int] = defaultdict(int)
    for row in found.table.to_pylist():
        rows[row["patient"], row["data_class"], row["how"]] += row["accesses"]
    return dict(rows)


def truth(platform: Platform, account: str, scope) -> dict[tuple[bytes, str, str], int]:
    shows = declared(platform.folder)
    accesses = defaultdict(set)
    for person, screen, action, access in true_rows(platform, account, scope):
        for data_class in shows.get(screen, {"unknown"}):
            accesses[key(person), data_class, HOW.get(action, "opened")].add(access)
    return {cell: len(some) for cell, some in accesses.items()}


def test_the_exposure_is_the_truth_person_by_person_and_class_by_class(platform: Platform) -> None:
    # A log that names persons by a number that children share gives bounds: see below.
    named = platform.world.preset != "third-party-payment"
    with Store.open(platform.home) as store:
        for attack in attacks(platform) if named else []:
            for account in attack["accounts"]:
                scope = scope_of(attack, account)
                found = expose(store, scope)
                assert cells(found) == truth(platform, account, scope), attack["family"]
                assert set(found.table["certainty"].to_pylist()) <= {"not_separable"}


def test_the_bounds_hold_the_truth(platform: Platform) -> None:
    with Store.open(platform.home) as store:
        for attack in attacks(platform):
            for account in attack["accounts"]:
                scope = scope_of(attack, account)
                found = expose(store, scope)
                low, high = found.bounds
                true = len({person for person, *_ in true_rows(platform, account, scope)})
                assert low <= true, attack["family"]
                assert high is None or true <= high
