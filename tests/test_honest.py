"""Honest states: surprising at first, explained when they go on, learnt from peers."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.detectors.base import Partition
from vigie.detectors.strangers import Strangers
from vigie.honest import REASONS, Reasons
from vigie.marks import Scene
from vigie.profiles import AS_PEERS
from vigie.relations import FAR, OWN_IDLE
from vigie.testing.detectors import partition_of, small_log, text
from vigie.units import DAY

BY_NUMBER = REASONS.index("by_number")


def walked(accounts: list[str], day: int, count: int = 40) -> pa.Table:
    """The small log, in which these accounts go through strangers by number on one day."""
    events = small_log(days=10, accounts=8, size=12, strangers=0.02)
    begin = int(pc.min(events["at"].cast(pa.int64())).as_py()) // DAY * DAY
    parts = [events]
    for place, account in enumerate(accounts):
        some = events.slice(0, count)
        rows = np.arange(count) + 1000 * (place + 1)
        patients = [bytes([9]) + int(row).to_bytes(15, "big") for row in rows]
        fresh = {
            "account": text([account] * count),
            "at": pa.array(begin + day * DAY + rows * 12_000_000).cast(
                events.schema.field("at").type
            ),
            "patient": pa.array(patients, events.schema.field("patient").type),
            "event_id": pa.array(patients, events.schema.field("event_id").type),
            "access_id": pa.array(patients, events.schema.field("access_id").type),
            "id_gap": pa.array(np.ones(count, np.int32)),
            "action": text(["open"] * count),
        }
        for name, column in fresh.items():
            some = some.set_column(some.schema.get_field_index(name), name, column)
        parts.append(some.cast(events.schema))
    return pa.concat_tables(parts).unify_dictionaries()


def walk_of(events: pa.Table, account: str, day: int) -> tuple[np.ndarray, np.ndarray]:
    """The log chance of an account's units of one day under honest work, and their reasons."""
    partition = partition_of(events)
    units = partition.units
    chosen = (units.account == units.accounts.index(account)) & (units.day - units.day.min() == day)
    chosen &= partition.scene.marks["sequence"] == 1
    return partition.honest.log[chosen], partition.honest.reason[chosen]


def test_a_clean_up_is_surprising_at_first_and_explained_when_it_goes_on() -> None:
    log, reason = walk_of(walked(["account-3"], 8), "account-3", 8)
    assert log[:2].mean() < log[-10:].mean() - 2
    assert {REASONS[code] for code in reason[-10:]} <= {"by_number", "loosely_by_number"}


def test_what_peers_do_is_explained_sooner_than_what_nobody_does() -> None:
    practised = walked(["account-1", "account-2", "account-4", "account-5"], 5)
    practised = pa.concat_tables([practised, walked(["account-3"], 8)]).unify_dictionaries()
    _, alone = walk_of(walked(["account-3"], 8), "account-3", 8)
    _, among = walk_of(practised, "account-3", 8)
    # The chances themselves cannot be compared: strangers are rarer where fewer were met.
    assert 0 < np.argmax(among == BY_NUMBER) < np.argmax(alone == BY_NUMBER)


def test_the_account_s_own_patients_among_the_doubles_are_no_surprise_in_a_clean_up() -> None:
    """Doubles are sought of one's own patients: every third record of the walk is one of them."""
    events = walked(["account-3"], 8)
    begin = int(pc.min(events["at"].cast(pa.int64())).as_py()) // DAY
    at = events["at"].cast(pa.int64()).to_numpy() // DAY - begin
    walk = np.flatnonzero((events["account"].to_numpy() == "account-3") & (at == 8))
    walk = walk[events["id_gap"].to_numpy()[walk] == 1][1::3]
    own = events.filter(pc.equal(events["account"], "account-3"))["patient"].unique().to_pylist()
    patients = events["patient"].to_pylist()
    for place, row in enumerate(walk):
        patients[row] = own[place]
    index = events.schema.get_field_index("patient")
    mixed = events.set_column(index, "patient", pa.array(patients, events.schema.field(index).type))
    partition = partition_of(mixed)
    units, marks = partition.units, partition.scene.marks
    mine = (units.account == units.accounts.index("account-3")) & (marks["relation"] == OWN_IDLE)
    mine &= (units.day - units.day.min() == 8) & (marks["sequence"] == 1)
    assert partition.honest.log[mine][-3:].min() > -3.5


def test_usual_work_stays_usual() -> None:
    partition = partition_of(small_log(days=10))
    known = partition.related & (partition.units.day - partition.units.day.min() > 4)
    usual = partition.honest.reason[known] == REASONS.index("usual")
    assert usual.mean() > 0.9


def rush(orders: list[int]) -> np.ndarray:
    """What strangers from afar in a rush say for a sweep, their order as given, over and over."""
    partition = partition_of(small_log(days=1, accounts=2, size=60))
    count = len(partition.units)
    order = np.resize(np.array(orders, np.int8), count)
    marks = {name: np.full(count, -1, np.int8) for name in partition.scene.marks}
    marks |= {"sequence": order}
    marks["page"] = np.where(order == 0, FAR, -1).astype(np.int8)
    marks["relation"] = np.where(order == 0, -1, FAR).astype(np.int8)
    marks["pace"] = np.ones(count, np.int8)
    scene, usual = Scene(marks, np.full(count, np.log(0.4))), partition.usual
    chances = {"relation": 0.003, AS_PEERS: 0.003, "pace": 0.1}
    log = {name: np.full(count, np.log(chances.get(name, 1.0))) for name in usual.log}
    log["sequence"] = np.log(np.array([0.97, 0.015, 0.015]))[order]
    usual = dataclasses.replace(usual, log=log)
    honest = Reasons().follow(partition.units, scene, usual)
    partition = Partition(partition.units, scene, usual, honest)
    return Strangers().ratios(partition)[:, Strangers.hypotheses.index("fast_sweep")]


def test_a_clean_up_explains_searches_between_records_but_not_searches_alone() -> None:
    assert rush([0, 1])[-20:].mean() < 0
    assert rush([0])[-20:].mean() > 1.2
