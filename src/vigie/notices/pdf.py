"""PDF/UA-1 by typst, in memory, without the network: the same document gives the same bytes.

The fonts are those inside the library and the one template is ours and imports no package; where
packages would be looked for there is nothing. Texts enter as data, never as markup.
"""

from importlib import resources
from pathlib import Path
from threading import local
from typing import Any

from vigie.errors import SettingsError
from vigie.language import N_
from vigie.notices.document import Document

try:
    import typst
except ImportError:
    raise SettingsError(
        N_("PDF notices need a library that is not installed"),
        remedy=N_("install it: pip install 'vigie-sante[notices]'"),
    ) from None

_NOWHERE = "/nonexistent"


_OWN = local()


def _compiler() -> Any:
    """Return the compiler of this thread: one compiler serves one thread at a time."""
    if not hasattr(_OWN, "compiler"):
        _OWN.compiler = _new_compiler()
    return _OWN.compiler


def _new_compiler() -> Any:
    folder = Path(str(resources.files("vigie.notices"))) / "templates"
    return typst.Compiler(
        str(folder / "notice.typ"),
        root=str(folder),
        ignore_system_fonts=True,
        package_path=_NOWHERE,
        package_cache_path=_NOWHERE,
    )


def pdf(document: Document) -> bytes:
    """Return the document as PDF/UA-1."""
    made: bytes = _compiler().compile(
        format="pdf",
        pdf_standards="ua-1",
        timestamp=0,
        sys_inputs={"data": document.to_json().decode()},
    )
    return made


def pages(document: Document, ppi: float = 100.0) -> list[bytes]:
    """Return each page as a PNG picture, to look at."""
    made = _compiler().compile(
        format="png", ppi=ppi, sys_inputs={"data": document.to_json().decode()}
    )
    return list(made) if isinstance(made, list) else [made]
