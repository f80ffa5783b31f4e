"""What a platform logs of each access: sessions, desks and networks, pages of results."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import DAY, SECOND, Ints
from benchmarks.elsewhere.region import rows as ways
from benchmarks.elsewhere.region.hospital import MOVED
from benchmarks.elsewhere.region.people import DAYS, KINDS, START, World
from vigie.events import ACTIONS, VOCABULARIES

_PAUSE: Final = 40 * 60
SHAPES: Final = VOCABULARIES["query_shape"]
AUTH: Final = ("card", "phone", "password")
AGENTS: Final = tuple(f"browser {number}" for number in range(10))
ACTION: Final = {name: number for number, name in enumerate(ACTIONS)}
_DOES: Final = {
    ways.OPEN: "open", ways.SEARCH: "open", ways.SCAN: "open", ways.RIGHTS: "rights_check",
    ways.CREATE: "create", ways.UPDATE: "update", ways.MERGE: "merge", ways.GLASS: "break_glass",
    ways.LIST: "list",
}  # fmt: skip


@dataclass
class Lines:
    """Lines of the log as columns; codes of words, -1 for what a line does not say."""

    columns: dict[str, Ints]

    NAMES = ("at", "account", "patient", "action", "access", "records", "shape", "theft",
             "session", "device", "network", "agent", "auth", "unit")  # fmt: skip

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


def write(world: World, drawn: tuple[np.ndarray, ...]) -> Lines:
    """Return the honest lines of accesses drawn (`Rows.joined`), with their sessions."""
    at, account, patient, way, unit = drawn
    order = np.lexsort((at, account))
    at, account, patient, way, unit = (c[order] for c in (at, account, patient, way, unit))
    day = np.clip(at // ways.DAY, 0, DAYS - 1).astype(np.int64)
    unit = np.where(unit >= 0, unit, world.unit_on[account, day])
    fresh = np.r_[True, (np.diff(at) > _PAUSE) | (np.diff(account) != 0) | (np.diff(unit) != 0)]
    session = np.cumsum(fresh) - 1
    page = np.r_[True, (np.diff(at) > 0) | (np.diff(account) != 0)] | (way != ways.LIST)
    does = np.array([ACTION[_DOES[n]] for n in range(len(_DOES))])
    begun = np.flatnonzero(fresh)
    seat = _seats(world, at[begun], account[begun], unit[begun])
    columns = {
        "at": START + ((at - 2 * 3600) * 1e6).astype(np.int64) // SECOND * SECOND,
        "account": account, "patient": patient, "action": does[way],
        "access": np.cumsum(page) - 1, "records": np.full(len(at), -1),
        "shape": np.full(len(at), -1), "theft": np.full(len(at), -1),
        "session": session, "unit": unit, **{n: column[session] for n, column in seat.items()},
    }  # fmt: skip
    lines = Lines(columns)
    sought = np.isin(way, [ways.SEARCH, ways.SCAN])
    exact = way[sought] == ways.SCAN
    pages = searches(world, lines.take(np.flatnonzero(sought)), _found(world, exact), exact)
    return Lines.together([lines, pages, _logins(lines.take(begun)), _exports(world, lines)])


def _found(world: World, exact: np.ndarray) -> Ints:
    """Return how many persons each search finds: by the card one, by a name some."""
    many = np.minimum(world.rng.geometric(0.38, len(exact)), 20)
    return np.where(exact, 1, many)


def searches(world: World, lines: Lines, many: Ints, exact: np.ndarray | bool) -> Lines:
    """Return the page of results before each opening: the patient among neighbours by name."""
    order, place = world.alphabet
    host = np.repeat(np.arange(lines.count), many)
    step = np.arange(len(host)) - np.repeat(np.cumsum(many) - many, many)
    start = place[lines.columns["patient"]] - (world.rng.random(lines.count) * many).astype(int)
    found = order[np.clip(start[host] + step, 0, len(order) - 1)]
    shape = np.where(np.broadcast_to(exact, lines.count), SHAPES.index("exact_id"),
                     SHAPES.index("exact_name"))  # fmt: skip
    return lines.take(host).but(
        at=(lines.columns["at"] - world.rng.integers(4, 15, lines.count) * SECOND)[host],
        patient=found, action=ACTION["search"], access=host, records=many[host], shape=shape[host],
    )  # fmt: skip


def _logins(first: Lines) -> Lines:
    """Return a login before each session."""
    earlier = first.columns["at"] - 20 * SECOND
    return first.but(at=earlier, patient=-1, action=ACTION["login"], access=np.arange(first.count))


def _exports(world: World, lines: Lines) -> Lines:
    """Return honest exports: a doctor's accounts each month, a hospital's activity, a cohort."""
    rng = world.rng
    parts = []
    for kinds, share, size, wide in (
        (("gp", "specialist", "pharmacist"), 0.0012, 150, 0.8),
        (("coder", "billing", "lab_desk"), 0.004, 1_500, 1.1),
        (("researcher", "auditor", "ward_doctor"), 0.001, 200, 1.0),
    ):
        codes = [list(KINDS).index(kind) for kind in kinds]
        some = np.isin(world.kind[lines.columns["account"]], codes)
        some = np.flatnonzero(some & (rng.random(lines.count) < share))
        many = rng.lognormal(np.log(size), wide, len(some)).astype(np.int64) + 1
        part = lines.take(some)
        parts.append(part.but(at=part.columns["at"] + 30 * SECOND, patient=-1, records=many,
                              action=ACTION["export"], access=np.arange(len(some))))  # fmt: skip
    return Lines.together(parts)


def _seats(world: World, at: np.ndarray, account: Ints, unit: Ints) -> dict[str, Ints]:
    """Return device, network, browser and means of authentication of each session.

    Own desks or the shared ones of a unit; some people work from home or by telephone; addresses
    of small offices change; desks are replaced, in the second hospital all at once.
    """
    rng, count = world.rng, len(at)
    day = (at // ways.DAY).astype(np.int64)
    kinds = list(KINDS.values())
    shared = np.array([kind.shared_desk for kind in kinds])[world.kind[account]]
    replaced = np.where(rng.random(len(world.kind)) < 0.05, rng.integers(0, DAYS, len(world.kind)),
                        DAYS)  # fmt: skip
    own = 10_000 + account + 5_000 * (day >= replaced[account])
    device = np.where(shared, unit * 8 + rng.integers(6, size=count), own)
    site = world.organisation_of_unit[unit]
    renewed = rng.integers(0, 200, len(world.organisations))  # a router that gets another address
    network = site * 8 + np.where(rng.random(count) < 0.1, 1, 0) + 2 * (day > renewed[site])
    moved = (site == len(world.organisations) - 1) & (day >= MOVED)
    device, network = device + 20_000 * moved, network + 4 * moved
    roams = np.where(rng.random(len(world.kind)) < 0.3, rng.beta(1, 8, len(world.kind)), 0.0)
    hour = at % ways.DAY / 3600
    late = np.where((hour < 8) | (hour > 18.5), 4, 1)
    away = (rng.random(count) < roams[account] * late) & ~moved
    nurse = world.kind[account] == list(KINDS).index("home_nurse")
    phone = away & (rng.random(count) < 0.4) | nurse
    device = np.where(away & ~phone, 50_000 + account, np.where(phone, 60_000 + account, device))
    network = np.where(phone, 5_000 + rng.integers(40, size=count), np.where(
        away, 6_000 + account, network))  # fmt: skip
    means = np.where(rng.random(len(world.kind)) < 0.35, 1, 0)[account]
    inside = np.isin(np.array([u.kind for u in world.units])[unit],
                     ["ward", "emergency", "imaging", "offices"])  # fmt: skip
    agent = (device * 7 % 5) + np.where(day > 20 + device % 17, 5, 0)
    return {"device": device, "network": network, "agent": agent % len(AGENTS),
            "auth": np.where(inside, 2, np.where(away, 1, means))}  # fmt: skip


def alphabet(world: World) -> tuple[Ints, Ints]:
    """Return the patients registered before the log by name, and each one's place there."""
    order = np.argsort(world.name)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return order, place


def until(day: float) -> int:
    """Return the moment (µs UTC) at which a day of the log begins, local time."""
    return START + int(day * DAY) - 2 * 3600 * SECOND
