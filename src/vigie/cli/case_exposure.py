"""The facts of a case follow from its alerts: computed, recorded, and what changed is said."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

import msgspec

from vigie.cases.arrivals import note_computed
from vigie.cases.differences import Change, differences
from vigie.cases.holds import note_exported
from vigie.cases.model import OVER, Case, FactsVersion, Matter
from vigie.cases.scans import with_scans
from vigie.cases.scope import details_of, has_scope, others_about, scope_of
from vigie.cli.book import find_case, open_book
from vigie.cli.changes_shown import draw_changes
from vigie.cli.exposing import (
    Looked,
    ask,
    boundary_said,
    changes_since,
    check_accounts,
    check_boundary,
    look,
    show,
)
from vigie.cli.exposure_shown import say_persons
from vigie.cli.opening import key_in_use
from vigie.cli.terminal import home_of, remark, say
from vigie.cli.times import day_of
from vigie.clocks.moments import shown
from vigie.errors import UsageError
from vigie.exposure import Exposure
from vigie.exposure.sets import first_name, set_of
from vigie.facts.counting import facts_of
from vigie.language import N_, _, plural
from vigie.notices.approval import NAMES, standing
from vigie.pseudonyms import open_keyring
from vigie.stores import Store

if TYPE_CHECKING:
    from vigie.cases.book import CaseBook


def exposure_of_case(options: Namespace) -> int:
    """Print the exposure of a case and record its facts; what the options decide is a decision."""
    case = _decide(options, find_case(options))
    looked = look(options)
    with key_in_use(options):
        found = ask(options, scope_of(case), looked)
        after = case if _given(case) else record(options, case, found, options.reason)
    stays = _given(case) or _outlived(case, found)
    if options.out:
        sha256 = found.write(options.out)
        if not stays:
            note_exported(home_of(options), after, sha256)
    more = {"case": _as_json(case, after)}
    facts = facts_of(found, case.id) if stays else after.read_facts()
    code = show(options, found, facts, changes_since(options, found, looked), more)
    if options.format == "table":
        say_changes(case, after)
    if _given(case):
        _say_given(case, found, to_errors=options.format != "table")
    return code


def _decide(options: Namespace, case: Case) -> Case:
    """Record the period of an account, and the boundary, where the options say them."""
    since, until = day_of(options.since, "--from"), day_of(options.until, "--to")
    if bool(since) != bool(until) or (options.account and not since):
        raise UsageError(N_("an account needs a period"), remedy=N_("give --from and --to"))
    with open_book(options) as book:
        if since and until:
            check_accounts(options, options.account)
            details = {"since": since.isoformat(), "until": until.isoformat()}
            for account in options.account or case.accounts:
                case = _decided(book, case, options, Matter.SCOPE, account, details)
        if options.boundary or options.cut or options.session or options.on_behalf:
            check_boundary(options, scope_of(case).stretches if has_scope(case) else ())
            said = boundary_said(options)
            details = details_of(said, options.on_behalf)
            case = _decided(book, case, options, Matter.BOUNDARY, said.level, details)
    return case


def _decided(
    book: "CaseBook", case: Case, options: Namespace, matter: Matter, value: str,
    details: dict[str, str],
) -> Case:  # fmt: skip
    """Record a decision, unless it is the one in force."""
    last = [d for d in case.decisions if d.matter == matter]
    if matter == Matter.SCOPE:
        last = [d for d in last if d.value == value]
    if last and (last[-1].value, last[-1].details) == (value, details):
        return case
    return book.decide(case.id, matter, value, options.reason, options.author, details=details)


def record(options: Namespace, case: Case, found: Exposure, reason: str = "") -> Case:
    """Keep the set of a case and set the facts that count it; the same again change nothing."""
    if _outlived(case, found):
        remark(_("Retention dropped days that this case asks about: its facts and its persons stay "
                 "as they were computed before."))  # fmt: skip
        return _noted(options, case)
    home = home_of(options)
    place = set_of(home, case.id, open_keyring(home))
    place.parent.mkdir(mode=0o700, exist_ok=True)
    sha256 = first_name(home, found.write(place))
    facts = with_scans(facts_of(found, case.id, sha256), case)
    why = reason or N_("computed from what the case asks of the log")
    with open_book(options) as book:
        after = book.set_facts(case.id, facts, why, options.author)
        others = others_about(after, book.cases())
    for other in others:
        text = _("! case {other}, open too, asks about an account of this case at the same time: "
                 "who is in both would be written to twice.")  # fmt: skip
        remark(text.format(other=other.id))
    return _noted(options, after)


def _noted(options: Namespace, case: Case) -> Case:
    """Write down what the log held: what comes later is what came since."""
    with Store.open(home_of(options)) as store:
        note_computed(store, case, scope_of(case))
    return case


def _given(case: Case) -> bool:
    """Whether somebody set the facts as a file: only who names the case replaces those."""
    return case.facts is not None and case.facts.given


def _say_given(case: Case, found: Exposure, to_errors: bool = False) -> None:
    """Say that the facts that somebody gave stay, and what the log gives instead."""
    facts = case.facts
    if facts is None:
        return
    computed = with_scans(facts_of(found, case.id, case.read_facts().exposure_sha256), case)
    other = differences(facts, FactsVersion(
        author="", recorded_at=facts.recorded_at, sha256=computed.sha256,
        content=computed.to_json().decode(),
    ))  # fmt: skip
    tell = remark if to_errors else say
    text = _("! {author} gave the facts of case {case} as a file on {when} ({reason}): they stay.")
    tell(text.format(
        author=facts.author, case=case.id, when=shown(facts.recorded_at, case.zone),
        reason=_(facts.reason),
    ))  # fmt: skip
    if not other:
        tell(_("What the case asks of the log gives the same."))
        return
    if not to_errors:
        title = _("What the case asks of the log gives instead")
        draw_changes(other, case.zone, title, _("given"), _("from the log"))
    text = _("vigie case refresh {case} takes what the log gives; vigie case facts {case} FILE "
             "sets another file.")  # fmt: skip
    tell(text.format(case=case.id))


def _outlived(case: Case, found: Exposure) -> bool:
    """Whether the case knows more than the log still does."""
    return case.facts is not None and found.blind.dropped


def follow(
    options: Namespace, case: Case, looked: Looked | None = None, named: bool = False
) -> Case:
    """Compute the facts of a case anew and say what changed; one without scope stays as it is.

    So do facts that somebody gave as a file, unless he names the case to have it computed.
    """
    if not has_scope(case):
        return case
    with key_in_use(options):
        found = ask(options, scope_of(case), looked or look(options))
        if _given(case) and not named:
            _say_given(case, found)
            return case
        after = record(options, case, found)
    say_persons(after.read_facts())
    say(_("vigie exposure --case {case} shows the whole answer.").format(case=case.id))
    say_changes(case, after)
    return after


def refresh(options: Namespace) -> int:
    """Compute the facts of the open cases anew: of those named, or of all."""
    with open_book(options) as book:
        named = [book.case(beginning) for beginning in options.cases]
        cases = named or [case for case in book.cases() if case.status not in OVER]
    concerned = [case for case in cases if has_scope(case)]
    if not concerned:
        say(_("No open case asks anything of the log."))
        return 0
    looked = look(options)
    for case in concerned:
        say(f"{case.id}  {case.title}")
        follow(options, case, looked, named=bool(named))
    return 0


def say_changes(before: Case, after: Case) -> None:
    """Say what the new facts changed of the old, and which notices are stale by it."""
    if before.facts is None or after.facts == before.facts:
        return
    changes = _changed(before.facts, after)
    if changes:
        draw_changes(changes, after.zone, _("What changed in the facts"))
    else:
        say(_("No number changed, only how they are asked for."))
    if stale := _stale(after):
        text = plural(
            "! {notices} is stale: it was asked for on other facts; ask for it again.",
            "! {notices} are stale: they were asked for on other facts; ask for them again.",
            len(stale),
        )  # fmt: skip
        say(text.format(notices=", ".join(stale)))


def _changed(before: FactsVersion | None, after: Case) -> tuple[Change, ...]:
    return differences(before, after.facts)


def _stale(case: Case) -> list[str]:
    return [name for name in NAMES if standing(case, name).state == "stale"]


def _as_json(before: Case, after: Case) -> dict[str, Any]:
    changed = _changed(before.facts, after) if before.facts else ()
    return {
        "id": after.id,
        "changed": [msgspec.to_builtins(change) for change in changed],
        "stale": _stale(after),
    }
