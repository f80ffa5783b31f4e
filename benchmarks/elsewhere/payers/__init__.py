"""A portal on which opticians, pharmacies, hospitals and others have complementary insurers pay.

Drawn from what causes accesses: a customer comes in, rights are asked, a quote is made and
compared, the goods are billed days later, refused bills are worked through in a row. Nearly every
customer is new to an optician, and nobody is given a share of strangers; it follows. `payers`
tells all that a good log tells and numbers its persons by policy; `payers_bare` tells account,
organisation, moment, person and action, and its numbers have no order.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import Ints, Log
from benchmarks.elsewhere.payers import (
    counters,
    hospitals,
    oddities,
    offices,
    shops,
    thefts,
)
from benchmarks.elsewhere.payers import (
    lines as logged,
)
from benchmarks.elsewhere.payers.lines import ACTION, Lines, Numbers, until
from benchmarks.elsewhere.payers.people import AREAS, KINDS, TAKEN, World, found
from benchmarks.elsewhere.region.rows import Rows

LOGS: Final = ("payers", "payers_honest", "payers_bare", "payers_bare_honest")


def draw(name: str, seed: int, each: int = 4) -> Log:
    """Return a log of the portal with `each` thefts of every family, or an honest one."""
    world, lines, numbers = live(seed)
    families, bare = (), "bare" in name
    if not name.endswith("honest"):
        unseen = ("name_pages",) if bare else ()
        lines, families = thefts.rob(world, numbers, lines, seed, each, unseen)
    return _bare(world, lines, families) if bare else _rich(world, numbers, lines, families)


def live(seed: int) -> tuple[World, Lines, Numbers]:
    """Return the portal's world and its honest lines."""
    world = found(np.random.default_rng([seed, 83]))
    rows, book, numbers = Rows(world), shops.Book(), Numbers(world)
    oddities.move(world)
    shops.trade(world, rows, book)
    counters.serve(world, rows, book)
    stays = hospitals.admit(world, rows, book)
    oddities.add(world, rows, book)
    offices.work(world, rows, book, stays)
    counters.answer(world, rows)
    world.alphabet = logged.alphabet(world)
    return world, logged.write(world, numbers, rows.joined()), numbers


def _rich(world: World, numbers: Numbers, lines: Lines, families: tuple[str, ...]) -> Log:
    real = (lines.columns["patient"] >= 0) & (lines.columns["patient"] < len(world.policy))
    patient = np.where(real, lines.columns["patient"], len(world.policy))
    of = logged.renumbered(world, numbers, lines).columns
    kinds = list(KINDS.values())

    def by_kind(name: str) -> tuple[Ints, list[str]]:
        words = sorted({getattr(kind, name) for kind in kinds})
        code = np.array([words.index(getattr(kind, name)) for kind in kinds])
        return code[world.kind[of["account"]]], words

    services = np.array([kind.role == "software" for kind in kinds])[world.kind[of["account"]]]
    told = {
        "profession": by_kind("activity"), "role": by_kind("role"),
        "actor_kind": (services.astype(np.int64), ["person", "service"]),
        "client_app": (1 * (of["agent"] == logged.BY_SOFTWARE), ["portal", "software"]),
        "organisation": _organisation(world, of),
        "area": (np.append(world.area[world.lives], -1)[patient], AREAS),
        "query_shape": (of["shape"], logged.SHAPES), "outcome": (of["outcome"], logged.OUTCOMES),
        "user_agent": (of["agent"], logged.AGENTS), "auth_method": (of["auth"], logged.AUTH),
        **{name: _numbered(of[name], name) for name in ("session", "device", "network")},
    }  # fmt: skip
    named = numbers.all()
    shown = np.where(of["patient"] >= 0, named[np.maximum(of["patient"], 0)], -1)
    return replace(_log("payers", world, lines, families), told=told, patient=shown,
                   name_place=np.append(world.name, np.nan)[patient],
                   surname=np.append(world.surname, -1)[patient])  # fmt: skip


def _bare(world: World, lines: Lines, families: tuple[str, ...]) -> Log:
    """Leave out all but account, organisation, moment, person and action; no pages, no sign-ins."""
    shown = ~np.isin(lines.columns["action"], [ACTION["search"], ACTION["login"], ACTION["list"]])
    kept = lines.take(np.flatnonzero(shown))
    log = _log("payers_bare", world, kept, families)
    return replace(log, told={"organisation": _organisation(world, kept.columns)}, numeric=False)


def _organisation(world: World, of: dict[str, Ints]) -> tuple[Ints, list[str]]:
    """Return the establishment; a shop that is taken over gets another number."""
    count = len(world.sector)
    site = of["site"]
    other = (world.chain_of[site] == 3) & (of["at"] >= until(TAKEN))
    return site + count * other, [f"site {number}" for number in range(2 * count)]


def _log(name: str, world: World, lines: Lines, families: tuple[str, ...]) -> Log:
    of = lines.columns
    return Log(
        name, of["at"], of["account"], of["patient"], world.kind, theft=of["theft"],
        families=families, action=of["action"], records=of["records"], access=of["access"],
    )  # fmt: skip


def _numbered(codes: Ints, name: str) -> tuple[Ints, list[str]]:
    words, places = np.unique(codes, return_inverse=True)
    return places, [f"{name} {word}" for word in words.tolist()]
