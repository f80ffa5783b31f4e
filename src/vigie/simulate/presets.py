"""The one entry: from a preset, a scale and a seed to a world."""

import hashlib
from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.errors import UsageError
from vigie.events import ACTIONS
from vigie.language import N_
from vigie.simulate import parameters, reference, rhythm, staff, workflows
from vigie.simulate.attacks import PLAYED, Case, Lookups
from vigie.simulate.contexts import AUTH_METHODS, USER_AGENTS, Context, Places, contexts, places
from vigie.simulate.parameters import Preset
from vigie.simulate.population import DAY, Ints, Population, populate
from vigie.simulate.rhythm import Calendar, Roster
from vigie.simulate.workflows import PURPOSES, Visits
from vigie.simulate.world import ACCESSES, FAMILIES, REASONS, Attack, World

PRESETS: Final = (
    "regional-portal", "hospital", "practice-software", "third-party-payment", "identity-server",
)  # fmt: skip
PER_FAMILY: Final = 3
_ACCOUNTS_OF: Final = {"several_accounts": (3, 7), "one_site": (8, 11)}


def _stream(preset: str, seed: int, *subject: str | int) -> np.random.Generator:
    """Return the random stream of one subject: no other subject's draws move it."""
    text = "/".join(map(str, (preset, *subject)))
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "little")])


def simulate(
    preset: str,
    scale: float = 1.0,
    seed: int = 1,
    days: int | None = None,
    attacks: int | Mapping[str, int] = PER_FAMILY,
) -> World:
    """Return the world of `preset`: the same one for the same arguments.

    `scale` 1 is about 3,000 accounts (practice-software: 1,500 doctors and their staff) over 60
    days. `attacks` is how many per family, or a number for each family. Raises `UsageError` for
    an unknown preset.

    >>> simulate("hospital", 0.02, days=3, attacks=0).days
    3
    """
    if preset not in PRESETS:
        raise UsageError(
            N_("there is no preset {name!r}"), name=preset,
            remedy=N_("choose one of {presets}"), presets=", ".join(PRESETS),
        )  # fmt: skip
    chosen = parameters.preset(preset)
    span = days or chosen.days
    known = parameters.professions()

    def streams(subject: str, count: int) -> list[np.random.Generator]:
        return [_stream(preset, seed, subject, number) for number in range(count)]

    people = populate(streams("people", 8), chosen, known, scale, span)
    calendar = rhythm.calendar(chosen.start, span)
    roster = rhythm.roster(_stream(preset, seed, "roster"), people, calendar)
    where = places(_stream(preset, seed, "places"), people, span)
    work = staff.assign(_stream(preset, seed, "assignments"), people, span)
    parts = [
        staff.daily_work(streams("daily", 5), people, chosen, calendar, roster, work),
        staff.episodes(streams("episodes", 3), people, chosen, calendar, roster, work),
    ]
    layout = workflows.plan(chosen)
    honest = _honest(streams("context", 3), parts, people, where, calendar)
    table = workflows.expand(_stream(preset, seed, "expand"), honest, layout, people, chosen, 0)
    if chosen.logins:
        table = pa.concat_tables([table, _logins(honest, layout, people, table.num_rows)])
    thefts, stolen, extra = _steal(
        preset, seed, attacks, chosen, people, roster, calendar, where, honest, span
    )
    if thefts:
        rng = _stream(preset, seed, "expand thefts")
        table = pa.concat_tables(
            [table, workflows.expand(rng, stolen, layout, people, chosen, 1 << 40)]
        )
    table = table.take(pc.sort_indices(table["at"])).combine_chunks()
    return World(
        preset, seed, calendar.start, span, people.organisations, people.accounts,
        people.register.table, table, reference.insurers(), people.units,
        where.networks + extra[0], where.devices + extra[1], USER_AGENTS, AUTH_METHODS,
        layout.objects, PURPOSES, tuple(thefts),
    )  # fmt: skip


def _honest(
    streams: list[np.random.Generator], parts: list[staff.Encounters], people: Population,
    where: Places, calendar: Calendar,
) -> Visits:  # fmt: skip
    work = staff.Encounters.joined(parts)
    work = work.take(np.lexsort((work.local, work.account)))
    at = calendar.utc(work.local, streams[0])
    context = contexts(
        streams[1], people, where, work.account, work.organisation, at,
        np.minimum(work.local // DAY, calendar.days - 1),
    )  # fmt: skip
    none = np.full(len(at), -1)
    forced = none.copy()
    return _visits(work, at, context, none, forced)


def _visits(
    work: staff.Encounters, at: Ints, context: Context, attack: Ints, forced: Ints
) -> Visits:
    return Visits(
        work.account, at, work.organisation, work.patient, work.reason, work.workflow, work.behalf,
        context.session, context.network, context.device, context.user_agent, context.auth_method,
        attack, forced,
    )  # fmt: skip


def _logins(visits: Visits, layout: workflows.Plan, people: Population, first: int) -> pa.Table:
    rows = np.flatnonzero(np.r_[True, np.diff(visits.session) != 0])
    rows = rows[people.kind[visits.account[rows]] != 1]
    count = len(rows)
    none = np.full(count, -1)
    columns = {
        "at": visits.at[rows] - 15_000_000, "access": first + np.arange(count),
        "account": visits.account[rows], "on_behalf_of": none,
        "organisation": visits.organisation[rows], "unit": people.unit[visits.account[rows]],
        "session": visits.session[rows], "network": visits.network[rows],
        "device": visits.device[rows], "user_agent": visits.user_agent[rows],
        "auth_method": visits.auth_method[rows],
        "action": np.full(count, ACTIONS.index("login")),
        "object": np.full(count, layout.objects.index("session")),
        "query_shape": none, "record_count": none, "bytes": none, "patient": none,
        "purpose": none, "outcome": np.zeros(count, np.int64), "attack": visits.attack[rows],
        "reason": visits.reason[rows],
    }  # fmt: skip
    return pa.table([pa.array(columns[f.name]).cast(f.type) for f in ACCESSES], schema=ACCESSES)


def _victims(
    preset: str, seed: int, family: str, number: int, people: Population, free: Ints, busy: Ints
) -> Ints:
    rng = _stream(preset, seed, "victims", family, number)
    low, high = _ACCOUNTS_OF.get(family, (1, 2))
    wanted = int(rng.integers(low, high))
    weight = free * busy.astype(np.float64)
    if family == "one_site":
        sites = np.bincount(people.organisation, weights=weight > 0)
        fit = np.flatnonzero(sites >= min(wanted, sites.max()))
        weight = weight * (people.organisation == rng.choice(fit))
    if family == "own_panel":
        weight = (
            weight * np.array([p.mode == "panel" for p in people.professions])[people.profession]
        )
    able = int((weight > 0).sum())
    if not able:
        return np.empty(0, np.int64)
    drawn: Ints = rng.choice(len(weight), min(wanted, able), replace=False, p=weight / weight.sum())
    return drawn


def _steal(
    preset: str, seed: int, asked: int | Mapping[str, int], chosen: Preset, people: Population,
    roster: Roster, calendar: Calendar, where: Places, honest: Visits, days: int,
) -> tuple[list[Attack], Visits, tuple[tuple[str, ...], tuple[str, ...]]]:  # fmt: skip
    busy = np.sqrt(np.bincount(honest.account, minlength=people.size))
    free = (people.kind == 0).astype(np.int64)
    thefts: list[Attack] = []
    parts: list[Visits] = []
    networks: list[str] = []
    devices: list[str] = []
    for family in FAMILIES:
        share = chosen.families.get(family, 0)
        many = asked.get(family, 0) if isinstance(asked, Mapping) else round(asked * share)
        for number in range(many if share else 0):
            accounts = _victims(preset, seed, family, number, people, free, busy)
            if not len(accounts):
                continue
            rng = _stream(preset, seed, "theft", family, number)
            day = int(rng.uniform(0.4, 0.92) * days)
            case = Case(rng, accounts, day, people, chosen, roster, days)
            found = PLAYED[family](case)
            keep = found.local < days * DAY
            if not keep.any():
                continue
            found = Lookups(*(getattr(found, name)[keep] for name in Lookups.__slots__))
            free[accounts] = 0
            place = len(where.networks) + len(networks), len(where.devices) + len(devices)
            at = calendar.utc(found.local, rng)
            visit, outside = _placed(case, family, found, at, len(thefts), honest, where, place)
            if outside:
                networks.append(
                    f"185.{rng.integers(1, 250)}.{rng.integers(256)}.{rng.integers(2, 250)}"
                )
                devices.append(f"PC-{rng.integers(1 << 20, 1 << 24):06x}")
            case.parameters["from"] = "elsewhere" if outside else "own workstation"
            parts.append(visit)
            thefts.append(
                Attack(
                    family, tuple(map(int, accounts)), int(at.min()), int(at.max()), case.parameters
                )
            )
    names = Visits.__slots__
    blank = np.empty(0, np.int64)
    joined = Visits(*(np.concatenate([getattr(p, n) for p in parts] or [blank]) for n in names))
    return thefts, joined, (tuple(networks), tuple(devices))


def _placed(
    case: Case, family: str, found: Lookups, at: Ints, number: int, honest: Visits, where: Places,
    place: tuple[int, int],
) -> tuple[Visits, bool]:  # fmt: skip
    """Give a thief's look-ups their sessions: the owner's nearest one, or a place of the thief's."""
    rng, count = case.rng, len(at)
    outside = family not in ("own_workstation", "curiosity") and rng.random() < 0.35
    low = np.searchsorted(honest.account, found.account, side="left")
    high = np.searchsorted(honest.account, found.account, side="right")
    near = np.empty(count, np.int64)
    for account in np.unique(found.account):
        rows = np.flatnonzero(found.account == account)
        first, last = int(low[rows[0]]), int(high[rows[0]])
        near[rows] = first + np.clip(
            np.searchsorted(honest.at[first:last], at[rows], side="right") - 1, 0, None
        )
    near = np.minimum(near, len(honest.at) - 1)
    day = at // DAY
    fresh = (
        (1 << 40)
        + number * 100_000
        + found.account * 0
        + (day - day.min()) * 16
        + found.account % 16
    )
    joins = (at - honest.at[near] < 40 * 60 * 1_000_000) & (not outside)
    return Visits(
        found.account, at, honest.organisation[near], found.patient,
        np.full(count, REASONS.index("theft")), found.workflow,
        np.full(count, -1) if outside else honest.behalf[near],
        np.where(joins, honest.session[near], fresh),
        np.full(count, place[0]) if outside else honest.network[near],
        np.full(count, place[1]) if outside else honest.device[near],
        np.full(count, int(rng.integers(6))) if outside else honest.user_agent[near],
        honest.auth_method[near], np.full(count, number), found.records,
    ), outside  # fmt: skip
