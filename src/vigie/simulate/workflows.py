"""From encounters to accesses: the requests of each workflow, and the pages they show."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from vigie.events import ACTIONS, VOCABULARIES
from vigie.simulate.parameters import Oddities, Preset
from vigie.simulate.population import Flags, Floats, Ints, Population
from vigie.simulate.world import ACCESSES

PURPOSES: Final = ("TREAT", "ETREAT", "HPAYMT", "HOPERAT")
LONGEST_PAGE: Final = 20
_OF_VISIT: Final = (
    "account", "organisation", "unit", "session", "network", "device", "user_agent", "auth_method",
    "attack", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """The workflows of a preset as matrices [workflow, step]."""

    steps: Ints
    action: Ints
    object: Ints
    shape: Ints
    delay: Floats
    page: Floats
    chance: Floats
    objects: tuple[str, ...]
    by_name: tuple[Ints, Ints]  # where a practice searches its own patients: see Sequences


def plan(preset: Preset, people: Population) -> Plan:
    """Lay the workflows out for lookup by number."""
    flows = list(preset.workflows.values())
    objects = tuple(sorted({step.object for flow in flows for step in flow} | {"session"}))
    width = max(len(flow) for flow in flows)
    shapes = VOCABULARIES["query_shape"]

    def matrix(value: Any, kind: type) -> Any:
        rows = [[value(step) for step in flow] + [0] * (width - len(flow)) for flow in flows]
        return np.array(rows, kind)

    return Plan(
        np.array([len(flow) for flow in flows]),
        matrix(lambda s: ACTIONS.index(s.action), np.int64),
        matrix(lambda s: objects.index(s.object), np.int64),
        matrix(lambda s: shapes.index(s.shape), np.int64),
        matrix(lambda s: s.delay, np.float64),
        matrix(lambda s: s.page, np.float64),
        matrix(lambda s: s.chance, np.float64),
        objects,
        people.sequences.by_name(people.register.name_rank)
        if preset.own_register
        else (np.empty(0, np.int64), np.empty(0, np.int64)),
    )


@dataclass(frozen=True, slots=True)
class Visits:
    """Encounters in UTC with the context they happened in, ready to be written as accesses."""

    account: Ints
    at: Ints
    organisation: Ints
    unit: Ints
    patient: Ints
    reason: Ints
    workflow: Ints
    behalf: Ints
    session: Ints
    network: Ints
    device: Ints
    user_agent: Ints
    auth_method: Ints
    attack: Ints
    records: Ints  # of an export; else -1: as the workflow says
    opens: Flags  # the session begins here
    haste: Floats  # factor on the delays between the requests of a workflow
    mistyped: Floats  # chance that a rights check comes after one of a number that nobody has


def accesses(
    rng: np.random.Generator, visits: Visits, layout: Plan, people: Population, preset: Preset,
    odd: Oddities, first: int,
) -> pa.Table:  # fmt: skip
    """Return the accesses of `visits`, logins included, numbered from `first`, not yet sorted."""
    tables = [_expand(rng, visits, layout, people, preset, first)]
    first += len(tables[0])
    tables.append(_mistakes(rng, visits, layout, preset, first))
    first += len(tables[1])
    if preset.logins:
        tables.append(_logins(rng, visits, layout, people, odd, first))
    return pa.concat_tables(tables)


def _mistakes(
    rng: np.random.Generator, visits: Visits, layout: Plan, preset: Preset, first: int
) -> pa.Table:
    """Return the rights checks of numbers that nobody has: mistyped ones, and guessed ones."""
    checks = layout.action[visits.workflow, 0] == ACTIONS.index("rights_check")
    rows = np.flatnonzero(checks & (rng.random(len(checks)) < visits.mistyped))
    count, none = len(rows), np.full(len(rows), -1)
    pause = np.exp(rng.normal(2.3, 0.5, count)) * visits.haste[rows]
    return _table(
        {name: getattr(visits, name)[rows] for name in _OF_VISIT}
        | {
            "at": visits.at[rows] - np.minimum(pause * 1e6, 13_000_000).astype(np.int64),
            "access": first + np.arange(count),
            "on_behalf_of": visits.behalf[rows],
            "action": layout.action[visits.workflow[rows], 0],
            "object": layout.object[visits.workflow[rows], 0],
            "query_shape": layout.shape[visits.workflow[rows], 0],
            "record_count": none + 1 if preset.counts_records else none,
            "bytes": rng.integers(150, 400, count) if preset.counts_bytes else none,
            "patient": none,
            "purpose": none,
            "outcome": np.full(count, VOCABULARIES["outcome"].index("serious_failure")),
        }
    )


def _logins(
    rng: np.random.Generator, visits: Visits, layout: Plan, people: Population, odd: Oddities,
    first: int,
) -> pa.Table:  # fmt: skip
    """Return a login for every session of a person, and a failed one before some."""
    rows = np.flatnonzero(visits.opens & (people.kind[visits.account] != 1))
    failed = rng.random(len(rows)) < odd.failed_login
    again = np.r_[np.zeros(len(rows), bool), np.ones(int(failed.sum()), bool)]
    rows = np.r_[rows, rows[failed]]
    count, none = len(rows), np.full(len(rows), -1)
    before = np.where(again, 31_000_000, 14_000_000) + rng.integers(0, 9_000_000, count)
    columns = {name: getattr(visits, name)[rows] for name in _OF_VISIT}
    return _table(
        columns
        | {
            "at": visits.at[rows] - before,
            "access": first + np.arange(count),
            "on_behalf_of": none,
            "action": np.full(count, ACTIONS.index("login")),
            "object": np.full(count, layout.objects.index("session")),
            "query_shape": none,
            "record_count": none,
            "bytes": none,
            "patient": none,
            "purpose": none,
            "outcome": np.where(again, 1, 0),
        }
    )


def _expand(
    rng: np.random.Generator, visits: Visits, layout: Plan, people: Population, preset: Preset,
    first_access: int,
) -> pa.Table:  # fmt: skip
    """Return what the workflows of `visits` do."""
    steps = layout.steps[visits.workflow]
    row = np.repeat(np.arange(len(steps)), steps)
    step = np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps)
    flow = visits.workflow[row]
    made = (step == 0) | (rng.random(len(row)) < layout.chance[flow, step])
    row, step, flow = row[made], step[made], flow[made]
    delay = layout.delay[flow, step] * np.exp(0.6 * rng.standard_normal(len(row))) * (step > 0)
    delay = delay * visits.haste[row]
    at = visits.at[row] + (_within(delay, row) * 1e6).astype(np.int64)
    size = _page_sizes(rng, layout.page[flow, step])
    line = np.repeat(np.arange(len(row)), size)
    rank = np.arange(len(line)) - np.repeat(np.cumsum(size) - size, size)
    who = row[line]
    patient = _on_page(visits, who, rank, size[line], people, preset, layout)
    action = layout.action[flow, step][line]
    forced = visits.records[who]
    patient[forced >= 0] = -1
    counted = np.where(forced >= 0, forced, size[line] if preset.counts_records else -1)
    nbytes = np.full(len(line), -1)
    if preset.counts_bytes:
        weight = np.exp(rng.normal(7.6, 0.9, len(row)))[line]
        nbytes = (
            weight * np.where(forced >= 0, np.maximum(forced, 1) * 0.12, size[line] ** 0.5)
        ).astype(np.int64)
    columns = {name: getattr(visits, name)[who] for name in _OF_VISIT}
    return _table(
        columns
        | {
            "at": at[line],
            "access": first_access + line,
            "on_behalf_of": visits.behalf[who],
            "action": action,
            "object": layout.object[flow, step][line],
            "query_shape": layout.shape[flow, step][line],
            "record_count": counted,
            "bytes": nbytes,
            "patient": patient,
            "purpose": _purposes(action, preset),
            "outcome": np.searchsorted([0.992, 0.998, 0.9995], rng.random(len(row)))[line],
        }
    )


def _table(columns: dict[str, Ints]) -> pa.Table:
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in ACCESSES]
    return pa.table(arrays, schema=ACCESSES)


def _within(delay: Floats, row: Ints) -> Floats:
    """Return the sum of delays since the encounter's first request."""
    total = np.cumsum(delay)
    first = np.r_[True, row[1:] != row[:-1]]
    base = np.maximum.accumulate(np.where(first, np.arange(len(row)), 0))
    passed: Floats = total - total[base]
    return passed


def _page_sizes(rng: np.random.Generator, mean: Floats) -> Ints:
    """Geometric sizes of mean `mean`, at most a page."""
    size = np.ones(len(mean), np.int64)
    wide = np.flatnonzero(mean > 1)
    size[wide] = np.minimum(rng.geometric(1 / mean[wide]), LONGEST_PAGE)
    return size


def _on_page(
    visits: Visits, who: Ints, rank: Ints, size: Ints, people: Population, preset: Preset,
    layout: Plan,
) -> Ints:  # fmt: skip
    """Put the wanted patient on a page among those next to him in the alphabet.

    Where a practice searches its own patients only, its next ones in the alphabet are shown.
    """
    register = people.register
    shown = visits.patient[who]
    wide = np.flatnonzero((size > 1) & (rank > 0) & (shown >= 0))
    step = np.where(rank[wide] % 2, 1, -1) * ((rank[wide] + 1) // 2)
    wanted = register.name_rank[shown[wide]]
    if preset.own_register:
        keys, patients = layout.by_name
        rows = who[wide]
        account = np.where(visits.behalf[rows] >= 0, visits.behalf[rows], visits.account[rows])
        place = np.searchsorted(keys, people.sequence[account] * register.size + wanted)
        shown[wide] = patients[np.clip(place + step, 0, len(patients) - 1)]
        return shown
    shown[wide] = register.by_name[(wanted + step) % register.size]
    return shown


def _purposes(action: Ints, preset: Preset) -> Ints:
    if not preset.purposes:
        return np.full(len(action), -1)
    purpose = np.zeros(len(action), np.int64)
    purpose[action == ACTIONS.index("break_glass")] = PURPOSES.index("ETREAT")
    purpose[action == ACTIONS.index("billing")] = PURPOSES.index("HPAYMT")
    purpose[action == ACTIONS.index("export")] = PURPOSES.index("HOPERAT")
    return purpose
