"""DOCX, to be edited, stamped and sent by the office: page, grid, sizes and marks of GB/T 9704-2012.

It names 仿宋_GB2312, 方正小標宋簡體, 黑體 and 楷體_GB2312, which offices have; none is embedded. The same paper
is the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, assert_never

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from papers.paper import Form, FormBox, Heading, Layout, Paragraph, Seals, Table

if TYPE_CHECKING:
    from papers.paper import Paper

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SONG, FANGSONG, HEI, KAI = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
NUMBERS: Final = "宋体"
LATIN: Final = "Times New Roman"
THREE, TWO, FOUR, SMALL_FOUR, SMALL_FIVE = Pt(16), Pt(22), Pt(14), Pt(12), Pt(9)
"""3號、2號、4號、小4號、小5號."""
MARK: Final = Pt(42)
"""發文機關標誌，初號."""
LINE_PITCH: Final = 579
"""A 22nd of 225 mm, in twentieths of a point."""
CHARACTER_SPACE: Final = -5
"""How much closer characters of 16 pt stand so that 28 of them fill 156 mm, in twentieths of a point.

A grid of characters would say the same to Word, and to LibreOffice that each takes two places of it.
"""
RED: Final = RGBColor(0xFF, 0, 0)
TEXT_WIDTH: Final = Mm(156)
_CHARACTER: Final = Pt(16)
OUTER, INNER = 8, 6
"""The lines of the imprint, 0.35 mm and 0.25 mm, in eighths of a point."""
_IMPRINT_LINE: Final = 480
"""Height of a line of the imprint, in twentieths of a point."""
SHORT: Final = 12
"""Rows of a table that stays on one page."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def write_docx(paper: Paper) -> bytes:
    """The paper as a Word document."""
    document = Document()
    writer = _Writer(document, paper)
    writer.write()
    content = io.BytesIO()
    _arrange(document)
    document.save(content)
    return _fix_times(content.getvalue())


_ORDER: Final = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers pBdr shd tabs "
    "suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd "
    "snapToGrid spacing ind contextualSpacing mirrorIndents suppressOverlap jc textDirection textAlignment outlineLvl",
    "rPr": "rStyle rFonts b bCs i iCs caps color spacing w kern position sz szCs highlight u lang",
    "tblPr": "tblStyle tblpPr tblOverlap tblW jc tblCellSpacing tblInd tblBorders shd tblLayout tblCellMar tblLook",
    "trPr": "cantSplit trHeight tblHeader jc",
    "tcPr": "tcW gridSpan vMerge tcBorders shd noWrap tcMar textDirection tcFitText vAlign",
    "sectPr": "headerReference footerReference type pgSz pgMar pgNumType cols titlePg docGrid",
}
"""The order that the format asks of these properties (ISO/IEC 29500-1); Word calls a file damaged that has another."""


def _arrange(document: Any) -> None:  # noqa: ANN401 - the library's own
    """Put the properties of everything into the order of the format."""
    (section,) = document.sections
    parts = (document, document.styles, section.footer, section.even_page_footer)
    for part in parts:
        element = getattr(part, "element", None)
        element = part._element if element is None else element
        for name, order in _ORDER.items():
            places = {qn(f"w:{tag}"): place for place, tag in enumerate(order.split())}
            for properties in element.iter(qn(f"w:{name}")):
                properties[:] = sorted(properties, key=lambda child: places.get(child.tag, len(places)))


def _fix_times(content: bytes) -> bytes:
    """The same document without the time at which it was packed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(zipfile.ZipInfo(member.filename, _EPOCH), old.read(member), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _element(tag: str, **attributes: object) -> Any:  # noqa: ANN401 - the library's own
    element = OxmlElement(tag)
    for name, value in attributes.items():
        element.set(qn(f"w:{name}"), str(value))
    return element


class _Writer:
    def __init__(self, document: Any, paper: Paper) -> None:  # noqa: ANN401 - the library's own
        self.document = document
        self.paper = paper

    def write(self) -> None:
        self._set_page()
        self._set_properties()
        paper = self.paper
        if paper.layout is Layout.OFFICIAL:
            self._write_mark()
        self._write_title()
        if paper.addressee:
            self.line(paper.addressee)
        for block in paper.blocks:
            self._write_block(block)
        if paper.annexes:
            self._write_annexes()
        if paper.signer:
            self._write_signature()
        for block in paper.closing:
            self._write_block(block)
        if paper.layout is Layout.OFFICIAL:
            self._write_imprint()

    # ------------------------------------------------------------ page

    def _set_page(self) -> None:
        section = self.document.sections[0]
        section.orientation = WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        section.header_distance, section.footer_distance = Mm(15), Mm(18)
        properties = section._sectPr
        for old in properties.findall(qn("w:docGrid")):
            properties.remove(old)
        properties.append(_element("w:docGrid", type="lines", linePitch=LINE_PITCH))
        self.document.settings.odd_and_even_pages_header_footer = True
        self._write_foot(section.footer, WD_ALIGN_PARAGRAPH.RIGHT)
        self._write_foot(section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT)
        normal = self.document.styles["Normal"]
        self._set_font(normal, FANGSONG, THREE)
        normal.element.get_or_add_rPr().append(_element("w:spacing", val=CHARACTER_SPACE))
        normal.paragraph_format.space_after = normal.paragraph_format.space_before = Pt(0)
        normal.paragraph_format.line_spacing = 1.0

    def _set_properties(self) -> None:
        properties = self.document.core_properties
        properties.author = properties.last_modified_by = self.paper.issuer
        properties.title, properties.comments = self.paper.title, self.paper.note
        properties.created = properties.modified = datetime(2000, 1, 1, tzinfo=UTC)

    def _write_foot(self, footer: Any, align: WD_ALIGN_PARAGRAPH) -> None:  # noqa: ANN401 - the library's own
        footer.is_linked_to_previous = False
        number = footer.paragraphs[0]
        number.alignment = align
        indent = number.paragraph_format
        indent.left_indent = indent.right_indent = FOUR
        self.run(number, "— ", NUMBERS, FOUR)
        page = self.run(number, "", NUMBERS, FOUR)
        for kind in ("begin", None, "end"):
            if kind:
                page._r.append(_element("w:fldChar", fldCharType=kind))
            else:
                text = _element("w:instrText")
                text.set(qn("xml:space"), "preserve")
                text.text = " PAGE "
                page._r.append(text)
        self.run(number, " —", NUMBERS, FOUR)
        note = footer.add_paragraph()
        note.alignment = WD_ALIGN_PARAGRAPH.CENTER
        self.run(note, self.paper.note, NUMBERS, SMALL_FIVE)

    # ------------------------------------------------------------ head

    def _write_mark(self) -> None:
        mark = self.line(self.paper.issuer, SONG, MARK, WD_ALIGN_PARAGRAPH.CENTER, is_indented=False, color=RED)
        mark.paragraph_format.space_before = Mm(18)
        mark.paragraph_format.space_after = Pt(24)
        self._fit(mark, self.paper.issuer)
        number = self.line(self.paper.number, align=WD_ALIGN_PARAGRAPH.CENTER)
        borders = _element("w:pBdr")
        borders.append(_element("w:bottom", val="single", sz=12, space=11, color="FF0000"))
        number._p.get_or_add_pPr().append(borders)
        self.line("")

    def _fit(self, paragraph: Any, text: str) -> None:  # noqa: ANN401 - the library's own
        """A long name in smaller type, so that the mark stays in one line."""
        most = TEXT_WIDTH.pt / max(len(text), 1)
        for run in paragraph.runs:
            run.font.size = Pt(min(MARK.pt, max(int(most), 16)))

    def _write_title(self) -> None:
        size = Pt(26) if self.paper.layout is Layout.CERTIFICATE else TWO
        title = self.line(self.paper.title, SONG, size, WD_ALIGN_PARAGRAPH.CENTER)
        title.paragraph_format.space_after = Pt(0)
        title.paragraph_format.keep_with_next = True
        if self.paper.layout is not Layout.FORM:
            self.line("")

    # ------------------------------------------------------------ body

    def _write_block(self, block: Paragraph | Heading | Table | Form | Seals) -> None:
        match block:
            case Paragraph():
                size = SMALL_FOUR if self.paper.layout is Layout.FORM else THREE
                self.line(block.text, size=size, is_indented=block.is_indented)
            case Heading():
                heading = self.line(block.text, HEI if block.level == 1 else KAI, is_indented=True)
                heading.paragraph_format.keep_with_next = True
            case Table():
                self._write_table(block)
            case Form():
                self._write_form(block)
            case Seals():
                self._write_seals(block)
            case _:
                assert_never(block)

    def line(
        self,
        text: str,
        font: str = FANGSONG,
        size: Pt = THREE,
        align: WD_ALIGN_PARAGRAPH | None = None,
        *,
        is_indented: bool = False,
        color: RGBColor | None = None,
    ) -> Any:  # noqa: ANN401 - the library's own
        """A paragraph of one sort of type."""
        paragraph = self.document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY if align is None else align
        if is_indented:
            self._indent(paragraph)
        self.run(paragraph, text, font, size, color)
        return paragraph

    def _indent(self, paragraph: Any) -> None:  # noqa: ANN401 - the library's own
        """Two characters, whatever their size."""
        paragraph._p.get_or_add_pPr().append(_element("w:ind", firstLineChars=200, firstLine=640))

    def run(self, paragraph: Any, text: str, font: str, size: Pt, color: RGBColor | None = None) -> Any:  # noqa: ANN401
        """Text of one sort of type."""
        run = paragraph.add_run(text)
        self._set_font(run, font, size)
        if color is not None:
            run.font.color.rgb = color
        return run

    def _set_font(self, of: Any, font: str, size: Pt) -> None:  # noqa: ANN401 - a run or a style
        of.font.name = LATIN if font != NUMBERS else NUMBERS
        of.font.size = size
        fonts = of.element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), font)

    def _write_annexes(self) -> None:
        self.line("")
        for n, annex in enumerate(self.paper.annexes, start=1):
            mark = f"{n}." if len(self.paper.annexes) > 1 else ""
            lead = self.paper.script.write("附件：") if n == 1 else "　　　"
            self.line(f"{lead}{mark}{annex}", is_indented=True)

    def _write_signature(self) -> None:
        """署名 over 成文日期, both centred on each other, the date four characters from the right (7.3.5)."""
        if self.document.paragraphs and self.document.element.body[-2].tag == qn("w:p"):
            self.document.paragraphs[-1].paragraph_format.keep_with_next = True  # no signature stands alone on its page
        for _ in range(2):
            self.line("").paragraph_format.keep_with_next = True
        signer, date = self.paper.signer, self.paper.date
        difference = len(signer) - _width(date)
        right = (4 + max(difference, 0) / 2, 4 + max(-difference, 0) / 2)
        for text, characters in ((signer, right[1]), (date, right[0])):
            if text:
                line = self.line(text, align=WD_ALIGN_PARAGRAPH.RIGHT)
                line.paragraph_format.right_indent = int(_CHARACTER * min(characters, 10))
                line.paragraph_format.keep_with_next = text is signer

    def _write_imprint(self) -> None:
        """版記, at the foot of the last page: whom copies go to, who prints and when, between its lines."""
        paper, rows = self.paper, []
        if paper.copies:
            rows.append(paper.script.write("抄送：") + paper.copies)
        rows.append(f"{paper.issuer}\t{paper.date}{paper.script.write('印發')}")
        foot = int((Mm(297) - Mm(35)) / 635)
        tops = [foot - _IMPRINT_LINE * (len(rows) - n) for n in range(len(rows))]
        for n, (text, top) in enumerate(zip(rows, tops, strict=True)):
            line = self.line(text, size=FOUR, align=WD_ALIGN_PARAGRAPH.LEFT)
            line.paragraph_format.left_indent = line.paragraph_format.right_indent = FOUR
            line.paragraph_format.tab_stops.add_tab_stop(TEXT_WIDTH - FOUR, WD_TAB_ALIGNMENT.RIGHT)
            properties = line._p.get_or_add_pPr()
            place = {"hAnchor": "margin", "vAnchor": "page", "xAlign": "left", "y": top, "wrap": "around"}
            properties.append(_element("w:framePr", w=int(TEXT_WIDTH / 635), h=_IMPRINT_LINE, hRule="exact", **place))
            borders = _element("w:pBdr")
            size = OUTER if n == 0 else INNER
            borders.append(_element("w:top", val="single", sz=size, space=1, color="000000"))
            if n == len(rows) - 1:
                borders.append(_element("w:bottom", val="single", sz=OUTER, space=1, color="000000"))
            properties.append(borders)
            if n < len(rows) - 1:
                self.line("", size=Pt(1))  # between two frames LibreOffice wants something that is in none

    # ------------------------------------------------------------ tables

    def _write_table(self, block: Table) -> None:
        if block.caption:
            self.line(block.caption, HEI, FOUR, WD_ALIGN_PARAGRAPH.CENTER)
        shares = [column.width for column in block.columns]
        table = self._table(len(block.rows) + 1, shares)
        for cell, column in zip(table.rows[0].cells, block.columns, strict=True):
            self._fill_cell(cell, column.title, HEI, SMALL_FOUR, WD_ALIGN_PARAGRAPH.CENTER)
        table.rows[0]._tr.get_or_add_trPr().append(_element("w:tblHeader"))
        for cells, row in zip(self._rows_of(table)[1:], block.rows, strict=True):
            for cell, text, column in zip(cells, row, block.columns, strict=True):
                align = WD_ALIGN_PARAGRAPH.RIGHT if column.is_number else WD_ALIGN_PARAGRAPH.LEFT
                self._fill_cell(cell, text, FANGSONG, SMALL_FOUR, align)
        if len(block.rows) <= SHORT:
            for cell in table._cells[: -len(shares)]:
                cell.paragraphs[0].paragraph_format.keep_with_next = True

    def _rows_of(self, table: Any) -> list[list[Any]]:  # noqa: ANN401 - the library's own
        """The cells row by row; the library counts them anew for every one that is asked for."""
        cells, width = table._cells, len(table.columns)
        return [cells[at : at + width] for at in range(0, len(cells), width)]

    def _table(self, rows: int, shares: list[int]) -> Any:  # noqa: ANN401 - the library's own
        table = self.document.add_table(rows=rows, cols=len(shares))
        table.style = "Table Grid"
        margins = _element("w:tblCellMar")
        for side in ("top", "bottom"):
            margins.append(_element(f"w:{side}", w=50, type="dxa"))
        table._tbl.tblPr.append(margins)
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        table.autofit = False
        widths = [int(TEXT_WIDTH * share / sum(shares)) for share in shares]
        for column, width in zip(table.columns, widths, strict=True):
            column.width = width
        for cells in self._rows_of(table):
            for cell, width in zip(cells, widths, strict=True):
                cell.width = width
        for row in table.rows:
            row.height = Pt(22)
            row._tr.get_or_add_trPr().append(_element("w:cantSplit"))
        return table

    def _fill_cell(
        self,
        cell: Any,  # noqa: ANN401 - the library's own
        text: str,
        font: str,
        size: Pt,
        align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.LEFT,
    ) -> None:
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
        paragraph = cell.paragraphs[0]
        paragraph.alignment = align
        self._off_grid(paragraph)
        self.run(paragraph, text, font, size)

    def _off_grid(self, paragraph: Any) -> None:  # noqa: ANN401 - the library's own
        """Lines of a table keep a distance of their own, not that of the page's grid."""
        properties = paragraph._p.get_or_add_pPr()
        properties.append(_element("w:snapToGrid", val=0))

    def _write_form(self, block: Form) -> None:
        table = self._table(len(block.rows), [28, 50, 28, 50])
        for cells, entries in zip(self._rows_of(table), block.rows, strict=True):
            if len(entries) == 1:
                cells[1].merge(cells[3])
            for at, entry in enumerate(entries):
                self._fill_cell(cells[2 * at], entry.label, HEI, SMALL_FOUR, WD_ALIGN_PARAGRAPH.CENTER)
                self._fill_cell(cells[2 * at + 1], entry.text, FANGSONG, SMALL_FOUR)
        for row, entries in zip(table.rows, block.rows, strict=True):
            row.height = Pt(24 * max(_lines(entry) for entry in entries))

    def _write_seals(self, block: Seals) -> None:
        self.document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
        say = self.paper.script.write
        for party in block.parties:
            self.line(f"{party.label}{say('（蓋章）')}：{party.name}", is_indented=True)
            self.line(say("法定代表人（授權代表）簽字："), is_indented=True)
            self.line("　　　　年　　月　　日", align=WD_ALIGN_PARAGRAPH.RIGHT)
            self.line("")


def _lines(entry: FormBox) -> int:
    return entry.lines


def _width(text: str) -> float:
    """How wide a text is, in characters; digits are half as wide."""
    return sum(0.5 if character.isascii() else 1 for character in text)
