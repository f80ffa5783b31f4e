"""Packets by controller and letters: split, names, encryption, manifests, and what bounds letters.

Two shapes of the largest thefts: 20 million persons of 84 insurers, and 15 million persons of
1,500 doctors behind 19 million lines. Each runs in a process of its own, so that its memory is.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from pyrage import x25519

from benchmarks.base import Result
from vigie.exposure import EXPOSURE
from vigie.pseudonyms import Keyring

RING = Keyring(bytes(32))
STEP = 500_000
START = 1_700_000_000_000_000
REGISTER = """
[register]
file = "register.csv"
[[identifiers]]
column = "ipp"
authority = "portal"
[columns]
surname = "surname"
given_name = "given_name"
address = "address"
postcode = "postcode"
city = "city"
email = "email"
"""
LIMIT_MINUTES, LIMIT_GB = 10.0, 4.0


def make_exposure(top: Path, persons: int, rows: int, controllers: int) -> None:
    """Write `rows` rows about `persons` persons, and the register of all of them.

    Sorted by key, as an exposure is; controllers are of very different sizes, as insurers are.
    """
    chance = np.random.default_rng(1)
    extra = rows - persons
    names = [f"Responsable {number:04d}" for number in range(controllers)]
    pieces = []
    with pacsv.CSVWriter(
        top / "register.csv", _person(0, 1).schema,
        write_options=pacsv.WriteOptions(delimiter=";"),
    ) as register:  # fmt: skip
        for begin in range(0, persons, STEP):
            count = min(STEP, persons - begin)
            people = _person(begin, count)
            register.write_table(people)
            pieces.append(RING.pseudonyms(people["ipp"].combine_chunks(), "portal"))
    (top / "register.toml").write_text(REGISTER)
    keys = np.concatenate([np.frombuffer(p.buffers()[1], ">u8").reshape(-1, 2) for p in pieces])
    keys = keys[np.argsort(keys[:, 0])]
    times = np.ones(persons, np.int64)
    times[chance.choice(persons, extra % persons, replace=False)] += 1
    times += extra // persons
    with pq.ParquetWriter(top / "exposure.parquet", EXPOSURE, compression="zstd") as writer:
        for begin in range(0, persons, STEP):
            part = times[begin : begin + STEP]
            writer.write_table(_rows(chance, keys[begin : begin + STEP], part, names))


def _person(begin: int, count: int) -> pa.Table:
    numbers = np.arange(begin, begin + count)
    text = pa.array(numbers).cast(pa.string())

    def joined(before: str, after: str = "") -> pa.Array:
        import pyarrow.compute as pc

        return pc.binary_join_element_wise(before, text, after, "")

    return pa.table(
        {"ipp": joined("P"), "surname": joined("DURAND"), "given_name": joined("Camille"),
         "address": joined("", " rue des Lilas"), "postcode": pa.array(["35000"] * count),
         "city": pa.array(["RENNES"] * count), "email": joined("c", "@exemple.fr")}
    )  # fmt: skip


def _rows(chance, keys: np.ndarray, times: np.ndarray, names: list[str]) -> pa.Table:
    whose = np.minimum(
        (chance.random(len(keys)) ** 2 * len(names)).astype(np.int32), len(names) - 1
    )
    places = np.repeat(np.arange(len(keys)), times)
    order = np.arange(len(places)) - np.repeat(np.cumsum(times) - times, times)
    flat = keys[places].astype(">u8")
    at = pa.array(START + chance.integers(0, 10**12, len(places))).cast(
        EXPOSURE.field("last_at").type
    )
    count = len(places)

    def word(indices: np.ndarray, words: list[str]) -> pa.Array:
        said = pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int32)), words)
        return said.cast(pa.string())

    nothing = np.zeros(count)
    return pa.table(
        [pa.Array.from_buffers(pa.binary(16), count, [None, pa.py_buffer(flat)]),
         word(order % 2, ["coverage", "identity"]), word(nothing, ["opened"]), at, at,
         word(nothing, ["acc001"]), word(whose[places], names), word(nothing, ["certain"]),
         pa.array(np.ones(count, np.int64))], schema=EXPOSURE,
    )  # fmt: skip


def write(top: Path, named: bool) -> dict[str, float]:
    """Split, make and encrypt the packets of `top`, in this process; say time, memory, sizes."""
    from vigie.delivery.packets import write_packets
    from vigie.delivery.recipients import Recipient
    from vigie.delivery.split import split
    from vigie.notices.register import load_register

    register = load_register(top / "register.toml", RING) if named else None
    began = time.perf_counter()
    with split(top / "exposure.parquet", top / "work") as found:
        done = time.perf_counter()
        key = x25519.Identity.generate().to_public()
        to = {name: Recipient(name, age=(key,)) for name in found.shares}
        outcome = write_packets(
            found, to, top / f"out-{named}", documents(top / "home"), register=register
        )
    joined = outcome.joined
    assert joined is None or not (joined.missing or joined.differing)
    return {
        "split": done - began,
        "seconds": time.perf_counter() - began,
        "cpu": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "persons": outcome.persons,
        "bytes": sum(packet.file.size for packet in outcome.packets),
    }


def documents(home: Path):
    """Return what makes the documents of each packet, from a case like any other."""
    from vigie.cases.book import CaseBook
    from vigie.cases.filings import file
    from vigie.cases.model import Kind, Matter
    from vigie.config import Settings
    from vigie.facts import Facts
    from vigie.notices.controllers import enclosed
    from vigie.notices.story import tell

    home.mkdir(exist_ok=True)
    (home / "organisation.toml").write_text('name = "Portail"\ncontact = "DPO, dpo@portail.fr"\n')
    at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    moments = {"first_access": at.isoformat(), "last_access": at.isoformat()}
    with CaseBook.open(home, Settings()) as book:
        case = book.open_case("bench", [], "dpo", "bench", "processor")
        book.set_facts(case.id, Facts(accounts=("acc001",), moments=moments), "bench", "dpo")
        book.note(case.id, Kind.MEASURE, "Le compte a été coupé.", at)
        case = book.decide(case.id, Matter.AWARENESS, "aware", "bench", "dpo", at=at)
    return enclosed(file(case, "cnil", home, at), tell(case, home, at), ("pdf", "docx"), home)


def measured(top: Path, named: bool) -> dict[str, float]:
    """Run `write` in a process of its own."""
    program = (
        "from pathlib import Path\nfrom benchmarks.bench_packets import write\n"
        f"print(write(Path({str(top)!r}), {named}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return eval(done.stdout.splitlines()[-1])  # our own figures


def bare(top: Path) -> float:
    """Return the seconds DuckDB takes to write the same rows as one Parquet file per controller."""
    began = time.perf_counter()
    with duckdb.connect(config={"memory_limit": "1500MB", "threads": 2}) as connection:
        connection.execute(
            f"COPY (FROM read_parquet('{top}/exposure.parquet')) TO '{top}/bare' "
            "(FORMAT parquet, PARTITION_BY (controller))"
        )
    return time.perf_counter() - began


def packets(name: str, persons: int, rows: int, controllers: int) -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        make_exposure(top, persons, rows, controllers)
        reference = bare(top)
        results = []
        for named in (False, True):
            found = measured(top, named)
            assert found["persons"] == persons
            results.append(
                Result(
                    f"packets: {name}" + (", with names" if named else ""), found["seconds"],
                    "DuckDB, one Parquet per controller, in clear", reference, "s",
                    f"full size: {LIMIT_MINUTES:.0f} min, {LIMIT_GB:.0f} GB",
                    f"{persons:,} persons, {rows:,} rows, {controllers} packets; split "
                    f"{found['split']:.0f} s, processor {found['cpu']:.0f} s, memory "
                    f"{found['memory']:.2f} GB, "
                    f"{found['bytes'] / 1e6:,.0f} MB encrypted",
                )
            )  # fmt: skip
        return results


def _printed(count: int, cores: int) -> float:
    """Write, lay out, pack and encrypt `count` letters as `vigie notice render` does; seconds."""
    from vigie.cases.organisation import Organisation
    from vigie.delivery.mailing import Mailing, print_letters
    from vigie.delivery.recipients import Recipient
    from vigie.delivery.unwritten import Addressee
    from vigie.facts import Facts
    from vigie.notices.letters import Exposed, Letters
    from vigie.notices.pdf import pdf
    from vigie.notices.routes import Route
    from vigie.notices.story import Story

    at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    story = Story(
        "2026-0001", "fr", Organisation(name="CH", contact="DPO, dpo@ch.fr"), "Europe/Paris",
        "2026-03-04", at, at, at, ("Le compte a été coupé.",), Facts(accounts=("a",)), {},
        ("a",),
    )  # fmt: skip
    exposed = Exposed(("identity", "nir", "contact"), (), at, at)
    people = (
        Addressee(
            f"{number:032x}", Route.ADULT,
            {"surname": f"Durand{number}", "given_name": "Zoé", "postcode": "1", "city": "X"},
            exposed,
        )
        for number in range(count)
    )  # fmt: skip
    to = Recipient("", age=(x25519.Identity.generate().to_public(),))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        print_letters(people, Letters(story), pdf, to, Path(folder), Mailing(), cores=cores)
    return time.perf_counter() - began


def letters(count: int) -> Result:
    cores = min(2, os.cpu_count() or 1)
    _printed(20, cores)
    seconds, alone = _printed(count, cores), _printed(count // 4, 1)
    return Result(
        "letters (PDF/UA) per hour", count / seconds * 3600, "one core alone",
        count / 4 / alone * 3600, "letters/h", "reported",
        f"{cores} threads, packed and encrypted; bound by layout in typst, not by disk",
    )  # fmt: skip


def run(scale: float = 1.0) -> list[Result]:
    count = max(20_000, int(20_000_000 * scale))
    doctors = max(15_000, int(15_000_000 * scale))
    lines = doctors * 19 // 15
    return [
        *packets("84 insurers", count, 2 * count, 84),
        *packets("1,500 doctors", doctors, lines, 1500),
        letters(max(400, int(10_000 * min(1.0, scale)))),
    ]


if __name__ == "__main__":
    for result in run(float(os.environ.get("BENCH_SCALE", "0.1"))):
        print(result)
