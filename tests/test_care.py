"""What a care relation explains: what was known at the time, no more, and the same in any order."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.context.care import (
    CLASSES,
    EXPECTED,
    MARGINS,
    NEAR,
    NEARBY,
    NONE,
    PAST,
    REMEMBERED,
    UNKNOWN,
    Care,
)  # fmt: skip
from vigie.records import CARE, CARE_KINDS

START = datetime(2025, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def row(patient=1, kind="appointment", begins=0.0, lasts=0.02, entered=-10.0, **more) -> dict:
    """One relation; times in days since START."""
    begin = START + begins * DAY
    return {
        "patient": int(patient).to_bytes(16, "big"), "organisation": "A", "kind": kind,
        "valid_from": begin, "valid_until": None if lasts is None else begin + lasts * DAY,
        "recorded_at": None if entered is None else START + entered * DAY, "source": "s", **more,
    }  # fmt: skip


def marks(rows: list[dict], looks: list[tuple[int, float, str]]) -> list[str]:
    """Return the class of each (patient, day, organisation)."""
    table = pa.Table.from_pylist(rows, schema=CARE)
    keys = np.array([int.from_bytes(r["patient"], "big") for r in rows], np.uint64)
    care = Care.of(table, keys * np.uint64(0x9E3779B97F4A7C15))
    patient = np.array([p for p, _, _ in looks], np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    at = np.array([micros(START) + int(day * 86_400e6) for _, day, _ in looks], np.int64)
    words = ("A", "B")
    codes = np.array([words.index(site) for _, _, site in looks])
    return [CLASSES[code] for code in care.mark(patient, at, organisation=(codes, words))]


def test_a_look_is_expected_near_past_or_none():
    looks = [(1, day, "A") for day in (0.0, -0.5, 1.9, 20.0, 200.0, 600.0)]
    found = marks([row()], looks)
    assert found == ["expected", "expected", "expected", "near", "past", "none"]


def test_another_patient_has_none_and_another_organisation_says_nothing():
    assert marks([row()], [(2, 0.0, "A"), (1, 0.0, "B")]) == ["none", "unknown"]


def test_what_was_entered_afterwards_was_not_known():
    late = row(entered=0.5)
    assert marks([row(patient=9), late], [(1, 0.2, "A"), (1, 0.6, "A")]) == ["none", "expected"]


def test_before_its_first_relation_an_organisation_is_unknown():
    assert marks([row(entered=3.0)], [(1, 0.0, "A"), (1, 4.0, "A")]) == ["unknown", "near"]


def test_a_later_version_replaces_the_record_from_its_entry_on():
    open_ = row(kind="stay", lasts=None, entered=0.0, record=b"1" * 16)
    closed = row(kind="stay", lasts=5.0, entered=5.0, record=b"1" * 16)
    looks = [(1, 4.0, "A"), (1, 7.0, "A"), (1, 60.0, "A")]
    assert marks([open_, closed], looks) == ["expected", "expected", "past"]
    assert marks([open_], looks) == ["expected"] * 3


def test_an_access_without_a_patient_has_no_class():
    care = Care.of(pa.Table.from_pylist([row()], schema=CARE), np.array([1], np.uint64))
    nobody = np.zeros(1, np.uint64), np.array([micros(START)])
    assert care.mark(*nobody, organisation=(np.array([0]), ("A",))).tolist() == [-1]


def test_an_owner_may_be_a_professional_or_an_account():
    rows = [
        row(organisation=None, professional="998"),
        row(patient=2, organisation=None, account="b"),
    ]
    table = pa.Table.from_pylist(rows, schema=CARE)
    care = Care.of(table, np.array([5, 6], np.uint64))
    who = np.array([5, 6], np.uint64), np.full(2, micros(START))
    texts = {
        "professional": (np.array([0, -1]), ("998",)), "account": (np.array([0, 1]), ("a", "b")),
    }  # fmt: skip
    assert care.mark(*who, **texts).tolist() == [EXPECTED, EXPECTED]
    assert care.mark(*who, professional=(np.array([-1, -1]), ("998",))).tolist() == [UNKNOWN] * 2


RELATION = st.builds(
    row, patient=st.integers(1, 3), kind=st.sampled_from(CARE_KINDS),
    begins=st.integers(-40, 40), lasts=st.integers(1, 20) | st.none(),
    entered=st.integers(-60, 60) | st.none(), organisation=st.sampled_from(["A", "B"]),
)  # fmt: skip
LOOK = st.tuples(st.integers(1, 3), st.integers(-50, 700).map(lambda d: d + 0.3),
                 st.sampled_from(["A", "B"]))  # fmt: skip


def plainly(rows: list[dict], look: tuple[int, float, str]) -> str:
    """The definition, one relation after another."""
    patient, day, site = look
    at = micros(START) + int(day * 86_400e6)
    found = UNKNOWN
    for each in rows:
        begin = micros(each["valid_from"])
        known = micros(each["recorded_at"]) if each["recorded_at"] else begin
        if each["organisation"] != site or known > at:
            continue
        found = min(found, NONE)
        if each["patient"] != int(patient).to_bytes(16, "big"):
            continue
        usual = {"appointment": 1, "prescription": 30, "referral": 30}.get(each["kind"])
        endless = begin + usual * 86_400_000_000 if usual else 1 << 61
        end = micros(each["valid_until"]) if each["valid_until"] else endless
        before, after = MARGINS[each["kind"]]
        if begin - before <= at < end + after:
            found = min(found, EXPECTED)
        elif begin - NEARBY <= at < end + NEARBY:
            found = min(found, NEAR)
        elif end <= at < end + REMEMBERED:
            found = min(found, PAST)
    return CLASSES[found]


@settings(max_examples=150, deadline=None)
@given(st.lists(RELATION, min_size=1, max_size=8), st.lists(LOOK, min_size=1, max_size=6))
def test_it_is_the_plain_definition(rows, looks):
    assert marks(rows, looks) == [plainly(rows, look) for look in looks]
    assert marks(rows[::-1], looks) == marks(rows, looks)


def test_an_empty_table_leaves_everything_unknown():
    care = Care.of(CARE.empty_table(), np.empty(0, np.uint64))
    at = np.array([micros(START)])
    found = care.mark(np.array([7], np.uint64), at, organisation=(np.array([0]), ("A",)))
    assert found.tolist() == [UNKNOWN]
