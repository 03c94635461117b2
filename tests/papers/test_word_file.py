"""A DOCX is made up as GB/T 9704-2012 has it, names the office's fonts, and is the same bytes for the same paper."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from domain.kernel.identifier import StreamId
from papers.paper import Column, Form, FormBox, Heading, Layout, Paper, PaperSource, Paragraph, Party, Seals, Table
from papers.script import Script
from papers.word_file import write_docx
from tests.papers.tools import convert_to_pdf, read_pdf, squeeze

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.papers.conftest import StoryPapers

    PaperPlays = Callable[[str], Awaitable[StoryPapers]]


def invented(**changed: Any) -> Paper:
    """A paper with one of everything."""
    whole: dict[str, Any] = {
        "name": "award",
        "layout": Layout.OFFICIAL,
        "script": Script.HANS,
        "issuer": "杭州市民政局",
        "number": "杭民〔2024〕12号",
        "title": "关于立项的通知",
        "addressee": "测试社会组织一：",
        "blocks": (
            Heading(level=1, text="一、结果"),
            Heading(level=2, text="（一）金额"),
            Paragraph(text="测" * 27 + "。" + "试" * 100),
            Table(
                columns=(Column(title="项目", width=2), Column(title="金额", width=1, is_number=True)),
                rows=(("一", "¥1.00"),),
            ),
            Form(
                rows=(
                    (FormBox(label="意见", text="同意", lines=3),),
                    (FormBox(label="甲", text="1"), FormBox(label="乙", text="2")),
                )
            ),
            Seals(parties=(Party(label="甲方", name="杭州市民政局"),)),
        ),
        "annexes": ("立项名单", "预算表"),
        "signer": "杭州市民政局",
        "date": "2024年5月21日",
        "copies": "市财政局。",
        "source": PaperSource(stream=StreamId("project/live/AP-1"), position=7, version=5, head="ab" * 32),
        "note": "本件由系统生成",
    }
    return Paper(**{**whole, **changed})


@pytest.fixture(scope="module")
def document() -> Any:
    return Document(io.BytesIO(write_docx(invented())))


def paragraph(document: Any, text: str) -> Any:
    return next(one for one in document.paragraphs if one.text.startswith(text))


def face(one: Any) -> tuple[str, float]:
    run = one.runs[0]
    return run._element.rPr.rFonts.get(qn("w:eastAsia")), run.font.size.pt


def test_the_page_is_a4_and_its_text_156_by_225_mm(document: Any) -> None:
    (section,) = document.sections
    assert (section.page_width, section.page_height) == pytest.approx((Mm(210), Mm(297)), abs=Mm(0.1))
    assert section.top_margin == pytest.approx(Mm(37), abs=Mm(1))
    assert section.left_margin == pytest.approx(Mm(28), abs=Mm(1))
    assert section.page_width - section.left_margin - section.right_margin == pytest.approx(Mm(156), abs=Mm(0.2))
    assert section.page_height - section.top_margin - section.bottom_margin == pytest.approx(Mm(225), abs=Mm(0.2))


def test_a_page_has_22_lines_of_28_characters(document: Any) -> None:
    grid = document.sections[0]._sectPr.find(qn("w:docGrid"))
    assert grid.get(qn("w:type")) == "lines"
    assert 22 * int(grid.get(qn("w:linePitch"))) / 20 == pytest.approx(Mm(225).pt, abs=1.5)
    spacing = document.styles["Normal"].element.rPr.find(qn("w:spacing"))
    width = 28 * (16 + int(spacing.get(qn("w:val"))) / 20)
    assert width <= Mm(156).pt < width + 4


def test_the_body_is_fangsong_of_size_three_indented_by_two_characters(document: Any) -> None:
    body = paragraph(document, "测测")
    assert face(body) == ("仿宋_GB2312", 16)
    assert body._p.pPr.find(qn("w:ind")).get(qn("w:firstLineChars")) == "200"
    addressee = paragraph(document, "测试社会组织一：")
    assert addressee._p.pPr.find(qn("w:ind")) is None


def test_title_and_headings_have_their_faces(document: Any) -> None:
    title = paragraph(document, "关于立项的通知")
    assert face(title) == ("方正小标宋简体", 22)
    assert title.alignment == 1
    assert face(paragraph(document, "一、结果")) == ("黑体", 16)
    assert face(paragraph(document, "（一）金额")) == ("楷体_GB2312", 16)


def test_the_mark_is_red_and_the_red_rule_lies_4_mm_below_the_number(document: Any) -> None:
    mark = paragraph(document, "杭州市民政局")
    assert str(mark.runs[0].font.color.rgb) == "FF0000"
    rule = paragraph(document, "杭民〔2024〕12号")._p.pPr.find(qn("w:pBdr")).find(qn("w:bottom"))
    assert rule.get(qn("w:color")) == "FF0000"
    assert Pt(int(rule.get(qn("w:space")))) == pytest.approx(Mm(4), abs=Mm(0.3))


def test_page_numbers_stand_between_dashes_outside(document: Any) -> None:
    (section,) = document.sections
    assert document.settings.odd_and_even_pages_header_footer
    for footer, side in ((section.footer, 2), (section.even_page_footer, 0)):
        number = footer.paragraphs[0]
        assert number.text == "—  —"
        assert "PAGE" in number._p.xml
        assert number.alignment == side
        assert face(number) == ("宋体", 14)


def test_signature_and_date_stand_at_the_right_and_annexes_above_them(document: Any) -> None:
    texts = [one.text for one in document.paragraphs]
    date = paragraph(document, "2024年5月21日")
    assert date.alignment == 2
    assert date.paragraph_format.right_indent == pytest.approx(Pt(64), abs=Pt(1))
    assert texts.index("附件：1.立项名单") < texts.index("　　　2.预算表") < texts.index("2024年5月21日")


def test_the_imprint_stands_at_the_foot_with_thick_lines_outside_and_a_thin_one_between(document: Any) -> None:
    framed = [
        one for one in document.paragraphs if one._p.pPr is not None and one._p.pPr.find(qn("w:framePr")) is not None
    ]
    assert [one.text for one in framed] == ["抄送：市财政局。", "杭州市民政局\t2024年5月21日印发"]
    assert face(framed[0]) == ("仿宋_GB2312", 14)
    last = framed[1]._p.pPr.find(qn("w:framePr"))
    assert Pt((int(last.get(qn("w:y"))) + int(last.get(qn("w:h")))) / 20) == pytest.approx(Mm(297 - 35), abs=Mm(1))
    lines = [one._p.pPr.find(qn("w:pBdr")) for one in framed]
    sizes = [{line.tag.partition("}")[2]: int(line.get(qn("w:sz"))) for line in border} for border in lines]
    assert sizes == [{"top": 8}, {"top": 6, "bottom": 8}]  # eighths of a point: 0.35 mm, 0.25 mm


def test_a_table_repeats_its_head_and_a_form_leaves_room_to_write(document: Any) -> None:
    table, form = document.tables[0], document.tables[1]
    assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert table.rows[1].cells[1].paragraphs[0].alignment == 2
    assert form.rows[0].height == Pt(72)


@pytest.mark.parametrize("layout", [Layout.PLAIN, Layout.FORM, Layout.CERTIFICATE])
def test_what_is_no_official_letter_bears_no_red_head_and_no_imprint(layout: Layout) -> None:
    document = Document(io.BytesIO(write_docx(invented(layout=layout, blocks=()))))
    assert "FF0000" not in document.element.xml
    assert document.tables == []


def test_properties_stand_in_the_order_of_the_format(document: Any) -> None:
    """Word calls a file damaged in which they do not."""
    orders = {"pPr": ["keepNext", "framePr", "pBdr", "tabs", "snapToGrid", "spacing", "ind", "jc"]}
    orders["trPr"] = ["cantSplit", "trHeight", "tblHeader"]
    orders["tblPr"] = ["tblStyle", "tblW", "jc", "tblLayout", "tblCellMar", "tblLook"]
    for name, order in orders.items():
        for properties in document.element.iter(qn(f"w:{name}")):
            tags = [child.tag.partition("}")[2] for child in properties]
            assert [tag for tag in tags if tag in order] == [tag for tag in order if tag in tags]


async def test_the_same_paper_is_the_same_bytes(archive: PaperPlays) -> None:
    files = await archive("s2")
    first, again = [write_docx(await files.make("PJ-3", "award")) for _ in range(2)]
    assert first == again
    with zipfile.ZipFile(io.BytesIO(first)) as packed:
        assert {member.date_time for member in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}


HOSTILE = "甲\x00乙\x1b[31m丙\u202e丁\ud800\ufffe<w:t>&amp;#strong[x]$x$ `x` @x {x} ]]>"


def test_what_was_typed_can_neither_break_the_file_nor_turn_its_text_round() -> None:
    document = Document(io.BytesIO(write_docx(invented(title=HOSTILE, blocks=(Paragraph(text=HOSTILE * 200),)))))
    assert paragraph(document, "甲").text == "甲□乙□[31m丙□丁□□<w:t>&amp;#strong[x]$x$ `x` @x {x} ]]>"


@pytest.mark.full
def test_two_hundred_rows_and_endless_names_are_all_there() -> None:
    rows = tuple((f"{n}" + "长" * 300, "¥1.00") for n in range(200))
    table = Table(columns=(Column(title="项目", width=2), Column(title="金额", width=1)), rows=rows)
    document = Document(io.BytesIO(write_docx(invented(issuer="局" * 80, blocks=(table,)))))
    cells = document.tables[0]._cells[2::2]
    assert [cell.text for cell in cells] == [name for name, _ in rows]


@pytest.mark.full
async def test_libreoffice_opens_every_paper_and_shows_all_of_it(archive: PaperPlays, tmp_path: Path) -> None:
    papers = [
        await files.make(stream, line.name)
        for files in [await archive(story) for story in ("s1", "s2", "s4", "s5")]
        for stream in await files.streams()
        for line in await files.list(stream)
        if line.day
    ]
    papers.append(invented(blocks=(Paragraph(text="𠮷䶮" + "字" * 400),)))
    for n, paper in enumerate(papers):
        (tmp_path / f"{n}.docx").write_bytes(write_docx(paper))
    convert_to_pdf(tmp_path)
    for n, paper in enumerate(papers):
        text = squeeze(read_pdf(tmp_path / f"{n}.pdf"))
        assert squeeze(paper.title) in text, paper.name
        assert squeeze(paper.note) in text, paper.name
    grid = read_pdf(tmp_path / f"{len(papers) - 1}.pdf", "-layout").splitlines()
    assert max(line.count("字") for line in grid) == 28
