"""What waiting for the log costs: exposure before alert under delivery by the minute to the night.

    python -m benchmarks.bench_delivery [--lang en|fr] [--scale 0.3] [--seeds 211…] [--presets …]

The alerts are those of the whole log, for the same events give the same alerts however they are
delivered. But an alarm is known only when the batch that holds its access arrives, and until then
the thief goes on: batches of a minute and of an hour arrive at their end, that of a day (UTC) at
four in the morning. Computing time is not counted. A missed theft counts its whole loss; the loss
of several accounts is divided by their number. Both languages are printed unless one is named.
"""

import argparse
from collections.abc import Iterable
from typing import Final

import numpy as np

from benchmarks.base import Result
from benchmarks.bench_detection import measure
from benchmarks.judge import Theft, judge
from vigie.simulate.presets import PRESETS, simulate

SECOND: Final = 1_000_000
DELIVERIES: Final = {
    "at once": (0, 0),
    "by the minute": (60 * SECOND, 0),
    "by the hour": (3600 * SECOND, 0),
    "at night": (86_400 * SECOND, 4 * 3600 * SECOND),
}
"""Length of a batch and how long after its end it arrives (µs)."""

GROUPS: Final = {
    "sweeps": ("fast_sweep", "working_hours_sweep", "own_workstation", "begun_before"),
    "slow sweep": ("low_and_slow",),
    "walks along numbers, names, rights": ("enumeration", "name_sweep", "rights_check_sweep"),
    "several accounts, each": ("several_accounts", "one_site"),
    "export or dump": ("export", "database_dump"),
    "town sweep, own panel": ("town_sweep", "own_panel"),
    "emergency override, curiosity": ("break_glass_abuse", "curiosity"),
}
_FRENCH: Final = {
    "at once": "aussitôt",
    "by the minute": "à la minute",
    "by the hour": "à l'heure",
    "at night": "la nuit",
    "sweeps": "balayages",
    "slow sweep": "balayage lent",
    "walks along numbers, names, rights": "suites de numéros, de noms, de droits",
    "several accounts, each": "plusieurs comptes, chacun",
    "export or dump": "export ou copie de base",
    "town sweep, own panel": "balayage de la ville, patientèle propre",
    "emergency override, curiosity": "bris de glace, curiosité",
    "all of them": "tous",
    "kind of theft": "genre de vol",
    "thefts": "vols",
    "found": "trouvés",
}


def known(alarm: int, length: int, later: int) -> int:
    """Return when an alarm at `alarm` is known (µs UTC), `later` than the end of its batch.

    >>> hour = 3_600_000_000
    >>> [known(moment * hour, 24 * hour, 4 * hour) // hour for moment in (2, 23, 25)]
    [28, 28, 52]
    """
    return -(-alarm // length) * length + later if length else alarm


def exposed(theft: Theft, delivery: str) -> float:
    """Return what each account of the theft had lost when the alarm was known."""
    if theft.alarm_at is None or theft.loot is None:
        return theft.loss / theft.accounts
    return theft.loot.until(known(theft.alarm_at, *DELIVERIES[delivery])) / theft.accounts


def thefts(presets: Iterable[str], scale: float, seeds: Iterable[int]) -> list[Theft]:
    """Return how the thefts fared on simulated platforms."""
    found: list[Theft] = []
    for preset in presets:
        for seed in seeds:
            world = simulate(preset, scale, seed, attacks=4)
            found += judge(world, measure(world)).thefts
    return found


def table(found: list[Theft], language: str = "en") -> str:
    """Return the table in Markdown: median and ninth decile per group and delivery."""

    def said(text: str) -> str:
        return _FRENCH[text] if language == "fr" else text

    head = [said("kind of theft"), said("thefts"), said("found"), *map(said, DELIVERIES)]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for name, families in [*GROUPS.items(), ("all of them", sum(GROUPS.values(), ()))]:
        mine = [theft for theft in found if theft.family in families]
        if mine:
            share = 100 * np.mean([theft.found for theft in mine])
            cells = [said(name), str(len(mine)), f"{share:.0f} %"]
            cells += [_cell([exposed(theft, d) for theft in mine], language) for d in DELIVERIES]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(lost: list[float], language: str) -> str:
    text = f"{np.median(lost):,.0f} ({np.quantile(lost, 0.9):,.0f})"
    return text.replace(",", "\u202f") if language == "fr" else text


def run(scale: float = 1.0) -> list[Result]:
    """Return what the night costs beside seeing each access at once, on a small platform."""
    found = thefts(["regional-portal"], max(0.1 * scale, 0.05), [211])
    caught = [theft for theft in found if theft.found]
    night, once = (
        float(np.median([exposed(theft, name) for theft in caught]))
        for name in ("at night", "at once")
    )
    return [Result(
        "exposed when the log comes at night", night, "the log as it is written", once,
        "patients", "", f"median of the {len(caught)} thefts found, of {len(found)}",
    )]  # fmt: skip


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--presets", nargs="+", choices=PRESETS, default=PRESETS)
    asked.add_argument("--lang", nargs="+", choices=["en", "fr"], default=["en", "fr"])
    asked.add_argument("--scale", type=float, default=0.3)
    asked.add_argument("--seeds", type=int, nargs="+", default=[211, 212])
    said = asked.parse_args()
    found = thefts(said.presets, said.scale, said.seeds)
    print(*(table(found, language) for language in said.lang), sep="\n\n")


if __name__ == "__main__":
    main()
