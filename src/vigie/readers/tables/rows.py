"""Cells to waist rows: what every table has in common, whatever its file format.

What depends on the previous record (order, clock) sees the accepted records only.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vigie import identifiers
from vigie.events import ACTIONS, KEY, READ_SCHEMA, TEXT, TIME, VOCABULARIES
from vigie.readers import moments
from vigie.readers.base import Batch, Context
from vigie.readers.clock import Clock
from vigie.readers.flags import Flags
from vigie.readers.mapping import ANYTHING, PATIENT_KINDS, SIZE_UNITS, Column, Mapping
from vigie.readers.nir import plainly_sound
from vigie.readers.order import Order, fold
from vigie.readers.rows import waist_table
from vigie.readers.tables.cells import ACCEPTED, Cells, Judge
from vigie.readers.times import clock_column, to_utc
from vigie.readers.words import Words, relabelled

_NUMBERS: Final = ("record_count", "bytes")
_SPECIAL: Final = frozenset(
    {"at", "action", "patient", "patients", "record_id", "request_id", *_NUMBERS}
)
_NIR_KINDS: Final = frozenset({"nir", "ins"})
_PROFESSIONALS: Final = frozenset({"rpps", "adeli"})


class TableRows:
    """Turns the cells of one file, in order, into batches."""

    def __init__(self, context: Context, mapping: Mapping, label: str) -> None:
        self._context, self._mapping, self._label = context, mapping, label
        self._judge = Judge(context, mapping, label)
        self._order, self._clock = Order(), Clock()

    def batch(self, cells: Cells) -> Batch:
        """Return the batch of these records; they follow those of the batch before."""
        actions, verdicts = self._judge.verdicts(cells)
        kept = np.flatnonzero(verdicts == ACCEPTED)
        whole = len(kept) == len(verdicts)
        texts = {name: w if whole else w.at(kept) for name, w in cells.texts.items()}
        rejected, tally = self._judge.account(cells, verdicts)
        return Batch(self._events(cells, texts, actions, kept), rejected, tally)

    def _events(
        self,
        cells: Cells,
        texts: dict[str, Words],
        actions: NDArray[np.int32],
        kept: NDArray[np.int64],
    ) -> pa.Table:
        at, clocks = self._times(cells.moments[kept], cells.kinds[kept])
        parts = np.zeros(len(kept), np.int32)
        if "patients" in texts:
            texts, parents, parts = self._exploded(texts)
            at, clocks, kept = at[parents], clocks[parents], kept[parents]
        flags = Flags(len(kept))
        rows: dict[str, Any] = {
            "source_line": pa.array(cells.lines[kept]),
            "line_hash": _taken(cells.hashes, kept),
            "at": pa.array(at).cast(TIME),
            "clock_quality": clock_column(clocks),
            "action": pa.DictionaryArray.from_arrays(pa.array(actions[kept]), list(ACTIONS)),
            "part": pa.array(parts),
        }
        for name, words in texts.items():
            if name in _NUMBERS:
                rows[name] = self._number(name, words, flags)
            elif name not in _SPECIAL and name in READ_SCHEMA.names:
                rows[name] = self._text(name, words, flags)
        rows |= self._keys(texts) | self._names(texts)
        if "patient" in texts:
            rows |= self._patients(texts, flags)
        return waist_table(self._context, self._label, len(kept), rows | {"flags": flags.array()})

    def _times(
        self, written: NDArray[np.int64], kinds: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        """Return the UTC moments (µs) of accepted records and the doubt about each."""
        doubts = np.zeros(len(written), np.int8)
        unzoned = kinds == moments.LOCAL
        if unzoned.any():
            naive = pa.array(written[unzoned]).cast(pa.timestamp("us"))
            moved, doubts[unzoned] = to_utc(naive, self._context.source.time_zone)
            written = written.copy()
            written[unzoned] = moved.cast(pa.int64()).to_numpy()
        self._clock.mark(written, doubts)
        return written, doubts

    def _exploded(
        self, texts: dict[str, Words]
    ) -> tuple[dict[str, Words], NDArray[np.int64], NDArray[np.int32]]:
        """Give each patient of a record a row of its own; returns the rows' parents and parts."""
        words = texts["patients"]
        separator = self._mapping.columns["patients"].separator or ";"
        lists: list[list[str | None]] = [
            [part.strip() for part in word.split(separator) if part.strip()] or [None]
            for word in words.words.to_pylist()
        ]
        lists.append([None])
        lengths = np.array([len(parts) for parts in lists])
        firsts, sizes = np.cumsum(lengths) - lengths, lengths[words.codes]
        labels = [part for parts in lists for part in parts]
        flat = relabelled(np.arange(len(labels), dtype=np.int32), labels)
        parents = np.repeat(np.arange(len(sizes)), sizes)
        parts = np.arange(len(parents)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        spread = {
            name.replace("patients.", "patient."): words.at(parents)
            for name, words in texts.items()
            if name != "patients"
        }
        spread["patient"] = flat.at(firsts[words.codes][parents] + parts)
        return spread, parents, parts.astype(np.int32)

    def _text(self, name: str, words: Words, flags: Flags) -> pa.Array:
        words = self._translated(name, words, flags)
        kind = self._mapping.columns[name].kind
        texts = words.words.to_pylist()
        if kind:
            flags.add(name, words, [identifiers.problem(kind, text) for text in texts])
            words = words.mapped(lambda text: identifiers.normalise(kind, text))
        elif name == "professional":
            flags.add(name, words, [_professional_problem(text) for text in texts])
            words = words.mapped(_professional)
        return words.array()

    def _translated(self, name: str, words: Words, flags: Flags) -> Words:
        """Apply `[values.<name>]`; what a closed vocabulary lacks becomes null and a flag."""
        table, known = self._mapping.values.get(name, {}), VOCABULARIES.get(name)
        if not table and not known:
            return words
        texts = words.words.to_pylist()
        said: list[str | None] = [table.get(word, table.get(ANYTHING, word)) for word in texts]
        if known:
            flags.add(name, words, [None if ours in known else "unmapped" for ours in said])
            said = [ours if ours in known else None for ours in said]
        return relabelled(words.codes, said)

    def _number(self, name: str, words: Words, flags: Flags) -> pa.Array:
        unit = SIZE_UNITS[self._mapping.columns[name].unit or "B"]
        if pc.all(pc.match_substring_regex(words.words, "^[0-9]{1,12}$")).as_py() is not False:
            return pc.multiply(words.given(words.words.cast(pa.int64()), pa.int64()), unit)
        found = [_integer(word, unit) for word in words.words.to_pylist()]
        flags.add(name, words, ["unreadable" if number is None else None for number in found])
        return words.given(found, pa.int64())

    def _keys(self, texts: dict[str, Words]) -> dict[str, pa.Array]:
        """Return the keyed record and request ids."""
        ring, keys = self._context.keyring, {}
        if "record_id" in texts:
            own = self._context.source.name
            keys["record_key"] = ring.pseudonyms(texts["record_id"].array(), own, "record")
        if "request_id" in texts:
            keys["request_key"] = ring.pseudonyms(texts["request_id"].array(), "", "request")
        return keys

    def _names(self, texts: dict[str, Words]) -> dict[str, pa.Array]:
        """Return what the patient's name and address tell, keyed or as a gap."""
        ring, found = self._context.keyring, {}
        for name, kind in (("patient_surname", "surname"), ("patient_address", "address")):
            if name in texts:
                folded = fold(texts[name].words).to_pylist()
                words = relabelled(texts[name].codes, [text or None for text in folded])
                found[f"{kind}_key"] = ring.pseudonyms(words.array(), "", kind)
        if "patient_surname" in texts and "account" in texts:
            surnames = texts["patient_surname"].array()
            given = texts.get("patient_given_name")
            first = given.array() if given else pa.nulls(len(surnames), TEXT)
            found["name_gap"] = self._order.name_gaps(texts["account"].array(), surnames, first)
        return found

    def _patients(self, texts: dict[str, Words], flags: Flags) -> dict[str, pa.Array]:
        column = self._mapping.columns.get("patient") or self._mapping.columns["patients"]
        authority = self._authority(column)
        kind = column.kind or identifiers.kind_of_authority(authority) or "local"
        words = _normal(texts["patient"], kind, flags)
        authorities: pa.Array | str = authority
        if "patient.authority" in texts:
            own = texts["patient.authority"].mapped(identifiers.normal_authority)
            authorities = pc.fill_null(own.array().cast(pa.string()), authority)
        found = {"patient": _pseudonyms(self._context, words, authorities)}
        if "account" in texts:
            account = texts["account"].array()
            found["id_gap"] = self._order.id_gaps(account, words.array(), authorities, kind)
        return found

    def _authority(self, column: Column) -> str:
        if column.authority:
            return identifiers.normal_authority(column.authority)
        return PATIENT_KINDS.get(column.kind, "") or self._context.source.name


def _normal(words: Words, kind: str, flags: Flags) -> Words:
    """Return identifiers in their normal form, flagging what is wrong with them."""
    if kind == "local":
        return words
    values = words.words.to_pylist()
    sound = plainly_sound(words.words) if kind in _NIR_KINDS else np.zeros(len(values), np.bool_)
    doubtful = np.flatnonzero(~sound).tolist()
    if not doubtful:
        return words
    problems: list[str | None] = [None] * len(values)
    fresh: list[str | None] = list(values)
    for place in doubtful:
        problems[place] = identifiers.problem(kind, values[place])
        fresh[place] = identifiers.normalise(kind, values[place]) or None
    flags.add("patient", words, problems)
    return relabelled(words.codes, fresh)


def _pseudonyms(context: Context, words: Words, authorities: pa.Array | str) -> pa.Array:
    values, ring = words.array(), context.keyring
    if isinstance(authorities, str):
        return ring.pseudonyms(values, authorities)
    found = pa.nulls(len(values), KEY)
    for authority in pc.unique(authorities).to_pylist():
        masked = pc.if_else(pc.equal(authorities, authority), values.cast(pa.string()), None)
        found = pc.coalesce(found, ring.pseudonyms(masked, authority))
    return found


def _taken(hashes: pa.Array, kept: NDArray[np.int64]) -> pa.Array:
    same = len(kept) == len(hashes) and bool((kept == np.arange(len(kept))).all())
    return hashes if same else hashes.take(pa.array(kept))


def _professional(text: str) -> str:
    known = identifiers.professional(text)
    return known[1] if known else text


def _professional_problem(text: str) -> str | None:
    known = identifiers.professional(text)
    return identifiers.problem(*known) if known and known[0] in _PROFESSIONALS else None


def _integer(text: str, unit: int) -> int | None:
    """Read a whole number as people write it: blanks between thousands, a zero fraction."""
    try:
        value = float("".join(text.split()).replace(",", ".")) * unit
    except ValueError:
        return None
    return int(value) if 0 <= value < 2**53 and value == int(value) else None
