"""Thefts in the region: seventeen families, at varied pace, from the victim's desk or from afar."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import DAY, HOUR, SECOND, Ints
from benchmarks.elsewhere.region.people import DAYS, KIND, PERSONS, World
from benchmarks.elsewhere.region.sessions import ACTION, SHAPES, Lines, searches, until

_FIRST: Final = 29.0
"""The day from which thefts begin, but for one family."""
CARERS: Final = (
    "gp", "secretary", "specialist", "pharmacist", "dispenser", "home_nurse", "ward_nurse",
    "ward_doctor", "er_nurse", "er_doctor", "lab_desk", "home_care", "transverse", "er_desk",
    "specialist_secretary", "billing",
)  # fmt: skip


@dataclass
class Crime:
    """The scene of a theft: the honest lines, and what the account opened (`mine`)."""

    world: World
    lines: Lines
    account: int
    mine: Ints
    rng: np.random.Generator

    def host(self, at: Ints) -> Ints:
        """Return the account's own line before each moment."""
        times = self.lines.columns["at"][self.mine]
        return self.mine[np.clip(np.searchsorted(times, at) - 1, 0, len(self.mine) - 1)]

    def start(self, later: float = 18.0) -> int:
        """Return a moment of work in the days in which thefts begin."""
        times = self.lines.columns["at"][self.mine]
        some = times[(times > until(_FIRST)) & (times < until(_FIRST + later))]
        return int(self.rng.choice(some)) if len(some) else until(_FIRST + 3.4)

    def working(self, begin: int, share: float, count: int) -> Ints:
        """Return moments beside the owner's own accesses: a share of all becomes the thief's."""
        times = self.lines.columns["at"][self.mine]
        times = times[times >= begin]
        many = self.rng.poisson(share / (1 - share), len(times))
        at = np.repeat(times, many)
        return np.sort(at + self.rng.integers(5, 500, len(at)) * SECOND)[:count]

    def burst(self, begin: int, gap: float, count: int) -> Ints:
        """Return moments one after the other, `gap` seconds apart in the mean."""
        steps = 1 + self.rng.gamma(1.5, gap / 1.5, count)
        return begin + np.cumsum(steps).astype(np.int64) * SECOND

    def nights(self, begin: int, count: int) -> Ints:
        """Return moments in some nights from the next one on, 20 to 60 a night."""
        per = int(self.rng.integers(20, 60))
        night = np.arange(count) // per
        first = (begin - until(0)) // DAY
        hours = self.rng.uniform(1, 4.5, count)
        return np.sort(until(0) + (first + 1 + night) * DAY + (hours * HOUR).astype(np.int64))

    def anybody(self, count: int) -> Ints:
        """Return patients of the whole register."""
        return self.rng.choice(PERSONS, count, replace=False)

    def townspeople(self, count: int) -> Ints:
        """Return patients of the account's own area."""
        area = self.world.area_of_unit[self.world.home[self.account]]
        return self.rng.choice(np.flatnonzero(self.world.area[:PERSONS] == area), count, False)

    def panel(self, begin: int) -> Ints:
        """Return everybody whom the account opened before, in no order."""
        before = self.mine[self.lines.columns["at"][self.mine] < begin]
        return self.rng.permutation(np.unique(self.lines.columns["patient"][before]))

    def acts(self, at: Ints, patient: Ints, foreign: bool, **columns: Ints | int) -> Lines:
        """Return the thief's lines: the seat of the victim, or one of his own."""
        count = min(len(at), len(patient))
        at, patient = at[:count], patient[:count]
        lines = self.lines.take(self.host(at)).but(
            at=at, patient=patient, action=ACTION["open"], access=np.arange(count), records=-1,
            shape=-1, theft=0,
        )  # fmt: skip
        if foreign:
            mark = int(self.rng.integers(100_000, 10**6))
            lines = lines.but(device=mark, network=mark, agent=int(self.rng.integers(10)),
                              auth=2 if self.rng.random() < 0.6 else lines.columns["auth"],
                              session=mark + at // (4 * HOUR))  # fmt: skip
        return lines.but(**columns)

    def looked_up(self, lines: Lines, pages: bool) -> Lines:
        """Return the lines with a page of results before each, or as they are."""
        if not pages:
            return lines
        many = self.rng.integers(1, 21, lines.count)
        return Lines.together([lines, searches(self.world, lines, many, False)])


def _coin(crime: Crime, share: float = 0.5) -> bool:
    return bool(crime.rng.random() < share)


def _fast(crime: Crime) -> Lines:
    at = crime.burst(crime.start(), float(crime.rng.choice([3, 8, 20, 50])), 400)
    return crime.looked_up(crime.acts(at, crime.anybody(400), _coin(crime, 0.7)), _coin(crime))


def _slow(crime: Crime) -> Lines:
    """Some persons a working day for weeks."""
    begin = crime.start(6)
    times = crime.lines.columns["at"][crime.mine]
    own = np.unique(times[times >= begin] // DAY, return_counts=True)[1].mean()
    daily = float(crime.rng.choice([3, 6, 12, 20]))
    at = crime.working(begin, daily / (daily + own), 400)
    return crime.looked_up(crime.acts(at, crime.anybody(400), _coin(crime)), _coin(crime))


def _two_an_hour(crime: Crime) -> Lines:
    begin = crime.start(8)
    at = begin + np.cumsum(crime.rng.exponential(0.5, 700) * HOUR).astype(np.int64)
    hour = (at - until(0)) % DAY / HOUR
    at = at[(hour > 8) & (hour < 19) & (at < until(DAYS))]
    return crime.acts(at, crime.anybody(700), _coin(crime, 0.4))


def _numbers(crime: Crime) -> Lines:
    count = int(crime.rng.integers(80, 500))
    step = crime.rng.geometric(float(crime.rng.choice([0.4, 0.8, 1.0])), count)
    patient = int(crime.rng.integers(PERSONS - 3000)) + np.cumsum(step)
    at = crime.burst(crime.start(), float(crime.rng.choice([2, 10, 45])), count)
    return crime.acts(at, patient, _coin(crime))


def _names(crime: Crime) -> Lines:
    order, _ = crime.world.alphabet
    count = int(crime.rng.integers(60, 400))
    from_place = int(crime.rng.integers(PERSONS - 3000))
    step = crime.rng.geometric(float(crime.rng.choice([0.3, 1.0])), count)
    places = from_place + np.cumsum(step)
    at = crime.burst(crime.start(), float(crime.rng.choice([4, 15, 60])), count)
    return crime.acts(at, order[places], _coin(crime))


def _pages(crime: Crime) -> Lines:
    """Nothing is opened: prefixes are searched, twenty persons a page."""
    at = crime.burst(crime.start(), float(crime.rng.choice([6, 30, 300])), 40)
    lines = crime.acts(at, crime.anybody(40), _coin(crime))
    found = searches(crime.world, lines, np.full(40, 20), False)
    return found.but(shape=SHAPES.index("prefix"))


def _rights(crime: Crime) -> Lines:
    at = crime.burst(crime.start(), float(crime.rng.choice([3, 12, 60])), 300)
    return crime.acts(at, crime.anybody(300), _coin(crime), action=ACTION["rights_check"])


def _export(crime: Crime) -> Lines:
    at = crime.burst(crime.start(), 120.0, int(crime.rng.integers(1, 5)))
    many = crime.rng.integers(1_000, 30_000, len(at))
    return crime.acts(at, np.full(len(at), -1), _coin(crime), action=ACTION["export"],
                      records=many)  # fmt: skip


def _long_lists(crime: Crime) -> Lines:
    """Some pages of two hundred records, each line a person."""
    count = int(crime.rng.integers(3, 8))
    at = np.repeat(crime.burst(crime.start(), 90.0, count), 200)
    access = np.repeat(np.arange(count), 200)
    return crime.acts(at, crime.anybody(len(at)), _coin(crime), action=ACTION["list"],
                      access=access, records=200)  # fmt: skip


def _own_panel(crime: Crime) -> Lines:
    begin = crime.start()
    patient = crime.panel(begin)[:400]
    gap = float(crime.rng.choice([5, 20, 60]))
    at = crime.nights(begin, len(patient)) if _coin(crime) else crime.burst(
        begin, gap, len(patient))  # fmt: skip
    return crime.acts(at, patient, _coin(crime))


def _own_town(crime: Crime) -> Lines:
    at = crime.working(crime.start(6), float(crime.rng.choice([0.2, 0.4])), 300)
    return crime.acts(at, crime.townspeople(300), False)


def _at_the_desk(crime: Crime) -> Lines:
    at = crime.working(crime.start(10), float(crime.rng.choice([0.3, 0.6, 0.8])), 250)
    return crime.looked_up(crime.acts(at, crime.anybody(250), False), _coin(crime))


def _by_night(crime: Crime) -> Lines:
    at = crime.nights(crime.start(10), 150)
    patient = crime.anybody(150) if _coin(crime) else crime.townspeople(150)
    return crime.looked_up(crime.acts(at, patient, True), _coin(crime, 0.3))


def _dormant(crime: Crime) -> Lines:
    begin = until(crime.rng.uniform(38, 52)) // DAY * DAY + 9 * HOUR
    gap = float(crime.rng.choice([10, 60, 240]))
    return crime.acts(crime.burst(begin, gap, 200), crime.anybody(200), _coin(crime, 0.8))


def _before(crime: Crime) -> Lines:
    at = crime.working(until(0), float(crime.rng.choice([0.1, 0.25, 0.4])), 900)
    return crime.acts(at, crime.anybody(900), _coin(crime))


FAMILIES: Final[dict[str, Callable[[Crime], Lines]]] = {
    "fast_sweep": _fast, "low_and_slow": _slow, "two_an_hour": _two_an_hour,
    "by_number": _numbers, "by_name": _names, "result_pages": _pages, "rights_checks": _rights,
    "export": _export, "long_lists": _long_lists, "own_panel": _own_panel, "own_town": _own_town,
    "at_the_desk": _at_the_desk, "by_night": _by_night, "dormant": _dormant,
    "before_the_log": _before,
}  # fmt: skip
"""Families on one account; `one_site` and `one_device` take several."""
_ASKS_RIGHTS: Final = ("pharmacist", "dispenser", "billing", "lab_desk", "er_desk")


def rob(
    world: World, lines: Lines, seed: int, each: int, unseen: tuple[str, ...] = ()
) -> tuple[Lines, tuple[str, ...]]:
    """Return the lines with `each` thefts of every family, and the families by number.

    Families of which the log would show nothing are `unseen`. Dormant accounts are made: whatever
    the owner did after the fifteenth day is left out.
    """
    rng = np.random.default_rng([seed, 31])
    able = np.isin(world.kind, [KIND[kind] for kind in CARERS])
    rows = np.bincount(lines.columns["account"], minlength=len(world.kind))
    late = np.bincount(lines.columns["account"][lines.columns["at"] > until(_FIRST)],
                       minlength=len(rows))  # fmt: skip
    early = np.bincount(lines.columns["account"][lines.columns["at"] < until(15)],
                        minlength=len(rows))  # fmt: skip
    free = list(rng.permutation(np.flatnonzero(able & (rows > 60) & (late > 30))))
    parts, families = [], []
    for name, act in FAMILIES.items():
        for _ in range(0 if name in unseen else each):
            wanted = _ASKS_RIGHTS if name == "rights_checks" else CARERS
            dormant = name == "dormant"
            account = _next(world, [one for one in free if early[one] > 20 or not dormant], wanted)
            free.remove(account)
            if dormant:
                gone = (lines.columns["account"] == account) & (lines.columns["at"] > until(15))
                lines = lines.take(np.flatnonzero(~gone))
            parts.append(act(_scene(world, lines, account, rng)).but(theft=len(families)))
            families.append(name)
    for name in ("one_site", "one_device"):
        for _ in range(max(each * 3 // 4, 1)):
            parts += _several(world, lines, free, rng, name, len(families))
            families.append(name)
    return Lines.together([lines, *parts]), tuple(families)


def _next(world: World, free: list[int], kinds: tuple[str, ...]) -> int:
    codes = [KIND[kind] for kind in kinds]
    return int(next(account for account in free if world.kind[account] in codes))


def _scene(world: World, lines: Lines, account: int, rng: np.random.Generator) -> Crime:
    aside = np.isin(lines.columns["action"], [ACTION["search"], ACTION["login"]])
    mine = np.flatnonzero((lines.columns["account"] == account) & ~aside)
    return Crime(world, lines, account, mine, rng)


def _several(world, lines, free, rng, name: str, number: int) -> list[Lines]:
    """Rob several accounts of one organisation, or of any from one device, in the same days."""
    site = world.organisation_of_unit[world.home]
    many = int(rng.integers(4, 9))
    if name == "one_site":
        count = np.bincount(site[free])
        chosen = rng.choice(np.flatnonzero(count >= 4))
        team = [account for account in free if site[account] == chosen][:many]
    else:
        team = free[:many]
    mark, apart = int(rng.integers(100_000, 10**6)), _rolled(rng)
    begin, share = int(until(rng.uniform(30, 46))), float(rng.choice([0.1, 0.3, 0.5]))
    parts = []
    for account in team:
        free.remove(account)
        crime = _scene(world, lines, account, rng)
        at = crime.working(begin, share, 40)
        part = crime.acts(at, crime.anybody(40), False).but(theft=number)
        if name == "one_device" or apart:
            part = part.but(device=mark, network=mark, session=mark + account)
        parts.append(part)
    return parts


def _rolled(rng: np.random.Generator) -> bool:
    return bool(rng.random() < 0.4)
