"""`vigie case severity`, `filing` and `register`: what follows from a case, as data."""

import sys
from argparse import Namespace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vigie.cli.book import find_case, open_book
from vigie.cli.terminal import draw_table, home_of, say, write_json
from vigie.language import N_, _, current_language, labelled, number

if TYPE_CHECKING:
    from vigie.cases.filings import Filing
    from vigie.cases.model import Case
    from vigie.cases.severity import Grid, Severity


def severity(options: Namespace) -> int:
    """Print the score with its inputs and the level proposed."""
    import msgspec

    from vigie.cases.figures import classes_of, possible_classes
    from vigie.cases.severity import Circumstances, load_grid
    from vigie.cases.severity import severity as score

    case = find_case(options)
    facts, grid = case.read_facts(), load_grid(home_of(options))
    persons = facts.get("persons")
    found = score(
        classes_of(facts),
        persons.numerator if persons else 0,
        Circumstances(
            options.identification,
            "known_recipients" if options.known_recipients else "unknown_recipients",
            malice="none" if options.not_malicious else "malicious",
            specialised=options.specialised,
            unintelligible=options.unintelligible,
        ),
        grid,
        possible_classes(facts),
    )
    if options.format == "json":
        write_json({"version": 1, "case": case.id, "facts": facts.sha256,
                    **msgspec.to_builtins(found)})  # fmt: skip
    else:
        _draw_severity(case, found, grid)
    return 0


def _draw_severity(case: "Case", found: "Severity", grid: "Grid") -> None:
    said = _("ENISA's method: SE = DPC × EI + CB = {dpc} × {ei} + {cb} = {score} ({band})")
    say(said.format(
        dpc=number(found.dpc, 2), ei=number(found.ei, 2), cb=number(found.cb, 2),
        score=number(found.score, 2), band=_(_WORDS[found.band]),
    ))  # fmt: skip
    labels = {change.name: change.label[current_language()] for change in grid.adjustment}
    rows = [
        (
            _(_WORDS[part.name]), labels.get(part.value) or _(_WORDS[part.value]),
            number(part.score, 2), _("Vigie's choice") if part.choice else "",
        )
        for part in found.inputs
    ]  # fmt: skip
    draw_table((_("input"), _("answer"), _("score"), ""), rows)
    _say_bounds(found)
    for flag in found.flags:
        say(_("Flag: {flag}").format(flag=_(_WORDS[flag])))
    said = _(
        "Proposed level for the CNIL: {level}. The mapping is Vigie's choice, no authority "
        "publishes one; record yours: vigie case decide {case} severity LEVEL --reason …"
    )
    say(said.format(level=_(_WORDS[found.level]), case=case.id))
    _say_proposals(found)
    say(_("Source: {source}.").format(source=found.source))


def _say_bounds(found: "Severity") -> None:
    """Say what would change the score: the method's ceiling, our choices, what nobody knows."""
    if sum(part.score for part in found.inputs if part.name == "dpc") > found.dpc:
        say(_("The method counts {most} at most for the context.").format(most=number(found.dpc)))
    if found.without_choices != found.score:
        said = _("Without Vigie's adjustments of the context: {score}.")
        say(said.format(score=number(found.without_choices, 2)))
    if found.at_most != found.score:
        said = _(
            "The log or the declarations of screens leave other data possible: with them, {score}; "
            "the level is proposed from this one."
        )
        say(said.format(score=number(found.at_most, 2)))


def _say_proposals(found: "Severity") -> None:
    """Say what the score suggests for articles 33 and 34: somebody decides, with a reason."""
    from vigie.cases.words import EXEMPTIONS, VALUES

    said = _("Proposed, for you to decide: authority (art. 33), {authority}; persons, {persons}.")
    say(said.format(authority=_(VALUES[found.authority]), persons=_(VALUES[found.persons])))
    if found.authority == "not_notified":
        say(_("In doubt, notify: the CNIL says whether persons must be informed."))
    if found.exemptions:
        reasons = "; ".join(_(EXEMPTIONS[name]) for name in found.exemptions)
        say(_("Any one of these is enough by itself: {reasons}.").format(reasons=reasons))


_WORDS = {
    "low": N_("low"),
    "medium": N_("medium"),
    "high": N_("high"),
    "very_high": N_("very high"),
    "dpc": N_("context of the processing (DPC)"),
    "ei": N_("ease of identification (EI)"),
    "confidentiality": N_("confidentiality (CB)"),
    "integrity": N_("integrity (CB)"),
    "availability": N_("availability (CB)"),
    "malice": N_("malicious intent (CB)"),
    "simple": N_("simple data"),
    "behavioural": N_("behavioural data"),
    "financial": N_("financial data"),
    "sensitive": N_("sensitive data"),
    "negligible": N_("negligible"),
    "limited": N_("limited"),
    "significant": N_("significant"),
    "maximal": N_("maximal"),
    "none": N_("none"),
    "known_recipients": N_("known recipients"),
    "unknown_recipients": N_("unknown recipients"),
    "recoverable": N_("altered, and recoverable"),
    "temporary": N_("for a time"),
    "lost": N_("lost"),
    "malicious": N_("malicious"),
    "many_persons": N_("more than 100 persons"),
    "unintelligible": N_("unintelligible data"),
}


def filing(options: Namespace) -> int:
    """Print what goes to one addressee."""
    from vigie.cases.filings import file

    case = find_case(options)
    found = file(case, options.kind, home_of(options), datetime.now(UTC))
    if options.format == "json":
        write_json(as_json(found))
    else:
        _draw_filing(found, case.zone)
    return 0


def as_json(found: "Filing") -> dict[str, Any]:
    """Return a filing as `docs/cases.md` documents it."""
    import msgspec

    said = msgspec.to_builtins(found)
    for field in said["fields"]:
        field["known"] = field["value"] is not None
    return {"version": 1, **said}


def _draw_filing(found: "Filing", zone: str) -> None:
    from vigie.cases.filings import written_out

    say(labelled(found.title, found.case))
    for field in found.fields:
        _say_field(field.label, written_out(field.value, zone), found.unknown)
    if found.missing:
        labels = {field.name: field.label for field in found.fields}
        said = _("Required, and not known: {fields}.")
        say(said.format(fields=", ".join(labels[name] for name in found.missing)))
    if found.changes:
        say()
        shown = [written_out([c.before, c.after], zone) for c in found.changes]
        changes = [
            (change.label, *(_text(value, found.unknown) for value in values))
            for change, values in zip(found.changes, shown, strict=True)
        ]
        title = _("What changed since the last filing")
        draw_table((_("field"), _("before"), _("now")), changes, title)


def _say_field(label: str, value: Any, unknown: str) -> None:
    """Say a field whole: a table would cut a long text, and this goes to an authority."""
    if not isinstance(value, list) or len(value) < 2:
        say(_("{field}: {value}").format(field=label, value=_text(value, unknown)))
        return
    say(_("{field}:").format(field=label))
    for part in value:
        say(f"  - {_text(part, unknown)}")


def _text(value: Any, unknown: str) -> str:
    if value is None:
        return f"[{unknown}]"
    if value in ("", []):
        return _("nil")
    if isinstance(value, list):
        return "; ".join(_text(part, unknown) for part in value)
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if part)
    return number(value) if isinstance(value, int) else str(value)


def register(options: Namespace) -> int:
    """Print the register of breaches."""
    from vigie.cases.register import as_csv
    from vigie.cases.register import register as enter

    with open_book(options) as book:
        entries = enter(book.cases(), home_of(options), datetime.now(UTC))
    if options.format == "json":
        write_json({"version": 1, "breaches": list(map(as_json, entries))})
    else:
        sys.stdout.write(as_csv(entries))
    return 0
