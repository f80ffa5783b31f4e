"""Letters of article 34: to one person, on that person's data alone."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from vigie.language import N_, _
from vigie.notices.advice import Counsel, load_counsel
from vigie.notices.document import Document, Paragraph
from vigie.notices.lint import lint
from vigie.notices.naming import of
from vigie.notices.routes import Route
from vigie.notices.story import Head, Story
from vigie.notices.wording import load_wording, said

Person = Mapping[str, str | None]
REQUIRED: Final = {
    "happened": N_("what happened"),
    "classes": N_("which data"),
    "consequences": N_("what may follow"),
    "measures": N_("what was done"),
    "actions": N_("what the person can do"),
    "contact": N_("whom to ask"),
}


class Exposed(msgspec.Struct, frozen=True):
    """What of one person was seen, what may have been, and when; classes as in `records`."""

    seen: tuple[str, ...]
    possible: tuple[str, ...]
    first_at: datetime
    last_at: datetime

    @property
    def classes(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.seen, *self.possible)


class Letters:
    """Writes the letters of one case; what they share is read and checked once."""

    def __init__(self, story: Story, home: Path | None = None) -> None:
        self._story, self._home = story, home
        self._counsel = load_counsel(home)
        self._wording, self._where = load_wording("letter", story.language, home)
        self._checked: set[tuple[tuple[str, ...], tuple[str, ...], bool]] = set()

    def write(self, exposed: Exposed, person: Person, way: Route, bearers: int = 0) -> Document:
        """Return the letter about one person, by the way that is theirs.

        `bearers`: how many the register knows who bear the social-security number that the log
        names; 0 where it names persons.
        Raises `RefusedError` when the text is vague or lacks what article 34 asks for.
        """
        story, direct = self._story, way == Route.ADULT
        fields = story.fields() | _addressed(person, way) | {
            "began": story.day(exposed.first_at),
            "ended": story.day(exposed.last_at),
            "period": story.period(exposed.first_at, exposed.last_at),
        }  # fmt: skip
        blocks = self._wording.fill(fields, self._lists(exposed, bearers), self._where)
        if not direct:
            blocks = (blocks[0], Paragraph(_meaning(fields["person"])), *blocks[1:])
        organisation = story.organisation
        letter = Document(
            kind="letter", form="letter", language=story.language,
            title=said(self._wording.title, fields, self._where),
            date=story.date, dated=dated(story),
            sender=(organisation.name, *organisation.contact.split(", ")),
            recipient=address(person, way),
            reference=said(self._wording.reference, fields, self._where),
            greeting=_("Madam, Sir") + ",", blocks=blocks,
            closing=said(self._wording.closing, fields, self._where),
            signature=tuple(filter(None, (organisation.representative, organisation.name))),
            foot=foot(story, story.sha256), facts=story.sha256,
        )  # fmt: skip
        self._check(letter, exposed, direct)
        return letter

    def _lists(self, exposed: Exposed, bearers: int) -> dict[str, tuple[str, ...]]:
        counsel, language = self._counsel, self._story.language
        return {
            "alone": ("",) * (bearers == 1),
            "shared": ("",) * (bearers > 1),
            "seen": counsel.names(exposed.seen, language),
            "possible": counsel.names(exposed.possible, language),
            "unsure": () if exposed.seen else counsel.names(exposed.possible, language),
            "besides": counsel.names(exposed.possible, language) if exposed.seen else (),
            "consequences": counsel.consequences(exposed.classes, language),
            "actions": counsel.actions(exposed.classes, language),
            "measures": self._story.measures_without(),
        }

    def _check(self, letter: Document, exposed: Exposed, direct: bool) -> None:
        """Lint each text once: letters of the same classes differ by names and days alone."""
        key = (exposed.seen, exposed.possible, direct)
        if key not in self._checked:
            lint(letter, required(self._story, self._counsel, exposed), self._home)
            self._checked.add(key)


def required(story: Story, counsel: Counsel, exposed: Exposed) -> dict[str, tuple[str, ...]]:
    """Return the texts that article 34 wants in a letter on these data."""
    language = story.language
    return {
        REQUIRED["happened"]: (story.what_happened(),),
        REQUIRED["classes"]: counsel.names(exposed.classes, language),
        REQUIRED["consequences"]: counsel.consequences(exposed.classes, language),
        REQUIRED["measures"]: story.measures_without(),
        REQUIRED["actions"]: counsel.actions(exposed.classes, language),
        REQUIRED["contact"]: (story.organisation.contact,),
    }


def name_of(person: Person) -> str:
    """Return the name of a person as a letter writes it."""
    surname = person.get("used_name") or person.get("surname") or ""
    return " ".join(filter(None, (person.get("given_name"), surname.upper())))


def address(person: Person, way: Route) -> tuple[str, ...]:
    """Return the lines of the address that a letter goes to."""
    guardian = way == Route.PROTECTED or (way == Route.MINOR and bool(person.get("guardian")))
    if guardian:
        first = person.get("guardian") or ""
        before = "guardian_" if person.get("guardian_postcode") else ""
    else:
        heading = _("The legal representatives {of_name}") if way == Route.MINOR else "{name}"
        name = name_of(person)
        first, before = heading.format(name=name, of_name=of(name)), ""
    town = " ".join(filter(None, (person.get(f"{before}postcode"), person.get(f"{before}city"))))
    more = "" if before else person.get("address_more")
    lines = (first, person.get(f"{before}address"), more, town, person.get("country"))
    return tuple(line.strip() for line in lines if line and line.strip())


def _addressed(person: Person, way: Route) -> dict[str, str]:
    name = name_of(person)
    if way == Route.ADULT:
        whose = {
            "of_data": _("your personal data"),
            "your_data": _("your personal data"),
            "of_whom": _("concerning you"),
        }
    else:
        # A guardian represents, a curator assists (code civil, art. 440): no register says which.
        data = _("personal data {of_name}, whose legal representative you are")
        if way == Route.PROTECTED:
            data = _("personal data {of_name}, whom you represent or assist")
        whose = {
            "of_data": _("personal data {of_name}").format(of_name=of(name)),
            "your_data": data.format(of_name=of(name)),
            "of_whom": _("concerning {name}").format(name=name),
        }
    return {**whose, "person": name, "greeting_end": _("Madam, Sir")}


def _meaning(name: str) -> str:
    return _(
        "In what follows, the data and rights called “yours” are those of {name}; what is advised "
        "is for you to do, who act for them."
    ).format(name=name)


def foot(story: Head, sha256: str) -> str:
    """Return what every page says at its foot; `sha256` is the hash of the facts, if any."""
    return _("{organisation} · case {case} · facts {facts}").format(
        organisation=story.organisation.name, case=story.case, facts=sha256[:16] or "–"
    )


def dated(story: Story) -> str:
    """Return the date as a letter begins with it: « Le 3 mars 2026 »."""
    return _("{day}").format(day=story.day(datetime.fromisoformat(f"{story.date}T12:00+00:00")))
