"""`vigie clocks`: what is due to whom, from when, and how long is left."""

import sys
from argparse import Namespace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vigie.cli.declaring import command, formats
from vigie.language import _, current_language

if TYPE_CHECKING:
    from vigie.cases.model import Awareness, Case
    from vigie.clocks import ClockState


def declare(commands: Any, name: str, common: Any) -> None:
    """Declare `vigie clocks`."""
    summary = _("say what is due by when for a case: authority, persons, complaint")
    parser = command(commands, name, common, summary, "clocks:clocks")
    parser.add_argument("case", metavar=_("CASE"), help=_("its number, or its beginning"))
    formats(parser, "table", "json", "ics")


def clocks(options: Namespace) -> int:
    """Print the clocks of a case."""
    from vigie.cli.book import find_case
    from vigie.cli.terminal import home_of, write_json
    from vigie.clocks.engine import read_clocks
    from vigie.clocks.rules import load_rules

    now, case = datetime.now(UTC), find_case(options)
    states = read_clocks(case.moments, load_rules(home_of(options)), now)
    if options.format == "ics":
        from vigie.clocks.calendar import to_calendar

        sys.stdout.buffer.write(to_calendar(case.id, states, now))
    elif options.format == "json":
        write_json(as_json(case, states, now))
    else:
        _draw(case, states, now)
    return 0


def as_json(case: "Case", states: "list[ClockState]", now: datetime) -> dict[str, object]:
    """Return the clocks as `docs/cases.md` documents them."""
    import msgspec

    return {
        "version": 1,
        "case": case.id,
        "now": msgspec.to_builtins(now),
        "zone": case.zone,
        "awareness": _awareness(case.awareness),
        "clocks": [
            msgspec.to_builtins(state)
            | {"binding": state.binding, "seconds_left": _seconds(state, now)}
            for state in states
        ],
    }


def _awareness(aware: "Awareness | None") -> dict[str, object] | None:
    if aware is None:
        return None
    import msgspec

    return {
        "at": msgspec.to_builtins(aware.at),
        "decided_at": msgspec.to_builtins(aware.decided_at),
        "author": aware.author,
        "reason": aware.reason,
        "backdated_by_seconds": aware.backdated_by.total_seconds(),
        "known": msgspec.to_builtins(aware.known),
        "later_by_seconds": {kind: span.total_seconds() for kind, span in aware.after.items()},
        "earlier_decisions": [
            {"at": msgspec.to_builtins(d.at), "author": d.author, "reason": d.reason}
            for d in aware.earlier
        ],
    }


def _seconds(state: "ClockState", now: datetime) -> float | None:
    left = state.remaining(now)
    return None if left is None or state.done_at else round(left.total_seconds())


def _draw(case: "Case", states: "list[ClockState]", now: datetime) -> None:
    from vigie.cli.case_shown import draw_awareness
    from vigie.cli.terminal import draw_table, say
    from vigie.clocks.moments import shown

    say(_("{case}, at {now}").format(case=case.id, now=shown(now, case.zone)))
    draw_awareness(case)
    say()
    header = (_("duty"), _("to"), _("from"), _("until"), _("state"), _("article"))
    draw_table(header, [_row(case, state, now) for state in states])
    _draw_weekend(case, states)


def _row(case: "Case", state: "ClockState", now: datetime) -> tuple[str, ...]:
    from vigie.clocks.moments import shown
    from vigie.clocks.words import cited

    start = shown(state.start, case.zone)
    return (
        state.name[current_language()],
        _recipient(state.recipient),
        _("{start} (provisional)").format(start=start) if state.provisional else start,
        shown(state.due, case.zone) if state.due or state.start is None else _("without delay"),
        _progress(state, now),
        cited(state.article),
    )


def _recipient(name: str) -> str:
    words = {"persons": _("persons"), "controllers": _("controllers"), "police": _("police")}
    return words.get(name, name)


def _progress(state: "ClockState", now: datetime) -> str:
    from vigie.clocks import Progress
    from vigie.clocks.moments import duration
    from vigie.clocks.words import PROGRESS

    said = _(PROGRESS[state.progress])
    left = state.remaining(now)
    if left is not None and state.progress == Progress.RUNNING:
        said = _("{time} left").format(time=duration(left))
    elif left is not None and state.progress == Progress.OVERDUE:
        said = _("OVERDUE by {time}").format(time=duration(left))
    elif state.progress == Progress.OPEN and state.start:
        said = _("for {time}, without delay").format(time=duration(now - state.start))
    elif state.progress == Progress.LATE and state.due and state.done_at:
        said = _("done {time} late").format(time=duration(state.done_at - state.due))
    return said if state.binding else _("{state}; NOT IN FORCE").format(state=said)


def _draw_weekend(case: "Case", states: "list[ClockState]") -> None:
    from vigie.cli.terminal import say
    from vigie.clocks.moments import shown

    for state in states:
        if state.weekend_due and state.binding:
            said = _(
                "For information: an extension over weekends and holidays (Regulation 1182/71) is "
                "contested for periods in hours; it would give {due}. Keep to the strict end."
            )
            say()
            say(said.format(due=shown(state.weekend_due, case.zone)))
