"""What share of honest and of stolen look-ups the table of care relations explains.

    python -m benchmarks.bench_care [SCALE [SEED…]]

Per preset and profession, over the patients whom an account wanted on a day (those beside them on
a result page are left out): the share in each class of `vigie.context.care`, honest ones of all
reasons and those of new or strange patients, then stolen ones, own-panel thefts apart.
"""

import sys
from collections import defaultdict

import numpy as np

from benchmarks.worlds import as_care, mixed
from vigie.context.care import CLASSES, Care
from vigie.simulate.presets import simulate
from vigie.simulate.world import REASONS, World

DAY = 86_400_000_000
PRESETS = ("hospital", "practice-software", "regional-portal")
STRANGE = [REASONS.index(name) for name in ("new_patient", "stranger", "referral", "on_call")]


def classes(world: World) -> dict[str, np.ndarray]:
    """Return class, profession, reason and attack of each first look at a patient in a day."""
    table = world.accesses
    of = {n: table[n].to_numpy() for n in ("account", "patient", "at", "attack", "reason")}
    _, wanted = np.unique(table["access"].to_numpy(), return_index=True)
    rows = wanted[of["patient"][wanted] >= 0]
    cell = of["account"].astype(np.int64) * 1000 + (of["at"] - world.start) // DAY
    _, first = np.unique((cell * world.patients.num_rows + of["patient"])[rows], return_index=True)
    rows = rows[first]
    sites = tuple(world.organisations["finess"].to_pylist())
    patient = mixed(world.care["patient"].to_numpy().astype(np.int64), 4)
    care = Care.of(as_care(world), patient)
    found = care.mark(
        mixed(of["patient"][rows].astype(np.int64), 4), of["at"][rows],
        organisation=(table["organisation"].to_numpy()[rows], sites),
    )  # fmt: skip
    names = np.array(world.accounts["profession"].to_pylist())
    family = np.array([attack.family for attack in world.attacks] + [""])
    return {
        "class": found, "profession": names[of["account"][rows]], "reason": of["reason"][rows],
        "family": family[of["attack"][rows]],
    }  # fmt: skip


def row(name: str, found: np.ndarray) -> str:
    """Return one line: how many, and the share of each class in percent."""
    share = np.bincount(found, minlength=len(CLASSES)) / max(len(found), 1)
    return f"| {name} | {len(found)} | " + " | ".join(f"{100 * s:.1f}" for s in share) + " |"


def main() -> None:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 0.1
    seeds = [int(text) for text in sys.argv[2:]] or [1, 2, 3, 4]
    print("| units | how many | " + " | ".join(CLASSES) + " |")
    print("|---" * (2 + len(CLASSES)) + "|")
    for preset in PRESETS:
        groups = defaultdict(list)
        for seed in seeds:
            of = classes(simulate(preset, scale, seed, attacks=4))
            honest = of["family"] == ""
            strange = np.isin(of["reason"], STRANGE)
            groups["honest"].append(of["class"][honest])
            groups["honest, new or strange"].append(of["class"][honest & strange])
            own = of["family"] == "own_panel"
            groups["stolen, own panel"].append(of["class"][own])
            groups["stolen, town sweep"].append(of["class"][of["family"] == "town_sweep"])
            groups["stolen, other"].append(of["class"][~honest & ~own])
            for kind in np.unique(of["profession"]):
                here = of["profession"] == kind
                groups[f"{kind}, honest"].append(of["class"][here & honest])
                groups[f"{kind}, strange"].append(of["class"][here & honest & strange])
                groups[f"{kind}, stolen"].append(of["class"][here & ~honest & ~own])
        for name, parts in groups.items():
            if sum(map(len, parts)) < 200:
                continue
            print(row(f"{preset}: {name}", np.concatenate(parts)), flush=True)


if __name__ == "__main__":
    main()
