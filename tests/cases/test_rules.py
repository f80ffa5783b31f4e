"""Laws of a case, whatever people decide in whatever order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vigie.cases.model import (
    NOT_INFORMED,
    NOT_NOTIFIED,
    TRANSITIONS,
    Case,
    Decision,
    Event,
    Kind,
    Matter,
    Opening,
    Record,
    Status,
)
from vigie.cases.rules import check
from vigie.errors import RefusedError

START = datetime(2025, 3, 28, 18, 0, tzinfo=UTC)
HOURS = st.integers(0, 24 * 40)


def opened(role: str = "controller") -> Case:
    opening = Opening(
        author="dpo", recorded_at=START, reason="r", title="t", role=role, number=1, entry=1
    )
    return Case("2025-001", (opening,))


def attempt(case: Case, record: Record) -> Case:
    """Return the case with the record, or as it was when the rules refuse it."""
    try:
        check(case, record, START + timedelta(days=99))
    except RefusedError:
        return case
    return Case(case.id, (*case.records, record))


def decision(matter: Matter, value: str, hours: int = 0, **details: str) -> Decision:
    at = START + timedelta(hours=hours)
    return Decision(
        author="dpo", recorded_at=START + timedelta(days=50), reason="r", matter=matter,
        value=value, at=at, details=details,
    )  # fmt: skip


def event(kind: Kind, hours: int = 0) -> Event:
    at = START + timedelta(hours=hours)
    return Event(author="dpo", recorded_at=at, kind=kind, at=at)


acts = st.one_of(
    st.sampled_from(Status).map(lambda status: decision(Matter.STATE, status.value)),
    HOURS.map(lambda hours: decision(Matter.AWARENESS, "aware", hours)),
    st.just(decision(Matter.AUTHORITY, NOT_NOTIFIED)),
    st.just(decision(Matter.AUTHORITY, "notify")),
    st.just(decision(Matter.PERSONS, NOT_INFORMED, exemption="no_high_risk")),
    st.just(decision(Matter.PERSONS, "inform")),
    st.sampled_from(Kind).map(event),
)


@given(st.lists(acts, max_size=25), st.sampled_from(["controller", "processor"]))
def test_a_state_follows_only_from_one_that_allows_it(acts: list[Record], role: str) -> None:
    case = opened(role)
    for act in acts:
        after = attempt(case, act)
        moved = (case.status, after.status)
        assert moved[0] == moved[1] or moved[1] in TRANSITIONS[moved[0]]
        assert after.records[: len(case.records)] == case.records
        case = after


@given(st.lists(acts, max_size=25))
def test_no_case_is_closed_with_a_duty_open_nor_without_awareness(acts: list[Record]) -> None:
    case = opened()
    for act in acts:
        was = case.status
        case = attempt(case, act)
        if case.status == Status.CLOSED != was:
            at = case.moments.at
            assert case.awareness is not None
            assert at.keys() & {Kind.CNIL_NOTIFIED.value, NOT_NOTIFIED}
            assert at.keys() & {Kind.PERSONS_INFORMED.value, NOT_INFORMED}


@given(st.lists(HOURS, min_size=1, max_size=4), HOURS, HOURS)
def test_backdating_and_moving_are_always_visible(
    decided: list[int], viewed: int, told: int
) -> None:
    case = opened()
    case = attempt(case, event(Kind.FIRST_VIEWING, viewed))
    case = attempt(case, event(Kind.PROCESSOR_INFORMED, told))
    for hours in decided:
        case = attempt(case, decision(Matter.AWARENESS, "aware", hours))
    aware = case.awareness
    assert aware is not None
    assert aware.at == START + timedelta(hours=decided[-1])
    assert aware.backdated_by == timedelta(days=50) - timedelta(hours=decided[-1])
    assert [d.at for d in aware.earlier] == [START + timedelta(hours=h) for h in decided[:-1]]
    later = {"first_viewing": decided[-1] - viewed, "processor_informed": decided[-1] - told}
    assert aware.after == {
        kind: timedelta(hours=hours) for kind, hours in later.items() if hours > 0
    }
