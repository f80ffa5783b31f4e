"""The triage queue on simulated platforms: the share of false ones listed, and what it finds.

    python -m benchmarks.bench_triage [SCALE [SEED…]]

One queue a day of the scored part, and one a week, at a false discovery rate of 0.1 and 0.2. An
account listed in a period without an access of a thief is false. *Share false* is the mean over
periods of the false share of the list (0 where nobody is listed), which is what the theorem bounds;
*pooled* is the share of all that was listed. *Found*: a theft with accesses in the periods listed
whose account was listed in one when the thief was there; weeks begin after the learning part, so
theirs are fewer. *Both*: thefts of the days scored found by either list. *Confirmed*: the accounts
stolen so far are left out of the comparison, as where people have confirmed each theft; without it,
thieves of the days before hide later ones.

Seeds 1 and 2 served for tuning; report on seeds from 341.
"""

import sys
from dataclasses import dataclass
from itertools import chain, product

import numpy as np

from benchmarks.bench_detection import measure
from vigie.detection import Detection
from vigie.simulate.presets import PRESETS, simulate
from vigie.simulate.world import World
from vigie.triage import By, Queue, triage

RATES = (0.1, 0.2)
PERIODS: tuple[By, ...] = ("day", "week")
EPOCH = 719_163
Held = dict[tuple[str, int], set[int]]
"""The thefts that each account-day holds."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the queues of one world held: the false share per period, and the thefts."""

    shares: list[float]
    listed: int
    false: int
    found: set[int]
    thefts: set[int]
    account_periods: int


def visits(world: World, found: Detection) -> Held:
    """Return which thefts each account-day holds."""
    units = found.partition.units
    attack = world.accesses.column("attack").to_numpy()[units.row]
    held: Held = {}
    for place in np.flatnonzero(attack >= 0).tolist():
        name = units.accounts[units.account[place]]
        held.setdefault((name, int(units.day[place])), set()).add(int(attack[place]))
    return held


def tally(world: World, found: Detection, rate: float, confirmed: bool, by: By) -> Tally:
    """Go through the queues of a world."""
    held = visits(world, found)
    stolen = sorted({name for name, _ in held}) if confirmed else []
    queues = triage(found, fdr=rate, confirmed=stolen, by=by)
    scored = {day for queue in queues for day in _days(queue)}
    thefts = {one for (_, day), some in held.items() if day in scored for one in some}
    right: set[int] = set()
    shares, wrong = [], 0
    for queue in queues:
        false = _false(queue, held, right)
        wrong += false
        shares.append(false / max(len(queue.entries), 1))
    listed = sum(len(queue.entries) for queue in queues)
    seen = sum(queue.accounts for queue in queues)
    return Tally(shares, listed, wrong, right, thefts, seen)


def _days(queue: Queue) -> range:
    return range(queue.day.toordinal() - EPOCH, queue.last.toordinal() - EPOCH + 1)


def _false(queue: Queue, held: Held, right: set[int]) -> int:
    """Count the false ones of a period, and add the thefts that it shows."""
    false = 0
    for entry in queue.entries:
        shown = [held[entry.account, day] for day in _days(queue) if (entry.account, day) in held]
        right.update(*shown)
        false += not shown
    return false


def row(name: str, some: list[Tally], days: list[Tally]) -> str:
    """Return one line of the table; `days` are the tallies by day of the same worlds."""
    shares = np.concatenate([one.shares for one in some])
    listed, false = sum(one.listed for one in some), sum(one.false for one in some)
    both = sum(len((a.found | b.found) & b.thefts) for a, b in zip(some, days, strict=True))
    return (
        f"| {name} | {100 * shares.mean():.1f} % (of {len(shares)}) | "
        f"{false} of {listed} ({100 * false / max(listed, 1):.0f} %) | "
        f"{_share(sum(len(a.found) for a in some), sum(len(a.thefts) for a in some))} | "
        f"{_share(both, sum(len(a.thefts) for a in days))} |"
    )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / max(whole, 1):.0f} %)"


def main() -> None:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 0.15
    seeds = [int(text) for text in sys.argv[2:]] or [341, 342]
    ways = list(product(RATES, (False, True), PERIODS))
    done: dict[tuple[float, bool, By], dict[str, list[Tally]]] = {
        way: {preset: [] for preset in PRESETS} for way in ways
    }
    for preset, seed in product(PRESETS, seeds):
        world = simulate(preset, scale, seed, attacks=1)
        found = measure(world)
        for rate, confirmed, by in ways:
            one = tally(world, found, rate, confirmed, by)
            done[rate, confirmed, by][preset].append(one)
            if (rate, confirmed) == (RATES[0], False):
                print(f"{preset} {seed}: {one.account_periods} account-{by}s", file=sys.stderr)
    for rate, confirmed, by in ways:
        said = "thefts confirmed" if confirmed else "nothing confirmed"
        print(f"\nRate {rate}, {said}, by {by}\n\n| preset | share false | pooled | found | both |")
        print("|---|---|---|---|---|")
        chosen, days = done[rate, confirmed, by], done[rate, confirmed, "day"]
        for preset, some in chosen.items():
            print(row(preset, some, days[preset]))
        print(row("all", [*chain(*chosen.values())], [*chain(*days.values())]), flush=True)


if __name__ == "__main__":
    main()
