"""Severity by ENISA's method, SE = DPC × EI + CB, with every input shown.

The method gives a number; a person gives the level, and may differ with a reason. What Vigie chose
where the method leaves it open (adjustments of the context, the mapping to the CNIL's levels) is
marked as a choice, and the score without the adjustments stands beside.

>>> severity({"identity"}, 2_000).score, severity({"identity", "notes"}, 2_000).score
(2.0, 5.0)

Source: see `legal/severity.toml`.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import msgspec

from vigie import legal
from vigie.errors import UsageError
from vigie.language import N_

_LEAST, _MOST = 1.0, 4.0
UNKNOWN: Final = "unknown"


class Adjustment(msgspec.Struct, frozen=True):
    """A change of the context that Vigie proposes: `label` by language."""

    name: str
    amount: float
    label: dict[str, str]


class Band(msgspec.Struct, frozen=True):
    """A band of the method and what is proposed for it: level, articles 33 and 34."""

    name: str
    level: str
    authority: str
    persons: str
    below: float = float("inf")


class Grid(msgspec.Struct, frozen=True):
    """The method as data."""

    source: str
    url: str
    mark: str
    many_persons: int
    categories: dict[str, float]
    classes: dict[str, str]
    adjustment: tuple[Adjustment, ...]
    identification: dict[str, float]
    confidentiality: dict[str, float]
    integrity: dict[str, float]
    availability: dict[str, float]
    malice: dict[str, float]
    band: tuple[Band, ...]

    def band_of(self, score: float) -> Band:
        """Return the band of a score."""
        return next(band for band in self.band if score < band.below)


class Circumstances(msgspec.Struct, frozen=True):
    """What the log cannot say and a person answers; the defaults are those of a stolen account.

    `identification` empty: by the classes of data. `specialised`: that a person is known to the
    establishment says something about their health by itself.
    """

    identification: str = ""
    confidentiality: str = "unknown_recipients"
    integrity: str = "none"
    availability: str = "none"
    malice: str = "malicious"
    specialised: bool = False
    unintelligible: bool = False


STOLEN_ACCOUNT: Final = Circumstances()


class Input(msgspec.Struct, frozen=True):
    """One input of the score: `choice` when it is Vigie's and not the method's."""

    name: str
    value: str
    score: float
    choice: bool = False


class Severity(msgspec.Struct, frozen=True):
    """The score and where it comes from.

    `without_choices` is the score of the method alone. `at_most` is the score with the classes that
    the log does not rule out, and with sensitive data wherever nobody declared what a screen shows:
    the level is proposed from it, as what is not known may not lower it. `flags` are what the
    method notes beside the score: `many_persons`, `unintelligible`. `authority` and `persons` are
    the decisions proposed, `exemptions` those of article 34 that would each be enough by itself.
    """

    dpc: float
    ei: float
    cb: float
    score: float
    without_choices: float
    at_most: float
    band: str
    level: str
    authority: str
    persons: str
    exemptions: tuple[str, ...]
    inputs: tuple[Input, ...]
    flags: tuple[str, ...]
    source: str


def load_grid(home: Path | None = None) -> Grid:
    """Return the method as the legal data state it."""
    return legal.load("severity", Grid, home)


def severity(
    classes: Collection[str],
    persons: int,
    circumstances: Circumstances = STOLEN_ACCOUNT,
    grid: Grid | None = None,
    possible: Collection[str] = (),
) -> Severity:
    """Return the severity of a breach of `classes` of data of `persons` persons.

    `possible` are the classes that may be concerned besides.

    Raises `UsageError` for an answer that the method does not know.
    """
    grid = grid or load_grid()
    context = _context(classes, circumstances, grid)
    dpc = _within(context)
    worst = _worst({*classes, *possible}, circumstances, grid)
    ease = _ease(classes, circumstances, grid)
    breach = _breach(circumstances, grid)
    cb = sum(part.score for part in breach)
    band = grid.band_of(worst * ease.score + cb)
    return Severity(
        dpc=dpc,
        ei=ease.score,
        cb=cb,
        score=dpc * ease.score + cb,
        without_choices=context[0].score * ease.score + cb,
        at_most=worst * ease.score + cb,
        band=band.name,
        level=band.level,
        authority=band.authority,
        persons="not_informed" if circumstances.unintelligible else band.persons,
        exemptions=_exemptions(band, circumstances),
        inputs=(*context, ease, *breach),
        flags=_flags(persons, circumstances, grid),
        source=grid.source,
    )


def _within(context: list[Input]) -> float:
    """Return DPC, which the method keeps between 1 and 4."""
    return min(max(sum(part.score for part in context), _LEAST), _MOST)


def _worst(classes: set[str], said: Circumstances, grid: Grid) -> float:
    return _MOST if UNKNOWN in classes else _within(_context(classes, said, grid))


def _context(classes: Collection[str], said: Circumstances, grid: Grid) -> list[Input]:
    """Return the category that weighs most, then the adjustments that apply."""
    found = {grid.classes[name] for name in classes if name in grid.classes}
    category = max(found, key=grid.categories.__getitem__, default="simple")
    applying = {"nir": "nir" in classes, "specialised": said.specialised}
    return [
        Input("dpc", category, grid.categories[category]),
        *(
            Input("dpc", change.name, change.amount, choice=True)
            for change in grid.adjustment
            if applying.get(change.name)
        ),
    ]


def _ease(classes: Collection[str], said: Circumstances, grid: Grid) -> Input:
    proposed = "maximal" if "identity" in classes else "significant"
    answer = said.identification or proposed
    return Input("ei", answer, _of(grid.identification, answer), choice=not said.identification)


def _breach(said: Circumstances, grid: Grid) -> list[Input]:
    answers = {
        "confidentiality": (said.confidentiality, grid.confidentiality),
        "integrity": (said.integrity, grid.integrity),
        "availability": (said.availability, grid.availability),
        "malice": (said.malice, grid.malice),
    }
    return [Input(name, answer, _of(scores, answer)) for name, (answer, scores) in answers.items()]


def _of(scores: dict[str, float], answer: str) -> float:
    if answer not in scores:
        raise UsageError(
            N_("{value!r} is not one of: {allowed}"), value=answer, allowed=", ".join(scores)
        )
    return scores[answer]


def _flags(persons: int, said: Circumstances, grid: Grid) -> tuple[str, ...]:
    raised = {
        "many_persons": persons > grid.many_persons,
        "unintelligible": said.unintelligible,
    }
    return tuple(name for name, up in raised.items() if up)


def _exemptions(band: Band, said: Circumstances) -> tuple[str, ...]:
    applying = {
        "no_high_risk": band.persons == "not_informed",
        "unintelligible": said.unintelligible,
    }
    return tuple(name for name, holds in applying.items() if holds)
