"""A walk gives what the store gives, whole days at a time, and comes back to single rows."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from stores.logs import receive, write
from vigie.errors import StoreError
from vigie.stores import Store, walking

NAMES = ["event_id", "access_id", "at", "account", "patient", "source_line"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "home", write=True) as opened:
        for day in range(4):
            lines = [f"{86_400 * day + 40 * n} acc{n % 7} p{n % 13}" for n in range(500)]
            receive(opened, write(tmp_path / f"{day}.log", lines))
        yield opened


def test_a_walk_gives_every_event_in_the_order_of_the_store(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "LEAST", 1)
    walk = store.walk()
    slices = list(walk.slices(NAMES))
    assert len(slices) > 1
    assert pa.concat_tables(table for table, _ in slices).equals(store.events(NAMES))
    assert walk.rows == store.events(NAMES).num_rows


def test_nothing_comes_before_the_time_that_a_slice_gives(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "LEAST", 1)
    until = -(2**61)
    for table, after in store.walk().slices(["at"]):
        at = table.column("at").cast(pa.int64()).to_numpy()
        assert until <= at.min() <= at.max() < after
        until = after


def test_rows_are_found_again_in_the_order_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "LEAST", 1)
    rows = np.random.default_rng(1).integers(0, store.walk().rows, 300)
    assert store.walk().take(rows, NAMES).equals(store.events(NAMES).take(pa.array(rows)))
    assert store.walk().take(rows[:0], NAMES).num_rows == 0


def test_an_empty_store_has_no_slice(tmp_path: Path) -> None:
    with Store.open(tmp_path / "nothing") as store:
        walk = store.walk()
    assert (walk.rows, walk.span, list(walk.slices(NAMES))) == (0, None, [])


def test_a_segment_that_is_gone_is_told(store: Store) -> None:
    walk = store.walk()
    for path in store.home.glob("segments/**/*.parquet"):
        path.unlink()
    with pytest.raises(StoreError):
        list(walk.slices(NAMES))
