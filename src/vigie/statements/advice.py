"""Sentences of the dated advice to patients (`legal/advice.toml`): they claim no fact of the case.

What may follow from a class of data, and what a person can do, is told with its source wherever
that class was or may have been exposed; of one that nobody's were, it is a claim like any other.
"""

from functools import lru_cache
from pathlib import Path

import msgspec

from vigie import legal
from vigie.facts import Facts
from vigie.statements.drafts import sentences

_BULLETS = "-–•*→ "
_PLAIN = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " "})


class _Texts(msgspec.Struct, frozen=True):
    consequences: dict[str, tuple[str, ...]]
    actions: dict[str, tuple[str, ...]]


class _Advice(msgspec.Struct, frozen=True, rename={"classes": "class"}):
    classes: dict[str, _Texts]


def is_advice(sentence: str, facts: Facts, home: Path | None = None) -> bool:
    """Return whether a sentence is advice on a class of data that the facts do not rule out."""
    names = _by_sentence(home).get(_plain(sentence), frozenset())
    return any(_may_be_exposed(facts, name) for name in names)


def _may_be_exposed(facts: Facts, name: str) -> bool:
    fact = facts.get(f"persons.class:{name}")
    return fact is not None and not (fact.exact and fact.numerator == 0)


@lru_cache(maxsize=4)
def _by_sentence(home: Path | None) -> dict[str, frozenset[str]]:
    """Return the classes whose advice each sentence is, in any language."""
    found: dict[str, frozenset[str]] = {}
    for name, texts in legal.load("advice", _Advice, home).classes.items():
        for said in (*texts.consequences.values(), *texts.actions.values()):
            for one in (one for text in said for one in sentences(text)):
                found[_plain(one)] = found.get(_plain(one), frozenset()) | {name}
    return found


def _plain(sentence: str) -> str:
    return sentence.lower().translate(_PLAIN).strip(_BULLETS)
