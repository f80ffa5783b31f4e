"""Rows come back by time whatever the order they came in, from memory and from disk."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stores.logs import START, _events
from vigie.events import READ_SCHEMA, check
from vigie.pseudonyms import Keyring
from vigie.readers.base import Source
from vigie.stores import staging
from vigie.stores.staging import SLOT, SLOTS_PER_DAY, Staging

RING = Keyring(bytes(32))


def rows(seconds: list[int], first: int, account: str = "acc") -> pa.Table:
    fields = [(n, 0, [str(at), f"{account}{at % 5}", "p"], "p") for n, at in enumerate(seconds)]
    hashes = RING.pseudonyms(pa.array([f"{first + n}" for n in range(len(seconds))]), "x")
    return _events(fields, first, hashes, "a.log", Source("portal"), RING)


def staged(folder: Path, tables: list[pa.Table], run_rows: int, limit: int) -> list[pa.Table]:
    """Stage tables and return the partitions, checking that each keeps to its bounds."""
    stage = Staging(folder, run_rows)
    for table in tables:
        stage.add(table)
    stage.finish()
    found = []
    for partition in stage.partitions(limit):
        table = check(stage.load(partition), READ_SCHEMA)
        slots = {at // SLOT for at in table.column("at").cast(pa.int64()).to_pylist()}
        assert all(partition.first <= slot < partition.last for slot in slots)
        assert len({slot // SLOTS_PER_DAY for slot in slots}) == 1
        assert table.num_rows == partition.rows
        assert partition.rows <= limit or len(slots) == 1
        found.append(table)
    return found


moments = st.lists(st.integers(0, 300_000), min_size=1, max_size=60)


@pytest.mark.parametrize("held", [0, 100])
@settings(max_examples=40, deadline=None)
@given(st.lists(moments, min_size=1, max_size=5), st.integers(1, 50), st.integers(1, 40))
def test_nothing_is_lost_and_lines_of_a_moment_keep_their_order(
    tmp_path_factory: pytest.TempPathFactory, held: int, batches: list[list[int]],
    run_rows: int, limit: int,
) -> None:  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "HELD_ROWS", held)
        first, tables = 1, []
        for seconds in batches:
            tables.append(rows(seconds, first))
            first += len(seconds)
        found = pa.concat_tables(staged(tmp_path_factory.mktemp("s"), tables, run_rows, limit))
    whole = pa.concat_tables(tables)
    columns = ["source_line", "at", "account", "line_hash"]
    expected = sorted(map(str, whole.select(columns).to_pylist()))
    assert sorted(map(str, found.select(columns).to_pylist())) == expected
    seen: dict[object, int] = {}
    for row in found.select(["at", "source_line"]).to_pylist():
        assert seen.get(row["at"], 0) < row["source_line"]
        seen[row["at"]] = row["source_line"]


def test_days_are_those_of_utc(tmp_path: Path) -> None:
    stage = Staging(tmp_path)
    stage.add(rows([0, 86_400], 1))
    stage.finish()
    days = [partition.day for partition in stage.partitions()]
    assert days == ["2025-09-01", "2025-09-02"]
    assert stage.span[0] == int(START.timestamp() * 1e6)
    assert stage.lines == (1, 2)


def test_columns_where_hardly_anything_repeats_come_back_whole(tmp_path: Path) -> None:
    table = rows(list(range(3000)), 1)
    words = pa.array([f"session-{n}" for n in range(3000)]).dictionary_encode()
    place = table.column_names.index("session")
    table = table.set_column(place, READ_SCHEMA.field("session"), words)
    found = pa.concat_tables(staged(tmp_path, [table, table], 3000, 10_000))
    assert sorted(set(found.column("session").to_pylist())) == sorted(words.to_pylist())


def test_memory_does_not_grow_with_the_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "HELD_ROWS", 4000)
    stage = Staging(tmp_path, run_rows=2000)
    table, held = rows([1] * 2000, 1), []
    for _ in range(12):
        stage.add(table)
        held.append(pa.total_allocated_bytes())
    stage.finish()
    one_run = sum(column.nbytes for column in table.columns if column.null_count == 0)
    assert pa.total_allocated_bytes() - held[0] < 4 * one_run
