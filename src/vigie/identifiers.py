"""French identifiers of patients, professionals and structures: normal form, faults, authority.

An identifier is never refused: `normalise` gives the form under which it is pseudonymised (an
invalid one stays as it was written, less outer blanks), `problem` names in one word what is wrong
or remarkable about it, and the row keeps both.

Kinds: `nir`, `nia`, `ins`, `ins_test`, `ins_demo`, `ins_c` (patients); `rpps`, `adeli`, `idnat_ps`
(professionals); `finess`, `siren`, `siret`, `idnat_struct` (structures). Any other kind has no
known form and no fault.

Sources: INSEE on the NIR (key 97 less the remainder of 97; months 20 to 42 and 50 to 99 for
incomplete civil records); ANS, CI-SIS, for IdNat_PS, IdNat_Struct and the OIDs; FR Core and the
Annuaire Santé for the FHIR systems.
"""

import re
from typing import Final

from stdnum import luhn
from stdnum.fr import nir as stdnum_nir

_OID_KINDS: Final = {
    "1.2.250.1.213.1.4.2": "ins_c",
    "1.2.250.1.213.1.4.8": "nir",
    "1.2.250.1.213.1.4.9": "nia",
    "1.2.250.1.213.1.4.10": "ins_test",
    "1.2.250.1.213.1.4.11": "ins_demo",
    "1.2.250.1.71.4.2.1": "idnat_ps",
    "1.2.250.1.71.4.2.2": "idnat_struct",
}
_SITE_KINDS: Final = {
    "rpps.esante.gouv.fr": "rpps",
    "rpps.fr": "rpps",
    "adeli.esante.gouv.fr": "adeli",
    "finess.esante.gouv.fr": "finess",
    "finess.sante.gouv.fr": "finess",
    "sirene.fr": "siren",
}
_PERSON_PREFIXES: Final = {
    "0": "adeli",
    "1": "cabinet_local",
    "3": "finess_local",
    "4": "siren_local",
    "5": "siret_local",
    "6": "cabinet_local",
    "8": "rpps",
}
_STRUCTURE_PREFIXES: Final = {"1": "finess", "2": "siren", "3": "siret"}
_SHAPES: Final = {
    "rpps": (11, re.compile(r"[0-9]{11}")),
    "adeli": (9, re.compile(r"[0-9][0-9AB][0-9]{7}")),
    "finess": (9, re.compile(r"[0-9][0-9A-Z][0-9]{7}")),
    "siren": (9, re.compile(r"[0-9]{9}")),
    "siret": (14, re.compile(r"[0-9]{14}")),
}
_LUHN_KINDS: Final = frozenset({"rpps", "finess", "siren", "siret"})
_NIR: Final = re.compile(r"([0-9])[0-9]{2}([0-9]{2})([0-9]{2}|2[AB])[0-9]{6}([0-9]{2})?")
_NIR_KINDS: Final = frozenset({"nir", "nia", "ins", "ins_test", "ins_demo"})
KINDS: Final = _NIR_KINDS | {"ins_c", "idnat_ps", "idnat_struct", *_SHAPES}
"""Kinds that have a normal form."""
_BLANKS: Final = re.compile(r"[\s.\-\u2010-\u2015/]+")
_IN_VALUE: Final = re.compile(r"[&|^]")
_OID: Final = re.compile(r"[0-2](\.[0-9]+){3,}")

REMARKS: Final = frozenset({"nir_provisional", "ins_test", "ins_demo"})
"""What `problem` says that is no fault: a temporary number, an identity that is nobody's."""


def normalise(kind: str, value: str) -> str:
    """Return the normal form of `value`, or `value` less outer blanks when it has none.

    A NIR gets its key when it was written without, so that both writings are one identifier; an
    INS loses the OID that came with it, which belongs to its authority.

    >>> normalise("nir", "2 53 07 2b 073 004")
    '253072B07300470'
    >>> normalise("rpps", "899700366240")
    '99700366240'
    >>> normalise("nir", " not known ")
    'not known'
    """
    if kind not in KINDS:
        return value.strip()
    if kind == "ins":
        value = _without_oid(value)
    if kind in _NIR_KINDS:
        return _normal_nir(value)
    if kind == "idnat_ps":
        return value.strip().upper()
    compact = _compact(value)
    if kind == "rpps" and len(compact) == 12 and compact.startswith("8"):
        compact = compact[1:]
    shape = _SHAPES.get(kind)
    return compact if shape and shape[1].fullmatch(compact) else value.strip()


def problem(kind: str, value: str) -> str | None:
    """Say in one word what is wrong with `value`, or remarkable (see REMARKS); else None.

    Without its key a NIR has no fault; with an OID of test or demonstration an INS is nobody's.

    >>> problem("nir", "255081416802539"), problem("nir", "255081416802538")
    ('nir_key', None)
    >>> problem("ins", "255081416802538^^^&1.2.250.1.213.1.4.10&ISO^NH")
    'ins_test'
    """
    if kind not in KINDS:
        return None
    if kind == "ins":
        kind = _kind_in(value) or "nir"
        value = _without_oid(value)
    if kind in ("ins_test", "ins_demo"):
        return kind
    if kind in ("nir", "nia"):
        return _nir_problem(_compact(value), kind)
    if kind == "ins_c":
        return None if re.fullmatch(r"[0-9]{22}", _compact(value)) else "ins_c_format"
    if kind == "idnat_ps":
        return _person_problem(value)
    if kind == "idnat_struct":
        return _structure_problem(_compact(value))
    return _shape_problem(kind, normalise(kind, value))


def professional(value: str) -> tuple[str, str] | None:
    """Recognise a professional's national identifier: its kind and its normal form.

    Kinds are `rpps`, `adeli`, and for the staff of a structure `finess_local`, `siren_local`,
    `siret_local`, `cabinet_local` (structure, then its own number). Ten digits may be a telephone
    and nine a SIREN: ask only of a column that is said to hold such identifiers.

    >>> professional("899700366240")
    ('rpps', '99700366240')
    >>> professional("3456780581/11242343")
    ('finess_local', '456780581/11242343')
    >>> professional("jdupont")
    """
    text = value.strip().upper()
    if "/" in text:
        kind = _PERSON_PREFIXES.get(text[:1])
        local = kind is not None and kind.endswith("_local")
        return (str(kind), text[1:]) if local and _local_parts(text[1:]) else None
    compact = _compact(text)
    for kind, length in (("rpps", 11), ("adeli", 9)):
        prefix = "8" if kind == "rpps" else "0"
        bare = compact[1:] if len(compact) == length + 1 and compact[0] == prefix else compact
        if _SHAPES[kind][1].fullmatch(bare):
            return kind, bare
    return None


def kind_of_authority(system: str) -> str | None:
    """Return the kind of identifier that an OID, `urn:oid:` or FHIR system gives, when national.

    >>> kind_of_authority("urn:oid:1.2.250.1.213.1.4.8"), kind_of_authority("1.2.250.1.71.4.2.1")
    ('nir', 'idnat_ps')
    >>> kind_of_authority("https://rpps.esante.gouv.fr"), kind_of_authority("urn:oid:1.2.3")
    ('rpps', None)
    """
    name = normal_authority(system)
    return _OID_KINDS.get(name) or _SITE_KINDS.get(re.sub("^https?://", "", name))


def normal_authority(system: str) -> str:
    """Return an assigning authority in one writing: a bare OID, or the system less final slashes.

    The same INS under `urn:oid:1.2.250.1.213.1.4.8` and under the bare OID is one identifier.

    >>> normal_authority("URN:OID:1.2.250.1.213.1.4.8")
    '1.2.250.1.213.1.4.8'
    """
    name = system.strip()
    if name.lower().startswith("urn:oid:"):
        return name[8:]
    return re.sub("^[Hh][Tt][Tt][Pp][Ss]?://[^/]*", lambda m: m[0].lower(), name).rstrip("/")


def nir_key(thirteen: str) -> int:
    """Return the key (1 to 97) of the 13 characters of a NIR, Corsica included.

    >>> nir_key("2550814168025"), nir_key("253072B073004")
    (38, 70)
    """
    return int(stdnum_nir.calc_check_digits(thirteen))


def _compact(value: str) -> str:
    if value.isalnum():
        return value.upper()
    return _BLANKS.sub("", value).upper()


def _normal_nir(value: str) -> str:
    compact = _compact(value)
    if not _NIR.fullmatch(compact):
        return value.strip()
    return compact if len(compact) == 15 else f"{compact}{nir_key(compact):02d}"


def _nir_problem(number: str, kind: str) -> str | None:
    if len(number) not in (13, 15):
        return "nir_length"
    found = _NIR.fullmatch(number)
    if not found:
        return "nir_format"
    first, month, department, key = found.groups()
    if key and int(key) != nir_key(number[:13]):
        return "nir_key"
    if first in "0569":
        return "nir_sex"
    if month == "00" or "13" <= month <= "19" or "43" <= month <= "49":
        return "nir_month"
    if department == "00":
        return "nir_department"
    return "nir_provisional" if first in "3478" and kind == "nir" else None


def _shape_problem(kind: str, value: str) -> str | None:
    if kind not in _SHAPES:  # the number of a practice has no published form
        return None
    length, shape = _SHAPES[kind]
    if len(value) != length:
        return f"{kind}_length"
    if not shape.fullmatch(value):
        return f"{kind}_format"
    checked = kind in _LUHN_KINDS and value.isdigit()
    return f"{kind}_luhn" if checked and not luhn.is_valid(value) else None


def _person_problem(value: str) -> str | None:
    known = professional(value)
    if known is None or value.strip()[:1] not in _PERSON_PREFIXES:
        return "idnat_ps_format"
    kind, bare = known
    structure = kind.removesuffix("_local")
    return _shape_problem(structure, bare.split("/")[0])


def _structure_problem(value: str) -> str | None:
    kind = _STRUCTURE_PREFIXES.get(value[:1])
    if kind:
        return _shape_problem(kind, value[1:])
    return None if re.fullmatch(r"[04FR][0-9A-Z]+", value) else "idnat_struct_format"


def _local_parts(text: str) -> bool:
    structure, _, number = text.partition("/")
    return bool(structure and number)


def _kind_in(value: str) -> str | None:
    """The kind said by an OID that came with the value, as HL7 CX or as a FHIR token."""
    parts = (normal_authority(part) for part in _IN_VALUE.split(value))
    return next((_OID_KINDS[part] for part in parts if part in _OID_KINDS), None)


def _without_oid(value: str) -> str:
    parts = [part.strip() for part in _IN_VALUE.split(value)]
    named = (part for part in parts if part and not _OID.fullmatch(normal_authority(part)))
    return next(named, value)


_LIKE_A_NIR: Final = re.compile(
    r"(?<!\d)[1-478](?:[ ._-]?\d){5}[ ._-]?[0-9AB](?:[ ._-]?\d){8}(?!\d)"
)


def without_nir(text: str) -> str:
    """Return `text`, such as the name of a file, with "NIR" in place of every sound NIR in it.

    >>> without_nir("export_255081416802538.csv"), without_nir("2025-10-26 1738317600000.log")
    ('export_NIR.csv', '2025-10-26 1738317600000.log')
    """
    return _LIKE_A_NIR.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    number = re.sub("[ ._-]", "", found.group())
    return found.group() if problem("nir", number) else "NIR"
