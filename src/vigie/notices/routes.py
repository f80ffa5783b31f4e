"""Which way a person is told: directly, through who answers for them, or by another way.

Article 34 wants everybody concerned informed: whoever cannot be written to is counted, and told by
the public communication of article 34(3)(c). The rules here are a choice of Vigie to be confirmed
by the operator's data protection officer (docs/notices.md).
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final

from vigie.language import N_
from vigie.notices.people import DIFFERING, MISSING


class Route(StrEnum):
    """The ways. Only the first three are written to.

    `doubtful`: the register holds rows that differ, and a letter to the wrong one would be a
    breach, or a date of birth that cannot be read, and a child may not be written to; `deceased`:
    the GDPR protects the living (recital 27), relatives are not written to unasked; `unreachable`:
    no address, or not in the register; `possible`: no log says that data of theirs were seen, only
    that they fit a search (`exposure.HOWS`), and article 34 wants those informed whom a breach
    concerns.
    """

    ADULT = "adult"
    MINOR = "minor"
    PROTECTED = "protected"
    DECEASED = "deceased"
    DOUBTFUL = "doubtful"
    UNREACHABLE = "unreachable"
    POSSIBLE = "possible"


ROUTE_NAMES: Final = {
    "adult": N_("to the person"),
    "minor": N_("to the legal representatives of a minor"),
    "protected": N_("to the legal representative of a protected adult"),
    "deceased": N_("deceased: nobody is written to"),
    "doubtful": N_(
        "doubtful: rows that differ, or a date of birth that cannot be read, in the register"
    ),
    "unreachable": N_("unreachable: public communication, article 34(3)(c)"),
    "possible": N_("only possibly concerned: no letter, your data protection officer decides"),
}
WRITTEN: Final = (Route.ADULT, Route.MINOR, Route.PROTECTED)
_MAJORITY: Final = 18
_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LONGEST: Final = 254
"""RFC 5321, 4.5.3.1.3, less the brackets."""


def route(person: Mapping[str, str | None], remark: int, today: date, yes: frozenset[str]) -> Route:
    """Return the way of one person, from what the register says.

    >>> route({"surname": "X", "postcode": "1", "city": "Y", "birth_date": "2015-02-01"}, 0,
    ...       date(2026, 1, 1), frozenset())
    <Route.MINOR: 'minor'>
    """
    if remark == MISSING:
        return Route.UNREACHABLE
    if remark == DIFFERING:
        return Route.DOUBTFUL
    if _says_yes(person.get("deceased"), yes):
        return Route.DECEASED
    protected, birth = _says_yes(person.get("protected"), yes), person.get("birth_date") or ""
    if birth.strip() and _date(birth) is None and not _surely_adult(birth, today):
        return Route.DOUBTFUL
    minor = is_minor(birth, today)
    if not reachable(person, guardian=protected):
        return Route.UNREACHABLE
    return Route.PROTECTED if protected else Route.MINOR if minor else Route.ADULT


def reachable(person: Mapping[str, str | None], guardian: bool) -> bool:
    """Whether there is an address to write to: for a protected adult, the guardian's."""
    if guardian and not person.get("guardian"):
        return False
    before = "guardian_" if guardian else ""
    by_post = person.get(f"{before}postcode") and person.get(f"{before}city")
    return bool(by_post or mailbox(person.get(f"{before}email")))


def mailbox(said: str | None) -> str:
    """Return the mailbox that a register names, empty when it is not one to which mail can go.

    Two boxes in one cell, a line break that would add a header, letters that need SMTPUTF8: who
    has such a one is written to by post.

    >>> mailbox(" zoe@essai.fr "), mailbox("zoe@essai.fr\\nBcc: x@y.fr"), mailbox("zoé@essai.fr")
    ('zoe@essai.fr', '', '')
    """
    text = (said or "").strip()
    return text if _MAILBOX.fullmatch(text) and len(text) <= _LONGEST else ""


def is_minor(birth: str, today: date) -> bool:
    """Whether somebody born on `birth` (ISO, or day/month/year) is under 18 on `today`.

    >>> is_minor("2008-01-02", date(2026, 1, 1)), is_minor("01/01/2008", date(2026, 1, 1))
    (True, False)
    """
    born = _date(birth)
    if born is None:
        return False
    try:
        majority = born.replace(year=born.year + _MAJORITY)
    except ValueError:  # born on 29 February: of age on 1 March
        majority = date(born.year + _MAJORITY, 3, 1)
    return today < majority


def _surely_adult(birth: str, today: date) -> bool:
    """Whether the year of a date that is none, such as 00/00/1950, says enough."""
    year = re.search(r"(?<!\d)\d{4}(?!\d)", birth)
    return year is not None and today.year - int(year.group()) > _MAJORITY


def _date(text: str) -> date | None:
    text = text.strip()[:10]
    try:
        if "/" in text:
            day, month, year = text.split("/")
            return date(int(year), int(month), int(day))
        if text.isdecimal() and len(text) == 8:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        return date.fromisoformat(text)
    except ValueError:
        return None


def _says_yes(said: str | None, yes: frozenset[str]) -> bool:
    """Whether a flag, or a date of death, says yes."""
    word = (said or "").strip().casefold()
    return word in yes or _date(word) is not None
