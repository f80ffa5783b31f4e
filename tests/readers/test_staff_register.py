"""The table of staff: keyed as the log is, nothing else kept, and what cannot be used is told."""

import json
from pathlib import Path

import pytest

from vigie.cli import main
from vigie.errors import MappingError
from vigie.pseudonyms import Keyring
from vigie.readers.registers.refused import Refused
from vigie.readers.registers.staff import load_staff, read_staff
from vigie.records import STAFF
from vigie.stores import Store

RING = Keyring(bytes(32))
MAPPING = """
[register]
file = "staff.csv"
[columns]
account = "LOGIN"
surname = "NOM"
given_name = "PRENOM"
address = "VOIE"
postcode = "CP"
city = "VILLE"
organisation = "SITE"
unit = "SERVICE"
[[identifiers]]
column = "IPP"
authority = "hopital"
"""
HEADER = "LOGIN;NOM;PRENOM;VOIE;CP;VILLE;SITE;SERVICE;IPP"
ROWS = (
    "mdupont;Dupont;Marie;12 rue de l'Église;35000;Rennes;A;urgences;42",
    "jlegare;Légaré;;;;;B;;",
    ";Sans Login;X;;;;A;;7",
)


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    (tmp_path / "staff.csv").write_text("\n".join([HEADER, *ROWS]) + "\n", "utf-8")
    (tmp_path / "staff.toml").write_text(MAPPING, "utf-8")
    return tmp_path / "staff.toml"


def test_what_is_kept_are_keys_that_the_patients_of_the_log_have(mapping: Path) -> None:
    refused = Refused()
    (table,) = read_staff(load_staff(mapping), mapping, RING, refused)
    assert table.schema.equals(STAFF)
    first, second = table.to_pylist()
    assert first == {
        "account": "mdupont", "organisation": "A", "unit": "urgences",
        "surname_key": RING.pseudonym("DUPONT", "", "surname"),
        "address_key": RING.pseudonym("12 RUE DE L EGLISE 35000 RENNES", "", "address"),
        "patient": RING.pseudonym("42", "hopital"),
    }  # fmt: skip
    assert second["surname_key"] == RING.pseudonym("LEGARE", "", "surname")
    assert second["address_key"] is second["patient"] is second["unit"] is None
    assert refused.counts == {("no_account", "LOGIN"): 1}
    assert refused.first[("no_account", "LOGIN")] == 4


def test_the_mapping_of_the_register_for_notices_serves_too(mapping: Path) -> None:
    text = MAPPING.replace('unit = "SERVICE"', 'email = "SERVICE"').split("[[identifiers]]")[0]
    mapping.write_text(text, "utf-8")
    (table,) = read_staff(load_staff(mapping), mapping, RING, Refused())
    assert table["unit"].null_count == table["patient"].null_count == table.num_rows


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('account = "LOGIN"\n', "", "account"),
        ("authority", "kind", "kind"),
        ("[columns]", "[colums]", "colums"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(mapping: Path, old, new, said) -> None:
    mapping.write_text(MAPPING.replace(old, new), "utf-8")
    with pytest.raises(MappingError, match=said):
        load_staff(mapping)


def test_the_command_keeps_the_table_and_a_rotation_carries_it(mapping, tmp_path, capsys) -> None:
    home = ["--home", str(tmp_path / "home")]
    code = main([*home, "register", "staff", str(mapping), "--format", "json"])
    said = json.loads(capsys.readouterr().out)
    assert (code, said["rows"], said["rows_before"]) == (4, 2, 0)
    with Store.open(tmp_path / "home") as store:
        before = store.table("staff")
        assert before["account"].to_pylist() == ["mdupont", "jlegare"]
        assert before["patient"][0].as_py() == store.keyring.pseudonym("42", "hopital")
    assert main([*home, "rotate"]) == 0
    with Store.open(tmp_path / "home") as store:
        after = store.table("staff")
        assert after["patient"][0].as_py() == store.keyring.pseudonym("42", "hopital")
        assert after["patient"][0] != before["patient"][0]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
    assert b"Dupont" not in kept
    assert b"DUPONT" not in kept
