"""Access logs: templates, routes, what hides in a URL, and what damage does."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
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

from vigie.errors import MappingError, ReadingError
from vigie.readers.base import REASONS
from vigie.readers.weblog import WeblogReader
from vigie.readers.weblog.routes import Routes, split_target

NIR = "255081416802538"
AGENT = "Mozilla/5.0 (X11) Gecko/20100101"
ROUTES = [
    {"pattern": "/static/*", "ignore": True},
    {"pattern": "*.css", "ignore": True},
    {"pattern": "/health", "ignore": "probe"},
    {
        "pattern": "/patients/{ipp}/documents",
        "method": "GET",
        "action": "list",
        "screen": "Documents",
        "patient": "path:ipp",
        "authority": "chu",
    },
    {"pattern": "/patients/{n}.pdf", "action": "print", "patient": "path:n", "authority": "chu"},
    {"pattern": "/patients/{ipp}", "action": "open", "patient": "path:ipp", "authority": "chu"},
    {"pattern": "/droits", "method": ["GET", "POST"], "action": "rights_check",
     "patient": "query:nss", "kind": "nir"},
    {"pattern": "/search", "action": "search", "term": "query:q", "query_shape": "exact_name"},
    {"pattern": "/login", "method": "post", "action": "login"},
    {"pattern": "/", "action": "other"},
]  # fmt: skip
MAPPING = {"routes": ROUTES}


def line(target="/patients/12", *, method="GET", user="dr", status="200", size="512",
         at="14/Sep/2025:03:22:11 +0200", agent=AGENT, client="10.0.0.5", more="",
         request=None, referer="-"):  # fmt: skip
    request = f"{method} {target} HTTP/1.1" if request is None else request
    return f'{client} - {user} [{at}] "{request}" {status} {size} "{referer}" "{agent}"{more}\n'


def read(data, tmp_path, mapping=MAPPING, **options):
    data = data if isinstance(data, bytes) else data.encode()
    return walk(WeblogReader(context(mapping)), data, tmp_path, **options)


def row_of(data, tmp_path, mapping=MAPPING):
    (row,) = rows_of(read(data, tmp_path, mapping))
    return row


def key(value, authority="chu"):
    return KEYRING.pseudonym(value, authority)


def test_one_line_of_combined_format(tmp_path):
    row = row_of(line(), tmp_path)
    assert row["at"].isoformat() == "2025-09-14T01:22:11+00:00"
    said = ("account", "network", "user_agent", "bytes", "action", "object", "outcome")
    assert tuple(row[name] for name in said) == (
        "dr", "10.0.0.5", AGENT, 512,
        "open", "/patients/{ipp}", "success",
    )  # fmt: skip
    assert (row["patient"], row["query_shape"], row["clock_quality"]) == (
        key("12"), "exact_id", "exact",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("target", "method", "action", "screen", "patients"),
    [
        ("/patients/12/documents", "GET", "list", "Documents", ["12"]),
        ("/patients/12.pdf", "GET", "print", "/patients/{n}.pdf", ["12"]),
        ("/patients/12?tab=3#x", "PUT", "open", "/patients/{ipp}", ["12"]),
        ("/patients/%31%32", "GET", "open", "/patients/{ipp}", ["12"]),
        ("/patients//12/", "GET", "open", "/patients/{ipp}", ["12"]),
        ("/static/../patients/12", "GET", "open", "/patients/{ipp}", ["12"]),
        ("/static/%2e%2e/patients/12", "GET", "open", "/patients/{ipp}", ["12"]),
        ("/patients/12;jsessionid=9/documents", "GET", "list", "Documents", ["12"]),
        ("http://portail.fr/patients/12", "GET", "open", "/patients/{ipp}", ["12"]),
        ("/patients/a%2Cb", "GET", "open", "/patients/{ipp}", ["a,b"]),
        ("/login", "POST", "login", "/login", [None]),
        ("/", "GET", "other", "/", [None]),
    ],
)
def test_routes(target, method, action, screen, patients, tmp_path):
    rows = rows_of(read(line(target, method=method), tmp_path))
    assert [(row["action"], row["object"]) for row in rows] == [(action, screen)] * len(patients)
    assert [row["patient"] for row in rows] == [p and key(p) for p in patients]


@pytest.mark.parametrize(
    ("target", "method", "rule"),
    [
        ("/static/app.js?v=2", "GET", "static"),
        ("/static", "GET", "static"),
        ("/patients/style.css", "GET", "static"),
        ("/health", "GET", "probe"),
        ("/nowhere", "GET", "no_route"),
        ("/login", "GET", "no_route"),
        ("/patients/12/documents", "DELETE", "no_route"),
        ("*", "OPTIONS", "no_route"),
        ("/patients/%2e%2e/health", "GET", "probe"),
    ],
)
def test_requests_that_are_no_access_are_ignored_by_rule(target, method, rule, tmp_path):
    assert tally(read(line(target, method=method), tmp_path)).ignored == {rule: 1}


@pytest.mark.parametrize("request_", [r"\x16\x03\x01\x02", "", "-", "GET", "\x16"])
def test_what_is_no_request_is_an_intact_line(request_, tmp_path):
    batches = read(line(request=request_, status="400", user="-"), tmp_path)
    assert tally(batches).ignored == {"no_route": 1}


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (f"nss={NIR}", [NIR]),
        (f"nss={NIR}&nss={NIR[:13]}", [NIR]),
        (f"nss={NIR}&nss=253072B07300470", [NIR, "253072B07300470"]),
        ("nss=2+53+07+2b+073+004", ["253072B07300470"]),
        (f"NSS[]={NIR}", [NIR]),
        (f"n%73s={NIR}", [NIR]),
        ("nss=", [None]),
        ("", [None]),
    ],
)
def test_patients_of_the_query(query, values, tmp_path):
    rows = rows_of(read(line(f"/droits?{query}"), tmp_path))
    assert [row["patient"] for row in rows] == [v and key(v, "nir") for v in values]
    assert [row["part"] for row in rows] == list(range(len(values)))


def test_a_wrong_nir_is_flagged_and_kept(tmp_path):
    row = row_of(line("/droits?nss=255081416802539"), tmp_path)
    assert (row["flags"], row["patient"]) == ("patient_nir_key", key("255081416802539", "nir"))


@pytest.mark.parametrize(
    ("term", "shape"),
    [("dupont", "exact_name"), ("dup*", "prefix"), ("%25ont", "wildcard"), ("", "none")],
)
def test_the_shape_of_a_search(term, shape, tmp_path):
    assert row_of(line(f"/search?q={term}"), tmp_path)["query_shape"] == shape


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("200", "success"), ("304", "success"), ("302", "success"), ("404", "minor_failure"),
        ("403", "serious_failure"), ("401", "serious_failure"), ("500", "major_failure"),
        ("499", "minor_failure"),
    ],
)  # fmt: skip
def test_outcomes(status, outcome, tmp_path):
    assert row_of(line(status=status), tmp_path)["outcome"] == outcome


def test_gaps_are_those_of_the_account_whatever_the_route(tmp_path):
    data = line("/patients/100") + line("/patients/7", user="b") + line("/patients/102/documents")
    assert [row["id_gap"] for row in rows_of(read(data, tmp_path))] == [None, None, 2]


@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        ({"client": "2001:db8::1"}, "network", "2001:db8::1"),
        ({"user": "-"}, "account", None),
        ({"user": "jean dupont"}, "account", "jean dupont"),
        ({"agent": r"A \"quoted\" agent"}, "user_agent", r"A \"quoted\" agent"),
        ({"agent": f"app/1 {NIR}"}, "user_agent", "app/1 #"),
        ({"size": "-"}, "bytes", None),
        ({"more": ' "9f1c" 0.003'}, "action", "open"),
        ({"referer": f'https://x.fr/patients/{NIR}?a=\\"b'}, "action", "open"),
        ({"at": "14/Sep/2025:03:22:11 +0000"}, "action", "open"),
    ],
)
def test_variations_of_a_line(changes, column, value, tmp_path):
    assert row_of(line(**changes), tmp_path)[column] == value


NGINX = (
    '$http_x_forwarded_for [$time_iso8601] "$request_method $request_uri" $status '
    '"$http_x_request_id" $http_x_user $request_time'
)
APACHE = '%v %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{X-Request-ID}i" %D'


def test_the_form_of_nginx(tmp_path):
    mapping = {
        "weblog": {
            "format": NGINX,
            "fields": {"network": "http_x_forwarded_for", "account": "$http_x_user"},
        },
        "routes": ROUTES,
    }
    text = '1.2.3.4, 10.0.0.1 [2025-09-14T03:22:11+02:00] "GET /patients/12" 200 "9f1c" dr 0.01\n'
    row = row_of(text, tmp_path, mapping)
    assert (row["network"], row["account"], row["patient"]) == ("1.2.3.4", "dr", key("12"))
    assert row["request_key"] == KEYRING.pseudonym("9f1c", "", "request")
    assert row["at"].isoformat() == "2025-09-14T01:22:11+00:00"


def test_the_form_of_apache(tmp_path):
    mapping = {"weblog": {"format": APACHE}, "routes": ROUTES}
    text = f'portail.fr {line().rstrip()} "9f1c" 1234\n'
    row = row_of(text, tmp_path, mapping)
    assert (row["account"], row["request_key"]) == ("dr", KEYRING.pseudonym("9f1c", "", "request"))


def test_an_epoch_and_a_path_apart_from_its_query(tmp_path):
    form = "$msec|$remote_addr|$request_method|$uri|$args|$status"
    mapping = {"weblog": {"format": form}, "routes": ROUTES}
    row = row_of(f"1757812931.250|1.2.3.4|GET|/droits|nss={NIR}|200\n", tmp_path, mapping)
    assert (row["patient"], row["account"]) == (key(NIR, "nir"), None)
    assert row["at"].isoformat() == "2025-09-14T01:22:11.250000+00:00"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("nothing like it\n", "bad_format"),
        (line(at="31/Feb/2025:03:22:11 +0200"), "bad_time"),
        (line(status="2x0"), "bad_value"),
        (line(size="many"), "bad_value"),
        (line().encode().replace(b"dr", b"\xff"), "bad_encoding"),
        (line(user="a\0b"), "nul_byte"),
        (line("/" + "x" * 70_000), "line_too_long"),
    ],
)
def test_bad_lines_are_quarantined_with_their_reason(bad, reason, tmp_path):
    bad = bad if isinstance(bad, bytes) else bad.encode()
    batches = read(line().encode() + bad + line().encode(), tmp_path)
    assert [row["source_line"] for row in rows_of(batches)] == [1, 3]
    (one,) = quarantined(batches)
    assert (one["reason"], one["source_line"]) == (reason, 2)
    assert one["offset"] == len(line())


def test_an_empty_file_is_an_error_and_blank_lines_are_not(tmp_path):
    with pytest.raises(ReadingError):
        read("", tmp_path)
    assert tally(read("\n\r\n", tmp_path)).ignored == {"blank": 2}


def mixed_log(count, chance):
    targets = [
        f"/patients/{NIR}", f"/droits?nss={NIR}&nss={NIR}", "/static/x.js", "/nowhere",
        f"/patients/{NIR}/documents", f"/search?q={NIR}",
    ]  # fmt: skip
    return [
        line(
            chance.choice(targets), user=chance.choice(("dr", "-", "anne")),
            referer=f"https://x.fr/patients/{NIR}", more=' "9f1c-11" 0.1',
        )
        for _ in range(count)
    ]  # fmt: skip


def test_damage_is_kept_to_the_lines_it_touches_and_no_identifier_gets_out(tmp_path):
    chance = random.Random(5)
    touched, data, place = set(), b"", 1
    for text in mixed_log(4000, chance):
        written = text.encode()
        if chance.random() < 0.4:
            written = damaged(written, chance)
            touched |= set(range(place, place + written.count(b"\n")))
        place += written.count(b"\n")
        data += written
    batches = read(data, tmp_path)
    assert tally(batches).read == place - 1
    assert tally(batches).quarantined > 300
    assert {bad["source_line"] for bad in quarantined(batches)} <= touched
    assert {bad["reason"] for bad in quarantined(batches)} <= set(REASONS)
    said = everything_said(batches)
    assert NIR not in said
    assert NIR[:9] not in said


def test_it_does_not_matter_how_the_file_is_cut(tmp_path):
    chance = random.Random(6)
    data = b"".join(
        damaged(text.encode(), chance) if chance.random() < 0.3 else text.encode()
        for text in mixed_log(60, chance)
    ).rstrip(b"\n")
    whole = read(data, tmp_path, longest_line=230)
    for size in (1, 100, 777, 5000):
        batches = read(data, tmp_path, chunk_size=size, longest_line=230)
        assert rows_of(batches) == rows_of(whole)
        assert quarantined(batches) == quarantined(whole)
        assert tally(batches) == tally(whole)


def test_recognition():
    assert WeblogReader.recognises((line() * 3).encode(), "access.log") > 0.8
    assert WeblogReader.recognises(b"a,b\n1,2\n", "x.csv") == 0
    assert WeblogReader.recognises(b"", "x") == 0


@pytest.mark.parametrize(
    ("mapping", "hint"),
    [
        ({}, "route table"),
        ({"routes": [{"pattern": "/x", "action": "opne"}]}, "open"),
        ({"routes": [{"pattern": "/x", "acton": "open"}]}, "action"),
        ({"routes": [{"pattern": "/{ipp}", "action": "open", "patient": "path:ip"}]}, "path:ipp"),
        ({"routes": [{"pattern": "/x", "action": "open", "patient": "ipp"}]}, "query:"),
        ({"routes": [{"pattern": "/x", "action": "open", "query_shape": "exat"}]}, "query_shape"),
        ({"routes": ROUTES, "weblog": {"format": "$request"}}, "combined"),
        ({"routes": ROUTES, "weblog": {"format": "[$time_local] $request$status"}}, "combined"),
        ({"routes": ROUTES, "weblog": {"fromat": "common"}}, "format"),
        ({"routes": ROUTES, "weblog": {"fields": {"acount": "remote_user"}}}, "account"),
        ({"routes": ROUTES, "weblog": {"fields": {"account": "remote_usr"}}}, "remote_user"),
    ],
)
def test_a_wrong_mapping_says_where_and_what(mapping, hint):
    with pytest.raises(MappingError) as error:
        WeblogReader(context(mapping))
    assert hint in str(error.value)
    assert "mapping.toml" in str(error.value)


@given(st.text(max_size=40))
def test_any_request_is_judged(text):
    Routes(context(MAPPING)).find(text)
    path, _ = split_target(text)
    assert path.startswith("/")


@given(st.lists(st.sampled_from(["patients", "..", ".", "", "%2e%2e", "static"]), max_size=8))
def test_a_path_never_climbs_above_its_root(segments):
    path, _ = split_target("/" + "/".join(segments))
    assert ".." not in path
    assert split_target(path) == (path, "")
