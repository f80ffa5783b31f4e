"""`vigie mapping suggest` and `vigie mapping test`: drafting a mapping, and trying it."""

import re
from argparse import Namespace

from vigie.cli.codes import NOTHING, UNTRUSTED
from vigie.cli.terminal import draw_table, say
from vigie.language import N_, _, number
from vigie.readers.base import REASONS
from vigie.readers.drafts import draft
from vigie.readers.mapping import load_mapping
from vigie.readers.trial import Trial, try_mapping

_MOST = 30
_NEEDED = {
    "account": N_("no line shown names an account: nobody can be watched"),
    "patient": N_("no line shown names a patient: sweeps cannot be seen"),
}
SHOWN = (
    "source_line", "at", "account", "action", "object", "patient", "record_count", "outcome",
    "flags",
)  # fmt: skip


def suggest(options: Namespace) -> int:
    """Print a mapping drafted from a sample."""
    for line in draft(options.file).rstrip().split("\n"):
        say(line)
    return NOTHING


def test(options: Namespace) -> int:
    """Show 20 lines through a mapping, what it leaves unmapped, and why."""
    mapping = load_mapping(options.mapping)
    trial = try_mapping(options.file, mapping)
    _draw_rows(trial)
    tally = trial.tally
    say(
        _(
            "Of {read} lines: {accepted} accepted, {ignored} ignored by rule, "
            "{quarantined} quarantined."
        ).format(
            read=number(tally.read),
            accepted=number(tally.accepted),
            ignored=number(sum(tally.ignored.values())),
            quarantined=number(tally.quarantined),
        )
    )
    for line, reason, column in trial.quarantined:
        place = f" ({column})" if column else ""
        say(_("line {line}: {reason}").format(line=number(line), reason=_(REASONS[reason])) + place)
    _say_unmapped(trial)
    if mapping.reader != "care":
        _say_blind(trial)
    return UNTRUSTED if trial.tally.quarantined else NOTHING


def _draw_rows(trial: Trial) -> None:
    """Draw what matters of every line, then the first line whole."""
    if not trial.rows:
        return
    shown = [name for name in SHOWN if any(row.get(name) is not None for row in trial.rows)]
    draw_table(shown, [[row.get(name) for name in shown] for row in trial.rows])
    say()
    say(_("The first of them, whole:"))
    for name, value in trial.rows[0].items():
        if value is not None:
            say(f"  {name} = {value}")
    say()


def _say_blind(trial: Trial) -> None:
    """Say what detection would lose: all lines accepted is no proof of a good mapping."""
    for name, lost in _NEEDED.items():
        if trial.rows and not any(row.get(name) for row in trial.rows):
            say(f"! {_(lost)}")


def _say_unmapped(trial: Trial) -> None:
    for column, (why, fields) in trial.unmapped_columns.items():
        say(_("not mapped: {column}: {why}").format(column=column, why=_(why).format_map(fields)))
    for column, values in trial.unmapped_values.items():
        # A mapping that takes the patients for actions must not print them.
        safe = {v: n for v, n in values.items() if not re.search("[0-9]{6}", v)}
        shown = ", ".join(f"{v} ({number(n)})" for v, n in list(safe.items())[:_MOST])
        shown += ", …" if len(values) > len(safe) or len(safe) > _MOST else ""
        say(_("values of {column} without a translation: {values}").format(
            column=column, values=shown
        ))  # fmt: skip
