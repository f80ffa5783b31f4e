"""A drafted mapping reads the file it was drafted from."""

import json
import tomllib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vigie.errors import ReadingError
from vigie.readers.mapping import parse_mapping
from vigie.readers.tables.suggest import suggest
from vigie.readers.trial import try_mapping

FRENCH = "Date_Heure;Utilisateur;Profil;Poste;IPP;Nom patient;Écran;Action;Résultat;Couleur\n" + (
    "31/01/2025 10:00:00;jdupont;IDE;PC-1;7000123;Légaré;Dossier médical;Consultation;OK;bleu\n"
    "31/01/2025 10:01:00;jdupont;IDE;PC-1;7000124;Martin;Ordonnances;Impression;KO;vert\n"
    "31/01/2025 10:02:00;zz;ADM;PC-2;;;Accueil;Connexion;OK;vert\n"
    "31/01/2025 10:03:00;zz;ADM;PC-2;7000999;Abel;Accueil;Zorglub;OK;vert\n"
)


def drafted(path):
    text = suggest(path)
    return text, parse_mapping(tomllib.loads(text), "draft.toml")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_french_export(tmp_path, encoding):
    path = tmp_path / "Traces HIS.csv"
    path.write_bytes(FRENCH.encode(encoding))
    text, mapping = drafted(path)
    theirs = {ours: column.column for ours, column in mapping.columns.items()}
    assert theirs == {
        "at": "Date_Heure", "account": "Utilisateur", "role": "Profil", "device": "Poste",
        "patient": "IPP", "patient_surname": "Nom patient", "object": "Écran",
        "action": "Action", "outcome": "Résultat",
    }  # fmt: skip
    assert mapping.source.name == "traces-his"
    assert mapping.values["action"] == {
        "Consultation": "open", "Impression": "print", "Connexion": "login", "Zorglub": "other",
    }  # fmt: skip
    assert '# not used: "Couleur"' in text
    trial = try_mapping(path, mapping)
    assert (trial.tally.accepted, trial.tally.quarantined) == (4, 0)
    assert list(trial.unmapped_columns) == ["Couleur"]
    assert "7000123" not in repr(trial.rows)
    assert len(trial.rows[0]["patient"]) == 8


def test_an_english_api_log_in_json(tmp_path):
    path = tmp_path / "api.ndjson"
    rows = [
        {"timestamp": 1738317600000 + k, "userId": "u1", "patientId": k, "eventType": "READ",
         "remote_addr": "10.0.0.1"} for k in range(30)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, mapping = drafted(path)
    assert mapping.columns["at"].unit == "ms"
    assert mapping.columns["patient"].column == "patientId"
    trial = try_mapping(path, mapping, 5)
    assert len(trial.rows) == 5
    assert trial.rows[1]["id_gap"] == 1


def test_a_parquet_file_and_a_nir(tmp_path):
    path = tmp_path / "droits.parquet"
    table = pa.table(
        {
            "horodatage": ["2025-01-31T10:00:00+01:00"] * 3,
            "login": ["a", "b", "c"],
            "nir": ["255081416802538"] * 3,
            "operation": ["consultation des droits"] * 3,
        }
    )
    pq.write_table(table, path)
    _, mapping = drafted(path)
    assert mapping.columns["patient"].kind == "nir"
    assert mapping.values["action"] == {"consultation des droits": "rights_check"}


def test_a_file_without_header(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        "2025-01-31 10:00:00,u1,123456,LECTURE\n2025-01-31 10:00:01,u1,123457,LECTURE\n"
    )
    text, mapping = drafted(path)
    assert 'header = ["column1", "column2", "column3", "column4"]' in text
    assert mapping.columns["at"].column == "column1"
    assert mapping.columns["action"].column == "column4"
    assert try_mapping(path, mapping).tally.accepted == 2


def test_a_trial_says_what_is_left_out(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(FRENCH, "utf-8")
    raw = {
        "source": {"name": "his"},
        "columns": {
            "at": {"column": "Date_Heure", "format": "%d/%m/%Y %H:%M:%S"},
            "action": "Action",
            "outcome": "Résultat",
        },
        "values": {"action": {"Consultation": "open"}},
    }
    trial = try_mapping(path, parse_mapping(raw, "m.toml"))
    assert trial.quarantined == [(k, "unknown_action", "Action") for k in (3, 4, 5)]
    assert trial.unmapped_values == {
        "action": {"Impression": 1, "Connexion": 1, "Zorglub": 1},
        "outcome": {"OK": 3, "KO": 1},
    }
    why, fields = trial.unmapped_columns["Poste"]
    assert why.format_map(fields) == "not named in [columns]; it looks like 'device'"


def test_nothing_to_suggest_from(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text("")
    with pytest.raises(ReadingError, match="holds no record"):
        suggest(path)


def test_a_log_of_who_met_whom_needs_no_column_of_actions(tmp_path):
    path = tmp_path / "met.csv"
    path.write_text("account,person,time\n" + "u1,7,2026-01-05T08:00:20Z\n" * 3)
    text, mapping = drafted(path)
    assert "each line opened a record" in text
    trial = try_mapping(path, mapping)
    assert (trial.tally.accepted, trial.rows[0]["action"]) == (3, "open")


def test_what_no_header_names_is_left_to_the_operator_with_what_is_lost_without_it(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("t,i,j,kind\n" + "1767601840,1082,1100,zz\n" * 3)
    text = suggest(path)
    assert '# account = ""' in text
    assert '# patient = ""' in text
    assert '# action = ""' in text  # "kind" might be one


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("s", "{:.0f}"), ("s", "{:.3f}"), ("ms", "{:.0f}000"), ("us", "{:.0f}000000"),
        ("ns", "{:.0f}000000000"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("header", ["ts", "t", "Date accès"])
def test_numbers_since_1970_get_their_unit_and_the_days_they_would_be(
    tmp_path, unit, written, header
):
    path = tmp_path / "acces.csv"
    begin = 1738317600  # 31 January 2025, 10:00 UTC
    rows = [f"{written.format(begin + 900 * k)};jdupont;{7000000 + k}" for k in range(100)]
    path.write_text(f"{header};Utilisateur;IPP\n" + "\n".join(rows) + "\n", encoding="cp1252")
    text, mapping = drafted(path)
    assert mapping.columns["at"].unit == unit
    assert "the first lines would be of 2025-01-31 to 2025-02-01 (UTC)" in text
    trial = try_mapping(path, mapping, 100)
    assert (trial.tally.accepted, f"{trial.rows[-1]['at']:%F}") == (100, "2025-02-01")


def test_numbers_in_a_table_of_columns_get_their_unit_too(tmp_path):
    path = tmp_path / "acces.parquet"
    times = [1738317600000 + 1000 * k for k in range(9)]
    pq.write_table(pa.table({"quand": times, "user": ["a"] * 9, "action": ["read"] * 9}), path)
    _, mapping = drafted(path)
    assert mapping.columns["at"].unit == "ms"
    assert try_mapping(path, mapping).tally.accepted == 9


@pytest.mark.parametrize("patients", ["patient", "numero"])
def test_numbers_of_patients_that_would_be_dates_are_not_times(tmp_path, patients):
    path = tmp_path / "acces.csv"
    # The beginning of social-security numbers: as milliseconds, days of 2021 and 2022.
    numbers = [1609000000000 + (k * 7_919_000_003) % 60_000_000_000 for k in range(100)]
    rows = [f"{one},ann,read" for one in numbers]
    path.write_text(f"{patients},user,action\n" + "\n".join(rows) + "\n")
    text = suggest(path)
    assert '# at = ""  # no column looks like it' in text
    assert "16090" not in text


def test_the_time_of_an_access_goes_before_the_date_of_a_birth(tmp_path):
    path = tmp_path / "acces.csv"
    rows = [f"01/02/1950 00:00:00,{1738317600 + k},ann,read,{k}" for k in range(20)]
    path.write_text("date_naissance,instant,user,action,patient\n" + "\n".join(rows) + "\n")
    assert drafted(path)[1].columns["at"].column == "instant"


def test_a_first_line_of_short_numbers_is_no_header(tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_text("20,1157,1232,MED\n40,1157,1191,NUR\n60,1157,1232,MED\n")
    assert 'header = ["column1", "column2", "column3", "column4"]' in suggest(path)
