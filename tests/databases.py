"""State on SQLite and on a PostgreSQL of our own: the same tests run on both."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from servers import Cluster, Unavailable, postgresql_cluster, skip
from vigie.config import Settings


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    try:
        with postgresql_cluster({}) as running:
            yield running
    except Unavailable as reason:
        skip(reason)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def settings(request: pytest.FixtureRequest, private_home: Path) -> Iterator[Settings]:
    if request.param == "sqlite":
        yield Settings()
        return
    running: Cluster = request.getfixturevalue("server")
    name = f"state_{uuid4().hex}"
    with psycopg.connect(running.url(), autocommit=True) as link:
        link.execute(f"create database {name}")
    yield Settings(state=running.url(database=name))
    with psycopg.connect(running.url(), autocommit=True) as link:
        link.execute(f"drop database {name} with (force)")
