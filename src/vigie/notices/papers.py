"""The other notices of a case: to controllers, professionals, authorities, the press, the public.

Each is the story of the case and its facts in its own text; none is written apart from the others.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from vigie.cases.filings import Filing, written_out
from vigie.errors import RefusedError
from vigie.facts import Fact
from vigie.facts.words import CLASS_NAMES
from vigie.language import N_, _
from vigie.language import number as written
from vigie.notices.advice import load_counsel
from vigie.notices.document import Answers, Block, Document, Heading, Paragraph, Rows
from vigie.notices.letters import Person, address, dated, foot
from vigie.notices.routes import Route
from vigie.notices.story import Head, Story
from vigie.notices.wording import Lists, load_wording, said
from vigie.records import DATA_CLASSES


def professional(
    story: Story, account: str, home: Path | None = None, person: Person | None = None
) -> Document:
    """Return the letter to the professional whose `account` was used, named where known.

    Raises `RefusedError` while nobody decided that it was somebody else.
    """
    if not story.cause.startswith("external"):
        raise RefusedError(
            N_("the letter tells the holder that somebody else used the account, which nobody "
               "decided"), where=story.case,
            remedy=N_("vigie case decide {case} cause external_malicious --reason …"),
            case=story.case,
        )  # fmt: skip
    advice, language = load_counsel(home).professional, story.language
    use = story.facts.use_of(account)
    apart = {} if use is None else advice.told_apart if use.told_apart else advice.not_told_apart
    lists: Lists = {
        "own_period": (account,) if use else (),
        "consequences": (*apart.get(language, ()), *advice.consequences[language]),
        "actions": advice.actions[language],
        "measures": story.measures_without(account),
    }
    fields = {"account": account, "greeting_end": _("Madam, Sir")}
    if use:
        fields["period"] = story.period(*map(datetime.fromisoformat, (use.first_at, use.last_at)))
    letter = paper("professional", story, home, fields, lists, "letter")
    holder = (_("The holder of the account"), account)
    return msgspec.structs.replace(
        letter, greeting=_("Madam, Sir") + ",",
        recipient=address(person, Route.ADULT) if person else holder,
    )  # fmt: skip


def press(
    story: Story, classes: Iterable[str], home: Path | None = None, may: Iterable[str] = ()
) -> Document:
    """Return the statement to the press: every number a fact, with its unit and out of how many.

    `may` are the classes that the log neither proves nor rules out.
    """
    counsel, language = load_counsel(home), story.language
    seen, possible = (sorted(names, key=DATA_CLASSES.index) for names in (classes, may))
    lists: Lists = {
        "figures": fact_figures(story),
        "seen": tuple(map(_told, seen)),
        "possible": tuple(map(_told, possible)),
        "measures": story.measures_without(),
        "actions": counsel.actions([*seen, *possible], language),
    }
    fields = {"possible_data": _enumerated([*map(_told, possible)])}
    return paper("press", story, home, fields, lists, "report")


def _enumerated(names: list[str]) -> str:
    """Return names as a sentence lists them."""
    *first, last = names or [""]
    return _("{first} and {last}").format(first=", ".join(first), last=last) if first else last


def _told(data_class: str) -> str:
    """Return what a reader is told of a class of data."""
    if data_class == "unknown":
        return _("data whose nature is not yet established")
    return _(CLASS_NAMES[data_class])


def fact_figures(story: Story) -> tuple[tuple[str, str], ...]:
    """Return the facts of the case as a reader is told them: persons first, with their bounds."""
    found = []
    for name, label in (
        ("persons", _("Persons concerned")),
        ("accesses", _("Accesses")),
        ("accounts", _("Accounts used")),
        ("controllers", _("Controllers")),
    ):
        fact = story.facts.get(name)
        if fact is None or (name == "controllers" and fact.numerator < 2):
            continue
        value = counted(fact)
        if fact.denominator is not None:
            value = _("{value} out of {total}").format(value=value, total=written(fact.denominator))
        found.append((label, value))
    return tuple(found)


def counted(fact: Fact) -> str:
    """Write the number of a fact, with its bounds where the log gives no more."""
    if fact.exact:
        return written(fact.numerator)
    low = written(fact.low or 0)
    if fact.high is None:
        return _("at least {low}").format(low=low)
    return _("from {low} to {high}").format(low=low, high=written(fact.high))


def advice_page(story: Story, classes: Iterable[str], home: Path | None = None) -> Document:
    """Return the page of advice for patients: by kind of data, naming nobody."""
    counsel, language = load_counsel(home), story.language
    made = paper("advice", story, home, {}, {"by_class": ()}, "report")
    parts: list[Block] = []
    for name in sorted(classes, key=DATA_CLASSES.index):
        title = counsel.classes[name].name[language]
        parts += [Heading(title[0].upper() + title[1:])]
        parts += [Paragraph(text) for text in counsel.consequences((name,), language)]
        parts += [Paragraph("→ " + text) for text in counsel.actions((name,), language)]
    blocks = (made.blocks[0], *parts, *made.blocks[1:])
    return msgspec.structs.replace(made, blocks=blocks)


def sheet(filing: Filing, story: Head) -> Document:
    """Return what is filed with an authority as a document: every field, unknowns marked so."""
    show = partial(_shown, unknown=filing.unknown, zone=story.zone)
    blocks: list[Block] = [Answers(_answers(filing, show))]
    if story.language != "fr":
        note = _("What stands in French is in the words of the CNIL’s lists, to be filed as it is.")
        blocks.insert(0, Paragraph(note))
    for field in filing.fields:
        if field.value and isinstance(field.value, list) and isinstance(field.value[0], dict):
            blocks += [Heading(field.label), _rows(field.value, show)]
    if filing.changes:
        header = (_("Field"), _("Before"), _("Now"))
        changes = tuple((c.label, show(c.before), show(c.after)) for c in filing.changes)
        blocks += [Heading(_("What changed since the last notification")), Rows(header, changes)]
    if filing.missing:
        labels = {field.name: field.label for field in filing.fields}
        missing = ", ".join(labels.get(name, name) for name in filing.missing)
        text = _("Still missing before it can be filed: {fields}.").format(fields=missing)
        blocks.insert(0, Paragraph(text))
    return Document(
        kind=filing.kind, form="report", language=story.language, title=filing.title,
        date=story.date, dated=day(story), sender=(story.organisation.name,),
        recipient=(filing.recipient, filing.address), reference=filing.case,
        blocks=tuple(blocks), foot=foot(story, filing.facts), facts=filing.facts,
    )  # fmt: skip


def _answers(filing: Filing, show: Callable[[Any], str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (field.label, show(field.value))
        for field in filing.fields
        if not (isinstance(field.value, list) and field.value and isinstance(field.value[0], dict))
    )


def _rows(values: list[dict[str, Any]], show: Callable[[Any], str]) -> Rows:
    header = tuple(values[0])
    names = {"at": _("when"), "event": _("event"), "text": _("details"), "name": _("item"),
             "sha256": "SHA-256"}  # fmt: skip
    return Rows(
        tuple(names.get(name, name) for name in header),
        tuple(tuple(show(row[name]) if row[name] else "" for name in header) for row in values),
    )


def _shown(value: Any, unknown: str, zone: str) -> str:
    """Write a value of a form; a moment is written out, as a person reads it."""
    if value is None:
        return unknown
    if value in ("", []):
        return _("nil")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return written(value)
    if isinstance(value, list | tuple):
        return "\n".join(_shown(part, unknown, zone) for part in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(part, unknown, zone)}" for name, part in value.items())
    return str(written_out(value, zone))


def paper(
    name: str, story: Story, home: Path | None, more: dict[str, str], lists: Lists, form: str
) -> Document:
    """Return the document that the text called `name` makes of a story."""
    wording, where = load_wording(name, story.language, home)
    fields = story.fields() | more
    organisation = story.organisation
    by = (organisation.name,) if form == "letter" else ()
    return Document(
        kind=name, form=form, language=story.language, title=said(wording.title, fields, where),
        date=story.date, dated=dated(story) if form == "letter" else day(story),
        sender=(organisation.name, *organisation.contact.split(", ")),
        reference=said(wording.reference, fields, where),
        blocks=wording.fill(fields, lists, where), closing=said(wording.closing, fields, where),
        signature=(*filter(None, (organisation.representative,)), *by),
        foot=foot(story, story.sha256), facts=story.sha256,
    )  # fmt: skip


def day(story: Head) -> str:
    """Return the date of the notices, written out."""
    return story.day(datetime.fromisoformat(f"{story.date}T12:00+00:00"))
