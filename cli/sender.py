"""``venture sender``: who may report to us by signed messages: a bank, a signature service."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from application.callbacks import Senders
from cli.adapter import Invocation, verb
from cli.help import Typer
from cli.options import read_actor, read_person
from cli.output import ArgumentInvalid, Column
from cli.webhook import As, require_administrator
from domain.kernel.calendar import local_time
from runtime.identity import open_identity
from runtime.outbox import open_secret_box
from runtime.store import open_store
from store.identity import SeatGrant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cli.output import Printer
    from domain.kernel.identifier import Actor

app = Typer()

Name = Annotated[str, typer.Argument(metavar="NAME", help="名稱 its name, as sender list has it", show_default=False)]
SecretFile = Annotated[
    Path | None,
    typer.Option("--secret-file", help="約定的 whsec_… 或其公鑰 whpk_… 所在文件；不填則新造 a file; made if left out"),
]


@asynccontextmanager
async def _open(invocation: Invocation, actor: str) -> AsyncIterator[tuple[Senders, Actor]]:
    """The senders, for an administrator. Raises ArgumentInvalid for anybody else."""
    who, settings = require_administrator(actor), invocation.settings
    async with (
        open_store(settings, invocation.printer.tell) as opened,
        open_identity(opened.postgres_url) as identity,
    ):
        yield Senders(identity, open_secret_box(settings)), who


@app.command("add")
@verb
async def add_command(
    name: Name,
    *,
    actor: As,
    seats: Annotated[
        list[str], typer.Option("--seat", help="代表的崗位，可多個 one or more seats: ROLE#n", show_default=False)
    ],
    secret_file: SecretFile = None,
    person: Annotated[str | None, typer.Option("--person", help="負責人編號 who answers for it, P-n")] = None,
    invocation: Invocation,
) -> None:
    """登記銀行或電子簽名服務，密鑰只顯示這一次 / take reports of a bank or signature service in.

    例 examples:
      venture sender add bank --seat FISCAL#1 --as ADMIN#1
      venture sender add esign --seat CAB-REG#1 --secret-file esign.pub --as ADMIN#1
    """
    secret = _read_secret(secret_file)
    async with _open(invocation, actor) as (senders, who):
        grants = tuple(SeatGrant(seat=read_actor(seat)) for seat in seats)
        fresh = await senders.add(
            name,
            grants,
            made_by=f"seat:{who}",
            now=datetime.now(UTC),
            secret=secret,
            person=None if person is None else read_person(person),
        )
    _show(name, fresh, invocation.printer, is_new=secret is None)


@app.command("list")
@verb
async def list_command(*, actor: As, invocation: Invocation) -> None:
    """各發送方 / who may report.

    例 example:  venture sender list --as ADMIN#1
    """
    async with _open(invocation, actor) as (senders, _):
        known = await senders.store.senders()
    rows = [
        {
            "name": one.name,
            "seats": " ".join(grant.seat for grant in one.seats),
            "made": local_time(one.made_at),
            "withdrawn": local_time(one.withdrawn_at) if one.withdrawn_at else "",
        }
        for one in known
    ]
    columns = (
        Column("name", "名稱", "name"),
        Column("seats", "崗位", "seats"),
        Column("made", "登記", "registered"),
        Column("withdrawn", "撤銷", "withdrawn"),
    )
    invocation.printer.rows(rows, columns, ("沒有發送方", "nobody reports"))


@app.command("rotate")
@verb
async def rotate_command(name: Name, *, actor: As, secret_file: SecretFile = None, invocation: Invocation) -> None:
    """更換密鑰；舊的一日內並用 / replace the secret; the old one stays valid for a day.

    例 example:  venture sender rotate bank --as ADMIN#1
    """
    secret = _read_secret(secret_file)
    async with _open(invocation, actor) as (senders, _):
        fresh = await senders.rotate(name, now=datetime.now(UTC), secret=secret)
    _show(name, fresh, invocation.printer, is_new=secret is None)


@app.command("withdraw")
@verb
async def withdraw_command(name: Name, *, actor: As, invocation: Invocation) -> None:
    """不再收其通知，立即生效 / take nothing more of it in, from now on.

    例 example:  venture sender withdraw bank --as ADMIN#1
    """
    async with _open(invocation, actor) as (senders, _):
        await senders.withdraw(name, now=datetime.now(UTC))
    invocation.printer.tell(f"✓ 已撤銷 {name}", f"✓ {name} is withdrawn", "green")


@app.command("log")
@verb
async def log_command(
    name: Name,
    *,
    actor: As,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="至多幾行 at most so many")] = 50,
    invocation: Invocation,
) -> None:
    """所報各事，新的在前 / what it reported, the newest first.

    例 example:  venture sender log bank --as ADMIN#1
    """
    async with _open(invocation, actor) as (senders, _):
        received = await senders.list_received(name, limit)
    rows = [
        {
            "at": local_time(one.received_at),
            "type": one.type,
            "subject": one.subject,
            "reason": one.reason,
            "message": one.message,
            "command": str(one.command_id),
        }
        for one in received
    ]
    columns = (
        Column("at", "收到", "received"),
        Column("type", "何事", "what"),
        Column("subject", "對象", "about"),
        Column("reason", "事由", "reason"),
        Column("message", "通知編號", "message"),
        Column("command", "命令編號", "command"),
    )
    invocation.printer.rows(rows, columns, ("還沒有收到", "nothing came yet"))


def _read_secret(path: Path | None) -> str | None:
    """The first line of that file. Raises ArgumentInvalid."""
    if path is None:
        return None
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError) as wrong:
        raise ArgumentInvalid(f"{path} 讀不出密鑰", f"no secret can be read from {path}") from wrong


def _show(name: str, secret: str, printer: Printer, *, is_new: bool) -> None:
    """Say where it reports to, and the secret, this once, unless whoever registered it has it."""
    where = f"/v1/callbacks/{name}"
    if not printer.is_for_people:
        printer.json({"name": name, "path": where, **({"secret": secret} if is_new else {})})
        return
    printer.tell(f"✓ {name} 的通知送往 POST {where}", f"✓ {name} reports to POST {where}", "green")
    if is_new:
        printer.tell("密鑰只顯示這一次：", "its secret, shown once:")
        printer.line(secret)
