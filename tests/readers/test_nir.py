"""What is told in the compiled loop is what `identifiers` would have told."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from vigie.identifiers import nir_key, normalise, problem
from vigie.readers.nir import plainly_sound

DIGITS = st.text("0123456789", min_size=13, max_size=13)


@st.composite
def written(draw):
    sex, rest = draw(st.sampled_from("12378")), draw(DIGITS)
    month = draw(st.sampled_from(["01", "12", "13", "20", "00", "99"]))
    department = draw(st.sampled_from(["01", "75", "95", "96", "97", "99", "2A", "00"]))
    thirteen = f"{sex}{rest[:2]}{month}{department}{rest[:6]}"
    key = draw(st.sampled_from([f"{nir_key(thirteen):02d}", "00", "97", ""]))
    return thirteen + key


@given(st.lists(st.one_of(written(), st.text(max_size=16)), min_size=1))
def test_what_is_plainly_sound_is_sound_for_identifiers_too(texts):
    for text, sound in zip(texts, plainly_sound(pa.array(texts)).tolist(), strict=True):
        for kind in ("nir", "ins"):
            if sound:
                assert (normalise(kind, text), problem(kind, text)) == (text, None)


def test_an_ordinary_number_is_told_at_once():
    assert plainly_sound(pa.array(["255081416802538"])).tolist() == [True]
