"""Walking a reader over bytes, and damaging lines the way transport and disks do."""

import random
from pathlib import Path

import pyarrow as pa

from vigie.pseudonyms import Keyring
from vigie.readers.base import Batch, Context, Source, Tally
from vigie.readers.intake import Intake

KEYRING = Keyring(bytes(range(32)))
ODD = '"",\\\n\r\t\0 \x80\xff\u00e9[]{}()%?&=/\'$;:-0aZ'


def context(mapping=None, **said):
    source = Source("here", **said)
    return Context(source, KEYRING, mapping or {}, "mapping.toml")


def walk(reader, data, directory: Path, chunk_size=1 << 20, longest_line=1 << 16):
    path = directory / "log"
    path.write_bytes(data)
    intake = Intake(path, "log", chunk_size=chunk_size, longest_line=longest_line)
    return list(reader.read(intake))


def rows_of(batches: list[Batch]) -> list[dict]:
    return pa.concat_tables([batch.events for batch in batches]).to_pylist()


def quarantined(batches: list[Batch]) -> list[dict]:
    return pa.concat_tables([batch.quarantine for batch in batches]).to_pylist()


def tally(batches: list[Batch]) -> Tally:
    return sum((batch.tally for batch in batches), Tally())


def everything_said(batches: list[Batch]) -> str:
    """Every text that a run leaves behind."""
    said = set()
    for batch in batches:
        for table in (batch.events, batch.quarantine):
            for column in table.columns:
                if pa.types.is_dictionary(column.type):
                    said |= set(column.unify_dictionaries().combine_chunks().dictionary.to_pylist())
        said |= set(batch.tally.ignored)
    return "\n".join(str(word) for word in said)


def damaged(line: bytes, chance: random.Random) -> bytes:
    """Return `line` (with its line end) after one to three accidents; its end stays."""
    text = bytearray(line.rstrip(b"\n"))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(text) + 1)
        accident = chance.randrange(5)
        if accident == 0 and at < len(text):
            text[at] = chance.randrange(256)
        elif accident == 1 and at < len(text):
            del text[at : at + chance.choice((1, 1, 2, 20))]
        elif accident == 2:
            text[at:at] = chance.choice(ODD).encode()
        elif accident == 3:
            text[at:at] = text[at : at + 8]
        else:
            del text[at:]
    return bytes(text) + b"\n"
