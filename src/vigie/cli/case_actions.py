"""What `vigie case` does: open, show, note, decide, close. Cases only grow; nothing here edits."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from vigie.cli.book import find_case, open_book
from vigie.language import _

if TYPE_CHECKING:
    from datetime import datetime

    from vigie.alerts.watch import Alert
    from vigie.cases.arrivals import Arrived
    from vigie.cases.model import Case
    from vigie.cli.exposing import Looked


def open_case(options: Namespace) -> int:
    """Open a case and say its number."""
    from vigie import journal
    from vigie.clocks.moments import zone_of

    zone_of(options.zone)
    journal.require_reason(options.reason)
    looked, found = _alerts(options)
    title = options.title or ", ".join(alert.account for alert in found) or options.reason
    with open_book(options) as book:
        author = options.author or journal.current_user()
        case = book.open_case(title, found, author, options.reason, options.role, options.zone)
    _say_case(case)
    _follow(options, case, looked)
    return 0


def add(options: Namespace) -> int:
    """Join alerts to a case."""
    from vigie import journal

    looked, found = _alerts(options)
    with open_book(options) as book:
        author = options.author or journal.current_user()
        case = book.add_alerts(book.case(options.case).id, found, author, options.reason)
    _say_case(case)
    _follow(options, case, looked)
    return 0


def _alerts(options: Namespace) -> "tuple[Looked | None, list[Alert]]":
    """Return the alerts named, from the answer that the last `vigie alerts` gave."""
    if not options.alerts:
        return None, []
    from vigie.cases.looks import tell_signals
    from vigie.cli.exposing import look
    from vigie.cli.terminal import home_of

    looked = look(options)
    found = looked.alerts(options.alerts)
    tell_signals(home_of(options), [alert.id for alert in found], "vigie case")
    return looked, found


def _follow(options: Namespace, case: "Case", looked: "Looked | None" = None) -> None:
    """Let the facts follow what the case now asks of the log."""
    from vigie.cli.case_exposure import follow

    follow(options, case, looked)


def list_cases(options: Namespace) -> int:
    """Print one line per case."""
    from vigie.cli.terminal import write_json

    with open_book(options) as book:
        cases = book.cases()
    from vigie.cli.arriving import arrivals, remind

    if options.format == "json":
        came = arrivals(options, cases)
        write_json({"version": 1, "cases": [_brief(case, came) for case in cases]})
        return 0
    from vigie.cli.case_shown import draw_cases

    draw_cases(cases)
    remind(options, cases)
    return 0


def show(options: Namespace) -> int:
    """Print a case whole."""
    import msgspec

    from vigie.cases.looks import withdrawn
    from vigie.cli.arriving import arrivals, remind
    from vigie.cli.case_shown import draw_case
    from vigie.cli.terminal import home_of, write_json

    case = find_case(options)
    if options.format == "json":
        records = [msgspec.to_builtins(record) for record in case.records]
        write_json({"version": 1, **_brief(case, arrivals(options, [case])), "records": records})
    else:
        draw_case(case, withdrawn(home_of(options)))
        remind(options, [case])
    return 0


def _brief(case: "Case", came: "dict[str, Arrived]") -> dict[str, Any]:
    import msgspec

    since = came.get(case.id)
    return {
        "id": case.id,
        "title": case.title,
        "status": case.status.value,
        "role": case.role,
        "zone": case.zone,
        "opened_at": msgspec.to_builtins(case.opening.recorded_at),
        "aware_since": msgspec.to_builtins(case.awareness.at if case.awareness else None),
        "accounts": case.accounts,
        "alerts": [joined.id for joined in case.alerts],
        "facts": case.facts.sha256 if case.facts else None,
        "facts_given": case.facts is not None and case.facts.given,
        "came_since": msgspec.to_builtins(since) if since else None,
    }


def note(options: Namespace) -> int:
    """Put an event on the time line."""
    from vigie.cases.model import Kind

    with open_book(options) as book:
        case = book.case(options.case)
        after = book.note(
            case.id, Kind(options.kind), options.text, _moment(options, case), options.author,
            reference=options.reference, late_because=options.late_because,
        )  # fmt: skip
    _say_case(after)
    if options.kind == Kind.MEASURE:
        _say_named(options.text, after)
    return 0


def _say_named(text: str, case: "Case") -> None:
    """Say that notices leave logins out of a measure: what is left may not read well."""
    import re

    from vigie.cli.terminal import remark

    accounts = {*case.accounts, *(case.read_facts().accounts if case.facts else ())}
    named = sorted({*re.findall(r"[\w.@-]+", text)} & accounts)
    if named:
        said = _("Letters and statements name no account: they will show […] in place of "
                 "{accounts}. A measure without logins reads better in them.")  # fmt: skip
        remark(said.format(accounts=", ".join(named)))


def decide(options: Namespace) -> int:
    """Record a decision."""
    from vigie.cases.model import Matter

    matter = Matter(options.matter)
    with open_book(options) as book:
        case = book.case(options.case)
        after = book.decide(
            case.id, matter, options.value, options.reason, options.author,
            _moment(options, case), details=_details(options, case),
        )  # fmt: skip
    _say_case(after)
    if matter in (Matter.SCOPE, Matter.BOUNDARY):
        _follow(options, after)
    return 0


def _details(options: Namespace, case: "Case") -> dict[str, str]:
    """Return what a decision holds beside its value."""
    from vigie.cli.times import day_of

    if options.matter == "scope":
        from vigie.cli.exposing import check_accounts

        check_accounts(options, [options.value])
        said = {"since": day_of(options.since, "--from"), "until": day_of(options.until, "--to")}
        return {name: moment.isoformat() for name, moment in said.items() if moment}
    if options.matter == "boundary":
        from vigie.cases.scope import details_of, has_scope, scope_of
        from vigie.cli.exposing import check_boundary
        from vigie.exposure import Boundary

        check_boundary(options, scope_of(case).stretches if has_scope(case) else ())
        cut = day_of(options.cut, "--since")
        boundary = Boundary(since=cut, sessions=tuple(options.session))
        return details_of(boundary, options.on_behalf)
    return {"exemption": options.exemption} if options.exemption else {}


def close(options: Namespace) -> int:
    """Close a case."""
    from vigie.cases.model import Matter, Status

    with open_book(options) as book:
        case = book.case(options.case)
        _say_case(book.decide(
            case.id, Matter.STATE, Status.CLOSED.value, options.reason, options.author
        ))  # fmt: skip
    return 0


def facts(options: Namespace) -> int:
    """Set the facts of a case from a file."""
    from vigie.cases.arrivals import note_given
    from vigie.cli.terminal import home_of, remark
    from vigie.facts import load_facts
    from vigie.stores import Store

    found = load_facts(options.file)
    with open_book(options) as book:
        case = book.case(options.case)
        after = book.set_facts(case.id, found, options.reason, options.author, given=True)
    _say_case(after)
    with Store.open(home_of(options)) as store:
        if not note_given(store, after):
            remark(_("These facts name no account and period: nobody can say which lines that come "
                     "later concern them."))  # fmt: skip
    return 0


def _moment(options: Namespace, case: "Case") -> "datetime | None":
    from vigie.clocks.moments import read_moment

    return read_moment(options.at, case.zone) if options.at else None


def _say_case(case: "Case") -> None:
    """Say where the case stands after what was just recorded."""
    from vigie.cases.words import STATUSES
    from vigie.cli.terminal import say

    said = _("Case {case}: {status}; record {number} is in the journal (entry {entry}).")
    last = case.records[-1]
    say(said.format(
        case=case.id, status=_(STATUSES[case.status]), number=last.number, entry=last.entry
    ))  # fmt: skip
