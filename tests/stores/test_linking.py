"""One access seen by several logs counts once, in whatever order they are imported."""

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores.logs import receive, write
from vigie.pseudonyms import Keyring
from vigie.readers.base import Source
from vigie.stores import Store
from vigie.stores.linking import _groups, _units

MIDNIGHT = 16 * 3600  # the tiny log starts at 8 o'clock


def groups(files: dict[str, list[str]], order: list[str]) -> set[frozenset[tuple[str, int]]]:
    """Import the files, and return which `(source, line)` share an access id."""
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder), write=True) as store:
        for source in order:
            receive(store, write(Path(folder) / "in" / source, files[source]), source)
        assert store.verify() == []
        found: dict[bytes, set[tuple[str, int]]] = {}
        columns = ["access_id", "source", "source_line"]
        for row in store.events(columns).to_pylist():
            found.setdefault(row["access_id"], set()).add((row["source"], row["source_line"]))
        counted = store.connect().sql("SELECT count(DISTINCT access_id) FROM events").fetchall()
        assert counted == [(len(found),)]
        return {frozenset(group) for group in found.values()}


def every_order(files: dict[str, list[str]]) -> set[frozenset[tuple[str, int]]]:
    found = [groups(files, list(order)) for order in itertools.permutations(files)]
    assert all(one == found[0] for one in found)
    return found[0]


def test_a_request_id_makes_one_access_of_the_logs_that_bear_it() -> None:
    files = {"portal": ["1 a p r1", "2 a p r2"], "web": ["100 - - r1", "2 a p r2"]}
    assert every_order(files) == {
        frozenset({("portal", 1), ("web", 1)}), frozenset({("portal", 2), ("web", 2)}),
    }  # fmt: skip


def test_a_line_of_several_patients_is_one_access_of_each() -> None:
    files = {"one": ["1 a p,q", "9 a p,q r1"], "two": ["1.5 a p", "1.5 a q", "9 - - r1"]}
    assert every_order(files) == {
        frozenset({("one", 1), ("two", 1), ("two", 2)}), frozenset({("one", 2), ("two", 3)}),
    }  # fmt: skip


def test_client_and_server_records_of_one_source_are_one_access() -> None:
    assert groups({"fhir": ["1 a p r1 c", "2 a p r1 s"]}, ["fhir"]) == {
        frozenset({("fhir", 1), ("fhir", 2)})
    }


def test_without_a_request_id_time_links_one_to_one() -> None:
    files = {
        "portal": ["10 a p", "11 a p", "20 a p", "30 a p"],
        "database": ["10.5 a p", "23 a p", "30 b p", "30 a q"],
    }
    linked = [group for group in every_order(files) if len(group) > 1]
    assert len(linked) == 1
    assert ("database", 1) in linked[0]


def test_two_rows_of_one_source_are_never_linked_by_time() -> None:
    assert all(len(group) == 1 for group in groups({"a": ["1 a p", "1.5 a p"]}, ["a"]))


def test_the_closer_row_is_linked_even_when_the_farther_came_first() -> None:
    files = {"one": ["0 a p"], "three": ["3 a p"], "two": ["1.2 a p"]}
    assert frozenset({("one", 1), ("two", 1)}) in every_order(files)


def test_accesses_are_linked_across_midnight() -> None:
    files = {"one": [f"{MIDNIGHT - 1} a p"], "two": [f"{MIDNIGHT + 0.5} a p"]}
    assert every_order(files) == {frozenset({("one", 1), ("two", 1)})}


def test_an_access_without_patient_or_account_is_not_linked_by_time() -> None:
    assert len(groups({"one": ["1 a -"], "two": ["1 a -"]}, ["one", "two"])) == 2


def test_the_limit_is_a_setting(tmp_path: Path) -> None:
    (tmp_path / "vigie.toml").write_text("link_within_seconds = 0.1\n")
    with Store.open(tmp_path, write=True) as store:
        receive(store, write(tmp_path / "in" / "a", ["1 a p"]), "one")
        receive(store, write(tmp_path / "in" / "b", ["1.5 a p"]), "two")
        assert len(set(store.events(["access_id"]).column(0).to_pylist())) == 2


def test_linking_survives_a_rotation_and_what_comes_after_it(tmp_path: Path) -> None:
    files = {
        "one": ["0 a p"],
        "two": ["1.2 a p"],
        "three": ["1.9 a p", "9 a p r"],
        "x": ["9 a p r"],
    }
    with Store.open(tmp_path, write=True) as store:
        for number, (source, lines) in enumerate(files.items()):
            receive(store, write(tmp_path / "in" / source, lines), source)
            assert store.rotate() == number + 1
        assert len(set(store.events(["access_id"]).column(0).to_pylist())) == 2


seen = st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.integers(0, 3))


@settings(max_examples=200, deadline=None)
@given(st.lists(seen, min_size=2, max_size=9, unique=True), st.randoms())
def test_groups_depend_on_the_rows_alone(rows: list[tuple[str, int, int]], chance: object) -> None:
    def rank(mixed: list[tuple[str, int, int]]) -> set[frozenset[bytes]]:
        made = [
            {
                "event_id": bytes([ord(source), at, number] + [0] * 13), "access_id": None,
                "access_own": None, "source": source, "at": at, "stored": False,
            }
            for source, at, number in mixed
        ]  # fmt: skip
        found = _groups(_units(made, Keyring(bytes(32))), 4)
        return {frozenset(unit.own for unit in group) for group in found}

    mixed = list(rows)
    chance.shuffle(mixed)
    found = rank(mixed)
    assert found == rank(rows)
    for group in found:
        assert len({own[0] for own in group}) == len(group)
        assert max(own[1] for own in group) - min(own[1] for own in group) <= 4


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(seen, min_size=3, max_size=12))
def test_the_order_of_imports_does_not_show(rows: list[tuple[str, int, int]]) -> None:
    files = {
        source: [f"{at} a p" for name, at, _ in rows if name == source] for source, _, _ in rows
    }
    every_order(files)


@pytest.mark.parametrize("first", ["portal", "web"])
def test_the_access_id_that_was_stored_first_stays(tmp_path: Path, first: str) -> None:
    second = "web" if first == "portal" else "portal"
    with Store.open(tmp_path, write=True) as store:
        receive(store, write(tmp_path / "in" / "1", ["1 a p"]), Source(first))
        (stored,) = store.events(["access_id"]).column(0).to_pylist()
        receive(store, write(tmp_path / "in" / "2", ["2 a p"]), Source(second))
        assert set(store.events(["access_id"]).column(0).to_pylist()) == {stored}
