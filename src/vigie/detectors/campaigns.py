"""Groups of accounts in which a campaign would show, their pooled evidence, their thresholds.

A thief who takes a little through each of several accounts stays below every account's threshold.
Candidates are accounts that share something: an organisation, a team, or a device or network that
is new to each of them. Their evidence is pooled (see `pooling`); an alarm needs several accounts
that speak, so that one person's harvest is no campaign. Accounts of services are left out: they do
together what their programs do together. Thresholds are measured on the weekly maxima of the
learning part, per kind of group, like those of single accounts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.detectors.base import Ratios
from vigie.detectors.calibrate import WEEK
from vigie.detectors.pooling import Passage, Pool
from vigie.kernels import Int32s, Int64s, kernel
from vigie.timeline.front import END
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes, Numbers
from vigie.timeline.units import DAY, Units

SHARES: Final = {
    "joint_organisation": 0.06, "joint_team": 0.06, "joint_device": 0.03, "joint_network": 0.03,
}  # fmt: skip
"""Share of the alarm budget that each kind of group may use; the rest is the detectors'."""
KINDS: Final = tuple(SHARES)
POOLED: Final = "register_sweep"
"""The hypothesis whose evidence is pooled."""
_POOLS: Final = {
    "joint_organisation": (3, 3.0, 300.0), "joint_team": (3, 3.0, 300.0),
    "joint_device": (2, 3.0, 300.0), "joint_network": (2, 3.0, 300.0),
}  # fmt: skip
"""How many accounts must speak, the nats of an account-day at most, the units of belief."""
_NEW: Final = 21 * DAY
_KNOWN: Final = 5 * DAY
"""A place is new to an account for so long, if the account was known so long before it."""
_PLACES: Final = (0.1, 0.05, 0.025)
_BELIEF: Final = 10.0
"""Group-weeks that the law under a true model (passing x is exp(-x) rare) weighs."""
_LEAN: Final = 3.0

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The units of one kind of group in order of time: their place in the batch, group, member.

    `peer` is the peer group of each unit's account, `cell` the number of this group and peer group.
    """

    rows: NDArray[np.int64]
    group: NDArray[np.int64]
    member: NDArray[np.int64]
    peer: NDArray[np.int64]
    cell: NDArray[np.int64]


class Meetings(State):
    """Tells where a place (device, network) is new to an account that was known before it."""

    def __init__(self) -> None:
        self.pairs = Numbers()
        self.met = np.empty(0, np.int64)

    def new(self, units: Units, place: Codes, known_since: NDArray[np.int64]) -> Codes:
        """Return each unit's place where it is newly met, else -1."""
        pair = self.pairs.number_runs(units.account, place)
        self.met = grown(self.met, len(self.pairs), END)
        new = np.full(len(units), -1, np.int32)
        _newly_met(pair, units.account, units.at, place, known_since, self.met, new)
        return new


class Kind(State):
    """One kind of group: numbers its groups and members, pools their evidence, keeps its peaks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.groups, self.members, self.cells = Numbers(), Numbers(), Numbers()
        self.account = np.empty(0, np.int32)
        self.pool = Pool(*_POOLS[name])
        self.peaks: list[Values] = []
        self._week = 0
        self._best = np.full(0, np.nan)

    def gather(
        self, units: Units, left: Codes, right: Codes, speaks: NDArray[np.int64], peer: Codes
    ) -> Gathered:
        """Number the groups of the units that speak; a group is a pair of codes."""
        told = left.take(speaks) >= 0
        if right is not left:
            told &= right.take(speaks) >= 0
        rows = speaks[told]
        stretch, first = _stretches(rows, units.account, left, right, peer)
        account, left, right = units.account[first], left[first], right[first]
        group = self.groups.number_pairs(left, right)
        member = self.members.number_pairs(group, account)
        self.account = grown(self.account, len(self.members))
        self.account[member] = account
        peers = np.maximum(peer[first], 0)
        cell = self.cells.number_pairs(group, peers)
        numbers = (group, member, peers, cell)
        return Gathered(rows, *(one.astype(np.int64).take(stretch) for one in numbers))

    def pooled(
        self, units: Units, found: Gathered, ratio: Values, threshold: float = np.inf
    ) -> tuple[Values, Values, list[Passage]]:
        """Return the levels of the groups, what each unit added, and the alarms."""
        return self.pool.follow(
            found.group, found.member, units.at.take(found.rows), ratio.take(found.rows), threshold,
            found.peer, found.cell,
        )  # fmt: skip

    def learn(self, units: Units, found: Gathered, ratio: Values, since: int) -> None:
        """Follow units of one day of the learning part; weeks are counted from day `since`."""
        level, _, _ = self.pooled(units, found, ratio)
        if not len(level):
            return
        week = int(units.day[0] - since) // WEEK
        if week != self._week:
            self.close()
            self._week = week
        self._best = grown(self._best, len(self.groups), np.nan)
        np.fmax.at(self._best, found.group, level)

    def close(self) -> None:
        """Put the week's peaks away."""
        self.peaks.append(self._best[~np.isnan(self._best)])
        self._best = np.full(0, np.nan)


class Candidates(State):
    """All kinds of group, from the units of the log as it comes."""

    def __init__(self) -> None:
        self.kinds = [Kind(name) for name in KINDS]
        self.devices, self.networks = Meetings(), Meetings()
        self.known_since = np.empty(0, np.int64)

    def gather(
        self, units: Units, ratios: Ratios, peer: Codes
    ) -> Iterator[tuple[Kind, Gathered, Values]]:
        """Yield each kind with its groups among these units, which are of one day.

        `peer` is the peer group of each unit's account.
        """
        self.known_since = grown(self.known_since, units.known, END)
        np.minimum.at(self.known_since, units.account, units.at)
        speaks = units.order[~(np.isnan(ratios) | units.by_service).take(units.order)]
        organisation, team = units.text["organisation"], units.text["unit"]
        device = self.devices.new(units, units.text["device"], self.known_since)
        network = self.networks.new(units, units.text["network"], self.known_since)
        keys = (
            (organisation, organisation), (organisation, team), (device, device),
            (network, network),
        )  # fmt: skip
        for kind, (left, right) in zip(self.kinds, keys, strict=True):
            yield kind, kind.gather(units, left, right, speaks, peer), ratios


def _stretches(
    rows: NDArray[np.int64], account: Codes, left: Codes, right: Codes, peer: Codes
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Cut an account's units where its group or peers change: all of a stretch have one number.

    `rows` are units in order of time. Returns the stretch of each, and the first unit of each
    stretch, in order of time as well: pairs are met in the order in which the log tells them.
    """
    stretch = np.full(len(account), -1, np.int32)
    first, count = np.empty(len(rows), np.int64), np.zeros(1, np.int64)
    _cut(rows, account, left, right, peer, stretch, first, count)
    return stretch.take(rows), first[: int(count[0])]


@kernel
def _cut(
    rows: Int64s, account: Int32s, left: Int32s, right: Int32s, peer: Int32s, stretch: Int32s,
    first: Int64s, count: Int64s,
) -> None:  # fmt: skip
    """Number the stretches in order of time; a unit's own account lies beside it."""
    for i in rows:
        stretch[i] = -2
    last = -1
    for i in range(account.size):
        if stretch[i] == -1:
            continue
        same = last >= 0 and account[i] == account[last] and peer[i] == peer[last]
        if same and left[i] == left[last] and right[i] == right[last]:
            stretch[i] = -3
        last = i
    for i in rows:
        j = int(i)
        while stretch[j] < 0 and stretch[j] != -2:
            j -= 1
        if stretch[j] == -2:
            stretch[j] = np.int32(count[0])
            first[count[0]] = j
            count[0] += 1
        stretch[i] = stretch[j]


@kernel
def _newly_met(
    pair: Int32s, account: Int32s, at: Int64s, place: Int32s, known_since: Int64s, met: Int64s,
    new: Int32s,
) -> None:  # fmt: skip
    """Note when each place was first met, and write it where it is newly met."""
    for i in range(pair.size):
        if pair[i] >= 0 and at[i] < met[pair[i]]:
            met[pair[i]] = at[i]
    for i in range(pair.size):
        first = met[pair[i]] if pair[i] >= 0 else at[i]
        if pair[i] >= 0 and first - known_since[account[i]] > _KNOWN and at[i] - first < _NEW:
            new[i] = place[i]


def limit(peaks: Values, target: float) -> float:
    """Return the level that a share `target` of weeks passes.

    By exponential tails from several places, of which the most careful answer holds; each leans on
    the law that the statistic follows if its model is right.

    >>> peaks = np.random.default_rng(0).exponential(1.0, 2000)
    >>> round(limit(peaks, 0.001), 1)
    7.5
    """
    answers = []
    for share in _PLACES:
        place = float(np.quantile(np.maximum(peaks, 0.0), 1 - share))
        beyond = peaks[peaks > place] - place
        rate = (len(beyond) + _BELIEF * np.exp(-place)) / (len(peaks) + _BELIEF)
        slope = (beyond.sum() + _LEAN) / (len(beyond) + _LEAN)
        answers.append(place + slope * max(float(np.log(rate / target)), 0.0))
    return float(max(answers))
