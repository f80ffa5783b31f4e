"""The query of an audit message: its shape and whom it names, whatever language it is in.

`ParticipantObjectQuery` holds, in base64, the query as it travelled: HL7, a registry's, or a FHIR
request or its parameters alone.
"""

import re
from typing import Final

from vigie.readers.fhir.queries import decoded
from vigie.readers.fhir.queries import read_query as read_fhir
from vigie.readers.hl7 import UNKNOWN, Query, read_hl7

LONGEST: Final = 1 << 18
"""A longer query is not looked into: its shape stays unknown."""

_REQUEST: Final = re.compile(
    r"(?:(?:GET|POST) )?(?:https?://|/|\?|[\w.$/-]+\?|[A-Z][A-Za-z]+/|[\w.:-]+=[^<>]*\Z|\{)"
)


def read_query(encoded: str) -> Query:
    """Read a query, in base64 or (against the standard) plain.

    >>> read_query("MSH|^~\\\\&|A\\rQPD|Q22|t|@PID.5.1^DUP*")
    Query(shape='prefix', patients=(), request=None)
    """
    if not encoded.strip() or len(encoded) > LONGEST:
        return UNKNOWN
    text = decoded(encoded).strip()
    found = read_hl7(text)
    return found or (_request(text) if _REQUEST.match(text) else UNKNOWN)


def _request(text: str) -> Query:
    found = read_fhir(text)
    patients = (f"{authority}|{v}" if authority else v for authority, v in found.patients)
    return Query(found.shape, tuple(patients), found.request)
