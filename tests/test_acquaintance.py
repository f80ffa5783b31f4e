"""Whose an account is: who among its patients is marked, and what explains an opening away."""

from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.context.acquaintance import ACQUAINTANCES, Staff
from vigie.detection import detect, join_partitions
from vigie.detectors.base import Partition
from vigie.events import KEY
from vigie.records import STAFF
from vigie.stream import Stream
from vigie.testing.detectors import keys, small_log, text
from vigie.timeline.units import DAY

DAYS = 12
COMMON, RARE = 1, 2
"""Surnames: everybody's, and that of one patient whom two accounts open on the ninth day."""
BEARER = 20_001


@cache
def log(seed: int = 0) -> pa.Table:
    """A small log with surnames and addresses; strangers are numbered from 10,000."""
    events = small_log(days=DAYS, seed=seed, size=400, strangers=0.3)
    patient, at = people(events), events["at"].cast(pa.int64()).to_numpy()
    account = np.array(events["account"].to_pylist())
    late = at >= at.min() // DAY * DAY + 8 * DAY
    for name in ("account-1", "account-2"):
        patient[np.flatnonzero(late & (account == name))[0]] = BEARER
    surname = np.where(patient == BEARER, RARE, COMMON)
    for name, column in (("patient", keys(patient, 3)), ("action", text(["open"] * len(at)))):
        events = events.set_column(events.schema.get_field_index(name), name, column)
    events = events.append_column("surname_key", keys(surname, 5))
    return events.append_column("address_key", keys(patient // 3, 7))


def people(events: pa.Table) -> np.ndarray:
    """Return the patients' numbers."""
    return np.array([int.from_bytes(key[1:], "big") for key in events["patient"].to_pylist()])


def owner(account: str, surname: int = 0, home: int = 0, patient: int = 0, **more: str) -> dict:
    """A row of the table of staff; numbers as in the log, 0 for what it does not say."""

    def key(number: int, kind: int) -> bytes | None:
        return bytes([kind]) + number.to_bytes(15, "big") if number else None

    return {
        "account": account, "organisation": "A", "unit": None, "surname_key": key(surname, 5),
        "address_key": key(home, 7), "patient": key(patient, 3), **more,
    }  # fmt: skip


def seen(rows: list[dict], events: pa.Table | None = None) -> tuple[Partition, np.ndarray]:
    """Return the units with their marks, and the patients' numbers by unit."""
    staff = Staff.of(pa.Table.from_pylist(rows, schema=STAFF))
    stream = Stream(keep=True, staff=staff)
    events = log() if events is None else events
    stream.feed(events)
    stream.finish()
    partition: Partition = join_partitions([one.partition for one in stream.kept])
    return partition, people(events)[partition.units.row]


def of_account(partition: Partition, account: str) -> np.ndarray:
    return partition.units.account == partition.units.accounts.index(account)


def said(partition: Partition, rows: np.ndarray) -> set[str]:
    marks = partition.scene.marks["acquaintance"][rows]
    return {ACQUAINTANCES[mark] if mark >= 0 else "silent" for mark in marks.tolist()}


def test_without_a_table_nothing_is_said() -> None:
    stream = Stream(keep=True)
    stream.feed(log())
    stream.finish()
    assert all((one.partition.scene.marks["acquaintance"] == -1).all() for one in stream.kept)
    assert "curiosity" not in stream.panel.hypotheses


def test_an_empty_table_says_as_little_as_none() -> None:
    partition, _ = seen([])
    assert not partition.says("acquaintance").any()


def test_only_the_accounts_of_the_table_are_looked_at() -> None:
    partition, _ = seen([owner("account-1", COMMON)])
    assert said(partition, ~of_account(partition, "account-1")) == {"silent"}
    assert said(partition, of_account(partition, "account-1")) == {"silent", "namesake", "nobody"}


def test_a_rare_surname_is_a_relative_and_a_common_one_is_not() -> None:
    partition, patient = seen([owner("account-1", RARE), owner("account-2", COMMON)])
    for account, expected in (("account-1", "relative"), ("account-2", "nobody")):
        rare = of_account(partition, account) & (patient == BEARER)
        assert said(partition, rare) == {expected}
    common = of_account(partition, "account-2") & (patient >= 10_000) & (patient != BEARER)
    assert "namesake" in said(partition, common)


def test_own_patients_are_explained_however_close() -> None:
    partition, patient = seen([owner("account-1", COMMON, home=40, patient=110)])
    day = partition.units.day - partition.units.day.min()
    own = of_account(partition, "account-1") & (patient < 10_000)
    assert said(partition, own & (day > 3)) == {"silent"}
    assert said(partition, own & (day == 0)) == {"namesake", "relative", "self"}


def test_a_stranger_marked_is_looked_at_again() -> None:
    mate = int(sorted(set(strangers("account-0")))[0])
    events = log()
    place = np.flatnonzero(np.array(events["account"].to_pylist()) == "account-0")
    at = events["at"].cast(pa.int64()).to_numpy()[place]
    patient = people(events)
    for day in (8, 10):
        patient[place[at >= at.min() // DAY * DAY + day * DAY][0]] = mate
    column = events.schema.get_field_index("patient")
    events = events.set_column(column, "patient", keys(patient, 3))
    rows = [owner("account-0"), owner("account-1", patient=mate)]
    partition, patient = seen(rows, events)
    found = of_account(partition, "account-0") & (patient == mate) & (partition.units.page == 0)
    days = partition.units.day[found] - partition.units.day.min()
    marks = dict(zip(days.tolist(), partition.scene.marks["acquaintance"][found], strict=True))
    first = min(marks)
    assert ACQUAINTANCES[marks[first]] == "colleague"
    assert (marks[10] >= 0) == (8 in marks and marks[8] >= 0)


def strangers(account: str) -> list[int]:
    """Return the strangers whom an account opens, in order of time."""
    events = log().sort_by("at")
    mine = np.array(events["account"].to_pylist()) == account
    found = people(events)[mine]
    return [number for number in found.tolist() if number >= 10_000]


def test_somebody_at_home_the_owner_and_colleagues() -> None:
    home, self_, mate, other = sorted(set(strangers("account-0")))[::40][:4]
    rows = [
        owner("account-0", 0, home // 3, self_, unit="ward"),
        owner("account-1", patient=mate, unit="ward"),
        owner("account-2", patient=other, unit="desk"),
    ]
    partition, patient = seen(rows)
    own = of_account(partition, "account-0")
    for number, expected in (
        (home, "relative"), (self_, "self"), (mate, "teammate"), (other, "colleague"),
    ):  # fmt: skip
        assert said(partition, own & (patient == number)) <= {expected, "silent"}
        assert expected in said(partition, own & (patient == number)), expected


def test_colleagues_of_another_house_are_nobody() -> None:
    mate = strangers("account-0")[0]
    rows = [owner("account-0"), owner("account-1", patient=mate, organisation="B")]
    partition, patient = seen(rows)
    marked = said(partition, of_account(partition, "account-0") & (patient == mate))
    assert marked <= {"nobody", "silent"}


def test_an_account_of_which_rows_differ_is_nobodys() -> None:
    rows = [owner("account-1", COMMON), owner("account-1", RARE), owner("account-2", COMMON)]
    assert set(Staff.of(pa.Table.from_pylist(rows, schema=STAFF)).rows) == {"account-2"}
    again = [owner("account-1", COMMON), owner("account-1", COMMON)]
    assert set(Staff.of(pa.Table.from_pylist(again, schema=STAFF)).rows) == {"account-1"}


def test_batches_and_a_saved_state_do_not_show(tmp_path) -> None:
    rows = [owner("account-1", RARE, 3400), owner("account-2", COMMON, patient=10_003)]
    staff = Staff.of(pa.Table.from_pylist(rows, schema=STAFF))
    events = log().sort_by("at")
    whole, _ = seen(rows, events)
    at = events["at"].cast(pa.int64()).to_numpy()
    stream, kept = Stream(keep=True, staff=staff), []
    cuts = [0, 900, 2500, 2501, events.num_rows]
    for start, stop in pairwise(cuts):
        watermark = int(at[stop]) if stop < len(at) else int(at[-1]) + DAY
        stream.feed(events.slice(start, stop - start), watermark)
        kept += stream.kept
        stream.save(tmp_path / "state")
        stream = Stream.load(tmp_path / "state", staff=staff)
        stream.keep = True
    stream.finish()
    parts = join_partitions([one.partition for one in [*kept, *stream.kept]])
    np.testing.assert_array_equal(
        parts.scene.marks["acquaintance"], whole.scene.marks["acquaintance"]
    )


def test_another_table_is_taken_over_later(tmp_path) -> None:
    def staff(*rows: dict) -> Staff:
        return Staff.of(pa.Table.from_pylist(list(rows), schema=STAFF))

    events = log().sort_by("at")
    half = events.num_rows // 2
    stream = Stream(staff=staff(owner("account-1", RARE)))
    stream.feed(events.slice(0, half), int(events["at"][half].value))
    stream.save(tmp_path / "state")
    more = staff(owner("account-1", RARE), owner("account-2", COMMON))
    stream = Stream.load(tmp_path / "state", staff=more)
    stream.keep = True
    stream.feed(events.slice(half))
    stream.finish()
    partition = join_partitions([one.partition for one in stream.kept])
    assert "relative" in said(partition, of_account(partition, "account-1"))
    assert "namesake" in said(partition, of_account(partition, "account-2"))


def test_keys_of_a_log_without_names_say_nothing() -> None:
    bare = log().drop_columns(["surname_key", "address_key"])
    partition, _ = seen([owner("account-1", COMMON)], bare)
    assert said(partition, of_account(partition, "account-1")) <= {"nobody", "silent"}


def test_detection_takes_the_table() -> None:
    rows = [owner("account-1", RARE)]
    found = detect(log(), staff=pa.Table.from_pylist(rows, schema=STAFF))
    assert "curiosity" in found.evidence.hypotheses
    assert pc.all(pc.equal(pa.array([STAFF.field("patient").type == KEY]), True)).as_py()
