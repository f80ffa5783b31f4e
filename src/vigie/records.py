"""The small dated tables beside the waist: what a screen shows, who is one person, whose they are.

Each row says from when to when it holds and, where it is a declaration, by whom it was attested:
a wrong declaration is corrected by a new row, and what followed from it is computed again.
`valid_from` is included, `valid_until` excluded; null means without end.
"""

from typing import Final

import pyarrow as pa

from vigie.events import KEY, TIME

DATA_CLASSES: Final = (
    "identity",
    "nir",
    "contact",
    "coverage",
    "bank",
    "appointments",
    "medical",
    "prescription",
    "notes",
    "unknown",
)

SCREENS: Final = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("object", pa.string(), nullable=False),
        pa.field("data_class", pa.string(), nullable=False),
        pa.field("valid_from", TIME),
        pa.field("valid_until", TIME),
        pa.field("attested_by", pa.string()),
        pa.field("attested_on", pa.date32()),
    ]
)
"""Screen, endpoint or object type → the classes of data it shows. Not attested = `unknown`."""

IDENTITIES: Final = pa.schema(
    [
        pa.field("patient", KEY, nullable=False),
        pa.field("person", KEY, nullable=False),
        pa.field("change", pa.string(), nullable=False),
        pa.field("valid_from", TIME),
        pa.field("valid_until", TIME),
        pa.field("source", pa.string()),
    ]
)
"""Pseudonym of one identifier → person. `change` is `same`, `merge` or `unmerge`."""

CONTRACTS: Final = pa.schema(
    [
        pa.field("person", KEY),
        pa.field("organisation", pa.string()),
        pa.field("controller", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("valid_from", TIME),
        pa.field("valid_until", TIME),
    ]
)
"""Person (or everyone seen at an organisation) → controller, with the role that makes it one:
`controller`, `joint_controller`, `processor`."""

AUTHORITIES: Final = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
    ]
)
"""Source → kind of the identifiers by which it names patients (`nir`, `ins`, `local`), where its
mapping says so. A social-security number may be that of several persons."""

OWNERS: Final = ("organisation", "unit", "professional", "account")
"""Whose a care relation may be, the most general first."""

CARE_KINDS: Final = ("appointment", "stay", "prescription", "care_team", "referral")

CARE: Final = pa.schema(
    [
        pa.field("patient", KEY, nullable=False),
        pa.field("account", pa.string()),
        pa.field("professional", pa.string()),
        pa.field("organisation", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("valid_from", TIME, nullable=False),
        pa.field("valid_until", TIME),
        pa.field("recorded_at", TIME),
        pa.field("record", KEY),
        pa.field("source", pa.string(), nullable=False),
        pa.field("source_ref", pa.string()),
    ]
)
"""Care relation, as a source keeps it beside its log: why somebody meets this patient.

It is with an account, a professional, a unit or an organisation, whichever the source says, and of
one of CARE_KINDS. `recorded_at` is when it became known: what was entered after an access explains
it only weakly, so null counts as known from `valid_from`. Rows of one `record` (the source's own
number, keyed) are versions of one relation: each counts until the next was recorded. `source_ref`
is file and line."""

STAFF: Final = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("organisation", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("surname_key", KEY),
        pa.field("address_key", KEY),
        pa.field("patient", KEY),
    ]
)
"""Who holds an account, keyed as the patients of the waist are: surname, address, and the number
under which the person is a patient. `organisation` tells colleagues from others, `unit` those who
work together; people of whom no organisation is said are of one."""

TABLES: Final = {
    "screens": SCREENS, "identities": IDENTITIES, "contracts": CONTRACTS, "care": CARE,
    "authorities": AUTHORITIES, "staff": STAFF,
}  # fmt: skip

LONG: Final = frozenset({"care", "identities", "contracts"})
"""Tables that may have a row per person, or more: a question reads them where they lie."""

PARTED: Final = frozenset({"care"})
"""Tables that grow by parts, one for each file read; the others are declared anew as a whole."""
