"""Honest states: surprising at first, explained when they go on, learnt from peers."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.context.marks import Scene
from vigie.context.relations import FAR, OWN_IDLE
from vigie.detectors.base import Partition
from vigie.detectors.strangers import Strangers
from vigie.stream import Stream
from vigie.testing.detectors import partition_of, small_log, text
from vigie.timeline.units import DAY
from vigie.usual.chain import REASONS
from vigie.usual.honest import Reasons
from vigie.usual.profiles import AS_PEERS, HERE

BY_NUMBER = REASONS.index("by_number")


def walked(accounts: list[str], day: int, count: int = 40, gap: int = 1) -> pa.Table:
    """The small log, in which these accounts go through strangers by number on one day."""
    events = small_log(days=10, accounts=8, size=12, strangers=0.02)
    begin = int(pc.min(events["at"].cast(pa.int64())).as_py()) // DAY * DAY
    parts = [events]
    for place, account in enumerate(accounts):
        some = events.slice(0, count)
        rows = np.arange(count) + 1000 * (place + 1)
        patients = [bytes([9 + day]) + int(row).to_bytes(15, "big") for row in rows]
        fresh = {
            "account": text([account] * count),
            "at": pa.array(begin + day * DAY + rows * 12_000_000).cast(
                events.schema.field("at").type
            ),
            "patient": pa.array(patients, events.schema.field("patient").type),
            "event_id": pa.array(patients, events.schema.field("event_id").type),
            "access_id": pa.array(patients, events.schema.field("access_id").type),
            "id_gap": pa.array(np.full(count, gap, np.int32)),
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


PRACTISED = ["account-1", "account-2", "account-4", "account-5"]


def explained_from(practised: list[tuple[list[str], int]], muted: list[str]) -> int:
    """Where account-3's walk of day 8 is explained, after those of others on days before, the
    muted ones being under an alert."""
    walks = [walked(accounts, day) for accounts, day in practised]
    stream = Stream(keep=True)
    stream.feed(pa.concat_tables([*walks, walked(["account-3"], 8)]).unify_dictionaries())
    stream.finish()
    reasons, begin = Reasons(), -1
    for part in (seen.partition for seen in stream.kept):
        units, begin = part.units, part.units.on if begin < 0 else begin
        reasons.mute(units.accounts.index(name) for name in muted)
        found = reasons.follow(units, part.scene, part.usual)
        if units.on - begin == 8:
            mine = units.account == units.accounts.index("account-3")
            mine &= part.scene.marks["sequence"] == 1
            return int(np.argmax(found.reason[mine] == BY_NUMBER))
    raise AssertionError("no such day")


def test_an_account_under_an_alert_gives_its_peers_no_reason() -> None:
    heard, unheard = (explained_from([(PRACTISED, 5)], muted) for muted in ([], PRACTISED))
    assert 0 < heard < unheard


def unordered(profession: str | None) -> int:
    """How much of a rush through strangers in no order is explained, after those of others."""
    walks = [walked(PRACTISED, 5, gap=1001), walked(["account-3"], 8, gap=1001)]
    events = pa.concat_tables(walks).unify_dictionaries()
    place = events.schema.get_field_index("profession")
    told = pa.array([profession] * len(events)).cast(events.schema.field(place).type)
    partition = partition_of(events.set_column(place, "profession", told))
    units, marks = partition.units, partition.scene.marks
    mine = (units.account == units.accounts.index("account-3")) & (marks["pace"] == 1)
    mine &= units.day - units.day.min() == 8
    return int(np.sum(partition.honest.reason[mine] == REASONS.index("in_no_order")))


def test_a_rush_in_no_order_is_learnt_from_peers_where_the_log_tells_who_is_one() -> None:
    assert unordered("coder") > unordered(None)


def test_what_one_person_does_again_tells_the_peers_no_more() -> None:
    again = explained_from([(["account-1"], day) for day in (3, 4, 5, 6)], [])
    assert again > explained_from([(PRACTISED, 5)], [])


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


def rush(
    orders: list[int], habit: float = 0.003, met: int = FAR, size: int = 60, strangers: float = 0.05
) -> np.ndarray:
    """What persons in a rush (from afar) say for a sweep, their order as given, over and over."""
    partition = partition_of(small_log(days=1, accounts=2, size=size, strangers=strangers))
    count = len(partition.units)
    order = np.resize(np.array(orders, np.int8), count)
    marks = {name: np.full(count, -1, np.int8) for name in partition.scene.marks}
    marks |= {"sequence": order}
    marks["page"] = np.where(order == 0, met, -1).astype(np.int8)
    marks["relation"] = np.where(order == 0, -1, met).astype(np.int8)
    marks["pace"] = np.ones(count, np.int8)
    scene, usual = Scene(marks, np.full(count, np.log(0.4))), partition.usual
    chances = {"relation": habit, AS_PEERS: habit, "pace": 0.1}
    log = {name: np.full(count, np.log(chances.get(name, 1.0))) for name in usual.log}
    log[HERE] = np.full(count, np.nan)
    log["sequence"] = np.log(np.array([0.97, 0.015, 0.015]))[order]
    usual = dataclasses.replace(usual, log=log)
    honest = Reasons().follow(partition.units, scene, usual)
    partition = Partition(partition.units, scene, usual, honest)
    return Strangers().ratios(partition)[:, Strangers.hypotheses.index("fast_sweep")]


def test_a_clean_up_explains_searches_between_records_and_late_searches_alone() -> None:
    between, alone = (rush(orders, size=120)[:30] for orders in ([0, 1], [0]))
    assert between[-20:].mean() < 0
    assert np.cumsum(between).max() < 12
    assert np.cumsum(alone[:6]).max() > 18
    assert 0 < alone[-20:].mean() < 0.3


def test_a_clean_up_longer_than_any_before_explains_less() -> None:
    evidence = rush([1], size=400, strangers=1.0)
    of_one = evidence[: len(evidence) // 2]
    assert of_one[60:110].mean() < -3
    assert of_one[150:].mean() > of_one[60:110].mean() + 0.5


def test_a_recall_is_of_known_patients_even_where_everybody_meets_strangers_all_day() -> None:
    assert rush([0], habit=0.5, met=OWN_IDLE)[10:20].mean() < 0
    assert rush([0], habit=0.5)[10:20].mean() > 0.5


def test_a_list_of_strangers_is_believed_in_late_and_then_explains() -> None:
    evidence = rush([0], habit=0.5, size=600)
    of_one = evidence[: len(evidence) // 2]
    assert 15 < np.cumsum(of_one).max() < 30
    assert of_one[-5:].mean() < 0
