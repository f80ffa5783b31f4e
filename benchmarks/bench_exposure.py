"""Exposure: the thief told from the owner on every preset, and the speed of the exact set.

The first part prints, per family of thefts and by where the thief came from, how many of his
accesses the default boundary leaves out and which share of the owner's it takes in. The second
compares `expose` with the bare DuckDB query for the same set, over the same store, in one run.
"""

import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.base import Result
from vigie.detection import COLUMNS, detect
from vigie.events import SCHEMA
from vigie.exposure import Boundary, Exposure, Scope, Stretch, expose
from vigie.exposure.evidence import evidence_of
from vigie.pipeline import find_files, import_files, load_mappings
from vigie.simulate.output import simulate_to
from vigie.simulate.presets import PRESETS
from vigie.simulate.truth import line_labels
from vigie.stores import Store

ALL = Boundary("all", reason="bench")


@dataclass
class Tally:
    """Accesses of one family: the thief's and the owner's, and what became of them."""

    thefts: int = 0
    stolen: int = 0
    left_out: int = 0
    own: int = 0
    included: int = 0
    ways: Counter[str] = field(default_factory=Counter)


_JUDGED = """
SELECT l.attack = $attack AS stolen, coalesce(a.certainty IN ('owner', 'possible'), false) AS out,
    count(DISTINCT s.access_id)
FROM own s JOIN labels l ON l.line = s.source_line AND l.account = s.account
  AND l.name = regexp_replace(s.source_file, '^.*/', '')
LEFT JOIN judged a ON s.access_id = a.access_id
WHERE s.patient IS NOT NULL AND NOT s.failed GROUP BY ALL
"""


def judge(found: Exposure, labels: pa.Table, attack: int) -> dict[tuple[bool, bool], int]:
    """Count accesses by (the thief's, left out by the default boundary)."""
    connection = found.connection
    connection.register("labels", labels)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE judged AS SELECT access_id,"
        " arg_min(certainty, list_position(['certain', 'probable', 'not_separable', 'possible',"
        " 'owner'], certainty)) AS certainty FROM whose GROUP BY access_id"
    )
    rows = connection.execute(_JUDGED, {"attack": attack}).fetchall()
    return {(stolen, out): count for stolen, out, count in rows}


def separations(folder: Path) -> dict[tuple[str, str], Tally]:
    """Judge every theft of one simulated platform whose logs are in the store `folder/home`."""
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    labels = line_labels(folder / "truth")
    with Store.open(folder / "home") as store:
        columns = [name for name in SCHEMA.names if name in {*COLUMNS, "event_id"}]
        events = store.events(columns)
        detection = detect(events)
        for attack in json.loads((folder / "truth" / "attacks.json").read_text("utf-8")):
            place = "inside" if attack["parameters"]["from"] == "inside" else "elsewhere"
            tally = tallies[place, attack["family"]]
            tally.thefts += 1
            for account in attack["accounts"]:
                stretch = Stretch(account, _at(attack["onset"]), _at(attack["end"], 2))
                evidence = evidence_of(detection, events, (account,))
                found = expose(store, Scope((stretch,)), evidence=evidence)
                tally.ways[found.separation.ways[account]] += 1
                counts = judge(found, labels, attack["attack"])
                tally.stolen += counts.get((True, False), 0) + counts.get((True, True), 0)
                tally.left_out += counts.get((True, True), 0)
                tally.own += counts.get((False, False), 0) + counts.get((False, True), 0)
                tally.included += counts.get((False, False), 0)
    return tallies


def _at(text: str, more: int = 0) -> datetime:
    whole = datetime.fromisoformat(text).replace(second=0, microsecond=0)
    return whole + timedelta(minutes=more)


def build(preset: str, scale: float, seed: int, folder: Path) -> None:
    """Simulate a platform and read its logs into `folder/home`."""
    simulate_to(preset, scale, seed, folder)
    with Store.open(folder / "home", write=True) as store:
        import_files(store, find_files([folder / "logs"]), load_mappings([folder]))


def table(tallies: dict[tuple[str, str], Tally]) -> str:
    """Return the table by family."""
    lines = [
        "| thief came from | family | thefts | thief's accesses | left out | owner's accesses "
        "| included | told apart |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for (place, family), t in sorted(tallies.items()):
        share = f"{100 * t.included / t.own:.0f} %" if t.own else "–"
        ways = ", ".join(f"{way} {count}" for way, count in sorted(t.ways.items()))
        lines.append(
            f"| {place} | {family} | {t.thefts} | {t.stolen} | {t.left_out} | {t.own} "
            f"| {share} | {ways} |"
        )
    return "\n".join(lines)


def added(parts: list[dict[tuple[str, str], Tally]]) -> dict[tuple[str, str], Tally]:
    """Add up the tallies of several platforms."""
    total: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for part in parts:
        for key, t in part.items():
            into = total[key]
            into.thefts += t.thefts
            into.stolen += t.stolen
            into.left_out += t.left_out
            into.own += t.own
            into.included += t.included
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


def speed(rows: int, folder: Path) -> tuple[float, float, int]:
    """Return the seconds of `expose` and of the bare query, and the rows of the set."""
    from benchmarks.exposure_log import fill

    fill(folder / "home", rows)
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    with Store.open(folder / "home") as store:
        scope = Scope((Stretch("thief", since, until),))
        began = time.perf_counter()
        found = expose(store, scope)
        found.write(folder / "exposure.parquet")
        ours = time.perf_counter() - began
        count = found.groups("SELECT count(*) FROM exposure")[0][0]
        found.connection.close()
        connection = store.connect()
        asked: dict[str, Any] = {
            "account": "thief", "since": since.replace(tzinfo=None),
            "until": until.replace(tzinfo=None),
        }  # fmt: skip
        began = time.perf_counter()
        bare = connection.sql(BARE, params=asked)
        bare.to_parquet(str(folder / "bare.parquet"), compression="zstd")
        return ours, time.perf_counter() - began, count


def run(scale: float = 0.1) -> list[Result]:
    """Run both parts; the table by family goes to standard error."""
    parts = []
    with tempfile.TemporaryDirectory() as name:
        for preset in PRESETS:
            folder = Path(name) / preset
            build(preset, max(0.02, 0.3 * scale), 11, folder)
            parts.append(separations(folder))
        total = added(parts)
        sys.stderr.write(table(total) + "\n")
        rows = int(100_000_000 * scale * 0.2)
        ours, bare, count = speed(rows, Path(name))
    away = [t for (place, _), t in total.items() if place == "elsewhere"]
    own, included = sum(t.own for t in away), sum(t.included for t in away)
    left = sum(t.left_out for t in total.values())
    return [
        Result(
            "owner's accesses counted as the thief's, thefts from elsewhere",
            included / max(own, 1), "all the owner's accesses in the period", 1.0, "share",
            "0.10", f"{left} of the thief's accesses left out, all families",
        ),
        Result(
            "exposure to Parquet", ours, "bare DuckDB query for the same set", bare, "s", "2",
            f"{rows:,} accesses, {count:,} rows",
        ),
    ]  # fmt: skip
