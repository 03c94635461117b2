"""Every list of a page is had as a spreadsheet: the same rows, under the same conditions, for the same readers."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from python_calamine import CalamineWorkbook

from tests.web.console.papers import PaperHouse, open_paper_house

if TYPE_CHECKING:
    pass

_ROW = re.compile(r"<tr.*?</tr>", re.DOTALL)
_LINK = re.compile(r'href="(\?[^"]*format=xlsx[^"]*)" download')


@pytest.fixture(scope="module")
async def papers(tmp_path_factory: pytest.TempPathFactory) -> PaperHouse:
    return await open_paper_house(tmp_path_factory.mktemp("papers"))


def _read(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize(
    ("path", "seat", "column"),
    [
        ("/", "CAB-REG#1", "項目或事項編號"),
        ("/done", "CAB-REG#1", "事項"),
        ("/begun", "CAB-REG#1", "事項"),
        ("/projects", "CAB-REG#1", "申報編號"),
        *((f"/lists/{kind}", "CAB-REG#1", "編號") for kind in ("need", "round", "organisation", "fund", "scheme")),
        ("/audit/attempts", "AUDIT#1", "事項"),
    ],
)
async def test_a_list_is_had_as_a_spreadsheet_with_the_rows_of_its_page(
    papers: PaperHouse, path: str, seat: str, column: str
) -> None:
    async with papers.person(seat) as reader:
        page = await reader.get(path, params={"realm": papers.realm})
        shown = _ROW.findall(page.text.partition("<tbody")[2].partition("</tbody>")[0])
        (link,) = _LINK.findall(page.text)
        sheet = await reader.get(path + link.replace("&amp;", "&"))
    head, *rows = _read(sheet.content)
    assert len(rows) == len(shown) > 0
    for row, text in zip(rows, shown, strict=True):
        assert str(row[head.index(column)]).partition("/")[0] in text


async def test_nobody_has_a_spreadsheet_of_a_list_that_they_may_not_read(papers: PaperHouse) -> None:
    async with papers.person("SO-LEGAL#5") as other, papers.person("COMM#1") as community:
        answers = [
            await other.get("/lists/fund", params={"format": "xlsx"}),
            await community.get("/projects", params={"format": "xlsx"}),
            await community.get("/audit/attempts", params={"format": "xlsx"}),
        ]
    assert [answer.status_code for answer in answers] == [403] * 3
