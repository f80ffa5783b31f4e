"""The evidence of a group of accounts, pooled: weak signs of ten accounts become one strong one.

A Shiryaev-Roberts statistic per group over its accounts' units in order of time,

    R <- (1 + R) * (1 - p + p * ratio / usual)

where `usual` is what the group's ratios were on its days before, so that a group whose work looks
a little like a harvest is compared with itself. Each factor is conditioned on all that came
before it in the group; nothing that happened at once is multiplied twice. Three things keep it
apart from what honest sites do:

- an account-day counts for a few nats at most: one person's clean-up moves nobody else;
- what "usual" or an honest reason explains never speaks for the harvest, however quiet the group;
- a surge (a vaccination day) explains itself as far as its *volume* goes: units beyond what such
  a day usually holds until this time are expected to look like `SURGE`;
- what the peers in all *other* groups show more of late than expected (a whole profession that
  meets more strangers, a Monday) is expected of them here too.

The level is the log statistic less the log of a usual week's units: near 0 in honest weeks of
large and small groups alike. Source of the statistic: J. Shin, A. Ramdas, A. Rinaldo, "E-detectors"
(arXiv 2203.03532); the comparison with the group's own mean makes it a measured statistic, not an
e-detector by theorem.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vigie.kernels import Floats, Floats32, Int64s, inlined, kernel
from vigie.timeline.memory import State, grown
from vigie.timeline.watches import WATCH, close_day, kind_of_day

INTENSITIES: Final = np.array([0.01, 0.03, 0.1, 0.3])
SURGE: Final = 4.0
_SLACK: Final = 1.3
_FEW: Final = 10.0
"""A volume this many times the usual one, and this many units more, is no surge yet."""
_FORGETTING: Final = 0.97
_TELLING: Final = 3.0
"""Nats for which one unit counts at most, for the group and in its mean alike."""
_LATELY: Final = 86_400_000_000.0
_SHORT: Final = 5e-4
_MOST_COMMON: Final = 3.0
"""What others show of late fades by 1/e a day (µs), and excuses this factor at most."""
_LARGEST: Final = 1e250
_LEAST: Final = 0.05
_VOICE: Final = 1
"""The intensity at which a voice is heard: its own work speaks against an account, gently."""
_FADING: Final = 0.8
_SPEAKS: Final = 1.0
"""Nats from which an account counts among those that speak for a campaign."""
_UNLINKED: Final = -2
_DAY: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Passage:
    """A group that passed its threshold: the unit's place in the batch, level, since when (µs).

    `members` are those that spoke, the loudest first. The group's statistic began anew.
    """

    place: int
    level: float
    since: int
    members: tuple[int, ...]


class Pool(State):
    """What is remembered of groups and of their members (a group and an account).

    `least` members must speak for a campaign; until then the level is -inf. An account-day counts
    for at most `most` nats. After `belief` units of own history, a group's mean ratio counts as
    much as the belief that it is one.
    """

    def __init__(self, least: int = 1, most: float = 3.0, belief: float = 300.0) -> None:
        self.least, self.most, self.belief = least, most, belief
        count = len(INTENSITIES)
        self.sums = np.zeros((0, count))
        self.day, self.head = np.empty(0, np.int64), np.empty(0, np.int64)
        # Faded sum of ratios and count of units, the same of today, faded days.
        self.taught = np.zeros((0, 5))
        # Per kind of day: faded count of units until each watch; faded days, last.
        self.clock, self.watches = np.zeros((0, 3, 9), np.float32), np.zeros((0, 8), np.float32)
        # Faded sums of ratios and of what was expected, and when: of peers, of those in a group.
        self.whole, self.part = np.zeros((0, 3)), np.zeros((0, 3))
        self.climb, self.since = np.zeros(0), np.zeros(0, np.int64)
        self.broad = np.zeros(0, np.int64)
        self.spent, self.voice = np.zeros((0, count)), np.zeros(0)
        self.voice_day, self.next = np.empty(0, np.int64), np.empty(0, np.int64)

    def follow(
        self,
        group: NDArray[np.int64],
        member: NDArray[np.int64],
        at: NDArray[np.int64],
        ratio: NDArray[np.float64],
        threshold: float = np.inf,
        peer: NDArray[np.int64] | None = None,
        cell: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], list[Passage]]:
        """Advance by units in order of time; return levels, what each added (nats), passages.

        `ratio` is each unit's log likelihood ratio, `peer` its account's peer group and `cell` the
        number of this pair of group and peer group (by default all are peers).

        >>> one = np.zeros(3, np.int64)
        >>> level, added, _ = Pool().follow(one, one, one, np.array([0.0, -3.0, 3.0]))
        >>> added.round(2).tolist()
        [0.0, -0.03, 0.45]
        """
        peer = np.zeros(len(at), np.int64) if peer is None else peer
        cell = group if cell is None else cell
        self._make_room(int(group.max(initial=-1)) + 1, int(member.max(initial=-1)) + 1)
        self.whole = grown(self.whole, int(peer.max(initial=-1)) + 1)
        self.part = grown(self.part, int(cell.max(initial=-1)) + 1)
        level, added = np.empty(len(at)), np.empty(len(at))
        told = np.exp(np.minimum(ratio, _TELLING))
        passages: list[Passage] = []
        done = 0
        while done < len(at):
            done = _pool(
                done, group, member, peer, cell, at, told, INTENSITIES, self.least, self.most,
                self.belief, threshold, self.head,
                self.next, self.sums, self.day, self.taught, self.clock, self.watches, self.whole,
                self.part, self.climb,
                self.since, self.spent, self.voice, self.voice_day, self.broad,
                level, added,
            )  # fmt: skip
            if done and level[done - 1] >= threshold:
                passages.append(self._passage(done - 1, int(group[done - 1]), level, at))
        return level, added, passages

    def _passage(
        self, place: int, group: int, level: NDArray[np.float64], at: NDArray[np.int64]
    ) -> Passage:
        day, heard = int(at[place]) // _DAY, {}
        member = int(self.head[group])
        while member >= 0:
            heard[member] = self.voice[member] * _FADING ** (day - self.voice_day[member])
            member = int(self.next[member])
        spoke = sorted((m for m in heard if heard[m] >= _SPEAKS), key=lambda m: (-heard[m], m))
        return Passage(place, float(level[place]), int(self.since[group]), tuple(spoke))

    def _make_room(self, groups: int, members: int) -> None:
        for name in ("sums", "taught", "clock", "watches", "climb", "since", "broad"):
            setattr(self, name, grown(getattr(self, name), groups))
        for name in ("day", "head"):
            setattr(self, name, grown(getattr(self, name), groups, -1))
        for name in ("spent", "voice"):
            setattr(self, name, grown(getattr(self, name), members))
        self.voice_day = grown(self.voice_day, members, -1)
        self.next = grown(self.next, members, _UNLINKED)


@kernel
def _pool(
    begin: int, group: Int64s, member: Int64s, peer: Int64s, cell: Int64s, at: Int64s,
    told: Floats, intensities: Floats, least: int, most: float, belief: float, threshold: float,
    head: Int64s, following: Int64s, sums: Floats, days: Int64s, taught: Floats, clock: Floats32,
    watches: Floats32, whole: Floats, part: Floats, climb: Floats, since: Int64s, spent: Floats,
    voice: Floats, voice_day: Int64s, broad: Int64s, level: Floats, added: Floats,
) -> int:  # fmt: skip
    """Advance from `begin`; return where a group passed the threshold, plus one, or the end."""
    for i in range(begin, at.size):
        g, m, day = group[i], member[i], at[i] // _DAY
        if following[m] == _UNLINKED:
            following[m], head[g] = head[g], m
        if days[g] != day:
            _turn(g, days, taught, clock, watches)
            days[g] = day
            broad[g] = _broad(head[g], following, voice, voice_day, day)
        if voice_day[m] != day:
            spent[m, :] = 0.0
            voice[m] *= _FADING ** (day - voice_day[m])
            voice_day[m] = day
        evidence = told[i]
        watch = (at[i] // WATCH) % 8
        watches[g, watch] += 1.0
        usual = _usual(taught[g], belief, clock[g, kind_of_day(day)], watches[g], watch)
        compared = evidence / (
            usual * _common(whole[peer[i]], part[cell[i]], at[i], evidence, usual, belief)
        )
        if evidence < 1.0:
            compared = min(compared, 1.0)
        taught[g, 2] += evidence
        taught[g, 3] += 1.0
        mixed, added[i] = _step(intensities, compared, most, sums[g], spent[m])
        broad[g] -= voice[m] >= _SPEAKS
        voice[m] = max(voice[m] + added[i], 0.0)
        broad[g] += voice[m] >= _SPEAKS
        if climb[g] <= 0.0:
            climb[g], since[g] = 0.0, at[i]
        climb[g] += added[i]
        usual_week = 7.0 * max(taught[g, 1] / max(taught[g, 4], 1.0), 30.0)
        level[i] = -np.inf
        if mixed >= usual_week and broad[g] >= least:
            level[i] = np.log(mixed) - np.log(usual_week)
        if level[i] >= threshold:
            sums[g, :] = 0.0
            return i + 1
    return at.size


@inlined
def _step(
    intensities: Floats, compared: float, most: float, sums: Floats, spent: Floats
) -> tuple[float, float]:
    """Advance one group's sums; return their mean, and what the voice gains."""
    mixed, gained = 0.0, 0.0
    for k in range(intensities.size):
        factor = 1.0 - intensities[k] + intensities[k] * compared
        nats, room = 0.0, most - spent[k]
        if factor > 1.0 and room <= 0.0:
            factor = 1.0
        if factor > 1.0 or k == _VOICE:
            nats = np.log(factor)
        if nats > room:
            factor, nats = np.exp(room), room
        spent[k] += max(nats, 0.0)
        sums[k] = min((1.0 + sums[k]) * factor, _LARGEST)
        mixed += sums[k] / intensities.size
        if k == _VOICE:
            gained = nats
    return mixed, gained


@inlined
def _broad(member: int, following: Int64s, voice: Floats, voice_day: Int64s, day: int) -> int:
    """Count the members that spoke for the campaign in the last days."""
    count = 0
    while member >= 0:
        if voice[member] * _FADING ** (day - voice_day[member]) >= _SPEAKS:
            count += 1
        member = following[member]
    return count


@inlined
def _left(gone: float) -> float:
    """Return exp(-gone); of a short time the first terms of its series, exact to the last bit."""
    if 0.0 <= gone < _SHORT:
        return 1.0 - gone * (1.0 - gone / 2.0 * (1.0 - gone / 3.0 * (1.0 - gone / 4.0)))
    return float(np.exp(-gone))


@inlined
def _common(
    whole: Floats, part: Floats, at: int, evidence: float, usual: float, belief: float
) -> float:
    """Return how much more the other groups show of late than expected; count this unit."""
    for one in (whole, part):
        left = _left((at - one[2]) / _LATELY)
        one[0] *= left
        one[1] *= left
        one[2] = at
    shown, expected = max(whole[0] - part[0], 0.0), max(whole[1] - part[1], 0.0)
    for one in (whole, part):
        one[0] += evidence
        one[1] += usual
    common: float = min(max((shown + belief) / (expected + belief), 1.0), _MOST_COMMON)
    return common


@kernel
def _turn(g: int, days: Int64s, taught: Floats, clock: Floats32, watches: Floats32) -> None:
    """Teach the group its last day."""
    if days[g] < 0:
        return
    close_day(clock[g, kind_of_day(days[g])], watches[g])
    taught[g, 0] = _FORGETTING * taught[g, 0] + taught[g, 2]
    taught[g, 1] = _FORGETTING * taught[g, 1] + taught[g, 3]
    taught[g, 4] = _FORGETTING * taught[g, 4] + 1.0
    taught[g, 2] = taught[g, 3] = 0.0


@inlined
def _usual(taught: Floats, belief: float, clock: Floats32, watches: Floats32, watch: int) -> float:
    """Return the mean ratio to expect: the group's own, and that of a surge for what is beyond."""
    mean: float = max((taught[0] + belief) / (taught[1] + belief), _LEAST)
    if clock[8] > 0.5:
        sofar = 0.0
        for k in range(watch + 1):
            sofar += watches[k]
        surge = sofar / (_SLACK * clock[watch] / clock[8] + _FEW)
        if surge > 1.0:
            mean = max(mean, (mean + (surge - 1.0) * SURGE) / surge)
    return mean
