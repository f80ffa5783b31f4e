"""No raw patient identifier in anything that a run leaves behind, however it is encoded.

A small log of each format is imported, scanned, explained and broken on purpose; then every byte
of VIGIE_HOME and every word printed is decoded (Parquet columns, SQLite, archives, base64, URLs)
and searched for the identifiers, names and addresses of the patients in it.
"""

import base64
import gzip
import json
import re
import sqlite3
import subprocess
import sys
import urllib.parse
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vigie.simulate.output import write_world
from vigie.simulate.presets import PRESETS, simulate

COMMANDS = (
    ("alerts",),
    ("alerts", "--format", "json"),
    ("events", "--limit", "50"),
    ("events", "--sql", "SELECT * FROM quarantine"),
    ("doctor",),
    ("verify",),
)


def run(home: Path, *arguments: str | Path) -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "vigie.cli", *map(str, arguments), "--home", str(home)],
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.stdout + done.stderr


def secrets_of(world) -> set[bytes]:
    """Return what must not be found: numbers, NIRs, INS, surnames with given names, addresses."""
    people = world.patients
    used = [p for p in world.accesses.column("patient").to_pylist() if p >= 0]
    # Those of the first lines, which are the damaged ones, and some of all the others.
    chosen = dict.fromkeys([*used[:60], *used[:: max(1, len(used) // 60)]])
    words: set[str] = set()
    for index in chosen:
        row = people.slice(index, 1).to_pylist()[0]
        words |= {row["nir"] or "", row["ins"] or "", row["address"] or "", row["phone"] or ""}
        words.add(f"{row['surname']} {row['given_name']}")
    return {word.lower().encode() for word in words if len(word) >= 8}


def damaged(logs: Path) -> None:
    """Break the first lines of one file so that quarantine and errors have something to say."""
    path = next(p for p in sorted(logs.rglob("*")) if p.is_file())
    raw = path.read_bytes()
    packed = raw[:2] == b"\x1f\x8b"
    lines = (gzip.decompress(raw) if packed else raw).split(b"\n")
    lines[1:4] = [line[: len(line) * 2 // 3] for line in lines[1:4]]
    data = b"\n".join(lines)
    path.write_bytes(gzip.compress(data) if packed else data)


def unfolded(data: bytes, depth: int = 2) -> list[bytes]:
    """Return the bytes with everything that they may hold encoded."""
    found = [data]
    if depth == 0:
        return found
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            found += unfolded(unpack(data), depth - 1)
        except (OSError, EOFError, zlib.error):
            continue
    for word in set(re.findall(rb"[A-Za-z0-9+/_-]{12,}={0,2}", data)):
        padded = word.rstrip(b"=") + b"=" * (-len(word.rstrip(b"=")) % 4)
        try:
            found.append(base64.urlsafe_b64decode(padded.translate(bytes.maketrans(b"+/", b"-_"))))
        except ValueError:
            continue
    if b"%" in data:
        found.append(urllib.parse.unquote_to_bytes(data))
    return found


def left_behind(home: Path) -> dict[str, bytes]:
    """Return the decoded content of every file of the home but the sealed originals."""
    found = {}
    for path in home.rglob("*"):
        if not path.is_file() or path.suffix == ".age":
            continue
        data = path.read_bytes()
        found[str(path)] = data
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            found[f"{path}:columns"] = "\n".join(
                json.dumps(pa.chunked_array(c.chunks).unique().to_pylist(), default=repr)
                for c in table.columns
            ).encode()
        if data.startswith(b"SQLite format 3"):
            with sqlite3.connect(path) as database:
                found[f"{path}:dump"] = "\n".join(database.iterdump()).encode()
    return found


@pytest.mark.parametrize("preset", PRESETS)
def test_nothing_that_a_run_leaves_names_a_patient(preset: str, tmp_path: Path) -> None:
    world = simulate(preset, 0.01, seed=5, days=6, attacks=1)
    write_world(world, tmp_path / "out")
    damaged(tmp_path / "out" / "logs")
    home = tmp_path / "home"
    mappings = [x for m in sorted((tmp_path / "out").glob("*.toml")) for x in ("--mapping", m)]
    printed = run(home, "scan", tmp_path / "out" / "logs", *mappings)
    printed += b"".join(run(home, *command) for command in COMMANDS)
    assert b"quarantined" in printed
    forbidden = secrets_of(world)
    assert len(forbidden) > 100
    pattern = re.compile(b"|".join(map(re.escape, sorted(forbidden))))
    for place, data in {"printed": printed, **left_behind(home)}.items():
        for content in unfolded(data):
            match = pattern.search(content.lower())
            assert match is None, f"{place} holds {match.group()!r}"
    assert any(home.rglob("*.age"))
