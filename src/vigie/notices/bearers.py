"""Who bears a social-security number: the holder, and those attached to it, children above all.

A log that names patients by that number alone says no person. Where the register gives several
rows for one number they are several persons, told apart by given name and date of birth, and each
of them may be the one whose data were seen. Rows that these do not tell apart, or more of them than
a family has (a number that stands for none), are what they are for any other identifier: a doubt.

Source: Service-public.fr, sheet F16620 (a minor may be attached to one parent or both). Why they
are written to: docs/decisions/016-bearers-of-a-number.md.
"""

import re
import unicodedata
from typing import Final

import msgspec

Person = dict[str, str | None]
CONTROLLER: Final = "controller"
"""What of a register says whose person a row is: it makes no two rows of one person differ."""
_FAMILY: Final = 15
"""Persons under one number beyond whom it is nobody's: a placeholder."""


class Bearer(msgspec.Struct, frozen=True):
    """One of them, with what the register says; `differing` where its own rows do not agree.

    `controllers` are all whose person the rows say it to be: one may be insured twice.
    """

    person: Person
    differing: bool
    controllers: frozenset[str | None]

    @property
    def identity(self) -> str:
        """What tells this person from the others who bear the number."""
        return _identity(self.person) or ""


def find_bearers(rows: list[Person]) -> tuple[Bearer, ...]:
    """Return whom the rows of one number are about; nobody where they do not tell persons apart.

    >>> family = [{"given_name": "Zoé", "birth_date": "1980-01-02", "city": "Brest"},
    ...           {"given_name": "ZOE", "birth_date": "1980-01-02", "city": "Brest"},
    ...           {"given_name": "Lou", "birth_date": "2015-01-02", "city": "Brest"}]
    >>> [(one.person["given_name"], one.differing) for one in find_bearers(family)]
    [('Zoé', False), ('Lou', False)]
    """
    by_identity: dict[str | None, list[Person]] = {}
    for row in rows:
        by_identity.setdefault(_identity(row), []).append(row)
    if None in by_identity or not 1 < len(by_identity) <= _FAMILY:
        return ()
    return tuple(
        Bearer(some[0], _differ(some), frozenset(row.get(CONTROLLER) for row in some))
        for some in by_identity.values()
    )


def _identity(person: Person) -> str | None:
    given, born = (_folded(person.get(name)) for name in ("given_name", "birth_date"))
    return f"{given}|{born}" if given and born else None


def _differ(rows: list[Person]) -> bool:
    """Whether rows of one person disagree, the spelling of names and towns apart."""
    said = [{k: _folded(value) for k, value in row.items() if k != CONTROLLER} for row in rows]
    return any(row != said[0] for row in said)


def _folded(text: str | None) -> str:
    apart = unicodedata.normalize("NFD", (text or "").casefold())
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return re.sub(r"\W+", " ", plain).strip()
