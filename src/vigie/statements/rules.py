"""The dated rules of statements, read from data: what words mean, and what a negative needs."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from vigie.statements.dates import Calendar
from vigie.statements.numerals import Numerals

Pattern = re.Pattern[str]
LANGUAGES: Final = ("fr", "en")
"""Languages whose words are known, each in `words_<language>.toml`."""
_PLAIN: Final = (
    "data", "hedges", "soft_labels", "outside", "understood", "grammar", "promise", "absolute",
    "belittling", "no_proof",
)  # fmt: skip
"""Lists of whole words; the others are expressions as they stand."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one language: compiled patterns by name, numerals, dates, and sentences."""

    language: str
    version: str
    units: dict[str, Pattern]
    classes: dict[str, Pattern]
    ways: dict[str, Pattern]
    words: dict[str, Pattern]
    qualifiers: dict[str, Pattern]
    moments: dict[str, Pattern]
    done: dict[str, Pattern]
    shown: dict[str, str]
    stated: dict[str, str]
    instead: dict[str, str]
    numerals: Numerals
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Forbidding:
    """The kinds of gaps that forbid a negative, in any language."""

    data: tuple[str, ...]
    exports: tuple[str, ...]


@cache
def rules(language: str) -> Rules:
    """Return the rules of a language that ship with this version."""
    said = _load(f"words_{language}.toml")
    return Rules(
        language=language,
        version=said["version"],
        units=_whole_words(said["units"]),
        classes=_whole_words(said["classes"]),
        ways=_whole_words(said["ways"]),
        words=_words(said["words"]),
        qualifiers=_before_a_number(said["qualifiers"]),
        moments=_whole_words(said["moments"]),
        done=_filings(said["done"]),
        shown=said["shown"],
        stated=said["stated"],
        instead=said["instead"],
        numerals=Numerals.compile(said["numerals"]),
        calendar=Calendar.compile(said["dates"]),
    )


@cache
def forbidding() -> Forbidding:
    """Return what forbids a negative, by the version of `rules.toml` that ships with this one."""
    said = _load("rules.toml")["negative"]
    return Forbidding(tuple(said["data"]), tuple(said["exports"]))


def _load(name: str) -> dict[str, Any]:
    text = (resources.files("vigie.statements") / name).read_text("utf-8")
    return tomllib.loads(text)


def _whole_words(said: dict[str, str]) -> dict[str, Pattern]:
    return {name: re.compile(rf"\b(?:{pattern})\b") for name, pattern in said.items()}


def _filings(said: dict[str, str]) -> dict[str, Pattern]:
    """With whom something is filed and that it is, in either order, few words between."""
    done = rf"\b(?:{said.pop('words')})\b"
    few = r"(?:[ ,]+[\w']+){0,5}?[ ,]+"
    return {
        name: re.compile(
            rf"\b(?:{who})\b(?P<between>{few}){done}|{done}(?P<amid>{few}(?:[ld]')?)\b(?:{who})\b"
        )
        for name, who in said.items()
    }


def _before_a_number(said: dict[str, str]) -> dict[str, Pattern]:
    return {name: re.compile(rf"(?:{pattern})\s*$") for name, pattern in said.items()}


def _words(said: dict[str, str]) -> dict[str, Pattern]:
    return {
        name: re.compile(rf"\b(?:{pattern})\b" if name in _PLAIN else pattern)
        for name, pattern in said.items()
    }
