"""A spreadsheet says what the same table of text says, and what it cannot say for certain is refused with its cell."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter

from application import bulk_sheet
from application.bulk_file import parse_rows
from schemes.document import DocumentInvalid
from store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from application.bulk_file import BulkOrder

HEAD = ("command", "subject", "actor", "at", "name", "envelope")
ROW = ("register-fund-source", "FS-X1", "CAB-FIN#1", "2024-03-04", "測試資金𠮷", "50000.5")


def sheet(*rows: tuple[Any, ...], change: Callable[[Any, Any], None] | None = None, name: str = "行") -> bytes:
    """A workbook of one sheet, each value as Excel would keep it."""
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_numbers": False})
    page = workbook.add_worksheet(name)
    day = workbook.add_format({"num_format": "yyyy-mm-dd"})
    for line, row in enumerate((HEAD, *rows)):
        for at, value in enumerate(row):
            if isinstance(value, date | time):
                page.write_datetime(line, at, value, day)
            else:
                page.write(line, at, value)
    if change is not None:
        change(workbook, page)
    workbook.close()
    return content.getvalue()


def rewritten(content: bytes, old: bytes, new: bytes, name: str = "xl/worksheets/sheet1.xml") -> bytes:
    """The same workbook with other XML in its sheet."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(packed, "w") as changed:
        for member in whole.namelist():
            data = whole.read(member)
            assert member != name or old in data
            changed.writestr(member, data.replace(old, new) if member == name else data)
    return packed.getvalue()


async def read(content: bytes, file: str = "rows.xlsx") -> tuple[BulkOrder, ...]:
    return await parse_rows(file, content, MemoryStore())


async def faults(content: bytes, file: str = "rows.xlsx") -> list[tuple[int, str, str]]:
    with pytest.raises(DocumentInvalid) as invalid:
        await read(content, file)
    return [(fault.line, fault.where, fault.en) for fault in invalid.value.faults]


async def test_a_spreadsheet_is_the_same_rows_as_the_table_of_text() -> None:
    text = "\n".join(",".join(row) for row in (HEAD, ROW)).encode()
    (typed,) = await read(text, "rows.csv")
    (kept,) = await read(sheet(ROW))
    (native,) = await read(sheet((*ROW[:3], date(2024, 3, 4), ROW[4], 50000.5)))
    assert (kept.command, kept.command_id()) == (typed.command, typed.command_id())
    assert (native.command, native.command_id(), native.at) == (typed.command, typed.command_id(), typed.at)


@pytest.mark.parametrize("file", ["rows.xls", "rows.et"])
async def test_the_older_format_and_that_of_wps_are_read_alike(file: str) -> None:
    (native,) = await read(sheet((*ROW[:3], date(2024, 3, 4), ROW[4], 50000.5)))
    (older,) = await read(Path(__file__).with_name("rows.xls").read_bytes(), file)
    assert (older.command, older.command_id()) == (native.command, native.command_id())


async def test_numbers_are_what_excel_shows_and_not_their_binary_fractions() -> None:
    content = rewritten(sheet((*ROW[:5], 0.3)), b"<v>0.3</v>", b"<v>0.30000000000000004</v>")
    (order,) = await read(content)
    assert order.command.model_dump()["envelope"] == 30


async def test_leading_zeros_stay_where_the_cell_is_text() -> None:
    (order,) = await read(sheet((*ROW[:4], "00123", 1)))
    assert order.command.model_dump()["name"] == "00123"


async def test_the_value_of_a_formula_is_taken_and_its_error_refused() -> None:
    def add(_workbook: Any, page: Any) -> None:
        page.write_formula(1, 5, "=1+1", "", 2)

    (order,) = await read(sheet(ROW[:5], change=add))
    assert order.command.model_dump()["envelope"] == 200

    def break_(_workbook: Any, page: Any) -> None:
        page.write_formula(1, 5, "=1/0", "", "#DIV/0!")

    assert await faults(sheet(ROW[:5], change=break_)) == [(2, "F2", "the formula results in an error")]


async def test_a_fault_names_its_cell() -> None:
    complaints = await faults(sheet((*ROW[:5], "much"), ("nothing", *ROW[1:])))
    assert [(line, where) for line, where, _ in complaints] == [(2, "F2 envelope"), (3, "A3 command")]


@pytest.mark.parametrize("value", [911012345678901234, -1e300])
async def test_a_number_that_has_lost_its_last_digits_is_refused(value: float) -> None:
    ((line, where, text),) = await faults(sheet((*ROW[:4], value, 1)))
    assert (line, where) == (2, "E2")
    assert "make the cell text" in text


async def test_a_time_without_its_day_is_refused() -> None:
    assert [where for _, where, _ in await faults(sheet((*ROW[:3], time(9, 30), ROW[4], 1)))] == ["D2"]


async def test_merged_cells_are_refused() -> None:
    def merge(_workbook: Any, page: Any) -> None:
        page.merge_range(1, 1, 2, 1, "FS-X1")

    assert ("B2:B3") in [where for _, where, _ in await faults(sheet(ROW, ROW, change=merge))]


async def test_a_hidden_sheet_with_rows_is_told_and_one_without_is_not() -> None:
    def hide(head: tuple[str, ...]) -> Callable[[Any, Any], None]:
        def change(workbook: Any, _page: Any) -> None:
            other = workbook.add_worksheet("藏")
            other.write_row(0, 0, head)
            other.hide()

        return change

    assert len(await read(sheet(ROW, change=hide(("choices",))))) == 1
    ((_, _, text),) = await faults(sheet(ROW, change=hide(HEAD)))
    assert "hidden sheet" in text


async def test_which_sheet_is_meant_must_be_plain() -> None:
    def second(workbook: Any, _page: Any) -> None:
        workbook.add_worksheet("二").write_row(0, 0, HEAD)

    ((_, _, text),) = await faults(sheet(ROW, change=second))
    assert "exactly one sheet" in text


async def test_a_row_that_was_not_filled_in_is_no_row() -> None:
    assert len(await read(sheet(ROW, ("register-fund-source",), ("", "", "", ""), ROW))) == 2


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04nothing", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<html>"])
async def test_what_is_no_spreadsheet_is_refused_as_such(content: bytes) -> None:
    for file in ("rows.xlsx", "rows.xls", "rows.et"):
        assert len(await faults(content, file)) == 1


@pytest.mark.full
async def test_one_cell_far_away_does_not_take_the_memory_of_all_before_it() -> None:
    def far(_workbook: Any, page: Any) -> None:
        page.write(1_000_000, 16_000, "x")

    ((_, _, text),) = await faults(sheet(ROW, change=far))
    assert "too far" in text


@pytest.mark.parametrize(
    "tag",
    [
        b'<c x="' + b"y" * 500 + b'" r="XFD1000000"/>',
        b"<c r='XFD1000000'/>",
        b'<c x=">" r="XFD1000000"/>',
        b'<c r="A99999999999"/>',
    ],
)
async def test_a_cell_far_away_is_found_however_it_is_written(tag: bytes) -> None:
    content = rewritten(sheet(ROW), b"</sheetData>", b'<row r="9">' + tag + b"</row></sheetData>")
    ((_, _, text),) = await faults(content)
    assert "too far" in text


async def test_another_kind_of_package_is_no_workbook() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as other:
        other.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    ((_, _, text),) = await faults(packed.getvalue())
    assert "no .xlsx" in text


async def test_a_file_that_unfolds_beyond_measure_is_not_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_sheet, "MOST_BYTES", 10_000)
    content = io.BytesIO(sheet(ROW))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/media/much.bin", b"\0" * 20_000)
    ((_, _, text),) = await faults(content.getvalue())
    assert "unfolds" in text


async def test_a_day_with_its_hour_is_that_moment_in_shanghai() -> None:
    (order,) = await read(sheet((*ROW[:3], datetime(2024, 3, 4, 9, 30), ROW[4], 1)))  # noqa: DTZ001 - as Excel has it
    assert order.at == datetime(2024, 3, 4, 1, 30, tzinfo=UTC)
