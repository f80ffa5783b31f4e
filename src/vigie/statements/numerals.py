"""Numbers as French drafts write them, in figures and in words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_UNITS: Final = {
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9,
    "dix": 10, "onze": 11, "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "seize": 16,
    "vingt": 20, "vingts": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60,
}  # fmt: skip
_SCALES: Final = {"mille": 1000, "million": 10**6, "millions": 10**6, "milliard": 10**9,
                  "milliards": 10**9}  # fmt: skip
_SPACE: Final = "[  \u202f]"
_ALONE: Final = re.compile(
    r"\bun(?:e|ique)? (?:seule?|unique)\b|\bune?(?= \w+(?: \w+)? (?:isolée?|unique)\b)"
)
_PHONE: Final = re.compile(r"\b0\d(?:[ .\u00a0\u202f]?\d{2}){4}\b|\b3\d{3}\b(?= |$)(?!\s*\w)")
_FIGURES: Final = re.compile(
    rf"(?<![\w,.])(\d{{1,3}}(?:[  \u202f.]\d{{3}})+|\d+)(?:,(\d+))?{_SPACE}?"
    rf"(%|pour cent|mille\b|millions?\b|milliards?\b)?"
)


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


def read_numbers(text: str) -> list[Number]:
    """Return the numbers of a lower-case sentence from which dates were taken.

    >>> [number.value for number in read_numbers("1 198 personnes, 1,2 million, trente-sept")]
    [1198.0, 1200000.0, 37.0]
    """
    found = [_figure(match) for match in _FIGURES.finditer(text)]
    taken = [(one.start, one.end) for one in found]
    for one in _words(text):
        if not any(start <= one.start < end for start, end in taken):
            found.append(one)
    return sorted(found, key=lambda one: one.start)


def _figure(match: re.Match[str]) -> Number:
    whole = re.sub(r"\D", "", match[1])
    decimals = match[2] or ""
    value = float(f"{whole}.{decimals or 0}")
    percent = match[3] in ("%", "pour cent")
    scale = _SCALES.get(match[3] or "", 1)
    return Number(value * scale, match.start(), match.end(), percent, len(decimals))


def _words(text: str) -> Iterator[Number]:
    words = "|".join([*_UNITS, "cents?", "mille", "millions?", "et un", "et onze", "un", "une"])
    for match in re.finditer(rf"\b(?:{words})(?:[- ](?:{words}))*\b", text):
        value = _value(re.split("[- ]", match.group()))
        if value is not None:
            yield Number(value, match.start(), match.end())
    for match in _ALONE.finditer(text):
        yield Number(1.0, match.start(), match.end())


def _value(words: list[str]) -> float | None:
    """Add up the words of a numeral; an article alone is none."""
    if all(word in ("un", "une", "et") for word in words):
        return None
    total, current = 0, 0
    for word in words:
        if word in ("un", "une"):
            current += 1
        elif word in ("cent", "cents"):
            current = max(current, 1) * 100
        elif word in ("vingt", "vingts") and current % 100 == 4:
            current += 76
        elif word in _SCALES:
            total, current = total + max(current, 1) * _SCALES[word], 0
        else:
            current += _UNITS.get(word, 0)
    return float(total + current)
