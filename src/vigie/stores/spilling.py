"""Where DuckDB puts what does not fit in memory: in the home, for its owner alone.

Left to itself it uses the current folder, for whoever can read that. It names its files after the
process that made them and removes them when the connection closes, whatever other processes do
in the same folder; what a process that was killed left goes when the next connection is made.
Left to itself it also takes four fifths of the machine before it spills: the settings say how much.
"""

import os
import re
from pathlib import Path
from typing import Any, Final

import duckdb

from vigie.config import load_settings
from vigie.stores.layout import is_writable

SPILL: Final = "spill"
_MADE_BY: Final = re.compile(r"duckdb_temp_(\d+)_")


def connect(home: Path) -> Any:
    """Return a DuckDB connection, in memory, that spills into the home, where it can be written."""
    folder = home / SPILL
    if is_writable(home):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        _sweep(folder)
    connection = duckdb.connect(
        config={"temp_directory": str(folder), "memory_limit": f"{_memory(home)}B"}
    )
    # Drawn on standard output, where an answer is.
    connection.execute("SET enable_progress_bar = false")
    return connection


def _memory(home: Path) -> int:
    """Return the bytes that a question may take: what the settings say, half the machine's at most.

    >>> 0 < _memory(Path("nowhere")) <= 3_000_000_000
    True
    """
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(int(load_settings(home).memory_gb * 1e9), there // 2)


def _sweep(folder: Path) -> None:
    for path in folder.iterdir():
        made_by = _MADE_BY.match(path.name)
        if made_by and not _lives(int(made_by[1])):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
