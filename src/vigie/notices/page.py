"""A notice as one page of HTML on its own: no script, no link, nothing fetched from elsewhere."""

from html import escape
from typing import Final

from vigie.notices.document import Block, Bullets, Document, Heading, Paragraph

_STYLE: Final = """
:root{color-scheme:light dark}
body{font:1.125rem/1.6 Georgia,"Times New Roman",serif;max-width:42rem;margin:2rem auto;
padding:0 1rem;color:#1a1a1a;background:#fff}
h1,h2{font-family:system-ui,sans-serif;line-height:1.25;color:#12355b}
h1{font-size:1.8rem}h2{font-size:1.25rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem;
border-bottom:1px solid #767676}
footer{margin-top:3rem;font-size:.9rem;color:#444;border-top:1px solid #767676}
@media (prefers-color-scheme:dark){body{color:#eee;background:#16181d}h1,h2{color:#a9c8ee}
footer{color:#bbb}}
@media print{body{max-width:none;margin:0}}
"""


def html(document: Document) -> bytes:
    """Return the document as a page (WCAG: a language, a title, headings in order, contrast)."""
    title = escape(document.title)
    body = "\n".join(_block(block) for block in document.blocks)
    greeting = f"<p>{escape(document.greeting)}</p>" if document.greeting else ""
    return (
        f'<!doctype html>\n<html lang="{document.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<main>\n<h1>{title}</h1>\n{greeting}{body}\n"
        f"</main>\n<footer><p>{escape(document.foot)} · {escape(document.dated)}</p></footer>\n"
        "</body>\n</html>\n"
    ).encode()


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h2>{escape(block.text)}</h2>"
    if isinstance(block, Paragraph):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in block.items) + "</ul>"
    header = getattr(block, "header", ())
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    rows = "".join(
        "<tr>"
        + "".join(_cell(cell, place, bool(header)) for place, cell in enumerate(row))
        + "</tr>"
        for row in block.rows
    )
    return (
        f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{rows}</tbody></table>"
    )


def _cell(text: str, place: int, headed: bool) -> str:
    shown = escape(text).replace("\n", "<br>")
    return f'<th scope="row">{shown}</th>' if not headed and place == 0 else f"<td>{shown}</td>"
