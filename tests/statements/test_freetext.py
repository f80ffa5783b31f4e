"""Free text searched: what is found, what is never shown, and what it changes in a case."""

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.statements.facts import KNOWN
from tests.statements.scoring_text import HELD_OUT, by_kind, overall, remarks

from vigie.cases.book import CaseBook
from vigie.cases.model import TextScanned
from vigie.cli import main
from vigie.config import Settings
from vigie.errors import ReadingError
from vigie.facts import Facts, Gap
from vigie.statements import check
from vigie.statements.freetext import CATEGORIES, load_terms, scan

TERMS = load_terms()
TEXTS = [
    "Diabétique sous insuline, rappeler Mme Durand au 06 12 34 56 78",
    "RAS", "", None, "né le 3 mars, 2 55 08 14 168 025 38", "Préfère le matin",
]  # fmt: skip
DENIAL = "Aucune coordonnée bancaire n'est concernée."


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    pq.write_table(pa.table({"id": range(len(TEXTS)), "note": TEXTS}), tmp_path / "notes.parquet")
    return tmp_path / "notes.parquet"


def test_words_are_found_whatever_their_case_accents_and_endings(notes: Path) -> None:
    found = scan(notes, ["note"], TERMS)
    assert (found.values, found.empty, found.hits) == (4, 2, 2)
    assert found.found == {
        "medical": 1, "prescription": 1, "social": 0, "nir": 1, "bank": 0, "contact": 1,
        "demeaning": 0,
    }  # fmt: skip
    assert found.words == {"diabetique": 1, "insuline": 1}


@pytest.mark.parametrize("said", [
    "ASTHMATIQUE", "Patiente séropositive.", "cf. compte-rendu", "suivi psy(chiatrie)", "IVG",
    "Doliprane 1 g", "tutelle demandée", "IBAN FR76 3000 6000 0112 3456 7890 189", "dnid",
])  # fmt: skip
def test_what_people_write_is_found(tmp_path: Path, said: str) -> None:
    (tmp_path / "n.csv").write_text(f'note\n"{said}"\n', "utf-8")
    assert scan(tmp_path / "n.csv", ["note"], TERMS).hits == 1


@pytest.mark.parametrize(
    "said", ["Le chien est gentil", "sonner deux fois", "code 4521", "viole(t)"]
)
def test_what_says_nothing_is_not(tmp_path: Path, said: str) -> None:
    (tmp_path / "n.csv").write_text(f'note\n"{said}"\n', "utf-8")
    assert scan(tmp_path / "n.csv", ["note"], TERMS).hits == 0


@pytest.mark.parametrize("said", [
    "Lasilix 40", "ATORVASTATINE", "2e cure d'Humira", "pyélonéphrite", "œdème", "oedèmes",
    "drépanocytaire",
])  # fmt: skip
def test_names_of_illnesses_and_medicines_are_found(tmp_path: Path, said: str) -> None:
    (tmp_path / "n.csv").write_text(f'note\n"{said}"\n', "utf-8")
    assert scan(tmp_path / "n.csv", ["note"], TERMS).hits == 1


# Seen by the lists since: floors that hold what was mended, not what another hand may expect.
@pytest.mark.parametrize(("name", "floors"), [
    (HELD_OUT, (0.97, 0.97)), ("second_2026-11-22_free_text.jsonl", (0.97, 0.95)),
    ("quoted_free_text.jsonl", (1.0, 0.94)),
])  # fmt: skip
def test_what_was_mended_stays_found(name: str, floors: tuple[float, float]) -> None:
    every = remarks(name)
    precision, recall = overall(every)
    assert precision >= floors[0]
    assert recall >= floors[1]
    for kind in ("health", "hiv", "mental", "addiction", "pregnancy"):
        total, found = by_kind(every).get(kind, (0, 0))
        assert found >= 0.8 * total, kind


def test_text_that_does_not_fit_in_memory_is_not_spilt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = pa.array([f"douleur {number:030d}" for number in range(200_000)])
    pq.write_table(pa.table({"note": said}), tmp_path / "large.parquet")
    connect = duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda config: connect(
        config=config | {"memory_limit": "8MB", "threads": 1}))  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReadingError, match="does not fit in memory"):
        scan(tmp_path / "large.parquet", ["note"], TERMS)
    assert [path.name for path in tmp_path.iterdir()] == ["large.parquet"]


def test_every_category_has_a_name_and_a_class() -> None:
    assert {one.name for one in TERMS.category} == set(CATEGORIES)
    assert all(one.classes for one in TERMS.category)


def test_what_cannot_be_read_is_told_and_never_cited(tmp_path: Path) -> None:
    bad = tmp_path / "n.csv"
    bad.write_bytes("id;note\n1;Mme Durand caf\xe9\n".encode("latin-1"))
    with pytest.raises(ReadingError) as told:
        scan(bad, ["note"], TERMS)
    assert "Durand" not in str(told.value)
    assert scan(bad, ["note"], TERMS, "latin-1").values == 1
    with pytest.raises(ReadingError, match="has no column remark"):
        scan(bad, ["remark"], TERMS, "latin-1")
    with pytest.raises(ReadingError):
        scan(tmp_path / "none.csv", ["note"], TERMS)


@pytest.fixture
def case(private_home: Path, tmp_path: Path) -> str:
    facts = Facts(
        facts=KNOWN.facts, moments=KNOWN.moments, attested=KNOWN.attested,
        gaps=(Gap(kind="unscanned_text", source="his", name="dossier", count=3),),
    )  # fmt: skip
    (tmp_path / "facts.json").write_bytes(facts.to_json())
    assert main(["case", "open", "--reason", "r"]) == 0
    assert main(["case", "facts", "2", str(tmp_path / "facts.json"), "--reason", "r"]) == 0
    return "2"


def test_a_search_that_finds_nothing_lets_a_negative_pass(
    case: str, private_home: Path, tmp_path: Path, notes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean, draft = tmp_path / "clean.csv", tmp_path / "draft.txt"
    clean.write_text("note\nsonner deux fois\n", "utf-8")
    draft.write_text(DENIAL, "utf-8")
    recorded = ("--case", case, "--source", "his", "--screen", "dossier", "--reason", "asked")
    assert main(["statement", "check", str(draft), "--case", case]) == 4
    assert main(["statement", "scan", str(clean), "--column", "note", *recorded]) == 0
    assert main(["statement", "check", str(draft), "--case", case]) == 0
    assert main(["statement", "scan", str(notes), "--column", "note", *recorded]) == 3
    assert main(["statement", "check", str(draft), "--case", case, "--lang", "fr"]) == 4
    assert main(["case", "show", case]) == 0
    shown = capsys.readouterr().out
    assert "Durand" not in shown
    assert "his dossier" in shown
    with CaseBook.open(private_home, Settings()) as book:
        (known,) = book.cases()
    assert [one.hits for one in known.of(TextScanned)] == [0, 2]
    assert [gap.kind for gap in known.read_facts().gaps] == ["sensitive_text"]
    assert main(["verify"]) == 0


def test_a_file_without_text_proves_nothing(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.csv").write_text("id,note\n1,\n", "utf-8")
    asked = ["statement", "scan", str(tmp_path / "empty.csv"), "--column", "note", "--case", case]
    assert main(asked) == 2
    asked += ["--source", "his", "--screen", "dossier"]
    assert main(asked) == 1
    capsys.readouterr()
    assert main([*asked, "--reason", "r", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["empty"] == 1
    draft = tmp_path / "draft.txt"
    draft.write_text(DENIAL, "utf-8")
    assert main(["statement", "check", str(draft), "--case", case]) == 4


def test_a_negative_is_refused_while_words_stand_in_the_text() -> None:
    facts = Facts(
        facts=KNOWN.facts, attested=KNOWN.attested, gaps=(Gap(kind="sensitive_text", count=2),)
    )
    (finding,) = check(DENIAL, facts)
    assert finding.verdict == "refused"
    assert "ni d'affirmer ni d'exclure" in finding.instead
    (perhaps,) = check("Des coordonnées bancaires ont pu être consultées.", facts)
    assert perhaps.verdict == "passed"
