"""Figures: a drawing for the eye, its name and sentence for the ear, the table of its figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigie.language import _
from vigie.report.markup import Html, element


@dataclass(frozen=True, slots=True)
class Figure:
    """What makes a chart: its name, its drawing, what it says in a sentence, and its figures."""

    key: str
    title: str
    summary: str
    height: int
    drawing: Html
    table: Html


def draw(figure: Figure, *, folded: bool = True) -> Html:
    """Return the figure: the drawing for the eye, its sentence, and the table of its figures."""
    title, told = f"{figure.key}-title", f"{figure.key}-desc"
    svg = element(
        "svg",
        element("title", figure.title, id=title),
        element("desc", figure.summary, id=told),
        figure.drawing,
        role="img",
        width="100%",
        height=figure.height,
        aria_labelledby=f"{title} {told}",
    )
    twin = figure.table
    if folded:
        twin = element("details", element("summary", _("The figures of this chart")), twin)
    caption = element("figcaption", element("b", figure.title), ". ", figure.summary)
    return element("figure", svg, caption, twin)


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """Return a table whose first column names each row; numbers are aligned by the style sheet."""
    head = element("tr", *(element("th", name, scope="col") for name in header))
    body = (
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in rest))
        for first, *rest in rows
    )
    whole = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", *body),
    )
    # Wide tables scroll by themselves on a narrow screen, and the keyboard can reach them.
    return element("div", whole, class_="wide", tabindex="0", role="group", aria_label=caption)
