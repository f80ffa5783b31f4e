"""The code tables that all audit messages share: which event is which action, under what name.

ATNA messages and FHIR AuditEvents both name events by them; what FHIR alone says is in
`fhir.codes`.
Sources: DICOM PS3.16 CID 400 to 405 (events, roles, media), PS3.15 A.5; RFC 3881 section 5;
IHE ITI TF-2, the audit section of each transaction, and those of IHE RAD, PCC and PHARM.
"""

import re
from functools import lru_cache
from typing import Final

EVENTS: Final = {
    "110100": "Application Activity",
    "110101": "Audit Log Used",
    "110102": "Begin Transferring DICOM Instances",
    "110103": "DICOM Instances Accessed",
    "110104": "DICOM Instances Transferred",
    "110105": "DICOM Study Deleted",
    "110106": "Export",
    "110107": "Import",
    "110108": "Network Entry",
    "110109": "Order Record",
    "110110": "Patient Record",
    "110111": "Procedure Record",
    "110112": "Query",
    "110113": "Security Alert",
    "110114": "User Authentication",
    "110120": "Application Start",
    "110121": "Application Stop",
    "110122": "Login",
    "110123": "Logout",
    "110124": "Attach",
    "110125": "Detach",
    "110126": "Node Authentication",
    "110127": "Emergency Override Started",
    "110128": "Network Configuration",
    "110129": "Security Configuration",
    "110130": "Hardware Configuration",
    "110131": "Software Configuration",
    "110132": "Use of Restricted Function",
    "110133": "Audit Recording Stopped",
    "110134": "Audit Recording Started",
    "110135": "Object Security Attributes Changed",
    "110136": "Security Roles Changed",
    "110137": "User Security Attributes Changed",
    "110138": "Emergency Override Stopped",
    "110139": "Remote Service Operation Started",
    "110140": "Remote Service Operation Stopped",
    "110141": "Local Service Operation Started",
    "110142": "Local Service Operation Stopped",
}
"""The meaning of the DICOM codes of events and event types."""

_BY_TYPE: Final = {
    "110122": "login", "110123": "logout", "110124": "other", "110125": "other",
    "110126": "login", "110127": "break_glass",
    "110133": "log_change", "110134": "log_change",
    "110129": "privilege_change", "110135": "privilege_change",
    "110136": "privilege_change", "110137": "privilege_change",
}  # fmt: skip
_BY_EVENT: Final = {
    "110100": "other", "110102": "open", "110104": "open", "110105": "delete",
    "110106": "export", "110107": "create", "110108": "other", "110112": "search",
    "110113": "other", "110114": "login",
}  # fmt: skip
_SEARCHES: Final = (
    "ITI-9 ITI-16 ITI-18 ITI-21 ITI-22 ITI-38 ITI-45 ITI-47 ITI-51 ITI-55 ITI-56 ITI-66 ITI-67 "
    "ITI-73 ITI-78 ITI-83 ITI-119 RAD-14 RAD-45 RAD-70 RAD-107 RAD-129 PCC-1 PCC-44 PHARM-1 "
    "QEDM-1 CARD-5 RAD-5 RAD-18"
)  # fmt: skip
_OPENINGS: Final = (
    "ITI-11 ITI-12 ITI-17 ITI-39 ITI-43 ITI-63 ITI-68 RAD-16 RAD-17 RAD-27 RAD-31 RAD-43 RAD-44 "
    "RAD-55 RAD-69 RAD-75"
)  # fmt: skip
_CREATIONS: Final = "ITI-14 ITI-15 ITI-41 ITI-42 ITI-52 ITI-61 ITI-65 ITI-80 ITI-105 RAD-68 RAD-124"
_BY_TRANSACTION: Final = {
    **dict.fromkeys(_SEARCHES.split(), "search"),
    **dict.fromkeys(_OPENINGS.split(), "open"),
    **dict.fromkeys(_CREATIONS.split(), "create"),
    "ITI-32": "export", "ITI-57": "update", "ITI-62": "delete", "ITI-86": "delete",
    "ITI-92": "update", "ITI-2": "login", "ITI-19": "login", "ITI-40": "other",
}  # fmt: skip
"""A transaction says more than its event: the consumer of ITI-43 writes an import and the
repository an export, and a document was read."""

_BY_ACTION_CODE: Final = {
    "C": "create", "R": "open", "U": "update", "D": "delete", "E": "other",
}  # fmt: skip
_BY_LIFE_CYCLE: Final = {
    "1": "create", "2": "create", "3": "update", "6": "open", "9": "print", "10": "export",
    "11": "export", "12": "open", "14": "delete", "15": "delete",
}  # fmt: skip
_ON_PAPER: Final = frozenset({"110010", "110038"})

OUTCOMES: Final = {
    "0": "success", "4": "minor_failure", "8": "serious_failure", "12": "major_failure",
}  # fmt: skip

APPLICATION, LAUNCHER, DESTINATION, SOURCE = "110150", "110151", "110152", "110153"
MACHINE_ROLES: Final = frozenset({APPLICATION, DESTINATION, SOURCE, "110154", "110155"})
"""Roles that DICOM CID 402 gives to ends of a transfer, and not to people."""
PASSIVE_ROLES: Final = frozenset({*MACHINE_ROLES, LAUNCHER})

RETRIEVALS: Final = frozenset(_OPENINGS.split())
"""Transactions in which the reader is the destination, not the source."""

_TRANSACTION: Final = re.compile(r"([A-Za-z]{2,8})[ _-]?([0-9]{1,4})")
_PROFILES: Final = frozenset(
    {"ITI", "RAD", "PCC", "PHARM", "CARD", "QRPH", "PCH", "DEV", "LAB", "PAT", "EYE", "QEDM"}
)


def transaction(code: str) -> str | None:
    """Return an IHE transaction in its usual writing, or None.

    >>> transaction("iti 45"), transaction("110112")
    ('ITI-45', None)
    """
    found = _TRANSACTION.fullmatch(code.strip())
    if found is None or found[1].upper() not in _PROFILES:
        return None
    return f"{found[1].upper()}-{int(found[2])}"


@lru_cache(1 << 14)
def action_of(
    event: str, types: tuple[str, ...], action_code: str, life_cycle: str, medium: str
) -> str | None:
    """Return the waist's action, or None when the message names neither event nor action.

    The most telling word wins: the event type (a login, a transaction), then the event, then the
    action code, then the life cycle of the patient's data (RFC 3881).

    >>> action_of("110107", ("ITI-43",), "C", "", ""), action_of("110110", (), "R", "", "")
    ('open', 'open')
    """
    for code in (*types, event):
        named = _BY_TYPE.get(code) or _BY_TRANSACTION.get(transaction(code) or "")
        if named:
            return named
    named = _BY_EVENT.get(event)
    if named == "export" and medium in _ON_PAPER:
        return "print"
    if event == "110101":
        named = "log_change" if action_code in ("C", "U", "D") else "other"
    if named:
        return named
    if action_code in ("", "E") and life_cycle in _BY_LIFE_CYCLE:
        return _BY_LIFE_CYCLE[life_cycle]
    return _BY_ACTION_CODE.get(action_code, "other" if event or types or action_code else None)


@lru_cache(1 << 14)
def object_of(event: str, types: tuple[str, ...]) -> str | None:
    """Return what was touched: the transaction, else the meaning of the event type or event.

    >>> object_of("110112", ("ITI-45",)), object_of("110114", ("110122",))
    ('ITI-45', 'Login')
    """
    named = next(filter(None, map(transaction, types)), None)
    code = next(iter(types), event)
    return named or EVENTS.get(code, code) or None
