"""A case only grows, obeys the rules, and is the same in both databases."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from vigie import journal
from vigie.alerts.watch import Alert
from vigie.cases import looks
from vigie.cases.book import CaseBook
from vigie.cases.grounds import changes, is_stale
from vigie.cases.model import TRANSITIONS, Case, Kind, Matter, Status
from vigie.cases.verification import ADDED, CHANGED, MISSING, verify_cases
from vigie.config import Settings
from vigie.errors import RefusedError, StoreError, UsageError
from vigie.facts import Fact, Facts

FRIDAY = datetime(2025, 3, 28, 18, 0, tzinfo=UTC)
MONDAY = FRIDAY + timedelta(days=3)


@pytest.fixture
def case(book: CaseBook, alert: Alert) -> Case:
    looks.tell_signals(book.home, [alert.id])
    return book.open_case("Portal", [alert], "dpo", "alert of the night")


def facts(persons: int) -> Facts:
    return Facts(
        facts=(Fact(name="persons", numerator=persons, unit="persons", query="q", sha256="0" * 64),)
    )


def test_a_case_keeps_its_alert_and_when_it_was_told_and_seen(case: Case, alert: Alert) -> None:
    assert case.id == f"{datetime.now(UTC).year}-001"
    assert (case.status, case.accounts) == (Status.SUSPECTED, ["dr.moreau"])
    assert case.alerts[0].alert["lines"] == alert.lines
    assert [event.kind for event in case.timeline] == [Kind.FIRST_SIGNAL, Kind.FIRST_VIEWING]
    assert case.timeline[0].at < case.timeline[1].at <= case.opening.recorded_at + timedelta(1)


def test_cases_are_numbered_by_year_and_found_by_their_beginning(book: CaseBook) -> None:
    names = [book.open_case(f"c{n}", [], "dpo", "heard of it", now=MONDAY).id for n in range(3)]
    names.append(book.open_case("older", [], "dpo", "r", now=FRIDAY - timedelta(days=99)).id)
    assert names == ["2025-001", "2025-002", "2025-003", "2024-001"]
    assert [case.id for case in book.cases()] == sorted(names)
    assert book.case("2025-003").title == "c2"
    for ambiguous in ("2025", "2031", "%"):
        with pytest.raises(UsageError):
            book.case(ambiguous)


def test_being_aware_establishes_and_stands_beside_what_was_known(
    book: CaseBook, case: Case
) -> None:
    looked_at = case.first(Kind.FIRST_VIEWING)
    decided = book.decide(
        case.id, Matter.AWARENESS, "aware", "two accounts confirmed", at=FRIDAY, author="dpo"
    )
    aware = decided.awareness
    assert decided.status == Status.ESTABLISHED
    assert aware is not None
    assert (aware.at, aware.author, aware.reason) == (FRIDAY, "dpo", "two accounts confirmed")
    assert aware.known == {
        "first_signal": case.first(Kind.FIRST_SIGNAL), "first_viewing": looked_at
    }  # fmt: skip
    assert aware.backdated_by == aware.decided_at - FRIDAY > timedelta(days=200)


def test_an_awareness_moved_later_is_seen_with_the_earlier_one(book: CaseBook, case: Case) -> None:
    book.note(case.id, Kind.PROCESSOR_INFORMED, at=FRIDAY)
    book.decide(case.id, Matter.AWARENESS, "aware", "told by the host", at=FRIDAY)
    moved = book.decide(case.id, Matter.AWARENESS, "aware", "only a suspicion then", at=MONDAY)
    assert moved.awareness is not None
    assert [d.at for d in moved.awareness.earlier] == [FRIDAY]
    assert moved.awareness.after == {"processor_informed": timedelta(days=3)}


@pytest.mark.parametrize("path", [
    [Status.INVESTIGATING, Status.DISMISSED, Status.INVESTIGATING],
    [Status.DISMISSED, Status.INVESTIGATING],
])  # fmt: skip
def test_allowed_transitions(book: CaseBook, case: Case, path: list[Status]) -> None:
    for status in path:
        case = book.decide(case.id, Matter.STATE, status, "because")
        assert case.status == status


def test_every_other_transition_is_refused(book: CaseBook, case: Case) -> None:
    for status in Status:
        if status not in TRANSITIONS[Status.SUSPECTED]:
            with pytest.raises(RefusedError):
                book.decide(case.id, Matter.STATE, status, "because")
    with pytest.raises(RefusedError, match="nobody has decided"):
        book.decide(case.id, Matter.STATE, Status.ESTABLISHED, "because")
    with pytest.raises(UsageError):
        book.decide(case.id, Matter.STATE, "finished", "because")
    assert book.case(case.id) == case


def test_a_case_closes_once_its_duties_are_done_or_put_aside(book: CaseBook, case: Case) -> None:
    book.decide(case.id, Matter.AWARENESS, "aware", "confirmed", at=FRIDAY)
    book.decide(case.id, Matter.STATE, Status.CONTAINED, "account suspended")
    for matter, value, details in (
        (Matter.AUTHORITY, "not_notified", {}),
        (Matter.PERSONS, "not_informed", {"exemption": "no_high_risk"}),
    ):
        with pytest.raises(RefusedError):
            book.decide(case.id, Matter.STATE, Status.CLOSED, "done")
        book.decide(case.id, matter, value, "the owner himself, at work", details=details)
    closed = book.decide(case.id, Matter.STATE, Status.CLOSED, "done")
    assert closed.status == Status.CLOSED
    decided = closed.last(Matter.AUTHORITY)
    assert decided is not None
    assert decided.reason == "the owner himself, at work"
    with pytest.raises(RefusedError):
        book.decide(case.id, Matter.AWARENESS, "aware", "on second thoughts", at=MONDAY)
    assert book.decide(case.id, Matter.STATE, "investigating", "news").status == "investigating"


def test_informing_nobody_needs_one_of_the_exemptions(book: CaseBook, case: Case) -> None:
    with pytest.raises(UsageError, match="unintelligible"):
        book.decide(case.id, Matter.PERSONS, "not_informed", "too many")


def test_a_decision_needs_a_reason_and_a_moment_that_has_come(book: CaseBook, case: Case) -> None:
    with pytest.raises(RefusedError):
        book.decide(case.id, Matter.AUTHORITY, "notify", "  ")
    with pytest.raises(UsageError):
        book.decide(
            case.id, Matter.AWARENESS, "aware", "r", at=datetime.now(UTC) + timedelta(hours=1)
        )
    with pytest.raises(RefusedError):
        book.open_case("no reason", [], "dpo", "")


def test_no_social_security_number_gets_into_a_case(book: CaseBook, case: Case) -> None:
    with pytest.raises(RefusedError) as refused:
        book.note(case.id, text="patient 2 55 08 14 168 025 38 called")
    assert "168" not in str(refused.value)
    with pytest.raises(RefusedError):
        book.decide(case.id, Matter.AUTHORITY, "notify", "r", details={"x": "255081416802538"})


def test_facts_have_versions_and_a_change_after_approval_is_seen(
    book: CaseBook, case: Case
) -> None:
    first = book.set_facts(case.id, facts(400), "exposure computed")
    assert book.set_facts(case.id, facts(400), "again") == first
    book.decide(case.id, Matter.NOTICE_ASKED, "cnil", "ready", author="clerk", recorded_by="clerk")
    with pytest.raises(RefusedError, match="cannot approve"):
        book.decide(case.id, Matter.NOTICE_APPROVED, "cnil", "ok", author="clerk")
    approved = book.decide(case.id, Matter.NOTICE_APPROVED, "cnil", "ok", author="dpo")
    decision = approved.last(Matter.NOTICE_APPROVED)
    assert decision is not None
    assert not is_stale(approved, decision)
    changed = book.set_facts(case.id, facts(412), "a screen was declared anew")
    assert is_stale(changed, decision)
    assert [(c.name, c.before, c.after) for c in changes(changed, decision)] == [
        ("persons", "400", "412")
    ]
    with pytest.raises(RefusedError, match="persons: 400 → 412"):
        book.decide(case.id, Matter.NOTICE_APPROVED, "cnil", "ok", author="dpo")
    assert not is_stale(book.set_facts(case.id, facts(400), "back"), decision)


def test_every_record_is_vouched_for_by_the_journal(
    book: CaseBook, case: Case, settings: Settings
) -> None:
    book.decide(case.id, Matter.AWARENESS, "aware", "confirmed", at=FRIDAY)
    entries = {entry.number: entry for entry in journal.entries(book.home)}
    for record in book.case(case.id).records:
        assert entries[record.entry].subject.startswith(f"{case.id} {record.number} ")
        assert entries[record.entry].reason == record.reason
    assert verify_cases(book.home, settings) == []


@pytest.mark.parametrize(("change", "what"), [
    ("update case_records set body = replace(body, 'confirmed', 'unsure') where kind = 'decision'",
     CHANGED),
    ("update case_records set kind = 'event' where kind = 'decision'", CHANGED),
    ("update case_records set entry = entry + 1 where kind = 'decision'", CHANGED),
    ("delete from case_records where kind = 'decision'", MISSING),
    ("insert into case_records select case_id, number + 1, kind, author, recorded_at, body, "
     "'0', entry from case_records where kind = 'decision'", ADDED),
])  # fmt: skip
def test_a_row_that_somebody_touched_is_named(
    book: CaseBook, case: Case, settings: Settings, change: str, what: str
) -> None:
    book.decide(case.id, Matter.AWARENESS, "aware", "confirmed", at=FRIDAY)
    with book.state.transaction() as connection:
        connection.execute(text(change))
    [finding] = verify_cases(book.home, settings)
    assert finding.what == what


def test_a_record_that_cannot_be_read_is_said(book: CaseBook, case: Case) -> None:
    with book.state.transaction() as connection:
        connection.execute(text("update case_records set body = '{}' where number = 1"))
    with pytest.raises(StoreError, match="changed"):
        book.cases()


@pytest.mark.parametrize("journalled", [True, False])
def test_a_killed_writer_leaves_all_or_nothing(
    book: CaseBook, case: Case, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    journalled: bool,
) -> None:  # fmt: skip
    record = journal.record

    def killed(*arguments: object) -> None:
        if journalled:
            record(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(journal, "record", killed)
    with pytest.raises(KeyboardInterrupt):
        book.decide(case.id, Matter.AWARENESS, "aware", "confirmed", at=FRIDAY)
    monkeypatch.undo()
    with CaseBook.open(book.home, settings) as again:
        assert bool(again.case(case.id).awareness) is journalled
        assert again.note(case.id, text="after").records[-1].number == len(case.records) + 1 + (
            journalled
        )
    assert verify_cases(book.home, settings) == []


def test_several_people_may_write_in_a_case_at_once(
    book: CaseBook, case: Case, settings: Settings
) -> None:
    def write(name: str) -> None:
        with CaseBook.open(book.home, settings) as own:
            for count in range(5):
                own.note(case.id, text=f"{name} {count}", author=name)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, ["a", "b", "c"]))
    records = book.case(case.id).records
    assert [record.number for record in records] == [*range(1, len(case.records) + 16)]
    assert len({record.entry for record in records}) == len(records)
    assert verify_cases(book.home, settings) == []


def test_the_bytes_of_a_case_do_not_depend_on_the_database(book: CaseBook) -> None:
    book.open_case("Portal « été »", [], "dpo", "heard", now=FRIDAY)
    with book.state.transaction() as connection:
        body, digest = connection.execute(text("select body, digest from case_records")).one()
    said = json.loads(body)
    assert said["recorded_at"] == "2025-03-28T18:00:00Z"
    assert said["title"] == "Portal « été »"
    assert len(digest) == 64


def test_a_signal_is_told_once(private_home: Path) -> None:
    assert looks.tell_signals(private_home, ["a", "b", "a"]) == ["a", "b"]
    assert looks.tell_signals(private_home, ["b", "c"]) == ["c"]
    assert looks.tell_signals(private_home, ["b"]) == []
    assert looks.first_signal(private_home, ["x"]) is None
    assert looks.first_signal(private_home, ["c", "b"]) == looks.first_signal(private_home, ["a"])
