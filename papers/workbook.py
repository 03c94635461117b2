"""``.xlsx``: rows as a table that can be filtered and added up, in which no text ever becomes a formula or a link."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import xlsxwriter

from domain.kernel.calendar import SHANGHAI
from papers.paper import make_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Say = Callable[[str, str], str]

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST: Final = 32_767
"""Characters that Excel keeps of a cell."""
MOST_FEN: Final = 10**15
"""From here on a number of Excel's has not all its digits, and an amount is written as text."""
_MADE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When a workbook says it was made: the same rows are the same bytes."""


class Sort(StrEnum):
    """What kind of value a column holds."""

    TEXT = "text"
    MONEY = "money"
    """Fen in, yuan out."""
    NUMBER = "number"
    DAY = "day"
    INSTANT = "instant"


@dataclass(frozen=True)
class ListColumn:
    """A column of a list."""

    key: str
    """Of the row."""
    zh: str
    en: str
    sort: Sort = Sort.TEXT
    width: int = 16
    """In characters."""


_FORMATS: Final = {
    Sort.TEXT: "@",
    Sort.MONEY: "#,##0.00",
    Sort.NUMBER: "0",
    Sort.DAY: "yyyy-mm-dd",
    Sort.INSTANT: "yyyy-mm-dd hh:mm",
}
UNITS: Final = {Sort.MONEY: ("（元）", " (yuan)")}


def open_workbook(content: io.BytesIO) -> Any:  # noqa: ANN401 - the library has no types
    """A workbook in which text is text."""
    workbook = xlsxwriter.Workbook(
        content,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": False,
        },
    )
    workbook.set_properties({"created": _MADE.replace(tzinfo=None)})
    return workbook


def write_table(
    title: str,
    columns: Sequence[ListColumn],
    rows: Iterable[Mapping[str, Any]],
    about: Sequence[tuple[str, str]],
    say: Say,
) -> bytes:
    """A list as a workbook: one sheet with the rows, one with what was asked for and how far the log had come."""
    content = io.BytesIO()
    workbook = open_workbook(content)
    sheet = workbook.add_worksheet(title[:31])
    head = workbook.add_format({"bold": True, "text_wrap": True, "bg_color": "#E7EEF5", "border": 1, "valign": "top"})
    forms = {sort: workbook.add_format({"num_format": form}) for sort, form in _FORMATS.items()}
    for at, column in enumerate(columns):
        sheet.write_string(0, at, say(column.zh, column.en) + say(*UNITS.get(column.sort, ("", ""))), head)
        sheet.set_column(at, at, column.width)
    line = 0
    for line, row in enumerate(rows, start=1):
        for at, column in enumerate(columns):
            _write_cell(sheet, line, at, row.get(column.key), column.sort, forms)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(line, 1), len(columns) - 1)
    notes = workbook.add_worksheet(say("說明", "about"))
    for at, (name, text) in enumerate((*about, (say("行數", "rows"), str(line)))):
        notes.write_string(at, 0, make_plain(name))
        notes.write_string(at, 1, make_plain(text)[:LONGEST])
    notes.set_column(0, 0, 24)
    notes.set_column(1, 1, 80)
    workbook.close()
    return content.getvalue()


def _write_cell(sheet: Any, line: int, at: int, value: object, sort: Sort, forms: Mapping[Sort, Any]) -> None:  # noqa: ANN401
    match value:
        case None | "":
            return
        case bool():
            sheet.write_string(line, at, "是" if value else "", forms[Sort.TEXT])
        case int() if sort is Sort.MONEY and abs(value) < MOST_FEN:
            sheet.write_number(line, at, value / 100, forms[sort])
        case int() if sort is Sort.NUMBER and abs(value) < MOST_FEN:
            sheet.write_number(line, at, value, forms[sort])
        case str() if sort is Sort.INSTANT:
            _write_cell(sheet, line, at, datetime.fromisoformat(value), sort, forms)
        case str() if sort is Sort.DAY:
            _write_cell(sheet, line, at, date.fromisoformat(value), sort, forms)
        case datetime():
            sheet.write_datetime(line, at, value.astimezone(SHANGHAI).replace(tzinfo=None), forms[sort])
        case date():
            sheet.write_datetime(line, at, datetime(value.year, value.month, value.day), forms[Sort.DAY])  # noqa: DTZ001 - a day has no zone
        case _:
            sheet.write_string(line, at, make_plain(str(value))[:LONGEST], forms[Sort.TEXT])
