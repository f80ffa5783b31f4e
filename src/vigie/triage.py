"""The triage queue: whom to look at on a day, with a bound on the share of false ones.

The inline alarm bounds how *often* a quiet account raises an alarm; watched long enough, all its
alarms may be false. The queue bounds, day by day, what *share* of the accounts listed is false in
the mean: another guarantee, with another construction.

Each account-day has one score: its largest statistic, begun anew at midnight, against the
thresholds. Detectors depend on one another, so the largest speaks and nothing is multiplied. The
score is compared with those of all account-days before (conformal e-values with a common cut), and
the e-values of a day go through e-BH, which holds for any dependence between accounts.

By theorem: if an honest account-day scores as those before it do (jointly exchangeable), the mean
share of false ones on a day's list is at most `fdr`. Thefts among the days before only make the
list shorter. Holidays, drift, and an account's days that resemble one another break the premise;
by how much is measured in `docs/detection.md`. Nothing is promised of the lists of several days
taken together.

Sources: M. Bashari, A. Epstein, Y. Romano, M. Sesia, "Derandomized novelty detection with FDR
control via conformal e-values" (arXiv 2302.07294); R. Wang, A. Ramdas, "False discovery rate
control with e-values" (arXiv 2009.02824).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.detection import Detection
from vigie.detectors.kernel import Statistic
from vigie.units import Units

FDR: Final = 0.1
_LEAST: Final = 1.0
"""A threshold is taken for at least this (nats) where scores are compared with it."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Entry:
    """One account of the queue: its e-value, and what spoke loudest on that day.

    `rarer` of the account-days before scored at least as high. `patients` counts distinct ones, or
    the records of the largest request where those are more. `alert` is the identifier of an
    alert on this account that was open on that day, if any.
    """

    account: str
    e_value: float
    rarer: int
    hypothesis: str
    patients: int
    alert: str | None
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Queue:
    """The accounts of one day to look at, the oddest first.

    `accounts` were active that day and `past` account-days came before it. `alone` says whether a
    single account could have been listed at all: it takes 1 / fdr past days of each account.
    """

    day: date
    fdr: float
    accounts: int
    past: int
    alone: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """Account-days in order of account and time: whose, when, how odd, by which hypothesis."""

    account: NDArray[np.int64]
    day: NDArray[np.int64]
    score: Values
    hypothesis: NDArray[np.int64]


def triage(
    found: Detection, since: date | None = None, fdr: float = FDR, confirmed: Collection[str] = ()
) -> tuple[Queue, ...]:
    """Return the queue of each day of the scored part, from `since` on.

    The days of `confirmed` accounts, whose theft a person has established, are not what honest
    days are compared with.
    """
    scores = score_days(found)
    first = _day(found.learn_until.date())
    warm = found.stream.warm
    stolen = np.isin(np.array(found.partition.units.accounts, object), list(confirmed))
    honest = (scores.day >= warm) & ~stolen[scores.account]
    return tuple(
        _queue(found, scores, honest, int(day), fdr)
        for day in np.unique(scores.day)
        if day >= max(first, first if since is None else _day(since))
    )


def score_days(found: Detection) -> Scores:
    """Return how odd each account-day is: its largest statistic, in parts of the threshold."""
    units, ratios = found.partition.units, found.evidence.ratios
    new = np.ones(len(units), bool)
    new[1:] = (np.diff(units.account) != 0) | (np.diff(units.day) != 0)
    number, first = np.cumsum(new, dtype=np.int32) - np.int32(1), np.flatnonzero(new)
    account, day = units.account[first].astype(np.int64), units.day[first].astype(np.int64)
    if not ratios.size:
        nothing = np.zeros(len(first))
        return Scores(account, day, nothing, nothing.astype(np.int64))
    alone, group = Statistic(ratios.shape[1]), np.zeros(len(units), np.int32)
    never = np.full((1, ratios.shape[1]), np.inf)
    alone.follow(number, units.step, units.day, group, ratios, never)
    peaks = np.log(np.maximum(alone.peaks[: len(first)], 1.0))
    limits = np.maximum(found.thresholds.log(), _LEAST)
    parts = peaks / limits[np.minimum(found.partition.usual.group[account], len(limits) - 1)]
    return Scores(account, day, parts.max(axis=1), parts.argmax(axis=1))


def weigh_conformal(past: Values, today: Values, fdr: float) -> Values:
    """Return the e-value of each score of a day, against those of the past.

    The cut is the lowest at which the share expected to be honest among those beyond it is at most
    `fdr`. The e-values of honest ones sum to at most their number in the mean.

    >>> weigh_conformal(np.arange(99.0), np.array([5.0, 200.0]), 0.1).tolist()
    [0.0, 20.0]
    """
    places = np.union1d(past, today)
    beyond = len(past) - np.searchsorted(np.sort(past), places, "left")
    listed = len(today) - np.searchsorted(np.sort(today), places, "left")
    share = len(today) * (1 + beyond) / (1 + len(past)) / np.maximum(listed, 1)
    fitting = np.flatnonzero(share <= fdr)
    if not len(fitting):
        return np.zeros(len(today))
    value = (1 + len(past)) / (1 + beyond[fitting[0]])
    return np.where(today >= places[fitting[0]], value, 0.0)


def choose(e_values: Values, fdr: float) -> NDArray[np.bool_]:
    """Return which hypotheses e-BH rejects at a false discovery rate, whatever their dependence.

    >>> choose(np.array([0.0, 40.0, 9.0, 21.0]), 0.1).tolist()
    [False, True, False, True]
    """
    falling = np.sort(e_values)[::-1]
    counts = np.arange(1, len(falling) + 1)
    fitting = np.flatnonzero(counts * falling * fdr >= len(falling))
    if not len(fitting):
        return np.zeros(len(e_values), bool)
    return np.asarray(e_values >= falling[fitting[-1]])


def _queue(
    found: Detection, scores: Scores, honest: NDArray[np.bool_], day: int, fdr: float
) -> Queue:
    past = scores.score[honest & (scores.day < day)]
    today = np.flatnonzero(scores.day == day)
    e_values = weigh_conformal(past, scores.score[today], fdr)
    chosen = [
        _entry(found, scores, int(today[i]), float(e_values[i]), past)
        for i in np.flatnonzero(choose(e_values, fdr))
    ]
    entries = tuple(sorted(chosen, key=lambda one: (one.rarer, -one.patients, one.account)))
    alone = 1 + len(past) >= len(today) / fdr
    return Queue(date.fromordinal(_EPOCH + day), fdr, len(today), len(past), alone, entries)


def _entry(found: Detection, scores: Scores, place: int, e_value: float, past: Values) -> Entry:
    units, hypothesis = found.partition.units, int(scores.hypothesis[place])
    account, day = int(scores.account[place]), int(scores.day[place])
    mine = np.arange(units.bounds[account], units.bounds[account + 1])
    spoke = mine[(units.day[mine] == day) & (found.evidence.ratios[mine, hypothesis] > 0)]
    patients = int((np.unique(units.patient[spoke]) >= 0).sum())
    records = int(np.maximum(units.number["record_count"][spoke], 0).max(initial=0))
    name = units.accounts[account]
    return Entry(
        account=name,
        e_value=round(e_value, 1),
        rarer=int((past >= scores.score[place]).sum()),
        hypothesis=found.evidence.hypotheses[hypothesis],
        patients=max(patients, records),
        alert=_alert(found, name, day),
        lines=_lines(found, units, spoke),
    )


def _alert(found: Detection, account: str, day: int) -> str | None:
    """Return the alert on this account that opened on or before that day and lasted until it."""
    for alert in found.alerts:
        opened, last = (_day(moment.date()) for moment in (alert.opened_at, alert.last_at))
        if account in alert.accounts and opened <= day <= max(last, opened):
            return alert.id
    return None


def _lines(found: Detection, units: Units, chosen: NDArray[np.int64]) -> list[str]:
    files = found.stream.watch.files
    told = (
        f"{files[file]}:{line}" if file >= 0 else str(row)
        for file, line, row in zip(
            units.place["source_file"][chosen].tolist(),
            units.place["source_line"][chosen].tolist(),
            units.row[chosen].tolist(),
            strict=True,
        )
    )
    return list(dict.fromkeys(told))


_EPOCH: Final = date(1970, 1, 1).toordinal()


def _day(day: date) -> int:
    return day.toordinal() - _EPOCH
