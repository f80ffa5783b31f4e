"""What does not fit in memory spills into the home, for its owner alone, and does not stay."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vigie.stores import Store

LARGE = """
SET memory_limit = '60MB'; SET threads = 1;
CREATE TEMP TABLE large AS SELECT i, md5(i::VARCHAR) AS person FROM range(2500000) r(i)
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from vigie.stores import Store
connection = Store.open(Path(sys.argv[1])).connect()
connection.execute(sys.argv[2])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_connection_spills_at_home_and_leaves_nothing(
    private_home: Path, elsewhere: Path
) -> None:
    with Store.open(private_home) as store, store.connect() as connection:
        connection.execute("SET enable_external_access = false")  # as `vigie events --sql` does
        connection.execute(LARGE)
        spilt = list((private_home / "spill").iterdir())
        assert sum(path.stat().st_size for path in spilt) > 1_000_000
        assert (private_home / "spill").stat().st_mode & 0o777 == 0o700
    assert list((private_home / "spill").iterdir()) == []
    assert list(elsewhere.iterdir()) == []


def test_what_a_killed_process_spilt_goes_with_the_next_connection(
    private_home: Path, elsewhere: Path
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(private_home), LARGE], cwd=elsewhere, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    spill = private_home / "spill"
    assert list(spill.iterdir())
    ours = spill / f"duckdb_temp_{os.getpid()}_9_owner"
    ours.touch()
    with Store.open(private_home) as store, store.connect():
        assert list(spill.iterdir()) == [ours]
    assert list(elsewhere.iterdir()) == []
