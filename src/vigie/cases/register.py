"""The register of breaches, article 33(5): every breach, notified or not, with why.

The columns are those of the register of French local bodies (Madis), with its words. It holds the
cases in which somebody became aware of a breach; a mere suspicion is none.
"""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from vigie.cases.filings import Filing, file
from vigie.cases.model import Case
from vigie.language import harmless


def register(cases: Iterable[Case], home: Path, now: datetime) -> list[Filing]:
    """Return the entry of each case that is a breach."""
    return [file(case, "register", home, now) for case in cases if case.awareness]


def as_csv(entries: list[Filing]) -> str:
    """Return the register as CSV: one breach a line, the lists separated by commas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if entries:
        writer.writerow([field.label for field in entries[0].fields])
    for entry in entries:
        writer.writerow([_cell(field.value, entry.unknown) for field in entry.fields])
    return out.getvalue()


def _cell(value: Any, unknown: str) -> str:
    if value is None:
        return unknown
    if isinstance(value, list):
        return ", ".join(_cell(part, unknown) for part in value)
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if part)
    return harmless(str(value))
