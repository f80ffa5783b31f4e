"""How a patient relates to an account, through accesses older than a delay.

The chance of each relation under a sweep is its *coverage*, counted from the past only: a sweep
draws patients from a register without regard to who cares for them.
"""

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

from vigie.events import ACTIONS
from vigie.units import DAY, Codes, Flags, Times, Units, dense

Marks = NDArray[np.int8]

DELAY: Final = DAY // 24
"""A patient is known to a team, an organisation or a place through accesses older than this."""

UNSEEN: Final = 0.4
"""Assumed share of a register that no access in the log has shown yet: a sweep meets such persons
too, and the log cannot tell how many they are."""

RELATIONS: Final = (
    "own", "team", "organisation", "network", "host", "local", "far",
)  # fmt: skip
OWN, TEAM, ORGANISATION, NETWORK, HOST, LOCAL, FAR = range(7)


def number_pairs(owner: Codes, patient: Codes, patients: int) -> tuple[Codes, int]:
    """Number the distinct (owner, patient), -1 where either is unknown; return how many."""
    valid = (owner >= 0) & (patient >= 0)
    codes = np.full(len(owner), -1, np.int32)
    found, count = dense(owner[valid].astype(np.int64) * patients + patient[valid])
    codes[valid] = found
    return codes, count


def relate(units: Units, order: Times) -> tuple[Marks, NDArray[np.float64]]:
    """Return each unit's relation and its log chance in a sweep of the register.

    `order` lists the units by time: what is known of a patient is what came before.
    """
    organisation, network = units.text["organisation"], units.text["network"]
    teaches = units.action != ACTIONS.index("search")
    register = _register(order, units.patient, units.patients)
    known, cover = [], []
    for owner in (units.account, _teams(units), organisation, network):
        pair, pairs = number_pairs(owner, units.patient, units.patients)
        seen, coverage = _known_before(
            order, pair, pairs, owner.astype(np.int64), units.account, units.at, teaches,
            register, DELAY,
        )  # fmt: skip
        known.append(seen)
        cover.append(coverage)
    place = (organisation if (organisation >= 0).any() else network).astype(np.int64)
    home, chance = _homes(order, place, units.patient, units.patients, units.at, DELAY)
    explained = known[2] | known[3] | (units.since >= 0)
    host = _hosts(units.account, home, explained, units.at)
    local, near = _locals(order, np.maximum(place, 0), units.text["area"])
    return _categories(units, known, cover, host, chance, local, near)


def _teams(units: Units) -> Codes:
    """Number the units of each organisation, -1 where the log names none."""
    ward = units.text["unit"].astype(np.int64)
    team = units.text["organisation"].astype(np.int64) + 1
    codes, _ = dense(np.where(ward < 0, -1, team * (ward.max(initial=0) + 1) + ward))
    return codes - 1 if (ward < 0).any() else codes


def _categories(
    units: Units,
    known: list[Flags],
    cover: list[NDArray[np.float64]],
    host: Flags,
    share: NDArray[np.float64],
    local: Flags,
    near: NDArray[np.float64],
) -> tuple[Marks, NDArray[np.float64]]:
    """Choose the closest relation that holds, and the chance that a sweep falls into it.

    The chances of all relations sum to one: what a closer relation explains is no longer there
    for the next.
    """
    layers = [
        (OWN, units.since >= 0, cover[0]),
        (TEAM, known[1], cover[1]),
        (ORGANISATION, known[2], cover[2]),
        (NETWORK, known[3], cover[3]),
    ]
    relation = np.full(len(units), -1, np.int8)
    chance, rest = np.ones(len(units)), np.ones(len(units))
    for code, holds, coverage in layers:
        new = holds & (relation < 0)
        relation = np.where(new, code, relation).astype(np.int8)
        chance = np.where(new, np.minimum(coverage, rest) * (1 - UNSEEN), chance)
        rest = np.maximum(rest - coverage, 0.05)
    strange = UNSEEN + (1 - UNSEEN) * rest
    elsewhere = (1 - UNSEEN) * rest / strange * share
    far = relation < 0
    for code, holds, share_of in (
        (HOST, host, elsewhere),
        (LOCAL, ~host & local, (1 - elsewhere) * near),
        (FAR, ~host & ~local, (1 - elsewhere) * (1 - near)),
    ):
        new = far & holds
        relation = np.where(new, code, relation).astype(np.int8)
        chance = np.where(new, strange * share_of, chance)
    relation[units.patient < 0] = -1
    return relation, np.log(np.clip(chance, 1e-4, 1.0))


@numba.njit(cache=True, nogil=True)
def _register(order, patient, patients):  # type: ignore[no-untyped-def]
    """Count the distinct patients seen before each unit, over all accounts."""
    seen = np.zeros(patients + 1, np.bool_)
    size = np.ones(order.size, np.float64)
    total = 0
    for i in order:
        size[i] = total + 1
        if patient[i] >= 0 and not seen[patient[i]]:
            seen[patient[i]] = True
            total += 1
    return size


@numba.njit(cache=True, nogil=True)
def _known_before(order, pair, pairs, owner, account, at, teaches, register, delay):  # type: ignore[no-untyped-def]
    """Whether another account of this owner knew the patient, and the owner's coverage."""
    never = np.int64(2**62)
    first_at = np.full(pairs + 1, never, np.int64)
    first_by = np.full(pairs + 1, -1, np.int64)
    other_at = np.full(pairs + 1, never, np.int64)
    size = np.zeros(owner.max() + 2 if owner.size else 1, np.float64)
    known = np.zeros(order.size, np.bool_)
    cover = np.zeros(order.size, np.float64)
    for i in order:
        k = pair[i]
        if k < 0:
            continue
        cover[i] = size[owner[i]] / register[i]
        when = other_at[k] if first_by[k] == account[i] else first_at[k]
        known[i] = when <= at[i] - delay
        if teaches[i]:
            if first_by[k] < 0:
                first_at[k], first_by[k] = at[i], account[i]
                size[owner[i]] += 1
            elif first_by[k] != account[i] and other_at[k] == never:
                other_at[k] = at[i]
    return known, cover


@numba.njit(cache=True, nogil=True)
def _homes(order, place, patient, patients, at, delay):  # type: ignore[no-untyped-def]
    """Where each patient was first seen, if long enough ago and elsewhere than here.

    Also the chance that a stranger drawn at random shares this with two of sixteen others.
    """
    home = np.full(patients + 1, -1, np.int64)
    since = np.zeros(patients + 1, np.int64)
    out = np.full(order.size, -1, np.int32)
    chance = np.zeros(order.size, np.float64)
    weight = np.zeros(place.max() + 2 if place.size else 1, np.float64)
    seen, likely = 0, 0.0
    for i in order:
        chance[i] = likely
        p = patient[i]
        if p < 0 or place[i] < 0:
            continue
        if home[p] < 0:
            home[p], since[p] = place[i], at[i]
        elif home[p] != place[i] and since[p] <= at[i] - delay:
            out[i] = home[p]
            weight[home[p]] += 1
            seen += 1
            if seen % 4096 == 64:
                likely = 0.0
                for share in weight / seen:
                    few = (1.0 - share) ** 16 + 16 * share * (1.0 - share) ** 15
                    likely += share * (1.0 - few)
    return out, chance


@numba.njit(cache=True, nogil=True)
def _hosts(account, home, explained, at):  # type: ignore[no-untyped-def]
    """Whether two of the last sixteen strangers, in ten days, came from the same elsewhere."""
    same = np.zeros(account.size, np.bool_)
    ring = np.full(16, -1, np.int64)
    when = np.zeros(16, np.int64)
    owner, filled = -1, 0
    for i in range(account.size):
        if account[i] != owner:
            owner, filled = account[i], 0
            ring[:] = -1
        if explained[i] or home[i] < 0:
            continue
        matches = 0
        for j in range(16):
            if ring[j] == home[i] and at[i] - when[j] < 10 * 86_400_000_000:
                matches += 1
        same[i] = matches >= 2
        ring[filled % 16], when[filled % 16] = home[i], at[i]
        filled += 1
    return same


@numba.njit(cache=True, nogil=True)
def _locals(order, place, area):  # type: ignore[no-untyped-def]
    """Whether the patient's area is one that this place sees, and the share of all that are."""
    areas = area.max() + 2 if area.size else 1
    counts = np.zeros((place.max() + 1 if place.size else 1, areas), np.float64)
    totals = np.zeros(counts.shape[0], np.float64)
    reach = np.full(counts.shape[0], 0.5)
    whole = np.zeros(areas, np.float64)
    local = np.zeros(order.size, np.bool_)
    near = np.full(order.size, 0.5, np.float64)
    seen = 0.0
    for i in order:
        here, o = area[i], place[i]
        if here < 0:
            continue
        local[i] = counts[o, here] >= 0.05 * totals[o] and totals[o] >= 10
        if totals[o] % 64 == 10:
            share = 0.0
            for a in range(areas):
                if counts[o, a] >= 0.05 * totals[o]:
                    share += whole[a]
            reach[o] = min(0.95, max(0.02, share / max(seen, 1.0)))
        near[i] = reach[o]
        counts[o, here] += 1
        totals[o] += 1
        whole[here] += 1
        seen += 1
    return local, near
