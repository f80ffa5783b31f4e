"""What thieves leave beside their reading: how they came in, what they tried, what they changed."""

from collections import Counter
from typing import Final

import numpy as np
import pyarrow as pa

from vigie.events import ACTIONS
from vigie.simulate.contexts import AUTH_METHODS
from vigie.simulate.overlay import FAILED, LOGIN, SECOND, Overlay, bare, failed, stand_ins
from vigie.simulate.population import Ints
from vigie.simulate.world import Attack

_THEFT: Final = 1 << 40
_BESIDE: Final = 1 << 22
"""A theft's accesses and sessions are numbered from the first, what is added to them from both."""
_WEAKER, _FAILS, _SPRAYS = 0.6, 0.2, 0.3
"""Of thieves from outside: come in by a weaker means, fail first, tried many accounts before."""


def traces(world: Overlay, attacks: tuple[Attack, ...]) -> list[pa.Table]:
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
    world: Overlay, theft: Attack, rows: Ints, first: int, rng: np.random.Generator
) -> list[pa.Table]:
    """Change the means of a thief from outside; return his failures and trials."""
    raw = world.raw
    weaker, fails, sprays = rng.random(3) < (_WEAKER, _FAILS, _SPRAYS)
    share = np.full(len(rows), rng.random())
    if weaker:
        raw["auth_method"][rows] = stand_ins(share, raw["auth_method"][rows])
        theft.parameters["method"] = "weaker"
    logins = rows[raw["action"][rows] == LOGIN]
    if not len(logins):
        return []
    parts = []
    begin = logins[[int(np.argmin(raw["at"][logins]))]]
    if fails:
        count = int(rng.integers(2, 11))
        theft.parameters["failures"] = count
        parts.append(failed(world, np.repeat(begin, count), first, rng))
    if sprays and theft.parameters["from"] == "one address":
        parts.append(_sprayed(world, theft, begin, first + (1 << 16), rng))
    return parts


def _sprayed(
    world: Overlay, theft: Attack, begin: Ints, first: int, rng: np.random.Generator
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
        rows, first, at=world.raw["at"][rows] - (before * SECOND).astype(np.int64),
        account=tried, organisation=people.organisation[tried], unit=-1, on_behalf_of=-1,
        session=first + np.arange(len(tried)), outcome=FAILED,
        auth_method=AUTH_METHODS.index("password"),
    )  # fmt: skip


def _tampers(
    world: Overlay, theft: Attack, rows: Ints, first: int, rng: np.random.Generator
) -> pa.Table:
    """Return deletions, rights given to an accomplice, or traces removed, after the reading."""
    kind = str(rng.choice(["deletes", "grants", "purges"], p=[0.4, 0.3, 0.3]))
    theft.parameters["tampering"] = kind
    raw = world.raw
    seen = rows[raw["patient"][rows] >= 0]
    if kind == "deletes" and len(seen):
        chosen = np.sort(rng.permutation(seen)[: int(rng.integers(5, 40))])
        at = raw["at"][chosen] + (rng.uniform(20, 120, len(chosen)) * SECOND).astype(np.int64)
        return world.copied(chosen, first, at=at, action=ACTIONS.index("delete"))
    count = int(rng.integers(1, 4))
    last = np.repeat(rows[np.argsort(raw["at"][rows])[len(rows) // 2 :][:1]], count)
    at = raw["at"][last] + (np.arange(1, count + 1) * 90 * SECOND)
    action = "privilege_change" if kind == "grants" else "log_change"
    return bare(world, last, first, at, action)
