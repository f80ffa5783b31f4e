"""Twenty lines through a mapping: what came out, what was left out, and why."""

import secrets
from collections import Counter
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from vigie.events import ACTIONS, VOCABULARIES
from vigie.language import N_
from vigie.pseudonyms import Keyring
from vigie.readers import reader_class
from vigie.readers.base import Batch, Context, Tally
from vigie.readers.care import columns_named
from vigie.readers.intake import Intake
from vigie.readers.mapping import ANYTHING, Mapping
from vigie.readers.tables.samples import Sample, take_sample
from vigie.readers.tables.suggest import guess_columns

_CHUNK: Final = 1 << 18
_HIDDEN: Final = (
    "source_file",
    "line_hash",
    "mapping_version",
    "part",
    "record_key",
    "request_key",
)
_LIKE: Final = N_("not named in [columns]; it looks like {ours!r}")
_UNNAMED: Final = N_("not named in [{section}]")


@dataclass(frozen=True, slots=True)
class Trial:
    """What the beginning of a file gives through a mapping, safe to show.

    `rows` hold no raw identifier: keys are the first 8 hexadecimal digits of pseudonyms made with
    a key of this trial alone. `quarantined` are (line, reason, column); `unmapped_columns` their
    column → (why, fields); `unmapped_values` our column → their values with counts in the sample.
    """

    rows: list[dict[str, Any]]
    tally: Tally
    quarantined: list[tuple[int, str, str | None]]
    unmapped_columns: Table[str, tuple[str, Table[str, str]]]
    unmapped_values: Table[str, Table[str, int]] = field(default_factory=dict)


def try_mapping(path: Path, mapping: Mapping, count: int = 20) -> Trial:
    """Read the beginning of `path` through `mapping` and return `count` rows of it.

    Raises `MappingError` or `ReadingError` as reading the whole file would.
    """
    context = Context(mapping.source, Keyring(secrets.token_bytes(32)), mapping.raw, mapping.where)
    rows: list[dict[str, Any]] = []
    bad: list[tuple[int, str, str | None]] = []
    tally = Tally()
    name = mapping.reader or "table"
    reader = reader_class(name)(context)
    for batch in reader.read(Intake(path, path.name, chunk_size=_CHUNK)):
        tally += batch.tally
        read = batch.events if batch.relations is None else batch.relations
        rows += [_shown(row) for row in read.slice(0, count - len(rows)).to_pylist()]
        bad += _quarantined(batch, count - len(bad))
        if len(rows) >= count:
            break
    if name not in ("table", "care"):  # the columns of other formats are no names of ours
        return Trial(rows, tally, bad, {})
    sample = take_sample(path)
    return Trial(rows, tally, bad, _unmapped_columns(sample, mapping), _values(sample, mapping))


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.hex()[:8] if isinstance(value, bytes) else value
        for name, value in row.items()
        if value is not None and name not in _HIDDEN
    }


def _quarantined(batch: Batch, most: int) -> list[tuple[int, str, str | None]]:
    rows = batch.quarantine.slice(0, max(most, 0)).to_pylist()
    return [(row["source_line"], row["reason"], row["detail"]) for row in rows]


def _unmapped_columns(sample: Sample, mapping: Mapping) -> dict[str, tuple[str, Table[str, str]]]:
    guesses = {theirs: ours for ours, theirs in guess_columns(sample).items()}
    named = mapping.wanted or columns_named(mapping.raw.get("care", {})).values()
    wanted = {name for path in named for name in (path, path.split(".")[0])}
    names = [] if mapping.format.header else [n for n in sample.columns if n not in wanted]
    if mapping.reader == "care":
        return {name: (_UNNAMED, {"section": "care"}) for name in names}
    return {
        name: (_LIKE, {"ours": guesses[name]})
        if name in guesses and guesses[name] not in mapping.columns
        else (_UNNAMED, {"section": "columns"})
        for name in names
    }


def _values(sample: Sample, mapping: Mapping) -> dict[str, Table[str, int]]:
    """Count the values of closed vocabularies that the mapping does not translate."""
    found: dict[str, Table[str, int]] = {}
    for ours, column in mapping.columns.items():
        known = ACTIONS if ours == "action" else VOCABULARIES.get(ours)
        table = mapping.values.get(ours, {})
        if known is None or ANYTHING in table or column.column not in sample.columns:
            continue
        counts: Counter[str] = sample.counts(column.column)
        left = {text: n for text, n in counts.items() if text not in table and text not in known}
        if left:
            found[ours] = left
    return found
