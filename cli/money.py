"""``venture money list``: what projects add up to by fund, round or organisation, from sums that are kept."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from application.money import MEASURES, Dimension, MoneyFilter, list_money
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import After, Limit, Realm
from cli.output import Column
from cli.pages import ask_page, print_page, read_filter
from cli.sheet import Xlsx, write_pages
from domain.kernel.money import yuan

app = Typer()

_COLUMNS = {
    "requested": Column("requested", "申請資助金額", "applied for", right=True),
    "award": Column("award", "資助金額", "awarded", right=True),
    "committed": Column("committed", "已立項未撥", "committed", right=True),
    "paid": Column("paid", "已撥付", "paid", right=True),
    "cancelled": Column("cancelled", "已核減", "cancelled", right=True),
    "returned": Column("returned", "結餘繳回", "surplus returned", right=True),
    "clawed_back": Column("clawed_back", "已收回", "recovered", right=True),
    "net": Column("net", "淨撥付額", "net paid", right=True),
    "outstanding": Column("outstanding", "待收回", "to be recovered", right=True),
}


@app.command("list")
@verb
async def list_command(
    *,
    invocation: Invocation,
    by: Annotated[Dimension, typer.Option("--by", help="按何者合計 summed by")] = Dimension.ROUND,
    key: Annotated[str | None, typer.Option("--key", help="只列此一個 only this one：FS-FZ、R-FZ-2023")] = None,
    realm: Realm = None,
    limit: Limit = 100,
    after: After = None,
    xlsx: Xlsx = None,
) -> None:
    """資金合計：按屆次、資金來源或組織 / sums of money: by round, fund or organisation.

    例 examples:
      venture money list
      venture money list --by fund -o json
      venture money list --by organisation --key ORG-3
      venture money list --by fund_year --xlsx money.xlsx
    """
    printer = invocation.printer
    filters = read_filter(MoneyFilter, by=by, key=key, realm=realm)
    async with invocation.open_store() as store:
        if xlsx is not None:
            from papers.lists import MONEY

            conditions = filters.model_dump(mode="json")
            await write_pages(xlsx, MONEY, partial(list_money, store, filters), store, printer, **conditions)
            return
        page = await list_money(store, filters, await ask_page(store, limit, after))
    measures = [name for name in _COLUMNS if name in MEASURES[by]]
    rows = [
        {**one.as_json(), **({name: yuan(one.values[name]) for name in measures} if printer.is_for_people else {})}
        for one in page.rows
    ]
    columns = (
        Column("key", "對象", "key"),
        Column("projects", "項目數", "projects", right=True),
        *(_COLUMNS[name] for name in measures),
        Column("realm", "環境", "environment"),
    )
    printer.rows(rows, columns, ("沒有資金記錄", "no money is recorded"))
    print_page(page, printer)
