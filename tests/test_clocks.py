"""Clocks count hours as they pass, and follow the law of the day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.clocks import ClockState, Moments, Progress
from vigie.clocks.engine import read_clocks
from vigie.clocks.rules import load_rules
from vigie.clocks.weekend import extended, is_working
from vigie.errors import SettingsError

RULES = load_rules()
PARIS = ZoneInfo("Europe/Paris")
AWARE = datetime(2026, 3, 27, 17, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

moments_in_law = st.datetimes(
    datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)
)  # fmt: skip
zones = st.sampled_from(["Europe/Paris", "Indian/Reunion", "America/Cayenne", "Pacific/Noumea"])


def clocks(now: datetime, role: str = "controller", **at: datetime) -> dict[str, ClockState]:
    return {state.clock: state for state in read_clocks(Moments(role, at), RULES, now)}


@given(moments_in_law, zones)
def test_72_hours_are_72_hours_wherever_and_whenever(aware: datetime, zone: str) -> None:
    states = read_clocks(Moments("controller", {"awareness": aware}, zone), RULES, aware)
    due = {s.clock: s.due for s in states}["gdpr_33"]
    assert due is not None
    assert due - aware == timedelta(hours=72)
    assert due.timestamp() - aware.timestamp() == 72 * 3600


@pytest.mark.parametrize(("aware", "due"), [
    ("2025-10-24T18:00+02:00", "2025-10-27T17:00+01:00"),  # an hour more that night
    ("2026-03-27T18:00+01:00", "2026-03-30T19:00+02:00"),  # an hour less
    ("2026-03-29T03:00+02:00", "2026-04-01T03:00+02:00"),  # the first instant after the leap
    ("2025-10-26T02:30+02:00", "2025-10-29T01:30+01:00"),  # 02:30 for the first time
    ("2025-10-26T02:30+01:00", "2025-10-29T02:30+01:00"),  # and for the second
])  # fmt: skip
def test_across_the_change_of_the_clocks(aware: str, due: str) -> None:
    at = datetime.fromisoformat(aware)
    found = clocks(at, awareness=at)["gdpr_33"].due
    assert found == datetime.fromisoformat(due)
    assert found is not None
    assert found.astimezone(PARIS).isoformat(timespec="minutes") == due


def test_without_awareness_the_clock_is_provisional_from_the_earliest_it_could_be() -> None:
    state = clocks(AWARE, first_signal=AWARE - 5 * HOUR, first_viewing=AWARE - HOUR)["gdpr_33"]
    assert state.provisional
    assert state.start == AWARE - 5 * HOUR
    assert state.progress == Progress.RUNNING
    nothing = clocks(AWARE)["gdpr_33"]
    assert (nothing.progress, nothing.start, nothing.due) == (Progress.WAITING, None, None)


@given(
    st.dictionaries(
        st.sampled_from(["first_signal", "first_viewing", "processor_informed", "opened"]),
        moments_in_law, min_size=1,
    ),
    moments_in_law,
)  # fmt: skip
def test_a_decided_awareness_counts_alone(at: dict[str, datetime], aware: datetime) -> None:
    provisional = clocks(aware, **at)["gdpr_33"]
    decided = clocks(aware, **at, awareness=aware)["gdpr_33"]
    assert provisional.start == min(at.values())
    assert (decided.start, decided.provisional) == (aware, False)


@pytest.mark.parametrize(("after", "progress"), [
    (71 * HOUR, Progress.RUNNING), (72 * HOUR, Progress.RUNNING), (73 * HOUR, Progress.OVERDUE),
])  # fmt: skip
def test_a_clock_in_the_past_is_overdue(after: timedelta, progress: Progress) -> None:
    now = AWARE + after
    state = clocks(now, awareness=AWARE)["gdpr_33"]
    assert state.progress == progress
    assert state.remaining(now) == timedelta(hours=72) - after


def test_what_was_done_in_time_or_late_or_put_aside() -> None:
    def progress(**at: datetime) -> Progress:
        return clocks(AWARE + 99 * HOUR, awareness=AWARE, **at)["gdpr_33"].progress

    assert progress(cnil_notified=AWARE + 72 * HOUR) == Progress.MET
    assert progress(cnil_notified=AWARE + 73 * HOUR) == Progress.LATE
    assert progress(not_notified=AWARE + 3 * HOUR) == Progress.WAIVED
    assert progress(not_notified=AWARE, cnil_notified=AWARE + HOUR) == Progress.MET


def test_each_role_has_its_own_clocks() -> None:
    processor, controller = clocks(AWARE, "processor"), clocks(AWARE)
    assert {"gdpr_33_2"} == {*processor} - {*controller}
    assert {"gdpr_33", "gdpr_34", "gdpr_33_omnibus"} == {*controller} - {*processor}


def test_a_complaint_runs_from_the_attack_and_not_from_the_breach() -> None:
    states = clocks(AWARE, attack_known=AWARE - 30 * HOUR, awareness=AWARE)
    assert states["complaint"].due == AWARE + 42 * HOUR
    assert states["gdpr_33"].due == AWARE + 72 * HOUR


def test_what_the_law_does_not_count_has_no_end() -> None:
    for name in ("gdpr_34", "cert_sante"):
        assert clocks(AWARE, awareness=AWARE)[name].due is None
        assert clocks(AWARE, awareness=AWARE)[name].progress == Progress.OPEN


def test_what_is_not_in_force_binds_nobody_and_comes_last() -> None:
    states = read_clocks(Moments("controller", {"awareness": AWARE}), RULES, AWARE)
    binding = [state.binding for state in states]
    assert binding == sorted(binding, reverse=True)
    said = {state.clock for state in states if not state.binding}
    assert said == {"gdpr_33_omnibus", "nis2_warning", "nis2_notification", "nis2_report"}


def test_nis_2_is_computed_all_the_same() -> None:
    notified = datetime(2027, 1, 31, 9, tzinfo=UTC)
    states = clocks(AWARE, awareness=AWARE, nis2_notified=notified)
    assert states["nis2_warning"].due == AWARE + 24 * HOUR
    assert states["nis2_report"].due == datetime(2027, 2, 28, 9, tzinfo=UTC)
    assert clocks(AWARE, awareness=AWARE)["nis2_report"].progress == Progress.WAITING


def test_no_rule_holds_before_it_was_law() -> None:
    before = datetime(2017, 5, 1, tzinfo=UTC)
    assert not any(state.binding for state in clocks(before, awareness=before).values())


def test_the_day_of_a_rule_is_that_of_the_place() -> None:
    at = datetime(2018, 5, 24, 22, 30, tzinfo=UTC)  # already the 25th in Paris
    assert "gdpr_33" in clocks(at, awareness=at)
    assert "gdpr_33" not in clocks(at - HOUR, awareness=at - HOUR)


def legal_file(home: Path, text: str) -> Path:
    (home / "legal").mkdir(exist_ok=True)
    (home / "legal" / "clocks.toml").write_text(text, "utf-8")
    return home


RULE = """
[[clock]]
id = "{id}"
duty = "gdpr_33"
roles = ["controller"]
article = "art. 33(1)"
recipient = "CNIL"
status = "{status}"
start = "awareness"
done = "cnil_notified"
hours = {hours}
source = "a test"
mark = "G"
name = {{ en = "n", fr = "n" }}
note = {{ en = "n", fr = "n" }}
{period}
"""


def test_a_change_of_law_is_a_change_of_data(tmp_path: Path) -> None:
    old = RULE.format(id="old", status="repealed", hours=72, period="valid_until = 2027-06-01")
    new = RULE.format(id="new", status="in_force", hours=96, period="valid_from = 2027-06-01")
    rules = load_rules(legal_file(tmp_path, old + new))
    for day, hours in ((datetime(2027, 5, 31, 12), 72), (datetime(2027, 6, 1, 12), 96)):
        aware = day.replace(tzinfo=UTC)
        [state] = read_clocks(Moments("controller", {"awareness": aware}), rules, aware)
        assert (state.binding, state.due) == (True, aware + hours * HOUR)


@pytest.mark.parametrize("text", [
    RULE.format(id="a", status="in_force", hours=72, period="")
    + RULE.format(id="b", status="in_force", hours=96, period="valid_from = 2027-06-01"),
    RULE.format(id="a", status="perhaps", hours=72, period=""),
    RULE.format(id="a", status="in_force", hours=72, period="months = 1"),
    RULE.format(id="a", status="in_force", hours=72, period="colour = 'red'"),
    RULE.format(id="a", status="in_force", hours="'many'", period=""),
    "clock = 3",
    "[[clock",
])  # fmt: skip
def test_data_that_contradict_themselves_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"clocks\.toml"):
        load_rules(legal_file(tmp_path, text))


def test_every_rule_has_its_source_and_its_mark() -> None:
    for rule in RULES:
        assert rule.source.startswith("https://")
        assert rule.mark in ("V", "V2", "G")
        assert rule.valid_from or rule.status == "not_in_force"


@given(moments_in_law)
def test_the_weekend_variant_only_ever_gives_more_and_ends_a_working_day(aware: datetime) -> None:
    due = aware + timedelta(hours=72)
    later = extended(aware, due, "Europe/Paris")
    if later:
        local = later.astimezone(PARIS)
        assert later > due
        assert (local.hour, local.minute) == (0, 0)
        assert is_working((local - timedelta(days=1)).date())


def test_public_holidays_of_france() -> None:
    off = ("2026-01-01", "2026-04-06", "2026-05-14", "2026-05-25", "2026-07-14", "2026-11-11")
    assert not any(is_working(datetime.fromisoformat(day).date()) for day in off)
    assert is_working(datetime(2026, 4, 7).date())
