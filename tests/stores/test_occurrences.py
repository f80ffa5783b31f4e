"""Rotated files with overlaps, in any order: alike accesses all count, and none counts twice."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores.logs import receive, write
from vigie.stores import Store
from vigie.stores.alignment import Lines, Total, align
from vigie.stores.occurrences import number_lines

Stored = list[tuple[int, int, int, str, int]]  # file, line, at, text, occurrence


def lines_of(rows: Stored) -> Lines:
    def numbers(place: int) -> np.ndarray:
        return np.array([row[place] for row in rows], np.int64)

    words = np.array([[ord(row[3]) * 7919, row[2]] for row in rows], np.uint64).reshape(-1, 2)
    return Lines(numbers(1), numbers(2), words, numbers(0), numbers(4))


def receive_in_memory(files: list[list[tuple[int, str]]]) -> tuple[Counter[object], int]:
    """Number the lines of files one after the other; return the events and the doubts."""
    stored: Stored = []
    ends: dict[int, tuple[int, int]] = {}
    doubts = 0
    for file, log in enumerate(files):
        rows = [(file, number, at, text, 0) for number, (at, text) in enumerate(log, start=1)]
        new, old = lines_of(rows), lines_of(stored)
        ends[file] = (1, len(log))

        def both(new: Lines = new, old: Lines = old) -> list[tuple[Lines, Lines]]:
            return [(new, old)]

        alignment = align(file, ends[file], ends, both, lambda new=new: Total(new.number))
        numbered = number_lines(alignment, new, old, file)
        doubts += numbered.ambiguous
        found = numbered.occurrence.tolist()
        assert len({(r[2], r[3], o) for r, o in zip(rows, found, strict=True)}) == len(rows)
        known = {(at, text, occurrence) for _, _, at, text, occurrence in stored}
        assert numbered.known.tolist() == [
            (r[2], r[3], o) in known for r, o in zip(rows, found, strict=True)
        ]
        stored += [(*row[:4], number) for row, number in zip(rows, found, strict=True)]
    events = {(at, text, occurrence) for _, _, at, text, occurrence in stored}
    return Counter((at, text) for at, text, _ in events), doubts


@st.composite
def rotated(draw: st.DrawFn) -> tuple[list[tuple[int, str]], list[list[tuple[int, str]]]]:
    steps = draw(st.lists(st.integers(0, 2), min_size=1, max_size=30))
    texts = draw(st.text("ab", min_size=len(steps), max_size=len(steps)))
    log = list(zip(np.cumsum(steps).tolist(), texts, strict=True))
    cuts = sorted(draw(st.sets(st.integers(1, len(log)), max_size=4)) - {len(log)})
    files = []
    for begin, end in zip([0, *cuts], [*cuts, len(log)], strict=True):
        back, on = draw(st.integers(0, 8)), draw(st.integers(0, 8))
        files.append(log[max(0, begin - back) : end + on])
    return log, draw(st.permutations([*files, *draw(st.lists(st.sampled_from(files), max_size=2))]))


@settings(max_examples=400, deadline=None)
@given(rotated())
def test_rotated_files_in_any_order_give_the_log(
    case: tuple[list[tuple[int, str]], list[list[tuple[int, str]]]],
) -> None:
    log, files = case
    truth = Counter(log)
    events, doubts = receive_in_memory(files)
    if not doubts:
        assert events == truth
    # In doubt a line is taken as seen: never an access too many, and never a line lost.
    assert all(events[line] <= count for line, count in truth.items())
    assert set(events) == set(truth)


@settings(max_examples=200, deadline=None)
@given(rotated())
def test_all_files_again_add_nothing_that_is_not_true(
    case: tuple[list[tuple[int, str]], list[list[tuple[int, str]]]],
) -> None:
    log, files = case
    events, _ = receive_in_memory(files)
    again, _ = receive_in_memory([*files, *files])
    assert all(events[line] <= again[line] <= count for line, count in Counter(log).items())


def test_an_access_after_the_overlap_that_is_alike_is_new() -> None:
    old = [(1, "a"), (5, "x"), (5, "y")]
    new = [(1, "a"), (5, "x"), (5, "y"), (5, "x")]
    assert receive_in_memory([old, new[1:]]) == (Counter(new), 2)
    assert receive_in_memory([old, new])[0] == Counter(new)
    older = [(0, "z"), (1, "a"), (5, "x"), (5, "y")]
    assert receive_in_memory([older, new]) == (Counter([(0, "z"), *new]), 0)


def test_neighbours_without_overlap_that_share_a_moment_are_in_doubt() -> None:
    events, doubts = receive_in_memory([[(1, "a"), (2, "x")], [(2, "x"), (3, "b")]])
    assert (events[(2, "x")], doubts) == (1, 1)


def test_another_order_of_the_same_lines_leaves_no_doubt() -> None:
    log = [(n, "a") for n in range(20)]
    assert receive_in_memory([log, log[::-1]]) == (Counter(log), 0)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rotated(), st.integers(1, 7))
def test_the_store_holds_the_same_rule(
    case: tuple[list[tuple[int, str]], list[list[tuple[int, str]]]], batch: int
) -> None:
    _, files = case
    expected, doubts = receive_in_memory(files)
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder), write=True) as store:
        found = 0
        for number, log in enumerate(files):
            # A file of the same bytes is known at once; a comment makes each one its own.
            lines = [*(f"{at} {text} p" for at, text in log), f"#{number}"]
            path = write(Path(folder) / "in" / f"{number}.log", lines)
            found += receive(store, path, batch=batch).ambiguous
        rows = store.events(["at", "account"]).to_pylist()
    first = rows[0]["at"].replace(hour=8, minute=0, second=0) if rows else None
    seen = Counter((int((row["at"] - first).total_seconds()), row["account"]) for row in rows)
    assert (seen, found) == (expected, doubts)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_file_that_bridges_two_others(order: tuple[int, int, int]) -> None:
    log = [(n // 2, "ab"[n % 3 == 0]) for n in range(60)]
    files = [log[0:25], log[20:45], log[40:60]]
    assert receive_in_memory([files[n] for n in order]) == (Counter(log), 0)
