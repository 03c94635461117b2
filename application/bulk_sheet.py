"""A spreadsheet as rows of text: what Excel and WPS keep, taken as it was meant, or refused with its cell.

``.xlsx``, ``.xls`` and ``.et`` are read alike, by what is in them and not by their name.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from domain.kernel.explanation import show
from schemes.document import DocumentFault, DocumentInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from python_calamine import CalamineSheet

SUFFIXES: Final = (".xlsx", ".xls", ".et")
MOST_BYTES: Final = 256 * 2**20
"""What a workbook may unfold to; what is packed tighter than any office's is not unpacked."""
MOST_ROWS: Final = 100_000
LONGEST_NUMBER: Final = 10**15
"""From here on Excel keeps no number to its last digit."""
MOST_COLUMNS: Final = 1_000
_CELL: Final = re.compile(rb"<(?:[\w.-]+:)?c\s([^<]*)")
_PLACE: Final = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]+)([0-9]+)[\"']")
_ERROR: Final = re.compile(rb"\bt\s*=\s*[\"']e[\"']")
Cell = int | float | str | bool | time | date | datetime | timedelta


@dataclass(frozen=True)
class SheetRow:
    """One row of the spreadsheet."""

    line: int
    """From 1, as Excel counts."""
    cells: tuple[str, ...]


@dataclass(frozen=True)
class SheetTable:
    """The table of a sheet: what its columns are called, and its rows."""

    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]

    def address(self, line: int, column: str) -> str:
        """Where that column stands in that row, as Excel names it: ``B7``; empty for no column of the table."""
        return f"{_letters(self.columns.index(column))}{line}" if column in self.columns else ""


def _letters(column: int) -> str:
    text = ""
    while column >= 0:
        column, letter = divmod(column, 26)
        text, column = chr(ord("A") + letter) + text, column - 1
    return text


def read_sheet(file: str, content: bytes, own: Sequence[str]) -> SheetTable:
    """The one visible sheet whose first row has these columns. Raises DocumentInvalid with every fault of it."""
    errors = _look_over(file, content)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = _choose(file, workbook, own)
        table = _read(file, sheet, errors)
    except CalamineError as error:
        zh, en = f"不能作為電子表格讀出：{error}", f"it cannot be read as a spreadsheet: {error}"
        raise DocumentInvalid.of(file, zh, en) from error
    return table


def _look_over(file: str, content: bytes) -> tuple[str, ...]:
    """The cells of a workbook in XML that hold an error, which are read as empty. Raises DocumentInvalid if it is huge.

    Whoever reads it lays it out whole: one cell far down to the right takes the memory of all before it.
    """
    if not content.startswith(b"PK"):
        return ()
    errors: list[str] = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(member.file_size for member in packed.infolist())
            if size > MOST_BYTES:
                zh = f"展開後有 {size // 2**20} MB，多於 {MOST_BYTES // 2**20} MB"
                raise DocumentInvalid.of(
                    file, zh, f"it unfolds to {size // 2**20} MB, more than {MOST_BYTES // 2**20} MB"
                )
            if "xl/workbook.xml" not in packed.namelist():
                zh, en = (
                    "不是 .xlsx：請另存為「Excel 工作簿 (.xlsx)」",
                    "no .xlsx: save it as an Excel workbook (.xlsx)",
                )
                raise DocumentInvalid.of(file, zh, en)
            for name in packed.namelist():  # a sheet may lie anywhere in the package
                for cell in _CELL.finditer(packed.read(name)):
                    place = _PLACE.search(cell[1])
                    if place is None:
                        continue
                    letters, row = place[1].decode().upper(), place[2].decode()
                    if len(row) > len(str(MOST_ROWS)) or int(row) > MOST_ROWS + 1 or _number(letters) > MOST_COLUMNS:
                        zh = f"{letters[:8]}{row[:16]} 過遠：至多 {MOST_ROWS} 行、{MOST_COLUMNS} 欄"
                        en = f"{letters[:8]}{row[:16]} is too far: {MOST_ROWS} rows and {MOST_COLUMNS} columns at most"
                        raise DocumentInvalid.of(file, zh, en)
                    if _ERROR.search(cell[1]):
                        errors.append(f"{letters}{row}")
    except zipfile.BadZipFile as error:
        raise DocumentInvalid.of(file, "文件已損壞", "the file is damaged") from error
    return tuple(errors)


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _choose(file: str, workbook: CalamineWorkbook, own: Sequence[str]) -> CalamineSheet:
    """The sheet with the rows; a hidden one that looks like it is told, since nobody saw what it asks."""
    tables: dict[bool, list[str]] = {True: [], False: []}
    for sheet in workbook.sheets_metadata:
        if sheet.typ is SheetTypeEnum.WorkSheet:
            first = workbook.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False, nrows=1)
            if first and set(own) <= {_column(cell) for cell in first[0]}:
                tables[sheet.visible is SheetVisibleEnum.Visible].append(sheet.name)
    visible, hidden = tables[True], tables[False]
    if hidden:
        names = "、".join(map(show, hidden))
        raise DocumentInvalid.of(
            file,
            f"隱藏的工作表 {names} 也有待辦理的行：請取消隱藏並核對，或刪除",
            f"the hidden sheet {names} has rows of its own: show it and look, or delete it",
        )
    if len(visible) != 1:
        names = "、".join(map(show, visible)) or "—"
        raise DocumentInvalid.of(
            file,
            f"須恰有一個工作表首行含 {'、'.join(own)}；有：{names}",
            f"exactly one sheet must have {', '.join(own)} in its first row; there are: {names}",
        )
    return workbook.get_sheet_by_name(visible[0])


def _column(cell: Cell) -> str:
    """What a head calls its column: its first line; what follows is for people."""
    return str(cell).strip().partition("\n")[0].strip()


def _read(file: str, sheet: CalamineSheet, errors: Sequence[str]) -> SheetTable:
    faults = [
        DocumentFault(
            file,
            first[0] + 1,
            f"{_letters(first[1])}{first[0] + 1}:{_letters(last[1])}{last[0] + 1}",
            "合併的單元格分不清屬於哪一行，請取消合併後逐格填寫",
            "of merged cells it cannot be told which row they belong to; unmerge and fill each",
        )
        for first, last in sheet.merged_cell_ranges or ()
    ]
    faults += [
        DocumentFault(
            file, int(re.sub("[A-Z]", "", cell)), cell, "公式的結果是錯誤值", "the formula results in an error"
        )
        for cell in errors
    ]
    grid = iter(sheet.to_python(skip_empty_area=False, nrows=MOST_ROWS + 2))
    columns = tuple(map(_column, next(grid, [])))
    rows: list[SheetRow] = []
    for line, cells in enumerate(grid, start=2):
        texts = tuple(_texts(file, line, cells, faults))
        if any(text.strip() for text in texts):
            rows.append(SheetRow(line, texts))
    if len(rows) > MOST_ROWS:
        faults.append(DocumentFault(file, 1, "", f"多於 {MOST_ROWS} 行", f"more than {MOST_ROWS} rows"))
    if faults:
        raise DocumentInvalid(faults)
    return SheetTable(columns, tuple(rows))


def _texts(file: str, line: int, cells: list[Cell], faults: list[DocumentFault]) -> Iterator[str]:
    for column, cell in enumerate(cells):
        try:
            yield _write(cell)
        except ValueError as wrong:
            zh, en = wrong.args
            faults.append(DocumentFault(file, line, f"{_letters(column)}{line}", zh, en))
            yield ""


def _write(cell: Cell) -> str:
    """A cell as the same value would be typed. Raises ValueError with both texts if it is not what it was any more."""
    match cell:
        case bool():
            return "是" if cell else "否"
        case str():
            return cell
        case int() | float():
            if not abs(cell) < LONGEST_NUMBER:
                raise ValueError(
                    "多於 15 位的數字，Excel 已改動其末位；請把該格設為「文本」後重新填寫",
                    "a number of more than 15 digits lost its last ones to Excel: make the cell text, type it again",
                )
            return format(Decimal(f"{cell:.15g}"), "f")  # what Excel shows, not what binary fractions make of it
        case datetime():
            is_day = (cell.hour, cell.minute, cell.second) == (0, 0, 0)
            return cell.date().isoformat() if is_day else cell.isoformat(timespec="seconds")
        case date():
            return cell.isoformat()
        case _:
            raise ValueError("須連同日期填寫時間", "a time must be written with its day")
