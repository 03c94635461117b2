"""``venture round``: open a round, show one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import typer

from application.queries import load_file, new_stream, now_in
from application.schemes import require_published
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.name_resolution import resolve
from cli.options import Realm, read_actor
from cli.output import ArgumentInvalid
from cli.project import show
from domain.catalogue import find_command
from domain.kernel.calendar import SHANGHAI
from domain.kernel.identifier import LIVE, StreamId
from domain.kernel.message import Order
from schemes import scheme_file

app = Typer()


@app.command("open")
@verb
async def open_command(
    name: Annotated[str, typer.Argument(help="屆次編號 its number, e.g. R-FZ-2027", show_default=False)],
    scheme: Annotated[str, typer.Option("--scheme", help="管理辦法 the city's rules, e.g. fuzhou", show_default=False)],
    actor: Annotated[str, typer.Option("--as", help="經辦人 who opens it: ROLE#n", show_default=False)],
    year: Annotated[
        int | None, typer.Option("--year", min=2000, max=2200, help="年度，不填則取編號末四位 / its year")
    ] = None,
    *,
    invocation: Invocation,
) -> None:
    """啟動一屆，開始需求徵集；辦法與工作日曆須先發布 / open a round: solicit needs. Rules and working days come first.

    未發布時列出所缺、該給的命令與可辦之人，什麼也不記錄。
    What is not published is named with the command to give and who may; nothing is recorded then.

    例 example:  venture round open R-FZ-2027 --scheme fuzhou --as CAB-REG#1
    """
    printer = invocation.printer
    rules, stream, who = scheme_file.load_shipped(scheme), _read_round(name), read_actor(actor)
    particulars = {"scheme": rules.ref.model_dump(), "year": year or _year_of(name)}
    command = find_command("NeedSolicitationOpened", "round").model_validate(particulars)
    async with invocation.open_runtime(working=True) as runtime:
        now = datetime.now(SHANGHAI)
        await require_published(runtime.store, rules.ref, now.year, stream.realm, Order(command, who, now))
        receipt = await runtime.door.send(stream, command, who)
    printer.answer(
        {"stream": receipt.stream, "version": receipt.version, "events": list(receipt.events)},
        f"✓ {name} 已開始需求徵集，適用辦法 {scheme}。下一步:venture round show {name}",
        f"✓ {name} solicits needs under {scheme}. Next: venture round show {name}",
    )


def _read_round(name: str) -> StreamId:
    """The stream of a new round. Raises ArgumentInvalid if the name is no round's."""
    invalid = ArgumentInvalid(f"屆次編號 {name}：寫作 R-FZ-2027", f"the round's number {name}: write R-FZ-2027")
    try:
        stream = new_stream(name, LIVE)
    except (KeyError, ValueError):
        raise invalid from None
    if stream.kind != "round" or "/" in name:
        raise invalid
    return stream


def _year_of(name: str) -> int:
    """The year that the number ends in, or else this one."""
    year = re.search(r"-(20\d\d|21\d\d)$", name)
    return int(year[1]) if year else datetime.now(SHANGHAI).year


@app.command("show")
@verb
async def show_command(
    name: Annotated[str, typer.Argument(help="R-FZ-2023", show_default=False)],
    *,
    invocation: Invocation,
    realm: Realm = None,
) -> None:
    """一屆的現狀與經過 / where a round stands, and its story.

    例 example:  venture round show R-FZ-2023
    """
    async with invocation.open_store() as store:
        file = await load_file(store, await resolve(store, name, realm, invocation.printer))
        now = await now_in(store, file.stream)
    show(file, invocation.printer, now)
