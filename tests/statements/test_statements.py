"""The statement checker: what it refuses, what it never passes, and its published figures."""

import json
import subprocess
import sys
import tomllib
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest
from tests.statements.facts import BLIND, KNOWN, fact
from tests.statements.scoring import APART, confusion, facts_named, scores, sentences

from vigie.cli import main
from vigie.clocks.dates import moment_of
from vigie.facts import Gap, from_json
from vigie.language import speaking
from vigie.notices.advice import load_counsel
from vigie.statements import check

ROOT = Path(__file__).parents[2]
PORTAL = facts_named("held_out_2026-11-22.json:portal")
SETS = ("sentences.toml", "second.toml", "unseen.toml", *APART)


def verdict(text: str, facts=KNOWN) -> str:
    (finding,) = check(text, facts)
    return finding.verdict


def test_there_are_enough_sentences_and_none_twice() -> None:
    texts = [(one["set"], one["text"]) for name in SETS for one in sentences(name)]
    assert len(texts) >= 120
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", SETS)
def test_nothing_is_passed_that_should_not_be(name: str) -> None:
    counts = confusion(name)
    assert not {wanted for (wanted, said), n in counts.items() if said == "pass" and n} - {"pass"}


def test_the_figures_of_the_page_are_those_of_the_sets() -> None:
    page = (ROOT / "docs" / "statements.md").read_text("utf-8")
    for name in SETS:
        counts = confusion(name)
        for label in ("refuse", "pass"):
            precision, recall = scores(counts, label)
            assert f"| {name} | {label} | {precision:.3f} | {recall:.3f} |" in page


def test_a_negative_passes_only_when_nothing_is_blind() -> None:
    said = "Aucune coordonnée bancaire n'est concernée."
    assert verdict(said) == "passed"
    import msgspec

    for kind in ("blind_period", "unknown_export", "unknown_screen", "unattested_screen",
                 "unscanned_text", "unreadable_lines"):  # fmt: skip
        blind = msgspec.structs.replace(KNOWN, gaps=(Gap(kind=kind, source="his"),))
        (finding,) = check(said, blind)
        assert finding.verdict == "refused"
        assert finding.problems[0].code == "negative"
        assert finding.problems[0].more
    unvouched = msgspec.structs.replace(KNOWN, attested=())
    assert verdict(said, unvouched) == "refused"


@pytest.mark.parametrize("said", [
    "L'identité a été consultée ; pour 1 198 personnes, le numéro de sécurité sociale aussi.",
    "L'identité et les données médicales de 1 198 personnes ont été consultées.",
    "Les données médicales de 37 personnes ont été exportées.",
    "Les coordonnées de 412 personnes et le numéro de sécurité sociale de 1 034 ont été vus.",
    "Les accès ont eu lieu le 4 septembre 2025.",
    "Chers patients, il semblerait que votre identité ait été consultée.",
    "Nous tenons à vous rassurer : vos diagnostics n'ont pas été consultés.",
    "Mon numéro de sécurité sociale a-t-il été vu ? Non, il n'a pas été consulté.",
])  # fmt: skip
def test_a_true_number_beside_the_wrong_words_is_refused(said: str) -> None:
    assert verdict(said) == "refused"


def test_the_name_of_a_controller_counts_its_own_persons() -> None:
    own = facts_named("apart.json:complete")
    said = "À la Clinique des Tilleuls, {} personnes sont concernées."
    assert verdict(said.format("3 744"), own) == "passed"
    assert verdict(said.format("9 360"), own) == "refused"
    by_class = (
        "Le numéro de sécurité sociale de 3 744 patients de la Clinique des Tilleuls a fuité."
    )
    assert verdict(by_class, own) != "passed"
    assert verdict("La Clinique des Tilleuls n'est pas concernée.", own) == "refused"


def test_each_clause_of_a_sentence_is_its_own_claim() -> None:
    said = "Leur identité a été consultée, ainsi que {} pour {} d'entre elles."
    assert verdict(said.format("leur numéro de sécurité sociale", 412)) == "passed"
    assert verdict(said.format("leur numéro de sécurité sociale", 1198)) == "refused"
    assert verdict(said.format("leurs coordonnées bancaires", 37)) == "refused"


def test_what_is_blind_is_said_with_its_dates() -> None:
    blind = facts_named("apart.json:blind")
    assert verdict("Le contenu de l'export n'est pas connu.", blind) == "passed"
    assert verdict("Le contenu des exports n'est pas connu.") == "refused"
    assert verdict("Tous les accès ont été intégralement journalisés.", blind) == "refused"


@pytest.mark.parametrize("said", [
    "12 408 personnes ont été concernées le 5 novembre.",
    "12 408 personnes sont concernées à 8 h 13.",
    "12 408 personnes ont été concernées en octobre 2025.",
    "L'identité de 12 408 personnes a été affichée pendant deux heures.",
    "Le compte n'a servi qu'à consulter l'identité.",
    "L'attaquant n'a eu accès qu'au nom.",
    "Personne n'a vu de numéros de sécurité sociale.",
    "Nul numéro de sécurité sociale n'a été affiché.",
    "Des mineurs sont concernés.",
    "Tous les patients ont été informés et la CNIL a été notifiée le 19 novembre 2025.",
    "La CNIL a été notifiée en 48 heures.",
    "La CNIL n'a pas été notifiée.",
    "Soyez assurés que vos données ne circulent pas.",
    "No names were viewed.",
])  # fmt: skip
def test_what_a_sentence_adds_to_a_true_number_is_never_passed(said: str) -> None:
    portal = facts_named("held_out_2026-11-22.json:portal")
    assert verdict(said, portal) in ("refused", "unverified")


@pytest.mark.parametrize("said", [
    "12,408 people were affected on 5 November.",
    "12,408 people are affected, at 8:13 a.m.",
    "Social security numbers of 12,408 patients were exposed.",
    "Contact details of 12,408 people were shown.",
    "7,204 patients of CHU de Port-Maril are affected.",
    "4,002 patients of CH de Sainte-Aubierge and 7,204 of CHU de Port-Maril are affected.",
    "Clinique du Vallon is not affected.",
    "Children are affected.",
    "No more than 12,000 people are affected.",
    "12,408 people, all over 60, are affected.",
    "Nobody saw any social security number.",
    "Social security numbers were not displayed, only listed.",
    "If you have been affected, only your name was seen.",
    "You can contact us: no social security number was seen.",
    "Dear patient, we are writing to inform you that no social security numbers were seen.",
    "The number of people affected is unknown.",
    "The accesses took place between 3 and 13 November 2025.",
    "From November 3 to November 13, 2025, 12,408 people were affected.",
    "We became aware of it on 15 November 2025 at 9:40 p.m.",
    "The fraudulent access lasted a month.",
    "Your name may have been viewed.",
    "Vous pouvez nous contacter : aucun numéro de sécurité sociale n'a été vu.",
    "L'accès frauduleux a duré une semaine.",
    "12 408 personnes ne sont pas concernées.",
    "12 408 personnes sont concernées par compte.",
    "L'identité et les coordonnées ont été vues, c'est tout.",
    "L'identité a été vue, tout au plus.",
    "Une plainte a été déposée après la notification à la CNIL.",
    "La CNIL a été notifiée le 19 novembre 2025 par un patient.",
    "Seul le CH de Sainte-Aubierge est concerné, avec 7 204 personnes.",
    "12,408 people are not affected.",
    "All but 12,408 people are affected.",
    "12,408 people are affected per account.",
    "The data seen were names and contact details.",
    "Names were seen at most.",
    "A complaint was filed before the CNIL was notified.",
    "7,204 people are affected at CH de Sainte-Aubierge only.",
])  # fmt: skip
def test_what_is_false_is_never_passed_in_either_language(said: str) -> None:
    assert verdict(said, PORTAL) in ("refused", "unverified")


def test_what_is_not_known_does_not_carry_a_denial_with_it() -> None:
    blind = facts_named("held_out_2026-11-22.json:blind")
    said = "L'ampleur de la fuite est inconnue mais aucune donnée médicale n'a été vue."
    assert verdict(said, blind) == "refused"
    assert verdict("L'ampleur de la fuite est inconnue.", blind) == "passed"


def test_each_sentence_is_read_by_the_rules_of_its_language() -> None:
    draft = (
        "12 408 personnes sont concernées. 12,408 people are affected. Voilà. "
        "No medical data were accessed. Aucune donnée médicale n'a été consultée."
    )
    found = [(one.language, one.verdict) for one in check(draft, PORTAL)]
    passed = [("fr", "passed"), ("en", "passed")]
    assert found == [*passed, ("fr", "unverified"), ("en", "passed"), ("fr", "passed")]


def test_a_draft_in_another_language_is_unverified_whole() -> None:
    draft = (
        "Am 17. November 2025 wurde uns bekannt, dass Unbefugte mit einem Benutzerkonto auf Daten "
        "von 12.408 Patienten zugegriffen haben. Gesundheitsdaten waren nicht betroffen."
    )
    found = check(draft, PORTAL)
    assert {one.verdict for one in found} == {"unverified"}
    assert {(one.language, *(p.code for p in one.problems)) for one in found} == {("", "language")}


@pytest.mark.parametrize("said", [
    "Around 12,000 people are affected, including names, etc.",
    "Only your name was seen.",
    "Medical data were seen by an attacker for two days.",
    "The CNIL was notified on 20 November 2025.",
    "Two accounts were used.",
    "Files were exported.",
])  # fmt: skip
@pytest.mark.parametrize("own", ["portal", "blind", "records"])
def test_what_may_be_written_instead_in_english_passes_itself(said: str, own: str) -> None:
    facts = facts_named(f"held_out_2026-11-22.json:{own}")
    for finding in check(said, facts):
        again = check(finding.instead, facts) if finding.instead else []
        assert {(one.language, one.verdict) for one in again} <= {("en", "passed")}


@pytest.mark.parametrize("said", [
    "La CNIL a été notifiée le 19 novembre 2025 à 16 h.",
    "La CNIL a été informée dans les 72 heures qui ont suivi la découverte.",
    "Le dernier accès frauduleux date du 14/11/2025.",
    "Le premier accès remonte au 3 novembre.",
    "L'accès frauduleux a duré moins de deux semaines.",
])  # fmt: skip
def test_moments_of_the_case_are_facts(said: str) -> None:
    assert verdict(said, facts_named("held_out_2026-11-22.json:portal")) == "passed"
    assert verdict(said.replace("19", "20").replace("14/", "13/").replace("au 3", "au 4")
                   .replace("72", "48").replace("deux semaines", "deux jours"),
                   facts_named("held_out_2026-11-22.json:portal")) == "refused"  # fmt: skip


@pytest.mark.parametrize(("code", "said"), [
    ("promise", "Nous vous garantissons que cela ne se reproduira plus."),
    ("absolute", "Le risque est nul pour les patients."),
    ("belittling", "L'impact de l'incident reste très limité."),
    ("no_proof", "Nous n'avons aucune preuve que ces données aient été revendues."),
])  # fmt: skip
def test_what_reassures_without_a_fact_is_refused(code: str, said: str) -> None:
    (finding,) = check(said, KNOWN)
    assert finding.verdict == "refused"
    assert code in {problem.code for problem in finding.problems}


def test_a_claim_that_no_fact_carries_is_never_passed() -> None:
    for said in (
        "Le pirate est un ancien salarié.",
        "Xyzzy plugh.",
        "Le compte dormait depuis 2019.",
    ):
        assert verdict(said) in ("unverified", "refused")


def test_what_may_be_written_instead_passes_itself() -> None:
    said = "Près de 1 200 personnes sont concernées, notamment leurs noms."
    (finding,) = check(said, KNOWN)
    assert finding.verdict == "refused"
    again = check(finding.instead, KNOWN)
    assert {one.verdict for one in again} <= {"passed", "unverified"}
    assert verdict("1 198 personnes sont concernées.") == "passed"


@pytest.mark.parametrize("said", [
    "La CNIL a été notifiée le 20 novembre 2025.",
    "La plainte date du 19 novembre 2025.",
    "L'accès frauduleux a duré deux jours.",
    "L'intrusion a eu lieu le 5 novembre 2025.",
])  # fmt: skip
def test_what_may_be_written_of_a_date_passes_itself(said: str) -> None:
    portal = facts_named("held_out_2026-11-22.json:portal")
    (finding,) = check(said, portal)
    assert finding.verdict == "refused"
    assert "2025" in finding.instead
    assert {one.verdict for one in check(finding.instead, portal)} == {"passed"}


def test_one_in_a_hundred_is_not_read_as_one_in_a_hundred_of_the_part() -> None:
    # A newspaper read "169,000, that is 1 %" as 1 % of 169,000.
    (finding,) = check(
        "Des données médicales sont concernées pour 37 personnes, soit 3,1 %.", KNOWN
    )
    assert finding.verdict == "refused"
    assert {problem.code for problem in finding.problems} == {"no_denominator"}


def test_the_command_says_it_in_french_and_exits_with_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft, facts = tmp_path / "communique.txt", tmp_path / "facts.json"
    draft.write_text("Aucune donnée médicale n’est concernée. Nous vous présentons nos excuses.")
    facts.write_bytes(BLIND.to_json())
    code = main(["--lang", "fr", "statement", "check", str(draft), "--facts", str(facts)])
    shown = capsys.readouterr().out
    assert code == 4
    assert "REFUSÉE" in shown
    code = main(["statement", "check", str(draft), "--facts", str(facts), "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    assert [one["verdict"] for one in answer["sentences"]] == ["refused", "no_claim"]
    assert answer["facts_sha256"] == from_json(facts.read_bytes()).sha256


def test_a_draft_that_cannot_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = tmp_path / "facts.json"
    facts.write_bytes(KNOWN.to_json())
    bad = tmp_path / "draft.docx"
    bad.write_bytes(b"PK\x03\x04\xff\xfe")
    assert main(["statement", "check", str(bad), "--facts", str(facts)]) == 1
    assert main(["statement", "check", str(tmp_path / "none"), "--facts", str(facts)]) == 1
    facts.write_text("{}")
    assert main(["statement", "check", str(bad), "--facts", str(tmp_path / "none.json")]) == 1
    capsys.readouterr()


def test_the_scoring_runs_as_the_page_says() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.statements.scoring", "unseen.toml"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "| refuse |" in done.stdout


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("zone", ["Europe/Paris", "Indian/Reunion", "Pacific/Noumea", "UTC"])
def test_times_as_notices_write_them_bind_to_the_facts(language: str, zone: str) -> None:
    """Whose time it is counts: the same figures in another zone are another moment."""
    aware = datetime.fromisoformat(KNOWN.moments["awareness"])
    sentence = {
        "fr": "Nous en avons eu connaissance le {when}.", "en": "We became aware of it on {when}."
    }[language]  # fmt: skip
    with speaking(language):
        said, later = (moment_of(aware + add, zone) for add in (timedelta(), timedelta(minutes=1)))
    (finding,) = check(sentence.format(when=said), KNOWN)
    assert (finding.verdict, finding.facts) == ("passed", ("awareness",))
    assert check(sentence.format(when=later), KNOWN)[0].verdict == "refused"
    with speaking(language):
        other = moment_of(aware, "America/Cayenne").partition("(")[2]
    elsewhere = said.partition("(")[0] + "(" + other
    assert check(sentence.format(when=elsewhere), KNOWN)[0].verdict == "refused"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_our_advice_claims_nothing_where_the_data_may_have_been_exposed(language: str) -> None:
    """Of a class that nobody's were, what may follow from it is a claim like any other."""
    counsel = load_counsel()
    shown, hidden = ("identity", "nir", "contact", "medical"), ("prescription", "notes")
    told = [*counsel.consequences(shown, language), *counsel.actions(shown, language)]
    draft = "\n".join(f"- {text.replace('’', chr(39))}" for text in told)
    assert {one.verdict for one in check(draft, KNOWN)} == {"no_claim"}
    others = [*counsel.consequences(hidden, language), *counsel.actions(hidden, language)]
    verdicts = {one.verdict for one in check("\n".join(f"- {text}" for text in others), KNOWN)}
    assert "refused" in verdicts
    assert "passed" not in verdicts


def test_advice_with_another_word_is_read_like_any_sentence() -> None:
    (advice,) = load_counsel().consequences(["medical"], "fr")
    assert verdict(advice) == "no_claim"
    assert verdict(advice.replace("santé", "santé et vos prescriptions")) == "refused"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_the_press_is_told_that_the_log_leaves_open_passes(language: str) -> None:
    """The statement's own words, and what the checker proposes: neither is refused."""
    press = resources.files("vigie.notices") / "texts" / f"press.{language}.toml"
    blocks = tomllib.loads(press.read_text("utf-8"))["block"]
    (said,) = [one["paragraph"] for one in blocks if one.get("when") == "possible"]
    names = {
        "fr": "coordonnées et données dont la nature n’est pas encore établie",
        "en": "contact details and data whose nature is not yet established",
    }
    proposed = {
        "fr": "Pour les coordonnées, le journal ne permet ni d'affirmer ni d'exclure un accès.",
        "en": "The log does not allow us to confirm or to rule out that contact details were seen.",
    }
    for sentence in (said.format(possible_data=names[language]), proposed[language]):
        assert [one.verdict for one in check(sentence, BLIND)] == ["passed"], sentence


def test_data_that_only_the_owner_s_accesses_may_have_shown_may_have_been_seen() -> None:
    """Twelve records were opened, and nothing tells by whom: neither a fact nor unknown."""
    apart = [fact("persons.told_apart:medical", 0), fact("persons.told_apart:nir", 412)]
    shared = KNOWN.with_facts(apart)
    seen, may = "Des données médicales ont été vues.", "Des données médicales ont pu être vues."
    for facts, verdicts in ((KNOWN, ("passed", "refused")), (shared, ("refused", "passed"))):
        assert tuple(check(text, facts)[0].verdict for text in (seen, may)) == verdicts
    assert check("Le numéro de sécurité sociale a été vu.", shared)[0].verdict == "passed"
