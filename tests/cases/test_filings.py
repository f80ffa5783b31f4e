"""Filings: exact words, unknowns said, no two that differ, and what changed."""

import csv
import io
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from vigie.alerts.watch import Alert
from vigie.cases.book import CaseBook
from vigie.cases.filings import KINDS, Filing, Forms, delta, file
from vigie.cases.model import Case, Kind, Matter
from vigie.cases.register import as_csv, register
from vigie.cases.rules import CAUSES, LEVELS
from vigie.cases.severity import Circumstances, load_grid, severity
from vigie.cases.vocabulary import load_vocabulary
from vigie.config import Settings
from vigie.errors import RefusedError, UsageError
from vigie.facts import Fact, Facts, Gap
from vigie.language import speaking
from vigie.legal import load
from vigie.records import DATA_CLASSES

AWARE = datetime(2025, 3, 28, 18, 0, tzinfo=UTC)
NOW = AWARE + timedelta(hours=20)
WORDS = load_vocabulary()
FORMS = load("filings", Forms)


def fact(name: str, value: int, **bounds: int | None) -> Fact:
    return Fact(name=name, numerator=value, unit="persons", query="q", sha256="0" * 64, **bounds)


def facts(persons: int, *classes: str, **bounds: int | None) -> Facts:
    return Facts(
        facts=(
            fact("persons", persons, **bounds),
            *(fact(f"persons.class:{name}", persons) for name in classes),
        ),
        moments={"first_access": "2025-03-27T21:00:00Z"},
        accounts=("dr.moreau",),
    )


@pytest.fixture
def desk(private_home: Path) -> CaseBook:
    (private_home / "organisation.toml").write_text(
        'name = "GCS Est"\nsiren = "130012345"\ncontact = "DPO"\nrepresentative = "Directrice"\n'
        'finess = "750100125"\n'
    )
    with CaseBook.open(private_home, Settings()) as opened:
        yield opened


@pytest.fixture
def case(desk: CaseBook, alert: Alert) -> Case:
    opened = desk.open_case("Portal", [alert], "dpo", "alert of the night", now=AWARE)
    return desk.decide(opened.id, Matter.AWARENESS, "aware", "sure", at=AWARE, now=AWARE)


def filed(desk: CaseBook, case: Case, kind: str, now: datetime = NOW) -> Filing:
    return file(desk.case(case.id), kind, desk.home, now)


def test_every_filing_has_its_labels_its_source_and_a_value_for_each_field(
    desk: CaseBook, case: Case
) -> None:
    for kind in KINDS:
        form = FORMS.filing[kind]
        assert form.source.startswith("https://")
        assert set(form.required) <= set(form.fields)
        filing = filed(desk, case, kind)
        assert [field.name for field in filing.fields] == list(form.fields)
        assert all(field.label for field in filing.fields)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_two_filings_of_a_case_say_different_things(
    desk: CaseBook, case: Case, language: str
) -> None:
    desk.set_facts(case.id, facts(412, "identity", "nir"), "exposure")
    desk.note(case.id, Kind.MEASURE, "account suspended")
    with speaking(language):
        filings = [filed(desk, case, kind) for kind in KINDS]
    for one, other in combinations(filings, 2):
        values = {field.name: field.value for field in one.fields}
        for field in other.fields:
            assert values.get(field.name, field.value) == field.value


def test_what_nobody_knows_is_unknown_and_what_is_required_is_missing(
    desk: CaseBook, case: Case
) -> None:
    filing = filed(desk, case, "cnil")
    assert filing["persons_band"] is None
    assert filing["data"] == ["Les données concernées ne sont pas connues pour le moment"]
    assert filing["causes"] == ["Inconnu"]
    assert filing["information"] == "Non déterminé pour le moment"
    assert filing["sensitive"] is None
    assert {"persons_band", "harms", "measures"} <= set(filing.missing)
    assert "organisation_siren" not in filing.missing


def test_what_is_known_is_in_the_words_of_the_form(desk: CaseBook, case: Case) -> None:
    desk.set_facts(case.id, facts(412, "identity", "nir", "medical"), "exposure")
    desk.decide(case.id, Matter.CAUSE, "external_malicious", "credentials stolen")
    desk.decide(case.id, Matter.PERSONS, "inform", "high risk")
    filing = filed(desk, case, "cnil")
    assert filing["persons_band"] == "Entre 301 et 5000 personnes"
    assert filing["persons_number"] == 412
    assert filing["data"] == [
        "État civil (nom, sexe, date de naissance, âge...)",
        "NIR (Numéro de sécurité sociale)",
        "Données de santé",
    ]
    assert filing["sensitive"] == "Oui"
    assert filing["causes"] == ["Acte externe malveillant"]
    assert filing["origins"][0].startswith("Piratage, logiciel malveillant (par exemple")
    assert filing["information"] == "Non, mais elles le seront"
    assert filing["aware_at"] == "2025-03-28T19:00+01:00"
    assert filing["began_at"] == "2025-03-27T22:00+01:00"


@pytest.mark.parametrize(("low", "high", "band"), [
    (5, 5, "Entre 0 et 5 personnes"),
    (6, 50, "Entre 6 et 50 personnes"),
    (50, 51, None),
    (301, None, None),
    (5001, None, "Plus de 5000 personnes"),
])  # fmt: skip
def test_a_band_is_filed_only_when_the_bounds_lie_in_it(
    low: int, high: int | None, band: str | None
) -> None:
    assert WORDS.band_of_fact(fact("persons", low, low=low, high=high)) == band


def test_data_that_the_log_does_not_rule_out_are_said(desk: CaseBook, case: Case) -> None:
    maybe = fact("persons.class:medical", 0, low=0, high=40)
    desk.set_facts(case.id, facts(412, "identity").with_facts([maybe]), "exposure")
    filing = filed(desk, case, "cnil")
    assert filing["data"] == [WORDS.data["civil_status"]], "not known is no answer beside known"
    assert filing["data_note"] == ["neither proved nor ruled out by the log: medical data"]
    assert filing["sensitive"] is None
    assert WORDS.harms["professional_secrecy"] in filing["harms"]


def test_kinds_are_known_or_not_and_what_keeps_the_list_open_is_said(
    desk: CaseBook, case: Case
) -> None:
    """The form's "not known for the moment" answers for all data: it stands beside no other."""
    gap = Gap(kind="unattested_screen", source="portal", name="/record", count=3)
    both = msgspec.structs.replace(facts(412, "identity", "unknown"), gaps=(gap, gap))
    desk.set_facts(case.id, both, "exposure")
    filing = filed(desk, case, "cnil")
    assert filing["data"] == [WORDS.data["civil_status"]]
    assert filing["data_note"] == [
        "what a screen shows is declared, but nobody vouches for it: /record"
    ]
    assert filing["sensitive"] is None, "what is not known may be"
    desk.set_facts(case.id, facts(412, "unknown"), "exposure")
    assert filed(desk, case, "cnil")["data"] == [WORDS.data["unknown"]]
    desk.set_facts(case.id, facts(412, "identity"), "exposure")
    assert filed(desk, case, "cnil")["data_note"] == ["nothing is known to be missing"]


def test_the_facts_of_another_case_are_refused(desk: CaseBook, case: Case) -> None:
    with pytest.raises(UsageError, match="2031-001"):
        desk.set_facts(case.id, facts(1).with_facts(case="2031-001"), "exposure")


def test_bounds_are_filed_as_bounds(desk: CaseBook, case: Case) -> None:
    desk.set_facts(case.id, facts(400, "identity", low=400, high=900), "exposure")
    filing = filed(desk, case, "cnil")
    assert filing["persons_number"] is None
    assert (filing["persons_at_least"], filing["persons_at_most"]) == (400, 900)
    assert filing["persons_band"] == "Entre 301 et 5000 personnes"


def test_past_its_term_a_notification_needs_its_reasons(desk: CaseBook, case: Case) -> None:
    late = AWARE + timedelta(hours=80)
    assert filed(desk, case, "cnil")["late"] == "no"
    assert "late_because" in filed(desk, case, "cnil", late).missing
    with pytest.raises(RefusedError, match=r"33\(1\)"):
        desk.note(case.id, Kind.CNIL_NOTIFIED, at=late)
    desk.note(case.id, Kind.CNIL_NOTIFIED, at=late, late_because="logs restored on Tuesday")
    filing = filed(desk, case, "cnil", late)
    assert (filing["late"], filing["late_because"]) == ("yes", "logs restored on Tuesday")
    assert "late_because" not in filing.missing
    assert "late_because" not in {c.name for c in filing.changes}, "they were filed with it"


def test_each_addressee_reads_of_the_reports_to_others(desk: CaseBook, case: Case) -> None:
    desk.note(case.id, Kind.CNIL_NOTIFIED, at=AWARE, reference="N-1")
    desk.note(case.id, Kind.CERT_SANTE_REPORTED, at=AWARE)
    others = {k: filed(desk, case, k)["other_notifications"] for k in ("cnil", "cert_sante", "ars")}
    assert others == {
        "cnil": ["CERT Santé"], "cert_sante": ["CNIL"], "ars": ["CNIL", "CERT Santé"]
    }  # fmt: skip
    told = {line["event"]: line["text"] for line in filed(desk, case, "complaint")["chronology"]}
    assert told["CNIL notified"] == "N-1"


def test_no_processor_is_not_an_unknown_one(desk: CaseBook, case: Case) -> None:
    assert filed(desk, case, "cnil")["processor"] is None
    path = desk.home / "organisation.toml"
    path.write_text(path.read_text() + 'processor = ""\n')
    assert filed(desk, case, "cnil")["processor"] == ""


def test_nobody_notifies_before_being_aware(desk: CaseBook, case: Case) -> None:
    with pytest.raises(RefusedError, match="before awareness"):
        desk.note(case.id, Kind.CNIL_NOTIFIED, at=AWARE - timedelta(days=2000))
    desk.note(case.id, Kind.ATTACK_KNOWN, at=AWARE - timedelta(days=2))
    desk.note(case.id, Kind.CNIL_NOTIFIED, at=AWARE)


def test_a_complement_says_field_by_field_what_changed(desk: CaseBook, case: Case) -> None:
    desk.set_facts(case.id, facts(400, "identity", low=400, high=9000), "exposure")
    assert filed(desk, case, "cnil").changes == ()
    desk.note(case.id, Kind.CNIL_NOTIFIED, "initial", at=NOW, reference="N-123")
    desk.set_facts(case.id, facts(412, "identity", "nir"), "a log was found")
    changes = {c.name: (c.before, c.after) for c in filed(desk, case, "cnil").changes}
    assert changes["stage"] == ("initial", "complementary")
    assert changes["persons_number"] == (None, 412)
    assert changes["persons_band"] == (None, "Entre 301 et 5000 personnes")
    assert changes["data"][1][-1] == "NIR (Numéro de sécurité sociale)"
    assert "natures" not in changes
    desk.note(case.id, Kind.CNIL_COMPLETED, "complement")
    assert {c.name for c in filed(desk, case, "cnil").changes} <= {"updated_at"}


def test_the_same_case_gives_the_same_filing(desk: CaseBook, case: Case) -> None:
    assert filed(desk, case, "complaint") == filed(desk, case, "complaint")
    assert delta(filed(desk, case, "ars"), filed(desk, case, "ars")) == ()
    with pytest.raises(UsageError):
        filed(desk, case, "press")


def test_a_complaint_carries_its_chronology_and_its_evidence(desk: CaseBook, case: Case) -> None:
    desk.set_facts(case.id, facts(412, "identity"), "exposure")
    desk.note(case.id, Kind.ATTACK_KNOWN, "a session from abroad", at=AWARE)
    filing = filed(desk, case, "complaint")
    chronology = filing["chronology"]
    assert any(line["text"] == "a session from abroad" for line in chronology)
    at = [datetime.fromisoformat(line["at"]) for line in chronology]
    assert at == sorted(at)
    assert "awareness" in [line["event"] for line in chronology]
    names = [piece["name"] for piece in filing["evidence"]]
    assert names[0] == "alert 00ff00ff00ff00ff"
    assert "facts" in names
    assert all(len(piece["sha256"]) == 64 for piece in filing["evidence"])
    assert filing["offences"]


def test_the_register_holds_every_breach_and_why_it_was_not_notified(
    desk: CaseBook, case: Case
) -> None:
    desk.open_case("only a suspicion", [], "dpo", "heard")
    desk.decide(case.id, Matter.AUTHORITY, "not_notified", "the owner, at work")
    desk.note(case.id, Kind.MEASURE, "=cmd|calc")
    [entry] = register(desk.cases(), desk.home, NOW)
    assert entry["notification"] == "Aucune notification à envoyer"
    assert entry["notification_because"] == "the owner, at work"
    [header, line] = list(csv.reader(io.StringIO(as_csv([entry]))))
    assert len(header) == len(line) == len(entry.fields)
    assert "'=cmd|calc" in line
    assert as_csv([]) == ""


def test_the_lists_hold_what_the_rules_and_the_waist_name() -> None:
    assert set(CAUSES) == set(WORDS.causes)
    assert set(LEVELS) == set(WORDS.levels)
    assert {known.name for known in WORDS.classes} == set(DATA_CLASSES)
    for known in WORDS.classes:
        assert set(known.data) <= set(WORDS.data)
        assert set(known.harms) <= set(WORDS.harms)
    assert set(load_grid().classes) == set(DATA_CLASSES) - {"unknown"}


def test_severity_is_enisas_with_the_choices_apart() -> None:
    found = severity({"identity", "nir"}, 2_000)
    assert (found.score, found.without_choices, found.band) == (3.0, 2.0, "high")
    assert [part.name for part in found.inputs if part.choice] == ["dpc", "ei"]
    assert found.flags == ("many_persons",)
    assert (found.authority, found.persons, found.exemptions) == ("notify", "inform", ())
    assert found.score == found.dpc * found.ei + found.cb


def test_severity_bounds_what_nobody_declared() -> None:
    found = severity({"identity", "unknown"}, 3)
    assert (found.score, found.at_most, found.level) == (2.0, 5.0, "maximal")
    assert found.flags == ()
    possible = severity({"identity"}, 3, possible=["bank"])
    assert (possible.score, possible.at_most) == (2.0, 4.0)


def test_severity_follows_the_answers_and_refuses_others() -> None:
    mild = Circumstances("negligible", "known_recipients", malice="none", unintelligible=True)
    found = severity({"identity"}, 3, mild)
    assert (found.score, found.band, found.level) == (0.5, "low", "negligible")
    assert found.flags == ("unintelligible",)
    assert (found.authority, found.persons) == ("not_notified", "not_informed")
    assert found.exemptions == ("no_high_risk", "unintelligible")
    assert severity({"identity"}, 3, Circumstances(specialised=True)).dpc == 3.0
    assert severity({"medical", "nir"}, 3).dpc == 4.0
    with pytest.raises(UsageError, match="known_recipients"):
        severity({"identity"}, 3, Circumstances(confidentiality="everybody"))
