"""What is possible on the simulator: CUSUM with the true distributions, calibrated in hindsight.

    python -m benchmarks.bench_oracle [SCALE [SEED… [PRESET…]]] [vigie]

With `vigie` the detector runs on the same worlds, as calibrated by itself, and the ratio of its
median exposure to each oracle's is printed.

Per theft: log-likelihood ratio of each visit with the thief's true family and intensity, summed and
held at zero (Page's CUSUM), per account. Per preset, hypothesis and intensity the threshold is the
lowest that leaves at most 1 false alert per 10,000 account-days on the accounts of the same worlds
that were never attacked (alarms less than 7 days apart are one). *Found* and *exposed* are those of
`judge`. What the oracles know: see `oracle` and `logview`. *Untold* is the log's oracle that knows
neither family nor intensity: all run side by side under one threshold.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numba
import numpy as np

from benchmarks.encounters import Floats, Ints, strangers
from benchmarks.logview import LogOracle
from benchmarks.naive import attacked
from benchmarks.oracle import INTENSITIES, Oracle, hypothesis_of
from vigie.simulate.presets import PRESETS, simulate, stage
from vigie.simulate.world import World

DAY = 86_400_000_000
UNTOLD = (
    "register", "practice", "enumeration", "name_sweep", "town_sweep", "own_panel", "checks",
    "series", "break_glass", "export",
)  # fmt: skip
COARSE = (0.03, 0.1, 0.3, 0.9)


@dataclass(frozen=True, slots=True)
class Theft:
    """How one theft fared, as `judge.Theft` says it."""

    preset: str
    family: str
    profession: str
    found: bool
    exposed: int


@dataclass(frozen=True, slots=True)
class Case:
    """One world seen by an oracle; `days` are account-days of accounts never attacked."""

    world: World
    oracle: Oracle | LogOracle
    honest_rows: Ints
    days: int


def cases(preset: str, scale: float, seed: int) -> dict[str, Case]:
    """Simulate a world and give it to both oracles."""
    world = simulate(preset, scale, seed, attacks=4)
    behind = Oracle(world, stage(preset, scale, seed))
    log = LogOracle(behind)
    victim = attacked(world)
    account = world.accesses["account"].to_numpy().astype(np.int64)
    at = world.accesses["at"].to_numpy()
    cell = account * 1000 + (at - world.start) // DAY
    rows = np.flatnonzero(victim[behind.visits.account] < 0)
    honest = victim[account] < 0
    return {
        "truth": Case(world, behind, rows, len(np.unique(cell[honest]))),
        "log": Case(world, log, rows, len(np.unique(cell[honest & (at >= log.begin)]))),
    }


def evidence(of: Case, hypothesis: str, intensity: float) -> Floats:
    """Return what each visit adds: the log ratio of thief among owner to owner alone."""
    ratio = of.oracle.stolen(hypothesis, intensity)
    if hypothesis == "export":
        return np.clip(np.log(np.maximum(ratio, 1e-9)), -30, 30)
    return np.log1p(intensity * (np.minimum(ratio, 1e12) - 1))


@numba.njit(cache=True, nogil=True)
def _levels(account, llr, best):
    """Raise `best` to the statistic after each visit, where that is higher."""
    s, who = 0.0, -1
    for i in range(account.size):
        if account[i] != who:
            who, s = account[i], 0.0
        s = max(s, 0.0) + llr[i]
        best[i] = max(best[i], s)


@numba.njit(cache=True, nogil=True)
def _alerts(account, at, llr, threshold):
    count, s, who, last = 0, 0.0, -1, 0
    for i in range(account.size):
        if account[i] != who:
            who, s, last = account[i], 0.0, -(10**18)
        s = max(s, 0.0) + llr[i]
        if s > threshold:
            if at[i] - last > 7 * 86_400_000_000:
                count += 1
            last, s = at[i], 0.0
    return count


@numba.njit(cache=True, nogil=True)
def _first(account, stolen, llr, threshold):
    """Return the first alarm whose evidence holds a stolen visit, else -1."""
    s, who, dirty = 0.0, -1, False
    for i in range(account.size):
        if account[i] != who:
            who, s, dirty = account[i], 0.0, False
        if s <= 0.0:
            s, dirty = 0.0, False
        s += llr[i]
        dirty = dirty or stolen[i]
        if s > threshold:
            if dirty:
                return i
            s = 0.0
    return -1


def threshold(worlds: list[Case], parts: list[Floats]) -> float:
    """Return the lowest threshold within the budget, in hindsight."""
    allowed = max(sum(of.days for of in worlds) / 10_000, 1)
    low, high = 0.0, 60.0
    for _ in range(20):
        middle = (low + high) / 2
        false = sum(
            _alerts(
                of.oracle.visits.account[of.honest_rows], of.oracle.visits.at[of.honest_rows],
                part[of.honest_rows], middle,
            )
            for of, part in zip(worlds, parts, strict=True)
        )  # fmt: skip
        low, high = (low, middle) if false <= allowed else (middle, high)
    return high


def intensity_of(of: Case, number: int) -> float:
    """Return the share of the thief in the visits of his accounts while he was there."""
    v = of.oracle.visits
    mine = v.attack == number
    there = np.isin(v.account, of.world.attacks[number].accounts)
    there &= (v.at >= v.at[mine].min()) & (v.at <= v.at[mine].max())
    share = mine.sum() / there.sum()
    return min(INTENSITIES, key=lambda i: abs(np.log(i / share)))


def exposed(world: World, number: int, until: int) -> int:
    """Count what the thief reached up to `until`, as `judge` does."""
    rows = world.accesses.filter(world.accesses["attack"].to_numpy() == number)
    at, patient, records, access = (
        rows[name].to_numpy() for name in ("at", "patient", "record_count", "access")
    )
    early = at <= until
    _, once = np.unique(access[early], return_index=True)
    unnamed = records[early][once][patient[early][once] < 0]
    named = patient[early]
    return len(np.unique(named[named >= 0])) + int(unnamed[unnamed > 0].sum())


def judged(worlds: list[Case]) -> Iterable[Theft]:
    """Yield how each theft fares under its own hypothesis."""
    wanted = defaultdict(list)
    for which, of in enumerate(worlds):
        for number, attack in enumerate(of.world.attacks):
            wanted[hypothesis_of(attack), intensity_of(of, number)].append((which, number))
    for (hypothesis, intensity), thefts in wanted.items():
        parts = [evidence(of, hypothesis, intensity) for of in worlds]
        limit = threshold(worlds, parts)
        for which, number in thefts:
            yield _theft(worlds[which], parts[which], number, limit)


def _theft(of: Case, llr: Floats, number: int, limit: float) -> Theft:
    v, attack = of.oracle.visits, of.world.attacks[number]
    rows = np.flatnonzero(np.isin(v.account, attack.accounts))
    alarms = []
    for account in attack.accounts:
        here = rows[v.account[rows] == account]
        hit = _first(v.account[here], v.attack[here] == number, llr[here], limit)
        if hit >= 0:
            alarms.append(int(v.end[here[hit]]))
    reached = exposed(of.world, number, min(alarms, default=2**62))
    profession = of.world.accounts["profession"][attack.accounts[0]].as_py()
    return Theft(of.world.preset, attack.family, profession, bool(alarms), reached)


def untold(worlds: list[Case]) -> Iterable[Theft]:
    """Yield how each theft fares when neither family nor intensity is told.

    Every hypothesis runs at all intensities of `COARSE` under one threshold of its own; all these
    thresholds are then raised by one common amount, until the alerts of all together keep the
    budget. A theft is found by one of its own visits beyond a threshold.
    """
    levels = [np.full(len(of.oracle.visits.at), -np.inf) for of in worlds]
    for hypothesis in _possible(worlds[0].oracle):
        mine = [_level(of, hypothesis) for of in worlds]
        limit = _common(worlds, mine)
        for best, level in zip(levels, mine, strict=True):
            np.maximum(best, level - limit, out=best)
    limit = _common(worlds, levels)
    for of, best in zip(worlds, levels, strict=True):
        for number, attack in enumerate(of.world.attacks):
            mine = np.flatnonzero((of.oracle.visits.attack == number) & (best > limit))
            until = int(of.oracle.visits.end[mine].min()) if len(mine) else 2**62
            profession = of.world.accounts["profession"][attack.accounts[0]].as_py()
            reached = exposed(of.world, number, until)
            yield Theft(of.world.preset, attack.family, profession, bool(len(mine)), reached)


def _level(of: Case, hypothesis: str) -> Floats:
    """Return the statistic of a hypothesis after each visit, the highest over its intensities."""
    best = np.zeros(len(of.oracle.visits.at))
    for intensity in COARSE if hypothesis != "export" else COARSE[:1]:
        _levels(of.oracle.visits.account, evidence(of, hypothesis, intensity), best)
    return best


def _possible(oracle: Oracle | LogOracle) -> list[str]:
    """Return the hypotheses that make sense on this platform."""
    chosen = oracle.stage.chosen
    lacking = {
        "practice": not chosen.own_register, "checks": "check" not in chosen.workflows,
        "series": "check" not in chosen.workflows, "export": "export" not in chosen.workflows,
        "break_glass": "break_glass" not in chosen.workflows,
    }  # fmt: skip
    return [name for name in UNTOLD if not lacking.get(name)]


def _common(worlds: list[Case], levels: list[Floats]) -> float:
    """Return the lowest common threshold within the budget."""
    allowed = max(sum(of.days for of in worlds) / 10_000, 1)
    low, high = 0.0, 200.0
    for _ in range(30):
        middle = (low + high) / 2
        false = sum(_beyond(of, best, middle) for of, best in zip(worlds, levels, strict=True))
        low, high = (low, middle) if false <= allowed else (middle, high)
    return high


def _beyond(of: Case, best: Floats, limit: float) -> int:
    """Count the alerts on honest accounts: one per seven quiet days."""
    rows = of.honest_rows[best[of.honest_rows] > limit]
    account, at = of.oracle.visits.account[rows], of.oracle.visits.at[rows]
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(account) != 0) | (np.diff(at) > 7 * DAY)
    return int(new.sum())


def row(name: str, thefts: dict[str, list[Theft]]) -> str:
    """Return one line of a table: both oracles beside each other."""
    cells = [name, str(len(thefts["truth"]))]
    for some in thefts.values():
        reached = [theft.exposed for theft in some]
        found = 100 * np.mean([theft.found for theft in some])
        cells += [
            f"{found:.0f} %", f"{np.median(reached):.0f}", f"{np.quantile(reached, 0.9):.0f}",
        ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def table(title: str, thefts: dict[str, list[Theft]], *fields: str) -> None:
    """Print one line per group of thefts."""
    heads = [f"{kind}: found | median | 9th" for kind in thefts]
    print(f"\n| {title} | thefts | " + " | ".join(heads) + " |")
    print("|---" * (2 + 3 * len(thefts)) + "|")
    groups: dict[str, dict[str, list[Theft]]] = defaultdict(lambda: {kind: [] for kind in thefts})
    for kind, some in thefts.items():
        for theft in some:
            groups[", ".join(getattr(theft, field) for field in fields)][kind].append(theft)
    print(*(row(name, groups[name]) for name in sorted(groups)), sep="\n", flush=True)


def detected(world: World) -> list[Theft]:
    """Return how each theft fares under Vigie itself."""
    from benchmarks.bench_detection import measure
    from benchmarks.judge import judge

    return [
        Theft(world.preset, theft.family, theft.profession, theft.found, theft.exposed)
        for theft in judge(world, measure(world)).thefts
    ]


def ratios(title: str, thefts: dict[str, list[Theft]], *fields: str) -> None:
    """Print the ratio of Vigie's median exposure to each oracle's."""
    oracles = [kind for kind in thefts if kind != "vigie"]
    print(
        f"\n| {title} | thefts | found | exposed | " + " | ".join(f"to {k}" for k in oracles) + " |"
    )
    print("|---" * (4 + len(oracles)) + "|")
    names = sorted({tuple(getattr(t, field) for field in fields) for t in thefts["vigie"]})
    for name in names:
        some = {
            kind: [t for t in all_of if tuple(getattr(t, field) for field in fields) == name]
            for kind, all_of in thefts.items()
        }
        median = {kind: float(np.median([t.exposed for t in mine])) for kind, mine in some.items()}
        found = 100 * np.mean([t.found for t in some["vigie"]])
        cells = [", ".join(name), len(some["vigie"]), f"{found:.0f} %", f"{median['vigie']:.0f}"]
        cells += [f"{median['vigie'] / max(median[kind], 1):.1f}" for kind in oracles]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main() -> None:
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3
    seeds = [int(text) for text in sys.argv[2:] if text.isdigit()] or [1, 2]
    presets = [name for name in PRESETS if name in sys.argv] or PRESETS
    found: dict[str, list[Theft]] = {"truth": [], "log": [], "log, untold": []}
    if "vigie" in sys.argv:
        found["vigie"] = []
    shares = defaultdict(list)
    for preset in presets:
        worlds = [cases(preset, scale, seed) for seed in seeds]
        here = {kind: list(judged([of[kind] for of in worlds])) for kind in ("truth", "log")}
        here["log, untold"] = list(untold([of["log"] for of in worlds]))
        if "vigie" in found:
            here["vigie"] = [theft for of in worlds for theft in detected(of["truth"].world)]
        for kind, some in here.items():
            found[kind] += some
        print(row(preset, here), flush=True)
        for of in worlds:
            kind_of = np.array(of["truth"].world.accounts["profession"].to_pylist())
            share = strangers(of["truth"].world)
            for kind in set(kind_of.tolist()):
                shares[f"{preset}, {kind}"].append(float(share[kind_of == kind].mean()))
    for fields in (("family",), ("profession",), ("preset", "family")):
        table(" and ".join(fields), found, *fields)
        if "vigie" in found:
            ratios(f"Vigie, {' and '.join(fields)}", found, *fields)
    print("\n| preset, profession | new or strange in usual |\n|---|---|")
    print(*(f"| {k} | {100 * np.mean(v):.0f} % |" for k, v in sorted(shares.items())), sep="\n")


if __name__ == "__main__":
    main()
