"""The CNIL's closed lists: from our words to the exact words of the forms."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from vigie import legal
from vigie.facts import Fact


class Band(msgspec.Struct, frozen=True):
    """A band of numbers of persons, `most` included; without it, the last one."""

    label: str
    most: int | None = None


class DataClass(msgspec.Struct, frozen=True):
    """What a class of data counts as in the lists of data and of harms."""

    name: str
    data: tuple[str, ...]
    harms: tuple[str, ...]


class Vocabulary(msgspec.Struct, frozen=True, rename={"classes": "class"}):
    """The lists of `legal/cnil.toml`."""

    open_data: dict[str, Any]
    long_labels: dict[str, Any]
    band: tuple[Band, ...]
    natures: dict[str, str]
    causes: dict[str, str]
    origins: dict[str, str]
    data: dict[str, str]
    people: dict[str, str]
    harms: dict[str, str]
    levels: dict[str, str]
    information: dict[str, str]
    notification: dict[str, str]
    classes: tuple[DataClass, ...]

    def band_of(self, persons: int) -> str:
        """Return the CNIL's band of a number of persons.

        >>> load_vocabulary().band_of(300), load_vocabulary().band_of(301)
        ('Entre 51 et 300 personnes', 'Entre 301 et 5000 personnes')
        """
        return next(band.label for band in self.band if band.most is None or persons <= band.most)

    def band_of_fact(self, fact: Fact) -> str | None:
        """Return the band in which the true number surely lies, None when bounds span several."""
        low = fact.numerator if fact.low is None else fact.low
        high = fact.numerator if fact.low is None else fact.high
        at_least = self.band_of(low)
        if high is None:
            return at_least if at_least == self.band[-1].label else None
        return at_least if at_least == self.band_of(high) else None

    def data_of(self, classes: Iterable[str]) -> list[str]:
        """Return the categories of data, in the order of the list."""
        found = {name for known in self._known(classes) for name in known.data}
        return [label for name, label in self.data.items() if name in found]

    def harms_of(self, classes: Iterable[str]) -> list[str]:
        """Return the potential harms, in the order of the list."""
        found = {name for known in self._known(classes) for name in known.harms}
        return [label for name, label in self.harms.items() if name in found]

    def is_sensitive(self, classes: Iterable[str]) -> bool:
        """Whether one of the classes is special data in the sense of article 9."""
        names = [*self.data]
        special = set(names[names.index("racial_ethnic") : names.index("other")])
        return any(special & {*known.data} for known in self._known(classes))

    def _known(self, classes: Iterable[str]) -> list[DataClass]:
        wanted = set(classes)
        return [known for known in self.classes if known.name in wanted]


def load_vocabulary(home: Path | None = None) -> Vocabulary:
    """Return the lists of `home` where it has its own, else those that came with Vigie."""
    return legal.load("cnil", Vocabulary, home)
