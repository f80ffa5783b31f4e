"""What `vigie exposure` does: the exact set, as a summary on screen and as files."""

from argparse import Namespace

from vigie.cli.exposing import (
    Looked,
    ask,
    boundary_said,
    changes_since,
    check_accounts,
    look,
    show,
)
from vigie.cli.times import day_of
from vigie.errors import UsageError
from vigie.exposure import Scope, Stretch, of_alerts
from vigie.facts.counting import facts_of
from vigie.language import N_


def exposure(options: Namespace) -> int:
    """Print the exposure, and write the set and its facts where they are asked for."""
    _check(options)
    if options.case:
        from vigie.cli.case_exposure import exposure_of_case

        return exposure_of_case(options)
    looked = look(options)
    found = ask(options, _scope(options, looked), looked)
    facts = facts_of(found, "", found.write(options.out) if options.out else "")
    return show(options, found, facts, changes_since(options, found, looked))


def _check(options: Namespace) -> None:
    alert, account, case = bool(options.alert), bool(options.account), bool(options.case)
    if alert + (account or case) != 1:
        raise UsageError(
            N_("say what is asked about"), remedy=N_("give --alert, or --account, or --case")
        )
    if options.account and not (options.since and options.until):
        raise UsageError(N_("an account needs a period"), remedy=N_("give --from and --to"))
    if bool(options.index) != bool(options.index_mapping):
        raise UsageError(N_("an index needs its mapping"), remedy=N_("give --index-mapping"))


def _scope(options: Namespace, looked: Looked) -> Scope:
    return Scope(_stretches(options, looked), boundary_said(options), options.on_behalf)


def _stretches(options: Namespace, looked: Looked) -> tuple[Stretch, ...]:
    since, until = day_of(options.since, "--from"), day_of(options.until, "--to")
    if options.account and since and until:
        check_accounts(options, options.account)
        return tuple(Stretch(account, since, until) for account in options.account)
    stretches = of_alerts(looked.alerts(options.alert))
    return tuple(Stretch(one.account, since or one.since, until or one.until) for one in stretches)
