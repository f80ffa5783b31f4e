"""Honest work, followed unit by unit: as usual, or one of the known reasons to meet strangers.

The chain of states is in `chain`; here is what it remembers of every account, and what the days
teach it. The first stranger of a replacement is surprising, the tenth is not. How often a state
begins is learnt from the days before, the account's own, leaning on its peers'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vigie.context.marks import Scene
from vigie.context.relations import TEAM
from vigie.timeline.front import BEGINNING
from vigie.timeline.memory import State, grown
from vigie.timeline.units import Units
from vigie.usual.chain import (
    AGAIN,
    BEGIN,
    DRIFTED,
    FADE,
    IN_NO_ORDER,
    LEARNT,
    LIST,
    MET,
    REASONS,
    SURGED,
    Foretold,
    Known,
    Lessons,
    Seen,
    follow,
)
from vigie.usual.drifts import Drifts
from vigie.usual.profiles import AS_PEERS, HERE, Usual
from vigie.usual.surges import Surges

Values = NDArray[np.float64]

_PEERS: Final = 4000.0
_BELIEF: Final = 300.0
_ASTRAY: Final = 50.0
"""Units for which the rates of beginning believed beforehand, `MET` and `AGAIN` count."""


@dataclass(frozen=True, slots=True)
class Honest:
    """The log chance of each unit under honest work, and its likeliest state (in REASONS).

    `as_peers` is that chance, had the account the habits of its peers and as often a reason.
    """

    log: Values
    reason: NDArray[np.int8]
    as_peers: Values


class Reasons(State):
    """The state of every account, and how often each reason begins."""

    def __init__(self) -> None:
        states = len(REASONS)
        self.day, self._first = BEGINNING, True
        self.surges, self.drifts = Surges(), Drifts()
        self._inside = np.zeros((0, states), bool)
        self._astray = np.zeros(0, np.int8)
        # Rates and weights are estimates: half the bytes do.
        self._begun, self._rate = np.zeros((2, 0, states), np.float32)
        self._weight, self._weight_as_peers = np.zeros((2, 0, states), np.float32)
        self._steps, self._met_on = np.zeros(0, np.float32), np.zeros(0, np.int32)
        self._batch, self._longest = np.zeros((2, 0), np.int16)
        self._length = np.zeros(1)
        self._peers_begun, self._peers_steps = np.zeros((1, states)), np.zeros(1)
        self._today_steps = np.zeros(1)
        self._strayed, self._strayed_today = np.zeros((2, 1, 2))
        self._began = np.empty((0, 3), np.int64)
        self._muted = np.empty(0, np.int64)
        self._on_call, self._on_call_today = np.zeros(MET.shape[1]), np.zeros(MET.shape[1])

    def follow(self, units: Units, scene: Scene, usual: Usual) -> Honest:
        """Follow units of one day, by account and time."""
        if len(units):
            self._begin(int(units.day[0]), usual)
        self._make_room(units.known, len(usual.groups))
        marks = scene.marks
        relation = np.maximum(marks["relation"], marks["page"])
        plain = usual.log["sequence"] + usual.log["pace"]
        # However new the log is, own patients come back at least as often as anybody is drawn.
        often, as_peers = (
            np.where((relation >= 0) & (relation < TEAM), np.maximum(log, scene.swept), log)
            for log in (usual.log["relation"] + usual.log["page"], usual.log[AS_PEERS])
        )
        seen = Seen(relation, marks["sequence"], marks["page"] >= 0, marks["pace"])
        foretold = Foretold(
            often, as_peers, plain, usual.log["sequence"], scene.swept,
            SURGED * self.surges.follow(units),
            DRIFTED * self.drifts.follow(units, relation, usual.group), usual.log[HERE],
        )  # fmt: skip
        known = Known(
            self._weight, self._weight_as_peers, self._astray, self._inside, self._begun,
            self._steps, self._rate, self._met_on, self._batch, self._longest,
        )  # fmt: skip
        lessons = Lessons(self._today_steps, self._on_call_today, self._strayed_today)
        found: Any = follow(
            units.account, usual.group, self.day, seen, foretold, self._met(),
            self._rates(usual.groups), self._again(), self._length, known, lessons,
        )  # fmt: skip
        *answer, begins = found
        self._note(units, usual, begins)
        return Honest(*answer)

    def mute(self, accounts: Iterable[int]) -> None:
        """Let these accounts, which have an open alert, teach their peers no reason today."""
        self._muted = np.array(list(accounts), np.int64)

    def _note(self, units: Units, usual: Usual, begins: NDArray[np.int8]) -> None:
        """Keep who begins what until the day is over, and its alerts are known."""
        at = np.flatnonzero(begins)
        account = units.account[at]
        fresh = np.stack([account, usual.group[account], begins[at]], axis=1)
        self._began = np.concatenate([self._began, fresh])

    def _make_room(self, accounts: int, groups: int) -> None:
        before = len(self._weight)
        for name, fill in (
            ("_weight", 0), ("_weight_as_peers", 0), ("_astray", 0), ("_inside", False),
            ("_begun", 0), ("_steps", 0), ("_rate", 0), ("_met_on", -1), ("_batch", 0),
            ("_longest", 0),
        ):  # fmt: skip
            setattr(self, name, grown(getattr(self, name), accounts, fill))
        self._weight[before:, 0] = self._weight_as_peers[before:, 0] = 1.0
        for name in (
            "_peers_begun", "_peers_steps", "_today_steps", "_strayed", "_strayed_today", "_length",
        ):  # fmt: skip
            setattr(self, name, grown(getattr(self, name), groups))

    def _begin(self, day: int, usual: Usual) -> None:
        """Let the days that are over teach."""
        if day == self.day:
            return
        if self.day != BEGINNING:
            for taught, today in (
                (self._peers_begun, self._told()), (self._peers_steps, self._today_steps),
                (self._on_call, self._on_call_today), (self._strayed, self._strayed_today),
            ):  # fmt: skip
                taught *= FADE
                taught += today
                today[:] = 0.0
            self._measure(usual)
            if self._first:
                self._forget()
            self._first = False
        self.day = day

    def _measure(self, usual: Usual) -> None:
        """Learn how long a day's batches are: each account's most, and a group's second most.

        The most may have been a theft; an account with an open alert has shown none.
        """
        self._batch[self._muted] = 0
        np.maximum(self._longest, self._batch, out=self._longest)
        self._batch[:] = 0
        group = usual.group[: len(self._longest)]
        order = np.lexsort((self._longest, group))[(group < 0).sum() :]
        of, longest = group[order], self._longest[order]
        two = np.flatnonzero(of[1:] == of[:-1])
        last = two[np.append(of[two[1:]] != of[two[:-1]], True)] if len(two) else two
        self._length = np.zeros(len(usual.groups))
        self._length[of[last]] = longest[last]

    def _told(self) -> Values:
        """Return how many accounts of each group began each state, and forget who."""
        told = np.zeros_like(self._peers_begun)
        _, group, state = self._began[~np.isin(self._began[:, 0], self._muted)].T
        np.add.at(told, (group, state), 1.0)
        self._began = self._began[:0]
        return told

    def _forget(self) -> None:
        """Let the log's first day teach no reason: everybody was a stranger then."""
        for counts in (
            self._begun, self._steps, self._peers_begun, self._peers_steps, self._on_call,
            self._inside, self._weight, self._weight_as_peers, self._strayed, self._longest,
            self._length,
        ):  # fmt: skip
            counts[:] = 0
        self._weight[:, 0] = self._weight_as_peers[:, 0] = 1.0

    def _rates(self, groups: Sequence[str]) -> Values:
        """Return how often each state begins per unit, by peer group.

        What began with one account of a group may have been a theft: it is nobody's habit yet. A
        list in a rush is its reader's habit alone, and a rush of strangers no work at all where no
        profession is told: whose task it might be, the log does not say.
        """
        begun = np.maximum(self._peers_begun - 1.0, 0.0)
        steps = self._peers_steps[:, None]
        rates = np.asarray((begun + _PEERS * BEGIN) / (steps + _PEERS))
        rates[:, LIST] = BEGIN[LIST]
        nameless = [number for number, name in enumerate(groups) if not name]
        rates[nameless, IN_NO_ORDER] = 0.0
        return rates

    def _again(self) -> Values:
        """Return how often a search in no order follows another in a clean-up, by peer group."""
        strayed = self._strayed + _ASTRAY * np.array([1.0 - AGAIN, AGAIN])
        return np.asarray(strayed[:, 1] / strayed.sum(axis=1))

    def _met(self) -> Values:
        """Return the chances of each relation, those on call as learnt."""
        met = MET.copy()
        some = slice(*LEARNT)
        counts = self._on_call[some] + _BELIEF * MET[0, some]
        met[0, some] = MET[0, some].sum() * counts / counts.sum()
        return met
