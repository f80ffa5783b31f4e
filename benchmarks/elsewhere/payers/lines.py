"""What the portal logs: sessions, counters, networks, numbers typed wrong, repeats, an outage."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import SECOND, Ints
from benchmarks.elsewhere.payers import shops
from benchmarks.elsewhere.payers.people import (
    DAYS,
    KIND,
    KINDS,
    RENEWED,
    RENUMBERED,
    START,
    World,
)
from benchmarks.elsewhere.region.rows import DAY, HOUR, in_a_row
from vigie.events import ACTIONS, VOCABULARIES

OUTAGE: Final = (42, 9.2, 16.5)
"""The day and the hours in which the portal answered nobody."""
THRICE: Final = 34
"""The day from which the new software of some pharmacies asks three times."""
SHAPES: Final = VOCABULARIES["query_shape"]
OUTCOMES: Final = VOCABULARIES["outcome"]
AUTH: Final = ("password", "card", "certificate", "code by mail")
AGENTS: Final = (*tuple(f"browser {number}" for number in range(9)), "software")
BY_SOFTWARE: Final = len(AGENTS) - 1
ACTION: Final = {name: number for number, name in enumerate(ACTIONS)}
MISSED: Final = OUTCOMES.index("minor_failure")
_PAUSE: Final = 30 * 60
_DOES: Final = {
    shops.CHECK: "rights_check", shops.QUOTE: "create", shops.AMEND: "update", shops.VIEW: "open",
    shops.BILL: "billing", shops.FIND: "open", shops.LOOK: "rights_check",
    shops.BATCH: "rights_check",
}  # fmt: skip


@dataclass
class Lines:
    """Lines of the log as columns; codes of words, -1 for what a line does not say."""

    columns: dict[str, Ints]

    NAMES = ("at", "account", "patient", "action", "access", "records", "shape", "outcome",
             "theft", "session", "device", "network", "agent", "auth", "site")  # fmt: skip

    @property
    def count(self) -> int:
        """Return how many lines there are."""
        return len(self.columns["at"])

    def take(self, places: Ints) -> "Lines":
        """Return some lines in the order asked for."""
        return Lines({name: self.columns[name][places] for name in self.NAMES})

    def but(self, **columns: Ints | int) -> "Lines":
        """Return these lines with some columns said otherwise."""
        fresh = {n: np.broadcast_to(c, self.count).astype(np.int64) for n, c in columns.items()}
        return Lines(self.columns | fresh)

    @staticmethod
    def together(parts: list["Lines"]) -> "Lines":
        """Return the lines of all parts, in order of time, accesses numbered anew."""
        base, columns = 0, {name: [] for name in Lines.NAMES}
        for part in parts:
            for name in Lines.NAMES:
                columns[name].append(part.columns[name] + (base if name == "access" else 0))
            base += int(part.columns["access"].max(initial=0)) + 1
        whole = Lines({name: np.concatenate(column) for name, column in columns.items()})
        return whole.take(np.argsort(whole.columns["at"], kind="stable"))


@dataclass
class Numbers:
    """Numbers that are or were nobody's: a patient beyond the register stands for one of them."""

    world: World

    def __post_init__(self) -> None:
        self._more: list[Ints] = []
        self._count = len(self.world.number)

    def nobody(self, number: Ints) -> Ints:
        """Return patients who stand for numbers typed."""
        self._more.append(number)
        self._count += len(number)
        return np.arange(self._count - len(number), self._count)

    def all(self) -> Ints:
        """Return the number of every patient, real or not."""
        return np.concatenate([self.world.number, *self._more])


def write(world: World, numbers: Numbers, drawn: tuple[np.ndarray, ...]) -> Lines:
    """Return the honest lines of accesses drawn (`Rows.joined`), with their sessions."""
    at, account, patient, way, site = _outage(world, drawn)
    at, account, patient, way, site, missed = _typed(
        world, numbers, at, account, patient, way, site
    )
    order = np.lexsort((at, account))
    at, account, patient, way, site, missed = (
        c[order] for c in (at, account, patient, way, site, missed)
    )
    day = np.clip(at // DAY, 0, DAYS - 1).astype(np.int64)
    where = world.unit_on[account, day]
    fresh = np.r_[True, (np.diff(at) > _PAUSE) | (np.diff(account) != 0) | (np.diff(where) != 0)]
    session = np.cumsum(fresh) - 1
    begun = np.flatnonzero(fresh)
    seat = _seats(world, at[begun], account[begun], where[begun])
    does = np.array([ACTION[_DOES[n]] for n in range(len(_DOES))])
    batch = way == shops.BATCH
    exact = batch | np.isin(way, [shops.CHECK, shops.LOOK])
    columns = {
        "at": START + ((at - 3600) * 1e6).astype(np.int64) // SECOND * SECOND,
        "account": account, "patient": patient, "action": does[way],
        "access": np.arange(len(at)), "records": np.where(missed, 0, -1),
        "shape": np.where(exact, SHAPES.index("exact_id"), -1),
        "outcome": np.where(missed, MISSED, 0), "theft": np.full(len(at), -1), "session": session,
        "site": np.where(site >= 0, site, where),
        **{name: column[session] for name, column in seat.items()},
    }  # fmt: skip
    columns["agent"] = np.where(batch, BY_SOFTWARE, columns["agent"])
    lines = Lines(columns)
    sought = lines.take(np.flatnonzero(way == shops.FIND))
    pages = searches(world, sought, np.minimum(world.rng.geometric(0.55, sought.count), 10))
    return Lines.together([lines, pages, _logins(lines.take(begun)), _extras(world, lines)])


def renumbered(world: World, numbers: Numbers, lines: Lines) -> Lines:
    """Return the lines with the new numbers of the insurer that changed them at New Year."""
    mine = np.flatnonzero(world.insurer == RENUMBERED)
    alias = np.arange(len(world.number))
    alias[mine] = numbers.nobody(30_000_000 + world.number[mine] % 1_000_000)
    patient = lines.columns["patient"]
    late = lines.columns["at"] >= until(RENEWED)
    known = late & (patient >= 0) & (patient < len(alias))
    return lines.but(patient=np.where(known, alias[np.where(known, patient, 0)], patient))


def _outage(world: World, drawn: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """What could not be asked is noted on paper and asked the next day, in a row, or never.

    The hotline notes nothing: who wants an answer rings again.
    """
    at, account, patient, way, site = drawn
    day, begins, ends = OUTAGE
    hit = (at > day * DAY + begins * HOUR) & (at < day * DAY + ends * HOUR)
    again = hit & (world.rng.random(len(at)) < 0.7) & (world.kind[account] != KIND["hotline"])
    at = at.copy()
    key = (account[again] << 20) + (at[again] % DAY).astype(np.int64)
    order = np.argsort(key)
    places = np.flatnonzero(again)[order]
    hour = np.where(account[places] % 3 == 0, 18.0, 8.8)
    at[places] = in_a_row(world.rng, account[places], (day + 1) * DAY + hour * HOUR, 38.0)
    kept = ~hit | again
    return tuple(column[kept] for column in (at, account, patient, way, site))


def _typed(world, numbers: Numbers, at, account, patient, way, site) -> tuple[np.ndarray, ...]:
    """Add the tries that failed, a digit wrong, before the right one; and checks made thrice."""
    rng = world.rng
    asks = np.isin(way, [shops.CHECK, shops.LOOK])
    by_hand = ~np.isin(world.kind[account], [KIND["optician_software"], KIND["lab_software"]])
    slips = np.flatnonzero(asks & by_hand & (rng.random(len(at)) < 0.035))
    wrong = world.number[patient[slips]] + rng.integers(1, 9, len(slips)) * 10 ** rng.integers(
        1, 6, len(slips))  # fmt: skip
    new = (world.home % 6 == 4)[account] & (at > THRICE * DAY)
    new &= world.kind[account] == KIND["pharmacist"]
    thrice = np.flatnonzero(asks & new & (rng.random(len(at)) < 0.95))
    parts = [
        (at, account, patient, way, site, np.zeros(len(at), bool)),
        (at[slips] - rng.uniform(8, 40, len(slips)), account[slips], numbers.nobody(wrong),
         way[slips], site[slips], np.ones(len(slips), bool)),
    ]  # fmt: skip
    for late in (1, 2):
        parts.append((at[thrice] + late, account[thrice], patient[thrice], way[thrice],
                      site[thrice], np.zeros(len(thrice), bool)))  # fmt: skip
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def searches(world: World, lines: Lines, many: Ints, shape: str = "exact_name") -> Lines:
    """Return a page of results before each line: the person among neighbours by name."""
    order, place = world.alphabet
    host = np.repeat(np.arange(lines.count), many)
    step = np.arange(len(host)) - np.repeat(np.cumsum(many) - many, many)
    patient = np.where(lines.columns["patient"] < len(place), lines.columns["patient"], 0)
    start = place[patient] - (world.rng.random(lines.count) * many).astype(int)
    found = order[np.clip(start[host] + step, 0, len(order) - 1)]
    return lines.take(host).but(
        at=(lines.columns["at"] - world.rng.integers(5, 20, lines.count) * SECOND)[host],
        patient=found, action=ACTION["search"], access=host, records=many[host],
        shape=SHAPES.index(shape), outcome=0,
    )  # fmt: skip


def _logins(first: Lines) -> Lines:
    """Return a login before each session, some of them after a wrong password."""
    earlier = first.columns["at"] - 15 * SECOND
    return first.but(at=earlier, patient=-1, action=ACTION["login"], records=-1, shape=-1,
                     outcome=0, access=np.arange(first.count))  # fmt: skip


def _extras(world: World, lines: Lines) -> Lines:
    """Return lists of one's own files and exports of paid bills for the accountant."""
    rng, parts = world.rng, []
    person = np.array([kind.role != "software" for kind in KINDS.values()])
    office = np.array([kind.role == "office" for kind in KINDS.values()])
    of_kind = world.kind[lines.columns["account"]]
    for who, share, action, size, wide in (
        (person, 0.03, "list", 18, 0.7), (person, 0.0004, "export", 250, 1.0),
        (office, 0.003, "export", 900, 1.1),
    ):  # fmt: skip
        some = np.flatnonzero(who[of_kind] & (rng.random(lines.count) < share))
        many = rng.lognormal(np.log(size), wide, len(some)).astype(np.int64) + 1
        part = lines.take(some)
        parts.append(part.but(
            at=part.columns["at"] - 25 * SECOND, patient=-1, records=many, shape=-1, outcome=0,
            action=ACTION[action], access=np.arange(len(some)),
        ))  # fmt: skip
    return Lines.together(parts)


def _seats(world: World, at: np.ndarray, account: Ints, site: Ints) -> dict[str, Ints]:
    """Return device, network, browser and means of authentication of each session.

    A shop has two or three counters and one network whose address changes at times; software has
    one server; head offices and the hotline work from home some days; devices are replaced.
    """
    rng, count = world.rng, len(at)
    day = (at // DAY).astype(np.int64)
    kinds = np.array(list(KINDS))[world.kind[account]]
    role = np.array([kind.role for kind in KINDS.values()])[world.kind[account]]
    replaced = np.where(rng.random(len(world.kind)) < 0.06, rng.integers(0, DAYS, len(world.kind)),
                        DAYS)  # fmt: skip
    counters = np.where(kinds == "admission", 7, 3)
    device = site * 10 + (rng.random(count) * counters).astype(np.int64)
    own = 10_000 + account + 5_000 * (day >= replaced[account])
    device = np.where(np.isin(role, ["office", "hotline", "software"]), own, device)
    renewed = rng.integers(0, 160, len(world.sector))
    network = site * 20 + (day > renewed[site])
    network = network + 2 * (day // 7) * (site % 8 == 3)  # an address that changes each week
    home = np.isin(role, ["office", "hotline"]) & (rng.random(count) < 0.2)
    late = (np.isin(role, ["shop"])) & (at % DAY / HOUR > 19.3)
    network = np.where(home | late, 300_000 + account, network)
    device = np.where(late, 50_000 + account, device)
    agent = (device * 7 % 5) + np.where(day > 20 + device % 17, 4, 0)
    means = np.where(rng.random(len(world.kind)) < 0.3, 1, 0)[account]
    auth = np.where(role == "software", 2, np.where(home, 3, means))
    return {"device": device, "network": network, "auth": auth,
            "agent": np.where(role == "software", BY_SOFTWARE, agent % 9)}  # fmt: skip


def alphabet(world: World) -> tuple[Ints, Ints]:
    """Return the persons of the register by name, and each one's place there."""
    order = np.argsort(world.name)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return order, place


def until(day: float) -> int:
    """Return the moment (µs UTC) at which a day of the log begins, local time."""
    return START + int(day * DAY * SECOND) - 3600 * SECOND
