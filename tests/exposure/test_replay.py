"""Searches whose results nobody logged, asked again of the operator's dated index."""

from pathlib import Path

import numpy as np
import pytest
from tests.exposure.small import AUTHORITY, line, store_of, tenth

from vigie.exposure import Exposure, expose
from vigie.exposure.index import read_index
from vigie.readers.order import fold
from vigie.stores import Store

SURNAMES = (
    "Martin", "Martinez", "Marty", "Bernard", "Bernardin", "Petit", "Petitjean", "Durand",
    "De Luca", "Deluca", "Lévêque", "Levy", "Moreau", "Morel", "Simon", "Simonet",
)  # fmt: skip
MAPPING = """
[source]
name = "index"
time_zone = "UTC"
[source.format]
kind = "csv"
delimiter = ";"
[columns]
at = "since"
action = { value = "other" }
patient = { column = "ipp", authority = "test" }
patient_surname = "name"
"""


@pytest.fixture(scope="module")
def patients() -> list[tuple[str, str, str]]:
    """Return (since, number, surname): a third of them came after the searches."""
    rng = np.random.default_rng(1)
    since = ("2020-01-01T00:00:00Z", "2025-06-01T00:00:00Z", "2026-03-11T00:00:00Z")
    return [
        (since[rng.integers(3)], str(number), SURNAMES[rng.integers(len(SURNAMES))])
        for number in range(400)
    ]


def shown(patients: list[tuple[str, str, str]], typed: str, whole: bool) -> set[str]:
    """Return the numbers of those whom a search on 10 March shows."""
    import pyarrow as pa

    folded = fold(pa.array([typed, *(name for *_, name in patients)])).to_pylist()
    return {
        number
        for (since, number, _), name in zip(patients, folded[1:], strict=True)
        if since < "2026-03-10" and (name == folded[0] if whole else name.startswith(folded[0]))
    }


def ask(folder: Path, rows: list[str], patients: list[tuple[str, str, str]] | None) -> Exposure:
    home = store_of(folder, rows)
    with Store.open(home) as store:
        index = None
        if patients is not None:
            listed, mapping = folder / "patients.csv", folder / "index.toml"
            text = ["since;ipp;name", *(";".join(row) for row in patients)]
            listed.write_text("\n".join(text) + "\n", "utf-8")
            mapping.write_text(MAPPING, "utf-8")
            index = read_index(listed, mapping, store.keyring)
        return expose(store, tenth(), index=index)


def keys(folder: Path, numbers: set[str]) -> set[bytes]:
    with Store.open(folder / "home") as store:
        return {store.keyring.pseudonym(number, AUTHORITY) for number in numbers}


def search(minute: int, typed: str, shape: str, count: int | str) -> str:
    return line(f"2026-03-10T09:{minute:02d}:00Z", "search", "find", name=typed, shape=shape,
                record_count=str(count))  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "shape", "whole"),
    [("martin", "exact_name", True), ("Mar", "prefix", False), ("BERNARD", "criteria", False),
     ("de l", "prefix", False), ("LEV", "prefix", False), ("s", "prefix", False)],
)  # fmt: skip
def test_the_persons_of_a_search_are_those_of_that_day_who_fit_it(
    tmp_path: Path, patients: list[tuple[str, str, str]], typed: str, shape: str, whole: bool
) -> None:
    truth = shown(patients, typed, whole)
    found = ask(tmp_path, [search(0, typed, shape, len(truth))], patients)
    rows = found.groups("SELECT DISTINCT patient, how FROM exposure")
    assert {patient for patient, _ in rows} == keys(tmp_path, truth)
    assert {how for _, how in rows} == {"listed"}
    assert found.bounds == (len(truth), len(truth))


def test_searches_narrow_to_the_persons_that_they_share(
    tmp_path: Path, patients: list[tuple[str, str, str]]
) -> None:
    typed = ("mar", "mart", "martin", "martinez", "marty")
    truth = [shown(patients, text, whole=False) for text in typed]
    rows = [
        search(minute, text, "prefix", len(who))
        for minute, (text, who) in enumerate(zip(typed, truth, strict=True))
    ]
    wide, narrow = ask(tmp_path / "a", rows, None), ask(tmp_path / "b", rows, patients)
    assert wide.bounds == (0, sum(map(len, truth)))
    assert narrow.bounds == (len(truth[0]), len(truth[0]))


@pytest.mark.parametrize("shape", ["prefix", "wildcard", "criteria"])
def test_a_page_of_fewer_than_fit_gives_bounds_that_hold_the_truth(
    tmp_path: Path, patients: list[tuple[str, str, str]], shape: str
) -> None:
    fit = shown(patients, "ber", whole=False)
    found = ask(tmp_path, [search(0, "ber", shape, 5)], patients)
    low, high = found.bounds
    assert low <= 5 <= (high or 5)
    reachable = {row[0] for row in found.groups("SELECT DISTINCT patient FROM exposure")}
    assert keys(tmp_path, fit) <= reachable


def test_what_no_name_begins_with_narrows_nothing(
    tmp_path: Path, patients: list[tuple[str, str, str]]
) -> None:
    found = ask(tmp_path, [search(0, "xyz", "prefix", 3)], patients)
    assert found.bounds[1] is not None
    assert found.bounds[1] >= 3
