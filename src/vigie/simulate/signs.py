"""What surrounds the reading: how people get in, what they change, whom several open at once.

Everything here is drawn with chances of its own and added to accesses that are already there, so
that the people, encounters and thefts of a seed stay as they are. Honest oddities first (a card
left at home, a password forgotten, an outage, a return after months, deletions that are somebody's
task, case conferences), then what thieves leave. All shares are assumptions, argued in
docs/simulator.md.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from vigie.events import ACTIONS, VOCABULARIES
from vigie.simulate.chance import stream
from vigie.simulate.contexts import AUTH_METHODS
from vigie.simulate.population import DAY, Floats, Ints, Population
from vigie.simulate.world import ACCESSES, REASONS, Attack

_LOGIN: Final = ACTIONS.index("login")
_FAILED: Final = VOCABULARIES["outcome"].index("minor_failure")
_SECOND: Final = 1_000_000
_THEFT: Final = 1 << 40
_ADDED: Final = 1 << 39
"""Honest accesses and sessions added here are numbered from this, a thief's from `_BESIDE` on."""
_BESIDE: Final = 1 << 22

_FORGOTTEN: Final = (0.015, 0.010, 0.0, 0.004, 0.0)
"""Account-days on which the usual means is not at hand, by means (`AUTH_METHODS`)."""
_MISTAKEN: Final = {"card": 0.002, "password": 0.006, "after leave": 0.08}
"""Logins preceded by two failures or more; the last after ten days away."""
_OUTAGE: Final = 0.003
"""Site-days with half an hour during which logins fail."""
_WEAKER, _FAILS, _SPRAYS = 0.6, 0.2, 0.3
"""Of thieves from outside: come in by a weaker means, fail first, tried many accounts before."""
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


@dataclass(frozen=True, slots=True)
class Signs:
    """The accesses to add to, as numpy columns, and the world around them."""

    seed: int
    preset: str
    people: Population
    start: int
    days: int
    session_object: int
    table: pa.Table
    raw: dict[str, Ints]

    def chance(self, *subject: str | int) -> np.random.Generator:
        """Return a random stream of this module's own."""
        return stream(self.seed, self.preset, "signs", *subject)

    def copied(self, rows: Ints, first: int, **changed: Ints | int) -> pa.Table:
        """Return copies of rows as accesses numbered from `first`, some columns changed."""
        count = len(rows)
        columns = {name: values[rows] for name, values in self.raw.items()}
        columns["access"] = first + np.arange(count)
        for name, values in changed.items():
            columns[name] = np.broadcast_to(np.asarray(values, np.int64), count)
        arrays = [pa.array(columns[field.name]).cast(field.type) for field in ACCESSES]
        made = pa.table(arrays, schema=ACCESSES)
        at = columns["at"]
        return made.filter(pa.array((at >= self.start) & (at < self.start + self.days * DAY)))


def signed(
    seed: int, preset: str, people: Population, start: int, days: int, session_object: int,
    accesses: pa.Table, attacks: tuple[Attack, ...],
) -> pa.Table:  # fmt: skip
    """Return the accesses with the signs: methods changed, rows added, not sorted."""
    raw = {name: accesses[name].to_numpy().astype(np.int64) for name in accesses.column_names}
    world = Signs(seed, preset, people, start, days, session_object, accesses, raw)
    raw["auth_method"] = _methods(world)
    parts = [*_honest(world), *_thieves(world, attacks)]
    place = accesses.schema.get_field_index("auth_method")
    methods = pa.array(raw["auth_method"]).cast(ACCESSES.field("auth_method").type)
    return pa.concat_tables([accesses.set_column(place, "auth_method", methods), *parts])


def _methods(world: Signs) -> Ints:
    """Return the means of each access: on some days somebody's card or telephone is at home."""
    raw, rng = world.raw, world.chance("forgotten")
    honest = np.flatnonzero(raw["attack"] < 0)
    sessions, first = np.unique(raw["session"][honest], return_index=True)
    first = honest[first]
    day = (raw["at"][first] - world.start) // DAY + 1
    shape = world.people.size, 400
    forgets = rng.random(shape)[raw["account"][first], day]
    falls = _weaker(rng.random(shape)[raw["account"][first], day], raw["auth_method"][first])
    away = forgets < np.array(_FORGOTTEN)[raw["auth_method"][first]]
    method = np.where(away, falls, raw["auth_method"][first])
    place = np.clip(np.searchsorted(sessions, raw["session"]), 0, max(len(sessions) - 1, 0))
    known = sessions[place] == raw["session"] if len(sessions) else np.zeros(0, bool)
    changed: Ints = np.where(known, method[place], raw["auth_method"])
    return changed


def _weaker(share: Floats, method: Ints) -> Ints:
    """Return what stands in for a means: a password with a code, or without."""
    password, code = AUTH_METHODS.index("password"), AUTH_METHODS.index("password+otp")
    carded = np.where(share < 0.7, code, password)
    stands: Ints = np.where(method < password, carded, np.where(method == code, password, method))
    return stands


def _honest(world: Signs) -> list[pa.Table]:
    honest = np.flatnonzero(world.raw["attack"] < 0)
    parts = [_mistaken(world, honest, _ADDED), *_returns(world, honest, _ADDED + (1 << 36))]
    if world.preset in _DEEDS:
        parts.append(_deeds(world, honest, _ADDED + (2 << 36)))
    if world.preset in _CONFER:
        parts.append(_conferences(world, honest, _ADDED + (3 << 36)))
    parts.append(_beside(world, honest, _ADDED + (4 << 36)))
    return parts


def _mistaken(world: Signs, honest: Ints, first: int) -> pa.Table:
    """Return failed logins before successful ones: a password forgotten, an outage at a site."""
    raw, rng = world.raw, world.chance("mistaken")
    logins = honest[(raw["action"][honest] == _LOGIN) & (raw["outcome"][honest] == 0)]
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
    return _failed(world, np.repeat(logins, fails), first, rng)


def _down(world: Signs, rng: np.random.Generator, site: Ints, at: Ints) -> Ints:
    """Return how often each login fails first because the service is down at its site."""
    day = (at - world.start) // DAY + 1
    sites = int(world.people.organisation.max()) + 1
    down = rng.random((sites, 400)) < _OUTAGE
    hour = rng.uniform(7, 17, (sites, 400))[site, day]
    now = (at - world.start) % DAY / DAY * 24
    caught = down[site, day] & (np.abs(now - hour) < 0.25) & (rng.random(len(at)) < 0.8)
    tries: Ints = np.where(caught, rng.integers(1, 4, len(at)), 0)
    return tries


def _failed(world: Signs, rows: Ints, first: int, rng: np.random.Generator) -> pa.Table:
    """Return failed copies of logins (sorted by row), half a minute apart, before each."""
    before = (40 + 27 * _ranks(rows) + rng.uniform(0, 9, len(rows))) * _SECOND
    return world.copied(rows, first, at=world.raw["at"][rows] - before.astype(np.int64),
                        outcome=_FAILED)  # fmt: skip


def _ranks(rows: Ints) -> Ints:
    """Return the rank of each entry among equal neighbours."""
    place = np.arange(len(rows))
    begins = np.r_[True, np.diff(rows) != 0][: len(rows)]
    rank: Ints = place - np.maximum.accumulate(np.where(begins, place, 0))
    return rank


def _returns(world: Signs, honest: Ints, first: int) -> list[pa.Table]:
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


def _beside(world: Signs, honest: Ints, first: int) -> pa.Table:
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
    wait = (rng.uniform(20, 200, len(here)) * _SECOND).astype(np.int64)
    return world.copied(
        there, first, at=raw["at"][here] + wait,
        session=first + np.arange(len(here)), organisation=raw["organisation"][here],
        unit=raw["unit"][here], auth_method=raw["auth_method"][here],
    )  # fmt: skip


def _deeds(world: Signs, honest: Ints, first: int) -> pa.Table:
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
        wait = rng.uniform(40, 400, len(rows)) * _SECOND
        return raw["at"][rows] + wait.astype(np.int64)

    parts = [world.copied(deletes, first, at=after(deletes), action=ACTIONS.index("delete"))]
    for number, (rows, action) in enumerate(
        ((grants, "privilege_change"), (rotates, "log_change"))
    ):
        parts.append(_bare(world, rows, first + ((number + 1) << 30), after(rows), action))
    return pa.concat_tables(parts)


def _bare(world: Signs, rows: Ints, first: int, at: Ints, action: str) -> pa.Table:
    """Return something done to no patient in the context of these rows."""
    return world.copied(
        rows, first, at=at, action=ACTIONS.index(action), object=world.session_object, patient=-1,
        query_shape=-1, record_count=-1, bytes=-1, purpose=-1, outcome=0,
    )  # fmt: skip


def _conferences(world: Signs, honest: Ints, first: int) -> pa.Table:
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
        shown = np.unique(raw["patient"][opened[earlier]])
        shown = rng.permutation(shown)[: int(rng.integers(3, 9))]
        guest = np.repeat(np.array(guests), len(shown))
        at = raw["at"][guest] + np.tile(np.arange(1, len(shown) + 1), len(guests)) * 75 * _SECOND
        parts.append(world.copied(
            guest, first + (len(parts) << 12), at=at, patient=np.tile(shown, len(guests)),
            reason=REASONS.index("referral"), record_count=raw["record_count"][guest] * 0 + 1,
        ))  # fmt: skip
    return pa.concat_tables([world.table.slice(0, 0), *parts])


def _thieves(world: Signs, attacks: tuple[Attack, ...]) -> list[pa.Table]:
    """Change, in place, how thieves came in, and return what else they did."""
    parts: list[pa.Table] = []
    met = Counter[str]()
    for number, theft in enumerate(attacks):
        rng = world.chance("theft", theft.family, met[theft.family])
        met[theft.family] += 1
        rows = np.flatnonzero(world.raw["attack"] == number)
        first = _THEFT + (number << 24) + _BESIDE
        if theft.parameters.get("from") != "inside":
            parts += _from_outside(world, theft, rows, first, rng)
        if theft.family == "tampering":
            parts.append(_tampers(world, theft, rows, first + (1 << 20), rng))
    return parts


def _from_outside(
    world: Signs, theft: Attack, rows: Ints, first: int, rng: np.random.Generator
) -> list[pa.Table]:
    """Change the means of a thief from outside; return his failures and trials."""
    raw = world.raw
    weaker, fails, sprays = rng.random(3) < (_WEAKER, _FAILS, _SPRAYS)
    share = np.full(len(rows), rng.random())
    if weaker:
        raw["auth_method"][rows] = _weaker(share, raw["auth_method"][rows])
        theft.parameters["method"] = "weaker"
    logins = rows[raw["action"][rows] == _LOGIN]
    if not len(logins):
        return []
    parts = []
    begin = logins[[int(np.argmin(raw["at"][logins]))]]
    if fails:
        count = int(rng.integers(2, 11))
        theft.parameters["failures"] = count
        parts.append(_failed(world, np.repeat(begin, count), first, rng))
    if sprays and theft.parameters["from"] == "one address":
        parts.append(_sprayed(world, theft, begin, first + (1 << 16), rng))
    return parts


def _sprayed(
    world: Signs, theft: Attack, begin: Ints, first: int, rng: np.random.Generator
) -> pa.Table:
    """Return one failed login on each of many accounts, from where the thief then comes in."""
    people = world.people
    persons = np.flatnonzero(people.kind == 0)
    most = int(min(np.exp(rng.uniform(np.log(20), np.log(150))), len(persons) * 0.2))
    tried = rng.permutation(persons)[: max(most, 3)]
    tried = tried[~np.isin(tried, theft.accounts)]
    span = rng.uniform(600, 10_000)
    before = np.sort(rng.uniform(60, span, len(tried)))[::-1]
    theft.parameters["tried accounts"] = len(tried)
    rows = np.repeat(begin, len(tried))
    return world.copied(
        rows, first, at=world.raw["at"][rows] - (before * _SECOND).astype(np.int64),
        account=tried, organisation=people.organisation[tried], unit=-1, on_behalf_of=-1,
        session=first + np.arange(len(tried)), outcome=_FAILED,
        auth_method=AUTH_METHODS.index("password"),
    )  # fmt: skip


def _tampers(
    world: Signs, theft: Attack, rows: Ints, first: int, rng: np.random.Generator
) -> pa.Table:
    """Return deletions, rights given to an accomplice, or traces removed, after the reading."""
    kind = str(rng.choice(["deletes", "grants", "purges"], p=[0.4, 0.3, 0.3]))
    theft.parameters["tampering"] = kind
    raw = world.raw
    seen = rows[raw["patient"][rows] >= 0]
    if kind == "deletes" and len(seen):
        chosen = np.sort(rng.permutation(seen)[: int(rng.integers(5, 40))])
        at = raw["at"][chosen] + (rng.uniform(20, 120, len(chosen)) * _SECOND).astype(np.int64)
        return world.copied(chosen, first, at=at, action=ACTIONS.index("delete"))
    count = int(rng.integers(1, 4))
    last = np.repeat(rows[np.argsort(raw["at"][rows])[len(rows) // 2 :][:1]], count)
    at = raw["at"][last] + (np.arange(1, count + 1) * 90 * _SECOND)
    action = "privilege_change" if kind == "grants" else "log_change"
    return _bare(world, last, first, at, action)
