"""A tiny log and its reader: `seconds account patient [request] [record]` per line."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from vigie.events import READ_SCHEMA, constant, empty_column
from vigie.pseudonyms import Keyring
from vigie.readers.base import Batch, Context, Source, Tally, quarantine_table
from vigie.readers.intake import Intake
from vigie.stores import Receipt, Store

START = datetime(2025, 9, 1, 8, tzinfo=UTC)


def read(
    intake: Intake, source: Source, keyring: Keyring, lines_per_batch: int = 1000
) -> Iterator[Batch]:
    for chunk in intake.chunks():
        lines = chunk.data.splitlines(keepends=True)
        for begin in range(0, len(lines), lines_per_batch):
            some = lines[begin : begin + lines_per_batch]
            yield _batch(some, chunk.first_line + begin, intake.label, source, keyring)


def _batch(lines: list[bytes], first: int, label: str, source: Source, keyring: Keyring) -> Batch:
    ends = np.cumsum([len(line) for line in lines])
    starts = np.concatenate([[0], ends[:-1]])
    bare = np.array([len(line.rstrip(b"\n")) for line in lines])
    hashes = keyring.line_hashes(np.frombuffer(b"".join(lines), np.uint8), starts, starts + bare)
    good = [n for n, line in enumerate(lines) if line[:1].isdigit() or line[:1] == b"-"]
    bad = [n for n, line in enumerate(lines) if n not in set(good) and line.strip()]
    blank = len(lines) - len(good) - len(bad)
    rows = [row for n in good for row in _rows(n, lines[n].decode().split())]
    quarantine = [(first + n, None, hashes[n].as_py(), "bad_format", None) for n in bad]
    return Batch(
        _events(rows, first, hashes, label, source, keyring),
        quarantine_table(Context(source, keyring), label, quarantine),
        Tally(len(lines), len(good), {"blank": blank} if blank else {}, len(bad)),
    )


def _rows(number: int, fields: list[str]) -> Iterator[tuple[int, int, list[str], str]]:
    for part, patient in enumerate(fields[2].split(",") if len(fields) > 2 else ["-"]):
        yield number, part, fields, patient


def _events(
    rows: list[tuple[int, int, list[str], str]], first: int, hashes: pa.Array, label: str,
    source: Source, keyring: Keyring,
) -> pa.Table:  # fmt: skip
    count = len(rows)
    columns = {name: empty_column(name, count) for name in READ_SCHEMA.names}
    at = [int(START.timestamp() * 1e6) + int(float(f[0]) * 1e6) for _, _, f, _ in rows]

    def keys(values: list[str | None], kind: str) -> pa.Array:
        return keyring.pseudonyms(pa.array(values, pa.string()), "test", kind)

    def extra(fields: list[str], place: int) -> str | None:
        return fields[place] if len(fields) > place and fields[place] != "-" else None

    columns |= {
        "source": constant(source.name, count),
        "source_file": constant(label, count),
        "source_line": pa.array([first + n for n, _, _, _ in rows], pa.int64()),
        "line_hash": hashes.take(pa.array([n for n, _, _, _ in rows], pa.int64())),
        "mapping_version": constant(source.mapping_version, count),
        "at": pa.array(at, READ_SCHEMA.field("at").type),
        "clock_quality": constant("exact", count),
        "account": pa.array([f[1] for _, _, f, _ in rows], pa.string()).dictionary_encode(),
        "action": constant("open", count),
        "patient": keys([None if p == "-" else p for _, _, _, p in rows], "patient"),
        "part": pa.array([part for _, part, _, _ in rows], pa.int32()),
        "request_key": keys([extra(f, 3) for _, _, f, _ in rows], "request"),
        "record_key": keys([extra(f, 4) for _, _, f, _ in rows], "record"),
    }
    return pa.table([columns[name] for name in READ_SCHEMA.names], schema=READ_SCHEMA)


def write(path: Path, lines: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def receive(
    store: Store, path: Path, source: Source | str = "portal", name: str = "", batch: int = 1000
) -> Receipt:
    source = Source(source) if isinstance(source, str) else source
    with store.receive(path, name or path.name, source, "tiny") as receiving:
        if not receiving.already_known:
            intake = Intake(path, receiving.label, seal=receiving.seal)
            for part in read(intake, source, store.keyring, batch):
                receiving.add(part)
            receiving.damage = intake.damage
    return receiving.receipt
