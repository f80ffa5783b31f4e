"""A notice is stale only when it would say something else, and then says what."""

from datetime import UTC, datetime
from importlib import resources

import msgspec
import pytest

from vigie import legal
from vigie.alerts.watch import Alert
from vigie.cases.book import CaseBook
from vigie.cases.differences import PRINTED
from vigie.cases.figures import surely_seen
from vigie.cases.grounds import changes, same_grounds, told
from vigie.cases.model import Case, Kind, Matter
from vigie.cases.writings import OUR_TEXTS, WRITTEN_IN
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


def test_what_each_notice_tells_and_is_written_in_is_said_of_each() -> None:
    assert set(PRINTED) == set(WRITTEN_IN) == set(NAMES)


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


def changed(book: CaseBook, file: str, old: str, new: str) -> None:
    """Give the home its own copy of one of our files, with a word that is another."""
    own = book.home / file
    folder, name = file.split("/")
    ours = OUR_TEXTS / name if folder == "texts" else resources.files(legal) / name
    own.parent.mkdir(exist_ok=True)
    said = ours.read_text()
    assert old in said
    own.write_text(said.replace(old, new))


def test_a_text_of_ones_own_is_approved_with_the_notice(book: CaseBook, asked: Case) -> None:
    changed(book, "texts/letter.fr.toml", "de nos regrets", "de notre profond regret")
    text = ["texts/letter.fr.toml"]
    assert stale(book.case(asked.id)) == {"letters": text, "controllers": text}
    (book.home / "texts/letter.fr.toml").unlink()
    assert stale(book.case(asked.id)) == {}


def test_a_copy_that_says_the_same_changes_nothing(book: CaseBook, asked: Case) -> None:
    changed(book, "texts/letter.fr.toml", "# Lettre", "# Notre lettre")
    changed(book, "legal/advice.toml", 'mark = "G"', 'mark = "V"')
    assert stale(book.case(asked.id)) == {}


def test_the_law_that_changed_is_named_where_the_notice_tells_of_it(
    book: CaseBook, asked: Case
) -> None:
    changed(book, "legal/advice.toml", "raccrochez", "coupez")
    assert stale(book.case(asked.id)) == {}  # no identity among the facts
    told = Fact(name="persons.class:identity", numerator=9, unit="persons", query="", sha256="")
    identity = FACTS.with_facts([persons(400), told])
    book.set_facts(asked.id, identity, "computed anew")
    for name in NAMES:
        book.decide(asked.id, Matter.NOTICE_ASKED, name, "ready")
    changed(book, "legal/advice.toml", "raccrochez", "reposez")
    item = ["legal/advice.toml class.identity"]
    assert stale(book.case(asked.id)) == dict.fromkeys(
        ("press", "advice", "letters", "controllers"), item
    )


def test_a_form_of_the_authority_that_changed_is_named(book: CaseBook, asked: Case) -> None:
    changed(book, "legal/filings.toml", '"stage", "initial_reference",', '"stage",')
    item = ["legal/filings.toml filing.cnil"]
    assert stale(book.case(asked.id)) == {"cnil": item, "controllers": item}


def test_another_contact_is_shown_as_it_was_and_is(book: CaseBook, asked: Case) -> None:
    (book.home / "organisation.toml").write_text('contact = "new@b.fr"\nsiren = "130012345"\n')
    case = book.case(asked.id)
    found = {name: standing(case, name).changes for name in ("letters", "cnil")}
    assert [(c.label, c.before, c.after) for c in found["letters"]] == [
        ("organisation.toml contact", "–", "new@b.fr")
    ]
    assert len(found["cnil"]) == 2


def test_a_spoilt_text_leaves_the_case_readable_and_the_notice_stale(
    book: CaseBook, asked: Case
) -> None:
    changed(book, "texts/press.fr.toml", "title", "title = = ")
    assert stale(book.case(asked.id)) == {"press": ["texts/press.fr.toml"]}


def test_packets_tell_their_words_with_their_time_line(book: CaseBook, asked: Case) -> None:
    before = told(asked, "controllers")
    changed(book, "texts/controller.fr.toml", "Les faits", "Ce qui est arrivé")
    case = book.case(asked.id)
    assert told(case, "controllers") != before
    assert told(case, "letters") == told(asked, "letters")


def test_which_data_a_thief_surely_saw_is_told_by_kind_and_by_all_before_that_was_counted() -> None:
    kinds = {"identity": 9, "medical": 2}
    counted = [
        Fact(name=f"persons.class:{kind}", numerator=count, unit="persons", query="", sha256="")
        for kind, count in kinds.items()
    ]
    before = Facts(facts=tuple(counted))
    assert surely_seen(before) == ["identity", "medical"]
    apart = [
        msgspec.structs.replace(one, name=one.name.replace("class", "told_apart"), numerator=count)
        for one, count in zip(counted, (9, 0), strict=True)
    ]
    assert surely_seen(before.with_facts(apart)) == ["identity"]
