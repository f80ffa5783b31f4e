"""Detection on every preset beside the best naive rule, and its throughput beside DuckDB's.

    python -m benchmarks.bench_detection [SCALE [SEED…]]

Quality is judged on seeds never used while tuning (101 and above) at the budget of 1 false alert
per 10,000 account-days, learning on the first 40 % of the log. The naive rules have the best
threshold that each could have had on the *scored* part; Vigie's are learnt before it.
"""

import sys
import time
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks import naive
from benchmarks.base import Result
from benchmarks.judge import Verdict, judge
from benchmarks.worlds import as_events
from vigie.detection import detect
from vigie.simulate.presets import PRESETS, simulate
from vigie.simulate.world import World

DAY = 86_400_000_000


def measure(world: World, events: pa.Table | None = None) -> Verdict:
    """Detect on a world with the default settings and judge the alerts."""
    until = datetime.fromtimestamp((world.start + int(0.4 * world.days) * DAY) / 1e6, UTC)
    events = as_events(world) if events is None else events
    return judge(world, detect(events, learn_until=until))


def best_naive(world: World) -> tuple[str, float]:
    """Return the naive rule that finds most, and the share it finds."""
    shares = [(float(naive.found_by(world, s).mean()), s.rule) for s in naive.rules(world)]
    share, rule = max(shares)
    return rule, share


def row(preset: str, scale: float, seeds: list[int]) -> str:
    """Return one line of the table."""
    verdicts, rules = [], []
    for seed in seeds:
        world = simulate(preset, scale, seed, attacks=4)
        verdicts.append(measure(world))
        rules.append(best_naive(world))
    thefts = [theft for verdict in verdicts for theft in verdict.thefts]
    exposed = [theft.exposed for theft in thefts]
    false = sum(len(verdict.false) for verdict in verdicts)
    days = sum(verdict.account_days for verdict in verdicts)
    rule, _ = max(rules, key=lambda r: r[1])
    return (
        f"| {preset} | {len(thefts)} | {100 * np.mean([t.found for t in thefts]):.0f} % | "
        f"{np.median(exposed):.0f} | {np.quantile(exposed, 0.9):.0f} | {1e4 * false / days:.1f} "
        f"({false} in {days}) | {100 * np.mean([r[1] for r in rules]):.0f} % ({rule}) |"
    )


def throughput(scale: float = 0.3, seed: int = 101) -> Result:
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


def main() -> None:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3
    seeds = [int(text) for text in sys.argv[2:]] or [101, 102]
    print(
        "| preset | attacks | found | exposed, median | 9th decile | false / 10,000 | best naive |"
    )
    print("|---|---|---|---|---|---|---|")
    for preset in PRESETS:
        print(row(preset, scale, seeds), flush=True)
    found = throughput(scale)
    print(
        f"{found.name}: {found.ours:,.0f} {found.unit}, {found.ratio:.2f} of {found.reference_name}"
    )


if __name__ == "__main__":
    main()
