"""`vigie notice prepare`, `approve`, `refuse` and `list`: who asks, who answers."""

from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

from vigie.cases.filings import KINDS
from vigie.cases.model import Matter
from vigie.cli.arriving import remind
from vigie.cli.book import find_case, open_book
from vigie.cli.changes_shown import draw_changes_once
from vigie.cli.terminal import home_of, say, write_json
from vigie.language import N_, _
from vigie.notices.approval import NAMES, Standing, standing
from vigie.notices.story import head_of, tell


def prepare(options: Namespace) -> int:
    """Ask for a notice."""
    return _decide(options, Matter.NOTICE_ASKED)


def approve(options: Namespace) -> int:
    """Approve a notice that somebody else asked for."""
    return _decide(options, Matter.NOTICE_APPROVED)


def refuse(options: Namespace) -> int:
    """Refuse a notice."""
    return _decide(options, Matter.NOTICE_REFUSED)


def _decide(options: Namespace, matter: Matter) -> int:
    with open_book(options) as book:
        case = book.case(options.case)
        if matter == Matter.NOTICE_ASKED:
            if options.notice in KINDS:
                head_of(case, home_of(options), datetime.now(UTC))
            else:
                tell(case, home_of(options), datetime.now(UTC)).require_persons()
        if matter != Matter.NOTICE_REFUSED:
            remind(options, [case])
        case = book.decide(case.id, matter, options.notice, options.reason, options.author)
    after = standing(case, options.notice)
    _say(after)
    draw_changes_once([(after.notice, after.changes)] if after.changes else [], case.zone)
    return 0


def show(options: Namespace) -> int:
    """Print where each notice stands."""
    case = find_case(options)
    found = [standing(case, name) for name in NAMES]
    remind(options, [case])
    if options.format == "json":
        write_json({"version": 1, "case": case.id, "notices": [_as_json(one) for one in found]})
        return 0
    for one in found:
        if one.state != "none":
            _say(one)
    draw_changes_once(((one.notice, one.changes) for one in found if one.changes), case.zone)
    if all(one.state == "none" for one in found):
        say(_("Nobody has asked for a notice of this case."))
    return 0


def _as_json(one: Standing) -> dict[str, Any]:
    return {
        "notice": one.notice,
        "state": one.state,
        "asked_by": one.asked.author if one.asked else None,
        "answered_by": one.answered.author if one.answered else None,
        "changes": [{"name": c.name, "before": c.before, "after": c.after} for c in one.changes],
    }


_STATES = {
    "asked": N_("{notice}: asked for by {asked}; another person must approve it."),
    "approved": N_("{notice}: asked for by {asked}, approved by {answered}."),
    "refused": N_("{notice}: asked for by {asked}, refused by {answered}."),
    "stale": N_("! {notice}: stale, what it says changed since {asked} asked for it."),
}


def _say(one: Standing) -> None:
    say(_(_STATES[one.state]).format(
        notice=one.notice, asked=one.asked.author if one.asked else "",
        answered=one.answered.author if one.answered else "",
    ))  # fmt: skip
