"""A notice is stale only when it would say something else, and then says what."""

from datetime import UTC, datetime

import msgspec
import pytest

from vigie.alerts.watch import Alert
from vigie.cases.book import CaseBook
from vigie.cases.differences import PRINTED
from vigie.cases.grounds import changes, same_grounds
from vigie.cases.model import Case, Kind, Matter
from vigie.facts import Fact, Facts, Gap, Use
from vigie.language import speaking
from vigie.notices.approval import NAMES, standing

AT = datetime(2025, 3, 28, 18, 0, tzinfo=UTC)


def persons(count: int) -> Fact:
    return Fact(name="persons", numerator=count, unit="persons", query="q", sha256="0" * 64)


FACTS = Facts(
    facts=(persons(400),), accounts=("dr.moreau",), exposure_sha256="a" * 64,
    moments={"first_access": "2025-03-27T21:00:00Z", "period_until": "2025-03-29T00:00:00Z"},
)  # fmt: skip
USE = Use(
    account="dr.moreau", first_at="2025-03-27T21:00:00Z", last_at="2025-03-28T02:00:00Z",
    told_apart=False,
)  # fmt: skip


@pytest.fixture
def asked(book: CaseBook, alert: Alert) -> Case:
    case = book.open_case("Portal", [alert], "dpo", "night").id
    book.set_facts(case, FACTS, "computed")
    book.decide(case, Matter.AWARENESS, "aware", "sure", at=AT)
    for name in NAMES:
        book.decide(case, Matter.NOTICE_ASKED, name, "ready", author="clerk", recorded_by="clerk")
    return book.case(case)


def stale(case: Case) -> dict[str, list[str]]:
    """Return the notices that are stale, each with the names of what changed."""
    found = {name: standing(case, name) for name in NAMES}
    return {n: [c.name for c in s.changes] for n, s in found.items() if s.state == "stale"}


def test_what_each_notice_tells_is_said_of_each() -> None:
    assert set(PRINTED) == set(NAMES)


def test_facts_that_hold_more_leave_what_does_not_tell_it(book: CaseBook, asked: Case) -> None:
    fuller = msgspec.structs.replace(FACTS, uses=(USE,))
    assert fuller.sha256 != FACTS.sha256
    after = book.set_facts(asked.id, fuller, "computed by a later version")
    names = ["first_access", "last_access", "told_apart"]
    assert stale(after) == {"professionals": [f"{name}.account:dr.moreau" for name in names]}
    assert same_grounds(after, "letters") == [FACTS.sha256, fuller.sha256]
    assert same_grounds(after, "professionals") == [fuller.sha256]


def test_the_period_asked_about_is_printed_nowhere(book: CaseBook, asked: Case) -> None:
    other = FACTS.with_facts(moments={"period_until": "2025-03-30T00:00:00Z"})
    assert stale(book.set_facts(asked.id, other, "asked for longer")) == {}


def test_a_screen_that_nobody_vouches_for_changes_what_is_filed(
    book: CaseBook, asked: Case
) -> None:
    gap = Gap(kind="unattested_screen", source="portal", name="/record", count=3)
    after = book.set_facts(asked.id, msgspec.structs.replace(FACTS, gaps=(gap,)), "again")
    assert set(stale(after)) == {
        "cnil", "cert_sante", "ars", "anssi", "complaint", "register", "controllers"
    }  # fmt: skip


def test_other_persons_of_the_same_number_are_other_letters(book: CaseBook, asked: Case) -> None:
    other = msgspec.structs.replace(FACTS, exposure_sha256="b" * 64)
    assert stale(book.set_facts(asked.id, other, "again")) == {
        "letters": ["exposure"], "controllers": ["exposure"]
    }  # fmt: skip


def test_what_notices_tell_of_the_time_line_is_approved_with_them(
    book: CaseBook, asked: Case
) -> None:
    book.note(asked.id, Kind.MEASURE, "the account was closed", AT)
    book.note(asked.id, Kind.NOTE, "called the doctor", AT)
    after = book.decide(asked.id, Matter.CAUSE, "external_malicious", "phished")
    assert set(stale(after)) == {*NAMES} - {"advice"}
    decision = after.last(Matter.NOTICE_ASKED, "letters")
    assert decision is not None
    with speaking("en"):
        assert [(c.label, c.before, c.after) for c in changes(after, decision)] == [
            ("cause", "–", "malicious act from outside"),
            ("measure", "–", "the account was closed"),
        ]


def test_a_number_that_comes_back_is_as_it_was(book: CaseBook, asked: Case) -> None:
    assert "letters" in stale(book.set_facts(asked.id, FACTS.with_facts([persons(412)]), "more"))
    assert stale(book.set_facts(asked.id, FACTS, "back")) == {}
