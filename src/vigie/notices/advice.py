"""What may follow from each class of data and what one can do: dated data, in both languages.

The texts are those of `legal/advice.toml`; a person is told those of their own classes alone.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec

from vigie import legal

Texts = dict[str, str]
Lists = dict[str, tuple[str, ...]]


class Advice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One class of data: its name, consequences and actions by language, with the source."""

    name: Texts
    consequences: Lists
    actions: Lists
    source: str
    mark: str


class Professional(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told to the professional whose account was used, and besides where the accesses were
    told apart from the holder's, or not."""

    consequences: Lists
    actions: Lists
    source: str
    mark: str
    told_apart: Lists = {}
    not_told_apart: Lists = {}


class Controller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a controller has to do."""

    duties: Lists
    source: str
    mark: str


class Counsel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"classes": "class"}):
    """The file, whole."""

    version: str
    classes: dict[str, Advice]
    professional: Professional
    controller: Controller

    def names(self, classes: Iterable[str], language: str) -> tuple[str, ...]:
        """Return what the classes are called in a letter."""
        return tuple(self.classes[name].name[language] for name in classes)

    def consequences(self, classes: Iterable[str], language: str) -> tuple[str, ...]:
        """Return the consequences specific to these classes."""
        return tuple(text for name in classes for text in self.classes[name].consequences[language])

    def actions(self, classes: Iterable[str], language: str) -> tuple[str, ...]:
        """Return the actions specific to these classes."""
        return tuple(text for name in classes for text in self.classes[name].actions[language])


@lru_cache(maxsize=4)
def load_counsel(home: Path | None = None) -> Counsel:
    """Return the advice, that of `home` when there is one."""
    return legal.load("advice", Counsel, home)
