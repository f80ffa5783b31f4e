"""Alerts that were told and that a later answer tells no more: said, and journalled."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from vigie import journal
from vigie.alerts.watch import Alert
from vigie.cases import looks
from vigie.cases.arrivals import told_now
from vigie.cli import main
from vigie.exposure import EVIDENCE
from vigie.exposure.kept import keep
from vigie.simulate.output import write_world
from vigie.simulate.presets import simulate

AT = datetime(2025, 10, 20, 9, tzinfo=UTC)
TOLD_NO_MORE = "1 alert that was told before is told no more: feed0000feed0000 (nobody"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice software of three quiet weeks."""
    out = tmp_path_factory.mktemp("quiet")
    write_world(simulate("practice-software", 0.04, seed=2, days=20, attacks={}), out)
    return out


@pytest.fixture
def vigie(platform: Path, private_home: Path, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")

    def run(*arguments: object) -> str:
        code = main(list(map(str, arguments)))
        printed, errors = capsys.readouterr()
        assert code in (0, 3), errors
        return printed + errors

    run("scan", platform / "logs", "--mapping", platform / "mapping.toml")
    return run


def alert_of(account: str) -> Alert:
    return Alert(
        id="feed0000feed0000", account=account, accounts=[account], level="watch", opened_at=AT,
        last_at=AT + timedelta(hours=1), patients=9, evidence=4.2, hypothesis="fast_sweep",
        why={"fr": "…", "en": "…"}, usual={}, observed={"seconds": 60.0}, lines=["log.csv:7"],
    )  # fmt: skip


def tell(home: Path) -> str:
    """Keep an alert as if an earlier answer had told it."""
    alert = alert_of("nobody")
    keep(home, [alert], lambda accounts: EVIDENCE.empty_table(), -1)
    return alert.id


def test_an_alert_that_the_next_answer_does_not_tell_is_withdrawn(
    vigie, private_home: Path
) -> None:
    name = tell(private_home)
    vigie("case", "open", name, "--reason", "a theft")
    assert "told no more" not in vigie("case", "show", "2")
    printed = vigie("alerts")
    assert TOLD_NO_MORE in printed
    said = r"case 2\S+: 1 alert that it rests on is told no more since \S+ \S+ UTC \(feed0000\);"
    assert re.search(said, printed)
    shown = vigie("case", "show", "2")
    assert "Alert feed0000feed0000: nobody (told no more since" in shown
    assert re.search(said, shown)
    assert "is told no more since" in vigie("exposure", "--alert", "feed")
    assert TOLD_NO_MORE not in vigie("alerts")
    (gone,) = json.JSONDecoder().raw_decode(vigie("alerts", "--format", "json"))[0]["withdrawn"]
    assert (gone["id"], gone["accounts"]) == (name, ["nobody"])
    (entry,) = [e for e in journal.entries(private_home) if e.what == "withdrawn"]
    assert gone["withdrawn_at"][:19] == entry.at[:19]
    vigie("case", "note", "2", "the owner was on call: no theft")
    again = vigie("case", "show", "2")
    assert not re.search(said, again)
    assert "(told no more since" in again


def test_only_the_same_question_withdraws(vigie, private_home: Path) -> None:
    tell(private_home)
    assert "told no more" not in vigie("alerts", "--alarm-budget", "0.5")
    assert "told no more" not in vigie("alerts")
    assert TOLD_NO_MORE in vigie("alerts")


def test_one_that_is_told_again_is_withdrawn_no_more(tmp_path: Path) -> None:
    looks.tell_signals(tmp_path, ["a", "b"])
    assert looks.tell_again(tmp_path, ["a", "b"]) == []
    assert looks.withdraw(tmp_path, ["a"]) == ["a"]
    assert looks.withdraw(tmp_path, ["a"]) == []
    first = looks.first_signal(tmp_path, ["a"])
    assert [*looks.withdrawn(tmp_path)] == ["a"]
    assert looks.tell_signals(tmp_path, ["a"]) == []
    assert looks.tell_again(tmp_path, ["a", "b"]) == ["a"]
    assert looks.withdrawn(tmp_path) == {}
    assert looks.first_signal(tmp_path, ["a"]) == first
    assert looks.withdraw(tmp_path, ["b", "a"]) == ["b", "a"]


def test_one_that_opens_at_another_moment_has_only_another_name() -> None:
    gone = alert_of("eve")
    near = msgspec.structs.replace(gone, id="a", opened_at=AT + timedelta(hours=3))
    nearest = msgspec.structs.replace(gone, id="b", opened_at=AT - timedelta(hours=1))
    joint = msgspec.structs.replace(gone, id="c", accounts=["eve", "zoe"])
    other = alert_of("zoe")
    late = AT + timedelta(days=30)
    far = msgspec.structs.replace(gone, id="d", opened_at=late, last_at=late)
    assert told_now(gone, [other, far]) is None
    assert told_now(gone, [other, far, joint]) == joint
    assert told_now(gone, [joint, near, nearest]) == nearest


def test_explain_says_of_a_withdrawn_alert_that_it_was_told(vigie, private_home, capsys) -> None:
    tell(private_home)
    assert main(["explain", "feed"]) == 2
    said = capsys.readouterr().err
    assert "was told before and is told no more" in said
    assert "vigie exposure --alert feed0000feed0000" in said
