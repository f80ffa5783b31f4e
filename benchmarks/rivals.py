"""Detectors that people use, each as a score per access (or day) against one threshold for all.

Every score is known at its moment: a count so far, not that of the whole window. `theft` says that
the window so far holds an access of a thief. The isolation forest sees an account's whole day and
speaks at its end.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from benchmarks.naive import DAY, WARM_UP, WINDOWS, Scores, Units, units
from vigie.simulate.world import World

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
TREES = 200


def beginning(world: World) -> int:
    """Return when the scored part begins (µs UTC)."""
    return world.start + int(WARM_UP * world.days) * DAY


def quota(world: World, what: str, per: str) -> Scores:
    """Return how many so far: patients, strangers or far strangers in a day, hour or 10 minutes."""
    found = units(world)
    kept = _subset(found, what)
    count, theft = _running(found, kept, (found.at[kept] - world.start) // WINDOWS[per])
    return _scored(f"{what} per {per}", found, kept, count, theft, beginning(world))


def deviation(world: World, what: str) -> Scores:
    """Return the day's count so far against the account's earlier days, in standard deviations."""
    found = units(world)
    kept, day = _subset(found, what), (found.at - world.start) // DAY
    mean, spread, past = _habit(world, found, kept, day)
    count, theft = _running(found, kept, day[kept])
    where = found.account[kept], day[kept]
    score = np.where(past[where] >= 5, (count - mean[where]) / spread[where], -np.inf)
    return _scored(f"{what} per day", found, kept, score, theft, beginning(world))


def _subset(found: Units, what: str) -> NDArray[np.bool_]:
    everyone = np.ones(len(found.at), np.bool_)
    return {"patients": everyone, "strangers": found.stranger, "far strangers": found.far}[what]


def _running(found: Units, kept: NDArray[np.bool_], window: Ints) -> tuple[Floats, Ints]:
    """Return, per kept unit, its number within its window and whether a theft is among them."""
    account, theft = found.account[kept], found.theft[kept]
    edge = np.r_[True, (np.diff(account) != 0) | (np.diff(window) != 0)] if len(account) else []
    start = np.flatnonzero(edge)
    of = np.cumsum(edge) - 1
    stolen = np.cumsum(theft)
    before = stolen[start] - theft[start]
    return np.arange(len(account)) - start[of] + 1.0, stolen - before[of] > 0


def _habit(
    world: World, found: Units, kept: NDArray[np.bool_], day: Ints
) -> tuple[Floats, Floats, Ints]:
    """Return mean, spread and number of each account's days before each day."""
    shape = (world.accounts.num_rows, world.days + 2)
    counts, active = np.zeros(shape), np.zeros(shape, bool)
    np.add.at(counts, (found.account[kept], day[kept]), 1)
    active[found.account, day] = True
    past = np.cumsum(active, 1) - active
    mean = (np.cumsum(counts, 1) - counts) / np.maximum(past, 1)
    square = (np.cumsum(counts**2, 1) - counts**2) / np.maximum(past, 1)
    spread = np.sqrt(np.maximum(square - mean**2, 0) + np.maximum(mean, 1))
    return mean, spread, past


def _scored(
    rule: str, found: Units, kept: NDArray[np.bool_], score: Floats, theft: Ints, begin: int
) -> Scores:
    late = found.at[kept] >= begin
    return Scores(rule, found.account[kept][late], found.at[kept][late], score[late], theft[late])


def forest(world: World) -> Scores:
    """Return the isolation forest's score of account-days, fitted on the learning part."""
    account, day, end, theft, features = account_days(world)
    features = np.log1p(features)
    learnt = day < int(WARM_UP * world.days)
    features = np.hstack([features, features - _own_mean(account, features, learnt)])
    model = IsolationForest(n_estimators=TREES, random_state=1).fit(features[learnt])
    late = ~learnt
    score = -model.score_samples(features[late])
    return Scores("isolation forest", account[late], end[late], score, theft[late])


def account_days(world: World) -> tuple[Ints, Ints, Ints, NDArray[np.bool_], Floats]:
    """Return account, day, last access, whether a thief was there, and features of each day.

    Features: accesses, distinct patients, strangers, far strangers, distinct actions, objects,
    networks, devices and sessions, accesses at night, largest and total record count, shortest
    mean gap of ten accesses.
    """
    table = world.accesses
    columns = {name: table.column(name).to_numpy().astype(np.int64) for name in table.column_names}
    order = np.lexsort((columns["at"], columns["account"]))
    columns = {name: column[order] for name, column in columns.items()}
    day = (columns["at"] - world.start) // DAY
    key = columns["account"] * 10_000 + day
    start = np.flatnonzero(np.r_[True, np.diff(key) != 0])
    of = np.cumsum(np.r_[True, np.diff(key) != 0]) - 1
    records = np.maximum(columns["record_count"], 0)
    hour = columns["at"] // (DAY // 24) % 24
    gap = np.full(len(key), DAY, float)
    gap[10:] = np.where(key[10:] == key[:-10], columns["at"][10:] - columns["at"][:-10], DAY)
    features = [
        np.bincount(of),
        *(_distinct(of, columns[name]) for name in ("patient", "action", "object", "network")),
        *(_distinct(of, columns[name]) for name in ("device", "session")),
        *_strangers(world, key[start]),
        np.bincount(of, (hour < 6) | (hour >= 21)),
        np.maximum.reduceat(records, start),
        np.add.reduceat(records, start),
        DAY / np.maximum(np.minimum.reduceat(gap, start), 1),
    ]
    end = np.r_[start[1:], len(key)] - 1
    theft = np.logical_or.reduceat(columns["attack"] >= 0, start)
    return (
        columns["account"][start], day[start], columns["at"][end], theft,
        np.stack(features, axis=1).astype(float),
    )  # fmt: skip


def _distinct(of: Ints, values: Ints) -> Ints:
    pairs = np.unique(of << 32 | np.unique(values, return_inverse=True)[1])
    return np.bincount(pairs >> 32, minlength=of[-1] + 1)


def _strangers(world: World, keys: Ints) -> list[Ints]:
    found = units(world)
    key = found.account * 10_000 + (found.at - world.start) // DAY
    place = np.searchsorted(keys, key)
    return [np.bincount(place[flag], minlength=len(keys)) for flag in (found.stranger, found.far)]


def _own_mean(account: Ints, features: Floats, learnt: NDArray[np.bool_]) -> Floats:
    """Return each account's mean in the learning part, everyone's for who has none."""
    count = np.bincount(account[learnt], minlength=account.max() + 1)
    total = np.zeros((len(count), features.shape[1]))
    np.add.at(total, account[learnt], features[learnt])
    mean = np.where(
        count[:, None] > 0, total / np.maximum(count, 1)[:, None], features[learnt].mean(0)
    )
    return np.asarray(mean[account])


RIVALS: dict[str, list[Callable[[World], Scores]]] = {
    "fixed quota": [
        partial(quota, what=what, per=per)
        for what in ("patients", "strangers", "far strangers")
        for per in WINDOWS
    ],
    "z-score per account": [partial(deviation, what=w) for w in ("patients", "strangers")],
    "isolation forest": [forest],
}
"""The variants of each; the best one in hindsight stands for all."""
