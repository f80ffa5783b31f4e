"""Simulated platforms in a store, with what only their maker knows of them."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vigie.events import VOCABULARIES
from vigie.exposure import Scope, Stretch
from vigie.pipeline import find_files, import_files, load_mappings
from vigie.readers.mapping import load_mapping
from vigie.records import IDENTITIES, SCREENS
from vigie.simulate.output import write_world
from vigie.simulate.presets import simulate
from vigie.simulate.world import World
from vigie.stores import Store
from vigie.stores.segments import read_segments

RESOURCES = {
    "patients": "Patient", "patient/record": "Composition", "patient/documents": "List",
    "document": "DocumentReference", "patients/export": "Bundle",
}  # fmt: skip
EXACT = VOCABULARIES["query_shape"].index("exact_id")
FAILED = (2, 3)
HOW = {"search": "listed", "list": "listed", "export": "exported", "print": "exported"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Platform:
    """A world, its folder, and the truth of every written row."""

    world: World
    folder: Path
    truth: pa.Table

    @property
    def home(self) -> Path:
        return self.folder / "home"


def build(
    preset: str, folder: Path, scale: float = 0.02, seed: int = 5, days: int = 14
) -> Platform:
    """Simulate, write, read into a store, attest the screens and declare who is who."""
    world = simulate(preset, scale, seed, days, 1)
    write_world(world, folder)
    mappings = load_mappings([folder])
    with Store.open(folder / "home", write=True) as store:
        done = import_files(store, find_files([folder / "logs"]), mappings)
        assert not any(file.error for file in done)
        attest(store)
        truth = pq.read_table(folder / "truth" / "events.parquet")
        declare_persons(store, folder, truth)
    return Platform(world, folder, truth)


def attest(store: Store) -> None:
    rows = [
        row | {"attested_by": "DSI", "attested_on": date(2025, 1, 2)}
        for row in store.table("screens").to_pylist()
    ]
    store.put_table("screens", pa.Table.from_pylist(rows, schema=SCREENS))


def key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def placed(store: Store) -> pa.Table:
    """Return where each stored row was written, and the pseudonym that it names."""
    paths = [
        row["path"]
        for row in store.catalogue.rows(
            "SELECT path FROM segments WHERE kind = 'events' AND state = 'live'"
        )
    ]
    columns = ["source_file", "source_line", "part", "patient", "source", "object", "event_id"]
    return read_segments(store.home, paths, "events", columns)


def declare_persons(store: Store, folder: Path, truth: pa.Table) -> None:
    """Declare what an identity server knows: the person of each pseudonym."""
    persons = pq.read_table(folder / "truth" / "persons.parquet")
    name = dict(zip(persons["patient"].to_pylist(), persons["person"].to_pylist(), strict=True))
    number = {
        (file.rsplit("/", 1)[-1], line, part): patient
        for file, line, part, patient in zip(
            *(truth[c].to_pylist() for c in ("file", "line", "part", "patient")), strict=True
        )
    }
    rows = placed(store)
    pairs = set()
    for file, line, part, patient in zip(
        *(rows[c].to_pylist() for c in ("source_file", "source_line", "part", "patient")),
        strict=True,
    ):
        if patient is not None:
            pairs.add((patient, key(name[number[file.rsplit("/", 1)[-1], line, part]])))
    table = pa.Table.from_pylist(
        [
            {"patient": patient, "person": person, "change": "same", "source": "ins"}
            for patient, person in sorted(pairs)
        ],
        schema=IDENTITIES,
    )
    store.put_table("identities", table)


def scope_of(attack: dict, account: str) -> Scope:
    """Return the account and period of a theft, in whole minutes: logs keep seconds at best."""
    return Scope((Stretch(account, _minute(attack["onset"]), _minute(attack["end"], 2)),))


def _minute(text: str, more: int = 0) -> datetime:
    whole = datetime.fromisoformat(text).replace(second=0, microsecond=0)
    return whole + timedelta(minutes=more)


def declared(folder: Path) -> dict[str, set[str]]:
    """Return what each screen shows, straight from the mapping files."""
    found: dict[str, set[str]] = {}
    for path in folder.glob("*.toml"):
        for row in load_mapping(path).screens().to_pylist():
            found.setdefault(row["object"], set()).add(row["data_class"])
    return found


def true_rows(platform: Platform, account: str, scope: Scope, attack: int | None = None):
    """Yield (person, screen, action, access) of every true access, as the world has it."""
    world, truth = platform.world, platform.truth
    persons = pq.read_table(platform.folder / "truth" / "persons.parquet")
    name = dict(zip(persons["patient"].to_pylist(), persons["person"].to_pylist(), strict=True))
    since, until = (
        int((at - EPOCH) / timedelta(microseconds=1)) for at in (scope.since, scope.until)
    )
    at = truth["at"].cast(pa.int64()).to_numpy()
    mine = np.array([who == account for who in truth["account"].to_pylist()])
    chosen = mine & (at >= since) & (at < until)
    if attack is not None:
        chosen &= truth["attack"].to_numpy() == attack
    outcome, shown = world.accesses["outcome"].to_numpy(), world.accesses["object"].to_numpy()
    for row in (
        truth.filter(pa.array(chosen))
        .select(["row", "file", "action", "patient", "access"])
        .to_pylist()
    ):
        if row["patient"] is not None and outcome[row["row"]] not in FAILED:
            yield name[row["patient"]], _screen(platform, row, shown), row["action"], row["access"]


def _screen(platform: Platform, row: dict, shown: np.ndarray) -> str:
    """Return the screen as its log names it, by what the writers' documents say."""
    world, action = platform.world, row["action"]
    if "postgresql" in row["file"]:
        return "dossier.document" if action == "create" else "dossier.patient"
    if world.preset == "identity-server":
        if action == "search":
            exact = world.accesses["query_shape"][row["row"]].as_py() == EXACT
            return "ITI-9" if exact else "ITI-21"
        return {"merge": "RIE-FUSION", "export": "Export"}.get(action, "Patient Record")
    name = world.objects[shown[row["row"]]]
    return RESOURCES.get(name, name) if world.preset == "regional-portal" else name
