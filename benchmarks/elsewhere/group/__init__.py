"""The record of a hospital group and the portal of its vendor, drawn from how hospitals work.

Three establishments, 27 wards: people come to emergency, lie in beds, are operated, imaged, seen
as out-patients, coded; nurses take turns, interns rotate, agencies fill in. Nobody is given a share
of strangers; it follows. `group` tells all that a good log tells, `group_bare` is the same traffic
as account, role, moment, patient and action; the honest twins hold no theft.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from benchmarks.elsewhere.group import (
    clinics,
    oddities,
    offices,
    plant,
    relations,
    sessions,
    stays,
    stealing,
    thefts,
    wards,
)
from benchmarks.elsewhere.group.people import AREAS, HOUR, KINDS, SITES, World, found
from benchmarks.elsewhere.group.rota import Rota, plan
from benchmarks.elsewhere.group.rows import Rows
from benchmarks.elsewhere.group.sessions import ACTION, Lines
from benchmarks.elsewhere.log import BEGIN, SECOND, Log

LOGS: Final = ("group", "group_honest", "group_bare", "group_bare_honest")
_FIRST: Final = BEGIN + (84 * 24 - 2) * HOUR * SECOND
"""Monday, 30 March 2026, midnight in Paris."""


def draw(name: str, seed: int, each: int = 4) -> Log:
    """Return a log of the group with `each` thefts of every family, or an honest one."""
    world = found(np.random.default_rng([seed, 431]))
    rows, rota = Rows(world), plan(world)
    visits = stays.visit(world)
    lain = stays.lie(world, visits)
    diary = clinics.book(world)
    _live(world, rows, rota, visits, lain, diary)
    drawn = oddities.interrupt(world, rows.joined())
    sessions.number(world, drawn, lain.columns, vars(visits), vars(diary))
    names = sessions.alphabet(world)
    lines, families = sessions.write(world, drawn, names), ()
    if not name.endswith("honest"):
        scene = thefts.Scene(world, rota, lain, names, lines, np.random.default_rng([seed, 432]))
        lines, families = stealing.rob(scene, each)
    if "bare" in name:
        return _bare(world, lines, families)
    log = _rich(world, lines, families, names)
    return replace(
        log, care=relations.known(world, lain, visits, diary, log.told["unit"][1], _FIRST)
    )


def _live(
    world: World, rows: Rows, rota: Rota, visits: stays.Visits, lain: stays.Stays,
    diary: clinics.Appointments,
) -> None:  # fmt: skip
    wards.care(world, rows, rota, lain)
    wards.on_call(world, rows, rota, lain)
    wards.emergency(world, rows, rota, visits)
    wards.advice(world, rows, lain)
    clinics.consult(world, rows, diary)
    clinics.discharge(world, rows, lain)
    clinics.town(world, rows, visits, lain, diary)
    plant.theatre(world, rows, lain)
    plant.examine(world, rows, visits, lain, diary)
    plant.pharmacy(world, rows, lain)
    plant.therapy(world, rows, lain)
    plant.interfaces(world, rows, lain)
    offices.run(world, rows, visits, lain, diary)
    offices.evening(world, rows, lain, diary)
    oddities.add(world, rows, visits, lain, diary, rota)


def _rich(world: World, lines: Lines, families: tuple[str, ...], names: sessions.Alphabet) -> Log:
    units = [f"{u.name} {u.site}" for u in world.units]
    organisations = [*SITES, *(f"practice {u.site}" for u in world.units if u.site >= 3)]
    kinds = np.array(world.kind)[lines["account"]]
    services = (kinds == list(KINDS).index("interface")).astype(np.int64)
    patient = np.where(lines["patient"] < 0, len(names.place), lines["patient"])
    area = world.places["area"][: len(names.place)]
    told = {
        "profession": _of_kind(kinds, 0), "role": _of_kind(kinds, 1),
        "actor_kind": (services, ["person", "service"]),
        "organisation": (np.array([u.site for u in world.units])[lines["unit"]], organisations),
        "unit": (lines["unit"], units), "area": (np.append(area, -1)[patient], AREAS),
        "query_shape": (lines["shape"], sessions.SHAPES),
        "user_agent": (lines["agent"], sessions.AGENTS),
        "auth_method": (lines["auth"], sessions.AUTH),
        **{name: _numbered(lines[name], name) for name in ("session", "device", "network")},
    }  # fmt: skip
    surname = np.append(world.surname[: len(names.place)], -1)[patient]
    log = _log("group", world, lines, families)
    return replace(
        log, told=told, surname=surname, name_place=np.append(names.place, np.nan)[patient]
    )


def _bare(world: World, lines: Lines, families: tuple[str, ...]) -> Log:
    """Leave out where and how, sign-ins, and whom a search found."""
    shown = ~np.isin(lines["action"], [ACTION["search"], ACTION["login"]])
    lines = sessions.take(lines, shown)
    log = _log("group_bare", world, lines, families)
    kinds = np.array(world.kind)[lines["account"]]
    return replace(log, told={"role": _of_kind(kinds, 1)}, numeric=False)


def _log(name: str, world: World, lines: Lines, families: tuple[str, ...]) -> Log:
    return Log(
        name, _FIRST + lines["at"] * SECOND, lines["account"], lines["patient"],
        np.array(world.kind), theft=lines["theft"], families=families, action=lines["action"],
        records=lines["records"], access=lines["access"],
    )  # fmt: skip


def _of_kind(kinds: np.ndarray, part: int) -> tuple[np.ndarray, list[str]]:
    said = [kind[part] for kind in KINDS.values()]
    words = sorted({word for word in said if word})
    return np.array([words.index(word) if word else -1 for word in said])[kinds], words


def _numbered(codes: np.ndarray, name: str) -> tuple[np.ndarray, list[str]]:
    words, places = np.unique(codes, return_inverse=True)
    return places, [f"{name} {word}" for word in words.tolist()]
