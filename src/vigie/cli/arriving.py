"""What came since a case's facts were computed, said wherever somebody would rely on them."""

from argparse import Namespace
from collections.abc import Iterable, Iterator

from vigie.cases.arrivals import Arrived, find_arrivals
from vigie.cases.looks import withdrawn
from vigie.cases.model import Case
from vigie.cli.book import open_book
from vigie.cli.terminal import home_of, remark, settings_of
from vigie.clocks.moments import shown
from vigie.errors import RefusedError, StoreError
from vigie.exposure.kept import load
from vigie.language import N_, _, number, plural, sentence
from vigie.stores import Store


def arrivals(options: Namespace, cases: Iterable[Case]) -> dict[str, Arrived]:
    """Return what came since the facts of each open case were computed, where anything did."""
    home = home_of(options)
    try:
        told = load(home).answer.current
    except StoreError as error:
        remark(str(error))
        told = ()
    silent = settings_of(options).trust.silent_hours
    with Store.open(home) as store:
        found = find_arrivals(store, cases, told, withdrawn(home), silent)
    return {case: arrived for case, arrived in found.items() if arrived}


def lines_of(case: str, arrived: Arrived) -> list[str]:
    """Return the sentences that say what came, each with what to do."""
    return [
        sentence(_("case {case}").format(case=case), what, remedy.format(
            case=case, fresh=_named(arrived.alerts), grown=_named(arrived.grown)
        ))
        for what, remedy in _sayings(arrived)
    ]  # fmt: skip


def _sayings(arrived: Arrived) -> Iterator[tuple[str, str]]:
    refresh = _("vigie case refresh {case} computes them anew")
    if arrived.given:
        refresh = _(
            "they came from a file: make it anew and set it (vigie case facts {case} FILE), or let "
            "vigie case refresh {case} compute them where the case names accounts"
        )
    if arrived.lines:
        yield plural(
            "{count} line of its accounts came since its facts were computed",
            "{count} lines of its accounts came since its facts were computed", arrived.lines,
        ).format(count=number(arrived.lines)), refresh  # fmt: skip
    elif arrived.files:
        yield plural(
            "{count} file of its time came since its facts were computed",
            "{count} files of its time came since its facts were computed", arrived.files,
        ).format(count=number(arrived.files)), refresh  # fmt: skip
    yield from _of_alerts(arrived)


def _of_alerts(arrived: Arrived) -> Iterator[tuple[str, str]]:
    if arrived.alerts:
        said = plural(
            "{count} alert about its accounts is not in it",
            "{count} alerts about its accounts are not in it", len(arrived.alerts),
        )  # fmt: skip
        remedy = _("vigie case add {case} {fresh} --reason …")
        yield said.format(count=number(len(arrived.alerts))), remedy
    if arrived.grown:
        said = plural(
            "{count} of its alerts went on since it joined",
            "{count} of its alerts went on since they joined", len(arrived.grown),
        )  # fmt: skip
        remedy = _("vigie case add {case} {grown} --reason …")
        yield said.format(count=number(len(arrived.grown))), remedy
    if arrived.withdrawn and arrived.withdrawn_at:
        said = plural(
            "{count} alert that it rests on is told no more since {when} ({alerts})",
            "{count} alerts that it rests on are told no more since {when} ({alerts})",
            len(arrived.withdrawn),
        ).format(
            count=number(len(arrived.withdrawn)), alerts=_named(arrived.withdrawn),
            when=shown(arrived.withdrawn_at, "UTC"),
        )  # fmt: skip
        yield (
            said,
            _(
                "look at the case again (vigie exposure --case {case} --evidence) and write down "
                "what you conclude (vigie case note, vigie case decide)"
            ),
        )


def _named(alerts: Iterable[str]) -> str:
    return " ".join(alert[:8] for alert in alerts)


def remind(options: Namespace, cases: Iterable[Case] | None = None) -> dict[str, Arrived]:
    """Say on standard error which of the cases (all) the log has outrun."""
    if cases is None:
        with open_book(options) as book:
            cases = book.cases()
    found = arrivals(options, cases)
    for case, arrived in found.items():
        for line in lines_of(case, arrived):
            remark(f"! {line}")
    return found


def require_current(options: Namespace, case: Case) -> None:
    """Refuse to tell persons and controllers less than the log already says of them."""
    arrived = remind(options, [case]).get(case.id, Arrived())
    if arrived.lines:
        remedy = N_("make their file anew; if the facts change, the notice is asked for and "
                    "approved again")  # fmt: skip
        if not arrived.given:
            remedy = N_("vigie case refresh {case}; if the facts change, the notice is asked for "
                        "and approved again")  # fmt: skip
        raise RefusedError(
            N_("the facts do not count all that the log now holds"), where=case.id, case=case.id,
            remedy=remedy,
        )  # fmt: skip
