"""``venture portfolio``: what all projects come to, by round, year, district, field or fund."""

from __future__ import annotations

from typing import Annotated

import typer

from application.portfolio import read_portfolio
from application.projects import ProjectFilter
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import Realm
from cli.output import Column
from cli.paging import read_filter
from domain.kernel.money import yuan
from domain.project.stage import Stage

app = Typer()

_WORDS = {
    "requested": ("申請金額", "requested"),
    "award": ("資助金額", "awarded"),
    "paid": ("已撥付", "paid"),
    "cancelled": ("已核減", "cancelled"),
    "returned": ("已繳回", "returned"),
    "clawed_back": ("已收回", "clawed back"),
    "net": ("淨撥付", "net"),
    "outstanding": ("待收回", "to come back"),
}


@app.command("portfolio")
@verb
async def portfolio_command(
    *,
    invocation: Invocation,
    realm: Realm = None,
    round_: Annotated[str | None, typer.Option("--round", help="屆次 round：R-HZ-2025")] = None,
    year: Annotated[int | None, typer.Option("--year", help="年度 year of the round：2025")] = None,
    district: Annotated[str | None, typer.Option("--district", help="區縣 district of the need")] = None,
    field: Annotated[str | None, typer.Option("--field", help="公益領域 field of welfare")] = None,
    fund: Annotated[str | None, typer.Option("--fund", help="資金來源 fund：FS-FZ")] = None,
) -> None:
    """項目總覽：各階段項數、逾期、資金 / all projects: how many stand where, what is overdue, money.

    每個數都是一份名冊：以同樣條件用 project list 列出 / every number is a list: project list, same filters.

    例 examples:
      venture portfolio
      venture portfolio --year 2025 --field 助老扶幼
      venture portfolio --fund FS-LOT -o json
    """
    printer = invocation.printer
    filters = read_filter(ProjectFilter, realm=realm, round=round_, district=district, field=field, fund=fund)
    async with invocation.open_store() as store:
        portfolio = await read_portfolio(store, filters, year)
    if not printer.for_people:
        printer.json(portfolio.as_json())
        return
    rows = [{"what": printer.say("項目", "projects"), "figure": str(portfolio.projects)}]
    rows += [
        {"what": printer.say(f"　{Stage(stage).zh}", f"  {Stage(stage).en}"), "figure": str(count)}
        for stage, count in portfolio.standing.items()
    ]
    rows.append({"what": printer.say("逾期", "overdue"), "figure": str(portfolio.overdue)})
    rows += [{"what": printer.say(*_WORDS[name]), "figure": yuan(fen)} for name, fen in portfolio.money.items()]
    columns = (Column("what", "項", "item"), Column("figure", "數", "figure", right=True))
    printer.rows(rows, columns, ("沒有項目", "no projects"))
