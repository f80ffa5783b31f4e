"""Exposure: the thief told from the owner on every preset, and the speed of the exact set.

The first part prints, per family of thefts and by what the truth says of where and when the thief
worked, how many of his accesses the default boundary leaves out and which share of the owner's it
takes in: in the period from the first to the last stolen access, and in one that begins a day
before and ends a day after, as somebody asks who does not know. The second compares `expose` with
the bare DuckDB query for the same set, over the same store, in one run.

    python -m benchmarks.bench_exposure 0.02 341 342
    python -m benchmarks.bench_exposure other-hours 0.02 375   # thefts moved to nights, days off
    python -m benchmarks.bench_exposure half 0.02 373          # half of each
    python -m benchmarks.bench_exposure at-home 0.02 378       # half from elsewhere, half at home
    python -m benchmarks.bench_exposure large 30 FOLDER    # 30 million accesses of one account
"""

import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.base import Result
from benchmarks.other_hours import Hours, at_home, moved
from vigie.detection import COLUMNS, detect
from vigie.events import SCHEMA
from vigie.exposure import EVIDENCE, Exposure, Scope, Stretch, expose
from vigie.exposure.evidence import evidence_of
from vigie.exposure.scope import INCLUDED
from vigie.facts.counting import facts_of
from vigie.pipeline import find_files, import_files, load_mappings
from vigie.simulate.output import write_world
from vigie.simulate.presets import PRESETS, simulate
from vigie.simulate.truth import line_labels
from vigie.simulate.world import World
from vigie.stores import Store

AWAY: Final = ("elsewhere", "other hour")


@dataclass
class Tally:
    """Accesses of one family: the thief's and the owner's, and what became of them.

    `unsure` of the thief's are beyond the boundary `told_apart`, `sure` of the owner's within it.
    """

    accounts: int = 0
    stolen: int = 0
    left_out: int = 0
    own: int = 0
    included: int = 0
    unsure: int = 0
    sure: int = 0
    ways: Counter[str] = field(default_factory=Counter)


Tallies = dict[tuple[str, str], Tally]
"""By where and when the thief came, and by family."""

_JUDGED = """
SELECT l.attack = $attack AS stolen, coalesce(a.certainty, 'not_separable') AS certainty,
    count(DISTINCT s.access_id)
FROM own s JOIN labels l ON l.line = s.source_line AND l.account = s.account
  AND l.name = regexp_replace(s.source_file, '^.*/', '')
LEFT JOIN judged a ON s.access_id = a.access_id
WHERE NOT s.failed GROUP BY ALL
"""


def judge(found: Exposure, labels: pa.Table, attack: int) -> Counter[tuple[bool, str]]:
    """Count accesses by (the thief's, whose they are held to be)."""
    connection = found.connection
    connection.register("labels", labels)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE judged AS SELECT access_id,"
        " arg_min(certainty, list_position(['certain', 'probable', 'not_separable', 'possible',"
        " 'owner'], certainty)) AS certainty FROM whose GROUP BY access_id"
    )
    rows = connection.execute(_JUDGED, {"attack": attack}).fetchall()
    return Counter({(stolen, certainty): count for stolen, certainty, count in rows})


_TIMES: Final = """
SELECT attack = $attack AS stolen, min(epoch_us("at")) AS at
FROM read_parquet($truth)
WHERE account = $account AND attack IN (-1, $attack) GROUP BY attack, access ORDER BY ALL
"""
_MOSTLY: Final = 0.9


def came(folder: Path, attack: dict[str, Any], account: str) -> str:
    """Say by the truth whether a thief came from elsewhere, at another hour, or neither.

    Other hours are those, one either side, and those weekdays that hold less than a hundredth of
    the owner's own work.
    """
    if attack["parameters"]["from"] != "inside":
        return "elsewhere"
    asked = {"attack": attack["attack"], "account": account,
             "truth": str(folder / "truth" / "events.parquet")}  # fmt: skip
    found = duckdb.connect().execute(_TIMES, asked).fetchnumpy()
    stolen, at = found["stolen"].astype(bool), found["at"].astype(np.int64)
    late = Hours.of(at[~stolen]).rare(at[stolen]).sum()
    return "other hour" if late >= _MOSTLY * max(stolen.sum(), 1) else "inside"


def separations(folder: Path, arounds: Sequence[timedelta]) -> list[Tallies]:
    """Judge every theft of one simulated platform whose logs are in the store `folder/home`.

    Once for each time that is asked about before and after.
    """
    tallies: list[Tallies] = [defaultdict(Tally) for _ in arounds]
    labels = line_labels(folder / "truth")
    with Store.open(folder / "home") as store:
        columns = [name for name in SCHEMA.names if name in {*COLUMNS, "event_id"}]
        events, care = store.events(columns), store.table("care")
        detection = detect(events, care=care if care.num_rows else None)
        for attack in json.loads((folder / "truth" / "attacks.json").read_text("utf-8")):
            for account in attack["accounts"]:
                key = came(folder, attack, account), attack["family"]
                evidence = evidence_of(detection, events, (account,))
                for around, found in zip(arounds, tallies, strict=True):
                    _judge(store, (attack, account), around, (evidence, labels), found[key])
    return tallies


def _judge(
    store: Store, theft: tuple[dict[str, Any], str], around: timedelta,
    known: tuple[pa.Table, pa.Table], tally: Tally,
) -> None:  # fmt: skip
    (attack, account), (evidence, labels) = theft, known
    since, until = _at(attack["onset"]) - around, _at(attack["end"], 2) + around
    found = expose(store, Scope((Stretch(account, since, until),)), evidence=evidence)
    counts = judge(found, labels, attack["attack"])
    tally.accounts += 1
    tally.ways[found.separation.ways[account]] += 1
    default, sure = INCLUDED["probable"], INCLUDED["told_apart"]
    for (stolen, certainty), count in counts.items():
        if stolen:
            tally.stolen += count
            tally.left_out += count * (certainty not in default)
            tally.unsure += count * (certainty not in sure)
        else:
            tally.own += count
            tally.included += count * (certainty in default)
            tally.sure += count * (certainty in sure)
    found.connection.close()


def _at(text: str, more: int = 0) -> datetime:
    whole = datetime.fromisoformat(text).replace(second=0, microsecond=0)
    return whole + timedelta(minutes=more)


def build(world: World, folder: Path) -> None:
    """Write a platform and read its logs into `folder/home`."""
    write_world(world, folder)
    with Store.open(folder / "home", write=True) as store:
        import_files(store, find_files([folder / "logs"]), load_mappings([folder]))


def table(tallies: Tallies) -> str:
    """Return the table by family, and all families of each kind."""
    lines = [
        "| thief came | family | accounts | thief's accesses | left out | owner's accesses "
        "| included | told_apart: left out | included | told apart |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    rows = sorted(tallies.items())
    rows += [((place, "**all**"), total) for place, total in sorted(totals(tallies).items())]
    for (place, family), t in rows:
        share, least = (
            f"{100 * part / t.own:.1f} %" if t.own else "–" for part in (t.included, t.sure)
        )
        ways = ", ".join(f"{way} {count}" for way, count in sorted(t.ways.items()))
        lines.append(
            f"| {place} | {family} | {t.accounts} | {t.stolen:,} | {t.left_out:,} | {t.own:,} "
            f"| {share} | {t.unsure:,} | {least} | {ways} |"
        )
    return "\n".join(lines)


def totals(tallies: Tallies) -> dict[str, Tally]:
    """Add up the families of each kind of place."""
    plain = [{(place, ""): tally} for (place, _), tally in tallies.items()]
    return {place: tally for (place, _), tally in added(plain).items()}


def added(parts: list[Tallies]) -> Tallies:
    """Add up the tallies of several platforms."""
    total: Tallies = defaultdict(Tally)
    for part in parts:
        for key, t in part.items():
            into = total[key]
            into.accounts += t.accounts
            into.stolen += t.stolen
            into.left_out += t.left_out
            into.own += t.own
            into.included += t.included
            into.unsure += t.unsure
            into.sure += t.sure
            into.ways += t.ways
    return total


BARE = """
SELECT patient, coalesce(c.data_class, 'unknown') AS data_class,
    CASE action WHEN 'search' THEN 'listed' WHEN 'list' THEN 'listed' WHEN 'export' THEN 'exported'
    WHEN 'print' THEN 'exported' ELSE 'opened' END AS how,
    min("at") AS first_at, max("at") AS last_at, account, o.controller, 'not_separable',
    count(DISTINCT access_id) AS accesses
FROM events e LEFT JOIN screens c USING (source, object)
LEFT JOIN contracts o ON e.organisation = o.organisation
WHERE account = $account AND "at" >= $since AND "at" < $until AND patient IS NOT NULL
  AND action NOT IN ('login', 'logout')
  AND coalesce(outcome NOT IN ('serious_failure', 'major_failure'), true)
GROUP BY ALL ORDER BY ALL
"""
"""The same set as one would ask DuckDB for it by hand, over the same segments."""


def speed(rows: int, share: float, folder: Path) -> tuple[float, float, int]:
    """Return the seconds of `expose` and of the bare query, and the rows of the set.

    The log has `rows` accesses, of which the account asked about made `share`.
    """
    from benchmarks.exposure_log import SINCE, THIEF, fill

    fill(folder / "home", rows, share)
    since, until = SINCE - timedelta(days=4), SINCE + timedelta(days=60)
    with Store.open(folder / "home") as store:
        began = time.perf_counter()
        found = expose(store, Scope((Stretch(THIEF, since, until),)))
        found.write(folder / "exposure.parquet")
        ours = time.perf_counter() - began
        count = found.groups("SELECT count(*) FROM exposure")[0][0]
        found.connection.close()
        connection = store.connect()
        connection.execute(f"SET temp_directory = '{folder}'")
        asked: dict[str, Any] = {
            "account": THIEF, "since": since.replace(tzinfo=None),
            "until": until.replace(tzinfo=None),
        }  # fmt: skip
        began = time.perf_counter()
        bare = connection.sql(BARE, params=asked)
        bare.to_parquet(str(folder / "bare.parquet"), compression="zstd")
        return ours, time.perf_counter() - began, count


def large(rows: int, folder: Path) -> str:
    """Ask twice, each in a process of its own, about one account that made all of `rows` accesses.

    Detection is stood in for by made-up evidence; the thief works beside the owner, elsewhere.
    """
    from benchmarks.exposure_log import fill

    if not (folder / "home").exists():
        fill(folder / "home", rows)
    lines = []
    for number in (1, 2):
        asked = [sys.executable, "-c", _ONE, str(folder), str(number)]
        lines.append(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
    return f"{rows:,} accesses\n" + "".join(lines)


_ONE: Final = "import sys; from benchmarks.bench_exposure import one; one(*sys.argv[1:])"


def one(folder: str, number: str) -> None:
    """Ask once; print time, peaks of memory and of the disk, the hashes of set and facts."""
    from benchmarks.exposure_log import SINCE, STOLEN_FROM, THIEF

    out, home = Path(folder) / f"{number}.parquet", Path(folder) / "home"
    peak = Peak(home / "spill")
    since = SINCE + timedelta(days=STOLEN_FROM)
    with Store.open(home) as store:
        events = store.events(["event_id"]).column("event_id").combine_chunks()
        ratios = np.random.default_rng(1).normal(-1.0, 1.0, len(events))
        evidence = pa.table([events, ratios, np.zeros(len(events), bool)], schema=EVIDENCE)
        began = time.perf_counter()
        scope = Scope((Stretch(THIEF, since, SINCE + timedelta(days=30)),))
        found = expose(store, scope, evidence=evidence)
        sha256 = found.write(out)
        facts = facts_of(found, "", sha256)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(
        f"{time.perf_counter() - began:.0f} s, {memory / 1e9:.2f} GB,"
        f" spilt {peak.most / 1e9:.2f} GB, told apart by {found.separation.ways[THIEF]},"
        f" {found.persons:,} persons,"
        f" set {sha256[:12]}, facts {facts.sha256[:12]}\n"
    )


class Peak(Thread):
    """Watches how large a folder becomes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.most = folder, 0
        self.start()

    def run(self) -> None:
        """Look twice a second, for as long as the process lives."""
        while True:
            with contextlib.suppress(OSError):
                sizes = sum(path.stat().st_size for path in self.folder.iterdir())
                self.most = max(self.most, sizes)
            time.sleep(0.5)


def told_apart(
    scale: float, seeds: Sequence[int], change: Callable[[World], World] | None = None
) -> tuple[Tallies, Tallies]:
    """Play thefts on every preset; judge them in their own period and in a day more each side."""
    close, wide = [], []
    for seed in seeds:
        for preset in PRESETS:
            with tempfile.TemporaryDirectory() as name:
                world = simulate(preset, scale, seed)
                build(change(world) if change else world, Path(name))
                one, other = separations(Path(name), (timedelta(), timedelta(days=1)))
                close.append(one)
                wide.append(other)
    return added(close), added(wide)


def run(scale: float = 0.1) -> list[Result]:
    """Run both parts; the table by family goes to standard error."""
    small = max(0.02, 0.3 * scale)
    close = added([told_apart(small, (11,))[0], told_apart(small, (11,), moved)[0]])
    sys.stderr.write(table(close) + "\n")
    away = totals(close)
    own = sum(away[place].own for place in AWAY if place in away)
    included = sum(away[place].included for place in AWAY if place in away)
    left = sum(t.left_out for t in close.values())
    rows = int(100_000_000 * scale * 0.2)
    with tempfile.TemporaryDirectory() as name:
        ours, bare, count = speed(rows, 0.1, Path(name))
    return [
        Result(
            "owner's accesses counted as the thief's, thefts from elsewhere or at another hour",
            included / max(own, 1), "all the owner's accesses in the period", 1.0, "share",
            "0.10", f"{left} of the thief's accesses left out, all families",
        ),
        Result(
            "exposure to Parquet", ours, "bare DuckDB query for the same set", bare, "s", "2",
            f"log of {rows:,} accesses, a tenth of them the account's, {count:,} rows",
        ),
    ]  # fmt: skip


_CHANGES: Final[dict[str, Callable[[World], World]]] = {
    "other-hours": moved, "half": partial(moved, share=0.5), "at-home": at_home,
}  # fmt: skip


def main() -> None:
    """Print both tables for the scale and seeds given on the command line, or ask about much."""
    if sys.argv[1] == "large":
        sys.stdout.write(large(int(float(sys.argv[2]) * 1e6), Path(sys.argv[3])))
        return
    change = _CHANGES.get(sys.argv[1])
    scale, *seeds = sys.argv[1 + bool(change) :]
    close, wide = told_apart(float(scale), [int(seed) for seed in seeds], change)
    sys.stdout.write(f"{table(close)}\n\nA day more each side:\n\n{table(wide)}\n")


if __name__ == "__main__":
    main()
