"""The second oracle: the true chances of what a log can show, with the honest context of each day.

A visit falls into a category: how the patient relates to the account through earlier lines of the
log (`RELATIONS`), whether it continues a walk along numbers or names (`WALKS`), and how it was
asked for. Honest chances are each account's own shares, counted *in hindsight* over its honest
visits of the whole scored part, apart for each context (replacement, transfer, on-call duty,
campaign, outbreak, a day of recalls or clean-ups, the first ten days in a place), and leaning a
little on its profession. The thief's are drawn from the simulator for that account, over the scored
part. The first 40 % of the log only say who is known to whom, and nothing is judged there. Like the
first oracle, it knows the thief's family and intensity.
"""

from typing import Final

import numpy as np

from benchmarks.encounters import Floats, Ints
from benchmarks.naive import WARM_UP
from benchmarks.oracle import DAY, Oracle
from vigie.simulate.chance import stream
from vigie.simulate.world import REASONS

RELATIONS: Final = ("own, lately", "own, older", "team", "organisation", "town", "area", "far")
WALKS: Final = ("none", "number", "name")
_DRAWS: Final = 400
_LEAN: Final = 30.0
_BACK: Final = 8
_CONTEXTS: Final = 2 * (len(REASONS) + 2)
_WALKING: Final = {"enumeration": 1, "name_sweep": 2}


class LogOracle:
    """The chances of each visit's category, honest and by family."""

    def __init__(self, oracle: Oracle) -> None:
        self.visits, self.world, self.stage = oracle.visits, oracle.world, oracle.stage
        self._oracle = oracle
        people, v = self.stage.people, self.visits
        self.begin = self.world.start + int(WARM_UP * self.world.days) * DAY
        self._many = people.register.size
        named = oracle.named
        self._unit = people.unit[v.account] + (v.organisation << 10)
        pairs = v.account * self._many + v.patient
        self._own = _Past(pairs[named], v.at[named], self.world.start)
        self._team = _Past((self._unit * self._many + v.patient)[named], v.at[named],
                           self.world.start)  # fmt: skip
        self._site = _Past((v.organisation * self._many + v.patient)[named], v.at[named],
                           self.world.start)  # fmt: skip
        self._place = np.empty(self._many, np.int64)
        self._place[people.register.by_place] = np.arange(self._many)
        self.relation = self._relation(v.account, v.organisation, self._unit, v.patient, v.at)
        self.walk = self._walks()
        self._usual = self._honest()
        self._sweeps: dict[str, Floats] = {}
        self._rng = stream(self.world.seed, self.world.preset, "oracle")

    def _relation(self, account: Ints, site: Ints, unit: Ints, patient: Ints, at: Ints) -> Ints:
        last = self._own.last(account * self._many + patient, at - 1_000_000)
        hour = at - DAY // 24
        people = self.stage.people
        place = self._place[patient]
        found = np.full(len(at), 6)
        for code, spans in ((5, people.area_span), (4, people.commune_span)):
            low, high = spans[site].T
            found[(place >= low) & (place < high)] = code
        found[self._site.last(site * self._many + patient, hour) >= 0] = 3
        found[self._team.last(unit * self._many + patient, hour) >= 0] = 2
        found[last >= 0] = 1
        found[(last >= 0) & (at - last < 7 * DAY)] = 0
        return found

    def _walks(self) -> Ints:
        """Mark a visit whose number, or whose name, is close to that of one of the last eight."""
        v, rank = self.visits, self.stage.people.register.name_rank
        found = np.zeros(len(v.at), np.int64)
        for back in range(1, _BACK + 1):
            same = np.zeros(len(v.at), bool)
            same[back:] = (v.account[back:] == v.account[:-back]) & (v.patient[back:] >= 0)
            same[back:] &= v.patient[:-back] >= 0
            for code, values, most in ((2, rank, 12), (1, np.arange(self._many), 4)):
                gap = np.zeros(len(v.at), np.int64)
                gap[back:] = np.abs(values[v.patient[back:]] - values[v.patient[:-back]])
                found[same & (gap > 0) & (gap <= most)] = code
        return found

    def _contexts(self) -> Ints:
        """Return the honest context of each visit: as usual, moved, a special day, a burst, new."""
        v, stage = self.visits, self.stage
        day = self._oracle.whole_day
        moved = stage.work.reason[v.account, day]
        found = np.where(moved >= 0, 1 + moved, np.maximum(self._oracle.special, -1) + 1)
        found[self._oracle.burst > 0] = len(REASONS) + 1
        hired = stage.work.hired[v.account]
        began = stage.work.reason[v.account, np.maximum(day - 10, 0)] != moved
        fresh = ((hired >= 0) & (day < hired + 10)) | (began & (moved >= 0))
        found[fresh] += _CONTEXTS // 2
        return found

    def _honest(self) -> Floats:
        """Return the chance of each visit's relation and walk under honest work, in hindsight.

        Per account and context; where that was rare, as its profession does in this context.
        """
        v, people = self.visits, self.stage.people
        kept = (v.attack < 0) & self._oracle.named & (v.at >= self.begin)
        cell = self.relation * len(WALKS) + self.walk
        width = len(RELATIONS) * len(WALKS)
        context = self._contexts()
        mine = v.account * _CONTEXTS + context
        peer = people.profession[v.account] * _CONTEXTS + context
        everyone = np.bincount(cell[kept], minlength=width) + 0.1
        chance: Floats = (everyone / everyone.sum())[cell]
        for owner, size, lean in (
            (context, _CONTEXTS, 10.0),
            (peer, len(people.professions) * _CONTEXTS, 20.0),
            (mine, people.size * _CONTEXTS, _LEAN),
        ):
            count = np.bincount(owner[kept] * width + cell[kept], minlength=size * width)
            total = count.reshape(size, width).sum(1)
            here = count[owner * width + cell]
            chance = (here + lean * chance) / (total[owner] + lean)
        return chance

    def _sweep(self, hypothesis: str) -> Floats:
        """Return each account's chances of the relations under a theft, by drawing."""
        if hypothesis not in self._sweeps:
            self._sweeps[hypothesis] = self._drawn_sweep(hypothesis)
        return self._sweeps[hypothesis]

    def _drawn_sweep(self, hypothesis: str) -> Floats:
        people, rng = self.stage.people, self._rng
        account = np.repeat(np.arange(people.size), _DRAWS)
        patient = self._drawn(hypothesis, account)
        share = WARM_UP + (1 - WARM_UP) * rng.random(len(account))
        at = self.world.start + (share * self.world.days * DAY).astype(np.int64)
        day = np.minimum(((at - self.world.start) // DAY), self.world.days - 1)
        site = self.stage.work.organisation[account, day]
        unit = people.unit[account] + (site << 10)
        relation = self._relation(account, site, unit, patient, at)
        count = np.full((people.size, len(RELATIONS)), 0.5)
        np.add.at(count, (account, relation), 1)
        return count / count.sum(1, keepdims=True)

    def _drawn(self, hypothesis: str, account: Ints) -> Ints:
        people, rng = self.stage.people, self._rng
        if hypothesis in ("town_sweep", "neighbours", "celebrity"):
            low, high = people.commune_span[people.organisation[account]].T
            place = low + (rng.random(len(account)) * (high - low)).astype(np.int64)
            return people.register.by_place[place]
        if hypothesis == "colleagues":
            return self._mates(account)
        if hypothesis in ("practice", "own_panel"):
            whose = account
            if hypothesis == "practice":
                order = np.argsort(people.organisation, kind="stable")
                start = np.searchsorted(people.organisation[order], people.organisation[account])
                many = np.bincount(people.organisation)[people.organisation[account]]
                whose = order[start + (rng.random(len(account)) * many).astype(np.int64)]
            sequence = people.sequence[whose]
            middle = np.full(len(account), 0.7 * self.world.days)
            frontier = people.sequences.frontier(sequence, middle)
            place = (rng.random(len(account)) * frontier).astype(np.int64)
            return people.sequences.patients[people.sequences.starts[sequence] + place]
        return rng.integers(self._many, size=len(account))

    def _mates(self, account: Ints) -> Ints:
        """Draw one of those who work where each account does and are patients; else anybody."""
        people, rng = self.stage.people, self._rng
        treated = np.flatnonzero(people.owner >= 0)
        treated = treated[np.argsort(people.organisation[treated], kind="stable")]
        site, mine = people.organisation[treated], people.organisation[account]
        low, high = np.searchsorted(site, mine), np.searchsorted(site, mine, side="right")
        place = low + (rng.random(len(account)) * (high - low)).astype(np.int64)
        anybody = rng.integers(self._many, size=len(account))
        if not len(treated):
            return anybody
        mates = people.owner[treated[np.minimum(place, len(treated) - 1)]]
        return np.where(high > low, mates, anybody)

    def stolen(self, hypothesis: str, intensity: float) -> Floats:
        """Return the likelihood ratio of each visit; 1 before the scored part."""
        if hypothesis == "export":
            ratio = self._oracle.exports()
        else:
            follows = 0.99 * (1 - (1 - intensity) ** _BACK)
            walk = np.array([1.0, 64 / self._many, 192 / self._many])
            code = _WALKING.get(hypothesis)
            if code:
                walk[code] = follows
                walk[0] = 1 - follows
            v = self.visits
            swept = self._sweep(hypothesis)[v.account, self.relation] * walk[self.walk]
            forced = {"break_glass": "break_glass", "checks": "check", "series": "check"}
            names = {"enumeration": ("by_id", "view_id", "check"),
                     "name_sweep": ("by_name", "query", "find")}  # fmt: skip
            flows = self.stage.chosen.workflows
            how = forced.get(hypothesis, "")
            if hypothesis in names:
                how = next((n for n in names[hypothesis] if n in flows), next(iter(flows)))
            ratio = swept / self._usual * self._oracle.manner(how)
            ratio = np.where(self._oracle.named, ratio, 1.0)
        return np.where(self.visits.at >= self.begin, ratio, 1.0)


class _Past:
    """When a pair was seen before a moment."""

    _SPAN: Final = 1 << 24  # seconds: half a year

    def __init__(self, pair: Ints, at: Ints, start: int) -> None:
        self._start = start - DAY
        self._keys = np.sort(pair * self._SPAN + (at - self._start) // 1_000_000)

    def last(self, pair: Ints, at: Ints) -> Ints:
        """Return when `pair` was last seen at or before `at`, else -1."""
        wanted = pair * self._SPAN + np.maximum((at - self._start) // 1_000_000, 0)
        place = np.searchsorted(self._keys, wanted, side="right") - 1
        key = self._keys[np.maximum(place, 0)]
        hit = (place >= 0) & (key // self._SPAN == pair)
        return np.where(hit, key % self._SPAN * 1_000_000 + self._start, -1)
