"""How hard the simulated attacks are: the best naive rule, and a classifier on single rows.

    python -m benchmarks.bench_hardness [--scale 1] [--seeds 1 2 3] [--attacks 4] [PRESET…]

Two figures per preset and seed, both to stay low: the share of attacks that the best naive rule
finds at 1 false alert per 10,000 account-days, and the area under the ROC curve of gradient
boosting on what stands in one row (exports and dumps aside), accounts of the test never seen in
training. What relates a row to other rows (is this patient known, near, next in the alphabet?) is
not a feature of the row; how many accounts use this address or device, and whether the account
used it before, is given all the same.
"""

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from benchmarks import naive
from benchmarks.base import Result
from vigie.simulate.presets import PRESETS, simulate
from vigie.simulate.world import World

LOUD = ("export", "database_dump")
DAY, HOUR = 86_400_000_000, 3_600_000_000


def features(world: World, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], list[str]]:
    """Return what one row says, as numbers, and the names."""
    table = world.accesses.take(rows)
    account = table["account"].to_numpy()
    local = table["at"].to_numpy() - world.start
    columns = {"hour": local % DAY // (HOUR // 2), "weekday": local // DAY % 7}
    for name in ("action", "object", "query_shape", "record_count", "bytes", "user_agent",
                 "auth_method", "purpose", "outcome", "unit"):  # fmt: skip
        columns[name] = table[name].to_numpy()
    columns["behalf"] = table["on_behalf_of"].to_numpy() >= 0
    professions = pc.dictionary_encode(world.accounts["profession"]).combine_chunks()
    columns["profession"] = professions.indices.to_numpy()[account]
    for name in ("network", "device"):
        shared, age = _habit(world, name)
        columns[f"accounts on {name}"] = shared[table[name].to_numpy()]
        columns[f"days since first on {name}"] = age[rows]
    return np.stack([np.asarray(c, np.float64) for c in columns.values()], 1), list(columns)


def _habit(world: World, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many accounts use each place, and each row's age of its (account, place)."""
    account = world.accesses["account"].to_numpy().astype(np.int64)
    place = world.accesses[name].to_numpy().astype(np.int64)
    at = world.accesses["at"].to_numpy()
    pairs, first, back = np.unique(
        account * (1 << 32) + place, return_index=True, return_inverse=True
    )
    age = np.minimum((at - at[first][back]) // DAY, 3)
    return np.bincount(pairs % (1 << 32), minlength=int(place.max()) + 1), age


def row_auc(world: World, most: int = 20_000) -> tuple[float, float]:
    """Return the AUC of rows, and the AUC when every attack weighs the same."""
    attack = world.accesses["attack"].to_numpy()
    account = world.accesses["account"].to_numpy()
    loud = np.array([a.family in LOUD for a in world.attacks] + [False])
    rng = np.random.default_rng(0)
    positive = np.flatnonzero((attack >= 0) & ~loud[attack])
    negative = np.flatnonzero(naive.attacked(world)[account] < 0)
    rows = np.sort(np.r_[_some(rng, positive, most), _some(rng, negative, 2 * most)])
    truth = attack[rows] >= 0
    given, _ = features(world, rows)
    score = np.zeros(len(rows))
    groups = np.where(truth, attack[rows], 1_000_000 + account[rows])
    for train, test in GroupKFold(4).split(given, truth, groups):
        model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15, random_state=0)
        with threadpool_limits(1):
            model.fit(given[train], truth[train], sample_weight=_even(attack[rows][train]))
            score[test] = model.predict_proba(given[test])[:, 1]
    return (
        float(roc_auc_score(truth, score)),
        float(roc_auc_score(truth, score, sample_weight=_even(attack[rows]))),
    )


def _some(rng: np.random.Generator, rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return rng.choice(rows, most, replace=False) if len(rows) > most else rows


def _even(attack: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weigh rows so that every attack counts the same, and thefts as much as honest rows."""
    kinds, back, count = np.unique(attack, return_inverse=True, return_counts=True)
    weight = 1.0 / count
    weight[kinds >= 0] /= max((kinds >= 0).sum(), 1)
    return weight[back] * len(attack)


@dataclass(frozen=True, slots=True)
class Measure:
    """How hard one world is; `rules` and `families` are shares of attacks found."""

    preset: str
    seed: int
    accounts: int
    rows: int
    rate: float
    attacks: int
    best: str
    found: float
    auc: float
    auc_even: float
    rules: dict[str, float]
    families: dict[str, float]


def measure(preset: str, scale: float, seed: int, attacks: int) -> Measure:
    """Measure one world."""
    begun = time.perf_counter()
    world = simulate(preset, scale, seed, attacks=attacks)
    rate = world.accesses.num_rows / (time.perf_counter() - begun)
    hits = {scores.rule: naive.found_by(world, scores) for scores in naive.rules(world)}
    best = max(hits, key=lambda rule: hits[rule].mean())
    auc, auc_even = row_auc(world)
    families: dict[str, list[bool]] = defaultdict(list)
    for attack, hit in zip(world.attacks, hits[best].tolist(), strict=True):
        families[attack.family].append(hit)
    return Measure(
        preset, seed, world.accounts.num_rows, world.accesses.num_rows, rate, len(world.attacks),
        best, float(hits[best].mean()), auc, auc_even,
        {rule: float(found.mean()) for rule, found in hits.items()},
        {family: float(np.mean(found)) for family, found in families.items()},
    )  # fmt: skip


def run(scale: float = 0.5, seeds: tuple[int, ...] = (1,), attacks: int = 4) -> list[Result]:
    """Return the rows of the bench table: the worst of the seeds.

    Below a quarter of full size a platform has too few accounts to say anything.
    """
    results = []
    for preset in PRESETS:
        done = [measure(preset, max(scale, 0.25), seed, attacks) for seed in seeds]
        worst = max(done, key=lambda m: m.found)
        rule = Result(
            f"hardness, {preset}: best naive rule", worst.found, "all attacks", 1.0,
            "share found", "at most 0.30", worst.best,
        )  # fmt: skip
        auc = max(m.auc for m in done)
        row = Result(f"hardness, {preset}: one row", auc, "perfect", 1.0, "AUC", "at most 0.75")
        results += [rule, row]
    return results


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("presets", nargs="*", default=PRESETS)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--attacks", type=int, default=4)
    parser.add_argument("--verbose", action="store_true")
    said = parser.parse_args()
    print("preset seed accounts rows rows/s attacks found AUC AUC-even best")
    for preset in said.presets:
        for seed in said.seeds:
            m = measure(preset, said.scale, seed, said.attacks)
            counts = f"{preset} {seed} {m.accounts} {m.rows} {m.rate:.0f} {m.attacks}"
            print(f"{counts} {m.found:.2f} {m.auc:.3f} {m.auc_even:.3f} {m.best}", flush=True)
            if said.verbose:
                print("   rules", {rule: round(share, 2) for rule, share in m.rules.items()})
                print("   families", m.families)


if __name__ == "__main__":
    main()
