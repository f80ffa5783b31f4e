"""What a logged HL7 query tells without letting its values out: its shape, and whom it names.

HL7 v2 (QPD segment), HL7 v3 (`queryByParameter`) and ebXML registry (`AdhocQuery`): audit messages
hold them, and so do AuditEvents made from audit messages. Only the names of parameters, stars, and
the patient whose identifier is asked for are looked at.

Sources: IHE ITI TF-2, 3.9, 3.18, 3.21, 3.45, 3.47, 3.55; HL7 v2.5 chapter 5.
"""

import re
from dataclasses import dataclass
from typing import Final

_SEGMENT: Final = re.compile(r"(?:^|[\r\n])(?:\s*)(QPD|QRD)\|([^\r\n]*)")
_FIELD: Final = re.compile(r"@([A-Z0-9]{3}\.\d+(?:\.\d+)*)\^([^~|]*)")
_V3: Final = re.compile(r"queryByParameter\b")
_V3_ID: Final = re.compile(
    r"<(?:\w+:)?(?:livingSubjectId|patientIdentifier|patientId)\b.*?<(?:\w+:)?value\b([^<>]*)",
    re.DOTALL,
)
_V3_NAME: Final = re.compile(
    r"<(?:\w+:)?livingSubjectName\b(.*?)</(?:\w+:)?livingSubjectName>", re.DOTALL
)
_V3_TEXT: Final = re.compile(r"<(?:\w+:)?(?:family|given|value)\b[^<>]*>([^<>]+)(?=<)")
_V3_OTHER: Final = re.compile(
    r"<(?:\w+:)?(?:livingSubject(?!Id\b|Name\b)\w+|patientAddress|mothersMaidenName|patientTelecom"
    r"|principalCareProviderId)\b"
)
_ROOT: Final = re.compile(r"\broot\s*=\s*[\"']([^\"']*)")
_EXTENSION: Final = re.compile(r"\bextension\s*=\s*[\"']([^\"']*)")
_ADHOC: Final = re.compile(r"AdhocQuery\b")
_SLOT: Final = re.compile(r"name\s*=\s*[\"']\$?(\w+)[\"'].*?<(?:\w+:)?Value>([^<]*)<", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Query:
    """`shape` is one of the waist's; `patients` are identifiers as they were written.

    `request` is a request id that other logs may share.
    """

    shape: str | None = None
    patients: tuple[str, ...] = ()
    request: str | None = None


UNKNOWN: Final = Query()


def read_hl7(text: str) -> Query | None:
    """Read a query of HL7 or of a registry; None when `text` is neither.

    >>> read_hl7("MSH|^~\\\\&|A\\rQPD|Q22|t|@PID.5.1^DUP*")
    Query(shape='prefix', patients=(), request=None)
    """
    segment = _SEGMENT.search(text)
    if segment:
        return _v2(segment[1], segment[2])
    if _V3.search(text):
        return _v3(text)
    return _adhoc(text) if _ADHOC.search(text) else None


def _v2(segment: str, fields: str) -> Query:
    """QPD-3 of a PIX query is the identifier; of a PDQ query, `@field^value` pairs."""
    if segment == "QRD":
        return UNKNOWN
    parts = fields.split("|")
    asked = parts[2] if len(parts) > 2 else ""
    pairs = _FIELD.findall(asked)
    if not pairs:
        return Query("exact_id", (asked,)) if asked.split("^")[0] else Query("none")
    found = {name: value for name, value in pairs if value}
    shape = _shape(
        any(_is_field(name, "PID.3", "PID.18", "PID.2") for name in found),
        [value for name, value in found.items() if _is_field(name, "PID.5")],
        any(not _is_field(name, "PID.3", "PID.18", "PID.2", "PID.5") for name in found),
    )
    return Query(shape, _v2_patient(found))


def _is_field(name: str, *fields: str) -> bool:
    return any(name == field or name.startswith(f"{field}.") for field in fields)


def _v2_patient(found: dict[str, str]) -> tuple[str, ...]:
    value = found.get("PID.3.1") or found.get("PID.3")
    if not value:
        return ()
    authority = found.get("PID.3.4.2") or found.get("PID.3.4") or found.get("PID.3.4.1") or ""
    return (value if "^" in value or not authority else f"{value}^^^&{authority}&ISO",)


def _v3(text: str) -> Query:
    identifier = _V3_ID.search(text)
    names = [word for part in _V3_NAME.findall(text) for word in _V3_TEXT.findall(part)]
    shape = _shape(
        identifier is not None, [n for n in names if n.strip()], bool(_V3_OTHER.search(text))
    )
    root, extension = (
        (_ROOT.search(identifier[1]), _EXTENSION.search(identifier[1]))
        if identifier
        else (None, None)
    )
    if root is None or extension is None or not extension[1]:
        return Query(shape)
    return Query(shape, (f"{extension[1]}^^^&{root[1]}&ISO",))


def _adhoc(text: str) -> Query:
    """A registry query is about one patient, or about documents that are already known."""
    patients: list[str] = []
    shape = "criteria"
    for name, value in _SLOT.findall(text):
        if name.endswith("PatientId"):
            said = [part.strip().strip("'") for part in value.strip().strip("()").split(",")]
            patients.extend(part.replace("&amp;", "&") for part in said if part)
        if name.endswith(("PatientId", "UniqueId", "EntryUUID", "uuid")):
            shape = "exact_id"
    return Query(shape, tuple(patients))


def _shape(by_id: bool, names: list[str], otherwise: bool) -> str:
    """Return the shape of a query by identifier, names or other traits.

    >>> _shape(False, ["DUP*"], False), _shape(False, ["DUPONT"], True), _shape(False, [], False)
    ('prefix', 'criteria', 'none')
    """
    if by_id:
        return "exact_id"
    marked = [name.strip() for name in names if re.search(r"[*%]", name)]
    if marked:
        return "prefix" if all(re.fullmatch(r"[^*%]+[*%]", name) for name in marked) else "wildcard"
    if otherwise:
        return "criteria"
    return "exact_name" if names else "none"
