"""``venture organisation list``: which organisations there are. It loads no rules: what it shows stands in a view."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from application.organisations import OrganisationFilter, list_organisations
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import After, Limit, Realm
from cli.output import Column
from cli.pages import ask_page, print_page, read_filter
from cli.sheet import Xlsx, write_pages

app = Typer()


@app.command("list")
@verb
async def list_command(
    *,
    invocation: Invocation,
    realm: Realm = None,
    listing: Annotated[str | None, typer.Option("--listing", help="只列名錄在列者 only those on this list")] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="編號、名稱，繁簡皆可 / number, name, either script")
    ] = None,
    limit: Limit = 100,
    after: After = None,
    xlsx: Xlsx = None,
) -> None:
    """列出社會組織：等級、名錄、申報資格 / organisations: level, listings, bars.

    例 examples:
      venture organisation list
      venture organisation list --search 宜合 -o json
      venture organisation list --xlsx organisations.xlsx
    """
    printer = invocation.printer
    filters = read_filter(OrganisationFilter, realm=realm, listing=listing, search=search)
    async with invocation.open_store() as store:
        if xlsx is not None:
            from papers.lists import ORGANISATIONS

            read = partial(list_organisations, store, filters)
            await write_pages(xlsx, ORGANISATIONS, read, store, printer, **filters.model_dump(mode="json"))
            return
        page = await list_organisations(store, filters, await ask_page(store, limit, after))
    rows = [
        {**one.as_json(), "number": one.stream.name, "listed": " ".join(one.listings), "level": one.level}
        for one in page.rows
    ]
    columns = (
        Column("number", "編號", "number"),
        Column("name", "名稱", "name"),
        Column("level", "評估等級", "level"),
        Column("listed", "列入名單", "listings"),
        Column("banned_until", "取消申報資格至", "barred until"),
        Column("realm", "環境", "environment"),
    )
    printer.rows(rows, columns, ("沒有這樣的組織", "no such organisations"))
    print_page(page, printer)
