"""A PDF is complete to the last character, or says what it lacks; what was typed is never markup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from papers.fonts import FontsMissing, choose_typefaces, find_typefaces
from papers.paper import Column, Paragraph, Table
from papers.pdf_file import write_pdf
from papers.script import Script
from tests.papers.say import lines_of
from tests.papers.test_word_file import HOSTILE, invented
from tests.papers.tools import read_pdf, squeeze

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from papers.paper import Paper
    from tests.papers.conftest import StoryPapers

    PaperPlays = Callable[[str], Awaitable[StoryPapers]]


pytestmark = pytest.mark.full  # it needs a Chinese font and a reader of PDFs, which deploy/debian-for-tests installs
SHORT = 12
"""Characters that stand in one line wherever they stand."""


@pytest.fixture
def text_of(tmp_path: Path) -> Callable[[Paper], str]:
    """What the PDF of a paper says, without spaces and line ends."""

    def show(paper: Paper) -> str:
        file = tmp_path / "paper.pdf"
        file.write_bytes(write_pdf(paper))
        return squeeze(read_pdf(file))

    return show


async def test_everything_that_a_paper_says_can_be_read_out_of_its_pdf(archive: PaperPlays, text_of: Any) -> None:
    files = await archive("s2")
    for name in ("award", "payment.T1"):
        paper = await files.make("PJ-3", name)
        text = text_of(paper)
        pieces = {piece for line in lines_of(paper) for piece in line.split() if len(piece) <= SHORT}
        assert {piece for piece in pieces if piece not in text} == set(), name


def test_rare_characters_are_there(text_of: Any) -> None:
    text = text_of(invented(addressee="测试𠮷䶮：", blocks=()))
    assert "测试𠮷䶮：" in text
    assert "〓" not in text


def test_a_character_that_no_font_has_is_told_by_its_number(text_of: Any) -> None:
    text = text_of(invented(blocks=(Paragraph(text="甲\U000e0fff乙"),)))
    assert "甲〓乙" in text
    assert "〓代表本机字体所缺的字：U+E0FFF" in text


def test_without_a_chinese_font_there_is_no_pdf_but_a_reason() -> None:
    with pytest.raises(FontsMissing):
        choose_typefaces(Script.HANS, {})


def test_the_characters_of_a_font_are_those_that_its_maker_says() -> None:
    typefaces = find_typefaces(Script.HANS)
    assert typefaces.list_missing("民政局𠮷䶮A1¥〔〕—“”") == ()
    assert typefaces.list_missing("\U000e0fff") == ("\U000e0fff",)


def test_the_same_paper_is_the_same_bytes() -> None:
    assert write_pdf(invented()) == write_pdf(invented())


def test_what_was_typed_is_text_and_never_markup(text_of: Any) -> None:
    text = text_of(invented(title=HOSTILE, blocks=(Paragraph(text=HOSTILE),)))
    assert squeeze("#strong[x]$x$ `x` @x {x} ]]>") in text


def test_two_hundred_rows_are_all_there(text_of: Any) -> None:
    rows = tuple((f"第{n}行", "¥1.00") for n in range(200))
    text = text_of(
        invented(blocks=(Table(columns=(Column(title="项目", width=2), Column(title="额", width=1)), rows=rows),))
    )
    assert [name for name, _ in rows if name not in text] == []
