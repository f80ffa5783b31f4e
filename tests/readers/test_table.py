"""Tables through a mapping: every line accounted for, whatever happens to it."""

import gzip
import json
import random
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walking import KEYRING, damaged, everything_said, quarantined, rows_of, tally, walk

from vigie.errors import MappingError, ReadingError
from vigie.readers.base import Context
from vigie.readers.intake import Intake
from vigie.readers.mapping import parse_mapping
from vigie.readers.tables import TableReader

MAPPING = {
    "source": {"name": "his", "time_zone": "Europe/Paris"},
    "columns": {
        "at": "date",
        "account": "user",
        "patient": {"column": "ipp", "kind": "local"},
        "action": "act",
        "object": "screen",
        "record_count": "n",
    },
    "values": {"action": {"L": "open", "C": "ignore:login", "R": "search"}},
}
HEADER = "date,user,ipp,act,screen,n\n"
LINE = "2025-03-01T10:00:00Z,dupont,1234567,L,Dossier,1\n"


def reader(mapping=None, **form):
    mapping = mapping or MAPPING
    if form:
        mapping = {**mapping, "source": {**mapping["source"], "format": form}}
    checked = parse_mapping(mapping, "m.toml")
    return TableReader(Context(checked.source, KEYRING, mapping, "m.toml"))


def read(data, tmp_path, mapping=None, form=None, **cut):
    data = data.encode() if isinstance(data, str) else data
    return walk(reader(mapping, **(form or {})), data, tmp_path, **cut)


def with_columns(**columns):
    return {**MAPPING, "columns": {**MAPPING["columns"], **columns}}


def reasons(batches):
    return [(row["source_line"], row["reason"], row["detail"]) for row in quarantined(batches)]


def test_a_line_becomes_a_row(tmp_path):
    (row,) = rows_of(read(HEADER + LINE, tmp_path))
    assert row["at"] == datetime(2025, 3, 1, 10, tzinfo=UTC)
    assert (row["account"], row["action"], row["object"]) == ("dupont", "open", "Dossier")
    assert (row["record_count"], row["source_line"], row["part"]) == (1, 2, 0)
    assert row["patient"] == KEYRING.pseudonym("1234567", "his")
    assert (row["source"], row["source_file"], row["clock_quality"]) == ("his", "log", "exact")


def test_every_line_has_one_verdict(tmp_path):
    data = HEADER + LINE + "\n" + LINE.replace("L,", "C,") + LINE.replace(",L,", ",Q,")
    data += LINE.replace("2025-03-01T10", "2025-13-01T10") + LINE.replace(",L,", ",,") + "x\n"
    data += LINE[20:] + HEADER + "\r\n"
    batches = read(data, tmp_path)
    assert tally(batches).ignored == {"header": 2, "blank": 2, "login": 1}
    assert reasons(batches) == [
        (5, "unknown_action", "act"),
        (6, "bad_time", "date"),
        (7, "no_action", "act"),
        (8, "bad_fields", None),
        (9, "no_time", "date"),
    ]
    offsets = [row["offset"] for row in quarantined(batches)]
    assert [data.encode()[o:].splitlines()[0] for o in offsets][3] == b"x"


def test_no_identifier_is_left_in_any_column(tmp_path):
    lines = LINE + LINE.replace("L", "Q") + LINE.replace("2025", "20X5") + "1234567\n"
    assert "1234567" not in everything_said(read(HEADER + lines, tmp_path))


RECORD = st.tuples(
    st.sampled_from(["2025-03-01T10:00:00Z", "2025-10-26 02:30:00", "31/01/2025", ""]),
    st.sampled_from(["a", "b", 'd"q', "é", "x,y", "two\nlines", ""]),
    st.sampled_from(["10", "11", "2500", "P-7", ""]),
    st.sampled_from(["L", "R", "C", "?", ""]),
    st.sampled_from(["Dossier", "dossier\nlong, et\r\nplus", ""]),
    st.sampled_from(["1", "1 000", "x", ""]),
)


def written(records):
    def cell(text):
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text

    return HEADER + "".join(",".join(map(cell, record)) + "\n" for record in records)


@settings(max_examples=60)
@given(records=st.lists(RECORD, max_size=25), cut=st.integers(1, 200))
def test_the_size_of_the_chunks_never_shows(records, cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    whole = read(written(records), folder)
    pieces = read(written(records), folder, chunk_size=cut)
    assert rows_of(pieces) == rows_of(whole)
    assert quarantined(pieces) == quarantined(whole)
    assert tally(pieces) == tally(whole)
    assert tally(whole).read == len(records) + 1


def test_long_lines_are_the_same_wherever_chunks_are_cut(tmp_path):
    data = HEADER + LINE + LINE.replace("Dossier", "D" * 500) + LINE + '"' + LINE + "z" * 900
    results = [read(data, tmp_path, chunk_size=cut, longest_line=300) for cut in (7, 90, 10_000)]
    assert quarantined(results[0]) == quarantined(results[1]) == quarantined(results[2])
    assert [reason for _, reason, _ in reasons(results[0])] == [
        "line_too_long", "bad_fields", "line_too_long",
    ]  # fmt: skip
    assert [tally(result).accepted for result in results] == [2, 2, 2]


def csv_line(number, chance):
    screen = chance.choice(["Dossier", '"a, b"', '"say ""hi"""', "é"])
    return f"2025-03-01T10:00:00Z,u{number},{number},L,{screen},1\n".encode()


def json_line(number, chance):
    screen = chance.choice(["Dossier", 'say "hi"', "é"])
    said = {"date": "2025-03-01T10:00:00Z", "user": f"u{number}", "ipp": number, "act": "L"}
    return json.dumps({**said, "screen": screen, "n": 1}).encode() + b"\n"


def check_damage(made, header, seed, count, folder):
    chance = random.Random(seed)
    lines, intact = [], set()
    for number in range(count):
        line = made(number, chance)
        if chance.random() < 0.3:
            line = damaged(line, chance)
        else:
            intact.add(f"u{number}")
        lines.append(line)
    batches = read(header + b"".join(lines), folder, chunk_size=50_000)
    kept = {row["account"] for row in rows_of(batches)}
    assert tally(batches).balanced
    assert not intact - kept


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("made", [csv_line, json_line])
def test_damaged_lines_cost_no_intact_line(made, seed, tmp_path):
    check_damage(made, HEADER.encode() if made is csv_line else b"", seed, 4000, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("made", [csv_line, json_line])
def test_a_hundred_thousand_lines_some_damaged(made, tmp_path):
    check_damage(made, HEADER.encode() if made is csv_line else b"", 99, 100_000, tmp_path)


def test_an_empty_file(tmp_path):
    with pytest.raises(ReadingError, match="the file is empty"):
        read("", tmp_path)


def test_a_truncated_gzip_keeps_its_whole_lines(tmp_path):
    chance = random.Random(1)
    data = HEADER + "".join(LINE.replace("dupont", str(chance.random())) for _ in range(3000))
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(data.encode())[:-4000])
    intake = Intake(path, "log.gz")
    batches = list(reader().read(intake))
    assert intake.damage == "truncated"
    assert [reason for _, reason, _ in reasons(batches)] == ["truncated"]
    assert 1000 < tally(batches).accepted < 3000


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_that_show_themselves(encoding, tmp_path):
    data = (HEADER + LINE.replace("dupont", "Éléonore𝄞") + LINE).encode(encoding)
    batches = read(data, tmp_path, chunk_size=37)
    assert [row["account"] for row in rows_of(batches)] == ["Éléonore𝄞", "dupont"]


def test_half_a_character_of_utf16_is_bad_encoding(tmp_path):
    data = (HEADER + LINE).encode("utf-16-le") + b"\x00\xd8" + LINE.encode("utf-16-le")
    assert reasons(read(data, tmp_path)) == [(3, "bad_encoding", None)]


def test_a_single_byte_encoding_must_be_said(tmp_path):
    data = (HEADER + LINE.replace("dupont", "zoé") + LINE).encode("cp1252")
    assert reasons(read(data, tmp_path)) == [(2, "bad_encoding", None)]
    said = read(data, tmp_path, form={"encoding": "windows-1252"})
    assert rows_of(said)[0]["account"] == "zoé"


def test_a_wrong_single_byte_encoding_is_refused(tmp_path):
    data = HEADER + "".join(LINE.replace("dupont", f"zoé{k}") for k in range(9))
    with pytest.raises(ReadingError, match=r"the file is in UTF-8, not in cp1252.*take encoding"):
        read(data, tmp_path, form={"encoding": "cp1252"})


def test_column_names_in_another_encoding(tmp_path):
    with pytest.raises(ReadingError, match="the names of the columns are not in utf-8"):
        read((HEADER.replace("n\n", "numéro\n")).encode("latin-1"), tmp_path)


def test_nul_bytes_and_bad_bytes_are_quarantined(tmp_path):
    data = (HEADER + LINE).encode() + LINE.encode().replace(b"dup", b"d\0p")
    data += LINE.encode().replace(b"dup", b"d\xffp") + LINE.encode()
    assert reasons(read(data, tmp_path)) == [(3, "nul_byte", None), (4, "bad_encoding", None)]


def test_a_wrong_delimiter_names_the_right_one(tmp_path):
    data = (HEADER + LINE).replace(",", ";")
    assert tally(read(data, tmp_path)).accepted == 1
    with pytest.raises(MappingError, match=r"separated by ';', not by ','.*delimiter = ';'"):
        read(data, tmp_path, form={"delimiter": ","})


def test_no_header(tmp_path):
    with pytest.raises(MappingError, match="first line holds data"):
        read(LINE * 3, tmp_path)
    names = HEADER.strip().split(",")
    batches = read(LINE * 3, tmp_path, form={"header": names})
    assert tally(batches).accepted == 3


def test_a_missing_column_suggests_the_nearest(tmp_path):
    mapping = with_columns(account="utilisateur")
    data = HEADER.replace("user", "utilisateurs") + LINE
    with pytest.raises(MappingError, match=r"'utilisateur', which log .*'utilisateurs'"):
        read(data, tmp_path, mapping)


def test_ambiguous_and_skipped_local_hours_are_marked(tmp_path):
    times = ["2025-03-30 02:30:00", "2025-10-26 02:30:00", "2025-10-26 12:00:00"]
    data = HEADER + "".join(LINE.replace("2025-03-01T10:00:00Z", t) for t in times)
    rows = rows_of(read(data, tmp_path))
    assert [row["clock_quality"] for row in rows] == ["skewed", "ambiguous", "exact"]
    assert rows[1]["at"] == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)


def test_a_clock_that_jumps_back_is_marked(tmp_path):
    hours = [*range(8, 20), 12, 13, 20]
    data = HEADER + "".join(LINE.replace("T10", f"T{hour:02d}") for hour in hours)
    marked = [row["clock_quality"] for row in rows_of(read(data, tmp_path))]
    assert marked == ["exact"] * 12 + ["skewed"] * 2 + ["exact"]


def test_a_file_written_newest_first_says_nothing_of_the_clock(tmp_path):
    data = HEADER + "".join(LINE.replace("T10", f"T{hour:02d}") for hour in range(23, 0, -1))
    marked = [row["clock_quality"] for row in rows_of(read(data, tmp_path))]
    assert marked.count("skewed") <= 1


@pytest.mark.parametrize(
    ("written", "spec"),
    [
        ("01/03/2025 11:00:00", {"format": "%d/%m/%Y %H:%M:%S"}),
        ("01/Mar/2025:11:00:00 +0100", {"format": "%d/%b/%Y:%H:%M:%S %z"}),
        ("1740823200", {"unit": "s"}),
        ("1740823200000", {"unit": "ms"}),
        ("2025-03-01T11:00:00.000+01:00", {}),
        ("2025-03-01 11:00", {}),
        ("20250301T100000Z", {}),
    ],
)
def test_times_in_many_forms(written, spec, tmp_path):
    mapping = with_columns(at={"column": "date", **spec})
    data = HEADER + LINE.replace("2025-03-01T10:00:00Z", written)
    (row,) = rows_of(read(data, tmp_path, mapping))
    assert row["at"] == datetime(2025, 3, 1, 10, tzinfo=UTC)


def test_several_patients_in_one_line(tmp_path):
    columns = {k: v for k, v in MAPPING["columns"].items() if k != "patient"}
    columns["patients"] = {"column": "ipp", "separator": "|"}
    lines = LINE.replace("1234567", "1|2|2") + LINE.replace("1234567", "") + LINE
    batches = read(HEADER + lines, tmp_path, {**MAPPING, "columns": columns})
    rows = rows_of(batches)
    assert tally(batches).accepted == 3
    assert [(row["source_line"], row["part"]) for row in rows] == [
        (2, 0), (2, 1), (2, 2), (3, 0), (4, 0),
    ]  # fmt: skip
    assert [row["id_gap"] for row in rows] == [None, 1, 0, None, 1001]
    assert rows[3]["patient"] is None
    assert rows[1]["patient"] == rows[2]["patient"] == KEYRING.pseudonym("2", "his")


def test_national_numbers_are_normalised_and_flagged(tmp_path):
    mapping = with_columns(patient={"column": "ipp", "kind": "nir"})
    numbers = ["2 55 08 14 168 025 38", "255081416802538", "255081416802539"]
    lines = "".join(LINE.replace("1234567", number) for number in numbers)
    rows = rows_of(read(HEADER + lines, tmp_path, mapping))
    assert rows[0]["patient"] == rows[1]["patient"] == KEYRING.pseudonym("255081416802538", "nir")
    assert [row["flags"] for row in rows] == [None, None, "patient_nir_key"]


def test_professionals_and_organisations_are_checked(tmp_path):
    mapping = with_columns(professional="user", organisation={"column": "screen", "kind": "finess"})
    lines = LINE.replace("dupont", "810002673899").replace("Dossier", "750000001")
    (row,) = rows_of(read(HEADER + lines, tmp_path, mapping))
    assert row["professional"] == "10002673899"
    assert "organisation_finess_luhn" in row["flags"].split()


def test_an_authority_per_line(tmp_path):
    mapping = with_columns(patient={"column": "ipp", "authority_column": "screen"})
    lines = LINE.replace("Dossier", "1.2.3") + LINE.replace("Dossier", "") + LINE
    rows = rows_of(read(HEADER + lines, tmp_path, mapping))
    expected = [KEYRING.pseudonym("1234567", a) for a in ("1.2.3", "his", "Dossier")]
    assert [row["patient"] for row in rows] == expected
    assert [row["id_gap"] for row in rows] == [None, None, None]


def test_what_cannot_be_read_but_is_not_needed_is_flagged(tmp_path):
    mapping = with_columns(outcome="screen", bytes={"column": "n", "unit": "kB"})
    lines = LINE.replace("1\n", "many\n") + LINE.replace("Dossier", "success")
    rows = rows_of(read(HEADER + lines, tmp_path, mapping))
    assert rows[0]["flags"] == "bytes_unreadable outcome_unmapped record_count_unreadable"
    assert (rows[0]["record_count"], rows[0]["outcome"]) == (None, None)
    assert (rows[1]["bytes"], rows[1]["outcome"], rows[1]["flags"]) == (1000, "success", None)


def test_names_and_addresses_leave_keys_and_gaps_only(tmp_path):
    mapping = with_columns(patient_surname="user", patient_address="screen")
    lines = LINE.replace("dupont", "Dùpont ") + LINE.replace("Dossier", "DOSSIER")
    rows = rows_of(read(HEADER + lines, tmp_path, mapping))
    assert rows[0]["surname_key"] == rows[1]["surname_key"]
    assert rows[0]["address_key"] == rows[1]["address_key"]
    assert rows[0]["surname_key"] == KEYRING.pseudonym("DUPONT", "", "surname")


def objects(lines=(LINE,)):
    names = HEADER.strip().split(",")
    rows = [dict(zip(names, line.strip().split(","), strict=True)) for line in lines]
    return "".join(json.dumps(row) + "\n" for row in rows)


def comparable(rows):
    return [{k: v for k, v in row.items() if k not in ("line_hash", "source_line")} for row in rows]


def test_three_formats_give_the_same_rows(tmp_path):
    lines = [LINE, LINE.replace("1234567", ""), LINE.replace("dupont", "é")]
    text = rows_of(read(HEADER + "".join(lines), tmp_path))
    names = HEADER.strip().split(",")
    cells = [[cell or None for cell in line.strip().split(",")] for line in lines]
    table = pa.table(dict(zip(names, map(list, zip(*cells, strict=True)), strict=True)))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    assert comparable(rows_of(read(objects(lines), tmp_path))) == comparable(text)
    assert comparable(rows_of(read(sink.getvalue().to_pybytes(), tmp_path))) == comparable(text)


def test_bad_json_is_quarantined_line_by_line(tmp_path):
    deep = '{"date":' + "[" * 100_000 + "]" * 100_000 + "}\n"
    listed = json.dumps({"date": "2025-03-01T10:00:00Z", "act": "L", "ipp": ["1", "2"]}) + "\n"
    data = objects() + '{"date":\n' + "[1]\n" + "\n" + deep + listed + objects()
    batches = read(data, tmp_path, longest_line=1 << 20)
    assert reasons(batches) == [
        (2, "bad_json", None),
        (3, "wrong_resource", None),
        (5, "too_deep", None),
        (6, "bad_value", "ipp"),
    ]
    assert (tally(batches).accepted, tally(batches).ignored) == (2, {"blank": 1})


def test_json_paths_numbers_and_lists(tmp_path):
    columns = {
        "at": {"column": "meta.t", "unit": "ms"},
        "account": "user.login",
        "patients": "ids",
        "action": {"value": "open"},
        "record_count": "n",
    }
    line = {"meta": {"t": 1740823200000}, "user": {"login": "z"}, "ids": [1, 2], "n": 7}
    mapping = {"source": {"name": "api"}, "columns": columns}
    rows = rows_of(read(json.dumps(line) + "\n", tmp_path, mapping))
    assert [(r["account"], r["record_count"], r["part"]) for r in rows] == [
        ("z", 7, 0),
        ("z", 7, 1),
    ]
    assert rows[1]["at"] == datetime(2025, 3, 1, 10, tzinfo=UTC)


def parquet(table, **form):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **form)
    return sink.getvalue().to_pybytes()


def test_parquet_hashes_do_not_depend_on_how_the_file_was_written(tmp_path):
    table = pa.table(
        {
            "date": pa.array([datetime(2025, 3, 1, 10, k, tzinfo=UTC) for k in range(50)]),
            "user": ["a", None] * 25,
            "ipp": pa.array([float(k % 7) if k % 5 else None for k in range(50)]),
            "act": ["L"] * 50,
            "screen": pa.array(["s"] * 50).dictionary_encode(),
            "n": pa.array(range(50), pa.int8()),
        }
    )
    wider = table.set_column(5, "n", table["n"].cast(pa.int64())).select(table.column_names[::-1])
    one = rows_of(read(parquet(table), tmp_path))
    other = rows_of(read(parquet(wider, row_group_size=7, use_dictionary=False), tmp_path))
    assert one == other
    assert len({row["line_hash"] for row in one}) == 50
    assert one[1]["patient"] == KEYRING.pseudonym("1", "his")


def test_damaged_parquet_and_missing_columns(tmp_path):
    table = pa.table({"date": ["2025-03-01T10:00:00Z"], "act": ["L"]})
    with pytest.raises(ReadingError, match="the Parquet file is damaged"):
        read(parquet(table)[:-20], tmp_path)
    with pytest.raises(MappingError, match="'user', which log does not have"):
        read(parquet(table), tmp_path)


def test_whole_numbers_need_a_unit(tmp_path):
    table = pa.table({"date": [1740823200], "act": ["L"]})
    mapping = {"source": {"name": "x"}, "columns": {"at": "date", "action": "act"}}
    with pytest.raises(MappingError, match='unit = "s"'):
        read(parquet(table), tmp_path, mapping)


def test_a_table_needs_columns():
    with pytest.raises(MappingError, match=r"mapping with \[columns\]"):
        reader({"source": {"name": "x"}})


@pytest.mark.slow
def test_a_line_of_200_megabytes(tmp_path):
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.write((HEADER + LINE).encode())
        for _ in range(200):
            file.write(b"x" * (1 << 20))
        file.write(b"\n" + LINE.encode())
    batches = list(reader().read(Intake(path, "log")))
    assert reasons(batches) == [(3, "line_too_long", None)]
    assert tally(batches).accepted == 2
