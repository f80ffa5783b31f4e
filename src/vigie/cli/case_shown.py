"""A case as the terminal shows it."""

from collections.abc import Mapping
from datetime import datetime

from vigie.cases.grounds import changes, is_stale
from vigie.cases.model import Awareness, Case, Decision, Event, Kind, Matter, TextScanned
from vigie.cases.words import KINDS, MATTERS, STATUSES, VALUES
from vigie.cli.changes_shown import draw_changes_once
from vigie.cli.exposure_shown import say_persons
from vigie.cli.terminal import draw_table, say
from vigie.clocks.moments import duration, shown
from vigie.language import _, number


def draw_cases(cases: list[Case]) -> None:
    """Draw one line per case."""
    if not cases:
        say(_("There is no case. vigie case open ALERT opens one."))
        return
    header = (_("case"), _("state"), _("opened"), _("aware since"), _("alerts"), _("title"))
    draw_table(header, [
        (
            case.id, _(STATUSES[case.status]), shown(case.opening.recorded_at, case.zone),
            shown(case.awareness.at if case.awareness else None, case.zone),
            number(len(case.alerts)), case.title,
        )
        for case in cases
    ])  # fmt: skip


def draw_case(case: Case, gone: Mapping[str, datetime]) -> None:
    """Draw a case whole; `gone`: the alerts that were withdrawn, and when."""
    say(f"{case.id}  {case.title}  {_(STATUSES[case.status])}")
    opening = case.opening
    said = _("Opened {when} by {author}: {reason}")
    say(said.format(
        when=shown(opening.recorded_at, case.zone), author=_by(opening.author, opening.recorded_by),
        reason=opening.reason,
    ))  # fmt: skip
    for joined in case.alerts:
        said = _("Alert {id}: {accounts}")
        if joined.id in gone:
            said = _("Alert {id}: {accounts} (told no more since {when})")
        say(said.format(
            id=joined.id, accounts=", ".join(joined.alert["accounts"]),
            when=shown(gone.get(joined.id), case.zone),
        ))  # fmt: skip
    draw_awareness(case)
    _draw_timeline(case)
    _draw_decisions(case)
    _draw_texts(case)
    _draw_facts(case)
    _draw_stale(case)
    say()
    say(_("vigie clocks {case} says what is due by when.").format(case=case.id))


def draw_awareness(case: Case) -> None:
    """Say since when the organisation is aware, who decided so, and what stands beside it."""
    aware = case.awareness
    if aware is None:
        say(_(
            "Nobody has decided yet since when you are aware of a breach: what counts from it is "
            "provisional, from the earliest moment it could be."
        ))  # fmt: skip
        return
    said = _("Aware since {at}, decided by {author} on {decided}: {reason}")
    say(said.format(
        at=shown(aware.at, case.zone), author=aware.author, reason=aware.reason,
        decided=shown(aware.decided_at, case.zone),
    ))  # fmt: skip
    for line in _remarks(aware, case.zone):
        say(f"! {line}")


def _remarks(aware: Awareness, zone: str) -> list[str]:
    """Return what a reader of the decision must see: how it differs from what was known when."""
    lines = []
    if aware.backdated_by.total_seconds() >= 60:
        said = _("written down {time} after the moment it speaks of")
        lines.append(said.format(time=duration(aware.backdated_by)))
    for kind, span in aware.after.items():
        said = _("{time} after: {event} ({at})")
        lines.append(said.format(
            time=duration(span), event=_(KINDS[Kind(kind)]), at=shown(aware.known[kind], zone)
        ))  # fmt: skip
    for decision in aware.earlier:
        said = _("before, {author} had decided {at}: {reason}")
        lines.append(said.format(
            author=decision.author, at=shown(decision.at, zone), reason=decision.reason
        ))  # fmt: skip
    return lines


def _draw_timeline(case: Case) -> None:
    if case.timeline:
        say()
        header = (_("when"), _("event"), _("text"), _("written down"), _("by"))
        draw_table(header, [_event_row(event, case.zone) for event in case.timeline])


def _event_row(event: Event, zone: str) -> tuple[str, ...]:
    parts = (event.text, event.reference, event.late_because)
    return (
        shown(event.at, zone), _(KINDS[event.kind]), " · ".join(part for part in parts if part),
        _when_written(event.at, event.recorded_at, zone), _by(event.author, event.recorded_by),
    )  # fmt: skip


def _when_written(at: datetime, recorded_at: datetime, zone: str) -> str:
    """Say when it was written down only where that is another time: backdating shows."""
    apart = abs((recorded_at - at).total_seconds()) >= 60
    return shown(recorded_at, zone) if apart else ""


def _draw_decisions(case: Case) -> None:
    if case.decisions:
        say()
        header = (_("decided"), _("about"), _("what"), _("why"), _("by"))
        draw_table(header, [_decision_row(case, decision) for decision in case.decisions])


def _decision_row(case: Case, decision: Decision) -> tuple[str, ...]:
    words = {**VALUES, **{status.value: said for status, said in STATUSES.items()}}
    value = _(words.get(decision.value, "")) or decision.value
    if decision.matter == Matter.AWARENESS:
        value = shown(decision.at, case.zone)
    details = [f"{name}: {said}" for name, said in sorted(decision.details.items())]
    if decision.matter == Matter.SCOPE:
        moments = map(datetime.fromisoformat, map(decision.details.__getitem__, ("since", "until")))
        details = [" – ".join(shown(moment, case.zone) for moment in moments)]
    if decision.matter == Matter.NOTICE_APPROVED and is_stale(case, decision):
        details.append(_("STALE: what it says changed since"))
    return (
        shown(decision.recorded_at, case.zone), _(MATTERS[decision.matter]),
        "; ".join([value, *details]), decision.reason, _by(decision.author, decision.recorded_by),
    )  # fmt: skip


def _draw_stale(case: Case) -> None:
    """Say what changed since notices were approved."""
    approved = [d for d in case.decisions if d.matter == Matter.NOTICE_APPROVED]
    stale = [d for d in approved if is_stale(case, d) and d == case.last(d.matter, d.value)]
    if stale:
        say()
    draw_changes_once(((d.value, changes(case, d)) for d in stale), case.zone)


def _draw_texts(case: Case) -> None:
    """Say whose free text was searched, by whom, and in how many texts something stood."""
    scans = case.of(TextScanned)
    if scans:
        say()
        header = (_("searched"), _("screen"), _("texts"), _("with words of the lists"), _("by"))
        draw_table(header, [
            (
                shown(one.recorded_at, case.zone), f"{one.source} {one.screen}",
                number(one.values), number(one.hits), _by(one.author, one.recorded_by),
            )
            for one in scans
        ])  # fmt: skip


def _draw_facts(case: Case) -> None:
    if case.facts:
        say()
        said = _("Facts of {when} by {author}: {reason} (SHA-256 {hash})")
        if case.facts.given:
            said = _("Facts given as a file on {when} by {author}: {reason} (SHA-256 {hash})")
        say(said.format(
            when=shown(case.facts.recorded_at, case.zone), author=case.facts.author,
            reason=_(case.facts.reason), hash=case.facts.sha256,
        ))  # fmt: skip
        facts = case.read_facts()
        if facts.get("persons"):
            say_persons(facts)


def _by(author: str, recorded_by: str) -> str:
    if not recorded_by or author == recorded_by:
        return author
    return _("{author} (typed by {user})").format(author=author, user=recorded_by)
