"""Every notice of a case in every form: the same bytes, the same facts, nothing vague."""

import io
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pypdf
import pytest

from notices.cases import make_case, write_persons
from vigie.cases.filings import KINDS, file
from vigie.cases.model import Case, FactsVersion
from vigie.cases.organisation import Organisation
from vigie.errors import RefusedError, SettingsError
from vigie.facts import Use
from vigie.language import speaking
from vigie.notices import controllers, papers
from vigie.notices.advice import load_counsel
from vigie.notices.document import Answers, Bullets, Document
from vigie.notices.forms import FORMS, form
from vigie.notices.letters import Exposed, Letters
from vigie.notices.lint import find_vague, lint
from vigie.notices.routes import Route, route
from vigie.notices.share import Share
from vigie.notices.story import Story, head_of, tell
from vigie.records import DATA_CLASSES

DATE = datetime(2025, 3, 4, 12, tzinfo=UTC)
ZOE = {"surname": "Lefèvre", "given_name": "Zoé", "address": "12 rue des Lilas",
       "postcode": "35000", "city": "RENNES"}  # fmt: skip


@pytest.fixture
def case(private_home: Path, tmp_path: Path) -> Case:
    return make_case(private_home, write_persons(private_home, tmp_path))


@pytest.fixture(params=["fr", "en"])
def story(request, case: Case, private_home: Path):
    with speaking(request.param):
        yield tell(case, private_home, DATE)


def share() -> Share:
    return Share(
        "Mutuelle A", 3, 6, {"identity": 3, "nir": 3}, {"opened": 3}, ("dr.martin",), DATE, DATE
    )


def everything(story: Story, case: Case, home: Path) -> list[Document]:
    exposed = Exposed(("identity",), ("nir",), story.began, story.ended)
    return [
        Letters(story).write(exposed, ZOE, Route.ADULT),
        papers.professional(story, "dr.martin"),
        controllers.notice(story, share(), ["persons.csv"]),
        controllers.draft(file(case, "cnil", home, DATE), story, share()),
        controllers.draft_letter(story, share()),
        papers.press(story, ["identity"]),
        papers.advice_page(story, ["nir", "medical"]),
        *(papers.sheet(file(case, kind, home, DATE), story) for kind in KINDS),
    ]


def test_every_form_of_every_notice_is_made_twice_alike(story, case, private_home) -> None:
    documents = everything(story, case, private_home)
    assert len(documents) == 13
    for document in documents:
        for name in FORMS:
            assert form(name)(document) == form(name)(document), (document.kind, name)


def test_a_pdf_is_tagged_in_its_language_and_says_what_the_document_says(story) -> None:
    exposed = Exposed(("identity", "medical"), (), story.began, story.ended)
    letter = Letters(story).write(exposed, ZOE, Route.ADULT)
    reader = pypdf.PdfReader(io.BytesIO(form("pdf")(letter)))
    root = reader.trailer["/Root"]
    assert root["/Lang"].startswith(story.language)
    assert root["/MarkInfo"]["/Marked"]
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    text = " ".join(page.extract_text() for page in reader.pages)
    assert "LEFÈVRE" in text
    assert "RENNES" in text


def test_a_person_is_told_of_their_own_classes_alone(story) -> None:
    counsel = load_counsel()
    for own in DATA_CLASSES:
        letter = Letters(story).write(
            Exposed((own,), (), story.began, story.ended), ZOE, Route.ADULT
        )
        items = {i for b in letter.blocks if isinstance(b, Bullets) for i in b.items}
        for other in DATA_CLASSES:
            told = set(counsel.consequences((other,), story.language)) <= items
            assert told == (other == own)


def test_the_way_decides_who_is_written_to(story) -> None:
    exposed = Exposed(("identity",), (), story.began, story.ended)
    letters = Letters(story)
    child = letters.write(exposed, ZOE, Route.MINOR)
    assert "Zoé LEFÈVRE" in child.recipient[0]
    assert child.recipient[0] != "Zoé LEFÈVRE"
    ward = {
        **ZOE,
        "guardian": "Mme Tuteur",
        "guardian_postcode": "44000",
        "guardian_city": "NANTES",
    }
    assert letters.write(exposed, ward, Route.PROTECTED).recipient == ("Mme Tuteur", "44000 NANTES")
    assert "Zoé LEFÈVRE" in letters.write(exposed, ward, Route.PROTECTED).text()


TODAY, YES = DATE.date(), frozenset({"oui"})


@pytest.mark.parametrize(
    ("said", "remark", "way"),
    [
        (ZOE, 0, Route.ADULT), (ZOE, 1, Route.UNREACHABLE), (ZOE, 3, Route.DOUBTFUL),
        ({**ZOE, "birth_date": "01/03/2015"}, 0, Route.MINOR),
        ({**ZOE, "birth_date": "2007-03-04"}, 0, Route.ADULT),
        ({**ZOE, "birth_date": "le 3 mars 15"}, 0, Route.DOUBTFUL),
        ({**ZOE, "birth_date": "00/00/1950"}, 0, Route.ADULT),
        ({**ZOE, "birth_date": "00/00/2012"}, 0, Route.DOUBTFUL),
        ({**ZOE, "deceased": "2024-01-01", "protected": "oui"}, 0, Route.DECEASED),
        ({**ZOE, "protected": "Oui"}, 0, Route.UNREACHABLE),
        ({**ZOE, "protected": "oui", "guardian": "X", "guardian_email": "x@y.fr"}, 0,
         Route.PROTECTED),
        ({"surname": "X", "city": "Y"}, 0, Route.UNREACHABLE),
        ({"surname": "X", "email": "x@y.fr"}, 2, Route.ADULT),
    ],
)  # fmt: skip
def test_routes(said, remark, way) -> None:
    assert route(said, remark, TODAY, YES) == way


@pytest.mark.parametrize(
    "text",
    [
        "Nous vous invitons à rester vigilants.", "Soyez vigilant face aux messages.",
        "Toutes les mesures nécessaires ont été prises.", "Nom, prénom, adresse, etc.",
        "Certaines de vos données ont pu être consultées.", "Please stay vigilant.",
        "Nous prenons la sécurité de vos données très au sérieux.",
        "We have taken all necessary measures.", "À la suite d'un incident technique, …",
    ],
)  # fmt: skip
def test_what_the_cnil_fined_is_refused(text: str, story) -> None:
    assert find_vague(text)
    exposed = Exposed(("identity",), (), story.began, story.ended)
    letter = Letters(story).write(exposed, ZOE, Route.ADULT)
    vague = msgspec.structs.replace(letter, closing=text)
    with pytest.raises(RefusedError, match=r"informs of nothing|informe de rien"):
        lint(vague, {})


def test_a_letter_without_its_measures_is_refused(story, private_home) -> None:
    (private_home / "texts").mkdir()
    (private_home / "texts" / f"letter.{story.language}.toml").write_text(
        'title = "T"\n[[block]]\nparagraph = "{what_happened} {contact}"\n'
        '[[block]]\nlist = "seen"\n'
    )
    exposed = Exposed(("identity",), (), story.began, story.ended)
    with pytest.raises(RefusedError, match="34"):
        Letters(story, private_home).write(exposed, ZOE, Route.ADULT)


def test_an_unknown_field_of_a_template_is_one_sentence(story, private_home) -> None:
    (private_home / "texts").mkdir()
    path = private_home / "texts" / f"letter.{story.language}.toml"
    path.write_text('title = "T"\n[[block]]\nparagraph = "{organistaion}"\n')
    exposed = Exposed(("identity",), (), story.began, story.ended)
    with pytest.raises(SettingsError, match="organisation") as told:
        Letters(story, private_home).write(exposed, ZOE, Route.ADULT)
    assert "{organistaion}" in str(told.value)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)


def test_an_unknown_field_of_a_word_template_is_one_sentence(story, private_home) -> None:
    import docx as word

    (private_home / "texts").mkdir()
    template = word.Document()
    template.add_paragraph("{{ organistaion }}")
    template.save(str(private_home / "texts" / "notice.docx"))
    with pytest.raises(SettingsError, match="organistaion"):
        form("docx", private_home)(papers.press(story, ["nir"]))


def test_a_sheet_for_an_authority_waits_for_no_facts(case: Case, private_home: Path) -> None:
    """Article 33(4): what is not known yet is filed later, and is marked so until then."""
    bare = msgspec.structs.replace(
        case, records=tuple(r for r in case.records if not isinstance(r, FactsVersion))
    )
    with speaking("en"):
        head = head_of(bare, private_home, DATE)
        sheet = papers.sheet(file(bare, "cnil", private_home, DATE), head)
    assert "Persons, at least | Not known for the moment" in sheet.text()
    assert form("pdf", private_home)(sheet).startswith(b"%PDF")


def test_what_a_case_lacks_is_named(case: Case, private_home: Path) -> None:
    bare = msgspec.structs.replace(case, records=case.records[:1])
    with pytest.raises(RefusedError, match="no facts"):
        tell(bare, private_home, DATE)
    unaware = msgspec.structs.replace(case, records=case.records[:-1])
    with pytest.raises(RefusedError, match="aware"):
        tell(unaware, private_home, DATE)
    (private_home / "organisation.toml").unlink()
    assert Organisation().name == ""
    with pytest.raises(RefusedError, match="not named"):
        tell(case, private_home, DATE)


def test_no_two_documents_say_another_number_or_hash(story, case, private_home) -> None:
    texts = [form("json")(d).decode() for d in everything(story, case, private_home)]
    assert all(story.sha256 in text for text in texts)
    draft = controllers.draft(file(case, "cnil", private_home, DATE), story, share()).text()
    assert "Entre 0 et 5 personnes" in draft


def test_a_draft_holds_the_controller_s_persons_and_leaves_it_its_own_answers(
    story, case, private_home
) -> None:
    filing = file(case, "cnil", private_home, DATE)
    labels = {field.name: field.label for field in filing.fields}
    draft = controllers.draft(filing, story, share())
    said = dict(row for block in draft.blocks if isinstance(block, Answers) for row in block.rows)
    assert (said[labels["persons_number"]], filing["persons_number"]) == ("3", 6)
    assert said[labels["organisation_name"]] == "Mutuelle A"
    assert said[labels["processor"]] == story.organisation.name == filing["organisation_name"]
    for name in ("aware_at", "contact", "representative", "stage", "processor_informed_at"):
        assert "[" in said[labels[name]]
    assert "Mutuelle B" not in draft.text()


def test_the_page_of_advice_fetches_nothing(story) -> None:
    page = form("html")(papers.advice_page(story, ["nir"])).decode()
    for word in ("<script", "src=", "href=", "http://", "https://", "@import", "url("):
        assert word not in page
    assert f'<html lang="{story.language}">' in page


def test_no_package_is_fetched_and_no_file_read() -> None:
    from importlib import resources

    text = (resources.files("vigie.notices") / "templates" / "notice.typ").read_text("utf-8")
    assert "import" not in text
    assert "read(" not in text


@pytest.mark.parametrize(
    ("cause", "english"),
    [
        ("external_malicious", "An unauthorised person used one professional account"),
        ("internal_malicious", "was used by its own holder"),
        ("unknown", "was used without authorisation"),
    ],
)
def test_who_did_it_is_said_as_far_as_somebody_decided_it(story, cause: str, english: str) -> None:
    told = msgspec.structs.replace(story, cause=cause)
    if story.language == "en":
        assert english in papers.press(told, ["nir"]).text()
    if cause.startswith("external"):
        assert papers.professional(told, "dr.martin").kind == "professional"
    else:
        with pytest.raises(RefusedError, match="cause external_malicious"):
            papers.professional(told, "dr.martin")


@pytest.mark.parametrize("told_apart", [True, False])
def test_a_professional_reads_of_the_own_account_alone(story, told_apart: bool) -> None:
    """Its own days, and whether its accesses were told from the holder's; nothing without facts."""
    own = Use(
        account="dr.petit", first_at="2025-02-03T10:00:00Z", last_at="2025-02-03T11:00:00Z",
        told_apart=told_apart,
    )  # fmt: skip
    said = {
        "fr": ("compte le 3\u00a0février\u00a02025.", "séparés des vôtres", "rien n’y permet"),
        "en": ("under your account on 3 February 2025.", "separated them", "nothing there tells"),
    }[story.language]  # fmt: skip
    bare = papers.professional(story, "dr.martin").text()
    assert not any(one in bare for one in said)
    told = msgspec.structs.replace(story, facts=msgspec.structs.replace(story.facts, uses=(own,)))
    text = papers.professional(told, "dr.petit").text()
    assert said[0] in text
    assert (said[1] in text, said[2] in text) == (told_apart, not told_apart)


def test_french_names_organisations_with_their_article(story) -> None:
    named = msgspec.structs.replace(story.organisation, name="Centre hospitalier de Lille")
    told = msgspec.structs.replace(story, organisation=named)
    text, page = papers.press(told, ["nir"]).text(), papers.advice_page(told, ["nir"]).text()
    if story.language == "fr":
        assert "compte professionnel du Centre hospitalier de Lille" in text
        assert "Le Centre hospitalier de Lille a informé" in page
    else:
        assert "account of Centre hospitalier de Lille" in text
        assert "Centre hospitalier de Lille has told" in page


def test_the_public_reads_no_login(story) -> None:
    told = msgspec.structs.replace(
        story, measures=("dr.martin was suspended, dr.martinet was not.",),
        facts=msgspec.structs.replace(story.facts, accounts=("dr.martin", "dr.petit")),
    )  # fmt: skip
    exposed = Exposed(("identity",), (), story.began, story.ended)
    for document in (
        papers.press(told, ["nir"]), controllers.draft_letter(told, share()),
        Letters(told).write(exposed, ZOE, Route.ADULT), papers.professional(told, "dr.petit"),
    ):  # fmt: skip
        assert "[…] was suspended, dr.martinet was not." in document.text()
    assert "dr.martin was suspended" in papers.professional(told, "dr.martin").text()


def test_the_press_is_not_told_that_what_may_have_been_seen_was(story) -> None:
    text = papers.press(story, ["identity"], may=["medical"]).text()
    neither = {"fr": "ni d’affirmer ni d’exclure", "en": "or to rule out that medical data"}
    assert neither[story.language] in text
    assert neither[story.language] not in papers.press(story, ["identity"]).text()


def test_a_sheet_in_english_says_why_its_closed_lists_are_in_french(
    story, case, private_home
) -> None:
    text = papers.sheet(file(case, "cnil", private_home, DATE), story).text()
    assert ("words of the CNIL’s lists" in text) == (story.language == "en")
    assert "Acte externe malveillant" in text


def test_a_word_template_that_is_none_is_one_sentence(story, private_home) -> None:
    (private_home / "texts").mkdir()
    (private_home / "texts" / "notice.docx").write_bytes(b"garbage")
    with pytest.raises(SettingsError, match=r"no Word document|document Word"):
        form("docx", private_home)(papers.press(story, ["nir"]))


def test_no_field_of_a_sheet_is_left_blank(story, case, private_home) -> None:
    for kind in KINDS:
        sheet = papers.sheet(file(case, kind, private_home, DATE), story)
        answers = [row for b in sheet.blocks if isinstance(b, Answers) for row in b.rows]
        assert all(value.strip() for _label, value in answers)


def test_word_says_its_language_and_heads_its_tables(story, case, private_home) -> None:
    import docx as word

    document = papers.sheet(file(case, "complaint", private_home, DATE), story)
    made = word.Document(io.BytesIO(form("docx")(document)))
    heads = [[cell.text for cell in table.rows[0].cells] for table in made.tables]
    said = {"fr": ["Rubrique", "Réponse"], "en": ["Field", "Answer"]}[story.language]
    assert heads[0] == said
    assert all(len(row.cells) == len(table.columns) for table in made.tables for row in table.rows)
    assert next(head for head in heads if len(head) == 3)[-1] in ("précisions", "details")
    assert 'w:val="fr-FR"' in made.styles.element.xml or story.language == "en"
    assert "PAGE" in made.sections[0].footer.paragraphs[0]._p.xml
    assert not made.core_properties.comments


def test_who_answers_for_a_protected_adult_represents_or_assists(story) -> None:
    exposed = Exposed(("identity",), (), story.began, story.ended)
    person = ZOE | {"guardian": "Mme Tuteur", "guardian_postcode": "44000",
                    "guardian_city": "NANTES"}  # fmt: skip
    text = Letters(story).write(exposed, person, Route.PROTECTED).text()
    assert ("représentez ou assistez" in text) == (story.language == "fr")
    assert ("whom you represent or assist" in text) == (story.language == "en")


def test_a_draft_letter_says_first_what_of_it_is_not_everybody_s(story) -> None:
    first = controllers.draft_letter(story, share()).blocks[0]
    assert "persons.csv" in first.text
