"""The waist: one row per (access, patient), the only table that every stage shares.

Text columns are dictionary-encoded: a log repeats its accounts, screens and networks. A null
means "the log does not say". Patients, surnames and addresses are keyed pseudonyms (see
`pseudonyms`); no raw identifier of a patient ever stands here.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from vigie.errors import VigieError
from vigie.language import N_

TEXT: Final = pa.dictionary(pa.int32(), pa.string())
TIME: Final = pa.timestamp("us", tz="UTC")
KEY: Final = pa.binary(16)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the waist: its name, group, type, whether it may be null, its meaning."""

    name: str
    group: str
    type: pa.DataType
    required: bool
    meaning: str


ACTIONS: Final = (
    "search", "list", "open", "export", "print", "rights_check", "create", "update", "delete",
    "merge", "login", "logout", "privilege_change", "log_change", "break_glass", "stock",
    "billing", "other",
)  # fmt: skip
"""Closed list. `stock` and `billing` are the dangerous non-record actions of hospital systems;
`other` is an action that the mapping names but the waist does not."""

VOCABULARIES: Final[dict[str, tuple[str, ...]]] = {
    "action": ACTIONS,
    "actor_kind": ("person", "service", "shared"),
    "clock_quality": ("exact", "ambiguous", "skewed"),
    "outcome": ("success", "minor_failure", "serious_failure", "major_failure"),
    "query_shape": ("exact_id", "exact_name", "prefix", "wildcard", "criteria", "none"),
}
"""The closed vocabularies. `clock_quality`: `ambiguous` is the repeated hour of an autumn clock
change, `skewed` a clock known to be wrong or that jumped backwards. `outcome` follows DICOM
PS3.15 A.5.2 (0, 4, 8, 12)."""

GAP_BEYOND: Final = 1001
"""`id_gap` is exact up to 1000 either way; anything further is ±1001, so that a chain of gaps
cannot give back the numbers."""


def _column(
    group: str, name: str, kind: pa.DataType, meaning: str, required: bool = False
) -> Column:
    return Column(name, group, kind, required, meaning)


COLUMNS: Final = (
    _column("identity", "event_id", KEY, "identity of the row: source's record id, else source, line hash and occurrence", True),
    _column("identity", "access_id", KEY, "the same access seen by portal, web server and database is one", True),
    _column("identity", "source", TEXT, "name of the source, from its mapping", True),
    _column("identity", "source_file", TEXT, "file the line came from, as it was named at first receipt", True),
    _column("identity", "source_line", pa.int64(), "line or record number in that file, from 1", True),
    _column("identity", "line_hash", KEY, "keyed hash of the raw line", True),
    _column("identity", "mapping_version", TEXT, "hash of the mapping or version of the reader that read the line", True),
    _column("when", "at", TIME, "when the access happened, UTC", True),
    _column("when", "received_at", TIME, "when Vigie first received the file, UTC", True),
    _column("when", "clock_quality", TEXT, "exact, ambiguous (repeated hour of a clock change), skewed", True),
    _column("who", "account", TEXT, "the login that was used"),
    _column("who", "actor_kind", TEXT, "person, service or shared"),
    _column("who", "professional", TEXT, "national identifier of the professional (RPPS, ADELI, IdNat_PS)"),
    _column("who", "on_behalf_of", TEXT, "whom the account acted for: a secretary for a doctor, a service for a user"),
    _column("who", "profession", TEXT, "profession, as the source codes it"),
    _column("who", "specialty", TEXT, "specialty (savoir-faire), as the source codes it"),
    _column("who", "role", TEXT, "role or habilitation used for this access"),
    _column("who", "organisation", TEXT, "organisation (FINESS when the source gives it)"),
    _column("who", "unit", TEXT, "ward, department or practice site"),
    _column("who", "tenant", TEXT, "customer of the platform, when several share it"),
    _column("how they came", "realm", TEXT, "identity provider"),
    _column("how they came", "auth_method", TEXT, "means of authentication (CPS, e-CPS, password, eidas1…)"),
    _column("how they came", "session", TEXT, "session identifier"),
    _column("how they came", "client_app", TEXT, "application that called"),
    _column("how they came", "network", TEXT, "client address"),
    _column("how they came", "via", TEXT, "proxy address"),
    _column("how they came", "device", TEXT, "device or workstation"),
    _column("how they came", "user_agent", TEXT, "user agent"),
    _column("what", "action", TEXT, "one of ACTIONS", True),
    _column("what", "object", TEXT, "screen, endpoint (pattern, never a path with an identifier) or object type"),
    _column("what", "query_shape", TEXT, "shape of the query: exact_id, exact_name, prefix, wildcard, criteria, none"),
    _column("what", "record_count", pa.int64(), "records returned, when the source says"),
    _column("what", "bytes", pa.int64(), "bytes returned, when the source says"),
    _column("what", "file_hash", TEXT, "hash of an exported file, when the source says"),
    _column("what", "purpose", TEXT, "purpose of use (ETREAT for emergency…)"),
    _column("what", "outcome", TEXT, "success or the degree of failure"),
    _column("whom", "patient", KEY, "keyed pseudonym of authority and identifier; null when the access names none"),
    _column("whom", "area", TEXT, "département of the patient, when known"),
    _column("whom", "id_gap", pa.int32(), "signed distance to the account's previous numeric identifier of the same authority in the file, ±1001 beyond 1000"),
    _column("whom", "name_gap", pa.float32(), "signed distance to the account's previous patient in alphabetical order (0 to 1 is A to Z), clipped to ±0.05"),
    _column("whom", "surname_key", KEY, "keyed surname, to see a reader who looks up namesakes"),
    _column("whom", "address_key", KEY, "keyed address, to see a reader who looks up neighbours"),
    _column("quality", "flags", TEXT, "what is wrong but kept: sorted names, space-separated (patient_nir_key, account_rpps_luhn…)"),
)  # fmt: skip

SCHEMA: Final = pa.schema([pa.field(c.name, c.type, nullable=not c.required) for c in COLUMNS])

_STORE_GIVES = ("event_id", "access_id", "received_at")
READ_SCHEMA: Final = pa.schema(
    [field for field in SCHEMA if field.name not in _STORE_GIVES]
    + [
        pa.field("part", pa.int32(), nullable=False),
        pa.field("record_key", KEY),
        pa.field("request_key", KEY),
    ]
)
"""What a reader gives: the waist less what only the store can tell (`event_id`, `access_id`,
`received_at`), and three transient columns. `part` numbers the rows that one line gave, from 0;
`record_key` is the keyed hash of the source's own record id, `request_key` that of a request id
that several logs share (`x-request-id`)."""


class SchemaError(VigieError):
    """A table does not follow the waist: a defect of the reader that made it."""


def empty_column(name: str, count: int) -> pa.Array:
    """Return `count` nulls of the type that the waist gives the column `name`.

    A reader fills half the waist with nulls, batch after batch: they share one array per type.
    """
    return _nulls(READ_SCHEMA.field(name).type, max(count, 1).bit_length()).slice(0, count)


@cache
def _nulls(kind: pa.DataType, bits: int) -> pa.Array:
    return pa.nulls(1 << bits, kind)


@cache
def _zeros(bits: int) -> pa.Array:
    return pa.repeat(pa.scalar(0, pa.int32()), 1 << bits)


def constant(text: str, count: int) -> pa.Array:
    """Return a text column that says the same in every row, at the price of its indices."""
    zeros = _zeros(max(count, 1).bit_length()).slice(0, count)
    return pa.DictionaryArray.from_arrays(zeros, [text])


def check(table: pa.Table, schema: pa.Schema = SCHEMA) -> pa.Table:
    """Return `table` if it follows `schema` (names, order, types, nulls, vocabularies).

    The one place that checks the waist. Raises `SchemaError` naming the first column at fault.

    >>> check(SCHEMA.empty_table()).num_rows
    0
    """
    if table.schema.names != schema.names:
        odd = sorted(set(table.schema.names) ^ set(schema.names))
        raise SchemaError(N_("the columns are not those of the waist: {odd}"), odd=odd or "order")
    for field in schema:
        column = table.column(field.name)
        if column.type != field.type:
            raise SchemaError(
                N_("column {name} is {found}, not {wanted}"),
                name=field.name, found=column.type, wanted=field.type,
            )  # fmt: skip
        if not field.nullable and column.null_count:
            raise SchemaError(N_("column {name} may not be null"), name=field.name)
        if field.name in VOCABULARIES:
            _check_vocabulary(field.name, column)
    return table


def _check_vocabulary(name: str, column: pa.ChunkedArray) -> None:
    allowed = pa.array(VOCABULARIES[name])
    for chunk in column.chunks:
        used = pc.unique(chunk.indices).drop_null()
        words = chunk.dictionary.take(used)
        strange = pc.filter(words, pc.invert(pc.is_in(words, value_set=allowed)))
        if len(strange):
            raise SchemaError(
                N_("column {name} holds {value!r}, which is not in its vocabulary"),
                name=name, value=strange[0].as_py(),
            )  # fmt: skip
