"""A spreadsheet to fill in, made from a command: its fields in the office's words, and what each may hold."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from application.bulk_file import name_column
from domain.kernel.example import write_example
from domain.kernel.field_shape import FieldShape, Kind, field_shapes
from papers.workbook import MOST_FEN, open_workbook

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.kernel.message import Command

ROWS: Final = 500
"""Rows that are made ready; more may follow by copying."""
LONGEST_LIST: Final = 255
"""Characters of a list that Excel lets one choose from."""


@dataclass(frozen=True)
class TemplateColumn:
    """A column to fill in."""

    name: str
    zh: str
    en: str
    is_required: bool
    text_zh: str
    """What it takes."""
    text_en: str
    example: str
    shape: FieldShape | None = None


SUBJECTS: Final = {"need": "ND-101", "organisation": "ORG-1", "panel": "RP-2", "round": "R-FZ-2023", "fund": "FS-1"}
"""How a subject of that kind is written; of others as a project's."""


def write_template(command: type[Command], kind: str, say: Callable[[str, str], str]) -> bytes:
    """A workbook to fill in and hand in: rows of that command on that kind, and a sheet that explains each column."""
    content = io.BytesIO()
    workbook = open_workbook(content)
    sheet = workbook.add_worksheet(say(command.zh(), command.command_type)[:31])
    guide = workbook.add_worksheet(say("填寫說明", "How to fill in"))
    columns = list_columns(command, SUBJECTS.get(kind, "PJ-3"))
    _write_head(workbook, sheet, columns, say)
    plain = workbook.add_format({"num_format": "@"})
    for line in range(1, ROWS + 1):
        sheet.write_string(line, 0, command.zh(), plain)
    for at, column in enumerate(columns):
        _prepare(workbook, sheet, at, column)
    _write_guide(workbook, guide, columns, say)
    workbook.close()
    return content.getvalue()


def list_columns(command: type[Command], kind_name: str) -> list[TemplateColumn]:
    """What a row of that command has: what every row has, and the command's own fields."""
    part = command.subject_field
    subject = f"{kind_name}/{part.upper()}" if part else kind_name
    actor = f"{command.by[0]}#1" if command.by else "CAB-REG#1"
    own = [
        TemplateColumn("command", "命令", "command", True, "已填好，不必改", "filled in already", command.zh()),
        TemplateColumn(
            "subject",
            "項目或事項編號",
            "subject",
            True,
            f"對象的編號{'，並以斜線寫明其分項' if part else ''}",
            f"the number of what it is about{', and its part behind a slash' if part else ''}",
            subject,
        ),
        TemplateColumn("actor", "崗位", "seat", True, "由誰辦理，寫作 角色#編號", "who acts, written ROLE#n", actor),
        TemplateColumn(
            "at", "日期", "day", False, "補錄往日之事才填", "only for what was so in the past", "2024-03-04"
        ),
        TemplateColumn(
            "key",
            "自編號",
            "key",
            False,
            "如憑證號；同號不會辦兩次",
            "of your own; the same is not done twice",
            "A-001",
        ),
    ]
    fields = [
        TemplateColumn(
            name_column(shape.name),
            shape.zh,
            shape.en,
            shape.required,
            *_describe(shape),
            write_example(shape),
            shape,
        )
        for shape in field_shapes(command).values()
        if shape.name != part
    ]
    return own + fields


def _describe(shape: FieldShape) -> tuple[str, str]:
    zh, en = shape.shape.texts()
    if shape.otherwise is not None:
        return f"{zh}；不填即{shape.otherwise.zh}", f"{en}; left out: {shape.otherwise.en}"
    return zh, en


def _write_head(workbook: Any, sheet: Any, columns: list[TemplateColumn], say: Callable[[str, str], str]) -> None:  # noqa: ANN401
    look = {"bold": True, "text_wrap": True, "border": 1, "valign": "top"}
    needed = workbook.add_format({**look, "bg_color": "#F8E3D0"})
    other = workbook.add_format({**look, "bg_color": "#E7EEF5"})
    for at, column in enumerate(columns):
        unit = say("（元）", " (yuan)") if column.shape and column.shape.shape.kind is Kind.MONEY else ""
        must = say("（必填）", " (required)") if column.is_required else ""
        head = f"{column.name}\n{say(column.zh, column.en)}{unit}{must}"
        sheet.write_string(0, at, head, needed if column.is_required else other)
    sheet.freeze_panes(1, 1)
    sheet.set_row(0, 48)


def _prepare(workbook: Any, sheet: Any, at: int, column: TemplateColumn) -> None:  # noqa: ANN401 - the library has no types
    """The column's width, how its cells are shown, and what they take; text stays text, with its leading zeros."""
    kind = column.shape.shape.kind if column.shape else Kind.DATE if column.name == "at" else Kind.TEXT
    forms = {Kind.MONEY: "#,##0.00", Kind.INTEGER: "0", Kind.DECIMAL: "0.##", Kind.DATE: "yyyy-mm-dd"}
    form = workbook.add_format({"num_format": forms.get(kind, "@")})
    sheet.set_column(at, at, 20, form)
    choices = [choice.zh or choice.value for choice in column.shape.shape.choices] if column.shape else []
    if kind is Kind.YES_NO:
        choices = ["是", "否"]
    rule: dict[str, Any] | None = None
    if choices and len(",".join(choices)) <= LONGEST_LIST:
        rule = {"validate": "list", "source": choices}
    elif kind is Kind.MONEY:
        rule = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": MOST_FEN / 100}
    elif kind is Kind.INTEGER and column.shape:
        shape = column.shape.shape
        least, most = shape.least or 0, shape.most if shape.most is not None else 10**9
        rule = {"validate": "integer", "criteria": "between", "minimum": least, "maximum": most}
    if rule is not None:
        sheet.data_validation(1, at, ROWS, at, {**rule, "error_message": column.text_zh[:200], "ignore_blank": True})


def _write_guide(workbook: Any, guide: Any, columns: list[TemplateColumn], say: Callable[[str, str], str]) -> None:  # noqa: ANN401
    bold = workbook.add_format({"bold": True})
    wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
    heads = (("欄", "column"), ("名稱", "name"), ("必填", "required"), ("怎樣填", "how"), ("例", "example"))
    for at, (zh, en) in enumerate(heads):
        guide.write_string(0, at, say(zh, en), bold)
    for line, column in enumerate(columns, start=1):
        texts = (
            column.name,
            say(column.zh, column.en),
            say("是", "yes") if column.is_required else "",
            say(column.text_zh, column.text_en),
            column.example,
        )
        for at, text in enumerate(texts):
            guide.write_string(line, at, text, wrap)
    for at, width in enumerate((18, 24, 8, 60, 40)):
        guide.set_column(at, at, width)
    guide.freeze_panes(1, 0)
