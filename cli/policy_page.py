"""The policy's matrix as one page: a table for each kind of stream, commands down, roles across."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from domain.catalogue import AGGREGATES, stage_zh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from domain.kernel.identifier import Role
    from domain.policy import Cell

_STYLE: Final = (
    "body{font-family:system-ui,sans-serif;margin:2rem;color:#1a1a1a}table{border-collapse:collapse;margin:0 0 2rem}"
    "caption{text-align:left;font-weight:bold;padding:.4rem 0}th,td{border:1px solid #767676;padding:.3rem .5rem;"
    "vertical-align:top;text-align:left}thead th{background:#eef2f7}td small{color:#444}"
)


def write_page(cells: Iterable[Cell]) -> Iterator[str]:
    """The page, piece by piece; what a command says of itself is shown as text."""
    yield '<!doctype html>\n<html lang="zh-Hant"><head><meta charset="utf-8">'
    yield f"<title>權限表 policy matrix</title><style>{_STYLE}</style></head><body>"
    yield "<h1>權限表 <span lang=en>policy matrix</span></h1>"
    yield "<p>格中為「須代表誰」與可辦的階段；空格即不得辦理。"
    yield "<span lang=en>A cell says for whom the seat must act, and in which stages; an empty one is a no.</span></p>"
    for kind, of_kind in groupby(cells, key=lambda cell: cell.kind):
        yield from _table(kind, list(of_kind))
    yield "</body></html>\n"


def _table(kind: str, cells: Sequence[Cell]) -> Iterator[str]:
    roles = list(dict.fromkeys(cell.role for cell in cells if cell.relations))
    yield f"<table><caption>{escape(AGGREGATES[kind].zh)} {escape(kind)}</caption>"
    yield "<thead><tr><th scope=col>命令 command</th>"
    yield "".join(f"<th scope=col>{escape(role)}<br>{escape(role.zh)}</th>" for role in roles)
    yield "</tr></thead><tbody>"
    for _, of_command in groupby(cells, key=lambda cell: cell.command):
        row = list(of_command)
        command = row[0].command
        yield f"<tr><th scope=row>{escape(command.zh())}<br><code>{escape(command.command_type)}</code></th>"
        yield "".join(f"<td>{_cell(kind, row, role)}</td>" for role in roles)
        yield "</tr>"
    yield "</tbody></table>"


def _cell(kind: str, row: Sequence[Cell], role: Role) -> str:
    allowed = [cell for cell in row if cell.role is role and not cell.unmet]
    if not allowed:
        return ""
    relations = "；".join(f"{r.zh} <span lang=en>{escape(r.en)}</span>" for r in allowed[0].relations)
    stages = "、".join(escape(stage_zh(kind, cell.stage)) for cell in allowed)
    return f"{relations}<br><small>{stages}</small>"
