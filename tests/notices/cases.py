"""A case that is ready for its notices, an exposure that its facts count, and a register."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vigie.cases.book import CaseBook
from vigie.cases.model import Case, Kind, Matter
from vigie.config import Settings
from vigie.exposure import EXPOSURE
from vigie.exposure.output import hash_file
from vigie.facts import Fact, Facts, stamp
from vigie.pseudonyms import open_keyring

ORGANISATION = """
name = "Centre hospitalier de Trifouilly"
contact = "Déléguée à la protection des données, dpo@essai.fr, 02 99 00 00 00"
representative = "La directrice, Jeanne Morel"
siren = "200000000"
"""
BEGAN = datetime(2025, 2, 1, 9, tzinfo=UTC)
ENDED = datetime(2025, 2, 20, 9, tzinfo=UTC)
AWARE = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)
NAMES = ("Zoé;Lefèvre", "Luc;Durand", "Éva;Petitbonhomme", "Ange;Grandcoeur", "Paul;Sansadresse")
LINES = (
    "P0;Lefèvre;Zoé;1980-01-02;12 rue des Lilas;35000;RENNES;zoe@essai.fr;;;;;",
    "P1;Durand;Luc;2015-01-02;1 place du Marché;35000;RENNES;luc@essai.fr;;;;;",
    "P2;Petitbonhomme;Éva;1970-01-02;3 rue H;35000;RENNES;;;oui;Mme Tuteur;9 rue B;44000;NANTES",
    "P3;Grandcoeur;Ange;1930-01-02;4 rue Haute;35000;RENNES;;2024-05-06;;;;;",
    "P4;Sansadresse;Paul;1960-01-02;;;;;;;;;",
)
HEADER = "ipp;nom;prenom;ne;rue;cp;ville;mel;dcd;tutelle;tuteur;rue_t;cp_t;ville_t"
REGISTER = """
[register]
file = "patients.csv"
[[identifiers]]
column = "ipp"
authority = "hopital"
[columns]
surname = "nom"
given_name = "prenom"
birth_date = "ne"
address = "rue"
postcode = "cp"
city = "ville"
email = "mel"
deceased = "dcd"
protected = "tutelle"
guardian = "tuteur"
guardian_address = "rue_t"
guardian_postcode = "cp_t"
guardian_city = "ville_t"
"""


def write_persons(home: Path, top: Path, controllers=("Mutuelle A", "Mutuelle B")) -> Path:
    """Write the exposure of six persons (the last is not in the register) and the register."""
    ring = open_keyring(home)
    rows = []
    for place in range(6):
        person = ring.pseudonym(f"P{place}", "hopital")
        owner = controllers[place % len(controllers)]
        rows += [(person, "identity", "opened", owner), (person, "nir", "reachable", owner)]
        if place == 0:
            rows.append((person, "medical", "opened", owner))
    rows.sort(key=lambda row: row[:3])
    count = len(rows)
    columns = list(zip(*rows, strict=True))
    table = pa.table(
        [pa.array(columns[0], pa.binary(16)), pa.array(columns[1]), pa.array(columns[2]),
         pa.array([BEGAN] * count, pa.timestamp("us", "UTC")),
         pa.array([ENDED] * count, pa.timestamp("us", "UTC")),
         pa.array(["dr.martin"] * count), pa.array(columns[3]), pa.array(["certain"] * count),
         pa.array([1] * count, pa.int64())], schema=EXPOSURE,
    )  # fmt: skip
    pq.write_table(table, top / "exposure.parquet")
    # No line may end in fewer cells than the header has.
    width = HEADER.count(";")
    lines = [line + ";" * (width - line.count(";")) for line in LINES]
    (top / "patients.csv").write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    (top / "register.toml").write_text(REGISTER)
    return top / "exposure.parquet"


def write_many(home: Path, top: Path, count: int) -> None:
    """Write the exposure of so many adults, and a register where each has a mailbox."""
    ring = open_keyring(home)
    persons = sorted(ring.pseudonym(f"P{place}", "hopital") for place in range(count))
    times = [pa.array([at] * count, pa.timestamp("us", "UTC")) for at in (BEGAN, ENDED)]
    words = [pa.array([word] * count) for word in ("dr.martin", "Mutuelle A", "certain")]
    table = pa.table(
        [pa.array(persons, pa.binary(16)), pa.array(["identity"] * count),
         pa.array(["opened"] * count), *times, *words, pa.array([1] * count, pa.int64())],
        schema=EXPOSURE,
    )  # fmt: skip
    pq.write_table(table, top / "exposure.parquet")
    width = HEADER.count(";")
    lines = [f"P{n};Durand;Luc;1980-01-02;1 rue;35000;RENNES;p{n}@essai.fr" for n in range(count)]
    lines = [line + ";" * (width - line.count(";")) for line in lines]
    (top / "patients.csv").write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    (top / "register.toml").write_text(REGISTER)


def facts_of(exposure: Path, persons: int = 6) -> Facts:
    def fact(name: str, value: int, unit: str = "persons") -> Fact:
        return Fact(name=name, numerator=value, unit=unit, query="SELECT 1", sha256="0" * 64)

    return Facts(
        exposure_sha256=hash_file(exposure), accounts=("dr.martin",),
        controllers=("Mutuelle A", "Mutuelle B"),
        facts=(fact("accesses", 13, "accesses"), fact("persons", persons)),
        moments={"first_access": stamp(BEGAN), "last_access": stamp(ENDED)},
    )  # fmt: skip


def make_case(home: Path, exposure: Path, role: str = "controller") -> Case:
    """Open a case with facts, awareness and a measure."""
    (home / "organisation.toml").write_text(ORGANISATION, "utf-8")
    with CaseBook.open(home, Settings()) as book:
        case = book.open_case("Portail", [], "dpo", "alerte", role=role).id
        book.set_facts(case, facts_of(exposure), "calculés", "dpo")
        book.decide(case, Matter.CAUSE, "external_malicious", "hameçonnage", "dpo", at=AWARE)
        book.note(case, Kind.MEASURE, "Le compte utilisé a été coupé le 1er mars 2025.", AWARE)
        return book.decide(case, Matter.AWARENESS, "aware", "confirmé", "dpo", at=AWARE)
