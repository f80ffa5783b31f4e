"""A first mapping of any log, drafted from its beginning by what its reader recognises."""

from pathlib import Path
from typing import Final

from vigie.errors import ReadingError
from vigie.language import N_, _
from vigie.readers import recognise, refuse_containers
from vigie.readers.intake import Intake
from vigie.readers.tables.suggest import source_lines, source_name, suggest
from vigie.readers.weblog.draft import draft_weblog

_HEAD: Final = 1 << 20
_LINES: Final = 5000
_ALONE: Final = N_(
    "This format is read without a mapping; one names the source, and says how long it is kept."
)
_PGAUDIT: Final = """
[pgaudit]
# service_accounts = ["application"]  # {logins}
# {named}
# [pgaudit.patient_tables]
# "schema.table" = {{ column = "ipp", authority = "…" }}
"""


def draft(path: Path) -> str:
    """Draft a mapping in TOML from the beginning of the file at `path`.

    Raises `ReadingError` when the file cannot be opened or holds no record.
    """
    refuse_containers(Intake(path, path.name))
    reader = _reader(path)
    name = source_name(path)
    if reader == "weblog":
        lines = Intake(path, path.name).head(_HEAD).decode("utf-8", "replace").splitlines()
        return "\n".join([*source_lines(name, reader), "", draft_weblog(name, lines[:_LINES])])
    alone = [f"# {_(_ALONE)}", *source_lines(name, reader)]
    if reader in ("fhir", "atna"):
        return "\n".join(alone)
    if reader == "pgaudit":
        return "\n".join([*alone, _pgaudit()])
    return suggest(path)


def _pgaudit() -> str:
    return _PGAUDIT.format(
        logins=_("the logins that are no person's"),
        named=_(
            "A patient is named only where a column is said to identify one, with who gave it:"
        ),
    )


def _reader(path: Path) -> str:
    try:
        return recognise(Intake(path, path.name))
    except ReadingError:  # what no reader knows may be a table, and the draft of one will say so
        return "table"
