"""The operator's dated index of patients, read through a mapping as a log is, and never stored.

Each line of the file is one patient from the moment in its time column on: the mapping names
`patient`, and what searches may be asked again by: `patient_surname`, `patient_address`, `area`,
`organisation`. Names become keys inside the reader, as those of a log do.
"""

from pathlib import Path

import pyarrow as pa

from vigie.errors import ReadingError
from vigie.exposure.unlogged import INDEX
from vigie.language import N_
from vigie.pseudonyms import Keyring
from vigie.readers import reader_class, recognise
from vigie.readers.base import Context
from vigie.readers.intake import Intake
from vigie.readers.mapping import load_mapping


def read_index(path: Path, mapping: Path, keyring: Keyring) -> pa.Table:
    """Return the index (unlogged.INDEX); raises `ReadingError` when lines cannot be read.

    A person whom the index lacks would be left out of the bounds, so a line that cannot be read
    is an error here, not a line set aside.
    """
    said = load_mapping(mapping)
    name = said.reader or recognise(Intake(path, path.name))
    reader = reader_class(name)(Context(said.source, keyring, said.raw, said.where))
    tables = []
    for batch in reader.read(Intake(path, path.name)):
        if batch.tally.quarantined:
            raise ReadingError(
                N_("{count} lines of the index cannot be read"), where=path.name,
                remedy=N_("mend them, or the mapping"), count=batch.tally.quarantined,
            )  # fmt: skip
        tables.append(batch.events)
    return pa.concat_tables([INDEX.empty_table(), *map(_entries, tables)])


def _entries(events: pa.Table) -> pa.Table:
    named = events.filter(events.column("patient").is_valid())
    columns = [named.column(field.name) for field in INDEX if field.name in named.column_names]
    columns += [named.column("at"), pa.nulls(named.num_rows, INDEX.field("valid_until").type)]
    return pa.table(
        [column.cast(field.type) for column, field in zip(columns, INDEX, strict=True)],
        schema=INDEX,
    )
