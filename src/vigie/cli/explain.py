"""`vigie explain`: one alert whole, with its evidence over time and its lines."""

from argparse import Namespace
from itertools import pairwise
from typing import TYPE_CHECKING

from vigie.cases.looks import record_view, tell_signals
from vigie.cli.alerts_shown import LEVELS
from vigie.cli.codes import NOTHING
from vigie.cli.detecting import detect_stored, recall
from vigie.cli.terminal import draw_table, home_of, say, write_json
from vigie.cli.times import stamp
from vigie.errors import UsageError
from vigie.language import N_, _, current_language, number, plural

if TYPE_CHECKING:
    from vigie.alerts.watch import Alert
    from vigie.detection import Detection
    from vigie.story import Step, Story

ROWS = 24
WIDTH = 40
_TRIED = (
    (N_("on call (strangers from near, at the hours of a duty)"), ("on_call",)),
    (N_("replacement (the patients of one other place)"), ("replacement",)),
    (N_("new place (patients whom the others of that place know)"), ("newcomer", "guest")),
    (N_("campaign (patients of colleagues and strangers from near among one's own)"),
     ("campaign",)),
    (N_("clean-up (records one after the other, along numbers or names, or in no order)"),
     ("by_number", "by_name", "loosely_by_number", "loosely_by_name", "in_no_order")),
    (N_("recall (in a rush, patients of before or of the usual kind)"), ("recall", "list")),
    (N_("drift (as many strangers as most peers have begun to meet)"), ("drift",)),
    (N_("none (usual work, in which such accesses are rare)"), ("usual",)),
)  # fmt: skip
"""What an honest reason is called, with what it predicts, and the states that it gathers."""


def explain(options: Namespace) -> int:
    """Find the alert whose identifier begins as given, and tell it."""
    from vigie.exposure.kept import choose
    from vigie.story import tell

    recall(options)
    answer = detect_stored(options)
    try:
        alert = choose(answer.detection.alerts, options.alert)
    except UsageError as error:
        raise _was_told(options, answer.detection) or error from None
    tell_signals(home_of(options), [alert.id], "vigie explain")
    record_view(home_of(options), alert.id)
    story = tell(answer.detection, alert)
    if options.format == "json":
        write_json(_as_json(alert, story))
    else:
        _draw(alert, story)
    return NOTHING


def _was_told(options: Namespace, found: "Detection") -> UsageError | None:
    """Return what to say of an alert that an earlier answer told and this one does not."""
    from vigie.cases.arrivals import told_now
    from vigie.exposure.kept import load

    fitting = [a for a in load(home_of(options)).answer.alerts if a.id.startswith(options.alert)]
    if len(fitting) != 1:
        return None
    if now := told_now(fitting[0], found.alerts):
        return UsageError(
            N_("alert {id} opens at another moment since more lines came, and so has another name"),
            remedy=N_("vigie explain {now}"), id=fitting[0].id, now=now.id,
        )  # fmt: skip
    return UsageError(
        N_("alert {id} was told before and is told no more: what came since explains its accesses "
           "otherwise"),
        remedy=N_("vigie exposure --alert {id} still answers, from the alert as it was told"),
        id=fitting[0].id,
    )  # fmt: skip


def _draw(alert: "Alert", story: "Story") -> None:
    from vigie.story import explain_difference, explain_level

    say(f"{alert.id}  {alert.account}  {_(LEVELS[alert.level])}")
    say(alert.why[current_language()])
    if len(alert.accounts) > 1:
        say(_("Accounts: {accounts}.").format(accounts=", ".join(alert.accounts)))
    say()
    say(
        _(
            "Raised on {opened}, last alarm on {last} (UTC); patients: {patients}, lines: {lines}."
        ).format(
            opened=f"{alert.opened_at:%Y-%m-%d %H:%M:%S}",
            last=f"{alert.last_at:%Y-%m-%d %H:%M:%S}",
            patients=number(alert.patients),
            lines=number(len(alert.lines)),
        )
    )
    say()
    draw_evidence(story)
    for said in filter(None, (explain_difference(alert, story), explain_level(alert, story))):
        say(said)
    say_reasons(story)
    say()
    say(_("Lines:"))
    for line in alert.lines[:ROWS]:
        say(f"  {line}")
    if len(alert.lines) > ROWS:
        say(_("  and {count} more (--format json has them all)").format(
            count=number(len(alert.lines) - ROWS)
        ))  # fmt: skip
    say()
    say(_("vigie case open {id} --reason … opens a case from it.").format(id=alert.id))


def say_reasons(story: "Story") -> None:
    """Say which honest reasons came nearest to the accesses that speak, and what each predicts."""
    counts = {said: sum(story.reasons.get(one, 0) for one in names) for said, names in _TRIED}
    total = sum(counts.values())
    if not total:
        return
    text = plural(
        "Honest reasons were tried on the {count} access that speaks for the alert, which a theft "
        "explains better. Which one came nearest, and what it would show:",
        "Honest reasons were tried on the {count} accesses that speak for the alert, each of which "
        "a theft explains better. Which one came nearest, how often, and what it would show:",
        total,
    )
    say()
    say(text.format(count=number(total)))
    for said, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        if count:
            say(f"  {number(count):>7}  {_(said)}")
    left = [_(said).partition(" (")[0] for said, count in counts.items() if not count]
    if left:
        say(_("Never nearest: {reasons}.").format(reasons=", ".join(left)))


def draw_evidence(story: "Story") -> None:
    """Draw the statistic as bars against its threshold; the table says the same in figures."""
    threshold = story.thresholds[0]
    top = max([threshold, *(step.level for step in story.steps)])
    mark = min(WIDTH - 1, max(0, round(WIDTH * threshold / top))) if top > 0 else WIDTH - 1
    legend = _("│ is the threshold, {value}").format(value=number(threshold, 1))
    header = (_("time (UTC)"), _("patients so far"), _("evidence"), legend)
    rows = [
        (
            f"{step.at:%Y-%m-%d %H:%M:%S}", number(step.patients), number(step.level, 1),
            _bar(step, top, mark, step.level >= threshold),
        )
        for step in _thinned(story.steps)
    ]  # fmt: skip
    draw_table(header, rows)


def _bar(step: "Step", top: float, mark: int, crosses: bool) -> str:
    filled = max(0, round(WIDTH * step.level / top)) if top > 0 else 0
    cells = ["█" if place < filled else " " for place in range(WIDTH)]
    cells[mark] = "┃" if crosses else "│"
    return "".join(cells)


def _thinned(steps: "tuple[Step, ...]") -> "list[Step]":
    """Keep at most ROWS steps: the highest of each stretch, which may alone cross, and the last."""
    if len(steps) <= ROWS:
        return list(steps)
    ends = [row * (len(steps) - 1) // (ROWS - 1) for row in range(ROWS)]
    return [
        *(max(steps[a:b], key=lambda step: step.level) for a, b in pairwise(ends)), steps[-1],
    ]  # fmt: skip


def _as_json(alert: "Alert", story: "Story") -> dict[str, object]:
    import msgspec

    return {
        "version": 1,
        "alert": msgspec.to_builtins(alert),
        "thresholds": dict(zip(LEVELS, story.thresholds, strict=False)),
        "level_from": msgspec.to_builtins(story.graver),
        "honest_reasons": story.reasons,
        "steps": [
            {"at": stamp(s.at), "patients": s.patients, "added": s.added, "level": s.level}
            for s in story.steps
        ],
    }
