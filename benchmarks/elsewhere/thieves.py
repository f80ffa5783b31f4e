"""Thefts added to an honest log: whom a thief opens, and when, through the account of another.

Everything else that the thief's rows say is what the account's own row before them says: he sits in
its session. Whom he opens is known to the log; a person nobody ever met stands in none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import DAY, HOUR, SECOND, Ints, Log

LEARNT: Final = 0.5
"""Share of the days before which nobody is robbed."""


@dataclass(frozen=True, slots=True)
class Scene:
    """An honest log in order, its persons, and when each account acts."""

    log: Log
    rng: np.random.Generator
    persons: Ints
    from_at: int

    def own(self, account: int) -> Ints:
        """Return the rows of an account from the onset on."""
        rows = np.flatnonzero(self.log.account == account)
        return rows[self.log.at[rows] >= self.from_at]

    def onset(self, account: int) -> int:
        """Return the row of the account's with which a theft begins: not one of its last."""
        rows = self.own(account)
        return int(rows[int(self.rng.integers(max(len(rows) * 6 // 10, 1)))])


Theft = tuple[Ints, Ints, Ints]
"""Moments, patients, and the row whose words each repeats."""


def _beside(scene: Scene, account: int, patients: Ints, share: float) -> Theft:
    """Open persons while the owner works: `share` of all accesses are the thief's."""
    first, rows = scene.onset(account), scene.own(account)
    rows = rows[rows >= first]
    theirs = np.flatnonzero(scene.rng.random(8 * len(rows)) < share / (1 - share) / 8)
    host = rows[theirs // 8][: len(patients)]
    at = scene.log.at[host] + scene.rng.integers(1, 60, len(host)) * SECOND
    return at, patients[: len(host)], host


def _at_once(scene: Scene, account: int, patients: Ints, gap: float, hour: float) -> Theft:
    """Open persons one after the other, `gap` seconds apart in the mean, from an hour on."""
    host = scene.onset(account)
    day = scene.log.at[host] // DAY * DAY
    start = day + int(hour * HOUR) if hour >= 0 else int(scene.log.at[host])
    start = max(start, scene.from_at)
    at = start + np.cumsum(1 + scene.rng.exponential(gap, len(patients))).astype(np.int64) * SECOND
    return at, patients, np.full(len(patients), host)


def _spread(scene: Scene, account: int, patients: Ints) -> Theft:
    """Open persons at any moment of one day between the hours at which the account works."""
    host, mine = scene.onset(account), scene.own(account)
    begins, ends = np.quantile(scene.log.at[mine] % DAY, [0.05, 0.95])
    moment = scene.rng.uniform(begins, ends, len(patients)).astype(np.int64) // SECOND * SECOND
    at = scene.log.at[host] // DAY * DAY + np.sort(moment)
    return at, patients, np.full(len(patients), host)


def _anybody(scene: Scene, count: int) -> Ints:
    count = min(count, len(scene.persons) // 2)
    return scene.rng.choice(scene.persons, count, replace=False)


def _foreign(scene: Scene, account: int, count: int) -> Ints:
    """Return persons whom one other group meets most."""
    groups = scene.log.groups
    others = np.unique(groups[groups != groups[account]])
    if not len(others):
        return _anybody(scene, count)
    theirs = np.isin(scene.log.account, np.flatnonzero(groups == scene.rng.choice(others)))
    met = np.unique(scene.log.patient[theirs])
    return scene.rng.permutation(met)[:count]


def _own(scene: Scene, account: int, count: int) -> Ints:
    met = np.unique(scene.log.patient[scene.log.account == account])
    return scene.rng.permutation(met)[:count]


def _in_a_row(scene: Scene, count: int) -> Ints:
    start = int(scene.rng.integers(max(len(scene.persons) - count, 1)))
    return scene.persons[start : start + count]


KINDS: Final[dict[str, Callable[[Scene, int], Theft]]] = {
    "half_anybody": lambda s, a: _beside(s, a, _anybody(s, 150), 0.5),
    "fifth_anybody": lambda s, a: _beside(s, a, _anybody(s, 150), 0.2),
    "foreign_group": lambda s, a: _beside(s, a, _foreign(s, a, 150), 0.5),
    "night_burst": lambda s, a: _at_once(s, a, _anybody(s, 150), 30, 2.5),
    "day_burst": lambda s, a: _at_once(s, a, _anybody(s, 150), 30, -1),
    "over_a_day": lambda s, a: _spread(s, a, _anybody(s, 80)),
    "number_walk": lambda s, a: _at_once(s, a, _in_a_row(s, 150), 15, -1),
    "own_again": lambda s, a: _at_once(s, a, _own(s, a, 150), 20, -1),
}
"""Families by name; `one_group` takes several accounts of one group."""


def rob(log: Log, seed: int, each: int = 2) -> Log:
    """Return the log with `each` thefts of every kind, on accounts of their own.

    At most an account in six is robbed: of a small log not every kind is tried `each` times.
    """
    rng = np.random.default_rng([seed, 9])
    days = log.last - log.first + 1
    scene = Scene(log, rng, np.unique(log.patient[log.patient >= 0]),
                  (log.first + int(np.ceil(LEARNT * days))) * DAY)  # fmt: skip
    victims = _victims(scene)
    wanted = [name for _ in range(each) for name in KINDS][: len(victims)]
    rng.shuffle(wanted)
    out = log
    for number, (name, account) in enumerate(zip(wanted, victims, strict=False)):
        out = out.with_rows(
            _rows(log, KINDS[name](scene, int(account)), int(account), name, number)
        )
    out = _group(scene, out, victims[len(wanted) :], len(wanted))
    return out.in_order()


def _victims(scene: Scene) -> Ints:
    """Return accounts that act enough after the onset, in no order."""
    log = scene.log
    late = np.bincount(log.account[log.at >= scene.from_at], minlength=int(log.account.max()) + 1)
    early = np.bincount(log.account[log.at < scene.from_at], minlength=len(late))
    some = scene.rng.permutation(np.flatnonzero((late >= 20) & (early >= 10)))
    return some[: len(late) // 6]


def _group(scene: Scene, log: Log, victims: Ints, number: int) -> Log:
    """Rob several accounts of one group together, if there are any left."""
    groups = scene.log.groups[victims]
    if not len(victims):
        return log
    best = np.bincount(groups).argmax()
    mine = victims[groups == best][:5]
    if len(mine) < 3:
        return log
    first = True
    for account in mine:
        theft = _beside(scene, int(account), _anybody(scene, 30), 0.3)
        one = _rows(scene.log, theft, int(account), "one_group" if first else "", number)
        log, first = log.with_rows(one), False
    return log


def _rows(log: Log, theft: Theft, account: int, name: str, number: int) -> Log:
    at, patient, host = theft
    told = {column: (codes[host], words) for column, (codes, words) in log.told.items()}
    return Log(
        log.name, at, np.full(len(at), account), patient, log.groups, told,
        np.full(len(at), number), (name,) if name else (),
    )  # fmt: skip
