"""The lint of article 34 letters: nothing vague in place of facts, nothing required missing.

A letter must let its reader understand which of their data, what may follow and what to do
(art. 34(2), 33(3)(b) to (d)). What the CNIL fined is refused by pattern; what must be there is
refused by its absence.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

from vigie import legal
from vigie.errors import RefusedError
from vigie.language import N_, _, current_language
from vigie.notices.document import Bullets, Document


class Vague(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A turn of phrase that informs of nothing, and what to write instead."""

    pattern: str
    instead: dict[str, str]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `legal/letter_lint.toml`."""

    version: str
    source: str
    mark: str
    vague: tuple[Vague, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a letter: the words at fault, empty for a lack, and what to do."""

    words: str
    instead: str


@lru_cache(maxsize=4)
def _rules(home: Path | None) -> tuple[tuple[re.Pattern[str], dict[str, str]], ...]:
    said = legal.load("letter_lint", Rules, home)
    return tuple((re.compile(v.pattern, re.IGNORECASE), v.instead) for v in said.vague)


def find_vague(text: str, home: Path | None = None) -> list[Finding]:
    """Return the vague turns of a text.

    >>> [finding.words for finding in find_vague("Nous vous invitons à rester vigilants.")]
    ['rester vigilants']
    """
    language, flat = current_language(), re.sub(r"\s+", " ", text.replace("'", "’"))
    return [
        Finding(match.group(), instead[language])
        for pattern, instead in _rules(home)
        for match in pattern.finditer(flat)
    ]


def lint(letter: Document, required: dict[str, tuple[str, ...]], home: Path | None = None) -> None:
    """Raise `RefusedError` unless `letter` says everything in `required`, and nothing vaguely.

    `required` gives for each thing that article 34 asks for the texts that say it.
    """
    findings = find_vague(letter.text(), home)
    if findings:
        raise RefusedError(
            N_("the letter says {words!r}, which informs of nothing"),
            remedy=N_("instead: {instead}"),
            words=findings[0].words,
            instead=findings[0].instead,
        )
    said = letter.text()
    items = {item for block in letter.blocks if isinstance(block, Bullets) for item in block.items}
    for what, texts in required.items():
        if not texts or not all(text in items or text in said for text in texts):
            raise RefusedError(
                N_("the letter does not say {lacking} (article 34)"),
                remedy=N_("put it back into the text, or give what is missing to the case"),
                lacking=_(what),
            )
