"""A region's shared record: practices, pharmacies, laboratories, home care and two hospitals.

Drawn from what causes accesses: people fall ill, see a doctor, then a pharmacy and a laboratory,
come to an emergency department, lie on a ward whose nurses change every twelve hours, are coded
and billed. Nobody is given a share of strangers; it follows. `region` tells all that a good log
tells, `vendor` is the same traffic in the log of a small vendor: account, moment, patient, action.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from benchmarks.elsewhere.log import Log
from benchmarks.elsewhere.region import hospital, oddities, sessions, thefts, town
from benchmarks.elsewhere.region.people import AREAS, KINDS, World, found
from benchmarks.elsewhere.region.rows import Rows
from benchmarks.elsewhere.region.sessions import ACTION, Lines

LOGS: Final = ("region", "region_honest", "vendor", "vendor_honest")


def draw(name: str, seed: int, each: int = 4) -> Log:
    """Return a log of the region with `each` thefts of every family, or an honest one."""
    world = found(np.random.default_rng([seed, 77]))
    rows = Rows(world)
    panel = oddities.move(world)
    pools, season = town.Pools.of(world), town.Season.of(world.rng)
    town.live(world, rows, pools, season, panel)
    stays = hospital.run(world, rows, pools, season)
    oddities.add(world, rows, pools, stays)
    world.alphabet = sessions.alphabet(world)
    lines, families = sessions.write(world, rows.joined()), ()
    rich = name.startswith("region")
    if not name.endswith("honest"):
        lines, families = thefts.rob(world, lines, seed, each, () if rich else ("result_pages",))
    return _rich(world, lines, families) if rich else _poor(world, lines, families)


def _rich(world: World, lines: Lines, families: tuple[str, ...]) -> Log:
    of = lines.columns
    kinds = list(KINDS.values())
    patient = np.where(of["patient"] < 0, len(world.area), of["patient"])
    services = world.kind == list(KINDS).index("feed")

    def by_kind(name: str) -> tuple[np.ndarray, list[str]]:
        said = [getattr(kind, name) for kind in kinds]
        words = sorted({word for word in said if word})
        code = np.array([words.index(word) if word else -1 for word in said])
        return code[world.kind[of["account"]]], words

    told = {
        "profession": by_kind("profession"), "specialty": by_kind("specialty"),
        "role": by_kind("role"),
        "actor_kind": (services[of["account"]].astype(np.int64), ["person", "service"]),
        "organisation": (world.organisation_of_unit[of["unit"]], world.organisations),
        "unit": (of["unit"], [f"{u.kind} {n}" for n, u in enumerate(world.units)]),
        "area": (np.append(world.area, -1)[patient], AREAS),
        "query_shape": (of["shape"], sessions.SHAPES),
        "user_agent": (of["agent"], sessions.AGENTS), "auth_method": (of["auth"], sessions.AUTH),
        **{name: _numbered(of[name], name) for name in ("session", "device", "network")},
    }  # fmt: skip
    name = np.append(world.name, np.nan)[patient]
    surname = np.append(world.surname, -1)[patient]
    return replace(_log("region", world, lines, families), told=told, name_place=name,
                   surname=surname)  # fmt: skip


def _poor(world: World, lines: Lines, families: tuple[str, ...]) -> Log:
    """Leave out who and where, sign-ins, and whom a search found: only what was then opened."""
    shown = ~np.isin(lines.columns["action"], [ACTION["search"], ACTION["login"]])
    kept = lines.take(np.flatnonzero(shown))
    return replace(_log("vendor", world, kept, families), numeric=False)


def _log(name: str, world: World, lines: Lines, families: tuple[str, ...]) -> Log:
    of = lines.columns
    return Log(
        name, of["at"], of["account"], of["patient"], world.kind, theft=of["theft"],
        families=families, action=of["action"], records=of["records"], access=of["access"],
    )  # fmt: skip


def _numbered(codes: np.ndarray, name: str) -> tuple[np.ndarray, list[str]]:
    words, places = np.unique(codes, return_inverse=True)
    return places, [f"{name} {word}" for word in words.tolist()]
