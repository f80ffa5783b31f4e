"""A table of care relations becomes pseudonymous rows, and loses no line."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from vigie.errors import MappingError
from vigie.pipeline import import_files
from vigie.pseudonyms import Keyring
from vigie.readers import reader_class
from vigie.readers.base import Context, Tally
from vigie.readers.intake import Intake
from vigie.readers.mapping import parse_mapping
from vigie.records import CARE
from vigie.stores import Store

MAPPING = {
    "source": {"name": "agenda", "reader": "care", "format": {"delimiter": ";"}},
    "care": {
        "patient": {"column": "IPP", "authority": "1.2.3"},
        "organisation": "FINESS",
        "professional": "RPPS",
        "kind": "TYPE",
        "valid_from": {"column": "DEBUT", "format": "%d/%m/%Y %H:%M"},
        "valid_until": {"column": "FIN", "format": "%d/%m/%Y %H:%M"},
        "recorded_at": "SAISI",
        "record_id": "NUM",
        "kinds": {"RDV": "appointment", "SEJ": "stay", "ANNULE": "ignore:cancelled"},
    },
}
TABLE = """NUM;IPP;FINESS;RPPS;TYPE;DEBUT;FIN;SAISI
1;0042;350000001;;RDV;01/10/2025 10:00;01/10/2025 10:20;2025-09-20T09:00:00+02:00
2;0043;350000001;;SEJ;01/10/2025 10:00;;
3;0044;350000001;;ANNULE;01/10/2025 10:00;;
4;;350000001;;RDV;01/10/2025 10:00;;
5;0045;;;RDV;01/10/2025 10:00;;
6;0046;350000001;;VISITE;01/10/2025 10:00;;
7;0047;350000001;;RDV;hier;;
8;0048;350000001;;RDV;01/10/2025 10:00;demain;
9;0049;350000001;;RDV;01/10/2025 10:00;;jamais
10;0050;350000001;;RDV;01/10/2025 10:00;01/10/2024 10:00;
"""


def read(text: str, mapping: dict, folder: Path) -> tuple[pa.Table, pa.Table, Tally]:
    path = folder / "agenda.csv"
    path.write_text(text, "utf-8")
    said = parse_mapping(mapping, "care.toml")
    context = Context(said.source, Keyring(bytes(32)), said.raw, said.where)
    batches = list(reader_class(said.reader)(context).read(Intake(path, path.name)))
    tally = sum((batch.tally for batch in batches), Tally())
    relations = pa.concat_tables([b.relations for b in batches if b.relations is not None])
    return relations, pa.concat_tables([b.quarantine for b in batches]), tally


def test_a_line_is_a_relation_a_named_rule_or_a_reason(tmp_path):
    relations, quarantine, tally = read(TABLE, MAPPING, tmp_path)
    assert (tally.read, tally.accepted, tally.quarantined) == (11, 2, 7)
    assert dict(tally.ignored) == {"header": 1, "cancelled": 1}
    assert relations.schema.equals(CARE)
    assert relations["kind"].to_pylist() == ["appointment", "stay"]
    assert relations["source_ref"].to_pylist() == ["agenda.csv:2", "agenda.csv:3"]
    rows = quarantine.select(["source_line", "reason", "detail"]).to_pylist()
    found = {row["source_line"]: (row["reason"], row["detail"]) for row in rows}
    assert found == {
        5: ("bad_value", "IPP"),
        6: ("bad_value", "FINESS"),
        7: ("unknown_kind", "TYPE"),
        8: ("bad_time", "DEBUT"),
        9: ("bad_time", "FIN"),
        10: ("bad_time", "SAISI"),
        11: ("bad_period", "FIN"),
    }


def test_times_are_utc_and_identifiers_the_pseudonyms_of_the_log(tmp_path):
    first = read(TABLE, MAPPING, tmp_path)[0].to_pylist()[0]
    assert first["valid_from"] == datetime(2025, 10, 1, 8, 0, tzinfo=UTC)
    assert first["valid_until"] == datetime(2025, 10, 1, 8, 20, tzinfo=UTC)
    assert first["recorded_at"] == datetime(2025, 9, 20, 7, 0, tzinfo=UTC)
    assert first["patient"] == Keyring(bytes(32)).pseudonym("0042", "1.2.3")
    assert first["record"] is not None
    assert first["organisation"] == "350000001"


def test_a_constant_kind_and_a_table_without_optional_columns(tmp_path):
    mapping = {
        "source": {"name": "team", "reader": "care"},
        "care": {
            "patient": "who", "account": "login", "kind": {"value": "care_team"},
            "valid_from": "since",
        },
    }  # fmt: skip
    relations, _, tally = read("who,login,since\na,b,2025-01-01T00:00Z\n", mapping, tmp_path)
    assert tally.accepted == 1
    row = relations.to_pylist()[0]
    assert (row["account"], row["kind"], row["valid_until"]) == ("b", "care_team", None)


@pytest.mark.parametrize(
    ("care", "about"),
    [
        ({}, "patient"),
        ({"patient": "a", "kind": "b", "valid_from": "c"}, "organisation"),
        ({"patient": "a", "kind": "b", "valid_from": "c", "unti": "d"}, "unti"),
        ({"patient": "a", "unit": "u", "kind": "b", "valid_from": "c", "kinds": {"x": "visit"}},
         "visit"),
    ],
)  # fmt: skip
def test_a_mapping_that_says_too_little_or_too_much_is_refused(care, about, tmp_path):
    with pytest.raises(MappingError, match=about):
        read("a,b,c\n", {"source": {"name": "x", "reader": "care"}, "care": care}, tmp_path)


def test_without_its_section_the_reader_says_what_is_missing(tmp_path):
    with pytest.raises(MappingError, match=r"\[care\]"):
        read("a\n", {"source": {"name": "x", "reader": "care"}}, tmp_path)


def test_the_store_keeps_relations_in_parts_and_a_better_mapping_replaces_its_own(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in ("a.csv", "b.csv"):
        (logs / name).write_text(TABLE if name == "a.csv" else TABLE.replace(";004", ";104"))
    files = {logs / "a.csv": "a.csv", logs / "b.csv": "b.csv"}
    with Store.open(tmp_path / "home", write=True) as store:
        done = import_files(store, files, [parse_mapping(MAPPING, "care.toml")])
        assert [file.error for file in done] == [None, None]
        assert store.table("care").num_rows == 4
        again = import_files(store, files, [parse_mapping(MAPPING, "care.toml")])
        assert all(file.receipt and file.receipt.already_known for file in again)
        better = {**MAPPING, "care": {**MAPPING["care"]}}
        better["care"]["kinds"] = {**MAPPING["care"]["kinds"], "VISITE": "appointment"}
        import_files(store, {logs / "a.csv": "a.csv"}, [parse_mapping(better, "care.toml")])
        assert store.table("care").num_rows == 5
        assert store.verify() == []
        keys = store.table("care")["patient"].to_pylist()
        store.rotate()
        assert set(store.table("care")["patient"].to_pylist()).isdisjoint(keys)
        import_files(store, {logs / "b.csv": "b.csv"}, [parse_mapping(better, "care.toml")])
        assert store.table("care").num_rows == 6
        assert store.events().num_rows == 0
        assert store.connect().sql("SELECT count(*) FROM care").fetchall() == [(6,)]
