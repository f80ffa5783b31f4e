"""Each test of cases runs on SQLite and on a PostgreSQL of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from servers import Cluster, Unavailable, postgresql_cluster
from vigie.alerts import Alert
from vigie.cases.book import CaseBook
from vigie.config import Settings


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    try:
        with postgresql_cluster({}) as running:
            yield running
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def settings(request: pytest.FixtureRequest, private_home: Path) -> Iterator[Settings]:
    if request.param == "sqlite":
        yield Settings()
        return
    running: Cluster = request.getfixturevalue("server")
    name = f"state_{abs(hash(str(private_home)))}"
    with psycopg.connect(running.url(), autocommit=True) as link:
        link.execute(f"create database {name}")
    yield Settings(state=running.url(database=name))
    with psycopg.connect(running.url(), autocommit=True) as link:
        link.execute(f"drop database {name} with (force)")


@pytest.fixture
def book(private_home: Path, settings: Settings) -> Iterator[CaseBook]:
    with CaseBook.open(private_home, settings) as opened:
        yield opened


@pytest.fixture
def alert() -> Alert:
    at = datetime(2025, 3, 28, 22, 10, tzinfo=UTC)
    return Alert(
        id="00ff00ff00ff00ff", account="dr.moreau", accounts=["dr.moreau"], level="suspend",
        opened_at=at, last_at=at, patients=412, evidence=38.5, hypothesis="register_sweep",
        why={"fr": "Accès inhabituel…", "en": "Unusual access…"}, usual={"own": 1.5},
        observed={"patients": 412.0}, lines=["portal.ndjson:1824"],
    )  # fmt: skip
