"""Thefts on the portal: seventeen families, at varied pace, from the own desk or from afar."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import DAY, HOUR, SECOND, Ints
from benchmarks.elsewhere.payers.lines import (
    ACTION,
    MISSED,
    SHAPES,
    Lines,
    Numbers,
    searches,
    until,
)
from benchmarks.elsewhere.payers.people import DAYS, KIND, World

_FIRST: Final = 30.0
"""The day from which thefts begin, but for one family."""
SOFTWARE: Final = ("optician_software", "lab_software")
VICTIMS: Final = (
    "optician", "optician_shop", "optician_office", "hearing", "pharmacist", "dental_desk",
    "dental_office", "lab_desk", "lab_office", "admission", "hospital_office", "transport",
)  # fmt: skip


@dataclass
class Crime:
    """The scene of a theft: the honest lines, and what the account did (`mine`)."""

    world: World
    numbers: Numbers
    lines: Lines
    account: int
    mine: Ints
    rng: np.random.Generator

    @property
    def times(self) -> Ints:
        """Return when the account worked."""
        return self.lines.columns["at"][self.mine]

    def pace(self, *gaps: float) -> float:
        """Return one of some paces."""
        return float(self.rng.choice(gaps))

    def coin(self, share: float = 0.5) -> bool:
        """Return true as often as asked."""
        return bool(self.rng.random() < share)

    def start(self, later: float = 17.0) -> int:
        """Return a moment of work in the days in which thefts begin."""
        some = self.times[(self.times > until(_FIRST)) & (self.times < until(_FIRST + later))]
        return int(self.rng.choice(some)) if len(some) else until(_FIRST + 6.4)

    def daily(self, begin: int, each: float, count: int) -> Ints:
        """Return moments in the hours at which the account works, some each day that it does."""
        days = np.unique((self.times[self.times >= begin] - until(0)) // DAY)
        day = np.repeat(days, self.rng.poisson(each, len(days)))
        low, high = np.quantile((self.times - until(0)) % DAY, [0.05, 0.95])
        return np.sort(until(0) + day * DAY + self.rng.uniform(low, high, len(day)).astype(int))[
            :count
        ]

    def burst(self, begin: int, gap: float, count: int) -> Ints:
        """Return moments one after the other, `gap` seconds apart in the mean."""
        return begin + np.cumsum(1 + self.rng.gamma(1.5, gap / 1.5, count)).astype(int) * SECOND

    def nights(self, begin: int, count: int, each: int) -> Ints:
        """Return moments in some nights from the next one on."""
        first = (begin - until(0)) // DAY
        night = first + 1 + np.arange(count) // each
        hours = self.rng.uniform(0.8, 4.8, count) * HOUR
        at = until(0) + night * DAY + hours.astype(int)
        return np.sort(at[at < until(DAYS)])

    def anybody(self, count: int) -> Ints:
        """Return persons of the whole register."""
        return self.rng.choice(len(self.world.policy), count, replace=False)

    def acts(self, at: Ints, patient: Ints, foreign: bool, action: str, **columns: object) -> Lines:
        """Return the thief's lines: the seat of the victim, or one of his own."""
        count = min(len(at), len(patient))
        at, patient = at[:count], patient[:count]
        host = self.mine[np.clip(np.searchsorted(self.times, at) - 1, 0, len(self.mine) - 1)]
        missed = patient >= len(self.world.policy)
        lines = self.lines.take(host).but(
            at=at, patient=patient, action=ACTION[action], access=np.arange(count), theft=0,
            records=np.where(missed, 0, -1), outcome=np.where(missed, MISSED, 0),
            shape=SHAPES.index("exact_id") if action == "rights_check" else -1,
        )  # fmt: skip
        if foreign:
            mark = int(self.rng.integers(400_000, 10**6))
            lines = lines.but(device=mark, network=mark, agent=int(self.rng.integers(9)), auth=0,
                              session=mark + at // (4 * HOUR))  # fmt: skip
        return lines.but(**columns)

    def asks(self, at: Ints, patient: Ints, foreign: bool) -> Lines:
        """Return rights checks; every third thief also looks at the file behind."""
        lines = self.acts(at, patient, foreign, "rights_check")
        if not self.coin(0.35):
            return lines
        seen = lines.take(np.flatnonzero(lines.columns["outcome"] == 0))
        return Lines.together([lines, seen.but(
            at=seen.columns["at"] + 4 * SECOND, action=ACTION["open"], shape=-1,
            access=np.arange(seen.count))])  # fmt: skip


def _random_numbers(crime: Crime) -> Lines:
    """Numbers and birth dates by guess: most are nobody's."""
    count = 400
    patient = crime.anybody(count)
    miss = crime.rng.random(count) > crime.pace(0.1, 0.3, 0.6)
    patient[miss] = crime.numbers.nobody(crime.rng.integers(10_000, 17_000_000, miss.sum()))
    at = crime.burst(crime.start(), crime.pace(2, 8, 30, 150), count)
    return crime.asks(at, patient, crime.coin(0.7))


def _by_policy(crime: Crime) -> Lines:
    """Policy after policy of an insurer, the first of the family or each rank."""
    world, count = crime.world, int(crime.rng.integers(120, 450))
    begin = int(crime.rng.choice(world.number)) // 10
    ranks = [1] if crime.coin() else [1, 2, 3]
    number = (begin + np.arange(count)[:, None]) * 10 + np.array(ranks)
    number = number.ravel()[:count]
    order = np.argsort(world.number)
    place = np.clip(np.searchsorted(world.number[order], number), 0, len(order) - 1)
    patient = order[place]
    miss = world.number[patient] != number
    patient[miss] = crime.numbers.nobody(number[miss])
    at = crime.burst(crime.start(), crime.pace(2, 10, 45, 200), count)
    return crime.asks(at, patient, crime.coin())


def _families(crime: Crime) -> Lines:
    """All members of one policy, then of another one anywhere."""
    policy = crime.rng.choice(crime.world.policy.max() + 1, 150, replace=False)
    begin = np.searchsorted(crime.world.policy, policy)
    size = np.searchsorted(crime.world.policy, policy, "right") - begin
    patient = np.repeat(begin, size) + np.arange(size.sum()) - np.repeat(
        np.cumsum(size) - size, size)  # fmt: skip
    at = crime.burst(crime.start(), crime.pace(3, 12, 60, 240), len(patient))
    return crime.asks(at, patient, crime.coin())


def _sweep(crime: Crime) -> Lines:
    """A list of real numbers bought elsewhere."""
    at = crime.burst(crime.start(), crime.pace(3, 12, 60, 300), 350)
    return crime.asks(at, crime.anybody(350), crime.coin(0.6))


def _pages(crime: Crime) -> Lines:
    """Beginnings of names, twenty persons a page; nothing is opened."""
    at = crime.burst(crime.start(), crime.pace(6, 30, 120, 600), 40)
    lines = crime.acts(at, crime.anybody(40), crime.coin(), "open")
    return searches(crime.world, lines, np.full(40, 20), "prefix")


def _others_files(crime: Crime) -> Lines:
    """Files of other sites, by the number in the address of the page."""
    at = crime.burst(crime.start(), crime.pace(4, 20, 90, 300), 300)
    return crime.acts(at, crime.anybody(300), crime.coin(), "open")


def _export(crime: Crime) -> Lines:
    at = crime.burst(crime.start(), 120.0, int(crime.rng.integers(1, 5)))
    many = crime.rng.integers(800, 20_000, len(at))
    return crime.acts(at, np.full(len(at), -1), crime.coin(), "export", records=many, outcome=0)


def _own_files(crime: Crime) -> Lines:
    """What the shop billed itself, read again."""
    begin = crime.start()
    before = crime.mine[crime.times < begin]
    patient = crime.rng.permutation(np.unique(crime.lines.columns["patient"][before]))
    patient = patient[(patient >= 0) & (patient < len(crime.world.policy))][:300]
    if crime.coin():
        at = crime.nights(begin, len(patient), int(crime.rng.choice([20, 60, 300])))
    else:
        at = crime.burst(begin, crime.pace(5, 20, 60), len(patient))
    return crime.acts(at, patient, crime.coin(), "open")


def _at_the_desk(crime: Crime) -> Lines:
    """In the victim's session, between its own customers."""
    at = crime.daily(crime.start(10), crime.pace(8, 25, 60, 120), 250)
    lines = crime.asks(at, crime.anybody(250), False)
    taken = int(crime.rng.integers(400_000, 10**6))  # its cookie is used from another address
    return lines.but(network=taken) if crime.coin() else lines


def _by_night(crime: Crime) -> Lines:
    at = crime.nights(crime.start(10), 160, int(crime.pace(15, 40, 160)))
    return crime.asks(at, crime.anybody(160), True)


def _all_month(crime: Crime) -> Lines:
    at = crime.daily(crime.start(3), crime.pace(3, 6, 10, 16), 400)
    return crime.asks(at, crime.anybody(400), crime.coin())


def _dormant(crime: Crime) -> Lines:
    begin = until(int(crime.rng.uniform(37, 52))) + 9 * HOUR
    at = crime.burst(begin, crime.pace(8, 45, 240), 200)
    return crime.asks(at, crime.anybody(200), crime.coin(0.8))


def _before(crime: Crime) -> Lines:
    at = crime.daily(until(0), crime.pace(4, 10, 25), 900)
    return crime.asks(at, crime.anybody(900), crime.coin())


def _one_insurer(crime: Crime) -> Lines:
    """The members of one contract, say those of an employer."""
    contract = crime.world.contract
    many = np.bincount(contract)
    chosen = int(crime.rng.choice(np.flatnonzero(many > 250)))
    patient = crime.rng.permutation(np.flatnonzero(contract == chosen))[:250]
    at = crime.burst(crime.start(), crime.pace(4, 20, 90), len(patient)) if crime.coin() else (
        crime.daily(crime.start(8), crime.pace(15, 40), len(patient)))  # fmt: skip
    return crime.asks(at, patient, crime.coin())


def _one_town(crime: Crime) -> Lines:
    """People of the victim's own town, beside its own customers."""
    town = crime.world.town_of[crime.world.home[crime.account]]
    patient = crime.rng.permutation(np.flatnonzero(crime.world.lives == town))[:250]
    at = crime.daily(crime.start(6), crime.pace(8, 25, 80), len(patient))
    return crime.asks(at, patient, False)


def _by_software(crime: Crime) -> Lines:
    """At night under the name of a chain's or a laboratory's software."""
    at = crime.nights(crime.start(14), 400, int(crime.pace(40, 100, 400)))
    return crime.asks(at, crime.anybody(400), crime.coin())


FAMILIES: Final[dict[str, Callable[[Crime], Lines]]] = {
    "random_numbers": _random_numbers, "by_policy": _by_policy, "by_family": _families,
    "rights_sweep": _sweep, "name_pages": _pages, "others_files": _others_files,
    "export_bills": _export, "own_files": _own_files, "in_session": _at_the_desk,
    "at_night": _by_night, "all_month": _all_month, "dormant_desk": _dormant,
    "before_it_all": _before, "one_contract": _one_insurer, "one_town": _one_town,
    "by_software": _by_software,
}  # fmt: skip
"""Families on one account; `five_firms` takes five."""


def rob(
    world: World, numbers: Numbers, lines: Lines, seed: int, each: int, unseen: tuple[str, ...]
) -> tuple[Lines, tuple[str, ...]]:
    """Return the lines with `each` thefts of every family, and the families by number.

    Families of which the log would show nothing are `unseen`. Dormant accounts are made: whatever
    the owner did after the fifteenth day is left out.
    """
    rng = np.random.default_rng([seed, 37])
    free = _victims(world, lines, rng, VICTIMS)
    services = _victims(world, lines, rng, SOFTWARE)
    parts, families = [], []
    for name, act in FAMILIES.items():
        for _ in range(0 if name in unseen else each):
            account = (services if name == "by_software" else free).pop()
            if name == "dormant_desk":
                gone = (lines.columns["account"] == account) & (lines.columns["at"] > until(15))
                lines = lines.take(np.flatnonzero(~gone))
            crime = _scene(world, numbers, lines, account, rng)
            parts.append(act(crime).but(theft=len(families)))
            families.append(name)
    for _ in range(max(each * 3 // 4, 1)):
        parts += _five(world, numbers, lines, free, rng, len(families))
        families.append("five_firms")
    return Lines.together([lines, *parts]), tuple(families)


def _victims(world: World, lines: Lines, rng: np.random.Generator, kinds: tuple) -> list[int]:
    """Return accounts of some kinds that work enough, early and late, in no order."""
    at, account = lines.columns["at"], lines.columns["account"]
    late = np.bincount(account[at > until(_FIRST)], minlength=len(world.kind))
    early = np.bincount(account[at < until(15)], minlength=len(world.kind))
    able = np.isin(world.kind, [KIND[kind] for kind in kinds]) & (late > 25) & (early > 15)
    return rng.permutation(np.flatnonzero(able)).tolist()


def _scene(world, numbers, lines: Lines, account: int, rng) -> Crime:
    aside = np.isin(lines.columns["action"], [ACTION["search"], ACTION["login"]])
    mine = np.flatnonzero((lines.columns["account"] == account) & ~aside)
    return Crime(world, numbers, lines, account, mine, rng)


def _five(world, numbers, lines, free: list[int], rng, number: int) -> list[Lines]:
    """Rob five accounts of different firms from one device, in turn or together."""
    mark, begin = int(rng.integers(400_000, 10**6)), _FIRST + rng.uniform(0, 12)
    each, turns = float(rng.choice([4, 10, 25])), bool(rng.random() < 0.5)
    parts = []
    for turn in range(5):
        crime = _scene(world, numbers, lines, free.pop(), rng)
        at = crime.daily(until(begin + 2 * turn * turns), each, 60)
        part = crime.asks(at, crime.anybody(60), False)
        parts.append(part.but(theft=number, device=mark, network=mark, auth=0,
                              session=mark + crime.account))  # fmt: skip
    return parts
