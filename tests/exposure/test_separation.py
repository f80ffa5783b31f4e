"""The thief told from the owner: by place, by hour, by decision, or not at all."""

from pathlib import Path

import pyarrow as pa
import pytest
from tests.exposure.small import line, march, moment, store_of

from vigie.exposure import EVIDENCE, Boundary, Exposure, Scope, Stretch, expose
from vigie.exposure.separation import BECAUSE
from vigie.stores import Store

HOURS = range(8, 16)
DAY = Scope((Stretch("eve", moment("2026-03-22"), moment("2026-03-22T15:59")),))
THEFT = Scope((Stretch("eve", moment("2026-03-21"), moment("2026-03-23")),))


def past() -> list[str]:
    """Return three weeks of the owner's work, on her own device."""
    return [
        line(f"2026-03-{day:02d}T{hour:02d}:{minute:02d}:00Z", "open", "record",
             f"p{day}-{hour}-{minute}", device="D1", session=f"s{day}")
        for day in range(1, 23) for hour in HOURS for minute in (0, 30)
    ]  # fmt: skip


def theft(device: str, hour: int = 12, count: int = 30, session: str = "x") -> list[str]:
    return [
        line(f"2026-03-22T{hour:02d}:{minute + 1:02d}:10Z", "open", "record", f"stolen{minute}",
             device=device, session=session)
        for minute in range(count)
    ]  # fmt: skip


def ask(home: Path, unusual: str, scope: Scope = THEFT, cited: bool = False) -> Exposure:
    """Expose with evidence that holds up what `unusual` (an SQL condition) says."""
    with Store.open(home) as store:
        rows = (
            store.connect()
            .execute(f'SELECT event_id, {unusual}, hour("at") FROM events')
            .fetchall()
        )
        evidence = pa.Table.from_pylist([
            {"event_id": event, "ratio": 1.0 if high else -3.0 + 0.3 * (hour % 3),
             "cited": bool(cited and high)}
            for event, high, hour in rows
        ], schema=EVIDENCE)  # fmt: skip
        return expose(store, scope, evidence=evidence)


STOLEN = "session = 'x'"


def test_a_thief_from_a_new_device_is_told_apart_and_none_is_left_out(tmp_path: Path) -> None:
    home = store_of(tmp_path, [*past(), *theft("D9")])
    found = ask(home, STOLEN)
    assert found.separation.ways == {"eve": "place"}
    assert found.persons == 30
    assert set(found.table["certainty"].to_pylist()) == {"certain"}
    reasons = {row["because"] for row in found.separation.verdicts.to_pylist()}
    assert reasons == {"new_device", "own_place"} <= set(BECAUSE)


def test_a_thief_at_the_owners_device_is_not_separable_and_all_counts(tmp_path: Path) -> None:
    home = store_of(tmp_path, [*past(), *theft("D1")])
    found = ask(home, STOLEN)
    assert found.separation.ways == {"eve": "none"}
    assert found.persons == 30 + 32
    assert set(found.table["certainty"].to_pylist()) == {"not_separable"}
    again = ask(home, STOLEN, cited=True)
    assert set(again.table["certainty"].to_pylist()) == {"not_separable", "probable"}


def test_an_owner_who_travels_is_no_thief_elsewhere(tmp_path: Path) -> None:
    # The new device does nothing unusual; what is unusual came from the owner's own.
    home = store_of(tmp_path, [*past(), *theft("D1"), *theft("D2", 13, 6, "y")])
    found = ask(home, "session = 'x' AND device = 'D1'")
    assert found.separation.ways == {"eve": "none"}
    assert found.persons > 30


def test_a_burst_at_night_is_told_apart_by_hour(tmp_path: Path) -> None:
    home = store_of(tmp_path, [*past(), *theft("D1", 2, 40)])
    found = ask(home, STOLEN)
    assert found.separation.ways == {"eve": "hour"}
    assert found.persons == 40
    assert set(found.table["certainty"].to_pylist()) == {"probable"}


def office(account: str, days: range = range(1, 23), hour: int = 8) -> list[str]:
    """Return work from the organisation's own network, the log naming no device."""
    return [
        line(f"2026-03-{day:02d}T{h:02d}:{minute:02d}:00Z", "open", "record",
             f"{account}{day}-{h}-{minute}", account=account, network="10.0.0.1")
        for day in days for h in range(hour, hour + 8) for minute in (0, 30)
    ]  # fmt: skip


def between(network: str, day: int = 22) -> list[str]:
    """Return a dozen look-ups in between the owner's work, with nothing unusual about them."""
    return [
        line(f"2026-03-{day:02d}T{h:02d}:{minute:02d}:00Z", "open", "record",
             f"own{day}-{h}-{minute}", network=network)
        for h in (9, 10, 11, 12) for minute in (5, 15, 35)
    ]  # fmt: skip


def test_work_in_two_places_at_once_is_two_people(tmp_path: Path) -> None:
    home = store_of(tmp_path, [*office("eve"), *between("192.0.2.9")])
    found = ask(home, "false")
    assert found.separation.ways == {"eve": "place"}
    assert found.persons == 12
    assert set(found.table["certainty"].to_pylist()) == {"probable"}


def test_the_owners_unnamed_results_do_not_widen_what_the_thief_saw(tmp_path: Path) -> None:
    searches = [
        line("2026-03-22T15:10:00Z", "search", "find", record_count="40", network="10.0.0.1"),
        line("2026-03-22T12:40:00Z", "search", "find", record_count="7", network="192.0.2.9"),
    ]
    home = store_of(tmp_path, [*office("eve"), *between("192.0.2.9"), *searches])
    found = ask(home, "false", DAY)
    assert found.separation.ways == {"eve": "place"}
    assert found.bounds == (12, 19)
    assert found.totals["accesses"] == 13


def test_an_owner_who_always_works_in_two_places_is_one(tmp_path: Path) -> None:
    hops = [row for day in range(1, 22) for row in between(f"198.51.100.{day}", day)]
    home = store_of(tmp_path, [*office("eve"), *hops, *between("192.0.2.9")])
    assert ask(home, "false").separation.ways == {"eve": "none"}


def test_a_thief_at_the_owners_place_as_well_is_not_separable(tmp_path: Path) -> None:
    home = store_of(tmp_path, [*office("eve"), *between("192.0.2.9")])
    found = ask(home, "\"at\" >= '2026-03-22'")
    assert found.separation.ways == {"eve": "none"}


def test_the_network_of_colleagues_is_no_strange_place(tmp_path: Path) -> None:
    others = [
        row.replace("10.0.0.1", "192.0.2.9") for who in ("adam", "zoe") for row in office(who)
    ]
    home = store_of(tmp_path, [*office("eve"), *others, *between("192.0.2.9")])
    assert ask(home, "false").separation.ways == {"eve": "none"}


def test_what_the_account_did_afterwards_stands_in_for_a_past(tmp_path: Path) -> None:
    stolen = [
        line(f"2026-03-01T{h:02d}:{minute:02d}:00Z", "open", "record", f"stolen{h}-{minute}",
             network="192.0.2.9", session="x")
        for h in (9, 10, 11, 12) for minute in (5, 15, 35)
    ]  # fmt: skip
    home = store_of(tmp_path, [*office("eve"), *stolen])
    scope = Scope((Stretch("eve", moment("2026-03-01"), moment("2026-03-02")),))
    assert ask(home, STOLEN, scope).persons == 12
    assert ask(home, "false", scope).separation.ways == {"eve": "none"}


@pytest.mark.parametrize(
    ("last", "unusual", "way"),
    [(5, "false", "place"), (2, "false", "none"), (5, "\"at\" < '2026-03-06'", "none")],
    ids=["long", "short", "the rest is loud"],
)
def test_a_theft_under_way_when_the_log_begins(
    tmp_path: Path, last: int, unusual: str, way: str
) -> None:
    """Work in two places again and again, and never once afterwards: whose evidence is quiet."""
    stolen = [row for day in range(1, last + 1) for row in between("192.0.2.9", day)]
    home = store_of(tmp_path, [*office("eve"), *stolen])
    scope = Scope((Stretch("eve", moment("2026-02-20"), moment(f"2026-03-{last + 1:02d}")),))
    found = ask(home, unusual, scope)
    assert found.separation.ways == {"eve": way}
    assert found.persons == (len(stolen) if way == "place" else len(stolen) + 16 * last)


def test_without_evidence_or_past_nothing_is_told_apart(tmp_path: Path) -> None:
    home = store_of(tmp_path, [*past(), *theft("D9")])
    with Store.open(home) as store:
        assert expose(store, THEFT).separation.ways == {"eve": "none"}
    whole = Scope((Stretch("eve", moment("2026-03-01"), moment("2026-03-23")),))
    assert ask(home, STOLEN, whole).separation.ways == {"eve": "none"}


@pytest.mark.parametrize(("level", "persons"), [("certain", 30), ("probable", 30), ("all", 62)])
def test_the_boundary_is_somebodys_choice(tmp_path: Path, level: str, persons: int) -> None:
    home = store_of(tmp_path, [*past(), *theft("D9")])
    boundary = Boundary(level, reason="dpo's choice")
    assert ask(home, STOLEN, Scope(THEFT.stretches, boundary)).persons == persons


def test_an_owners_access_that_an_alert_cites_is_possible(tmp_path: Path) -> None:
    home = store_of(tmp_path, [*past(), *theft("D9")])
    boundary = Boundary("possible", reason="to be sure")
    scope = Scope(THEFT.stretches, boundary)
    found = ask(home, "session = 'x' OR patient IN (SELECT patient FROM events"
                " WHERE \"at\" = '2026-03-22 08:00:00')", scope, cited=True)  # fmt: skip
    assert set(found.table["certainty"].to_pylist()) == {"certain", "possible"}
    assert march().boundary.level == "probable"
