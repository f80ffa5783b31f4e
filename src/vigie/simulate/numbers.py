"""Invented identifiers with a valid form and key: NIR, RPPS, ADELI, FINESS."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_CORSICA: Final = {"2A": "19", "2B": "18"}


def _digits(values: NDArray[np.int64], width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), width, "0")


def join(*parts: Any) -> pa.Array:
    """Join texts row by row."""
    return pc.binary_join_element_wise(*parts, "")


def luhn_digit(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the digit that makes `number * 10 + digit` pass Luhn's check.

    >>> luhn_digit(np.array([7992739871])).tolist()
    [3]
    """
    total = np.zeros_like(numbers)
    rest, doubled = numbers.copy(), True
    while rest.any():
        digit = rest % 10
        total += np.where(doubled, digit * 2 - 9 * (digit > 4), digit)
        rest, doubled = rest // 10, not doubled
    return (10 - total % 10) % 10


def rpps(rng: np.random.Generator, count: int) -> pa.Array:
    """Return distinct numbers of 11 digits that begin with 998 (see data/README.md)."""
    bodies = 9_980_000_000 + rng.choice(10_000_000, count, replace=False)
    return join(_digits(bodies, 10), _digits(luhn_digit(bodies), 1))


def adeli(rng: np.random.Generator, areas: pa.Array) -> pa.Array:
    """Return numbers of 9 characters: département, profession 9, order; no key is documented."""
    return join(pc.utf8_slice_codeunits(areas, 0, 2), _digits(_orders(rng, len(areas), 7), 7))


def _orders(rng: np.random.Generator, count: int, width: int) -> NDArray[np.int64]:
    span: int = 10 ** (width - 1)
    return 9 * span + rng.choice(span, count, replace=False)


def finess(rng: np.random.Generator, areas: pa.Array) -> pa.Array:
    """Return distinct geographic numbers: département, 99, four digits, Luhn's digit.

    In Corsica the letter counts as in the NIR (19 and 18 for 2A and 2B): no public rule was found.
    """
    places = pc.utf8_slice_codeunits(areas, 0, 2)
    orders = 990_000 + _distinct(rng, len(areas))
    bodies = _numeric(places).to_numpy(zero_copy_only=False) * 1_000_000 + orders
    return join(places, _digits(orders, 6), _digits(luhn_digit(bodies), 1))


def _distinct(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    start = int(rng.integers(10_000))
    return (start + np.arange(count, dtype=np.int64) * 7919) % 10_000


def _numeric(places: pa.Array) -> pa.Array:
    for letters, digits in _CORSICA.items():
        places = pc.replace_substring(places, letters, digits)
    return places.cast(pa.int64())


def nir(
    sexes: NDArray[np.int64],
    years: NDArray[np.int64],
    months: NDArray[np.int64],
    places: pa.Array,
    rng: np.random.Generator,
) -> pa.Array:
    """Return distinct 15-digit numbers: sex (1, 2), year, month, INSEE commune, order, key.

    Two persons of one sex, month and place have different orders; at most 999 can be told apart.
    """
    orders = _order_in_month(sexes, years % 100, months, places, rng)
    body = join(
        _digits(sexes, 1), _digits(years % 100, 2), _digits(months, 2), places, _digits(orders, 3)
    )
    numeric = sexes * 10**12 + (years % 100) * 10**10 + months * 10**8
    numeric += _numeric_place(places) * 1000 + orders
    return join(body, _digits(97 - numeric % 97, 2))


def _numeric_place(places: pa.Array) -> NDArray[np.int64]:
    head = _numeric(pc.utf8_slice_codeunits(places, 0, 2)).to_numpy(zero_copy_only=False)
    tail = pc.utf8_slice_codeunits(places, 2, 5).cast(pa.int64()).to_numpy(zero_copy_only=False)
    joined: NDArray[np.int64] = head * 1000 + tail
    return joined


def _order_in_month(
    sexes: NDArray[np.int64],
    years: NDArray[np.int64],
    months: NDArray[np.int64],
    places: pa.Array,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    key = ((_numeric_place(places) * 100 + years) * 100 + months) * 10 + sexes
    ranked = np.argsort(key, kind="stable")
    ordered = key[ranked]
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    group = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    offset = rng.integers(1, 400, len(starts))
    orders = np.empty(len(key), np.int64)
    orders[ranked] = (offset[group] + np.arange(len(key)) - starts[group] - 1) % 999 + 1
    return orders
