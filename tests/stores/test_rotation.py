"""After a rotation everything stored still matches everything that comes."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from stores.logs import receive, write
from vigie import journal
from vigie.errors import SecretError
from vigie.events import KEY, SCHEMA
from vigie.pseudonyms import Keyring, save_keyring
from vigie.records import IDENTITIES
from vigie.stores import Store

LINES = [f"{40 * n} acc{n % 7} p{n % 13}" for n in range(2500)]
ORDER = {"source": pa.string(), "source_line": pa.int64(), "account": pa.string()}
KEYS = [field.name for field in SCHEMA if field.type == KEY]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with Store.open(tmp_path / "home", write=True) as opened:
        receive(opened, write(tmp_path / "a.log", [*LINES, "1 z p,q r7", "oops"]))
        receive(opened, write(tmp_path / "b.log", ["2 z p - id1", "5 z p r7"]), "web")
        yield opened


def shape(store: Store) -> list[tuple[object, ...]]:
    """Everything but the keys, which are replaced by their number of first appearance."""
    table = store.events()
    order = pa.table([table.column(n).cast(t) for n, t in ORDER.items()], names=list(ORDER))
    table = table.take(pc.sort_indices(order, [(name, "ascending") for name in ORDER]))
    seen: dict[object, int] = {}
    columns = [
        [None if v is None else seen.setdefault((name, v), len(seen)) for v in column.to_pylist()]
        if name in KEYS else column.to_pylist()
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]  # fmt: skip
    return list(zip(*columns, strict=True))


def test_pairs_and_joins_are_unchanged_and_no_key_is(store: Store) -> None:
    before, keys = shape(store), set(store.events(["patient"]).column(0).to_pylist())
    assert store.rotate("dpo", "yearly") == 1
    assert shape(store) == before
    assert not keys & set(store.events(["patient"]).column(0).to_pylist())
    assert store.verify() == []
    entry = journal.entries(store.home)[-1]
    assert (entry.what, entry.who, entry.reason) == ("rotation", "dpo", "yearly")


def test_what_was_imported_before_adds_nothing_after(store: Store, tmp_path: Path) -> None:
    store.rotate()
    store.rotate()
    again = [*reversed(LINES), "1 z p,q r7", "oops"]
    assert receive(store, write(tmp_path / "c.log", again)).added == 0
    assert receive(store, write(tmp_path / "d.log", ["2 z p - id1"]), "web").added == 0
    assert store.connect().sql("SELECT count(*) FROM quarantine").fetchall() == [(1,)]
    assert store.verify() == []


def test_a_request_id_links_across_a_rotation(store: Store, tmp_path: Path) -> None:
    (one,) = (
        store.connect()
        .sql("SELECT count(DISTINCT access_id) FROM events WHERE account = 'z' AND source_line > 1")
        .fetchall()
    )
    store.rotate()
    receive(store, write(tmp_path / "e.log", ["900 y - r7"]), "database")
    assert one
    found = store.connect().sql(
        "SELECT count(DISTINCT source) FROM events GROUP BY access_id ORDER BY 1 DESC LIMIT 1"
    )
    assert found.fetchall() == [(3,)]


def test_declared_tables_turn_with_the_key(store: Store) -> None:
    patient = store.events(["patient"]).column(0)[0].as_py()
    row = {
        "patient": patient, "person": patient, "change": "same", "valid_from": None,
        "valid_until": None, "source": None,
    }  # fmt: skip
    store.put_table("identities", pa.Table.from_pylist([row], IDENTITIES))
    store.rotate()
    moved = store.table("identities").column("patient")[0].as_py()
    assert moved != patient
    assert moved in store.events(["patient"]).column(0).to_pylist()
    assert store.verify() == []


def test_a_key_of_another_store_is_refused(store: Store) -> None:
    store.rotate()
    save_keyring(store.home, Keyring(bytes(32)))
    store.forget_keyring()
    with pytest.raises(SecretError, match="do not go together"):
        _ = store.keyring
