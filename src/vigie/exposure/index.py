"""The operator's dated index of patients, read through a mapping as a log is, and never stored.

Each line of the file is one patient from the moment in its time column on: the mapping names
`patient`, and what searches may be asked again by: `patient_surname`, `patient_address`, `area`,
`organisation`. Names become keys inside the reader, as those of a log do.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from vigie.errors import ReadingError
from vigie.exposure.unlogged import INDEX, PREFIXES, Index
from vigie.language import N_
from vigie.pseudonyms import Keyring
from vigie.readers import reader_class, recognise
from vigie.readers.base import Context
from vigie.readers.intake import Intake
from vigie.readers.mapping import load_mapping

_LONGEST: Final = 24
"""Letters of a surname beyond which no beginning is keyed: nobody types more and stops."""


@dataclass(frozen=True, repr=False)
class _NotingRing(Keyring):
    """A keyring that notes the surnames it keys: a key alone gives no beginning of a name."""

    surnames: set[str] = field(default_factory=set)

    def pseudonyms(self, values: pa.Array, authority: str, kind: str = "patient") -> pa.Array:
        """Return what a keyring does."""
        if kind == "surname":
            self.surnames.update(values.unique().drop_null().cast(pa.string()).to_pylist())
        return super().pseudonyms(values, authority, kind)


def read_index(path: Path, mapping: Path, keyring: Keyring) -> Index:
    """Return the index; raises `ReadingError` when lines cannot be read.

    A person whom the index lacks would be left out of the bounds, so a line that cannot be read
    is an error here, not a line set aside.
    """
    said, noting = load_mapping(mapping), _NotingRing(keyring.base, keyring.steps)
    name = said.reader or recognise(Intake(path, path.name))
    reader = reader_class(name)(Context(said.source, noting, said.raw, said.where))
    tables = []
    for batch in reader.read(Intake(path, path.name)):
        if batch.tally.quarantined:
            raise ReadingError(
                N_("{count} lines of the index cannot be read"), where=path.name,
                remedy=N_("mend them, or the mapping"), count=batch.tally.quarantined,
            )  # fmt: skip
        tables.append(batch.events)
    patients = pa.concat_tables([INDEX.empty_table(), *map(_entries, tables)])
    return Index(patients, key_beginnings(noting.surnames, keyring))


def key_beginnings(surnames: Iterable[str], keyring: Keyring) -> pa.Table:
    """Return the key of every beginning of these surnames (PREFIXES), as a log keys them."""
    pairs = sorted(
        {
            (name[:size].strip(), name)
            for name in surnames
            for size in range(1, min(len(name), _LONGEST) + 1)
        }
    )
    columns = [
        keyring.pseudonyms(pa.array(words, pa.string()), "", "surname")
        for words in zip(*pairs, strict=True)
    ]
    return pa.table(columns, schema=PREFIXES) if pairs else PREFIXES.empty_table()


def _entries(events: pa.Table) -> pa.Table:
    named = events.filter(events.column("patient").is_valid())
    columns = [named.column(field.name) for field in INDEX if field.name in named.column_names]
    columns += [named.column("at"), pa.nulls(named.num_rows, INDEX.field("valid_until").type)]
    return pa.table(
        [column.cast(field.type) for column, field in zip(columns, INDEX, strict=True)],
        schema=INDEX,
    )
