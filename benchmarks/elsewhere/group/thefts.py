"""Thefts from the record of the group: who is robbed, whom the thief opens, when and from where."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.elsewhere.group import calendar
from benchmarks.elsewhere.group.people import CHRONIC, DAY, DAYS, HOUR, KINDS, STOCK, World
from benchmarks.elsewhere.group.rota import Rota
from benchmarks.elsewhere.group.sessions import ACTION, Alphabet, Lines
from benchmarks.elsewhere.group.stays import Stays
from benchmarks.elsewhere.group.wards import specialty
from benchmarks.elsewhere.log import Ints

ONSET: Final = 25
"""Nobody is robbed before that day, but for those who were before the log began."""
GAPS: Final = (18.0, 75.0, 300.0, 1500.0)
"""Mean seconds from one person to the next: the paces of most families."""
PLACES: Final = ("desk", "afar", "night")
"""At the victim's desk while he works; by VPN in the day; by VPN at night."""


@dataclass
class Scene:
    """The honest log, what made it, and who was robbed already."""

    world: World
    rota: Rota
    stays: Stays
    names: Alphabet
    lines: Lines
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.robbed: set[int] = set()
        day = self.lines["at"] // DAY
        acts = ~np.isin(self.lines["action"], [ACTION["login"]])
        count = len(self.world.kind)
        self.early = np.bincount(self.lines["account"][(day < ONSET) & acts], minlength=count)
        self.late = np.bincount(self.lines["account"][(day >= ONSET + 2) & acts], minlength=count)

    def victim(self, kinds: tuple[str, ...] = (), among: Ints | None = None) -> int:
        """Return an account that nobody robbed yet and that is at work before and after."""
        of = np.array(self.world.kind)
        fit = (self.early >= 15) & (self.late >= 15)
        if among is not None:
            fit = np.isin(np.arange(len(of)), among)
        if kinds:
            fit &= np.isin(of, [list(KINDS).index(k) for k in kinds])
        fit &= of != list(KINDS).index("interface")
        fit[list(self.robbed)] = False
        one = int(self.rng.choice(np.flatnonzero(fit)))
        self.robbed.add(one)
        return one

    def moments(
        self, account: int, count: int, gap: float, place: str, first: int = -1
    ) -> np.ndarray:
        """Return moments for `count` steps, `gap` apart, over as many days as it takes."""
        rng = self.rng
        mine = self.lines["at"][self.lines["account"] == account]
        start = first if first >= 0 else int(rng.integers(ONSET, DAYS - 8))
        out: list[np.ndarray] = []
        for day in range(start, DAYS):
            today = mine[(mine // DAY) == day]
            if place == "desk" and len(today) < 3:
                continue
            begins, ends = (today.min() + 60, today.max()) if place == "desk" else (
                (day * DAY + 9 * HOUR, day * DAY + 22 * HOUR) if place == "afar"
                else (day * DAY + 23 * HOUR, (day + 1) * DAY + 4.5 * HOUR))  # fmt: skip
            begins += rng.uniform(0, 0.5) * (ends - begins)
            steps = begins + np.cumsum(2 + rng.exponential(gap, count))
            out.append(steps[steps < max(ends, begins + 900)])
            if sum(map(len, out)) >= count:
                break
        return np.concatenate([*out, np.empty(0)])[:count]

    def persons(self) -> int:
        """Return how many persons the index holds."""
        return len(self.names.order)


@dataclass
class Step:
    """Rows of a thief: moments, persons, account, and what the log says of them."""

    account: int
    at: np.ndarray
    patient: Ints
    place: str
    action: str = "open"
    access: Ints | None = None
    records: Ints | None = None
    shape: int = 3
    device: int = -1


def _anybody(s: Scene, count: int) -> Ints:
    return s.rng.choice(s.persons(), count, replace=False)


def _elsewhere(s: Scene, account: int, count: int) -> Ints:
    """Return persons of the establishments that are not the account's."""
    site = s.world.units[s.world.unit[account]].site
    others = np.flatnonzero(s.world.site[:STOCK] != site)
    return s.rng.choice(others, count, replace=False)


def _plain(s: Scene, n: int, account: int, whom: Ints, first: int = -1) -> list[Step]:
    """Open persons at one of the four paces, from one of the three places."""
    place = PLACES[(n + int(s.rng.integers(3))) % 3]
    at = s.moments(account, len(whom), GAPS[n % 4], place, first)
    return [Step(account, at, whom[: len(at)], place)]


def across(s: Scene, n: int) -> list[Step]:
    """Browse everybody of the group with a privileged account of one establishment."""
    account = s.victim(("doctor", "coder", "helpdesk", "quality", "biller"))
    return _plain(s, n, account, _elsewhere(s, account, (600, 300, 200, 100)[n % 4]))


def ward_lists(s: Scene, n: int) -> list[Step]:
    """Turn pages of wards' lists, of today and of past days, and open nobody."""
    account = s.victim(("nurse", "doctor", "intern", "secretary", "clerk"))
    pages = (60, 40, 30, 20)[n % 4]
    place = PLACES[(n + 1) % 3]
    at = s.moments(account, pages, GAPS[n % 4], place)
    of, whom, moment, size = s.stays.columns, [], [], []
    for one in at.tolist():
        ward = int(s.rng.integers(len(s.world.wards)))
        then = one - float(s.rng.choice([0, 0, 3, 10, 20])) * DAY
        there = of["patient"][(of["ward"] == ward) & (of["begins"] < then) & (of["ends"] > then)]
        whom.append(there)
        moment.append(np.full(len(there), one))
        size.append(len(there))
    access = np.repeat(np.arange(len(size)), size)
    return [Step(account, np.concatenate(moment), np.concatenate(whom), place, "list", access,
                 np.repeat(size, size))]  # fmt: skip


def by_name(s: Scene, n: int) -> list[Step]:
    """Search by the first letters of names, page after page, and open all that stand there."""
    account, count = s.victim(), (300, 240, 160, 90)[n % 4]
    start = int(s.rng.integers(s.persons() - 3 * count))
    step = _plain(s, n, account, s.names.order[start : start + count])[0]
    pages = []
    for first in range(0, len(step.at), 20):
        near = s.names.order[start + first : start + first + 20]
        pages.append(
            Step(
                account, np.full(len(near), step.at[first] - 9), near, step.place, "search",
                np.full(len(near), first), np.full(len(near), len(near)), 2,
            )
        )  # fmt: skip
    return [step, *pages]


def by_number(s: Scene, n: int) -> list[Step]:
    """Open one record number after the other, with gaps where no record answers."""
    account, count = s.victim(), (300, 240, 160, 90)[n % 4]
    whom = int(s.rng.integers(s.persons() - 4 * count)) + np.cumsum(
        s.rng.choice([1, 1, 1, 2, 3], count)
    )
    return _plain(s, n, account, whom)


def at_random(s: Scene, n: int) -> list[Step]:
    """Open anybody."""
    account = s.victim()
    return _plain(s, n, account, _anybody(s, (300, 240, 160, 90)[n % 4]))


def crowd(s: Scene, n: int) -> list[Step]:
    """Let a crowd who have no reason look at one or three well-known persons in hospital."""
    of = s.stays.columns
    late = np.flatnonzero((of["begins"] > (ONSET + 1) * DAY) & (of["begins"] < (DAYS - 6) * DAY))
    known = s.rng.choice(late, (1, 1, 2, 3)[n % 4], replace=False)
    steps = []
    for _ in range((12, 25, 18, 14)[n % 4]):
        account = s.victim(("nurse", "assistant", "secretary", "doctor", "clerk", "radiographer"))
        one = int(s.rng.choice(known))
        at = s.moments(
            account, 1, 20.0, "desk", int(of["begins"][one] // DAY) + int(s.rng.integers(0, 3))
        )
        steps.append(Step(account, at, np.full(len(at), of["patient"][one]), "desk"))
    return steps


def slow(s: Scene, n: int) -> list[Step]:
    """Open three to ten a day, for the rest of the log."""
    account, each = s.victim(), (10, 7, 5, 3)[n % 4]
    place = ("desk", "afar")[n % 2]
    whom = _anybody(s, 400) if n % 3 else _elsewhere(s, account, 400)
    at = [s.moments(account, each, 1500.0, place, day) for day in range(ONSET, DAYS)]
    steps = np.unique(np.concatenate([a[a < (d + 1) * DAY] for d, a in enumerate(at, ONSET)]))
    return [Step(account, steps, whom[: len(steps)], place)]


def dormant(s: Scene, n: int) -> list[Step]:
    """Use the account of somebody who left weeks ago."""
    gone = np.flatnonzero((s.world.until < 22) & (s.early >= 15))
    account = s.victim(among=gone)
    place = ("afar", "night")[n % 2]
    count = (250, 150, 100, 60)[n % 4]
    at = s.moments(account, count, GAPS[n % 4], place)
    return [Step(account, at, _anybody(s, count)[: len(at)], place)]


def old_intern(s: Scene, n: int) -> list[Step]:
    """Use an intern's account, after he went on, on his former ward's patients of past months."""
    moved = s.rota.ward[:, calendar.ROTATION] != s.rota.ward[:, calendar.ROTATION - 1]
    account = s.victim(("intern",), np.flatnonzero(moved))
    whom = _former(s, int(s.rota.ward[account, calendar.ROTATION - 1]), 150)
    return _plain(s, n, account, whom, calendar.ROTATION + 1 + n % 5)


def agency(s: Scene, n: int) -> list[Step]:
    """Use an agency nurse's account in the days after the one shift for which it was made."""
    fit = [a for a, (_, day) in s.rota.agency.items() if day < DAYS - 12]
    account = s.victim(among=np.array(fit))
    day = max(s.rota.agency[account][1] + 2 + n % 6, ONSET)
    place = ("afar", "night")[n % 2]
    count = (120, 90, 60, 40)[n % 4]
    at = s.moments(account, count, GAPS[n % 4], place, day)
    return [Step(account, at, _anybody(s, count)[: len(at)], place)]


def export(s: Scene, n: int) -> list[Step]:
    """Export some lists."""
    account = s.victim(("doctor", "secretary", "head", "coder", "clerk", "research"))
    at = s.moments(account, 1 + n % 3, 200.0, PLACES[n % 3])
    size = s.rng.integers((20_000, 8_000, 3_000, 1_200)[n % 4], 40_000 // (1 + n % 4), len(at))
    return [Step(account, at, np.full(len(at), -1), PLACES[n % 3], "export", None, size)]


def dump(s: Scene, n: int) -> list[Step]:
    """Print records without end with the rights of the helpdesk or of the vendor."""
    account = s.victim(("helpdesk",) if n % 4 < 3 else ("vendor",))
    count, place = (2_500, 1_500, 900, 500)[n % 4], ("night", "afar", "night", "desk")[n % 4]
    whom = _anybody(s, count)
    whom = np.sort(whom) if n % 2 else whom
    at = s.moments(account, count, (5.0, 9.0, 20.0, 60.0)[n % 4], place)
    return [Step(account, at, whom[: len(at)], place, "print")]


def _former(s: Scene, ward: int, count: int) -> Ints:
    """Return former patients of a ward: of the log's first weeks, and older ones."""
    of = s.stays.columns
    gone = np.unique(of["patient"][(of["ward"] == ward) & (of["ends"] < (ONSET - 5) * DAY)])
    what = specialty(s.world, ward)
    old = np.flatnonzero(
        (s.world.chronic[:STOCK] == what) & (s.world.site[:STOCK] == s.world.units[ward].site)
    )
    both = np.union1d(gone, s.rng.choice(old, min(len(old), len(gone)), replace=False))
    return s.rng.permutation(both)[:count]


def own_old(s: Scene, n: int) -> list[Step]:
    """Open the own ward's former patients."""
    there = np.flatnonzero((np.array(s.world.unit) < len(s.world.wards)) & (s.late >= 30))
    account = s.victim(("nurse", "doctor", "intern", "secretary", "head"), there)
    return _plain(s, n, account, _former(s, s.world.unit[account], (200, 160, 120, 60)[n % 4]))


def oncology(s: Scene, n: int) -> list[Step]:
    """Open those who are followed for cancer, and nobody else, from another unit's account."""
    ill = np.flatnonzero(s.world.chronic[:STOCK] == CHRONIC.index("oncology"))
    account = s.victim(("nurse", "doctor", "secretary", "clerk", "radiographer", "practitioner"))
    return _plain(s, n, account, s.rng.choice(ill, (250, 180, 120, 60)[n % 4], replace=False))


def _some_ward(s: Scene, many: int) -> list[int]:
    """Return accounts of one ward."""
    nurses = (np.array(s.world.unit) < len(s.world.wards)) & (s.early >= 15) & (s.late >= 40)
    nurses[list(s.robbed)] = False
    units = np.bincount(np.array(s.world.unit)[nurses], minlength=len(s.world.wards))
    ward = int(s.rng.choice(np.flatnonzero(units >= many)))
    mine = np.flatnonzero(nurses & (np.array(s.world.unit) == ward))
    return [s.victim(among=mine) for _ in range(many)]


def one_device(s: Scene, n: int) -> list[Step]:
    """Use several accounts of a ward in turn from one of its workstations, one evening."""
    steps, day = [], int(s.rng.integers(ONSET, DAYS - 4))
    accounts = _some_ward(s, (5, 4, 3, 6)[n % 4])
    unit, at = s.world.unit[accounts[0]], day * DAY + 19.5 * HOUR
    for account in accounts:
        count = int(s.rng.integers(15, 45))
        times = at + np.cumsum(2 + s.rng.exponential(GAPS[n % 3], count))
        at = times[-1] + 90
        steps.append(Step(account, times, _anybody(s, count), "desk", device=unit * 64 + 1))
    return steps


def one_ward(s: Scene, n: int) -> list[Step]:
    """Use several accounts of a ward at the same time, each a little."""
    day, place = int(s.rng.integers(ONSET, DAYS - 8)), PLACES[n % 3]
    steps = []
    for account in _some_ward(s, (6, 5, 4, 4)[n % 4]):
        at = s.moments(account, 30, GAPS[1 + n % 3], place, day)
        steps.append(Step(account, at, _anybody(s, len(at)), place))
    return steps


def glass(s: Scene, n: int) -> list[Step]:
    """Break the glass for one person after the other."""
    account = s.victim(("doctor", "intern", "nurse"))
    count, place = (80, 60, 40, 25)[n % 4], PLACES[n % 3]
    at = s.moments(account, count, GAPS[n % 4], place)
    whom = _anybody(s, count)[: len(at)]
    return [Step(account, at - 4, whom, place, "break_glass"), Step(account, at, whom, place)]


def before_log(s: Scene, n: int) -> list[Step]:
    """Have begun before the log did: some every day from the first one on."""
    account, place = s.victim(), ("desk", "afar")[n % 2]
    each = (12, 8, 6, 4)[n % 4]
    at = np.concatenate([
        steps[steps < (day + 1) * DAY] for day in range(DAYS)
        for steps in (s.moments(account, each, 900.0, place, day),)
    ])  # fmt: skip
    at = np.unique(at)
    return [Step(account, at, _anybody(s, 700)[: len(at)], place)]


FAMILIES: Final[dict[str, Callable[[Scene, int], list[Step]]]] = {
    "across_group": across, "ward_lists": ward_lists, "by_name": by_name, "by_number": by_number,
    "at_random": at_random, "vip_crowd": crowd, "slow_month": slow, "dormant": dormant,
    "old_intern": old_intern, "agency_after": agency, "export": export, "support_dump": dump,
    "own_old": own_old, "oncology_only": oncology, "one_device": one_device, "one_ward": one_ward,
    "glass": glass, "before_log": before_log,
}  # fmt: skip
