"""What an SQL statement asks for: relations named, conditions that can be relied on, no more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.readers.pgaudit.sql_conditions import Condition, Value
from vigie.readers.pgaudit.sql_statements import read_statement


def equal(column, *texts, qualifier=""):
    return Condition("=", qualifier, column, tuple(Value(text) for text in texts))


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        ("select 1", ()),
        ("SELECT * FROM Patient", ("patient",)),
        ('select * from "Patient" where "Ipp" = 1', ("Patient",)),
        ("select * from hosp.patient p, only hosp.stay as s", ("hosp.patient", "hosp.stay")),
        ("select * from a join b on true left join c using (id)", ("a", "b", "c")),
        ("select * from a where x in (select y from b)", ("a", "b")),
        ("select * from (select * from a) s, lateral (select * from b) t", ("a", "b")),
        ("with x as (select * from a) select * from x join b on true", ("a", "b")),
        ("with x as not materialized (select * from a) select * from x", ("a",)),
        ("select extract(year from born), trim(both from name) from a", ("a",)),
        ("select * from generate_series(1, 2) g, a", ("a",)),
        ("select * from a where b is distinct from c", ("a",)),
        ("insert into a (x) select x from b", ("a", "b")),
        ("update only a set x = 1 from b", ("a", "b")),
        ("select * from a for update", ("a",)),
        ("insert into a values (1) on conflict do update set x = 2", ("a",)),
        ("delete from a using b where true", ("a", "b")),
        ("truncate table a, b restart identity", ("a", "b")),
        ("copy a (x, y) to stdout", ("a",)),
        ("copy (select * from a) to program 'x'", ("a",)),
        ("declare c cursor for select * from a", ("a",)),
        ("explain (analyze) select * from a", ("a",)),
        ("select 'from b' -- from c\n from a /* from d /* from e */ */", ("a",)),
        ("select $$ from b $$, $x$ from c $x$ from a", ("a",)),
    ],
)
def test_relations(text, relations):
    assert read_statement(text).relations == relations


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("select 1", "select"),
        ("copy a to stdout", "copy"),
        ("copy (select * from a) to stdout", "copy"),
        ("/* x */ explain analyze select * from a", "select"),
        ("declare c cursor for select * from a", "select"),
        ("create table b as select * from a", "create"),
        ("", ""),
    ],
)
def test_verbs(text, verb):
    assert read_statement(text).verb == verb


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("select * from p", None),
        ("select * from p where ipp = 'x'", (equal("ipp", "x"),)),
        ("select * from p where ipp='it''s'", (equal("ipp", "it's"),)),
        (r"select * from p where ipp = E'it\'s'", (equal("ipp", "it's"),)),
        ("select * from p where ipp = $q$it's$q$", (equal("ipp", "it's"),)),
        ("select * from p where 'x' = p.ipp", (equal("ipp", "x", qualifier="p"),)),
        ("select * from p where ipp = 12 limit 3", (equal("ipp", "12"),)),
        ("select * from p where ipp = 'x'::character varying(9)", (equal("ipp", "x"),)),
        ("select * from p where ((ipp) = 'x')", (Condition("opaque"),)),
        ("select * from p where ((ipp = 'x'))", (equal("ipp", "x"),)),
        ("select * from p where ipp in ('x', 'y')", (equal("ipp", "x", "y"),)),
        ("select * from p where ipp = any(array['x','y'])", (equal("ipp", "x", "y"),)),
        (
            "select * from p where ipp = any($2)",
            (Condition("any", "", "ipp", (Value("", 2),)),),
        ),
        (
            "select * from p where ipp = $1 and nom like 'D%'",
            (
                Condition("=", "", "ipp", (Value("", 1),)),
                Condition("like", "", "nom", (Value("D%"),)),
            ),
        ),
        ("select * from p where ipp = 'x' or true", (Condition("opaque"),)),
        ("select * from p where not ipp = 'x'", (Condition("opaque"),)),
        ("select * from p where ipp <> 'x'", (Condition("opaque"),)),
        ("select * from p where (ipp = 'x') in (true, false)", (Condition("opaque"),)),
        ("select * from p where ipp = 'x' is not null", (Condition("opaque"),)),
        ("select * from p where lower(ipp) = 'x'", (Condition("opaque"),)),
        (
            "select * from p where age between 1 and ipp = 'x'",
            (Condition("opaque"),),
        ),
        (
            "select * from p where age between 1 and 2 and ipp = 'x'",
            (Condition("opaque"), equal("ipp", "x")),
        ),
        ("update p set ipp = 'y' where ipp = 'x' returning *", (equal("ipp", "x"),)),
        ("copy (select * from p where ipp = 'x') to stdout", (equal("ipp", "x"),)),
    ],
)
def test_conditions(text, conditions):
    assert read_statement(text).conditions == conditions


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("select * from p where ipp = 'x'", True),
        ("select * from p where ipp = 'x';", True),
        ("select * from p where ipp = 'x' and exists (select 1 from d)", True),
        ("select * from p where ipp = 'x' union select * from p", False),
        ("select (select string_agg(nom, ',') from p) from p where ipp = 'x'", False),
        ("with a as (select * from p) select * from a where ipp = 'x'", False),
        ("select * from p where ipp = 'x'; select * from p", False),
        ("select * from p cross join p q where p.ipp = 'x'", False),
        ("select * from p where ipp = 'x", False),
    ],
)
def test_whether_the_conditions_bound_the_reading(text, plain):
    assert read_statement(text).plain is plain


def test_inserted_values_are_told_by_column():
    said = read_statement("insert into p (ipp, nom) values ('a', 'A'), ($1, lower('B'))")
    assert said.inserted == {
        "ipp": (Value("a"), Value("", 1)),
        "nom": (Value("A"), Value("")),
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SET pgaudit.log = 'none'", ("pgaudit.log",)),
        ("set local log_statement to 'none'", ("log_statement",)),
        ("alter role dr set pgaudit.log = 'none'", ("pgaudit.log",)),
        ("alter system reset log_destination", ("log_destination",)),
        ("select set_config('pgaudit.log', 'none', false)", ("pgaudit.log",)),
    ],
)
def test_settings(text, names):
    assert read_statement(text).settings == names


@pytest.mark.parametrize(
    "text",
    [
        "select 1 /* request_id:3f2a9c10-aa */",
        "select 1 /*controller='x',x-request-id='3f2a9c10-aa'*/",
        "/* X-Request-ID=3f2a9c10-aa */ select 1",
    ],
)
def test_the_request_id_of_a_comment_is_told(text):
    assert read_statement(text).request == "3f2a9c10-aa"


@given(st.text(alphabet="select from where='\"()$1;,-/*\\ipand or\n[]:.\u00e9", max_size=60))
def test_any_text_is_read(text):
    read_statement(text)


@given(st.text(alphabet="abc'\\\"$-/*;\n ", max_size=12))
def test_a_literal_is_one_token_whatever_it_holds(value):
    quoted = value.replace("'", "''")
    said = read_statement(f"select * from p where ipp = '{quoted}' and sex = 'f'")
    assert said.conditions == (equal("ipp", value), equal("sex", "f"))
    assert said.plain
