"""What each published audit record says once read: who, whom, what, when, file by file.

The same rows serve the documentation and the tests, so that the table shown is the one checked.
Pseudonyms are made with a fixed key and shortened: they show which patients are the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

from vigie.pseudonyms import Keyring
from vigie.readers import reader_class, recognise
from vigie.readers.base import Batch, Context, Source
from vigie.readers.intake import Intake

_KEY: Final = Keyring(bytes(32))
_SHORT: Final = 8


@dataclass(frozen=True, slots=True)
class ConformanceRow:
    """One waist row of one file, in words; or why a record of the file gave none."""

    file: str
    who: str
    whom: str
    what: str
    when: str


def rows(
    paths: Iterable[Path], source: str = "conformance", reader: str | None = None
) -> list[ConformanceRow]:
    """Read each file, and say what every record tells.

    The reader is the one named, else for each file the one that recognises it.

    Raises `ReadingError` for a file that no reader recognises.
    """
    return [row for path in paths for row in _rows_of(path, source, reader)]


def table(found: Iterable[ConformanceRow]) -> str:
    """Return the rows as a table in Markdown.

    >>> print(table([ConformanceRow("a.json", "jdupont (person)", "-", "login", "2025-01-01")]))
    | file | who | whom | what | when |
    | --- | --- | --- | --- | --- |
    | a.json | jdupont (person) | - | login | 2025-01-01 |
    """
    lines = [("file", "who", "whom", "what", "when"), ("---",) * 5, *map(astuple, found)]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _rows_of(path: Path, source: str, name: str | None) -> Iterator[ConformanceRow]:
    intake = Intake(path, path.name)
    reader = reader_class(name or recognise(intake))(Context(Source(source), _KEY))
    for batch in reader.read(intake):
        yield from (_row(path.name, event) for event in batch.events.to_pylist())
        yield from _rowless(path.name, batch)


def _rowless(file: str, batch: Batch) -> Iterator[ConformanceRow]:
    for rule, count in batch.tally.ignored.items():
        yield ConformanceRow(file, "-", "-", f"ignored: {rule} ({count})", "-")
    for bad in batch.quarantine.to_pylist():
        detail = f" ({bad['detail']})" if bad["detail"] else ""
        yield ConformanceRow(file, "-", "-", f"quarantined: {bad['reason']}{detail}", "-")


def _row(file: str, event: dict[str, Any]) -> ConformanceRow:
    when = event["at"].strftime("%Y-%m-%dT%H:%M:%SZ")
    doubt = "" if event["clock_quality"] == "exact" else f" ({event['clock_quality']})"
    return ConformanceRow(file, _who(event), _whom(event), _what(event), when + doubt)


def _who(event: dict[str, Any]) -> str:
    unnamed = f"unnamed, token {event['session']}" if event["session"] else "unnamed"
    parts = [event["account"] or unnamed, f"({event['actor_kind'] or 'unknown'})"]
    for label, column in (
        ("professional", "professional"), ("for", "on_behalf_of"), ("role", "role"),
        ("of", "organisation"), ("through", "client_app"), ("at", "network"),
    ):  # fmt: skip
        if event[column] and event[column] != event["account"]:
            parts.append(f"{label} {event[column]}")
    return " ".join(parts)


def _whom(event: dict[str, Any]) -> str:
    if event["patient"] is None:
        return "-"
    flags = f" [{event['flags']}]" if event["flags"] else ""
    return f"patient {event['patient'].hex()[:_SHORT]}{flags}"


def _what(event: dict[str, Any]) -> str:
    count = event["record_count"]
    parts = [
        event["action"],
        event["object"],
        f"query {event['query_shape']}" if event["query_shape"] else None,
        f"{count} records" if count is not None else None,
        f"purpose {event['purpose']}" if event["purpose"] else None,
        event["outcome"],
    ]
    return " ".join(part for part in parts if part)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
