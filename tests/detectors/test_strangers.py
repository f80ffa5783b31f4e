"""Sweeps of strangers: a thief who was there before the log, one who reads pages of results."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.context.marks import TRAILS
from vigie.detection import Detection, detect
from vigie.detectors.strangers import Strangers
from vigie.testing.detectors import keys, partition_of, small_log, text
from vigie.timeline.units import DAY

DAYS, DAILY, THIEF = 24, 6, "account-7"
LASTING = Strangers.hypotheses.index("lasting_sweep")


def robbed(kind: str = "human") -> pa.Table:
    """A quiet log in which one account meets anybody too, six people each day, from the first."""
    events = small_log(days=DAYS, accounts=60, size=15, strangers=0.01)
    events = events.append_column("actor_kind", text(["human"] * len(events)))
    begin = int(pc.min(events["at"].cast(pa.int64())).as_py()) // DAY * DAY
    count = DAYS * DAILY
    rows = np.arange(count)
    at = begin + (rows // DAILY) * DAY + 10 * DAY // 24 + (rows % DAILY) * 1_200_000_000
    mine = events.filter(pc.equal(events["account"], THIEF))
    stolen = mine.take(np.arange(count) % len(mine))
    met = np.random.default_rng(0).choice(len(events), count)
    fresh = {
        "at": pa.array(at), "patient": events["patient"].take(met), "event_id": keys(rows, 11),
        "access_id": keys(rows, 12), "actor_kind": text([kind] * count),
        "id_gap": pa.array(np.full(count, 1001)), "name_gap": pa.array(np.full(count, 0.05)),
    }  # fmt: skip
    for name, column in fresh.items():
        field = events.schema.field(name)
        stolen = stolen.set_column(
            events.schema.get_field_index(name), field, column.cast(field.type)
        )
    return pa.concat_tables([events, stolen]).unify_dictionaries()


def accused(found: Detection) -> dict[str, str]:
    return {alert.account: alert.hypothesis for alert in found.alerts}


def test_what_an_account_always_did_is_held_against_what_its_peers_do() -> None:
    assert accused(detect(robbed())) == {THIEF: "lasting_sweep"}


def test_a_service_has_no_peers_to_be_held_against() -> None:
    partition = partition_of(robbed("service"))
    ratios, service = Strangers().ratios(partition)[:, LASTING], partition.units.by_service
    assert np.count_nonzero(service) > DAYS
    assert np.isnan(ratios[service]).all()
    assert np.isfinite(ratios[~service]).any()


def said_by_pages(trail: str, habit: float) -> np.ndarray:
    """How much pages say more for each sweep than openings do, with this habit of such pages."""
    partition = partition_of(small_log(days=3))
    scene, usual = partition.scene, partition.usual
    marks = scene.marks | {"trail": np.full(len(partition.units), TRAILS.index(trail), np.int8)}
    log = usual.log | {"trail": np.full(len(partition.units), np.log(habit))}
    paged = dataclasses.replace(
        partition,
        scene=dataclasses.replace(scene, marks=marks),
        usual=dataclasses.replace(usual, log=log),
    )
    more = Strangers().ratios(paged) - Strangers().ratios(partition)
    return np.nanmax(more, axis=0)


def test_pages_that_lead_to_nothing_speak_where_nobody_reads_pages_alone() -> None:
    assert (said_by_pages("barren_again", 0.005) > [2.5, -1, -1]).all()
    assert (said_by_pages("barren_again", 0.9) < 0.01).all()
    assert (np.abs(said_by_pages("followed", 0.95)) < 0.11).all()
    assert (said_by_pages("barren_again", 0.005)[1:] == 0).all()


def test_who_registers_new_patients_has_met_no_stranger() -> None:
    events = small_log(days=3, strangers=0.5)
    place = events.schema.get_field_index("action")
    created = partition_of(events.set_column(place, "action", text(["create"] * len(events))))
    assert not created.related.any()
    assert np.isnan(Strangers().ratios(created)).all()
