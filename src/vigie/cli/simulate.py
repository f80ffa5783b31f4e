"""`vigie simulate`: write the logs of a simulated platform, with the truth beside them."""

import shlex
from argparse import Namespace
from math import inf

from vigie.cli.terminal import say
from vigie.errors import UsageError
from vigie.language import N_, _, number, plural
from vigie.simulate.output import Summary, simulate_to


def simulate(options: Namespace) -> int:
    """Run the command."""
    if not 0 < options.scale < inf:
        raise UsageError(N_("the scale must be a number above 0"), where="--scale")
    if options.seed < 0:
        raise UsageError(N_("the seed is a whole number, 0 or above"), where="--seed")
    if options.days is not None and options.days < 1:
        raise UsageError(N_("a world lasts at least one day"), where="--days")
    summary = simulate_to(options.preset, options.scale, options.seed, options.out, options.days)
    describe(summary)
    kept = [options.out / name for name in ("logs", "care") if (options.out / name).exists()]
    command = ["vigie", "scan", *map(str, kept), "--mapping", str(options.out)]
    say(_("Read it with: {command}").format(command=shlex.join(command)))
    return 0


def describe(summary: Summary) -> None:
    """Say in one sentence what was written."""
    say(
        plural(
            "{lines} lines in {files} files: {accesses} accesses by {accounts} accounts to the "
            "records of {patients} invented patients on {days} day, with {attacks} thefts.",
            "{lines} lines in {files} files: {accesses} accesses by {accounts} accounts to the "
            "records of {patients} invented patients over {days} days, with {attacks} thefts.",
            summary.days,
        ).format(
            lines=number(summary.lines),
            files=number(len(summary.files)),
            accesses=number(summary.accesses),
            accounts=number(summary.accounts),
            patients=number(summary.patients),
            days=number(summary.days),
            attacks=number(summary.attacks),
        )
    )
