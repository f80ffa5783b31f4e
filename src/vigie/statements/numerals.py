"""Numbers as drafts write them, in figures and in words; how is data of each language."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

_PHONE: Final = re.compile(
    r"(?:\+33[ .\u00a0\u202f]?|\b0)\d(?:[ .\u00a0\u202f]?\d{2}){4}\b|\b3\d{3}\b(?= |$)(?!\s*\w)"
)
_SPACE: Final = "[ \u00a0\u202f]"


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a sentence: its value, where it stands, whether it is a percentage (and with
    how many decimals)."""

    value: float
    start: int
    end: int
    percent: bool = False
    decimals: int = 0


def without_contacts(text: str) -> str:
    """Blank telephone numbers out: they are no claim."""
    return _PHONE.sub(lambda found: " " * len(found.group()), text)


@dataclass(frozen=True, slots=True)
class Numerals:
    """How a language writes numbers, compiled from `[numerals]` of its words."""

    units: Mapping[str, int]
    scales: Mapping[str, int]
    hundreds: tuple[str, ...]
    scores: tuple[str, ...]
    articles: tuple[str, ...]
    figures: re.Pattern[str]
    words: re.Pattern[str]
    alone: re.Pattern[str]
    percent: re.Pattern[str]

    @classmethod
    def compile(cls, said: Mapping[str, Any]) -> Self:
        """Build the expressions of one language."""
        scales = "|".join(sorted(said["scales"], key=len, reverse=True))
        hundreds = sorted(said["hundreds"], key=len, reverse=True)
        word = "|".join([*said["units"], *hundreds, scales, *said["more"]])
        thousands = f"(?:{said['thousands']}\\d{{3}})+"
        return cls(
            said["units"], said["scales"], tuple(said["hundreds"]), tuple(said["scores"]),
            tuple(said["articles"]),
            re.compile(
                rf"(?<![\w,.])(\d{{1,3}}{thousands}|\d+)(?:{said['decimals']}(\d+))?{_SPACE}?"
                rf"(%|(?:{said['percent']}|{scales})\b)?"
            ),
            re.compile(rf"\b(?:{word})(?:{said['joint']}(?:{word}))*\b"),
            re.compile(said["alone"]), re.compile(said["percent"]),
        )  # fmt: skip

    def read(self, text: str) -> list[Number]:
        """Return the numbers of a lower-case sentence from which dates were taken."""
        found = [self._figure(match) for match in self.figures.finditer(text)]
        taken = [(one.start, one.end) for one in found]
        for one in self._spelt(text):
            if not any(start <= one.start < end for start, end in taken):
                found.append(one)
        return sorted(found, key=lambda one: one.start)

    def _figure(self, match: re.Match[str]) -> Number:
        whole = re.sub(r"\D", "", match[1])
        decimals, after = match[2] or "", match[3] or ""
        value = float(f"{whole}.{decimals or 0}")
        percent = self.percent.fullmatch(after) is not None
        scale = self.scales.get(after, 1)
        return Number(value * scale, match.start(), match.end(), percent, len(decimals))

    def _spelt(self, text: str) -> Iterator[Number]:
        for match in self.words.finditer(text):
            value = self._value(re.split("[- ]", match.group()))
            if value is not None:
                yield Number(value, match.start(), match.end())
        for match in self.alone.finditer(text):
            yield Number(1.0, match.start(), match.end())

    def _value(self, words: list[str]) -> float | None:
        """Add up the words of a numeral; an article alone is none."""
        counting = {*self.units, *self.scales, *self.hundreds}
        if counting.isdisjoint(words):
            return None
        total, current = 0, 0
        for word in words:
            if word in self.articles:
                current += 1
            elif word in self.hundreds:
                current = max(current, 1) * 100
            elif word in self.scores and current % 100 == 4:
                current += 76
            elif word in self.scales:
                total, current = total + max(current, 1) * self.scales[word], 0
            else:
                current += self.units.get(word, 0)
        return float(total + current)
