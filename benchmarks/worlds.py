"""A simulated world as waist rows in memory, without writing and reading its log.

For benchmarks of detection only: what a system would log, and nothing of the ground truth.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.events import ACTIONS, KEY, SCHEMA, TIME, VOCABULARIES
from vigie.readers.order import Order
from vigie.records import CARE, CARE_KINDS, STAFF
from vigie.simulate.world import World


def _keys(numbers: np.ndarray, kind: int) -> pa.Array:
    """Return well-mixed 16-byte keys of `numbers`, null where negative."""
    data = np.stack([mixed(numbers, kind), mixed(numbers, kind + 101)], axis=1).tobytes()
    keys = pa.Array.from_buffers(KEY, len(numbers), [None, pa.py_buffer(data)])
    if (numbers < 0).any():
        return pc.if_else(pa.array(numbers >= 0), keys, pa.scalar(None, KEY))
    return keys


def mixed(numbers: np.ndarray, salt: int) -> np.ndarray:
    """Return well-mixed 64-bit numbers of `numbers` (splitmix64)."""
    z = numbers.astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _words(codes: np.ndarray, words) -> pa.Array:
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string()))


def as_events(world: World) -> pa.Table:
    """Return the world's accesses as a table of `vigie.events.SCHEMA`."""
    raw = {name: world.accesses.column(name).to_numpy() for name in world.accesses.column_names}
    count = world.accesses.num_rows
    accounts, patients = world.accounts, world.patients
    login = accounts.column("login").to_pylist()
    sites = world.organisations.column("finess").to_pylist()
    records = raw["record_count"].astype(np.int64)

    def of_account(name: str) -> pa.Array:
        encoded = accounts.column(name).combine_chunks().dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return _words(codes[raw["account"]], encoded.dictionary)

    area = patients.column("area").combine_chunks().dictionary_encode()
    area_codes = np.append(area.indices.fill_null(-1).to_numpy(zero_copy_only=False), -1)
    columns = {
        "event_id": _keys(np.arange(count), 1),
        "access_id": _keys(raw["access"], 2),
        "source": _words(np.zeros(count), [world.preset]),
        "source_file": _words(np.zeros(count), ["log"]),
        "source_line": pa.array(np.arange(count) + 1),
        "line_hash": _keys(np.arange(count), 3),
        "mapping_version": _words(np.zeros(count), ["bench"]),
        "at": pa.array(raw["at"]).cast(TIME),
        "received_at": pa.array(np.full(count, raw["at"].max())).cast(TIME),
        "clock_quality": _words(np.zeros(count), ["exact"]),
        "account": _words(raw["account"], login),
        "actor_kind": of_account("kind"),
        "professional": of_account("professional"),
        "on_behalf_of": _words(raw["on_behalf_of"], login),
        "profession": of_account("profession"),
        "specialty": of_account("specialty"),
        "role": of_account("role"),
        "organisation": _words(raw["organisation"], sites),
        "unit": _words(raw["unit"], world.units),
        "session": _text_numbers(raw["session"]),
        "network": _words(raw["network"], world.networks),
        "device": _words(raw["device"], world.devices),
        "user_agent": _words(raw["user_agent"], world.user_agents),
        "auth_method": _words(raw["auth_method"], world.auth_methods),
        "action": _words(raw["action"], ACTIONS),
        "object": _words(raw["object"], world.objects),
        "query_shape": _words(raw["query_shape"], VOCABULARIES["query_shape"]),
        "record_count": pa.array(records, mask=records < 0),
        "bytes": pa.array(raw["bytes"], mask=raw["bytes"] < 0),
        "purpose": _words(raw["purpose"], world.purposes),
        "outcome": _words(raw["outcome"], VOCABULARIES["outcome"]),
        "patient": _keys(raw["patient"].astype(np.int64), 4),
        "area": _words(area_codes[raw["patient"]], area.dictionary),
        **_gaps(world, raw),
        "surname_key": _told_keys(world, "surname", raw["patient"]),
    }  # fmt: skip
    if world.staff.num_rows:
        columns["address_key"] = _told_keys(world, "address", raw["patient"])
    blank = {f.name: pa.nulls(count, f.type) for f in SCHEMA if f.name not in columns}
    return pa.table([(columns | blank)[f.name].cast(f.type) for f in SCHEMA], schema=SCHEMA)


def _text_numbers(codes: np.ndarray) -> pa.Array:
    distinct, places = np.unique(codes, return_inverse=True)
    places[codes < 0] = -1
    return _words(places, pa.array(distinct).cast(pa.string()))


def _gaps(world: World, raw: dict[str, np.ndarray]) -> dict[str, pa.Array]:
    """Return the gaps as the readers give them, by the readers' own code."""
    people = world.patients
    rows = pa.array(raw["patient"], mask=raw["patient"] < 0)
    who = _words(raw["account"], world.accounts.column("login").to_pylist()).cast(pa.string())
    by_nir = world.preset == "third-party-payment"
    names = people.column("nir" if by_nir else "number").cast(pa.string()).take(rows)
    order = Order()
    ids = order.id_gaps(who, names.combine_chunks(), "bench", "nir" if by_nir else "")
    surnames, given = (
        people.column(c).take(rows).combine_chunks() for c in ("surname", "given_name")
    )
    return {"id_gap": ids, "name_gap": order.name_gaps(who, surnames, given)}


def _told_keys(world: World, name: str, patient: np.ndarray) -> pa.Array:
    """Return the keys of the patients' surnames (kind 5) or addresses (kind 7), null for -1."""
    encoded = world.patients.column(name).combine_chunks().dictionary_encode()
    codes = np.append(encoded.indices.to_numpy(zero_copy_only=False), -1)
    return _keys(codes[patient].astype(np.int64), {"surname": 5, "address": 7}[name])


def as_staff(world: World) -> pa.Table:
    """Return the world's table of staff as one of `vigie.records.STAFF`."""
    raw = {name: world.staff.column(name).to_numpy() for name in world.staff.column_names}
    accounts = world.accounts.take(pa.array(raw["account"]))
    known = world.patients.column("surname").combine_chunks().dictionary_encode().dictionary
    surname = pc.index_in(accounts["surname"], known).fill_null(-1).to_numpy().astype(np.int64)
    sites = world.organisations["finess"].take(accounts["organisation"])
    columns = {
        "account": accounts["login"],
        "organisation": sites,
        "unit": accounts["unit"],
        "surname_key": _keys(surname, 5),
        "address_key": _told_keys(world, "address", raw["home"]),
        "patient": _keys(raw["patient"].astype(np.int64), 4),
    }
    return pa.table([columns[f.name] for f in STAFF], schema=STAFF)


def as_care(world: World) -> pa.Table:
    """Return the world's care relations as a table of `vigie.records.CARE`."""
    raw = {name: world.care.column(name).to_numpy() for name in world.care.column_names}
    count = world.care.num_rows
    columns = {
        "patient": _keys(raw["patient"].astype(np.int64), 4),
        "account": pa.nulls(count, pa.string()),
        "professional": _words(raw["account"], world.accounts.column("professional").to_pylist()),
        "organisation": _words(raw["organisation"], world.organisations["finess"].to_pylist()),
        "unit": _words(raw["unit"], world.units),
        "kind": _words(raw["kind"], CARE_KINDS),
        **{name: pa.array(raw[name]).cast(TIME) for name in CARE.names if raw_time(name)},
        "record": _keys(raw["record"], 6),
        "source": _words(np.zeros(count), [f"{world.preset}-care"]),
        "source_ref": pa.nulls(count, pa.string()),
    }
    return pa.table([columns[f.name].cast(f.type) for f in CARE], schema=CARE)


def raw_time(name: str) -> bool:
    """Say whether a column of `records.CARE` is a moment."""
    return CARE.field(name).type == TIME
