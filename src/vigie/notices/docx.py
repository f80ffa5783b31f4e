"""Word documents by docxtpl, the same bytes for the same document.

The operator's own template, `VIGIE_HOME/texts/notice.docx`, comes before ours; a field that there
is not is refused in one sentence.
"""

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from vigie.cases.writings import TEMPLATE, TEXTS
from vigie.errors import SettingsError
from vigie.language import N_, Text, _
from vigie.notices.document import Document

try:
    from docxtpl import DocxTemplate
    from jinja2 import Environment, StrictUndefined, Template, TemplateError, UndefinedError
except ImportError:
    raise SettingsError(
        N_("Word notices need a library that is not installed"),
        remedy=N_("install it: pip install 'vigie-sante[notices]'"),
    ) from None

_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
_WORDS: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PLACES: Final = {"fr": "fr-FR", "en": "en-GB"}


class _Environment(Environment):
    """Compiles each part of a template once: to compile costs more than to fill in."""

    def from_string(self, source: Any, globals: Any = None, template_class: Any = None) -> Template:
        """Return the compiled part."""
        return _compiled(super().from_string, source)


@lru_cache(maxsize=64)
def _compiled(compile_: Callable[[Any], Template], source: str) -> Template:
    return compile_(source)


_ENVIRONMENT: Final = _Environment(undefined=StrictUndefined, autoescape=True)


def docx(document: Document, home: Path | None = None) -> bytes:
    """Return the document as Word; raises `SettingsError` for a template that does not fit."""
    own = home / TEXTS / TEMPLATE if home else None
    where = str(own) if own and own.exists() else f"templates/{TEMPLATE}"
    data = own.read_bytes() if own and own.exists() else _ours()
    try:
        template = DocxTemplate(io.BytesIO(data))
        template.render(_context(document), _ENVIRONMENT, autoescape=True)
    except UndefinedError as error:
        raise _unfit(where, error.message or "") from None
    except TemplateError as error:
        raise _unfit(where, error.message or "") from None
    except (ValueError, KeyError, zipfile.BadZipFile):
        raise _unfit(where, N_("it is no Word document")) from None
    return _fixed(template, document)


@lru_cache(maxsize=1)
def _ours() -> bytes:
    return (resources.files("vigie.notices") / "templates" / TEMPLATE).read_bytes()


def _context(document: Document) -> dict[str, Any]:
    said = document.plain()
    for block in said["blocks"]:
        if block["kind"] == "answers":
            block["header"] = (_("Field"), _("Answer"))
    return said


def _fixed(template: Any, document: Document) -> bytes:
    """Return the file with the dates of the document in place of those of the moment."""
    properties = template.docx.core_properties
    properties.title, properties.author = document.title, document.sender[0]
    properties.language, properties.last_modified_by = document.language, document.sender[0]
    properties.created = properties.modified = datetime.fromisoformat(document.date)
    properties.revision = 1
    for said in template.docx.styles.element.iter(f"{_WORDS}lang"):  # else Word corrects in English
        said.set(f"{_WORDS}val", _PLACES[document.language])
    made, out = io.BytesIO(), io.BytesIO()
    template.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as fresh:
        for name in sorted(source.namelist()):
            info = zipfile.ZipInfo(name, _FIRST_DAY)
            info.compress_type = zipfile.ZIP_DEFLATED
            fresh.writestr(info, source.read(name))
    return out.getvalue()


def _unfit(where: str, reason: Text) -> SettingsError:
    return SettingsError(
        N_("the Word template does not fit this notice ({reason})"),
        where=where,
        remedy=N_("docs/notices.md lists the fields that a template may use"),
        reason=reason,
    )
