"""``venture organisation show``: the file of one organisation."""

from __future__ import annotations

from typing import Annotated

import typer

from application.queries import load_file, now_in, resolve_name
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import Realm
from cli.project import show

app = Typer()


@app.command("show")
@verb
async def show_command(
    name: Annotated[str, typer.Argument(help="ORG-3，或全稱 organisation/live/ORG-3", show_default=False)],
    *,
    invocation: Invocation,
    realm: Realm = None,
) -> None:
    """一個社會組織的卷宗：現狀與經過 / an organisation's file: how it stands, the story so far.

    例 examples:
      venture organisation show ORG-3
      venture organisation show ORG-3 -o json
    """
    async with invocation.open_store() as store:
        file = await load_file(store, await resolve_name(store, name, realm))
        now = await now_in(store, file.stream)
    show(file, invocation.printer, now)
