"""Exit codes of `vigie`, as `docs/scan.md` documents them."""

from typing import Final

NOTHING: Final = 0
ERROR: Final = 1
USAGE: Final = 2
ALERTS: Final = 3
UNTRUSTED: Final = 4
"""Wins over ALERTS: an answer that cannot be trusted, or that has bounds, never looks green."""
