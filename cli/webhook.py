"""``venture webhook``: who is told of what happens, by signed calls."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from application.webhooks import FURTHEST, FreshSecret, Webhooks
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import read_actor
from cli.output import ArgumentInvalid, Column
from domain.kernel.calendar import local_time
from domain.kernel.identifier import Role
from runtime.outbox import find_address_rules, open_outbox, open_secret_box
from runtime.store import open_store
from store.identity import SeatGrant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cli.output import Printer
    from domain.kernel.identifier import Actor

app = Typer()

Id = Annotated[UUID, typer.Argument(metavar="ID", help="編號 its id, as webhook list has it", show_default=False)]
As = Annotated[str, typer.Option("--as", help="經辦人 who asks: ADMIN#n", show_default=False)]


def require_administrator(actor: str) -> Actor:
    """That seat, which is an administrator's. Raises ArgumentInvalid for any other."""
    who = read_actor(actor)
    if who.role is not Role.ADMIN:
        raise ArgumentInvalid(f"{who} 不是系統管理員（ADMIN）", f"{who} is no administrator (ADMIN)")
    return who


@asynccontextmanager
async def _open(invocation: Invocation, actor: str) -> AsyncIterator[tuple[Webhooks, Actor]]:
    """The endpoints, for an administrator. Raises ArgumentInvalid for anybody else."""
    who, settings = require_administrator(actor), invocation.settings
    async with open_store(settings, invocation.printer.tell) as opened, open_outbox(opened.postgres_url) as outbox:
        yield Webhooks(outbox, open_secret_box(settings), find_address_rules(settings)), who


@app.command("add")
@verb
async def add_command(
    url: Annotated[str, typer.Argument(help="接收端網址 where to: https://…", show_default=False)],
    *,
    actor: As,
    seat: Annotated[str, typer.Option("--seat", help="以何崗位之所見為限 told what this seat may see")],
    types: Annotated[
        list[str] | None, typer.Option("--type", help="事件，可多個；不填即全部 events; all if left out")
    ] = None,
    invocation: Invocation,
) -> None:
    """登記一個接收端，密鑰只顯示這一次 / tell an address of what happens from now on; its secret is shown once.

    例 example:
      venture webhook add https://finance.example/ --seat CAB-FIN#1 --as ADMIN#1
    """
    async with _open(invocation, actor) as (webhooks, who):
        grants = (SeatGrant(seat=read_actor(seat)),)
        fresh = await webhooks.add(url, grants, types or (), made_by=f"seat:{who}", now=datetime.now(UTC))
    _show(fresh, invocation.printer)


@app.command("list")
@verb
async def list_command(*, actor: As, invocation: Invocation) -> None:
    """各接收端及其狀況 / receivers, and how deliveries to them go.

    例 example:  venture webhook list --as ADMIN#1
    """
    printer = invocation.printer
    async with _open(invocation, actor) as (webhooks, _):
        endpoints = await webhooks.list()
    rows = [
        {
            "id": str(one.id),
            "url": one.url,
            "seats": " ".join(grant.seat for grant in one.seats),
            "types": " ".join(one.types) or printer.say("全部", "all"),
            "failing": local_time(one.failing_since) if one.failing_since else "",
            "disabled": f"{local_time(one.disabled_at)} {one.disabled_why}" if one.disabled_at else "",
        }
        for one in endpoints
    ]
    columns = (
        Column("id", "編號", "id"),
        Column("url", "網址", "address"),
        Column("seats", "所見以此為限", "sees as"),
        Column("types", "事件", "events"),
        Column("failing", "自何時不通", "failing since"),
        Column("disabled", "停送", "disabled"),
    )
    printer.rows(rows, columns, ("沒有接收端", "nobody is told"))


@app.command("rotate")
@verb
async def rotate_command(endpoint: Id, *, actor: As, invocation: Invocation) -> None:
    """更換密鑰；舊的一日內並用 / replace the secret; the old one signs too for a day.

    例 example:  venture webhook rotate 3f0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a10 --as ADMIN#1
    """
    async with _open(invocation, actor) as (webhooks, _):
        fresh = await webhooks.rotate(endpoint, now=datetime.now(UTC))
    _show(fresh, invocation.printer)


@app.command("enable")
@verb
async def enable_command(endpoint: Id, *, actor: As, invocation: Invocation) -> None:
    """恢復已停送的接收端，積存者一併送出 / try again with one that was given up.

    例 example:  venture webhook enable 3f0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a10 --as ADMIN#1
    """
    async with _open(invocation, actor) as (webhooks, _):
        await webhooks.enable(endpoint)
    invocation.printer.tell(f"✓ 已恢復 {endpoint}", f"✓ {endpoint} is told again", "green")


@app.command("remove")
@verb
async def remove_command(endpoint: Id, *, actor: As, invocation: Invocation) -> None:
    """刪去一個接收端及待送者 / tell it nothing more.

    例 example:  venture webhook remove 3f0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a10 --as ADMIN#1
    """
    async with _open(invocation, actor) as (webhooks, _):
        await webhooks.remove(endpoint)
    invocation.printer.tell(f"✓ 已刪去 {endpoint}", f"✓ {endpoint} is told nothing more", "green")


@app.command("log")
@verb
async def log_command(
    endpoint: Id,
    *,
    actor: As,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="至多幾行 at most so many")] = 50,
    invocation: Invocation,
) -> None:
    """送達記錄，新的在前 / what was said and how it went, the newest first.

    例 example:  venture webhook log 3f0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a10 --as ADMIN#1
    """
    printer = invocation.printer
    async with _open(invocation, actor) as (webhooks, _):
        await webhooks.find(endpoint)
        lines = await webhooks.outbox.deliveries(endpoint, FURTHEST, limit)
    rows = [
        {
            "position": one.position,
            "type": one.type,
            "stream": one.stream,
            "tries": one.tries,
            "said": one.said or "",
            "delivered": local_time(one.delivered_at) if one.delivered_at else "",
            "next": local_time(one.next_at) if one.next_at else "",
            "id": str(one.id),
        }
        for one in lines
    ]
    columns = (
        Column("position", "序號", "position", right=True),
        Column("type", "事件", "event"),
        Column("stream", "卷宗", "file"),
        Column("tries", "次數", "tries", right=True),
        Column("said", "答覆", "answer"),
        Column("delivered", "送達", "delivered"),
        Column("next", "下次", "next"),
        Column("id", "編號", "id"),
    )
    printer.rows(rows, columns, ("還沒有送過", "nothing was said yet"))


@app.command("replay")
@verb
async def replay_command(
    endpoint: Id,
    *,
    actor: As,
    after: Annotated[int, typer.Option("--after", min=0, help="此序號之後 after that position")] = 0,
    until: Annotated[int | None, typer.Option("--until", min=0, help="至此序號 up to that position")] = None,
    delivery: Annotated[UUID | None, typer.Option("--delivery", help="只重送這一件 this one only")] = None,
    invocation: Invocation,
) -> None:
    """重送一件或一段，編號不變 / say one thing or a range once more, under the same ids.

    例 example:
      venture webhook replay 3f0c7a52-5d1e-4a6b-9c55-0e4f2f6f1a10 --as ADMIN#1
        --after 1200 --until 1300
    """
    count, now = 1, datetime.now(UTC)
    async with _open(invocation, actor) as (webhooks, _):
        if delivery is not None:
            await webhooks.replay_one(endpoint, delivery, now=now)
        else:
            count = await webhooks.replay(endpoint, after=after, until=until, now=now)
    invocation.printer.tell(f"✓ 重送 {count} 件", f"✓ {count} to be said once more", "green")


def _show(fresh: FreshSecret, printer: Printer) -> None:
    """Print the secret, the only time that it can be seen."""
    if not printer.is_for_people:
        printer.json({"id": str(fresh.endpoint), "secret": fresh.shared, "public_key": fresh.public})
        return
    printer.tell(f"✓ {fresh.endpoint}，密鑰只顯示這一次：", f"✓ {fresh.endpoint}; its secret, shown once:", "green")
    printer.line(fresh.shared)
    printer.line(printer.say("公鑰（v1a）：", "public key (v1a): ") + fresh.public)
