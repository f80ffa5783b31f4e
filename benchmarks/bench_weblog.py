"""Reading an access log against the plain way: one `re` match per line of combined format.

The reference only cuts the line into groups; ours also dates it, finds its route, pseudonymises
the patient, and hands over checked Arrow rows.
"""

import re
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.base import Result
from vigie.pseudonyms import Keyring
from vigie.readers.base import Context, Source, Tally
from vigie.readers.intake import Intake
from vigie.readers.weblog import WeblogReader

LINES = 1_000_000
COMBINED = re.compile(
    r'(\S+) (\S+) (.+?) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)'
    r' "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"'
)
MAPPING = {
    "routes": [
        {"pattern": "/static/*", "ignore": True},
        {"pattern": "/patients/{ipp}/documents", "action": "list", "patient": "path:ipp"},
        {"pattern": "/patients/{ipp}", "action": "open", "patient": "path:ipp"},
        {"pattern": "/search", "action": "search", "term": "query:q"},
    ]
}


def run(scale: float = 1.0) -> list[Result]:
    """Measure a log of a portal; `scale` 1 is a million lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "access.log"
        count = int(LINES * scale)
        path.write_text("".join(sample(count)))
        small = Path(folder) / "small.log"
        small.write_text("".join(sample(100)))
        _read(small)
        reference = _timed(lambda: _match(path))
        ours = _timed(lambda: _read(path))
    return [
        Result(
            "access log, combined format",
            count / ours,
            "one `re` match per line",
            count / reference,
            "lines/s",
            note="ours includes routes, pseudonyms and Arrow rows",
        )
    ]


def sample(count: int, seed: int = 7) -> list[str]:
    """Return lines such as a portal writes: 3,000 accounts, 400,000 patients, four screens."""
    chance = np.random.default_rng(seed)
    accounts, patients = chance.zipf(1.2, count) % 3000, chance.integers(0, 400_000, count)
    screens, clients = chance.integers(0, 10, count), chance.integers(0, 2500, count)
    seconds = np.sort(chance.integers(0, 86_400, count))
    targets = {0: "/static/app.js", 1: "/search?q=dup", 2: "/patients/{}/documents"}
    return [
        f"10.1.{client // 256}.{client % 256} - u{account:05d} "
        f"[14/Sep/2025:{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d} +0200] "
        f'"GET {targets.get(screen, "/patients/{}").format(patient)} HTTP/1.1" 200 5120 '
        '"https://portail.example.fr/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/142.0"\n'
        for client, account, second, screen, patient in zip(
            clients.tolist(), accounts.tolist(), seconds.tolist(), screens.tolist(),
            patients.tolist(), strict=True,
        )
    ]  # fmt: skip


def _timed(work: object) -> float:
    assert callable(work)
    best = float("inf")
    for _ in range(3):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best


def _match(path: Path) -> int:
    with path.open() as file:
        return sum(COMBINED.match(line) is not None for line in file)


def _read(path: Path) -> Tally:
    context = Context(Source("bench"), Keyring(bytes(32)), MAPPING)
    batches = WeblogReader(context).read(Intake(path, path.name))
    return sum((batch.tally for batch in batches), Tally())
