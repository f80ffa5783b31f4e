"""The gaps that order leaves, against a plain reading of their definition."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.readers.order import Order, fold, name_positions, numbers

ROW = st.tuples(
    st.sampled_from(["a", "b", None]),
    st.sampled_from(["h1", "h2"]),
    st.one_of(st.none(), st.integers(0, 3000).map(str), st.sampled_from(["x", "P-7", "007"])),
)


def expected(rows):
    before, gaps = {}, []
    for account, authority, value in rows:
        digits = (value or "").removeprefix("P-")
        gap = None
        if account is not None and digits.isdigit():
            number = int(digits)
            if (account, authority) in before:
                gap = max(-1001, min(1001, number - before[account, authority]))
            before[account, authority] = number
        gaps.append(gap)
    return gaps


def columns(rows):
    turned = zip(*rows, strict=True) if rows else ((), (), ())
    return [pa.array(list(column), pa.string()) for column in turned]


@given(st.lists(ROW, max_size=40), st.integers(0, 40))
def test_id_gaps_follow_their_definition_however_the_rows_are_cut(rows, cut):
    order = Order()
    gaps = []
    for part in (rows[:cut], rows[cut:]):
        accounts, authorities, values = columns(part)
        gaps += order.id_gaps(accounts, values, authorities).to_pylist()
    assert gaps == expected(rows)


NAMES = st.sampled_from(["Martin", "Martinez", "Abel", "Zoé", "d'Œuvre", "", None])


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), NAMES, NAMES), max_size=30),
       st.integers(0, 30))  # fmt: skip
def test_name_gaps_do_not_depend_on_the_cut(rows, cut):
    whole = Order().name_gaps(*columns(rows)).to_pylist()
    order = Order()
    pieces = [gap for part in (rows[:cut], rows[cut:])
              for gap in order.name_gaps(*columns(part)).to_pylist()]  # fmt: skip
    assert pieces == whole
    assert all(gap is None or abs(gap) <= 0.0500001 for gap in whole)


@given(st.lists(st.text("ABCDEFGHIJ KLMNOPQRSTUVWXYZ", min_size=1, max_size=9), min_size=2))
def test_positions_are_in_the_order_of_the_alphabet(names):
    names = sorted(" ".join(name.split()) for name in names if name.strip())
    given_names = pa.nulls(len(names), pa.string())
    found = name_positions(pa.array(names, pa.string()), given_names)
    assert found.tolist() == sorted(found.tolist())
    assert all(0 <= position < 1 for position in found)


def test_a_list_read_in_order_has_small_gaps():
    names = pa.array(["MARTIN", "MARTIN", "MARTIN", "MARTINEAU"])
    given_names = pa.array(["ALICE", "ANNE", "BOB", "LUC"])
    gaps = Order().name_gaps(pa.array(["a"] * 4), names, given_names).to_pylist()
    assert gaps[0] is None
    assert all(0 <= gap < 1e-4 for gap in gaps[1:])


def test_numbers_of_corsica_stand_where_insee_puts_them():
    values = pa.array(["153072A07300470", "153072B07300470", "1530772073004"])
    found, known = numbers(values, "nir")
    assert found.tolist() == [1530719073004, 1530718073004, 1530772073004]
    assert known.tolist() == [True, True, True]


def test_a_number_too_long_for_arithmetic_is_no_number():
    assert numbers(pa.array(["9" * 18, "9" * 19]))[1].tolist() == [True, False]


@pytest.mark.parametrize(
    ("written", "folded"),
    [("Lefèvre", "LEFEVRE"), ("LE  FEVRE-", "LE FEVRE"), ("Œdipe æ", "OEDIPE AE"), ("", "")],
)
def test_names_fold(written, folded):
    assert fold(pa.array([written])).to_pylist() == [folded]
