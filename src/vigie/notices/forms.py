"""The forms of a document, each a function from the document to bytes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from vigie.notices.document import Document

FORMS: Final = ("pdf", "docx", "json", "html", "txt")


def form(name: str, home: Path | None = None) -> Callable[[Document], bytes]:
    """Return the function that makes `name`, with the templates of `home` where it has some.

    The library behind a form is loaded then.
    """
    if name == "pdf":
        from vigie.notices.pdf import pdf  # noqa: PLC0415 - an extra

        return pdf
    if name == "docx":
        from vigie.notices.docx import docx  # noqa: PLC0415 - an extra

        return partial(docx, home=home)
    if name == "html":
        from vigie.notices.page import html  # noqa: PLC0415

        return html
    return Document.to_json if name == "json" else lambda document: document.text().encode()
