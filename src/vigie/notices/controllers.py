"""What a controller is told under article 33(2): its own numbers, drafts of what it has to file.

Nothing here counts a person of another controller: numbers, kinds of data, accounts and times are
those of its own share, and what only the controller can say is left to be completed. The notice
speaks as the processor; the drafts speak as the controller, who will sign them: nothing in them may
pass for its own awareness.
Where the facts of the case have bounds, so have the numbers here: whoever is hidden may be this
controller's.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from vigie.cases.figures import missing_of, sensitive_of, stamp
from vigie.cases.filings import Field, Filing
from vigie.cases.organisation import Organisation
from vigie.cases.vocabulary import load_vocabulary
from vigie.facts import Fact
from vigie.facts.words import CLASS_NAMES, HOW_NAMES
from vigie.language import N_, _
from vigie.language import number as written
from vigie.notices.advice import load_counsel
from vigie.notices.document import Document, Paragraph
from vigie.notices.forms import form
from vigie.notices.letters import Exposed, Letters, foot
from vigie.notices.naming import of, with_article
from vigie.notices.papers import counted, paper, sheet
from vigie.notices.routes import Route
from vigie.notices.share import Share
from vigie.notices.story import Story
from vigie.notices.wording import Lists
from vigie.records import DATA_CLASSES

KEPT: Final = frozenset({
    "certainty", "ongoing", "natures", "origins", "causes", "people", "security_before",
})  # fmt: skip
"""Fields of a notification that the processor can answer for the controller as they stand."""
CONTENTS: Final = (
    N_("notice: this document"),
    N_("cnil-draft: what you may notify to the CNIL, to be completed"),
    N_("letter-draft: a letter that you may send to the persons"),
    N_("persons.csv: the list of your persons"),
    N_("possible.csv: persons who may be concerned, apart: no log says that they were shown"),
    N_("facts.json: the facts that concern you, with the hash of all"),
    N_("manifest.json: the SHA-256 of each file"),
)


def enclosed(
    filing: Filing, story: Story, forms: Iterable[str], home: Path | None = None
) -> Callable[[Share], dict[str, bytes]]:
    """Return what makes the documents of one packet: the notice in the first form, the drafts in
    all of them (they are to be worked on), the facts as JSON."""
    makers = {suffix: form(suffix, home) for suffix in forms}
    first = next(iter(makers))

    def documents(share: Share) -> dict[str, bytes]:
        if not share.controller:  # the operator keeps these, and writes to nobody about them
            return {"facts.json": share_facts(story, share)}
        cnil, letter = draft(filing, story, share, home), draft_letter(story, share, home)
        return {
            f"notice.{first}": makers[first](notice(story, share, contents(share), home)),
            **{f"cnil-draft.{suffix}": make(cnil) for suffix, make in makers.items()},
            **{f"letter-draft.{suffix}": make(letter) for suffix, make in makers.items()},
            "facts.json": share_facts(story, share),
        }

    return documents


def of_share(story: Story, share: Share) -> Story:
    """Return the story as far as it is one controller's: own accounts, first and last access."""
    return msgspec.structs.replace(
        story, began=share.first_at, ended=share.last_at, accounts=share.accounts
    )


def told_by(story: Story, share: Share) -> Story:
    """Return that story as the controller tells it of its processor, with what it has to fill in.

    What nobody's contract covers is the operator's own to tell.
    """
    own = of_share(story, share)
    if not share.controller:
        return own
    controller = Organisation(
        name=share.controller, contact=_("[your contact for these questions]")
    )
    return msgspec.structs.replace(
        own, organisation=controller, processor=story.organisation.name, case=_("[your reference]")
    )


def contents(share: Share) -> tuple[str, ...]:
    """Return what is in a packet, file by file."""
    absent = {"persons.csv": not share.persons, "possible.csv": not share.possible}
    return tuple(_(text) for text in CONTENTS if not absent.get(text.partition(":")[0]))


def notice(
    story: Story, share: Share, contents: Iterable[str], home: Path | None = None
) -> Document:
    """Return the notice of article 33(2) to one controller: its own numbers and no others."""
    counsel, language = load_counsel(home), story.language
    story = of_share(story, share)
    lists: Lists = {
        "figures": share_figures(story, share),
        "measures": story.measures_without(*share.accounts),
        "consequences": counsel.consequences(share.classes, language),
        "duties": counsel.controller.duties[language],
        "contents": tuple(contents),
    }
    name = share.controller or story.organisation.name
    made = paper(
        "controller", story, home, {"controller": name, "of_controller": of(name)}, lists, "report"
    )
    return msgspec.structs.replace(made, recipient=(name,))


def share_figures(story: Story, share: Share) -> tuple[tuple[str, str], ...]:
    """Return what one controller is told in numbers."""
    said_of = [
        (_("Persons"), counted(bounded(story, "persons", share.persons))),
        (_("Rows of the exposure (person, kind of data, way, account)"), written(share.rows)),
        (_("Accounts used"), "\n".join(share.accounts)),
        (_("First access"), story.moment(share.first_at)),
        (_("Last access"), story.moment(share.last_at)),
        (_("We became aware on"), story.moment(story.aware)),
    ]
    for part, label, names, counts in (
        ("class", N_("Persons, by data: {name}"), CLASS_NAMES, share.by_class),
        ("how", N_("Persons, by access: {name}"), HOW_NAMES, share.by_how),
    ):
        said_of += [
            (_(label).format(name=_(names[name])),
             counted(bounded(story, f"persons.{part}:{name}", count)))
            for name, count in counts.items()
        ]  # fmt: skip
    if share.possible:
        named = _("Persons who may be among them (no log says that they were shown)")
        said_of.insert(1, (named, written(share.possible)))
    if share.may:
        named = _("Data that may have been shown besides")
        said_of.append((named, ", ".join(_(CLASS_NAMES[name]) for name in share.may)))
    said_of.append((_("Hash of the facts (SHA-256)"), story.sha256))
    return tuple(said_of)


def bounded(story: Story, name: str, count: int) -> Fact:
    """Return how many persons of a controller, with the bounds of the fact of that name.

    Whoever is hidden in the whole may be this controller's (vigie.facts.counting).
    """
    whole = story.facts.get(name)
    fact = Fact(name=name, numerator=count, unit="persons", query="", sha256="")
    if whole is None or whole.exact:
        return fact
    most = None if whole.high is None else count + whole.high - whole.numerator
    return msgspec.structs.replace(fact, low=count, high=most)


def draft(filing: Filing, story: Story, share: Share, home: Path | None = None) -> Document:
    """Return the draft of what the controller may notify to the CNIL (article 33(1))."""
    words, persons = load_vocabulary(home), bounded(story, "persons", share.persons)
    told = told_by(story, share)
    over = filing["ended_at"] is not None
    own: dict[str, Any] = {
        "organisation_name": told.organisation.name,
        "processor": told.processor or filing["processor"],
        "began_at": stamp(share.first_at, story.zone),
        "ended_at": stamp(share.last_at, story.zone) if over else None,
        "persons_band": words.band_of_fact(persons),
        "persons_number": share.persons if persons.exact else None,
        "persons_at_least": share.persons,
        "persons_at_most": share.persons if persons.low is None else persons.high,
        "data": words.data_of(share.by_class or ["unknown"]),
        "data_note": missing_of(story.facts, share.may),
        "harms": words.harms_of(share.classes),
        "sensitive": sensitive_of(words, list(share.by_class), list(share.may)),
        "measures": list(story.measures_without(*share.accounts)),
        "description": told.what_happened(),
    }
    fields = tuple(_answered(field, own) for field in filing.fields)
    made = sheet(msgspec.structs.replace(filing, fields=fields, changes=(), missing=()), story)
    note = _("A draft: the controller completes it and answers for it; the processor is {name}.")
    return msgspec.structs.replace(
        made, kind="cnil_draft", title=_("Draft notification to the CNIL (article 33(1))"),
        recipient=(share.controller,),
        blocks=(Paragraph(note.format(name=with_article(story.organisation.name))), *made.blocks),
    )  # fmt: skip


def _answered(field: Field, own: dict[str, Any]) -> Field:
    if field.name in KEPT:
        return field
    value = own.get(field.name, _("[to be completed by the controller]"))
    return msgspec.structs.replace(field, value=value)


def share_facts(story: Story, share: Share) -> bytes:
    """Return the numbers of one controller as JSON, with the hash of the facts behind them."""
    persons = bounded(story, "persons", share.persons)
    said = {
        "version": 1,
        "case": story.case,
        "facts": story.sha256,
        "exposure_sha256": story.facts.exposure_sha256,
        "controller": share.controller,
        "persons": share.persons,
        "persons_at_most": share.persons if persons.low is None else persons.high,
        "persons_possible": share.possible,
        "rows": share.rows,
        "persons_by_class": share.by_class,
        "persons_by_access": share.by_how,
        "classes_possible": list(share.may),
        "accounts": list(share.accounts),
        "first_at": share.first_at.isoformat(),
        "last_at": share.last_at.isoformat(),
        "awareness": story.aware.isoformat(),
    }
    return msgspec.json.format(msgspec.json.encode(said, order="sorted"), indent=1) + b"\n"


def draft_letter(story: Story, share: Share, home: Path | None = None) -> Document:
    """Return the letter that a controller may send, without a name, on what all its persons were
    or may have been shown with."""
    told, seen = told_by(story, share), share.by_class if share.sure is None else share.sure
    possible = {*share.classes} - {*seen}
    exposed = Exposed(_ordered(seen), _ordered(possible), told.began, told.ended)
    person = {"surname": _("[name]"), "address": _("[address]"), "postcode": "[…]", "city": "[…]"}
    letter = Letters(told, home).write(exposed, person, Route.ADULT)
    note = _(
        "[Draft, to be completed. It tells all that was or may have been seen of any of your "
        "persons: keep for each the data and the days that persons.csv gives, with what follows "
        "from them and what can be done. Take this paragraph out.]"
    )
    blocks = [Paragraph(note)]
    if any(gap.kind == "shared_number" for gap in story.facts.gaps):
        blocks.append(Paragraph(_(
            "[Of some of them the log names only a social-security number, which several persons "
            "may bear: write to each whom persons.csv lists under it, and to those attached to it "
            "whom you know, that their data may have been seen.]"
        )))  # fmt: skip
    return msgspec.structs.replace(
        letter, kind="draft_letter", foot=foot(story, story.sha256),
        blocks=(*blocks, *letter.blocks),
    )  # fmt: skip


def _ordered(classes: Iterable[str]) -> tuple[str, ...]:
    wanted = set(classes)
    return tuple(name for name in DATA_CLASSES if name in wanted)
