"""Readers: one module per format; `base` says what each promises.

`READERS` names the class of each, imported when it is first asked for; packages outside add theirs
through the entry point group `vigie.readers` and can never replace one of ours.
"""

from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from vigie.errors import ReadingError
from vigie.language import N_
from vigie.readers.base import Reader
from vigie.readers.intake import Intake

READERS: Final[dict[str, str]] = {
    "fhir": "vigie.readers.fhir:FhirReader",
    "atna": "vigie.readers.atna:AtnaReader",
    "pgaudit": "vigie.readers.pgaudit:PgAuditReader",
    "weblog": "vigie.readers.weblog:WeblogReader",
    "table": "vigie.readers.tables:TableReader",
    "care": "vigie.readers.care:CareReader",
}
_CONTAINERS: Final = (
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"%PDF-",
    b"7z\xbc\xaf\x27\x1c",
)
"""How archives, workbooks (which are one of the first two) and documents begin."""
UNRECOGNISED: Final = N_("no reader recognises this format")


def reader_names() -> list[str]:
    """Return the names that `reader_class` knows, ours first."""
    outside = {point.name for point in entry_points(group="vigie.readers")}
    return [*READERS, *sorted(outside - READERS.keys())]


def reader_class(name: str) -> type[Reader]:
    """Return the reader of that name; raise `ReadingError` when there is none."""
    if name in READERS:
        module, _, attribute = READERS[name].partition(":")
        found: type[Reader] = getattr(import_module(module), attribute)
        return found
    for point in entry_points(group="vigie.readers", name=name):
        plugin: type[Reader] = point.load()
        return plugin
    raise ReadingError(
        N_("there is no reader called {name!r}"),
        remedy=N_("choose one of {known}"),
        name=name,
        known=", ".join(reader_names()),
    )


def require_content(intake: Intake) -> bytes:
    """Return the first bytes of a file; raises `ReadingError` when it holds none."""
    head = intake.head()
    if not head:
        raise ReadingError(
            N_("the file is empty or cannot be decompressed"),
            where=intake.label,
            remedy=N_("check the export that made it"),
        )
    refuse_containers(intake)
    return head


def refuse_containers(intake: Intake) -> None:
    """Raise `ReadingError` for a file that holds others, or a table that is no text."""
    if intake.head().startswith(_CONTAINERS):
        raise ReadingError(
            N_("this is an archive, a workbook or a document, not a text"),
            where=intake.label,
            remedy=N_("unpack it, or save the table as CSV, and name that file"),
        )


def recognise(intake: Intake) -> str:
    """Return the name of the reader that is surest to read this file.

    Raises `ReadingError` for an empty file, or when none is surer than one in two.
    """
    head = require_content(intake)
    sureness = {name: reader_class(name).recognises(head, intake.label) for name in reader_names()}
    best = max(sureness, key=lambda name: sureness[name])
    if sureness[best] < 0.5:
        raise ReadingError(
            UNRECOGNISED,
            where=intake.label,
            remedy=N_("describe it in a mapping file: vigie mapping suggest drafts one"),
        )
    return best
