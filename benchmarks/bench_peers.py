"""Vigie beside what people use, on the same log in the same run: the table of the README.

    apt-get install -y --no-install-recommends crowdsec   # Debian's 1.4.6; stop its service
    python -m benchmarks.bench_peers [--lang en|fr] [--scale 0.11] [--seed 211] [--presets NAME…]

The log is the first million accesses of each preset (a regional portal unless others are named);
the first 40 % of its days teach. Every rule but "Vigie, as calibrated" has the settings of
hindsight: the lowest threshold, of the best of its variants, that keeps the false alerts of this
very log within 1 per 10,000 account-days; one is allowed in any case, and a million accesses hold
some 6,000 account-days, so the table says what it came to. A missed theft counts its whole loss.
Throughput is from the table in memory to scores; CrowdSec's from a file of lines to overflows, its
start and stop taken off. A rule that judges whole days speaks at the end of the day. Both languages
are printed unless one is named.
"""

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import crowdsec, rivals
from benchmarks.base import Result
from benchmarks.bench_detection import measure
from benchmarks.judge import Theft, crossings, judge, true_budget
from benchmarks.loot import loots
from benchmarks.naive import Scores, account_days, attacked, best_threshold, false_alerts
from benchmarks.worlds import as_events
from vigie.simulate.presets import PRESETS, simulate
from vigie.simulate.world import World

ACCESSES = 1_000_000
BUDGET = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one log; `seconds` is None where it is told of another row."""

    method: str
    thefts: list[Theft]
    false: int
    account_days: int
    accesses: int
    seconds: float | None
    note: str = ""


def log(preset: str, scale: float, seed: int) -> World:
    """Return a platform whose log is its first million accesses."""
    world = simulate(preset, scale, seed, attacks=4)
    return replace(world, accesses=world.accesses.slice(0, ACCESSES))


def rows(world: World) -> Iterator[Row]:
    """Measure every method on `world`."""
    allowed = max(int(BUDGET * account_days(world) / 10_000), 1)
    for name, variants in rivals.RIVALS.items():
        yield max(
            (_rule(world, name, variant, allowed) for variant in variants),
            key=lambda row: sum(theft.found for theft in row.thefts),
        )
    if crowdsec.installed():
        yield _crowdsec(world, allowed)
    yield from _vigie(world, allowed)


def _rule(world: World, name: str, rule: Callable[[World], Scores], allowed: int) -> Row:
    """Return the row of a rule at its best threshold."""
    honest = attacked(world) < 0
    begun = time.perf_counter()
    scores = rule(world)
    seconds = time.perf_counter() - begun
    limit = best_threshold(scores, honest, allowed)
    note = "account-days" if name == scores.rule else f"{scores.rule} over {limit:.3g}"
    return Row(
        name, fates(world, scores, limit), false_alerts(scores, honest, limit),
        account_days(world), world.accesses.num_rows, seconds, note,
    )  # fmt: skip


def fates(world: World, rule: Scores, limit: float) -> list[Theft]:
    """Judge the thefts under a rule: found at the first alarm whose window holds the thief."""
    hits = rule.theft & (rule.score > limit)
    number = attacked(world)[rule.account[hits]]
    first = np.full(len(world.attacks), np.iinfo(np.int64).max)
    np.minimum.at(first, number[number >= 0], rule.at[hits][number >= 0])
    result = []
    for attack, loot, at in zip(world.attacks, loots(world), first.tolist(), strict=True):
        found = bool(len(loot.at)) and at < np.iinfo(np.int64).max
        seen = loot.until(at) if found else loot.whole
        result.append(Theft(attack.family, "", found, seen, loot.whole, "", loot=loot))
    return [theft for theft in result if theft.loss]


def _crowdsec(world: World, allowed: int) -> Row:
    given = crowdsec.lines(world)
    begin = rivals.beginning(world)
    buckets = crowdsec.tune(world, given, begin, allowed)
    with tempfile.TemporaryDirectory() as folder:
        raised = crowdsec.replay(given, buckets, Path(folder))
    modelled = crowdsec.overflows(given, buckets)
    scores = crowdsec.scored(crowdsec.as_scores(raised, given), begin)
    spoken = " and ".join(f"{b.capacity} patients, one leaks in {b.leak} s" for b in buckets)
    note = f"{spoken}; {100 * crowdsec.agrees(raised, modelled):.1f} % as modelled for tuning"
    return Row(
        "CrowdSec 1.4.6, leaky buckets", fates(world, scores, 0.5),
        false_alerts(scores, attacked(world) < 0, 0.5), account_days(world),
        len(given.at), len(given.at) / raised.speed, note,
    )  # fmt: skip


def _vigie(world: World, allowed: int) -> Iterator[Row]:
    events = as_events(world)
    measure(world, events)
    begun = time.perf_counter()
    found = measure(world, events)
    seconds = time.perf_counter() - begun
    verdict, moved = judge(world, found), crossings(world, found)
    shift = true_budget([moved], allowed)
    count, days = world.accesses.num_rows, verdict.account_days
    yield Row(
        "Vigie, threshold of hindsight too",
        _lost(moved.thefts(shift)),
        moved.false(shift),
        days,
        count,
        None,
    )
    yield Row(
        "Vigie, as calibrated", _lost(verdict.thefts), len(verdict.false), days, count, seconds
    )


def _lost(thefts: Iterable[Theft]) -> list[Theft]:
    return [theft for theft in thefts if theft.loss]


TEXTS = {
    "en": {
        "head": "| method | found | exposed before alert, median | 9th decile "
        "| false alerts per 10,000 account-days | accesses/s | settings |",
        "absent": "not installed on this machine",
    },
    "fr": {
        "head": "| méthode | vols trouvés | exposés avant l'alerte, médiane | 9e décile "
        "| fausses alertes pour 10 000 jours-comptes | accès/s | réglages |",
        "absent": "absent de cette machine",
        "fixed quota": "quota fixe",
        "z-score per account": "écart réduit par compte",
        "isolation forest": "forêt d'isolement",
        "CrowdSec 1.4.6, leaky buckets": "CrowdSec 1.4.6, seaux percés",
        "Vigie, threshold of hindsight too": "Vigie, seuil choisi après coup lui aussi",
        "Vigie, as calibrated": "Vigie, telle que réglée",
    },
}
_WORDS = {
    "account-days": "jours-comptes",
    "far strangers": "inconnus lointains", "strangers": "inconnus", "patients": "patients",
    " per ": " par ", "day": "jour", "hour": "heure", " over ": ", plus de ", " and ": " et ",
    "one leaks in": "un s'écoule en", "as modelled for tuning": "comme le modèle du réglage",

}  # fmt: skip


def table(done: list[Row], language: str = "en") -> str:
    """Return the table of all logs together, in Markdown."""
    said = TEXTS[language]
    lines = [said["head"], "|---|---:|---:|---:|---:|---:|---|"]
    for method in dict.fromkeys(row.method for row in done):
        mine = [row for row in done if row.method == method]
        lines.append(_line(said.get(method, method), mine, language))
    if not any(row.method.startswith("CrowdSec") for row in done):
        lines.append(f"| CrowdSec | – | – | – | – | – | {said['absent']} |")
    return "\n".join(lines)


def _line(method: str, mine: list[Row], language: str) -> str:
    exposed = [theft.exposed for row in mine for theft in row.thefts]
    found = np.mean([theft.found for row in mine for theft in row.thefts])
    false = 1e4 * sum(row.false for row in mine) / sum(row.account_days for row in mine)
    timed = [row for row in mine if row.seconds is not None]
    speed = sum(r.accesses for r in timed) / sum(r.seconds or 0 for r in timed) if timed else None
    note = mine[0].note if len(mine) == 1 else ""
    numbers = (
        f"{100 * found:.0f} % | {np.median(exposed):,.0f} | {np.quantile(exposed, 0.9):,.0f} "
        f"| {false:.1f} | {f'{speed:,.0f}' if speed else ''}"
    )
    if language == "fr":
        numbers = numbers.replace(",", "\u202f").replace(".", ",")
        for english, french in _WORDS.items():
            note = note.replace(english, french)
        note = re.sub(r"(\d)\.(\d)", r"\1,\2", note)
    return f"| {method} | {numbers} | {note} |"


def run(scale: float = 1.0) -> list[Result]:
    """Return Vigie's median exposure beside the best rule's, on a small log."""
    world = log("regional-portal", max(0.1 * scale, 0.05), 211)
    done = {row.method: row for row in rows(world) if not row.method.startswith("CrowdSec")}
    ours = done.pop("Vigie, as calibrated")
    done.pop("Vigie, threshold of hindsight too")
    best = min(done.values(), key=lambda row: np.median([t.exposed for t in row.thefts]))
    medians = [float(np.median([t.exposed for t in row.thefts])) for row in (ours, best)]
    return [Result(
        "exposed before alert, median", medians[0], f"{best.method}, threshold of hindsight",
        medians[1], "patients", "", f"regional portal, {ours.accesses:,} accesses",
    )]  # fmt: skip


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--presets", nargs="+", choices=PRESETS, default=["regional-portal"])
    asked.add_argument("--lang", nargs="+", choices=sorted(TEXTS), default=list(TEXTS))
    asked.add_argument("--scale", type=float, default=0.11)
    asked.add_argument("--seed", type=int, default=211)
    said = asked.parse_args()
    done = [row for preset in said.presets for row in rows(log(preset, said.scale, said.seed))]
    print(*(table(done, language) for language in said.lang), sep="\n\n")


if __name__ == "__main__":
    main()
