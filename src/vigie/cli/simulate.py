"""`vigie simulate`: write the logs of a simulated platform, with the truth beside them."""

from argparse import Namespace

from vigie.cli.terminal import say
from vigie.errors import UsageError
from vigie.language import N_, _, number
from vigie.simulate.output import Summary, simulate_to


def simulate(options: Namespace) -> int:
    """Run the command."""
    if options.scale <= 0:
        raise UsageError(N_("the scale must be above 0"), where="--scale")
    if options.days is not None and options.days < 1:
        raise UsageError(N_("a world lasts at least one day"), where="--days")
    summary = simulate_to(options.preset, options.scale, options.seed, options.out, options.days)
    describe(summary)
    kept = [options.out / name for name in ("logs", "care") if (options.out / name).exists()]
    mappings = " ".join(f"--mapping {path}" for path in sorted(options.out.glob("mapping*.toml")))
    say(_("Read it with: vigie scan {logs} {mappings}").format(
        logs=" ".join(map(str, kept)), mappings=mappings
    ))  # fmt: skip
    return 0


def describe(summary: Summary) -> None:
    """Say in one sentence what was written."""
    say(
        _(
            "{lines} lines in {files} files: {accesses} accesses by {accounts} accounts to the "
            "records of {patients} invented patients over {days} days, with {attacks} thefts."
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
