"""Servers of this machine that tests start for themselves and stop: nothing is shared or left.

A test that needs one skips with the reason when the machine lacks it, and fails where everything
was installed for the tests (`VIGIE_TEST_SERVERS=required`). A server that is there and does not
start is an error everywhere.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

PGAUDIT = {
    "shared_preload_libraries": "pgaudit",
    "logging_collector": "on",
    "log_destination": "csvlog",
    "log_connections": "on",
    "log_disconnections": "on",
}


class Unavailable(Exception):
    """This machine lacks the server; the text says what."""


def skip(reason: Unavailable) -> NoReturn:
    """Skip for want of a server, or fail where none may be wanting."""
    if os.environ.get("VIGIE_TEST_SERVERS") == "required":
        pytest.fail(f"nothing may be skipped here: {reason}")
    pytest.skip(str(reason))


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL of our own, listening on 127.0.0.1:`port`, with `trust` for everybody."""

    binaries: Path
    directory: Path
    port: int

    @property
    def logs(self) -> list[Path]:
        return sorted((self.directory / "log").glob("*.csv"))

    @property
    def version(self) -> int:
        return int((self.directory / "PG_VERSION").read_text())

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def connect(self, user: str = "postgres", application: str = "tests") -> psycopg.Connection:
        return psycopg.connect(self.url(user), autocommit=True, application_name=application)

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, which closes its logs; stopping twice does nothing."""
        if (self.directory / "postmaster.pid").exists():
            _run(self.binaries / "pg_ctl", "stop", "-w", "-m", mode, "-D", self.directory)


@contextmanager
def postgresql_cluster(
    settings: Mapping[str, str], library: str | None = None
) -> Iterator[Cluster]:
    """Make, start and finally remove a cluster; `Unavailable` when binaries or library lack."""
    binaries = _binaries(library)
    top = Path(tempfile.mkdtemp(prefix="vigie-pg-"))
    if os.geteuid() == 0:
        shutil.chown(top, _owner())
    cluster = Cluster(binaries, top / "data", free_port())
    try:
        _run(
            binaries / "initdb", "-D", cluster.directory, "-U", "postgres", "-A", "trust",
            "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions",
        )  # fmt: skip
        said = {
            "port": str(cluster.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(top),
            "fsync": "off",
            **settings,
        }
        with (cluster.directory / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in said.items())
        _run(
            binaries / "pg_ctl", "start", "-w", "-D", cluster.directory,
            "-l", top / "start.log",
        )  # fmt: skip
        yield cluster
    finally:
        cluster.stop("immediate")
        shutil.rmtree(top)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _binaries(library: str | None) -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_major, reverse=True)
    on_path = shutil.which("initdb")
    candidates = [path.parent for path in found] + ([Path(on_path).parent] if on_path else [])
    if not candidates:
        raise Unavailable("PostgreSQL is not installed on this machine")
    if os.geteuid() == 0 and _owner() is None:
        raise Unavailable("root may not run PostgreSQL and there is no user postgres")
    for directory in candidates:
        if library is None or (_libraries(directory) / f"{library}.so").exists():
            return directory
    raise Unavailable(f"no PostgreSQL of this machine has the library {library}")


def _major(path: Path) -> float:
    return float(path.parent.parent.name)


def _libraries(binaries: Path) -> Path:
    beside = binaries.parent / "lib"
    asked = subprocess.run(
        [binaries / "pg_config", "--pkglibdir"], capture_output=True, text=True, check=False
    )
    return Path(asked.stdout.strip()) if asked.returncode == 0 else beside


def _owner() -> str | None:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return None


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        cwd="/", text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{Path(str(command[0])).name} failed: {done.stderr.strip()[-300:]}")
