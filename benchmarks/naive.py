"""The rules that people write first, with the best threshold that each could have had.

Every rule scores windows of an account (a day, an hour, ten minutes) and alerts above one
threshold for all. The threshold is the lowest that keeps the alerts on never-attacked accounts of
the *same* log within the budget: no operator could choose it that well. An attack counts as found
when an alerted window holds an access of its thief.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.simulate.world import World

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
DAY = 86_400_000_000
WINDOWS = {"day": DAY, "hour": DAY // 24, "10 min": DAY // 144}
WARM_UP = 0.4
"""Share of the log before which nothing is scored: everybody is a stranger at first."""


@dataclass(frozen=True, slots=True)
class Units:
    """First looks at a patient by an account in a day, by account and time."""

    account: Ints
    at: Ints
    patient: Ints
    theft: NDArray[np.bool_]
    stranger: NDArray[np.bool_]
    far: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scores:
    """One rule's score of every window that holds something."""

    rule: str
    account: Ints
    at: Ints
    score: Floats
    theft: NDArray[np.bool_]


def units(world: World) -> Units:
    """Return the distinct (account, day, patient) of a world and what a rule may know of them."""
    table = world.accesses.filter(pc.greater_equal(world.accesses["patient"], 0))
    account, at, patient, attack = (
        table[name].to_numpy().astype(np.int64) for name in ("account", "at", "patient", "attack")
    )
    order = np.lexsort((at, patient, account))
    account, at, patient, theft = account[order], at[order], patient[order], attack[order] >= 0
    day = (at - world.start) // DAY
    pair = np.r_[True, (np.diff(account) != 0) | (np.diff(patient) != 0)]
    first = pair | np.r_[True, np.diff(day) != 0]
    touched = np.logical_or.reduceat(theft, np.flatnonzero(first))
    account, at, patient, stranger = account[first], at[first], patient[first], pair[first]
    back = np.lexsort((at, account))
    far = _far(world, account, at, patient)
    return Units(
        account[back], at[back], patient[back], touched[back], stranger[back],
        (stranger & far)[back],
    )  # fmt: skip


def _far(world: World, account: Ints, at: Ints, patient: Ints) -> NDArray[np.bool_]:
    """Say whose area is below 2 % of what the account saw during the warm-up."""
    codes = pc.dictionary_encode(world.patients["area"]).combine_chunks()
    area = codes.indices.to_numpy().astype(np.int64)[patient]
    many = len(codes.dictionary)
    seen = np.zeros((world.accounts.num_rows, many))
    early = at < world.start + WARM_UP * world.days * DAY
    np.add.at(seen, (account[early], area[early]), 1)
    share = seen / np.maximum(seen.sum(1, keepdims=True), 1)
    return np.asarray(share[account, area] < 0.02)


def rules(world: World) -> Iterator[Scores]:
    """Score every rule on the part of the log after the warm-up."""
    found = units(world)
    begin = world.start + int(WARM_UP * world.days) * DAY
    subsets = {
        "patients": np.ones(len(found.at), np.bool_),
        "strangers": found.stranger,
        "far strangers": found.far,
    }
    for what, kept in subsets.items():
        for per, length in WINDOWS.items():
            yield _counts(found, kept, length, f"{what} per {per}", world.start, begin)
    for what in ("patients", "strangers"):
        yield _deviation(found, subsets[what], f"z-score of {what} per day", world, begin)


def _counts(
    found: Units, kept: NDArray[np.bool_], length: int, rule: str, start: int, begin: int
) -> Scores:
    rows = kept & (found.at >= begin)
    account, window = found.account[rows], (found.at[rows] - start) // length
    edge = np.flatnonzero(np.r_[True, (np.diff(account) != 0) | (np.diff(window) != 0)])
    if not len(edge):
        edge = np.empty(0, np.int64)
        return Scores(rule, edge, edge, edge.astype(float), edge.astype(bool))
    score = np.diff(np.r_[edge, len(account)]).astype(np.float64)
    theft = np.logical_or.reduceat(found.theft[rows], edge)
    return Scores(rule, account[edge], start + window[edge] * length, score, theft)


def _deviation(
    found: Units, kept: NDArray[np.bool_], rule: str, world: World, begin: int
) -> Scores:
    """Each day against the account's days so far, in standard deviations."""
    shape = (world.accounts.num_rows, world.days + 2)
    day = (found.at - world.start) // DAY
    counts, active, theft = np.zeros(shape), np.zeros(shape, bool), np.zeros(shape, bool)
    np.add.at(counts, (found.account[kept], day[kept]), 1)
    active[found.account, day] = True
    theft[found.account[found.theft], day[found.theft]] = True
    past = np.cumsum(active, 1) - active
    total = np.cumsum(counts, 1) - counts
    square = np.cumsum(counts**2, 1) - counts**2
    mean = total / np.maximum(past, 1)
    spread = np.sqrt(np.maximum(square / np.maximum(past, 1) - mean**2, 0) + np.maximum(mean, 1))
    scored = active & (past >= 5)
    scored[:, : (begin - world.start) // DAY] = False
    account, when = np.nonzero(scored)
    score = ((counts - mean) / spread)[scored]
    return Scores(rule, account, world.start + when * DAY, score, theft[scored])


def attacked(world: World) -> Ints:
    """Return, per account, the attack it is the victim of, else -1."""
    victim = np.full(world.accounts.num_rows, -1)
    for number, attack in enumerate(world.attacks):
        victim[list(attack.accounts)] = number
    return victim


def account_days(world: World) -> int:
    """Return the scored account-days of never-attacked accounts."""
    account = world.accesses["account"].to_numpy().astype(np.int64)
    day = (world.accesses["at"].to_numpy() - world.start) // DAY
    kept = (attacked(world)[account] < 0) & (day >= int(WARM_UP * world.days))
    return len(np.unique(account[kept] * 1000 + day[kept]))


def false_alerts(scores: Scores, honest: NDArray[np.bool_], threshold: float) -> int:
    """Count the alerts above `threshold` on honest accounts, one per account and 7 days."""
    rows = honest[scores.account] & (scores.score > threshold)
    order = np.lexsort((scores.at[rows], scores.account[rows]))
    count, last, open_at = 0, -1, 0
    for account, at in zip(
        scores.account[rows][order].tolist(), scores.at[rows][order].tolist(), strict=True
    ):
        if account != last or at - open_at >= 7 * DAY:
            count, last, open_at = count + 1, account, at
    return count


def best_threshold(scores: Scores, honest: NDArray[np.bool_], allowed: int) -> float:
    """Return the lowest threshold with at most `allowed` false alerts."""
    levels = np.unique(scores.score[honest[scores.account]])
    levels = np.r_[-np.inf, levels]
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        if false_alerts(scores, honest, float(levels[middle])) <= allowed:
            high = middle
        else:
            low = middle + 1
    return float(levels[low])


def found_by(world: World, scores: Scores, budget: float = 1.0) -> NDArray[np.bool_]:
    """Say which attacks a rule finds at `budget` false alerts per 10,000 account-days."""
    victim = attacked(world)
    allowed = max(int(budget * account_days(world) / 10_000), 1)
    threshold = best_threshold(scores, victim < 0, allowed)
    hits = scores.theft & (scores.score > threshold)
    found = np.zeros(len(world.attacks), np.bool_)
    found[victim[scores.account[hits]]] = True
    return found
