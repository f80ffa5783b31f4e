"""The register in its other forms: Parquet, a database, and what cannot be used."""

import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vigie.errors import MappingError, ReadingError
from vigie.events import KEY
from vigie.notices.people import AGREEING, DIFFERING, FOUND, MISSING, Joined, People, find_names
from vigie.notices.register import load_register
from vigie.pseudonyms import Keyring

RING = Keyring(bytes(32))
ROWS = {
    "nir": ["255081416802538", "2 55 08 14 168 025 38", None, "1 80 01 75 001 001"],
    "ipp": ["7", "8", "9", None],
    "nom": ["Lefèvre", "Lefèvre", "Durand", "Petit"],
}
MAPPING = """
[register]
{place}
[[identifiers]]
column = "nir"
kind = "nir"
[[identifiers]]
column = "ipp"
authority = "hopital"
[columns]
surname = "nom"
"""


def keys(*named: tuple[str, str]) -> pa.Array:
    return pa.array([RING.pseudonym(value, giver) for value, giver in named], KEY)


PERSONS = keys(
    ("255081416802538", "nir"), ("9", "hopital"), ("180017500100123", "nir"), ("404", "hopital")
)  # fmt: skip


def register_at(top: Path, place: str):
    (top / "register.toml").write_text(MAPPING.format(place=place))
    return load_register(top / "register.toml", RING)


def look_up(register, top: Path) -> tuple[People, Joined]:
    joined = Joined()
    with find_names(register, [PERSONS], None, top / "work", 10, joined) as names:
        (people,) = names.slices()
    assert not list((top / "work").iterdir())
    return people, joined


def parquet(top: Path) -> str:
    pq.write_table(pa.table(ROWS), top / "patients.parquet")
    return 'file = "patients.parquet"'


def database(top: Path) -> str:
    with sqlite3.connect(top / "patients.sqlite") as made:
        made.execute("CREATE TABLE patients (nir TEXT, ipp TEXT, nom TEXT)")
        made.executemany("INSERT INTO patients VALUES (?, ?, ?)", zip(*ROWS.values(), strict=True))
    made.close()
    return f'sql = "sqlite:///{top}/patients.sqlite"\nquery = "SELECT * FROM patients"'


@pytest.mark.parametrize("form", [parquet, database])
def test_a_register_is_read_from_parquet_or_a_database(form, tmp_path: Path) -> None:
    people, joined = look_up(register_at(tmp_path, form(tmp_path)), tmp_path)
    assert people.fields["surname"].to_pylist()[:2] == ["Lefèvre", "Durand"]
    assert people.remarks.tolist()[0] == AGREEING
    assert people.remarks.tolist()[1] == FOUND
    assert people.remarks.tolist()[3] == MISSING
    assert joined.rows == 4


def test_rows_that_differ_are_told_and_the_first_is_kept(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("nir;ipp;nom\n;9;Durand\n;9;Dupont\n;9;Durand\n")
    people, _joined = look_up(register_at(tmp_path, 'file = "patients.csv"'), tmp_path)
    assert people.remarks.tolist() == [MISSING, DIFFERING, MISSING, MISSING]
    assert people.fields["surname"].to_pylist()[1] == "Durand"


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("", "neither a file nor a database"),
        ('file = "a"\nsql = "b"', "or both"),
        ('sql = "sqlite://"', "needs a query"),
        ('file = "a"\nencoding = "klingon"', "encoding is not known"),
        ('file = "a"\nfiles = "b"', "files"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_one_sentence(place, word, tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=word) as told:
        register_at(tmp_path, place)
    assert "\n" not in str(told.value)


def test_a_column_that_is_not_there_and_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("nir;ipp;name\n1;2;3\n")
    with pytest.raises(MappingError, match="'nom'"):
        look_up(register_at(tmp_path, 'file = "patients.csv"'), tmp_path)
    with pytest.raises(ReadingError, match="no such file"):
        look_up(register_at(tmp_path, 'file = "none.csv"'), tmp_path)
    bad = 'sql = "sqlite:////nonexistent/x"\nquery = "SELECT 1"'
    with pytest.raises(ReadingError, match="OperationalError"):
        look_up(register_at(tmp_path, bad), tmp_path)


def test_a_date_of_birth_is_read_as_its_mapping_says_it_is_written(tmp_path: Path) -> None:
    """A child whose date nobody could read would be written to as an adult."""
    (tmp_path / "patients.csv").write_text(
        "nir;ipp;nom;ne\n;9;Durand;03.07.2015\n;404;Petit;unknown\n"
    )
    place = 'file = "patients.csv"\n[dates]\nformat = "%d.%m.%Y"'
    (tmp_path / "register.toml").write_text(MAPPING.format(place=place) + 'birth_date = "ne"\n')
    people, _joined = look_up(load_register(tmp_path / "register.toml", RING), tmp_path)
    assert people.fields["birth_date"].to_pylist() == [None, "2015-07-03", None, "unknown"]
