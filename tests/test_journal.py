"""The journal only grows, and says where it was touched."""

import json
import multiprocessing
from pathlib import Path

import pytest

from vigie import journal
from vigie.errors import RefusedError, StoreError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for number in range(5):
        journal.record(tmp_path, "look", f"alert {number}", "review", who="dpo")
    return tmp_path


def lines(home: Path) -> list[bytes]:
    return (home / "journal").read_bytes().splitlines(keepends=True)


def test_entries_are_chained(home: Path) -> None:
    found = journal.entries(home)
    assert [entry.number for entry in found] == [1, 2, 3, 4, 5]
    assert [entry.previous for entry in found[1:]] == [entry.hash for entry in found[:-1]]
    assert (found[2].who, found[2].what, found[2].subject) == ("dpo", "look", "alert 2")
    assert journal.verify(home) is None
    assert (home / "journal").stat().st_mode & 0o777 == 0o600


def test_an_empty_journal_holds(tmp_path: Path) -> None:
    assert journal.verify(tmp_path) is None
    assert journal.entries(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        (lambda all_: [*all_[:2], all_[2].replace(b"alert 2", b"alert 9"), *all_[3:]], 3),
        (lambda all_: [*all_[:1], *all_[2:]], 2),
        (lambda all_: [all_[0], all_[2], all_[1], *all_[3:]], 2),
        (lambda all_: all_[:4], 5),
        (lambda all_: [], 1),
        (lambda all_: [*all_[:3], b"{}\n", *all_[3:]], 4),
        (lambda all_: [*all_, *all_[-1:]], 6),
    ],
    ids=["changed", "removed", "moved", "cut", "emptied", "rubbish", "repeated"],
)  # fmt: skip
def test_the_first_bad_entry_is_named(home: Path, change: object, first_bad: int) -> None:
    (home / "journal").write_bytes(b"".join(change(lines(home))))
    broken = journal.verify(home)
    assert broken is not None
    assert broken.number == first_bad


def test_an_entry_rewritten_with_its_own_hash_breaks_the_next(home: Path) -> None:
    all_ = lines(home)
    entry = journal.Entry(**json.loads(all_[1]))
    forged = journal.Entry(**{**_fields(entry), "subject": "nothing"})
    said = {**_fields(forged), "hash": forged.digest()}
    all_[1] = json.dumps(said).encode() + b"\n"
    (home / "journal").write_bytes(b"".join(all_))
    broken = journal.verify(home)
    assert broken is not None
    assert broken.number == 3


def _fields(entry: journal.Entry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in journal.Entry.__slots__}


def test_a_line_cut_by_a_crash_is_mended(home: Path) -> None:
    with (home / "journal").open("ab") as file:
        file.write(b'{"number": 6, "wh')
    journal.record(home, "look", "after the crash")
    assert [entry.subject for entry in journal.entries(home)][-1] == "after the crash"
    assert journal.verify(home) is None


def test_a_crash_before_the_head_is_mended(home: Path) -> None:
    head = (home / "journal.head").read_text()
    journal.record(home, "look", "sixth")
    (home / "journal.head").write_text(head)
    assert journal.verify(home) is None
    journal.record(home, "look", "seventh")
    assert [entry.number for entry in journal.entries(home)][-2:] == [6, 7]
    assert journal.verify(home) is None


def _write(home: Path, count: int) -> None:
    for _ in range(count):
        journal.record(home, "look")


def test_processes_may_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(tmp_path, 20)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(journal.entries(tmp_path)) == 60
    assert journal.verify(tmp_path) is None


def test_a_reason_is_asked_for() -> None:
    assert journal.require_reason(" complaint 12 ") == "complaint 12"
    with pytest.raises(RefusedError, match="needs a reason"):
        journal.require_reason("  ")


def test_a_journal_that_cannot_be_written_stops_what_it_records(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    with pytest.raises(StoreError, match="the journal cannot be written"):
        journal.record(tmp_path, "look")


def test_an_entry_whose_head_could_not_be_written_is_not_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    before = lines(home)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", full)
        for _ in range(2):
            with pytest.raises(StoreError):
                journal.record(home, "look", "alert 9", "review")
    assert lines(home) == before
    assert journal.verify(home) is None
    assert journal.record(home, "look", "alert 9", "review").number == 6
