"""What is written can be read again by the readers that users have: nothing lost, nothing new."""

import fnmatch
import gzip
import re
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from vigie.pseudonyms import Keyring
from vigie.readers import reader_class
from vigie.readers.base import Context, Tally
from vigie.readers.intake import Intake
from vigie.readers.mapping import load_mapping
from vigie.simulate.output import Summary, write_world
from vigie.simulate.writers import WRITERS

PRESETS = sorted(WRITERS)
SECOND_WORDS = {
    "hospital": {
        "merge": {"update", "list"}, "list": {"open"}, "billing": {"update"}, "print": {"open"},
        "search": {"open", "list"}, "break_glass": {"open", "list"}, "stock": {"update"},
        "open": {"list"},
    },
}  # fmt: skip
"""Where a log has no word of its own for an action: SQL has four."""


class Written:
    """A folder that was written, and what the readers made of it."""

    def __init__(self, preset: str, world, out: Path) -> None:
        self.preset, self.world, self.out = preset, world, out
        self.summary: Summary = write_world(world, out)
        self.truth = pq.read_table(out / "truth" / "events.parquet")
        self.tally = Tally()
        self.events, self.quarantine = self._read()

    def _read(self) -> tuple[pa.Table, pa.Table]:
        mappings = [load_mapping(path) for path in sorted(self.out.glob("*.toml"))]
        events, refused = [], []
        for file in self.summary.files:
            mapping = next(
                m for m in mappings if any(fnmatch.fnmatch(file.name, p) for p in m.files)
            )
            context = Context(mapping.source, Keyring(bytes(32)), mapping.raw, mapping.where)
            reader = reader_class(mapping.reader)(context)
            label = file.relative_to(self.out / "logs").as_posix()
            for batch in reader.read(Intake(file, label)):
                events.append(batch.events)
                refused.append(batch.quarantine)
                self.tally += batch.tally
        return pa.concat_tables(events), pa.concat_tables(refused)

    def pairs(self) -> list[tuple[dict, dict]]:
        """Return each true place with the waist's row that stands there."""
        keys = ("source_file", "source_line", "part")
        rows = {tuple(row[key] for key in keys): row for row in self.events.to_pylist()}
        return [
            (true, rows[true["file"], true["line"], true["part"]])
            for true in self.truth.to_pylist()
        ]


@pytest.fixture(scope="module", params=PRESETS)
def written(request, small_world, tmp_path_factory) -> Written:
    preset = request.param
    return Written(preset, small_world(preset), tmp_path_factory.mktemp(preset))


def test_nothing_is_quarantined_and_every_line_is_accounted_for(written: Written) -> None:
    assert written.quarantine["reason"].to_pylist() == []
    assert written.tally.read == written.summary.lines
    assert set(written.tally.ignored) <= {"blank", "header", "static"}


def test_the_truth_joins_one_to_one(written: Written) -> None:
    keys = ["file", "line", "part"]
    assert written.truth.group_by(keys).aggregate([]).num_rows == written.truth.num_rows
    assert written.events.num_rows == written.truth.num_rows == len(written.pairs())
    rows = set(written.truth["row"].to_pylist())
    assert rows == set(range(written.world.accesses.num_rows))


def test_who_is_who_was_written(written: Written) -> None:
    for true, row in written.pairs():
        assert row["account"] == true["account"]


def test_when_is_when_it_was_but_for_the_repeated_hour(written: Written) -> None:
    for true, row in written.pairs():
        late = abs((row["at"] - true["at"]).total_seconds())
        assert late < 1.01 or (row["clock_quality"] == "ambiguous" and 3598 < late < 3601)


def test_what_is_what_the_log_can_say(written: Written) -> None:
    words = SECOND_WORDS.get(written.preset, {})
    for true, row in written.pairs():
        said = row["action"]
        assert said == true["action"] or said in words.get(true["action"], set()), true


def test_whom_one_patient_keeps_one_pseudonym(written: Written) -> None:
    keys, owners = defaultdict(set), defaultdict(set)
    for true, row in written.pairs():
        if true["file"].startswith("web/") and row["patient"] is None:
            continue  # a web server does not see what a search returned
        assert (true["patient"] is None) == (row["patient"] is None)
        keys[true["patient"]].add(row["patient"])
        owners[row["patient"]].add(true["patient"])
    assert all(len(found) == 1 for found in keys.values())
    if written.preset != "third-party-payment":  # a NIR may be a parent's
        assert all(len(found) == 1 for found in owners.values())


def test_every_identifier_is_in_form(written: Written) -> None:
    assert written.events["flags"].null_count == written.events.num_rows


def test_a_page_is_one_access(written: Written) -> None:
    if written.events["request_key"].null_count == written.events.num_rows:
        assert written.preset == "identity-server"  # one message per access, without a request id
        return
    requests, accesses = defaultdict(set), defaultdict(set)
    for true, row in written.pairs():
        requests[true["access"]].add(row["request_key"])
        accesses[row["request_key"]].add(true["access"])
    assert all(len(found) == 1 for found in requests.values())
    assert all(len(found) == 1 for found in accesses.values())


def test_services_are_told_from_people(written: Written) -> None:
    kinds = dict(
        zip(*(written.world.accounts[c].to_pylist() for c in ("login", "kind")), strict=True)
    )
    for true, row in written.pairs():
        if kinds.get(true["account"]) == "service" and not true["file"].startswith("web/"):
            assert row["actor_kind"] == "service"


def test_the_same_world_gives_the_same_bytes(written: Written, tmp_path: Path) -> None:
    again = write_world(written.world, tmp_path)
    for first, second in zip(written.summary.files, again.files, strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert first.relative_to(written.out) == second.relative_to(tmp_path)


def test_no_log_shows_what_only_the_simulator_knows(written: Written) -> None:
    """Its count of accesses begins at 10,000: no number of the log is in that row."""
    for file in written.summary.files:
        raw = file.read_bytes()
        text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode("latin-1")
        assert not re.search(r"fast_sweep|new_patient|\btheft\b", text)


def test_base_names_are_unique(written: Written) -> None:
    names = [file.name for file in written.summary.files]
    assert len(set(names)) == len(names)


def test_free_text_stays_out(small_world, tmp_path: Path) -> None:
    written = Written("practice-software", small_world("practice-software"), tmp_path)
    surnames = set(written.world.patients["surname"].to_pylist())
    words: set[str] = set()
    for name in written.events.schema.names:
        column = written.events[name]
        if pa.types.is_dictionary(column.type):
            for word in pc.unique(column.cast(pa.string())).to_pylist():
                words |= set((word or "").replace("/", " ").split())
    assert not words & surnames
    assert "séropositif," not in words
