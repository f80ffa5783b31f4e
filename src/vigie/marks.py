"""Marks: what each unit looks like beside what was known before it.

A mark is a small category per kind of observation (a *factor*). `RELATION` is the one that
matters most: how this patient relates to the account through accesses older than `DELAY`. Under
"usual" marks follow the account's habits (see `profiles`); a sweep draws patients from a register
without regard to who cares for them, so the chance of each relation under a sweep is the *coverage*
of that relation, counted from the past only.
"""

from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.events import ACTIONS, VOCABULARIES
from vigie.units import DAY, Codes, Flags, Times, Units, dense

Marks = NDArray[np.int8]

DELAY: Final = DAY // 24
"""A patient is known to a team, an organisation or a place through accesses older than this."""

UNSEEN: Final = 0.4
"""Share of a register that no access in the log has shown yet: a sweep meets such persons too.
The log cannot tell it; evidence changes little between 0.2 and 0.7."""

RELATIONS: Final = (
    "own_week", "own_month", "own_older", "team", "organisation", "network", "host", "local", "far",
)  # fmt: skip
OWN, TEAM, HOST, LOCAL, FAR = 3, 3, 6, 7, 8
NEAR_NUMBER: Final = 20
NEAR_NAME: Final = 0.002
"""Neighbours: a register of 100,000 has about 200 names within this on either side."""
SEQUENCES: Final = ("none", "next_identifier", "next_name")
MANNERS: Final = ("open", "search", "rights_check", "export", "break_glass", "write", "other")
PACES: Final = (15, 60, 300, 1800)
"""Upper bounds in seconds of the pauses between requests."""
_MANNER_OF: Final = {
    "open": 0, "search": 1, "list": 1, "rights_check": 2, "export": 3, "print": 3,
    "break_glass": 4, "create": 5, "update": 5, "delete": 5, "merge": 5,
}  # fmt: skip

FACTORS: Final[dict[str, int]] = {
    "relation": len(RELATIONS),
    "page": len(RELATIONS),
    "sequence": len(SEQUENCES),
    "manner": len(MANNERS),
    "shape": len(VOCABULARIES["query_shape"]),
    "pace": len(PACES) + 1,
    "depth": 3,
    "hour": 16,
    "place": 2,
    "volume": 32,
    "weight": 40,
}
"""Every factor with its number of categories; a mark of -1 says nothing."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The marks of each unit by factor, and the chance of its relation under a sweep.

    `swept` is the log chance in a sweep of the whole register, `swept_locally` in one of the area.
    """

    marks: dict[str, Marks]
    swept: NDArray[np.float64]
    swept_locally: NDArray[np.float64]


def observe(units: Units) -> Scene:
    """Mark every unit, using only what came before it."""
    order = np.lexsort((np.arange(len(units)), units.at))
    relation, swept, local = _relate(units, order)
    relation, page, swept, local = _pages(units, relation, swept, local)
    marks = {
        "relation": relation,
        "page": page,
        "sequence": _sequences(units),
        "manner": _manners(units),
        "shape": _shapes(units),
        "pace": _paces(units),
        "depth": units.depth,
        "hour": _hours(units),
        "place": _places(units),
        "volume": _sizes(units, "record_count", 32),
        "weight": _sizes(units, "bytes", 40),
    }
    return Scene(marks, swept, local)


def _pairs(owner: Codes, patient: Codes, patients: int) -> tuple[Codes, int]:
    valid = (owner >= 0) & (patient >= 0)
    codes = np.full(len(owner), -1, np.int32)
    found, count = dense(owner[valid].astype(np.int64) * patients + patient[valid])
    codes[valid] = found
    return codes, count


def _relate(units: Units, order: Times) -> tuple[Marks, NDArray[np.float64], NDArray[np.float64]]:
    organisation, network = units.text["organisation"], units.text["network"]
    ward = units.text["unit"].astype(np.int64)
    team, _ = dense(
        np.where(
            ward < 0, -1, (organisation.astype(np.int64) + 1) * (ward.max(initial=0) + 1) + ward
        )
    )
    if (ward < 0).any() and len(team):
        team = team - 1
    teaches = units.action != ACTIONS.index("search")
    register = _register(order, units.patient, units.patients)
    known, cover = [], []
    for owner in (units.account, team, organisation, network):
        pair, pairs = _pairs(owner, units.patient, units.patients)
        seen, coverage = _known_before(
            order,
            pair,
            pairs,
            owner.astype(np.int64),
            units.account,
            units.at,
            teaches,
            register,
            DELAY,
        )
        known.append(seen)
        cover.append(coverage)
    place = organisation if (organisation >= 0).any() else network
    home = _homes(order, place.astype(np.int64), units.patient, units.patients, units.at, DELAY)
    host, share = _hosts(
        units.account,
        place.astype(np.int64),
        home,
        known[2] | known[3] | (units.since >= 0),
        units.at,
    )
    local, near = _locals(
        order, np.where(place >= 0, place, 0).astype(np.int64), units.text["area"]
    )
    return _categories(units, known, cover, host, share, local, near)


def _categories(
    units: Units,
    known: list[Flags],
    cover: list[NDArray[np.float64]],
    host: Flags,
    share: NDArray[np.float64],
    local: Flags,
    near: NDArray[np.float64],
) -> tuple[Marks, NDArray[np.float64], NDArray[np.float64]]:
    """Choose the closest relation that holds, and the chance that a sweep falls into it.

    The chances of all relations sum to one: what a closer relation explains is no longer there
    for the next.
    """
    own = np.digitize(units.since, np.array([7 * DAY, 30 * DAY]))
    layers = [
        (own, units.since >= 0, cover[0]),
        (TEAM, known[1], cover[1]),
        (4, known[2], cover[2]),
        (5, known[3], cover[3]),
    ]
    relation = np.full(len(units), -1, np.int8)
    chance, rest = np.ones(len(units)), np.ones(len(units))
    for code, holds, coverage in layers:
        new = holds & (relation < 0)
        relation = np.where(new, code, relation).astype(np.int8)
        chance = np.where(new, np.minimum(coverage, rest) * (1 - UNSEEN), chance)
        rest = np.maximum(rest - coverage, 0.05)
    strange = UNSEEN + (1 - UNSEEN) * rest
    nearby = np.minimum(chance / near, 1.0)
    left = np.maximum(1 - (1 - strange) / near, 0.05)
    elsewhere = (1 - UNSEEN) * rest / strange * share
    far = relation < 0
    for code, holds, wide, narrow in (
        (HOST, host, elsewhere, elsewhere),
        (LOCAL, ~host & local, (1 - elsewhere) * near, (1 - elsewhere) * 0.95),
        (FAR, ~host & ~local, (1 - elsewhere) * (1 - near), (1 - elsewhere) * 0.05),
    ):
        new = far & holds
        relation = np.where(new, code, relation).astype(np.int8)
        chance = np.where(new, strange * wide, chance)
        nearby = np.where(new, left * narrow, nearby)
    relation[units.patient < 0] = -1
    low, high = 1e-4, 1.0
    return relation, np.log(np.clip(chance, low, high)), np.log(np.clip(nearby, low, high))


def _pages(
    units: Units, relation: Marks, swept: NDArray[np.float64], local: NDArray[np.float64]
) -> tuple[Marks, Marks, NDArray[np.float64], NDArray[np.float64]]:
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
    return opened, page, np.minimum(swept[lead] + several, 0), np.minimum(local[lead] + several, 0)


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


def _shapes(units: Units) -> Marks:
    vocabulary = VOCABULARIES["query_shape"]
    numbers = [vocabulary.index(word) if word else -1 for word in units.words["query_shape"]]
    return np.array([*numbers, -1], np.int8)[units.text["query_shape"]]


def _paces(units: Units) -> Marks:
    """Mark the pause since the account's last request; within a page there is none."""
    starts = np.flatnonzero(_first_of_step(units))
    pause = np.full(len(starts), np.iinfo(np.int64).max)
    if len(starts) > 1:
        same = units.account[starts[1:]] == units.account[starts[:-1]]
        pause[1:][same] = np.diff(units.at[starts])[same]
    marks = np.full(len(units), -1, np.int8)
    marks[starts] = np.digitize(pause, np.array(PACES) * 1_000_000)
    return marks


def _hours(units: Units) -> Marks:
    """Mark the three-hour slot (UTC), working days apart from the weekend."""
    weekend = (units.day + 3) % 7 >= 5
    return ((units.at % DAY) // (3 * DAY // 24) + 8 * weekend).astype(np.int8)


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
        pair, pairs = _pairs(units.account, units.text[name], len(units.words[name]) + 1)
        seen = np.zeros(pairs + 1, bool)
        _, first = np.unique(pair, return_index=True)
        seen = np.zeros(len(units), bool)
        seen[first] = True
        new |= seen & (pair >= 0)
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


@numba.njit(cache=True, nogil=True)
def _register(order, patient, patients):  # type: ignore[no-untyped-def]
    """Count the distinct patients seen before each unit, over all accounts."""
    seen = np.zeros(patients + 1, np.bool_)
    size = np.ones(order.size, np.float64)
    total = 0
    for i in order:
        size[i] = total + 1
        if patient[i] >= 0 and not seen[patient[i]]:
            seen[patient[i]] = True
            total += 1
    return size


@numba.njit(cache=True, nogil=True)
def _known_before(order, pair, pairs, owner, account, at, teaches, register, delay):  # type: ignore[no-untyped-def]
    """Whether another account of this owner knew the patient, and the owner's coverage."""
    never = np.int64(2**62)
    first_at = np.full(pairs + 1, never, np.int64)
    first_by = np.full(pairs + 1, -1, np.int64)
    other_at = np.full(pairs + 1, never, np.int64)
    size = np.zeros(owner.max() + 2 if owner.size else 1, np.float64)
    known = np.zeros(order.size, np.bool_)
    cover = np.zeros(order.size, np.float64)
    for i in order:
        k = pair[i]
        if k < 0:
            continue
        cover[i] = size[owner[i]] / register[i]
        when = other_at[k] if first_by[k] == account[i] else first_at[k]
        known[i] = when <= at[i] - delay
        if teaches[i]:
            if first_by[k] < 0:
                first_at[k], first_by[k] = at[i], account[i]
                size[owner[i]] += 1
            elif first_by[k] != account[i] and other_at[k] == never:
                other_at[k] = at[i]
    return known, cover


@numba.njit(cache=True, nogil=True)
def _homes(order, place, patient, patients, at, delay):  # type: ignore[no-untyped-def]
    """Where each patient was first seen, if long enough ago and elsewhere than here."""
    home = np.full(patients + 1, -1, np.int64)
    since = np.zeros(patients + 1, np.int64)
    out = np.full(order.size, -1, np.int32)
    for i in order:
        p = patient[i]
        if p < 0 or place[i] < 0:
            continue
        if home[p] < 0:
            home[p], since[p] = place[i], at[i]
        elif home[p] != place[i] and since[p] <= at[i] - delay:
            out[i] = home[p]
    return out


@numba.njit(cache=True, nogil=True)
def _hosts(account, place, home, explained, at):  # type: ignore[no-untyped-def]
    """Whether the strangers met lately come from the same elsewhere, and how likely that is."""
    count = account.size
    same = np.zeros(count, np.bool_)
    chance = np.zeros(count, np.float64)
    weight = np.zeros(home.max() + 2 if count else 1, np.float64)
    for i in range(count):
        if home[i] >= 0:
            weight[home[i]] += 1
    weight /= max(weight.sum(), 1.0)
    likely = 0.0
    for share in weight:
        few = (1.0 - share) ** 16 + 16 * share * (1.0 - share) ** 15
        likely += share * (1.0 - few)
    ring = np.full(16, -1, np.int64)
    when = np.zeros(16, np.int64)
    owner, filled = -1, 0
    for i in range(count):
        if account[i] != owner:
            owner, filled = account[i], 0
            ring[:] = -1
        chance[i] = likely
        if explained[i] or home[i] < 0:
            continue
        matches = 0
        for j in range(16):
            if ring[j] == home[i] and at[i] - when[j] < 10 * 86_400_000_000:
                matches += 1
        same[i] = matches >= 2
        ring[filled % 16], when[filled % 16] = home[i], at[i]
        filled += 1
    return same, chance


@numba.njit(cache=True, nogil=True)
def _locals(order, place, area):  # type: ignore[no-untyped-def]
    """Whether the patient's area is one that this place sees, and the share of all that are."""
    areas = area.max() + 2 if area.size else 1
    counts = np.zeros((place.max() + 1 if place.size else 1, areas), np.float64)
    totals = np.zeros(counts.shape[0], np.float64)
    reach = np.full(counts.shape[0], 0.5)
    whole = np.zeros(areas, np.float64)
    local = np.zeros(order.size, np.bool_)
    near = np.full(order.size, 0.5, np.float64)
    seen = 0.0
    for i in order:
        here, o = area[i], place[i]
        if here < 0:
            continue
        local[i] = counts[o, here] >= 0.05 * totals[o] and totals[o] >= 10
        if totals[o] % 64 == 10:
            share = 0.0
            for a in range(areas):
                if counts[o, a] >= 0.05 * totals[o]:
                    share += whole[a]
            reach[o] = min(0.95, max(0.02, share / max(seen, 1.0)))
        near[i] = reach[o]
        counts[o, here] += 1
        totals[o] += 1
        whole[here] += 1
        seen += 1
    return local, near
