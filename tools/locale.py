"""Extract the texts of the program, argparse's own included, and compile the French catalogue.

`python -m tools.locale` updates vigie.po (new texts come in untranslated) and writes vigie.mo.
"""

import argparse
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "src/vigie/locale/fr/LC_MESSAGES/vigie.po"
ONLY_FOR_PROGRAMMERS = (
    ".__call__", "conflicting", "unknown parser", "'required' is", "invalid option string", "dest=",
    "invalid conflict", "mutually exclusive", "cannot ", "unexpected option", "%r is not callable",
)  # fmt: skip
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in the headers: that of the run would make the same texts another file each time."""
KEYWORDS = {"_": None, "N_": None, "plural": (1, 2), "ngettext": (1, 2), "gettext": None}


def extract() -> Catalog:
    """Return the texts that a user may read, as they stand in the source."""
    texts = Catalog(project="vigie", charset="utf-8", domain="vigie", creation_date=SINCE)
    for name, line, message, _, _ in extract_from_dir(ROOT / "src", keywords=KEYWORDS):
        texts.add(message, locations=[(name, line)])
    for _, message, _, _ in extract_from_file("python", argparse.__file__, keywords=KEYWORDS):
        said = message if isinstance(message, str) else message[0]
        if not said.startswith(ONLY_FOR_PROGRAMMERS):
            texts.add(message, locations=[("argparse.py", 0)])
    return texts


def merged() -> Catalog:
    """Return the French catalogue brought up to date with the source."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="fr", domain="vigie")
    catalogue.update(extract(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def compiled(catalogue: Catalog) -> bytes:
    """Return the bytes of the compiled catalogue."""
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def untranslated(catalogue: Catalog) -> list[str]:
    """Return the texts that have no French."""
    missing = []
    for message in catalogue:
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not all(said):
            missing.append(str(message.id))
    return missing


def main() -> int:
    """Write vigie.po and vigie.mo; say what has no French yet."""
    catalogue = merged()
    with CATALOGUE.open("wb") as file:
        write_po(file, catalogue, width=100, sort_output=True, no_location=True, omit_header=False)
    CATALOGUE.with_suffix(".mo").write_bytes(compiled(catalogue))
    missing = untranslated(catalogue)
    sys.stdout.write("".join(f"untranslated: {text}\n" for text in missing))
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
