"""Identifiers against sourced values, and against python-stdnum where it is right and where not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.exceptions import InvalidChecksum, InvalidFormat, InvalidLength
from stdnum.fr import nir as stdnum_nir

from vigie.identifiers import (
    REMARKS,
    kind_of_authority,
    nir_key,
    normal_authority,
    normalise,
    problem,
    professional,
)

FIRSTS = st.sampled_from("12")
MONTHS = st.one_of(st.integers(1, 12), st.integers(20, 42), st.integers(50, 99)).map(
    "{:02d}".format
)
DEPARTMENTS = st.one_of(
    st.integers(1, 99).map("{:02d}".format), st.sampled_from(["2A", "2B", "97", "98", "99"])
)


@st.composite
def thirteens(draw, firsts=FIRSTS):
    year = draw(st.integers(0, 99))
    rest = draw(st.integers(0, 999_999))
    return f"{draw(firsts)}{year:02d}{draw(MONTHS)}{draw(DEPARTMENTS)}{rest:06d}"


def with_key(thirteen):
    return f"{thirteen}{nir_key(thirteen):02d}"


@given(thirteens())
def test_a_nir_with_its_key_has_no_problem(thirteen):
    assert problem("nir", with_key(thirteen)) is None
    assert problem("nir", thirteen) is None
    assert stdnum_nir.is_valid(with_key(thirteen))


@given(thirteens(), st.integers(0, 14), st.integers(1, 9))
def test_any_single_digit_change_is_flagged(thirteen, place, step):
    number = with_key(thirteen)
    if not number[place].isdigit():
        return
    changed = f"{number[:place]}{(int(number[place]) + step) % 10}{number[place + 1 :]}"
    assert problem("nir", changed) not in REMARKS | {None}


@given(thirteens(), st.sampled_from([" ", ".", "-", "\u00a0", "\u202f"]))
def test_every_writing_of_a_nir_has_one_normal_form(thirteen, blank):
    number = with_key(thirteen)
    cuts = (1, 3, 5, 7, 10, 13, 15)
    spaced = blank.join(number[a:b] for a, b in zip((0, *cuts), cuts, strict=False))
    writings = {number, number.lower(), thirteen, thirteen.lower(), spaced, f"  {spaced} "}
    assert {normalise("nir", writing) for writing in writings} == {number}


@given(st.sampled_from(["nir", "ins", "rpps", "adeli", "finess", "idnat_ps", "ipp"]), st.text())
def test_nothing_is_dropped_and_normal_forms_are_stable(kind, value):
    once = normalise(kind, value)
    assert once or not value.strip()
    assert normalise(kind, once) == once
    problem(kind, value)
    professional(value)


@pytest.mark.parametrize(
    "number",
    [
        "255081416802538",  # born in the Calvados
        "295109912611193",  # born abroad
        "253072B07300470",  # Corsica, from stdnum's own examples
        "253072A07300443",
    ],
)
def test_sourced_nirs(number):
    assert problem("nir", number) is None
    assert nir_key(number[:13]) == int(number[13:])


@pytest.mark.parametrize(
    ("thirteen", "expected"),
    [
        ("1850597105022", None),  # Guadeloupe: three digits of département
        ("2850598735001", None),  # French Polynesia
        ("1852099126001", None),  # month not known
        ("1853175056001", None),
        ("1854275056001", None),
        ("1855075056001", None),
        ("1859975056001", None),
        ("1850075056001", "nir_month"),
        ("1851375056001", "nir_month"),
        ("1851975056001", "nir_month"),
        ("1854375056001", "nir_month"),
        ("1850500056001", "nir_department"),
        ("3850575056001", "nir_provisional"),
        ("4850575056001", "nir_provisional"),
        ("7850575056001", "nir_provisional"),
        ("8850575056001", "nir_provisional"),
        ("0850575056001", "nir_sex"),
        ("9850575056001", "nir_sex"),
    ],
)
def test_the_parts_of_a_nir(thirteen, expected):
    assert problem("nir", with_key(thirteen)) == expected
    assert problem("nir", thirteen) == expected


def test_a_nia_is_provisional_by_nature_and_not_flagged_for_it():
    assert problem("nia", with_key("7850575056001")) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "nir_length"),
        ("25508141680253", "nir_length"),
        ("2550814168025380", "nir_length"),
        ("253072C07300443", "nir_format"),
        ("25307A207300443", "nir_format"),
        ("٢55081416802538", "nir_format"),
        ("255081416802500", "nir_key"),
    ],
)
def test_malformed_nirs_are_flagged_and_kept(value, expected):
    assert problem("nir", value) == expected
    assert normalise("nir", value) == value


class TestWhereStdnumIsNotEnough:
    """python-stdnum checks the key and the Corsican letters, and nothing else of the parts."""

    def test_it_computes_the_key_as_we_need_it(self):
        assert stdnum_nir.calc_check_digits("253072A073004") == "43"

    def test_it_refuses_thirteen_digits(self):
        with pytest.raises(InvalidLength):
            stdnum_nir.validate("2550814168025")

    def test_it_refuses_dashes(self):
        with pytest.raises(InvalidFormat):
            stdnum_nir.validate("2-55-08-14-168-025-38")

    @pytest.mark.parametrize(
        "thirteen", ["0850575056001", "1850075056001", "1851375056001", "1850500056001"]
    )
    def test_it_accepts_parts_that_do_not_exist(self, thirteen):
        assert stdnum_nir.is_valid(with_key(thirteen))
        assert problem("nir", with_key(thirteen)) is not None

    def test_it_does_not_tell_a_provisional_number(self):
        assert stdnum_nir.is_valid(with_key("7850575056001"))

    def test_a_wrong_key_is_the_same_fault_in_both(self):
        with pytest.raises(InvalidChecksum):
            stdnum_nir.validate("255081416802539")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("255081416802538", None),
        ("255081416802538^^^&1.2.250.1.213.1.4.8&ISO^NH", None),
        ("urn:oid:1.2.250.1.213.1.4.8|255081416802538", None),
        ("255081416802539^^^&1.2.250.1.213.1.4.8&ISO", "nir_key"),
        ("255081416802538^^^&1.2.250.1.213.1.4.10&ISO", "ins_test"),
        ("255081416802538^^^&1.2.250.1.213.1.4.11&ISO", "ins_demo"),
        ("785057505600174^^^&1.2.250.1.213.1.4.9&ISO", "nir_key"),
    ],
)
def test_an_ins_is_judged_with_its_oid(value, expected):
    assert problem("ins", value) == expected
    assert normalise("ins", value).isdigit()
    assert len(normalise("ins", value)) == 15


def test_test_identities_are_flagged_by_their_authority():
    kind = kind_of_authority("urn:oid:1.2.250.1.213.1.4.10")
    assert problem(kind, "255081416802538") == "ins_test"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("rpps", "99700366240", None),
        ("rpps", "899700366240", None),
        ("rpps", "80123456789", "rpps_luhn"),
        ("rpps", "20003345781", "rpps_luhn"),
        ("rpps", "9970036624", "rpps_length"),
        ("rpps", "9970036624X", "rpps_format"),
        ("adeli", "759100012", None),
        ("adeli", "2A9100012", None),
        ("adeli", "75910001", "adeli_length"),
        ("adeli", "7591000X2", "adeli_format"),
        ("finess", "750100125", None),
        ("finess", "750712184", None),
        ("finess", "330780000", "finess_luhn"),
        ("finess", "0B0172805", None),
        ("finess", "2A0000014", None),
        ("finess", "75010012", "finess_length"),
        ("idnat_ps", "899700366240", None),
        ("idnat_ps", "880123456789", "rpps_luhn"),
        ("idnat_ps", "0759100012", None),
        ("idnat_ps", "3750100125/11242343", None),
        ("idnat_ps", "3456780581/11242343", "finess_luhn"),  # published, fictitious
        ("idnat_ps", "3330780000/1", "finess_luhn"),
        ("idnat_ps", "dupont", "idnat_ps_format"),
        ("idnat_struct", "10B0172805", None),
        ("idnat_struct", "1330780000", "finess_luhn"),
        ("idnat_struct", "499700366240007", None),
        ("idnat_struct", "R95141", None),
        ("idnat_struct", "F0B0172805", None),
        ("idnat_struct", "?", "idnat_struct_format"),
        ("ins_c", "1234567890123456789012", None),
        ("ins_c", "12", "ins_c_format"),
        ("ipp", "whatever", None),
    ],
)
def test_other_identifiers(kind, value, expected):
    assert problem(kind, value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("899700366240", ("rpps", "99700366240")),
        ("99700366240", ("rpps", "99700366240")),
        ("997 003 66240", ("rpps", "99700366240")),
        ("0759100012", ("adeli", "759100012")),
        ("759100012", ("adeli", "759100012")),
        ("3456780581/11242343", ("finess_local", "456780581/11242343")),
        ("4732829320/77", ("siren_local", "732829320/77")),
        ("1cab/77", ("cabinet_local", "CAB/77")),
        ("3456780581/", None),
        ("8/12", None),
        ("jdupont", None),
        ("", None),
    ],
)
def test_professionals_are_recognised(value, expected):
    assert professional(value) == expected


@pytest.mark.parametrize(
    ("system", "kind"),
    [
        ("1.2.250.1.213.1.4.8", "nir"),
        ("urn:oid:1.2.250.1.213.1.4.9", "nia"),
        ("URN:OID:1.2.250.1.213.1.4.10", "ins_test"),
        ("urn:oid:1.2.250.1.213.1.4.11", "ins_demo"),
        ("urn:oid:1.2.250.1.71.4.2.1", "idnat_ps"),
        ("1.2.250.1.71.4.2.2", "idnat_struct"),
        ("https://rpps.esante.gouv.fr", "rpps"),
        ("HTTP://RPPS.esante.gouv.fr/", "rpps"),
        ("https://finess.esante.gouv.fr", "finess"),
        ("https://adeli.esante.gouv.fr", "adeli"),
        ("urn:oid:2.16.840.1.113883.4.2", None),
        ("", None),
    ],
)
def test_authorities(system, kind):
    assert kind_of_authority(system) == kind


def test_one_authority_has_one_writing():
    assert normal_authority("urn:oid:1.2.250.1.213.1.4.8") == normal_authority(
        "1.2.250.1.213.1.4.8"
    )
    assert normal_authority("https://hopital-a.fr/IPP/") == "https://hopital-a.fr/IPP"
