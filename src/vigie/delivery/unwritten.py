"""Who is not written to, and why: a list for whoever has to look at them, never left unsaid.

It goes into the encrypted archives beside the letters, with what the register says, for a doubt is
settled in the register, and a public communication (art. 34(3)(c)) decided on how many it is for.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from vigie.delivery.listing import FIELD_NAMES
from vigie.facts.words import CLASS_NAMES
from vigie.language import _, harmless
from vigie.notices.letters import Exposed, Person
from vigie.notices.routes import ROUTE_NAMES, WRITTEN, Route, mailbox

UNWRITTEN: Final = "not-written.csv"


@dataclass(frozen=True, slots=True)
class Addressee:
    """One person: pseudonym (hexadecimal), way, what the register says, what was exposed.

    `bearers` are those who bear the social-security number that the log names; 0: it names another.
    """

    person: str
    way: Route
    fields: Person
    exposed: Exposed
    bearers: int = 0

    @property
    def email(self) -> str:
        """Where a mail to this person goes, empty when there is no box for the right reader."""
        before = "guardian_" if self.way == Route.PROTECTED else ""
        # A child's own box is not that of those who answer for the child.
        name = "guardian_email" if self.way == Route.MINOR else f"{before}email"
        return mailbox(self.fields.get(name))


class Aside:
    """Those whom nobody writes to, kept until their list is taken."""

    def __init__(self) -> None:
        self._people: list[Addressee] = []

    def written(self, people: Iterable[Addressee]) -> Iterator[Addressee]:
        """Yield those who are written to, and keep the others."""
        for one in people:
            if one.way in WRITTEN:
                yield one
            else:
                self._people.append(one)

    def taken(self) -> bytes:
        """Return the list of those kept so far and forget them; nothing where there are none."""
        people, self._people = self._people, []
        if not people:
            return b""
        names = [name for name in FIELD_NAMES if any(name in one.fields for one in people)]
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        writer.writerow([_("person"), _("way"), _("data"), _("data that may have been shown"),
                         *(_(FIELD_NAMES[name]) for name in names)])  # fmt: skip
        for one in people:
            seen, may = (", ".join(_(CLASS_NAMES[name]) for name in classes)
                         for classes in (one.exposed.seen, one.exposed.possible))  # fmt: skip
            said = (harmless(one.fields.get(name) or "") for name in names)
            writer.writerow([one.person, _(ROUTE_NAMES[one.way]), seen, may, *said])
        return text.getvalue().encode("utf-8-sig")
