"""Thefts: whom the thief looks up through a stolen account, when, how fast, and from where.

Each family is one function from a `Case` to `Lookups`. Every attack has its own random stream, so
that adding one changes neither the others nor the honest traffic.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow.compute as pc

from vigie.simulate.parameters import Preset
from vigie.simulate.population import DAY, Flags, Floats, Ints, Population
from vigie.simulate.rhythm import HOUR, Roster
from vigie.simulate.world import FAMILIES

_WRITING: Final = ("create", "update", "billing", "stock", "merge")
_SELDOM: Final = 0.25
"""Thieves read; the few who write to look busy do so a quarter as often: an assumption."""
_INTO_COLLEAGUES: Final = 0.3
"""Of curious owners, where colleagues are patients of the house: an assumption."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """What a thief asked for: columns of equal length; `record` is forced when not negative."""

    account: Ints
    local: Ints
    patient: Ints
    workflow: Ints
    records: Ints
    haste: Floats


@dataclass(slots=True)
class Case:
    """One theft to be played: its accounts, its day, its own chance, the world around it."""

    rng: np.random.Generator
    accounts: Ints
    day: int
    people: Population
    preset: Preset
    roster: Roster
    present: Flags
    days: int
    parameters: dict[str, float | str] = field(default_factory=dict)
    closed: bool | None = None
    guesses: float = 0.0
    """Chance that a number asked for is nobody's, where the thief makes numbers up."""

    def flow(self, *names: str) -> int:
        """Return the first workflow of `names` that the platform has, else any look-up."""
        have = list(self.preset.workflows)
        return next((have.index(name) for name in names if name in have), 0)

    def flows(self, count: int, account: Ints) -> Ints:
        """Draw workflows as the victim would, but seldom those that leave something written."""
        weights = dict.fromkeys(self.preset.workflows, 0.0)
        style = self.people.professions[self.people.profession[account[0]]].style
        habit = self.preset.habits.get(style, self.preset.habits[min(self.preset.habits)])
        weights.update(habit)
        for name, steps in self.preset.workflows.items():
            if any(step.action in _WRITING for step in steps):
                weights[name] *= _SELDOM
        for name in ("export", "break_glass", "merge"):
            weights.pop(name, None)
        names = list(self.preset.workflows)
        share = np.array([weights.get(name, 0.0) for name in names])
        drawn: Ints = self.rng.choice(len(names), count, p=share / share.sum())
        return drawn

    def share(self, account: int) -> float:
        """Return how much more than others a thief takes through this account.

        A busy account hides more; with victims drawn by the same root, stolen accesses are spread
        over the professions as honest ones are.
        """
        return float(np.sqrt(self.people.tempo[account] / np.median(self.people.tempo)))

    def uniform(self, low: float, high: float, name: str = "") -> float:
        """Draw a parameter and remember it."""
        value = float(self.rng.uniform(low, high))
        if name:
            self.parameters[name] = round(value, 3)
        return value

    def log_uniform(self, low: float, high: float, name: str = "") -> float:
        """Draw a parameter on a logarithmic scale and remember it."""
        value = float(np.exp(self.rng.uniform(np.log(low), np.log(high))))
        if name:
            self.parameters[name] = round(value, 3)
        return value

    def register_sample(self, count: int) -> Ints:
        """Draw patients from the whole register, or from the practice's where it is closed.

        A closed one is open to every second thief, who found a way around.
        """
        if self.preset.own_register and self.closed is None:
            self.closed = bool(self.rng.random() < 0.5)
            self.parameters["reach"] = "own practice" if self.closed else "register"
        if self.closed:
            site = self.people.organisation[int(self.accounts[0])]
            mates = np.flatnonzero(self.people.organisation == site)
            sequence = self.people.sequence[self.rng.choice(mates, count)]
            sequences = self.people.sequences
            frontier = sequences.frontier(sequence, np.full(count, float(self.day)))
            place = (frontier * self.rng.random(count)).astype(np.int64)
            found: Ints = sequences.patients[sequences.starts[sequence] + place]
            return found
        return self.rng.integers(self.people.register.size, size=count)


def _burst(case: Case, account: int, count: int, gap: float, hour: float) -> Lookups:
    """Ask one after another from `hour` of the case's day."""
    gaps = case.rng.gamma(2.0, gap / 2.0, count)
    local = case.day * DAY + int(hour * HOUR) + (np.cumsum(gaps) * 1e6).astype(np.int64)
    who = np.full(count, account)
    return Lookups(
        who, local, case.register_sample(count), case.flows(count, who), np.full(count, -1),
        np.full(count, min(gap / 15, 1.0)),
    )  # fmt: skip


def _spread(case: Case, account: int, per_day: float, last: int, evening: float = 0.0) -> Lookups:
    """Ask on the owner's working days, within the owner's hours or in the evening."""
    span = np.arange(max(case.day, 0), min(last, case.days))
    present = case.present[account, span] | (case.rng.random(len(span)) < 0.1)
    per_day = per_day * case.share(account)
    count = case.rng.poisson(per_day * present * case.rng.gamma(4, 0.25, len(span)))
    day = np.repeat(span, count)
    start, length = case.roster.start[account, day], case.roster.length[account, day]
    hour = start + length * case.rng.random(len(day))
    late = case.rng.random(len(day)) < evening
    hour = np.where(late, 19.0 + 3.5 * case.rng.random(len(day)), hour)
    local = np.sort(day * DAY + (hour * HOUR).astype(np.int64))
    who = np.full(len(day), account)
    return Lookups(
        who, local, case.register_sample(len(day)),
        case.flows(len(day), who) if len(day) else day, np.full(len(day), -1), np.ones(len(day)),
    )  # fmt: skip


def _joined(parts: list[Lookups]) -> Lookups:
    return Lookups(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in Lookups.__slots__)
    )


def _with(found: Lookups, *, patient: Ints | None = None, workflow: int | None = None) -> Lookups:
    return Lookups(
        found.account, found.local, found.patient if patient is None else patient,
        found.workflow if workflow is None else np.full(len(found.local), workflow), found.records,
        found.haste,
    )  # fmt: skip


def _hour(case: Case, night: float = 0.15) -> float:
    account = int(case.accounts[0])
    if case.rng.random() < night:
        return case.uniform(19.0, 23.0, "hour")
    start = case.roster.start[account, case.day]
    return float(np.clip(case.uniform(0, 1) * case.roster.length[account, case.day] + start, 0, 23))


def fast_sweep(case: Case) -> Lookups:
    """Hundreds in an hour."""
    share = case.share(int(case.accounts[0]))
    count = int(case.log_uniform(60, 400, "patients") * share) + 20
    return _burst(case, int(case.accounts[0]), count, case.log_uniform(1.5, 12, "gap"), _hour(case))


def working_hours_sweep(case: Case) -> Lookups:
    """Dozens a day during the owner's hours, over days."""
    last = case.day + int(case.uniform(3, 10, "days"))
    return _spread(case, int(case.accounts[0]), case.log_uniform(12, 60, "per_day"), last)


def low_and_slow(case: Case) -> Lookups:
    """A handful a day for weeks."""
    last = case.day + int(case.uniform(12, 35, "days"))
    return _spread(case, int(case.accounts[0]), case.log_uniform(3, 12, "per_day"), last, 0.2)


def own_workstation(case: Case) -> Lookups:
    """From the victim's own workstation, in between the owner's work."""
    last = case.day + int(case.uniform(2, 9, "days"))
    return _spread(case, int(case.accounts[0]), case.log_uniform(8, 40, "per_day"), last)


def several_accounts(case: Case, most: float = 25) -> Lookups:
    """The same thief through several accounts, each a little."""
    last = case.day + int(case.uniform(4, 14, "days"))
    pace = case.log_uniform(4, most, "per_day")
    return _joined([_spread(case, int(a), pace, last, 0.2) for a in case.accounts])


def one_site(case: Case) -> Lookups:
    """Ten accounts of one organisation at once."""
    return several_accounts(case, 14)


def enumeration(case: Case) -> Lookups:
    """Neighbouring patient numbers, one after another."""
    share = case.share(int(case.accounts[0]))
    count = int(case.log_uniform(40, 300, "patients") * share) + 20
    found = _burst(case, int(case.accounts[0]), count, case.log_uniform(3, 40, "gap"), _hour(case))
    first = int(case.rng.integers(case.people.register.size))
    steps = np.cumsum(1 + (case.rng.random(count) < 0.15) * case.rng.integers(0, 4, count))
    patient = (first + steps) % case.people.register.size
    return _with(found, patient=patient, workflow=case.flow("by_id", "view_id", "check"))


def rights_check_sweep(case: Case) -> Lookups:
    """Rights of one social-security number after another: a stolen list, or a series."""
    last = case.day + int(case.uniform(1, 8, "days"))
    found = _spread(case, int(case.accounts[0]), case.log_uniform(20, 120, "per_day"), last)
    if case.rng.random() < 0.4:
        case.parameters["order"] = "series"
        case.guesses = case.uniform(0.05, 0.4, "guesses")
        first = int(case.rng.integers(case.people.register.size))
        place = (first + np.arange(len(found.local))) % case.people.register.size
        found = _with(found, patient=case.people.register.by_nir[place])
    return _with(found, workflow=case.flow("check"))


def name_sweep(case: Case) -> Lookups:
    """Through the alphabet."""
    last = case.day + int(case.uniform(1, 6, "days"))
    found = _spread(case, int(case.accounts[0]), case.log_uniform(10, 60, "per_day"), last, 0.15)
    first = int(case.rng.integers(case.people.register.size))
    stride = int(case.log_uniform(2, 12, "stride"))
    place = (first + stride * np.arange(len(found.local))) % case.people.register.size
    return _with(
        found,
        patient=case.people.register.by_name[place],
        workflow=case.flow("by_name", "query", "find"),
    )


def town_sweep(case: Case) -> Lookups:
    """The people of the victim's own town."""
    account = int(case.accounts[0])
    last = case.day + int(case.uniform(2, 10, "days"))
    found = _spread(case, account, case.log_uniform(10, 45, "per_day"), last, 0.15)
    low, high = case.people.commune_span[case.people.organisation[account]]
    place = case.rng.integers(low, high, len(found.local))
    return _with(found, patient=case.people.register.by_place[place])


def own_panel(case: Case) -> Lookups:
    """The victim's own patients, dormant ones included, read one after another."""
    account, rng = int(case.accounts[0]), case.rng
    sequences = case.people.sequences
    sequence = case.people.sequence[account]
    frontier = int(sequences.frontier(np.array([sequence]), np.array([float(case.day)]))[0])
    share = case.uniform(0.3, 1.0, "share")
    count = min(int(frontier * share), 1500)
    start = int(sequences.starts[sequence])
    patient = sequences.patients[start : start + frontier][rng.permutation(frontier)[:count]]
    last = case.day + int(case.uniform(1, 12, "days"))
    found = _spread(case, account, count / max(last - case.day, 1), last, 0.2)
    return _with(found, patient=np.resize(patient, len(found.local)))


def export(case: Case) -> Lookups:
    """A few exports, each of many records."""
    count = int(case.rng.integers(1, 6))
    found = _burst(case, int(case.accounts[0]), count, case.log_uniform(60, 2000), _hour(case))
    size = np.exp(case.rng.uniform(np.log(300), np.log(20_000), count)).astype(np.int64)
    flow = np.full(count, case.flow("export"))
    return Lookups(found.account, found.local, np.full(count, -1), flow, size, found.haste)


def database_dump(case: Case) -> Lookups:
    """One event that takes most of the register."""
    found = _burst(case, int(case.accounts[0]), 1, 5.0, _hour(case, 0.6))
    size = np.array([int(case.people.register.size * case.uniform(0.3, 1.0, "share"))])
    return Lookups(
        found.account, found.local, np.array([-1]), np.array([case.flow("export")]), size,
        found.haste,
    )  # fmt: skip


def break_glass_abuse(case: Case) -> Lookups:
    """Emergency access without an emergency."""
    last = case.day + int(case.uniform(1, 12, "days"))
    found = _spread(case, int(case.accounts[0]), case.log_uniform(2, 12, "per_day"), last, 0.3)
    return _with(found, workflow=case.flow("break_glass"))


def curiosity(case: Case) -> Lookups:
    """The owner looks up neighbours, namesakes (family), colleagues, or somebody well known."""
    last = case.day + int(case.uniform(1, 20, "days"))
    found = _spread(case, int(case.accounts[0]), case.log_uniform(0.4, 3, "per_day"), last, 0.2)
    whom = _of_interest(case)
    return _with(found, patient=whom[case.rng.integers(0, len(whom), len(found.local))])


def _of_interest(case: Case) -> Ints:
    """Return the few people whom a curious owner looks up."""
    account, register = int(case.accounts[0]), case.people.register
    low, high = case.people.commune_span[case.people.organisation[account]]
    here = int(case.rng.integers(low, high))
    surname = case.people.accounts["surname"][account]
    named = pc.indices_nonzero(pc.equal(register.table["surname"], surname)).to_numpy()
    kind = str(case.rng.choice(["neighbours", "namesakes", "celebrity"]))
    if kind == "namesakes" and not 0 < len(named) <= 60:
        kind = "neighbours"
    mates = _colleagues(case, account)
    if len(mates):
        kind = "colleagues"
    case.parameters["whom"] = kind
    if kind == "colleagues":
        return mates
    if kind == "namesakes":
        found: Ints = named.astype(np.int64)
        return found
    reach = 30 if kind == "neighbours" else 2
    return register.by_place[max(here - reach, 0) : here + reach]


def _colleagues(case: Case, account: int) -> Ints:
    """Return a few colleagues who are patients, for three curious owners in ten; else nobody.

    Drawn apart, so that the others look up whom they looked up before.
    """
    rng, people = case.rng.spawn(1)[0], case.people
    if not len(people.owner) or rng.random() >= _INTO_COLLEAGUES:
        return np.empty(0, np.int64)
    site = people.organisation == people.organisation[account]
    mates = np.flatnonzero(site & (people.owner >= 0) & (np.arange(people.size) != account))
    near = mates[people.team[mates] == people.team[account]]
    drawn = rng.choice(mates, min(len(mates), 8), replace=False)
    whom: Ints = people.owner[np.concatenate([near[:4], drawn])[: int(rng.integers(2, 9))]]
    return whom


def begun_before(case: Case) -> Lookups:
    """A theft that was under way when the log begins."""
    case.day = 0
    last = int(case.uniform(0.4, 0.9) * case.days)
    return _spread(case, int(case.accounts[0]), case.log_uniform(4, 15, "per_day"), last, 0.2)


def dormant_account(case: Case) -> Lookups:
    """Through the account of somebody who left weeks ago, and that nobody closed."""
    account = int(case.accounts[0])
    last = int(np.flatnonzero(np.r_[True, case.present[account]])[-1])
    first = min(last + 25, int(0.94 * case.days))
    case.day = int(case.rng.integers(first, max(int(0.96 * case.days), first + 1)))
    count = int(case.log_uniform(15, 150, "patients"))
    return _burst(case, account, count, case.log_uniform(5, 60, "gap"), _hour(case))


def tampering(case: Case) -> Lookups:
    """Some look-ups, then records deleted, rights given, or traces removed (see `signs`)."""
    last = case.day + int(case.uniform(1, 4, "days"))
    return _spread(case, int(case.accounts[0]), case.log_uniform(5, 25, "per_day"), last, 0.2)


def crowd(case: Case) -> Lookups:
    """Many who have nothing to do with somebody well known open his record in a few days."""
    last = case.day + int(case.uniform(1, 4, "days"))
    whom = int(case.rng.integers(case.people.register.size))
    found = _joined([_spread(case, int(a), 1.0, last, 0.2) for a in case.accounts])
    patient = np.full(len(found.local), whom)
    return _with(found, patient=patient, workflow=case.flow("by_name", "query", "find"))


PLAYED: Final[dict[str, Callable[[Case], Lookups]]] = {
    "fast_sweep": fast_sweep, "working_hours_sweep": working_hours_sweep,
    "low_and_slow": low_and_slow, "own_workstation": own_workstation,
    "several_accounts": several_accounts, "one_site": one_site, "enumeration": enumeration,
    "rights_check_sweep": rights_check_sweep, "name_sweep": name_sweep, "town_sweep": town_sweep,
    "own_panel": own_panel, "export": export, "database_dump": database_dump,
    "break_glass_abuse": break_glass_abuse, "curiosity": curiosity, "begun_before": begun_before,
    "dormant_account": dormant_account, "tampering": tampering, "crowd": crowd,
}  # fmt: skip
assert set(PLAYED) == set(FAMILIES)
