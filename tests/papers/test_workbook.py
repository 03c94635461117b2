"""A list as a spreadsheet: numbers to add up, text that is never a formula, and from what it was made."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from application.bulk_file import name_column, parse_rows
from application.pages import Freshness, Page, PageRequest
from domain.catalogue import AGGREGATES
from domain.kernel.field_shape import field_shapes
from domain.project.evaluation import Result
from papers.command_template import list_columns, write_template
from papers.lists import MONEY, MOST_ROWS, PROJECTS, WAITING, Collection, collect, write_list
from papers.workbook import ListColumn, Sort, write_table
from schemes.document import DocumentInvalid
from store.memory import MemoryStore

COLUMNS = (
    ListColumn("name", "名稱", "name"),
    ListColumn("award", "資助金額", "award", Sort.MONEY),
    ListColumn("count", "項數", "count", Sort.NUMBER),
    ListColumn("due", "期限", "due", Sort.INSTANT),
    ListColumn("day", "日期", "day", Sort.DAY),
)
ROW = {
    "name": "測試𠮷",
    "award": 5000050,
    "count": 3,
    "due": "2024-03-04T09:30:00+00:00",
    "day": "2024-03-04",
}


def zh(chinese: str, _english: str) -> str:
    return chinese


def en(_chinese: str, english: str) -> str:
    return english


def read(content: bytes, sheet: int = 0) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(sheet).to_python()


def test_money_is_a_number_of_yuan_and_an_instant_a_time_in_shanghai() -> None:
    head, row = read(write_table("項目", COLUMNS, [ROW], (), zh))
    assert head == ["名稱", "資助金額（元）", "項數", "期限", "日期"]
    assert row == ["測試𠮷", 50000.5, 3, datetime(2024, 3, 4, 17, 30), date(2024, 3, 4)]  # noqa: DTZ001 - as Excel has it


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "http://a.example", "00123", "1e5", "{=1}"])
def test_text_stays_text_whatever_it_looks_like(text: str) -> None:
    content = write_table("項目", COLUMNS, [{"name": text}], (), zh)
    assert read(content)[1][0] == text.replace("\t", "\u3000")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        xml = packed.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert "<hyperlink" not in xml


def test_what_no_cell_can_hold_is_shown_as_such_or_cut() -> None:
    long, control = [
        row[0]
        for row in read(write_table("x", COLUMNS, [{"name": "長" * 40_000}, {"name": "a\x00\x1b[31mb"}], (), zh))[1:]
    ]
    assert len(long) == 32_767
    assert control == "a□□[31mb"


def test_an_amount_that_excel_would_round_is_text() -> None:
    assert read(write_table("x", COLUMNS, [{"award": 2**53 - 1}], (), zh))[1][1] == str(2**53 - 1)


def test_the_head_stays_and_can_be_filtered_and_the_second_sheet_says_from_what() -> None:
    content = write_table("項目", COLUMNS, [ROW, ROW], (("階段", "實施中"), ("日誌截至第幾條", "42")), zh)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        xml = packed.read("xl/worksheets/sheet1.xml").decode()
    assert 'state="frozen"' in xml
    assert '<autoFilter ref="A1:E3"/>' in xml
    assert read(content, 1) == [["階段", "實施中"], ["日誌截至第幾條", "42"], ["行數", "2"]]


def test_the_same_rows_are_the_same_bytes() -> None:
    assert write_table("x", COLUMNS, [ROW], (), zh) == write_table("x", COLUMNS, [ROW], (), zh)


async def test_a_list_is_collected_over_all_its_pages_and_told_where_it_is_cut() -> None:
    cursors: list[str | None] = []

    def page(pages: int) -> Any:
        async def read_page(request: PageRequest) -> Page[int]:
            cursors.append(request.after)
            number = int(request.after or 0)
            rows = tuple(range(number * 1000, number * 1000 + 1000))
            more = str(number + 1) if number + 1 < pages else None
            return Page(rows, more, Freshness(position=7, behind=0, reached_at=None))

        return read_page

    whole = await collect(page(3), PageRequest(limit=5))
    assert (len(whole.rows), whole.position, whole.is_cut) == (3000, 7, False)
    assert cursors == [None, "1", "2"]
    cut = await collect(page(100), PageRequest())
    assert (len(cut.rows), cut.is_cut) == (MOST_ROWS, True)


@pytest.mark.parametrize("of", [PROJECTS, WAITING, MONEY], ids=lambda of: of.en)
def test_an_empty_list_is_a_sheet_with_its_head(of: Any) -> None:
    content = write_list(of, Collection((), 9, is_cut=False), {"stage": "ACTIVE", "search": None}, en)
    assert len(read(content)) == 1
    assert ["stage", "ACTIVE"] in read(content, 1)
    assert ["log up to position", "9"] in read(content, 1)


COMMANDS = {command.command_type: command for aggregate in AGGREGATES.values() for command in aggregate.commands}


def test_every_command_has_a_template_whose_columns_are_its_own() -> None:
    for command in COMMANDS.values():
        names = [column.name for column in list_columns(command, "PJ-3")]
        assert names[:5] == ["command", "subject", "actor", "at", "key"]
        assert set(names[5:]) == {name_column(name) for name in field_shapes(command)} - {command.subject_field}
        assert len(set(names)) == len(names), command


@pytest.mark.parametrize("name", ["RecordExpenditure", "SubmitApplication", "ConcludeMidtermEvaluation"])
def test_a_template_says_what_each_column_takes(name: str) -> None:
    content = write_template(COMMANDS[name], "PJ-3", zh)
    columns = list_columns(COMMANDS[name], "PJ-3")
    assert [str(cell).partition("\n")[0] for cell in read(content)[0]] == [column.name for column in columns]
    assert [row[0] for row in read(content, 1)[1:]] == [column.name for column in columns]


def test_a_choice_is_chosen_from_a_list_in_the_offices_words() -> None:
    with zipfile.ZipFile(io.BytesIO(write_template(COMMANDS["ConcludeMidtermEvaluation"], "PJ-3", zh))) as packed:
        xml = packed.read("xl/worksheets/sheet1.xml").decode()
    words = ",".join(result.zh for result in Result)
    assert f'<formula1>"{words}"</formula1>' in xml


async def test_a_template_that_was_filled_in_is_read_and_an_empty_one_has_no_rows() -> None:
    command = COMMANDS["RegisterFundSource"]
    content = write_template(command, "FS-1", zh)
    with pytest.raises(DocumentInvalid):
        await parse_rows("form.xlsx", content, MemoryStore())
    head = [str(cell).partition("\n")[0] for cell in read(content)[0]]
    filled = {"command": command.zh(), "subject": "FS-7", "actor": "CAB-FIN#1", "name": "測試資金", "envelope": "50000"}
    text = "\n".join([",".join(head), ",".join(filled.get(name, "") for name in head)])
    (order,) = await parse_rows("form.csv", text.encode(), MemoryStore())
    assert order.command.model_dump()["envelope"] == 5_000_000


def test_a_time_is_never_now() -> None:
    content = write_table("x", COLUMNS, [ROW], (), zh)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert str(datetime.now(UTC).year) not in packed.read("docProps/core.xml").decode()
