"""Texts of notices, as data with `{fields}`, and the blocks that a notice makes of them.

`VIGIE_HOME/texts/NAME.LANGUAGE.toml` comes before ours. A text that uses a field which there is
not is refused in one sentence, before anything is made with it.
"""

import string
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from vigie.cases.writings import OUR_TEXTS, TEXTS
from vigie.config import read_toml
from vigie.errors import SettingsError
from vigie.language import N_
from vigie.notices.document import Answers, Block, Bullets, Heading, Paragraph
from vigie.readers.refusals import nearest

Lists = dict[str, tuple[Any, ...]]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One block to be: a heading, a paragraph, or the name of a list or of answers.

    With `when` it is left out where that list is empty; so is a list that is empty.
    """

    heading: str = ""
    paragraph: str = ""
    list: str = ""
    answers: str = ""
    when: str = ""


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text as its file says it."""

    title: str
    reference: str = ""
    closing: str = ""
    block: tuple[Part, ...] = ()

    def fill(self, fields: dict[str, str], lists: Lists, where: str = "") -> tuple[Block, ...]:
        """Return the blocks, filled in; raises `SettingsError` for an unknown field."""
        found = [self._block(part, fields, lists, where) for part in self.block]
        return tuple(block for block in found if block is not None)

    def _block(self, part: Part, fields: dict[str, str], lists: Lists, where: str) -> Block | None:
        if part.when and not _list(part.when, lists, where):
            return None
        if part.heading:
            return Heading(said(part.heading, fields, where))
        if part.paragraph:
            return Paragraph(said(part.paragraph, fields, where))
        if part.answers:
            return Answers(_list(part.answers, lists, where))
        items = _list(part.list, lists, where)
        return Bullets(items) if items else None


def _list(name: str, lists: Lists, where: str) -> tuple[Any, ...]:
    if name not in lists:
        raise _unknown(name, list(lists), where)
    return lists[name]


def said(text: str, fields: dict[str, str], where: str = "") -> str:
    """Fill the `{fields}` of a text in.

    >>> said("Bonjour {name}", {"name": "Zoé"})
    'Bonjour Zoé'
    """
    try:
        for _text, name, form, conversion in string.Formatter().parse(text):
            if name is not None and (name not in fields or form or conversion):
                raise _unknown(name, list(fields), where)
    except ValueError:
        raise SettingsError(
            N_("a text has a brace that opens or closes no field"),
            where=where,
            remedy=N_("write a brace twice to have one in the text"),
        ) from None
    return text.format_map(fields)


def _unknown(name: str, known: list[str], where: str) -> SettingsError:
    like = nearest(name, known)
    return SettingsError(
        N_("a text uses {{{field}}}, which this notice does not have"),
        where=where,
        remedy=N_("try {nearest!r}") if like else N_("choose one of: {known}"),
        field=name,
        nearest=like,
        known=", ".join(known),
    )


def load_wording(name: str, language: str, home: Path | None = None) -> tuple[Wording, str]:
    """Return a text and where it came from, that of `home` first; raises `SettingsError`."""
    own = home / TEXTS / f"{name}.{language}.toml" if home else None
    return _load(str(own) if own and own.exists() else "", f"{name}.{language}.toml")


@lru_cache(maxsize=64)
def _load(own: str, file: str) -> tuple[Wording, str]:
    where = own or f"{TEXTS}/{file}"
    said = read_toml(
        Path(own) if own else OUR_TEXTS / file, Wording,
        N_("the text of a notice cannot be read ({reason})"),
        N_("mend that line, or remove the file to return to the text of Vigie"), where,
    )  # fmt: skip
    return said, where
