"""Detection on every preset beside the best naive rule, and its throughput beside DuckDB's.

    python -m benchmarks.bench_detection [SCALE [SEED…]]

Two readings of the same run, pooled over the seeds, learning on the first 40 % of the log:

- *as calibrated*: the thresholds that the user gets, at a budget of 1 false alert per 10,000
  account-days, with the false alerts that were really raised;
- *at a true 1*: all thresholds of a preset moved by one common amount until the false alerts of
  the scored part are 1 per 10,000. This is hindsight, and so are the naive rules' thresholds.

Seeds 1 to 9 served for tuning; report on seeds from 201.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa
from scipy.stats import chi2

from benchmarks import naive
from benchmarks.base import Result
from benchmarks.judge import Crossings, Theft, Verdict, crossings, judge, true_budget
from benchmarks.worlds import as_care, as_events, as_staff
from vigie.detection import Detection, detect
from vigie.simulate.presets import PRESETS, simulate
from vigie.simulate.world import World

DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """One world, judged: the verdict as calibrated, what each crossing needs, the naive rules."""

    verdict: Verdict
    crossings: Crossings
    naive: dict[str, float]


def measure(world: World, events: pa.Table | None = None) -> Detection:
    """Detect on a world with the default settings."""
    until = datetime.fromtimestamp((world.start + int(0.4 * world.days) * DAY) / 1e6, UTC)
    events = as_events(world) if events is None else events
    care = as_care(world) if world.care.num_rows else None
    staff = as_staff(world) if world.staff.num_rows else None
    return detect(events, learn_until=until, care=care, staff=staff)


def judged(preset: str, scale: float, seed: int) -> Run:
    """Simulate, detect and judge one world."""
    world = simulate(preset, scale, seed, attacks=4)
    shares = {s.rule: float(naive.found_by(world, s).mean()) for s in naive.rules(world)}
    found = measure(world)
    return Run(judge(world, found), crossings(world, found), shares)


def rows(preset: str, runs: list[Run]) -> list[str]:
    """Return the two lines of a preset's table: as calibrated, and at a true 1."""
    thefts = [theft for run in runs for theft in run.verdict.thefts]
    false = sum(len(run.verdict.false) for run in runs)
    days = sum(run.verdict.account_days for run in runs)
    rules = {rule: np.mean([run.naive[rule] for run in runs]) for rule in runs[0].naive}
    best = max(rules, key=lambda rule: rules[rule])
    shift = true_budget([run.crossings for run in runs], max(days / 10_000, 1))
    moved = [theft for run in runs for theft in run.crossings.thefts(shift)]
    high = chi2.ppf(0.95, 2 * false + 2) / 2
    rate = f"{1e4 * false / days:.1f} ({false} in {days}; at most {1e4 * high / days:.1f})"
    return [
        f"| {preset}, as calibrated | {_quality(thefts)} | {rate} | |",
        f"| {preset}, at a true 1 | {_quality(moved)} | 1 | {100 * rules[best]:.0f} % ({best}) |",
    ]


def _quality(thefts: Sequence[Theft]) -> str:
    exposed = [theft.exposed for theft in thefts]
    found = 100 * np.mean([theft.found for theft in thefts])
    return (
        f"{len(thefts)} | {found:.0f} % | {np.median(exposed):.0f} | "
        f"{np.quantile(exposed, 0.9):.0f}"
    )


def families(runs: Mapping[str, list[Run]]) -> list[str]:
    """Return one line per family, over all presets: as calibrated."""
    thefts: dict[str, list[Theft]] = defaultdict(list)
    for theft in (t for each in runs.values() for run in each for t in run.verdict.thefts):
        thefts[theft.family].append(theft)
    return [f"| {family} | {_quality(some)} |" for family, some in sorted(thefts.items())]


def throughput(scale: float = 0.3, seed: int = 201) -> Result:
    """Return accesses per second from table to alerts beside DuckDB's distinct count."""
    events = as_events(simulate("hospital", scale, seed))
    detect(events.slice(0, 1000))
    begun = time.perf_counter()
    detect(events)
    ours = events.num_rows / (time.perf_counter() - begun)
    begun = time.perf_counter()
    slim = events.select(["account", "at", "patient"])
    days = (
        'select account, epoch_us("at") // 86400000000, count(distinct patient) '
        "from slim group by all"
    )
    duckdb.sql(f"select count(*) from ({days})").fetchall()
    theirs = slim.num_rows / (time.perf_counter() - begun)
    return Result(
        "Detection, events table to alerts", ours, "DuckDB, distinct patients by account and day",
        theirs, "accesses/s", "0.25", f"hospital, scale {scale}, {events.num_rows} accesses",
    )  # fmt: skip


def run(scale: float = 1.0) -> list[Result]:
    """Return the throughput row; quality needs minutes and is this module's own command."""
    return [throughput(max(0.3 * scale, 0.05))]


def main() -> None:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3
    seeds = [int(text) for text in sys.argv[2:]] or [201, 202]
    print("| preset | attacks | found | exposed, median | 9th decile | false / 10,000 | naive |")
    print("|---|---|---|---|---|---|---|")
    done = {}
    for preset in PRESETS:
        done[preset] = [judged(preset, scale, seed) for seed in seeds]
        print(*rows(preset, done[preset]), sep="\n", flush=True)
    print("\n| family | attacks | found | exposed, median | 9th decile |")
    print("|---|---|---|---|---|")
    print(*families(done), sep="\n", flush=True)
    found = throughput(scale)
    print(
        f"{found.name}: {found.ours:,.0f} {found.unit}, {found.ratio:.2f} of {found.reference_name}"
    )


if __name__ == "__main__":
    main()
