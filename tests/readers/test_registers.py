"""Tables of the operator: who is one person, whose they are; what cannot be used is told."""

import csv
import json
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vigie.cli import main
from vigie.events import KEY
from vigie.pseudonyms import Keyring, open_keyring
from vigie.readers.mapping import PATIENT_KINDS
from vigie.readers.registers.contracts import load_contracts, read_contracts
from vigie.readers.registers.identities import load_identities, read_identities
from vigie.readers.registers.refused import Refused
from vigie.stores import Store

INS = PATIENT_KINDS["ins"]
TEST_OID = "1.2.250.1.213.1.4.10"
SOUND, OTHER = "255081416802538", "180017500100104"
LINKS = """
[register]
{place}
[[identifiers]]
column = "ins"
kind = "ins"
oid = "oid"
[[identifiers]]
column = "nir"
kind = "nir"
[[identifiers]]
column = "ipp"
authority = "hopital"
"""
COLUMNS = ("ins", "oid", "nir", "ipp", "né")
ROWS = [
    (SOUND, INS, SOUND, "7", "é"),  # 2: one person, three identifiers
    (SOUND, TEST_OID, "", "8", ""),  # 3: of test
    ("", "", OTHER, "", ""),  # 4: the social-security number alone
    ("255081416802539", INS, "", "9", ""),  # 5: a wrong key
    ("", "", "", "", ""),  # 6: nobody
    ("", "", "", "10", ""),  # 7: one identifier alone
    ("", "", OTHER, "11", ""),  # 8: rests on the social-security number
]


def write_csv(path: Path, rows: list[tuple[str, ...]], header=COLUMNS, encoding="utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows([header, *rows])


def keys(ring: Keyring, *named: tuple[str, str]) -> list[bytes]:
    return pa.array([ring.pseudonym(value, giver) for value, giver in named], KEY).to_pylist()


def links(top: Path, place: str, text: str = LINKS) -> tuple[list[tuple], Refused]:
    (top / "links.toml").write_text(text.format(place=place), "utf-8")
    mapping, refused = load_identities(top / "links.toml"), Refused()
    found = read_identities(mapping, top / "links.toml", Keyring(bytes(32)), refused)
    rows = [
        (row["patient"], row["person"], row["change"], row["source"])
        for table in found
        for row in table.to_pylist()
    ]
    return rows, refused


def as_csv(top: Path) -> str:
    write_csv(top / "links.csv", ROWS)
    return 'file = "links.csv"'


def as_latin(top: Path) -> str:
    write_csv(top / "links.csv", ROWS, encoding="cp1252")
    return 'file = "links.csv"\nencoding = "cp1252"'


def as_utf16(top: Path) -> str:
    write_csv(top / "links.csv", ROWS, encoding="utf-16")
    return 'file = "links.csv"'


def as_parquet(top: Path) -> str:
    columns = [[cell or None for cell in column] for column in zip(*ROWS, strict=True)]
    pq.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True))), top / "links.parquet")
    return 'file = "links.parquet"'


def as_database(top: Path) -> str:
    with sqlite3.connect(top / "links.sqlite") as made:
        made.execute("CREATE TABLE links (ins TEXT, oid TEXT, nir TEXT, ipp TEXT, ne TEXT)")
        made.executemany("INSERT INTO links VALUES (?, ?, ?, ?, ?)", ROWS)
    made.close()
    return f'sql = "sqlite:///{top}/links.sqlite"\nquery = "SELECT * FROM links"'


@pytest.mark.parametrize("form", [as_csv, as_latin, as_utf16, as_parquet, as_database])
def test_identities_follow_the_written_rule_in_every_form(tmp_path: Path, form) -> None:
    rows, refused = links(tmp_path, form(tmp_path))
    ins, nir, seven, nine, other, eleven = keys(
        Keyring(bytes(32)), (SOUND, INS), (SOUND, "nir"), ("7", "hopital"), ("9", "hopital"),
        (OTHER, "nir"), ("11", "hopital"),
    )  # fmt: skip
    assert sorted(rows) == sorted([
        (seven, ins, "same", "ins"),
        (nir, ins, "same", "nir"),
        (other, eleven, "same", "nir"),
    ])  # fmt: skip
    assert nine not in {row[0] for row in rows}
    reasons = {reason: count for (reason, _column), count in refused.counts.items()}
    assert reasons == {"bad_identifier": 1, "no_identifier": 1}
    assert dict(refused.rules) == {"test": 1, "nir_alone": 1, "alone": 2}


def test_a_row_of_another_width_is_told_by_its_number_and_those_after_it_keep_theirs(
    tmp_path: Path,
) -> None:
    (tmp_path / "links.csv").write_text(
        f"ins;oid;nir;ipp;né\n{SOUND};{INS};;7;\ntoo;many;cells;in;this;row\n;;;;\n", "utf-8"
    )
    rows, refused = links(tmp_path, 'file = "links.csv"')
    assert len(rows) == 1
    assert refused.first == {("columns", ""): 3, ("no_identifier", ""): 4}


MERGES = """
[register]
file = "merges.csv"
[[identifiers]]
column = "from"
authority = "hopital"
[person]
column = "to"
authority = "hopital"
[columns]
change = "what"
valid_from = "date"
[changes]
Fusion = "merge"
Annulation = "unmerge"
[dates]
format = "%d/%m/%Y %H:%M"
"""


def test_merges_and_what_undid_them_have_their_dates(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "merges.csv",
        [("2", "1", "FUSION", "01/02/2025 10:00"), ("2", "1", "annulation", "01/03/2025 10:00"),
         ("3", "1", "fusion", ""), ("4", "1", "divorce", "01/03/2025 10:00"),
         ("5", "", "fusion", "01/03/2025 10:00"), ("6", "1", "fusion", "hier")],
        ("from", "to", "what", "date"),
    )  # fmt: skip
    (tmp_path / "merges.toml").write_text(MERGES)
    refused, ring = Refused(), Keyring(bytes(32))
    mapping = load_identities(tmp_path / "merges.toml")
    (table,) = read_identities(mapping, tmp_path / "merges.toml", ring, refused)
    one, two = keys(ring, ("1", "hopital"), ("2", "hopital"))
    found = [
        (row["patient"], row["person"], row["change"], row["valid_from"].isoformat()[:16])
        for row in table.to_pylist()
    ]
    assert found == [
        (two, one, "merge", "2025-02-01T09:00"),
        (two, two, "unmerge", "2025-03-01T09:00"),
    ]
    assert {reason for reason, _column in refused.counts} == {
        "no_time", "unknown_change", "no_person", "bad_time",
    }  # fmt: skip


CONTRACTS = """
[register]
file = "contracts.csv"
[[identifiers]]
column = "nir"
kind = "nir"
[columns]
controller = "amc"
role = "role"
valid_from = "debut"
valid_until = "fin"
[controllers]
A01 = "Mutuelle des Dunes"
[roles]
RT = "controller"
"""
CONTRACT_ROWS = [
    (SOUND, "A01", "RT", "2025-01-01", "2025-07-01"),
    (SOUND, "B02", "controller", "2025-07-01", ""),
    (OTHER, "", "RT", "2025-01-01", ""),
    (OTHER, "A01", "chef", "2025-01-01", ""),
    (OTHER, "A01", "RT", "2025-01-01", "2024-01-01"),
    ("", "A01", "RT", "2025-01-01", ""),
]


def test_contracts_are_dated_named_and_told_when_wrong(tmp_path: Path) -> None:
    write_csv(tmp_path / "contracts.csv", CONTRACT_ROWS, ("nir", "amc", "role", "debut", "fin"))
    (tmp_path / "contracts.toml").write_text(CONTRACTS)
    refused, ring = Refused(tmp_path / "refused.csv"), Keyring(bytes(32))
    mapping = load_contracts(tmp_path / "contracts.toml")
    with refused:
        (table,) = read_contracts(mapping, tmp_path / "contracts.toml", ring, refused)
    (person,) = keys(ring, (SOUND, "nir"))
    assert table["person"].to_pylist() == [person, person]
    assert table["controller"].to_pylist() == ["Mutuelle des Dunes", "B02"]
    assert table["valid_from"][0].as_py().isoformat() == "2024-12-31T23:00:00+00:00"
    written = (tmp_path / "refused.csv").read_text("utf-8")
    assert OTHER not in written
    told = {(row["row"], row["reason"]) for row in csv.DictReader(written.splitlines())}
    assert told == {
        ("4", "no_controller"), ("5", "unknown_role"), ("6", "bad_period"), ("7", "no_identifier"),
    }  # fmt: skip


def test_the_command_keeps_what_logs_declared_of_organisations_and_says_what_it_did(
    private_home: Path, tmp_path: Path, capsys
) -> None:
    write_csv(tmp_path / "contracts.csv", CONTRACT_ROWS, ("nir", "amc", "role", "debut", "fin"))
    (tmp_path / "contracts.toml").write_text(CONTRACTS)
    with Store.open(private_home, write=True) as store:
        row = {"organisation": "750000001", "controller": "Clinique", "role": "controller"}
        store.put_table("contracts", pa.Table.from_pylist([row], store.table("contracts").schema))
    words = ("register", "contracts", str(tmp_path / "contracts.toml"), "--format", "json")
    assert main([*words, "--check"]) == 4
    assert json.loads(capsys.readouterr().out)["rows"] == 2
    for _time in range(2):
        assert main(list(words)) == 4
    (person,) = keys(open_keyring(private_home), (SOUND, "nir"))
    with Store.open(private_home) as store:
        kept = store.table("contracts")
    assert kept["organisation"].to_pylist() == [None, None, "750000001"]
    assert kept["person"].to_pylist() == [person, person, None]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('authority = "hopital"', "", "neither an authority"),
        ('kind = "ins"', 'kinds = "ins"', "kinds is not known"),
        ('file = "links.csv"', 'file = "none.csv"', "cannot be read"),
        ('file = "links.csv"', 'file = "links.csv"\nencoding = "cp1252"', "UTF-8"),
        ('column = "ipp"', 'column = "ip"', "does not have"),
        ("[register]", "[registre]", "try 'register'"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_in_one_sentence(
    tmp_path: Path, private_home: Path, capsys, right: str, wrong: str, said: str
) -> None:
    write_csv(tmp_path / "links.csv", [(SOUND, INS, "", "7", "é")] * 5)
    text = LINKS.format(place='file = "links.csv"').replace(right, wrong)
    (tmp_path / "links.toml").write_text(text)
    assert main(["--lang", "en", "register", "identities", str(tmp_path / "links.toml")]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
