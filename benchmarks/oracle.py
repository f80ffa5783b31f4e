"""The oracle: what the simulator itself would say of each visit, honest or stolen.

It says how soon a theft *can* be noticed, so that a detector is measured against what is possible
and not against what is wished for. A visit is one encounter: the patient who was wanted (not those
beside him on a result page) and how it was asked for. The oracle knows:

- every account's own chances of its sources (own, team, organisation, new, local, region,
  anywhere), whose patients those are on each day *including tomorrow's new ones*, and who lives
  where: the exact chance of this very patient under honest work;
- the honest context of each day: replacement, transfer, on-call duty, campaign, outbreak, and the
  share of a recall or clean-up in the day's honest visits;
- how each profession asks (workflows and their shares), who exports, how much and how often;
- the thief's distribution: his family, whether he reaches the register or the practice only, his
  intensity among the owner's visits to the nearest of `INTENSITIES`.

It does not know which visit is stolen, when the theft began, or whom it is about. It ignores tempo,
hours, networks, devices and sessions, and judges each account alone: a detector that uses those
well may be sooner. A curious owner's neighbourhood is approximated, and so are bursts.
"""

from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks import densities
from benchmarks.encounters import WRITING, Floats, Ints, key_of, visits
from vigie.events import ACTIONS, VOCABULARIES
from vigie.simulate import staff
from vigie.simulate.chance import streams
from vigie.simulate.choosing import ANYWHERE, LOCAL, NEW, ORGANISATION, OWN, REGION, TEAM
from vigie.simulate.presets import Stage
from vigie.simulate.world import REASONS, Attack, World

DAY: Final = 86_400_000_000
INTENSITIES: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 0.95)
"""Shares of the thief among the visits of an account under attack."""
_MEMORY: Final = 32


class Oracle:
    """The chances of each visit of one world, honest and by family."""

    def __init__(self, world: World, stage: Stage) -> None:
        self.world, self.stage, self.visits = world, stage, visits(world)
        people = stage.people
        self.day = np.clip(_local(self.visits.at, stage) / DAY, 0, world.days - 1e-6)
        self.whole_day = self.day.astype(np.int64)
        self._manners: dict[str, Floats] = {}
        self._place_rank = np.empty(people.register.size, np.int64)
        self._place_rank[people.register.by_place] = np.arange(people.register.size)
        self._nir_rank = np.empty(people.register.size, np.int64)
        self._nir_rank[people.register.by_nir] = np.arange(people.register.size)

    @cached_property
    def named(self) -> NDArray[np.bool_]:
        """Say which visits are about somebody."""
        found: NDArray[np.bool_] = self.visits.patient >= 0
        return found

    def _spans(self, spans: Ints, owner: Ints) -> Floats:
        """Return the chance of each visit's patient in a uniform draw from its owner's span."""
        low, high = spans[owner, 0], spans[owner, 1]
        place = self._place_rank[self.visits.patient]
        inside = (place >= low) & (place < high)
        return inside / np.maximum(high - low, 1)

    @cached_property
    def nearby(self) -> Floats:
        """Return the chance among those who live near the organisation."""
        people, where = self.stage.people, self.visits.organisation
        return 0.6 * self._spans(people.commune_span, where) + 0.4 * self._spans(
            people.area_span, where
        )

    @cached_property
    def elsewhere(self) -> Floats:
        """Return the chance among those who live near some organisation of the platform."""
        people = self.stage.people
        total = np.zeros(people.register.size + 1)
        for spans, share in ((people.commune_span, 0.6), (people.area_span, 0.4)):
            weight = share / np.maximum(spans[:, 1] - spans[:, 0], 1) / len(spans)
            np.add.at(total, spans[:, 0], weight)
            np.add.at(total, spans[:, 1], -weight)
        density: Floats = np.cumsum(total)[self._place_rank[self.visits.patient]]
        return density

    @cached_property
    def _sequence(self) -> Ints:
        """Return whose patients each visit's account has that day: a boss's where it is said."""
        people, v = self.stage.people, self.visits
        usual = self.stage.work.sequence[v.account, self.whole_day]
        return np.where(v.behalf >= 0, people.sequence[v.behalf], usual)

    @cached_property
    def known(self) -> Floats:
        """Return the chances [visit, (own, team, organisation, new, practice, panel)]."""
        people = self.stage.people
        sequences, v = people.sequences, self.visits
        order = np.argsort(sequences.patients, kind="stable")
        owner = np.repeat(np.arange(len(sequences.starts)), sequences.lengths)[order]
        place = order - sequences.starts[owner]
        starts = np.searchsorted(sequences.patients[order], np.arange(people.register.size + 1))
        count = len(sequences.starts)
        team, site = np.full(count, -1), np.full(count, -1)
        team[people.sequence], site[people.sequence] = people.team, people.organisation
        members = np.bincount(people.sequence, minlength=count).astype(np.float64)
        found: Floats = densities.known(
            v.patient, self._sequence, people.sequence[v.account], people.team[v.account],
            v.organisation, self.day, starts, owner, place, team, site,
            members / np.bincount(people.team)[np.maximum(team, 0)],
            members / np.bincount(people.organisation)[np.maximum(site, 0)],
            sequences.known, sequences.growth, sequences.lengths, sequences.window,
        )  # fmt: skip
        return found

    @property
    def _daily(self) -> list[np.random.Generator]:
        return streams(self.world.seed, 7, self.world.preset, "daily")

    @cached_property
    def special(self) -> Ints:
        """Return what the day of each visit is: on call, campaign, outbreak; -1 as usual."""
        base = self.stage
        _, why = staff.expected(self._daily[1], base.people, base.odd, base.roster, base.work)
        return why[self.visits.account, self.whole_day]

    @cached_property
    def mix(self) -> Floats:
        """Return each visit's chances of the seven sources."""
        usual = staff.mixes(self._daily[2], self.stage.people)[self.visits.account]
        for name, mix in staff.MIXES.items():
            usual[self.special == REASONS.index(name)] = mix / mix.sum()
        broken = self._action == ACTIONS.index("break_glass")
        moved = usual[:, OWN] + usual[:, NEW]
        usual[broken, LOCAL] += 0.6 * moved[broken]
        usual[broken, ORGANISATION] += 0.4 * moved[broken]
        usual[broken, OWN] = usual[broken, NEW] = 0
        return usual

    @property
    def _action(self) -> Ints:
        return self.visits.key // (64 * 16 * 2)

    @cached_property
    def burst(self) -> Floats:
        """Return the share of recalls and clean-ups in the honest visits of that day."""
        v = self.visits
        cell = v.account * self.world.days + self.whole_day
        honest = self.named & (v.attack < 0)
        busy = honest & (v.reason == REASONS.index("administrative"))
        shape = self.stage.people.size * self.world.days
        share = np.bincount(cell[busy], minlength=shape) / np.maximum(
            np.bincount(cell[honest], minlength=shape), 1
        )
        return np.minimum(share, 0.95)[cell]

    @cached_property
    def by_source(self) -> Floats:
        """Return the chance of this patient from each of the seven sources."""
        anyone = np.full(len(self.day), 1 / self.stage.people.register.size)
        table = np.empty((len(self.day), 7))
        own, team, organisation, new = self.known.T[:4]
        for code, column in (
            (OWN, own), (TEAM, team), (ORGANISATION, organisation), (NEW, new),
            (LOCAL, self.nearby), (REGION, self.elsewhere), (ANYWHERE, anyone),
        ):  # fmt: skip
            table[:, code] = column
        return table

    @cached_property
    def honest(self) -> Floats:
        """Return the chance of this patient under honest work."""
        usual = (self.mix * self.by_source).sum(axis=1)
        people = self.stage.people
        steps = {0: 0.21, 1: 0.58, 2: 0.21}
        number = self.walk(np.arange(people.register.size), steps, 0.8)
        name = self.walk(people.register.name_rank, steps, 0.8)
        busy = 0.5 * (0.35 * number + 0.65 * name) + 0.5 * self.known[:, 0]
        mixed: Floats = (1 - self.burst) * usual + self.burst * busy
        return mixed

    def walk(self, rank: Ints, steps: dict[int, float], intensity: float) -> Floats:
        """Return the chance when `rank` moves by `steps` from the thief's visit before.

        Which one that was is not known: the k-th before with chance i(1 - i)^(k - 1).
        """
        v = self.visits
        place = np.where(self.named, rank[v.patient], -(10**9))
        size = max(abs(step) for step in steps)
        table = np.zeros(2 * size + 1)
        for step, chance in steps.items():
            table[step + size] += chance
        weights = intensity * (1 - intensity) ** np.arange(_MEMORY)
        base = 1 / self.stage.people.register.size
        found: Floats = densities.walk(v.account, place, table, weights, base)
        return found

    def _asked(self, weights: dict[str, float]) -> dict[int, float]:
        """Return the chance of each way of asking, from the shares of workflows."""
        shapes = VOCABULARIES["query_shape"]
        found: dict[int, float] = {}
        total = sum(weights.values())
        for name, share in weights.items():
            steps = self.stage.chosen.workflows[name]
            first = steps[0]
            writes = any(ACTIONS.index(step.action) in WRITING for step in steps)
            key = int(key_of(
                np.int64(ACTIONS.index(first.action)),
                np.int64(self.world.objects.index(first.object)),
                np.int64(shapes.index(first.shape)), np.int64(writes),
            ))  # fmt: skip
            found[key] = found.get(key, 0.0) + share / total
        return found

    def manner(self, forced: str = "") -> Floats:
        """Return thief's chance over owner's for how each visit was asked for."""
        if forced not in self._manners:
            self._manners[forced] = self._manner(forced)
        return self._manners[forced]

    def _manner(self, forced: str) -> Floats:
        people, preset = self.stage.people, self.stage.chosen
        ratio = np.ones(len(self.day))
        profession = people.profession[self.visits.account]
        for number, kind in enumerate(people.professions):
            rows = np.flatnonzero((profession == number) & self.named)
            habit = preset.habits.get(kind.style, preset.habits[min(preset.habits)])
            usual = self._asked(dict(habit))
            stolen = self._asked({forced: 1.0} if forced else _read_only(habit, preset.workflows))
            keys, places = np.unique(self.visits.key[rows], return_inverse=True)
            values = np.array([
                stolen.get(key, 0.0) / usual.get(key, 1e-4) if key in usual or key in stolen else 1
                for key in keys.tolist()
            ])  # fmt: skip
            if len(rows):
                ratio[rows] = values[places]
        return ratio

    def exports(self) -> Floats:
        """Return the likelihood ratio of each export: how often and how many, dumps included."""
        v, size = self.visits, self.visits.size
        ratio = np.ones(len(size))
        honest = (size >= 0) & (v.attack < 0)
        count = np.bincount(v.account[honest], minlength=self.stage.people.size)
        logs = np.log(np.maximum(size, 1))
        total = np.bincount(v.account[honest], logs[honest], minlength=len(count))
        mean = (5.2 / 1.2**2 + total / 0.8**2) / (1 / 1.2**2 + count / 0.8**2)
        here = np.flatnonzero(size >= 0)
        usual = _normal(logs[here], mean[v.account[here]], 0.8)
        register = self.stage.people.register.size
        flat = (logs[here] > np.log(300)) & (logs[here] < np.log(20_000))
        dump = (size[here] > 0.3 * register) * size[here] / (0.7 * register)
        stolen = 0.75 * flat / np.log(20_000 / 300) + 0.25 * dump + 1e-6
        rate = np.maximum(count / self.world.days, 1e-3)[v.account[here]]
        ratio[here] = stolen / np.maximum(usual, 1e-12) / rate
        return ratio

    def namesakes(self) -> Floats:
        """Return the chance among those who bear the owner's surname."""
        table, accounts = self.stage.people.register.table, self.stage.people.accounts
        words = pa.concat_arrays([
            table["surname"].combine_chunks(), accounts["surname"].combine_chunks(),
        ]).dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)  # fmt: skip
        theirs, ours = words[: len(table)], words[len(table) :]
        many = np.bincount(theirs[theirs >= 0], minlength=int(words.max()) + 1)
        mine = ours[self.visits.account]
        found: Floats = (theirs[self.visits.patient] == mine) / np.maximum(many[mine], 1)
        return found

    def colleagues(self) -> Floats:
        """Return the chance among those who work where the owner does and are patients too.

        Two to eight of them, at most four of the own team first, the rest drawn at the place.
        """
        people, visits, sizes = self.stage.people, self.visits, np.arange(2, 9)
        first = np.array([np.mean((rank < sizes) / sizes) for rank in range(4)])
        treated = np.flatnonzero(people.owner >= 0)
        chances = {-1: 0.0}
        for one in range(people.size):
            mates = treated[people.organisation[treated] == people.organisation[one]]
            mates = mates[mates != one]
            near = mates[people.team[mates] == people.team[one]][:4]
            rest = (1 - first[: len(near)].sum()) / max(len(mates), 1)
            pairs = one * people.register.size + people.owner[mates]
            chances |= dict.fromkeys(pairs.tolist(), rest)
            for mate, chance in zip(near, first, strict=False):
                chances[one * people.register.size + int(people.owner[mate])] += float(chance)
        keys = np.array(sorted(chances))
        values = np.array([chances[key] for key in keys.tolist()])
        asked = visits.account * people.register.size + visits.patient
        asked = np.where(visits.patient >= 0, asked, -1)
        place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        return np.where(keys[place] == asked, values[place], 0.0)

    def stolen(self, hypothesis: str, intensity: float) -> Floats:
        """Return the likelihood ratio of each visit under `hypothesis` (see `hypothesis_of`)."""
        people, flows = self.stage.people, self.stage.chosen.workflows
        anyone = np.full(len(self.day), 1 / people.register.size)

        def first(*names: str) -> str:
            return next((name for name in names if name in flows), next(iter(flows)))

        if hypothesis == "export":
            return self.exports()
        number, size = np.arange(people.register.size), 30
        near = {d: (2 * size - abs(d)) / (2 * size) ** 2 for d in range(1 - 2 * size, 2 * size)}
        famous = {d: (4 - abs(d)) / 16 for d in range(-3, 4)}
        strides = {s: float(np.log((s + 1) / s) / np.log(6)) for s in range(2, 12)}
        jumps = {1: 0.8875, 2: 0.0375, 3: 0.0375, 4: 0.0375}
        town = self._spans(people.commune_span, people.organisation[self.visits.account])
        patient, forced = {
            "register": lambda: (anyone, ""),
            "practice": lambda: (self.known[:, 4], ""),
            "break_glass": lambda: (anyone, "break_glass"),
            "checks": lambda: (anyone, first("check")),
            "series": lambda: (self.walk(self._nir_rank, {1: 1.0}, intensity), first("check")),
            "enumeration": lambda: (
                self.walk(number, jumps, intensity), first("by_id", "view_id", "check"),
            ),
            "name_sweep": lambda: (
                self.walk(people.register.name_rank, strides, intensity),
                first("by_name", "query", "find"),
            ),
            "town_sweep": lambda: (town, ""),
            "own_panel": lambda: (self.known[:, 5], ""),
            "namesakes": lambda: (self.namesakes(), ""),
            "colleagues": lambda: (self.colleagues(), ""),
            "neighbours": lambda: (
                0.3 * town + 0.7 * self.walk(self._place_rank, near, 0.05), "",
            ),
            "celebrity": lambda: (
                0.3 * town + 0.7 * self.walk(self._place_rank, famous, 0.05), "",
            ),
        }[hypothesis]()  # fmt: skip
        ratio = patient / self.honest * self.manner(forced)
        return np.where(self.named, ratio, 1.0)


def hypothesis_of(attack: Attack) -> str:
    """Return which distribution of patients a theft follows, as its parameters say."""
    family, said = attack.family, attack.parameters
    if family in ("export", "database_dump"):
        return "export"
    if family == "rights_check_sweep":
        return "series" if said.get("order") == "series" else "checks"
    if family == "curiosity":
        return str(said["whom"])
    if family in ("enumeration", "name_sweep", "town_sweep", "own_panel"):
        return family
    if family == "break_glass_abuse":
        return "break_glass"
    return "practice" if said.get("reach") == "own practice" else "register"


def _local(at: Ints, stage: Stage) -> Ints:
    """Return µs since the first local midnight; a repeated hour counts as its first pass."""
    passed, offsets = at - stage.calendar.start, stage.calendar.offsets[0]
    hour = np.clip(passed // (DAY // 24), 0, len(offsets) - 1)
    return passed + offsets[hour] - offsets[0]


def _read_only(habit: dict[str, float], flows: dict[str, tuple]) -> dict[str, float]:
    """Return the thief's shares of workflows (`attacks.Case.flows`)."""
    kept = {n: w for n, w in habit.items() if n not in ("export", "break_glass", "merge")}
    return {
        name: share * (0.25 if any(ACTIONS.index(s.action) in WRITING for s in flows[name]) else 1)
        for name, share in kept.items()
    }


def _normal(x: Floats, mean: Floats, sigma: float) -> Floats:
    return np.exp(-0.5 * ((x - mean) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
