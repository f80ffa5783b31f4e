"""False alerts when a whole profession meets half as many strangers again, from one day on.

    python -m benchmarks.bench_drift [--scale 0.3] [--seeds 231 232] [--ranks 0 1] [--presets NAME…]

The largest profession of each platform drifts (rank 0), or the next (1, 2…), a week after the
learning part; no attacks. Rates are multiples of the alarm budget, 1 per 10,000 account-days; the
targets are 3 in the first week and 2 after. Each platform is one JSON line of `--file`.
"""

import argparse
from pathlib import Path

from benchmarks.drift import drifted, largest
from benchmarks.trials import by_site, code, observe, rate, record, recorded
from vigie.simulate.presets import PRESETS, simulate

FILE = Path(".bench") / "drift.jsonl"
MORE = 0.5
PHASES = {0: "the week before", 1: "first week", 2: "after"}


def table(trials: list[dict]) -> str:
    """Return the table in Markdown: the drifting profession, and the whole platform."""
    lines = [
        "| accounts | when | false alerts | account-days | times the budget | upper 95 % limit |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for name, theirs in (("of the drifting profession", True), ("of the platform", None)):
        for phase, when in PHASES.items():
            lines.append(f"| {name} | {when} | {rate(by_site(trials, phase, theirs=theirs))} |")
    return "\n".join(lines)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--presets", nargs="+", choices=PRESETS, default=PRESETS)
    asked.add_argument("--scale", type=float, default=0.3)
    asked.add_argument("--seeds", type=int, nargs="+", default=[231, 232])
    asked.add_argument("--ranks", type=int, nargs="+", default=[0])
    asked.add_argument("--file", type=Path, default=FILE)
    said = asked.parse_args()
    done = {_key(trial): trial for trial in recorded(said.file)}
    shown = []
    for seed in said.seeds:
        for preset in said.presets:
            world = simulate(preset, said.scale, seed, attacks=0)
            for rank in said.ranks:
                profession = largest(world, rank)
                key = preset, said.scale, seed, profession
                if key not in done:
                    day = int(0.4 * world.days) + 7
                    moved, drift = drifted(world, profession, day, MORE)
                    done[key] = observe(moved, said.scale, drift)
                    record(said.file, done[key])
                trial = done[key]
                shown.append(trial)
                grown = f"strangers +{100 * trial['drift']['grown']:.0f} %"
                weeks = [rate(by_site([trial], phase)) for phase in (1, 2)]
                print(f"{preset} {seed} {profession}: {grown}; {'; '.join(weeks)}", flush=True)
    print(f"\n{len(shown)} platforms, code {code()}\n")
    print(table(shown))


def _key(trial: dict) -> tuple:
    return trial["preset"], trial["scale"], trial["seed"], trial["drift"]["profession"]


if __name__ == "__main__":
    main()
