"""``venture project list``: which projects there are. It loads no rules: what it shows stands in the agenda."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.listing import list_streams
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import Realm
from cli.output import ArgumentInvalid, Column, Printer
from domain.kernel.money import yuan
from domain.kernel.state import NONE
from domain.project.stage import Stage

if TYPE_CHECKING:
    from application.listing import StreamRow

app = Typer()


@app.command("list")
@verb
async def list_command(
    *,
    invocation: Invocation,
    realm: Realm = None,
    stage: Annotated[str | None, typer.Option("--stage", help="只列此階段 only this stage：ACTIVE、實施中")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 100,
) -> None:
    """列出項目：階段、等候誰、至何時 / projects: stage, who is awaited, until when.

    例 examples:
      venture project list
      venture project list --stage ACTIVE -o json
    """
    printer, only = invocation.printer, _read_stage(stage)
    async with invocation.open_store() as store:
        projects = await list_streams(store, "project", realm=realm, stage=only, limit=limit)
    rows = [_row(one, printer) for one in projects if one.stage != NONE]
    columns = (
        Column("project", "項目", "project"),
        Column("application", "申報", "application"),
        Column("title", "名稱", "title"),
        Column("stage_text", "階段", "stage"),
        Column("award_text", "立項金額", "award", right=True),
        Column("awaited", "等候", "awaited"),
        Column("realm", "時鐘域", "realm"),
    )
    printer.rows(
        rows, columns, ("還沒有項目。試試 venture scenario list", "no projects yet; try venture scenario list")
    )


def _read_stage(text: str | None) -> str | None:
    """The stage that is meant by ``ACTIVE``, ``active`` or ``實施中``. Raises ArgumentInvalid."""
    stage = next((s for s in Stage if text is not None and text.upper() in (s.value, s.zh)), None)
    if text is not None and stage is None:
        zh, en = (" ".join(names) for names in ([s.zh for s in Stage], list(Stage)))
        raise ArgumentInvalid(f"沒有階段 {text}；有：{zh}", f"there is no stage {text}; there are: {en}")
    return stage


def _row(one: StreamRow, printer: Printer) -> dict[str, Any]:
    row: dict[str, Any] = {
        "stream": one.stream,
        "application": one.stream.name,
        "realm": one.stream.realm,
        "stage": one.stage,
        "version": one.version,
        "due": one.due.isoformat() if one.due else None,
        **one.summary.as_json(),
    }
    if printer.for_people:
        row["stage_text"] = printer.say(Stage(one.stage).zh, one.stage)
        row["award_text"] = yuan(row["award"]) if row.get("award") else ""
        row["awaited"] = "; ".join(f"{'/'.join(a.roles)} {printer.say(a.zh, a.en)}" for a in one.summary.awaiting[:2])
    return row
