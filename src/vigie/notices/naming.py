"""Names of organisations and persons inside a sentence: their article, and « de » before them.

French says « du Centre hospitalier », « de l’EHPAD », « d’Aline » ; English needs none of it.
"""

import re
import unicodedata
from typing import Final

from vigie.language import current_language

_KINDS: Final = {
    "m": (
        "cabinet", "centre", "ch", "chr", "chru", "chu", "conseil", "gcs", "ght", "gie", "gip",
        "groupe", "groupement", "laboratoire", "pole", "reseau", "service", "syndicat",
    ),
    "f": (
        "caisse", "clinique", "compagnie", "cpam", "cpts", "fondation", "maison", "msp",
        "mutualite", "mutuelle", "pharmacie", "polyclinique", "prevoyance", "societe",
    ),
    "p": ("cliniques", "hopitaux", "hospices", "laboratoires"),
    "e": (
        "agence", "ap-hm", "ap-hp", "ars", "assistance", "association", "ehpad", "entraide",
        "etablissement",
        "hopital", "institut", "union", "urps",
    ),
}  # fmt: skip
"""First words of names of organisations: masculine, feminine, plural, or with an elided article."""
_ARTICLES: Final = {"le": "du ", "les": "des "}


def with_article(name: str) -> str:
    """Return the name as the subject of a sentence; one whose kind is not known stays bare.

    >>> from vigie.language import speaking
    >>> with speaking("fr"):
    ...     with_article("Centre hospitalier de Lille"), with_article("EHPAD Pico")
    ('le Centre hospitalier de Lille', 'l’EHPAD Pico')
    """
    kind = _kind(name)
    article = {"m": "le ", "f": "la ", "p": "les ", "e": "l’"}.get(kind, "")
    return f"{article}{name}"


def first_in_sentence(name: str) -> str:
    """Return the name with its article where a sentence begins."""
    said = with_article(name)
    return said[:1].upper() + said[1:]


def of(name: str) -> str:
    """Return the name after « de », as it contracts or is elided.

    >>> from vigie.language import speaking
    >>> with speaking("fr"):
    ...     of("Centre A"), of("Clinique B"), of("Aline D."), of("Les Acacias"), of("Zoé")
    ('du Centre A', 'de la Clinique B', 'd’Aline D.', 'des Acacias', 'de Zoé')
    >>> of("Clinique B")
    'of Clinique B'
    """
    if current_language() != "fr":
        return f"of {name}"
    kind = _kind(name)
    if kind:
        return {"m": "du ", "f": "de la ", "p": "des ", "e": "de l’"}[kind] + name
    first, _space, rest = name.partition(" ")
    if rest and first.lower() in _ARTICLES:
        return _ARTICLES[first.lower()] + rest
    return f"d’{name}" if _plain(name)[:1] in "aeiou" and name else f"de {name}"


def _kind(name: str) -> str:
    """Return the key of _KINDS under which the first of several words is, if any."""
    words = re.split(r"[\s’']", _plain(name), maxsplit=1)
    if current_language() != "fr" or len(words) < 2:
        return ""
    return next((kind for kind, names in _KINDS.items() if words[0] in names), "")


def _plain(name: str) -> str:
    apart = unicodedata.normalize("NFD", name.lower())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
