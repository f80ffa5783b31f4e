"""Attacks placed on honest traffic: which accounts, from when, in whose session, from where."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from vigie.simulate.attacks import PLAYED, Case, Lookups
from vigie.simulate.chance import stream
from vigie.simulate.contexts import ELSEWHERE, IDLE, Places, device, public_address
from vigie.simulate.parameters import Oddities, Preset
from vigie.simulate.population import DAY, Flags, Ints, Population
from vigie.simulate.rhythm import Calendar, Roster
from vigie.simulate.workflows import Visits
from vigie.simulate.world import FAMILIES, REASONS, Attack

_ACCOUNTS_OF: Final = {"several_accounts": (3, 7), "one_site": (8, 11), "crowd": (8, 20)}
_INSIDE: Final = ("own_workstation", "curiosity", "crowd")
LAST: Final = ("dormant_account", "tampering", "crowd")
"""Families that choose their victims after all others, who so keep theirs."""
_MOST: Final = 0.4
"""Never more than this share of the people are robbed: a platform keeps its honest majority."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What a theft is placed on."""

    preset: str
    seed: int
    chosen: Preset
    odd: Oddities
    people: Population
    calendar: Calendar
    roster: Roster
    present: Flags
    places: Places
    honest: Visits


@dataclass(frozen=True, slots=True)
class Thefts:
    """The attacks, each one's visits and its own chance, the networks and devices they add."""

    attacks: tuple[Attack, ...]
    visits: tuple[Visits, ...]
    chances: tuple[np.random.Generator, ...]
    networks: tuple[str, ...]
    devices: tuple[str, ...]


def steal(platform: Platform, asked: int | Mapping[str, int]) -> Thefts:
    """Play the attacks that were asked for, `asked` per family or a number for each family.

    The n-th attack of a family is the same whatever else is asked for, unless somebody else took
    an account that it would have taken.
    """
    found: list[Attack] = []
    parts: list[Visits] = []
    chances: list[np.random.Generator] = []
    networks: list[str] = []
    devices: list[str] = []
    for _, which, case, lookups in sorted(_played(platform, asked), key=lambda one: one[:2]):
        family, rng = FAMILIES[which], case.rng
        away = len(platform.places.networks) + len(networks)
        tool = len(platform.places.devices) + len(devices)
        visits, fresh = _placed(platform, case, family, lookups, len(found), (away, tool))
        if fresh:
            brought = ELSEWHERE + int(rng.integers(ELSEWHERE))
            networks.append(public_address(brought, platform.seed))
            devices.append(device(brought, False, platform.seed))
        begun = int(visits.at.min())
        if family == "begun_before":
            begun = platform.calendar.start - int(case.uniform(3, 60, "days before") * DAY)
        who = tuple(sorted(set(visits.account.tolist())))
        found.append(Attack(family, who, begun, int(visits.at.max()), case.parameters))
        parts.append(visits)
        chances.append(rng)
    return Thefts(tuple(found), tuple(parts), tuple(chances), tuple(networks), tuple(devices))


def _played(
    platform: Platform, asked: int | Mapping[str, int]
) -> Iterator[tuple[int, int, Case, Lookups]]:
    """Yield (number, place of the family, case, look-ups) of each attack that finds a victim."""
    people = platform.people
    busy = np.bincount(platform.honest.account, minlength=people.size).astype(np.float64)
    free = people.kind == 0
    if platform.chosen.service_victims:
        free |= people.kind == 1
    budget = int(free.sum() * _MOST)
    for family, number in sorted(_asked(platform.chosen, asked), key=lambda one: one[0] in LAST):
        rng = stream(platform.seed, platform.preset, "theft", family, number)
        weight = np.sqrt(busy) * free
        if family == "dormant_account":
            weight = weight * _asleep(platform.present)
        accounts = _victims(rng, family, people, weight)
        if not len(accounts) or budget < len(accounts):
            continue
        played = _play(platform, family, accounts, rng)
        if played is None:
            continue
        free[accounts] = False
        budget -= len(accounts)
        yield number, FAMILIES.index(family), *played


def _asked(chosen: Preset, asked: int | Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield (family, number), one of each family before the second of any."""
    wanted = {
        family: asked.get(family, 0) if isinstance(asked, Mapping)
        else round(asked * chosen.families[family])
        for family in FAMILIES if chosen.families.get(family, 0)
    }  # fmt: skip
    for number in range(max(wanted.values(), default=0)):
        yield from ((family, number) for family, many in wanted.items() if number < many)


def _victims(rng: np.random.Generator, family: str, people: Population, weight: np.ndarray) -> Ints:
    """Draw accounts, the busier the likelier: they are more exposed, and worth more."""
    low, high = _ACCOUNTS_OF.get(family, (1, 2))
    wanted = int(rng.integers(low, high))
    person = weight * (people.kind == 0)
    if high > 2:
        wanted = min(wanted, max(2, int((person > 0).sum() // 12)))
        weight = person
    if family == "one_site":
        staff = np.bincount(people.organisation, weights=weight > 0)
        fit = np.flatnonzero(staff >= min(wanted, staff.max()))
        weight = weight * (people.organisation == rng.choice(fit))
    if family in ("own_panel", "curiosity"):
        weight = person
    if family in ("export", "database_dump"):
        office = np.array([p.exports >= 0.002 for p in people.professions])[people.profession]
        weight = weight * np.where(office, 4.0, 1.0)
    return _first_come(rng, weight, wanted)


def _asleep(present: Flags) -> np.ndarray:
    """Return how much likelier each account is to be a dormant one: the longer nobody worked."""
    days = present.shape[1]
    silent = np.where(present.any(axis=1), present[:, ::-1].argmax(axis=1), 0)
    asleep: np.ndarray = (silent / days) ** 4
    return asleep


def _first_come(rng: np.random.Generator, weight: np.ndarray, wanted: int) -> Ints:
    """Draw without replacement; who is not drawn may be left out without changing who is.

    Each waits an exponential time, the shorter the heavier (Efraimidis and Spirakis 2006).
    """
    wait = rng.exponential(size=len(weight)) / np.maximum(weight, 1e-300)
    drawn: Ints = np.argsort(wait, kind="stable")[: min(wanted, int((weight > 0).sum()))]
    return drawn


def _play(
    platform: Platform, family: str, accounts: Ints, rng: np.random.Generator
) -> tuple[Case, Lookups] | None:
    """Choose a day on which the first victim works, and play; nothing if nothing came of it."""
    days = platform.calendar.days
    chosen = np.arange(int(0.4 * days), max(int(0.92 * days), int(0.4 * days) + 1))
    there = chosen[platform.present[accounts[0], chosen]]
    day = int(rng.choice(there if len(there) and rng.random() < 0.9 else chosen))
    case = Case(
        rng,
        accounts,
        day,
        platform.people,
        platform.chosen,
        platform.roster,
        platform.present,
        days,
    )
    found = PLAYED[family](case)
    kept = np.flatnonzero(found.local < days * DAY)
    if not len(kept):
        return None
    order = kept[np.lexsort((found.local[kept], found.account[kept]))]
    return case, Lookups(*(getattr(found, name)[order] for name in Lookups.__slots__))


def _placed(
    platform: Platform, case: Case, family: str, found: Lookups, number: int, own: tuple[int, int]
) -> tuple[Visits, bool]:
    """Give look-ups, sorted by account and time, their sessions and places.

    A thief works in the owner's stolen session, from an address of his own, or from rented mobile
    and home addresses that change with the session; an internal system is seldom reached from
    outside. Says whether an own address was used.
    """
    rng, honest = case.rng, platform.honest
    at = platform.calendar.utc(found.local, rng)
    near = _latest(honest, found.account, at)
    how = rng.random()
    reach = 0.85 if platform.chosen.internal else 0.7
    inside = family in _INSIDE or how < reach
    fixed = not inside and how < reach + 0.43 * (1 - reach)
    case.parameters["from"] = "inside" if inside else "one address" if fixed else "rented addresses"
    joins = inside & (np.abs(at - honest.at[near]) < IDLE)
    opens = ~joins & np.r_[True, (np.diff(found.account) != 0) | (np.diff(at) > IDLE) | joins[:-1]]
    fresh = (1 << 40) + (number << 24) + np.cumsum(opens)
    rented = platform.places.carrier_start + rng.integers(
        0, platform.places.carrier_count, int(opens.sum()) + 1
    )
    network = np.full(len(at), own[0]) if fixed else rented[np.cumsum(opens)]
    mistyped = np.full(len(at), max(case.guesses, platform.odd.mistyped))
    mistyped[np.argmin(at)] = 0.0  # a theft begins with its first look-up
    agent, none = int(rng.integers(6)), np.full(len(at), -1)
    return Visits(
        found.account, at, honest.organisation[near], honest.unit[near], found.patient,
        np.full(len(at), REASONS.index("theft")), found.workflow, honest.behalf[near],
        np.where(joins, honest.session[near], fresh),
        honest.network[near] if inside else network,
        honest.device[near] if inside else np.full(len(at), own[1]),
        honest.user_agent[near] if inside else np.full(len(at), agent),
        honest.auth_method[near], none + 1 + number, found.records, opens,
        found.haste, mistyped,
    ), not inside  # fmt: skip


def _latest(honest: Visits, account: Ints, at: Ints) -> Ints:
    """Return the owner's latest encounter before each look-up (else the first one)."""
    near = np.zeros(len(at), np.int64)
    for who in np.unique(account):
        rows = np.flatnonzero(account == who)
        first, last = np.searchsorted(honest.account, [who, who + 1])
        place = np.searchsorted(honest.at[first:last], at[rows], side="right") - 1
        near[rows] = first + np.clip(place, 0, max(last - first - 1, 0))
    return np.minimum(near, len(honest.at) - 1)
