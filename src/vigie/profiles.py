"""What is usual: the chance of each mark, for this account on this day, learnt from its past.

Per account and factor, Dirichlet counts with forgetting, shrunk to the peers' habits of the day
before (profession, specialty and role), themselves shrunk to everyone's. A day is scored with the
model of the day before, then taught; a day that fits its model badly teaches less, so that a slow
thief does not become a habit and a transfer is still learnt in the end.
"""

from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.marks import FACTORS, Scene
from vigie.relations import Marks
from vigie.units import Codes, Units, dense

OWN_WEIGHT: Final = 30.0
"""Units of own history at which an account counts as much as its peers."""
PEER_WEIGHT: Final = 200.0
FORGETTING: Final = 0.97
"""What remains of a day's lesson one active day later."""
UNLEARNT: Final = ("volume", "weight")
"""Sizes of requests are the business of the detector of exports."""
PEER_FORGETTING: Final = 0.85
DAILY_VOICE: Final = 60.0
"""An account teaches its peers at most this many units a day."""
SURPRISE: Final = 6.0
"""Nats of misfit at which a day teaches half."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The log chance of each unit's mark under "usual", by factor (0 where the mark is silent).

    `group` is each account's peer group and `groups` their names.
    """

    log: dict[str, NDArray[np.float64]]
    group: Codes
    groups: tuple[str, ...]


def learn_usual(units: Units, scene: Scene) -> Usual:
    """Score each mark with the past of its account and peers."""
    group, groups = peer_groups(units)
    day = (units.day - units.first_day).astype(np.int64)
    log = {}
    for factor, classes in FACTORS.items():
        marks = scene.marks[factor]
        log[factor] = np.zeros(len(units))
        if factor not in UNLEARNT and (marks >= 0).any():
            habits = _peer_habits(units, marks, classes, group)
            log[factor] = _own_habits(units.bounds, day, marks, group, habits)
    return Usual(log, group, groups)


def peer_groups(units: Units) -> tuple[Codes, tuple[str, ...]]:
    """Return each account's peer group, from the first thing the log says of it."""
    count = len(units.accounts)
    key = np.zeros(count, np.int64)
    names = [""] * count
    for name in ("profession", "specialty", "role"):
        first = _first_said(units, units.text[name], count)
        words = units.words[name]
        key = key * (len(words) + 1) + first + 1
        names = [
            f"{said} {words[code]}".strip() if code >= 0 else said
            for said, code in zip(names, first, strict=True)
        ]
    group, groups = dense(key)
    named = [""] * groups
    for account, code in enumerate(group):
        named[code] = names[account]
    return group, tuple(named)


def _first_said(units: Units, codes: Codes, count: int) -> Codes:
    said = np.flatnonzero(codes >= 0)
    accounts, first = np.unique(units.account[said], return_index=True)
    out = np.full(count, -1, np.int32)
    out[accounts] = codes[said[first]]
    return out


def _peer_habits(units: Units, marks: Marks, classes: int, group: Codes) -> NDArray[np.float64]:
    """Return the peers' chance of each mark, by group and day, from the days before.

    A group counts as much as everyone once it was taught `PEER_WEIGHT` units.
    """
    groups = int(group.max(initial=0)) + 1
    day = units.day - units.first_day
    days = int(day.max(initial=0)) + 1
    said = marks >= 0
    _, index, counts = np.unique(
        units.account[said].astype(np.int64) * days + day[said],
        return_inverse=True, return_counts=True,
    )  # fmt: skip
    voice = np.minimum(1.0, DAILY_VOICE / counts)[index]
    cell = (group[units.account[said]].astype(np.int64) * days + day[said]) * classes + marks[said]
    taught = np.bincount(cell, voice, groups * days * classes).astype(np.float64)
    taught = taught.reshape(groups, days, classes)
    everyone = _faded(taught.sum(0, keepdims=True))
    target = (everyone + 10 / classes) / (everyone.sum(-1, keepdims=True) + 10)
    own = _faded(taught)
    total = own.sum(-1, keepdims=True)
    habits: NDArray[np.float64] = (own + PEER_WEIGHT * target) / (total + PEER_WEIGHT)
    return habits


def _faded(taught: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each day, the faded sum of the days before it."""
    out = np.zeros_like(taught)
    for day in range(1, taught.shape[1]):
        out[:, day] = PEER_FORGETTING * out[:, day - 1] + taught[:, day - 1]
    return out


def _own_habits(
    bounds: NDArray[np.int64],
    day: NDArray[np.int64],
    marks: Marks,
    group: Codes,
    peers: NDArray[np.float64],
) -> NDArray[np.float64]:
    learnt: NDArray[np.float64] = _learn(
        bounds, day, marks, group.astype(np.int64), peers, OWN_WEIGHT, FORGETTING, SURPRISE
    )
    return learnt


@numba.njit(cache=True, nogil=True)
def _learn(bounds, day, marks, group, peers, own_weight, forgetting, surprise):  # type: ignore[no-untyped-def]
    classes = peers.shape[2]
    out = np.zeros(marks.size, np.float64)
    for account in range(bounds.size - 1):
        counts = np.zeros(classes)
        total = 0.0
        start, end = bounds[account], bounds[account + 1]
        while start < end:
            stop = start
            while stop < end and day[stop] == day[start]:
                stop += 1
            peer = peers[group[account], day[start]]
            today = np.zeros(classes)
            said = 0.0
            for i in range(start, stop):
                m = marks[i]
                if m >= 0:
                    out[i] = np.log((counts[m] + own_weight * peer[m]) / (total + own_weight))
                    today[m] += 1.0
                    said += 1.0
            misfit = 0.0
            for m in range(classes):
                if today[m] > 0:
                    chance = (counts[m] + own_weight * peer[m]) / (total + own_weight)
                    misfit += today[m] * np.log(today[m] / said / chance)
            lesson = 1.0 / (1.0 + max(0.0, misfit - classes) / surprise)
            for m in range(classes):
                counts[m] = forgetting * counts[m] + lesson * today[m]
            total = counts.sum()
            start = stop
    return out
