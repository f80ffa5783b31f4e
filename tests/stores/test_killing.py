"""An import, a compaction or a rotation killed anywhere and run again gives the same store."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stores.logs import receive, write
from vigie.stores import Store

FIRST = [f"{100 * n} acc{n % 5} p{n % 11}" for n in range(1500)]
SECOND = [f"{100 * n} acc{n % 5} p{n % 11}" for n in range(1400, 2600)] + ["oops"]

PROGRAM = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from stores.logs import receive
from vigie import journal, sealing
from vigie.stores import Store, catalogue, layout, segments, staging, store as opened

left = 0

def counted(function):
    def call(*values, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*values, **named)
    return call

# Every statement of the catalogue, every file opened, renamed or removed is a place to die.
for owner, name in (
    (catalogue.Catalogue, "run"), (Path, "unlink"), (Path, "replace"), (Path, "open"),
    (os, "fsync"), (staging, "_write_run"),
):
    setattr(owner, name, counted(getattr(owner, name)))

def work(home, what):
    with Store.open(Path(home), write=True) as store:
        if what == "rotate":
            store.rotate()
        elif what == "compact":
            store.compact()
        else:
            receive(store, Path(what))

import numpy as np
from vigie.pseudonyms import Keyring
from vigie.stores.identity import counts_among, name_events, ranks
words, none = np.zeros((2, 2), np.uint64), np.zeros(2, np.int32)
counts_among(words, none, words, none)
name_events(Keyring(bytes(32)), "", words, none.astype(bool), ranks(words, none), none)

# One fork per command, before any thread exists: the libraries are loaded only once.
for command in sys.stdin:
    home, what, places = command.split()
    child = os.fork()
    if not child:
        left = int(places)
        work(home, what)
        print(left, flush=True)
        os._exit(0)
    if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
        print("killed", flush=True)
"""


class Forks:
    """A process that forks once per command and says how the child ended."""

    def __init__(self) -> None:
        folder = str(Path(__file__).parent.parent)
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, home: Path, what: str, die_at: int) -> int | None:
        """Return how many places were left when it ended, or None when it was killed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(home, what, die_at, file=self.process.stdin, flush=True)
        said = self.process.stdout.readline().strip()
        return None if said == "killed" else int(said)


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    made = Forks()
    yield made
    assert made.process.stdin is not None
    made.process.stdin.close()
    assert made.process.wait() == 0
    assert made.process.stdout is not None
    made.process.stdout.close()


def content(home: Path) -> list[object]:
    with Store.open(home) as store:
        assert store.verify() == []
        events = sorted(map(str, store.events().to_pylist()))
        quarantine = store.connect().sql("SELECT * FROM quarantine ORDER BY ALL").fetchall()
        files = store.connect().sql(
            "SELECT label, received_at, added, duplicates, sha256 FROM files ORDER BY label"
        )
        return [events, quarantine, files.fetchall()]


def copy(home: Path, to: Path) -> Path:
    subprocess.run(["cp", "-a", str(home), str(to)], check=True)
    return to


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds a first file, and the catalogued first receipt of a second."""
    folder = tmp_path_factory.mktemp("killing")
    first, second = write(folder / "a.log", FIRST), write(folder / "b.log", SECOND)
    with Store.open(folder / "home", write=True) as store:
        receive(store, first)
        with pytest.raises(KeyboardInterrupt), store.receive(second, "b.log", _source(), "tiny"):
            raise KeyboardInterrupt
    return folder


def _source() -> object:
    from vigie.readers.base import Source

    return Source("portal")


def places(total: int) -> list[int]:
    """Return places spread over all of them, the last two included."""
    return sorted({1 + n * total // 8 for n in range(8)} | {total - 1, total})


@pytest.mark.slow
@pytest.mark.parametrize("what", ["receive", "rotate", "compact"])
def test_killed_anywhere_and_run_again(
    begun: Path, forks: Forks, tmp_path: Path, what: str
) -> None:
    command = str(begun / "b.log") if what == "receive" else what
    begin = copy(begun / "home", tmp_path / "begin")
    if what == "compact":
        with Store.open(begin, write=True) as store:
            receive(store, begun / "b.log")
    whole = copy(begin, tmp_path / "whole")
    left = forks.run(whole, command, 10_000)
    assert left is not None
    before, expected = content(begin), content(whole)
    for place in places(10_000 - left):
        home = copy(begin, tmp_path / f"killed-{place}")
        assert forks.run(home, command, place) is None
        found = content_after_kill(home)
        if what == "rotate":
            check_rotated(home, before, found)
            continue
        assert found in (before, expected)
        assert forks.run(home, command, 0) is not None
        assert content(home) == expected


def content_after_kill(home: Path) -> list[object]:
    """Read as a reader does beside the dead writer: its leavings must not show."""
    with Store.open(home) as store:
        events = sorted(map(str, store.events().to_pylist()))
        quarantine = store.connect().sql("SELECT * FROM quarantine ORDER BY ALL").fetchall()
        files = store.connect().sql(
            "SELECT label, received_at, added, duplicates, sha256 FROM files ORDER BY label"
        )
        return [events, quarantine, files.fetchall()]


def check_rotated(home: Path, before: list[object], found: list[object]) -> None:
    """The key and the store go together, whichever of the two stands."""
    assert len(found[0]) == len(before[0])
    with Store.open(home, write=True) as store:
        assert store.keyring.version == int(store.catalogue.meta("key_version"))
        assert store.verify() == []
        path = write(home.parent / f"{home.name}.log", FIRST[::-1])
        assert receive(store, path).added == 0
