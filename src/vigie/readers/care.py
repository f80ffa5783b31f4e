"""Care relations through a mapping: the table of appointments, stays, teams beside a log.

    [source]
    name = "agenda"
    reader = "care"

    [care]                        # ours = theirs
    patient = { column = "IPP", authority = "…" }
    organisation = "FINESS"       # at least one of organisation, unit, professional, account
    kind = "TYPE"                 # or { value = "appointment" }
    valid_from = "DEBUT"

    [care.kinds]                  # theirs = ours; "ignore:rule" leaves a line out
    RDV = "appointment"

The table is read by the reader of tables, whatever its form; each accepted line becomes one row of
`records.CARE` and none of the waist. Identifiers become the same pseudonyms as those of the log.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Table
from dataclasses import replace
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie.errors import MappingError
from vigie.events import ACTIONS, TIME
from vigie.language import N_
from vigie.readers import moments
from vigie.readers.base import Batch, Context, Tally, no_events, quarantine_table
from vigie.readers.intake import Intake
from vigie.readers.mapping import IGNORE, TIME_UNITS
from vigie.readers.moments import compile_pattern
from vigie.readers.refusals import are_texts, refuse_unknown, refuse_value, text_of, unusable
from vigie.readers.tables import TableReader
from vigie.readers.times import to_utc
from vigie.readers.words import from_array
from vigie.records import CARE, CARE_KINDS, OWNERS

_HOUR: Final = pa.scalar(3_600_000_000, pa.duration("us"))
_PLACES: Final = {
    "valid_from": "at", "kind": "action", "valid_until": "session", "recorded_at": "device",
    "record_id": "record_id", "patient": "patient", **{name: name for name in OWNERS},
}  # fmt: skip
"""In which column of the waist the reader of tables carries each of ours."""
_OPTIONAL_TIMES: Final = ("valid_until", "recorded_at")
_REASONS: Final = {"unknown_action": "unknown_kind", "no_action": "unknown_kind"}


class CareReader:
    """Reads a table of care relations that a mapping describes."""

    name: ClassVar[str] = "care"

    def __init__(self, context: Context) -> None:
        where, said = context.mapping_file, context.mapping.get("care")
        if not isinstance(said, dict):
            raise MappingError(
                N_("care relations can only be read through a mapping with [care]"),
                where=where,
                remedy=N_("say which of their columns is the patient, the organisation, the dates"),
            )
        self._context = context
        self._names = columns_named(said)
        self._forms = {name: _time_form(said, name, where) for name in _OPTIONAL_TIMES}
        self._reader = TableReader(replace(context, mapping=_as_table(context, said)))

    @classmethod
    def recognises(cls, head: bytes, filename: str) -> float:
        """Never by itself: only its mapping tells it from a log."""
        return 0.0

    def read(self, intake: Intake) -> Iterator[Batch]:
        """Read the whole file; raises `ReadingError` or `MappingError` when none of it fits."""
        for batch in self._reader.read(intake):
            yield self._related(batch, intake.label)

    def _related(self, batch: Batch, label: str) -> Batch:
        """Turn accesses into relations; those without patient or owner, or whose dates cannot be
        read or end before they begin, are quarantined."""
        events = batch.events
        until, bad_until = self._moments(events, "valid_until")
        entered, bad_entered = self._moments(events, "recorded_at")
        until = _not_turned_back(until, events.column("at").combine_chunks())
        nobody = events.column("patient").is_null().to_numpy()
        owned = [events.column(name).is_null().to_numpy() for name in OWNERS]
        nowhere = np.logical_and.reduce(owned)
        backwards = pc.less(until, events.column("at")).fill_null(False)
        faults = (
            (bad_until, "bad_time", "valid_until"), (bad_entered, "bad_time", "recorded_at"),
            (backwards.to_numpy(), "bad_period", "valid_until"),
            (nobody, "bad_value", "patient"), (nowhere, "bad_value", "organisation"),
        )  # fmt: skip
        why = np.zeros(events.num_rows, np.int64)
        for number, (bad, _reason, _name) in enumerate(faults, 1):
            why = np.where((why == 0) & bad, number, why)
        kept = pa.array(why == 0)
        relations = self._relations(events, until, entered).filter(kept)
        left = [(row, *faults[why[row] - 1][1:]) for row in np.flatnonzero(why).tolist()]
        quarantine = pa.concat_tables(
            [self._renamed(batch.quarantine), self._quarantined(events, left, label)]
        )
        tally = Tally(
            batch.tally.read, batch.tally.accepted - len(left), batch.tally.ignored,
            batch.tally.quarantined + len(left),
        )  # fmt: skip
        return Batch(no_events(), quarantine.unify_dictionaries(), tally, relations)

    def _relations(self, events: pa.Table, until: pa.Array, entered: pa.Array) -> pa.Table:
        def text(name: str) -> pa.ChunkedArray:
            return events.column(name).cast(pa.string())

        codes = pc.index_in(text("action"), value_set=pa.array(ACTIONS[: len(CARE_KINDS)]))
        kinds = pa.array(CARE_KINDS).take(codes.combine_chunks())
        line = events.column("source_line").cast(pa.string())
        columns = {
            "patient": events.column("patient"), **{name: text(name) for name in OWNERS},
            "kind": kinds, "valid_from": events.column("at"), "valid_until": until,
            "recorded_at": entered, "record": events.column("record_key"),
            "source": text("source"),
            "source_ref": pc.binary_join_element_wise(text("source_file"), line, ":"),
        }  # fmt: skip
        return pa.table([columns[field.name] for field in CARE], schema=CARE)

    def _moments(self, events: pa.Table, name: str) -> tuple[pa.Array, NDArray[np.bool_]]:
        """Return a column of times in UTC, null where it is empty, and where it is unreadable."""
        words = from_array(events.column(_PLACES[name]).combine_chunks())
        if not len(words.words):
            return pa.nulls(len(words.codes), TIME), np.zeros(len(words.codes), bool)
        written, kinds = moments.parse_words(words, *self._forms[name])
        local = kinds == moments.LOCAL
        if local.any():
            naive = pa.array(written[local]).cast(pa.timestamp("us"))
            moved, _doubts = to_utc(naive, self._context.source.time_zone)
            written = written.copy()
            written[local] = moved.cast(pa.int64()).to_numpy()
        return pa.array(written, mask=kinds < moments.UTC).cast(TIME), kinds == moments.BAD

    def _renamed(self, quarantine: pa.Table) -> pa.Table:
        """Say of kinds what the reader of tables says of actions."""
        found = quarantine.column("reason").cast(pa.string()).to_pylist()
        reasons = pa.array([_REASONS.get(reason, reason) for reason in found], pa.string())
        place = quarantine.schema.get_field_index("reason")
        field = quarantine.schema.field(place)
        return quarantine.set_column(place, field, reasons.dictionary_encode().cast(field.type))

    def _quarantined(
        self, events: pa.Table, left: list[tuple[int, str, str]], label: str
    ) -> pa.Table:
        rows = pa.array([row for row, _reason, _name in left], pa.int64())
        lines = events.column("source_line").take(rows).to_pylist()
        hashes = events.column("line_hash").take(rows).to_pylist()
        told: list[tuple[int, int | None, bytes, str, str | None]] = [
            (line, None, digest, reason, self._names.get(name, name))
            for line, digest, (_row, reason, name) in zip(lines, hashes, left, strict=True)
        ]
        return quarantine_table(self._context, label, told)


def _not_turned_back(until: pa.Array, since: pa.Array) -> pa.Array:
    """Return ends that come less than an hour before their beginning an hour later.

    What begins and ends in the hour that comes twice in autumn is read as its first coming.
    """
    early = pc.and_(pc.less(until, since), pc.less(pc.subtract(since, until), _HOUR))
    return pc.if_else(pc.fill_null(early, False), pc.add(until, _HOUR), until)


def columns_named(said: Table[str, Any]) -> dict[str, str]:
    """Return what their file calls each of our columns, by what `[care]` says."""
    return {
        name: spec if isinstance(spec, str) else str(spec.get("column", name))
        for name, spec in said.items()
        if isinstance(spec, str | dict)
    }


def _as_table(context: Context, said: Table[str, Any]) -> dict[str, Any]:
    """Return the mapping of a log that carries what [care] says, for the reader of tables."""
    where = context.mapping_file
    refuse_unknown(said, (*_PLACES, "kinds"), where, "care")
    for name in ("patient", "kind", "valid_from"):
        if name not in said:
            raise unusable(where, "care", N_("say which of their columns is {name!r}"), name=name)
    if not any(name in said for name in OWNERS):
        raise unusable(where, "care", N_("say whose relation it is: organisation, unit, …"))
    columns = {_PLACES[name]: spec for name, spec in said.items() if name != "kinds"}
    for name in _OPTIONAL_TIMES:
        if isinstance(said.get(name), dict):
            columns[_PLACES[name]] = _text_of(said[name])
    source = {k: v for k, v in context.mapping.get("source", {}).items() if k != "reader"}
    return {
        "source": source,
        "columns": columns,
        "values": {"action": _kinds(said.get("kinds", {}), where)},
    }


def _text_of(spec: Table[str, Any]) -> dict[str, Any]:
    """Leave out how a time is written: it is carried as text."""
    return {key: value for key, value in spec.items() if key not in ("format", "unit")}


def _time_form(said: Table[str, Any], name: str, where: str) -> tuple[NDArray[np.uint8], int]:
    spec = said.get(name, {})
    spec = spec if isinstance(spec, dict) else {}
    pattern = text_of(spec, "format", where, f"care.{name}")
    unit = text_of(spec, "unit", where, f"care.{name}")
    if unit and unit not in TIME_UNITS:
        refuse_value(unit, tuple(TIME_UNITS), where, f"care.{name}.unit")
    return compile_pattern(pattern, where), TIME_UNITS.get(unit, -1)


def _kinds(said: Any, where: str) -> dict[str, str]:
    """Return what carries each kind: the action of the same rank, or a rule that leaves it out."""
    if not isinstance(said, dict) or not are_texts(list(said.values())):
        raise unusable(where, "care.kinds", N_('write their value = "ours"'))
    carried: dict[str, str] = dict(zip(CARE_KINDS, ACTIONS, strict=False))
    found: dict[str, str] = dict(carried)
    for theirs, ours in said.items():
        left_out = ours.startswith(IGNORE) and len(ours) > len(IGNORE)
        if not left_out and ours not in CARE_KINDS:
            refuse_value(ours, CARE_KINDS, where, "care.kinds")
        found[theirs] = carried.get(ours, str(ours))
    return found
