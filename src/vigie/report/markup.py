"""HTML and SVG elements that escape whatever they are given.

Accounts, file names and remarks come from logs, which others write: text is escaped by being text,
and only what `element` made is markup.
"""

from html import escape
from typing import Final

from vigie.language import visible

_VOID: Final = {"meta", "br", "hr", "col"}


class Html(str):
    """Text that is already markup."""

    __slots__ = ()


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """Return an element; children that are not `Html` are escaped, `None` says nothing.

    A trailing underscore spares a Python keyword, one inside is a hyphen, and an attribute that is
    `None` or false is left out.

    >>> element("td", "<b>", class_="login", aria_label='"')
    '<td class="login" aria-label="&quot;">&lt;b&gt;</td>'
    """
    said = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{said}>")
    return Html(f"<{name}{said}>{join(*children)}</{name}>")


def join(*children: object) -> Html:
    """Return the children one after the other, escaped where they are not markup."""
    return Html("".join(_child(child) for child in children if child is not None))


def _child(child: object) -> str:
    return child if isinstance(child, Html) else _written(child)


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_written(value)}"'


def _written(value: object) -> str:
    """Escape text; what does not show, or would turn the text around it, is seen as its code."""
    return escape(visible(str(value)))
