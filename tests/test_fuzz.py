"""100,000 damaged lines of every line format: the sum holds, and no intact line pays for another.

The lines are those that the simulator writes; damaged and intact ones alternate. `Batch` refuses
to be built when lines read are not accepted + ignored + quarantined, so reading to the end proves
the sum of each batch; what is checked here besides is that the batches together read every line,
and that no line in quarantine is one that was left alone.
"""

import gzip
import random
from pathlib import Path

import pyarrow as pa
import pytest

from readers.walking import damaged
from vigie.pipeline import load_mappings, mapping_for
from vigie.pseudonyms import Keyring
from vigie.readers import reader_class, recognise
from vigie.readers.base import Context, Source, Tally
from vigie.readers.intake import Intake
from vigie.simulate.output import write_world
from vigie.simulate.presets import simulate

DAMAGED = 100_000
LOGS = {
    "csv": ("hospital", "audit*.csv"),
    "pgaudit": ("hospital", "*postgres*"),
    "ndjson": ("practice-software", "*.ndjson*"),
    "tsv": ("third-party-payment", "*.tsv"),
    "fhir": ("regional-portal", "*.ndjson*"),
    "weblog": ("regional-portal", "*access*"),
    "atna": ("identity-server", "*.log*"),
}


@pytest.fixture(scope="module", params=LOGS)
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the logs of a small world and return one file of the format, with its mapping by."""
    preset, pattern = LOGS[request.param]
    out = tmp_path_factory.mktemp(preset)
    write_world(simulate(preset, 0.02, seed=11, days=3, attacks=1), out)
    files = sorted((out / "logs").rglob(pattern))
    assert files, f"the simulator writes no {pattern} for {preset}"
    return max(files, key=lambda path: path.stat().st_size)


def contents(path: Path) -> list[bytes]:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).splitlines(keepends=True)


def mixed(lines: list[bytes], header: bool, chance: random.Random) -> tuple[bytes, set[int], int]:
    """Return damaged and intact lines in turn, the numbers of the intact ones, and how many."""
    parts, intact, number = ([lines[0]], set(), 2) if header else ([], set(), 1)
    body = lines[1:] if header else lines
    for place in range(DAMAGED):
        line = body[place % len(body)]
        broken = damaged(line, chance)
        parts += [broken, line]
        number += broken.count(b"\n")
        intact.add(number)
        number += 1
    return b"".join(parts), intact, number - 1


@pytest.mark.slow
def test_the_sum_holds_and_intact_lines_are_never_quarantined(log: Path, tmp_path: Path) -> None:
    lines = contents(log)
    out = next(folder for folder in log.parents if (folder / "logs").is_dir())
    mapping = mapping_for(log, load_mappings(sorted(out.glob("*.toml"))))
    name = (mapping.reader if mapping else "") or recognise(Intake(log, log.name))
    header = log.suffix == ".csv" and name == "table"
    data, intact, count = mixed(lines, header, random.Random(log.name))
    path = tmp_path / log.name.removesuffix(".gz")
    path.write_bytes(data)
    source = mapping.source if mapping else Source(name)
    context = Context(source, Keyring(bytes(32)), mapping.raw if mapping else {})
    tally, bad = Tally(), []
    for batch in reader_class(name)(context).read(Intake(path, path.name)):
        tally += batch.tally
        bad.append(batch.quarantine.column("source_line"))
    quarantined = set(pa.chunked_array([c for b in bad for c in b.chunks], pa.int64()).to_pylist())
    assert tally.balanced
    assert quarantined
    assert not quarantined & intact
    assert tally.accepted + sum(tally.ignored.values()) >= len(intact)
    assert tally.read <= count
