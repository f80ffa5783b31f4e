"""A sentence read in its language: what it speaks of, and how it says it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from vigie.facts import Facts
from vigie.statements.dates import Moment
from vigie.statements.numerals import Number, without_contacts
from vigie.statements.rules import Rules

_NEAR: Final = 40
_WIDE: Final = str.maketrans("\u00a0\u202f", "  ")
OTHER: Final = "other"
"""The unit of persons whom the facts do not count: minors, staff."""
_SHORTEST: Final = 4
"""Letters of the name of a controller below which it is taken for a word."""
_KNOWING: Final = ("unknown_number", "unknown_content", "known_number")
_UNDERSTOOD: Final = (
    "not_excluded", "unknown_number", "known_number", "hedges", "unknown_content", "whole_log",
    "happened", "blind", "lasted", "same_day", "in_time",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Duration:
    """So many units of time; `how` is `at_most`, `at_least`, or neither."""

    count: float
    unit: timedelta
    how: str
    words: str


@dataclass(frozen=True)
class Reading:
    """One sentence; `text` is lower case with plain apostrophes, `rest` has no dates in it.

    `zone` is the time zone that it names, if any.
    """

    sentence: str
    text: str
    rest: str
    moments: tuple[Moment, ...]
    numbers: tuple[Number, ...]
    rules: Rules
    controllers: tuple[str, ...] = ()
    durations: tuple[Duration, ...] = ()
    one_account: bool = False
    filed: frozenset[str] = frozenset()
    zone: str = ""

    def says(self, name: str) -> re.Match[str] | None:
        """Return where one of the rules' word lists occurs."""
        return self.rules.words[name].search(self.text)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes of data that the sentence names; « coordonnées bancaires » is one."""
        return tuple(n for n, pattern in self.rules.classes.items() if pattern.search(self.text))

    @cached_property
    def units(self) -> tuple[str, ...]:
        """The units that the sentence names."""
        return tuple(n for n, pattern in self.rules.units.items() if pattern.search(self.text))

    def stands_alone(self, number: Number) -> bool:
        """Whether nothing that could be counted follows a number: « 12 480, dont… »."""
        after = self.rest[number.end :].lstrip()
        return (
            not after
            or after.startswith((",", ".", ";", ")"))
            or (self.rules.words["continues"].match(after) is not None)
        )

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
        knowing = any(self.says(name) for name in _KNOWING)
        return (bool(said) and spoken) or bool(self.classes and self.way) or knowing

    @cached_property
    def only_what(self) -> str:
        """A word such as « only » that goes neither with data nor with a number."""
        found = self.says("exclusive")
        if found is None or self.classes or self.says("soft_labels"):
            return ""
        limits = any(
            one.start - 1 <= found.end() and one.end > found.start() for one in self.numbers
        )
        return "" if limits else found.group().strip()

    @cached_property
    def way(self) -> str:
        """How data are said to have been exposed: the most serious way that is named."""
        for name in ("exported", "opened", "listed", "any"):
            if self.rules.ways[name].search(self.text):
                return name
        return ""

    def names_of_moments(self, known: Iterable[str]) -> list[tuple[int, str]]:
        """Return the moments of the case that are named, each with where it is."""
        tables = self.rules.moments | {name: self.rules.done[name] for name in self.filed}
        return [
            (match.start(), name)
            for name, pattern in tables.items()
            if name in known
            for match in pattern.finditer(self.text)
        ]

    @cached_property
    def outside(self) -> str:
        """The first word about what no log can tell; that of a filing which is a fact is none."""
        left = self.text
        for length in self.durations:
            left = left.replace(length.words.lower(), " ")
        for name in self.filed:
            left = self.rules.done[name].sub(_between, left)
        found = self.rules.words["outside"].search(left)
        return found.group() if found else ""

    @cached_property
    def odd_negation(self) -> bool:
        """Whether it says « ne » and nothing else of what makes a denial: nobody knows what of."""
        said = any(self.says(name) for name in ("negations", "exclusive", *_UNDERSTOOD))
        return not said and self.says("lone_negation") is not None

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
    def of_others(self) -> bool:
        """Whether it speaks of persons whom the facts do not count apart."""
        return OTHER in self.units

    @cached_property
    def hedged(self) -> bool:
        """Whether it is said in the conditional, or as a mere possibility."""
        return self.says("hedges") is not None

    def unit_of(self, number: Number) -> str:
        """Return the unit of a number: the nearest word after it, else that of the number before.

        A number that is the first takes the nearest word before it, or none.
        """
        after = self.rest[number.end : number.end + _NEAR]
        ranked = [
            (match.start(), name)
            for name, pattern in self.rules.units.items()
            if (match := pattern.search(after))
        ]
        if ranked:
            return min(ranked)[1]
        earlier = [one for one in self.numbers if one.end <= number.start and not one.percent]
        if earlier:
            return self.unit_of(earlier[-1])
        before = self.rest[: number.start]
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
        for length in self.durations:
            left = left.replace(length.words.lower(), " ")
        tables = (self.rules.classes, self.rules.units, self.rules.ways, self.rules.moments)
        for pattern in [p for table in tables for n, p in table.items() if n != OTHER]:
            left = pattern.sub(" ", left)
        for name in self.filed:
            left = self.rules.done[name].sub(_between, left)
        for name in ("at_least", "at_most"):
            left = self.rules.words[f"any_{name}"].sub(" ", left)
        for name in _UNDERSTOOD:
            left = self.rules.words[name].sub(" ", left)
        words = re.findall(r"[^\W\d_]+", left)
        known = self.rules.words["understood"]
        return next((word for word in words if not known.fullmatch(word)), "")


def read(sentence: str, facts: Facts, known: Rules) -> Reading:
    """Read one sentence; the names of the controllers of the case are no other words."""
    plain = sentence.lower().replace("’", "'").translate(_WIDE)
    text, _files = _without_names(plain, [gap.name for gap in facts.gaps if "." in gap.name])
    text, named = _without_names(text, facts.controllers)
    zone, unzoned = known.calendar.zone(without_contacts(text))
    moments, rest = known.calendar.read(unzoned, _near(facts))
    every = known.numerals.read(rest)
    accounts = facts.get("accounts")
    return Reading(
        sentence=sentence, text=text, rest=rest, moments=tuple(moments),
        numbers=tuple(one for one in every if not known.calendar.unit_after(rest, one.end)),
        controllers=tuple(named), durations=tuple(_durations(sentence, rest, every, known)),
        rules=known, zone=zone,
        one_account=accounts is not None and accounts.numerator == 1,
        filed=frozenset(
            name for name, pattern in known.done.items()
            if name in facts.moments and pattern.search(text)
        ),
    )  # fmt: skip


def _without_names(text: str, controllers: Iterable[str]) -> tuple[str, list[str]]:
    """Blank names out; return those that were there, in the order in which they stand."""
    named = {}
    for name in sorted(controllers, key=len, reverse=True):
        plain = name.lower().replace("’", "'")
        found = re.compile(rf"\b{re.escape(plain)}\b")
        if len(plain) >= _SHORTEST and (first := found.search(text)):
            named[name] = first.start()
            text = found.sub(" " * len(plain), text)
    return text, sorted(named, key=named.__getitem__)


def _between(filed: re.Match[str]) -> str:
    """Return the words between whom it was filed with and that it was: they are another's."""
    return filed["between"] or filed["amid"] or " "


def _near(facts: Facts) -> date | None:
    """Return the day near which a date without its year is: that of the last access."""
    last = facts.moments.get("last_access") or facts.moments.get("awareness")
    return date.fromisoformat(last[:10]) if last else None


def _durations(
    sentence: str, rest: str, numbers: Iterable[Number], known: Rules
) -> Iterator[Duration]:
    """Yield the numbers that count units of time."""
    for one in numbers:
        unit = known.calendar.unit_after(rest, one.end)
        words = re.match(r"[\s-]?\w+", rest[one.end :])
        if unit is None or words is None:
            continue
        before = rest[: one.start].rstrip()
        below, above = (known.words[name].search(before) for name in ("below", "above"))
        how = "at_most" if below else "at_least" if above else ""
        said = sentence[one.start : one.end + words.end()].strip()
        yield Duration(one.value, unit, how, said)
