"""The dated rules of statements, read from data: what words mean, and what a negative needs."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force: compiled patterns by name, and the gaps that forbid a negative."""

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
    forbid_data: tuple[str, ...]
    forbid_exports: tuple[str, ...]


@cache
def rules() -> Rules:
    """Return the rules that ship with this version."""
    data = resources.files("vigie.statements") / "rules.toml"
    said = tomllib.loads(data.read_text("utf-8"))
    return Rules(
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
        forbid_data=tuple(said["negative"]["data"]),
        forbid_exports=tuple(said["negative"]["exports"]),
    )


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


def _words(said: dict[str, Any]) -> dict[str, Pattern]:
    plain = {
        "data", "hedges", "soft_labels", "outside", "understood", "english", "promise", "absolute",
        "belittling", "no_proof",
    }  # fmt: skip
    return {
        name: re.compile(rf"\b(?:{pattern})\b" if name in plain else pattern)
        for name, pattern in said.items()
    }
