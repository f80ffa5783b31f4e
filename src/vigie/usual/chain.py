"""The chain of honest states: what each is believed to foretell, and the step from unit to unit.

At any moment an account is in one of a few honest states: it mostly works as usual, seldom begins
something else (a night on call, a replacement, a clean-up), and comes back. The chance of a unit
under "honest" is what all states foretell together (the forward recursion of a hidden Markov
chain, Rabiner 1989). The tables are assumptions, beside one another so that they can be doubted,
and in one module with the loop that is compiled with them.
"""

from typing import Final, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.context.relations import HOST

Values = NDArray[np.float64]

REASONS: Final = (
    "usual", "on_call", "replacement", "newcomer", "campaign", "by_number", "by_name",
    "loosely_by_number", "loosely_by_name", "in_no_order", "recall", "list", "drift", "guest",
)  # fmt: skip
"""The states: usual work; strangers from near (on call, outbreak); the patients of one other place;
a new unit's or organisation's patients; a campaign, on which patients of colleagues and strangers
from near come among one's own; clean-ups along numbers or names, strictly or with a search page
before each record, or in no order that the log could tell; patients of before in a rush (a recall);
whomever the account usually meets, strangers too, in a rush (a list read in one go); as many
strangers as most of its peers have begun to meet (see `drifts`); whom the others meet at a place
that is not its own (see `guests`)."""

MET: Final = np.array([
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
LEARNT: Final = (4, 12)
"""The relations whose chances on call are learnt: strangers, but none from afar."""
SILENT: Final = -0.5
"""Log chance that a request of a walk says nothing of its order."""
_QUIET: Final = float(np.exp(SILENT))
_ORDERS: Final = np.array([
    (0.10, 0.87, 0.03, _QUIET), (0.10, 0.03, 0.87, _QUIET),
    (0.50, 0.45, 0.05, _QUIET), (0.50, 0.05, 0.45, _QUIET), (0.97, 0.015, 0.015, 1.0),
])  # fmt: skip
"""Chances of the order of the patients in clean-ups, strict, loose and without any, at last that
of saying nothing. Assumptions."""
AGAIN: Final = 0.2
"""How often, in a clean-up, a search page in no order is followed by another: a search goes before
a record, seldom before another search. An assumption, which a peer group's own clean-ups teach."""
_MINE: Final = np.array([0.3, 0.3, 0.3, 0.3, 0.1])
"""Share of a clean-up's records that are met as usual: doubles are sought of one's own patients.
Assumptions."""
HASTE: Final = (0.30, 0.30, 0.20, 0.10, 0.05, 0.05)
"""Pace of batches, by class of `marks.PACES`. An assumption."""
BEGIN: Final = np.array([
    0.0, 3e-3, 2e-3, 1e-3, 1e-3, 1e-6, 1e-6, 1e-6, 1e-6, 1e-9, 1e-4, 1e-12, 0.0, 0.0
])  # fmt: skip
_LEAVE: Final = np.array([
    0.0, 1 / 30, 1 / 100, 1 / 100, 1 / 60, 1 / 40, 1 / 40, 1 / 40, 1 / 40, 1 / 40, 1 / 40, 1 / 40,
    1 / 100, 1 / 60,
])  # fmt: skip
"""Chances, unit by unit, that a state begins (believed beforehand) and ends. Assumptions. Strangers
in no order in a rush are what a thief opens: who believes that this is work must have seen it. And
where everybody meets strangers all day, a list in a rush explains a sweep as well as it explains
work: nobody is believed to read one who never did."""
_CAMPAIGN, IN_NO_ORDER, _RECALL, LIST, _DRIFT, _GUEST = map(
    REASONS.index, ("campaign", "in_no_order", "recall", "list", "drift", "guest")
)
SURGED: Final = 0.05
"""How often, unit by unit, somebody begins to work as `_SURGING` says where all of a site's work
were a surge of the others'. An assumption."""
_SURGING: Final = np.array([name in ("on_call", "campaign", "recall") for name in REASONS])
DRIFTED: Final = 0.1
"""How often, unit by unit, somebody begins what all of its peers have begun. Half of what it then
does is as usual, half as in a sweep. Assumptions."""
_GUESTED: Final = 0.02
"""How often, unit by unit, who is at a place not its own begins to work as the others do there. An
assumption."""
_OWN: Final = 400.0
"""Units for which the peers' rate of beginning counts."""
FADE: Final = 0.98
"""What remains of a day's lesson one day later."""
_HABIT: Final = 0.5
"""Beginnings of late at which a reason is its account's habit, and tells its peers nothing more."""
MOST: Final = 4.0
"""Usual work is never believed to be less likely than this many nats below another state."""
_FLOOR: Final = float(np.exp(-MOST))
_BATCHES: Final = np.array([name in REASONS[5:12] for name in REASONS])
_LENGTH: Final = 120.0
_BEYOND: Final = 1.5
_QUIT: Final = 0.5
_MOST_UNITS: Final = 30_000
"""Once a day's batches have more units than so many, or than so many times the most that the
account or two of its peers had on a day before, they are believed to end with this chance at every
further unit. Assumptions."""
_SURE: Final = 0.8
_OVER: Final = 0.2
"""Belief from which an account counts as being in a state, and below which it has left it."""
_ALONE: Final = 0.81
"""Belief in usual work beside which that in every other state is below `_OVER`."""


class Seen(NamedTuple):
    """Marks of each unit: its relation or its page's, its order, whether it is a page, its pace."""

    relation: NDArray[np.int8]
    order: NDArray[np.int8]
    paged: NDArray[np.bool_]
    pace: NDArray[np.int8]


class Foretold(NamedTuple):
    """Log chances of each unit's relation as usual and as for its peers, of its order and pace, of
    its order alone, of its relation in a sweep; how often a surge and a drift begin by now; log
    chances of the relation among the others of its place, NaN at a place of its own."""

    usual: Values
    as_peers: Values
    plain: Values
    ordered: Values
    swept: Values
    surge: Values
    drift: Values
    here: Values


class Known(NamedTuple):
    """Of each account: the belief in each state, with its own habits and with its peers'; whether
    its last walk strayed, which states it is inside, how often each began in how many units, at
    which rate, and the day for which that holds; how many units of today came in batches, and the
    most of any day before."""

    weight: NDArray[np.float32]
    weight_as_peers: NDArray[np.float32]
    astray: NDArray[np.int8]
    inside: NDArray[np.bool_]
    begun: NDArray[np.float32]
    steps: NDArray[np.float32]
    rate: NDArray[np.float32]
    met_on: NDArray[np.int32]
    batch: NDArray[np.int16]
    longest: NDArray[np.int16]


class Lessons(NamedTuple):
    """What the day will teach: units by peer group, relations met on call, and of the requests
    after a search page in no order, in clean-ups, how many were in order and how many not."""

    steps: Values
    on_call: Values
    strayed: Values


@numba.njit(cache=True, nogil=True, error_model="numpy")
def follow(account, group, day, seen, foretold, met, rates, again, length, known, lessons):  # type: ignore[no-untyped-def]
    """Move each account's states on unit by unit.

    Returns what they foretold, the likeliest, what that would be as peers, and the state that
    begins, where it is not the account's habit (else 0).

    `met` holds the chances of each relation in the states that have some of their own, `rates`
    how often each state begins by peer group, `again` how often a search page in no order follows
    another in its clean-ups, `length` how many units of its batches a day holds.
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
                begun[a, k] *= FADE
            known.steps[a] *= FADE
        as_usual, in_order, sweep = (
            np.exp(foretold.plain[i]), np.exp(foretold.ordered[i]), np.exp(foretold.swept[i]),
        )  # fmt: skip
        hurry = HASTE[pace] if pace >= 0 else 1.0
        for k in range(1, walks):
            chance[k] = met[k - 1, r] * (sweep if r >= far else 1.0) * as_usual
        chance[_CAMPAIGN] *= 1.0 - _HURRIED + _HURRIED * hurry * in_order / as_usual
        for k in range(walks, _RECALL):
            batch[k] = hurry * _ORDERS[k - walks, o]
            if known.astray[a] and o >= 0 and k != IN_NO_ORDER:
                before = _ORDERS[k - walks, 0]
                batch[k] *= again[g] / before if o == 0 else (1.0 - again[g]) / (1.0 - before)
        batch[_RECALL] = batch[LIST] = in_order * hurry
        most = _RECALLED if r >= HOST else 1.0
        surge, drift = foretold.surge[i], foretold.drift[i]
        here = np.exp(foretold.here[i]) if foretold.here[i] == foretold.here[i] else 0.0
        walking = 0.0
        for k in range(walks, IN_NO_ORDER):
            walking += weight[a, k]
        units, theirs = known.batch[a], max(_LENGTH, _BEYOND * length[g])
        quits = _QUIT if units > max(theirs, _BEYOND * known.longest[a]) else 0.0
        out[i] = np.log(_follow_one(
            weight[a], quits, rate[a], surge, drift, here, np.exp(foretold.usual[i]), as_usual,
            sweep, most, batch, walks, chance, ahead,
        ))  # fmt: skip
        out_as_peers[i] = np.log(_follow_one(
            known.weight_as_peers[a], _QUIT if units > theirs else 0.0, rates[g], surge, drift,
            here, np.exp(foretold.as_peers[i]), as_usual, sweep, most, batch, walks, chance, ahead,
        ))  # fmt: skip
        if o >= 0 and known.astray[a] and walking >= _SURE:
            lessons.strayed[g, 0 if o else 1] += 1.0
        if o >= 0:
            known.astray[a] = 1 if o == 0 and seen.paged[i] else 0
        known.steps[a] += 1.0
        lessons.steps[g] += 1.0
        if weight[a, 0] > _ALONE:
            inside[a, 1:] = False
            continue
        busy = 0.0
        for k in range(walks, LIST + 1):
            busy += weight[a, k]
        if busy >= 0.5:
            known.batch[a] = min(units + 1, _MOST_UNITS)
        for k in range(states):
            if weight[a, k] > weight[a, reason[i]]:
                reason[i] = k
            if k == 0:
                continue
            if weight[a, k] >= _SURE and not inside[a, k]:
                inside[a, k] = True
                if begun[a, k] < _HABIT:
                    begins[i] = k
                begun[a, k] += 1.0
            elif weight[a, k] < _OVER:
                inside[a, k] = False
        if weight[a, 1] > 0.5:
            lessons.on_call[r] += 1.0
    return out, reason, out_as_peers, begins


@numba.njit(inline="always")
def _follow_one(  # type: ignore[no-untyped-def]
    weight, quits, rate, surge, drift, here, habit, as_usual, sweep, most, batch, walks, chance,
    ahead,
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
    chance[LIST] = habit * batch[LIST]
    # No account drifts alone, so no thief is explained by it where its peers work as ever.
    drifting = drift > 0.0 or weight[_DRIFT] > 0.0
    chance[_DRIFT] = 0.5 * (habit + sweep) * as_usual if drifting else 0.0
    chance[_GUEST] = here * as_usual
    most_likely = chance[0]
    for k in range(1, states):
        most_likely = max(most_likely, chance[k])
    chance[0] = max(chance[0], _FLOOR * most_likely)
    usual, left, begun = float(weight[0]), 0.0, 0.0
    for k in range(1, states):
        begins = float(rate[k])
        if _SURGING[k]:
            begins = max(begins, surge)
        elif k == _DRIFT:
            begins = drift
        elif k == _GUEST:
            begins = _GUESTED if here > 0.0 else 0.0
        leaves = max(_LEAVE[k], quits) if _BATCHES[k] else _LEAVE[k]
        ahead[k] = weight[k] * (1.0 - leaves) + usual * begins
        left += weight[k] * leaves
        begun += begins
    ahead[0] = usual * (1.0 - begun) + left
    total = 0.0
    for k in range(states):
        ahead[k] *= chance[k]
        total += ahead[k]
    share = 1.0 / total
    for k in range(states):
        weight[k] = ahead[k] * share
    return total
