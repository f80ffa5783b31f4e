"""The lists themselves: whom the scores of a day or week name, and what those named did."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.detection import Detection
from vigie.timeline.units import Units
from vigie.triage.conformal import choose, weigh_conformal
from vigie.triage.scores import CALENDARS, By, Calendar, Scores, score

FDR: Final = 0.1
_EPOCH: Final = date(1970, 1, 1).toordinal()

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Entry:
    """One account of the queue: its e-value, and what spoke loudest in that period.

    `rarer` of the account-periods before scored at least as high. `patients` counts distinct
    ones, or the records of the largest request where those are more. `alert` is the identifier of
    an alert on this account that was open in that period, if any.
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
    """The accounts of one day or week to look at, the oddest first.

    `day` is its first day and `last` its last one: a week that is not `over` ends with the log,
    and is compared with the same days of earlier weeks. `accounts` were active in it and `past`
    account-periods came before it. `alone` says whether a single account could have been listed
    at all: it takes 1 / fdr past periods of each account.
    """

    day: date
    last: date
    over: bool
    fdr: float
    accounts: int
    past: int
    alone: bool
    entries: tuple[Entry, ...]


def triage(
    found: Detection,
    since: date | None = None,
    fdr: float = FDR,
    confirmed: Collection[str] = (),
    by: By = "day",
    latest: int | None = None,
) -> tuple[Queue, ...]:
    """Return the queue of each day or week of the scored part, from `since` on.

    `latest` says how many at most, the last ones. What `confirmed` accounts did, whose theft a
    person has established, is not what honest accounts are compared with.
    """
    calendar, scores = CALENDARS[by], score(found, by)
    stolen = np.isin(np.array(_names(found), object), list(confirmed))
    begun = calendar.first(scores.period)
    honest = (begun >= found.stream.warm) & ~stolen[scores.account]
    scored = np.unique(scores.period[begun >= _day(found.learn_until.date())])
    if since is not None:
        scored = scored[scored >= calendar.period(_day(since))]
    now = calendar.period(found.stream.day)
    lists = [
        _List(scores, honest, int(period), fdr, so_far=period == now)
        for period in scored[-(latest or 0) :]
    ]
    _tell(found, calendar, lists)
    return tuple(each.queue(found, calendar) for each in lists)


class _List:
    """Whom the scores of one period list, and what those listed did in it."""

    def __init__(
        self, scores: Scores, honest: Flags, period: int, fdr: float, so_far: bool
    ) -> None:
        self.period, self._fdr = period, fdr
        begin, end = np.searchsorted(scores.period, [period, period + 1])
        value = scores.early if so_far else scores.score
        past, today = value[:begin][honest[:begin]], value[begin:end]
        past = past[~np.isnan(past)]
        self.accounts, self.past = len(today), len(past)
        e_values = weigh_conformal(past, today, fdr)
        self.listed = {
            int(scores.account[begin + i]): _Listed(
                int(scores.hypothesis[begin + i]), float(e_values[i]), int((past >= today[i]).sum())
            )
            for i in np.flatnonzero(choose(e_values, fdr))
        }

    def queue(self, found: Detection, calendar: Calendar) -> Queue:
        """Return the list, told."""
        first = calendar.first(self.period)
        whole = first + calendar.length - 1
        last = min(whole, max(found.stream.day, first))
        told = [one.entry(found, account, first, last) for account, one in self.listed.items()]
        return Queue(
            day=_date(first), last=_date(last), over=last == whole, fdr=self._fdr,
            accounts=self.accounts, past=self.past,
            alone=1 + self.past >= self.accounts / self._fdr,
            entries=tuple(sorted(told, key=lambda one: (one.rarer, -one.patients, one.account))),
        )  # fmt: skip


@dataclass(slots=True)
class _Listed:
    """An account on a list; `patients`, `records` and `lines` are of what spoke loudest."""

    hypothesis: int
    e_value: float
    rarer: int
    patients: set[int] = field(default_factory=set)
    records: int = 0
    lines: dict[str, None] = field(default_factory=dict)

    def see(self, units: Units, spoke: NDArray[np.int64], files: Sequence[str]) -> None:
        """Note what the account did in a batch."""
        self.patients.update(units.patient[spoke][units.patient[spoke] >= 0].tolist())
        self.records = int(units.number["record_count"][spoke].max(initial=self.records))
        self.lines.update(dict.fromkeys(_lines(files, units, spoke)))

    def entry(self, found: Detection, account: int, first: int, last: int) -> Entry:
        """Return what is told of the account."""
        name = _names(found)[account]
        return Entry(
            account=name,
            e_value=round(self.e_value, 1),
            rarer=self.rarer,
            hypothesis=found.stream.panel.hypotheses[self.hypothesis],
            patients=max(len(self.patients), self.records),
            alert=_alert(found, name, first, last),
            lines=list(self.lines),
        )


def _tell(found: Detection, calendar: Calendar, lists: Sequence[_List]) -> None:
    """Go through what the accounts listed did, and note what spoke loudest in their periods."""
    listed = {each.period: each.listed for each in lists if each.listed}
    accounts = {account for some in listed.values() for account in some}
    files = found.stream.watch.files
    for seen in found.stream.kept.of(accounts) if accounts else ():
        units = seen.partition.units
        some = listed.get(calendar.period(units.on), {})
        for account in set(np.unique(units.account).tolist()) & some.keys():
            one = some[account]
            mine = (units.account == account) & (seen.ratios[:, one.hypothesis] > 0)
            one.see(units, np.flatnonzero(mine), files)


def _alert(found: Detection, account: str, first: int, last: int) -> str | None:
    """Return the alert on this account that opened by the last of these days and lasted so far."""
    for alert in found.alerts:
        opened, ended = (_day(moment.date()) for moment in (alert.opened_at, alert.last_at))
        if account in alert.accounts and opened <= last and first <= max(ended, opened):
            return alert.id
    return None


def _lines(files: Sequence[str], units: Units, chosen: NDArray[np.int64]) -> list[str]:
    return [
        f"{files[file]}:{line}" if file >= 0 else str(row)
        for file, line, row in zip(
            units.place["source_file"][chosen].tolist(),
            units.place["source_line"][chosen].tolist(),
            units.row[chosen].tolist(),
            strict=True,
        )
    ]


def _names(found: Detection) -> Sequence[str]:
    """Return the logins, by the number of the account."""
    return found.stream.reader.words["account"].words


def _day(day: date) -> int:
    return day.toordinal() - _EPOCH


def _date(day: int) -> date:
    return date.fromordinal(_EPOCH + day)
