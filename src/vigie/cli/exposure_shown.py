"""How an exposure is shown: who, what, how sure, and what the log cannot say."""

from typing import TYPE_CHECKING, Any

from vigie.cli.terminal import draw_table, say
from vigie.exposure.separation import BECAUSE
from vigie.facts import GAPS, Facts
from vigie.facts.model import Gap
from vigie.language import N_, _, labelled, number, plural

if TYPE_CHECKING:
    from vigie.exposure import Boundary, Exposure
    from vigie.exposure.changes import Changes

HOWS = {
    "listed": N_("listed"), "opened": N_("opened"), "exported": N_("exported"),
    "reachable": N_("reachable"),
}  # fmt: skip
CERTAINTIES = {
    "certain": N_("certain"), "probable": N_("probable"), "not_separable": N_("not separable"),
    "possible": N_("possible"), "owner": N_("the owner's"),
}  # fmt: skip
WAYS = {
    "place": N_("told apart by place"),
    "hour": N_("told apart by hour"),
    "part": N_("told apart in part: the rest is not separable, and counts"),
    "none": N_("not separable: all of it counts"),
    "said": N_("told apart by decision"),
}
CLASSES = {
    "identity": N_("identity"), "nir": N_("social-security number"), "contact": N_("contact"),
    "coverage": N_("coverage"), "bank": N_("bank details"), "appointments": N_("appointments"),
    "medical": N_("medical"), "prescription": N_("prescription"), "notes": N_("free notes"),
    "unknown": N_("unknown: nobody vouched for the screen"),
}  # fmt: skip
UNITS = {
    "blind_period": N_("lines"), "unreadable_lines": N_("lines"),
    "unlogged_results": N_("results"), "unknown_export": N_("records"),
    "unknown_screen": N_("lines"), "unattested_screen": N_("lines"),
    "unscanned_text": N_("lines"), "shared_number": N_("numbers"), "no_controller": N_("persons"),
}  # fmt: skip
"""What is counted of each kind of gap."""
BOUNDARIES = {
    "certain": N_("certain"),
    "told_apart": N_("and probable: told apart from the owner’s"),
    "probable": N_("and not separable (counts unless somebody decides otherwise)"),
    "possible": N_("and possible"),
    "all": N_("and the owner’s: everything"),
}  # fmt: skip
"""What each boundary adds to the one before."""
_SHOWN = 12

_MATRIX = """
SELECT data_class, how, certainty, count(DISTINCT patient), sum(accesses)::BIGINT
FROM exposure GROUP BY ALL ORDER BY data_class, how, certainty
"""
_EVIDENCE = """
SELECT v.account, s.session, s.network, s.device, v.certainty, v.because,
    count(DISTINCT s.access_id) AS accesses, min(s."at"), max(s."at")
FROM own s JOIN told v ON s.account = v.account
  AND s.session IS NOT DISTINCT FROM v.session AND s.network IS NOT DISTINCT FROM v.network
  AND s.device IS NOT DISTINCT FROM v.device AND s.user_agent IS NOT DISTINCT FROM v.user_agent
  AND hour(s."at") = v.hour AND s."at"::DATE - DATE '1970-01-01' = v.day
GROUP BY ALL ORDER BY min(s."at"), v.account, s.session, s.network, s.device, v.certainty
"""


def as_json(found: "Exposure", facts: Facts, changes: "Changes") -> dict[str, Any]:
    """Return the answer as `docs/exposure.md` documents it; it names no patient."""
    import msgspec

    rows = found.groups(_MATRIX)
    names = ("data_class", "how", "certainty", "persons", "accesses")
    return {
        "version": 1,
        "facts_sha256": facts.sha256,
        "facts": msgspec.to_builtins(facts),
        "boundary": found.scope.boundary.level,
        "decision": _decision(found.scope.boundary),
        "told_apart": found.separation.ways,
        "persons_by_boundary": found.by_boundary,
        "exposed": [dict(zip(names, row, strict=True)) for row in rows],
        "sessions": evidence(found),
        "changes": [msgspec.to_builtins(change) for change in changes or ()],
    }


def _decision(boundary: "Boundary") -> dict[str, Any] | None:
    """Return who put the boundary elsewhere than usual, where, and why; None when nobody did."""
    if not boundary.chosen:
        return None
    since = f"{boundary.since.isoformat()}" if boundary.since else None
    return {"level": boundary.level, "since": since, "sessions": boundary.sessions,
            "author": boundary.author, "reason": boundary.reason}  # fmt: skip


def evidence(found: "Exposure") -> list[dict[str, Any]]:
    """Return whose each session, place and hour is, by which evidence, and how many accesses."""
    found.connection.register("told", found.separation.verdicts)
    names = ("account", "session", "network", "device", "certainty", "because", "accesses",
             "first_at", "last_at")  # fmt: skip
    rows = [dict(zip(names, row, strict=True)) for row in found.groups(_EVIDENCE)]
    return [row | {k: f"{row[k].isoformat()}Z" for k in ("first_at", "last_at")} for row in rows]


def draw(found: "Exposure", facts: Facts, changes: "Changes", sessions: bool) -> None:
    """Draw the summary."""
    _draw_counts(found, facts)
    say()
    header = (_("data"), _("how"), _("certainty"), _("persons"), _("accesses"))
    draw_table(header, [
        (_(CLASSES[data]), _(HOWS[how]), _(CERTAINTIES[sure]), number(persons), number(accesses))
        for data, how, sure, persons, accesses in found.groups(_MATRIX)
    ])  # fmt: skip
    _draw_boundaries(found)
    _draw_decision(found.scope.boundary)
    _draw_separation(found, sessions)
    _draw_gaps(facts)
    _draw_changes(changes)


def say_persons(facts: Facts) -> None:
    """Say how many persons were exposed, with the bounds where there are any."""
    persons = facts["persons"]
    if persons.exact:
        say(_("{count} persons exposed.").format(count=number(persons.numerator)))
    elif persons.high is None:
        text = _("At least {count} persons exposed; the log allows no upper bound.")
        say(text.format(count=number(persons.numerator)))
    else:
        text = _("At least {low} and at most {high} persons exposed.")
        say(text.format(low=number(persons.numerator), high=number(persons.high)))


def _draw_counts(found: "Exposure", facts: Facts) -> None:
    say_persons(facts)
    totals = found.totals
    say(
        _(
            "{lines} lines of the log, {duplicates} of them said twice; {accesses} accesses, "
            "{refused} refused; {tests} test identities not counted."
        ).format(
            lines=number(totals["lines"]), duplicates=number(totals["duplicates"]),
            accesses=number(totals["accesses"]), refused=number(totals["refused"]),
            tests=number(totals["tests"]),
        )
    )  # fmt: skip


def _draw_boundaries(found: "Exposure") -> None:
    """Say how many persons each boundary would count, where that makes a difference."""
    persons = found.by_boundary
    if len({*persons.values()}) > 1:
        say()
        header = (_("boundary"), _("what counts"), _("persons"))
        draw_table(header, [(k, _(BOUNDARIES[k]), number(v)) for k, v in persons.items()])


def _draw_decision(boundary: "Boundary") -> None:
    if not boundary.chosen:
        return
    parts = [_("what counts: {certainties}").format(
        certainties=", ".join(_(CERTAINTIES[name]) for name in boundary.included)
    )]  # fmt: skip
    if boundary.since:
        text = _("all before {time} (UTC) is the owner's")
        parts.append(text.format(time=f"{boundary.since:%Y-%m-%d %H:%M}"))
    if boundary.sessions:
        count = len(boundary.sessions)
        said = plural("{count} session is the thief's, all others are the owner's",
                      "{count} sessions are the thief's, all others are the owner's",
                      count)  # fmt: skip
        parts.append(said.format(count=number(count)))
    who = boundary.author or _("nobody named")
    say()
    say(_("Boundary chosen by {who}").format(who=who))
    for part in (*parts, labelled(_("Reason"), boundary.reason)):
        say(f"  {part}")


def _draw_separation(found: "Exposure", sessions: bool) -> None:
    say()
    for account, way in sorted(found.separation.ways.items()):
        say(labelled(account, _(WAYS[way])))
    rows = evidence(found)
    if not sessions:
        left = sum(row["accesses"] for row in rows if row["certainty"] == "owner")
        if left:
            text = _(
                "{count} accesses are the owner's own; --evidence shows whose each session is."
            )
            say(text.format(count=number(left)))
        return
    header = (_("account"), _("session"), _("network"), _("first (UTC)"), _("accesses"),
              _("whose"), _("because"))  # fmt: skip
    draw_table(header, [
        (row["account"], row["session"], row["network"], row["first_at"][:16],
         number(row["accesses"]), _(CERTAINTIES[row["certainty"]]), _(BECAUSE[row["because"]]))
        for row in rows
    ])  # fmt: skip


def _draw_gaps(facts: Facts) -> None:
    if not facts.gaps:
        return
    say()
    say(_("What the log cannot say:"))
    for gap in facts.gaps[:_SHOWN]:
        where = " ".join(filter(None, (gap.source, gap.name)))
        when = " – ".join(part[:16] for part in (gap.since, gap.until) if part)
        about = " ".join(filter(None, (where, when)))
        said = _said(gap)
        say("  " + (labelled(about, said) if about else said))
    if len(facts.gaps) > _SHOWN:
        text = _("  and {count} more (--format json has them all)")
        say(text.format(count=number(len(facts.gaps) - _SHOWN)))


def _said(gap: Gap) -> str:
    """Say what the log cannot say, how much of it, and whether anything bounds it."""
    uncounted = gap.kind == "unlogged_results" and not gap.count
    text = _("the results of a search were not even counted") if uncounted else _(GAPS[gap.kind])
    parts = [labelled(_(UNITS[gap.kind]), number(gap.count))] if gap.count else []
    silent = gap.kind == "blind_period" and gap.name != "account"
    if uncounted or silent or (gap.kind == "unknown_export" and not gap.count):
        parts.append(_("no upper bound"))
    return f"{text} ({', '.join(parts)})" if parts else text


def _draw_changes(changes: "Changes") -> None:
    if changes is None:
        return
    say()
    if not changes:
        say(_("The declarations of the screens changed nothing since then."))
        return
    say(_("What the corrected declaration of the screens changes:"))
    header = (_("data"), _("before"), _("now"), _("persons added"),
              _("persons removed"))  # fmt: skip
    draw_table(header, [
        (_(CLASSES[c.data_class]), number(c.before), number(c.after), number(c.added),
         number(c.removed))
        for c in changes
    ])  # fmt: skip
