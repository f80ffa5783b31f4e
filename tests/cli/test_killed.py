"""A command killed anywhere leaves a store that the next command works on, with nothing lost."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

LOG = "at,who,what,patient\n" + "".join(
    f"2026-01-{1 + n // 40:02} 10:{n % 60:02}:00,user{n % 7},open,{n % 23}\n" for n in range(400)
)
MAPPING = """[source]
name = "his"
[columns]
at = "at"
account = "who"
action = "what"
patient = { column = "patient", kind = "local" }
"""

PROGRAM = """
import os, signal, sys
from pathlib import Path
from vigie.cli import main
from vigie.stores import catalogue

left = 0

def counted(function):
    def call(*values, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*values, **named)
    return call

for owner, name in (
    (catalogue.Catalogue, "run"), (Path, "unlink"), (Path, "replace"), (Path, "open"),
    (Path, "touch"), (Path, "write_bytes"), (os, "fsync"),
):
    setattr(owner, name, counted(getattr(owner, name)))

left = int(sys.argv[1])
code = main(sys.argv[2:])
print(left)
sys.exit(code)
"""


@dataclass
class Done:
    """How a command ended: its exit code (-9: killed), results, and how many places it passed."""

    code: int
    printed: str
    places: int


def vigie(*arguments: object, die_at: int = 0) -> Done:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(die_at), *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "en_US.UTF-8"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    printed, _, left = done.stdout.rstrip("\n").rpartition("\n")
    return Done(done.returncode, printed, -int(left) if done.returncode >= 0 else die_at)


def scan(folder: Path, die_at: int = 0) -> Done:
    (folder / "log.csv").write_text(LOG)
    (folder / "map.toml").write_text(MAPPING)
    return vigie(
        "scan", folder / "log.csv", "--mapping", folder / "map.toml", "--home", folder / "home",
        "--report", folder / "report.html", die_at=die_at,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A scan that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, scan(folder)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 0.9, 0.97])
def test_a_command_killed_in_the_middle_leaves_a_usable_store(
    share: float, whole: tuple[Path, Done], tmp_path: Path
) -> None:
    folder, done = whole
    assert scan(tmp_path, die_at=round(share * done.places)).code == -signal.SIGKILL
    again = scan(tmp_path)
    assert again.code == done.code
    assert again.printed.splitlines()[-2:] == done.printed.splitlines()[-2:]
    page = (tmp_path / "report.html").read_bytes()
    assert page == (folder / "report.html").read_bytes()
    query = 'SELECT count(*) n, count(DISTINCT event_id) d, max("at") m FROM events'
    asked = [vigie("events", "--sql", query, "--home", at / "home") for at in (folder, tmp_path)]
    assert asked[0].printed == asked[1].printed
    assert vigie("verify", "--home", tmp_path / "home").code == 0
