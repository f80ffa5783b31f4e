"""The one entry: from a preset, a scale and a seed to a world."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.errors import UsageError
from vigie.language import N_
from vigie.simulate import (
    assignments,
    care,
    contexts,
    episodes,
    flows,
    kinship,
    parameters,
    population,
    reference,
    rhythm,
    signs,
    staff,
    thefts,
    workflows,
)
from vigie.simulate.chance import stream, streams
from vigie.simulate.parameters import Oddities, Preset
from vigie.simulate.population import DAY, Ints, Population
from vigie.simulate.workflows import Visits
from vigie.simulate.world import STAFF, World

PRESETS: Final = (
    "regional-portal", "hospital", "practice-software", "third-party-payment", "identity-server",
)  # fmt: skip
PER_FAMILY: Final = 3
_FIRST_THEFT: Final = 1 << 40
"""Accesses and sessions of thefts are numbered from here: honest ones keep their numbers."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands before the first access, and no log can show: people, rosters, who works where.

    For judges: the chances by which honest staff meet patients follow from it.
    """

    chosen: Preset
    odd: Oddities
    people: Population
    calendar: rhythm.Calendar
    roster: rhythm.Roster
    work: assignments.Assignment


def stage(preset: str, scale: float = 1.0, seed: int = 1, days: int | None = None) -> Stage:
    """Return what the world of the same arguments is played on (see `simulate`)."""
    if preset not in PRESETS:
        raise UsageError(
            N_("there is no preset {name!r}"), name=preset,
            remedy=N_("choose one of {presets}"), presets=", ".join(PRESETS),
        )  # fmt: skip
    chosen, odd = parameters.preset(preset), parameters.oddities()
    span = days or chosen.days
    people = population.populate(
        streams(seed, 8, preset, "people"), chosen, parameters.professions(), scale, span
    )
    flows.walk(stream(seed, preset, "flows"), people)
    kin = parameters.kinship(preset)
    if kin:
        owner = kinship.belong(stream(seed, preset, "kinship", "owner"), people, kin)
        people = replace(people, owner=owner)
    calendar = rhythm.calendar(chosen.start, span)
    roster = rhythm.roster(stream(seed, preset, "roster"), people, odd, calendar)
    work = assignments.assign(stream(seed, preset, "assignments"), people, odd, span)
    return Stage(chosen, odd, people, calendar, roster, work)


def simulate(
    preset: str,
    scale: float = 1.0,
    seed: int = 1,
    days: int | None = None,
    attacks: int | Mapping[str, int] = PER_FAMILY,
) -> World:
    """Return the world of `preset`: the same one for the same arguments.

    `scale` 1 is about 3,000 accounts (practice-software: 1,500 doctors and their staff) over 60
    days. `attacks` is how many per family (presets/FAMILY weights it), or a number for each.
    Raises `UsageError` for an unknown preset.

    >>> simulate("hospital", 0.02, days=3, attacks=0).days
    3
    """
    base = stage(preset, scale, seed, days)
    chosen, odd, people = base.chosen, base.odd, base.people
    calendar, roster, work = base.calendar, base.roster, base.work
    span = calendar.days
    places = contexts.places(stream(seed, preset, "places"), people, chosen, odd, span, seed)
    encounters = staff.Encounters.joined([
        staff.daily_work(streams(seed, 7, preset, "daily"), people, chosen, odd, roster, work),
        episodes.episodes(streams(seed, 3, preset, "episodes"), people, chosen, roster, work),
    ])  # fmt: skip
    honest = _placed(streams(seed, 2, preset, "context"), encounters, people, places, calendar, odd)
    present = roster.present & work.employed
    platform = thefts.Platform(
        preset, seed, chosen, odd, people, calendar, roster, present, places, honest
    )
    stolen = thefts.steal(platform, attacks)
    layout = workflows.plan(chosen, people)
    accesses = _accesses(platform, stolen, layout)
    relations = care.relations(streams(seed, 4, preset, "care"), preset, people, calendar, honest)
    accesses, relations, roll = _among_their_own(platform, layout, accesses, relations)
    hired = assignments.hired_at(stream(seed, preset, "hired"), work, calendar.start)
    accounts = people.accounts.set_column(
        people.accounts.schema.get_field_index("hired_at"), "hired_at", pa.array(hired)
    )
    return World(
        preset, seed, calendar.start, span, people.organisations, accounts,
        people.register.table, accesses, reference.insurers(), people.units,
        places.networks + stolen.networks, places.devices + stolen.devices,
        contexts.USER_AGENTS, contexts.AUTH_METHODS, layout.objects, workflows.PURPOSES,
        stolen.attacks, relations, roll,
    )  # fmt: skip


def _accesses(platform: thefts.Platform, stolen: thefts.Thefts, layout: workflows.Plan) -> pa.Table:
    """Return what visits become in the log, honest and stolen, in order of time."""
    preset, seed, people = platform.preset, platform.seed, platform.people
    expanded = pa.concat_tables([
        workflows.accesses(chance, visits, layout, people, platform.chosen, platform.odd, first)
        for chance, visits, first in (
            (stream(seed, preset, "expand"), platform.honest, 0),
            *zip(stolen.chances, stolen.visits, count(_FIRST_THEFT, 1 << 24), strict=False),
        )
    ])  # fmt: skip
    calendar = platform.calendar
    signed = signs.signed(
        seed, preset, people, calendar.start, calendar.days, layout.objects.index("session"),
        expanded, stolen.attacks,
    )  # fmt: skip
    return signed.take(pc.sort_indices(signed["at"])).combine_chunks()


def _among_their_own(
    platform: thefts.Platform, layout: workflows.Plan, accesses: pa.Table, relations: pa.Table
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return accesses and care relations with what owners do among their own, and the staff."""
    preset, seed, people = platform.preset, platform.seed, platform.people
    kin = parameters.kinship(preset)
    if kin is None:
        return accesses, relations, STAFF.empty_table()
    house = kinship.House(
        people, platform.chosen, kin, platform.calendar, platform.roster, platform.present,
        platform.honest,
    )  # fmt: skip
    met, more = kinship.meetings(streams(seed, 6, preset, "kinship"), house)
    chance = stream(seed, preset, "kinship", "expand")
    added = workflows.accesses(
        chance, met, layout, people, platform.chosen, platform.odd, kinship.FIRST
    )
    both = pa.concat_tables([accesses, added])
    both = both.take(pc.sort_indices(both["at"])).combine_chunks()
    roll = kinship.staff_table(stream(seed, preset, "kinship", "table"), people, kin)
    return both, kinship.appended(relations, more), roll


def _placed(
    chances: list[np.random.Generator], work: staff.Encounters, people: Population,
    places: contexts.Places, calendar: rhythm.Calendar, odd: Oddities,
) -> Visits:  # fmt: skip
    """Put encounters in time and place, by account."""
    work = work.take(np.lexsort((work.local, work.account)))
    at = calendar.utc(work.local, chances[0])
    day: Ints = np.minimum(work.local // DAY, calendar.days - 1)
    context = contexts.contexts(
        chances[1], people, places, work.account, work.organisation, at, day, work.home
    )
    return Visits(
        work.account, at, work.organisation, work.unit, work.patient, work.reason, work.workflow,
        work.behalf, context.session, context.network, context.device, context.user_agent,
        context.auth_method, np.full(len(at), -1), work.records, context.opens,
        work.haste, np.full(len(at), odd.mistyped),
    )  # fmt: skip
