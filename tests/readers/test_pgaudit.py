"""pgAudit's entries in csvlog, as a real PostgreSQL writes them, damaged, and cut anywhere."""

import random

import psycopg
import pytest
from walking import (
    KEYRING,
    context,
    damaged,
    everything_said,
    quarantined,
    rows_of,
    tally,
    walk,
)

from servers import PGAUDIT, Unavailable, postgresql_cluster, skip
from vigie.errors import MappingError, ReadingError
from vigie.readers.base import REASONS
from vigie.readers.pgaudit import PgAuditReader

NIR = "255081416802538"
MAPPING = {
    "pgaudit": {
        "patient_tables": {
            "public.patient": {"column": "ipp", "authority": "chu", "name": "nom"},
            "public.ins": {"column": "matricule", "kind": "ins"},
        },
        "audit_tables": ["public.trace"],
        "service_accounts": ["etl"],
    }
}


def quote(text):
    return '"' + text.replace('"', '""') + '"'


def entry(
    text, parameters="<none>", rows=1, relation="", group="READ", command="SELECT", ids="1,1"
):
    fields = [f"SESSION,{ids}", group, command, "TABLE" if relation else "", relation]
    fields += [quote(text) if any(c in text for c in ',"\n') else text]
    fields += [quote(parameters) if any(c in parameters for c in ',"\n') else parameters]
    return "AUDIT: " + ",".join(fields) + ("" if rows is None else f",{rows}")


class Log:
    """A csvlog of one session, of a given version of PostgreSQL."""

    def __init__(self, version=15, session="6b01f8b6.235b", user="dr"):
        self.version, self.session, self.user = version, session, user
        self.lines = []

    def write(self, message, *, at="2025-09-14 03:22:11.123 CEST", tag="SELECT", state="00000",
              severity="LOG", query="", user=None, client="10.0.0.5:43060"):  # fmt: skip
        user = self.user if user is None else user
        fields = [
            at, quote(user) if user else "", '"base"' if user else "", "9051", quote(client),
            self.session, str(len(self.lines) + 1), quote(tag), "2025-09-14 03:22:00 CEST",
            "3/11", "0", severity, state, quote(message), "", "", "", "", "",
            quote(query) if query else "", "15" if query else "", "", quote("psql"),
        ]  # fmt: skip
        fields += ['"client backend"'] if self.version >= 13 else []
        fields += ["", "-7261"] if self.version >= 14 else []
        self.lines.append(",".join(fields) + "\n")
        return self

    @property
    def data(self):
        return "".join(self.lines).encode()


def read(log, tmp_path, mapping=MAPPING, **said):
    data = log if isinstance(log, bytes) else log.data
    return walk(PgAuditReader(context(mapping, **said)), data, tmp_path)


def row_of(message, tmp_path, **said):
    (row,) = rows_of(read(Log().write(message, **said), tmp_path))
    return row


def key(value, authority="chu"):
    return KEYRING.pseudonym(value, authority)


@pytest.mark.parametrize("version", [12, 13, 14, 17])
def test_every_version_is_recognised_and_read(version, tmp_path):
    log = Log(version).write(entry("select * from patient", rows=5000))
    assert PgAuditReader.recognises(log.data, "x.csv") > 0.9
    (row,) = rows_of(read(log, tmp_path))
    assert (row["account"], row["action"], row["object"], row["record_count"]) == (
        "dr", "list", "public.patient", 5000,
    )  # fmt: skip
    assert row["at"].isoformat() == "2025-09-14T01:22:11.123000+00:00"
    assert (row["network"], row["session"], row["client_app"]) == (
        "10.0.0.5", "6b01f8b6.235b", "psql",
    )  # fmt: skip
    assert (row["clock_quality"], row["outcome"], row["query_shape"]) == (
        "exact",
        "success",
        "none",
    )


def test_other_files_are_not_recognised():
    assert PgAuditReader.recognises(b"a,b,c\n1,2,3\n", "x.csv") == 0
    assert PgAuditReader.recognises(b"", "x.csv") == 0
    assert 0 < PgAuditReader.recognises(Log().write("ready").data, "x.csv") < 0.9


@pytest.mark.parametrize(
    ("text", "parameters", "shape", "patients"),
    [
        ("select * from patient where ipp='P17'", "<none>", "exact_id", ["P17"]),
        ("select * from patient where ipp=$1 and n>$2", "P18,3", "exact_id", ["P18"]),
        ("select * from patient where ipp=$1", "<not logged>", "exact_id", [None]),
        ("select * from patient where ipp in ('P1','P2','P1')", "<none>", "exact_id", ["P1", "P2"]),
        ("select * from patient where ipp = any($1)", '"{P1,""P,2""}"', "exact_id", ["P1", "P,2"]),
        ("select 1 from patient where ipp = $1", "<long param suppressed>", "exact_id", [None]),
        ("select * from patient where nom like 'DUP%'", "<none>", "prefix", [None]),
        ("select * from patient where nom like $1", "%DUP%", "wildcard", [None]),
        ("select * from patient where nom = 'DUPONT'", "<none>", "exact_name", [None]),
        ("select * from patient where n = 3", "<none>", "criteria", [None]),
        ("select * from patient where ipp='P17' or true", "<none>", "criteria", [None]),
        ("select * from patient a, patient b where a.ipp='P17'", "<none>", "criteria", [None]),
        ("select * from patient p join stay s on true where s.ipp='P1'", "", "criteria", [None]),
        ("select * from patient limit 10", "<none>", "none", [None]),
    ],
)  # fmt: skip
def test_what_was_asked_of_a_patient_table(text, parameters, shape, patients, tmp_path):
    rows = rows_of(read(Log().write(entry(text, parameters)), tmp_path))
    assert [row["query_shape"] for row in rows] == [shape] * len(patients)
    assert [row["patient"] for row in rows] == [p and key(p) for p in patients]
    assert [row["part"] for row in rows] == list(range(len(patients)))
    assert {row["action"] for row in rows} == {"open" if shape == "exact_id" else "list"}


def test_without_a_mapping_nobody_is_named_and_the_count_stands(tmp_path):
    log = Log().write(entry("select * from patient where ipp='P17'"))
    (row,) = rows_of(read(log, tmp_path, mapping={}))
    assert (row["patient"], row["query_shape"], row["record_count"]) == (None, "criteria", 1)


def test_an_ins_is_checked_and_takes_its_own_authority(tmp_path):
    wrong = NIR[:-1] + "9"
    text = f"select * from ins where matricule in ('{NIR}', '{wrong}')"
    good, bad = rows_of(read(Log().write(entry(text)), tmp_path))
    assert good["patient"] == key(NIR, "1.2.250.1.213.1.4.8")
    assert (good["flags"], bad["flags"]) == (None, "patient_nir_key")


def test_gaps_are_those_of_the_account(tmp_path):
    log = Log()
    for number in ("100", "103", "5000"):
        log.write(entry(f"select * from patient where ipp='{number}'"))
        log.session += "1"
    assert [row["id_gap"] for row in rows_of(read(log, tmp_path))] == [None, 3, 1001]


@pytest.mark.parametrize(
    ("group", "command", "text", "action", "relation"),
    [
        ("READ", "COPY", "copy patient to stdout", "export", "public.patient"),
        ("READ", "SELECT", "copy (select * from patient) to stdout", "export", "public.patient"),
        ("WRITE", "INSERT", "insert into patient (ipp) values ('P1')", "create", "public.patient"),
        ("WRITE", "UPDATE", "update patient set n=1", "update", "public.patient"),
        ("WRITE", "UPDATE", "select * from patient for update", "list", "public.patient"),
        ("WRITE", "DELETE", "delete from stay", "delete", "stay"),
        ("WRITE", "TRUNCATE TABLE", "truncate stay", "delete", "stay"),
        ("WRITE", "COPY", "copy stay from stdin", "create", "stay"),
        ("WRITE", "DELETE", "delete from public.trace", "log_change", "public.trace"),
        ("WRITE", "TRUNCATE TABLE", "truncate public.trace", "log_change", "public.trace"),
        ("ROLE", "GRANT", "grant all on patient to dr", "privilege_change", None),
        ("ROLE", "ALTER ROLE", "alter role dr superuser", "privilege_change", None),
        ("ROLE", "ALTER ROLE", "alter role dr set pgaudit.log='none'", "log_change", None),
        ("DDL", "ALTER TABLE", "alter table patient owner to dr", "privilege_change", None),
        ("DDL", "CREATE TABLE", "create table t (x int)", "other", None),
        ("DDL", "DROP EXTENSION", "drop extension pgaudit", "log_change", None),
        ("DDL", "ALTER SYSTEM", "alter system set log_statement='none'", "log_change", None),
        ("MISC", "SET", "set pgaudit.log='none'", "log_change", None),
        ("READ", "SELECT", "select set_config('pgaudit.log','none',false)", "log_change", None),
        ("MISC", "???", "merge into stay s using patient p on true when matched then do nothing",
         "update", "stay"),
        ("READ", "SELECT", "insert into stay select * from patient", "list", "public.patient"),
        ("WRITE", "INSERT", "insert into stay select * from patient", "create", "stay"),
        ("READ", "SELECT", "select * into copied from stay", "list", "stay"),
        ("MISC", "SET", "set session authorization dr", "privilege_change", None),
    ],
)  # fmt: skip
def test_actions(group, command, text, action, relation, tmp_path):
    row = row_of(entry(text, group=group, command=command), tmp_path)
    assert (row["action"], row["object"]) == (action, relation)


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (entry("select 1"), "no_relation"),
        (entry("select * from pg_class"), "catalog"),
        (entry("begin", group="MISC", command="BEGIN"), "misc"),
        (entry("prepare q as select * from patient", command="PREPARE"), "prepared"),
        (entry("explain analyze select * from patient"), "explained"),
        (entry("do $$ $$", group="FUNCTION", command="DO"), "function"),
        (entry("insert into public.trace values (1)", "", 1, "", "WRITE", "INSERT"), "audit_trail"),
        ("checkpoint complete", "not_audit"),
    ],
)  # fmt: skip
def test_what_is_no_access_is_ignored_by_a_named_rule(message, rule, tmp_path):
    assert tally(read(Log().write(message), tmp_path)).ignored == {rule: 1}


@pytest.mark.parametrize(
    "text", ["copy patient to stdout", "declare c cursor for select * from patient"]
)
def test_what_postgresql_does_not_count_has_no_count(text, tmp_path):
    command = "COPY" if text.startswith("copy") else "DECLARE CURSOR"
    assert row_of(entry(text, rows=0, command=command), tmp_path)["record_count"] is None
    assert row_of(entry("select * from patient", rows=None), tmp_path)["record_count"] is None


def test_the_entries_of_one_statement_are_one_access_per_relation(tmp_path):
    text = "select * from patient p join stay s on p.ipp=s.ipp where p.ipp='P1'"
    log = Log().write(entry(text, relation="public.patient"))
    log.write(entry("<previously logged>", "<previously logged>", relation="public.stay"))
    log.write(entry("<previously logged>", "<previously logged>", relation="public.patient"))
    log.write(entry(text, relation="public.patient", ids="2,1"))
    batches = read(log, tmp_path)
    first, second, third = rows_of(batches)
    assert [row["object"] for row in (first, second)] == ["public.patient", "public.stay"]
    assert (first["patient"], second["patient"]) == (key("P1"), None)
    assert first["request_key"] == second["request_key"] != third["request_key"]
    assert tally(batches).ignored == {"repeated_statement": 1}


def test_copy_of_a_query_is_one_export_with_the_count_of_the_query(tmp_path):
    text = "copy (select * from patient where n<10) to stdout"
    log = Log().write(entry(text, rows=8))
    log.write(entry(text, rows=0, command="COPY", ids="1,2"))
    (row,) = rows_of(read(log, tmp_path))
    assert (row["action"], row["record_count"]) == ("export", 8)


def test_a_loop_that_reads_patients_one_by_one_is_seen_whole(tmp_path):
    log = Log().write(entry("do $$ … $$", group="FUNCTION", command="DO"))
    for place in range(3):
        log.write(entry("select * from patient where ipp=$1", f"P{place}", ids=f"1,{place + 2}"))
    assert [r["patient"] for r in rows_of(read(log, tmp_path))] == [key(f"P{k}") for k in range(3)]


def test_a_request_id_in_a_comment_links_the_access_to_the_web_server(tmp_path):
    row = row_of(entry("select * from patient /* request_id='3f2a9c10-aa' */"), tmp_path)
    assert row["request_key"] == KEYRING.pseudonym("3f2a9c10-aa", "", "request")


@pytest.mark.parametrize(
    ("welcome", "goodbye"),
    [
        (
            "connection authorized: user=dr database=base",
            "disconnection: session time: 0:00:00.022 user=dr database=base host=10.0.0.5",
        ),
        (
            "connexion autorisée : utilisateur=dr base de données=base",
            "déconnexion : durée de la session : 0:00:00.022 utilisateur=dr base=base hôte=::1",
        ),
    ],
)
def test_logins_and_logouts_in_either_language(welcome, goodbye, tmp_path):
    log = Log().write("connection received: host=10.0.0.5 port=43060", user="", tag="")
    log.write('connection authenticated: identity="dr" method=scram-sha-256', tag="authentication")
    log.write(welcome, tag="authentication").write(goodbye, tag="idle")
    batches = read(log, tmp_path)
    assert [(r["action"], r["auth_method"]) for r in rows_of(batches)] == [
        ("login", "scram-sha-256"), ("logout", None),
    ]  # fmt: skip
    assert tally(batches).ignored == {"not_audit": 1, "same_login": 1}


def test_refusals_are_failures(tmp_path):
    log = Log().write(
        'password authentication failed for user "dr"', tag="authentication", state="28P01",
        severity="FATAL",
    )  # fmt: skip
    log.write(
        "permission denied for table patient", state="42501", severity="ERREUR",
        query="select * from patient where ipp='P3'",
    )  # fmt: skip
    login, read_ = rows_of(read(log, tmp_path))
    assert (login["action"], login["outcome"]) == ("login", "serious_failure")
    assert (read_["object"], read_["patient"]) == ("public.patient", key("P3"))
    assert read_["outcome"] == "serious_failure"


def test_service_accounts_are_told(tmp_path):
    row = row_of(entry("select * from patient"), tmp_path, user="etl")
    assert row["actor_kind"] == "service"


@pytest.mark.parametrize(
    ("written", "moment", "quality"),
    [
        ("2025-10-26 02:30:00.000 CEST", "2025-10-26T00:30:00+00:00", "exact"),
        ("2025-10-26 02:30:00.000 CET", "2025-10-26T01:30:00+00:00", "exact"),
        ("2025-01-01 12:00:00.000 UTC", "2025-01-01T12:00:00+00:00", "exact"),
        ("2025-01-01 12:00:00.000 +04", "2025-01-01T08:00:00+00:00", "exact"),
        ("2025-01-01 12:00:00.000 XYZ", "2025-01-01T11:00:00+00:00", "ambiguous"),
    ],
)
def test_moments(written, moment, quality, tmp_path):
    row = row_of(entry("select * from patient"), tmp_path, at=written)
    assert (row["at"].isoformat(), row["clock_quality"]) == (moment, quality)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no log at all\n", "bad_format"),
        (Log().write(entry("x")).data[:-30], "truncated"),
        (Log().write("AUDIT: what").data, "bad_format"),
        (Log().write("x", at="2025-02-30 03:22:11.123 CEST").data, "bad_time"),
        (Log().write("x").data.replace(b'"x"', b'"\xff"'), "bad_encoding"),
        (Log().write("x").data.replace(b",9051,", b",\0,"), "nul_byte"),
        (Log().write("x" * 70_000).data, "line_too_long"),
    ],
)
def test_bad_lines_are_quarantined_with_their_reason(data, reason, tmp_path):
    sound = Log().write(entry("select * from patient")).data
    batches = read(sound + data, tmp_path)
    assert len(rows_of(batches)) == 1
    (bad,) = quarantined(batches)
    assert (bad["reason"], bad["source_line"], bad["offset"]) == (reason, 2, len(sound))


def test_an_empty_file_is_an_error_and_blank_lines_are_not(tmp_path):
    with pytest.raises(ReadingError):
        read(b"", tmp_path)
    assert tally(read(b"\n\r\n", tmp_path)).ignored == {"blank": 2}


def test_a_broken_quote_makes_no_literal_a_name(tmp_path):
    row = row_of(entry("select * from P1234567' and sex='f'"), tmp_path)
    assert (row["object"], row["patient"]) == (None, None)


def test_a_clock_set_back_is_marked(tmp_path):
    log = Log()
    for hour in ("03", "05", "04"):
        log.write(entry("select * from patient"), at=f"2025-09-14 {hour}:00:00.000 CEST")
        log.session += "1"
    qualities = [row["clock_quality"] for row in rows_of(read(log, tmp_path))]
    assert qualities == ["exact", "exact", "skewed"]


def test_a_forged_record_inside_a_statement_is_part_of_the_statement(tmp_path):
    forged = Log(user="innocent").write(entry("select * from patient")).data.decode()
    log = Log().write(entry(f"select * from patient /*\n{forged}*/"))
    assert [row["account"] for row in rows_of(read(log, tmp_path))] == ["dr"]


def mixed_log(count, chance):
    log = Log()
    for place in range(count):
        log.session = f"6b01f8b6.{place % 7:x}"
        statement = chance.choice(
            [
                entry(f"select * from patient where ipp='{NIR}'", ids=f"{place},1"),
                entry("select *\n from patient p\n where p.ipp=$1 and n>$2", f"{NIR},3"),
                entry(f"update patient set nom='x,\"y\"'\nwhere ipp='{NIR}'", group="WRITE",
                      command="UPDATE", relation="public.patient"),
                entry(f"insert into patient values ('{NIR}')", group="WRITE", command="INSERT"),
                "checkpoint complete",
                'permission denied for "patient"',
            ]
        )  # fmt: skip
        state = "42501" if statement.startswith("permission") else "00000"
        log.write(statement, state=state, query=f"select * from patient where ipp='{NIR}'")
    return log


def test_damage_is_kept_to_the_lines_it_touches_and_no_identifier_gets_out(tmp_path):
    chance = random.Random(5)
    for version in (12, 15):
        log = mixed_log(1500, chance)
        log.version = version
        touched, data, line = set(), b"", 1
        for text in log.lines:
            written = text.encode()
            if chance.random() < 0.4:
                written = damaged(written, chance)
                touched |= set(range(line, line + written.count(b"\n")))
            line += written.count(b"\n")
            data += written
        batches = read(data, tmp_path)
        assert tally(batches).quarantined > 200
        assert {bad["source_line"] for bad in quarantined(batches)} <= touched
        assert {bad["reason"] for bad in quarantined(batches)} <= set(REASONS)
        said = everything_said(batches)
        assert NIR not in said
        assert NIR[:8] not in said


def test_it_does_not_matter_how_the_file_is_cut(tmp_path):
    chance = random.Random(6)
    data = b"".join(
        damaged(line.encode(), chance) if chance.random() < 0.3 else line.encode()
        for line in mixed_log(60, chance).lines
    )
    for longest in (260, 400, 1 << 16):
        limits = {"longest_line": longest}
        whole = walk(PgAuditReader(context(MAPPING)), data, tmp_path, **limits)
        for size in (1, 100, 777):
            batches = walk(PgAuditReader(context(MAPPING)), data, tmp_path, size, **limits)
            assert rows_of(batches) == rows_of(whole)
            assert quarantined(batches) == quarantined(whole)
            assert tally(batches) == tally(whole)


@pytest.mark.parametrize(
    ("section", "hint"),
    [
        ({"patient_table": {}}, "patient_tables"),
        ({"patient_tables": {"public.patient": {"colum": "ipp"}}}, "column"),
        ({"patient_tables": {"public.patient": {}}}, "column"),
        ({"service_accounts": "etl"}, "pgaudit"),
    ],
)
def test_a_wrong_mapping_says_where_and_what(section, hint):
    with pytest.raises(MappingError) as error:
        PgAuditReader(context({"pgaudit": section}))
    assert hint in str(error.value)
    assert "mapping.toml" in str(error.value)


SCRIPT = """
create extension pgaudit;
create table patient (ipp text primary key, nom text, n int);
insert into patient select 'P' || i, 'NOM ' || i, i from generate_series(1, 5000) i;
create table stay (id int, ipp text);
create table trace (id int);
create view known as select * from patient;
create role dr login;
grant all on patient, stay, known to dr;
create role auditor;
grant select on patient to auditor;
create table secret (id int);
"""


@pytest.fixture(scope="module")
def cluster():
    settings = {
        **PGAUDIT,
        "log_timezone": "Europe/Paris",
        "pgaudit.log": "all",
        "pgaudit.log_parameter": "on",
        "pgaudit.log_rows": "on",
    }
    try:
        with postgresql_cluster(settings, "pgaudit") as running:
            with running.connect() as link:
                for statement in SCRIPT.split(";\n"):
                    if statement.strip():
                        link.execute(statement)
            yield running
    except Unavailable as reason:
        skip(reason)


def told(cluster, tmp_path, application):
    """What the reader tells of the sessions of one application, once the server wrote it."""
    with cluster.connect(application="marker") as link:
        link.execute("select pg_rotate_logfile()")
    data = b"".join(path.read_bytes() for path in cluster.logs)
    batches = read(data, tmp_path)
    assert tally(batches).quarantined == 0
    return [row for row in rows_of(batches) if row["client_app"] == application]


def brief(rows, *columns):
    return [tuple(row[column] for column in columns) for row in rows]


@pytest.mark.postgresql
def test_a_real_server_reading_patients(cluster, tmp_path):
    with cluster.connect("dr", "reading") as link:
        link.execute("select * from patient")
        link.execute("select *\n from patient p\n where p.ipp = %s and n > %s", ("P18", 3))
        link.execute("select * from patient where ipp = any(%s)", (["P19", 'P,"2\nz'],))
        link.execute("select * from patient where nom like 'NOM 49%'")
        link.execute("select * from patient where ipp='P1' for update")
        link.execute("insert into patient (ipp, nom) values (%s, %s)", ("Q1", 'é "a",\nb'))
        with link.cursor().copy("copy (select * from patient where n < 10) to stdout") as out:
            list(out)
        with link.cursor().copy("copy patient to stdout") as out:
            list(out)
        with link.transaction():
            link.execute("declare c cursor for select * from patient")
            link.execute("fetch 100 from c")
        link.execute("do $$ begin perform * from patient; end $$")
        link.execute("explain analyze select * from patient")
        link.execute("prepare q(text) as select * from patient where ipp = $1")
        link.execute("execute q('P5')")
    rows = told(cluster, tmp_path, "reading")
    columns = ("action", "object", "query_shape", "record_count", "patient")
    assert brief(rows, *columns) == [
        ("list", "public.patient", "none", 5000, None),
        ("open", "public.patient", "exact_id", 1, key("P18")),
        ("open", "public.patient", "exact_id", 1, key("P19")),
        ("open", "public.patient", "exact_id", 1, key('P,"2\nz')),
        ("list", "public.patient", "prefix", 111, None),
        ("open", "public.patient", "exact_id", 1, key("P1")),
        ("create", "public.patient", None, 1, key("Q1")),
        ("export", "public.patient", "criteria", 9, None),
        ("export", "public.patient", "none", None, None),
        ("list", "public.patient", "none", None, None),
        ("list", "public.patient", "none", 5001, None),
        ("open", "public.patient", "exact_id", 1, key("P5")),
        ("logout", None, None, None, None),
    ]
    assert set(brief(rows, "account", "network")) == {("dr", "127.0.0.1")}


@pytest.mark.postgresql
def test_a_real_server_with_relations_roles_and_statements_told_once(cluster, tmp_path):
    joined = "select * from patient p join stay s on p.ipp=s.ipp where p.ipp='P1'"
    with cluster.connect(application="relations") as link:
        for relation in ("off", "on"):
            link.execute(f"set pgaudit.log_relation={relation}")
            for role in ("", "auditor"):
                link.execute(f"set pgaudit.role='{role}'")
                for once in ("off", "on"):
                    link.execute(f"set pgaudit.log_statement_once={once}")
                    link.execute(joined)
    rows = [row for row in told(cluster, tmp_path, "relations") if row["action"] == "open"]
    mine = [row for row in rows if row["object"] == "public.patient"]
    assert len(mine) == 8
    assert {row["patient"] for row in mine} == {key("P1")}
    assert len({row["request_key"] for row in mine}) == 8


@pytest.mark.postgresql
def test_a_real_server_whose_log_is_tampered_with(cluster, tmp_path):
    with cluster.connect(application="tampering") as link:
        link.execute("alter system set log_statement='none'")
        link.execute("set pgaudit.log='none'")
        link.execute("select * from patient")
        link.execute("set pgaudit.log='all'")
        link.execute("alter role dr set pgaudit.log='none'")
        link.execute("alter role dr reset pgaudit.log")
        link.execute("truncate trace")
        link.execute("alter table patient owner to dr")
        link.execute("grant dr to auditor")
    actions = [row["action"] for row in told(cluster, tmp_path, "tampering")]
    assert actions == [
        "log_change",  # ALTER SYSTEM
        "log_change",  # turned on again: what turned it off, and the reading, left no entry
        "log_change",
        "log_change",
        "log_change",  # TRUNCATE of an audit table
        "privilege_change",
        "privilege_change",
        "logout",
    ]


@pytest.mark.postgresql
def test_a_real_server_that_refuses(cluster, tmp_path):
    with cluster.connect("dr", "refused") as link:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            link.execute("select * from secret")
        with pytest.raises(psycopg.errors.UndefinedTable):
            link.execute("select * from nowhere")
    rows = told(cluster, tmp_path, "refused")
    assert brief(rows, "action", "object", "outcome") == [
        ("list", "secret", "serious_failure"),
        ("logout", None, "success"),
    ]
