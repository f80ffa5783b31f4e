"""False alerts on honest traffic, with an upper limit that takes a site's alerts for one another's.

    python -m benchmarks.bench_budget [--scale 0.3] [--seeds 221…] [--presets NAME…]

Each platform (no attacks; the first 40 % of its days teach, the rest is scored) is one JSON line of
`--file`; a run that was stopped goes on where it was. The target is at least 300,000 account-days:
five presets, four seeds at scale 0.3 give about that. Alerts of the graver levels are too few for a
limit by site: theirs is Poisson's.
"""

import argparse
from pathlib import Path

from scipy.stats import chi2

from benchmarks.trials import by_site, code, observe, rate, record, recorded
from vigie.alerts.watch import LEVELS
from vigie.simulate.presets import PRESETS, simulate

FILE = Path(".bench") / "budget.jsonl"


def table(trials: list[dict]) -> str:
    """Return the table in Markdown, per preset and pooled."""
    lines = [
        "| preset | false alerts | account-days | per 10,000 | upper 95 % limit |",
        "|---|---:|---:|---:|---:|",
    ]
    for preset in sorted({trial["preset"] for trial in trials}):
        mine = [trial for trial in trials if trial["preset"] == preset]
        lines.append(f"| {preset} | {rate(by_site(mine, 0))} |")
    lines.append(f"| all | {rate(by_site(trials, 0))} |")
    days = by_site(trials, 0)[:, 0].sum()
    for number, level in enumerate(LEVELS[1:], 1):
        names = LEVELS[number:]
        told = sum(trial["levels"].get(name, 0) for trial in trials for name in names)
        high = 1e4 / days * chi2.ppf(0.95, 2 * told + 2) / 2
        rates = f"{1e4 * told / days:.3f} | {high:.3f}"
        lines.append(f"| {level} or graver | {told} | {days:.0f} | {rates} |")
    return "\n".join(lines)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--presets", nargs="+", choices=PRESETS, default=PRESETS)
    asked.add_argument("--scale", type=float, default=0.3)
    asked.add_argument("--seeds", type=int, nargs="+", default=[221, 222, 223, 224])
    asked.add_argument("--file", type=Path, default=FILE)
    said = asked.parse_args()
    wanted = [(preset, said.scale, seed) for seed in said.seeds for preset in said.presets]
    done = {(t["preset"], t["scale"], t["seed"]): t for t in recorded(said.file)}
    for preset, scale, seed in wanted:
        if (preset, scale, seed) not in done:
            trial = observe(simulate(preset, scale, seed, attacks=0), scale)
            record(said.file, trial)
            done[preset, scale, seed] = trial
            print(f"{preset} {seed}: {rate(by_site([trial], 0))}", flush=True)
    print(f"\n{len(wanted)} platforms, code {code()}\n")
    print(table([done[each] for each in wanted]))


if __name__ == "__main__":
    main()
