"""Assurances that no fact can carry: promises, absolutes, what makes an incident small.

A person informed of a breach is told its likely consequences (GDPR art. 34(2) and 33(3)(c)); a text
that promises or belittles says the contrary, and nobody can vouch for it.
"""

from collections.abc import Iterator
from typing import Final

from vigie.language import N_
from vigie.statements.binding import Problem
from vigie.statements.reading import Reading

_KINDS: Final = {
    "promise": N_("“{words}” promises what nobody can: say what was done, and when"),
    "absolute": N_("“{words}” is absolute, and no fact carries it: say the likely consequences"),
    "belittling": N_("“{words}” makes it small: give the number, or the likely consequence"),
    "no_proof": N_("“{words}”: no log tells what is done with data afterwards"),
}


def check_assurance(said: Reading) -> Iterator[Problem]:
    """Refuse what reassures without a fact."""
    for code, text in _KINDS.items():
        found = said.says(code)
        if found:
            yield Problem(code, text, found.group().strip())
