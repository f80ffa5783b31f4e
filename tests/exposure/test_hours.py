"""A thief at the owner's own place who comes at hours at which the owner does not work."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.exposure.small import line, moment, store_of

from vigie.exposure import EVIDENCE, Exposure, Scope, Stretch, expose
from vigie.exposure.separation import BECAUSE
from vigie.stores import Store

FIRST, LAST = date(2026, 2, 9), date(2026, 3, 27)
PERIOD = (moment("2026-03-16"), moment("2026-03-28"))
RATIOS = {"thief": 0.0, "dumps": 12.0}
OFFICE = tuple(range(8, 16))


def days(first: date = FIRST, last: date = LAST, weekdays: str = "01234") -> list[date]:
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in every if str(day.weekday()) in weekdays]


def look(day: date, hour: float, patient: str, session: str) -> str:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)
    return line(f"{at:%Y-%m-%dT%H:%M:%SZ}", "open", "record", patient, device="D1",
                network="10.0.0.1", session=session)  # fmt: skip


def owner(on: list[date], hours: tuple[int, ...] = OFFICE) -> list[str]:
    """Return two look-ups an hour, of a panel whom the account sees again and again."""
    numbers = iter(range(10**6))
    return [
        look(day, hour + half / 2, f"p{next(numbers) % 40}", f"{day}-{min(hours)}")
        for day in on for hour in hours for half in (0, 1)
    ]  # fmt: skip


def thief(on: list[date], hour: float, count: int = 6, gap: float = 0.05) -> list[str]:
    """Return look-ups one after another, of persons whom nobody knows."""
    return [
        look(day, hour + gap * number, f"x{day}-{hour}-{number}", f"thief{day}-{hour}")
        for day in on for number in range(count)
    ]  # fmt: skip


def ask(folder: Path, rows: list[str], period: tuple[datetime, datetime] = PERIOD) -> Exposure:
    """Expose by a detection that knows the stolen look-ups (session `thief…`) a little."""
    with Store.open(store_of(folder, rows)) as store:
        found = store.connect().execute('SELECT event_id, session, hour("at") FROM events')
        evidence = pa.Table.from_pylist([
            {"event_id": event, "ratio": RATIOS.get(session[:5], -2.0) + hour % 3, "cited": False}
            for event, session, hour in found.fetchall()
        ], schema=EVIDENCE)  # fmt: skip
        return expose(store, Scope((Stretch("eve", *period),)), evidence=evidence)


def reasons(found: Exposure) -> set[str]:
    return {row["because"] for row in found.separation.verdicts.to_pylist()}


NIGHTS = days(date(2026, 3, 16), date(2026, 3, 27), "0123")


def test_a_handful_every_night_is_told_from_the_work_of_the_day(tmp_path: Path) -> None:
    found = ask(tmp_path, [*owner(days()), *thief(NIGHTS, 22.5)])
    assert found.separation.ways == {"eve": "hour"}
    assert found.persons == 6 * len(NIGHTS)
    assert set(found.table["certainty"].to_pylist()) == {"probable"}
    assert reasons(found) == {"new_hour", "own_hour"} <= set(BECAUSE)


def test_of_a_thief_who_works_by_day_as_well_the_nights_are_sure_and_the_days_count(
    tmp_path: Path,
) -> None:
    rows = [*owner(days()), *thief(NIGHTS, 22.5), *thief(NIGHTS, 10.1, 12)]
    found = ask(tmp_path, rows)
    assert found.separation.ways == {"eve": "part"}
    assert found.persons == 18 * len(NIGHTS) + 40
    assert set(found.table["certainty"].to_pylist()) == {"probable", "not_separable"}
    counted = found.by_boundary
    assert (counted["told_apart"], counted["probable"]) == (6 * len(NIGHTS), found.persons)
    assert counted["all"] == found.persons


def test_a_day_off_is_another_hour(tmp_path: Path) -> None:
    saturday = [date(2026, 3, 21)]
    found = ask(tmp_path, [*owner(days()), *thief(saturday, 10.2, 30)])
    assert found.separation.ways == {"eve": "hour"}
    assert found.persons == 30


def test_an_owner_who_works_at_night_instead_is_no_thief(tmp_path: Path) -> None:
    """Unusual hours alone prove nothing: the persons and the volume are the owner's."""
    week = days(date(2026, 3, 23))
    rest = [day for day in days() if day not in week]
    found = ask(tmp_path, [*owner(rest), *owner(week, tuple(range(1, 7)))])
    assert found.separation.ways == {"eve": "none"}


def test_who_is_on_call_has_no_hours_of_his_own(tmp_path: Path) -> None:
    duty = owner(days()[::4], (21, 22, 23))
    found = ask(tmp_path, [*owner(days()), *duty, *thief(NIGHTS, 22.5)])
    assert found.separation.ways == {"eve": "none"}
    assert found.persons == 6 * len(NIGHTS) + 40


@pytest.mark.parametrize(("since", "way"), [("2026-03-09", "none"), ("2026-02-23", "hour")])
def test_a_short_past_says_nothing_of_hours(tmp_path: Path, since: str, way: str) -> None:
    rows = [*owner(days(date.fromisoformat(since))), *thief(NIGHTS, 22.5)]
    assert ask(tmp_path, rows).separation.ways == {"eve": way}


def test_a_theft_that_begins_while_the_owner_works_is_whole(tmp_path: Path) -> None:
    """He sat down before the owner had left: the stretch of work is not cut at the hour."""
    evening = [date(2026, 3, 18)]
    found = ask(tmp_path, [*owner(days()), *thief(evening, 15.6, 80)])
    assert found.separation.ways == {"eve": "hour"}
    stolen = {row["first_at"] for row in found.table.to_pylist()}
    assert len([at for at in stolen if at.day == 18 and at.minute % 30]) >= 70
    assert {"new_hour", "same_stretch", "own_hour"} <= reasons(found)
    told = {row["because"] for row in found.separation.verdicts.to_pylist()
            if row["session"].startswith("thief")}  # fmt: skip
    assert told <= {"new_hour", "same_stretch"}


def test_a_thief_from_elsewhere_who_also_comes_at_night_is_not_left_out(tmp_path: Path) -> None:
    night = thief([date(2026, 3, 24)], 23.0, 8)
    away = [row.replace("D1", "D9").replace("10.0.0.1", "192.0.2.9")
            for row in thief([date(2026, 3, 25)], 12.1, 8)]  # fmt: skip
    found = ask(tmp_path, [*owner(days()), *night, *away])
    assert found.separation.ways == {"eve": "place"}
    assert found.persons == 16
    assert set(found.table["certainty"].to_pylist()) == {"certain", "not_separable"}


@pytest.mark.parametrize(("hours", "way"), [((22,), "hour"), ((22, 10), "part")])
def test_one_look_up_beyond_all_of_the_past(
    tmp_path: Path, hours: tuple[int, ...], way: str
) -> None:
    """A dump at night is told from the day's work, unless the day holds one as well."""
    night = date(2026, 3, 24)
    dumps = [look(night, hour + 0.1, f"d{hour}", f"dumps{hour}") for hour in hours]
    found = ask(tmp_path, [*owner(days()), *dumps])
    assert found.separation.ways == {"eve": way}
    assert found.persons == (1 if way == "hour" else 40 + len(hours))


def test_what_came_at_hours_seldom_worked_counts(tmp_path: Path) -> None:
    """Beside the nights of a thief, nobody can say whose the rare evening is."""
    rare = owner([date(2026, 2, 25), date(2026, 3, 4), date(2026, 3, 19)], (17, 18))
    found = ask(tmp_path, [*owner(days()), *rare, *thief(NIGHTS, 23.0)])
    assert found.separation.ways == {"eve": "hour"}
    assert set(found.table["certainty"].to_pylist()) == {"probable", "not_separable"}
    assert "seldom_hour" in reasons(found)


def test_a_thief_from_elsewhere_who_also_comes_by_day_is_not_left_out(tmp_path: Path) -> None:
    """Whom he met at the owner's place shows him there: it is nobody's any more, and counts."""
    home = thief(NIGHTS, 10.1, 3)
    away = [row.replace("D1", "D9").replace("10.0.0.1", "192.0.2.9")
            for row in thief(NIGHTS, 12.1, 8)]  # fmt: skip
    found = ask(tmp_path, [*owner(days()), *home, *away])
    assert found.separation.ways == {"eve": "part"}
    assert found.persons == 11 * len(NIGHTS) + 40
    assert found.by_boundary["told_apart"] == 8 * len(NIGHTS)


def test_what_could_hide_beside_the_owner_is_possible(tmp_path: Path) -> None:
    """One person looked up from elsewhere: as little could be anywhere among the owner's."""
    away = [row.replace("D1", "D9").replace("10.0.0.1", "192.0.2.9")
            for row in thief(NIGHTS[:1], 12.1, 1)]  # fmt: skip
    found = ask(tmp_path, [*owner(days()), *away])
    assert found.separation.ways == {"eve": "place"}
    assert found.persons == 1
    assert "own_place_open" in reasons(found)
    assert found.by_boundary["possible"] == 41
