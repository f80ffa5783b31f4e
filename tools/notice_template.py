"""Write templates/notice.docx, which docxtpl fills: `python -m tools.notice_template`."""

from copy import deepcopy
from pathlib import Path

from docx import Document
from docx.shared import Cm, Pt, RGBColor

TARGET = Path(__file__).parent.parent / "src/vigie/notices/templates/notice.docx"
BLUE = RGBColor(0x12, 0x35, 0x5B)


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
    section.footer.paragraphs[0].text = "{{ foot }}"
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
    table = document.add_table(rows=3, cols=1, style="Table Grid")
    table.rows[0].cells[0].text = "{%tr for row in block.rows %}"
    table.rows[1].cells[0].text = "{%tc for cell in row %}"
    table.rows[2].cells[0].text = "{%tr endfor %}"
    row = table.rows[1]._tr  # noqa: SLF001 - a row with more cells than the table has columns
    for text in ("{{ cell }}", "{%tc endfor %}"):
        row.append(deepcopy(row.tc_lst[0]))
        table.rows[1].cells[-1].text = text
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
