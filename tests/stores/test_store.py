"""What the store promises about one import after another."""

import gc
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stores.logs import START, read, receive, write
from vigie import journal
from vigie.errors import StoreError
from vigie.events import check
from vigie.readers.base import Source
from vigie.readers.intake import Intake
from vigie.stores import Store
from vigie.stores.receiving import Receiving

LINES = [f"{40 * n} acc{n % 7} p{n % 13}" for n in range(3000)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with Store.open(tmp_path / "home", write=True) as opened:
        yield opened


def content(store: Store) -> list[dict[str, object]]:
    rows = store.events().drop_columns(["received_at"]).to_pylist()
    return sorted(rows, key=lambda row: row["event_id"])


def test_an_import_is_in_the_waist(store: Store, tmp_path: Path) -> None:
    receipt = receive(store, write(tmp_path / "a.log", [*LINES, "oops", ""]))
    assert (receipt.added, receipt.duplicates, receipt.tally.quarantined) == (3000, 0, 1)
    table = check(store.events())
    assert table.num_rows == 3000
    assert set(table.column("received_at").to_pylist()) == {receipt.received_at}
    assert set(table.column("source_file").to_pylist()) == {"a.log"}


def test_the_same_file_adds_nothing_under_any_name_packing_or_order(
    store: Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.log", [*LINES, "oops"])
    receive(store, path)
    before = content(store)
    packed = tmp_path / "b.log.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    receipts = [
        receive(store, path),
        receive(store, path, name="renamed.log"),
        receive(store, packed),
        receive(store, write(tmp_path / "sorted.log", [*sorted(LINES), "oops"])),
    ]
    assert [receipt.added for receipt in receipts] == [0, 0, 0, 0]
    assert [receipt.already_known for receipt in receipts] == [True, True, False, False]
    assert content(store) == before
    assert store.connect().sql("SELECT count(*) FROM quarantine").fetchall() == [(1,)]


def test_two_accesses_that_are_alike_both_count(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", ["1 a p", "1 a p", "2 a p"]))
    assert store.events().num_rows == 3
    assert len(set(store.events().column("event_id").to_pylist())) == 3


def test_a_line_of_several_patients_gives_as_many_rows(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", ["1 a p,q", "1 a p,q"])
    assert receive(store, path).added == 4
    assert receive(store, write(tmp_path / "b.log", ["1 a p,q"])).added == 0


def test_a_record_id_of_the_source_is_the_identity(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", ["1 a p - r1", "1 a p - r2", "1 a q - r1"]))
    assert store.events().num_rows == 2
    assert receive(store, write(tmp_path / "b.log", ["1 a other - r1"])).added == 0


def test_two_sources_do_not_share_their_lines(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", LINES[:10])
    receive(store, path, "one")
    assert receive(store, path, "two").added == 10


def test_files_of_the_same_name_are_told_apart(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "1" / "a.log", ["1 a p"]))
    assert receive(store, write(tmp_path / "2" / "a.log", ["2 a p"])).label == "a.log~2"


def test_a_better_mapping_reads_again_and_adds_what_it_could_not_read(
    store: Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.log", ["1 a p", "oops", "2 a p"])
    first = receive(store, path, Source("portal", mapping_version="m1"))
    path_again = receive(store, path, Source("portal", mapping_version="m2"))
    assert (first.added, path_again.added, path_again.already_known) == (2, 0, False)
    assert path_again.received_at == first.received_at
    known = receive(store, path, Source("portal", mapping_version="m2"))
    assert (known.already_known, known.added, known.duplicates) == (True, 0, 2)
    assert store.connect().sql("SELECT count(*) FROM quarantine").fetchall() == [(1,)]


def test_batches_do_not_show(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", LINES)
    found = []
    for size in (7, 1000):
        home = tmp_path / str(size)
        home.mkdir(mode=0o700)
        (home / "pseudonym.key").write_text(json.dumps({"base": "00" * 32, "steps": []}))
        (home / "pseudonym.key").chmod(0o600)
        with Store.open(home, write=True) as store:
            receive(store, path, batch=size)
            found.append(content(store))
    assert found[0] == found[1]


def test_events_can_be_chosen(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", LINES))
    day = START + timedelta(days=1)
    some = store.events(
        ["at", "account"], since=day, until=day + timedelta(hours=1), account="acc3"
    )
    assert some.column_names == ["at", "account"]
    assert set(some.column("account").to_pylist()) == {"acc3"}
    expected = [n for n in range(3000) if 86400 <= 40 * n < 90000 and n % 7 == 3]
    assert some.num_rows == len(expected)
    days = [day for day, _ in store.events_by_day(["at"])]
    assert days == sorted(set(days))
    assert sum(table.num_rows for _, table in store.events_by_day(["at"])) == 3000


def test_a_segment_is_sorted_and_says_so_to_who_looks_for_one_account(
    store: Store, tmp_path: Path
) -> None:
    receive(store, write(tmp_path / "a.log", LINES))
    for path in sorted((store.home / "segments").rglob("*.parquet")):
        table = pq.read_table(path, columns=["account", "at"])
        rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        assert rows == sorted(rows)
        metadata = pq.ParquetFile(path).metadata
        column = metadata.schema.names.index("account")
        assert metadata.row_group(0).column(column).statistics.min == "acc0"


def test_the_summary_of_a_source_is_what_trust_needs(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", ["1 a -", "2 a p", "oops", ""]))
    (summary,) = store.sources()
    assert (summary.rows, summary.lines, summary.accepted) == (2, 4, 2)
    assert (summary.quarantined, summary.ignored) == (1, {"blank": 1})
    assert summary.nulls["patient"] == 1
    assert (summary.first_at, summary.last_at) == (
        START + timedelta(seconds=1), START + timedelta(seconds=2),
    )  # fmt: skip


def test_accounts_are_counted(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", ["1 a p", "2 a q", "90000 a p", "3 b p"]))
    (first, _) = store.accounts().to_pylist()
    assert (first["account"], first["rows"], first["patients"], first["days"]) == ("a", 3, 2, 2)


def test_an_empty_store_answers(store: Store) -> None:
    assert check(store.events()).num_rows == 0
    assert store.accounts().num_rows == 0
    assert store.sources() == []
    assert store.verify() == []
    assert store.connect().sql("SELECT count(*) FROM accesses").fetchall() == [(0,)]


def test_a_failed_import_leaves_nothing(store: Store, tmp_path: Path) -> None:
    path, source = write(tmp_path / "a.log", LINES), Source("portal")

    def fail_at_the_end() -> None:
        with store.receive(path, "a.log", source, "tiny") as receiving:
            intake = Intake(path, receiving.label, seal=receiving.seal)
            for batch in read(intake, source, store.keyring):
                receiving.add(batch)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_at_the_end()
    assert store.events().num_rows == 0
    assert store.verify() == []
    assert not list((store.home / "staging").glob("*"))


def test_readers_see_what_was_there_when_they_asked(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", LINES))
    with Store.open(store.home) as reader:
        connection = reader.connect()
        receive(store, write(tmp_path / "b.log", ["1 z p"]))
        store.rotate()
        assert connection.sql("SELECT count(*) FROM events").fetchall() == [(3000,)]
        assert reader.events().num_rows == 3001


def test_a_second_writer_gets_one_clear_sentence(store: Store) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom vigie.errors import StoreError\n"
        "from vigie.stores import Store\n"
        "try:\n    Store.open(Path(sys.argv[1]), write=True)\n"
        "except StoreError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(store.home)], capture_output=True, text=True, check=True
    )
    assert "another process is writing to this store" in done.stdout


@contextmanager
def without_privileges() -> Iterator[None]:
    """Act as nobody: rights do not stop root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_directory_without_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with without_privileges(), pytest.raises(StoreError, match="cannot be written"):
        Store.open(tmp_path / "home", write=True)


def test_a_file_in_the_way_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError, match="cannot be written there"):
        Store.open(tmp_path / "home", write=True)


def test_a_damaged_catalogue_is_said_in_one_sentence(tmp_path: Path) -> None:
    with Store.open(tmp_path, write=True):
        pass
    for path in tmp_path.glob("catalogue.sqlite*"):
        path.write_bytes(b"not a database, and long enough to be taken for one" * 200)
    with pytest.raises(StoreError, match="the catalogue is damaged"):
        Store.open(tmp_path, write=True)


def test_a_damaged_segment_is_named(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", LINES))
    path = sorted((store.home / "segments").rglob("*.parquet"))[1]
    path.write_bytes(b"PAR1 rubbish")
    with pytest.raises(StoreError, match=path.name):
        store.events()


def test_a_full_disk_shows_nothing_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", [f"{n} acc{n} p{n}" for n in range(20_000)])
    program = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parent.parent)!r})\n"
        "from stores.logs import receive\nfrom vigie.errors import StoreError\n"
        "from vigie.stores import Store\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with Store.open(Path(sys.argv[1]), write=True) as store:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))\n"
        "    try:\n        receive(store, Path(sys.argv[2]))\n"
        "    except StoreError as error:\n        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "home"), str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "cannot be written" in done.stdout
    assert "free some space" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    with Store.open(tmp_path / "home", write=True) as store:
        assert store.events().num_rows == 0
        assert store.verify() == []
        assert receive(store, path).added == 20_000


def test_retention_removes_whole_days_for_good(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.log", [*LINES, "oops"])
    receive(store, path, Source("portal", retention_days=10))
    (removed,) = store.retain(START + timedelta(days=11, hours=1))
    old = sum(40 * n < 86400 - 8 * 3600 for n in range(3000))
    assert (removed.days, removed.rows) == (1, old)
    assert store.events().num_rows == 3000 - old
    tombstone = (
        store.connect().sql("SELECT source, day, rows, reason FROM tombstones").fetchall()[0]
    )
    assert tombstone == ("portal", "2025-09-01", old, "retention of 10 days")
    again = receive(store, write(tmp_path / "b.log", sorted(LINES)))
    assert (again.added, again.expired) == (0, old)
    assert store.verify() == []


def test_retention_removes_the_sealed_originals_too(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", LINES), Source("portal", retention_days=10))
    assert list((store.home / "sealed").rglob("*.age"))
    store.retain(START + timedelta(days=40))
    assert store.events().num_rows == 0
    assert not list((store.home / "sealed").rglob("*.age"))
    assert store.verify() == []
    assert store.retain(START + timedelta(days=40)) == []


def test_compaction_changes_nothing_that_is_read(store: Store, tmp_path: Path) -> None:
    for hour in range(5):
        lines = [f"{3600 * hour + n} acc{n % 3} p{n}" for n in range(50)]
        receive(store, write(tmp_path / f"{hour}.log", lines))
    before = content(store)
    assert store.compact() == 5
    assert len(list((store.home / "segments").rglob("*.parquet"))) == 1
    assert content(store) == before
    assert store.compact() == 0
    assert store.verify() == []
    assert receive(store, write(tmp_path / "again.log", lines[::-1])).added == 0


def test_verify_names_what_was_changed_lost_or_added(store: Store, tmp_path: Path) -> None:
    receive(store, write(tmp_path / "a.log", LINES))
    first, second = sorted((store.home / "segments").rglob("*.parquet"))
    first.write_bytes(first.read_bytes()[:-1] + b"!")
    second.rename(second.with_name("moved.parquet"))
    (sealed,) = (store.home / "sealed").rglob("*.age")
    sealed.unlink()
    found = {(finding.kind, Path(finding.where).name) for finding in store.verify()}
    assert found == {
        ("changed", first.name), ("missing", second.name), ("extra", "moved.parquet"),
        ("missing", sealed.name),
    }  # fmt: skip


def test_the_home_is_its_owners_only(tmp_path: Path) -> None:
    Store.open(tmp_path / "home", write=True).close()
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def test_declared_tables_keep_their_versions(store: Store) -> None:
    from vigie.records import SCREENS

    row = {
        "source": "portal", "object": "dossier", "data_class": "medical", "valid_from": None,
        "valid_until": None, "attested_by": "DPO", "attested_on": datetime(2025, 9, 1).date(),
    }  # fmt: skip
    import pyarrow as pa

    assert store.table("screens").num_rows == 0
    assert store.put_table("screens", pa.Table.from_pylist([row], SCREENS)) == 1
    between = datetime.now(UTC)
    assert store.put_table("screens", pa.Table.from_pylist([row, row], SCREENS)) == 2
    assert store.table("screens").num_rows == 2
    assert store.table("screens", as_of=between).num_rows == 1
    with pytest.raises(StoreError, match="not the table"):
        store.put_table("screens", pa.table({"a": [1]}))


def test_to_read_makes_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path / "home") as store:
        assert store.events().num_rows == 0
        assert store.sources() == []
        assert store.connect().execute("SELECT count(*) FROM events").fetchall() == [(0,)]
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("locked", [True, False])
def test_a_store_on_read_only_media_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    home = tmp_path / "home"
    with Store.open(home, write=True) as store:
        receive(store, write(tmp_path / "a.log", LINES))
    with Store.open(home):
        pass
    if not locked:
        (home / "reader.lock").unlink()
    before = sorted(path.relative_to(home) for path in home.rglob("*"))
    for module in ("layout", "catalogue"):
        monkeypatch.setattr(f"vigie.stores.{module}.is_writable", lambda home: False)
    with Store.open(home) as store:
        assert store.events().num_rows == len(LINES)
        assert store.verify() == []
    assert sorted(path.relative_to(home) for path in home.rglob("*")) == before


def test_a_file_that_was_received_leaves_nothing_in_memory(store: Store, tmp_path: Path) -> None:
    gc.disable()
    try:
        receive(store, write(tmp_path / "a.log", LINES))
        assert not [held for held in gc.get_objects() if isinstance(held, Receiving)]
    finally:
        gc.enable()


def test_a_journal_that_was_deleted_or_begun_anew_is_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Store.open(home, write=True):
        pass
    journal.record(home, "look", "alert 1", "review")
    with Store.open(home, write=True):
        pass
    whole = (home / "journal").read_bytes()
    for name in ("journal", "journal.head"):
        (home / name).unlink()
    assert told(home) == "journal:1: the journal is gone."
    journal.record(home, "look", "alert 2", "nothing to see")
    assert told(home) == "journal:2: the end of the journal was cut off."
    journal.record(home, "look", "alert 3", "nothing to see")
    with Store.open(home, write=True):  # and writing does not make it right again
        pass
    assert told(home) == "journal:2: this is not the entry that the store remembers."
    (home / "journal").write_bytes(whole)
    (home / "journal.head").unlink()
    assert told(home) == "journal:1: entries were added by hand."


def told(home: Path) -> str:
    with Store.open(home) as store:
        (finding,) = store.verify()
    return str(finding)
