"""The tables are what the migrations make, once, whoever opens them first."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from vigie.config import Settings
from vigie.errors import SettingsError, StoreError
from vigie.state import open_state
from vigie.state.schema import current, newest
from vigie.state.tables import METADATA

OPEN = """
import sys
from pathlib import Path
from vigie.config import Settings
from vigie.state import open_state
open_state(Path(sys.argv[1]), Settings(state=sys.argv[2])).close()
"""


def test_the_migrations_make_the_tables_that_the_program_declares(
    private_home: Path, settings: Settings
) -> None:
    with open_state(private_home, settings) as state, state.transaction() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert set(inspect(connection).get_table_names()) == {*METADATA.tables, "alembic_version"}


def test_opening_again_changes_nothing(private_home: Path, settings: Settings) -> None:
    for _ in range(2):
        with open_state(private_home, settings) as state:
            assert current(state.engine) == newest()


def test_several_processes_may_open_a_new_state_at_once(
    private_home: Path, settings: Settings
) -> None:
    command = [sys.executable, "-c", OPEN, str(private_home), settings.state]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    for process in started:
        _printed, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()


def test_a_newer_state_is_refused(private_home: Path, settings: Settings) -> None:
    with open_state(private_home, settings) as state, state.transaction() as connection:
        connection.execute(text("update alembic_version set version_num = '9999_future'"))
    with pytest.raises(StoreError, match="newer version"):
        open_state(private_home, settings)


def test_a_failed_transaction_leaves_nothing(private_home: Path, settings: Settings) -> None:
    def insert_twice() -> None:
        with state.transaction() as connection:
            for _ in range(2):
                connection.execute(text("insert into cases values ('2025-001', 2025, 1)"))

    with open_state(private_home, settings) as state:
        with pytest.raises(StoreError):
            insert_twice()
        with state.transaction() as connection:
            assert connection.scalar(text("select count(*) from cases")) == 0


def test_a_spoilt_file_is_told(private_home: Path) -> None:
    (private_home / "state.sqlite").write_bytes(b"this is no database, it is a text" * 99)
    with pytest.raises(StoreError, match="cannot be used"):
        open_state(private_home, Settings())


@pytest.mark.parametrize("address", ["mysql://h/x", "nonsense", "sqlite://", "://"])
def test_what_is_no_address_is_refused(private_home: Path, address: str) -> None:
    with pytest.raises(SettingsError, match="not the address"):
        open_state(private_home, Settings(state=address))
