"""The simulator's reference data, read once: names, communes, streets, insurers, population.

Sources, licences and assumptions are in `data/README.md`.
"""

import gzip
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

DATA: Final = Path(__file__).parent / "data"


def _table(file: str, **types: pa.DataType) -> pa.Table:
    with gzip.open(DATA / file, "rb") as stream:
        options = pacsv.ConvertOptions(column_types=types, strings_can_be_null=False)
        return pacsv.read_csv(stream, convert_options=options)


@cache
def communes() -> pa.Table:
    """Return the communes: `code`, `name`, `area`, `region`, `postcode`, `population`.

    >>> communes().num_rows
    34911
    """
    texts = dict.fromkeys(("code", "name", "area", "region", "postcode"), pa.string())
    return _table("communes.csv.gz", **texts, population=pa.int64())


@cache
def surnames() -> pa.Table:
    """Return the surnames: `name`, `weight`."""
    return _table("surnames.csv.gz", name=pa.string(), weight=pa.int64())


@cache
def given_names() -> pa.Table:
    """Return the given names: `decade` (first year), `sex` (F, M), `name`, `weight`."""
    return _table("given_names.csv.gz", sex=pa.string(), name=pa.string(), weight=pa.int64())


@cache
def insurers() -> tuple[str, ...]:
    """Return the names of the 84 insurers, all invented.

    >>> len(insurers())
    84
    """
    return tuple((DATA / "insurers.txt").read_text("utf-8").splitlines())


@cache
def streets() -> tuple[str, ...]:
    """Return usual street names."""
    return tuple((DATA / "streets.txt").read_text("utf-8").splitlines())


@cache
def population() -> dict[str, Any]:
    """Return what the population is made of (`population.toml`)."""
    return tomllib.loads((DATA / "population.toml").read_text("utf-8"))


def areas_of(regions: list[str]) -> list[str]:
    """Return the départements of regions given by INSEE code.

    >>> areas_of(["53"])
    ['22', '29', '35', '56']
    """
    inside = pc.is_in(communes()["region"], value_set=pa.array(regions, pa.string()))
    found: list[str] = pc.unique(communes()["area"].filter(inside)).to_pylist()
    return sorted(found)


def draw(rng: np.random.Generator, weights: Any, count: int) -> NDArray[np.int64]:
    """Draw `count` indices by weight; `rng.choice` does the same, slower.

    >>> draw(np.random.default_rng(1), [0, 1, 0], 3).tolist()
    [1, 1, 1]
    """
    cumulated = np.cumsum(np.asarray(weights, dtype=np.float64))
    reached = rng.random(count) * cumulated[-1]
    picked: NDArray[np.int64] = np.searchsorted(cumulated, reached, side="right").astype(np.int64)
    return picked
