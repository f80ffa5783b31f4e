"""What can go wrong, said once: what, where, and what to do.

    VigieError
    ├── UsageError            the command was called wrongly (exit code 2)
    ├── SettingsError         a settings file or VIGIE_HOME cannot be used
    ├── MappingError          a mapping file does not fit the source
    ├── ReadingError          a file cannot be read at all
    ├── StoreError            the store cannot be written or does not verify
    ├── AbsentError           a library that only some commands need is not installed
    ├── SecretError           a key file is missing, malformed or too widely readable
    └── RefusedError          a rule of protection refuses the request (rate limit, journal)

A bad *line* is never an error: it is quarantined with its reason (see `readers.base`).
No message may hold a raw patient identifier: name the column and the line, not the value.
"""

from typing import Final

from vigie.errors.reasons import reason_of
from vigie.language import N_, _, sentence

__all__ = [
    "EXTRAS", "AbsentError", "MappingError", "ReadingError", "RefusedError", "SecretError",
    "SettingsError", "StoreError", "UsageError", "VigieError", "absent", "reason_of",
]  # fmt: skip


class VigieError(Exception):
    """Something the user can mend: `what` happened, `where`, and the `remedy`.

    `what` and `remedy` are English message identifiers with `{fields}`; they are translated and
    filled in when the error is shown.

    >>> error = ReadingError("the file is empty", where="a.csv", remedy="check the export")
    >>> str(error)
    'a.csv: the file is empty; check the export.'
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", remedy: str = "", **fields: object) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy
        self.fields = fields

    def __str__(self) -> str:
        """Render one sentence in the current language."""
        fields = {**self.fields, "reason": _(str(self.fields.get("reason", "")))}
        return sentence(
            self.where, _(self.what).format_map(fields), _(self.remedy).format_map(fields)
        )


class UsageError(VigieError):
    """The command was called wrongly."""

    exit_code = 2


class SettingsError(VigieError):
    """A settings file or `VIGIE_HOME` cannot be used."""


class MappingError(VigieError):
    """A mapping file does not fit the source."""


class ReadingError(VigieError):
    """A file cannot be read at all."""


class StoreError(VigieError):
    """The store cannot be written, or does not verify."""


class SecretError(VigieError):
    """A key file is missing, malformed or too widely readable."""


class AbsentError(VigieError):
    """A library that only some commands need is not installed."""


EXTRAS: Final = {
    "alembic": "cases", "dateutil": "cases", "icalendar": "cases", "sqlalchemy": "cases",
    "psycopg": "postgresql", "docx": "notices", "docxtpl": "notices", "typst": "notices",
}  # fmt: skip
"""The libraries that are extras, by module, and the extra that brings each."""


def absent(error: ModuleNotFoundError) -> AbsentError | None:
    """Return what to tell of a module that is not there; None where it is our own defect."""
    extra = EXTRAS.get((error.name or "").partition(".")[0])
    if extra is None:
        return None
    return AbsentError(
        N_("this command needs libraries that are not installed"),
        remedy=N_("install them: pip install 'vigie-sante[{extra}]'"),
        extra=extra,
    )


class RefusedError(VigieError):
    """A rule of protection refuses the request."""
