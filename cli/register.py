"""``venture register list``: designations, events of programmes, nodes, bases, cases: how each stands, from a view."""

from __future__ import annotations

from typing import Annotated

import typer

from application.listing import StreamFilter, list_streams
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import After, Limit, Realm
from cli.output import Column
from cli.pages import ask_page, print_page, read_filter
from domain.catalogue import stage_zh

app = Typer()


@app.command("list")
@verb
async def list_command(
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help="designation、occasion、node、network、case、base、organisation、fund"),
    ],
    *,
    invocation: Invocation,
    realm: Realm = None,
    stage: Annotated[str | None, typer.Option("--stage", help="只列此階段 only this stage：GRANTED")] = None,
    limit: Limit = 100,
    after: After = None,
) -> None:
    """列出一類登記：現狀與所載 / one kind of register: how each entry stands, and what it says.

    例 examples:
      venture register list designation
      venture register list base --stage ASSESSED
      venture register list occasion -o json
    """
    printer = invocation.printer
    filters = read_filter(StreamFilter, kind=kind, realm=realm, stage=stage)
    async with invocation.open_store() as store:
        page = await list_streams(store, filters, await ask_page(store, limit, after))
    rows = [
        {
            **one.as_json(),
            "name": one.stream.name,
            "stage_text": printer.say(stage_zh(kind, one.stage), one.stage),
            "says": " · ".join(str(value) for value in one.particulars.values() if value not in (None, "", [], {})),
        }
        for one in page.rows
    ]
    columns = (
        Column("name", "編號", "name"),
        Column("stage_text", "階段", "stage"),
        Column("says", "所載", "says"),
        Column("realm", "環境", "environment"),
    )
    printer.rows(rows, columns, ("沒有這類登記", "no such entries"))
    print_page(page, printer)
