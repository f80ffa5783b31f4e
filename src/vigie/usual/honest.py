"""Honest work, followed unit by unit: as usual, or one of the known reasons to meet strangers.

At any moment an account is in one of a few honest states: it mostly works as usual, seldom begins
something else (a night on call, a replacement, a clean-up), and comes back. The chance of a unit
under "honest" is what all states foretell together (the forward recursion of a hidden Markov
chain, Rabiner 1989): the first stranger of a replacement is surprising, the tenth is not. How
often a state begins is learnt from the days before, the account's own, leaning on its peers'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.context.marks import Scene
from vigie.context.relations import HOST, TEAM
from vigie.timeline.front import BEGINNING
from vigie.timeline.memory import State, grown
from vigie.timeline.units import Units
from vigie.usual.drifts import Drifts
from vigie.usual.profiles import AS_PEERS, Usual
from vigie.usual.surges import Surges

Values = NDArray[np.float64]

REASONS: Final = (
    "usual", "on_call", "replacement", "newcomer", "campaign", "by_number", "by_name",
    "loosely_by_number", "loosely_by_name", "in_no_order", "recall", "list", "drift",
)  # fmt: skip
"""The states: usual work; strangers from near (on call, outbreak); the patients of one other place;
a new unit's or organisation's patients; a campaign, on which patients of colleagues and strangers
from near come among one's own; clean-ups along numbers or names, strictly or with a search page
before each record, or in no order that the log could tell; patients of before in a rush (a recall);
whomever the account usually meets, strangers too, in a rush (a list read in one go); as many
strangers as most of its peers have begun to meet (see `drifts`)."""

_MET: Final = np.array([
    (0.08, 0.02, 0.04, 0.02, 0.15, 0.04, 0.05, 0.02, 0.05, 0.20, 0.18, 0.15, 0.05, 0.05),
    (0.08, 0.02, 0.04, 0.02, 0.04, 0.02, 0.04, 0.02, 0.53, 0.10, 0.06, 0.03, 0.05, 0.05),
    (0.08, 0.02, 0.14, 0.08, 0.37, 0.17, 0.04, 0.02, 0.02, 0.02, 0.02, 0.02, 0.05, 0.05),
    (0.30, 0.08, 0.16, 0.06, 0.10, 0.08, 0.05, 0.02, 0.02, 0.04, 0.06, 0.03, 0.05, 0.05),
])  # fmt: skip
"""Chances of each relation on call, in a replacement, as a newcomer, on a campaign; the last two
(far) are shares of what a sweep would meet. Assumptions; what on-call duty meets is learnt."""
_RECALLED: Final = 0.05
"""Chance, at most, of each kind of stranger in a recall: who is called back was met before, though
perhaps before the log. An assumption."""
_HURRIED: Final = 0.5
"""Share of a campaign's patients who come as fast as batches do. An assumption."""
_LEARNT: Final = (4, 12)
"""The relations whose chances on call are learnt: strangers, but none from afar."""
SILENT: Final = -0.5
"""Log chance that a request of a walk says nothing of its order."""
_QUIET: Final = float(np.exp(SILENT))
_NO_ORDER: Final = (0.97, 0.015, 0.015, 1.0)
_ORDERS: Final = np.log(np.array([[
    (0.10, 0.87, 0.03, _QUIET), (0.10, 0.03, 0.87, _QUIET),
    (0.50, 0.45, 0.05, _QUIET), (0.50, 0.05, 0.45, _QUIET), _NO_ORDER,
], [
    (0.10, 0.87, 0.03, _QUIET), (0.10, 0.03, 0.87, _QUIET),
    (0.20, 0.72, 0.08, _QUIET), (0.20, 0.08, 0.72, _QUIET), _NO_ORDER,
]]))  # fmt: skip
"""Log chances of the order of the patients in clean-ups, strict, loose and without any, at last
that of saying nothing; then the same after a search page in no order: a search goes before a
record, seldom before another search. Assumptions."""
_MINE: Final = np.array([0.3, 0.3, 0.3, 0.3, 0.1])
"""Share of a clean-up's records that are met as usual: doubles are sought of one's own patients.
Assumptions."""
HASTE: Final = (0.30, 0.30, 0.20, 0.10, 0.05, 0.05)
"""Pace of batches, by class of `marks.PACES`. An assumption."""
_LOG_HASTE: Final = np.log(np.array(HASTE))
_BEGIN: Final = np.array([
    0.0, 3e-3, 2e-3, 1e-3, 1e-3, 1e-6, 1e-6, 1e-6, 1e-6, 1e-9, 1e-4, 1e-12, 0.0
])  # fmt: skip
_LEAVE: Final = np.array([
    0.0, 1 / 30, 1 / 100, 1 / 100, 1 / 60, 1 / 40, 1 / 40, 1 / 40, 1 / 40, 1 / 40, 1 / 40, 1 / 40,
    1 / 100,
])  # fmt: skip
"""Chances, unit by unit, that a state begins (believed beforehand) and ends. Assumptions. Strangers
in no order in a rush are what a thief opens: who believes that this is work must have seen it. And
where everybody meets strangers all day, a list in a rush explains a sweep as well as it explains
work: nobody is believed to read one who never did."""
_CAMPAIGN, _IN_NO_ORDER, _RECALL, _LIST, _DRIFT = map(
    REASONS.index, ("campaign", "in_no_order", "recall", "list", "drift")
)
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
_HABIT: Final = 0.5
"""Beginnings of late at which a reason is its account's habit, and tells its peers nothing more."""
MOST: Final = 4.0
"""Usual work is never believed to be less likely than this many nats below another state."""
_FLOOR: Final = float(np.exp(-MOST))


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
        self._steps, self._met_on = np.zeros(0), np.zeros(0, np.int64)
        self._peers_begun, self._peers_steps = np.zeros((1, states)), np.zeros(1)
        self._today_steps = np.zeros(1)
        self._began = np.empty((0, 3), np.int64)
        self._muted = np.empty(0, np.int64)
        self._on_call, self._on_call_today = np.zeros(_MET.shape[1]), np.zeros(_MET.shape[1])

    def follow(self, units: Units, scene: Scene, usual: Usual) -> Honest:
        """Follow units of one day, by account and time."""
        if len(units):
            self._begin(int(units.day[0]))
        self._make_room(units.known, len(usual.groups))
        marks = scene.marks
        relation = np.maximum(marks["relation"], marks["page"])
        plain = usual.log["sequence"] + usual.log["pace"]
        # However new the log is, own patients come back at least as often as anybody is drawn.
        often, as_peers = (
            np.where((relation >= 0) & (relation < TEAM), np.maximum(log, scene.swept), log)
            for log in (usual.log["relation"] + usual.log["page"], usual.log[AS_PEERS])
        )
        seen = _Seen(relation, marks["sequence"], marks["page"] >= 0, marks["pace"])
        foretold = _Foretold(
            often, as_peers, plain, usual.log["sequence"], scene.swept,
            _SURGED * self.surges.follow(units),
            _DRIFTED * self.drifts.follow(units, relation, usual.group),
        )  # fmt: skip
        known = _Known(
            self._weight, self._weight_as_peers, self._astray, self._inside, self._begun,
            self._steps, self._rate, self._met_on,
        )  # fmt: skip
        lessons = _Lessons(self._today_steps, self._on_call_today)
        found: Any = _follow(
            units.account, usual.group, self.day, seen, foretold, np.log(self._met()),
            self._rates(usual.groups), known, lessons,
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
            ("_begun", 0), ("_steps", 0), ("_rate", 0), ("_met_on", BEGINNING),
        ):  # fmt: skip
            setattr(self, name, grown(getattr(self, name), accounts, fill))
        self._weight[before:, 0] = self._weight_as_peers[before:, 0] = 1.0
        for name in ("_peers_begun", "_peers_steps", "_today_steps"):
            setattr(self, name, grown(getattr(self, name), groups))

    def _begin(self, day: int) -> None:
        """Let the days that are over teach."""
        if day == self.day:
            return
        if self.day != BEGINNING:
            for taught, today in (
                (self._peers_begun, self._told()), (self._peers_steps, self._today_steps),
                (self._on_call, self._on_call_today),
            ):  # fmt: skip
                taught *= _FADE
                taught += today
                today[:] = 0.0
            if self._first:
                self._forget()
            self._first = False
        self.day = day

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
            self._inside, self._weight, self._weight_as_peers,
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
        rates = np.asarray((begun + _PEERS * _BEGIN) / (steps + _PEERS))
        rates[:, _LIST] = _BEGIN[_LIST]
        nameless = [number for number, name in enumerate(groups) if not name]
        rates[nameless, _IN_NO_ORDER] = 0.0
        return rates

    def _met(self) -> Values:
        """Return the chances of each relation, those on call as learnt."""
        met = _MET.copy()
        some = slice(*_LEARNT)
        counts = self._on_call[some] + _BELIEF * _MET[0, some]
        met[0, some] = _MET[0, some].sum() * counts / counts.sum()
        return met


class _Seen(NamedTuple):
    """Marks of each unit: its relation or its page's, its order, whether it is a page, its pace."""

    relation: NDArray[np.int8]
    order: NDArray[np.int8]
    paged: NDArray[np.bool_]
    pace: NDArray[np.int8]


class _Foretold(NamedTuple):
    """Log chances of each unit's relation as usual and as for its peers, of its order and pace, of
    its order alone, of its relation in a sweep; how often a surge and a drift begin by now."""

    usual: Values
    as_peers: Values
    plain: Values
    ordered: Values
    swept: Values
    surge: Values
    drift: Values


class _Known(NamedTuple):
    """Of each account: the belief in each state, with its own habits and with its peers'; whether
    its last walk strayed, which states it is inside, how often each began in how many units, at
    which rate, and the day for which that holds."""

    weight: NDArray[np.float32]
    weight_as_peers: NDArray[np.float32]
    astray: NDArray[np.int8]
    inside: NDArray[np.bool_]
    begun: NDArray[np.float32]
    steps: Values
    rate: NDArray[np.float32]
    met_on: NDArray[np.int64]


class _Lessons(NamedTuple):
    """What the day will teach: units by peer group, relations met on call."""

    steps: Values
    on_call: Values


@numba.njit(cache=True, nogil=True)
def _follow(account, group, day, seen, foretold, met, rates, known, lessons):  # type: ignore[no-untyped-def]
    """Move each account's states on unit by unit.

    Returns what they foretold, the likeliest, what that would be as peers, and the state that
    begins, where it is not the account's habit (else 0).

    `met` holds the log chances of each relation in the states that have some of their own, `rates`
    how often each state begins by peer group.
    """
    states, far = _LEAVE.size, met.shape[1] - 2
    walks = met.shape[0] + 1
    weight, inside, begun, rate = known.weight, known.inside, known.begun, known.rate
    out, out_as_peers = np.zeros(account.size), np.zeros(account.size)
    reason, begins = np.zeros(account.size, np.int8), np.zeros(account.size, np.int8)
    chance, ahead, batch = np.zeros(states), np.zeros(states), np.zeros(states)
    for i in range(account.size):
        r, o, pace = seen.relation[i], seen.order[i], seen.pace[i]
        if r < 0:
            continue
        a = account[i]
        g = group[a]
        if known.met_on[a] != day:
            known.met_on[a] = day
            for k in range(1, states):
                rate[a, k] = (begun[a, k] + _OWN * rates[g, k]) / (known.steps[a] + _OWN)
                begun[a, k] *= _FADE
            known.steps[a] *= _FADE
        plain, ordered, swept = foretold.plain[i], foretold.ordered[i], foretold.swept[i]
        walk = swept + (_LOG_HASTE[pace] if pace >= 0 else 0.0)
        for k in range(1, walks):
            drawn = met[k - 1, r] + (swept if r >= far else 0.0)
            chance[k] = np.exp(drawn + plain)
        rushed = (walk - swept) - (plain - ordered)
        chance[_CAMPAIGN] *= 1.0 - _HURRIED + _HURRIED * np.exp(rushed)
        for k in range(walks, _RECALL):
            batch[k] = np.exp(walk - swept + _ORDERS[known.astray[a], k - walks, o])
        batch[_RECALL] = batch[_LIST] = np.exp(ordered + walk - swept)
        most = _RECALLED if r >= HOST else 1.0
        surge, drift, as_usual, sweep = (
            foretold.surge[i], foretold.drift[i], np.exp(plain), np.exp(swept),
        )  # fmt: skip
        out[i] = np.log(_follow_one(
            weight[a], rate[a], surge, drift, np.exp(foretold.usual[i]), as_usual, sweep, most,
            batch, walks, chance, ahead,
        ))  # fmt: skip
        out_as_peers[i] = np.log(_follow_one(
            known.weight_as_peers[a], rates[g], surge, drift, np.exp(foretold.as_peers[i]),
            as_usual, sweep, most, batch, walks, chance, ahead,
        ))  # fmt: skip
        if o >= 0:
            known.astray[a] = 1 if o == 0 and seen.paged[i] else 0
        known.steps[a] += 1.0
        lessons.steps[g] += 1.0
        for k in range(states):
            if weight[a, k] > weight[a, reason[i]]:
                reason[i] = k
            if k == 0:
                continue
            if weight[a, k] >= 0.8 and not inside[a, k]:
                inside[a, k] = True
                if begun[a, k] < _HABIT:
                    begins[i] = k
                begun[a, k] += 1.0
            elif weight[a, k] < 0.2:
                inside[a, k] = False
        if weight[a, 1] > 0.5:
            lessons.on_call[r] += 1.0
    return out, reason, out_as_peers, begins


@numba.njit(inline="always")
def _follow_one(  # type: ignore[no-untyped-def]
    weight, rate, surge, drift, habit, as_usual, sweep, most, batch, walks, chance, ahead,
):  # fmt: skip
    """Move an account's states on by one unit; return how likely the unit was.

    `chance` holds that of the states that do not lean on the account's habit; the others are
    written here.
    """
    states = ahead.size
    chance[0] = habit * as_usual
    for k in range(walks, _RECALL):
        mine = _MINE[k - walks]
        chance[k] = ((1.0 - mine) * sweep + mine * habit) * batch[k]
    chance[_RECALL] = min(habit, most) * batch[_RECALL]
    chance[_LIST] = habit * batch[_LIST]
    # No account drifts alone, so no thief is explained by it where its peers work as ever.
    drifting = drift > 0.0 or weight[_DRIFT] > 0.0
    chance[_DRIFT] = 0.5 * (habit + sweep) * as_usual if drifting else 0.0
    chance[0] = max(chance[0], _FLOOR * chance.max())
    ahead[0] = weight[0]
    for k in range(1, states):
        begins = max(np.float64(rate[k]), surge) if _SURGING[k] else np.float64(rate[k])
        begins = drift if k == _DRIFT else begins
        ahead[k] = weight[k] * (1.0 - _LEAVE[k]) + weight[0] * begins
        ahead[0] += weight[k] * _LEAVE[k] - weight[0] * begins
    total = 0.0
    for k in range(states):
        total += ahead[k] * chance[k]
    for k in range(states):
        weight[k] = ahead[k] * chance[k] / total
    return total
