"""``venture apikey``: keys by which services come in over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from application.api_keys import NoSuchApiKey, issue_key, withdraw_key
from application.caller import ScopeName
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import read_actor, read_person
from cli.output import Column
from runtime.identity import open_identity
from runtime.store import open_store
from store.identity import SeatGrant

app = Typer()


@app.command("issue")
@verb
async def issue_command(
    service: Annotated[
        str, typer.Argument(metavar="SERVICE", help="服務名稱 the service, e.g. finance", show_default=False)
    ],
    *,
    seats: Annotated[
        list[str], typer.Option("--seat", help="代表的崗位，可多個 one or more seats: ROLE#n", show_default=False)
    ],
    scopes: Annotated[
        list[ScopeName] | None, typer.Option("--scope", help="用途，可多個；不填即全部 what it is for")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="有效天數 days that it lives")] = 90,
    person: Annotated[str | None, typer.Option("--person", help="負責人編號 who answers for it, P-n")] = None,
    invocation: Invocation,
) -> None:
    """給服務一個密鑰，只顯示這一次 / make a key for a service, shown once.

    例 examples:
      venture apikey issue finance --seat CAB-FIN#1
      venture apikey issue reports --seat CAB-REG#1 --scope read --days 30
    """
    printer, settings = invocation.printer, invocation.settings
    grants = tuple(SeatGrant(seat=read_actor(seat)) for seat in seats)
    async with open_store(settings, printer.tell) as opened, open_identity(opened.postgres_url) as identity:
        fresh = await issue_key(
            identity,
            service,
            grants,
            scopes or list(ScopeName),
            lasting=timedelta(days=days),
            now=datetime.now(UTC),
            person=None if person is None else read_person(person),
        )
    if printer.is_for_people:
        until = fresh.key.expires_at.date().isoformat()
        printer.tell(
            f"✓ {service} 的密鑰，只顯示這一次，至 {until} 有效：",
            f"✓ the key of {service}, shown once, until {until}:",
        )
        printer.line(fresh.text)
    else:
        printer.json({"id": fresh.key.id, "key": fresh.text, "expires_at": fresh.key.expires_at.isoformat()})


@app.command("list")
@verb
async def list_command(*, invocation: Invocation) -> None:
    """列出服務的密鑰；密鑰本身不存，無法再看 / the services' keys; the secrets themselves are not kept.

    例 example:  venture apikey list
    """
    printer, settings = invocation.printer, invocation.settings
    async with open_store(settings, printer.tell) as opened, open_identity(opened.postgres_url) as identity:
        keys = await identity.keys()
    rows = [
        {
            "id": key.id,
            "service": key.service,
            "seats": " ".join(grant.seat for grant in key.seats),
            "scopes": " ".join(key.scopes),
            "until": key.expires_at.date().isoformat(),
            "used": key.used_at.date().isoformat() if key.used_at else "",
            "withdrawn": key.withdrawn_at.date().isoformat() if key.withdrawn_at else "",
        }
        for key in keys
    ]
    columns = (
        Column("id", "編號", "key"),
        Column("service", "服務", "service"),
        Column("seats", "崗位", "seats"),
        Column("scopes", "用途", "for"),
        Column("until", "有效至", "until"),
        Column("used", "最近使用", "last used"),
        Column("withdrawn", "撤銷", "withdrawn"),
    )
    printer.rows(rows, columns, ("沒有密鑰", "no keys"))


@app.command("withdraw")
@verb
async def withdraw_command(
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="密鑰編號 the key, as apikey list has it", show_default=False)
    ],
    *,
    invocation: Invocation,
) -> None:
    """撤銷一個密鑰，立即生效 / withdraw a key, from now on.

    例 example:  venture apikey withdraw 0123456789abcdef
    """
    printer, settings = invocation.printer, invocation.settings
    async with open_store(settings, printer.tell) as opened, open_identity(opened.postgres_url) as identity:
        if not await withdraw_key(identity, key_id, datetime.now(UTC)):
            raise NoSuchApiKey(key_id)
    printer.tell(f"✓ 已撤銷 {key_id}", f"✓ {key_id} is withdrawn", "green")
