"""What changed between two versions of the facts of a case, as a table."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from vigie.cases.differences import Change
from vigie.cli.terminal import draw_table
from vigie.clocks.moments import shown
from vigie.language import _, number, plural

_CONTROLLER: Final = "persons.controller:"
_FEW: Final = 10


def draw_changes(
    changes: Iterable[Change], zone: str, title: str = "", before: str = "", after: str = ""
) -> None:
    """Print each change under the name that people know; moments in the time zone of the case.

    Of the controllers, who may be thousands, the first few.
    """
    told = list(changes)
    hidden = {*[c for c in told if c.name.startswith(_CONTROLLER)][_FEW:]}
    rows = [(c.label, _said(c.before, zone), _said(c.after, zone)) for c in told
            if c not in hidden]  # fmt: skip
    if more := len(hidden):
        text = plural("persons of {count} more controller", "persons of {count} more controllers",
                      more)  # fmt: skip
        rows.append((text.format(count=number(more)), "…", "…"))
    draw_table((_("fact"), before or _("before"), after or _("now")), rows, title)


def draw_changes_once(found: Iterable[tuple[str, tuple[Change, ...]]], zone: str) -> None:
    """Print what changed since notices were asked for, once for all those with the same changes."""
    notices: dict[tuple[Change, ...], list[str]] = {}
    for notice, changes in found:
        if notice not in notices.setdefault(changes, []):
            notices[changes].append(notice)
    for changes, names in notices.items():
        text = _("What changed since somebody asked for {notices}")
        draw_changes(changes, zone, text.format(notices=", ".join(names)))


def _said(value: str, zone: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return shown(moment, zone) if moment.tzinfo else value
