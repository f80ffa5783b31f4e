"""Indicators: what leaves, what must not, and what comes back."""

import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from vigie.alerts.indicators import COLUMNS, bundle, keep, kept, load_key, match, read, write
from vigie.alerts.watch import Alert
from vigie.cli import main
from vigie.errors import ReadingError, SecretError
from vigie.events import TIME
from vigie.stores import Store
from vigie.testing.detectors import text
from vigie.timeline.units import DAY

KEY, OTHER = bytes(range(32)), bytes(32)
START = 20_000 * DAY
ADDRESS, DEVICE, AGENT = "203.0.113.77", "PC-STOLEN", "curl/8.9 scraper"


def a_log(accounts=12, thief=True):
    """Twelve people at work; one account is also used from elsewhere on the last day."""
    rows = [
        (START + day * DAY + hour * DAY // 24, f"dr-{one}", f"10.0.0.{one}", f"PC-{one}",
         "Mozilla/5.0", "open", "exact_id")
        for day in range(10) for one in range(accounts) for hour in (9, 10, 11)
    ]  # fmt: skip
    if thief:
        rows += [
            (START + 10 * DAY + n * 1_000_000, "dr-3", network, device, AGENT, "search", "prefix")
            for n, (network, device) in enumerate([(ADDRESS, DEVICE), ("10.0.0.3", "PC-3")] * 5)
        ]
    at, *columns = zip(*rows, strict=True)
    said = [text(list(values)) for values in columns]
    count = len(rows)
    return pa.table(
        [pa.array(at).cast(TIME), *said, text(["a.csv"] * count), pa.array(np.arange(count) + 1)],
        names=list(COLUMNS),
    )


def an_alert(events):
    lines = [f"a.csv:{n}" for n in range(events.num_rows - 9, events.num_rows + 1)]
    at = datetime.fromtimestamp((START + 10 * DAY) / 1e6, UTC)
    return Alert(
        "0123456789abcdef", "dr-3", ["dr-3"], "suspend", at, at, 10, 3.0, "register_sweep",
        {"en": "", "fr": ""}, {}, {}, lines,
    )  # fmt: skip


@pytest.fixture
def told():
    events = a_log()
    return bundle(events, [an_alert(events)], KEY)


def test_what_is_new_and_rare_is_told_and_the_own_workplace_is_not(told):
    (sighting,) = told.sightings
    kinds = [one.kind for one in sighting.indicators]
    assert kinds == ["device", "network", "query", "user_agent"]


def test_nothing_leaves_in_the_clear(told, tmp_path):
    write(tmp_path / "told.json", told)
    said = (tmp_path / "told.json").read_text()
    for word in (ADDRESS, DEVICE, "dr-", "10.0.0", "a.csv", "0123456789abcdef", AGENT, KEY.hex()):
        assert word not in said
    document = json.loads(said)
    assert (document["format"], document["version"]) == ("vigie-indicators", 1)


def test_another_operator_finds_the_same_thief(told, tmp_path):
    keep(tmp_path, told)
    keep(tmp_path, told)
    assert len(kept(tmp_path, KEY)) == 1
    found = match(a_log(), kept(tmp_path, KEY), KEY)
    assert {(one.kind, one.account) for one in found} >= {("network", "dr-3"), ("device", "dr-3")}
    assert not match(a_log(thief=False), [told], KEY)


def test_what_everybody_has_tells_nothing(told):
    events = a_log()
    agents = text([AGENT] * events.num_rows)
    common = events.set_column(list(COLUMNS).index("user_agent"), "user_agent", agents)
    assert "user_agent" not in {one.kind for one in match(common, [told], KEY)}


def test_a_document_made_under_another_key_is_refused(told, tmp_path):
    write(tmp_path / "told.json", told)
    with pytest.raises(SecretError):
        read(tmp_path / "told.json", OTHER)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\xff", b'{"format": "stix"}', b"[" * 100_000]
)
def test_anything_else_is_refused_in_a_sentence(content, tmp_path):
    (tmp_path / "odd.json").write_bytes(content)
    with pytest.raises(ReadingError):
        read(tmp_path / "odd.json", KEY)


@pytest.mark.parametrize(("said", "mode"), [(KEY.hex(), 0o644), ("00ff", 0o600), ("zz", 0o600)])
def test_a_key_that_others_read_or_that_is_none_is_refused(said, mode, tmp_path):
    path = tmp_path / "key"
    path.write_text(said)
    path.chmod(mode)
    with pytest.raises(SecretError):
        load_key(path)


def test_the_commands_import_and_match(told, tmp_path, private_home, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    key = tmp_path / "key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    write(tmp_path / "told.json", told)
    assert main(["indicators", "import", str(tmp_path / "told.json"), "--key", str(key)]) == 0
    assert "4 indicators" in capsys.readouterr().out
    assert main(["indicators", "match", "--key", str(key)]) == 2
    assert "there is no store there" in capsys.readouterr().err
    Store.open(private_home, write=True).close()
    assert main(["indicators", "match", "--key", str(key), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": 1, "documents": 1, "matches": []}
    assert main(["indicators", "match"]) == 1
    assert "openssl rand" in capsys.readouterr().err
