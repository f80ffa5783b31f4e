"""Marks: what each unit looks like beside what was known before it.

A mark is a small category per kind of observation (a *factor*). `RELATION` is the one that
matters most: how this patient relates to the account through accesses older than a delay (see
`relations`). Under
"usual" marks follow the account's habits (see `profiles`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.relations import LOCAL, RELATIONS, Marks, number_pairs, relate
from vigie.units import DAY, Flags, Times, Units

NEAR_NUMBER: Final = 20
NEAR_NAME: Final = 0.002
"""Neighbours: a register of 100,000 has about 200 names within this on either side."""
SEQUENCES: Final = ("none", "next_identifier", "next_name")
MANNERS: Final = ("open", "search", "rights_check", "export", "break_glass", "write", "other")
_MANNER_OF: Final = {
    "open": 0, "search": 1, "list": 1, "rights_check": 2, "export": 3, "print": 3,
    "break_glass": 4, "create": 5, "update": 5, "delete": 5, "merge": 5,
}  # fmt: skip

FACTORS: Final[dict[str, int]] = {
    "relation": len(RELATIONS),
    "page": len(RELATIONS),
    "sequence": len(SEQUENCES),
    "manner": len(MANNERS),
    "place": 2,
    "volume": 32,
    "weight": 40,
}
"""Every factor with its number of categories; a mark of -1 says nothing."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The marks of each unit by factor, and the chance of its relation under a sweep.

    `swept` is the log chance in a sweep of the whole register.
    """

    marks: dict[str, Marks]
    swept: NDArray[np.float64]


def observe(units: Units) -> Scene:
    """Mark every unit, using only what came before it."""
    order = np.lexsort((np.arange(len(units)), units.at))
    relation, chance = relate(units, order)
    relation, page, swept = _pages(units, relation, chance)
    marks = {
        "relation": relation,
        "page": page,
        "sequence": _sequences(units),
        "manner": _manners(units),
        "place": _places(units),
        "volume": _sizes(units, "record_count", 32),
        "weight": _sizes(units, "bytes", 40),
    }
    return Scene(marks, swept)


def _pages(
    units: Units, relation: Marks, swept: NDArray[np.float64]
) -> tuple[Marks, Marks, NDArray[np.float64]]:
    """Give a listing one mark, its closest relation, and silence an opening it foretold."""
    count = int(units.step.max(initial=-1)) + 1
    listing = units.page > 0
    said = relation >= 0
    closest = np.full(count, 127, np.int8)
    np.minimum.at(closest, units.step[said & listing], relation[said & listing])
    closest[units.step[listing & units.familiar]] = 0
    speaks = _first_of_step(units)
    page = np.where(listing & speaks & said, closest[units.step], -1).astype(np.int8)
    opened = np.where(listing, -1, relation).astype(np.int8)
    foretold = (units.source >= 0) & (closest[units.source] == relation)
    opened[foretold] = -1
    leads = np.zeros(count, np.int64)
    rank = np.where(said & listing & (relation == closest[units.step]), np.arange(len(units)), -1)
    np.maximum.at(leads, units.step[rank >= 0], rank[rank >= 0])
    lead = np.where(page >= 0, leads[units.step], np.arange(len(units)))
    known = (page >= 0) & (page < LOCAL)
    several = np.where(known, np.log(np.maximum(units.page, 1)), 0.0)
    return opened, page, np.minimum(swept[lead] + several, 0)


def _sequences(units: Units) -> Marks:
    """Mark requests that stay close to the one before, by identifier or in the alphabet.

    The first row of a page speaks for it; an opening out of a page says nothing new.
    """
    steps, names = units.number["id_gap"], units.number["name_gap"]
    said = (~np.isnan(steps) | ~np.isnan(names)) & _first_of_step(units) & (units.source < 0)
    by_number = (np.abs(steps) <= NEAR_NUMBER) & (steps != 0)
    by_name = np.abs(names) <= NEAR_NAME
    marks = np.where(by_number, 1, np.where(by_name, 2, 0)).astype(np.int8)
    marks[~said] = -1
    return marks


def _first_of_step(units: Units) -> Flags:
    first = np.ones(len(units), bool)
    first[1:] = units.step[1:] != units.step[:-1]
    return first


def _manners(units: Units) -> Marks:
    numbers = np.array([_MANNER_OF.get(name, 6) for name in ACTIONS], np.int8)
    return numbers[units.action]


def _sizes(units: Units, name: str, classes: int) -> Marks:
    """Mark the size of a request by powers of two, once per step."""
    values = units.number[name]
    first = _first_of_step(units)
    sizes = np.minimum(np.log2(np.maximum(values, 0) + 1).astype(np.int64), classes - 1)
    return np.where((values >= 0) & first, sizes, -1).astype(np.int8)


def _places(units: Units) -> Marks:
    """Mark once per session whether its network and device are new to the account (1) or not."""
    visit = _visits(units)
    new = np.zeros(len(units), bool)
    for name in ("network", "device"):
        pair, _ = number_pairs(units.account, units.text[name], len(units.words[name]) + 1)
        _, first = np.unique(pair, return_index=True)
        new[first[pair[first] >= 0]] = True
    marks = np.full(len(units), -1, np.int8)
    marks[visit] = 0
    marks[new] = 1
    if (units.text["network"] < 0).all() and (units.text["device"] < 0).all():
        marks[:] = -1
    return marks


def _visits(units: Units) -> Times:
    """Return the first unit of each session: a change of session or place, or an hour's pause."""
    first = np.ones(len(units), bool)
    first[1:] = (units.account[1:] != units.account[:-1]) | (np.diff(units.at) > DAY // 24)
    for name in ("session", "network", "device"):
        first[1:] |= units.text[name][1:] != units.text[name][:-1]
    return np.flatnonzero(first)
