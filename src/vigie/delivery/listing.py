"""The list of persons that a controller receives: what of whose data, when, how sure; with names.

Columns are named in the language of the recipient, and hold words rather than codes. A cell that
a spreadsheet would run as a formula is made harmless (CWE-1236): a register is filled by many.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.delivery.split import Split
from vigie.exposure import CERTAINTIES, HOWS
from vigie.facts.words import CERTAINTY_NAMES, CLASS_NAMES, HOW_NAMES
from vigie.language import FORMULA, N_, _
from vigie.notices.bearers import Bearer
from vigie.notices.people import DIFFERING, REMARKS, SHARED, Names, People
from vigie.records import DATA_CLASSES

FIELD_NAMES: Final = {
    "reference": N_("your reference"),
    "surname": N_("surname"),
    "used_name": N_("used name"),
    "given_name": N_("given name"),
    "sex": N_("sex"),
    "birth_date": N_("date of birth"),
    "address": N_("address"),
    "address_more": N_("address, continued"),
    "postcode": N_("postcode"),
    "city": N_("city"),
    "country": N_("country"),
    "email": N_("e-mail"),
    "language": N_("language"),
    "deceased": N_("deceased"),
    "protected": N_("protected adult"),
    "guardian": N_("legal representative"),
    "guardian_address": N_("address of the representative"),
    "guardian_postcode": N_("postcode of the representative"),
    "guardian_city": N_("city of the representative"),
    "guardian_email": N_("e-mail of the representative"),
}
REMARK_NAMES: Final = {
    "": "",
    "missing": N_("not in the register"),
    "twice": N_("several times in the register, the same"),
    "differing": N_("several times in the register, not the same"),
    "shared": N_("bears a number that others bear too: no log says whose data were seen"),
    "apart": N_(
        "several persons bear this number, of several controllers: the register does not say which "
        "are yours"
    ),
}
_APART: Final = len(REMARKS)
MORE: Final = ":more"
"""Marks the rows of those who bear a number beside the first: they are of one person of the set."""
_RISKY: Final = f"^ *[{FORMULA}]"


def listing(split: Split, names: Names | None, slice_rows: int) -> Iterator[pa.Table]:
    """Yield the rows of `split` in order as a list to read, `controller` first.

    With `names`, which were asked for `slice_rows` at a time, each row bears what is known of it.
    """
    people = names.slices() if names else None
    for rows in split.rows(slice_rows):
        table = _shown(rows)
        yield _named(table, next(people)) if people else table


def _shown(rows: pa.Table) -> pa.Table:
    kinds = [_(CLASS_NAMES[name]) for name in DATA_CLASSES]
    may = pc.bit_wise_and(rows["classes"], pc.bit_wise_not(rows["shown"]))
    return pa.table(
        {
            "controller": rows["controller"],
            _("person"): _hexadecimal(rows["patient"]),
            _("data"): _words(rows["shown"], kinds),
            _("data that may have been shown"): _words(may, kinds),
            _("how it was accessed"): _words(rows["hows"], [_(HOW_NAMES[name]) for name in HOWS]),
            _("first (UTC)"): _minutes(rows["first_at"]),
            _("last (UTC)"): _minutes(rows["last_at"]),
            _("certainty"): _word(
                rows["certainty"], [_(CERTAINTY_NAMES[name]) for name in CERTAINTIES]
            ),
            _("number of accesses"): rows["accesses"],
        }
    )


def _named(table: pa.Table, people: People) -> pa.Table:
    rows, fields, remarks = _each_bearer(table["controller"].to_pylist, people)
    more = np.zeros(len(rows), np.bool_)
    more[1:] = rows[1:] == rows[:-1]
    if people.bearers:
        table = table.take(pa.array(rows))
    for name in fields.column_names:
        if name in FIELD_NAMES:
            table = table.append_column(_(FIELD_NAMES[name]), _harmless(fields[name]))
    said = [_(REMARK_NAMES[name]) for name in (*REMARKS, "apart")]
    table = table.append_column(_("remark"), _word(pa.chunked_array([remarks]), said))
    return table.append_column(MORE, pa.array(more))


def _each_bearer(
    controllers: Callable[[], list[str]], people: People
) -> tuple[NDArray[np.int64], pa.Table, NDArray[np.uint8]]:
    """Return a row for each person, and for each who bears a shared number: whose it is (a place
    among the persons), what the register says, the remark."""
    remarks, count = people.remarks.copy(), len(people.remarks)
    if not people.bearers:
        return np.arange(count), people.fields, remarks
    names, counts = controllers(), np.ones(count, np.int64)
    every: list[tuple[dict[str, str | None], int]] = []
    for place, some in sorted(people.bearers.items()):
        own = _of_controller(some, names[place], bool(people.repeated[place]))
        counts[place] = len(own)
        every += own
    rows = np.repeat(np.arange(count), counts)
    shared = people.remarks[rows] == SHARED
    chosen, remarks = rows.copy(), remarks[rows]
    chosen[shared] = count + np.arange(len(every))
    remarks[shared] = [remark for _person, remark in every]
    added = pa.Table.from_pylist([one for one, _remark in every], schema=people.fields.schema)
    return rows, pa.concat_tables([people.fields, added]).take(pa.array(chosen)), remarks


def _of_controller(
    bearers: tuple[Bearer, ...], controller: str, several: bool
) -> list[tuple[dict[str, str | None], int]]:
    """Return those of a number's bearers whom a controller may know of, each with its remark.

    Of a number that is `several` controllers', only those whom the register says to be its own.
    """
    own = [one for one in bearers if not several or controller in one.controllers]
    said = [(one.person, DIFFERING if one.differing else SHARED) for one in own]
    return said or [({}, _APART)]


def _hexadecimal(keys: pa.ChunkedArray) -> pa.Array:
    """Return keys as 32 hexadecimal digits."""
    flat = keys.combine_chunks().cast(pa.binary(16))
    data = np.frombuffer(flat.buffers()[1], np.uint8)[flat.offset * 16 :][: len(flat) * 16]
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = np.stack([digits[data >> 4], digits[data & 15]], axis=1).reshape(-1)
    offsets = np.arange(len(flat) + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(flat), pa.py_buffer(offsets), pa.py_buffer(text))


def _words(masks: pa.ChunkedArray, names: list[str]) -> pa.Array:
    """Return for each mask the names of its bits, joined."""
    said = pc.dictionary_encode(masks.combine_chunks())
    texts = [
        ", ".join(name for place, name in enumerate(names) if mask >> place & 1)
        for mask in said.dictionary.to_pylist()
    ]
    return pa.array(texts, pa.string()).take(said.indices)


def _word(places: pa.ChunkedArray, names: list[str]) -> pa.Array:
    return pa.array(names, pa.string()).take(places.combine_chunks())


def _minutes(times: pa.ChunkedArray) -> pa.Array:
    whole = pc.floor_temporal(times, unit="minute").cast(pa.timestamp("s"))
    return whole.cast(pa.string()).combine_chunks()


def _harmless(column: pa.ChunkedArray) -> pa.ChunkedArray:
    risky = pc.fill_null(pc.match_substring_regex(column, _RISKY), False)
    return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)
