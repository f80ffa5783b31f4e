"""A small made-up world, with everything in it that a writer must be able to say."""

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from vigie.events import ACTIONS, VOCABULARIES
from vigie.simulate import numbers, persons, reference
from vigie.simulate.world import ACCESSES, ACCOUNTS, Attack, World

START = int(datetime(2025, 10, 24, 22, tzinfo=UTC).timestamp() * 1e6)
KINDS = {"hospital": 2, "practice": 4, "pharmacy": 3}
REGIONS = ["28", "32", "52"]


@cache
def make_world(preset: str, count: int = 400, seed: int = 7) -> World:
    rng = np.random.default_rng(seed)
    organisations = persons.organisations(rng, KINDS, REGIONS)
    patients = persons.patients(rng, 300, reference.areas_of(REGIONS), reference.insurers())
    accounts = _accounts(rng, organisations.num_rows)
    objects, actions = _screens(preset)
    return World(
        preset=preset,
        seed=seed,
        start=START,
        days=4,
        organisations=organisations,
        accounts=accounts,
        patients=patients,
        accesses=_accesses(rng, count, accounts, patients.num_rows, actions),
        insurers=reference.insurers(),
        units=("1204", "UHCD", "LABO"),
        networks=("10.1.2.3", "192.0.2.17", "2001:db8::7"),
        devices=("PC-URG-01", 'poste "accueil"', "PC;3"),
        user_agents=("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "LGC/4.2 <intranet>"),
        auth_methods=("CPS", "password"),
        objects=objects,
        purposes=("TREAT", "ETREAT"),
        attacks=(Attack("fast_sweep", (1,), START, START + 10**9, {"rate": 2.0}),),
    )


def _screens(preset: str) -> tuple[tuple[str, ...], list[tuple[int, int]]]:
    text = (reference.DATA / f"preset-{preset}.toml").read_text("utf-8")
    steps = [step for flow in tomllib.loads(text)["workflows"].values() for step in flow]
    steps.append({"action": "login", "object": "session"})
    objects = tuple(sorted({step["object"] for step in steps}))
    pairs = sorted({(ACTIONS.index(s["action"]), objects.index(s["object"])) for s in steps})
    return objects, pairs


def _accounts(rng: np.random.Generator, organisations: int) -> pa.Table:
    count = 12
    surnames, given, rpps = persons.staff(rng, count)
    adeli = numbers.adeli(rng, pa.array(["35"] * 2))
    national = [*adeli.to_pylist(), *rpps.to_pylist()[2:]]
    kinds = ["person"] * 9 + ["service", "shared", "person"]
    known = pa.array([kind == "person" for kind in kinds])
    return pa.table(
        {
            "login": persons.accounts_of(surnames, given),
            "kind": kinds,
            "professional": pa.array(
                [n if k else None for n, k in zip(national, known.to_pylist(), strict=True)]
            ),
            "surname": surnames,
            "given_name": given,
            "profession": ["ward_doctor", "ward_nurse", "secretary"] * 4,
            "specialty": pa.array(["cardio", None, None] * 4),
            "role": ["medecin", "ide", "secretaire"] * 4,
            "organisation": rng.integers(organisations, size=count).astype(np.int32),
            "unit": ["1204"] * count,
            "hired_at": np.full(count, START - 10**12),
        },
        schema=ACCOUNTS,
    )


def _accesses(
    rng: np.random.Generator,
    count: int,
    accounts: pa.Table,
    patients: int,
    screens: list[tuple[int, int]],
) -> pa.Table:
    page = np.where(rng.random(count) < 0.2, rng.integers(2, 5, count), 1)
    access = np.repeat(np.arange(count), page)
    rows = len(access)
    at = np.sort(START + rng.integers(0, 4 * 86_400_000_000, count))

    def each(values: np.ndarray) -> np.ndarray:
        return values[access]

    def some(high: int, share: float = 0.8) -> np.ndarray:
        return each(np.where(rng.random(count) < share, rng.integers(high, size=count), -1))

    screen = np.array(screens)[rng.integers(len(screens), size=count)]
    shapes, outcomes = len(VOCABULARIES["query_shape"]), len(VOCABULARIES["outcome"])
    account = rng.integers(accounts.num_rows, size=count)
    organisation = accounts["organisation"].to_numpy()[account]
    shape = rng.integers(shapes, size=count)
    nobody = (page == 1) & (VOCABULARIES["query_shape"].index("exact_id") != shape)
    nobody &= np.isin(
        screen[:, 0], [ACTIONS.index(name) for name in ("search", "export", "rights_check")]
    )
    found = (rng.integers(patients, size=count)[access] + np.arange(rows)) % patients
    patient = np.where(each(nobody) & (rng.random(rows) < 0.4), -1, found)
    columns = {
        "at": each(at), "access": access + 10_000, "account": each(account),
        "on_behalf_of": np.where(each(account) == 9, -1, some(9, 0.2)),
        "organisation": each(organisation), "unit": some(3),
        "session": each(account * 100 + rng.integers(5, size=count)), "network": some(3, 1),
        "device": some(3), "user_agent": some(2, 1), "auth_method": some(2, 1),
        "action": each(screen[:, 0]), "object": each(screen[:, 1]),
        "query_shape": each(shape), "record_count": some(50), "bytes": some(90_000),
        "patient": patient, "purpose": some(2), "outcome": np.maximum(some(outcomes, 0.1), 0),
        "attack": some(1, 0.1), "reason": each(rng.integers(13, size=count)),
    }  # fmt: skip
    return pa.table(
        [pa.array(columns[field.name]).cast(field.type) for field in ACCESSES], schema=ACCESSES
    )


@pytest.fixture(scope="session")
def small_world() -> Callable[..., World]:
    return make_world
