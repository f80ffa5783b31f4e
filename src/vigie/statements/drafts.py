"""A draft cut into sentences and claims, and the language that each is in."""

import re
from typing import Final

from vigie.statements.rules import LANGUAGES, Rules, rules

_ENDS: Final = re.compile(
    r"(?<=[.!?…])\s+(?=[A-ZÀÂÇÉÈÊÎÔÙ«“\"0-9])|\n\s*\n|\n\s*[-•*]\s+|\n(?=[A-ZÀÉ«])"
)
_SHORT: Final = re.compile(r"\b(?:M|Mme|Mr|Mrs|Ms|Dr|Pr|Prof|St|art|n)\.$")
_ENOUGH: Final = 15
_SHARE: Final = 8
"""A text of so many words, fewer than one in so many of grammar, is in another language."""


def sentences(draft: str) -> list[str]:
    """Cut a draft into sentences.

    >>> sentences("Le Dr. Roy est là. 12 personnes, etc. Voilà.")
    ['Le Dr. Roy est là.', '12 personnes, etc.', 'Voilà.']
    """
    found: list[str] = []
    for piece in _ENDS.split(draft):
        text = piece.strip()
        # A question claims nothing without its answer, nor the answer without the question.
        if found and (_SHORT.search(found[-1]) or found[-1].endswith("?")):
            found[-1] = f"{found[-1]} {text}"
        elif text:
            found.append(text)
    return found


def language_of(text: str, otherwise: str = "fr") -> str:
    """Tell the language of a text by its words of grammar; `otherwise` where they do not tell.

    Empty where a long text has hardly any of those of the languages known.

    >>> language_of("No bank details were viewed."), language_of("Au total, 12 personnes.")
    ('en', 'fr')
    >>> language_of("Von den Patienten des Krankenhauses wurden Namen und Anschriften eingesehen; "
    ...     "wir wissen noch nicht, wie viele Menschen davon betroffen sind.")
    ''
    """
    plain = text.lower().replace("’", "'")
    counts = {name: len(rules(name).words["grammar"].findall(plain)) for name in LANGUAGES}
    best, words = max(counts.values()), len(re.findall(r"[^\W\d_]+", plain))
    if words >= _ENOUGH and best * _SHARE < words:
        return ""
    leading = [name for name in LANGUAGES if counts[name] == best]
    return otherwise if otherwise in leading else leading[0]


def clauses(sentence: str, known: Rules) -> list[str]:
    """Cut a sentence where another claim begins.

    >>> clauses("37 personnes sont concernées, et qu'aucun export n'a eu lieu", rules("fr"))
    ['37 personnes sont concernées', "qu'aucun export n'a eu lieu"]
    """
    plain = sentence.replace("’", "'")
    return [part for part in known.words["clause"].split(plain) if part.strip()]
