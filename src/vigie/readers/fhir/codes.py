"""What the codes of an AuditEvent mean in the waist: action, outcome, emergency.

Sources: DICOM PS3.16 CID 400 and 401 (events), PS3.15 A.5.2 (outcomes); HL7
`restful-interaction`, `iso-21089-lifecycle`, `audit-event-outcome`, `issue-severity`,
`v3-ActReason`; IHE transaction numbers; CI-SIS `bris_de_glace`, `centre_15`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from vigie.readers.audit_codes import EVENTS, transaction
from vigie.readers.audit_codes import action_of as dicom_action_of

_DECISIVE: Final = {
    "110127": "break_glass", "btg": "break_glass", "break-glass": "break_glass",
    "break-the-glass": "break_glass", "emergency-access-override": "break_glass",
    "bris_de_glace": "break_glass",
    "110122": "login", "login": "login", "110123": "logout", "logout": "logout",
    "110106": "export", "export": "export", "110107": "create", "print": "print",
}  # fmt: skip
"""Codes that settle the action wherever they stand (type, subtype, category or code)."""

_INTERACTIONS: Final = {
    "read": "open", "vread": "open", "history": "open", "history-instance": "open",
    "history-type": "list", "history-system": "list",
    "search": "search", "search-type": "search", "search-system": "search",
    "search-compartment": "search",
    "create": "create", "update": "update", "patch": "update", "delete": "delete",
    "create-conditional": "create", "update-conditional": "update",
    "patch-conditional": "update", "delete-conditional-single": "delete",
    "delete-conditional-multiple": "delete", "delete-history": "delete",
    "capabilities": "other", "AuthZ-Consent": "other", "AuthZ-Role": "other",
    "access": "open", "amend": "update", "destroy": "delete", "disclose": "export",
    "extract": "export", "link": "merge", "unlink": "merge", "merge": "merge",
    "unmerge": "merge", "originate": "create", "receive": "create", "report": "print",
    "transmit": "export", "reidentify": "open",
    "everything": "open", "summary": "open", "document": "open", "docref": "list",
    "match": "search", "ihe-pix": "search", "graphql": "search",
    "ITI-71": "login", "ITI-81": "search",
}  # fmt: skip
"""RESTful interactions, life-cycle events, operations and transactions that FHIR alone has."""

_LETTERS: Final = {"C": "create", "R": "open", "U": "update", "D": "delete"}

OUTCOMES: Final = {
    "0": "success", "success": "success", "information": "success",
    "4": "minor_failure", "warning": "minor_failure",
    "8": "serious_failure", "error": "serious_failure", "failure": "serious_failure",
    "12": "major_failure", "fatal": "major_failure",
}  # fmt: skip

EMERGENCIES: Final = frozenset({"ETREAT", "BTG", "ERTREAT", "bris_de_glace", "centre_15"})
"""Purposes of use that claim an emergency: told rather than any other given beside them."""

REQUEST_ID: Final = frozenset({"xrequestid", "x-request-id", "x-requestid"})


def action_of(
    subtypes: list[str], types: list[str], letter: str, own: Mapping[str, str]
) -> str | None:
    """Return the waist's action, or None when only the entities can tell.

    `own` is the mapping file's `[values.action]`: their code = our action, before any table.

    >>> action_of(["search-type"], ["rest"], "E", {}), action_of([], ["110110"], "R", {})
    ('search', 'open')
    """
    said = [*subtypes, *types]
    for table, codes in (
        (own, said),
        (_DECISIVE, [code.lower() for code in said]),
        (_INTERACTIONS, [code.removeprefix("$") for code in said]),
    ):
        found = next((table[code] for code in codes if code in table), None)
        if found:
            return found
    event = next((code for code in types if code in EVENTS), "")
    if event or any(code in EVENTS or transaction(code) for code in subtypes):
        named = dicom_action_of(event, tuple(subtypes), letter.upper(), "", "")
        return None if named == "other" and letter.upper() in _LETTERS else named
    return _LETTERS.get(letter.upper())


def fallback_action(letter: str) -> str:
    """Return what the action code alone says.

    >>> fallback_action("R"), fallback_action("E")
    ('open', 'other')
    """
    return _LETTERS.get(letter.upper(), "other")


def event_name(subtypes: list[str], types: list[str]) -> str | None:
    """Return the DICOM name of an event that touches no object, such as Login."""
    return next((EVENTS[code] for code in (*subtypes, *types) if code in EVENTS), None)


def outcome_of(said: Iterable[str]) -> str | None:
    """Return the waist's outcome of the first code it knows.

    >>> outcome_of(["error"]), outcome_of(["0"]), outcome_of([])
    ('serious_failure', 'success', None)
    """
    return next((OUTCOMES[code.lower()] for code in said if code.lower() in OUTCOMES), None)


def purpose_of(said: Iterable[str]) -> str | None:
    """Return the purpose of use: an emergency if one is claimed, else the first."""
    reasons = list(said)
    return next((code for code in reasons if code in EMERGENCIES), reasons[0] if reasons else None)
