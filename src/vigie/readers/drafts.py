"""A first mapping of any log, drafted from its beginning by what its reader recognises."""

from pathlib import Path
from typing import Final

from vigie.errors import ReadingError
from vigie.readers import recognise
from vigie.readers.intake import Intake
from vigie.readers.tables.suggest import source_lines, source_name, suggest
from vigie.readers.weblog.draft import draft_weblog

_HEAD: Final = 1 << 20
_LINES: Final = 5000
_ALONE: Final = (
    "# This format is read without a mapping; one names the source, and says how long it is kept."
)
_PGAUDIT: Final = """
[pgaudit]
# service_accounts = ["application"]  # the logins that are no person's
# A patient is named only where a column is said to identify one:
# [pgaudit.patient_tables]
# "schema.table" = { column = "ipp", authority = "who gave the number" }
"""


def draft(path: Path) -> str:
    """Draft a mapping in TOML from the beginning of the file at `path`.

    Raises `ReadingError` when the file cannot be opened or holds no record.
    """
    reader = _reader(path)
    name = source_name(path)
    if reader == "weblog":
        lines = Intake(path, path.name).head(_HEAD).decode("utf-8", "replace").splitlines()
        return "\n".join([*source_lines(name, reader), "", draft_weblog(name, lines[:_LINES])])
    if reader in ("fhir", "atna"):
        return "\n".join([_ALONE, *source_lines(name, reader)])
    if reader == "pgaudit":
        return "\n".join([_ALONE, *source_lines(name, reader), _PGAUDIT])
    return suggest(path)


def _reader(path: Path) -> str:
    try:
        return recognise(Intake(path, path.name))
    except ReadingError:  # what no reader knows may be a table, and the draft of one will say so
        return "table"
