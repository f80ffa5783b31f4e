"""Write templates/notice.docx, which docxtpl fills: `python -m tools.notice_template`."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

TARGET = Path(__file__).parent.parent / "src/vigie/notices/templates/notice.docx"
BLUE = RGBColor(0x12, 0x35, 0x5B)


def _part(name: str, **said: str) -> Any:
    part = OxmlElement(f"w:{name}")
    for key, value in said.items():
        part.set(qn(f"w:{key}"), value)
    return part


def _number_pages(foot: Any) -> None:
    """Put at the foot what every page says and, at the right, the page and how many there are."""
    foot.style.font.size = Pt(8)
    foot.text = "{{ foot }}\t"
    foot.paragraph_format.tab_stops.clear_all()
    foot.paragraph_format.tab_stops.add_tab_stop(Cm(16.3), WD_TAB_ALIGNMENT.RIGHT)
    for place, field in enumerate(("PAGE", "NUMPAGES")):
        foot.add_run(" / " if place else "")
        simple = _part("fldSimple", instr=field)
        number = foot.add_run("1")
        simple.append(number._r)  # noqa: SLF001
        foot._p.append(simple)  # noqa: SLF001 - a field, which python-docx does not know


def _add_table(document: Any) -> None:
    """Add a table of as many columns as its rows have, whose header is repeated on each page."""
    table = document.add_table(rows=4, cols=1, style="Table Grid")
    width = table._tbl.tblPr.find(qn("w:tblW"))  # noqa: SLF001
    width.set(qn("w:type"), "pct")
    width.set(qn("w:w"), "5000")
    table.rows[0]._tr.get_or_add_trPr().append(_part("tblHeader"))  # noqa: SLF001
    _fill(table.rows[0], "{%tc for cell in block.header %}", bold=True)
    table.rows[1].cells[0].text = "{%tr for row in block.rows %}"
    _fill(table.rows[2], "{%tc for cell in row %}")
    table.rows[3].cells[0].text = "{%tr endfor %}"


def _fill(row: Any, loop: str, bold: bool = False) -> None:
    """Make a row with a cell for each thing that a loop gives, each as wide as it needs."""
    cells = row._tr  # noqa: SLF001 - a row with more cells than the table has columns
    width = cells.tc_lst[0].tcPr.find(qn("w:tcW"))
    width.set(qn("w:type"), "auto")
    width.set(qn("w:w"), "0")
    row.cells[0].text = loop
    for text in ("{{ cell }}", "{%tc endfor %}"):
        cells.append(deepcopy(cells.tc_lst[0]))
        row.cells[-1].text = text
    row.cells[1].paragraphs[0].runs[0].bold = bold or None


def main() -> None:
    """Write the template."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin, section.right_margin = Cm(2.5), Cm(2.2)
    section.top_margin, section.bottom_margin = Cm(2), Cm(2.4)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(11)
    for level, size in ((1, 15), (2, 12)):
        style = document.styles[f"Heading {level}"]
        style.font.name, style.font.size = "Calibri", Pt(size)
        style.font.color.rgb = BLUE
    document.core_properties.comments = ""
    _number_pages(section.footer.paragraphs[0])
    add = document.add_paragraph
    add("{%p for line in sender %}")
    add("{{ line }}").paragraph_format.space_after = Pt(0)
    add("{%p endfor %}")
    add("{%p for line in recipient %}")
    line = add("{{ line }}")
    line.paragraph_format.left_indent, line.paragraph_format.space_after = Cm(8.5), Pt(0)
    add("{%p endfor %}")
    add("{{ dated }}").paragraph_format.left_indent = Cm(8.5)
    add("{%p if reference %}")
    add("{{ reference }}")
    add("{%p endif %}")
    document.add_heading("{{ title }}", 1)
    add("{%p if greeting %}")
    add("{{ greeting }}")
    add("{%p endif %}")
    add("{%p for block in blocks %}")
    add("{%p if block.kind == 'heading' %}")
    document.add_heading("{{ block.text }}", 2)
    add("{%p elif block.kind == 'paragraph' %}")
    add("{{ block.text }}")
    add("{%p elif block.kind == 'bullets' %}")
    add("{%p for item in block['items'] %}")
    add("{{ item }}", style="List Bullet")
    add("{%p endfor %}")
    add("{%p else %}")
    _add_table(document)
    add("{%p endif %}")
    add("{%p endfor %}")
    add("{%p if closing %}")
    add("{{ closing }}")
    add("{%p endif %}")
    add("{%p for line in signature %}")
    add("{{ line }}").paragraph_format.left_indent = Cm(8.5)
    add("{%p endfor %}")
    document.save(TARGET)


if __name__ == "__main__":
    main()
