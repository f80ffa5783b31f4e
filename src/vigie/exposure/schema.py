"""The table of exposure: one row per person, data class, way, account, controller and certainty."""

from typing import Final

import pyarrow as pa

from vigie.events import KEY, TIME

HOWS: Final = ("listed", "opened", "exported", "reachable")
"""A result page lists; a record, a rights check or an invoice opens; an export or a print takes
away; `reachable` is what a request whose results were not logged may have shown."""

CERTAINTIES: Final = ("certain", "probable", "not_separable", "possible", "owner")
"""Whose access it was, from the thief's to the owner's. `not_separable`: nothing in the log tells
the two apart. The table holds no `owner` row unless it is asked for."""
SURE: Final = CERTAINTIES[:2]
"""Those under which a person is told that data were seen, not that they may have been.

What cannot be told from the owner's accesses counts, and is said as what it is."""

EXPOSURE: Final = pa.schema(
    [
        pa.field("patient", KEY, nullable=False),
        pa.field("data_class", pa.string(), nullable=False),
        pa.field("how", pa.string(), nullable=False),
        pa.field("first_at", TIME, nullable=False),
        pa.field("last_at", TIME, nullable=False),
        pa.field("account", pa.string(), nullable=False),
        pa.field("controller", pa.string()),
        pa.field("certainty", pa.string(), nullable=False),
        pa.field("accesses", pa.int64(), nullable=False),
    ]
)
"""`patient` is the person's key (see `vigie.exposure.persons`): the pseudonym of the identifier by
which the person is counted. `data_class` is one of `records.DATA_CLASSES`; `controller` is null
when no contract in force names one. Rows are sorted by all columns from left to right, first and
last time apart. A person whose data have two controllers has rows for each."""

IDENTIFIERS: Final = pa.schema(
    [pa.field("identifier", KEY, nullable=False), pa.field("person", KEY, nullable=False)]
)
"""Every pseudonym that the log names in this exposure, and the person it counts as. A register is
joined through it: any of a person's identifiers leads to the person."""
