"""The alerts that were told: the same when they are asked about later, or refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from vigie import journal
from vigie.alerts.watch import Alert
from vigie.errors import StoreError, UsageError
from vigie.exposure import EVIDENCE
from vigie.exposure.kept import ALERTS_FILE, EVIDENCE_FILE, keep, load
from vigie.pseudonyms import Keyring

RING = Keyring(bytes(32))
AT = datetime(2026, 3, 10, 9, tzinfo=UTC)


def alert(name: str, account: str = "eve", patients: int = 9) -> Alert:
    return Alert(
        id=name, account=account, accounts=[account], level="watch", opened_at=AT, last_at=AT,
        patients=patients, evidence=4.2, hypothesis="fast_sweep", why={"fr": "…", "en": "…"},
        usual={}, observed={"seconds": 60.0}, lines=["log.csv:7"],
    )  # fmt: skip


def evidence(event: int) -> Callable[[tuple[str, ...]], pa.Table]:
    row = {"event_id": event.to_bytes(16, "big"), "ratio": 1.5, "cited": True}
    return lambda accounts: pa.Table.from_pylist([row] * len(accounts), schema=EVIDENCE)


def test_an_alert_stays_as_it_was_last_told(tmp_path: Path) -> None:
    keep(tmp_path, [alert("aa", patients=3), alert("bb", "zoe")], evidence(1), 100)
    keep(tmp_path, [alert("aa", patients=9)], evidence(2), 120)
    kept = load(tmp_path)
    assert kept.alert("a").patients == 9
    assert kept.alert("bb").accounts == ["zoe"]
    assert kept.answer.accounts == ("eve", "zoe")
    assert kept.evidence(RING).num_rows == 2
    assert [e.what for e in journal.entries(tmp_path)] == ["answer", "answer"]


def test_the_evidence_holds_for_the_same_log_and_its_accounts(tmp_path: Path) -> None:
    kept = keep(tmp_path, [alert("aa")], evidence(1), 100)
    assert kept.covers(["eve"], 100)
    assert not kept.covers(["eve"], 101)
    assert not kept.covers(["eve", "zoe"], 100)
    assert not load(tmp_path / "nothing").covers([], 0)


@pytest.mark.parametrize(("beginning", "said"), [("c", "no alert"), ("a", "several alerts")])
def test_an_identifier_that_names_no_one_alert_is_refused(
    tmp_path: Path, beginning: str, said: str
) -> None:
    kept = keep(tmp_path, [alert("aa"), alert("ab")], evidence(1), 100)
    with pytest.raises(UsageError, match=said):
        kept.alert(beginning)


def test_what_the_journal_does_not_vouch_for_is_not_used(tmp_path: Path) -> None:
    kept = keep(tmp_path, [alert("aa")], evidence(1), 100)
    (tmp_path / EVIDENCE_FILE).write_bytes(b"another")
    with pytest.raises(StoreError):
        kept.evidence(RING)
    said = msgspec.json.decode((tmp_path / ALERTS_FILE).read_bytes())
    said["alerts"][0]["patients"] = 1
    (tmp_path / ALERTS_FILE).write_bytes(msgspec.json.encode(said))
    with pytest.raises(StoreError, match="vouches"):
        load(tmp_path)


def test_only_the_owner_may_read_what_is_kept(tmp_path: Path) -> None:
    keep(tmp_path, [alert("aa")], evidence(1), 100)
    for name in (ALERTS_FILE, EVIDENCE_FILE):
        assert not (tmp_path / name).stat().st_mode & 0o077


def test_after_a_rotation_the_evidence_is_of_the_same_events(tmp_path: Path) -> None:
    once = RING.rotated()
    twice = once.rotated()
    kept = keep(tmp_path, [alert("aa")], evidence(1), 100, once.version)
    assert kept.evidence(once).column("event_id")[0].as_py() == (1).to_bytes(16, "big")
    moved = load(tmp_path).evidence(twice).column("event_id")[0].as_py()
    assert moved == twice.advanced((1).to_bytes(16, "big"), once.version)


def test_answers_given_up_half_way_leave_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path, [alert("aa")], evidence(1), 100)

    def fail(path: Path, *_: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    for name in ("write_bytes", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(Path, name, fail)
            for _again in range(3):
                with pytest.raises(StoreError):
                    keep(tmp_path, [alert("bb")], evidence(2), 120)
        assert [one.id for one in load(tmp_path).answer.alerts] == ["aa"]
    assert keep(tmp_path, [alert("bb")], evidence(2), 120).alert("aa").account == "eve"
