"""Detection on logs that the simulator did not draw: contacts, commands, sign-ins, an archive.

    python -m benchmarks.bench_elsewhere [SEED…] [NAME…]

As a stranger would: default settings, learning on the first half of the log or thirty days. Found,
exposed and false are counted as in `bench_detection`; *rule* is what a rule of hindsight finds that
knows the loudest honest account-day ("more persons new to the account in one day"). *Says*: whether
the thresholds could be calibrated on such a log and whether Vigie trusts its own answer. Seeds 1 to
5 served for tuning; report on seeds from 11.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from benchmarks.elsewhere import archive, commands, contacts, group, hosts, payers, region
from benchmarks.elsewhere.judging import Fate, Verdict, judge, rule_of_thumb
from benchmarks.elsewhere.log import Log, as_events
from benchmarks.elsewhere.thieves import rob
from vigie.detection import detect

ARCHIVES = ("archive", "bare")
PLATFORMS = (region, payers, group)
NAMES = (
    *contacts.PLACES, *commands.SETS, *hosts.NETS, *ARCHIVES,
    *(name for platform in PLATFORMS for name in platform.LOGS),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One log, judged; `rule` is the share that the rule of hindsight finds."""

    accounts: int
    verdict: Verdict
    rule: float
    calibrated: bool
    trusted: bool


def draw(name: str, seed: int) -> Log:
    """Return a log with its thefts."""
    if name in commands.SETS:
        return commands.draw(name, seed)
    for platform in PLATFORMS:
        if name in platform.LOGS:
            return platform.draw(name, seed)
    for module, names in ((contacts, contacts.PLACES), (hosts, hosts.NETS)):
        if name in names:
            return rob(module.draw(name, seed), seed)
    return rob(archive.draw(name, seed), seed, each=4)


def measure(name: str, seed: int) -> Run:
    """Draw a log, detect and judge."""
    log = draw(name, seed)
    found = detect(as_events(log), care=log.care)
    until = int(found.learn_until.timestamp() * 1e6)
    return Run(
        found.accounts, judge(log, found), rule_of_thumb(log, until)[0],
        found.thresholds.calibrated, found.trust.ok,
    )  # fmt: skip


def row(name: str, runs: Sequence[Run]) -> str:
    """Return the line of a log's table."""
    fates = [fate for run in runs for fate in run.verdict.fates]
    false = sum(len(run.verdict.false) for run in runs)
    days = sum(run.verdict.account_days for run in runs)
    high = chi2.ppf(0.95, 2 * false + 2) / 2
    rate = f"{1e4 * false / days:.1f} ({false} in {days}; at most {1e4 * high / days:.1f})"
    rule = 100 * float(np.mean([run.rule for run in runs]))
    says = "calibrated" if all(run.calibrated for run in runs) else "not calibrated"
    says += "" if all(run.trusted for run in runs) else ", not to be trusted"
    return f"| {name} | {runs[0].accounts} | {_quality(fates)} | {rate} | {rule:.0f} % | {says} |"


def _quality(fates: Sequence[Fate]) -> str:
    if not fates:
        return "0 | | "
    found = 100 * np.mean([fate.found for fate in fates])
    exposed, loss = (np.median([getattr(f, n) for f in fates]) for n in ("exposed", "loss"))
    return f"{len(fates)} | {found:.0f} % | {exposed:.0f} of {loss:.0f}"


def asked(words: Sequence[str] | None = None) -> tuple[list[int], list[str]]:
    """Return the seeds and the names of logs that a command asks for; exit 2 on an unknown name.

    >>> asked(["14", "ward", "15"])
    ([14, 15], ['ward'])
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench_elsewhere", description=__doc__.splitlines()[0],
        epilog=f"Logs: {', '.join(NAMES)}.",
    )  # fmt: skip
    parser.add_argument(
        "what", nargs="*", metavar="SEED or NAME", help="seeds (default 11 12 13), logs (all)"
    )
    said = parser.parse_args(words).what
    names = [word for word in said if not word.isdigit()]
    unknown = [word for word in names if word not in NAMES]
    if unknown:
        parser.error(f"no such log: {', '.join(unknown)}; the logs are {', '.join(NAMES)}")
    return [int(word) for word in said if word.isdigit()] or [11, 12, 13], names or list(NAMES)


def main() -> None:
    seeds, names = asked()
    print("| log | accounts | thefts | found | exposed, median | false / 10,000 | rule | says |")
    print("|---|---|---|---|---|---|---|---|")
    families: dict[str, list[Fate]] = defaultdict(list)
    for name in names:
        runs = [measure(name, seed) for seed in seeds]
        print(row(name, runs), flush=True)
        for fate in (fate for run in runs for fate in run.verdict.fates):
            families[fate.family].append(fate)
    print("\n| family | thefts | found | exposed, median |\n|---|---|---|---|")
    for name, fates in sorted(families.items()):
        print(f"| {name} | {_quality(fates)} |")


if __name__ == "__main__":
    main()
