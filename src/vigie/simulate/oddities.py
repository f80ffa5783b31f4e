"""Honest oddities laid over honest work: what is strange, and nobody's theft.

A card left at home, a password forgotten, an outage, a return after months, a telephone beside
the workstation, deletions that are somebody's task, case conferences.
"""

from typing import Final

import numpy as np
import pyarrow as pa

from vigie.events import ACTIONS
from vigie.simulate.chance import stream
from vigie.simulate.contexts import AUTH_METHODS
from vigie.simulate.overlay import LOGIN, SECOND, Overlay, bare, failed, stand_ins
from vigie.simulate.population import DAY, Ints
from vigie.simulate.world import REASONS

_ADDED: Final = 1 << 39
"""Accesses and sessions added here are numbered from this, below those of thefts."""
_FORGOTTEN: Final = (0.015, 0.010, 0.0, 0.004, 0.0)
"""Account-days on which the usual means is not at hand, by means (`AUTH_METHODS`)."""
_MISTAKEN: Final = {"card": 0.002, "password": 0.006, "after leave": 0.08}
"""Logins preceded by two failures or more; the last after ten days away."""
_OUTAGE: Final = 0.003
"""Site-days with half an hour during which logins fail."""
_DEEDS: Final = ("hospital", "practice-software")
"""Presets whose logs tell deletions, privileges and what was done to the log."""
_DELETES: Final = {"identity": 0.15, "office": 0.03, "desk": 0.02, "counter": 0.01, "care": 0.004}
_GRANTS, _ROTATES = 0.05, 0.15
"""Per day worked: records deleted by style of work, rights given by managers, logs rotated."""
_BESIDE_DAYS: Final = 0.04
"""Account-days with a telephone, or a second place, used beside a session that goes on."""
_CONFER: Final = ("hospital", "regional-portal")
_CONFERENCE: Final = 0.03
"""Case conferences per organisation and day, where there are doctors enough."""


def means_of(world: Overlay) -> Ints:
    """Return the means of each access: on some days somebody's card or telephone is at home."""
    raw, rng = world.raw, world.chance("forgotten")
    honest = np.flatnonzero(raw["attack"] < 0)
    sessions, first = np.unique(raw["session"][honest], return_index=True)
    first = honest[first]
    day = (raw["at"][first] - world.start) // DAY + 1
    shape = world.people.size, 400
    forgets = rng.random(shape)[raw["account"][first], day]
    falls = stand_ins(rng.random(shape)[raw["account"][first], day], raw["auth_method"][first])
    away = forgets < np.array(_FORGOTTEN)[raw["auth_method"][first]]
    method = np.where(away, falls, raw["auth_method"][first])
    place = np.clip(np.searchsorted(sessions, raw["session"]), 0, max(len(sessions) - 1, 0))
    known = sessions[place] == raw["session"] if len(sessions) else np.zeros(0, bool)
    changed: Ints = np.where(known, method[place], raw["auth_method"])
    return changed


def oddities(world: Overlay) -> list[pa.Table]:
    """Return honest accesses to add."""
    honest = np.flatnonzero(world.raw["attack"] < 0)
    parts = [_mistaken(world, honest, _ADDED), *_returns(world, honest, _ADDED + (1 << 36))]
    if world.preset in _DEEDS:
        parts.append(_deeds(world, honest, _ADDED + (2 << 36)))
    if world.preset in _CONFER:
        parts.append(_conferences(world, honest, _ADDED + (3 << 36)))
    parts.append(_beside(world, honest, _ADDED + (4 << 36)))
    return parts


def _mistaken(world: Overlay, honest: Ints, first: int) -> pa.Table:
    """Return failed logins before successful ones: a password forgotten, an outage at a site."""
    raw, rng = world.raw, world.chance("mistaken")
    logins = honest[(raw["action"][honest] == LOGIN) & (raw["outcome"][honest] == 0)]
    logins = logins[np.lexsort((raw["at"][logins], raw["account"][logins]))]
    at, account = raw["at"][logins], raw["account"][logins]
    carded = raw["auth_method"][logins] < AUTH_METHODS.index("password")
    rate = np.where(carded, _MISTAKEN["card"], _MISTAKEN["password"])
    away = np.r_[False, (np.diff(at) > 10 * DAY) & (np.diff(account) == 0)]
    rate = np.where(away & ~carded, _MISTAKEN["after leave"], rate)
    fails = np.where(
        rng.random(len(logins)) < rate, 1 + np.minimum(rng.geometric(0.45, len(logins)), 8), 0
    )
    fails = np.maximum(fails, _down(world, rng, raw["organisation"][logins], at))
    return failed(world, np.repeat(logins, fails), first, rng)


def _down(world: Overlay, rng: np.random.Generator, site: Ints, at: Ints) -> Ints:
    """Return how often each login fails first because the service is down at its site."""
    day = (at - world.start) // DAY + 1
    sites = int(world.people.organisation.max()) + 1
    down = rng.random((sites, 400)) < _OUTAGE
    hour = rng.uniform(7, 17, (sites, 400))[site, day]
    now = (at - world.start) % DAY / DAY * 24
    caught = down[site, day] & (np.abs(now - hour) < 0.25) & (rng.random(len(at)) < 0.8)
    tries: Ints = np.where(caught, rng.integers(1, 4, len(at)), 0)
    return tries


def _returns(world: Overlay, honest: Ints, first: int) -> list[pa.Table]:
    """Return the days of those who had left and come back after weeks, for a day or a few."""
    raw, rng = world.raw, world.chance("returns")
    last = np.full(world.people.size, -1)
    np.maximum.at(last, raw["account"][honest], (raw["at"][honest] - world.start) // DAY)
    back = rng.random(world.people.size) < 0.4
    weeks = rng.integers(5, 8, world.people.size)
    span = rng.integers(1, 5, world.people.size)
    parts = []
    for who in np.flatnonzero(back & (last >= 0) & (last + 7 * weeks < world.days)).tolist():
        mine = honest[raw["account"][honest] == who]
        day = (raw["at"][mine] - world.start) // DAY
        again = mine[day > last[who] - span[who]]
        later = raw["at"][again] + 7 * int(weeks[who]) * DAY
        copies = world.copied(
            again, 0, at=later, access=raw["access"][again] + first,
            session=raw["session"][again] + first,
        )  # fmt: skip
        parts.append(copies)
    return parts


def _beside(world: Overlay, honest: Ints, first: int) -> pa.Table:
    """Return accesses from another of one's own places in the middle of a session."""
    raw, rng = world.raw, world.chance("beside")
    opened = honest[
        (raw["action"][honest] == ACTIONS.index("open")) & (raw["patient"][honest] >= 0)
    ]
    opened = opened[np.lexsort((raw["at"][opened], raw["account"][opened]))]
    account = raw["account"][opened]
    day = account * 1000 + (raw["at"][opened] - world.start) // DAY
    begins = np.flatnonzero(np.r_[True, np.diff(day) != 0])
    length = np.diff(np.r_[begins, len(opened)])
    chosen = rng.random(len(begins)) < _BESIDE_DAYS
    here = (begins + (rng.random(len(begins)) * length).astype(np.int64))[chosen]
    low, high = (
        np.searchsorted(account, account[here]),
        np.searchsorted(account, account[here], "right"),
    )
    there = low + (rng.random(len(here)) * (high - low)).astype(np.int64)
    apart = raw["network"][opened[there]] != raw["network"][opened[here]]
    here, there = opened[here[apart]], opened[there[apart]]
    wait = (rng.uniform(20, 200, len(here)) * SECOND).astype(np.int64)
    return world.copied(
        there, first, at=raw["at"][here] + wait,
        session=first + np.arange(len(here)), organisation=raw["organisation"][here],
        unit=raw["unit"][here], auth_method=raw["auth_method"][here],
    )  # fmt: skip


def _deeds(world: Overlay, honest: Ints, first: int) -> pa.Table:
    """Return deletions by those whose task it is, rights given by managers, logs rotated."""
    raw, rng, people = world.raw, world.chance("deeds"), world.people
    day = (raw["at"][honest] - world.start) // DAY
    _, place = np.unique(raw["account"][honest] * 1000 + day, return_index=True)
    some = honest[place]
    who = raw["account"][some]
    style = np.array([p.style for p in people.professions])[people.profession[who]]
    profession = np.array(people.accounts["profession"].to_pylist(), object)[who]
    rate = np.array([_DELETES.get(name, 0.0) for name in style]) * (people.kind[who] == 0)
    tasked = stream(world.seed, world.preset, "signs", "tasked").random(people.size) < 0.3
    rate = np.where(tasked[who], rate / 0.3, 0.0)
    deletes = np.repeat(some, (rng.random(len(some)) < rate) * rng.integers(1, 5, len(some)))
    deletes = deletes[raw["patient"][deletes] >= 0]
    grants = some[(profession == "manager") & (rng.random(len(some)) < _GRANTS)]
    rotates = some[(people.kind[who] == 1) & (rng.random(len(some)) < _ROTATES)]

    def after(rows: Ints) -> Ints:
        wait = rng.uniform(40, 400, len(rows)) * SECOND
        return raw["at"][rows] + wait.astype(np.int64)

    parts = [world.copied(deletes, first, at=after(deletes), action=ACTIONS.index("delete"))]
    for number, (rows, action) in enumerate(
        ((grants, "privilege_change"), (rotates, "log_change"))
    ):
        parts.append(bare(world, rows, first + ((number + 1) << 30), after(rows), action))
    return pa.concat_tables(parts)


def _conferences(world: Overlay, honest: Ints, first: int) -> pa.Table:
    """Return case conferences: several doctors of one place open the same few patients.

    They are patients whom one of them met on the days before; the others open them in their own
    sessions.
    """
    raw, rng, people = world.raw, world.chance("conferences"), world.people
    names = np.array(people.accounts["profession"].to_pylist(), object)
    doctor = np.isin(names, ["specialist", "ward_doctor", "laboratory_staff"]) & (people.kind == 0)
    opened = honest[
        (raw["action"][honest] == ACTIONS.index("open")) & (raw["patient"][honest] >= 0)
    ]
    opened = opened[doctor[raw["account"][opened]]]
    day = (raw["at"][opened] - world.start) // DAY
    key = raw["organisation"][opened] * 1000 + day
    parts: list[pa.Table] = []
    for value in np.unique(key).tolist():
        if rng.random() >= _CONFERENCE:
            continue
        rows = opened[key == value]
        members, place = np.unique(raw["account"][rows], return_index=True)
        if len(members) < 5:
            continue
        chosen = rng.permutation(len(members))[: int(rng.integers(5, 11))]
        host, *guests = rows[place[chosen]].tolist()
        earlier = (raw["account"][opened] == raw["account"][host]) & (day < value % 1000)
        met = np.unique(raw["patient"][opened[earlier]])
        shown = rng.permutation(met)[: int(rng.integers(3, 9))]
        parts.append(_conference(world, np.array(guests), shown, first + (len(parts) << 12)))
    return pa.concat_tables([world.table.slice(0, 0), *parts])


def _conference(world: Overlay, guests: Ints, shown: Ints, first: int) -> pa.Table:
    """Return the openings of these patients by the guests, in the context of these rows."""
    guest = np.repeat(guests, len(shown))
    turn = np.tile(np.arange(1, len(shown) + 1), len(guests))
    return world.copied(
        guest, first, at=world.raw["at"][guest] + turn * 75 * SECOND,
        patient=np.tile(shown, len(guests)), reason=REASONS.index("referral"), record_count=1,
    )  # fmt: skip
