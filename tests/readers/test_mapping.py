"""What a mapping may say, and what is answered when it says something else."""

from datetime import UTC, datetime

import pytest

from vigie.errors import MappingError
from vigie.readers.mapping import load_mapping, mapping_version, parse_mapping

GOOD = """
[source]
name = "his"
files = ["his-*.csv"]
time_zone = "Europe/Paris"
retention_days = 400
tenant = "chu"
format = { delimiter = ";", encoding = "windows-1252", null = ["NULL"] }

[columns]
at = { column = "date", format = "%d/%m/%Y %H:%M" }
account = "user"
action = "act"
patient = { column = "ipp", authority = "1.2.3", kind = "local" }

[values.action]
"LECT" = "open"
"CNX" = "ignore:login"

[data_classes]
"Dossier" = ["identity", "medical"]
"Caisse" = [
{ classes = ["coverage"], attested_by = "DPO", attested_on = 2025-01-31, valid_until = 2025-06-01 },
  { classes = ["coverage", "nir"], valid_from = 2025-06-01T00:00:00+02:00 },
]

[controllers]
"750000001" = "Cabinet A"
"750000002" = { controller = "Clinique B", role = "joint_controller", valid_from = 2024-01-01 }

[fhir]
anything = "of another reader"
"""


def written(tmp_path, text):
    path = tmp_path / "m.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_whole_mapping(tmp_path):
    mapping = load_mapping(written(tmp_path, GOOD))
    assert (mapping.source.name, mapping.source.retention_days) == ("his", 400)
    assert (mapping.reader, mapping.files) == ("table", ("his-*.csv",))
    assert mapping.format.encoding == "cp1252"
    assert mapping.wanted == ["date", "user", "act", "ipp"]
    assert mapping.raw["fhir"] == {"anything": "of another reader"}
    assert mapping.path.name == "m.toml"


def test_declarations_become_dated_tables(tmp_path):
    mapping = load_mapping(written(tmp_path, GOOD))
    screens = mapping.screens().to_pylist()
    assert [(row["object"], row["data_class"]) for row in screens] == [
        ("Dossier", "identity"), ("Dossier", "medical"),
        ("Caisse", "coverage"), ("Caisse", "coverage"), ("Caisse", "nir"),
    ]  # fmt: skip
    assert screens[2]["attested_by"] == "DPO"
    assert screens[2]["valid_until"] == datetime(2025, 6, 1, tzinfo=UTC)
    assert screens[3]["valid_from"] == datetime(2025, 5, 31, 22, tzinfo=UTC)
    contracts = mapping.contracts().to_pylist()
    assert [(row["organisation"], row["controller"], row["role"]) for row in contracts] == [
        ("750000001", "Cabinet A", "controller"),
        ("750000002", "Clinique B", "joint_controller"),
    ]


def test_the_version_is_of_what_is_said_not_of_how():
    one = parse_mapping({"source": {"name": "a", "tenant": "b"}}).source.mapping_version
    same = parse_mapping({"source": {"tenant": "b", "name": "a"}}).source.mapping_version
    other = parse_mapping({"source": {"tenant": "c", "name": "a"}}).source.mapping_version
    assert one == same != other
    assert mapping_version({}).startswith("m-")


def change(**parts):
    source = {"name": "his", **parts.pop("source", {})}
    columns = {"at": "d", "action": "a", **parts.pop("columns", {})}
    return {"source": source, "columns": columns, **parts}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({}, r"\[source\].*give the source a name"),
        ({"sources": {}}, "'sources' is not known in a mapping; try 'source'"),
        (change(source={"timezone": "x"}), "'timezone' .*try 'time_zone'"),
        (change(source={"time_zone": "Paris"}), "'Paris' is not a time zone"),
        (change(source={"retention_days": 0}), "retention_days"),
        (change(source={"name": 3}), "source.name"),
        (change(source={"files": "x"}), "source.files"),
        (change(source={"format": {"delimiter": ";;"}}), "single ASCII character"),
        (change(source={"format": {"encoding": "utf-7"}}), "write one of: utf-8"),
        (change(source={"format": {"header": "a,b"}}), "list of the columns' names"),
        (change(source={"format": {"null": "x"}}), "list of texts"),
        (change(source={"format": 3}), "must be a table"),
        (change(columns={"acount": "u"}), "'acount' .*try 'account'"),
        (change(columns={"event_id": "u"}), "'event_id' is not known"),
        (change(columns={"line_hash": "u"}), "computes this column itself"),
        (change(columns={"account": {"colum": "u"}}), "try 'column'"),
        (change(columns={"account": {"column": "u", "value": "v"}}), "either a column or a value"),
        (change(columns={"account": 3}), "write the name of their column"),
        (change(columns={"at": {"column": "d", "unit": "h"}}), "write one of: s, ms"),
        (change(columns={"at": {"column": "d", "format": "%Q"}}), "not known: %Q"),
        (change(columns={"at": {"value": "now"}}), "cannot be constant"),
        (change(columns={"account": {"column": "d", "format": "%Y"}}), "only at has a format"),
        (change(columns={"account": {"column": "d", "separator": ";"}}), "only patients"),
        (change(columns={"account": {"column": "d", "unit": "B"}}), "only at and bytes"),
        (change(columns={"patient": {"column": "p", "kind": "nis"}}), "write one of: local"),
        (change(columns={"organisation": {"column": "p", "kind": "rpps"}}), "one of: finess"),
        (change(columns={"account": {"column": "p", "kind": "nir"}}), r"\[columns.account.kind\]"),
        (change(columns={"account": {"column": "p", "authority": "x"}}), "have an authority"),
        (change(columns={"patient": "p", "patients": "q"}), "either patient or patients"),
        ({"source": {"name": "x"}, "columns": {"at": "d"}}, "which of their columns is 'action'"),
        (change(values={"acton": {}}), "try 'action'"),
        (change(values={"action": {"L": "opn"}}), "gives 'opn'.*try 'open'"),
        (change(values={"action": {"L": "ignore:"}}), "gives 'ignore:'"),
        (change(values={"action": {"L": 1}}), "their value"),
        (change(data_classes={"s": ["medcal"]}), "try 'medical'"),
        (change(data_classes={"s": "medical"}), "list of data classes"),
        (change(data_classes={"s": {"classes": ["nir"], "attested_on": "hier"}}), "write a date"),
        (change(data_classes={"s": {"clases": ["nir"]}}), "try 'classes'"),
        (change(controllers={"o": {"role": "controller"}}), "name the controller"),
        (change(controllers={"o": {"controller": "c", "role": "boss"}}), "write one of: contr"),
        ({"source": 3}, "must be a table"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_remedy(raw, said):
    with pytest.raises(MappingError, match=said) as caught:
        parse_mapping(raw, "m.toml").time_form()
    assert str(caught.value).startswith("m.toml: ")
    assert "{" not in str(caught.value)


def test_what_is_not_toml(tmp_path):
    with pytest.raises(MappingError, match=r"is not TOML .*line 1"):
        load_mapping(written(tmp_path, "= x"))
    with pytest.raises(MappingError, match="cannot be opened"):
        load_mapping(tmp_path / "none.toml")
