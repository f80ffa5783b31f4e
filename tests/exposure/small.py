"""A few accesses in a store, as a test writes them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from vigie.exposure import Boundary, Scope, Stretch
from vigie.pipeline import find_files, import_files
from vigie.readers.mapping import load_mapping
from vigie.records import IDENTITIES, SCREENS
from vigie.stores import Store

HEADER = (
    "at;account;action;object;patient;record_count;organisation;outcome;session;device;name;"
    "network;shape"
)
MAPPING = """
[source]
name = "portal"
time_zone = "UTC"
[source.format]
kind = "csv"
delimiter = ";"
[columns]
at = "at"
account = "account"
action = "action"
object = "object"
patient = {{ column = "patient", kind = "{kind}"{authority} }}
record_count = "record_count"
organisation = "organisation"
outcome = "outcome"
session = "session"
device = "device"
network = "network"
query_shape = "shape"
patient_surname = "name"
[data_classes]
record = ["identity", "medical"]
find = ["identity"]
extract = ["identity", "nir"]
[controllers]
A = "Clinique A"
B = "Clinique B"
"""
AUTHORITY = "test"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def line(at: str, action: str, screen: str, patient: str = "", **more: str) -> str:
    named = {"account": "eve", "record_count": "", "organisation": "A", "outcome": "",
             "session": "", "device": "", "name": "", "network": "",
             "shape": ""} | more  # fmt: skip
    return ";".join([
        at, named["account"], action, screen, patient, named["record_count"],
        named["organisation"], named["outcome"], named["session"], named["device"], named["name"],
        named["network"], named["shape"],
    ])  # fmt: skip


def store_of(folder: Path, lines: list[str], kind: str = "local", attested: bool = True) -> Path:
    """Store these lines and return the home."""
    folder.mkdir(exist_ok=True, parents=True)
    log, mapping = folder / "log.csv", folder / "mapping.toml"
    log.write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    authority = f', authority = "{AUTHORITY}"' if kind == "local" else ""
    mapping.write_text(MAPPING.format(kind=kind, authority=authority), "utf-8")
    with Store.open(folder / "home", write=True) as store:
        (done,) = import_files(store, find_files([log]), [load_mapping(mapping)])
        assert done.error is None
        if attested:
            attest(store)
    return folder / "home"


def attest(store: Store) -> None:
    rows = [
        row | {"attested_by": "DSI", "attested_on": date(2025, 1, 2)}
        for row in store.table("screens").to_pylist()
    ]
    store.put_table("screens", pa.Table.from_pylist(rows, schema=SCREENS))


def links(store: Store, *rows: tuple, authority: str = AUTHORITY) -> None:
    """Declare `(patient, person, change, from, until, source)`, patients by their number."""
    ring = store.keyring
    found = []
    for patient, person, change, since, until, source in rows:
        found.append({
            "patient": ring.pseudonym(patient, authority),
            "person": ring.pseudonym(person, AUTHORITY), "change": change,
            "valid_from": moment(since) if since else None,
            "valid_until": moment(until) if until else None, "source": source,
        })  # fmt: skip
    store.put_table("identities", pa.Table.from_pylist(found, schema=IDENTITIES))


def march(boundary: Boundary | None = None) -> Scope:
    stretch = Stretch("eve", moment("2026-03-01"), moment("2026-04-01"))
    return Scope((stretch,), boundary or Boundary())


def tenth() -> Scope:
    """The day on which most tests' lines are: nothing is blind in it."""
    return Scope((Stretch("eve", moment("2026-03-10"), moment("2026-03-11")),))
