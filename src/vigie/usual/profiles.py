"""What is usual: the chance of each mark, for this account on this day, learnt from its past.

Per account and factor, Dirichlet counts with forgetting, shrunk to the peers' habits of the days
before (profession, specialty and role), themselves shrunk to everyone's. A day is scored with the
model of the day before, then taught; a day that fits its model badly teaches less, so that a slow
thief does not become a habit and a transfer is still learnt in the end. What many peers meet
oftener of late than their own habits foretold (a whole profession that sees more strangers) is
foretold of each of them from the next day on. Sizes of requests have a law of their own (see
`sizes`).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.context.marks import FACTORS, Scene
from vigie.context.relations import HOST, RELATIONS
from vigie.kernels import kernel
from vigie.timeline.front import BEGINNING
from vigie.timeline.memory import State, grown
from vigie.timeline.numbering import Codes, Numbers
from vigie.timeline.units import Units
from vigie.usual.guests import Guests
from vigie.usual.sizes import Sizes

OWN_WEIGHT: Final = 30.0
"""Units of own history at which an account counts as much as its peers."""
_LEANING: Final = {"acquaintance": 1000.0}
"""The same, for what is so seldom that an account's own few say nothing: a week of curiosity would
be its habit."""
PEER_WEIGHT: Final = 200.0
FORGETTING: Final = 0.97
"""What remains of a day's lesson one active day later."""
_SHOWN: Final = np.array([0.7, 0.97])
"""What remains a day later of what a group met and was foretold: lately, and over a longer time."""
_VOICE: Final = 4.0
"""A day of one account shows at most so many times what was foretold of a mark, and so many units
more: a few thieves, or one clean-up, move their peers little."""
_STEADY: Final = 5.0
"""Units a day for which the belief weighs that a mark comes as often as foretold."""
_MOST, _LEAST = 3.0, 0.5
"""How many times as often as its own habits foretell the peers can make a mark of an account."""
_SPREAD: Final = (1.25, 4.0)
"""An honest account meets strangers up to so many times as often as its peers do in the mean: the
bound of a habit, not its middle, is what an account is held against. Within these two it is what
nine of ten accounts of the group keep to."""
_KEPT_TO: Final = 0.9
_KNOWN, _MANY = 30.0, 10
"""Units from which an account's own habit is known, and accounts from which a group's spread is."""
UNLEARNT: Final = ("volume", "weight")
"""Sizes of requests are the business of `sizes`."""
PEER_FORGETTING: Final = 0.85
DAILY_VOICE: Final = 60.0
"""An account teaches its peers at most this many units a day."""
SURPRISE: Final = 6.0
"""Nats of misfit at which a day teaches half."""
PEERS: Final = ("profession", "specialty", "role")

AS_PEERS: Final = "as_peers"
HERE: Final = "here"
LEARNT: Final = tuple(factor for factor in FACTORS if factor not in UNLEARNT)
_CLASSES: Final = np.array([FACTORS[factor] for factor in LEARNT])
_WEIGHTS: Final = np.array([_LEANING.get(factor, OWN_WEIGHT) for factor in LEARNT])
_OFFSETS: Final = np.concatenate([[0], np.cumsum(_CLASSES)])


@dataclass(frozen=True, slots=True)
class Usual:
    """The log chance of each unit's mark under "usual", by factor (0 where the mark is silent).

    Under `AS_PEERS` that of its relation (or its page's), had the account the habits of its peers.
    Under `HERE` the same among the others of its place, NaN where it has worked for long. In the
    manner of others there an account works as likely as in its own.
    `group` is each account's peer group (-1 for one not met yet) and `groups` their names.
    """

    log: dict[str, NDArray[np.float64]]
    group: Codes
    groups: Sequence[str]


class Peers(State):
    """The peer group of each account, from the first thing the log says of it.

    An account that is told more of moves on the next day, so that a day has one group.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.group = np.empty(0, np.int32)
        self._said = np.empty((0, len(PEERS)), np.int32)
        self._numbers = Numbers()

    def place(self, units: Units, first: NDArray[np.int64]) -> None:
        """Choose the group of the accounts whose day begins at the units `first`."""
        self.group = grown(self.group, units.known, -1)
        self._said = grown(self._said, units.known, -1)
        texts = [units.text[name] for name in PEERS]
        account = units.account[first]
        self._hear(account, [codes[first] for codes in texts])
        key = np.zeros(len(account), np.uint64)
        for column in range(len(PEERS)):
            key = (key << np.uint64(21)) | (self._said[account, column] + 1).astype(np.uint64)
        group = self._numbers.number(key)
        fresh = np.flatnonzero(group >= len(self.names))
        for code, place in zip(*np.unique(group[fresh], return_index=True), strict=True):
            self.names.append(self._name(units, self._said[account[fresh[place]]]))
            assert code == len(self.names) - 1
        self.group[account] = group
        self._hear(units.account, texts)

    def _hear(self, account: Codes, texts: list[Codes]) -> None:
        for column, codes in enumerate(texts):
            _hear(account, codes, self._said[:, column])

    @staticmethod
    def _name(units: Units, said: Codes) -> str:
        words = [units.words[name][code] for name, code in zip(PEERS, said, strict=True)
                 if code >= 0]  # fmt: skip
        return " ".join(words)


class Habits(State):
    """The model of every account and peer group; the current day teaches when it is over."""

    def __init__(self) -> None:
        classes = int(_OFFSETS[-1])
        self.day = BEGINNING
        self.peers = Peers()
        self.sizes, self.guests = Sizes(), Guests()
        # Counts of a day are small whole numbers, and a chance is an estimate: half the bytes do.
        self._counts, self._today, self._chance = np.zeros((3, 0, classes), np.float32)
        self._met = np.empty(0, np.int64)
        self._taught = np.zeros((1, classes))
        self._habit = np.zeros((0, classes))
        # Per group, lately and over a longer time: units of each mark met, and foretold.
        self._shown = np.zeros((1, len(_SHOWN), 2, classes))
        self._trend = np.ones((1, classes))
        self._spread = np.full(1, _SPREAD[0])

    def learn(self, units: Units, scene: Scene) -> Usual:
        """Score the marks of units of one day with the past of their accounts and peers."""
        if len(units):
            self._begin(int(units.day[0]))
        met = self._make_room(units.known)
        first = _new_today(units.account, met, self.day)
        self.peers.place(units, first)
        self._know_groups()
        _chances(
            units.account[first], self.peers.group, self._counts, self._habit, self._trend,
            _WEIGHTS, _OFFSETS, self._chance,
        )  # fmt: skip
        log = {}
        for factor, start in zip(LEARNT, _OFFSETS[:-1], strict=True):
            log[factor] = _score(
                units.account, scene.marks[factor], start, self._chance, self._today
            )
        here = self.guests.follow(units, scene, log)
        log[HERE] = here["relation"]
        log["manner"] = np.fmax(log["manner"], here["manner"])
        log[AS_PEERS] = self._as_peers(units, scene)
        log["volume"], log["weight"] = self.sizes.score(units, scene, self.peers.group)
        return Usual(log, self.peers.group, self.peers.names)

    def _as_peers(self, units: Units, scene: Scene) -> NDArray[np.float64]:
        group, log = self.peers.group.take(units.account), np.zeros(len(units))
        for factor in ("relation", "page"):
            place, marks = LEARNT.index(factor), scene.marks[factor]
            classes = slice(_OFFSETS[place], _OFFSETS[place + 1])
            said = np.flatnonzero(marks >= 0)
            chance = self._trend[:, classes] * self._habit[:, classes]
            chance = np.log(chance / chance.sum(axis=1, keepdims=True))
            log[said] += chance[group.take(said), marks.take(said)]
        bound = np.minimum(log + np.log(self._spread).take(group), scene.swept)
        return np.where(log < scene.swept, bound, log)

    def _spreads(self) -> NDArray[np.float64]:
        """Return how many times as often as the middle the bound of each group meets strangers."""
        start = _OFFSETS[LEARNT.index("relation")]
        everybody, strangers = (
            slice(start, start + len(RELATIONS)),
            slice(start + HOST, start + len(RELATIONS)),
        )
        habit = self._habit[:, strangers].sum(axis=1) / self._habit[:, everybody].sum(axis=1)
        group = self.peers.group
        met = self._counts[: len(group), everybody].sum(axis=1)
        known = np.flatnonzero((group >= 0) & (met >= _KNOWN))
        of, met = group[known], met[known] + OWN_WEIGHT
        share = self._counts[known, strangers].sum(axis=1) + OWN_WEIGHT * habit[of]
        oftener = share / met / habit[of]
        order = np.lexsort((oftener, of))
        groups, first, many = np.unique(of[order], return_index=True, return_counts=True)
        bound = oftener[order][first + np.minimum((_KEPT_TO * many).astype(np.int64), many - 1)]
        spread = np.full(len(self._habit), _SPREAD[0])
        spread[groups] = np.where(many < _MANY, _SPREAD[0], np.clip(bound, *_SPREAD))
        return spread

    def _make_room(self, accounts: int) -> NDArray[np.int64]:
        self._counts, self._today = grown(self._counts, accounts), grown(self._today, accounts)
        self._chance = grown(self._chance, accounts)
        self._met = grown(self._met, accounts, BEGINNING)
        return self._met

    def _begin(self, day: int) -> None:
        """Let the days that are over teach, up to the beginning of `day`."""
        if day == self.day:
            return
        if self.day != BEGINNING:
            lessons = np.zeros_like(self._taught)
            shown = np.zeros((len(lessons), 2, lessons.shape[1]))
            active = np.flatnonzero(self._met == self.day)
            _teach(
                active, self.peers.group, self._counts, self._today, self._chance, self._habit,
                _WEIGHTS, _OFFSETS, FORGETTING, SURPRISE, DAILY_VOICE, _VOICE, lessons, shown,
            )  # fmt: skip
            fading = _SHOWN[:, None, None]
            self._shown = fading ** (day - self.day - 1) * (fading * self._shown + shown[:, None])
            self._taught = PEER_FORGETTING * self._taught + lessons
            self._taught *= PEER_FORGETTING ** (day - self.day - 1)
            self.sizes.teach(self.peers.group)
        self.day = day
        self._habit, self._trend = self._habits(), self._trends()
        self._spread = self._spreads()

    def _know_groups(self) -> None:
        """Make room for groups met for the first time today: they have everyone's habits."""
        groups = len(self.peers.names)
        if groups > len(self._habit):
            self._taught, self._shown = grown(self._taught, groups), grown(self._shown, groups)
            self._habit, self._trend = self._habits(), self._trends()
            self._spread = grown(self._spread, groups, _SPREAD[0])

    def _trends(self) -> NDArray[np.float64]:
        """Return how many times as often as foretold each group meets a mark of late.

        Compared with the longer time, for habits lean: days that fit badly teach less, so what is
        rare and comes in bursts is always foretold a little too seldom.
        """
        daily = (1.0 - _SHOWN)[:, None, None] * self._shown + _STEADY
        oftener = daily[:, :, 0] / daily[:, :, 1]
        return np.asarray(np.clip(oftener[:, 0] / oftener[:, 1], _LEAST, _MOST))

    def _habits(self) -> NDArray[np.float64]:
        """Return the peers' chance of each mark, from the days before.

        A group counts as much as everyone once it was taught `PEER_WEIGHT` units.
        """
        habits = np.empty_like(self._taught)
        everyone = self._taught.sum(0)
        for start, stop in itertools.pairwise(_OFFSETS):
            classes = stop - start
            all_of = everyone[start:stop]
            target = (all_of + 10 / classes) / (all_of.sum() + 10)
            own = self._taught[:, start:stop]
            total = own.sum(1, keepdims=True) + PEER_WEIGHT
            habits[:, start:stop] = (own + PEER_WEIGHT * target) / total
        return habits


@kernel
def _hear(account: Codes, told: Codes, said: Codes) -> None:
    """Note the first word told of each account of which none was said before."""
    for i in range(account.size):
        if told[i] >= 0 and said[account[i]] < 0:
            said[account[i]] = told[i]


@numba.njit(cache=True, nogil=True)
def _new_today(account, met, day):  # type: ignore[no-untyped-def]
    """Return the first unit of each account that had none today, and note that it has one."""
    first = np.empty(account.size, np.int64)
    count = 0
    for i in range(account.size):
        if met[account[i]] != day:
            met[account[i]] = day
            first[count] = i
            count += 1
    return first[:count]


@numba.njit(cache=True, nogil=True)
def _chances(accounts, group, counts, habit, trend, weights, offsets, chance):  # type: ignore[no-untyped-def]
    """Write the chance of each mark today for accounts whose day begins."""
    for a in accounts:
        peer, oftener = habit[group[a]], trend[group[a]]
        for f in range(offsets.size - 1):
            total, weight = 0.0, weights[f]
            for m in range(offsets[f], offsets[f + 1]):
                total += oftener[m] * (counts[a, m] + weight * peer[m])
            for m in range(offsets[f], offsets[f + 1]):
                chance[a, m] = oftener[m] * (counts[a, m] + weight * peer[m]) / total


@numba.njit(cache=True, nogil=True)
def _score(account, marks, start, chance, today):  # type: ignore[no-untyped-def]
    out = np.zeros(marks.size, np.float64)
    for i in range(marks.size):
        if marks[i] >= 0:
            m = start + marks[i]
            out[i] = np.log(np.float64(chance[account[i], m]))
            today[account[i], m] += 1.0
    return out


@numba.njit(cache=True, nogil=True)
def _teach(  # type: ignore[no-untyped-def]
    active, group, counts, today, chance, habit, weights, offsets, forgetting, surprise, voice,
    most, lessons, shown,
):  # fmt: skip
    """Let a day teach its accounts, and those their peers; forget what the day held."""
    for a in active:
        peer, show = habit[group[a]], shown[group[a]]
        for f in range(offsets.size - 1):
            said, misfit, total, weight = 0.0, 0.0, weights[f], weights[f]
            for m in range(offsets[f], offsets[f + 1]):
                said += today[a, m]
                total += counts[a, m]
            heard = min(1.0, voice / max(said, 1.0))
            for m in range(offsets[f], offsets[f + 1]):
                foretold = said * (counts[a, m] + weight * peer[m]) / total
                show[0, m] += heard * min(today[a, m], most * (foretold + 1.0))
                show[1, m] += heard * foretold
            for m in range(offsets[f], offsets[f + 1]):
                if today[a, m] > 0:
                    misfit += today[a, m] * np.log(today[a, m] / said / chance[a, m])
            beyond = max(0.0, misfit - (offsets[f + 1] - offsets[f]))
            lesson = 1.0 / (1.0 + beyond / surprise)
            for m in range(offsets[f], offsets[f + 1]):
                counts[a, m] = forgetting * counts[a, m] + lesson * today[a, m]
                lessons[group[a], m] += heard * today[a, m]
                today[a, m] = 0.0
