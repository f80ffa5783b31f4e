"""How an exposure is shown: who, what, how sure, and what the log cannot say."""

from typing import TYPE_CHECKING, Any

from vigie.cli.terminal import draw_table, say
from vigie.exposure.separation import BECAUSE
from vigie.facts import GAPS, Facts
from vigie.language import N_, _, labelled, number

if TYPE_CHECKING:
    from vigie.exposure import Exposure
    from vigie.exposure.changes import Change

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
    "none": N_("not separable: all of it counts"),
    "said": N_("told apart by decision"),
}
CLASSES = {
    "identity": N_("identity"), "nir": N_("social-security number"), "contact": N_("contact"),
    "coverage": N_("coverage"), "bank": N_("bank details"), "appointments": N_("appointments"),
    "medical": N_("medical"), "prescription": N_("prescription"), "notes": N_("free notes"),
    "unknown": N_("unknown: nobody vouched for the screen"),
}  # fmt: skip
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
  AND hour(s."at") = v.hour
GROUP BY ALL ORDER BY min(s."at"), v.account, s.session, s.network, s.device, v.certainty
"""


def as_json(found: "Exposure", facts: Facts, changes: "tuple[Change, ...]") -> dict[str, Any]:
    """Return the answer as `docs/exposure.md` documents it; it names no patient."""
    import msgspec

    rows = found.groups(_MATRIX)
    names = ("data_class", "how", "certainty", "persons", "accesses")
    return {
        "version": 1,
        "facts_sha256": facts.sha256,
        "facts": msgspec.to_builtins(facts),
        "boundary": found.scope.boundary.level,
        "told_apart": found.separation.ways,
        "exposed": [dict(zip(names, row, strict=True)) for row in rows],
        "sessions": evidence(found),
        "changes": [msgspec.to_builtins(change) for change in changes],
    }


def evidence(found: "Exposure") -> list[dict[str, Any]]:
    """Return whose each session, place and hour is, by which evidence, and how many accesses."""
    found.connection.register("told", found.separation.verdicts)
    names = ("account", "session", "network", "device", "certainty", "because", "accesses",
             "first_at", "last_at")  # fmt: skip
    rows = [dict(zip(names, row, strict=True)) for row in found.groups(_EVIDENCE)]
    return [row | {k: f"{row[k].isoformat()}Z" for k in ("first_at", "last_at")} for row in rows]


def draw(found: "Exposure", facts: Facts, changes: "tuple[Change, ...]", sessions: bool) -> None:
    """Draw the summary."""
    _draw_counts(found, facts)
    say()
    header = (_("data"), _("how"), _("certainty"), _("persons"), _("accesses"))
    draw_table(header, [
        (_(CLASSES[data]), _(HOWS[how]), _(CERTAINTIES[sure]), number(persons), number(accesses))
        for data, how, sure, persons, accesses in found.groups(_MATRIX)
    ])  # fmt: skip
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
        count = f" ({number(gap.count)})" if gap.count else ""
        about = " ".join(filter(None, (where, when)))
        said = f"{_(GAPS[gap.kind])}{count}"
        say("  " + (labelled(about, said) if about else said))
    if len(facts.gaps) > _SHOWN:
        text = _("  and {count} more (--format json has them all)")
        say(text.format(count=number(len(facts.gaps) - _SHOWN)))


def _draw_changes(changes: "tuple[Change, ...]") -> None:
    if not changes:
        return
    say()
    say(_("What the corrected declaration of the screens changes:"))
    header = (_("data"), _("before"), _("now"), _("added"), _("removed"))
    draw_table(header, [
        (_(CLASSES[c.data_class]), number(c.before), number(c.after), number(c.added),
         number(c.removed))
        for c in changes
    ])  # fmt: skip
