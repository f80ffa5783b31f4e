"""From accesses to lines of the log: pages of names, sign-ins, devices, networks, sessions."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.elsewhere.group import calendar
from benchmarks.elsewhere.group.people import DAY, HOUR, KINDS, STOCK, World
from benchmarks.elsewhere.group.rows import (
    CREATE,
    EXPORT,
    GLASS,
    LIST,
    MERGE,
    OPEN,
    PRINT,
    SEARCH,
    UPDATE,
)
from benchmarks.elsewhere.log import Ints
from vigie.events import ACTIONS

SHAPES: Final = ("exact_id", "exact_name", "prefix", "none")
AGENTS: Final = (
    "client 7.2", "client 7.3", "thin client", "Firefox", "Chrome", "Edge", "service", "Chrome old",
)  # fmt: skip
AUTH: Final = ("badge", "password", "otp", "cps", "certificate")
ACTION: Final = {name: ACTIONS.index(name) for name in (
    "open", "update", "search", "create", "print", "break_glass", "list", "export", "merge",
    "login",
)}  # fmt: skip
_OF_WAY: Final = {OPEN: "open", UPDATE: "update", SEARCH: "open", CREATE: "create", PRINT: "print",
                  GLASS: "open", LIST: "list", EXPORT: "export", MERGE: "merge"}  # fmt: skip
_OFFICE: Final = ("secretary", "coder", "biller", "quality", "complaints", "archivist", "research",
                  "helpdesk", "vendor", "practitioner", "practice_desk", "social", "pharmacist",
                  "biologist", "beds", "hygiene", "interface")  # fmt: skip
"""Kinds who have a desk of their own; others take what stands free in their unit."""
_PAGE: Final = 12
_HOME, _OWN = 20_000, 10_000

Lines = dict[str, np.ndarray]
"""Columns of the log, rows in order of time; `theft` is -1 where nobody steals."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The persons of the index in order of their names."""

    order: Ints
    rank: Ints
    place: np.ndarray

    def namesakes(self, world: World, person: int, most: int) -> Ints:
        """Return the persons of a page that a search by this person's name gives."""
        near = self.order[max(self.rank[person] - 40, 0) : self.rank[person] + 40]
        same = near[world.surname[near] == world.surname[person]]
        return np.unique(np.r_[same[: most - 1], person])


def number(world: World, *tables: dict[str, np.ndarray]) -> None:
    """Give new persons their numbers, in the order in which they came, in all tables."""
    came = np.concatenate(world.registered)
    numbers = np.arange(STOCK + len(came))
    numbers[STOCK + np.argsort(came, kind="stable")] = STOCK + np.arange(len(came))
    for table in tables:
        patient = table["patient"]
        table["patient"] = np.where(patient < 0, -1, numbers[patient])


def alphabet(world: World) -> Alphabet:
    """Sort everybody by name."""
    count = STOCK + sum(map(len, world.registered))
    place = world.places["alphabet"][world.surname[:count]] + world.places["first_name"][:count]
    order = np.argsort(place)
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    return Alphabet(order, rank, np.minimum(place, 1.0))


def write(world: World, rows: dict[str, np.ndarray], names: Alphabet) -> Lines:
    """Return the honest lines, in order."""
    way = rows["way"]
    lines = {
        "at": rows["at"].astype(np.int64), "account": rows["account"], "patient": rows["patient"],
        "unit": rows["unit"], "records": rows["records"],
        "action": np.array([ACTION[_OF_WAY[w]] for w in range(len(_OF_WAY))])[way],
        "access": np.full(len(way), -1), "shape": np.full(len(way), 3),
    }  # fmt: skip
    _pages_of_lists(lines, way)
    parts = [lines, _glasses(lines, way), _searches(world, lines, way, names)]
    out = {name: np.concatenate([part[name] for part in parts]) for name in lines}
    _place(world, out)
    _join(out)
    out = _sign_in(out)
    out["theft"] = np.full(len(out["at"]), -1)
    return in_order(out)


def in_order(lines: Lines) -> Lines:
    """Return the lines in order of time."""
    return take(lines, np.argsort(lines["at"], kind="stable"))


def take(lines: Lines, kept: np.ndarray) -> Lines:
    """Return some lines."""
    return {name: column[kept] for name, column in lines.items()}


def _pages_of_lists(lines: Lines, way: Ints) -> None:
    page = np.flatnonzero(way == LIST)
    key = lines["at"][page] * 4096 + lines["account"][page] % 4096
    _, access, size = np.unique(key, return_inverse=True, return_counts=True)
    lines["access"][page] = access
    lines["records"][page] = size[access]


def _glasses(lines: Lines, way: Ints) -> Lines:
    """Say the override just before what it opened."""
    out = take(lines, way == GLASS)
    out["at"] = out["at"] - 4
    out["action"] = np.full(len(out["at"]), ACTION["break_glass"])
    return out


def _searches(world: World, lines: Lines, way: Ints, names: Alphabet) -> Lines:
    """Say the page of names before what was opened from it; half search by number or birth date."""
    rng = world.rng
    found = np.flatnonzero(way == SEARCH)
    by_name = rng.random(len(found)) < 0.55
    people = [
        names.namesakes(world, int(p), _PAGE) if named else np.array([p])
        for p, named in zip(lines["patient"][found].tolist(), by_name.tolist(), strict=True)
    ]
    size = np.array([len(p) for p in people])
    out = take(lines, np.repeat(found, size))
    out["patient"] = np.concatenate(people)
    out["at"] = out["at"] - np.repeat(rng.integers(3, 16, len(found)), size)
    out["action"] = np.full(len(out["at"]), ACTION["search"])
    out["access"] = lines["access"].max() + 1 + np.repeat(np.arange(len(found)), size)
    out["records"] = np.repeat(size, size)
    out["shape"] = np.repeat(np.where(by_name, 1, 0), size)
    return out


def _mixed(*columns: Ints) -> Ints:
    out = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        out = (out ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        out ^= out >> np.uint64(29)
    return (out >> np.uint64(8)).astype(np.int64)


def _place(world: World, lines: Lines) -> None:
    """Say from which device and network each line came."""
    account, unit = lines["account"], lines["unit"]
    day, hour = lines["at"] // DAY, lines["at"] % DAY / HOUR
    kinds = np.array(world.kind)[account]
    is_a = {name: kinds == n for n, name in enumerate(KINDS)}
    site = np.array([u.site for u in world.units])[unit]
    free = np.array([max(3, u.beds // 5) if u.beds else 9 for u in world.units])[unit]
    device = unit * 64 + _mixed(account, day, lines["at"] // (2 * HOUR)) % free
    moved, where, name = calendar.MOVED
    gone = (unit == world.find(name, where)) & (day >= moved)
    device[gone] += 5_000
    office = np.isin(kinds, [list(KINDS).index(k) for k in _OFFICE])
    office |= is_a["doctor"] & (_mixed(account, day, lines["at"] // HOUR) % 100 < 40)
    device = np.where(office, _OWN + account, device)
    network = np.where(site < 3, site * 5 + unit % 5, 100 + site)
    network = np.where(gone, 50, network)
    home = (is_a["coder"] | (is_a["secretary"] & (account % 3 == 0))) & (day % 5 == account % 5)
    home |= is_a["radiologist"] & ((hour > 20) | (hour < 7))
    home |= (
        is_a["doctor"]
        & (hour > 18.4)
        & (_mixed(account, day) % 100 < 25)
        & (unit == np.array(world.unit)[account])
    )
    home |= is_a["vendor"]
    device = np.where(home, _HOME + account, device)
    network = np.where(home, 200 + _mixed(account, day) % 40, network)
    lines["device"], lines["network"] = device, network
    agent = np.where(
        site < 3,
        np.where(_mixed(device) % 5 == 0, 2, np.where(day < 20, 0, 1)),
        3 + _mixed(device) % 3,
    )
    lines["agent"] = np.where(is_a["interface"], 6, agent)
    auth = np.where(office, 1, 0)
    auth = np.where(home, 2, np.where(site >= 3, 3, auth))
    lines["auth"] = np.where(is_a["interface"], 4, auth)


def _join(lines: Lines) -> None:
    """Number the sessions: an account at a device for part of a day."""
    part = (lines["at"] - 2 * HOUR) // (6 * HOUR)
    key = (lines["account"] * 40_000 + lines["device"]) * 256 + part
    _, lines["session"] = np.unique(key, return_inverse=True)


def _sign_in(lines: Lines) -> Lines:
    """Say a sign-in some seconds before the first line of every session."""
    order = np.lexsort((lines["at"], lines["session"]))
    first = order[np.r_[True, np.diff(lines["session"][order]) != 0]]
    first = first[lines["auth"][first] != AUTH.index("certificate")]
    out = take(lines, first)
    out["at"] = out["at"] - 12
    for name, value in (("patient", -1), ("records", -1), ("access", -1), ("shape", 3),
                        ("action", ACTION["login"])):  # fmt: skip
        out[name] = np.full(len(first), value)
    return {name: np.concatenate([column, out[name]]) for name, column in lines.items()}
