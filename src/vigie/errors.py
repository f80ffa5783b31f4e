"""What can go wrong, said once: what, where, and what to do.

    VigieError
    ├── UsageError            the command was called wrongly (exit code 2)
    ├── SettingsError         a settings file or VIGIE_HOME cannot be used
    ├── MappingError          a mapping file does not fit the source
    ├── ReadingError          a file cannot be read at all
    ├── StoreError            the store cannot be written or does not verify
    ├── SecretError           a key file is missing, malformed or too widely readable
    └── RefusedError          a rule of protection refuses the request (rate limit, journal)

A bad *line* is never an error: it is quarantined with its reason (see `readers.base`).
No message may hold a raw patient identifier: name the column and the line, not the value.
"""

from vigie.language import _, sentence


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
        said = _(self.what).format_map(self.fields)
        return sentence(self.where, said, _(self.remedy).format_map(self.fields))


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


class RefusedError(VigieError):
    """A rule of protection refuses the request."""
