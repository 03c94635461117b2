"""``venture project list``: which projects there are. It loads no rules: what it shows stands in a view."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from application.projects import ProjectFilter, list_projects
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import After, Limit, Realm
from cli.output import ArgumentInvalid, Column, Printer
from cli.pages import ask_page, print_page, read_filter
from cli.sheet import Xlsx, write_pages
from domain.kernel.money import yuan
from domain.project.stage import Stage

if TYPE_CHECKING:
    from application.projects import ProjectLine

app = Typer()


@app.command("list")
@verb
async def list_command(
    *,
    invocation: Invocation,
    realm: Realm = None,
    stage: Annotated[str | None, typer.Option("--stage", help="只列此階段 only this stage：ACTIVE、實施中")] = None,
    round_: Annotated[str | None, typer.Option("--round", help="只列此屆次 only of this round：R-FZ-2023")] = None,
    organisation: Annotated[str | None, typer.Option("--organisation", help="申報單位 bidder：ORG-1")] = None,
    district: Annotated[str | None, typer.Option("--district", help="區縣 district of the need")] = None,
    field: Annotated[str | None, typer.Option("--field", help="公益領域 field of welfare")] = None,
    fund: Annotated[str | None, typer.Option("--fund", help="資金來源 fund：FS-FZ")] = None,
    role: Annotated[str | None, typer.Option("--awaits", help="等候此角色者 only where this role is awaited")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="只列逾期 / only what is overdue")] = False,
    search: Annotated[
        str | None,
        typer.Option("--search", help="編號、名稱、組織，繁簡皆可 / number, title, organisation, either script"),
    ] = None,
    limit: Limit = 100,
    after: After = None,
    xlsx: Xlsx = None,
) -> None:
    """列出項目：階段、等候誰、至何時 / projects: stage, who is awaited, until when.

    例 examples:
      venture project list
      venture project list --stage ACTIVE -o json
      venture project list --search 空巢 --awaits CAB-FIN
      venture project list --round R-FZ-2023 --xlsx projects.xlsx
    """
    printer = invocation.printer
    filters = read_filter(
        ProjectFilter,
        realm=realm,
        stage=_read_stage(stage),
        round=round_,
        organisation=organisation,
        district=district,
        field=field,
        fund=fund,
        role=role,
        overdue=overdue,
        search=search,
    )
    async with invocation.open_store() as store:
        if xlsx is not None:
            from papers.lists import PROJECTS

            conditions = filters.model_dump(mode="json")
            await write_pages(xlsx, PROJECTS, partial(list_projects, store, filters), store, printer, **conditions)
            return
        page = await list_projects(store, filters, await ask_page(store, limit, after))
    rows = [_row(one, printer) for one in page.rows]
    columns = (
        Column("project", "項目", "project"),
        Column("application", "申報", "application"),
        Column("title", "名稱", "title"),
        Column("stage_text", "階段", "stage"),
        Column("award_text", "資助金額", "award", right=True),
        Column("awaited", "等候", "awaited"),
        Column("realm", "環境", "environment"),
    )
    printer.rows(
        rows, columns, ("沒有這樣的項目。試試 venture scenario list", "no such projects; try venture scenario list")
    )
    print_page(page, printer)


def _read_stage(text: str | None) -> str | None:
    """The stage that is meant by ``ACTIVE``, ``active`` or ``實施中``. Raises ArgumentInvalid."""
    stage = next((s for s in Stage if text is not None and text.upper() in (s.value, s.zh)), None)
    if text is not None and stage is None:
        zh, en = (" ".join(names) for names in ([s.zh for s in Stage], list(Stage)))
        raise ArgumentInvalid(f"沒有階段 {text}；有：{zh}", f"there is no stage {text}; there are: {en}")
    return stage


def _row(one: ProjectLine, printer: Printer) -> dict[str, Any]:
    row = one.as_json()
    if printer.is_for_people:
        row["stage_text"] = printer.say(Stage(one.stage).zh, Stage(one.stage).en)
        if one.opened_on is not None:
            row["title"] += printer.say(f"（期初登記 {one.opened_on}）", f" (taken over {one.opened_on})")
        row["award_text"] = yuan(one.award) if one.award else ""
        row["awaited"] = "; ".join(f"{'/'.join(a.roles)} {printer.say(a.zh, a.en)}" for a in one.awaiting[:2])
    return row
