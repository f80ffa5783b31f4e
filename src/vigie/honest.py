"""Honest work, followed unit by unit: as usual, or one of the known reasons to meet strangers.

At any moment an account is in one of a few honest states: it mostly works as usual, seldom begins
something else (a night on call, a replacement, a clean-up), and comes back. The chance of a unit
under "honest" is what all states foretell together (the forward recursion of a hidden Markov
chain, Rabiner 1989): the first stranger of a replacement is surprising, the tenth is not. How
often a state begins is learnt from the days before, the account's own, leaning on its peers'.
"""

from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.drifts import Drifts
from vigie.front import BEGINNING
from vigie.marks import Scene
from vigie.numbering import State, grown
from vigie.profiles import AS_PEERS, Usual
from vigie.relations import TEAM
from vigie.surges import Surges
from vigie.units import Units

Values = NDArray[np.float64]

REASONS: Final = (
    "usual", "on_call", "replacement", "newcomer", "campaign", "by_number", "by_name",
    "loosely_by_number", "loosely_by_name", "recall", "drift",
)  # fmt: skip
"""The states: usual work; strangers from near (on call, outbreak); the patients of one other place;
a new unit's or organisation's patients; a campaign, on which patients of colleagues and strangers
from near come among one's own; clean-ups along numbers or names, strictly or with a search page
before each record; the account's usual patients in a rush (a recall); as many strangers as most of
its peers have begun to meet (see `drifts`)."""

_MET: Final = np.array([
    (0.08, 0.02, 0.04, 0.02, 0.15, 0.04, 0.05, 0.02, 0.05, 0.20, 0.18, 0.15, 0.05, 0.05),
    (0.08, 0.02, 0.04, 0.02, 0.04, 0.02, 0.04, 0.02, 0.53, 0.10, 0.06, 0.03, 0.05, 0.05),
    (0.08, 0.02, 0.14, 0.08, 0.37, 0.17, 0.04, 0.02, 0.02, 0.02, 0.02, 0.02, 0.05, 0.05),
    (0.30, 0.08, 0.16, 0.06, 0.10, 0.08, 0.05, 0.02, 0.02, 0.04, 0.06, 0.03, 0.05, 0.05),
])  # fmt: skip
"""Chances of each relation on call, in a replacement, as a newcomer, on a campaign; the last two
(far) are shares of what a sweep would meet. Assumptions; what on-call duty meets is learnt."""
_HURRIED: Final = 0.5
"""Share of a campaign's patients who come as fast as batches do. An assumption."""
_LEARNT: Final = (4, 12)
"""The relations whose chances on call are learnt: strangers, but none from afar."""
_ORDERS: Final = np.array([
    [(0.10, 0.87, 0.03), (0.10, 0.03, 0.87), (0.50, 0.45, 0.05), (0.50, 0.05, 0.45)],
    [(0.10, 0.87, 0.03), (0.10, 0.03, 0.87), (0.20, 0.72, 0.08), (0.20, 0.08, 0.72)],
])  # fmt: skip
"""Order of the patients in clean-ups, strict and loose; then the same after a search page in no
order: a search goes before a record, seldom before another search. Assumptions."""
_MINE: Final = 0.3
"""Share of a clean-up's records that are met as usual: doubles are sought of one's own patients.
An assumption."""
SILENT: Final = -0.5
"""Log chance that a request of a walk says nothing of its order."""
HASTE: Final = (0.30, 0.30, 0.20, 0.10, 0.05, 0.05)
"""Pace of batches, by class of `marks.PACES`. An assumption."""
_BEGIN: Final = np.array([0.0, 3e-3, 2e-3, 1e-3, 1e-3, 1e-6, 1e-6, 1e-6, 1e-6, 1e-4, 0.0])
_LEAVE: Final = np.array(
    [0.0, 1 / 30, 1 / 100, 1 / 100, 1 / 60, 1 / 40, 1 / 40, 1 / 40, 1 / 40, 1 / 40, 1 / 100]
)
"""Chances, unit by unit, that a state begins (believed beforehand) and ends. Assumptions."""
_CAMPAIGN: Final = REASONS.index("campaign")
_SURGED: Final = 0.05
"""How often, unit by unit, somebody begins to work as `_SURGING` says where all of a site's work
were a surge of the others'. An assumption."""
_SURGING: Final = np.array([name in ("on_call", "campaign", "recall") for name in REASONS])
_DRIFTED: Final = 0.1
"""How often, unit by unit, somebody begins what all of its peers have begun. Half of what it then
does is as usual, half as in a sweep. Assumptions."""
_OWN: Final = 400.0
_PEERS: Final = 4000.0
_BELIEF: Final = 300.0
"""Units for which the peers' rate, the rate believed beforehand, and `_MET` count."""
_FADE: Final = 0.98
"""What remains of a day's lesson one day later."""
MOST: Final = 4.0
"""Usual work is never believed to be less likely than this many nats below another state."""


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
        self._weight = np.zeros((0, states))
        self._inside = np.zeros((0, states), bool)
        self._astray = np.zeros(0, np.int8)
        # A rate is an estimate: half the bytes do.
        self._begun, self._rate, self._weight_as_peers = np.zeros((3, 0, states), np.float32)
        self._steps, self._met_on = np.zeros(0), np.zeros(0, np.int64)
        self._peers_begun, self._peers_steps = np.zeros((1, states)), np.zeros(1)
        self._today, self._today_steps = np.zeros((1, states)), np.zeros(1)
        self._on_call, self._on_call_today = np.zeros(_MET.shape[1]), np.zeros(_MET.shape[1])

    def follow(self, units: Units, scene: Scene, usual: Usual) -> Honest:
        """Follow units of one day, by account and time."""
        if len(units):
            self._begin(int(units.day[0]))
        self._make_room(len(units.accounts), len(usual.groups))
        marks = scene.marks
        relation = np.maximum(marks["relation"], marks["page"])
        plain = usual.log["sequence"] + usual.log["pace"]
        # However new the log is, own patients come back at least as often as anybody is drawn.
        often, as_peers = (
            np.where((relation >= 0) & (relation < TEAM), np.maximum(log, scene.swept), log)
            for log in (usual.log["relation"] + usual.log["page"], usual.log[AS_PEERS])
        )
        found: Any = _follow(
            units.account, usual.group, relation, marks["sequence"], marks["page"] >= 0,
            marks["pace"], often, as_peers, plain, usual.log["sequence"], scene.swept,
            _SURGED * self.surges.follow(units), _SURGING,
            _DRIFTED * self.drifts.follow(units, relation, usual.group), self.day,
            np.log(self._met()), np.log(_ORDERS), np.log(np.array(HASTE)), SILENT, _MINE, _HURRIED,
            _CAMPAIGN, _LEAVE, _OWN, _FADE, np.exp(-MOST), self._rates(), self._weight,
            self._weight_as_peers, self._astray, self._inside, self._begun, self._steps, self._rate,
            self._met_on, self._today, self._today_steps, self._on_call_today,
        )  # fmt: skip
        return Honest(*found)

    def _make_room(self, accounts: int, groups: int) -> None:
        before = len(self._weight)
        for name, fill in (
            ("_weight", 0), ("_weight_as_peers", 0), ("_astray", 0), ("_inside", False),
            ("_begun", 0), ("_steps", 0), ("_rate", 0), ("_met_on", BEGINNING),
        ):  # fmt: skip
            setattr(self, name, grown(getattr(self, name), accounts, fill))
        self._weight[before:, 0] = self._weight_as_peers[before:, 0] = 1.0
        for name in ("_peers_begun", "_peers_steps", "_today", "_today_steps"):
            setattr(self, name, grown(getattr(self, name), groups))

    def _begin(self, day: int) -> None:
        """Let the days that are over teach."""
        if day == self.day:
            return
        if self.day != BEGINNING:
            for taught, today in (
                (self._peers_begun, self._today), (self._peers_steps, self._today_steps),
                (self._on_call, self._on_call_today),
            ):  # fmt: skip
                taught *= _FADE
                taught += today
                today[:] = 0.0
            if self._first:
                self._forget()
            self._first = False
        self.day = day

    def _forget(self) -> None:
        """Let the log's first day teach no reason: everybody was a stranger then."""
        for counts in (
            self._begun, self._steps, self._peers_begun, self._peers_steps, self._on_call,
            self._inside, self._weight, self._weight_as_peers,
        ):  # fmt: skip
            counts[:] = 0
        self._weight[:, 0] = self._weight_as_peers[:, 0] = 1.0

    def _rates(self) -> Values:
        """Return how often each state begins per unit, by peer group.

        What began once in a group may have been a theft: it is nobody's habit yet.
        """
        begun = np.maximum(self._peers_begun - 1.0, 0.0)
        steps = self._peers_steps[:, None]
        return np.asarray((begun + _PEERS * _BEGIN) / (steps + _PEERS))

    def _met(self) -> Values:
        """Return the chances of each relation, those on call as learnt."""
        met = _MET.copy()
        some = slice(*_LEARNT)
        counts = self._on_call[some] + _BELIEF * _MET[0, some]
        met[0, some] = _MET[0, some].sum() * counts / counts.sum()
        return met


@numba.njit(cache=True, nogil=True)
def _follow(  # type: ignore[no-untyped-def]
    account, group, relation, order, paged, pace, usual, as_peers, plain, ordered, swept, surge,
    surging, drift, day, met, orders, haste, silent, mine, hurried, campaign, leave, own, fade,
    floor, rates, weight, weight_as_peers, astray, inside, begun, steps, rate, met_on, today,
    today_steps, on_call,
):  # fmt: skip
    states, far = leave.size, met.shape[1] - 2
    walks = met.shape[0] + 1
    out, out_as_peers = np.zeros(account.size), np.zeros(account.size)
    reason = np.zeros(account.size, np.int8)
    chance, ahead, batch = np.zeros(states), np.zeros(states), np.zeros(states)
    for i in range(account.size):
        r, o = relation[i], order[i]
        if r < 0:
            continue
        a = account[i]
        g = group[a]
        if met_on[a] != day:
            met_on[a] = day
            for k in range(1, states):
                rate[a, k] = (begun[a, k] + own * rates[g, k]) / (steps[a] + own)
                begun[a, k] *= fade
            steps[a] *= fade
        walk = swept[i] + (haste[pace[i]] if pace[i] >= 0 else 0.0)
        for k in range(1, walks):
            drawn = met[k - 1, r] + (swept[i] if r >= far else 0.0)
            chance[k] = np.exp(drawn + plain[i])
        rushed = (walk - swept[i]) - (plain[i] - ordered[i])
        chance[campaign] *= 1.0 - hurried + hurried * np.exp(rushed)
        for k in range(walks, states - 2):
            ordering = orders[astray[a], k - walks, o] if o >= 0 else silent
            batch[k] = np.exp(walk - swept[i] + ordering)
        batch[states - 2] = np.exp(ordered[i] + walk - swept[i])
        as_usual, sweep = np.exp(plain[i]), np.exp(swept[i])
        out[i] = np.log(_follow_one(
            weight[a], rate[a], surge[i], surging, drift[i], leave, np.exp(usual[i]), as_usual,
            sweep, mine, batch, walks, floor, chance, ahead,
        ))  # fmt: skip
        out_as_peers[i] = np.log(_follow_one(
            weight_as_peers[a], rates[g], surge[i], surging, drift[i], leave, np.exp(as_peers[i]),
            as_usual, sweep, mine, batch, walks, floor, chance, ahead,
        ))  # fmt: skip
        if o >= 0:
            astray[a] = 1 if o == 0 and paged[i] else 0
        steps[a] += 1.0
        today_steps[g] += 1.0
        for k in range(states):
            if weight[a, k] > weight[a, reason[i]]:
                reason[i] = k
            if k == 0:
                continue
            if weight[a, k] >= 0.8 and not inside[a, k]:
                inside[a, k] = True
                begun[a, k] += 1.0
                today[g, k] += 1.0
            elif weight[a, k] < 0.2:
                inside[a, k] = False
        if weight[a, 1] > 0.5:
            on_call[r] += 1.0
    return out, reason, out_as_peers


@numba.njit(inline="always")
def _follow_one(  # type: ignore[no-untyped-def]
    weight, rate, surge, surging, drift, leave, habit, as_usual, sweep, mine, batch, walks, floor,
    chance, ahead,
):  # fmt: skip
    """Move an account's states on by one unit; return how likely the unit was.

    `chance` holds that of the states that do not lean on the account's habit; the others are
    written here.
    """
    states = ahead.size
    chance[0] = habit * as_usual
    for k in range(walks, states - 2):
        chance[k] = ((1.0 - mine) * sweep + mine * habit) * batch[k]
    chance[states - 2] = habit * batch[states - 2]
    # No account drifts alone, so no thief is explained by it where its peers work as ever.
    drifting = drift > 0.0 or weight[states - 1] > 0.0
    chance[states - 1] = 0.5 * (habit + sweep) * as_usual if drifting else 0.0
    chance[0] = max(chance[0], floor * chance.max())
    ahead[0] = weight[0]
    for k in range(1, states):
        begins = max(np.float64(rate[k]), surge) if surging[k] else np.float64(rate[k])
        begins = drift if k == states - 1 else begins
        ahead[k] = weight[k] * (1.0 - leave[k]) + weight[0] * begins
        ahead[0] += weight[k] * leave[k] - weight[0] * begins
    total = 0.0
    for k in range(states):
        total += ahead[k] * chance[k]
    for k in range(states):
        weight[k] = ahead[k] * chance[k] / total
    return total
