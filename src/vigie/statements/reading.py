"""A draft cut into sentences, and a sentence read: what it speaks of, and how it says it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from vigie.statements.numerals import Moment, Number, read_moments, read_numbers, without_contacts
from vigie.statements.rules import Rules, rules

_ENDS: Final = re.compile(
    r"(?<=[.!?…])\s+(?=[A-ZÀÂÇÉÈÊÎÔÙ«\"0-9])|\n\s*\n|\n\s*[-•*]\s+|\n(?=[A-ZÀÉ«])"
)
_SHORT: Final = re.compile(r"\b(?:M|Mme|Dr|Pr|art|n)\.$")
_CLAUSES: Final = re.compile(
    r"\s*;\s+|, (?:ainsi|de même) que |,? (?:et|mais) (?=qu'|que |aucun)|(?<=[a-zà-ÿ]) : (?=nous )"
)
_NEAR: Final = 40
_SHORTEST: Final = 4
"""Letters of the name of a controller below which it is taken for a word."""
_UNDERSTOOD: Final = (
    "not_excluded", "unknown_number", "known_number", "hedges", "unknown_content", "whole_log",
    "happened", "blind",
)  # fmt: skip


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


def clauses(sentence: str) -> list[str]:
    """Cut a sentence where another claim begins.

    >>> clauses("37 personnes sont concernées, et qu'aucun export n'a eu lieu")
    ['37 personnes sont concernées', "qu'aucun export n'a eu lieu"]
    """
    return [part for part in _CLAUSES.split(sentence.replace("’", "'")) if part.strip()]


@dataclass(frozen=True)
class Reading:
    """One sentence; `text` is lower case with plain apostrophes, `rest` has no dates in it."""

    sentence: str
    text: str
    rest: str
    moments: tuple[Moment, ...]
    numbers: tuple[Number, ...]
    rules: Rules
    controllers: tuple[str, ...] = ()

    def says(self, name: str) -> re.Match[str] | None:
        """Return where one of the rules' word lists occurs."""
        return self.rules.words[name].search(self.text)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes of data that the sentence names; « coordonnées bancaires » is one."""
        return tuple(n for n, pattern in self.rules.classes.items() if pattern.search(self.text))

    def stands_alone(self, number: Number) -> bool:
        """Whether nothing that could be counted follows a number: « 12 480, dont… »."""
        after = self.rest[number.end :].lstrip()
        return not after or after.startswith((",", ".", ";", ")", "dont "))

    def classes_of(self, number: Number) -> tuple[str, ...]:
        """Return the classes that a number of persons is about.

        As many numbers as classes go in the order in which they stand, a first number before them
        counts everybody; otherwise every class is meant, and the number must be true of each.
        """
        every = [
            (m.start(), n) for n, p in self.rules.classes.items() for m in p.finditer(self.text)
        ]
        named = list(dict.fromkeys(name for _, name in sorted(every)))
        counting = [
            one for one in self.numbers if not one.percent and self.unit_of(one) in ("", "persons")
        ]
        if named and len(counting) == len(named) + 1 and counting[0].end <= min(every)[0]:
            named.insert(0, "")
        if len(counting) != len(named) or number not in counting:
            return tuple(name for name in named if name)
        return tuple(filter(None, [named[counting.index(number)]]))

    @cached_property
    def claims(self) -> bool:
        """Whether it says something that could be a fact by itself."""
        said = self.numbers or self.negative or self.hedged or self.says("not_excluded")
        spoken = bool(self.classes or self.way or self.says("data"))
        return (bool(said) and spoken) or bool(self.classes and self.way)

    @cached_property
    def way(self) -> str:
        """How data are said to have been exposed: the most serious way that is named."""
        for name in ("exported", "opened", "listed", "any"):
            if self.rules.ways[name].search(self.text):
                return name
        return ""

    @cached_property
    def negative(self) -> bool:
        """Whether the sentence denies something."""
        return self.says("negations") is not None and not self.says("not_excluded")

    @cached_property
    def way_denied(self) -> str:
        """The way that a denial is about: any way at all, when one word after it is as wide."""
        found = self.says("negations")
        after = self.text[found.start() :] if found else self.text
        if self.rules.ways["any"].search(after):
            return ""
        return "" if self.way == "any" else self.way

    @cached_property
    def hedged(self) -> bool:
        """Whether it is said in the conditional, or as a mere possibility."""
        return self.says("hedges") is not None

    def unit_of(self, number: Number) -> str:
        """Return the unit of a number: the nearest word after it, else before it, else none."""
        after = self.rest[number.end : number.end + _NEAR]
        before = self.rest[: number.start]
        ranked = [
            (match.start(), name)
            for name, pattern in self.rules.units.items()
            if (match := pattern.search(after))
        ]
        if ranked:
            return min(ranked)[1]
        ranked = [
            (-match.end(), name)
            for name, pattern in self.rules.units.items()
            for match in pattern.finditer(before)
        ]
        return min(ranked)[1] if ranked else ""

    def qualifier(self, number: Number) -> str:
        """Return how a number is bounded by the words before it: `at_least`, `about`… or none."""
        before = self.rest[: number.start].rstrip()
        for name, pattern in self.rules.qualifiers.items():
            if pattern.search(before):
                return name
        after = self.rest[number.end :]
        return next(
            (n for n in ("at_least", "at_most") if self.rules.words[f"after_{n}"].search(after)), ""
        )

    @cached_property
    def not_understood(self) -> str:
        """The first word that no rule knows: what it adds to the sentence nobody has checked."""
        left = self.rest
        for one in self.numbers:
            left = left[: one.start] + " " * (one.end - one.start) + left[one.end :]
        tables = (self.rules.classes, self.rules.units, self.rules.ways, self.rules.moments)
        for pattern in [p for table in tables for p in table.values()]:
            left = pattern.sub(" ", left)
        for name in ("at_least", "at_most"):
            left = self.rules.words[f"any_{name}"].sub(" ", left)
        for name in _UNDERSTOOD:
            left = self.rules.words[name].sub(" ", left)
        words = re.findall(r"[^\W\d_]+", left)
        known = self.rules.words["understood"]
        return next((word for word in words if not known.fullmatch(word)), "")


def read(sentence: str, controllers: Iterable[str] = ()) -> Reading:
    """Read one sentence; the names of controllers in it are no other words."""
    text = sentence.lower().replace("’", "'")
    named = []
    for name in sorted(controllers, key=len, reverse=True):
        plain = name.lower().replace("’", "'")
        found = re.compile(rf"\b{re.escape(plain)}\b")
        if len(plain) >= _SHORTEST and found.search(text):
            named.append(name)
            text = found.sub(" " * len(plain), text)
    moments, rest = read_moments(without_contacts(text))
    numbers = tuple(read_numbers(rest))
    return Reading(sentence, text, rest, tuple(moments), numbers, rules(), tuple(named))
