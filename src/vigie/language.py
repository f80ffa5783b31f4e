"""The language a user reads: French or English, from gettext catalogues.

English texts are the message identifiers, so the program speaks English where no catalogue is
found. `N_` marks a text for translation without translating it (errors and alerts keep the text
and its fields apart, and are rendered when somebody reads them); `_` translates at once.
"""

import gettext
import locale
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from unicodedata import category

LANGUAGES = ("fr", "en")
_CATALOGUES = Path(__file__).parent / "locale"
FORMULA = "=+@\t\r\n＝＋－＠-"
"""What a spreadsheet takes for the beginning of a formula; the hyphen last, as in a class."""
_UNSEEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
_current: ContextVar[str] = ContextVar("language", default="en")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("vigie", _CATALOGUES, languages=[language], fallback=True)


def N_(text: str) -> str:
    """Mark `text` for translation and return it unchanged."""
    return text


def _(text: str) -> str:
    """Translate `text` into the current language.

    >>> with speaking("en"):
    ...     _("nothing found")
    'nothing found'
    """
    return _catalogue(_current.get()).gettext(text) if text else ""


class Clause:
    """A text to translate with its fields, translated when it is read, which may be later.

    A reason that stands in an error or in an alert must not be in the language of whoever was
    there first. A field may be such a text itself.

    >>> with speaking("en"):
    ...     f"{Clause('line {line}', line=3)}"
    'line 3'
    """

    def __init__(self, text: str, **fields: object) -> None:
        self.text = text
        self.fields = fields

    def __str__(self) -> str:
        """Return it in the current language."""
        return _(self.text).format_map(self.fields)

    def __repr__(self) -> str:
        """Return how it is made."""
        return f"Clause({self.text!r}, **{self.fields!r})"


Text = str | Clause


def plural(singular: str, several: str, count: int) -> str:
    """Translate the form that goes with `count`; the caller formats the fields."""
    return _catalogue(_current.get()).ngettext(singular, several, count)


def current_language() -> str:
    """Return `fr` or `en`."""
    return _current.get()


def choose_language(asked: str | None = None) -> str:
    """Set the language for this process from `asked`, else from the locale, and return it."""
    names = (asked, os.environ.get("LC_ALL"), os.environ.get("LC_MESSAGES"), os.environ.get("LANG"))
    name = next((name for name in names if name), None) or locale.getlocale()[0] or "en"
    language = "fr" if name.lower().startswith("fr") else "en"
    _current.set(language)
    return language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Use `language` inside the block: an alert carries its sentence in both."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def sentence(where: str, what: str, remedy: str = "") -> str:
    """Join a place, what is the matter there, and what to do, as the current language points them.

    >>> with speaking("fr"):
    ...     sentence("a.csv", "le fichier est vide", "vérifiez l’export")
    'a.csv\u00a0: le fichier est vide\u00a0; vérifiez l’export.'
    """
    todo = f"{_space()}; {remedy}" if remedy else ""
    return f"{labelled(where, what) if where else what}{todo}."


def labelled(label: str, said: str) -> str:
    """Put what is said after its label, as the current language points them.

    >>> with speaking("fr"):
    ...     labelled("lignes", "3")
    'lignes\u00a0: 3'
    """
    return f"{label}{_space()}: {said}"


def _space() -> str:
    return "\u00a0" if _current.get() == "fr" else ""


def visible(text: str, kept: str = "") -> str:
    """Write what does not show, or that a terminal would obey, as an escape; `kept` stays.

    A log is written by others: a login may hold the codes that clear a screen, or that make a
    line read from right to left (CVE-2021-42574).

    >>> visible(chr(27) + "[2Jdupont") == chr(92) + "x1b[2Jdupont"
    True
    """
    if text.isprintable():
        return text
    return "".join(
        mark.encode("unicode_escape").decode()
        if mark not in kept and category(mark) in _UNSEEN
        else mark
        for mark in text
    )


def harmless(cell: str) -> str:
    """Write a text as `visible` does, and so that no spreadsheet runs it as a formula (CWE-1236).

    What is written into a table was written by others: a user agent may begin with an equals sign.

    >>> harmless("=1+1"), harmless("dupont")
    ("'=1+1", 'dupont')
    """
    return ("'" if cell.lstrip(" ").startswith(tuple(FORMULA)) else "") + visible(cell)


def number(value: float, decimals: int = 0) -> str:
    """Format a number as the current language writes it.

    >>> with speaking("fr"):
    ...     number(1234567.8, 1)
    '1\\u202f234\\u202f567,8'
    >>> with speaking("en"):
    ...     number(1234567.8, 1)
    '1,234,567.8'
    """
    text = f"{value:,.{decimals}f}"
    if _current.get() == "fr":
        return text.translate({ord(","): "\u202f", ord("."): ","})
    return text
